//! `DFT`, `STFT`: <https://onnx.ai/onnx/operators/onnx__DFT.html>

use core::cell::Cell;

use crate::float::Float;
use crate::load::Load;

/// `Y[k] = Σⱼ x[j] · window[j] · exp(∓2πi · jk / size)` along an axis, of one stretch of it or of many that begin `step` apart.
///
/// Where the size is a power of two, by halves (a fast Fourier transform in scratch); else by the sum as it stands, j ascending. The
/// inverse has the other sign and divides by the size. Elements are one number or two, the real and the imaginary part.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fourier {
    /// The product of the dimensions before the axis.
    pub outer: usize,
    /// The size of the axis in the input.
    pub len: usize,
    /// The product of the dimensions behind the axis, the parts of an element aside.
    pub inner: usize,
    /// How many stretches are transformed.
    pub frames: usize,
    /// How far one begins behind the other.
    pub step: usize,
    /// How many elements a stretch has; those beyond the input are zero.
    pub size: usize,
    /// How many elements of the result are wanted.
    pub outputs: usize,
    /// Parts of an element of the input and of the output: 1 or 2.
    pub parts: [usize; 2],
    /// Whether the inverse is computed.
    pub inverse: bool,
    /// Whether the input is the first half of a symmetric spectrum.
    pub mirrored: bool,
}

/// A complex number.
type Complex<T> = (T, T);

/// The element of `x` at a place, zero beyond it.
#[inline(always)]
fn at<X: Load<Value: Float>>(x: &[X], place: usize) -> X::Value {
    x.get(place).map_or(<X::Value as crate::number::Number>::ZERO, Load::load)
}

#[inline(always)]
fn set<T>(y: &[Cell<T>], place: usize, value: T) {
    if let Some(y) = y.get(place) {
        y.set(value);
    }
}

impl Fourier {
    /// Elements of scratch: a stretch of complex numbers where it is transformed by halves.
    pub fn scratch(self) -> usize {
        if self.size.is_power_of_two() { 2 * self.size } else { 0 }
    }

    /// Multiply-accumulates, as for real numbers.
    pub fn macs(self) -> u64 {
        let lanes = self.outer * self.inner * self.frames;
        let each = match self.size.is_power_of_two() {
            true => 2 * self.size * self.size.trailing_zeros() as usize,
            false => 2 * self.parts[0] * self.size * self.outputs,
        };
        (lanes * each) as u64
    }

    /// Transforms `x` to `y`. `turns` has cosine and sine of `2πk / size` for each k; an empty window is one of ones.
    #[inline(always)]
    pub fn run<X, W, U, T>(self, x: &[X], window: &[W], turns: &[U], y: &[Cell<T>], scratch: &[Cell<T>])
    where
        X: Load<Value = T>,
        W: Load<Value = T>,
        U: Load<Value = T>,
        T: Float,
    {
        for outer in 0..self.outer {
            for frame in 0..self.frames {
                for inner in 0..self.inner {
                    let element = |j: usize| self.element(x, window, [outer, frame, inner], j);
                    if self.size.is_power_of_two() {
                        self.by_halves(element, turns, scratch);
                    }
                    for k in 0..self.outputs {
                        let sum = match self.size.is_power_of_two() {
                            true => (at(scratch, 2 * k), at(scratch, 2 * k + 1)),
                            false => self.sum(element, turns, k),
                        };
                        let place = (((outer * self.frames + frame) * self.outputs + k) * self.inner + inner) * self.parts[1];
                        let scale = |part: T| if self.inverse { part / T::from_usize(self.size) } else { part };
                        set(y, place, scale(sum.0));
                        if self.parts[1] == 2 {
                            set(y, place + 1, scale(sum.1));
                        }
                    }
                }
            }
        }
    }

    /// Element `j` of a stretch.
    #[inline(always)]
    fn element<X, W, T>(self, x: &[X], window: &[W], [outer, frame, inner]: [usize; 3], j: usize) -> Complex<T>
    where
        X: Load<Value = T>,
        W: Load<Value = T>,
        T: Float,
    {
        // What lies behind the first half is its mirror image, of the other sign below the real axis.
        let (j, is_mirrored) = match self.mirrored && j > self.size / 2 {
            true => (self.size - j, true),
            false => (j, false),
        };
        let index = frame * self.step + j;
        if index >= self.len {
            return (T::ZERO, T::ZERO);
        }
        let place = ((outer * self.len + index) * self.inner + inner) * self.parts[0];
        let re = at(x, place);
        let im = if self.parts[0] == 2 { at(x, place + 1) } else { T::ZERO };
        let im = if is_mirrored { -im } else { im };
        match window.get(j) {
            Some(weight) => (re * weight.load(), im * weight.load()),
            None => (re, im),
        }
    }

    /// exp(∓2πi · k / size)
    #[inline(always)]
    fn turn<U: Load<Value = T>, T: Float>(self, turns: &[U], k: usize) -> Complex<T> {
        let (cos, sin) = (at(turns, 2 * k), at(turns, 2 * k + 1));
        (cos, if self.inverse { sin } else { -sin })
    }

    /// Output `k` as a sum.
    #[inline(always)]
    fn sum<U: Load<Value = T>, T: Float>(self, element: impl Fn(usize) -> Complex<T>, turns: &[U], k: usize) -> Complex<T> {
        let (mut sum, mut turned) = ((T::ZERO, T::ZERO), 0);
        for j in 0..self.size {
            let product = multiplied(element(j), self.turn(turns, turned));
            sum = (sum.0 + product.0, sum.1 + product.1);
            turned += k;
            if turned >= self.size {
                turned -= self.size;
            }
        }
        sum
    }

    /// All outputs, in `z`: the elements in bit-reversed order, then joined pair by pair.
    #[inline(always)]
    fn by_halves<U: Load<Value = T>, T: Float>(self, element: impl Fn(usize) -> Complex<T>, turns: &[U], z: &[Cell<T>]) {
        let bits = self.size.trailing_zeros();
        for j in 0..self.size {
            let place = j.reverse_bits().checked_shr(usize::BITS - bits).unwrap_or(0);
            let (re, im) = element(j);
            set(z, 2 * place, re);
            set(z, 2 * place + 1, im);
        }
        for bit in 0..bits {
            let half = 1 << bit;
            for pair in 0..self.size / 2 {
                // The place within a block, and the block's beginning.
                let within = pair & (half - 1);
                let first = 2 * (2 * (pair - within) + within);
                let second = first + 2 * half;
                let turned = within << (bits - 1 - bit);
                let (a, b) = ((at(z, first), at(z, first + 1)), (at(z, second), at(z, second + 1)));
                let b = multiplied(b, self.turn(turns, turned));
                set(z, first, a.0 + b.0);
                set(z, first + 1, a.1 + b.1);
                set(z, second, a.0 - b.0);
                set(z, second + 1, a.1 - b.1);
            }
        }
    }
}

#[inline(always)]
fn multiplied<T: Float>(a: Complex<T>, b: Complex<T>) -> Complex<T> {
    (a.0 * b.0 - a.1 * b.1, a.0 * b.1 + a.1 * b.0)
}

#[cfg(test)]
mod tests {
    use std::f64::consts::TAU;
    use std::vec::Vec;

    use super::*;
    use crate::testing::numbers;

    fn turns(size: usize) -> Vec<f64> {
        (0..size).flat_map(|k| [(TAU * k as f64 / size as f64).cos(), (TAU * k as f64 / size as f64).sin()]).collect()
    }

    fn run(kernel: Fourier, x: &[f64], window: &[f64]) -> Vec<f64> {
        let len = kernel.outer * kernel.frames * kernel.outputs * kernel.inner * kernel.parts[1];
        let y: Vec<Cell<f64>> = (0..len).map(|_| Cell::new(9.0)).collect();
        let scratch: Vec<Cell<f64>> = (0..kernel.scratch()).map(|_| Cell::new(9.0)).collect();
        kernel.run(x, window, &turns(kernel.size), &y, &scratch);
        y.iter().map(Cell::get).collect()
    }

    const PLAIN: Fourier = Fourier {
        outer: 1,
        len: 8,
        inner: 1,
        frames: 1,
        step: 0,
        size: 8,
        outputs: 8,
        parts: [1, 2],
        inverse: false,
        mirrored: false,
    };

    fn close(found: &[f64], expected: &[f64]) {
        assert_eq!(found.len(), expected.len());
        assert!(found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-9), "{found:?}, not {expected:?}");
    }

    #[test]
    fn halves_are_the_sum_as_it_stands() {
        for size in [1, 2, 4, 6, 8, 16] {
            let x: Vec<f64> = numbers(2 * size, 1).into_iter().map(f64::from).collect();
            for inverse in [false, true] {
                let kernel = Fourier { len: size, size, outputs: size, parts: [2, 2], inverse, ..PLAIN };
                let turns = turns(size);
                let element = |j: usize| (x[2 * j], x[2 * j + 1]);
                let scale = if inverse { size as f64 } else { 1.0 };
                let sums = (0..size).map(|k| kernel.sum(element, &turns, k));
                let expected: Vec<f64> = sums.flat_map(|(re, im)| [re / scale, im / scale]).collect();
                close(&run(kernel, &x, &[]), &expected);
            }
        }
    }

    #[test]
    fn a_wave_is_one_line_of_the_spectrum() {
        for size in [6, 8] {
            let wave: Vec<f64> = (0..size).map(|j| (TAU * j as f64 / size as f64).cos()).collect();
            let found = run(Fourier { len: size, size, outputs: 3, ..PLAIN }, &wave, &[]);
            close(&found, &[0.0, 0.0, size as f64 / 2.0, 0.0, 0.0, 0.0]);
        }
    }

    #[test]
    fn the_inverse_of_half_a_spectrum_is_the_signal() {
        for size in [5, 6, 8] {
            let x: Vec<f64> = numbers(size, 4).into_iter().map(f64::from).collect();
            let half = run(Fourier { len: size, size, outputs: size / 2 + 1, ..PLAIN }, &x, &[]);
            let back = Fourier { len: size / 2 + 1, size, outputs: size, parts: [2, 1], inverse: true, mirrored: true, ..PLAIN };
            close(&run(back, &half, &[]), &x);
        }
    }

    #[test]
    fn stretches_windows_and_other_axes() {
        let x: Vec<f64> = (1u8..=8).map(f64::from).collect();
        // The sum of each stretch is its first output.
        let sums = Fourier { frames: 3, step: 2, size: 4, outputs: 1, ..PLAIN };
        close(&run(sums, &x, &[]), &[10.0, 0.0, 18.0, 0.0, 26.0, 0.0]);
        close(&run(sums, &x, &[1.0, 0.0, 0.0, 1.0]), &[5.0, 0.0, 9.0, 0.0, 13.0, 0.0]);
        let columns = Fourier { len: 4, inner: 2, size: 4, outputs: 1, ..PLAIN };
        close(&run(columns, &x, &[]), &[16.0, 0.0, 20.0, 0.0]);
        let longer = Fourier { size: 16, outputs: 1, ..PLAIN };
        close(&run(longer, &x, &[]), &[36.0, 0.0]);
    }
}
