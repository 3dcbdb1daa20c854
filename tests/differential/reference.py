"""Computes with ONNX Runtime what models yield, and how far another right computation may be off.

A line `WORD FOLDER VARIANTS` of standard input asks about FOLDER/model.onnx and FOLDER/input_K.bin; the answer is one line.

    reference   writes FOLDER/output_K.bin, low_K.bin and high_K.bin; answers `ok TYPE;TYPE;...`, or `rejected REASON`.
    values      writes each value of the graph as FOLDER/values/NAME.bin; answers `ok`.
    store       writes FOLDER/golden.npz and FOLDER/model.txt; answers `ok`.

The outputs are those of one session without optimizations. The bounds come from running the nodes one by one, VARIANTS times, while each float that a
node computes is moved by a part of it that rounding may make, and by a part of a step before it is quantized. What an exact half, two equal numbers
or a small difference of large ones makes of that is then seen at the outputs: an output of floats may be off by several times as much as it was
seen to move, and one of integers lies between the least and the largest that was seen.
"""

import os
import sys

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper, printer

NAMES = {
    TensorProto.BOOL: "bool", TensorProto.INT8: "i8", TensorProto.INT16: "i16", TensorProto.INT32: "i32", TensorProto.INT64: "i64",
    TensorProto.UINT8: "u8", TensorProto.UINT16: "u16", TensorProto.UINT32: "u32", TensorProto.UINT64: "u64",
    TensorProto.FLOAT16: "f16", TensorProto.FLOAT: "f32", TensorProto.DOUBLE: "f64",
}  # fmt: skip

# Their outputs are elements of their inputs, or exact.
EXACT = {
    "Abs", "ArgMax", "ArgMin", "Cast", "Ceil", "Clip", "Concat", "Constant", "ConstantOfShape", "DepthToSpace", "Dropout", "Expand", "Flatten", "Floor",
    "Gather", "GatherElements", "GatherND", "GlobalMaxPool", "Hardmax", "Identity", "Max", "MaxPool", "Min", "Neg", "Pad", "PRelu", "ReduceMax", "ReduceMin", "Relu", "Reshape",
    "Round", "ScatterElements", "ScatterND", "Sign", "Slice", "SpaceToDepth", "Split", "Squeeze", "Tile", "TopK", "Transpose", "Trilu", "Unsqueeze", "Where",
}  # fmt: skip

# They round a sum to an integer; another right computation may round it to the next.
ROUNDS_INSIDE = {
    "QLinearConv", "QLinearMatMul", "QLinearAdd", "QLinearMul", "QLinearLeakyRelu", "QLinearSigmoid", "QLinearAveragePool",
    "QLinearGlobalAveragePool", "QLinearConcat", "QLinearSoftmax", "QGemm", "DynamicQuantizeLinear",
}  # fmt: skip

# By what part of itself, and of the largest element beside it, a float is moved: some units in the last place of f32, as sums of a few hundred
# terms and approximations of functions make.
PART = 1e-6
PART_OF_LARGEST = 2e-7
# By what part of a step that is moved which is to be quantized: integer layers round biases and factors to fixed point.
PART_OF_STEP = 0.01
# How much further than was seen a float may be off.
FACTOR = 4.0


def session(model):
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 4
    return onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])


def dtype(value):
    return helper.tensor_dtype_to_np_dtype(value.type.tensor_type.elem_type)


def inputs_of(model, folder):
    found = {}
    for index, value in enumerate(model.graph.input):
        shape = [size.dim_value for size in value.type.tensor_type.shape.dim]
        with open(os.path.join(folder, f"input_{index}.bin"), "rb") as file:
            found[value.name] = np.frombuffer(file.read(), dtype(value)).reshape(shape)
    return found


class Nodes:
    """The nodes of a model as sessions of their own; the constants that a node reads are constants of its session."""

    def __init__(self, model):
        self.constants = {tensor.name: tensor for tensor in model.graph.initializer}
        self.steps = []
        for node in model.graph.node:
            if node.op_type == "Constant":
                self.constants[node.output[0]] = TensorProto.FromString(node.attribute[0].t.SerializeToString())
                self.constants[node.output[0]].name = node.output[0]
            else:
                self.steps.append((node, self.own_session(model, node)))

    def own_session(self, model, node):
        types = {value.name: value for value in [*model.graph.input, *model.graph.value_info, *model.graph.output]}
        read = list(dict.fromkeys(name for name in node.input if name))
        constants = [self.constants[name] for name in read if name in self.constants]
        inputs = [types[name] for name in read if name not in self.constants]
        outputs = [types[name] for name in node.output if name]
        graph = helper.make_graph([node], "node", inputs, outputs, constants)
        return session(helper.make_model(graph, opset_imports=model.opset_import, ir_version=model.ir_version))

    def run(self, inputs, variant=None):
        """All values, with what is computed moved by a variant."""
        values = dict(inputs)
        for node, own in self.steps:
            given = {value.name: values[value.name] for value in own.get_inputs()}
            if variant and node.op_type == "QuantizeLinear" and node.input[0] in given:
                given[node.input[0]] = variant.quantized(given[node.input[0]], self.constants.get(node.input[1]))
            for name, computed in zip([name for name in node.output if name], own.run(None, given)):
                values[name] = np.asarray(variant.computed(node, computed) if variant else computed)
        for name, tensor in self.constants.items():
            values[name] = numpy_helper.to_array(tensor)
        return values


class Variant:
    """The first two move all floats up and down, the others each at random."""

    def __init__(self, number, random):
        self.number, self.random = number, random

    def direction(self, shape):
        return self.random.uniform(-1.0, 1.0, shape) if self.number > 1 else 1.0 - 2.0 * self.number

    def quantized(self, x, scale):
        """What is about to be quantized."""
        if scale is None or x.dtype.kind != "f":
            return x
        by = self.direction(x.shape) * PART_OF_STEP * numpy_helper.to_array(scale).min()
        return np.asarray(x + by).astype(x.dtype)

    def computed(self, node, computed):
        """The output of a node."""
        if node.op_type in ROUNDS_INSIDE and computed.dtype in (np.int8, np.uint8):
            limits = np.iinfo(computed.dtype)
            step = self.random.choice([-1, 0, 0, 0, 1], computed.shape) if self.number > 1 else 1 - 2 * self.number
            return np.clip(computed.astype(np.int32) + step, limits.min, limits.max).astype(computed.dtype)
        if computed.dtype.kind != "f" or node.op_type in EXACT or computed.size == 0:
            return computed
        finite = np.abs(computed[np.isfinite(computed)])
        largest = finite.max() if finite.size else 0.0
        with np.errstate(all="ignore"):
            part = np.abs(computed) * PART + (largest * PART_OF_LARGEST if self.number > 1 else 0.0)
            return np.where(np.isfinite(computed), computed + self.direction(computed.shape) * part, computed).astype(computed.dtype)


def bounds(outputs):
    """The least and the largest that an output may be, of what it was seen to be; NaN where it must be that."""
    seen = np.stack([output.astype(np.float64) for output in outputs])
    with np.errstate(all="ignore"):
        low, high = seen.min(axis=0), seen.max(axis=0)
        if outputs[0].dtype.kind == "f":
            slack = FACTOR * (high - low) + PART * np.maximum(np.abs(low), np.abs(high)) + 1e-30
            low, high = np.where(np.isfinite(slack), low - slack, low), np.where(np.isfinite(slack), high + slack, high)
        # Whoever may be infinite or no number, and may be one, may be anything.
        finite = np.isfinite(seen)
        mixed = finite.any(axis=0) & ~finite.all(axis=0)
        mixed |= ~finite.any(axis=0) & ~((seen == seen[0]) | (np.isnan(seen) & np.isnan(seen[0]))).all(axis=0)
    return np.where(mixed, -np.inf, low), np.where(mixed, np.inf, high)


def type_text(array):
    return f"{NAMES[helper.np_dtype_to_tensor_dtype(array.dtype)]}[{', '.join(map(str, array.shape))}]"


def reference(folder, variants):
    model = onnx.load(os.path.join(folder, "model.onnx"))
    inputs = inputs_of(model, folder)
    names = [value.name for value in model.graph.output]
    expected = session(model).run(None, inputs)
    nodes = Nodes(model)
    random = np.random.default_rng(1)
    runs = [nodes.run(inputs), *(nodes.run(inputs, Variant(number, random)) for number in range(variants))]
    for index, (name, output) in enumerate(zip(names, expected)):
        low, high = bounds([output, *(run[name] for run in runs)])
        for side, array in [("output", output), ("low", low), ("high", high)]:
            with open(os.path.join(folder, f"{side}_{index}.bin"), "wb") as file:
                file.write(np.ascontiguousarray(array).tobytes())
    return ";".join(map(type_text, expected))


def values(folder, _):
    model = onnx.load(os.path.join(folder, "model.onnx"))
    os.makedirs(os.path.join(folder, "values"), exist_ok=True)
    for name, value in Nodes(model).run(inputs_of(model, folder)).items():
        with open(os.path.join(folder, "values", f"{name}.bin"), "wb") as file:
            file.write(np.ascontiguousarray(value).tobytes())
    return ""


def store(folder, _):
    model = onnx.load(os.path.join(folder, "model.onnx"))
    inputs = inputs_of(model, folder)
    arrays = inputs | dict(zip([value.name for value in model.graph.output], session(model).run(None, inputs)))
    np.savez(os.path.join(folder, "golden.npz"), **{name: array[np.newaxis] for name, array in arrays.items()})
    with open(os.path.join(folder, "model.txt"), "w", encoding="utf-8") as file:
        file.write(printer.to_text(model) + "\n")
    return ""


def main():
    for line in sys.stdin:
        word, folder, variants = line.rstrip("\n").split("\t")
        try:
            answer = {"reference": reference, "values": values, "store": store}[word](folder, int(variants))
            print("ok", answer, flush=True)
        except Exception as error:  # pylint: disable=broad-except; ONNX Runtime's errors have no common class of their own.
            print("rejected", " ".join(str(error).split()), flush=True)


if __name__ == "__main__":
    main()
