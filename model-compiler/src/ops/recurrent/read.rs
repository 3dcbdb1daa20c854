//! The readers of `RNN`, `GRU` and `LSTM`.

use super::{Recurrent, Unit, activations};
use crate::diagnostic::{Refusal, Result};
use crate::graph::ValueId;
use crate::ops::concat::Concat;
use crate::ops::elementwise;
use crate::ops::slice::{Slice, Span};
use crate::reader::NodeReader;
use crate::tensor::Tensor;
use crate::ty::{ElemType, TensorType};

pub(super) fn rnn(node: &mut NodeReader, batch_first: bool) -> Result<Vec<ValueId>> {
    read(node, Unit::Rnn, batch_first)
}

pub(super) fn gru(node: &mut NodeReader, batch_first: bool) -> Result<Vec<ValueId>> {
    let linear_before_reset = node.flag("linear_before_reset", false)?;
    read(node, Unit::Gru { linear_before_reset }, batch_first)
}

pub(super) fn lstm(node: &mut NodeReader, batch_first: bool) -> Result<Vec<ValueId>> {
    let input_forget = node.flag("input_forget", false)?;
    read(node, Unit::Lstm { input_forget }, batch_first)
}

/// An `LSTM` whose weights are integers of 8 bits, each with its gates last. It is computed in floats: those weights times unrounded states.
///
/// <https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md#commicrosoftdynamicquantizelstm>
pub(super) fn dynamic_quantize_lstm(node: &mut NodeReader) -> Result<Vec<ValueId>> {
    let weights = [(1, 8), (2, 10)];
    let mut inputs: Vec<Option<ValueId>> = (0..8).map(|index| node.optional_input(index)).collect();
    for (place, scale) in weights {
        inputs[place] = Some(dequantized_weights(node, place, scale)?);
    }
    node.note(format!("the weights of `{}` are dequantized, and its states are not quantized", node.output_name(0)));
    node.set_inputs(inputs);
    lstm(node, false)
}

/// Input `index` less the zero point behind input `scale`, times that scale: one for a direction, or one for each of its gates. Gates come first
/// then, as `LSTM` has them.
fn dequantized_weights(node: &mut NodeReader, index: usize, scale: usize) -> Result<ValueId> {
    let (weights, scales, zero_point) = (node.input(index)?, node.input(scale)?, node.optional_input(scale + 1));
    let [directions, _, gates] = node.ty(weights).shape[..] else {
        return Err(Refusal::new(
            format!("the quantized weights are {}; expected three dimensions", node.ty(weights)),
            "fix the shapes in the exported model",
        ));
    };
    let mut floats = elementwise::converted(node, weights, ElemType::F32)?;
    for (of, function) in [(zero_point, "sub"), (Some(scales), "mul")] {
        let Some(of) = of else { continue };
        let each = node.ty(of).elements() == directions * gates;
        if !each && node.ty(of).elements() != directions {
            return Err(Refusal::new(
                format!(
                    "the scales or zero points are {}; expected {directions} of them, or as many for each of {gates} gates",
                    node.ty(of)
                ),
                "fix the shapes in the exported model",
            ));
        }
        let of = elementwise::converted(node, of, ElemType::F32)?;
        let of = node.reshape(of, [directions, 1, if each { gates } else { 1 }])?;
        floats = elementwise::push(node, function, &[floats, of])?;
    }
    node.transpose(floats, vec![0, 2, 1])
}

/// The sizes of a layer.
struct Sizes {
    steps: usize,
    batch: usize,
    hidden: usize,
    directions: usize,
    /// Gates of the unit times `hidden`.
    gates: usize,
}

/// Reads a layer. `batch_first` is attribute `layout`: the axis of the batch comes before that of steps and that of directions.
fn read(node: &mut NodeReader, unit: Unit, batch_first: bool) -> Result<Vec<ValueId>> {
    let elem = node.ty(node.input(0)?).elem;
    let directions = activations::directions(node, unit, elem)?;
    let sizes = Sizes::read(node, unit, directions.len(), batch_first)?;
    let mut x = node.input(0)?;
    if batch_first {
        x = node.transpose(x, vec![1, 0, 2])?;
    }
    let weights = weights(node)?;
    let bias = bias(node, unit, &sizes)?;
    let lengths = lengths(node, &sizes)?;
    let mut inputs = vec![x, weights, bias, lengths];
    for (index, name) in [(5, "initial_h"), (6, "initial_c")] {
        let given = if index == 5 || unit.has_cell() { node.optional_input(index) } else { None };
        inputs.push(initial(node, given, name, &sizes, batch_first)?);
    }
    let peepholes = if unit.has_cell() { node.optional_input(7) } else { None };
    if let Some(peepholes) = peepholes {
        expect_shape(node, "P", peepholes, &[sizes.directions, 3 * sizes.hidden])?;
    }
    inputs.push(peepholes.unwrap_or_else(|| nothing(node, elem)));
    let mut outputs = node.push_all(Recurrent { unit, directions, sequence: true }, &inputs)?;
    if batch_first {
        outputs[0] = node.transpose(outputs[0], vec![2, 0, 1, 3])?;
        for state in &mut outputs[1..] {
            *state = node.transpose(*state, vec![1, 0, 2])?;
        }
    }
    Ok(outputs)
}

impl Sizes {
    fn read(node: &NodeReader, unit: Unit, directions: usize, batch_first: bool) -> Result<Self> {
        let (x, r) = (node.input(0)?, node.input(2)?);
        let (&[first, second, inputs], &[_, _, hidden]) = (&node.ty(x).shape[..], &node.ty(r).shape[..]) else {
            return Err(Refusal::new(
                format!("`X` is {} and `R` is {}; expected three dimensions of each", node.ty(x), node.ty(r)),
                "fix the shapes in the exported model",
            ));
        };
        let (steps, batch) = if batch_first { (second, first) } else { (first, second) };
        if let Some(size) = node.optional_int("hidden_size")?.filter(|&size| usize::try_from(size) != Ok(hidden)) {
            return Err(Refusal::new(
                format!("attribute `hidden_size` is {size}, but `R` is {}", node.ty(r)),
                "export the model again, or check it with `onnx.checker`",
            ));
        }
        let gates = unit.gates() * hidden;
        let sizes = Self { steps, batch, hidden, directions, gates };
        expect_shape(node, "W", node.input(1)?, &[directions, gates, inputs])?;
        expect_shape(node, "R", r, &[directions, gates, hidden])?;
        Ok(sizes)
    }
}

/// `W` and `R` side by side, called as `W` is.
fn weights(node: &mut NodeReader) -> Result<ValueId> {
    let (w, r) = (node.input(1)?, node.input(2)?);
    let weights = node.push(Concat { axis: 2 }, &[w, r])?;
    node.name_like(weights, w);
    Ok(weights)
}

/// The bias as the kernel has it: `Wb + Rb`, but for the last gate of a GRU whose reset comes behind its product.
fn bias(node: &mut NodeReader, unit: Unit, sizes: &Sizes) -> Result<ValueId> {
    let Some(bias) = node.optional_input(3) else {
        let elem = node.ty(node.input(0)?).elem;
        return Ok(nothing(node, elem));
    };
    expect_shape(node, "B", bias, &[sizes.directions, 2 * sizes.gates])?;
    let mut columns = |start: usize, len: usize| {
        let axes = vec![Span::all(sizes.directions), Span { start, len, step: 1 }];
        node.push(Slice { axes }, &[bias])
    };
    let apart = if unit == (Unit::Gru { linear_before_reset: true }) { sizes.hidden } else { 0 };
    let added = sizes.gates - apart;
    let halves = [columns(0, added)?, columns(sizes.gates, added)?];
    let last = [columns(added, apart)?, columns(sizes.gates + added, apart)?];
    let mut combined = elementwise::push(node, "add", &halves)?;
    if apart > 0 {
        combined = node.push(Concat { axis: 1 }, &[combined, last[0], last[1]])?;
    }
    node.name_like(combined, bias);
    Ok(combined)
}

/// `sequence_lens`, unless all sequences are known to have every step.
fn lengths(node: &mut NodeReader, sizes: &Sizes) -> Result<ValueId> {
    let Some(lengths) = node.optional_input(4) else { return Ok(nothing(node, ElemType::I32)) };
    expect_shape(node, "sequence_lens", lengths, &[sizes.batch])?;
    let whole = |length: &i64| usize::try_from(*length).is_ok_and(|length| length >= sizes.steps);
    let known = node.value(lengths).and_then(Tensor::to_ints);
    if known.is_some_and(|lengths| lengths.iter().all(whole)) {
        return Ok(nothing(node, ElemType::I32));
    }
    Ok(lengths)
}

/// An initial state, unless it is known to be zero.
fn initial(node: &mut NodeReader, given: Option<ValueId>, name: &str, sizes: &Sizes, batch_first: bool) -> Result<ValueId> {
    let elem = node.ty(node.input(0)?).elem;
    let Some(state) = given else { return Ok(nothing(node, elem)) };
    let (first, second) = if batch_first { (sizes.batch, sizes.directions) } else { (sizes.directions, sizes.batch) };
    expect_shape(node, name, state, &[first, second, sizes.hidden])?;
    let is_zero = |tensor: &Tensor| tensor.ty().elem == elem && tensor.bytes().iter().all(|&byte| byte == 0);
    if node.value(state).is_some_and(is_zero) {
        return Ok(nothing(node, elem));
    }
    if batch_first { node.transpose(state, vec![1, 0, 2]) } else { Ok(state) }
}

/// What stands for an input that the model omits.
fn nothing(node: &mut NodeReader, elem: ElemType) -> ValueId {
    let empty = Tensor::new(TensorType::new(elem, [0]), Vec::new());
    node.add_constant(empty.expect("no bytes for no elements"))
}

fn expect_shape(node: &NodeReader, name: &str, id: ValueId, expected: &[usize]) -> Result<()> {
    let ty = node.ty(id);
    if ty.shape[..] == *expected {
        return Ok(());
    }
    Err(Refusal::new(format!("`{name}` is {ty}; expected the shape {expected:?}"), "fix the shapes in the exported model"))
}
