/// `branch.onnx` (opset 13): 4 steps, 12 bytes of constant data, 184 bytes of working memory, 0 multiply-accumulates a run.
///
/// | step | ONNX nodes | operator | output | MACs |
/// |---|---|---|---|---|
/// | 0 | `ReduceSum` | Reduce | f32[1, 1] |  |
/// | 1 | `Greater` | Elementwise | bool[] |  |
/// | 2 | `/choose` | Branch | f32[2, 3], f32[3] |  |
/// | 3 | `Add` | Elementwise | f32[2, 3] |  |
///
/// The arena takes 184 bytes: more than the 165 bytes of the largest set of values that are alive at one step.
pub mod branch {
    use ::model_runtime as rt;
    /// `x`: f32[2, 3]
    pub type X = [[f32; 3]; 2];
    /// `limit`: f32[]
    pub type Limit = [f32; 1];
    /// `both`: f32[2, 3]
    pub type Both = [[f32; 3]; 2];
    /// `z`: f32[3]
    pub type Z = [f32; 3];
    /// The outputs of a run.
    #[derive(Clone, Copy)]
    pub struct Outputs<'a> {
        /// `both`
        pub both: &'a Both,
        /// `z`
        pub z: &'a Z,
    }
    /// Bytes of working memory: the arena with inputs and outputs, and state.
    pub const RAM_BYTES: usize = 184;
    /// Bytes of constant data, without code.
    pub const WEIGHT_BYTES: usize = 12;
    /// Multiply-accumulates a run.
    pub const MACS: u64 = 0;
    /// What the model may cost, as the arguments of `include_model!` say.
    pub const BUDGETS: rt::Budgets = rt::Budgets::NONE;
    /// The SHA-256 of the model's file, as `sha256sum` prints it.
    pub const MODEL_SHA256: &str = "fd68bb68573bd3619210894c7c3550e80f9a09e524f4080a251a94602bddafe4";
    /// The version of the compiler that wrote this module.
    pub const COMPILER_VERSION: &str = "0.1.0";
    /// Inputs, outputs and costs of the model.
    pub const SIGNATURE: rt::Signature = rt::Signature {
        name: "branch",
        inputs: &[
            rt::Tensor {
                name: "x",
                elem: rt::Elem::F32,
                shape: &[2, 3],
            },
            rt::Tensor {
                name: "limit",
                elem: rt::Elem::F32,
                shape: &[],
            },
        ],
        outputs: &[
            rt::Tensor {
                name: "both",
                elem: rt::Elem::F32,
                shape: &[2, 3],
            },
            rt::Tensor {
                name: "z",
                elem: rt::Elem::F32,
                shape: &[3],
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
    /// `limit`: f32[]
    pub mod limit {
        /// The name in the model.
        pub const NAME: &str = "limit";
        /// The sizes in the model.
        pub const SHAPE: [usize; 0] = [];
    }
    /// `both`: f32[2, 3]
    pub mod both {
        /// The name in the model.
        pub const NAME: &str = "both";
        /// The sizes in the model.
        pub const SHAPE: [usize; 2] = [2, 3];
    }
    /// `z`: f32[3]
    pub mod z {
        /// The name in the model.
        pub const NAME: &str = "z";
        /// The sizes in the model.
        pub const SHAPE: [usize; 1] = [3];
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
        /// Runs the model: reads `x`, `limit`, returns `both`, `z`.
        pub fn run(&mut self, x: &X, limit: &Limit) -> Outputs<'_> {
            *self.x_mut() = *x;
            *self.limit_mut() = *limit;
            self.run_in_place()
        }
        /// The place of `x` in working memory, to be filled before `run_in_place`.
        pub fn x_mut(&mut self) -> &mut X {
            self.arena.get_mut(memory::X)
        }
        /// The place of `limit` in working memory, to be filled before `run_in_place`.
        pub fn limit_mut(&mut self) -> &mut Limit {
            self.arena.get_mut(memory::LIMIT)
        }
        /// Runs the model on what its inputs' places hold; the run reuses them, so fill all of them before the next.
        pub fn run_in_place(&mut self) -> Outputs<'_> {
            let arena = self.arena.places();
            let x = arena.at(memory::X);
            let limit = arena.at(memory::LIMIT);
            /// `ReduceSum`: f32[2, 3] → f32[1, 1]
            let reduce_sum = arena.at(memory::REDUCE_SUM);
            rt::Reduce {
                kept: [],
                kept_strides: [],
                reduced: [6],
                reduced_strides: [1],
            }
                .sum(x, reduce_sum);
            /// `Greater`: f32[], f32[] → bool[]
            let is_great = arena.at(memory::IS_GREAT);
            rt::Elementwise { shape: [1] }
                .run(
                    ((reduce_sum, [0]), (limit, [0])),
                    is_great,
                    |(a, b)| rt::greater(a, b),
                );
            /// `/choose`: bool[], f32[2, 3], f32[], f32[] → f32[2, 3], f32[3]
            let y = arena.at(memory::Y);
            let z = arena.at(memory::Z);
            if rt::holds(is_great) {
                use self::memory::then_2 as memory;
                let arena = arena.within(self::memory::SCRATCH_2);
                rt::Copy {
                    shape: [6],
                    from: 0,
                    from_strides: [1],
                    to: 0,
                    to_strides: [1],
                }
                    .run(x, arena.at(memory::X_2));
                let x_2 = arena.at(memory::X_2);
                /// `Mul`: f32[2, 3], f32[2, 3] → f32[2, 3]
                let square = arena.at(memory::SQUARE);
                rt::Elementwise { shape: [6] }
                    .run(((x_2, [1]), (x_2, [1])), square, |(a, b)| a * b);
                /// `output`: → f32[3]
                let fixed = arena.at(memory::FIXED);
                rt::Copy {
                    shape: [3],
                    from: 0,
                    from_strides: [1],
                    to: 0,
                    to_strides: [1],
                }
                    .run(&weights::FIXED, fixed);
                rt::Copy {
                    shape: [6],
                    from: 0,
                    from_strides: [1],
                    to: 0,
                    to_strides: [1],
                }
                    .run(arena.at(memory::SQUARE), y);
                rt::Copy {
                    shape: [3],
                    from: 0,
                    from_strides: [1],
                    to: 0,
                    to_strides: [1],
                }
                    .run(arena.at(memory::FIXED), z);
            } else {
                use self::memory::otherwise_2 as memory;
                let arena = arena.within(self::memory::SCRATCH_2);
                rt::Copy {
                    shape: [1],
                    from: 0,
                    from_strides: [1],
                    to: 0,
                    to_strides: [1],
                }
                    .run(reduce_sum, arena.at(memory::SUM));
                rt::Copy {
                    shape: [6],
                    from: 0,
                    from_strides: [1],
                    to: 0,
                    to_strides: [1],
                }
                    .run(x, arena.at(memory::X_2));
                rt::Copy {
                    shape: [1],
                    from: 0,
                    from_strides: [1],
                    to: 0,
                    to_strides: [1],
                }
                    .run(limit, arena.at(memory::LIMIT_2));
                let sum = arena.at(memory::SUM);
                let x_2 = arena.at(memory::X_2);
                let limit_2 = arena.at(memory::LIMIT_2);
                /// `Less`: f32[] → bool[]
                let is_negative = arena.at(memory::IS_NEGATIVE);
                rt::Elementwise { shape: [1] }
                    .run((sum, [0]), is_negative, |x| rt::less(x, 0.0));
                /// `Neg`: f32[2, 3] → f32[2, 3]
                let turned = arena.at(memory::TURNED);
                rt::Elementwise { shape: [6] }.run((x_2, [1]), turned, rt::neg);
                /// `/sign`: bool[], f32[2, 3], f32[] → f32[2, 3]
                let made = arena.at(memory::MADE);
                if rt::holds(is_negative) {
                    use self::memory::otherwise_2::then_2 as memory;
                    let arena = arena.within(self::memory::otherwise_2::SCRATCH_2);
                    rt::Copy {
                        shape: [6],
                        from: 0,
                        from_strides: [1],
                        to: 0,
                        to_strides: [1],
                    }
                        .run(turned, arena.at(memory::TURNED_2));
                    rt::Copy {
                        shape: [1],
                        from: 0,
                        from_strides: [1],
                        to: 0,
                        to_strides: [1],
                    }
                        .run(limit_2, arena.at(memory::LIMIT));
                    let turned_2 = arena.at(memory::TURNED_2);
                    let limit = arena.at(memory::LIMIT);
                    /// `Add`: f32[2, 3], f32[] → f32[2, 3]
                    let chosen = arena.at(memory::CHOSEN);
                    rt::Elementwise { shape: [6] }
                        .run(((turned_2, [1]), (limit, [0])), chosen, |(a, b)| a + b);
                    rt::Copy {
                        shape: [6],
                        from: 0,
                        from_strides: [1],
                        to: 0,
                        to_strides: [1],
                    }
                        .run(arena.at(memory::CHOSEN), made);
                } else {
                    use self::memory::otherwise_2::otherwise_2 as memory;
                    let arena = arena.within(self::memory::otherwise_2::SCRATCH_2);
                    rt::Copy {
                        shape: [6],
                        from: 0,
                        from_strides: [1],
                        to: 0,
                        to_strides: [1],
                    }
                        .run(turned, arena.at(memory::TURNED_2));
                    let turned_2 = arena.at(memory::TURNED_2);
                    /// `Abs`: f32[2, 3] → f32[2, 3]
                    let chosen = arena.at(memory::CHOSEN);
                    rt::Elementwise { shape: [6] }.run((turned_2, [1]), chosen, rt::abs);
                    rt::Copy {
                        shape: [6],
                        from: 0,
                        from_strides: [1],
                        to: 0,
                        to_strides: [1],
                    }
                        .run(arena.at(memory::CHOSEN), made);
                }
                /// `ReduceMax`: f32[2, 3] → f32[1, 3]
                let reduce_max = arena.at(memory::REDUCE_MAX);
                rt::Reduce {
                    kept: [3],
                    kept_strides: [1],
                    reduced: [2],
                    reduced_strides: [3],
                }
                    .max(made, reduce_max);
                rt::Copy {
                    shape: [6],
                    from: 0,
                    from_strides: [1],
                    to: 0,
                    to_strides: [1],
                }
                    .run(arena.at(memory::MADE), y);
                rt::Copy {
                    shape: [3],
                    from: 0,
                    from_strides: [1],
                    to: 0,
                    to_strides: [1],
                }
                    .run(arena.at(memory::REDUCE_MAX), z);
            }
            /// `Add`: f32[2, 3], f32[2, 3] → f32[2, 3]
            let both = arena.at(memory::BOTH);
            rt::Elementwise { shape: [6] }
                .run(((x, [1]), (y, [1])), both, |(a, b)| a + b);
            Outputs {
                both: self.arena.get(memory::BOTH),
                z: self.arena.get(memory::Z),
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
                1 => Some(rt::bytes_of_mut(self.limit_mut())),
                _ => None,
            }
        }
        fn run_in_place(&mut self) {
            Self::run_in_place(self);
        }
        fn output_bytes(&self, index: usize) -> Option<&[u8]> {
            match index {
                0 => Some(rt::bytes_of::<Both>(self.arena.get(memory::BOTH))),
                1 => Some(rt::bytes_of::<Z>(self.arena.get(memory::Z))),
                _ => None,
            }
        }
    }
    /// The memory plan: the place of every value in the arena.
    mod memory {
        use super::rt;
        pub const X: rt::Place<f32, 16, 6> = rt::Place::new();
        pub const LIMIT: rt::Place<f32, 8, 1> = rt::Place::new();
        pub const REDUCE_SUM: rt::Place<f32, 0, 1> = rt::Place::new();
        pub const IS_GREAT: rt::Place<u8, 176, 1> = rt::Place::new();
        pub const Y: rt::Place<f32, 136, 6> = rt::Place::new();
        pub const Z: rt::Place<f32, 160, 3> = rt::Place::new();
        pub const BOTH: rt::Place<f32, 0, 6> = rt::Place::new();
        pub const SCRATCH_2: rt::Place<u8, 40, 96> = rt::Place::new();
        const _: () = rt::check_plan(
            &[
                X.alive(0, 3),
                LIMIT.alive(0, 2),
                REDUCE_SUM.alive(0, 2),
                IS_GREAT.alive(1, 2),
                Y.alive(2, 3),
                Z.alive(2, 4),
                BOTH.alive(3, 4).forward_over(X.alive(0, 3), 0),
                SCRATCH_2.alive(2, 2),
            ],
        );
        /// The memory of the graph inside of step 2, which lies in the step's scratch.
        pub mod then_2 {
            use super::rt;
            pub const X_2: rt::Place<f32, 0, 6> = rt::Place::new();
            pub const SQUARE: rt::Place<f32, 0, 6> = rt::Place::new();
            pub const FIXED: rt::Place<f32, 24, 3> = rt::Place::new();
            const _: () = rt::check_plan(
                &[
                    X_2.alive(0, 0),
                    SQUARE
                        .alive(0, 2)
                        .forward_over(X_2.alive(0, 0), 0)
                        .forward_over(X_2.alive(0, 0), 0),
                    FIXED.alive(1, 2),
                ],
            );
        }
        /// The memory of the graph inside of step 2, which lies in the step's scratch.
        pub mod otherwise_2 {
            use super::rt;
            pub const SUM: rt::Place<f32, 8, 1> = rt::Place::new();
            pub const X_2: rt::Place<f32, 16, 6> = rt::Place::new();
            pub const LIMIT_2: rt::Place<f32, 0, 1> = rt::Place::new();
            pub const IS_NEGATIVE: rt::Place<u8, 88, 1> = rt::Place::new();
            pub const TURNED: rt::Place<f32, 40, 6> = rt::Place::new();
            pub const MADE: rt::Place<f32, 64, 6> = rt::Place::new();
            pub const REDUCE_MAX: rt::Place<f32, 0, 3> = rt::Place::new();
            pub const SCRATCH_2: rt::Place<u8, 8, 32> = rt::Place::new();
            const _: () = rt::check_plan(
                &[
                    SUM.alive(0, 0),
                    X_2.alive(0, 1),
                    LIMIT_2.alive(0, 2),
                    IS_NEGATIVE.alive(0, 2),
                    TURNED.alive(1, 2),
                    MADE.alive(2, 4),
                    REDUCE_MAX.alive(3, 4),
                    SCRATCH_2.alive(2, 2),
                ],
            );
            /// The memory of the graph inside of step 2, which lies in the step's scratch.
            pub mod then_2 {
                use super::rt;
                pub const TURNED_2: rt::Place<f32, 0, 6> = rt::Place::new();
                pub const LIMIT: rt::Place<f32, 24, 1> = rt::Place::new();
                pub const CHOSEN: rt::Place<f32, 0, 6> = rt::Place::new();
                const _: () = rt::check_plan(
                    &[
                        TURNED_2.alive(0, 0),
                        LIMIT.alive(0, 0),
                        CHOSEN.alive(0, 1).forward_over(TURNED_2.alive(0, 0), 0),
                    ],
                );
            }
            /// The memory of the graph inside of step 2, which lies in the step's scratch.
            pub mod otherwise_2 {
                use super::rt;
                pub const TURNED_2: rt::Place<f32, 0, 6> = rt::Place::new();
                pub const CHOSEN: rt::Place<f32, 0, 6> = rt::Place::new();
                const _: () = rt::check_plan(
                    &[
                        TURNED_2.alive(0, 0),
                        CHOSEN.alive(0, 1).forward_over(TURNED_2.alive(0, 0), 0),
                    ],
                );
            }
        }
    }
    /// The constant data, in the order in which the kernels read it.
    mod weights {
        use super::rt;
        /// f32[3]
        pub static FIXED: [f32; 3] = rt::weights(b"12 bytes");
    }
}
