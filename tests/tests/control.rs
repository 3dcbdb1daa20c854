//! Nodes with graphs of their own: `If` with a known condition, `Scan` and `Loop`, and functions that a model defines.

use model_compiler::graph::Graph;
use model_compiler::onnx::{self, Source};
use model_compiler::verify::verify;
use model_compiler::{Elements, Options, import};
use model_tests::build::{AttributeType, Build, tensor};

/// The graph, or the messages of all faults.
fn graph(model: &Build, options: &Options) -> Result<Graph, Vec<String>> {
    let source = Source::new("test.onnx", model.to_bytes());
    let model = onnx::parse(&source).unwrap_or_else(|diagnostics| panic!("{diagnostics}"));
    let mut graph = import::graph(&model, options)
        .map_err(|diagnostics| diagnostics.faults.iter().map(ToString::to_string).collect::<Vec<_>>())?;
    verify(&graph, "import");
    graph.drop_unused();
    Ok(graph)
}

/// The operators of the graph, as they print.
fn operators(model: &Build) -> Vec<String> {
    let graph = graph(model, &Options::new("test")).unwrap_or_else(|faults| panic!("{}", faults.join("\n")));
    graph.nodes.iter().map(|node| node.op.to_string()).collect()
}

/// The only fault.
fn fault(model: &Build) -> String {
    let faults = graph(model, &Options::new("test")).expect_err("it is refused");
    let [fault] = &faults[..] else { panic!("one fault, not {faults:?}") };
    fault.clone()
}

fn opset() -> Build {
    Build::new(17)
}

/// A graph from `x`, f32[4], to `y`.
fn model() -> Build {
    opset().input("x", "f32[4]").output("y", "f32[4]")
}

/// A branch that computes `out` by one node.
fn branch(op: &str, inputs: &[&str]) -> Build {
    opset().node(op, inputs, &["out"]).output("out", "f32[4]")
}

#[test]
fn the_branch_of_a_known_condition_takes_the_place_of_the_node() {
    for (condition, operator) in [(true, "relu(x)"), (false, "tanh(x)")] {
        let model = model()
            .initializer(tensor("c", &[], &[condition]))
            .node("If", &["c"], &["y"])
            .graph("then_branch", branch("Relu", &["x"]))
            .graph("else_branch", branch("Tanh", &["x"]));
        assert_eq!(operators(&model), [format!("Elementwise {operator}")], "{condition}");
    }
}

#[test]
fn a_pinned_input_decides() {
    let model = model()
        .input("rate", "i64[]")
        .initializer(tensor("wide", &[], &[16000i64]))
        .node("Equal", &["rate", "wide"], &["is_wide"])
        .node("If", &["is_wide"], &["y"])
        .graph("then_branch", branch("Relu", &["x"]))
        .graph("else_branch", branch("NoSuchOperator", &["x"]));
    let inputs = vec![("rate".to_owned(), Elements::All("16000".to_owned()))];
    let options = Options { inputs, ..Options::new("test") };
    let graph = graph(&model, &options).unwrap();
    assert_eq!(graph.inputs.len(), 1);
    assert_eq!(graph.notes, ["input `rate` is 16000"]);
    assert_eq!(graph.nodes.len(), 1);
}

/// The inner graph reads `a` of the graph around it, and defines a `b` of its own.
#[test]
fn a_branch_sees_what_is_around_it_and_may_shadow_it() {
    let inner = opset()
        .initializer(tensor("b", &[4], &[1.0f32, 2.0, 3.0, 4.0]))
        .node("Mul", &["a", "b"], &["out"])
        .output("out", "f32[4]");
    let outer = opset()
        .node("If", &["c"], &["out"])
        .graph("then_branch", inner)
        .graph("else_branch", branch("Relu", &["a"]))
        .output("out", "f32[4]");
    let model = model()
        .initializer(tensor("c", &[1], &[true]))
        .node("Relu", &["x"], &["a"])
        .node("Sigmoid", &["x"], &["b"])
        .node("If", &["c"], &["chosen"])
        .graph("then_branch", outer)
        .graph("else_branch", branch("Relu", &["x"]))
        .node("Sub", &["chosen", "b"], &["y"]);
    let found = operators(&model);
    assert_eq!(found, ["Elementwise relu(x)", "Elementwise sigmoid(x)", "Elementwise a * b", "Elementwise a - b"]);
}

#[test]
fn faults_in_a_branch_are_told_with_their_place() {
    let wrong = opset().node("Softmax", &["x"], &["out"]).int("axis", 3).output("out", "f32[4]");
    let model = model()
        .initializer(tensor("c", &[], &[true]))
        .node("If", &["c"], &["y"])
        .name("/choose")
        .graph("then_branch", wrong)
        .graph("else_branch", branch("Relu", &["x"]));
    let fault = fault(&model);
    assert!(fault.contains("--> test.onnx: node 0 `/choose`, `then_branch`: node 0 (Softmax)"), "{fault}");
}

/// A model that chooses between `Relu` and another branch at run time, by a condition of type `condition`.
fn chosen(condition: &str, other: Build) -> Build {
    model()
        .input("c", condition)
        .node("If", &["c"], &["y"])
        .name("/choose")
        .graph("then_branch", branch("Relu", &["x"]))
        .graph("else_branch", other)
}

#[test]
fn a_condition_that_is_computed_chooses_in_each_run() {
    let model = chosen("bool[1]", branch("Tanh", &["x"]));
    assert_eq!(operators(&model), ["Branch { Elementwise relu(x) } else { Elementwise tanh(x) }"]);
}

/// Both branches must compile, and yield values of one type.
#[test]
fn faults_in_either_branch_are_told() {
    let shorter = opset().node("ReduceMax", &["x"], &["out"]).output("out", "f32[1]");
    let cases = [
        (chosen("bool[2]", branch("Tanh", &["x"])), "the condition is bool[2]; expected one bool"),
        (chosen("i32[1]", branch("Tanh", &["x"])), "`cond` is i32[1]; supported element types are bool"),
        (chosen("bool[]", shorter), "output 0 is f32[4] of `then_branch` and f32[1] of `else_branch`"),
        (chosen("bool[]", opset()), "`else_branch` is no graph with the node's 1 outputs"),
        (chosen("bool[]", branch("NoSuchOperator", &["x"])), "the first is node 0 `/choose`, `else_branch`: node 0"),
    ];
    for (model, expected) in cases {
        let fault = fault(&model);
        assert!(fault.contains(expected), "`{fault}` does not contain `{expected}`");
    }
}

/// `twice(x) = leak(leak(x))` with the slope that the call gives, and another that is the function's default.
#[test]
fn functions_are_expanded() {
    let leak = opset().node("LeakyRelu", &["v"], &["w"]).attribute_of_call("alpha", AttributeType::FLOAT, "slope");
    let twice = opset()
        .opset("local", 1)
        .node("local::leak", &["v"], &["once"])
        .attribute_of_call("slope", AttributeType::FLOAT, "slope")
        .node("local::leak", &["once"], &["w"]);
    let model = model()
        .opset("local", 1)
        .function("local::leak", &["v", "unused"], &["w"], leak)
        .function("local::twice", &["v"], &["w"], twice)
        .node("local::twice", &["x"], &["y"])
        .float("slope", 0.5);
    let slopes: Vec<bool> = operators(&model).iter().map(|operator| operator.contains("0.5")).collect();
    assert_eq!(slopes, [true, false]);
}

#[test]
fn a_function_takes_precedence_over_an_operator_of_its_name() {
    let model = model().function("Relu", &["v"], &["w"], opset().node("Tanh", &["v"], &["w"])).node("Relu", &["x"], &["y"]);
    assert_eq!(operators(&model), ["Elementwise tanh(x)"]);
}

#[test]
fn a_function_that_calls_itself_is_refused() {
    let model = model()
        .opset("local", 1)
        .function("local::f", &["v"], &["w"], opset().opset("local", 1).node("local::f", &["v"], &["w"]))
        .node("local::f", &["x"], &["y"])
        .name("/call");
    let fault = fault(&model);
    assert!(fault.starts_with("f: the function calls itself"), "{fault}");
    assert!(fault.contains("node 0 `/call`, function `f`: node 0 (local::f)"), "{fault}");
}

/// A function sees its inputs, but not the values around its call.
#[test]
fn a_function_does_not_see_what_is_around_its_call() {
    let model = model().opset("local", 1).function("local::f", &["v"], &["w"], opset().node("Add", &["v", "x"], &["w"])).node(
        "local::f",
        &["x"],
        &["y"],
    );
    assert!(fault(&model).starts_with("input `x` is defined nowhere"));
}

/// A `Loop` of `runs` runs on `x`, whose graph goes on as `still` says and computes the next state by `op`.
fn repeated(runs: &str, still: Build, op: &str) -> Build {
    let body = still
        .input("number", "i64[]")
        .input("go_on", "bool[]")
        .input("state", "f32[4]")
        .node(op, &["state"], &["next"])
        .output("still", "bool[]")
        .output("next", "f32[4]");
    model()
        .input("given", "i64[]")
        .initializer(tensor("runs", &[], &[3i64]))
        .node("Loop", &[runs, "", "x"], &["y"])
        .graph("body", body)
}

#[test]
fn loops_have_a_known_number_of_runs() {
    let always = || opset().node("Identity", &["go_on"], &["still"]);
    assert_eq!(operators(&repeated("runs", always(), "Relu")), ["Repeat 3 × { Elementwise relu(x) }"]);

    let counted = opset().initializer(tensor("one", &[], &[1i64])).node("Less", &["number", "one"], &["still"]);
    assert_eq!(operators(&repeated("runs", counted, "Relu")), ["Repeat 2 × { Elementwise relu(x) }"]);

    let computed =
        opset().node("ReduceMax", &["state"], &["most"]).int("keepdims", 0).node("Cast", &["most"], &["still"]).int("to", 9);
    let cases = [
        (repeated("given", always(), "Relu"), "Loop: the number of runs is not known at compile time"),
        (repeated("runs", computed, "Relu"), "Loop: the condition to go on is computed at run time"),
        (repeated("runs", always(), "Shape"), "Loop: a state is f32[4] before a run and i64[1] behind it"),
    ];
    for (model, expected) in cases {
        let fault = fault(&model);
        assert!(fault.starts_with(expected), "`{fault}` does not begin with `{expected}`");
    }
}

/// A `Loop` of three runs, which takes the elements of `x` from `start` to `end` of the run's number.
fn sliced(start: &str, end: &str, len: &str) -> Build {
    let body = opset()
        .input("number", "i64[]")
        .input("go_on", "bool[]")
        .initializer(tensor("one", &[], &[1i64]))
        .initializer(tensor("axis", &[1], &[0i64]))
        .node("Add", &["number", "one"], &["next"])
        .node("Add", &["next", "number"], &["double"])
        .node("Unsqueeze", &[start, "axis"], &["start"])
        .node("Unsqueeze", &[end, "axis"], &["end"])
        .node("Slice", &["x", "start", "end"], &["part"])
        .output("go_on", "bool[]")
        .output("part", len);
    opset()
        .input("x", "f32[4]")
        .output("y", "f32[3, 1]")
        .initializer(tensor("runs", &[], &[3i64]))
        .node("Loop", &["runs", ""], &["y"])
        .graph("body", body)
}

#[test]
fn a_loop_slices_by_the_number_of_its_run() {
    let expected = "Repeat 3 × { Reshape; Gather { axis: 0 } }";
    assert_eq!(operators(&sliced("number", "next", "f32[1]")), [expected]);
    let fault = fault(&sliced("number", "double", "f32[?]"));
    assert!(fault.contains("the runs of the loop take 1, 2, 2 elements along axis 0"), "{fault}");
}

/// A node of attention on two heads, with graphs.
fn attention(modified: Build) -> Build {
    let shape = "f32[1, 2, 3, 4]";
    let sizes = Build::new(26).input("q", shape).input("k", shape).input("v", shape).output("y", shape);
    let node = sizes.opset("ai.onnx.preview", 1).node("ai.onnx.preview::FlexAttention", &["q", "k", "v"], &["y"]);
    node.graph("score_mod", modified)
}

#[test]
fn the_graphs_of_attention_are_expanded() {
    let scores = || Build::new(26).input("s", "f32[1, 2, 3, 3]");
    let scores_then = |op| scores().node(op, &["s"], &["t"]).output("t", "f32[1, 2, 3, 3]");
    let found = operators(&attention(scores_then("Tanh")));
    let stages: Vec<&str> = found.iter().filter_map(|op| op.split([' ', '{']).next()).collect();
    assert_eq!(stages, ["Elementwise", "Elementwise", "Transpose", "MatMul", "Elementwise", "Softmax", "MatMul"], "{found:?}");
    let cases = [
        (scores_then("Shape"), "`score_mod` makes i64[4] of f32[1, 2, 3, 3]; expected the same type"),
        (scores().input("t", "f32[]").output("s", "f32[]"), "`score_mod` has 2 inputs and 1 outputs; expected one of each"),
        (scores_then("NoSuchOperator"), "`NoSuchOperator`: 1 node, the first is node 0, `score_mod`: node 0"),
    ];
    for (graph, expected) in cases {
        let fault = fault(&attention(graph));
        assert!(fault.contains(expected), "`{fault}` does not contain `{expected}`");
    }
}

/// Before opset 9, each operand of `Scan` has a batch.
#[test]
fn an_old_scan_has_a_batch_of_one() {
    let body = || {
        let sums = Build::new(8).input("sum", "f32[2]").input("row", "f32[2]");
        sums.node("Add", &["sum", "row"], &["next"]).output("next", "f32[2]")
    };
    let scan = |batch: usize, lengths: &str| {
        let model = Build::new(8).input("n", "i64[1]").input("s", &format!("f32[{batch}, 2]"));
        let model = model.input("x", &format!("f32[{batch}, 3, 2]")).output("y", "f32[?, 2]");
        model.node("Scan", &[lengths, "s", "x"], &["y"]).int("num_scan_inputs", 1).graph("body", body())
    };
    let expected = ["Reshape", "Reshape", "Repeat 3 × { Elementwise a + b }", "Reshape"];
    assert_eq!(operators(&scan(1, "")), expected);
    assert!(fault(&scan(2, "")).contains("input 1 is f32[2, 2]; before opset 9 supported is a batch of one"));
    assert!(fault(&scan(1, "n")).contains("the lengths of sequences are given"));
}

/// Faults in a graph that runs several times are told once.
#[test]
fn faults_in_a_loop_are_told_with_their_place() {
    let always = opset().node("Identity", &["go_on"], &["still"]);
    let fault = fault(&repeated("runs", always, "NoSuchOperator"));
    assert!(fault.contains("`NoSuchOperator`: 1 node, the first is node 0, `body`: node 1"), "{fault}");
}

/// What is no `If`, `Scan`, `Loop` or call of a function.
#[test]
fn nodes_that_do_not_fit_their_graphs_are_refused() {
    let choose = |condition| model().initializer(tensor("none", &[0], &[] as &[bool])).node("If", &[condition], &["y"]);
    let call = |function: Build, inputs: &[&str]| {
        model().opset("local", 1).function("local::f", &["v"], &["w"], function).node("local::f", inputs, &["y"])
    };
    let body = || opset().input("state", "f32[4]").input("row", "f32[]").node("Add", &["state", "row"], &["next"]);
    let scan = |inputs: &[&str], body: Build| model().input("k", "f32[3]").node("Scan", inputs, &["y"]).graph("body", body);
    let once = || body().output("next", "f32[4]");
    let always = || opset().node("Identity", &["go_on"], &["still"]);
    let runs = |count: i64| repeated("count", always(), "Relu").initializer(tensor("count", &[], &[count]));
    let stateless = model().initializer(tensor("runs", &[], &[3i64])).node("Loop", &["runs", "", "", "x"], &["y"]);
    let cases = [
        (choose("none").graph("then_branch", branch("Relu", &["x"])), "If: the condition is bool[0]; expected one bool"),
        (choose(""), "If: the condition is missing"),
        (choose("c").initializer(tensor("c", &[], &[true])), "If: `then_branch` is no graph with the node's 1 outputs"),
        (
            call(opset().node("Relu", &["v"], &["w"]), &["x", "x"]),
            "f: the call has 2 inputs and 1 outputs; the function has 1 and 1",
        ),
        (model().node("Scan", &["x"], &["y"]), "Scan: attribute `body` is no graph"),
        (scan(&["x"], once()), "Scan: attribute `num_scan_inputs` is not between 1 and the 1 inputs"),
        (scan(&["x", "k"], once()).int("num_scan_inputs", 2), "Scan: the scanned inputs have 4 and 3 slices"),
        (
            scan(&["x", "k"], once()).int("num_scan_inputs", 1).ints("scan_input_axes", &[0, 0]),
            "Scan: attribute `scan_input_axes` has 2 elements; expected one for each of the 1 tensors",
        ),
        (
            scan(&["x", "x", "k"], once()).int("num_scan_inputs", 1),
            "Scan: the graph has 2 inputs and 1 outputs; the node gives it 3",
        ),
        (scan(&["x", "k"], body()).int("num_scan_inputs", 1), "Scan: the graph yields fewer values than it has states"),
        (runs(1 << 40), "Loop: the node runs 16777217 times; supported are 0 to 16777216"),
        (runs(0), "Loop: the graph runs no time"),
        (stateless.graph("body", always()), "Loop: a state is omitted"),
    ];
    for (model, expected) in cases {
        let fault = fault(&model);
        assert!(fault.starts_with(expected), "`{fault}` does not begin with `{expected}`");
    }
}

/// Each function calls the one before it twice.
#[test]
fn functions_that_grow_without_bound_are_refused() {
    let mut model = model().opset("local", 1).function("local::f0", &["v"], &["w"], opset().node("Relu", &["v"], &["w"]));
    for level in 1..=20 {
        let inner = format!("local::f{}", level - 1);
        let twice = opset().opset("local", 1).node(&inner, &["v"], &["once"]).node(&inner, &["once"], &["w"]);
        model = model.function(&format!("local::f{level}"), &["v"], &["w"], twice);
    }
    let fault = fault(&model.node("local::f20", &["x"], &["y"]));
    assert!(fault.contains("the model's functions expand to more than 1048576 nodes"), "{fault}");
}

/// The constants that nodes compute are told by the first node past the limit.
#[test]
fn constants_that_grow_without_bound_are_refused() {
    let model = opset().initializer(tensor("shape", &[1], &[1i64 << 22]));
    let model = (0..9).fold(model, |model, step| {
        let made = format!("v{step}");
        model.node("ConstantOfShape", &["shape"], &[&made]).output(&made, "f32[1]")
    });
    assert!(fault(&model).starts_with("ConstantOfShape: the nodes up to this one compute"), "{}", fault(&model));
}
