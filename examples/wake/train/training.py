"""Training with mining of hard negatives."""

import time
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from augmentation import augment
from detection import report_validation, score_stream
from features import FRAMES, HOP, RATE, WINDOW
from network import STRIDE, initial_parameters, logits
from rendering import SEGMENT
from voices import SEED

WINDOWS = (SEGMENT - FRAMES) // STRIDE + 1
BATCH = 96
# (steps, highest learning rate, strength of the augmentation): the last steps see what the microphone will.
PHASES = ((5000, 4e-3, 1.0), (1200, 2e-3, 0.4))
NEGATIVE_WEIGHT = 6.0


def labels(ends):
    """(1 where a window ends shortly after the word, weight 0 where it may go either way)"""
    window_ends = (np.arange(WINDOWS) * STRIDE + FRAMES - 1) * HOP + WINDOW
    late = (window_ends[None] - ends[:, None]) / RATE
    positive = (late >= 0.04) & (late <= 0.30)
    either = (late > -0.10) & (late < 0.60) & ~positive
    return positive.astype(np.float32), (~either).astype(np.float32)


def loss(parameters, x, target, weight):
    out, statistics = logits(parameters, x)
    error = jnp.logaddexp(0, out) - target * out
    # Of the windows that may report the word, those that do so best count most: no one knows where the word really ends.
    best = jax.nn.softmax(jnp.where(target > 0, jax.lax.stop_gradient(out), -1e9), axis=1)
    count = target.sum(1, keepdims=True)
    positives, negatives = target * (0.3 + 0.7 * best * count), weight * (1 - target)
    mean = lambda weights: (error * weights).sum() / (weights.sum() + 1)
    return mean(positives) + NEGATIVE_WEIGHT * mean(negatives), statistics


def train_step(phase, state, step, key, x, other, target, weight):
    steps, highest, strength = phase
    parameters, moment, square, average, statistics = state
    x = augment(key, x.astype(jnp.float32), other.astype(jnp.float32), strength)
    (value, seen), gradient = jax.value_and_grad(loss, has_aux=True)(parameters, x, target, weight)
    rate = highest * jnp.minimum(1, step / 100) * (0.5 + 0.5 * jnp.cos(jnp.pi * step / steps)) + 1e-5
    tree = jax.tree_util.tree_map
    moment = tree(lambda m, g: 0.9 * m + 0.1 * g, moment, gradient)
    square = tree(lambda s, g: 0.999 * s + 0.001 * g * g, square, gradient)
    unbias = jnp.sqrt(1 - 0.999 ** (step + 1)) / (1 - 0.9 ** (step + 1))
    parameters = tree(lambda p, m, s: p - rate * (unbias * m / (jnp.sqrt(s) + 1e-7) + 1e-4 * p), parameters, moment, square)
    keep = jnp.where(step < 20, 0.5, 0.995)
    average = tree(lambda a, p: keep * a + (1 - keep) * p, average, parameters)
    statistics = tree(lambda a, b: keep * a + (1 - keep) * b, statistics, seen)
    return (parameters, moment, square, average, statistics), value


def mine(rng, model, negatives):
    """Frames at which the windows begin that look most like the word."""
    scores = score_stream(model, negatives)
    threshold = max(np.partition(scores, -6000)[-6000], 0.02)
    hard = np.flatnonzero(scores >= threshold)
    print(f"  negatives over 0.5: {(scores > 0.5).mean():.6f}, mined {len(hard)} windows over {threshold:.3f}", flush=True)
    return hard * STRIDE if len(hard) else rng.integers(len(negatives) - SEGMENT, size=10)


def batch_of(rng, positives, ends, negatives, hard):
    """Half positives, a quarter hard and a quarter random negatives; `other` is what is mixed in."""
    half, quarter = BATCH // 2, BATCH // 4
    crop = lambda starts: np.stack([negatives[s:s + SEGMENT] for s in np.clip(starts, 0, len(negatives) - SEGMENT)])
    picked = rng.integers(len(positives), size=half)
    x = np.concatenate([positives[picked], crop(rng.choice(hard, quarter) - STRIDE * rng.integers(0, WINDOWS, quarter)),
                        crop(rng.integers(len(negatives) - SEGMENT, size=quarter))])
    other = crop(rng.integers(len(negatives) - SEGMENT, size=BATCH))
    positive, weight = labels(ends[picked])
    target = np.zeros((BATCH, WINDOWS), np.float32)
    target[:half] = positive
    weights = np.ones((BATCH, WINDOWS), np.float32)
    weights[:half] = weight
    return x, other, target, weights


def train(positives, ends, negatives, validation):
    parameters = initial_parameters()
    _, statistics = logits(parameters, jnp.asarray(positives[:64], jnp.float32))
    model = parameters, statistics
    for number in range(len(PHASES)):
        model = train_phase(number, model, positives, ends, negatives, validation)
    return model


def train_phase(number, model, positives, ends, negatives, validation):
    rng = np.random.default_rng([SEED, 60 + number])
    phase = PHASES[number]
    zeros = jax.tree_util.tree_map(jnp.zeros_like, model[0])
    state = (model[0], zeros, zeros, *model)
    step_function = jax.jit(partial(train_step, phase))
    hard = mine(rng, model, negatives) if number else rng.integers(len(negatives) - SEGMENT, size=1000)
    total = 0.0
    begun = time.time()
    for step in range(phase[0]):
        if step % 400 == 399:
            model = state[3], state[4]
            print(f"step {step + 1}, {time.time() - begun:.0f} s: loss {total / 400:.4f}", flush=True)
            total = 0.0
            hard = mine(rng, model, negatives)
            report_validation(model, validation)
        batch = batch_of(rng, positives, ends, negatives, hard)
        state, value = step_function(state, step, jax.random.PRNGKey(100000 * number + step), *batch)
        if step % 10 == 0:
            total += 10 * float(value)
    return state[3], state[4]
