/// `wake.onnx` (opset 17): 11 steps, 12856 bytes of constant data, 6168 bytes of working memory, 468008 multiply-accumulates a run.
///
/// | step | ONNX nodes | operator | output | MACs |
/// |---|---|---|---|---|
/// | 0 | `/conv_0/Conv`, `relu_0_QuantizeLinear` | Conv | i8[1, 23, 16, 16] | 147200 |
/// | 1 | `/conv_1/Conv`, `relu_1_QuantizeLinear` | Conv | i8[1, 21, 8, 16] | 24192 |
/// | 2 | `/conv_2/Conv`, `relu_2_QuantizeLinear` | Dense | i8[1, 21, 8, 32] | 86016 |
/// | 3 | `/conv_3/Conv`, `relu_3_QuantizeLinear` | Conv | i8[1, 19, 4, 32] | 21888 |
/// | 4 | `/conv_4/Conv`, `relu_4_QuantizeLinear` | Dense | i8[1, 19, 4, 40] | 97280 |
/// | 5 | `/conv_5/Conv`, `relu_5_QuantizeLinear` | Conv | i8[1, 17, 1, 40] | 8160 |
/// | 6 | `/conv_6/Conv`, `relu_6_QuantizeLinear` | Dense | i8[1, 17, 1, 56] | 38080 |
/// | 7 | `/conv_7/Conv`, `relu_7_QuantizeLinear` | Conv | i8[1, 13, 1, 56] | 3640 |
/// | 8 | `/conv_8/Conv`, `relu_8_QuantizeLinear` | Dense | i8[1, 13, 1, 56] | 40768 |
/// | 9 | `/conv_9/Conv`, `relu_9_QuantizeLinear` | Conv | i8[1, 1, 1, 56] | 728 |
/// | 10 | `/conv_10/Conv`, `conv_10_QuantizeLinear` | Dense | i8[1, 1, 1, 1] | 56 |
///
/// The arena takes 6168 bytes: fewer than the 8686 bytes of the largest set of values that are alive at one step, as steps write over what they have read.
pub mod wake {
    use ::model_runtime as rt;
    /// `features`: i8[1, 1, 49, 32]
    pub type Input = [[i8; 32]; 49];
    /// `logit`: i8[1, 1]
    pub type Output = [i8; 1];
    /// Bytes of working memory: the arena with inputs and outputs, and state.
    pub const RAM_BYTES: usize = 6168;
    /// Bytes of constant data, without code.
    pub const WEIGHT_BYTES: usize = 12856;
    /// Multiply-accumulates a run.
    pub const MACS: u64 = 468008;
    /// What the model may cost, as the arguments of `include_model!` say.
    pub const BUDGETS: rt::Budgets = rt::Budgets::NONE;
    /// The SHA-256 of the model's file, as `sha256sum` prints it.
    pub const MODEL_SHA256: &str = "443d91e6df41bdaacac0b881d179947b554b7bb240507c2730df014eef11ac56";
    /// The version of the compiler that wrote this module.
    pub const COMPILER_VERSION: &str = "0.1.0";
    /// Inputs, outputs and costs of the model.
    pub const SIGNATURE: rt::Signature = rt::Signature {
        name: "wake",
        inputs: &[
            rt::Tensor {
                name: "features",
                elem: rt::Elem::I8,
                shape: &[1, 1, 49, 32],
            },
        ],
        outputs: &[
            rt::Tensor {
                name: "logit",
                elem: rt::Elem::I8,
                shape: &[1, 1],
            },
        ],
        ram_bytes: RAM_BYTES,
        weight_bytes: WEIGHT_BYTES,
        macs: MACS,
    };
    /// `features`: i8[1, 1, 49, 32]
    pub mod features {
        /// The name in the model.
        pub const NAME: &str = "features";
        /// The sizes in the model.
        pub const SHAPE: [usize; 4] = [1, 1, 49, 32];
        /// The distance between the numbers that neighbouring integers stand for.
        pub const SCALE: f32 = 0.018933823;
        /// The integer that stands for 0.
        pub const ZERO_POINT: i8 = -20;
        /// The integer that stands for the number nearest to `number`, of those that there are.
        pub fn quantize(number: f32) -> i8 {
            super::rt::quantize(number, SCALE, ZERO_POINT)
        }
        /// The number that `integer` stands for: (`integer` − [`ZERO_POINT`]) · [`SCALE`].
        pub fn dequantize(integer: i8) -> f32 {
            super::rt::dequantize(integer, SCALE, ZERO_POINT)
        }
    }
    /// `logit`: i8[1, 1]
    pub mod logit {
        /// The name in the model.
        pub const NAME: &str = "logit";
        /// The sizes in the model.
        pub const SHAPE: [usize; 2] = [1, 1];
        /// The distance between the numbers that neighbouring integers stand for.
        pub const SCALE: f32 = 0.11873359;
        /// The integer that stands for 0.
        pub const ZERO_POINT: i8 = 59;
        /// The integer that stands for the number nearest to `number`, of those that there are.
        pub fn quantize(number: f32) -> i8 {
            super::rt::quantize(number, SCALE, ZERO_POINT)
        }
        /// The number that `integer` stands for: (`integer` − [`ZERO_POINT`]) · [`SCALE`].
        pub fn dequantize(integer: i8) -> f32 {
            super::rt::dequantize(integer, SCALE, ZERO_POINT)
        }
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
        /// Runs the model: reads `features`, returns `logit`.
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
            /// `/conv_0/Conv`, `relu_0_QuantizeLinear`: i8[1, 49, 32, 1] → i8[1, 23, 16, 16]
            let relu_0_quantize_linear_output = arena
                .at(memory::RELU_0_QUANTIZE_LINEAR_OUTPUT);
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
                .quantized(
                    features,
                    rt::pick::<
                        [rt::Quad],
                    >(
                        &weights::CONV_0_WEIGHT_DEQUANTIZE_LINEAR_OUTPUT_DSP,
                        &weights::CONV_0_WEIGHT_DEQUANTIZE_LINEAR_OUTPUT,
                    ),
                    relu_0_quantize_linear_output,
                    arena.at(memory::SCRATCH_0),
                    -20,
                    rt::Requantize {
                        left: 0,
                        shift: 33,
                        zero: -128,
                        low: -128,
                        high: 127,
                    },
                );
            /// `/conv_1/Conv`, `relu_1_QuantizeLinear`: i8[1, 23, 16, 16] → i8[1, 21, 8, 16]
            let relu_1_quantize_linear_output = arena
                .at(memory::RELU_1_QUANTIZE_LINEAR_OUTPUT);
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
                .quantized(
                    relu_0_quantize_linear_output,
                    &weights::CONV_1_WEIGHT_DEQUANTIZE_LINEAR_OUTPUT,
                    relu_1_quantize_linear_output,
                    arena.at(memory::SCRATCH_1),
                    -128,
                    rt::Requantize {
                        left: 0,
                        shift: 33,
                        zero: -128,
                        low: -128,
                        high: 127,
                    },
                );
            /// `/conv_2/Conv`, `relu_2_QuantizeLinear`: i8[1, 21, 8, 16] → i8[1, 21, 8, 32]
            let relu_2_quantize_linear_output = arena
                .at(memory::RELU_2_QUANTIZE_LINEAR_OUTPUT);
            rt::Dense {
                rows: 168,
                inputs: 16,
                outputs: 32,
                backward: true,
            }
                .quantized(
                    relu_1_quantize_linear_output,
                    rt::pick::<
                        [rt::Quad],
                    >(&weights::CONV_2_CONV_DSP, &weights::CONV_2_CONV),
                    relu_2_quantize_linear_output,
                    arena.at(memory::SCRATCH_2),
                    rt::Requantize {
                        left: 0,
                        shift: 33,
                        zero: -128,
                        low: -128,
                        high: 127,
                    },
                );
            /// `/conv_3/Conv`, `relu_3_QuantizeLinear`: i8[1, 21, 8, 32] → i8[1, 19, 4, 32]
            let relu_3_quantize_linear_output = arena
                .at(memory::RELU_3_QUANTIZE_LINEAR_OUTPUT);
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
                .quantized(
                    relu_2_quantize_linear_output,
                    &weights::CONV_3_WEIGHT_DEQUANTIZE_LINEAR_OUTPUT,
                    relu_3_quantize_linear_output,
                    arena.at(memory::SCRATCH_3),
                    -128,
                    rt::Requantize {
                        left: 0,
                        shift: 33,
                        zero: -128,
                        low: -128,
                        high: 127,
                    },
                );
            /// `/conv_4/Conv`, `relu_4_QuantizeLinear`: i8[1, 19, 4, 32] → i8[1, 19, 4, 40]
            let relu_4_quantize_linear_output = arena
                .at(memory::RELU_4_QUANTIZE_LINEAR_OUTPUT);
            rt::Dense {
                rows: 76,
                inputs: 32,
                outputs: 40,
                backward: true,
            }
                .quantized(
                    relu_3_quantize_linear_output,
                    rt::pick::<
                        [rt::Quad],
                    >(&weights::CONV_4_CONV_DSP, &weights::CONV_4_CONV),
                    relu_4_quantize_linear_output,
                    arena.at(memory::SCRATCH_4),
                    rt::Requantize {
                        left: 0,
                        shift: 33,
                        zero: -128,
                        low: -128,
                        high: 127,
                    },
                );
            /// `/conv_5/Conv`, `relu_5_QuantizeLinear`: i8[1, 19, 4, 40] → i8[1, 17, 1, 40]
            let relu_5_quantize_linear_output = arena
                .at(memory::RELU_5_QUANTIZE_LINEAR_OUTPUT);
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
                .quantized(
                    relu_4_quantize_linear_output,
                    &weights::CONV_5_WEIGHT_DEQUANTIZE_LINEAR_OUTPUT,
                    relu_5_quantize_linear_output,
                    arena.at(memory::SCRATCH_5),
                    -128,
                    rt::Requantize {
                        left: 0,
                        shift: 33,
                        zero: -128,
                        low: -128,
                        high: 127,
                    },
                );
            /// `/conv_6/Conv`, `relu_6_QuantizeLinear`: i8[1, 17, 1, 40] → i8[1, 17, 1, 56]
            let relu_6_quantize_linear_output = arena
                .at(memory::RELU_6_QUANTIZE_LINEAR_OUTPUT);
            rt::Dense {
                rows: 17,
                inputs: 40,
                outputs: 56,
                backward: true,
            }
                .quantized(
                    relu_5_quantize_linear_output,
                    rt::pick::<
                        [rt::Quad],
                    >(&weights::CONV_6_CONV_DSP, &weights::CONV_6_CONV),
                    relu_6_quantize_linear_output,
                    arena.at(memory::SCRATCH_6),
                    rt::Requantize {
                        left: 0,
                        shift: 33,
                        zero: -128,
                        low: -128,
                        high: 127,
                    },
                );
            /// `/conv_7/Conv`, `relu_7_QuantizeLinear`: i8[1, 17, 1, 56] → i8[1, 13, 1, 56]
            let relu_7_quantize_linear_output = arena
                .at(memory::RELU_7_QUANTIZE_LINEAR_OUTPUT);
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
                .quantized(
                    relu_6_quantize_linear_output,
                    &weights::CONV_7_WEIGHT_DEQUANTIZE_LINEAR_OUTPUT,
                    relu_7_quantize_linear_output,
                    arena.at(memory::SCRATCH_7),
                    -128,
                    rt::Requantize {
                        left: 0,
                        shift: 33,
                        zero: -128,
                        low: -128,
                        high: 127,
                    },
                );
            /// `/conv_8/Conv`, `relu_8_QuantizeLinear`: i8[1, 13, 1, 56] → i8[1, 13, 1, 56]
            let relu_8_quantize_linear_output = arena
                .at(memory::RELU_8_QUANTIZE_LINEAR_OUTPUT);
            rt::Dense {
                rows: 13,
                inputs: 56,
                outputs: 56,
                backward: false,
            }
                .quantized(
                    relu_7_quantize_linear_output,
                    rt::pick::<
                        [rt::Quad],
                    >(&weights::CONV_8_CONV_DSP, &weights::CONV_8_CONV),
                    relu_8_quantize_linear_output,
                    arena.at(memory::SCRATCH_8),
                    rt::Requantize {
                        left: 0,
                        shift: 33,
                        zero: -128,
                        low: -128,
                        high: 127,
                    },
                );
            /// `/conv_9/Conv`, `relu_9_QuantizeLinear`: i8[1, 13, 1, 56] → i8[1, 1, 1, 56]
            let relu_9_quantize_linear_output = arena
                .at(memory::RELU_9_QUANTIZE_LINEAR_OUTPUT);
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
                .quantized(
                    relu_8_quantize_linear_output,
                    &weights::CONV_9_WEIGHT_DEQUANTIZE_LINEAR_OUTPUT,
                    relu_9_quantize_linear_output,
                    arena.at(memory::SCRATCH_9),
                    -128,
                    rt::Requantize {
                        left: 0,
                        shift: 33,
                        zero: -128,
                        low: -128,
                        high: 127,
                    },
                );
            /// `/conv_10/Conv`, `conv_10_QuantizeLinear`: i8[1, 1, 1, 56] → i8[1, 1, 1, 1]
            let conv_10_quantize_linear_output = arena
                .at(memory::CONV_10_QUANTIZE_LINEAR_OUTPUT);
            rt::Dense {
                rows: 1,
                inputs: 56,
                outputs: 1,
                backward: false,
            }
                .quantized(
                    relu_9_quantize_linear_output,
                    rt::pick::<
                        [rt::Quad],
                    >(&weights::CONV_10_CONV_DSP, &weights::CONV_10_CONV),
                    conv_10_quantize_linear_output,
                    &[],
                    rt::Requantize {
                        left: 0,
                        shift: 33,
                        zero: 59,
                        low: -128,
                        high: 127,
                    },
                );
            self.arena.get(memory::CONV_10_QUANTIZE_LINEAR_OUTPUT)
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
                0 => {
                    Some(
                        rt::bytes_of::<
                            Output,
                        >(self.arena.get(memory::CONV_10_QUANTIZE_LINEAR_OUTPUT)),
                    )
                }
                _ => None,
            }
        }
    }
    /// The memory plan: the place of every value in the arena.
    mod memory {
        use super::rt;
        pub const FEATURES: rt::Place<i8, 4424, 1568> = rt::Place::new();
        pub const RELU_0_QUANTIZE_LINEAR_OUTPUT: rt::Place<i8, 0, 5888> = rt::Place::new();
        pub const RELU_1_QUANTIZE_LINEAR_OUTPUT: rt::Place<i8, 0, 2688> = rt::Place::new();
        pub const RELU_2_QUANTIZE_LINEAR_OUTPUT: rt::Place<i8, 0, 5376> = rt::Place::new();
        pub const RELU_3_QUANTIZE_LINEAR_OUTPUT: rt::Place<i8, 0, 2432> = rt::Place::new();
        pub const RELU_4_QUANTIZE_LINEAR_OUTPUT: rt::Place<i8, 0, 3040> = rt::Place::new();
        pub const RELU_5_QUANTIZE_LINEAR_OUTPUT: rt::Place<i8, 0, 680> = rt::Place::new();
        pub const RELU_6_QUANTIZE_LINEAR_OUTPUT: rt::Place<i8, 0, 952> = rt::Place::new();
        pub const RELU_7_QUANTIZE_LINEAR_OUTPUT: rt::Place<i8, 0, 728> = rt::Place::new();
        pub const RELU_8_QUANTIZE_LINEAR_OUTPUT: rt::Place<i8, 0, 728> = rt::Place::new();
        pub const RELU_9_QUANTIZE_LINEAR_OUTPUT: rt::Place<i8, 0, 56> = rt::Place::new();
        pub const CONV_10_QUANTIZE_LINEAR_OUTPUT: rt::Place<i8, 56, 1> = rt::Place::new();
        pub const SCRATCH_0: rt::Place<i16, 5992, 85> = rt::Place::new();
        pub const SCRATCH_1: rt::Place<i16, 5888, 55> = rt::Place::new();
        pub const SCRATCH_2: rt::Place<i16, 5376, 33> = rt::Place::new();
        pub const SCRATCH_3: rt::Place<i16, 5376, 31> = rt::Place::new();
        pub const SCRATCH_4: rt::Place<i16, 3040, 65> = rt::Place::new();
        pub const SCRATCH_5: rt::Place<i16, 3040, 17> = rt::Place::new();
        pub const SCRATCH_6: rt::Place<i16, 952, 81> = rt::Place::new();
        pub const SCRATCH_7: rt::Place<i16, 952, 25> = rt::Place::new();
        pub const SCRATCH_8: rt::Place<i16, 728, 113> = rt::Place::new();
        pub const SCRATCH_9: rt::Place<i16, 728, 21> = rt::Place::new();
        const _: () = rt::check_plan(
            &[
                FEATURES.alive(0, 0),
                RELU_0_QUANTIZE_LINEAR_OUTPUT
                    .alive(0, 1)
                    .forward_over(FEATURES.alive(0, 0), 4422),
                RELU_1_QUANTIZE_LINEAR_OUTPUT
                    .alive(1, 2)
                    .exactly_over(RELU_0_QUANTIZE_LINEAR_OUTPUT.alive(0, 1), 0),
                RELU_2_QUANTIZE_LINEAR_OUTPUT
                    .alive(2, 3)
                    .backward_over(RELU_1_QUANTIZE_LINEAR_OUTPUT.alive(1, 2), -32),
                RELU_3_QUANTIZE_LINEAR_OUTPUT
                    .alive(3, 4)
                    .exactly_over(RELU_2_QUANTIZE_LINEAR_OUTPUT.alive(2, 3), 0),
                RELU_4_QUANTIZE_LINEAR_OUTPUT
                    .alive(4, 5)
                    .backward_over(RELU_3_QUANTIZE_LINEAR_OUTPUT.alive(3, 4), -16),
                RELU_5_QUANTIZE_LINEAR_OUTPUT
                    .alive(5, 6)
                    .exactly_over(RELU_4_QUANTIZE_LINEAR_OUTPUT.alive(4, 5), 0),
                RELU_6_QUANTIZE_LINEAR_OUTPUT
                    .alive(6, 7)
                    .backward_over(RELU_5_QUANTIZE_LINEAR_OUTPUT.alive(5, 6), -32),
                RELU_7_QUANTIZE_LINEAR_OUTPUT
                    .alive(7, 8)
                    .exactly_over(RELU_6_QUANTIZE_LINEAR_OUTPUT.alive(6, 7), 0),
                RELU_8_QUANTIZE_LINEAR_OUTPUT
                    .alive(8, 9)
                    .forward_over(RELU_7_QUANTIZE_LINEAR_OUTPUT.alive(7, 8), 0),
                RELU_9_QUANTIZE_LINEAR_OUTPUT
                    .alive(9, 10)
                    .exactly_over(RELU_8_QUANTIZE_LINEAR_OUTPUT.alive(8, 9), 0),
                CONV_10_QUANTIZE_LINEAR_OUTPUT.alive(10, 11),
                SCRATCH_0.alive(0, 0),
                SCRATCH_1.alive(1, 1),
                SCRATCH_2.alive(2, 2),
                SCRATCH_3.alive(3, 3),
                SCRATCH_4.alive(4, 4),
                SCRATCH_5.alive(5, 5),
                SCRATCH_6.alive(6, 6),
                SCRATCH_7.alive(7, 7),
                SCRATCH_8.alive(8, 8),
                SCRATCH_9.alive(9, 9),
            ],
        );
    }
    /// The constant data, in the order in which the kernels read it.
    mod weights {
        use super::rt;
        /// packed for DSP instructions
        pub static CONV_0_WEIGHT_DEQUANTIZE_LINEAR_OUTPUT_DSP: [rt::Quad; 145] = rt::weights(
            b"580 bytes",
        );
        /// packed for other targets
        pub static CONV_0_WEIGHT_DEQUANTIZE_LINEAR_OUTPUT: [rt::Quad; 132] = rt::weights(
            b"528 bytes",
        );
        /// packed
        pub static CONV_1_WEIGHT_DEQUANTIZE_LINEAR_OUTPUT: [rt::Quad; 64] = rt::weights(
            b"256 bytes",
        );
        /// packed for DSP instructions
        pub static CONV_2_CONV_DSP: [rt::Quad; 193] = rt::weights(b"772 bytes");
        /// packed for other targets
        pub static CONV_2_CONV: [rt::Quad; 192] = rt::weights(b"768 bytes");
        /// packed
        pub static CONV_3_WEIGHT_DEQUANTIZE_LINEAR_OUTPUT: [rt::Quad; 128] = rt::weights(
            b"512 bytes",
        );
        /// packed for DSP instructions
        pub static CONV_4_CONV_DSP: [rt::Quad; 401] = rt::weights(b"1604 bytes");
        /// packed for other targets
        pub static CONV_4_CONV: [rt::Quad; 400] = rt::weights(b"1600 bytes");
        /// packed
        pub static CONV_5_WEIGHT_DEQUANTIZE_LINEAR_OUTPUT: [rt::Quad; 200] = rt::weights(
            b"800 bytes",
        );
        /// packed for DSP instructions
        pub static CONV_6_CONV_DSP: [rt::Quad; 673] = rt::weights(b"2692 bytes");
        /// packed for other targets
        pub static CONV_6_CONV: [rt::Quad; 672] = rt::weights(b"2688 bytes");
        /// packed
        pub static CONV_7_WEIGHT_DEQUANTIZE_LINEAR_OUTPUT: [rt::Quad; 168] = rt::weights(
            b"672 bytes",
        );
        /// packed for DSP instructions
        pub static CONV_8_CONV_DSP: [rt::Quad; 897] = rt::weights(b"3588 bytes");
        /// packed for other targets
        pub static CONV_8_CONV: [rt::Quad; 896] = rt::weights(b"3584 bytes");
        /// packed
        pub static CONV_9_WEIGHT_DEQUANTIZE_LINEAR_OUTPUT: [rt::Quad; 280] = rt::weights(
            b"1120 bytes",
        );
        /// packed for DSP instructions
        pub static CONV_10_CONV_DSP: [rt::Quad; 65] = rt::weights(b"260 bytes");
        /// packed for other targets
        pub static CONV_10_CONV: [rt::Quad; 64] = rt::weights(b"256 bytes");
    }
}
