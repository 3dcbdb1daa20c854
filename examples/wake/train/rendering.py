"""From clean speech to training data: rooms, microphones, noise, and what is said before and after."""

import numpy as np
from scipy.signal import fftconvolve, lfilter

from features import HOP, RATE, WINDOW, log_mel
from voices import SEED, SPLITS

SEGMENT = 97
SEGMENT_SAMPLES = WINDOW + (SEGMENT - 1) * HOP


def reverberate(rng, samples):
    length = int(rng.uniform(0.1, 0.6) * RATE)
    decay = np.exp(-np.arange(length) * rng.uniform(6, 10) / length)
    response = (rng.standard_normal(length) * decay).astype(np.float32)
    response[:int(rng.uniform(0.001, 0.01) * RATE)] = 0
    response *= rng.uniform(0.1, 0.9) / np.sqrt((response ** 2).sum() + 1e-9)
    response[0] = 1
    return fftconvolve(samples, response)[:len(samples)].astype(np.float32)


def limit_band(rng, samples):
    """A band-pass with random soft edges, as of telephones and small microphones."""
    frequency = np.fft.rfftfreq(len(samples), 1 / RATE)
    gain = np.ones(len(frequency))
    if rng.random() < 0.6:
        gain /= 1 + (frequency / rng.uniform(3000, 7500)) ** rng.integers(6, 20)
    if rng.random() < 0.6:
        gain *= 1 - 1 / (1 + (frequency / rng.uniform(50, 350)) ** rng.integers(2, 8))
    return np.fft.irfft(np.fft.rfft(samples) * gain, len(samples)).astype(np.float32)


def noise(rng, length):
    """White to brown noise, sometimes with a hum or clicks."""
    spectrum = np.fft.rfft(rng.standard_normal(length))
    spectrum /= np.maximum(1, np.arange(len(spectrum))) ** rng.uniform(0, 1)
    out = np.fft.irfft(spectrum, length)
    out /= out.std() + 1e-9
    if rng.random() < 0.2:
        time = np.arange(length) / RATE
        out += sum(rng.uniform(0, 1) * np.sin(2 * np.pi * rng.choice([50, 60]) * k * time) for k in range(1, 6))
    if rng.random() < 0.2:
        clicks = (rng.random(length) < 3 / RATE) * rng.standard_normal(length) * 30
        out += lfilter([1], [1, -rng.uniform(0.5, 0.98)], clicks)
    return (out / out.std()).astype(np.float32)


def another_speaker(rng, samples, low=0.82, high=1.22):
    """Plays faster or slower: moves pitch and formants as another throat would."""
    factor = rng.uniform(low, high)
    return np.interp(np.arange(0, len(samples) - 1, factor), np.arange(len(samples)), samples).astype(np.float32)


def loudness(samples):
    return np.sqrt((samples ** 2).mean() + 1e-12)


def record(rng, samples):
    """The room, the microphone and the noise around it."""
    if rng.random() < 0.5:
        samples = reverberate(rng, samples)
    samples = samples * 10 ** rng.uniform(-2.0, -0.4) / (np.abs(samples).max() + 1e-6)
    if rng.random() < 0.8:
        samples = samples + noise(rng, len(samples)) * loudness(samples) * np.float32(10 ** (-rng.uniform(0.2, 2.2)))
    if rng.random() < 0.5:
        samples = limit_band(rng, samples)
    if rng.random() < 0.05:
        samples = samples * rng.uniform(2, 8)
    return np.round(samples.clip(-1, 1) * 32767) / np.float32(32768)


def some_speech(rng, clips, length):
    """A piece of `length` samples of other words."""
    out = np.zeros(0, np.float32)
    while len(out) < length:
        clip = clips[rng.integers(len(clips))]
        start = rng.integers(max(1, len(clip) - length))
        out = np.concatenate([out, clip[start:], np.zeros(int(rng.uniform(0, 0.3) * RATE), np.float32)])
    return out[:length]


def positive_segment(rng, clip, others, alter):
    """(features, sample at which the word ends) with the word inside."""
    clip = clip / (np.abs(clip).max() + 1e-6)
    others = [others[i] for i in rng.integers(len(others), size=8)]
    if alter and rng.random() < 0.75:
        clip = another_speaker(rng, clip)
        others = [another_speaker(rng, other) for other in others]
    others = [other / (np.abs(other).max() + 1e-6) for other in others]
    clip = clip[-int(1.2 * RATE):]
    end = int(rng.uniform(0.95, 1.62) * RATE)
    samples = np.zeros(SEGMENT_SAMPLES, np.float32)
    start = max(0, end - len(clip))
    samples[start:end] = clip[-(end - start):]
    if rng.random() < 0.5:
        before = start - int(rng.uniform(0.02, 0.3) * RATE)
        if before > 0.1 * RATE:
            samples[:before] = some_speech(rng, others, before)[-before:] * rng.uniform(0.5, 1.2)
    if rng.random() < 0.5:
        after = end + int(rng.uniform(0.02, 0.3) * RATE)
        samples[after:] = some_speech(rng, others, SEGMENT_SAMPLES - after) * rng.uniform(0.5, 1.2)
    return log_mel(record(rng, samples)), end


def cut_word(rng, clip):
    """A part of the word only, which must not be taken for it."""
    if rng.random() < 0.6:
        return clip[:int(len(clip) * rng.uniform(0.3, 0.52))]
    return clip[int(len(clip) * rng.uniform(0.48, 0.65)):]


def negative_stream(rng, clips, alter):
    """Features of some utterances one after another, recorded in one room."""
    parts = []
    for clip in clips:
        if alter and rng.random() < 0.5:
            clip = another_speaker(rng, clip)
        parts.append(clip / (np.abs(clip).max() + 1e-6) * rng.uniform(0.4, 1))
        parts.append(np.zeros(int(rng.uniform(0.02, 0.5) * RATE), np.float32))
    return log_mel(record(rng, np.concatenate(parts)))


def render_one(job):
    kind, seed, clip, others, alter = job
    rng = np.random.default_rng(seed)
    if kind == "positive":
        features, end = positive_segment(rng, clip, others, alter)
        return features.astype(np.float16), end
    if kind == "noise":
        return log_mel(record(rng, noise(rng, 10 * RATE))).astype(np.float16)
    return negative_stream(rng, others, alter).astype(np.float16)


# How many renderings each positive gets; the more human a family sounds, the more.
RENDERINGS = {"espeak": 3, "pico": 10, "hibari": 10, "piper": 8, "festival": 10, "flite": 1}


def groups(rng, clips, size):
    order = rng.permutation(len(clips))
    return [[clips[i] for i in order[k:k + size]] for k in range(0, len(order), size)]


def render_jobs(split, speech, recorded, renderings=RENDERINGS, alter=True):
    split_number = SPLITS.index(split)
    rng = np.random.default_rng([SEED, 40, split_number])
    out = []
    for family, clips in speech["positive"].items():
        others = speech["near"][family] + speech["sentence"][family] * 2
        for clip in clips * renderings[family]:
            out.append(("positive", clip, [others[i] for i in rng.integers(len(others), size=12)]))
        cuts = [cut_word(rng, clip) for clip in clips]
        for size, part, times in ((12, speech["near"][family], 2), (12, cuts, 2), (3, speech["sentence"][family], 2)):
            for _ in range(times):
                out += [("negative", None, group) for group in groups(rng, part, size)]
    for samples in recorded.values():
        pieces = [piece / np.float32(32768) for piece in np.array_split(samples, max(1, len(samples) // (10 * RATE)))]
        for _ in range(2):
            out += [("negative", None, [piece]) for piece in pieces]
    out += [("noise", None, None)] * 60
    return [(kind, [SEED, 41, split_number, i], clip, others, alter) for i, (kind, clip, others) in enumerate(out)]


def render(split, speech, recorded, pool, **how):
    """(positive segments, word ends, negative streams one after another)"""
    todo = render_jobs(split, speech, recorded, **how)
    positives, ends, negatives = [], [], []
    for job, result in zip(todo, pool.map(render_one, todo, chunksize=32)):
        if job[0] == "positive":
            positives.append(result[0])
            ends.append(result[1])
        else:
            negatives.append(result)
    negatives = np.concatenate(negatives)
    print(f"{split}: {len(positives)} positive segments, {len(negatives) * HOP / RATE / 3600:.2f} h of negatives", flush=True)
    return np.stack(positives), np.array(ends), negatives
