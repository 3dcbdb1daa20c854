/// `residual.onnx` (opset 17): 5 steps, 252 bytes of constant data, 144 bytes of working memory, 180 multiply-accumulates a run.
///
/// | step | ONNX nodes | operator | output | MACs |
/// |---|---|---|---|---|
/// | 0 | `/stem/Conv`, `/stem/Relu` | Conv | f32[1, 1, 6, 2] | 72 |
/// | 1 | `/body/Conv` | Conv | f32[1, 1, 6, 2] | 72 |
/// | 2 | `/body/Relu`, `/Add` | Elementwise | f32[1, 1, 6, 2] |  |
/// | 3 | `/head/Gemm` | Dense | f32[1, 3] | 36 |
/// | 4 | `/head/Softmax` | Softmax | f32[1, 3] |  |
///
/// The arena takes 144 bytes: exactly the 144 bytes of the largest set of values that are alive at one step.
pub mod residual {
    use ::model_runtime as rt;
    /// `signal`: f32[1, 2, 6]
    pub type Input = [[f32; 6]; 2];
    /// `scores`: f32[1, 3]
    pub type Output = [f32; 3];
    /// Bytes of working memory: the arena with inputs and outputs, and state.
    pub const RAM_BYTES: usize = 144;
    /// Bytes of constant data, without code.
    pub const WEIGHT_BYTES: usize = 252;
    /// Multiply-accumulates a run.
    pub const MACS: u64 = 180;
    /// What the model may cost, as the arguments of `include_model!` say.
    pub const BUDGETS: rt::Budgets = rt::Budgets::NONE;
    /// The SHA-256 of the model's file, as `sha256sum` prints it.
    pub const MODEL_SHA256: &str = "e4651c465417c696ac7772832be3a13427b06d861c7b2080891fbc525cc60428";
    /// The version of the compiler that wrote this module.
    pub const COMPILER_VERSION: &str = "0.1.0";
    /// Inputs, outputs and costs of the model.
    pub const SIGNATURE: rt::Signature = rt::Signature {
        name: "residual",
        inputs: &[
            rt::Tensor {
                name: "signal",
                elem: rt::Elem::F32,
                shape: &[1, 2, 6],
            },
        ],
        outputs: &[
            rt::Tensor {
                name: "scores",
                elem: rt::Elem::F32,
                shape: &[1, 3],
            },
        ],
        ram_bytes: RAM_BYTES,
        weight_bytes: WEIGHT_BYTES,
        macs: MACS,
    };
    /// `signal`: f32[1, 2, 6]
    pub mod signal {
        /// The name in the model.
        pub const NAME: &str = "signal";
        /// The sizes in the model.
        pub const SHAPE: [usize; 3] = [1, 2, 6];
    }
    /// `scores`: f32[1, 3]
    pub mod scores {
        /// The name in the model.
        pub const NAME: &str = "scores";
        /// The sizes in the model.
        pub const SHAPE: [usize; 2] = [1, 3];
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
        /// Runs the model: reads `signal`, returns `scores`.
        pub fn run(&mut self, signal: &Input) -> &Output {
            *self.input_mut() = *signal;
            self.run_in_place()
        }
        /// The place of `signal` in working memory, to be filled before `run_in_place`.
        pub fn input_mut(&mut self) -> &mut Input {
            self.arena.get_mut(memory::SIGNAL)
        }
        /// Runs the model on what its inputs' places hold; the run reuses them, so fill all of them before the next.
        pub fn run_in_place(&mut self) -> &Output {
            let arena = self.arena.places();
            let signal = arena.at(memory::SIGNAL);
            /// `/stem/Conv`, `/stem/Relu`: f32[1, 2, 1, 6] → f32[1, 1, 6, 2]
            let stem_relu = arena.at(memory::STEM_RELU);
            rt::Conv {
                input: [1, 6, 2],
                output: [1, 6, 2],
                kernel: [1, 3],
                strides: [1, 1],
                dilations: [1, 1],
                padding: [0, 1],
                groups: 1,
                batch: 1,
                planar: true,
                backward: false,
            }
                .run(
                    signal,
                    &weights::STEM_WEIGHT,
                    &[] as &[f32; 0],
                    stem_relu,
                    arena.at(memory::SCRATCH_0),
                    rt::relu,
                );
            /// `/body/Conv`: f32[1, 1, 6, 2] → f32[1, 1, 6, 2]
            let body_conv = arena.at(memory::BODY_CONV);
            rt::Conv {
                input: [1, 6, 2],
                output: [1, 6, 2],
                kernel: [1, 3],
                strides: [1, 1],
                dilations: [1, 1],
                padding: [0, 1],
                groups: 1,
                batch: 1,
                planar: false,
                backward: false,
            }
                .run(
                    stem_relu,
                    &weights::BODY_WEIGHT,
                    &[] as &[f32; 0],
                    body_conv,
                    arena.at(memory::SCRATCH_1),
                    |x| x,
                );
            /// `/body/Relu`, `/Add`: f32[1, 1, 6, 2], f32[1, 1, 6, 2] → f32[1, 1, 6, 2]
            let sum = arena.at(memory::SUM);
            rt::Elementwise { shape: [12] }
                .run(
                    ((body_conv, [1]), (stem_relu, [1])),
                    sum,
                    |(a, b)| rt::relu(a) + b,
                );
            /// `/head/Gemm`: f32[1, 12] → f32[1, 3]
            let logits = arena.at(memory::LOGITS);
            rt::Dense {
                rows: 1,
                inputs: 12,
                outputs: 3,
                backward: false,
            }
                .run(
                    sum,
                    &weights::HEAD_WEIGHT,
                    &weights::HEAD_BIAS,
                    logits,
                    &[],
                    |x| x,
                );
            /// `/head/Softmax`: f32[1, 3] → f32[1, 3]
            let scores = arena.at(memory::SCORES);
            rt::Softmax {
                outer: 1,
                len: 3,
                inner: 1,
                log: false,
            }
                .run(logits, scores);
            self.arena.get(memory::SCORES)
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
                0 => Some(rt::bytes_of::<Output>(self.arena.get(memory::SCORES))),
                _ => None,
            }
        }
    }
    /// The memory plan: the place of every value in the arena.
    mod memory {
        use super::rt;
        pub const SIGNAL: rt::Place<f32, 48, 12> = rt::Place::new();
        pub const STEM_RELU: rt::Place<f32, 0, 12> = rt::Place::new();
        pub const BODY_CONV: rt::Place<f32, 48, 12> = rt::Place::new();
        pub const SUM: rt::Place<f32, 0, 12> = rt::Place::new();
        pub const LOGITS: rt::Place<f32, 48, 3> = rt::Place::new();
        pub const SCORES: rt::Place<f32, 0, 3> = rt::Place::new();
        pub const SCRATCH_0: rt::Place<f32, 96, 12> = rt::Place::new();
        pub const SCRATCH_1: rt::Place<f32, 96, 12> = rt::Place::new();
        const _: () = rt::check_plan(
            &[
                SIGNAL.alive(0, 0),
                STEM_RELU.alive(0, 2),
                BODY_CONV.alive(1, 2),
                SUM.alive(2, 3).forward_over(STEM_RELU.alive(0, 2), 0),
                LOGITS.alive(3, 4),
                SCORES.alive(4, 5),
                SCRATCH_0.alive(0, 0),
                SCRATCH_1.alive(1, 1),
            ],
        );
    }
    /// The constant data, in the order in which the kernels read it.
    mod weights {
        use super::rt;
        /// f32[2, 2, 3]
        pub static STEM_WEIGHT: [f32; 12] = rt::weights(b"48 bytes");
        /// f32[2, 2, 3]
        pub static BODY_WEIGHT: [f32; 12] = rt::weights(b"48 bytes");
        /// f32[12, 3]
        pub static HEAD_WEIGHT: [f32; 36] = rt::weights(b"144 bytes");
        /// f32[3]
        pub static HEAD_BIAS: [f32; 3] = rt::weights(b"12 bytes");
    }
}
