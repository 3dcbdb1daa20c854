/// `wake.onnx` (opset 17): 11 steps, 39780 bytes of constant data, 24160 bytes of working memory, 468008 multiply-accumulates a run.
///
/// | step | ONNX nodes | operator | output | MACs |
/// |---|---|---|---|---|
/// | 0 | `/conv_0/Conv`, `/relu_0/Relu` | Conv | f32[1, 23, 16, 16] | 147200 |
/// | 1 | `/conv_1/Conv`, `/relu_1/Relu` | Conv | f32[1, 21, 8, 16] | 24192 |
/// | 2 | `/conv_2/Conv`, `/relu_2/Relu` | Dense | f32[1, 21, 8, 32] | 86016 |
/// | 3 | `/conv_3/Conv`, `/relu_3/Relu` | Conv | f32[1, 19, 4, 32] | 21888 |
/// | 4 | `/conv_4/Conv`, `/relu_4/Relu` | Dense | f32[1, 19, 4, 40] | 97280 |
/// | 5 | `/conv_5/Conv`, `/relu_5/Relu` | Conv | f32[1, 17, 1, 40] | 8160 |
/// | 6 | `/conv_6/Conv`, `/relu_6/Relu` | Dense | f32[1, 17, 1, 56] | 38080 |
/// | 7 | `/conv_7/Conv`, `/relu_7/Relu` | Conv | f32[1, 13, 1, 56] | 3640 |
/// | 8 | `/conv_8/Conv`, `/relu_8/Relu` | Dense | f32[1, 13, 1, 56] | 40768 |
/// | 9 | `/conv_9/Conv`, `/relu_9/Relu` | Conv | f32[1, 1, 1, 56] | 728 |
/// | 10 | `/conv_10/Conv`, `/Sigmoid` | Dense | f32[1, 1, 1, 1] | 56 |
///
/// The arena takes 24160 bytes: fewer than the 34304 bytes of the largest set of values that are alive at one step, as steps write over what they have read.
pub mod wake {
    use ::model_runtime as rt;
    /// `features`: f32[1, 1, 49, 32]
    pub type Input = [[f32; 32]; 49];
    /// `score`: f32[1, 1]
    pub type Output = [f32; 1];
    /// Bytes of working memory: the arena with inputs and outputs, and state.
    pub const RAM_BYTES: usize = 24160;
    /// Bytes of constant data, without code.
    pub const WEIGHT_BYTES: usize = 39780;
    /// Multiply-accumulates a run.
    pub const MACS: u64 = 468008;
    /// Inputs, outputs and costs of the model.
    pub const SIGNATURE: rt::Signature = rt::Signature {
        name: "wake",
        inputs: &[
            rt::Tensor {
                name: "features",
                elem: rt::Elem::F32,
                shape: &[1, 1, 49, 32],
            },
        ],
        outputs: &[
            rt::Tensor {
                name: "score",
                elem: rt::Elem::F32,
                shape: &[1, 1],
            },
        ],
        ram_bytes: RAM_BYTES,
        weight_bytes: WEIGHT_BYTES,
        macs: MACS,
    };
    /// `features`: f32[1, 1, 49, 32]
    pub mod features {
        /// The name in the model.
        pub const NAME: &str = "features";
        /// The sizes in the model.
        pub const SHAPE: [usize; 4] = [1, 1, 49, 32];
    }
    /// `score`: f32[1, 1]
    pub mod score {
        /// The name in the model.
        pub const NAME: &str = "score";
        /// The sizes in the model.
        pub const SHAPE: [usize; 2] = [1, 1];
    }
    /// The model and its working memory, all zero at first. Keep it in a `static`.
    pub struct Model {
        arena: rt::Arena<RAM_BYTES>,
    }
    impl Model {
        /// A model that has not run yet.
        #[allow(clippy::new_without_default)]
        pub const fn new() -> Self {
            Self { arena: rt::Arena::new() }
        }
        /// Runs the model: reads `features`, returns `score`.
        pub fn run(&mut self, features: &Input) -> &Output {
            *self.input_mut() = *features;
            self.run_in_place()
        }
        /// The place of `features` in working memory, to be filled before `run_in_place`.
        pub fn input_mut(&mut self) -> &mut Input {
            self.arena.get_mut(memory::FEATURES)
        }
        /// Runs the model on what its inputs' places hold; the run reuses them, so fill all of them before the next.
        pub fn run_in_place(&mut self) -> &Output {
            let arena = self.arena.places();
            let features = arena.at(memory::FEATURES);
            /// `/conv_0/Conv`, `/relu_0/Relu`: f32[1, 49, 32, 1] → f32[1, 23, 16, 16]
            let relu_0 = arena.at(memory::RELU_0);
            rt::Conv {
                input: [49, 32, 1],
                output: [23, 16, 16],
                kernel: [5, 5],
                strides: [2, 2],
                dilations: [1, 1],
                padding: [0, 2],
                groups: 1,
                batch: 1,
                planar: false,
                backward: false,
            }
                .run(
                    features,
                    &weights::CONV_0_WEIGHT,
                    &weights::CONV_0_BIAS,
                    relu_0,
                    arena.at(memory::SCRATCH_0),
                    rt::relu,
                );
            /// `/conv_1/Conv`, `/relu_1/Relu`: f32[1, 23, 16, 16] → f32[1, 21, 8, 16]
            let relu_1 = arena.at(memory::RELU_1);
            rt::Depthwise {
                input: [23, 16, 16],
                output: [21, 8, 16],
                kernel: [3, 3],
                strides: [1, 2],
                dilations: [1, 1],
                padding: [0, 1],
                batch: 1,
                backward: false,
            }
                .run(
                    relu_0,
                    &weights::CONV_1_WEIGHT,
                    &weights::CONV_1_BIAS,
                    relu_1,
                    rt::relu,
                );
            /// `/conv_2/Conv`, `/relu_2/Relu`: f32[1, 21, 8, 16] → f32[1, 21, 8, 32]
            let relu_2 = arena.at(memory::RELU_2);
            rt::Dense {
                rows: 168,
                inputs: 16,
                outputs: 32,
                backward: true,
            }
                .run(
                    relu_1,
                    &weights::CONV_2_CONV,
                    &weights::CONV_2_BIAS,
                    relu_2,
                    arena.at(memory::SCRATCH_2),
                    rt::relu,
                );
            /// `/conv_3/Conv`, `/relu_3/Relu`: f32[1, 21, 8, 32] → f32[1, 19, 4, 32]
            let relu_3 = arena.at(memory::RELU_3);
            rt::Depthwise {
                input: [21, 8, 32],
                output: [19, 4, 32],
                kernel: [3, 3],
                strides: [1, 2],
                dilations: [1, 1],
                padding: [0, 1],
                batch: 1,
                backward: false,
            }
                .run(
                    relu_2,
                    &weights::CONV_3_WEIGHT,
                    &weights::CONV_3_BIAS,
                    relu_3,
                    rt::relu,
                );
            /// `/conv_4/Conv`, `/relu_4/Relu`: f32[1, 19, 4, 32] → f32[1, 19, 4, 40]
            let relu_4 = arena.at(memory::RELU_4);
            rt::Dense {
                rows: 76,
                inputs: 32,
                outputs: 40,
                backward: true,
            }
                .run(
                    relu_3,
                    &weights::CONV_4_CONV,
                    &weights::CONV_4_BIAS,
                    relu_4,
                    arena.at(memory::SCRATCH_4),
                    rt::relu,
                );
            /// `/conv_5/Conv`, `/relu_5/Relu`: f32[1, 19, 4, 40] → f32[1, 17, 1, 40]
            let relu_5 = arena.at(memory::RELU_5);
            rt::Depthwise {
                input: [19, 4, 40],
                output: [17, 1, 40],
                kernel: [3, 4],
                strides: [1, 1],
                dilations: [1, 1],
                padding: [0, 0],
                batch: 1,
                backward: false,
            }
                .run(
                    relu_4,
                    &weights::CONV_5_WEIGHT,
                    &weights::CONV_5_BIAS,
                    relu_5,
                    rt::relu,
                );
            /// `/conv_6/Conv`, `/relu_6/Relu`: f32[1, 17, 1, 40] → f32[1, 17, 1, 56]
            let relu_6 = arena.at(memory::RELU_6);
            rt::Dense {
                rows: 17,
                inputs: 40,
                outputs: 56,
                backward: true,
            }
                .run(
                    relu_5,
                    &weights::CONV_6_CONV,
                    &weights::CONV_6_BIAS,
                    relu_6,
                    arena.at(memory::SCRATCH_6),
                    rt::relu,
                );
            /// `/conv_7/Conv`, `/relu_7/Relu`: f32[1, 17, 1, 56] → f32[1, 13, 1, 56]
            let relu_7 = arena.at(memory::RELU_7);
            rt::Depthwise {
                input: [17, 1, 56],
                output: [13, 1, 56],
                kernel: [5, 1],
                strides: [1, 1],
                dilations: [1, 1],
                padding: [0, 0],
                batch: 1,
                backward: false,
            }
                .run(
                    relu_6,
                    &weights::CONV_7_WEIGHT,
                    &weights::CONV_7_BIAS,
                    relu_7,
                    rt::relu,
                );
            /// `/conv_8/Conv`, `/relu_8/Relu`: f32[1, 13, 1, 56] → f32[1, 13, 1, 56]
            let relu_8 = arena.at(memory::RELU_8);
            rt::Dense {
                rows: 13,
                inputs: 56,
                outputs: 56,
                backward: true,
            }
                .run(
                    relu_7,
                    &weights::CONV_8_CONV,
                    &weights::CONV_8_BIAS,
                    relu_8,
                    arena.at(memory::SCRATCH_8),
                    rt::relu,
                );
            /// `/conv_9/Conv`, `/relu_9/Relu`: f32[1, 13, 1, 56] → f32[1, 1, 1, 56]
            let relu_9 = arena.at(memory::RELU_9);
            rt::Depthwise {
                input: [13, 1, 56],
                output: [1, 1, 56],
                kernel: [13, 1],
                strides: [1, 1],
                dilations: [1, 1],
                padding: [0, 0],
                batch: 1,
                backward: false,
            }
                .run(
                    relu_8,
                    &weights::CONV_9_WEIGHT,
                    &weights::CONV_9_BIAS,
                    relu_9,
                    rt::relu,
                );
            /// `/conv_10/Conv`, `/Sigmoid`: f32[1, 1, 1, 56] → f32[1, 1, 1, 1]
            let probability = arena.at(memory::PROBABILITY);
            rt::Dense {
                rows: 1,
                inputs: 56,
                outputs: 1,
                backward: false,
            }
                .run(
                    relu_9,
                    &weights::CONV_10_CONV,
                    &weights::CONV_10_BIAS,
                    probability,
                    &[],
                    rt::sigmoid,
                );
            self.arena.get(memory::PROBABILITY)
        }
    }
    impl rt::Model for Model {
        fn signature(&self) -> &'static rt::Signature {
            &SIGNATURE
        }
        fn input_bytes(&mut self, index: usize) -> Option<&mut [u8]> {
            match index {
                0 => Some(rt::bytes_of_mut(self.input_mut())),
                _ => None,
            }
        }
        fn run_in_place(&mut self) {
            Self::run_in_place(self);
        }
        fn output_bytes(&self, index: usize) -> Option<&[u8]> {
            match index {
                0 => Some(rt::bytes_of::<Output>(self.arena.get(memory::PROBABILITY))),
                _ => None,
            }
        }
    }
    /// The memory plan: the place of every value in the arena.
    mod memory {
        use super::rt;
        pub const FEATURES: rt::Place<f32, 17688, 1568> = rt::Place::new();
        pub const RELU_0: rt::Place<f32, 0, 5888> = rt::Place::new();
        pub const RELU_1: rt::Place<f32, 0, 2688> = rt::Place::new();
        pub const RELU_2: rt::Place<f32, 0, 5376> = rt::Place::new();
        pub const RELU_3: rt::Place<f32, 0, 2432> = rt::Place::new();
        pub const RELU_4: rt::Place<f32, 0, 3040> = rt::Place::new();
        pub const RELU_5: rt::Place<f32, 0, 680> = rt::Place::new();
        pub const RELU_6: rt::Place<f32, 0, 952> = rt::Place::new();
        pub const RELU_7: rt::Place<f32, 0, 728> = rt::Place::new();
        pub const RELU_8: rt::Place<f32, 8, 728> = rt::Place::new();
        pub const RELU_9: rt::Place<f32, 8, 56> = rt::Place::new();
        pub const PROBABILITY: rt::Place<f32, 0, 1> = rt::Place::new();
        pub const SCRATCH_0: rt::Place<f32, 23960, 50> = rt::Place::new();
        pub const SCRATCH_2: rt::Place<f32, 21504, 32> = rt::Place::new();
        pub const SCRATCH_4: rt::Place<f32, 12160, 64> = rt::Place::new();
        pub const SCRATCH_6: rt::Place<f32, 3808, 80> = rt::Place::new();
        pub const SCRATCH_8: rt::Place<f32, 2920, 112> = rt::Place::new();
        const _: () = rt::check_plan(
            &[
                FEATURES.alive(0, 0),
                RELU_0.alive(0, 1).forward_over(FEATURES.alive(0, 0), 17688),
                RELU_1.alive(1, 2).forward_over(RELU_0.alive(0, 1), 0),
                RELU_2.alive(2, 3).backward_over(RELU_1.alive(1, 2), -128),
                RELU_3.alive(3, 4).forward_over(RELU_2.alive(2, 3), 0),
                RELU_4.alive(4, 5).backward_over(RELU_3.alive(3, 4), -64),
                RELU_5.alive(5, 6).forward_over(RELU_4.alive(4, 5), 0),
                RELU_6.alive(6, 7).backward_over(RELU_5.alive(5, 6), -128),
                RELU_7.alive(7, 8).forward_over(RELU_6.alive(6, 7), 0),
                RELU_8.alive(8, 9).backward_over(RELU_7.alive(7, 8), 0),
                RELU_9.alive(9, 10).forward_over(RELU_8.alive(8, 9), 0),
                PROBABILITY.alive(10, 11),
                SCRATCH_0.alive(0, 0),
                SCRATCH_2.alive(2, 2),
                SCRATCH_4.alive(4, 4),
                SCRATCH_6.alive(6, 6),
                SCRATCH_8.alive(8, 8),
            ],
        );
    }
    /// The constant data, in the order in which the kernels read it.
    mod weights {
        use super::rt;
        /// f32[16, 1, 5, 5]
        pub static CONV_0_WEIGHT: [f32; 400] = rt::weights(b"1600 bytes");
        /// f32[16]
        pub static CONV_0_BIAS: [f32; 16] = rt::weights(b"64 bytes");
        /// f32[16, 1, 3, 3]
        pub static CONV_1_WEIGHT: [f32; 144] = rt::weights(b"576 bytes");
        /// f32[16]
        pub static CONV_1_BIAS: [f32; 16] = rt::weights(b"64 bytes");
        /// f32[16, 32]
        pub static CONV_2_CONV: [f32; 512] = rt::weights(b"2048 bytes");
        /// f32[32]
        pub static CONV_2_BIAS: [f32; 32] = rt::weights(b"128 bytes");
        /// f32[32, 1, 3, 3]
        pub static CONV_3_WEIGHT: [f32; 288] = rt::weights(b"1152 bytes");
        /// f32[32]
        pub static CONV_3_BIAS: [f32; 32] = rt::weights(b"128 bytes");
        /// f32[32, 40]
        pub static CONV_4_CONV: [f32; 1280] = rt::weights(b"5120 bytes");
        /// f32[40]
        pub static CONV_4_BIAS: [f32; 40] = rt::weights(b"160 bytes");
        /// f32[40, 1, 3, 4]
        pub static CONV_5_WEIGHT: [f32; 480] = rt::weights(b"1920 bytes");
        /// f32[40]
        pub static CONV_5_BIAS: [f32; 40] = rt::weights(b"160 bytes");
        /// f32[40, 56]
        pub static CONV_6_CONV: [f32; 2240] = rt::weights(b"8960 bytes");
        /// f32[56]
        pub static CONV_6_BIAS: [f32; 56] = rt::weights(b"224 bytes");
        /// f32[56, 1, 5, 1]
        pub static CONV_7_WEIGHT: [f32; 280] = rt::weights(b"1120 bytes");
        /// f32[56]
        pub static CONV_7_BIAS: [f32; 56] = rt::weights(b"224 bytes");
        /// f32[56, 56]
        pub static CONV_8_CONV: [f32; 3136] = rt::weights(b"12544 bytes");
        /// f32[56]
        pub static CONV_8_BIAS: [f32; 56] = rt::weights(b"224 bytes");
        /// f32[56, 1, 13, 1]
        pub static CONV_9_WEIGHT: [f32; 728] = rt::weights(b"2912 bytes");
        /// f32[56]
        pub static CONV_9_BIAS: [f32; 56] = rt::weights(b"224 bytes");
        /// f32[56, 1]
        pub static CONV_10_CONV: [f32; 56] = rt::weights(b"224 bytes");
        /// f32[1]
        pub static CONV_10_BIAS: [f32; 1] = rt::weights(b"4 bytes");
    }
}
