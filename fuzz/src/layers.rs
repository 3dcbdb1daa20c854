//! Layers of shapes that bytes choose: convolutions in floats and in integers, depthwise ones and pools, against the loops of their formula.

use std::cell::Cell;

use model_kernels::{Conv, Depthwise, Max, Packing, Pool, Quantized, Requantize};

use crate::choices::Choices;

/// How the sums of integers become elements.
const REQUANTIZE: Requantize = Requantize { left: 0, shift: 33, zero: 7, low: -90, high: 120 };

/// A layer of a shape that bytes choose, with numbers that they are the seed of.
pub fn layers(bytes: &[u8]) {
    let mut choices = Choices::new(bytes);
    let conv = shape(&mut choices);
    let mut random = Random(choices.below(1 << 16) as u32 * 2 + 1);
    let layer = Layer::new(conv, &mut random);
    layer.check_floats(&mut random);
    let x_zero = random.below(256) as i32;
    layer.check_integers::<i8>(&mut random, x_zero - 128);
    layer.check_integers::<u8>(&mut random, x_zero);
}

fn shape(choices: &mut Choices) -> Conv {
    let (batch, backward) = (choices.upto(2), choices.below(2) == 1);
    let [mut size, mut output, mut kernel, mut strides, mut dilations, mut padding] = [[0; 2]; 6];
    for axis in 0..2 {
        (kernel[axis], strides[axis], dilations[axis]) = (choices.upto(5), choices.upto(3), choices.upto(3));
        let extent = (kernel[axis] - 1) * dilations[axis] + 1;
        (size[axis], padding[axis]) = (extent + choices.below(6), choices.below(extent));
        output[axis] = (size[axis] + 2 * padding[axis] - extent) / strides[axis] + 1;
    }
    let (groups, inputs, outputs) = match choices.below(3) {
        0 => (1, choices.upto(20), choices.upto(20)),
        1 => (choices.upto(4), choices.upto(6), choices.upto(10)),
        _ => (choices.upto(24), 1, 1),
    };
    let channels = [groups * inputs, groups * outputs];
    let [input, output] = [(size, channels[0]), (output, channels[1])].map(|([h, w], channels)| [h, w, channels]);
    Conv { input, output, kernel, strides, dilations, padding, groups, batch, planar: false, backward }
}

/// A convolution with its constants, in integers.
struct Layer {
    conv: Conv,
    weights: Vec<i8>,
    bias: Vec<i32>,
    multipliers: Vec<i32>,
}

impl Layer {
    fn new(conv: Conv, random: &mut Random) -> Self {
        let outputs = conv.output[2];
        let weights = outputs * conv.input[2] / conv.groups * conv.kernel[0] * conv.kernel[1];
        Self {
            conv,
            weights: (0..weights).map(|_| random.below(256) as u8 as i8).collect(),
            bias: (0..outputs).map(|_| random.below(20_000) as i32 - 10_000).collect(),
            multipliers: (0..outputs).map(|_| 10_000_000 + random.below(50_000_000) as i32).collect(),
        }
    }

    /// The convolution by groups of one channel, where it is that.
    fn depthwise(&self) -> Option<Depthwise> {
        let Conv { input, output, kernel, strides, dilations, padding, groups, batch, backward, .. } = self.conv;
        let is_depthwise = groups == input[2] && groups == output[2];
        is_depthwise.then_some(Depthwise { input, output, kernel, strides, dilations, padding, batch, backward })
    }

    /// The inputs under the window, in the order of the kernel: those of each output, with the weight of each.
    fn taps(&self, index: usize) -> impl Iterator<Item = (Option<usize>, usize)> {
        let Conv { input: [height, width, channels], output: [rows, columns, all], kernel, groups, .. } = self.conv;
        let (strides, dilations, padding) = (self.conv.strides, self.conv.dilations, self.conv.padding);
        let (pixel, output) = (index / all, index % all);
        let (image, oy, ox) = (pixel / columns / rows, pixel / columns % rows, pixel % columns);
        let (inputs, group) = (channels / groups, output / (all / groups));
        let tap = move |(ky, kx, input): (usize, usize, usize)| {
            let iy = (oy * strides[0] + ky * dilations[0]).wrapping_sub(padding[0]);
            let ix = (ox * strides[1] + kx * dilations[1]).wrapping_sub(padding[1]);
            let place = ((image * height + iy.min(height)) * width + ix.min(width)) * channels + group * inputs + input;
            let weight = ((output * inputs + input) * kernel[0] + ky) * kernel[1] + kx;
            ((iy < height && ix < width).then_some(place), weight)
        };
        let places = (0..kernel[0]).flat_map(move |ky| (0..kernel[1]).flat_map(move |kx| (0..inputs).map(move |i| (ky, kx, i))));
        places.map(tap)
    }

    fn lengths(&self) -> [usize; 2] {
        [self.conv.input, self.conv.output].map(|shape| self.conv.batch * shape.iter().product::<usize>())
    }

    fn check_floats(&self, random: &mut Random) {
        let conv = self.conv;
        let [inputs, outputs] = self.lengths();
        let mut numbers = |len| (0..len).map(|_| random.number()).collect::<Vec<f32>>();
        let (x, weights, bias) = (numbers(inputs), numbers(self.weights.len()), numbers(conv.output[2]));
        let sum = |index: usize| {
            let products = self.taps(index).filter_map(|(place, weight)| Some(x[place?] * weights[weight]));
            products.fold(bias[index % conv.output[2]], |sum, product| sum + product)
        };
        let expected: Vec<f32> = (0..outputs).map(sum).collect();
        let (cells, y) = (places(&x), places(&vec![0.0; outputs]));
        let packed: Vec<f32> = conv.pack_order().map(|index| weights[index]).collect();
        conv.run(&cells, &packed, &bias, &y, &places(&vec![0.0; conv.scratch()]), |sum| sum);
        assert_eq!(values(&y), expected, "{conv:?}");
        let Some(depthwise) = self.depthwise() else { return };
        let packed: Vec<f32> = depthwise.pack_order().map(|index| weights[index]).collect();
        depthwise.run(&cells, &packed, &bias, &y, |sum| sum);
        assert_eq!(values(&y), expected, "{depthwise:?}");
        self.check_pool(&x);
    }

    /// The maximum under each window, of a layer by groups of one channel.
    fn check_pool(&self, x: &[f32]) {
        let Conv { input, output, kernel, strides, dilations, padding, batch, backward, .. } = self.conv;
        let pool = Pool { input, output, kernel, strides, dilations, padding, padding_end: padding, batch, backward };
        let outputs = self.lengths()[1];
        let highest = |index| self.taps(index).filter_map(|(place, _)| Some(x[place?])).fold(f32::NEG_INFINITY, f32::max);
        let expected: Vec<f32> = (0..outputs).map(highest).collect();
        let y = places(&vec![0.0; outputs]);
        pool.run(Max, &places(x), &y, |x: f32| x);
        assert_eq!(values(&y), expected, "{pool:?}");
    }

    fn check_integers<T: Quantized + PartialEq + std::fmt::Debug>(&self, random: &mut Random, x_zero: i32) {
        let conv = self.conv;
        let [inputs, outputs] = self.lengths();
        let lowest = i32::from(T::saturate(i32::MIN).to_i16());
        let x: Vec<T> = (0..inputs).map(|_| T::saturate(lowest + random.below(256) as i32)).collect();
        let element = |index: usize| {
            let x = |place: Option<usize>| place.map_or(x_zero, |place| x[place].to_i16().into());
            let products = self.taps(index).map(|(place, weight)| i64::from(x(place)) * i64::from(self.weights[weight]));
            let channel = index % conv.output[2];
            let product = (i64::from(self.bias[channel]) + products.sum::<i64>()) * i64::from(self.multipliers[channel]);
            let scaled = (product + (1 << (REQUANTIZE.shift - 1))) >> REQUANTIZE.shift;
            T::saturate((scaled as i32 + REQUANTIZE.zero).clamp(REQUANTIZE.low, REQUANTIZE.high))
        };
        let expected: Vec<T> = (0..outputs).map(element).collect();
        let (cells, y) = (places(&x), places(&vec![T::ZERO; outputs]));
        let layer = || {
            let (weights, bias, multipliers) = (&self.weights[..], &self.bias[..], &self.multipliers[..]);
            model_kernels::Layer { weights, bias, multipliers, x_limit: 255 }
        };
        let packed: Vec<_> = conv.pack_quantized(layer(), Packing::NATIVE).collect();
        conv.quantized(&cells, &packed, &y, &places(&vec![0; conv.quantized_scratch()]), x_zero, REQUANTIZE);
        assert_eq!(values(&y), expected, "{conv:?}");
        let Some(depthwise) = self.depthwise() else { return };
        let packed: Vec<_> = depthwise.pack_quantized(layer()).collect();
        depthwise.quantized(&cells, &packed, &y, &places(&vec![0; depthwise.quantized_scratch()]), x_zero, REQUANTIZE);
        assert_eq!(values(&y), expected, "{depthwise:?}");
    }
}

fn places<T: Copy>(values: &[T]) -> Vec<Cell<T>> {
    values.iter().copied().map(Cell::new).collect()
}

fn values<T: Copy>(places: &[Cell<T>]) -> Vec<T> {
    places.iter().map(Cell::get).collect()
}

/// Numbers that are the same for the same seed, which is not zero.
struct Random(u32);

impl Random {
    fn next(&mut self) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 17;
        self.0 ^= self.0 << 5;
        self.0
    }

    fn below(&mut self, limit: u32) -> u32 {
        (self.next() >> 4) % limit
    }

    /// From -1 to 1, with a full mantissa.
    fn number(&mut self) -> f32 {
        self.next() as i32 as f32 / 2_147_483_648.0
    }
}
