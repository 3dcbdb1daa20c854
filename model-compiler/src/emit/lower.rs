//! What an operator sees when it writes its step.

use std::cell::RefCell;
use std::fmt::Debug;

use proc_macro2::{Ident, Literal, TokenStream};
use quote::quote;

use crate::emit::Emit;
use crate::emit::body::Body;
use crate::emit::calls::{Call, Calls};
use crate::emit::weights::Weights;
use crate::emit::{interface, names};
use crate::graph::{Graph, Node};
use crate::kernels::Quad;
use crate::op::Types;
use crate::ops::copy::Strided;
use crate::ops::elementwise::Expr;
use crate::plan;
use crate::scalar::Scalar;
use crate::tensor::Tensor;
use crate::ty::{ElemType, TensorType};

/// The surroundings of one node.
pub struct Lower<'a> {
    graph: &'a Graph,
    index: usize,
    places: &'a [Option<Ident>],
    /// The step of a run that the node is, or for a row of it the scratch.
    scratch: Scratch,
    weights: &'a RefCell<Weights>,
    /// Whether the operands are rows of images, whose number is known only at run time.
    in_rows: bool,
    /// Whether padding may take the place of some rows of the input, as `band` tells.
    clipped: bool,
    calls: &'a Calls,
    /// What writes the graph around the step; a row of a stage has none.
    emit: Option<&'a Emit<'a>>,
}

/// Where a node's scratch is.
enum Scratch {
    /// In the places of this step.
    OfStep(usize),
    /// In these slices.
    Slices(Vec<TokenStream>),
}

/// An operand of a kernel, its name there, and its type.
#[derive(Clone, Debug)]
pub struct Operand {
    /// What the kernel calls it.
    pub name: &'static str,
    /// The expression.
    pub value: TokenStream,
    /// Its type.
    pub ty: TokenStream,
}

impl Operand {
    /// Whether it is a constant that is given by value, not where something lies.
    pub fn is_number(&self) -> bool {
        !self.ty.to_string().starts_with('&')
    }
}

impl<'a> Lower<'a> {
    pub(super) fn new(emit: &'a Emit, step: usize, calls: &'a Calls) -> Self {
        let Emit { graph, plan, weights, places, .. } = emit;
        let (index, scratch) = (plan.steps[step].node, Scratch::OfStep(step));
        Self { graph, index, places, scratch, weights, in_rows: false, clipped: false, calls, emit: Some(emit) }
    }

    /// The graphs that the step's operator holds, as they are written inside of the step.
    pub fn inside(&self) -> Vec<Body<'_>> {
        let (Scratch::OfStep(step), Some(emit)) = (&self.scratch, self.emit) else { unreachable!("it is a step") };
        let body = |(module, inside): (Ident, Emit<'a>)| {
            let statements = inside.statements(inside.lower(self.calls));
            Body { emit: inside, module, step: *step, around: &emit.memory, statements }
        };
        emit.inside(*step).into_iter().map(body).collect()
    }

    /// What the only node of `graph` sees, which computes one row of a stage of this node.
    pub fn band<'b>(
        &'b self,
        graph: &'b Graph,
        places: &'b [Option<Ident>],
        scratch: Vec<TokenStream>,
        clipped: bool,
    ) -> Lower<'b> {
        let scratch = Scratch::Slices(scratch);
        Lower { graph, index: 0, places, scratch, weights: self.weights, in_rows: true, clipped, calls: self.calls, emit: None }
    }

    fn node(&self) -> &'a Node {
        &self.graph.nodes[self.index]
    }

    /// The type of input `index`.
    pub fn input_ty(&self, index: usize) -> &TensorType {
        self.graph.ty(self.node().inputs[index])
    }

    /// The type of output `index`.
    pub fn output_ty(&self, index: usize) -> &TensorType {
        self.graph.ty(self.node().outputs[index])
    }

    /// How many inputs the node has.
    pub fn input_count(&self) -> usize {
        self.node().inputs.len()
    }

    /// Whether input `index` is constant data.
    pub fn is_constant(&self, index: usize) -> bool {
        self.graph.constant(self.node().inputs[index]).is_some()
    }

    /// The name and the elements of input `index`, if it is constant.
    pub fn constant_input(&self, index: usize) -> Option<(&'a str, &'a Tensor)> {
        let value = self.graph.value(self.node().inputs[index]);
        value.constant.as_ref().map(|tensor| (value.name.as_str(), tensor))
    }

    /// Calls `ask` with the types around the node.
    pub fn types<R>(&self, ask: impl FnOnce(Types) -> R) -> R {
        plan::with_types(self.graph, self.index, |types, _| ask(types))
    }

    /// Input `index`: a variable, or constant data in the order in which the operator packs it.
    pub fn input(&self, index: usize) -> TokenStream {
        let id = self.node().inputs[index];
        let Some(constant) = self.graph.constant(id) else {
            let variable = self.places[id.index()].as_ref().expect("a value that is read has a place");
            return quote!(#variable);
        };
        let packed = self.types(|types| self.node().op.rules().pack(types, index, constant));
        self.constant(&self.graph.value(id).name, packed.unwrap_or_else(|| constant.clone()))
    }

    /// The value of all elements of input `index`, where it is constant data of one.
    pub fn uniform(&self, index: usize) -> Option<Scalar> {
        let elements = Scalar::all(self.graph.constant(self.node().inputs[index])?);
        let (first, rest) = elements.split_first()?;
        rest.iter().all(|element| element == first).then_some(*first)
    }

    /// Constant data that the operator makes.
    pub fn constant(&self, name: &str, tensor: Tensor) -> TokenStream {
        let name = self.weights.borrow_mut().add(name, tensor);
        quote!(&weights::#name)
    }

    /// The elements of input `index`, which are constant.
    pub fn value(&self, index: usize) -> &Tensor {
        self.graph.constant(self.node().inputs[index]).expect("the operator takes constant data only")
    }

    /// Constant data in two forms, of which the target picks one.
    pub fn picked(&self, index: usize, dsp: Vec<Quad>, portable: Vec<Quad>) -> TokenStream {
        let name = &self.graph.value(self.node().inputs[index]).name;
        let [dsp, portable] = self.weights.borrow_mut().add_picked(name, dsp, portable);
        match dsp == portable {
            true => quote!(&weights::#dsp),
            false => quote!(rt::pick::<[rt::Quad]>(&weights::#dsp, &weights::#portable)),
        }
    }

    /// Output `index`: a variable.
    pub fn output(&self, index: usize) -> TokenStream {
        let variable = self.places[self.node().outputs[index].index()].as_ref().expect("an output has a place");
        quote!(#variable)
    }

    /// Input `index` as an operand of [`Lower::call`]; without elements where the node has no such input.
    pub fn input_operand(&self, name: &'static str, index: usize) -> Operand {
        if index >= self.input_count() {
            let elem = interface::elem(self.output_ty(0).elem);
            return Operand { name, value: quote!(&[] as &[#elem; 0]), ty: quote!(&[#elem; 0]) };
        }
        let ty = self.input_ty(index);
        let ty = if self.is_constant(index) { array(ty.elem, ty.elements()) } else { self.cells(ty) };
        Operand { name, value: self.input(index), ty }
    }

    /// Output 0 as an operand of [`Lower::call`].
    pub fn output_operand(&self) -> Operand {
        let ty = self.output_ty(0);
        Operand { name: "y", value: self.output(0), ty: self.cells(ty) }
    }

    /// The place of scratch number `part`: `memory::SCRATCH_3`.
    pub fn scratch_place(&self, part: usize) -> TokenStream {
        let Scratch::OfStep(step) = self.scratch else { unreachable!("a row of a stage has slices") };
        let place = names::scratch(step, part);
        quote!(memory::#place)
    }

    /// The first place of the node's scratch as an operand of [`Lower::call`]; an empty slice where it has no elements.
    pub fn scratch_operand(&self) -> Operand {
        let types = plan::scratch(self.graph, self.index);
        let Some(ty) = types.first().filter(|ty| ty.elements() > 0) else {
            let elem = types.first().map_or(self.output_ty(0).elem, |ty| ty.elem);
            return Operand { name: "scratch", value: quote!(&[]), ty: cells(elem, 0) };
        };
        let value = match &self.scratch {
            Scratch::OfStep(_) => {
                let place = self.scratch_place(0);
                quote!(arena.at(#place))
            }
            Scratch::Slices(slices) => slices[0].clone(),
        };
        Operand { name: "scratch", value, ty: self.cells(ty) }
    }

    /// A call of `kernel.method(operands…, activation)`. Calls whose kernel and activation are the same share one instance of it.
    pub fn call(
        &self,
        kernel: &(impl Debug + ?Sized),
        method: &'static str,
        operands: Vec<Operand>,
        activation: Option<TokenStream>,
    ) -> TokenStream {
        let printed = format!("{kernel:?}");
        let name = printed.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default().to_owned();
        let Self { clipped, calls, .. } = *self;
        calls.add(Call { kernel: self.kernel(kernel), name, method, activation, operands, clipped })
    }

    /// The type of a place of `ty`: an array of cells, or a slice of them.
    fn cells(&self, ty: &TensorType) -> TokenStream {
        if self.in_rows {
            let elem = interface::elem(ty.elem);
            return quote!(&[rt::Cell<#elem>]);
        }
        cells(ty.elem, ty.elements())
    }

    /// A kernel of an image, as it is written in Rust.
    pub fn kernel(&self, kernel: &(impl Debug + ?Sized)) -> TokenStream {
        let kernel = literal(kernel);
        if self.clipped { quote!(#kernel.clipped(band.above, band.rows)) } else { kernel }
    }

    /// A fused activation of elements of the output's type: the function's name, or a short closure.
    pub fn activation(&self, activation: Option<&Expr>) -> TokenStream {
        activation.map_or_else(|| quote!(|x| x), |expr| expr.closure(&[self.output_ty(0).elem]))
    }

    /// Input 0 copied to output 0.
    pub fn copy(&self) -> TokenStream {
        Strided::all(&self.input_ty(0).shape).lower(&self.input(0), &self.output(0))
    }
}

/// `&[rt::Cell<f32>; 8000]`
fn cells(elem: ElemType, len: usize) -> TokenStream {
    let (elem, len) = (interface::elem(elem), Literal::usize_unsuffixed(len));
    quote!(&[rt::Cell<#elem>; #len])
}

/// `&[f32; 8000]`
fn array(elem: ElemType, len: usize) -> TokenStream {
    let (elem, len) = (interface::elem(elem), Literal::usize_unsuffixed(len));
    quote!(&[#elem; #len])
}

/// A kernel or another value of `model-kernels` as it is written in Rust: its `Debug` form with the path `rt::` before it.
pub fn literal(kernel: &(impl Debug + ?Sized)) -> TokenStream {
    format!("rt::{kernel:?}").parse().expect("kernels print as Rust")
}
