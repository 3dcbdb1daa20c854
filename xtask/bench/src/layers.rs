//! Layers of random shapes and numbers. The firmware `layers` computes them on the chip, where micro-kernels in assembly do the work, and
//! `cargo xtask check` on the host, where the portable forms do it: both must find the same bits. Both compile this file.

use core::cell::Cell;

use model_kernels::{Conv, Dense, Depthwise, Packing, Quad, Quantized, Requantize};

/// How many there are.
pub const COUNT: u32 = 500;

/// One of them.
#[derive(Clone, Copy, Debug)]
pub enum Layer {
    Dense(Dense),
    Conv(Conv),
    Depthwise(Depthwise),
}

/// Room for the operands of any of them, in floats and in integers.
pub struct Memory {
    floats: Floats,
    signed: Integers<i8>,
    unsigned: Integers<u8>,
}

struct Floats {
    x: [Cell<f32>; 8192],
    weights: [Cell<f32>; 4096],
    bias: [Cell<f32>; 64],
    y: [Cell<f32>; 8192],
    scratch: [Cell<f32>; 1024],
}

struct Integers<T> {
    x: [Cell<T>; 8192],
    weights: [i8; 4096],
    bias: [i32; 64],
    multipliers: [i32; 64],
    packed: [Quad; 4096],
    y: [Cell<T>; 8192],
    scratch: [Cell<i16>; 2048],
}

impl Memory {
    /// Memory of zeros.
    #[allow(clippy::new_without_default, reason = "a default is not constant")]
    pub const fn new() -> Self {
        Self {
            floats: Floats {
                x: [const { Cell::new(0.0) }; 8192],
                weights: [const { Cell::new(0.0) }; 4096],
                bias: [const { Cell::new(0.0) }; 64],
                y: [const { Cell::new(0.0) }; 8192],
                scratch: [const { Cell::new(0.0) }; 1024],
            },
            signed: Integers::new(),
            unsigned: Integers::new(),
        }
    }
}

impl<T: Quantized> Integers<T> {
    const fn new() -> Self {
        Self {
            x: [const { Cell::new(T::ZERO) }; 8192],
            weights: [0; 4096],
            bias: [0; 64],
            multipliers: [0; 64],
            packed: [Quad([0; 4]); 4096],
            y: [const { Cell::new(T::ZERO) }; 8192],
            scratch: [const { Cell::new(0) }; 2048],
        }
    }
}

impl Layer {
    /// Layer `number` of [`COUNT`].
    pub fn new(number: u32) -> Self {
        let mut random = Random::new(number);
        if number.is_multiple_of(3) {
            let [rows, inputs, outputs] = [random.upto(7), random.upto(50), random.upto(40)];
            return Self::Dense(Dense { rows, inputs, outputs, backward: random.flag() });
        }
        let (batch, backward) = (random.upto(2), random.flag());
        let [mut size, mut output, mut kernel, mut strides, mut dilations, mut padding] = [[0; 2]; 6];
        for axis in 0..2 {
            (kernel[axis], strides[axis], dilations[axis]) = (random.upto(3), random.upto(2), random.upto(2));
            let extent = (kernel[axis] - 1) * dilations[axis] + 1;
            (size[axis], padding[axis]) = (extent + random.upto(4) - 1, random.upto(extent) - 1);
            output[axis] = (size[axis] + 2 * padding[axis] - extent) / strides[axis] + 1;
        }
        let sized = |[height, width]: [usize; 2], channels| [height, width, channels];
        if number % 3 == 1 {
            let channels = random.upto(40);
            let (input, output) = (sized(size, channels), sized(output, channels));
            return Self::Depthwise(Depthwise { input, output, kernel, strides, dilations, padding, batch, backward });
        }
        let groups = random.upto(2);
        let (input, output) = (sized(size, groups * random.upto(10)), sized(output, groups * random.upto(17)));
        let planar = random.flag();
        Self::Conv(Conv { input, output, kernel, strides, dilations, padding, groups, batch, planar, backward })
    }

    /// Computes layer `number` in `memory`, in floats and quantized, and makes one number of the bits of all outputs.
    pub fn hash(self, number: u32, memory: &mut Memory) -> u32 {
        let mut random = Random::new(!number);
        self.compute(&mut random, &memory.floats);
        self.compute_quantized(&mut random, &mut memory.signed);
        self.compute_quantized(&mut random, &mut memory.unsigned);
        let floats = memory.floats.y.iter().map(|y| y.get().to_bits());
        let signed = memory.signed.y.iter().map(|y| y.get() as u32);
        let unsigned = memory.unsigned.y.iter().map(|y| y.get().into());
        floats.chain(signed).chain(unsigned).fold(0, |hash, bits| (hash ^ bits).wrapping_mul(0x0100_0193).rotate_left(5))
    }

    fn compute(self, random: &mut Random, memory: &Floats) {
        let Floats { x, weights, bias, y, scratch } = memory;
        x.iter().chain(weights).chain(bias).for_each(|place| place.set(random.number()));
        y.iter().for_each(|place| place.set(0.0));
        let bias = if random.flag() { &bias[..] } else { &[] };
        match self {
            Self::Dense(dense) => dense.run(x, weights, bias, y, scratch, |sum| sum),
            Self::Conv(conv) => conv.run(x, weights, bias, y, scratch, |sum| sum),
            Self::Depthwise(depthwise) => depthwise.run(x, weights, bias, y, |sum| sum),
        }
    }

    fn compute_quantized<T: Quantized>(self, random: &mut Random, memory: &mut Integers<T>) {
        let Integers { x, weights, bias, multipliers, packed, y, scratch } = memory;
        let [low, high] = [i32::MIN, i32::MAX].map(|value| i32::from(T::saturate(value).to_i16()));
        x.iter().for_each(|place| place.set(T::saturate(low + i32::from(random.next() as u8))));
        y.iter().for_each(|place| place.set(T::ZERO));
        // Some processors read two weights from a halfword, unless the lowest of all is among them.
        let least = if random.flag() { -127 } else { -128 };
        weights.iter_mut().for_each(|weight| *weight = (random.next() as i8).max(least));
        bias.iter_mut().for_each(|bias| *bias = random.next() as i32 >> 12);
        // A shift of 33 that clips to the element type has tiles of its own.
        let (shift, requantize) = match random.upto(3) {
            1 => (12, Requantize { left: 0, shift: 33, zero: low + 131, low, high }),
            2 => (14, Requantize { left: 2, shift: 33, zero: low + 131, low, high }),
            _ => (1, Requantize { left: 0, shift: 44, zero: low + 131, low: low + 8, high }),
        };
        multipliers.iter_mut().for_each(|multiplier| *multiplier = (random.next() >> shift) as i32);
        let layer = model_kernels::Layer { weights, bias, multipliers, x_limit: 255 };
        let x_zero = low + i32::from(random.next() as u8);
        match self {
            Self::Dense(dense) => {
                fill(packed, dense.pack_quantized(layer, false, Packing::NATIVE));
                dense.quantized(x, packed, y, scratch, requantize);
            }
            Self::Conv(conv) => {
                fill(packed, conv.pack_quantized(layer, Packing::NATIVE));
                conv.quantized(x, packed, y, scratch, x_zero, requantize);
            }
            Self::Depthwise(depthwise) => {
                fill(packed, depthwise.pack_quantized(layer));
                depthwise.quantized(x, packed, y, scratch, x_zero, requantize);
            }
        }
    }
}

fn fill(packed: &mut [Quad], quads: impl Iterator<Item = Quad>) {
    packed.iter_mut().zip(quads).for_each(|(place, quad)| *place = quad);
}

/// Numbers that are the same each time.
struct Random(u32);

impl Random {
    fn new(seed: u32) -> Self {
        Self(seed.wrapping_mul(2_654_435_761) | 1)
    }

    fn next(&mut self) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 17;
        self.0 ^= self.0 << 5;
        self.0
    }

    /// From 1 to `most`.
    fn upto(&mut self, most: usize) -> usize {
        (self.next() >> 8) as usize % most + 1
    }

    fn flag(&mut self) -> bool {
        self.upto(2) == 2
    }

    /// From -1 to 1, with a full mantissa.
    fn number(&mut self) -> f32 {
        self.next() as i32 as f32 / 2_147_483_648.0
    }
}
