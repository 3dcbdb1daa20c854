//! Layers as straight-line code: their bits are those of the kernels.

use model_runtime::{Model, include_model};

include_model!("models/sparse.onnx", name = kernels, unroll = none);
include_model!("models/sparse.onnx", name = unrolled);
include_model!("models/sparse_integers.onnx", name = integer_kernel, unroll = none);
include_model!("models/sparse_integers.onnx", name = integers, unroll = all);
include_model!("models/image.onnx", name = image_kernels, unroll = none);
include_model!("models/image.onnx", name = image, unroll = all);
include_model!("models/cascade.onnx", name = cascade_kernels, unroll = none);
include_model!("models/cascade.onnx", name = cascade, unroll = all);

/// All outputs for inputs of random bytes; floats lie between -1 and 1.
fn outputs(model: &mut dyn Model, seed: u32) -> Vec<Vec<u8>> {
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state
    };
    let signature = model.signature();
    for (index, tensor) in signature.inputs.iter().enumerate() {
        let place = model.input_bytes(index).expect("the model has the input");
        match tensor.elem.size() {
            4 => place
                .as_chunks_mut()
                .0
                .iter_mut()
                .for_each(|place| *place = (next().cast_signed() as f32 / 2f32.powi(31)).to_le_bytes()),
            _ => place.iter_mut().for_each(|place| *place = (next() >> 24) as u8),
        }
    }
    model.run_in_place();
    (0..signature.outputs.len()).map(|index| model.output_bytes(index).expect("the model has the output").to_vec()).collect()
}

fn agree(kernels: &mut dyn Model, unrolled: &mut dyn Model) {
    for seed in 0..50 {
        assert_eq!(outputs(kernels, seed), outputs(unrolled, seed), "{seed}");
    }
}

#[test]
fn bits_are_those_of_the_kernels() {
    agree(&mut kernels::Model::new(), &mut unrolled::Model::new());
    agree(&mut integer_kernel::Model::new(), &mut integers::Model::new());
    agree(&mut image_kernels::Model::new(), &mut image::Model::new());
    agree(&mut cascade_kernels::Model::new(), &mut cascade::Model::new());
}

/// Of the layers' 12 288 weights a quarter are there, and no constant data.
#[test]
fn zeros_are_skipped() {
    assert_eq!([kernels::MACS, unrolled::MACS], [4 * 64 * 48, 3076]);
    assert_eq!([integer_kernel::MACS, integers::MACS], [64 * 48, 763]);
    assert_eq!([unrolled::WEIGHT_BYTES, integers::WEIGHT_BYTES], [0, 0]);
}
