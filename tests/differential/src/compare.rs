//! Whether outputs lie within the bounds of the reference.

use crate::cases::Case;

/// What is wrong with the outputs that a program has written, if anything is. The types are the compiler's.
pub fn difference(case: &Case, types: &[String], outputs: &[String]) -> Option<String> {
    if types != outputs {
        return Some(format!("the outputs are {}, expected {}", types.join(" "), outputs.join(" ")));
    }
    types.iter().enumerate().find_map(|(index, ty)| {
        let Some(computed) = case.read(&model_tests::programs::output_file("model", index)) else {
            return Some("it does not build or run".to_owned());
        };
        let elem = ty.split('[').next().unwrap_or(ty);
        let [expected, low, high] =
            ["output", "low", "high"].map(|side| case.read(&format!("{side}_{index}.bin")).unwrap_or_default());
        let [computed, expected] = [computed, expected].map(|bytes| numbers(elem, &bytes));
        let [low, high] = [low, high].map(|bytes| numbers("f64", &bytes));
        let wrong: Vec<usize> = (0..expected.len())
            .filter(|&place| computed.get(place).is_none_or(|&computed| !lies_within(computed, low[place], high[place])))
            .collect();
        let first = *wrong.first()?;
        let (count, of) = (wrong.len(), expected.len());
        Some(format!(
            "output {index} {ty}: {count} of {of} wrong, [{first}] is {:?}, expected {:?} ({:?} to {:?})",
            computed.get(first).copied().unwrap_or(f64::NAN),
            expected[first],
            low[first],
            high[first]
        ))
    })
}

/// NaN lies where both bounds are, and where anything goes.
fn lies_within(computed: f64, low: f64, high: f64) -> bool {
    if computed.is_nan() {
        return low.is_nan() || low == f64::NEG_INFINITY && high == f64::INFINITY;
    }
    low <= computed && computed <= high
}

/// The elements of a tensor from their little-endian bytes.
fn numbers(elem: &str, bytes: &[u8]) -> Vec<f64> {
    fn each<const N: usize>(bytes: &[u8], number: impl Fn([u8; N]) -> f64) -> Vec<f64> {
        bytes.as_chunks::<N>().0.iter().map(|&bytes| number(bytes)).collect()
    }
    match elem {
        "i8" => each(bytes, |bytes| i8::from_le_bytes(bytes).into()),
        "bool" | "u8" => each(bytes, |bytes| u8::from_le_bytes(bytes).into()),
        "i16" => each(bytes, |bytes| i16::from_le_bytes(bytes).into()),
        "u16" => each(bytes, |bytes| u16::from_le_bytes(bytes).into()),
        "i32" => each(bytes, |bytes| i32::from_le_bytes(bytes).into()),
        "u32" => each(bytes, |bytes| u32::from_le_bytes(bytes).into()),
        "i64" => each(bytes, |bytes| i64::from_le_bytes(bytes) as f64),
        "u64" => each(bytes, |bytes| u64::from_le_bytes(bytes) as f64),
        "f16" => each(bytes, |bytes| half::f16::from_le_bytes(bytes).into()),
        "f32" => each(bytes, |bytes| f32::from_le_bytes(bytes).into()),
        "f64" => each(bytes, f64::from_le_bytes),
        _ => panic!("`{elem}` is no type that is drawn"),
    }
}

#[cfg(test)]
mod tests {
    use super::{lies_within, numbers};

    #[test]
    fn bounds_are_inclusive_and_nan_must_be_expected() {
        assert!(lies_within(1.0, 1.0, 1.0) && lies_within(f64::INFINITY, f64::INFINITY, f64::INFINITY));
        assert!(!lies_within(1.1, 0.0, 1.0) && !lies_within(f64::NAN, 0.0, 1.0) && !lies_within(0.0, f64::NAN, f64::NAN));
        assert!(lies_within(f64::NAN, f64::NAN, f64::NAN) && lies_within(f64::NAN, f64::NEG_INFINITY, f64::INFINITY));
    }

    #[test]
    fn elements_are_read_by_their_type() {
        assert_eq!(numbers("i8", &[255, 1]), [-1.0, 1.0]);
        assert_eq!(numbers("f32", &1.5f32.to_le_bytes()), [1.5]);
        assert_eq!(numbers("i64", &(-3i64).to_le_bytes()), [-3.0]);
    }
}
