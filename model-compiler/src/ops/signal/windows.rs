//! Windows and the matrix of mel filters, which are known when the model is compiled.

use std::f64::consts::TAU;

use super::number;
use crate::diagnostic::{Refusal, Result};
use crate::graph::ValueId;
use crate::ops::resize::{real, whole};
use crate::ops::{expect_elem, sized};
use crate::reader::NodeReader;
use crate::scalar::Scalar;
use crate::ty::ElemType;

/// The weights of cos 0, −cos x and cos 2x in a window.
pub type Cosines = [f64; 3];

/// <https://onnx.ai/onnx/operators/onnx__HannWindow.html>
pub const HANN: Cosines = [0.5, 0.5, 0.0];

/// <https://onnx.ai/onnx/operators/onnx__HammingWindow.html>
pub const HAMMING: Cosines = [25.0 / 46.0, 21.0 / 46.0, 0.0];

/// <https://onnx.ai/onnx/operators/onnx__BlackmanWindow.html>
pub const BLACKMAN: Cosines = [0.42, 0.5, 0.08];

/// A window of constant size: a full period, or one that ends with what it begins with.
pub fn read(node: &mut NodeReader, [a, b, c]: Cosines) -> Result<Vec<ValueId>> {
    node.input(0)?;
    let size = super::count("size", number(node, 0, "size")?.unwrap_or(0))?;
    let period = if node.flag("periodic", true)? { size } else { (size - 1).max(1) };
    let elem = node.elem_type("output_datatype")?.unwrap_or(ElemType::F32);
    let angle = |n: usize| TAU * real(n) / real(period);
    let weights = (0..size).map(|n| a - b * angle(n).cos() + c * (2.0 * angle(n)).cos());
    let weights: Vec<Scalar> = weights.map(|weight| Scalar::of(weight, elem)).collect();
    Ok(vec![node.add_constant(Scalar::tensor(elem, [size], &weights))])
}

/// Input `index`, one constant number of any type.
fn float(node: &NodeReader, index: usize, name: &str) -> Result<f64> {
    node.input(index)?;
    let constant = node.constant(index, name)?;
    let value = constant.as_ref().and_then(|tensor| match Scalar::all(tensor)[..] {
        [value] => Some(Scalar::tensor(ElemType::F64, [1], &[crate::ops::elementwise::cast(value, ElemType::F64)])),
        _ => None,
    });
    value.map(|value| value.to_vec::<f64>()[0]).ok_or_else(|| {
        Refusal::new(format!("input `{name}` has not one element"), "export the model again, or check it with `onnx.checker`")
    })
}

/// Triangles over the lines of a spectrum, evenly spaced on the mel scale.
///
/// <https://onnx.ai/onnx/operators/onnx__MelWeightMatrix.html>
pub fn read_mel(node: &mut NodeReader) -> Result<Vec<ValueId>> {
    let count = |index, name| super::count(name, whole(float(node, index, name)?));
    let (filters, length, rate) = (count(0, "num_mel_bins")?, count(1, "dft_length")?, float(node, 2, "sample_rate")?);
    let (lower, upper) = (float(node, 3, "lower_edge_hertz")?, float(node, 4, "upper_edge_hertz")?);
    let elem = node.elem_type("output_datatype")?.unwrap_or(ElemType::F32);
    let ty = sized(elem, &[length / 2 + 1, filters])?;
    expect_elem("the output", &ty, super::FLOATS)?;
    let mel = |hertz: f64| 2595.0 * (1.0 + hertz / 700.0).log10();
    let hertz = |mel: f64| 700.0 * (10f64.powf(mel / 2595.0) - 1.0);
    let step = (mel(upper) - mel(lower)) / real(filters + 2);
    let line = |edge: usize| whole(((real(length) + 1.0) * hertz(mel(lower) + real(edge) * step) / rate).floor());
    let mut weights = vec![0.0; ty.elements()];
    for filter in 0..filters {
        let [first, centre, last] = [line(filter), line(filter + 1), line(filter + 2)];
        for place in first..last.max(centre + 1) {
            let weight = match (place - centre, centre - first, last - centre) {
                (0, ..) => 1.0,
                (distance, rise, _) if distance < 0 => 1.0 + share(distance, rise),
                (distance, _, fall) => 1.0 - share(distance, fall),
            };
            let weights = usize::try_from(place).ok().and_then(|place| weights.get_mut(place * filters + filter));
            if let Some(element) = weights {
                *element = weight;
            }
        }
    }
    let weights: Vec<Scalar> = weights.into_iter().map(|weight| Scalar::of(weight, elem)).collect();
    Ok(vec![node.add_constant(Scalar::tensor(elem, ty.shape, &weights))])
}

/// A part of a slope.
fn share(distance: i64, slope: i64) -> f64 {
    let number = |value: i64| f64::from(i32::try_from(value).unwrap_or(i32::MAX));
    number(distance) / number(slope)
}

#[cfg(test)]
mod tests {
    use crate::tensor::Tensor;
    use crate::testing::OneNode;

    fn scalar(value: i64) -> Tensor {
        Tensor::from_vec([], &[value])
    }

    #[test]
    fn windows() {
        let node = |op| OneNode::new(op, 17).constant(&scalar(4));
        let check = |node: OneNode, expected: [f32; 4]| {
            let found = node.results()[0].to_vec::<f32>();
            assert!(found.iter().zip(expected).all(|(found, expected)| (found - expected).abs() < 1e-6), "{node:?}: {found:?}");
        };
        check(node("HannWindow"), [0.0, 0.5, 1.0, 0.5]);
        check(node("HannWindow").int("periodic", 0), [0.0, 0.75, 0.75, 0.0]);
        check(node("HammingWindow"), [4.0 / 46.0, 25.0 / 46.0, 1.0, 25.0 / 46.0]);
        check(node("BlackmanWindow"), [0.0, 0.34, 1.0, 0.34]);
        OneNode::new("HannWindow", 17).constant(&scalar(0)).refused("`size` is 0; expected 1 to", "onnx.checker");
    }

    #[test]
    fn filters_are_triangles() {
        let node = OneNode::new("MelWeightMatrix", 17).constant(&scalar(3)).constant(&scalar(16)).constant(&scalar(8192));
        let node = node.constant(&Tensor::from_vec([], &[0.0f32])).constant(&Tensor::from_vec([], &[4096.0f32]));
        let weights = node.results().remove(0);
        assert_eq!(weights.ty().to_string(), "f32[9, 3]");
        let found = weights.to_vec::<f32>();
        for filter in 0..3 {
            let greatest = (0..9).map(|line| found[line * 3 + filter]).fold(0.0, f32::max);
            assert_eq!(greatest, 1.0, "filter {filter} of {found:?}");
        }
    }
}
