"""The exported model, in floats and in integers, and its scores as the firmware computes them."""

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static

from features import BANDS, FRAMES, HOP
from network import BLOCKS, LAST, STRIDE
from voices import SEED


def folded(model):
    """(weight, bias) of each convolution with its batch normalization in it."""
    (layers, head), statistics = model
    for layer, (mean, variance) in zip(layers, statistics):
        scale = np.asarray(layer["gain"] / np.sqrt(np.asarray(variance) + 1e-3))
        yield np.asarray(layer["weight"]) * scale, np.asarray(layer["bias"]) - np.asarray(mean) * scale
    yield np.asarray(head["weight"]), np.asarray(head["bias"])


def export(model, path):
    """Writes the model in floats."""
    shapes = [((5, 5), (STRIDE, 2), 2)]
    for kernel, stride, padding, _ in BLOCKS:
        shapes += [(kernel, (1, stride), padding), ((1, 1), (1, 1), 0)]
    shapes += [((LAST, 1), (1, 1), 0), ((1, 1), (1, 1), 0)]
    nodes, initializers, value = [], [], "features"
    for index, ((weight, bias), (kernel, strides, padding)) in enumerate(zip(folded(model), shapes)):
        if weight.ndim == 3:
            weight = weight.transpose(2, 0, 1)[:, None]
        else:
            inputs = weight.shape[0] // (kernel[0] * kernel[1])
            weight = weight.reshape(*kernel, inputs, -1).transpose(3, 2, 0, 1)
        name = f"conv_{index}"
        initializers += [numpy_helper.from_array(np.ascontiguousarray(part, np.float32), f"{name}.{kind}")
                         for kind, part in (("weight", weight), ("bias", bias))]
        group = weight.shape[0] if weight.shape[1] == 1 and index else 1
        inputs = [value, f"{name}.weight", f"{name}.bias"]
        nodes.append(helper.make_node("Conv", inputs, [name], f"/{name}/Conv", kernel_shape=kernel, strides=strides,
                                      pads=[0, padding, 0, padding], group=group, dilations=[1, 1]))
        value = name
        if index < len(shapes) - 1:
            value = f"relu_{index}"
            nodes.append(helper.make_node("Relu", [name], [value], f"/relu_{index}/Relu"))
    nodes.append(helper.make_node("Sigmoid", [value], ["probability"], "/Sigmoid"))
    nodes.append(helper.make_node("Flatten", ["probability"], ["score"], "/Flatten", axis=1))
    features = helper.make_tensor_value_info("features", TensorProto.FLOAT, [1, 1, FRAMES, BANDS])
    output = helper.make_tensor_value_info("score", TensorProto.FLOAT, [1, 1])
    graph = helper.make_graph(nodes, "wake", [features], [output], initializers)
    proto = helper.make_model(graph, producer_name="train.py", opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(proto, full_check=True)
    onnx.save(proto, path)
    weights = sum(weight.size for weight, _ in folded(model))
    biases = sum(bias.size for _, bias in folded(model))
    size = weights + 8 * biases
    print(f"{weights} weights and {biases} biases: {size} bytes with weights of 8 bits, biases and multipliers of 32")


def calibration(positives, ends, negatives):
    """Windows of the training data, half of them with the word, from which the ranges of the activations are taken."""
    rng = np.random.default_rng([SEED, 70])
    words = rng.integers(len(positives), size=512)
    windows = [positives[i][start:start + FRAMES] for i, start in zip(words, np.maximum(0, ends[words] // HOP - FRAMES))]
    return windows + [negatives[start:start + FRAMES] for start in rng.integers(len(negatives) - FRAMES, size=512)]


class Windows(CalibrationDataReader):
    """Hands the windows to the quantizer, one at a time."""

    def __init__(self, windows):
        self.left = iter(windows)

    def get_next(self):
        window = next(self.left, None)
        return None if window is None else {"features": window[None, None].astype(np.float32)}


def quantize(path, quantized, windows):
    """Writes the model at `path` in integers of 8 bits: a scale for each output of a layer's weights, one for each activation.

    It ends before the logistic function, of which a table would take 256 bytes.
    """
    model = onnx.load(path)
    sigmoid = next(node for node in model.graph.node if node.op_type == "Sigmoid")
    model.graph.node.remove(sigmoid)
    flatten = model.graph.node[-1]
    flatten.input[0], flatten.output[0], model.graph.output[0].name = sigmoid.input[0], "logit", "logit"
    onnx.checker.check_model(model, full_check=True)
    quantize_static(model, quantized, Windows(windows), quant_format=QuantFormat.QDQ, per_channel=True,
                    activation_type=QuantType.QInt8, weight_type=QuantType.QInt8)


class Exported:
    """Scores by ONNX Runtime, many windows at a time."""

    def __init__(self, path):
        model = onnx.load(path)
        for value in (*model.graph.input, *model.graph.output):
            value.type.tensor_type.shape.dim[0].dim_param = "n"
        del model.graph.value_info[:]
        self.session = onnxruntime.InferenceSession(model.SerializeToString())
        self.ends_in_logit = model.graph.output[0].name == "logit"

    def frames(self, stream):
        """The score after each frame of a stream, as the firmware asks for it."""
        windows = np.lib.stride_tricks.sliding_window_view(stream, FRAMES, axis=0).transpose(0, 2, 1)[:, None]
        parts = [windows[start:start + 256] for start in range(0, len(windows), 256)]
        out = np.concatenate([self.session.run(None, {"features": part.astype(np.float32)})[0][:, 0] for part in parts])
        return 1 / (1 + np.exp(-out)) if self.ends_in_logit else out
