//! Chooses an order of execution whose largest live set is small.
//!
//! What is live after some steps depends only on which steps are done, not on their order. So an order is a path through the
//! sets of done steps, and its cost is the largest need on the way. The search takes the set that was reached with the least
//! need first, among equals the one with the most steps done; the first time it reaches the full set the order is proved to
//! be the best (the bottleneck form of Dijkstra's algorithm).
//!
//! Most choices are none: a step that needs no more than was needed on the way already, and leaves no more alive than it
//! finds, can go first without harm. Proof: move it to the front of any continuation. Each step that it overtakes then finds
//! at most as many bytes as before, since what dies in the moved step has no other reader left, and the rest of its inputs
//! had to stay alive for it anyway.
//!
//! The number of sets looked at is bounded. Past the bound the order is made greedily, which proves nothing. Either way the
//! given order stands unless the new one is strictly better, and a chain, which has one order only, costs nothing.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashSet};

#[cfg(test)]
mod tests;

/// Steps that read and write tensors, each named by its index.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Flow {
    /// The steps in an order in which they can run.
    pub(crate) steps: Vec<Step>,
    /// The size of each tensor.
    pub(crate) bytes: Vec<usize>,
    /// Tensors that are filled before the first step.
    pub(crate) inputs: Vec<usize>,
    /// Tensors that stay alive after the last step.
    pub(crate) outputs: Vec<usize>,
}

/// What one step uses.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Step {
    /// Tensors that it reads.
    pub(crate) reads: Vec<usize>,
    /// Tensors that it writes, or writes parts of.
    pub(crate) writes: Vec<usize>,
    /// Bytes that it needs for itself while it runs.
    pub(crate) scratch: usize,
}

/// Sets of done steps that the search may look at: some 0.2 s without optimization.
const BUDGET: usize = 12_000;

/// An order of the steps, by their indices: the given one, or one with a strictly smaller largest live set.
///
/// A tensor is alive from its first write (or the beginning) to its last use (or the end). Of two steps that share a tensor
/// which one reads and the other writes, the first stays first; steps that write parts of one tensor may change places.
/// The same flow gives the same order.
pub(crate) fn order(flow: &Flow) -> Vec<usize> {
    let given: Vec<usize> = (0..flow.steps.len()).collect();
    let search = Search::new(flow);
    if search.has_one_order() {
        return given;
    }
    let peak = search.peak(&given);
    if peak <= search.floor() {
        return given;
    }
    match search.best_below(peak) {
        Outcome::Better(order) => order,
        Outcome::NoneBetter => given,
        Outcome::BudgetSpent => {
            let greedy = search.greedy();
            if search.peak(&greedy) < peak { greedy } else { given }
        }
    }
}

/// A set of steps, one bit each.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Set(Vec<u64>);

impl Set {
    fn contains(&self, step: usize) -> bool {
        self.0[step / 64] >> (step % 64) & 1 == 1
    }

    fn insert(&mut self, step: usize) {
        self.0[step / 64] |= 1 << (step % 64);
    }
}

/// What is known after some steps.
#[derive(Clone, Debug)]
struct State {
    done: Set,
    /// How many steps are done.
    count: usize,
    /// The bytes alive now.
    live: usize,
    /// The most bytes alive so far.
    peak: usize,
    /// The state before and the step between; the first state has none.
    from: Option<(usize, usize)>,
}

enum Outcome {
    Better(Vec<usize>),
    NoneBetter,
    BudgetSpent,
}

struct Search<'a> {
    flow: &'a Flow,
    /// For each step the steps that must be done before.
    before: Vec<Vec<usize>>,
    /// For each step the tensors that it reads or writes, each once.
    uses: Vec<Vec<usize>>,
    /// For each tensor the steps that read or write it.
    users: Vec<Vec<usize>>,
    /// For each tensor the steps that write it.
    writers: Vec<Vec<usize>>,
}

impl<'a> Search<'a> {
    fn new(flow: &'a Flow) -> Self {
        let mut users = vec![Vec::<usize>::new(); flow.bytes.len()];
        let mut writers = users.clone();
        let mut readers = users.clone();
        let mut before = vec![Vec::<usize>::new(); flow.steps.len()];
        let mut uses = before.clone();
        for (index, step) in flow.steps.iter().enumerate() {
            for tensor in &step.reads {
                before[index].extend(&writers[*tensor]);
                readers[*tensor].push(index);
            }
            for tensor in &step.writes {
                before[index].extend(readers[*tensor].iter().filter(|reader| **reader != index));
                writers[*tensor].push(index);
            }
            uses[index].extend(step.reads.iter().chain(&step.writes));
            uses[index].sort_unstable();
            uses[index].dedup();
            for tensor in &uses[index] {
                users[*tensor].push(index);
            }
        }
        Self { flow, before, uses, users, writers }
    }

    /// Whether each step must wait for the one before it.
    fn has_one_order(&self) -> bool {
        (1..self.before.len()).all(|step| self.before[step].contains(&(step - 1)))
    }

    /// What every order needs: the inputs at the beginning, and at each step what the step uses.
    fn floor(&self) -> usize {
        let step = |step: usize| {
            let bytes = self.uses[step].iter().map(|tensor| self.flow.bytes[*tensor]);
            bytes.sum::<usize>() + self.flow.steps[step].scratch
        };
        let steps = (0..self.flow.steps.len()).map(step).max();
        steps.unwrap_or(0).max(self.start().live)
    }

    fn start(&self) -> State {
        let mut inputs = self.flow.inputs.clone();
        inputs.sort_unstable();
        inputs.dedup();
        let live = inputs.iter().map(|tensor| self.flow.bytes[*tensor]).sum();
        State { done: Set(vec![0; self.flow.steps.len().div_ceil(64)]), count: 0, live, peak: live, from: None }
    }

    /// What a step needs while it runs after `state`, and what it leaves alive.
    fn effect(&self, state: &State, step: usize) -> (usize, usize) {
        let mut born = 0;
        let mut died = 0;
        for tensor in &self.uses[step] {
            let mut writers = self.writers[*tensor].iter();
            let exists = self.flow.inputs.contains(tensor) || writers.any(|writer| state.done.contains(*writer));
            if !exists {
                born += self.flow.bytes[*tensor];
            }
            let is_done = |user: &usize| *user == step || state.done.contains(*user);
            if !self.flow.outputs.contains(tensor) && self.users[*tensor].iter().all(is_done) {
                died += self.flow.bytes[*tensor];
            }
        }
        let alive = state.live + born;
        (alive + self.flow.steps[step].scratch, alive - died)
    }

    /// The state after one more step.
    fn after(&self, state: &State, index: usize, step: usize) -> State {
        let (need, live) = self.effect(state, step);
        let mut done = state.done.clone();
        done.insert(step);
        State { done, count: state.count + 1, live, peak: state.peak.max(need), from: Some((index, step)) }
    }

    /// The steps that can come next.
    fn ready(&self, done: &Set) -> Vec<usize> {
        let can_run = |step: &usize| {
            let mut before = self.before[*step].iter();
            !done.contains(*step) && before.all(|earlier| done.contains(*earlier))
        };
        (0..self.before.len()).filter(can_run).collect()
    }

    /// The largest live set of an order.
    fn peak(&self, order: &[usize]) -> usize {
        let end = (order.iter()).fold(self.start(), |state, step| self.after(&state, 0, *step));
        end.peak
    }

    /// Searches for the best order among those that need less than `limit`.
    fn best_below(&self, limit: usize) -> Outcome {
        let mut states = vec![self.start()];
        let mut open = BinaryHeap::from([(Reverse(states[0].peak), 0, Reverse(0))]);
        let mut closed = HashSet::new();
        while let Some((_, _, Reverse(index))) = open.pop() {
            if states[index].count == self.before.len() {
                return Outcome::Better(path(&states, index));
            }
            if !closed.insert(states[index].done.clone()) {
                continue;
            }
            if closed.len() > BUDGET {
                return Outcome::BudgetSpent;
            }
            for next in self.choices(&states[index], index) {
                if next.peak < limit {
                    open.push((Reverse(next.peak), next.count, Reverse(states.len())));
                    states.push(next);
                }
            }
        }
        Outcome::NoneBetter
    }

    /// The states that may follow: a single one where a step can go first without harm.
    fn choices(&self, state: &State, index: usize) -> Vec<State> {
        let mut choices = Vec::new();
        for step in self.ready(&state.done) {
            let next = self.after(state, index, step);
            if next.peak == state.peak && next.live <= state.live {
                return vec![next];
            }
            choices.push(next);
        }
        choices
    }

    /// Takes at each turn the step that raises the peak least, among equals the one that leaves least alive.
    fn greedy(&self) -> Vec<usize> {
        let mut state = self.start();
        let mut order = Vec::new();
        while let Some(next) = (self.ready(&state.done).into_iter())
            .map(|step| self.after(&state, 0, step))
            .min_by_key(|next| (next.peak, next.live))
        {
            order.extend(next.from.map(|(_, step)| step));
            state = next;
        }
        order
    }
}

/// The steps that led to a state.
fn path(states: &[State], mut index: usize) -> Vec<usize> {
    let mut steps = Vec::new();
    while let Some((before, step)) = states[index].from {
        steps.push(step);
        index = before;
    }
    steps.reverse();
    steps
}
