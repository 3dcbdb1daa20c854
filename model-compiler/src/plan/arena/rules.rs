//! What a placement must obey, as forbidden distances between offsets, and a size that no placement undercuts.

use super::{Buffer, Margin, Touch, live_bytes};

/// A forbidden distance: the offset of one buffer less that of `other` must not lie strictly between `low` and `high`.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Forbidden {
    pub(super) other: usize,
    pub(super) low: isize,
    pub(super) high: isize,
}

/// For each buffer the rules that bind it to others; each rule stands with both of its buffers.
pub(super) fn forbidden(buffers: &[Buffer], touches: &[Touch]) -> Vec<Vec<Forbidden>> {
    let mut rules = vec![Vec::new(); buffers.len()];
    let mut forbid = |buffer: usize, other: usize, low: isize, high: isize| {
        rules[buffer].push(Forbidden { other, low, high });
        rules[other].push(Forbidden { other: buffer, low: -high, high: -low });
    };
    let touched = |a: usize, b: usize| {
        let joins = |touch: &Touch| touch.input == a && touch.output == b;
        buffers[a].last == buffers[b].first && touches.iter().any(joins)
    };
    for (a, buffer) in buffers.iter().enumerate() {
        for (b, other) in buffers.iter().enumerate().skip(a + 1) {
            let alive = buffer.first <= other.last && other.first <= buffer.last;
            let empty = buffer.bytes == 0 || other.bytes == 0;
            if alive && !empty && !touched(a, b) && !touched(b, a) {
                forbid(a, b, -(buffer.bytes as isize), other.bytes as isize);
            }
        }
    }
    for touch in touches.iter().filter(|touch| touch.has_effect(buffers)) {
        let rule = Rule::of(buffers, touch, touch.is_alone(buffers, touches));
        for (low, high) in rule.intervals() {
            forbid(touch.output, touch.input, low, high);
        }
    }
    rules
}

/// The distances of the output's buffer from the input's that a touch forbids: those between `low` and `high` but `hole`.
struct Rule {
    low: isize,
    high: isize,
    hole: Option<isize>,
}

impl Rule {
    /// The output's buffer may begin before the input's as far as the kernel wants it to when run forwards, or as far as leaves the
    /// two values apart. Likewise after it, if its step has no other touch; otherwise after it the buffers are disjoint, so that
    /// all overlaps of a step are of one kind. Between, the two values may begin together where the kernel works in place.
    fn of(buffers: &[Buffer], touch: &Touch, alone: bool) -> Self {
        let input = buffers[touch.input].bytes as isize;
        let output = buffers[touch.output].bytes as isize;
        let shift = touch.read.start as isize - touch.written.start as isize;
        let before = touch.written.len() as isize;
        let after = touch.read.len() as isize;
        let low = shift - touch.overlap.forward.map_or(before, |distance| distance.min(before));
        let high = match alone {
            true => shift + touch.overlap.backward.map_or(after, |distance| distance.min(after)),
            false => input,
        };
        // Further out the buffers are disjoint anyway.
        let (low, high) = (low.min(input), high.max(-output));
        Self { low, high, hole: Some(shift).filter(|shift| touch.overlap.in_place && low < *shift && *shift < high) }
    }

    /// The open intervals that are forbidden.
    fn intervals(&self) -> impl Iterator<Item = (isize, isize)> {
        let first = (self.low, self.hole.unwrap_or(self.high));
        [first].into_iter().chain(self.hole.map(|hole| (hole, self.high)))
    }

    fn permits(&self, distance: isize) -> bool {
        !self.intervals().any(|(low, high)| low < distance && distance < high)
    }
}

/// The end of the forbidden interval on whose side the buffers of a touch lie, or the hole in which they do.
pub(super) fn margin(buffers: &[Buffer], touches: &[Touch], touch: &Touch, offsets: &[usize]) -> Margin {
    let rule = Rule::of(buffers, touch, touch.is_alone(buffers, touches));
    let distance = offsets[touch.output] as isize - offsets[touch.input] as isize;
    if rule.hole == Some(distance) {
        return Margin::Exactly(-distance);
    }
    if distance <= rule.low { Margin::Before(-rule.low) } else { Margin::After(rule.high) }
}

/// The largest live set, less at each step what the overlaps there can save at most.
pub(super) fn bound(buffers: &[Buffer], touches: &[Touch]) -> usize {
    let at_step = |step: usize| {
        let touches: Vec<&Touch> =
            (touches.iter()).filter(|touch| touch.has_effect(buffers) && buffers[touch.output].first == step).collect();
        let alone = touches.len() == 1;
        let shared = touches.iter().map(|touch| saving(buffers, touch, alone)).sum();
        // The inputs are disjoint from each other, and so are the outputs: no byte is saved twice on either side.
        let side = |end: fn(&Touch) -> usize| -> usize {
            let is_end = |index: &usize| touches.iter().any(|touch| end(touch) == *index);
            let bytes = (0..buffers.len()).filter(is_end).map(|index| buffers[index].bytes);
            bytes.sum()
        };
        let saved = side(|touch| touch.input).min(side(|touch| touch.output)).min(shared);
        live_bytes(buffers, step) - saved
    };
    (buffers.iter()).map(|born| at_step(born.first)).max().unwrap_or(0)
}

/// The most bytes that the two buffers of a touch can have in common.
fn saving(buffers: &[Buffer], touch: &Touch, alone: bool) -> usize {
    let rule = Rule::of(buffers, touch, alone);
    let input = buffers[touch.input].bytes as isize;
    let output = buffers[touch.output].bytes as isize;
    // What they share rises, stays and falls with the distance: it is largest at a permitted corner of its own or at an end of an interval.
    [rule.low, rule.high, rule.hole.unwrap_or(0), 0, input - output]
        .into_iter()
        .filter(|distance| rule.permits(*distance))
        .map(|distance| (input.min(distance + output) - distance.max(0)).max(0))
        .max()
        .unwrap_or(0) as usize
}
