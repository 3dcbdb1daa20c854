"""The network, written out in slices, and its state."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from voices import SEED

# Data is [batch, time, band, channel]. Nothing is padded along time, so that a frame's part of the work never changes.
STRIDE = 2
FIRST = 16
BLOCKS = [  # depthwise kernel (time, band), stride and padding along the bands, channels after the pointwise convolution
    ((3, 3), 2, 1, 32),
    ((3, 3), 2, 1, 40),
    ((3, 4), 1, 0, 56),
    ((5, 1), 1, 0, 56),
]
LAST = 13  # depthwise along what is left of the time


def initial_parameters():
    rng = np.random.default_rng([SEED, 50])

    def layer(shape, fan, channels):
        weight = rng.standard_normal(shape) * np.sqrt(2 / fan)
        gain, bias = np.ones(channels, np.float32), np.zeros(channels, np.float32)
        return {"weight": weight.astype(np.float32), "gain": gain, "bias": bias}

    layers = [layer((25, FIRST), 25, FIRST)]
    channels = FIRST
    for (time, band), _, _, after in BLOCKS:
        layers.append(layer((time, band, channels), time * band, channels))
        layers.append(layer((channels, after), channels, after))
        channels = after
    layers.append(layer((LAST, 1, channels), LAST, channels))
    head = {"weight": (rng.standard_normal((channels, 1)) * 0.1).astype(np.float32), "bias": np.zeros(1, np.float32)}
    return layers, head


def slices(x, time, band, time_stride, band_stride, padding):
    """The kernel's views of `x`, by time and band."""
    x = jnp.pad(x, ((0, 0), (0, 0), (padding, padding), (0, 0)))
    times = (x.shape[1] - time) // time_stride + 1
    bands = (x.shape[2] - band) // band_stride + 1
    for i in range(time):
        for j in range(band):
            yield i, j, x[:, i:i + (times - 1) * time_stride + 1:time_stride, j:j + (bands - 1) * band_stride + 1:band_stride]


@partial(jax.custom_vjp, nondiff_argnums=(2, 3))
def depthwise(x, weight, stride, padding):
    return sum(part * weight[i, j] for i, j, part in slices(x, *weight.shape[:2], 1, stride, padding))


def depthwise_forward(x, weight, stride, padding):
    return depthwise(x, weight, stride, padding), (x, weight)


def depthwise_backward(stride, padding, kept, gradient):
    """Written out, as this and `normalize_backward` take half of the time that JAX's own derivatives do."""
    x, weight = kept
    time, band, _ = weight.shape
    parts = [(part * gradient).sum((0, 1, 2)) for _, _, part in slices(x, time, band, 1, stride, padding)]
    # The gradient of x is a correlation of the spread gradient with the turned kernel.
    after = x.shape[2] + padding - ((gradient.shape[2] - 1) * stride + 1)
    padded = (0, 0, 0), (time - 1, time - 1, 0), (band - 1 - padding, after, stride - 1), (0, 0, 0)
    spread = jax.lax.pad(gradient, np.float32(0), padded)
    return depthwise(spread, weight[::-1, ::-1], 1, 0), jnp.stack(parts).reshape(weight.shape)


depthwise.defvjp(depthwise_forward, depthwise_backward)


@jax.custom_vjp
def normalize(x, gain, bias):
    """(rectified batch normalization, mean, variance), the last two without a gradient."""
    mean, variance = x.mean((0, 1, 2)), x.var((0, 1, 2))
    return rectify(x, gain, bias, mean, variance), mean, variance


def normalize_forward(x, gain, bias):
    out = normalize(x, gain, bias)
    return out, (x, gain, bias, *out[1:])


def normalize_backward(kept, gradients):
    x, gain, bias, mean, variance = kept
    scale = jax.lax.rsqrt(variance + 1e-3)
    unit = (x - mean) * scale
    gradient = jnp.where(unit * gain + bias > 0, gradients[0], 0)
    by_bias, by_gain = gradient.sum((0, 1, 2)), (gradient * unit).sum((0, 1, 2))
    count = x.size // x.shape[3]
    return gain * scale * (gradient - by_bias / count - unit * (by_gain / count)), by_gain, by_bias


normalize.defvjp(normalize_forward, normalize_backward)


def rectify(x, gain, bias, mean, variance):
    return jax.nn.relu((x - mean) * jax.lax.rsqrt(variance + 1e-3) * gain + bias)


def linear_parts(layers):
    """(layer, its linear function) in order."""
    yield layers[0], lambda x, w: jnp.concatenate([part for _, _, part in slices(x, 5, 5, STRIDE, 2, 2)], 3) @ w
    for index, (_, stride, padding, _) in enumerate(BLOCKS):
        yield layers[1 + 2 * index], lambda x, w, stride=stride, padding=padding: depthwise(x, w, stride, padding)
        yield layers[2 + 2 * index], lambda x, w: x @ w
    yield layers[-1], lambda x, w: depthwise(x, w, 1, 0)


def logits(parameters, x, statistics=None):
    """[batch, windows] and the means and variances used: the batch's own, or those of `statistics`."""
    layers, head = parameters
    x = x[..., None]
    seen = []
    for index, (layer, linear) in enumerate(linear_parts(layers)):
        x = linear(x, layer["weight"])
        if statistics is None:
            x, mean, variance = normalize(x, layer["gain"], layer["bias"])
        else:
            mean, variance = statistics[index]
            x = rectify(x, layer["gain"], layer["bias"], mean, variance)
        seen.append((mean, variance))
    return (x @ head["weight"] + head["bias"])[:, :, 0, 0], seen
