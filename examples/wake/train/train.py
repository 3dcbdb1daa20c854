#!/usr/bin/env python3
"""Trains the wake word of `examples/wake` and writes everything that the example commits.

The data is synthesised speech (espeak-ng, festival, SVOX Pico and two small neural voices; flite is kept for the test),
recorded telephone prompts in four languages and music as negatives, and noise. The steps are: synthesise (`voices.py`), render
(`rendering.py`: reverberation, band limits, gain, noise), train with mining of hard negatives (`training.py`), export in floats and
in integers (`exported.py`), choose the threshold on the recordings kept for validation, measure both on the held-out voices. README.md
above this folder says how to run it.
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

from detection import EVERY, count, events, highest, smooth
from exported import Exported, calibration, export, quantize
from features import HOP, RATE, log_mel
from rendering import SEGMENT_SAMPLES, render
from texts import word_lists
from training import train
from voices import SPLITS, flite, human, jobs, synthesise, trim


def choose_threshold(model, recorded):
    """The lowest threshold that the recordings kept for validation pass at most once an hour."""
    scores = [model.frames(log_mel(samples / np.float32(32768))) for samples in recorded.values()]
    hours = sum(map(len, recorded.values())) / RATE / 3600
    for threshold in np.arange(0.4, 0.96, 0.01):
        if sum(count(part, threshold) for part in scores) <= hours:
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
    heard = highest(map(model.frames, map(in_silence, clips))) >= threshold
    print(f"held-out flite, silence: recall {heard.mean():.3f} of {len(clips)}")
    spoken = np.array([voice for _, _, (voice, *_) in jobs("test", "positive", word_lists())])
    for voice in sorted(set(spoken)):
        print(f"  {voice}: {heard[spoken == voice].mean():.3f}")
    positives, _, negatives = render("test", speech, {}, pool, alter=False)
    print(f"held-out flite, noisy rooms: recall {(highest(map(model.frames, positives)) >= threshold).mean():.3f}")
    hours = len(negatives) * HOP / RATE / 3600
    false = count(model.frames(negatives), threshold)
    print(f"held-out flite, near words, cut words and sentences: {false / hours:.1f} an hour in {hours:.2f} h")
    every, total = 0, 0
    for split in ("validation", "test"):
        for name, samples in recorded[split].items():
            features = log_mel(samples / np.float32(32768))
            false = count(model.frames(features), threshold)
            print(f"recorded, {split}, {name}: {false:.1f} in {len(samples) / RATE / 60:.0f} min")
            every, total = every + false * (split == "test"), total + len(samples) / RATE / 3600 * (split == "test")
    print(f"recorded, test: {every / total:.2f} an hour in {total:.2f} h")
    for path in recordings:
        for channel, samples in enumerate(channels(path)):
            samples = np.concatenate([np.zeros(RATE, np.float32), samples, np.zeros(RATE // 2, np.float32)])
            best = highest([model.frames(log_mel(samples))])
            verdict = f"{best.min():.3f} to {best.max():.3f}, heard from {(best >= threshold).mean():.0%} of the beginnings"
            print(f"{os.path.basename(path)}, channel {channel}: highest {verdict}")


def channels(path):
    with wave.open(path) as file:
        data = np.frombuffer(file.readframes(file.getnframes()), "<i2").reshape(-1, file.getnchannels())
    return (data.T / 32768).astype(np.float32)


# What the bundled recordings say: (voice of the held-out family, text). No word of the last one is the wake word.
BUNDLED = {
    "kitchen": ("awb", "the water boils. marvin, set a timer."),
    "question": ("kal16", "hey marvin, will it rain?"),
    "similar": ("slt", "martin has a marble garden."),
}


def bundle(folder, model, in_floats, threshold):
    """The recordings, and what features, scores and detections they must give."""
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
        scores = model.frames(features)[::EVERY]
        detections = events(scores, threshold)
        golden |= {f"{name}_features": features, f"{name}_scores": scores, f"{name}_detections": np.array(detections, np.int64),
                   f"{name}_scores_in_floats": in_floats.frames(features)[::EVERY]}
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
        parameters = step("model", lambda: jax.tree_util.tree_map(np.asarray, train(*rendered["train"], rendered["validation"])))
        float_path, path = f"{arguments.out}/wake_float.onnx", f"{arguments.out}/wake.onnx"
        export(parameters, float_path)
        quantize(float_path, path, calibration(*rendered["train"]))
        in_floats, model = Exported(float_path), Exported(path)
        threshold = choose_threshold(model, recorded["validation"])
        print(f"threshold {threshold}")
        bundle(arguments.out, model, in_floats, threshold)
        for name, model in (("in integers", model), ("in floats", in_floats)):
            print(f"== {name}")
            report(model, threshold, speech["test"], recorded, pool, arguments.recordings)
        print(f"all: done after {(time.time() - begun) / 60:.1f} min")


if __name__ == "__main__":
    main()
