"""Augmentation on the features, anew in each step."""

import jax
import jax.numpy as jnp
import numpy as np

from features import BANDS, FLOOR
from rendering import SEGMENT


def warps():
    """Matrices that move band b to b · factor + offset."""
    band = np.arange(BANDS)
    moves = [(1, 0), (0.92, 0), (0.96, 0), (1.04, -0.5), (1.08, -1), (1, 0.7), (1, -0.7), (0.94, 1.2)]
    return np.stack([np.maximum(0, 1 - np.abs(band[:, None] - (band * factor + offset))) for factor, offset in moves])


WARPS = warps().astype(np.float32)


def augment(key, x, other, strength):
    """Gain, tilt, warped bands, another sound mixed in, and masked bands and times, on log-mel features."""
    keys = jax.random.split(key, 16)
    n = len(x)
    at = lambda k, low, high: jax.random.uniform(keys[k], (n, 1, 1), minval=low, maxval=high)
    warp = jnp.asarray(WARPS)[jax.random.randint(keys[0], (n,), 0, len(WARPS))]
    log = (jnp.einsum("ntb,nbc->ntc", x, warp) - 0.25) * 4
    band = jnp.arange(BANDS)[None, None] / BANDS - 0.5
    curve = jnp.cos(2 * jnp.pi * (band * at(4, 0.5, 2) + at(5, 0, 1)))
    log += at(1, -2, 2) + strength * (band * at(2, -2.5, 2.5) + at(3, 0, 0.6) * curve)
    other = (other - 0.25) * 4
    loud = lambda y: jnp.log(jnp.exp(y).mean((1, 2), keepdims=True))
    mixed = jnp.logaddexp(log, other - loud(other) + loud(log) - at(6, 1.8, 6))
    log = jnp.where(at(7, 0, 1) < 0.3 * strength, mixed, log)
    number = jnp.arange(BANDS)[None, None]
    for k in (8, 10):
        start = jnp.floor(at(k, 0, BANDS))
        hidden = (number >= start) & (number < start + jnp.floor(at(k + 1, 0, 6 * strength)))
        log = jnp.where(hidden, log.mean((1, 2), keepdims=True), log)
    log = jnp.where(number >= at(12, 20, 20 + 50 / strength), np.log(FLOOR), log)
    time = jnp.arange(x.shape[1])[None, :, None]
    start = jnp.floor(at(13, 0, SEGMENT))
    hidden = (time >= start) & (time < start + jnp.floor(at(14, 0, 6 * strength)))
    log = jnp.where(hidden, log.mean((1, 2), keepdims=True), log)
    return 0.25 * jnp.logaddexp(log, np.log(FLOOR)) + 0.25
