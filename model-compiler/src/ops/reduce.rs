//! `ReduceSum` and its like: <https://onnx.ai/onnx/operators/onnx__ReduceSum.html>

use std::cell::Cell;

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;

use super::{FLOATS, expect_elem, mapped};
use crate::diagnostic::{Refusal, Result};
use crate::emit::{Lower, literal};
use crate::graph::ValueId;
use crate::kernels::{self, Float, Load, Number, Overlap};
use crate::op::{LATEST, Op, OpDef, Operator, Types};
use crate::reader::{self, NodeReader};
use crate::tensor::Tensor;
use crate::ty::{ElemType, Shape, TensorType};
use crate::with_folded;

/// `reductions! { "ReduceMax": Max, attribute until 17; }` lists `ReduceMax`, up to opset 17 with axes as an attribute and then with
/// axes as an input.
macro_rules! reductions {
    ($($name:literal: $method:ident, attribute until $last:literal;)*) => {
        /// What ONNX calls this family.
        pub const DEFS: &[OpDef] = &[$(
            OpDef { name: $name, opset: 1..=$last, read: |node| read(node, Method::$method, node.ints("axes")?, false) },
            OpDef { name: $name, opset: $last + 1..=LATEST, read: |node| read_axes_input(node, Method::$method) },
        )*];
    };
}

reductions! {
    "ReduceSum": Sum, attribute until 12;
    "ReduceMean": Mean, attribute until 17;
    "ReduceProd": Product, attribute until 17;
    "ReduceMax": Max, attribute until 17;
    "ReduceMin": Min, attribute until 17;
    "ReduceL1": L1, attribute until 17;
    "ReduceL2": L2, attribute until 17;
    "ReduceSumSquare": SumSquare, attribute until 17;
    "ReduceLogSum": LogSum, attribute until 17;
    "ReduceLogSumExp": LogSumExp, attribute until 17;
}

/// Makes one element of all along some axes, whose sizes become one.
#[derive(Clone, Debug, PartialEq)]
pub struct Reduce {
    /// What is made of the elements.
    pub method: Method,
    /// The axes that become one, in ascending order.
    pub axes: Vec<usize>,
}

/// What a reduction makes of its elements.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Method {
    /// `Σ x`
    Sum,
    /// `Σ x / count`
    Mean,
    /// `Π x`
    Product,
    /// The greatest; of booleans whether one is true.
    Max,
    /// The least; of booleans whether all are true.
    Min,
    /// `Σ |x|`
    L1,
    /// `√ Σ x²`
    L2,
    /// `Σ x²`
    SumSquare,
    /// `log Σ x`
    LogSum,
    /// `log Σ exp(x)`
    LogSumExp,
}

fn read_axes_input(node: &mut NodeReader, method: Method) -> Result<Vec<ValueId>> {
    let keeps_all = node.flag("noop_with_empty_axes", false)?;
    read(node, method, node.constant_ints(1, "axes")?, keeps_all)
}

/// Without axes all are reduced, or none if `keeps_all`; then the method takes each element alone.
fn read(node: &mut NodeReader, method: Method, axes: Option<Vec<i64>>, keeps_all: bool) -> Result<Vec<ValueId>> {
    let keep = node.flag("keepdims", true)?;
    let input = node.input(0)?;
    let shape = node.ty(input).shape.clone();
    let mut reduced = match axes.filter(|axes| !axes.is_empty()) {
        Some(axes) => axes.iter().map(|&axis| reader::axis("axes", axis, shape.len())).collect::<Result<Vec<usize>>>()?,
        None if keeps_all => Vec::new(),
        None => (0..shape.len()).collect(),
    };
    reduced.sort_unstable();
    if let Some(pair) = reduced.windows(2).find(|pair| pair[0] == pair[1]) {
        return Err(Refusal::new(format!("`axes` names axis {} twice", pair[0]), "name each axis once"));
    }
    let kept: Shape = (0..shape.len()).filter(|axis| !reduced.contains(axis)).map(|axis| shape[axis]).collect();
    let y = node.push(Reduce { method, axes: reduced }, &[input])?;
    Ok(vec![if keep { y } else { node.reshape(y, kept)? }])
}

/// Sizes and distances of some of a tensor's dimensions, those that follow on from each other made one.
#[derive(Default)]
struct Dimensions {
    sizes: Vec<usize>,
    strides: Vec<usize>,
}

impl Dimensions {
    fn new(shape: &Shape, axes: impl Iterator<Item = usize>) -> Self {
        let all = shape.strides();
        let mut dimensions = Self::default();
        for axis in axes.filter(|&axis| shape[axis] != 1) {
            let (size, stride) = (shape[axis], all[axis]);
            match dimensions.sizes.last_mut().zip(dimensions.strides.last_mut()) {
                Some((outer, distance)) if *distance == size * stride => (*outer, *distance) = (*outer * size, stride),
                _ => {
                    dimensions.sizes.push(size);
                    dimensions.strides.push(stride);
                }
            }
        }
        dimensions
    }
}

/// The most dimensions, for asking kernels about a reduction of any number.
const MAX_RANK: usize = 8;

/// The kernel with room for as many dimensions as there are.
type Kernel = kernels::Reduce<MAX_RANK, MAX_RANK>;

impl Reduce {
    /// The dimensions that stay and those that go.
    fn dimensions(&self, input: &Shape) -> (Dimensions, Dimensions) {
        let kept = (0..input.len()).filter(|axis| !self.axes.contains(axis));
        (Dimensions::new(input, kept), Dimensions::new(input, self.axes.iter().copied()))
    }

    fn kernel(&self, input: &Shape) -> Option<Kernel> {
        fn padded(values: &[usize], with: usize) -> Option<[usize; MAX_RANK]> {
            let mut result = [with; MAX_RANK];
            result.get_mut(MAX_RANK.checked_sub(values.len())?..)?.copy_from_slice(values);
            Some(result)
        }
        let (kept, reduced) = self.dimensions(input);
        Some(kernels::Reduce {
            kept: padded(&kept.sizes, 1)?,
            kept_strides: padded(&kept.strides, 0)?,
            reduced: padded(&reduced.sizes, 1)?,
            reduced_strides: padded(&reduced.strides, 0)?,
        })
    }
}

impl Method {
    /// Which element types it takes.
    fn supported(self) -> Vec<ElemType> {
        match self {
            Self::Max | Self::Min => ElemType::all().collect(),
            Self::L2 | Self::LogSum | Self::LogSumExp => FLOATS.to_vec(),
            _ => ElemType::all().filter(|&elem| elem != ElemType::Bool).collect(),
        }
    }

    /// The kernel's method.
    fn kernel_name(self, elem: ElemType) -> &'static str {
        match self {
            Self::Sum => "sum",
            Self::Mean => "mean",
            Self::Product => "product",
            Self::Max if elem == ElemType::Bool => "any",
            Self::Max => "max",
            Self::Min if elem == ElemType::Bool => "all",
            Self::Min => "min",
            Self::L1 => "l1",
            Self::L2 => "l2",
            Self::SumSquare => "sum_square",
            Self::LogSum => "log_sum",
            Self::LogSumExp => "log_sum_exp",
        }
    }

    /// Runs a method that takes all numbers, while folding.
    fn run<T: Number + Load<Value = T>>(self, kernel: Kernel, x: &[T], y: &[Cell<T>]) {
        match self {
            Self::Sum => kernel.sum(x, y),
            Self::Mean => kernel.mean(x, y),
            Self::Product => kernel.product(x, y),
            Self::Max => kernel.max(x, y),
            Self::Min => kernel.min(x, y),
            Self::L1 => kernel.l1(x, y),
            Self::SumSquare => kernel.sum_square(x, y),
            Self::L2 | Self::LogSum | Self::LogSumExp => unreachable!("a method of floats"),
        }
    }

    /// Runs a method that takes only floats, while folding.
    fn run_float<T: Float<Sum: Float> + Load<Value = T>>(self, kernel: Kernel, x: &[T], y: &[Cell<T>]) {
        match self {
            Self::LogSum => kernel.log_sum(x, y),
            Self::LogSumExp => kernel.log_sum_exp(x, y),
            _ => kernel.l2(x, y),
        }
    }
}

impl Operator for Reduce {
    fn infer(&self, inputs: &[&TensorType]) -> Result<Vec<TensorType>> {
        expect_elem("data", inputs[0], &self.method.supported())?;
        let mut shape = inputs[0].shape.to_vec();
        self.axes.iter().for_each(|&axis| shape[axis] = 1);
        Ok(vec![inputs[0].with_shape(shape)])
    }

    fn fold(&self, inputs: &[&Tensor], outputs: &[TensorType]) -> Option<Vec<Tensor>> {
        let (x, ty) = (inputs[0], &outputs[0]);
        let kernel = self.kernel(&x.ty().shape)?;
        let y = match (self.method, ty.elem) {
            (Method::Max, ElemType::Bool) => mapped::<u8>(x, ty, |x, y| kernel.any(x, y)),
            (Method::Min, ElemType::Bool) => mapped::<u8>(x, ty, |x, y| kernel.all(x, y)),
            (Method::L2 | Method::LogSum | Method::LogSumExp, ElemType::F32) => {
                mapped::<f32>(x, ty, |x, y| self.method.run_float(kernel, x, y))
            }
            (Method::L2 | Method::LogSum | Method::LogSumExp, _) => return None,
            (method, elem) => with_folded!(elem, T => mapped::<T>(x, ty, |x, y| method.run(kernel, x, y)))?,
        };
        Some(vec![y])
    }

    fn transposed(&self, _types: Types, perm: &[usize]) -> Option<(Op, Vec<usize>)> {
        let mut axes: Vec<usize> = self.axes.iter().map(|&axis| perm[axis]).collect();
        axes.sort_unstable();
        Some((Self { method: self.method, axes }.into(), perm.to_vec()))
    }

    fn overlap(&self, types: Types, _input: usize) -> Overlap {
        let kernel = self.kernel(&types.inputs[0].shape);
        kernel.map_or(Overlap::NONE, |kernel| kernel.overlap(types.inputs[0].elem.size()))
    }

    fn lower(&self, cx: &Lower) -> TokenStream {
        /// Prints as the kernel of as many dimensions does.
        #[derive(Debug)]
        #[allow(dead_code, reason = "its Debug form is the point")]
        struct Reduce {
            kept: Vec<usize>,
            kept_strides: Vec<usize>,
            reduced: Vec<usize>,
            reduced_strides: Vec<usize>,
        }
        let (kept, reduced) = self.dimensions(&cx.input_ty(0).shape);
        let kernel = literal(&Reduce {
            kept: kept.sizes,
            kept_strides: kept.strides,
            reduced: reduced.sizes,
            reduced_strides: reduced.strides,
        });
        let method = Ident::new(self.method.kernel_name(cx.input_ty(0).elem), Span::call_site());
        let (x, y) = (cx.input(0), cx.output(0));
        quote! { #kernel.#method(#x, #y); }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::passes;
    use crate::testing::{OneNode, graph};

    fn floats(op_type: &str, opset: i64) -> OneNode {
        OneNode::new(op_type, opset).constant(&Tensor::from_vec([2, 3], &[1f32, -2.0, 3.0, 0.5, 4.0, 2.0]))
    }

    #[test]
    fn more_dimensions_than_the_kernel_has_are_left_to_the_chip() {
        let x = Tensor::from_vec([2; 18], &vec![0i8; 1 << 18]);
        let sum = Reduce { method: Method::Sum, axes: (0..18).step_by(2).collect() };
        let types = sum.infer(&[x.ty()]).unwrap();
        assert_eq!(sum.fold(&[&x], &types), None);
        assert_eq!(sum.overlap(Types { inputs: &[x.ty()], outputs: &[&types[0]] }, 0), Overlap::NONE);
    }

    #[test]
    fn each_method() {
        /// What a method makes of three elements.
        type Formula = fn([f32; 3]) -> f32;
        let cases: [(&str, Formula); 10] = [
            ("ReduceSum", |[a, b, c]| a + b + c),
            ("ReduceMean", |[a, b, c]| (a + b + c) / 3.0),
            ("ReduceProd", |[a, b, c]| a * b * c),
            ("ReduceMax", |[a, b, c]| a.max(b).max(c)),
            ("ReduceMin", |[a, b, c]| a.min(b).min(c)),
            ("ReduceL1", |[a, b, c]| a.abs() + b.abs() + c.abs()),
            ("ReduceL2", |[a, b, c]| (a * a + b * b + c * c).sqrt()),
            ("ReduceSumSquare", |[a, b, c]| a * a + b * b + c * c),
            ("ReduceLogSum", |[a, b, c]| (a + b + c).ln()),
            ("ReduceLogSumExp", |[a, b, c]| (a.exp() + b.exp() + c.exp()).ln()),
        ];
        for (op_type, formula) in cases {
            let expected = [formula([1.0, -2.0, 3.0]), formula([0.5, 4.0, 2.0])];
            let by_attribute = floats(op_type, 11).ints("axes", &[-1]);
            let by_input = floats(op_type, 18).constant_ints(&[1]);
            for node in [by_attribute, by_input] {
                for (found, expected) in node.results()[0].to_vec::<f32>().into_iter().zip(expected) {
                    assert!((found - expected).abs() <= 1e-6 * expected.abs(), "{op_type}: {found}, not {expected}");
                }
            }
        }
    }

    #[test]
    fn which_axes_and_what_is_kept() {
        let cases = [
            (floats("ReduceSum", 13), "f32[1, 1]"),
            (floats("ReduceSum", 13).constant_ints(&[]), "f32[1, 1]"),
            (floats("ReduceSum", 13).omitted().int("noop_with_empty_axes", 1), "f32[2, 3]"),
            (floats("ReduceSum", 13).constant_ints(&[0]).int("keepdims", 0), "f32[3]"),
            (floats("ReduceMax", 17).int("keepdims", 0), "f32[]"),
        ];
        for (node, ty) in cases {
            assert_eq!(node.types(), [ty], "{node:?}");
        }
    }

    #[test]
    fn without_axes_each_element_is_taken_alone() {
        let node = floats("ReduceSumSquare", 18).omitted().int("noop_with_empty_axes", 1);
        assert_eq!(node.results()[0].to_vec::<f32>(), [1.0, 4.0, 9.0, 0.25, 16.0, 4.0]);
    }

    #[test]
    fn booleans_and_integers() {
        let bools = Tensor::from_elements(TensorType::new(ElemType::Bool, [2, 2]), &[0u8, 2, 0, 0]);
        for (op_type, expected) in [("ReduceMax", [1, 0]), ("ReduceMin", [0, 0])] {
            assert_eq!(OneNode::new(op_type, 20).constant(&bools).constant_ints(&[1]).result_ints(), expected);
        }
        let sizes = Tensor::from_vec([3], &[2i64, 3, 7]);
        assert_eq!(OneNode::new("ReduceProd", 13).constant(&sizes).result_ints(), [42]);
    }

    #[test]
    fn neighbouring_dimensions_are_one() {
        let reduce = Reduce { method: Method::Mean, axes: vec![1, 2] };
        let (kept, reduced) = reduce.dimensions(&[1, 7, 5, 16].into());
        assert_eq!((kept.sizes, kept.strides), (vec![16], vec![1]));
        assert_eq!((reduced.sizes, reduced.strides), (vec![35], vec![16]));
    }

    #[test]
    fn a_transpose_moves_behind() {
        let mut graph = graph(ElemType::F32, &[1, 5, 4, 3], |graph, x| {
            let image = graph.insert_one(0, crate::ops::transpose::Transpose { perm: vec![0, 3, 1, 2] }.into(), &[x], &[]);
            let axes = vec![2, 3];
            graph.insert_one(1, Reduce { method: Method::Mean, axes }.into(), &[image], &[])
        });
        passes::run(&mut graph);
        assert!(graph.to_string().contains("Reduce { method: Mean, axes: [1, 2] } (%0)"), "{graph}");
    }

    #[test]
    fn refusals() {
        let image = |op_type| OneNode::new(op_type, 13).floats(&[2, 3]);
        let cases = [
            (image("ReduceMean").ints("axes", &[2]), "`axes` is 2, but the input has 2 dimensions", "from -2 to 1"),
            (image("ReduceMean").ints("axes", &[1, -1]), "`axes` names axis 1 twice", "each axis once"),
            (image("ReduceSum").input(ElemType::I64, &[1]), "computed at run time", "initializer"),
            (image("ReduceMean").int("keepdims", 2), "attribute `keepdims` is 2; supported: 0 or 1", "supported value"),
            (OneNode::new("ReduceL2", 13).input(ElemType::I32, &[2]), "`data` is i32[2]", "cast"),
            (OneNode::new("ReduceSum", 13).input(ElemType::Bool, &[2]), "`data` is bool[2]", "cast"),
        ];
        for (node, message, help) in cases {
            node.refused(message, help);
        }
    }
}
