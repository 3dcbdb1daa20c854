//! Elements that the arguments `inputs` and `state_init` give, as the tensors that they stand for.

use std::str::FromStr;

use half::{bf16, f16};

use crate::Elements;
use crate::diagnostic::{Diagnostic, Refusal, Result, Subject};
use crate::tensor::{Element, Tensor};
use crate::ty::{ElemType, TensorType};

/// The tensor of type `ty` that `elements` stand for.
pub(super) fn tensor(elements: &Elements, ty: &TensorType) -> Result<Tensor> {
    let texts = match elements {
        Elements::All(element) => &vec![element.clone(); ty.elements()],
        Elements::Each(each) => each,
    };
    if texts.len() != ty.elements() {
        return Err(Refusal::new(
            format!("which is {ty}, to {} elements; expected {}", texts.len(), ty.elements()),
            "give every element, row by row, or one number that all of them are",
        ));
    }
    let mut bytes = Vec::new();
    for text in texts {
        append(text, ty.elem, &mut bytes).ok_or_else(|| {
            Refusal::new(
                format!("which is {ty}, to {text}; expected {}", expected(ty.elem)),
                "correct the number, or change the input's type in the exported model",
            )
        })?;
    }
    Ok(Tensor::new(ty.clone(), bytes).expect("as many elements as the type has"))
}

/// Appends the bytes of a number, if the element type has it.
fn append(text: &str, elem: ElemType, bytes: &mut Vec<u8>) -> Option<()> {
    fn parsed<T: FromStr + Element>(text: &str, bytes: &mut Vec<u8>) -> Option<()> {
        text.parse::<T>().ok().map(|element| element.append(bytes))
    }
    let single = text.parse::<f32>().ok();
    match elem {
        ElemType::Bool => text.parse::<u8>().ok().filter(|&bit| bit <= 1).map(|bit| bit.append(bytes)),
        ElemType::I8 => parsed::<i8>(text, bytes),
        ElemType::I16 => parsed::<i16>(text, bytes),
        ElemType::I32 => parsed::<i32>(text, bytes),
        ElemType::I64 => parsed::<i64>(text, bytes),
        ElemType::U8 => parsed::<u8>(text, bytes),
        ElemType::U16 => parsed::<u16>(text, bytes),
        ElemType::U32 => parsed::<u32>(text, bytes),
        ElemType::U64 => parsed::<u64>(text, bytes),
        ElemType::F16 => single.map(f16::from_f32).filter(|half| half.is_finite()).map(|half| half.append(bytes)),
        ElemType::BF16 => single.map(bf16::from_f32).filter(|half| half.is_finite()).map(|half| half.append(bytes)),
        ElemType::F32 => single.filter(|single| single.is_finite()).map(|single| single.append(bytes)),
        ElemType::F64 => text.parse::<f64>().ok().filter(|double| double.is_finite()).map(|double| double.append(bytes)),
    }
}

/// The numbers that an element type has, for a message.
fn expected(elem: ElemType) -> String {
    if elem.is_float() {
        return format!("a number that {elem} can hold");
    }
    match elem {
        ElemType::Bool => "`true` or `false`".to_owned(),
        _ => {
            let bits = 8 * elem.size();
            let (lowest, highest) = match elem.name().starts_with('i') {
                true => (-(1i128 << (bits - 1)), (1i128 << (bits - 1)) - 1),
                false => (0, (1i128 << bits) - 1),
            };
            format!("an integer from {lowest} to {highest}")
        }
    }
}

/// Keys of `argument` that name no input.
pub(super) fn unknown_keys<'a, T>(
    argument: &'static str,
    entries: &[(String, T)],
    known: impl Iterator<Item = &'a str>,
) -> Vec<Diagnostic> {
    let known: Vec<&str> = known.collect();
    let listed: Vec<String> = known.iter().map(|name| format!("`{name}`")).collect();
    let unknown = entries.iter().filter(|(key, _)| !known.contains(&key.as_str()));
    let listed = if listed.is_empty() { "it has none".to_owned() } else { format!("its inputs are {}", listed.join(", ")) };
    let fault = |(key, _): &(String, T)| {
        let message = format!("`{argument}` names `{key}`, which is no input of the model; {listed}");
        Diagnostic::new(message, "correct the name, or remove the entry").about(Subject::entry(argument, key))
    };
    unknown.map(fault).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(elements: &Elements, elem: ElemType, shape: &[usize]) -> String {
        tensor(elements, &TensorType::new(elem, shape.to_vec())).unwrap_err().message
    }

    #[test]
    fn numbers_become_elements() {
        let each = |elements: &[&str]| Elements::Each(elements.iter().map(|&element| element.to_owned()).collect());
        let read = |elements: &Elements, elem| tensor(elements, &TensorType::new(elem, [2])).unwrap();
        assert_eq!(read(&each(&["-128", "7"]), ElemType::I8).to_vec::<i8>(), [-128, 7]);
        assert_eq!(read(&Elements::All("16000".to_owned()), ElemType::I64).to_vec::<i64>(), [16000; 2]);
        assert_eq!(read(&each(&["1", "-2.5e-1"]), ElemType::F32).to_vec::<f32>(), [1.0, -0.25]);
        assert_eq!(read(&each(&["0.5", "2"]), ElemType::F16).to_vec::<f16>(), [f16::from_f32(0.5), f16::from_f32(2.0)]);
        assert_eq!(read(&each(&["0", "1"]), ElemType::Bool).to_vec::<u8>(), [0, 1]);
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let all = |text: &str| Elements::All(text.to_owned());
        let cases = [
            (all("128"), ElemType::I8, "which is i8[2], to 128; expected an integer from -128 to 127"),
            (all("-1"), ElemType::U16, "which is u16[2], to -1; expected an integer from 0 to 65535"),
            (all("0.5"), ElemType::I64, "expected an integer from -9223372036854775808 to 9223372036854775807"),
            (all("1e39"), ElemType::F32, "which is f32[2], to 1e39; expected a number that f32 can hold"),
            (all("65520"), ElemType::F16, "expected a number that f16 can hold"),
            (all("2"), ElemType::Bool, "to 2; expected `true` or `false`"),
            (Elements::Each(vec!["1".to_owned(); 3]), ElemType::F32, "which is f32[2], to 3 elements; expected 2"),
        ];
        for (elements, elem, expected) in cases {
            let message = message(&elements, elem, &[2]);
            assert!(message.contains(expected), "`{message}` lacks `{expected}`");
        }
    }
}
