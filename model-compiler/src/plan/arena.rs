//! Places buffers in one arena such that few bytes are needed, with outputs overlapping dying inputs where kernels allow it.
//!
//! Two buffers that are alive at a common step must be disjoint, unless one dies at the very step at which the other is born
//! and the kernel of that step bears their overlap. Either way the rule between two buffers is one *forbidden open interval*
//! for the distance of their offsets: `(-bytes, bytes of the other)` for disjointness, less for a touch, and two that meet in
//! the one permitted distance for a kernel that works in place and nowhere near. So the lowest permitted offset of a buffer among
//! those already placed is found by one sweep over sorted intervals ("lowest fit").
//!
//! What remains is in which order to place. Proved: every order gives a valid placement; and where each interval has its low
//! end at or below zero and its high end at or above (always so without views into larger buffers and negative distances)
//! some order gives the smallest arena, namely the order of the offsets in it, as lowest fit then moves each buffer down or
//! leaves it. Heuristic: which orders are looked at. A few good ones are tried (by size, by time, by heaviest step); then a
//! hill climb with a fixed budget moves the buffer that reaches the top, or one that it may rest on, to another turn. It ends
//! early when the peak meets the largest live set less what overlaps can save at that step, which no placement undercuts.
//!
//! A chain that drifts downwards, as forward overlaps let it, is served by the order from the last buffer to the first:
//! each input is put as low as its output permits, which is above it where the kernel wants a distance and back at the
//! bottom where the kernel works in either direction.

use std::ops::Range;

use model_kernels::Overlap;

mod rules;
mod search;
#[cfg(test)]
mod simulation;
#[cfg(test)]
mod tests;
#[cfg(test)]
pub(super) use search::Random;

/// Bytes that are needed during some steps. Graph inputs live from step 0, graph outputs past the last step.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Buffer {
    /// Size in bytes; an empty buffer is never in the way.
    pub(crate) bytes: usize,
    /// The offset is a multiple of this.
    pub(crate) align: usize,
    /// The step at which it is written first.
    pub(crate) first: usize,
    /// The step at which it is read last.
    pub(crate) last: usize,
}

/// A value that a step reads and a value that it writes, with the overlap that its kernel bears.
///
/// A touch has effect only where the input's buffer dies at the step at which the output's buffer is born. Then it stands
/// for the whole rule between the two buffers, so a step that reads several values of one buffer has a touch for each.
/// Where several touches of one step have effect the kernel runs forwards; otherwise either direction may be chosen.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Touch {
    /// The buffer that is read.
    pub(crate) input: usize,
    /// The bytes of it that the step reads.
    pub(crate) read: Range<usize>,
    /// The buffer that is written.
    pub(crate) output: usize,
    /// The bytes of it that the step writes.
    pub(crate) written: Range<usize>,
    /// How far the written value may overtake the value read; [`Overlap::NONE`] keeps just these two values disjoint.
    pub(crate) overlap: Overlap,
}

/// Where each buffer lies.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Placement {
    /// For each buffer its first byte in the arena.
    pub(crate) offsets: Vec<usize>,
    /// The size of the arena.
    pub(crate) peak: usize,
    /// For each touch whether its step must run from last to first.
    pub(crate) backward: Vec<bool>,
    /// For each touch what makes an overlap of its buffers right, whichever way the step runs.
    pub(crate) margins: Vec<Margin>,
}

/// What the first bytes of a touch's two buffers keep. Distances are in bytes, and below zero where the buffers begin, or may
/// begin, the other way round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Margin {
    /// The output's buffer begins before the input's by at least the distance.
    Before(isize),
    /// The output's buffer begins after the input's by at least the distance.
    After(isize),
    /// The output's buffer begins before the input's by just the distance.
    Exactly(isize),
}

/// Chooses an offset for every buffer. The same arguments give the same placement.
pub(crate) fn place(buffers: &[Buffer], touches: &[Touch]) -> Placement {
    let forbidden = rules::forbidden(buffers, touches);
    let target = rules::bound(buffers, touches);
    let best = search::run(buffers, &forbidden, target);
    let turned =
        |touch: &Touch| touch.has_effect(buffers) && !touch.is_apart(&best.offsets) && !touch.runs_forward(&best.offsets);
    Placement {
        backward: touches.iter().map(turned).collect(),
        margins: touches.iter().map(|touch| rules::margin(buffers, touches, touch, &best.offsets)).collect(),
        offsets: best.offsets,
        peak: best.peak,
    }
}

/// The largest number of bytes alive at one step: what an arena needs where nothing overlaps.
pub(crate) fn lower_bound(buffers: &[Buffer]) -> usize {
    (buffers.iter()).map(|born| live_bytes(buffers, born.first)).max().unwrap_or(0)
}

/// The bytes of all buffers that are alive at `step`.
fn live_bytes(buffers: &[Buffer], step: usize) -> usize {
    (buffers.iter()).filter(|buffer| buffer.first <= step && step <= buffer.last).map(|buffer| buffer.bytes).sum()
}

/// Says what is wrong with a placement, if anything, by looking at every pair of buffers and at nothing the search uses.
#[cfg(any(test, debug_assertions))]
pub(crate) fn check(buffers: &[Buffer], touches: &[Touch], placement: &Placement) -> Result<(), String> {
    let offsets = &placement.offsets;
    for (a, buffer) in buffers.iter().enumerate() {
        if !offsets[a].is_multiple_of(buffer.align) || offsets[a] + buffer.bytes > placement.peak {
            return Err(format!("buffer {a} is misaligned or out of bounds"));
        }
        for (b, other) in buffers.iter().enumerate().skip(a + 1) {
            let alive = buffer.first <= other.last && other.first <= buffer.last;
            let apart = offsets[a] + buffer.bytes <= offsets[b] || offsets[b] + other.bytes <= offsets[a];
            let touch = |touch: &Touch| touch.has_effect(buffers) && [(a, b), (b, a)].contains(&(touch.input, touch.output));
            if alive && !apart && !touches.iter().any(touch) {
                return Err(format!("buffers {a} and {b} overlap"));
            }
        }
    }
    for (index, touch) in touches.iter().enumerate() {
        let backward = placement.backward[index];
        let alone = touch.is_alone(buffers, touches);
        let ordered =
            if backward { alone && touch.runs_backward(offsets) } else { touch.runs_forward(offsets) || touch.is_apart(offsets) };
        if touch.has_effect(buffers) && !ordered {
            return Err(format!("touch {index} overlaps in a way its kernel does not bear"));
        }
    }
    Ok(())
}

impl Touch {
    /// Whether the input's buffer dies where the output's is born.
    fn has_effect(&self, buffers: &[Buffer]) -> bool {
        self.input != self.output && buffers[self.input].last == buffers[self.output].first
    }

    /// Whether no other touch with effect belongs to the same step, so that the step may run backwards.
    fn is_alone(&self, buffers: &[Buffer], touches: &[Touch]) -> bool {
        let step = buffers[self.output].first;
        let at_step = |touch: &&Touch| touch.has_effect(buffers) && buffers[touch.output].first == step;
        touches.iter().filter(at_step).count() == 1
    }

    /// Where the value that is read and the value that is written begin in the arena.
    fn starts(&self, offsets: &[usize]) -> (usize, usize) {
        (offsets[self.input] + self.read.start, offsets[self.output] + self.written.start)
    }

    fn is_apart(&self, offsets: &[usize]) -> bool {
        let (read, written) = self.starts(offsets);
        read + self.read.len() <= written || written + self.written.len() <= read
    }

    /// Whether the values lie so that the kernel is right when run from first to last.
    fn runs_forward(&self, offsets: &[usize]) -> bool {
        let (read, written) = self.starts(offsets);
        let keeps = |distance: isize| written as isize + distance <= read as isize;
        self.overlap.forward.is_some_and(keeps) || self.overlap.in_place && written == read
    }

    /// Whether the values lie so that the kernel is right when run from last to first.
    #[cfg(any(test, debug_assertions))]
    fn runs_backward(&self, offsets: &[usize]) -> bool {
        let (read, written) = self.starts(offsets);
        (self.overlap.backward).is_some_and(|distance| written as isize >= read as isize + distance)
    }
}
