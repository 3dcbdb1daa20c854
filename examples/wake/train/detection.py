"""From features to scores and detections, as the firmware makes them."""

import jax
import numpy as np

from features import BANDS, FRAMES, HOP, RATE
from network import STRIDE, logits


@jax.jit
def score(model, x):
    return jax.nn.sigmoid(logits(model[0], x, model[1])[0])


def score_stream(model, stream):
    """The score of each window of a long stream of frames, one every STRIDE frames."""
    count = (len(stream) - FRAMES) // STRIDE + 1
    piece = 2048
    out = []
    for start in range(0, count, piece):
        part = stream[start * STRIDE:start * STRIDE + (piece - 1) * STRIDE + FRAMES].astype(np.float32)
        padded = np.zeros(((piece - 1) * STRIDE + FRAMES, BANDS), np.float32)
        padded[:len(part)] = part
        out.append(np.asarray(score(model, padded[None]))[0, :count - start])
    return np.concatenate(out)


def interleave(even, odd):
    out = np.zeros(len(even) + len(odd), np.float32)
    out[0::2], out[1::2] = even, odd
    return out


def score_frames(model, stream):
    """The score after each frame; the network's own stride gives those after every second one."""
    return interleave(score_stream(model, stream), score_stream(model, stream[1:]))


# The firmware scores each third frame. An odd number: the network's own stride makes neighbouring frames' scores differ, and means of
# both kinds are steadier.
EVERY = 3
SMOOTH = 2
REFRACTORY = 17


def phases(scores):
    """The scores that are computed of a stream's, for each frame at which the firmware may begin."""
    return [scores[phase::EVERY] for phase in range(EVERY)]


def smooth(scores):
    """The mean of the last SMOOTH scores, as the firmware computes it."""
    padded = np.concatenate([np.zeros(SMOOTH - 1), scores])
    return np.convolve(padded, np.ones(SMOOTH) / SMOOTH, "valid")


def events(scores, threshold):
    out, wait = [], 0
    for index, value in enumerate(smooth(scores)):
        if value >= threshold and index >= wait:
            out.append(index)
            wait = index + REFRACTORY
    return out


def count(scores, threshold):
    """How many events a stream's scores are, in the mean of all phases."""
    return np.mean([len(events(part, threshold)) for part in phases(scores)])


def highest(segments):
    """The highest smoothed score of each segment's scores, in each phase."""
    return np.array([[smooth(part).max() for part in phases(scores)] for scores in segments])


def score_segments(model, segments):
    """The scores of segments of one length."""
    for start in range(0, len(segments), 256):
        part = segments[start:start + 256].astype(np.float32)
        even, odd = np.asarray(score(model, part)), np.asarray(score(model, part[:, 1:]))
        yield from map(interleave, even, odd)


def report_validation(model, validation):
    positives, _, negatives = validation
    best = highest(score_segments(model, positives))
    scores = score_frames(model, negatives)
    hours = len(negatives) * HOP / RATE / 3600
    line = [f"{t}: {(best >= t).mean():.3f} at {count(scores, t) / hours:.1f}/h" for t in (0.5, 0.7, 0.8, 0.9, 0.95)]
    print("  validation " + ", ".join(line), flush=True)
