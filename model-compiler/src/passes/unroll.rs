//! Makes straight-line code of dense layers that are small, or whose weights are mostly zero.

use crate::Unroll;
use crate::graph::Graph;
use crate::op::{Op, Types};
use crate::ops::unrolled::Unrolled;
use crate::verify::verify;

/// The least share of a model's work for which code may be larger: one in so many multiply-accumulates.
const SHARE: u64 = 100;

/// `Dense` → `Unrolled`, where `unroll` says so. Behind all passes, as none knows of such layers.
pub fn unroll(graph: &mut Graph, unroll: Unroll) {
    let macs = (0..graph.nodes.len()).map(|index| macs(graph, index)).sum();
    for index in 0..graph.nodes.len() {
        if let Some(unrolled) = unrolled(graph, index, unroll, macs) {
            let node = graph.nodes[index].clone();
            graph.rewrite(index, unrolled.into(), &node.inputs, &node.origin);
        }
    }
    if cfg!(debug_assertions) {
        verify(graph, "unroll");
    }
}

/// Multiply-accumulates of the node at `index`.
fn macs(graph: &Graph, index: usize) -> u64 {
    let node = &graph.nodes[index];
    let (inputs, outputs) = (graph.types(&node.inputs), graph.types(&node.outputs));
    node.op.rules().macs(Types { inputs: &inputs, outputs: &outputs })
}

/// What the node at `index` becomes, if it pays in a model of so many multiply-accumulates.
fn unrolled(graph: &Graph, index: usize, unroll: Unroll, all: u64) -> Option<Unrolled> {
    let node = &graph.nodes[index];
    let Op::Dense(dense) = &node.op else { return None };
    let budget = match unroll {
        Unroll::Nothing => return None,
        Unroll::All => None,
        Unroll::Budget(bytes) => Some(if SHARE * macs(graph, index) >= all { bytes } else { 0 }),
    };
    let unrolled = Unrolled::new(dense, graph, &node.inputs)?;
    let Some(budget) = budget else { return Some(unrolled) };
    let (inputs, outputs) = (graph.types(&node.inputs), graph.types(&node.outputs));
    let kernel = dense.cost(Types { inputs: &inputs, outputs: &outputs });
    let straight = unrolled.cost(graph.constant(node.inputs[1])?);
    let pays = straight.instructions < kernel.instructions && straight.bytes <= kernel.bytes + budget;
    pays.then_some(unrolled)
}

#[cfg(test)]
mod tests {

    use super::*;
    use crate::ops::dense::Dense;
    use crate::tensor::Tensor;
    use crate::ty::{ElemType, TensorType};

    const BIAS: [f32; 4] = [0.5; 4];

    /// A layer over so many rows of 32 inputs, in which one of `density` weights is not zero.
    fn layer(rows: usize, density: usize, bias: &[f32]) -> Graph {
        let weights: Vec<f32> = (0..32 * 4).map(|index| if index % density == 0 { 1.5 } else { 0.0 }).collect();
        let mut graph = Graph::default();
        let x = graph.add_input("x", TensorType::new(ElemType::F32, [rows, 32]));
        let weights = graph.add_constant("weights", Tensor::from_vec([32, 4], &weights));
        let bias = graph.add_constant("bias", Tensor::from_vec([4], bias));
        graph.outputs = graph.push(Dense::default().into(), &[x, weights, bias], &[]).unwrap();
        graph
    }

    fn is_unrolled(mut graph: Graph, how: Unroll) -> bool {
        unroll(&mut graph, how);
        matches!(graph.nodes[0].op, Op::Unrolled(_))
    }

    #[test]
    fn takes_what_pays() {
        let cases = [
            ("dense weights", layer(1, 1, &BIAS), [false, true]),
            ("a fifth of the weights", layer(1, 5, &BIAS), [true, true]),
            ("several rows", layer(7, 5, &BIAS), [true, true]),
            ("a sum that starts from -0", layer(1, 5, &[0.5, -0.0, 1.0, 2.0]), [false, false]),
        ];
        for (name, graph, expected) in cases {
            let found = [Unroll::Budget(0), Unroll::All].map(|how| is_unrolled(graph.clone(), how));
            assert_eq!(found, expected, "{name}");
            assert!(!is_unrolled(graph, Unroll::Nothing), "{name}");
        }
        let half = || layer(1, 2, &BIAS);
        assert!(!is_unrolled(half(), Unroll::Budget(0)), "it takes fewer instructions, but more flash");
        assert!(is_unrolled(half(), Unroll::Budget(1024)));
        let mut other = half();
        let many = other.add_input("many", TensorType::new(ElemType::F32, [101, 32]));
        let inputs = [&[many], &other.nodes[0].inputs[1..]].concat();
        let heavy = other.push(Dense::default().into(), &inputs, &[]).unwrap();
        other.outputs.extend(heavy);
        assert!(!is_unrolled(other, Unroll::Budget(1024)), "it is a hundredth of the work, and less");
        assert!(!is_unrolled(layer(1, 1, &BIAS), Unroll::Budget(1 << 20)), "it takes more instructions");
    }
}
