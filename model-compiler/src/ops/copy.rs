//! `Copy`: a value in memory of its own, which the importer makes for outputs that are constants, inputs, or other outputs; and the
//! strided copy by which all data movement is lowered and folded.

use std::cell::Cell;

use proc_macro2::TokenStream;

use super::filled;
use crate::diagnostic::Result;
use crate::emit::{Lower, literal};
use crate::kernels::{self, Overlap};
use crate::op::{Operator, Types};
use crate::tensor::{Element, Tensor};
use crate::ty::{Shape, TensorType};
use crate::with_bits;

/// The input's elements.
#[derive(Clone, Debug, PartialEq)]
pub struct Copy {}

impl Operator for Copy {
    fn infer(&self, inputs: &[&TensorType]) -> Result<Vec<TensorType>> {
        Ok(vec![inputs[0].clone()])
    }

    fn evaluate(&self, inputs: &[&Tensor], _outputs: &[TensorType]) -> Option<Vec<Tensor>> {
        Some(vec![inputs[0].clone()])
    }

    fn lower(&self, cx: &Lower) -> TokenStream {
        cx.copy()
    }

    fn overlap(&self, types: Types, _input: usize) -> Overlap {
        Strided::all(&types.outputs[0].shape).overlap(types.inputs[0].elem.size())
    }
}

/// The most dimensions that a strided copy has after [`Strided::simplified`].
const MAX_RANK: usize = 8;

/// `y[to + Σ index · to_strides] = x[from + Σ index · from_strides]` for each index of `shape`, with any number of dimensions.
#[derive(Clone, Debug, PartialEq)]
pub struct Strided {
    /// How many elements are copied along each dimension.
    pub shape: Vec<usize>,
    /// Where the first element is read.
    pub from: usize,
    /// The distance of elements in the input.
    pub from_strides: Vec<isize>,
    /// Where the first element is written.
    pub to: usize,
    /// The distance of elements in the output.
    pub to_strides: Vec<isize>,
}

/// A stride or size as a signed number.
pub fn signed(size: usize) -> isize {
    isize::try_from(size).expect("tensors fit the address space")
}

impl Strided {
    /// Every element to its own place.
    pub fn all(shape: &Shape) -> Self {
        let strides: Vec<isize> = shape.strides().into_iter().map(signed).collect();
        Self { shape: shape.to_vec(), from: 0, from_strides: strides.clone(), to: 0, to_strides: strides }.simplified()
    }

    /// A dense output of `shape`, read from `from` on with `from_strides`.
    pub fn gather(shape: &Shape, from: usize, from_strides: Vec<isize>) -> Self {
        let to_strides = shape.strides().into_iter().map(signed).collect();
        Self { shape: shape.to_vec(), from, from_strides, to: 0, to_strides }.simplified()
    }

    /// A dense input of `shape`, written from `to` on with `to_strides`.
    pub fn scatter(shape: &Shape, to: usize, to_strides: Vec<isize>) -> Self {
        let from_strides = shape.strides().into_iter().map(signed).collect();
        Self { shape: shape.to_vec(), from: 0, from_strides, to, to_strides }.simplified()
    }

    /// The same copy with dimensions of one dropped, and those that follow on from each other made one.
    fn simplified(self) -> Self {
        let mut simple = Self { shape: Vec::new(), from_strides: Vec::new(), to_strides: Vec::new(), ..self };
        for axis in (0..self.shape.len()).filter(|&axis| self.shape[axis] != 1) {
            let (size, from, to) = (self.shape[axis], self.from_strides[axis], self.to_strides[axis]);
            let last = simple.shape.len().checked_sub(1);
            match last
                .filter(|&last| simple.from_strides[last] == from * signed(size) && simple.to_strides[last] == to * signed(size))
            {
                Some(last) => {
                    simple.shape[last] *= size;
                    (simple.from_strides[last], simple.to_strides[last]) = (from, to);
                }
                None => {
                    simple.shape.push(size);
                    simple.from_strides.push(from);
                    simple.to_strides.push(to);
                }
            }
        }
        if simple.shape.is_empty() {
            (simple.shape, simple.from_strides, simple.to_strides) = (vec![1], vec![1], vec![1]);
        }
        simple
    }

    /// Whether a single run of elements is copied.
    pub fn is_contiguous(&self) -> bool {
        self.shape.len() == 1 && (self.shape[0] == 1 || (self.from_strides[0] == 1 && self.to_strides[0] == 1))
    }

    /// Whether the kernel has as many dimensions as this copy needs.
    pub fn fits(&self) -> bool {
        self.shape.len() <= MAX_RANK
    }

    fn kernel(&self) -> kernels::Copy<MAX_RANK> {
        fn padded<T: core::marker::Copy>(values: &[T], with: T) -> [T; MAX_RANK] {
            let mut result = [with; MAX_RANK];
            result[MAX_RANK - values.len()..].copy_from_slice(values);
            result
        }
        kernels::Copy {
            shape: padded(&self.shape, 1),
            from: self.from,
            from_strides: padded(&self.from_strides, 0),
            to: self.to,
            to_strides: padded(&self.to_strides, 0),
        }
    }

    /// The copy of `input` into an output of type `ty`, all of which it fills; `None` where the kernel has too few dimensions.
    pub fn fold(&self, input: &Tensor, ty: &TensorType) -> Option<Tensor> {
        self.fits().then(|| with_bits!(ty.elem, T => filled::<T>(ty, |y| self.run(&input.to_vec::<T>(), y))))
    }

    /// Copies elements while folding.
    pub fn run<T: Element + kernels::Load<Value = T>>(&self, x: &[T], y: &[Cell<T>]) {
        self.kernel().run(x, y);
    }

    /// How far the output may overtake the input, running from first to last.
    pub fn overlap(&self, element_size: usize) -> Overlap {
        if !self.fits() {
            return Overlap::NONE;
        }
        Overlap { backward: None, ..self.kernel().overlap(element_size) }
    }

    /// The copy back from output to input.
    pub fn turned(self) -> Self {
        let Self { shape, from, from_strides, to, to_strides } = self;
        Self { shape, from: to, from_strides: to_strides, to: from, to_strides: from_strides }
    }

    /// The call that copies `input` from the element that `from` computes on to `output` from that of `to` on.
    pub fn lower_at(&self, input: &TokenStream, from: &TokenStream, output: &TokenStream, to: &TokenStream) -> TokenStream {
        let array = |values: String| values.parse::<TokenStream>().expect("numbers print as Rust");
        let shape = array(format!("{:?}", self.shape));
        let (from_strides, to_strides) = (array(format!("{:?}", self.from_strides)), array(format!("{:?}", self.to_strides)));
        quote::quote! {
            rt::Copy { shape: #shape, from: #from, from_strides: #from_strides, to: #to, to_strides: #to_strides }.run(#input, #output);
        }
    }

    /// The call that copies `input` to `output`.
    pub fn lower(&self, input: &TokenStream, output: &TokenStream) -> TokenStream {
        /// Prints as the kernel of as many dimensions does.
        #[derive(Debug)]
        #[allow(dead_code, reason = "its Debug form is the point")]
        struct Copy<'a> {
            shape: &'a [usize],
            from: usize,
            from_strides: &'a [isize],
            to: usize,
            to_strides: &'a [isize],
        }
        let Self { shape, from, from_strides, to, to_strides } = self;
        let kernel = literal(&Copy { shape, from: *from, from_strides, to: *to, to_strides });
        quote::quote! { #kernel.run(#input, #output); }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_dimensions_than_the_kernel_has_are_left_to_the_chip() {
        let x = Tensor::from_vec([2; 9], &[0.0f32; 512]);
        let strides = x.ty().shape.strides().into_iter().rev().map(signed).collect();
        let turned = Strided::gather(&x.ty().shape, 0, strides);
        assert_eq!((turned.fold(&x, x.ty()), turned.overlap(4)), (None, Overlap::NONE));
    }
}
