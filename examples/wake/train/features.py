"""The front end: log-mel features, as `src/front_end.rs` computes them."""

import numpy as np

RATE = 16000
WINDOW = 512
HOP = 320
FRAMES = 49
BANDS = 32
FLOOR = 1e-4
# Triangle b rises from bin EDGES[b] to EDGES[b + 1] and falls to EDGES[b + 2]: mel-spaced from 60 Hz to 7.6 kHz, in whole bins
# of 31.25 Hz, so that the firmware's table is exact.
EDGES = [2, 4, 6, 8, 10, 13, 15, 18, 21, 24, 28, 32, 36, 40, 45, 50, 55, 61, 67, 74, 81, 89, 97, 106, 116, 126, 138, 150, 162,
         176, 191, 207, 225, 243]


def triangles():
    bins = np.arange(WINDOW // 2 + 1)[:, None]
    low, mid, high = (np.array(EDGES[i:i + BANDS]) for i in range(3))
    return np.maximum(0, np.minimum((bins - low) / (mid - low), (high - bins) / (high - mid))).astype(np.float32)


HANN = (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(WINDOW) / WINDOW)).astype(np.float32)
TRIANGLES = triangles()


def log_mel(samples):
    """f32[frames, BANDS]: 1/4 ln(mel energy + FLOOR) + 1/4, with samples in -1..1."""
    frames = np.lib.stride_tricks.sliding_window_view(samples.astype(np.float32), WINDOW)[::HOP]
    out = []
    for part in range(0, len(frames), 4096):
        power = np.abs(np.fft.rfft(frames[part:part + 4096] * HANN)) ** 2
        out.append((0.25 * np.log(power @ TRIANGLES + FLOOR) + 0.25).astype(np.float32))
    return np.concatenate(out)
