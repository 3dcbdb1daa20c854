"""Times models with ONNX Runtime on one thread, speaking as `src/main.rs` does. The arguments are names and paths in turn."""

import statistics
import sys
import time

import numpy
import onnxruntime

SHORTEST = 20_000  # nanoseconds; a shorter time is lost in that of reading the clock
TYPES = {"tensor(float)": numpy.float32, "tensor(int8)": numpy.int8, "tensor(uint8)": numpy.uint8}


def load(path):
    """The session, bound to its inputs and outputs, so that a run does nothing but run."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    binding = session.io_binding()
    for tensor in session.get_inputs():
        shape = [size if isinstance(size, int) else 1 for size in tensor.shape]
        binding.bind_cpu_input(tensor.name, pattern(shape, TYPES[tensor.type]))
    for tensor in session.get_outputs():
        binding.bind_output(tensor.name)
    return session, binding


def pattern(shape, dtype):
    """Element i is 37 i + 11, wrapped to -128..128; floats are that divided by 128."""
    values = ((numpy.arange(numpy.prod(shape)) * 37 + 11 + 128) % 256 - 128).reshape(shape)
    return (values / 128).astype(dtype) if dtype is numpy.float32 else values.astype(numpy.int8).astype(dtype)


def sample(session, binding, turns):
    start = time.perf_counter_ns()
    for _ in range(turns):
        session.run_with_iobinding(binding)
    return time.perf_counter_ns() - start


def times(session, binding, milliseconds):
    turns = 1
    while sample(session, binding, turns) < SHORTEST:
        turns *= 2
    end = time.perf_counter_ns() + milliseconds * 1_000_000
    samples = [sample(session, binding, turns) / turns]
    while time.perf_counter_ns() < end:
        samples.append(sample(session, binding, turns) / turns)
    return statistics.median(samples), min(samples)


def main():
    words = sys.argv[1:]
    models = {name: load(path) for name, path in zip(words[::2], words[1::2])}
    for line in sys.stdin:
        name, milliseconds = line.split()
        median, least = times(*models[name], int(milliseconds))
        print(median, least, flush=True)


main()
