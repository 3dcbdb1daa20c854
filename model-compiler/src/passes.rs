//! The passes in their order.

mod absorb_transpose;
mod affine;
mod clamp;
mod drop_outputs;
mod fold_affine;
mod fold_affine_before;
mod fold_pad;
mod form_cascades;
mod fuse_activation;
mod fuse_elementwise;
mod inline_scalars;
mod merge_expand;
mod merge_movement;
mod quantization;
mod quantize_averages;
mod quantize_layers;
mod quantize_softmax;
mod quantize_sums;
#[cfg(test)]
mod quantized_tests;
mod raise_quantize;
mod requantize;
mod sink_dequantize;
mod sink_reshape;
mod sink_transpose;
mod tabulate;
mod tie_states;
mod unroll;

pub use unroll::unroll;

use crate::graph::Graph;
use crate::verify::verify;

/// A pass and its name in messages.
type Pass = (&'static str, fn(&mut Graph));

/// What is done to every graph, in this order.
const PASSES: &[Pass] = &[
    ("drop_outputs", drop_outputs::drop_outputs),
    // Early, so that expressions show their constants to all that follows.
    ("inline_scalars", inline_scalars::inline_scalars),
    ("merge_expand", merge_expand::merge_expand),
    // Transposes move down until they meet and cancel; the import has put one before and behind each operator of images.
    ("merge_movement", merge_movement::merge_movement),
    ("sink_transpose", sink_transpose::sink_transpose),
    ("merge_movement", merge_movement::merge_movement),
    // Before a transpose is absorbed, so that nothing but paddings stands between an image and its convolution.
    ("fold_pad", fold_pad::fold_pad),
    ("absorb_transpose", absorb_transpose::absorb_transpose),
    ("sink_reshape", sink_reshape::sink_reshape),
    ("merge_movement", merge_movement::merge_movement),
    // With nothing between a layer and its scale and shift they become one.
    ("fold_affine", fold_affine::fold_affine),
    ("fold_affine_before", fold_affine_before::fold_affine_before),
    // Integers are moved, not the numbers that they stand for; and chains between them become one expression each, by whose form the
    // passes below know what can be computed with integers.
    ("sink_dequantize", sink_dequantize::sink_dequantize),
    ("fuse_between_quantized", fuse_elementwise::fuse_between_quantized),
    ("raise_quantize", raise_quantize::raise_quantize),
    ("fuse_between_quantized", fuse_elementwise::fuse_between_quantized),
    ("quantize_layers", quantize_layers::quantize_layers),
    ("quantize_averages", quantize_averages::quantize_averages),
    ("quantize_softmax", quantize_softmax::quantize_softmax),
    // A table is smaller than a sum, and costs less.
    ("tabulate", tabulate::tabulate),
    ("quantize_sums", quantize_sums::quantize_sums),
    ("merge_movement", merge_movement::merge_movement),
    // Chains first, so that an activation is fused whole.
    ("fuse_elementwise", fuse_elementwise::fuse_elementwise),
    ("fuse_activation", fuse_activation::fuse_activation),
    // Last, as these look at the memory of what is left.
    ("form_cascades", form_cascades::form_cascades),
    ("tie_states", tie_states::tie_states),
];

/// Runs all passes; in debug builds the graph is verified after each.
pub fn run(graph: &mut Graph) {
    run_with(graph, |_, _| {});
}

/// As [`run`], showing the graph after each pass to `watch`.
pub fn run_with(graph: &mut Graph, mut watch: impl FnMut(&str, &Graph)) {
    if cfg!(debug_assertions) {
        verify(graph, "import");
    }
    graph.drop_unused();
    for (name, pass) in PASSES {
        pass(graph);
        if cfg!(debug_assertions) {
            verify(graph, name);
        }
        watch(name, graph);
    }
}
