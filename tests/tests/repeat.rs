//! A graph that runs several times inside of a model.

use model_runtime::include_model;

include_model!("models/repeat.onnx");

#[test]
fn runs_find_what_the_run_before_left() {
    let (x, k, first) = ([[1.0, 2.0, 3.0], [-1.0, 0.5, 0.25]], [0.5, -2.0], [8.0, -4.0]);
    let mut model = repeat::Model::new();
    for _ in 0..2 {
        let outputs = model.run(&x, &k, &first);
        let (mut sum, mut rows) = (first, [[0.0; 3]; 2]);
        for (run, column) in [2, 1, 0].into_iter().enumerate() {
            for row in 0..2 {
                sum[row] = sum[row] * -k[row] + x[row][column];
                rows[row][run] = sum[row];
            }
        }
        assert_eq!(*outputs.rows, rows);
        let totals: [[f32; 2]; 4] = std::array::from_fn(|run| sum.map(|last| last + (0..=run).sum::<usize>() as f32));
        assert_eq!(*outputs.y, totals[3]);
        assert_eq!(*outputs.shown, totals.map(|total| total.map(|element: f32| element.max(0.0))));
    }
}

/// Memory is that of one run, not of all.
#[test]
fn runs_share_their_memory() {
    const { assert!(repeat::RAM_BYTES <= 160) };
}
