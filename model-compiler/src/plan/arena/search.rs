//! Lowest-fit placement in an order, and the search for a good order.

use std::cmp::Reverse;

use super::rules::Forbidden;
use super::{Buffer, live_bytes};

/// Visits of a rule that a search may spend for each buffer, and in all: some 0.1 s without optimization.
const BUDGET_EACH: usize = 10_000;
const BUDGET: usize = 1_000_000;

/// An order of placing and what lowest fit makes of it.
#[derive(Clone, Debug)]
pub(super) struct Candidate {
    order: Vec<usize>,
    pub(super) offsets: Vec<usize>,
    pub(super) peak: usize,
}

/// Looks for an order whose peak is at most `target`, and returns the best one found.
pub(super) fn run(buffers: &[Buffer], rules: &[Vec<Forbidden>], target: usize) -> Candidate {
    let mut search = Search { buffers, rules, target, budget: BUDGET.min(BUDGET_EACH * buffers.len()), random: Random::new(0) };
    let mut starts: Vec<Candidate> = (first_orders(buffers).into_iter()).map(|order| search.place_all(order)).collect();
    starts.sort_by_key(|start| start.peak);
    let best = starts.swap_remove(0);
    search.climb(best)
}

/// Orders that are good for some kinds of graphs.
fn first_orders(buffers: &[Buffer]) -> Vec<Vec<usize>> {
    let pressure: Vec<usize> = (buffers.iter())
        .map(|buffer| {
            let births = buffers.iter().map(|other| other.first);
            births
                .filter(|step| buffer.first <= *step && *step <= buffer.last)
                .map(|step| live_bytes(buffers, step))
                .max()
                .unwrap_or(0)
        })
        .collect();
    let sorted = |key: &dyn Fn(usize, &Buffer) -> (usize, usize)| {
        let mut order: Vec<usize> = (0..buffers.len()).collect();
        order.sort_by_key(|index| Reverse(key(*index, &buffers[*index])));
        order
    };
    vec![
        sorted(&|_, buffer| (buffer.last, buffer.first)),
        sorted(&|_, buffer| (buffer.bytes, buffer.last)),
        sorted(&|_, buffer| (buffer.bytes * (buffer.last + 1).saturating_sub(buffer.first), buffer.last)),
        sorted(&|index, buffer| (pressure[index], buffer.last)),
        sorted(&|index, buffer| (pressure[index], buffer.bytes)),
        (0..buffers.len()).collect(),
    ]
}

struct Search<'a> {
    buffers: &'a [Buffer],
    rules: &'a [Vec<Forbidden>],
    target: usize,
    budget: usize,
    random: Random,
}

impl Search<'_> {
    /// Lets buffers that hold up the top change their turn, and keeps every change that does no harm.
    fn climb(&mut self, mut best: Candidate) -> Candidate {
        while best.peak > self.target && self.budget > 0 {
            let mut next = best.clone();
            let from = self.vary(&mut next);
            if self.place_from(&mut next, from, best.peak) {
                best = next;
            }
        }
        best
    }

    /// Moves the buffer that reaches the top, or one below it, to a turn before the top buffer's; returns the first turn that changed.
    fn vary(&mut self, candidate: &mut Candidate) -> usize {
        let Candidate { order, offsets, peak } = candidate;
        let reaches_top = |index: &usize| offsets[*index] + self.buffers[*index].bytes == *peak;
        let top = order.iter().position(reaches_top).unwrap_or(0);
        let below: Vec<usize> = (self.rules[order[top]].iter())
            .filter_map(|rule| order[..top].iter().position(|index| *index == rule.other))
            .collect();
        let from = match self.random.below(2 * below.len()) {
            drawn if drawn < below.len() => below[drawn],
            _ => top,
        };
        let to = self.random.below(top + 1);
        let moved = order.remove(from);
        order.insert(to, moved);
        from.min(to)
    }

    fn place_all(&mut self, order: Vec<usize>) -> Candidate {
        let mut candidate = Candidate { offsets: vec![0; order.len()], peak: 0, order };
        self.place_from(&mut candidate, 0, usize::MAX);
        candidate
    }

    /// Places the buffers whose turn is `turn` or later; gives up, and returns false, when one ends above `limit`.
    fn place_from(&mut self, candidate: &mut Candidate, turn: usize, limit: usize) -> bool {
        let Candidate { order, offsets, peak } = candidate;
        let mut turns = vec![0; order.len()];
        for (turn, index) in order.iter().enumerate() {
            turns[*index] = turn;
        }
        *peak = 0;
        for index in &order[..turn] {
            *peak = (*peak).max(offsets[*index] + self.buffers[*index].bytes);
        }
        for index in &order[turn..] {
            offsets[*index] = self.lowest(*index, &turns, offsets);
            *peak = (*peak).max(offsets[*index] + self.buffers[*index].bytes);
            if *peak > limit {
                return false;
            }
        }
        true
    }

    /// The lowest offset that the buffers with earlier turns leave to this one.
    fn lowest(&mut self, index: usize, turns: &[usize], offsets: &[usize]) -> usize {
        let mut forbidden = Vec::with_capacity(self.rules[index].len());
        for rule in &self.rules[index] {
            if turns[rule.other] < turns[index] {
                let other = offsets[rule.other] as isize;
                forbidden.push((other + rule.low, other + rule.high));
            }
        }
        self.budget = self.budget.saturating_sub(self.rules[index].len());
        forbidden.sort_unstable();
        let align = self.buffers[index].align;
        let mut lowest = 0;
        for (low, high) in forbidden {
            if low < lowest && lowest < high {
                lowest = (high as usize).next_multiple_of(align) as isize;
            }
        }
        lowest as usize
    }
}

/// A fixed xorshift sequence.
#[derive(Clone, Debug)]
pub(in crate::plan) struct Random(u64);

impl Random {
    /// The sequence of a seed.
    pub(in crate::plan) fn new(seed: u64) -> Self {
        Self(seed ^ 0x9E37_79B9_7F4A_7C15)
    }

    /// The next number, below `end`, which is above zero.
    pub(in crate::plan) fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 33) as usize % end
    }
}
