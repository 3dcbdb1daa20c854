//! `Scan`, and `Loop` with a known number of runs: a graph of its own that runs several times over memory of its own.
//!
//! <https://onnx.ai/onnx/operators/onnx__Scan.html>, <https://onnx.ai/onnx/operators/onnx__Loop.html>

use std::fmt;
use std::rc::Rc;

use proc_macro2::{Literal, TokenStream};
use quote::quote;

use super::copy::{Strided, signed};
use super::filled;
use crate::diagnostic::Result;
use crate::emit::{Lower, docs};
use crate::graph::{Graph, ValueId};
use crate::op::{Inside, Operator, Types, reference_only};
use crate::passes;
use crate::plan::Plan;
use crate::tensor::Tensor;
use crate::ty::{ElemType, TensorType};
use crate::{reference, with_bits};

/// Runs of a graph, of which each finds as state what the one before left.
#[derive(Clone)]
pub struct Repeat {
    body: Rc<Body>,
}

/// What is run, and how often.
struct Body {
    graph: Graph,
    plan: Plan,
    trips: usize,
    feeds: Vec<Feed>,
    stacked: Vec<Slices>,
    /// How many of the outputs are the last states; those that are stacked follow.
    states: usize,
    outputs: Vec<TensorType>,
}

/// What an input of the graph is in each run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Feed {
    /// The number of the run.
    Counter,
    /// The state: an input of the operator in the first run.
    State,
    /// A slice of an input of the operator.
    Slice(Slices),
    /// An input of the operator.
    Whole,
}

/// One slice a run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Slices {
    /// The axis that the slices lack.
    pub axis: usize,
    /// From the last to the first.
    pub reverse: bool,
}

impl Repeat {
    /// `trips` runs of `graph`, whose inputs are what `feeds` say, and whose outputs are the states' next ones, then what `stacked` say.
    pub fn new(mut graph: Graph, trips: usize, feeds: Vec<Feed>, stacked: Vec<Slices>) -> Self {
        let outputs: Vec<ValueId> = graph.outputs.clone();
        let states = graph.states.len();
        let types = outputs.iter().enumerate().map(|(place, &id)| {
            let ty = graph.ty(id);
            let slices = place.checked_sub(states).map(|place| stacked[place]);
            slices.map_or_else(
                || ty.clone(),
                |Slices { axis, .. }| {
                    let mut sizes = ty.shape.to_vec();
                    sizes.insert(axis, trips);
                    ty.with_shape(sizes)
                },
            )
        });
        let types = types.collect();
        // What lives to the end of a run is there in the next.
        let kept = feeds.iter().zip(&graph.inputs).filter(|(feed, _)| **feed == Feed::Whole).map(|(_, &id)| id);
        let kept: Vec<ValueId> = kept.collect();
        graph.outputs.extend(kept);
        passes::run(&mut graph);
        let plan = Plan::new(&graph);
        Self { body: Rc::new(Body { graph, plan, trips, feeds, stacked, states, outputs: types }) }
    }

    /// For each input of the operator, the input of the graph and what it is.
    fn operands(&self) -> impl Iterator<Item = (ValueId, Feed)> {
        self.body.graph.inputs.iter().copied().zip(self.body.feeds.iter().copied()).filter(|(_, feed)| *feed != Feed::Counter)
    }

    /// The copy of one slice, and the distance between slices.
    fn slice(&self, whole: &TensorType, axis: usize) -> (Strided, usize) {
        let mut strides = whole.shape.strides();
        let mut sizes = whole.shape.to_vec();
        let stride = strides.remove(axis);
        sizes.remove(axis);
        let strides = strides.into_iter().map(signed).collect();
        (Strided::gather(&sizes.into(), 0, strides), stride)
    }

    /// The slice of a run, of type `ty`.
    fn taken(&self, whole: &Tensor, slices: Slices, trip: usize, ty: &TensorType) -> Option<Tensor> {
        let (slice, stride) = self.slice(whole.ty(), slices.axis);
        Strided { from: self.number(slices, trip) * stride, ..slice }.fold(whole, ty)
    }

    /// The slices of all runs, in a tensor of type `ty`.
    fn stacked(&self, stack: &[Tensor], slices: Slices, ty: &TensorType) -> Tensor {
        let (slice, stride) = self.slice(ty, slices.axis);
        with_bits!(ty.elem, T => filled::<T>(ty, |y| {
            for (trip, results) in stack.iter().enumerate() {
                let copy = Strided { to: self.number(slices, trip) * stride, ..slice.clone().turned() };
                copy.run(&results.to_vec::<T>(), y);
            }
        }))
    }

    /// Which slice a run is for.
    fn number(&self, slices: Slices, trip: usize) -> usize {
        if slices.reverse { self.body.trips - 1 - trip } else { trip }
    }

    /// Where the slice of a run begins.
    fn start(&self, slices: Slices, stride: usize) -> TokenStream {
        let last = Literal::usize_unsuffixed(self.body.trips - 1);
        let number = if slices.reverse { quote!(#last - trip) } else { quote!(trip) };
        let times = Literal::usize_unsuffixed(stride);
        match stride {
            1 => number,
            _ if slices.reverse => quote!((#number) * #times),
            _ => quote!(#number * #times),
        }
    }
}

impl Operator for Repeat {
    fn infer(&self, _inputs: &[&TensorType]) -> Result<Vec<TensorType>> {
        Ok(self.body.outputs.clone())
    }

    fn evaluate(&self, inputs: &[&Tensor], outputs: &[TensorType]) -> Option<Vec<Tensor>> {
        reference_only!();
        let Body { graph, trips, feeds, stacked, states, .. } = &*self.body;
        let mut values: Vec<Tensor> = Vec::new();
        let mut operands = inputs.iter();
        for (&id, feed) in graph.inputs.iter().zip(feeds) {
            let counter = || Tensor::from_vec(graph.ty(id).shape.clone(), &[0i64]);
            values.push(if *feed == Feed::Counter { counter() } else { (*operands.next()?).clone() });
        }
        let mut stacks = vec![Vec::new(); stacked.len()];
        for trip in 0..*trips {
            let mut given = values.clone();
            for (place, feed) in feeds.iter().enumerate() {
                match feed {
                    Feed::Counter => given[place] = Tensor::from_vec(values[place].ty().shape.clone(), &[trip as i64]),
                    Feed::Slice(slices) => {
                        given[place] = self.taken(&values[place], *slices, trip, graph.ty(graph.inputs[place]))?
                    }
                    Feed::State | Feed::Whole => {}
                }
            }
            let results = reference::outputs(graph, &given).ok()?;
            for state in &graph.states {
                values[state.input] = results[state.output].clone();
            }
            stacks.iter_mut().zip(&results[*states..]).for_each(|(stack, slice)| stack.push(slice.clone()));
        }
        let last = graph.states.iter().take(*states).map(|state| values[state.input].clone());
        let stacks = stacks.iter().zip(stacked).zip(&outputs[*states..]);
        let stacks = stacks.map(|((stack, slices), ty)| self.stacked(stack, *slices, ty));
        Some(last.chain(stacks).collect())
    }

    fn scratch(&self, types: Types, _constant: &[bool]) -> Vec<TensorType> {
        vec![types.outputs[0].with_elem(ElemType::U8).with_shape([self.body.plan.arena_bytes])]
    }

    fn inside(&self) -> Vec<Inside<'_>> {
        let Body { graph, plan, .. } = &*self.body;
        vec![Inside { name: "body", graph, plan }]
    }

    fn macs(&self, _types: Types) -> u64 {
        docs::macs(&self.body.graph, &self.body.plan) * self.body.trips as u64
    }

    fn show(&self) -> String {
        let nodes: Vec<String> = self.body.graph.nodes.iter().map(|node| node.op.to_string()).collect();
        format!("Repeat {} × {{ {} }}", self.body.trips, nodes.join("; "))
    }

    fn lower(&self, cx: &Lower) -> TokenStream {
        let Body { graph, trips, feeds, stacked, states, outputs, .. } = &*self.body;
        let bodies = cx.inside();
        let body = &bodies[0];
        let (mut before, mut each, mut after) = (Vec::new(), Vec::new(), Vec::new());
        for (index, (id, feed)) in self.operands().enumerate() {
            let (input, place) = (cx.input(index), body.place(id));
            match feed {
                Feed::Slice(slices) => {
                    let (slice, stride) = self.slice(cx.input_ty(index), slices.axis);
                    each.push(slice.lower_at(&input, &self.start(slices, stride), &place, &quote!(0)));
                }
                _ => before.push(Strided::all(&graph.ty(id).shape).lower(&input, &place)),
            }
        }
        let counters = graph.inputs.iter().zip(feeds).filter(|(_, feed)| **feed == Feed::Counter);
        each.extend(counters.map(|(&id, _)| {
            let place = body.place(id);
            quote! { rt::fill(#place, trip as i64); }
        }));
        let steps = &body.statements;
        let stacks = stacked.iter().zip(*states..).map(|(slices, number)| {
            let (slice, stride) = self.slice(&outputs[number], slices.axis);
            let place = body.place(graph.outputs[number]);
            slice.turned().lower_at(&place, &quote!(0), &cx.output(number), &self.start(*slices, stride))
        });
        let stacks: Vec<TokenStream> = stacks.collect();
        after.extend((0..*states).map(|number| {
            let place = body.place(graph.inputs[graph.states[number].input]);
            Strided::all(&outputs[number].shape).lower(&place, &cx.output(number))
        }));
        let trips = Literal::usize_unsuffixed(*trips);
        let trip = if each.is_empty() && stacks.is_empty() { quote!(_) } else { quote!(trip) };
        body.block(&quote! {
            #(#before)*
            for #trip in 0..#trips {
                #(#each)*
                #(#steps)*
                #(#stacks)*
            }
            #(#after)*
        })
    }
}

/// The same graph, not one like it.
impl PartialEq for Repeat {
    fn eq(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.body, &other.body)
    }
}

impl fmt::Debug for Repeat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.show())
    }
}
