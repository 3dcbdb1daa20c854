/// `wake_float.onnx` (opset 17): 6 steps, 39780 bytes of constant data, 15104 bytes of working memory, 468008 multiply-accumulates a run.
///
/// | step | ONNX nodes | operator | output | MACs |
/// |---|---|---|---|---|
/// | 0 | `/conv_0/Conv`, `/relu_0/Relu` | Conv row by row | f32[1, 23, 16, 16] | 147200 |
/// | 0 | `/conv_1/Conv`, `/relu_1/Relu` | Conv row by row | f32[1, 21, 8, 16] | 24192 |
/// | 0 | `/conv_2/Conv`, `/relu_2/Relu` | Dense row by row | f32[1, 21, 8, 32] | 86016 |
/// | 0 | `/conv_3/Conv`, `/relu_3/Relu` | Conv row by row | f32[1, 19, 4, 32] | 21888 |
/// | 0 | `/conv_4/Conv`, `/relu_4/Relu` | Dense row by row | f32[1, 19, 4, 40] | 97280 |
/// | 0 | `/conv_5/Conv`, `/relu_5/Relu` | Conv row by row | f32[1, 17, 1, 40] | 8160 |
/// | 1 | `/conv_6/Conv`, `/relu_6/Relu` | Dense | f32[1, 17, 1, 56] | 38080 |
/// | 2 | `/conv_7/Conv`, `/relu_7/Relu` | Conv | f32[1, 13, 1, 56] | 3640 |
/// | 3 | `/conv_8/Conv`, `/relu_8/Relu` | Dense | f32[1, 13, 1, 56] | 40768 |
/// | 4 | `/conv_9/Conv`, `/relu_9/Relu` | Conv | f32[1, 1, 1, 56] | 728 |
/// | 5 | `/conv_10/Conv`, `/Sigmoid` | Dense | f32[1, 1, 1, 1] | 56 |
///
/// The arena takes 15104 bytes: fewer than the 17824 bytes of the largest set of values that are alive at one step, as steps write over what they have read.
pub mod wake_float {
    use ::model_runtime as rt;
    /// `features`: f32[1, 1, 49, 32]
    pub type Input = [[f32; 32]; 49];
    /// `score`: f32[1, 1]
    pub type Output = [f32; 1];
    /// Bytes of working memory: the arena with inputs and outputs, and state.
    pub const RAM_BYTES: usize = 15104;
    /// Bytes of constant data, without code.
    pub const WEIGHT_BYTES: usize = 39780;
    /// Multiply-accumulates a run.
    pub const MACS: u64 = 468008;
    /// What the model may cost, as the arguments of `include_model!` say.
    pub const BUDGETS: rt::Budgets = rt::Budgets::NONE;
    /// The SHA-256 of the model's file, as `sha256sum` prints it.
    pub const MODEL_SHA256: &str = "708a6a489a167b2e828ec2963a9b1a8d2feb6c881f1949f453030aa1d682f06a";
    /// The version of the compiler that wrote this module.
    pub const COMPILER_VERSION: &str = "0.1.0";
    /// Inputs, outputs and costs of the model.
    pub const SIGNATURE: rt::Signature = rt::Signature {
        name: "wake_float",
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
            /// `/conv_0/Conv`, `/relu_0/Relu`, `/conv_1/Conv`, `/relu_1/Relu`, `/conv_2/Conv`, `/relu_2/Relu`, `/conv_3/Conv`, `/relu_3/Relu`, `/conv_4/Conv`, `/relu_4/Relu`, `/conv_5/Conv`, `/relu_5/Relu`: f32[1, 49, 32, 1] → f32[1, 17, 1, 40]
            let relu_5 = arena.at(memory::RELU_5);
            rt::cascade(
                [
                    rt::Rows {
                        input: 49,
                        output: 23,
                        extent: 5,
                        stride: 2,
                        padding: 0,
                    },
                    rt::Rows {
                        input: 23,
                        output: 21,
                        extent: 3,
                        stride: 1,
                        padding: 0,
                    },
                    rt::Rows {
                        input: 21,
                        output: 21,
                        extent: 1,
                        stride: 1,
                        padding: 0,
                    },
                    rt::Rows {
                        input: 21,
                        output: 19,
                        extent: 3,
                        stride: 1,
                        padding: 0,
                    },
                    rt::Rows {
                        input: 19,
                        output: 19,
                        extent: 1,
                        stride: 1,
                        padding: 0,
                    },
                    rt::Rows {
                        input: 19,
                        output: 17,
                        extent: 3,
                        stride: 1,
                        padding: 0,
                    },
                ],
                |stage, band| match stage {
                    0 => {
                        let y = arena.push(memory::SCRATCH_0, 256);
                        /// rows of `/conv_0/Conv`, `/relu_0/Relu`
                        let x = rt::part(features, band.first * 32, band.rows * 32);
                        rt::Conv {
                            input: [5, 32, 1],
                            output: [1, 16, 16],
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
                                x,
                                &weights::CONV_0_WEIGHT,
                                &weights::CONV_0_BIAS,
                                y,
                                rt::part(arena.at(memory::SCRATCH_0_4), 0, 50),
                                rt::relu,
                            );
                    }
                    1 => {
                        let y = rt::last(arena.at(memory::SCRATCH_0_1), 128);
                        /// rows of `/conv_1/Conv`, `/relu_1/Relu`
                        let x = rt::last(arena.at(memory::SCRATCH_0), band.rows * 256);
                        rt::Depthwise {
                            input: [3, 16, 16],
                            output: [1, 8, 16],
                            kernel: [3, 3],
                            strides: [1, 2],
                            dilations: [1, 1],
                            padding: [0, 1],
                            batch: 1,
                            backward: false,
                        }
                            .run(
                                x,
                                &weights::CONV_1_WEIGHT,
                                &weights::CONV_1_BIAS,
                                y,
                                rt::relu,
                            );
                    }
                    2 => {
                        let y = arena.push(memory::SCRATCH_0_2, 256);
                        /// rows of `/conv_2/Conv`, `/relu_2/Relu`
                        let x = rt::last(arena.at(memory::SCRATCH_0_1), band.rows * 128);
                        rt::Dense {
                            rows: 8,
                            inputs: 16,
                            outputs: 32,
                            backward: false,
                        }
                            .run(
                                x,
                                &weights::CONV_2_CONV,
                                &weights::CONV_2_BIAS,
                                y,
                                rt::part(arena.at(memory::SCRATCH_0_4), 0, 32),
                                rt::relu,
                            );
                    }
                    3 => {
                        let y = rt::last(arena.at(memory::SCRATCH_0_1), 128);
                        /// rows of `/conv_3/Conv`, `/relu_3/Relu`
                        let x = rt::last(arena.at(memory::SCRATCH_0_2), band.rows * 256);
                        rt::Depthwise {
                            input: [3, 8, 32],
                            output: [1, 4, 32],
                            kernel: [3, 3],
                            strides: [1, 2],
                            dilations: [1, 1],
                            padding: [0, 1],
                            batch: 1,
                            backward: false,
                        }
                            .run(
                                x,
                                &weights::CONV_3_WEIGHT,
                                &weights::CONV_3_BIAS,
                                y,
                                rt::relu,
                            );
                    }
                    4 => {
                        let y = arena.push(memory::SCRATCH_0_3, 160);
                        /// rows of `/conv_4/Conv`, `/relu_4/Relu`
                        let x = rt::last(arena.at(memory::SCRATCH_0_1), band.rows * 128);
                        rt::Dense {
                            rows: 4,
                            inputs: 32,
                            outputs: 40,
                            backward: false,
                        }
                            .run(
                                x,
                                &weights::CONV_4_CONV,
                                &weights::CONV_4_BIAS,
                                y,
                                rt::part(arena.at(memory::SCRATCH_0_4), 0, 64),
                                rt::relu,
                            );
                    }
                    _ => {
                        let y = rt::part(relu_5, band.row * 40, 40);
                        /// rows of `/conv_5/Conv`, `/relu_5/Relu`
                        let x = rt::last(arena.at(memory::SCRATCH_0_3), band.rows * 160);
                        rt::Depthwise {
                            input: [3, 4, 40],
                            output: [1, 1, 40],
                            kernel: [3, 4],
                            strides: [1, 1],
                            dilations: [1, 1],
                            padding: [0, 0],
                            batch: 1,
                            backward: false,
                        }
                            .run(
                                x,
                                &weights::CONV_5_WEIGHT,
                                &weights::CONV_5_BIAS,
                                y,
                                rt::relu,
                            );
                    }
                },
            );
            /// `/conv_6/Conv`, `/relu_6/Relu`: f32[1, 17, 1, 40] → f32[1, 17, 1, 56]
            let relu_6 = arena.at(memory::RELU_6);
            rt::Dense {
                rows: 17,
                inputs: 40,
                outputs: 56,
                backward: false,
            }
                .run(
                    relu_5,
                    &weights::CONV_6_CONV,
                    &weights::CONV_6_BIAS,
                    relu_6,
                    arena.at(memory::SCRATCH_1),
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
                backward: false,
            }
                .run(
                    relu_7,
                    &weights::CONV_8_CONV,
                    &weights::CONV_8_BIAS,
                    relu_8,
                    arena.at(memory::SCRATCH_3),
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
        pub const FEATURES: rt::Place<f32, 0, 1568> = rt::Place::new();
        pub const RELU_5: rt::Place<f32, 1032, 680> = rt::Place::new();
        pub const RELU_6: rt::Place<f32, 8, 952> = rt::Place::new();
        pub const RELU_7: rt::Place<f32, 8, 728> = rt::Place::new();
        pub const RELU_8: rt::Place<f32, 8, 728> = rt::Place::new();
        pub const RELU_9: rt::Place<f32, 8, 56> = rt::Place::new();
        pub const PROBABILITY: rt::Place<f32, 0, 1> = rt::Place::new();
        pub const SCRATCH_0: rt::Place<f32, 6272, 768> = rt::Place::new();
        pub const SCRATCH_0_1: rt::Place<f32, 9344, 128> = rt::Place::new();
        pub const SCRATCH_0_2: rt::Place<f32, 9856, 768> = rt::Place::new();
        pub const SCRATCH_0_3: rt::Place<f32, 12928, 480> = rt::Place::new();
        pub const SCRATCH_0_4: rt::Place<f32, 14848, 64> = rt::Place::new();
        pub const SCRATCH_1: rt::Place<f32, 3816, 80> = rt::Place::new();
        pub const SCRATCH_3: rt::Place<f32, 2920, 112> = rt::Place::new();
        const _: () = rt::check_plan(
            &[
                FEATURES.alive(0, 0),
                RELU_5.alive(0, 1).forward_over(FEATURES.alive(0, 0), -1632),
                RELU_6.alive(1, 2).forward_over(RELU_5.alive(0, 1), 1024),
                RELU_7.alive(2, 3).forward_over(RELU_6.alive(1, 2), 0),
                RELU_8.alive(3, 4).forward_over(RELU_7.alive(2, 3), 0),
                RELU_9.alive(4, 5).forward_over(RELU_8.alive(3, 4), 0),
                PROBABILITY.alive(5, 6),
                SCRATCH_0.alive(0, 0),
                SCRATCH_0_1.alive(0, 0),
                SCRATCH_0_2.alive(0, 0),
                SCRATCH_0_3.alive(0, 0),
                SCRATCH_0_4.alive(0, 0),
                SCRATCH_1.alive(1, 1),
                SCRATCH_3.alive(3, 3),
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
