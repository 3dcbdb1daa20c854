//! Arguments of the macro that do not fit the model are refused, and the error is about the argument.

use model_compiler::contract::Budgets;
use model_compiler::diagnostic::Subject;
use model_compiler::golden::{At, Verify};
use model_compiler::onnx::Source;
use model_compiler::{Elements, Options, Unroll, compile};
use model_tests::build::{Build, tensor};

fn entry<T>(key: &str, value: T) -> Vec<(String, T)> {
    vec![(key.to_owned(), value)]
}

fn number(text: &str) -> Elements {
    Elements::All(text.to_owned())
}

/// What is wrong with arguments for a dense layer whose result is also state: `h_next = x · w + h`.
fn fault(options: Options) -> (Subject, String) {
    let model = Build::new(13)
        .input("x", "f32[1, 4]")
        .input("h", "f32[1, 3]")
        .initializer(tensor("w", &[4, 3], &[0.5f32; 12]))
        .node("MatMul", &["x", "w"], &["wx"])
        .name("/dense/MatMul")
        .node("Add", &["wx", "h"], &["h_next"])
        .node("Transpose", &["h_next"], &["y"])
        .output("h_next", "f32[1, 3]")
        .output("y", "f32[3, 1]");
    let source = Source::new("test.onnx", model.to_bytes()).with_side_files(|_| Err("there is no such file".to_owned()));
    // So small a layer would have no constant data.
    let options = Options { unroll: Unroll::Nothing, ..options };
    let faults = compile(&source, &options).expect_err("it is refused").faults;
    let [fault] = &faults[..] else { panic!("one fault, not {faults:?}") };
    (fault.subject.clone(), fault.to_string())
}

#[test]
fn arguments_that_fit_nothing_are_refused() {
    let new = || Options::new("test");
    let state = |from: &str, to: &str| entry(to, from.to_owned());
    let both = [state("h_next", "h"), state("h_next", "x")].concat();
    let cases = [
        (
            Options { inputs: entry("h", number("none")), ..new() },
            Subject::entry("inputs", "h"),
            "`inputs` pins `h`, which is f32[1, 3], to none; expected a number that f32 can hold",
        ),
        (
            Options { inputs: entry("rate", number("1")), ..new() },
            Subject::entry("inputs", "rate"),
            "`inputs` names `rate`, which is no input of the model; its inputs are `x`, `h`",
        ),
        (
            Options { state: state("z", "h"), ..new() },
            Subject::entry("state", "h"),
            "`state` ties `h` to `z`, which is no output of the model; it has `h_next`, `y`",
        ),
        (
            Options { state: both, ..new() },
            Subject::entry("state", "x"),
            "`state` ties output `h_next` to `h` and to `x`; expected one input",
        ),
        (
            Options { state: state("y", "h"), ..new() },
            Subject::entry("state", "h"),
            "`state` ties `h`, which is f32[1, 3], to `y`, which is f32[3, 1]; both must have one type",
        ),
        (
            Options { state_init: entry("h", number("1")), ..new() },
            Subject::entry("state_init", "h"),
            "`state_init` has `h`, which is no key of `state`",
        ),
        (
            Options { state: state("h_next", "h"), state_init: entry("h", Elements::Each(vec![])), ..new() },
            Subject::entry("state_init", "h"),
            "`state_init` sets `h`, which is f32[1, 3], to 0 elements; expected 3",
        ),
        (
            Options { verify: Some(Verify { file: "golden.npz".to_owned(), tolerance: None, at: At::Test }), ..new() },
            Subject::Verify,
            "`golden.npz` cannot be read: there is no such file",
        ),
    ];
    for (options, subject, expected) in cases {
        let (found, said) = fault(options);
        assert!(said.contains(expected), "{said}\nlacks: {expected}");
        assert_eq!(found, subject, "{said}");
    }
}

#[test]
fn budgets_that_are_broken_name_what_costs_most() {
    let new = || Options::new("test");
    let cases = [
        (
            "ram",
            Budgets { ram: Some(8), ..Budgets::default() },
            &["`ram` allows 8 bytes of working memory; the model takes", "quantize the model to 8 bits, or make the tensors"][..],
        ),
        (
            "weights",
            Budgets { weights: Some(40), ..Budgets::default() },
            &["`weights` allows 40 bytes of constant data; the model takes 48, which is 8 more", "or allow it: `weights = 48`"],
        ),
        (
            "macs",
            Budgets { macs: Some(11), ..Budgets::default() },
            &["`macs` allows 11 multiply-accumulates a run; the model takes 12, which is 1 more", "12 for `/dense/MatMul`"],
        ),
    ];
    for (name, budgets, expected) in cases {
        let (found, said) = fault(Options { budgets, ..new() });
        for part in expected {
            assert!(said.contains(part), "{said}\nlacks: {part}");
        }
        assert_eq!(found, Subject::Budget(name));
    }
}
