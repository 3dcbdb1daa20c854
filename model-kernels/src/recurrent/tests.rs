//! The units against the formulas of the operators' pages, computed in `f64`.

use std::vec;
use std::vec::Vec;

use half::{bf16, f16};

use super::*;
use crate::testing::{cells, check_overlap, numbers, pack, values};
use crate::{CastTo, Memory, hard_sigmoid, relu, sigmoid, tanh};

const INPUTS: usize = 3;

/// Which unit, with its flag.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Rnn,
    Gru { linear_before_reset: bool },
    Lstm { input_forget: bool, peepholes: bool },
}

const KINDS: [Kind; 6] = [
    Kind::Rnn,
    Kind::Gru { linear_before_reset: false },
    Kind::Gru { linear_before_reset: true },
    Kind::Lstm { input_forget: false, peepholes: false },
    Kind::Lstm { input_forget: false, peepholes: true },
    Kind::Lstm { input_forget: true, peepholes: true },
];

#[derive(Clone, Debug)]
struct Case {
    layer: Recurrent,
    kind: Kind,
    lengths: Vec<i32>,
    bias: bool,
}

/// Two sequences of five steps; with 10 states there are whole and partial blocks of outputs.
fn case(kind: Kind, hidden: usize) -> Case {
    let gates = match kind {
        Kind::Rnn => 1,
        Kind::Gru { .. } => 3,
        Kind::Lstm { .. } => 4,
    };
    let (directions, direction, reverse, packed) = (1, 0, false, true);
    let layer = Recurrent { steps: 5, batch: 2, inputs: INPUTS, hidden, gates, directions, direction, reverse, packed };
    Case { layer, kind, lengths: Vec::new(), bias: true }
}

/// The tensors of a layer, as the operators' pages have them.
struct Tensors {
    x: Vec<f32>,
    /// `[directions][gates · hidden][inputs]`
    w: Vec<f32>,
    /// `[directions][gates · hidden][hidden]`
    r: Vec<f32>,
    /// `[directions][2][gates · hidden]`
    b: Vec<f32>,
    /// `[directions][3 · hidden]`
    p: Vec<f32>,
    /// `[directions][batch][hidden]`
    h: Vec<f32>,
    c: Vec<f32>,
}

impl Case {
    fn tensors(&self) -> Tensors {
        let Recurrent { steps, batch, inputs, hidden, gates, directions, .. } = self.layer;
        let gates = directions * gates * hidden;
        let state = directions * batch * hidden;
        Tensors {
            x: numbers(steps * batch * inputs, 1),
            w: numbers(gates * inputs, 2),
            r: numbers(gates * hidden, 3),
            b: numbers(if self.bias { 2 * gates } else { 0 }, 4),
            p: numbers(directions * 3 * hidden, 5),
            h: numbers(state, 6),
            c: numbers(state, 7),
        }
    }

    /// The formulas, for the direction of the layer: the state after each step, the last state, and the last cell state.
    fn formula(&self) -> [Vec<f64>; 3] {
        let Recurrent { steps, batch, hidden, directions, direction, reverse, .. } = self.layer;
        let tensors = self.tensors();
        let mut y = vec![0.0; steps * directions * batch * hidden];
        let wide = |values: &[f32]| values.iter().copied().map(f64::from).collect::<Vec<f64>>();
        let (mut h, mut c) = (wide(&tensors.h), wide(&tensors.c));
        for row in 0..batch {
            let state = (direction * batch + row) * hidden..(direction * batch + row + 1) * hidden;
            let length = self.lengths.get(row).map_or(steps, |&length| length as usize);
            for step in 0..length {
                let step = if reverse { length - 1 - step } else { step };
                let x = wide(&tensors.x[(step * batch + row) * INPUTS..][..INPUTS]);
                self.advance(&tensors, &x, &mut h[state.clone()], &mut c[state.clone()]);
                let place = ((step * directions + direction) * batch + row) * hidden;
                y[place..place + hidden].copy_from_slice(&h[state.clone()]);
            }
        }
        [y, h, c]
    }

    fn advance(&self, tensors: &Tensors, x: &[f64], h: &mut [f64], c: &mut [f64]) {
        let Recurrent { hidden, gates, direction, .. } = self.layer;
        let dot = |weights: &[f32], values: &[f64]| -> f64 {
            weights.iter().zip(values).map(|(&weight, value)| f64::from(weight) * value).sum()
        };
        let row = |gate: usize, k: usize| (direction * gates + gate) * hidden + k;
        let of_inputs = |gate, k| dot(&tensors.w[row(gate, k) * INPUTS..][..INPUTS], x);
        let of_state = |gate, k, h: &[f64]| dot(&tensors.r[row(gate, k) * hidden..][..hidden], h);
        let bias = |half: usize, gate: usize, k: usize| {
            let place = ((2 * direction + half) * gates + gate) * hidden + k;
            tensors.b.get(place).copied().map_or(0.0, f64::from)
        };
        let sum = |gate, k, h: &[f64]| of_inputs(gate, k) + of_state(gate, k, h) + bias(0, gate, k) + bias(1, gate, k);
        let before = h.to_vec();
        match self.kind {
            Kind::Rnn => (0..hidden).for_each(|k| h[k] = sum(0, k, &before).tanh()),
            Kind::Gru { linear_before_reset } => {
                let r: Vec<f64> = (0..hidden).map(|k| sigmoid(sum(1, k, &before))).collect();
                let reset: Vec<f64> = r.iter().zip(&before).map(|(r, h)| r * h).collect();
                for k in 0..hidden {
                    let z = sigmoid(sum(0, k, &before));
                    let candidate = match linear_before_reset {
                        true => of_inputs(2, k) + bias(0, 2, k) + r[k] * (of_state(2, k, &before) + bias(1, 2, k)),
                        false => sum(2, k, &reset),
                    };
                    h[k] = (1.0 - z) * candidate.tanh() + z * before[k];
                }
            }
            Kind::Lstm { input_forget, peepholes } => {
                for k in 0..hidden {
                    let p = |gate: usize| match peepholes {
                        true => f64::from(tensors.p[(direction * 3 + gate) * hidden + k]),
                        false => 0.0,
                    };
                    let i = sigmoid(sum(0, k, &before) + p(0) * c[k]);
                    let forget = if input_forget { 1.0 - i } else { sigmoid(sum(2, k, &before) + p(2) * c[k]) };
                    c[k] = forget * c[k] + i * sum(3, k, &before).tanh();
                    let o = sigmoid(sum(1, k, &before) + p(1) * c[k]);
                    h[k] = o * relu(c[k]);
                }
            }
        }
    }

    /// The weights of each direction side by side, `[directions][gates · hidden][inputs + hidden]`.
    fn joined_weights(&self) -> Vec<f32> {
        let tensors = self.tensors();
        let rows = tensors.w.chunks(self.layer.inputs).zip(tensors.r.chunks(self.layer.hidden));
        rows.flat_map(|(w, r)| [w, r].concat()).collect()
    }

    /// The weights as the kernel takes them.
    fn weights(&self) -> Vec<f32> {
        let joined = self.joined_weights();
        if !self.layer.packed {
            return joined;
        }
        joined.chunks(self.layer.weights()).flat_map(|weights| pack(weights, self.layer.pack_order())).collect()
    }

    /// The bias as the kernel takes it.
    fn bias(&self) -> Vec<f32> {
        let Recurrent { hidden, gates, .. } = self.layer;
        let added = |halves: &[f32]| {
            let (w, r) = halves.split_at(gates * hidden);
            let sum: Vec<f32> = w.iter().zip(r).map(|(w, r)| w + r).collect();
            match self.kind {
                Kind::Gru { linear_before_reset: true } => [&sum[..2 * hidden], &w[2 * hidden..], &r[2 * hidden..]].concat(),
                _ => sum,
            }
        };
        self.tensors().b.chunks(2 * gates * hidden).flat_map(added).collect()
    }

    /// Runs the kernel on the places of `x` and `y`, and gives the state and the cell state.
    fn run_in(&self, x: &[Cell<f32>], y: &[Cell<f32>]) -> [Vec<f32>; 2] {
        let (layer, tensors) = (self.layer, self.tensors());
        let (h, c) = (cells(&tensors.h), cells(&tensors.c));
        let (weights, bias, scratch) = (self.weights(), self.bias(), cells(&numbers(layer.scratch(), 8)));
        let sequence = Sequence { x, weights: &weights, bias: &bias, lengths: &self.lengths, y, h: &h, scratch: &scratch };
        match self.kind {
            Kind::Rnn => layer.rnn(sequence, tanh),
            Kind::Gru { linear_before_reset } => layer.gru(sequence, linear_before_reset, sigmoid, tanh),
            Kind::Lstm { input_forget, peepholes } => {
                let peepholes: &[f32] = if peepholes { &tensors.p } else { &[] };
                layer.lstm(sequence, Memory { c: &c, peepholes, input_forget }, sigmoid, tanh, relu);
            }
        }
        [values(&h), values(&c)]
    }

    /// Asserts that the kernel gives what the formulas give.
    fn check(&self) {
        let Recurrent { steps, batch, hidden, directions, .. } = self.layer;
        // Where the other direction of the layer stands, the formulas have zero.
        let y = cells(&vec![0.0; steps * directions * batch * hidden]);
        let [h, c] = self.run_in(&cells(&self.tensors().x), &y);
        let expected = self.formula();
        for (found, expected) in [values(&y), h, c].iter().zip(&expected) {
            assert_eq!(found.len(), expected.len());
            for (found, expected) in found.iter().zip(expected) {
                assert!((f64::from(*found) - expected).abs() < 1e-6, "{self:?}: {found}, not {expected}");
            }
        }
    }
}

#[test]
fn every_unit_equals_its_formula() {
    for kind in KINDS {
        for hidden in [1, 4, 10] {
            let case = case(kind, hidden);
            case.check();
            Case { bias: false, ..case.clone() }.check();
            Case { layer: Recurrent { packed: false, ..case.layer }, ..case }.check();
        }
    }
}

#[test]
fn every_direction_and_length() {
    for kind in KINDS {
        for lengths in [vec![], vec![3, 5], vec![0, 1]] {
            for (directions, direction, reverse) in [(1, 0, true), (2, 0, false), (2, 1, true), (2, 1, false)] {
                for packed in [false, true] {
                    let case = Case { lengths: lengths.clone(), ..case(kind, 6) };
                    Case { layer: Recurrent { directions, direction, reverse, packed, ..case.layer }, ..case }.check();
                }
            }
        }
    }
}

#[test]
fn lengths_beyond_the_sequence_are_all_of_it_and_negative_ones_none() {
    let case = case(Kind::Rnn, 4);
    let x = cells(&case.tensors().x);
    let run = |lengths: [i32; 2]| {
        let y = cells(&numbers(40, 9));
        let case = Case { lengths: lengths.to_vec(), ..case.clone() };
        (case.run_in(&x, &y), values(&y))
    };
    assert_eq!(run([i32::MAX, i32::MIN]), run([5, 0]));
}

#[test]
fn a_sequence_that_nobody_reads_is_not_noted() {
    for kind in KINDS {
        let case = case(kind, 4);
        let (x, y) = (cells(&case.tensors().x), cells(&numbers(40, 9)));
        assert_eq!(case.run_in(&x, &[]), case.run_in(&x, &y));
    }
}

#[test]
fn other_floats() {
    fn run<T: Accumulate + Float + Load<Value = T> + CastTo<f64>>() -> Vec<f64> {
        let case = case(Kind::Gru { linear_before_reset: true }, 10);
        let narrow = |values: &[f32]| values.iter().map(|&value| T::of(value.into())).collect::<Vec<T>>();
        let place = |values: &[f32]| narrow(values).into_iter().map(Cell::new).collect::<Vec<_>>();
        let tensors = case.tensors();
        let (h, y, scratch) = (place(&tensors.h), place(&[0.0; 100]), place(&vec![0.0; case.layer.scratch()]));
        let (x, weights, bias) = (narrow(&tensors.x), narrow(&case.weights()), narrow(&case.bias()));
        let sequence = Sequence { x: &x, weights: &weights, bias: &bias, lengths: &[5, 5], y: &y, h: &h, scratch: &scratch };
        case.layer.gru(sequence, true, |x| hard_sigmoid(x, 0.2, 0.5), tanh);
        y.iter().map(|y| crate::cast(y.get())).collect()
    }
    let exact = run::<f64>();
    for (found, tolerance) in [(run::<f32>(), 1e-6), (run::<f16>(), 4e-3), (run::<bf16>(), 3e-2)] {
        for (found, exact) in found.iter().zip(&exact) {
            assert!((found - exact).abs() < tolerance, "{found}, not {exact}");
        }
    }
}

#[test]
fn overlaps_as_far_as_told() {
    for kind in KINDS {
        for hidden in [1, 3, 10] {
            for reverse in [false, true] {
                let case = case(kind, hidden);
                let case = Case { layer: Recurrent { reverse, ..case.layer }, ..case };
                let lengths = [10 * INPUTS, 10 * hidden];
                check_overlap(lengths, case.layer.overlap(4), |_, x, y| {
                    case.run_in(x, y);
                });
            }
        }
    }
    let both = Recurrent { directions: 2, ..case(Kind::Rnn, 4).layer };
    assert_eq!(both.overlap(4), Overlap::NONE);
}

#[test]
fn multiply_accumulates() {
    assert_eq!(case(KINDS[3], 10).layer.macs(), 5 * 2 * 40 * 13);
}
