/// `state.onnx` (opset 13): 8 steps, 0 bytes of constant data, 152 bytes of working memory, 0 multiply-accumulates a run.
///
/// | step | ONNX nodes | operator | output | MACs |
/// |---|---|---|---|---|
/// | 0 | `Add` | Elementwise | f32[1, 4] |  |
/// | 1 | `left_next` | Copy | f32[1, 4] |  |
/// | 2 | `right_next` | Copy | f32[1, 4] |  |
/// | 3 | `right_next` | Copy | f32[1, 4] |  |
/// | 4 | `Sub` | Elementwise | f32[1, 4] |  |
/// | 5 | `left_next` | Copy | f32[1, 4] |  |
/// | 6 | `ReduceMax` | Reduce | f32[1, 4] |  |
/// | 7 | `window_next` | Copy | f32[3, 4] |  |
///
/// The arena takes 152 bytes: exactly the 152 bytes of the largest set of values that are alive at one step.
///
/// State: `sum` is `sum_next` of the run before, zero at first.
///
/// State: `window` is `window_next` of the run before, zero at first.
///
/// State: `left` is `left_next` of the run before, a constant at first.
///
/// State: `right` is `right_next` of the run before, zero at first.
pub mod state {
    use ::model_runtime as rt;
    /// `x`: f32[1, 4]
    pub type Input = [f32; 4];
    /// `highest`: f32[1, 4]
    pub type Highest = [f32; 4];
    /// `difference`: f32[1, 4]
    pub type Difference = [f32; 4];
    /// The outputs of a run.
    #[derive(Clone, Copy)]
    pub struct Outputs<'a> {
        /// `highest`
        pub highest: &'a Highest,
        /// `difference`
        pub difference: &'a Difference,
    }
    /// Bytes of working memory: the arena with inputs and outputs, and state.
    pub const RAM_BYTES: usize = 152;
    /// Bytes of constant data, without code.
    pub const WEIGHT_BYTES: usize = 0;
    /// Multiply-accumulates a run.
    pub const MACS: u64 = 0;
    /// What the model may cost, as the arguments of `include_model!` say.
    pub const BUDGETS: rt::Budgets = rt::Budgets::NONE;
    /// The SHA-256 of the model's file, as `sha256sum` prints it.
    pub const MODEL_SHA256: &str = "c29a9e24148ae9ddafc80e0a0aee13f6e86be3a841a1c62232d51b5fe4777dfd";
    /// The version of the compiler that wrote this module.
    pub const COMPILER_VERSION: &str = "0.1.0";
    /// Inputs, outputs and costs of the model.
    pub const SIGNATURE: rt::Signature = rt::Signature {
        name: "state",
        inputs: &[
            rt::Tensor {
                name: "x",
                elem: rt::Elem::F32,
                shape: &[1, 4],
            },
        ],
        outputs: &[
            rt::Tensor {
                name: "highest",
                elem: rt::Elem::F32,
                shape: &[1, 4],
            },
            rt::Tensor {
                name: "difference",
                elem: rt::Elem::F32,
                shape: &[1, 4],
            },
        ],
        ram_bytes: RAM_BYTES,
        weight_bytes: WEIGHT_BYTES,
        macs: MACS,
    };
    /// `x`: f32[1, 4]
    pub mod x {
        /// The name in the model.
        pub const NAME: &str = "x";
        /// The sizes in the model.
        pub const SHAPE: [usize; 2] = [1, 4];
    }
    /// `highest`: f32[1, 4]
    pub mod highest {
        /// The name in the model.
        pub const NAME: &str = "highest";
        /// The sizes in the model.
        pub const SHAPE: [usize; 2] = [1, 4];
    }
    /// `difference`: f32[1, 4]
    pub mod difference {
        /// The name in the model.
        pub const NAME: &str = "difference";
        /// The sizes in the model.
        pub const SHAPE: [usize; 2] = [1, 4];
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
        /// Runs the model: reads `x`, returns `highest`, `difference`.
        pub fn run(&mut self, x: &Input) -> Outputs<'_> {
            *self.input_mut() = *x;
            self.run_in_place()
        }
        /// The place of `x` in working memory, to be filled before `run_in_place`.
        pub fn input_mut(&mut self) -> &mut Input {
            self.arena.get_mut(memory::X)
        }
        /// Restores the first state, so that the next run is as the first.
        pub fn reset(&mut self) {
            let arena = self.arena.places();
            rt::fill(arena.at(memory::SUM), 0.0);
            rt::fill(arena.at(memory::WINDOW), 0.0);
            rt::fill(arena.at(memory::LEFT), 2.0);
            rt::fill(arena.at(memory::RIGHT), 0.0);
            rt::fill(arena.at(memory::STARTED), 1);
        }
        /// Runs the model on what its inputs' places hold; the run reuses them, so fill all of them before the next.
        pub fn run_in_place(&mut self) -> Outputs<'_> {
            let started: &[u8; 1] = self.arena.get(memory::STARTED);
            if *started == [0] {
                self.reset();
            }
            let arena = self.arena.places();
            let x = arena.at(memory::X);
            let sum = arena.at(memory::SUM);
            let window = arena.at(memory::WINDOW);
            let left = arena.at(memory::LEFT);
            let right = arena.at(memory::RIGHT);
            /// `Add`: f32[1, 4], f32[1, 4] → f32[1, 4]
            rt::Elementwise { shape: [4] }
                .run(((x, [1]), (sum, [1])), sum, |(a, b)| a + b);
            /// `left_next`: f32[1, 4] → f32[1, 4]
            let left_next = arena.at(memory::LEFT_NEXT);
            rt::Copy {
                shape: [4],
                from: 0,
                from_strides: [1],
                to: 0,
                to_strides: [1],
            }
                .run(right, left_next);
            /// `right_next`: f32[1, 4] → f32[1, 4]
            let right_next = arena.at(memory::RIGHT_NEXT);
            rt::Copy {
                shape: [4],
                from: 0,
                from_strides: [1],
                to: 0,
                to_strides: [1],
            }
                .run(left, right_next);
            /// `right_next`: f32[1, 4] → f32[1, 4]
            rt::Copy {
                shape: [4],
                from: 0,
                from_strides: [1],
                to: 0,
                to_strides: [1],
            }
                .run(right_next, right);
            /// `Sub`: f32[1, 4], f32[1, 4] → f32[1, 4]
            let difference = arena.at(memory::DIFFERENCE);
            rt::Elementwise { shape: [4] }
                .run(((left, [1]), (sum, [1])), difference, |(a, b)| a - b);
            /// `left_next`: f32[1, 4] → f32[1, 4]
            rt::Copy {
                shape: [4],
                from: 0,
                from_strides: [1],
                to: 0,
                to_strides: [1],
            }
                .run(left_next, left);
            /// `ReduceMax`: f32[4, 4] → f32[1, 4]
            let rows = arena.at(memory::ROWS);
            let highest = arena.at(memory::HIGHEST);
            rt::Reduce {
                kept: [4],
                kept_strides: [1],
                reduced: [4],
                reduced_strides: [4],
            }
                .max(rows, highest);
            /// `window_next`: f32[3, 4] → f32[3, 4]
            let window_next = arena.at(memory::WINDOW_NEXT);
            rt::Copy {
                shape: [12],
                from: 0,
                from_strides: [1],
                to: 0,
                to_strides: [1],
            }
                .run(window_next, window);
            Outputs {
                highest: self.arena.get(memory::HIGHEST),
                difference: self.arena.get(memory::DIFFERENCE),
            }
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
        fn reset(&mut self) {
            Self::reset(self);
        }
        fn output_bytes(&self, index: usize) -> Option<&[u8]> {
            match index {
                0 => Some(rt::bytes_of::<Highest>(self.arena.get(memory::HIGHEST))),
                1 => Some(rt::bytes_of::<Difference>(self.arena.get(memory::DIFFERENCE))),
                _ => None,
            }
        }
    }
    /// The memory plan: the place of every value in the arena.
    mod memory {
        use super::rt;
        pub const X: rt::Place<f32, 128, 4> = rt::Place::new();
        pub const SUM: rt::Place<f32, 32, 4> = rt::Place::new();
        pub const WINDOW: rt::Place<f32, 80, 12> = rt::Place::new();
        pub const LEFT: rt::Place<f32, 48, 4> = rt::Place::new();
        pub const RIGHT: rt::Place<f32, 64, 4> = rt::Place::new();
        pub const ROWS: rt::Place<f32, 80, 16> = rt::Place::new();
        pub const WINDOW_NEXT: rt::Place<f32, 96, 12> = rt::Place::new();
        pub const HIGHEST: rt::Place<f32, 0, 4> = rt::Place::new();
        pub const DIFFERENCE: rt::Place<f32, 16, 4> = rt::Place::new();
        pub const LEFT_NEXT: rt::Place<f32, 0, 4> = rt::Place::new();
        pub const RIGHT_NEXT: rt::Place<f32, 16, 4> = rt::Place::new();
        /// Whether the first state is in its place.
        pub const STARTED: rt::Place<u8, 144, 1> = rt::Place::new();
        const _: () = rt::check_plan(
            &[
                SUM.alive(0, 8),
                LEFT.alive(0, 8),
                RIGHT.alive(0, 8),
                ROWS.alive(0, 8),
                HIGHEST.alive(6, 8),
                DIFFERENCE.alive(4, 8),
                LEFT_NEXT.alive(1, 5),
                RIGHT_NEXT.alive(2, 3),
            ],
        );
    }
}
