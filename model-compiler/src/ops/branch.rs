//! `If` whose condition is computed at run time: two graphs of their own over one memory, of which each run of the model runs one.
//!
//! <https://onnx.ai/onnx/operators/onnx__If.html>

use std::fmt;
use std::rc::Rc;

use proc_macro2::TokenStream;
use quote::quote;

use super::copy::Strided;
use super::expect_elem;
use crate::diagnostic::{Refusal, Result};
use crate::emit::{Body, Lower, docs};
use crate::graph::Graph;
use crate::op::{Inside, Operator, Types, reference_only};
use crate::passes;
use crate::plan::Plan;
use crate::reference;
use crate::tensor::Tensor;
use crate::ty::{ElemType, TensorType};

/// The outputs of the first graph where input 0 holds, else those of the second.
#[derive(Clone)]
pub struct Branch {
    sides: Rc<[Side; 2]>,
}

/// One of the graphs.
pub struct Side {
    graph: Graph,
    plan: Plan,
    /// The input of the operator that each input of the graph is.
    inputs: Vec<usize>,
}

impl Side {
    /// A graph whose inputs are those `inputs` of the operator.
    pub fn new(mut graph: Graph, inputs: Vec<usize>) -> Self {
        passes::run(&mut graph);
        let plan = Plan::new(&graph);
        Self { graph, plan, inputs }
    }

    /// The graph between copies of what it reads and yields.
    fn lower(&self, cx: &Lower, body: &Body) -> TokenStream {
        let graph = &self.graph;
        let reads = graph.inputs.iter().zip(&self.inputs).map(|(&id, &input)| {
            let place = body.place(id);
            Strided::all(&graph.ty(id).shape).lower(&cx.input(input), &place)
        });
        let yields = graph.outputs.iter().enumerate().map(|(output, &id)| {
            let place = body.place(id);
            Strided::all(&graph.ty(id).shape).lower(&place, &cx.output(output))
        });
        let (reads, steps, yields): (Vec<TokenStream>, _, Vec<TokenStream>) =
            (reads.collect(), &body.statements, yields.collect());
        body.block(&quote! { #(#reads)* #(#steps)* #(#yields)* })
    }

    fn show(&self) -> String {
        self.graph.nodes.iter().map(|node| node.op.to_string()).collect::<Vec<_>>().join("; ")
    }
}

impl Branch {
    /// `then` where the condition holds, else `other`; both yield values of the same types.
    pub fn new(then: Side, other: Side) -> Self {
        Self { sides: Rc::new([then, other]) }
    }
}

impl Operator for Branch {
    fn infer(&self, inputs: &[&TensorType]) -> Result<Vec<TensorType>> {
        expect_elem("cond", inputs[0], &[ElemType::Bool])?;
        if inputs[0].elements() != 1 {
            return Err(Refusal::new(
                format!("the condition is {}; expected one bool", inputs[0]),
                "export the model again, or check it with `onnx.checker`",
            ));
        }
        let graph = &self.sides[0].graph;
        Ok(graph.types(&graph.outputs).into_iter().cloned().collect())
    }

    fn evaluate(&self, inputs: &[&Tensor], _outputs: &[TensorType]) -> Option<Vec<Tensor>> {
        reference_only!();
        let [then, other] = &*self.sides;
        let side = if inputs[0].bytes().first() == Some(&0) { other } else { then };
        let given: Vec<Tensor> = side.inputs.iter().map(|&input| inputs[input].clone()).collect();
        reference::outputs(&side.graph, &given).ok()
    }

    fn scratch(&self, _types: Types, _constant: &[bool]) -> Vec<TensorType> {
        let bytes = self.sides.iter().map(|side| side.plan.arena_bytes).max().unwrap_or_default();
        vec![TensorType::new(ElemType::U8, [bytes])]
    }

    fn inside(&self) -> Vec<Inside<'_>> {
        let sides = self.sides.iter().zip(["then", "otherwise"]);
        sides.map(|(Side { graph, plan, .. }, name)| Inside { name, graph, plan }).collect()
    }

    fn macs(&self, _types: Types) -> u64 {
        self.sides.iter().map(|side| docs::macs(&side.graph, &side.plan)).max().unwrap_or_default()
    }

    fn show(&self) -> String {
        let [then, other] = &*self.sides;
        format!("Branch {{ {} }} else {{ {} }}", then.show(), other.show())
    }

    fn lower(&self, cx: &Lower) -> TokenStream {
        let condition = cx.input(0);
        let blocks = self.sides.iter().zip(cx.inside()).map(|(side, body)| side.lower(cx, &body));
        let [then, other] = &blocks.collect::<Vec<_>>()[..] else { unreachable!("there are two graphs") };
        quote! {
            if rt::holds(#condition) #then else #other
        }
    }
}

/// The same graphs, not ones like them.
impl PartialEq for Branch {
    fn eq(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.sides, &other.sides)
    }
}

impl fmt::Debug for Branch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.show())
    }
}
