#!/usr/bin/env python3
"""Trains the wake word of `examples/wake` and writes everything that the example commits.

The data is synthesised speech (espeak-ng, festival, SVOX Pico and two small neural voices; flite is kept for the test),
recorded telephone prompts in four languages and music as negatives, and noise. The steps are: synthesise (`voices.py`), render
(`rendering.py`: reverberation, band limits, gain, noise), train with mining of hard negatives (`training.py`), choose the threshold
on the recordings kept for validation, export, measure on the held-out voices. README.md above this folder says how to run it.
"""

import argparse
import os
import pickle
import time
import wave
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

import jax
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from detection import events, highest, score_frames, smooth
from features import BANDS, FRAMES, HOP, RATE, log_mel
from network import BLOCKS, LAST, STRIDE
from rendering import SEGMENT_SAMPLES, render
from training import train
from voices import SPLITS, flite, human, synthesise, trim


def choose_threshold(model, recorded):
    """The lowest threshold that the half hour of recordings kept for validation passes at most once."""
    scores = [score_frames(model, log_mel(samples / np.float32(32768))) for samples in recorded.values()]
    for threshold in np.arange(0.4, 0.96, 0.05):
        if sum(len(events(part, threshold)) for part in scores) <= 1:
            break
    return round(float(threshold), 2)


def in_silence(clip):
    end = int(1.3 * RATE)
    samples = np.zeros(SEGMENT_SAMPLES, np.float32)
    clip = clip[-int(1.2 * RATE):] / (np.abs(clip).max() + 1e-6) * 0.3
    samples[end - len(clip):end] = clip
    return log_mel(samples)


def report(model, threshold, speech, recorded, pool, recordings):
    """Prints the table of README.md."""
    clips = speech["positive"]["flite"]
    clean = np.stack([in_silence(clip) for clip in clips])
    print(f"threshold {threshold}")
    print(f"held-out flite, silence: recall {(highest(model, clean) >= threshold).mean():.3f} of {len(clips)}")
    positives, _, negatives = render("test", speech, {}, pool, alter=False)
    print(f"held-out flite, noisy rooms: recall {(highest(model, positives) >= threshold).mean():.3f}")
    hours = len(negatives) * HOP / RATE / 3600
    count = len(events(score_frames(model, negatives), threshold))
    print(f"held-out flite, near words, cut words and sentences: {count / hours:.1f} an hour in {hours:.2f} h")
    heard, total = 0, 0
    for split in ("validation", "test"):
        for name, samples in recorded[split].items():
            features = log_mel(samples / np.float32(32768))
            count = len(events(score_frames(model, features), threshold))
            print(f"recorded, {split}, {name}: {count} in {len(samples) / RATE / 60:.0f} min")
            heard, total = heard + count * (split == "test"), total + len(samples) / RATE / 3600 * (split == "test")
    print(f"recorded, test: {heard / total:.2f} an hour in {total:.2f} h")
    for path in recordings:
        for channel, samples in enumerate(channels(path)):
            samples = np.concatenate([np.zeros(RATE, np.float32), samples, np.zeros(RATE // 2, np.float32)])
            scores = smooth(score_frames(model, log_mel(samples)))
            verdict = "heard" if scores.max() >= threshold else "not heard"
            print(f"{os.path.basename(path)}, channel {channel}: highest {scores.max():.3f}, {verdict}")


def channels(path):
    with wave.open(path) as file:
        data = np.frombuffer(file.readframes(file.getnframes()), "<i2").reshape(-1, file.getnchannels())
    return (data.T / 32768).astype(np.float32)


def folded(model):
    """(weight, bias) of each convolution with its batch normalization in it."""
    (layers, head), statistics = model
    for layer, (mean, variance) in zip(layers, statistics):
        scale = np.asarray(layer["gain"] / np.sqrt(np.asarray(variance) + 1e-3))
        yield np.asarray(layer["weight"]) * scale, np.asarray(layer["bias"]) - np.asarray(mean) * scale
    yield np.asarray(head["weight"]), np.asarray(head["bias"])


def export(model, path):
    shapes = [((5, 5), (STRIDE, 2), 2)]
    for kernel, stride, padding, _ in BLOCKS:
        shapes += [(kernel, (1, stride), padding), ((1, 1), (1, 1), 0)]
    shapes += [((LAST, 1), (1, 1), 0), ((1, 1), (1, 1), 0)]
    nodes, initializers, value = [], [], "features"
    for index, ((weight, bias), (kernel, strides, padding)) in enumerate(zip(folded(model), shapes)):
        if weight.ndim == 3:
            weight = weight.transpose(2, 0, 1)[:, None]
        else:
            inputs = weight.shape[0] // (kernel[0] * kernel[1])
            weight = weight.reshape(*kernel, inputs, -1).transpose(3, 2, 0, 1)
        name = f"conv_{index}"
        initializers += [numpy_helper.from_array(np.ascontiguousarray(part, np.float32), f"{name}.{kind}")
                         for kind, part in (("weight", weight), ("bias", bias))]
        group = weight.shape[0] if weight.shape[1] == 1 and index else 1
        inputs = [value, f"{name}.weight", f"{name}.bias"]
        nodes.append(helper.make_node("Conv", inputs, [name], f"/{name}/Conv", kernel_shape=kernel, strides=strides,
                                      pads=[0, padding, 0, padding], group=group, dilations=[1, 1]))
        value = name
        if index < len(shapes) - 1:
            value = f"relu_{index}"
            nodes.append(helper.make_node("Relu", [name], [value], f"/relu_{index}/Relu"))
    nodes.append(helper.make_node("Sigmoid", [value], ["probability"], "/Sigmoid"))
    nodes.append(helper.make_node("Flatten", ["probability"], ["score"], "/Flatten", axis=1))
    features = helper.make_tensor_value_info("features", TensorProto.FLOAT, [1, 1, FRAMES, BANDS])
    output = helper.make_tensor_value_info("score", TensorProto.FLOAT, [1, 1])
    graph = helper.make_graph(nodes, "wake", [features], [output], initializers)
    proto = helper.make_model(graph, producer_name="train.py", opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(proto, full_check=True)
    onnx.save(proto, path)
    weights = sum(weight.size for weight, _ in folded(model))
    biases = sum(bias.size for _, bias in folded(model))
    size = weights + 8 * biases
    print(f"{weights} weights and {biases} biases: {size} bytes with weights of 8 bits, biases and multipliers of 32")


# What the bundled recordings say: (voice of the held-out family, text). No word of the last one is the wake word.
BUNDLED = {
    "kitchen": ("awb", "the water boils. marvin, set a timer."),
    "question": ("kal16", "hey marvin, will it rain?"),
    "similar": ("slt", "martin has a marble garden."),
}


def bundle(folder, threshold):
    """The recordings, and what features, scores and detections they must give."""
    import onnxruntime
    session = onnxruntime.InferenceSession(f"{folder}/wake.onnx")
    os.makedirs(f"{folder}/recordings", exist_ok=True)
    golden = {}
    for name, (voice, text) in BUNDLED.items():
        spoken = flite((text, (voice, 1.0, None)))
        spoken = np.concatenate([np.zeros(RATE // 2, np.float32), trim(spoken, 0.05), np.zeros(RATE // 4, np.float32)])
        samples = np.round(spoken / np.abs(spoken).max() * 10000).astype(np.int16)
        with wave.open(f"{folder}/recordings/{name}.wav", "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(RATE)
            file.writeframes(samples.tobytes())
        features = log_mel(samples / np.float32(32768))
        windows = [features[i:i + FRAMES] for i in range(len(features) - FRAMES + 1)]
        scores = np.array([session.run(None, {"features": window[None, None]})[0][0, 0] for window in windows], np.float32)
        detections = events(scores, threshold)
        golden |= {f"{name}_features": features, f"{name}_scores": scores, f"{name}_detections": np.array(detections, np.int64)}
        print(f"{name}: {len(samples) / RATE:.1f} s, detections at scores {detections}, highest {smooth(scores).max():.3f}")
    np.savez(f"{folder}/golden.npz", **golden)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--work", default="work", help="folder for the steps' results; a step whose file is there is skipped")
    parser.add_argument("--out", default=os.path.join(os.path.dirname(__file__), ".."), help="folder for what is committed")
    parser.add_argument("recordings", nargs="*", help="WAV files at 16 kHz to try the model on")
    arguments = parser.parse_args()
    os.makedirs(arguments.work, exist_ok=True)
    begun = time.time()

    def step(name, compute):
        path = f"{arguments.work}/{name}.pickle"
        if not os.path.exists(path):
            result = compute()
            with open(path, "wb") as file:
                pickle.dump(result, file)
        print(f"{name}: done after {(time.time() - begun) / 60:.1f} min", flush=True)
        with open(path, "rb") as file:
            return pickle.load(file)

    with ProcessPoolExecutor(2, get_context("spawn")) as pool:
        speech = step("speech", lambda: {split: synthesise(split, pool) for split in SPLITS})
        recorded = {split: human(split) for split in SPLITS}
        rendered = step("rendered", lambda: {s: render(s, speech[s], recorded[s], pool) for s in ("train", "validation")})
        model = step("model", lambda: jax.tree_util.tree_map(np.asarray, train(*rendered["train"], rendered["validation"])))
        threshold = choose_threshold(model, recorded["validation"])
        export(model, f"{arguments.out}/wake.onnx")
        bundle(arguments.out, threshold)
        report(model, threshold, speech["test"], recorded, pool, arguments.recordings)


if __name__ == "__main__":
    main()
