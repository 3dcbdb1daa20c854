//! Recurrent layers.

use crate::draft::{Draft, Int, Text};

/// `LSTM`, `GRU` or `RNN` of a sequence.
pub fn recurrent(draft: &mut Draft) -> Option<()> {
    let value = draft.operand(|value| value.is("f32") && value.rank() == 3)?;
    let [steps, batch, size] = value.ty.shape[..] else { return None };
    let (op, gates) = draft.random.pick(&[("LSTM", 4), ("GRU", 3), ("RNN", 1)]);
    let hidden = draft.random.within(1..=4);
    let direction = draft.random.pick(&["forward", "forward", "reverse", "bidirectional"]);
    let directions = if direction == "bidirectional" { 2 } else { 1 };
    let weights = draft.some("f32", &[directions, gates * hidden, size], 0.5);
    let recurrence = draft.some("f32", &[directions, gates * hidden, hidden], 0.5);
    let bias = if draft.random.chance(70) { draft.some("f32", &[directions, 2 * gates * hidden], 0.5) } else { String::new() };
    let initial = if draft.random.chance(40) { draft.some("f32", &[directions, batch, hidden], 1.0) } else { String::new() };
    let mut inputs = vec![value.name.as_str(), &weights, &recurrence, &bias, "", &initial];
    while inputs.last() == Some(&"") {
        inputs.pop();
    }
    let mut attributes = vec![Int("hidden_size", hidden as i64), Text("direction", direction)];
    if op == "GRU" && draft.random.chance(50) {
        attributes.push(Int("linear_before_reset", 1));
    }
    let (all, last) = ([steps, directions, batch, hidden], [directions, batch, hidden]);
    match op {
        "LSTM" => {
            draft.add_several(op, &inputs, &attributes, [("f32", &all[..]), ("f32", &last), ("f32", &last)], 1.0);
        }
        _ => {
            draft.add_several(op, &inputs, &attributes, [("f32", &all[..]), ("f32", &last)], 1.0);
        }
    }
    Some(())
}
