//! A model with state computes what the same model does whose caller hands its outputs on.

use model_runtime::{Model, include_model};

include_model!("models/state.onnx", name = plain);
include_model!(
    "models/state.onnx",
    name = tied,
    state = { sum: sum_next, window: window_next, left: left_next, "right": "right_next" },
    state_init = { left: 2, window: [[0.5, 1, 1.5, 2], [0, 0, 0, 0], [-1, -2, -3, -4]] }
);
include_model!(
    "models/state.onnx",
    name = zeros,
    state = { sum: sum_next, window: window_next, left: left_next, right: right_next },
    state_init = { sum: 0 }
);

/// The input of run number `run`.
fn input(run: usize) -> [f32; 4] {
    std::array::from_fn(|index| (run * 3 % 5) as f32 - index as f32 / 2.0)
}

/// What six runs yield when the caller hands the state on.
fn expected(mut window: [[f32; 4]; 3], mut left: [f32; 4]) -> Vec<([f32; 4], [f32; 4])> {
    let (mut sum, mut right) = ([0.0; 4], [0.0; 4]);
    let mut model = plain::Model::new();
    let run = |run| {
        let outputs = model.run(&input(run), &sum, &window, &left, &right);
        (sum, window, left, right) = (*outputs.sum_next, *outputs.window_next, *outputs.left_next, *outputs.right_next);
        (*outputs.highest, *outputs.difference)
    };
    (0..6).map(run).collect()
}

const WINDOW: [[f32; 4]; 3] = [[0.5, 1.0, 1.5, 2.0], [0.0; 4], [-1.0, -2.0, -3.0, -4.0]];

#[test]
fn runs_are_those_of_a_caller_who_hands_the_state_on() {
    let mut model = tied::Model::new();
    for (run, (highest, difference)) in expected(WINDOW, [2.0; 4]).into_iter().enumerate() {
        let outputs = model.run(&input(run));
        assert_eq!((*outputs.highest, *outputs.difference), (highest, difference), "run {run}");
    }
}

#[test]
fn a_state_begins_with_zeros() {
    let mut model = zeros::Model::new();
    for (run, (highest, difference)) in expected([[0.0; 4]; 3], [0.0; 4]).into_iter().enumerate() {
        let outputs = model.run(&input(run));
        assert_eq!((*outputs.highest, *outputs.difference), (highest, difference), "run {run}");
    }
}

#[test]
fn a_reset_restores_the_first_state() {
    let mut model = tied::Model::new();
    let first = *model.run(&input(0)).highest;
    model.run(&input(1));
    model.reset();
    assert_eq!(*model.run(&input(0)).highest, first);
    let model: &mut dyn Model = &mut model;
    model.reset();
    assert_eq!(model.output_bytes(0).map(<[u8]>::len), Some(16));
    assert_eq!(model.signature().inputs.len(), 1);
}

/// The window and what is joined to it lie in one place, and only what is not zero at first takes a flag.
#[test]
fn memory_counts_state() {
    assert_eq!(size_of::<tied::Model>(), tied::RAM_BYTES);
    assert_eq!(zeros::RAM_BYTES + 8, tied::RAM_BYTES);
    const { assert!(zeros::RAM_BYTES < plain::RAM_BYTES) };
}
