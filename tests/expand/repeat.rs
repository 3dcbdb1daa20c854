/// `repeat.onnx` (opset 13): 3 steps, 0 bytes of constant data, 96 bytes of working memory, 0 multiply-accumulates a run.
///
/// | step | ONNX nodes | operator | output | MACs |
/// |---|---|---|---|---|
/// | 0 | `Neg` | Elementwise | f32[2] |  |
/// | 1 | `/scan` | Repeat | f32[2], f32[2, 3] |  |
/// | 2 | `/count` | Repeat | f32[2], f32[4, 2] |  |
///
/// The arena takes 96 bytes: exactly the 96 bytes of the largest set of values that are alive at one step.
pub mod repeat {
    use ::model_runtime as rt;
    /// `x`: f32[2, 3]
    pub type X = [[f32; 3]; 2];
    /// `k`: f32[2]
    pub type K = [f32; 2];
    /// `first`: f32[2]
    pub type First = [f32; 2];
    /// `rows`: f32[2, 3]
    pub type Rows = [[f32; 3]; 2];
    /// `y`: f32[2]
    pub type Y = [f32; 2];
    /// `shown`: f32[4, 2]
    pub type Shown = [[f32; 2]; 4];
    /// The outputs of a run.
    #[derive(Clone, Copy)]
    pub struct Outputs<'a> {
        /// `rows`
        pub rows: &'a Rows,
        /// `y`
        pub y: &'a Y,
        /// `shown`
        pub shown: &'a Shown,
    }
    /// Bytes of working memory: the arena with inputs and outputs, and state.
    pub const RAM_BYTES: usize = 96;
    /// Bytes of constant data, without code.
    pub const WEIGHT_BYTES: usize = 0;
    /// Multiply-accumulates a run.
    pub const MACS: u64 = 0;
    /// What the model may cost, as the arguments of `include_model!` say.
    pub const BUDGETS: rt::Budgets = rt::Budgets::NONE;
    /// The SHA-256 of the model's file, as `sha256sum` prints it.
    pub const MODEL_SHA256: &str = "143b1c02d524e1927d10358a34afda9f6c0ac99d98c4557ade8fb6fab90001ed";
    /// The version of the compiler that wrote this module.
    pub const COMPILER_VERSION: &str = "0.1.0";
    /// Inputs, outputs and costs of the model.
    pub const SIGNATURE: rt::Signature = rt::Signature {
        name: "repeat",
        inputs: &[
            rt::Tensor {
                name: "x",
                elem: rt::Elem::F32,
                shape: &[2, 3],
            },
            rt::Tensor {
                name: "k",
                elem: rt::Elem::F32,
                shape: &[2],
            },
            rt::Tensor {
                name: "first",
                elem: rt::Elem::F32,
                shape: &[2],
            },
        ],
        outputs: &[
            rt::Tensor {
                name: "rows",
                elem: rt::Elem::F32,
                shape: &[2, 3],
            },
            rt::Tensor {
                name: "y",
                elem: rt::Elem::F32,
                shape: &[2],
            },
            rt::Tensor {
                name: "shown",
                elem: rt::Elem::F32,
                shape: &[4, 2],
            },
        ],
        ram_bytes: RAM_BYTES,
        weight_bytes: WEIGHT_BYTES,
        macs: MACS,
    };
    /// `x`: f32[2, 3]
    pub mod x {
        /// The name in the model.
        pub const NAME: &str = "x";
        /// The sizes in the model.
        pub const SHAPE: [usize; 2] = [2, 3];
    }
    /// `k`: f32[2]
    pub mod k {
        /// The name in the model.
        pub const NAME: &str = "k";
        /// The sizes in the model.
        pub const SHAPE: [usize; 1] = [2];
    }
    /// `first`: f32[2]
    pub mod first {
        /// The name in the model.
        pub const NAME: &str = "first";
        /// The sizes in the model.
        pub const SHAPE: [usize; 1] = [2];
    }
    /// `rows`: f32[2, 3]
    pub mod rows {
        /// The name in the model.
        pub const NAME: &str = "rows";
        /// The sizes in the model.
        pub const SHAPE: [usize; 2] = [2, 3];
    }
    /// `y`: f32[2]
    pub mod y {
        /// The name in the model.
        pub const NAME: &str = "y";
        /// The sizes in the model.
        pub const SHAPE: [usize; 1] = [2];
    }
    /// `shown`: f32[4, 2]
    pub mod shown {
        /// The name in the model.
        pub const NAME: &str = "shown";
        /// The sizes in the model.
        pub const SHAPE: [usize; 2] = [4, 2];
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
        /// Runs the model: reads `x`, `k`, `first`, returns `rows`, `y`, `shown`.
        pub fn run(&mut self, x: &X, k: &K, first: &First) -> Outputs<'_> {
            *self.x_mut() = *x;
            *self.k_mut() = *k;
            *self.first_mut() = *first;
            self.run_in_place()
        }
        /// The place of `x` in working memory, to be filled before `run_in_place`.
        pub fn x_mut(&mut self) -> &mut X {
            self.arena.get_mut(memory::X)
        }
        /// The place of `k` in working memory, to be filled before `run_in_place`.
        pub fn k_mut(&mut self) -> &mut K {
            self.arena.get_mut(memory::K)
        }
        /// The place of `first` in working memory, to be filled before `run_in_place`.
        pub fn first_mut(&mut self) -> &mut First {
            self.arena.get_mut(memory::FIRST)
        }
        /// Runs the model on what its inputs' places hold; the run reuses them, so fill all of them before the next.
        pub fn run_in_place(&mut self) -> Outputs<'_> {
            let arena = self.arena.places();
            let x = arena.at(memory::X);
            let k = arena.at(memory::K);
            let first = arena.at(memory::FIRST);
            /// `Neg`: f32[2] → f32[2]
            let decay = arena.at(memory::DECAY);
            rt::Elementwise { shape: [2] }.run((k, [1]), decay, rt::neg);
            /// `/scan`: f32[2], f32[2, 3], f32[2] → f32[2], f32[2, 3]
            let last = arena.at(memory::LAST);
            let rows = arena.at(memory::ROWS);
            {
                use self::memory::body_1 as memory;
                let arena = arena.within(self::memory::SCRATCH_1);
                rt::Copy {
                    shape: [2],
                    from: 0,
                    from_strides: [1],
                    to: 0,
                    to_strides: [1],
                }
                    .run(first, arena.at(memory::SUM));
                rt::Copy {
                    shape: [2],
                    from: 0,
                    from_strides: [1],
                    to: 0,
                    to_strides: [1],
                }
                    .run(decay, arena.at(memory::DECAY_2));
                for trip in 0..3 {
                    rt::Copy {
                        shape: [2],
                        from: 2 - trip,
                        from_strides: [3],
                        to: 0,
                        to_strides: [1],
                    }
                        .run(x, arena.at(memory::X_2));
                    let sum = arena.at(memory::SUM);
                    let x_2 = arena.at(memory::X_2);
                    let decay_2 = arena.at(memory::DECAY_2);
                    /// `Mul`, `Add`: f32[2], f32[2], f32[2] → f32[2]
                    rt::Elementwise { shape: [2] }
                        .run(
                            ((sum, [1]), (decay_2, [1]), (x_2, [1])),
                            sum,
                            |(a, b, c)| a * b + c,
                        );
                    /// `output`: f32[2] → f32[2]
                    let row = arena.at(memory::ROW);
                    rt::Copy {
                        shape: [2],
                        from: 0,
                        from_strides: [1],
                        to: 0,
                        to_strides: [1],
                    }
                        .run(sum, row);
                    rt::Copy {
                        shape: [2],
                        from: 0,
                        from_strides: [1],
                        to: trip,
                        to_strides: [3],
                    }
                        .run(arena.at(memory::ROW), rows);
                }
                rt::Copy {
                    shape: [2],
                    from: 0,
                    from_strides: [1],
                    to: 0,
                    to_strides: [1],
                }
                    .run(arena.at(memory::SUM), last);
            }
            /// `/count`: f32[2] → f32[2], f32[4, 2]
            let y = arena.at(memory::Y);
            let shown = arena.at(memory::SHOWN);
            {
                use self::memory::body_2 as memory;
                let arena = arena.within(self::memory::SCRATCH_2);
                rt::Copy {
                    shape: [2],
                    from: 0,
                    from_strides: [1],
                    to: 0,
                    to_strides: [1],
                }
                    .run(last, arena.at(memory::TOTAL));
                for trip in 0..4 {
                    rt::fill(arena.at(memory::NUMBER), trip as i64);
                    let number = arena.at(memory::NUMBER);
                    let total = arena.at(memory::TOTAL);
                    /// `Cast`: i64[] → f32[]
                    let float = arena.at(memory::FLOAT);
                    rt::Elementwise { shape: [1] }
                        .run((number, [0]), float, |x| rt::cast::<_, f32>(x));
                    /// `Add`: f32[2], f32[] → f32[2]
                    rt::Elementwise { shape: [2] }
                        .run(((total, [1]), (float, [0])), total, |(a, b)| a + b);
                    /// `Relu`: f32[2] → f32[2]
                    let shown_2 = arena.at(memory::SHOWN_2);
                    rt::Elementwise { shape: [2] }.run((total, [1]), shown_2, rt::relu);
                    rt::Copy {
                        shape: [2],
                        from: 0,
                        from_strides: [1],
                        to: trip * 2,
                        to_strides: [1],
                    }
                        .run(arena.at(memory::SHOWN_2), shown);
                }
                rt::Copy {
                    shape: [2],
                    from: 0,
                    from_strides: [1],
                    to: 0,
                    to_strides: [1],
                }
                    .run(arena.at(memory::TOTAL), y);
            }
            Outputs {
                rows: self.arena.get(memory::ROWS),
                y: self.arena.get(memory::Y),
                shown: self.arena.get(memory::SHOWN),
            }
        }
    }
    impl rt::Model for Model {
        fn signature(&self) -> &'static rt::Signature {
            &SIGNATURE
        }
        fn input_bytes(&mut self, index: usize) -> Option<&mut [u8]> {
            match index {
                0 => Some(rt::bytes_of_mut(self.x_mut())),
                1 => Some(rt::bytes_of_mut(self.k_mut())),
                2 => Some(rt::bytes_of_mut(self.first_mut())),
                _ => None,
            }
        }
        fn run_in_place(&mut self) {
            Self::run_in_place(self);
        }
        fn output_bytes(&self, index: usize) -> Option<&[u8]> {
            match index {
                0 => Some(rt::bytes_of::<Rows>(self.arena.get(memory::ROWS))),
                1 => Some(rt::bytes_of::<Y>(self.arena.get(memory::Y))),
                2 => Some(rt::bytes_of::<Shown>(self.arena.get(memory::SHOWN))),
                _ => None,
            }
        }
    }
    /// The memory plan: the place of every value in the arena.
    mod memory {
        use super::rt;
        pub const X: rt::Place<f32, 0, 6> = rt::Place::new();
        pub const K: rt::Place<f32, 32, 2> = rt::Place::new();
        pub const FIRST: rt::Place<f32, 24, 2> = rt::Place::new();
        pub const DECAY: rt::Place<f32, 88, 2> = rt::Place::new();
        pub const LAST: rt::Place<f32, 80, 2> = rt::Place::new();
        pub const ROWS: rt::Place<f32, 32, 6> = rt::Place::new();
        pub const Y: rt::Place<f32, 72, 2> = rt::Place::new();
        pub const SHOWN: rt::Place<f32, 0, 8> = rt::Place::new();
        pub const SCRATCH_1: rt::Place<u8, 56, 24> = rt::Place::new();
        pub const SCRATCH_2: rt::Place<u8, 56, 16> = rt::Place::new();
        const _: () = rt::check_plan(
            &[
                X.alive(0, 1),
                K.alive(0, 0),
                FIRST.alive(0, 1),
                DECAY.alive(0, 1),
                LAST.alive(1, 2),
                ROWS.alive(1, 3),
                Y.alive(2, 3),
                SHOWN.alive(2, 3),
                SCRATCH_1.alive(1, 1),
                SCRATCH_2.alive(2, 2),
            ],
        );
        /// The memory of the graph inside of step 1, which lies in the step's scratch.
        pub mod body_1 {
            use super::rt;
            pub const SUM: rt::Place<f32, 8, 2> = rt::Place::new();
            pub const X_2: rt::Place<f32, 0, 2> = rt::Place::new();
            pub const DECAY_2: rt::Place<f32, 16, 2> = rt::Place::new();
            pub const ROW: rt::Place<f32, 0, 2> = rt::Place::new();
            const _: () = rt::check_plan(
                &[SUM.alive(0, 2), X_2.alive(0, 0), DECAY_2.alive(0, 2), ROW.alive(1, 2)],
            );
        }
        /// The memory of the graph inside of step 2, which lies in the step's scratch.
        pub mod body_2 {
            use super::rt;
            pub const NUMBER: rt::Place<i64, 0, 1> = rt::Place::new();
            pub const TOTAL: rt::Place<f32, 8, 2> = rt::Place::new();
            pub const FLOAT: rt::Place<f32, 0, 1> = rt::Place::new();
            pub const SHOWN_2: rt::Place<f32, 0, 2> = rt::Place::new();
            const _: () = rt::check_plan(
                &[
                    NUMBER.alive(0, 0),
                    TOTAL.alive(0, 3),
                    FLOAT.alive(0, 1).forward_over(NUMBER.alive(0, 0), -4),
                    SHOWN_2.alive(2, 3),
                ],
            );
        }
    }
}
