/// `cascade.onnx` (opset 17): 6 steps, 22832 bytes of constant data, 11200 bytes of working memory, 526740 multiply-accumulates a run.
///
/// | step | ONNX nodes | operator | output | MACs |
/// |---|---|---|---|---|
/// | 0 | `Conv`, `Relu` | Conv | f32[1, 23, 9, 12] | 37260 |
/// | 1 | `Conv` | Conv | f32[1, 23, 9, 10] | 223560 |
/// | 2 | `Conv`, `Relu` | Conv row by row | f32[1, 12, 5, 16] | 86400 |
/// | 2 | `Conv` | Conv row by row | f32[1, 12, 5, 16] | 138240 |
/// | 2 | `Conv` | Conv row by row | f32[1, 12, 5, 16] | 9600 |
/// | 2 | `Add`, `Relu` | Elementwise row by row | f32[1, 12, 5, 16] |  |
/// | 3 | `Conv` | Conv | f32[1, 12, 5, 16] | 8640 |
/// | 4 | `Conv` | Dense | f32[1, 12, 5, 24] | 23040 |
/// | 5 | `GlobalAveragePool` | Pool | f32[1, 1, 1, 24] |  |
///
/// The arena takes 11200 bytes: fewer than the 19080 bytes of the largest set of values that are alive at one step, as steps write over what they have read.
pub mod cascade {
    use ::model_runtime as rt;
    /// `image`: f32[1, 1, 25, 9]
    pub type Input = [[f32; 9]; 25];
    /// `means`: f32[1, 24]
    pub type Output = [f32; 24];
    /// Bytes of working memory: the arena with inputs and outputs, and state.
    pub const RAM_BYTES: usize = 11200;
    /// Bytes of constant data, without code.
    pub const WEIGHT_BYTES: usize = 22832;
    /// Multiply-accumulates a run.
    pub const MACS: u64 = 526740;
    /// What the model may cost, as the arguments of `include_model!` say.
    pub const BUDGETS: rt::Budgets = rt::Budgets::NONE;
    /// The SHA-256 of the model's file, as `sha256sum` prints it.
    pub const MODEL_SHA256: &str = "aa975cd374d0aeae6390649d4293a31c2848548f475ae9336846e6aaf59acc07";
    /// The version of the compiler that wrote this module.
    pub const COMPILER_VERSION: &str = "0.1.0";
    /// Inputs, outputs and costs of the model.
    pub const SIGNATURE: rt::Signature = rt::Signature {
        name: "cascade",
        inputs: &[
            rt::Tensor {
                name: "image",
                elem: rt::Elem::F32,
                shape: &[1, 1, 25, 9],
            },
        ],
        outputs: &[
            rt::Tensor {
                name: "means",
                elem: rt::Elem::F32,
                shape: &[1, 24],
            },
        ],
        ram_bytes: RAM_BYTES,
        weight_bytes: WEIGHT_BYTES,
        macs: MACS,
    };
    /// `image`: f32[1, 1, 25, 9]
    pub mod image {
        /// The name in the model.
        pub const NAME: &str = "image";
        /// The sizes in the model.
        pub const SHAPE: [usize; 4] = [1, 1, 25, 9];
    }
    /// `means`: f32[1, 24]
    pub mod means {
        /// The name in the model.
        pub const NAME: &str = "means";
        /// The sizes in the model.
        pub const SHAPE: [usize; 2] = [1, 24];
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
        /// Runs the model: reads `image`, returns `means`.
        pub fn run(&mut self, image: &Input) -> &Output {
            *self.input_mut() = *image;
            self.run_in_place()
        }
        /// The place of `image` in working memory, to be filled before `run_in_place`.
        pub fn input_mut(&mut self) -> &mut Input {
            self.arena.get_mut(memory::IMAGE)
        }
        /// Runs the model on what its inputs' places hold; the run reuses them, so fill all of them before the next.
        pub fn run_in_place(&mut self) -> &Output {
            let arena = self.arena.places();
            let image = arena.at(memory::IMAGE);
            /// `Conv`, `Relu`: f32[1, 25, 9, 1] → f32[1, 23, 9, 12]
            let stem_relu = arena.at(memory::STEM_RELU);
            rt::Conv {
                input: [25, 9, 1],
                output: [23, 9, 12],
                kernel: [5, 3],
                strides: [1, 1],
                dilations: [1, 1],
                padding: [1, 1],
                groups: 1,
                batch: 1,
                planar: false,
                backward: false,
            }
                .run(
                    image,
                    &weights::STEM,
                    &[] as &[f32; 0],
                    stem_relu,
                    arena.at(memory::SCRATCH_0),
                    rt::relu,
                );
            /// `Conv`: f32[1, 23, 9, 12] → f32[1, 23, 9, 10]
            let conv = arena.at(memory::CONV);
            rt::Conv {
                input: [23, 9, 12],
                output: [23, 9, 10],
                kernel: [3, 3],
                strides: [1, 1],
                dilations: [1, 1],
                padding: [1, 1],
                groups: 1,
                batch: 1,
                planar: false,
                backward: false,
            }
                .run(
                    stem_relu,
                    &weights::NARROW,
                    &[] as &[f32; 0],
                    conv,
                    arena.at(memory::SCRATCH_1),
                    |x| x,
                );
            /// `Conv`, `Relu`, `Conv`, `Conv`, `Add`, `Relu`: f32[1, 23, 9, 10] → f32[1, 12, 5, 16]
            let sum_relu = arena.at(memory::SUM_RELU);
            rt::cascade(
                [
                    rt::Rows {
                        input: 23,
                        output: 12,
                        extent: 3,
                        stride: 2,
                        padding: 1,
                    },
                    rt::Rows {
                        input: 12,
                        output: 12,
                        extent: 3,
                        stride: 1,
                        padding: 1,
                    },
                    rt::Rows {
                        input: 12,
                        output: 12,
                        extent: 1,
                        stride: 1,
                        padding: 0,
                    },
                ],
                |stage, band| match stage {
                    0 => {
                        let y = arena.push(memory::SCRATCH_2, 80);
                        /// rows of `Conv`, `Relu`
                        let x = rt::part(conv, band.first * 90, band.rows * 90);
                        rt::Conv {
                            input: [3, 9, 10],
                            output: [1, 5, 16],
                            kernel: [3, 3],
                            strides: [2, 2],
                            dilations: [1, 1],
                            padding: [0, 1],
                            groups: 1,
                            batch: 1,
                            planar: false,
                            backward: false,
                        }
                            .clipped(band.above, band.rows)
                            .run(
                                x,
                                &weights::DOWN,
                                &[] as &[f32; 0],
                                y,
                                rt::part(arena.at(memory::SCRATCH_2_3), 0, 180),
                                rt::relu,
                            );
                    }
                    1 => {
                        let y = rt::last(arena.at(memory::SCRATCH_2_1), 80);
                        /// rows of `Conv`
                        let x = rt::last(arena.at(memory::SCRATCH_2), band.rows * 80);
                        rt::Conv {
                            input: [3, 5, 16],
                            output: [1, 5, 16],
                            kernel: [3, 3],
                            strides: [1, 1],
                            dilations: [1, 1],
                            padding: [0, 1],
                            groups: 1,
                            batch: 1,
                            planar: false,
                            backward: false,
                        }
                            .clipped(band.above, band.rows)
                            .run(
                                x,
                                &weights::BODY,
                                &weights::BODY_BIAS,
                                y,
                                rt::part(arena.at(memory::SCRATCH_2_3), 0, 288),
                                |x| x,
                            );
                    }
                    _ => {
                        let y = rt::part(sum_relu, band.row * 80, 80);
                        /// rows of `Add`, `Relu`
                        let x = rt::last(arena.at(memory::SCRATCH_2_1), band.rows * 80);
                        let x1 = arena.at(memory::SCRATCH_2_2);
                        {
                            let (band, y) = (
                                rt::Rows {
                                    input: 23,
                                    output: 12,
                                    extent: 1,
                                    stride: 2,
                                    padding: 0,
                                }
                                    .band(band.row),
                                x1,
                            );
                            /// rows of `Conv`
                            let x = rt::part(conv, band.first * 90, band.rows * 90);
                            rt::Conv {
                                input: [1, 9, 10],
                                output: [1, 5, 16],
                                kernel: [1, 1],
                                strides: [2, 2],
                                dilations: [1, 1],
                                padding: [0, 0],
                                groups: 1,
                                batch: 1,
                                planar: false,
                                backward: false,
                            }
                                .run(
                                    x,
                                    &weights::SIDE,
                                    &[] as &[f32; 0],
                                    y,
                                    rt::part(arena.at(memory::SCRATCH_2_3), 0, 20),
                                    |x| x,
                                );
                        }
                        rt::Elementwise { shape: [80] }
                            .run(((x, [1]), (x1, [1])), y, |(a, b)| rt::relu(a + b));
                    }
                },
            );
            /// `Conv`: f32[1, 12, 5, 16] → f32[1, 12, 5, 16]
            let conv_2 = arena.at(memory::CONV_2);
            rt::Depthwise {
                input: [12, 5, 16],
                output: [12, 5, 16],
                kernel: [3, 3],
                strides: [1, 1],
                dilations: [1, 1],
                padding: [1, 1],
                batch: 1,
                backward: false,
            }
                .run(sum_relu, &weights::DEPTHWISE, &[] as &[f32; 0], conv_2, |x| x);
            /// `Conv`: f32[1, 12, 5, 16] → f32[1, 12, 5, 24]
            let conv_3 = arena.at(memory::CONV_3);
            rt::Dense {
                rows: 60,
                inputs: 16,
                outputs: 24,
                backward: false,
            }
                .run(
                    conv_2,
                    &weights::CONV,
                    &[] as &[f32; 0],
                    conv_3,
                    arena.at(memory::SCRATCH_4),
                    |x| x,
                );
            /// `GlobalAveragePool`: f32[1, 12, 5, 24] → f32[1, 1, 1, 24]
            let global_average_pool = arena.at(memory::GLOBAL_AVERAGE_POOL);
            rt::Pool {
                input: [12, 5, 24],
                output: [1, 1, 24],
                kernel: [12, 5],
                strides: [1, 1],
                dilations: [1, 1],
                padding: [0, 0],
                padding_end: [0, 0],
                batch: 1,
                backward: false,
            }
                .run(
                    rt::Average {
                        include_padding: false,
                    },
                    conv_3,
                    global_average_pool,
                    |x| x,
                );
            self.arena.get(memory::GLOBAL_AVERAGE_POOL)
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
                        >(self.arena.get(memory::GLOBAL_AVERAGE_POOL)),
                    )
                }
                _ => None,
            }
        }
    }
    /// The memory plan: the place of every value in the arena.
    mod memory {
        use super::rt;
        pub const IMAGE: rt::Place<f32, 9504, 225> = rt::Place::new();
        pub const STEM_RELU: rt::Place<f32, 400, 2484> = rt::Place::new();
        pub const CONV: rt::Place<f32, 0, 2070> = rt::Place::new();
        pub const SUM_RELU: rt::Place<f32, 0, 960> = rt::Place::new();
        pub const CONV_2: rt::Place<f32, 3840, 960> = rt::Place::new();
        pub const CONV_3: rt::Place<f32, 0, 1440> = rt::Place::new();
        pub const GLOBAL_AVERAGE_POOL: rt::Place<f32, 0, 24> = rt::Place::new();
        pub const SCRATCH_0: rt::Place<f32, 0, 30> = rt::Place::new();
        pub const SCRATCH_1: rt::Place<f32, 10336, 216> = rt::Place::new();
        pub const SCRATCH_2: rt::Place<f32, 8280, 240> = rt::Place::new();
        pub const SCRATCH_2_1: rt::Place<f32, 9240, 80> = rt::Place::new();
        pub const SCRATCH_2_2: rt::Place<f32, 9560, 80> = rt::Place::new();
        pub const SCRATCH_2_3: rt::Place<f32, 9880, 288> = rt::Place::new();
        pub const SCRATCH_4: rt::Place<f32, 7680, 32> = rt::Place::new();
        const _: () = rt::check_plan(
            &[
                IMAGE.alive(0, 0),
                STEM_RELU.alive(0, 1).forward_over(IMAGE.alive(0, 0), 9104),
                CONV.alive(1, 2).forward_over(STEM_RELU.alive(0, 1), 400),
                SUM_RELU.alive(2, 3).forward_over(CONV.alive(1, 2), -400),
                CONV_2.alive(3, 4),
                CONV_3.alive(4, 5).forward_over(CONV_2.alive(3, 4), 1856),
                GLOBAL_AVERAGE_POOL.alive(5, 6).forward_over(CONV_3.alive(4, 5), 0),
                SCRATCH_0.alive(0, 0),
                SCRATCH_1.alive(1, 1),
                SCRATCH_2.alive(2, 2),
                SCRATCH_2_1.alive(2, 2),
                SCRATCH_2_2.alive(2, 2),
                SCRATCH_2_3.alive(2, 2),
                SCRATCH_4.alive(4, 4),
            ],
        );
    }
    /// The constant data, in the order in which the kernels read it.
    mod weights {
        use super::rt;
        /// f32[12, 1, 5, 3]
        pub static STEM: [f32; 180] = rt::weights(b"720 bytes");
        /// f32[10, 12, 3, 3]
        pub static NARROW: [f32; 1080] = rt::weights(b"4320 bytes");
        /// f32[16, 10, 3, 3]
        pub static DOWN: [f32; 1440] = rt::weights(b"5760 bytes");
        /// f32[16, 16, 3, 3]
        pub static BODY: [f32; 2304] = rt::weights(b"9216 bytes");
        /// f32[16]
        pub static BODY_BIAS: [f32; 16] = rt::weights(b"64 bytes");
        /// f32[16, 10, 1, 1]
        pub static SIDE: [f32; 160] = rt::weights(b"640 bytes");
        /// f32[16, 1, 3, 3]
        pub static DEPTHWISE: [f32; 144] = rt::weights(b"576 bytes");
        /// f32[16, 24]
        pub static CONV: [f32; 384] = rt::weights(b"1536 bytes");
    }
}
