//! Draws a model: inputs of the kinds that models have, then node after node, each by a family of operators that finds operands it can read.

mod activations;
mod composed;
mod elementwise;
mod images;
mod integer_layers;
mod integers;
mod matrices;
mod movements;
mod quantized;
mod recurrent;
mod reductions;

use crate::draft::{Draft, Drawn};
use crate::random::Random;

/// Adds a node or a few, or nothing where no operand fits.
type Family = fn(&mut Draft) -> Option<()>;

/// What is drawn, and how often.
const FAMILIES: &[(usize, Family)] = &[
    (22, images::layer),
    (6, images::pool),
    (6, images::shape),
    (5, images::normalize),
    (10, matrices::layer),
    (4, matrices::product),
    (10, activations::activation),
    (8, elementwise::unary),
    (14, elementwise::binary),
    (5, elementwise::choice),
    (24, movements::movement),
    (8, reductions::reduction),
    (5, reductions::lane),
    (3, recurrent::recurrent),
    (5, integers::arithmetic),
    (4, integers::convert),
    (5, composed::composition),
    (4, composed::places),
    (6, integer_layers::layer),
    (5, integer_layers::pointwise),
];

/// The model number `index` of a seed; `None` where the draw came to nothing.
pub fn draw(seed: u64, index: u64) -> Option<Drawn> {
    let mut draft = Draft::new(Random::new(seed, index));
    inputs(&mut draft);
    let wanted = draft.random.within(1..=9);
    let mut added = 0;
    for _ in 0..8 * wanted {
        let family = draft.random.pick_weighted(FAMILIES);
        added += usize::from(family(&mut draft).is_some());
        if added == wanted {
            break;
        }
    }
    draft.finish()
}

/// One to three inputs.
fn inputs(draft: &mut Draft) {
    let count = draft.random.pick(&[1, 1, 1, 2, 2, 3]);
    for number in 0..count {
        let elem = match draft.random.below(20) {
            0 => "i64",
            1 => "i32",
            2 => "u8",
            3 => "i8",
            4 => "bool",
            _ => "f32",
        };
        // The first is of the kind that most operators read.
        let elem = if number == 0 && draft.random.chance(80) { "f32" } else { elem };
        let shape = shape(&mut draft.random);
        draft.input(elem, shape);
    }
}

fn shape(random: &mut Random) -> Vec<usize> {
    let batch = if random.chance(80) { 1 } else { random.within(2..=3) };
    match random.below(20) {
        0..=8 => vec![batch, random.within(1..=6), random.within(2..=8), random.within(1..=8)],
        9..=11 => vec![batch, random.within(1..=6), random.within(2..=12)],
        12 => vec![1, random.within(1..=3), random.within(2..=4), random.within(2..=4), random.within(2..=4)],
        13..=15 => vec![batch, random.within(1..=16)],
        _ => (0..random.below(5)).map(|_| random.within(1..=5)).collect(),
    }
}
