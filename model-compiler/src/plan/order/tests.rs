//! Execution orders of small flows by hand, and of random ones against every order there is.

use super::*;
use crate::plan::arena::{Buffer, Random, lower_bound};

fn step(reads: &[usize], writes: &[usize]) -> Step {
    Step { reads: reads.to_vec(), writes: writes.to_vec(), scratch: 0 }
}

/// The largest live set of an order, from lifetimes and not from the search's own bookkeeping.
fn largest_live_set(flow: &Flow, order: &[usize]) -> usize {
    let mut buffers = Vec::new();
    for (tensor, bytes) in flow.bytes.iter().enumerate() {
        let uses = |index: &usize| {
            let step = &flow.steps[order[*index]];
            step.reads.contains(&tensor) || step.writes.contains(&tensor)
        };
        let first = (0..order.len()).find(uses).unwrap_or(0);
        let last = (0..order.len()).rfind(uses).unwrap_or(0);
        buffers.push(Buffer {
            bytes: *bytes,
            align: 1,
            first: if flow.inputs.contains(&tensor) { 0 } else { first },
            last: if flow.outputs.contains(&tensor) { order.len() - 1 } else { last },
        });
    }
    for (turn, index) in order.iter().enumerate() {
        buffers.push(Buffer { bytes: flow.steps[*index].scratch, align: 1, first: turn, last: turn });
    }
    lower_bound(&buffers)
}

/// Whether steps that share a tensor which one of them reads and the other writes stand as they were given.
fn is_permitted(flow: &Flow, order: &[usize]) -> bool {
    let share = |a: &[usize], b: &[usize]| a.iter().any(|tensor| b.contains(tensor));
    (0..order.len()).all(|late| {
        (0..late).all(|early| {
            let (first, second) = (&flow.steps[order[early]], &flow.steps[order[late]]);
            let bound = share(&first.writes, &second.reads) || share(&first.reads, &second.writes);
            !bound || order[early] < order[late]
        })
    })
}

/// Two branches from tensor 0, each wide and then narrow, that meet in tensor 5.
fn branches() -> Flow {
    Flow {
        steps: vec![step(&[0], &[1]), step(&[0], &[3]), step(&[1], &[2]), step(&[3], &[4]), step(&[2, 4], &[5])],
        bytes: vec![10, 100, 10, 100, 10, 10],
        inputs: vec![0],
        outputs: vec![5],
    }
}

#[test]
fn finishes_one_branch_before_it_begins_the_other() {
    let flow = branches();
    let order = order(&flow);
    assert_eq!(largest_live_set(&flow, &[0, 1, 2, 3, 4]), 210);
    assert_eq!(largest_live_set(&flow, &order), 120);
    assert_eq!(order, [0, 2, 1, 3, 4]);
}

#[test]
fn keeps_the_given_order_of_chains_and_of_flows_that_cannot_gain() {
    let chain = Flow {
        steps: (0..300).map(|index| step(&[index], &[index + 1])).collect(),
        bytes: (0..301).map(|index| index * 7 % 50).collect(),
        inputs: vec![0],
        outputs: vec![300],
    };
    assert_eq!(order(&chain), (0..300).collect::<Vec<_>>());
    assert!(Search::new(&chain).has_one_order());

    let mut even = branches();
    even.bytes = vec![10; 6];
    assert_eq!(order(&even), [0, 1, 2, 3, 4]);
}

#[test]
fn writers_of_one_tensor_may_change_places_but_not_readers_and_writers() {
    // Tensor 0 is joined from the narrow ends of two wide tensors.
    let join = Flow {
        steps: vec![step(&[], &[1]), step(&[], &[2]), step(&[1], &[0]), step(&[2], &[0])],
        bytes: vec![20, 100, 100],
        inputs: vec![],
        outputs: vec![0],
    };
    assert_eq!(order(&join), [0, 2, 1, 3]);

    // Step 1 overwrites what step 0 reads, so the order stays, though the opposite one would need less.
    let update = Flow {
        steps: vec![step(&[0], &[1]), step(&[2], &[0])],
        bytes: vec![10, 50, 50],
        inputs: vec![0, 2],
        outputs: vec![0, 1],
    };
    assert_eq!(order(&update), [0, 1]);
}

#[test]
fn finds_the_best_order_of_small_random_flows() {
    let mut improved = 0;
    for seed in 0..300 {
        let flow = random_flow(&mut Random::new(seed), 6);
        let given: Vec<usize> = (0..6).collect();
        let found = order(&flow);
        assert!(is_permitted(&flow, &found), "seed {seed}");
        let mut best = usize::MAX;
        for_each_order(&mut Vec::new(), 6, &mut |order| {
            if is_permitted(&flow, order) {
                best = best.min(largest_live_set(&flow, order));
            }
        });
        assert_eq!(largest_live_set(&flow, &found), best, "seed {seed}");
        if largest_live_set(&flow, &given) == best {
            assert_eq!(found, given, "seed {seed}");
        } else {
            improved += 1;
        }
    }
    assert!(improved > 50, "only {improved} of the flows can gain");
}

#[test]
fn large_flows_are_never_worse_than_given() {
    for seed in 0..5 {
        let flow = random_flow(&mut Random::new(seed), 150);
        let given: Vec<usize> = (0..150).collect();
        let mut found = order(&flow);
        assert!(is_permitted(&flow, &found), "seed {seed}");
        assert!(largest_live_set(&flow, &found) <= largest_live_set(&flow, &given));
        assert!(is_permitted(&flow, &Search::new(&flow).greedy()), "seed {seed}");
        found.sort_unstable();
        assert_eq!(found, given, "seed {seed}");
    }
}

/// Steps that read one or two earlier tensors, mostly late ones, and write one, now and then a part of an earlier one.
fn random_flow(random: &mut Random, steps: usize) -> Flow {
    let mut flow = Flow {
        steps: Vec::new(),
        bytes: vec![1 + random.below(20), 1 + random.below(20)],
        inputs: vec![0, 1],
        outputs: Vec::new(),
    };
    for index in 0..steps {
        let tensors = flow.bytes.len();
        let recent = |random: &mut Random| tensors - 1 - random.below(tensors.min(6));
        let mut reads = vec![recent(random), recent(random)];
        // The inputs are all used, as an unused one is alive at the first step only.
        if index == 0 {
            reads = vec![0, 1];
        }
        let written = match random.below(8) {
            0 => recent(random),
            _ => tensors,
        };
        reads.retain(|tensor| *tensor != written);
        if written == tensors {
            flow.bytes.push(1 + random.below(40));
        }
        flow.steps.push(Step { reads, writes: vec![written], scratch: random.below(10) });
    }
    flow.outputs = vec![flow.bytes.len() - 1];
    flow
}

/// Calls `visit` with every order of `0..len`.
fn for_each_order(order: &mut Vec<usize>, len: usize, visit: &mut dyn FnMut(&[usize])) {
    if order.len() == len {
        return visit(order);
    }
    for step in 0..len {
        if !order.contains(&step) {
            order.push(step);
            for_each_order(order, len, visit);
            order.pop();
        }
    }
}

#[test]
fn many_branches_exceed_the_budget_and_are_ordered_greedily() {
    // 24 branches of a wide and a narrow tensor, given breadth first.
    let random = &mut Random::new(1);
    let branches = 24;
    let mut flow = Flow { steps: Vec::new(), bytes: vec![100], inputs: vec![0], outputs: vec![1 + 2 * branches] };
    for branch in 0..branches {
        flow.steps.push(step(&[0], &[1 + branch]));
        flow.bytes.push(500 + random.below(500));
    }
    for branch in 0..branches {
        flow.steps.push(step(&[1 + branch], &[1 + branches + branch]));
        flow.bytes.push(1 + random.below(500));
    }
    let narrow: Vec<usize> = (1 + branches..1 + 2 * branches).collect();
    flow.steps.push(step(&narrow, &flow.outputs));
    flow.bytes.push(10);
    let given: Vec<usize> = (0..flow.steps.len()).collect();
    let given_peak = largest_live_set(&flow, &given);
    assert!(matches!(Search::new(&flow).best_below(given_peak), Outcome::BudgetSpent));
    let found = order(&flow);
    assert!(is_permitted(&flow, &found));
    assert_eq!((given_peak, largest_live_set(&flow, &found)), (19_866, 6_863));
}
