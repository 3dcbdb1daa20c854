//! Computes functions of one quantized byte now, for all 256 of them.

use super::quantization::quantized_expr;
use crate::graph::Graph;
use crate::op::Op;
use crate::ops::elementwise::{Elementwise, Expr};
use crate::ops::table::Table;
use crate::scalar::Scalar;
use crate::tensor::Tensor;
use crate::ty::ElemType;

/// `quantize(f(x))` → `table[x]`, `x` and the result of 8 bits; nothing where they are equal
pub(super) fn tabulate(graph: &mut Graph) {
    let mut index = 0;
    while index < graph.nodes.len() {
        // Where the node vanished, another has come to this index.
        if !replace(graph, index) {
            index += 1;
        }
    }
}

/// Replaces the node at `index` by a table, or by its input; tells whether the node is gone.
fn replace(graph: &mut Graph, index: usize) -> bool {
    let node = graph.nodes[index].clone();
    let ([x], Op::Elementwise(Elementwise { expr })) = (&node.inputs[..], &node.op) else { return false };
    let (from, to) = (graph.ty(*x).clone(), graph.ty(node.outputs[0]).clone());
    if quantized_expr(expr).is_none() || from.shape != to.shape {
        return false;
    }
    let Some(table) = table(expr, from.elem).filter(|table| table.ty().elem == to.elem) else { return false };
    if from == to && table.bytes().iter().copied().eq(0..=255) && !graph.outputs.contains(&node.outputs[0]) {
        graph.replace(node.outputs[0], *x);
        graph.drop_unused();
        return true;
    }
    let name = format!("{}_table", graph.value(node.outputs[0]).name);
    let table = graph.add_constant(name, table);
    graph.rewrite(index, Table {}.into(), &[*x, table], &node.origin);
    false
}

/// The values of `expr`, of 8 bits, for all bytes, those of negative numbers last.
fn table(expr: &Expr, elem: ElemType) -> Option<Tensor> {
    let value = |byte: u8| match elem {
        ElemType::I8 => expr.eval(&[Scalar::I8(byte.cast_signed())]),
        ElemType::U8 => expr.eval(&[Scalar::U8(byte)]),
        _ => None,
    };
    let values: Vec<Scalar> = (0..=255).map(value).collect::<Option<_>>()?;
    let elem = values[0].elem();
    (elem.size() == 1).then(|| Scalar::tensor(elem, [256], &values))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::quantization::Quantization;
    use crate::testing::{graph, run};

    fn quantized(function: Option<&str>, from: Quantization, to: Quantization) -> Graph {
        let number = from.dequantize(Expr::Input(0));
        let expr = to.quantize(function.map_or(number.clone(), |name| Expr::call(name, [number])));
        graph(from.elem, &[256], |graph, x| {
            let copy = Expr::call("bitwise_not", [Expr::Input(0)]);
            let x = graph.push(Elementwise { expr: copy.clone() }.into(), &[x], &[]).unwrap()[0];
            let y = graph.push(Elementwise { expr }.into(), &[x], &[]).unwrap()[0];
            graph.push(Elementwise { expr: copy }.into(), &[y], &[]).unwrap()[0]
        })
    }

    #[test]
    fn a_table_has_what_the_formula_gives() {
        for from in [ElemType::I8, ElemType::U8] {
            let from = Quantization { elem: from, scale: 0.05, zero: 10 };
            let to = Quantization { elem: ElemType::U8, scale: 1.0 / 256.0, zero: 0 };
            let bytes: Vec<u8> = (0..=255).collect();
            let x = Tensor::new(crate::ty::TensorType::new(from.elem, [256]), bytes).unwrap();
            let mut graph = quantized(Some("sigmoid"), from, to);
            let expected = run(&graph, &[&x]);
            tabulate(&mut graph);
            assert!(graph.to_string().contains("u8[256] = Table (%1, const u8[256])"), "{graph}");
            assert_eq!(run(&graph, &[&x]), expected);
        }
    }

    #[test]
    fn what_changes_nothing_vanishes() {
        let from = Quantization { elem: ElemType::I8, scale: 0.05, zero: 10 };
        let mut graph = quantized(None, from, from);
        tabulate(&mut graph);
        assert_eq!(graph.nodes.len(), 2, "{graph}");
    }
}
