"""Writes the cases of the ONNX backend suite that the installed `onnx` package holds, as a compiler for static shapes takes them.

    python cases.py FOLDER

Of each case: FOLDER/NAME/model.onnx, in which the inputs that a static compiler must know are initializers and the others have the
sizes of the recorded ones; constant.onnx, in which all of them are initializers; input_K.bin and output_K.bin, the recorded tensors as row-major
little-endian bytes. FOLDER/cases.tsv has a line for each: name, class, relative and absolute tolerance, types of the inputs, types of the
outputs (types are parted by `;`; what is no tensor of a type that the compiler has is `-`).
"""

import json
import os
import shutil
import sys
import warnings

import numpy as np
import onnx
from onnx import TensorProto, numpy_helper
from onnx.backend.test.case.model import collect_testcases
from onnx.backend.test.loader import DATA_DIR, load_node_model_tests

# The inputs of operators that decide a shape, or the structure of the computation: these must be known while compiling.
DECISIVE_INPUTS = {
    "AffineGrid": [1],
    "BlackmanWindow": [0],
    "CenterCropPad": [1],
    "Col2Im": [1, 2],
    "ConstantOfShape": [0],
    "CumProd": [1],
    "CumSum": [1],
    "DFT": [1, 2],
    "Dropout": [1, 2],
    "Expand": [1],
    "HammingWindow": [0],
    "HannWindow": [0],
    "If": [0],
    "Loop": [0, 1],
    "MaxUnpool": [2],
    "MelWeightMatrix": [0, 1, 2, 3, 4],
    "NonMaxSuppression": [2],
    "OneHot": [1],
    "Pad": [1, 3],
    "Range": [0, 1, 2],
    "Reshape": [1],
    "Resize": [1, 2, 3],
    "STFT": [1, 3],
    "SequenceAt": [1],
    "SequenceErase": [1],
    "SequenceInsert": [2],
    "Slice": [1, 2, 3, 4],
    "Split": [1],
    "SplitToSequence": [1],
    "Squeeze": [1],
    "Tile": [1],
    "TopK": [1],
    "Trilu": [1],
    "Unsqueeze": [1],
    "Upsample": [1],
}

# Operators whose output's sizes depend on the elements of their inputs.
DATA_DEPENDENT = {"Compress", "ImageDecoder", "NonMaxSuppression", "NonZero", "StringSplit", "Unique"}
RANDOM = {"Bernoulli", "Multinomial", "RandomNormal", "RandomNormalLike", "RandomUniform", "RandomUniformLike"}
# Their sums cancel, so that errors are parts of what is summed, not of the sum.
FOURIER = {"DFT", "STFT"}
# Operators that look at the sizes of their input only, which are known.
SIZES_ONLY = {"Shape", "Size"}

NAMES = {
    TensorProto.BOOL: "bool", TensorProto.INT8: "i8", TensorProto.INT16: "i16", TensorProto.INT32: "i32", TensorProto.INT64: "i64",
    TensorProto.UINT8: "u8", TensorProto.UINT16: "u16", TensorProto.UINT32: "u32", TensorProto.UINT64: "u64",
    TensorProto.FLOAT16: "f16", TensorProto.BFLOAT16: "bf16", TensorProto.FLOAT: "f32", TensorProto.DOUBLE: "f64",
}  # fmt: skip


def decisive_values(graph, wanted):
    """Adds to `wanted` the names of the values that `graph` must know while compiling, from its last node to its first."""
    for node in reversed(graph.node):
        subgraphs = [attribute.g for attribute in node.attribute if attribute.HasField("g")]
        for body in subgraphs:
            decisive_in_body(node, body, wanted)
        slots = DECISIVE_INPUTS.get(node.op_type, [])
        if node.op_type.startswith("Reduce"):
            slots = [1]
        wanted.update(node.input[slot] for slot in slots if slot < len(node.input))
        if node.op_type not in SIZES_ONLY and not subgraphs and wanted.intersection(node.output):
            wanted.update(node.input)
    wanted.discard("")


def decisive_in_body(node, body, wanted):
    """The same of a subgraph; what it wants of its own inputs is wanted of those of the node."""
    inner = set(output.name for name, output in zip(node.output, body.output) if name in wanted) if node.op_type == "If" else set()
    decisive_values(body, inner)
    first = {"Loop": 0, "Scan": 0}.get(node.op_type)
    for index, value in enumerate(body.input):
        if value.name in inner and first is not None and index < len(node.input):
            wanted.add(node.input[index])
    own = {value.name for value in body.input} | {name for inside in body.node for name in inside.output}
    wanted.update(inner - own)


def type_protos(graph):
    """The types of inputs and outputs."""
    return [value.type for value in [*graph.input, *graph.output]]


def class_of(model, name):
    """What a case asks of a compiler beside its operator; the first that holds."""
    nodes = list(all_nodes(model))
    types = type_protos(model.graph)
    elements = {ty.tensor_type.elem_type for ty in types if ty.HasField("tensor_type")}
    elements |= {stored.data_type for stored in model.graph.initializer}
    operators = {node.op_type for node in nodes}
    if any(node.domain in ("ai.onnx.ml", "ai.onnx.preview.training") for node in nodes) or name.startswith("test_training_"):
        return "string" if "StringNormalizer" in operators else "ml, training"
    if TensorProto.STRING in elements:
        return "string"
    if not all(ty.HasField("tensor_type") for ty in types) or any("Sequence" in operator for operator in operators - {"ReverseSequence"}):
        return "sequence, optional, map"
    if elements - set(NAMES):
        return "f8, f4, int4, int2"
    if elements & {TensorProto.FLOAT16, TensorProto.BFLOAT16}:
        return "f16, bf16"
    if TensorProto.DOUBLE in elements:
        return "f64"
    if operators & DATA_DEPENDENT:
        return "data-dependent shape"
    return "random" if operators & RANDOM else "core"


def all_nodes(model):
    def of(nodes):
        for node in nodes:
            yield node
            for attribute in node.attribute:
                yield from of(attribute.g.node)

    yield from of(model.graph.node)
    for function in model.functions:
        yield from of(function.node)


def as_proto(recorded, name):
    """A recorded tensor, which the package holds as an array or as a message; `None` where it is no tensor."""
    if isinstance(recorded, TensorProto):
        return recorded
    if isinstance(recorded, (list, tuple, dict)) or recorded is None:
        return None
    return numpy_helper.from_array(np.asarray(recorded), name)


def generated_cases():
    for case in load_node_model_tests() + collect_testcases():
        if case.kind != "real":
            yield case.name, case.model, case.rtol, case.atol, case.data_sets


def stored_cases():
    """Cases that the package holds as files."""
    for kind in ["pytorch-converted", "pytorch-operator", "simple"]:
        for name in sorted(os.listdir(os.path.join(DATA_DIR, kind))):
            folder = os.path.join(DATA_DIR, kind, name)
            model = onnx.load(os.path.join(folder, "model.onnx"))
            tolerance = {"rtol": 1e-3, "atol": 1e-7}
            if os.path.exists(os.path.join(folder, "data.json")):
                with open(os.path.join(folder, "data.json"), encoding="utf-8") as file:
                    tolerance.update(json.load(file))
            sets = sorted(entry for entry in os.listdir(folder) if entry.startswith("test_data_set_"))
            data = [(stored(folder, one, "input", model.graph.input), stored(folder, one, "output", model.graph.output)) for one in sets]
            yield name, model, tolerance["rtol"], tolerance["atol"], data


def stored(folder, data_set, side, values):
    found = []
    for index, value in enumerate(values):
        path = os.path.join(folder, data_set, f"{side}_{index}.pb")
        if not os.path.exists(path):
            break
        tensor = TensorProto()
        if value.type.HasField("tensor_type"):
            with open(path, "rb") as file:
                tensor.ParseFromString(file.read())
        found.append(tensor if value.type.HasField("tensor_type") else None)
    return found


def type_text(proto):
    if proto is None or proto.data_type not in NAMES:
        return "-"
    return f"{NAMES[proto.data_type]}[{', '.join(map(str, proto.dims))}]"


def write(folder, name, model, data_sets):
    """Writes one case, of which there is one data set each, and returns the types of its inputs and outputs."""
    stored_names = {tensor.name for tensor in model.graph.initializer}
    given = [value for value in model.graph.input if value.name not in stored_names]
    inputs, outputs = data_sets[0]
    inputs = [as_proto(value, info.name) for value, info in zip(inputs, given)]
    outputs = [as_proto(value, info.name) for value, info in zip(outputs, model.graph.output)]
    wanted = set()
    decisive_values(model.graph, wanted)
    known = [index for index, proto in enumerate(inputs) if proto is not None]
    frozen = [index for index in known if given[index].name in wanted]
    free = [proto for index, proto in enumerate(inputs) if index not in frozen]

    os.makedirs(os.path.join(folder, name))
    save(model, given, inputs, frozen, os.path.join(folder, name, "model.onnx"))
    save(model, given, inputs, known, os.path.join(folder, name, "constant.onnx"))
    for side, protos in [("input", free), ("output", outputs)]:
        for index, proto in enumerate(protos):
            save_tensor(proto, os.path.join(folder, name, f"{side}_{index}.bin"))
    return ";".join(map(type_text, free)), ";".join(map(type_text, outputs))


def bytes_of(proto):
    array = numpy_helper.to_array(proto)
    return array.astype(array.dtype.newbyteorder("<")).tobytes()


def save(model, given, recorded, frozen, path):
    """The model with these of its inputs as initializers, the others with the sizes of what was recorded."""
    model = onnx.ModelProto.FromString(model.SerializeToString())
    names = {given[index].name for index in frozen}
    protos = {value.name: proto for value, proto in zip(given, recorded)}
    inputs = [value for value in model.graph.input if value.name in protos and value.name not in names]
    for value in inputs:
        if protos[value.name] is not None:
            sizes = value.type.tensor_type.shape
            del sizes.dim[:]
            for size in protos[value.name].dims:
                sizes.dim.add().dim_value = size
    for name in sorted(names):
        tensor = TensorProto.FromString(protos[name].SerializeToString())
        tensor.name = name
        model.graph.initializer.append(tensor)
    del model.graph.input[:]
    model.graph.input.extend(inputs)
    with open(path, "wb") as file:
        file.write(model.SerializeToString())


def save_tensor(proto, path):
    if proto is not None and proto.data_type in NAMES:
        with open(path, "wb") as file:
            file.write(bytes_of(proto))


def main(folder):
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    lines = {}
    for name, model, relative, absolute, data_sets in [*generated_cases(), *stored_cases()]:
        if name in lines:
            continue
        inputs, outputs = write(folder, name, model, data_sets)
        if FOURIER.intersection(node.op_type for node in all_nodes(model)):
            absolute *= max(1.0, float(np.abs(data_sets[0][1][0]).max()))
        lines[name] = "\t".join([name, class_of(model, name), str(relative), str(absolute), inputs, outputs]) + "\n"
    with open(os.path.join(folder, "cases.tsv"), "w", encoding="utf-8") as file:
        file.writelines(lines[name] for name in sorted(lines))


if __name__ == "__main__":
    warnings.filterwarnings("ignore")
    main(sys.argv[1])
