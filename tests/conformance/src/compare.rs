//! Whether an output is what was recorded, as the suite's own runner decides it.

use model_compiler::scalar::Scalar;
use model_compiler::tensor::Tensor;
use model_compiler::ty::ElemType;

use crate::cases::Case;

/// The runner's tolerance for bf16: two units in the last place.
const BF16_RELATIVE: f64 = 1.0 / 64.0;

/// What is wrong with output `index`, if anything is.
pub fn difference(case: &Case, index: usize, computed: &Tensor, recorded: &[u8]) -> Option<String> {
    let (ty, expected) = (computed.ty(), &case.outputs[index]);
    if ty.to_string() != *expected {
        return Some(format!("output {index} is {ty}, expected {expected}"));
    }
    let relative = if ty.elem == ElemType::BF16 { case.relative.max(BF16_RELATIVE) } else { case.relative };
    let recorded = Tensor::new(ty.clone(), recorded.to_vec()).expect("what was recorded has its type");
    let elements = Scalar::all(computed).into_iter().zip(Scalar::all(&recorded));
    elements.enumerate().find_map(|(place, (computed, recorded))| {
        let alike = match (float(computed), float(recorded)) {
            (Some(computed), Some(recorded)) => is_close(computed, recorded, relative, case.absolute),
            _ => computed == recorded,
        };
        (!alike).then(|| format!("output {index}[{place}] is {computed:?}, expected {recorded:?}"))
    })
}

/// The value of a float; `None` of other types.
fn float(scalar: Scalar) -> Option<f64> {
    match scalar {
        Scalar::F16(value) => Some(value.into()),
        Scalar::BF16(value) => Some(value.into()),
        Scalar::F32(value) => Some(value.into()),
        Scalar::F64(value) => Some(value),
        _ => None,
    }
}

/// `|computed − recorded| ≤ absolute + relative · |recorded|`, which infinities and what is not a number must equal.
fn is_close(computed: f64, recorded: f64, relative: f64, absolute: f64) -> bool {
    if computed.is_nan() || recorded.is_nan() {
        return computed.is_nan() && recorded.is_nan();
    }
    computed == recorded || recorded.is_finite() && (computed - recorded).abs() <= absolute + relative * recorded.abs()
}

#[cfg(test)]
mod tests {
    use super::is_close;

    #[test]
    fn tolerance_has_a_relative_and_an_absolute_part() {
        let close = |computed, recorded| is_close(computed, recorded, 1e-3, 1e-7);
        assert!(close(1.0009, 1.0) && !close(1.0012, 1.0));
        assert!(close(1e-8, 0.0) && !close(1e-6, 0.0));
        assert!(close(f64::NAN, f64::NAN) && !close(f64::NAN, 1.0) && !close(1.0, f64::NAN));
        assert!(close(f64::INFINITY, f64::INFINITY) && !close(1.0, f64::INFINITY) && !close(f64::NEG_INFINITY, f64::INFINITY));
    }
}
