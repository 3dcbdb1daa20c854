//! An `If` inside of a model whose condition each run computes anew.

use model_runtime::include_model;

include_model!("models/branch.onnx");

#[test]
fn each_run_takes_its_branch() {
    let rows = [[1.0, -2.0, 3.0], [0.5, 0.25, 4.0]];
    let cases = [
        (rows, 2.0, rows.map(|row| row.map(|x| x + x * x)), [1.0, 2.0, 3.0]),
        (rows, 9.0, rows.map(|row| row.map(|x: f32| x + x.abs())), [1.0, 2.0, 4.0]),
        (rows.map(|row| row.map(|x| -x)), 0.5, [[0.5; 3]; 2], [1.5, 0.75, 4.5]),
    ];
    let mut model = branch::Model::new();
    for _ in 0..2 {
        for (x, limit, both, z) in cases {
            let outputs = model.run(&x, &[limit]);
            assert_eq!((*outputs.both, *outputs.z), (both, z), "{limit}");
        }
    }
}

/// Two values of a branch share their memory with two of the other: that of one is enough.
#[test]
fn branches_share_their_memory() {
    const { assert!(branch::RAM_BYTES <= 192) };
}
