//! What the kernels' tests share: numbers to compute with, and a check of overlap by brute force.

use core::cell::Cell;
use core::fmt::Debug;
use std::vec::Vec;

use crate::Overlap;

/// `len` numbers between -1 and 1 with full mantissas, the same for the same `seed`.
pub(crate) fn numbers(len: usize, seed: u32) -> Vec<f32> {
    let mut state = seed.wrapping_mul(2_654_435_761) | 1;
    let next = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state as i32 as f32 / 2_147_483_648.0
    };
    core::iter::repeat_with(next).take(len).collect()
}

/// `len` integers from `low` to `high`, the same for the same `seed`.
pub(crate) fn integers<T: TryFrom<i64, Error: Debug>>(len: usize, seed: u32, [low, high]: [i64; 2]) -> Vec<T> {
    let scaled = |number: f32| low + ((f64::from(number) + 1.0) / 2.0 * (high - low + 1) as f64) as i64;
    numbers(len, seed).into_iter().map(|number| T::try_from(scaled(number).min(high)).expect("the range is the type's")).collect()
}

/// Places of an arena that hold `values`.
pub(crate) fn cells<T: Copy>(values: &[T]) -> Vec<Cell<T>> {
    values.iter().copied().map(Cell::new).collect()
}

/// What the places hold.
pub(crate) fn values<T: Copy>(cells: &[Cell<T>]) -> Vec<T> {
    cells.iter().map(Cell::get).collect()
}

/// The elements of `source` that `order` names.
pub(crate) fn pack(source: &[f32], order: impl Iterator<Item = usize>) -> Vec<f32> {
    let packed: Vec<f32> = order.map(|index| source[index]).collect();
    assert_eq!(packed.len(), source.len());
    packed
}

/// Checks that `run(backward, x, y)` gives the same whether `y` is disjoint from `x` or lies over it at any distance that
/// `overlap` allows; and that with one element more it does not, unless the two are disjoint even then.
pub(crate) fn check_overlap(lengths: [usize; 2], overlap: Overlap, run: impl Fn(bool, &[Cell<f32>], &[Cell<f32>])) {
    check_overlap_of(numbers, lengths, overlap, run);
}

/// [`check_overlap`] of elements of any type, which `numbers` makes as [`numbers`] does.
pub(crate) fn check_overlap_of<T: Copy + PartialEq + Debug>(
    numbers: impl Fn(usize, u32) -> Vec<T>,
    [inputs, outputs]: [usize; 2],
    overlap: Overlap,
    run: impl Fn(bool, &[Cell<T>], &[Cell<T>]),
) {
    let x = numbers(inputs, 7);
    let expected = cells(&numbers(outputs, 8));
    run(false, &cells(&x), &expected);
    let expected = values(&expected);

    // Runs with `y` at `distance` elements from `x`.
    let run_at = |backward: bool, distance: isize| {
        let (x_start, y_start) = match usize::try_from(distance) {
            Ok(distance) => (0, distance),
            Err(_) => (distance.unsigned_abs(), 0),
        };
        let arena = cells(&numbers(x_start.max(y_start) + inputs.max(outputs), 9));
        for (cell, x) in arena[x_start..].iter().zip(&x) {
            cell.set(*x);
        }
        run(backward, &arena[x_start..][..inputs], &arena[y_start..][..outputs]);
        values(&arena[y_start..][..outputs])
    };
    let elements = |bytes: isize| bytes / size_of::<T>() as isize;
    if let Some(forward) = overlap.forward.map(elements) {
        for distance in -(outputs as isize)..=-forward {
            assert_eq!(run_at(false, distance), expected, "{overlap:?} forward at {distance}");
        }
        if -forward < inputs as isize {
            assert_ne!(run_at(false, -forward + 1), expected, "{overlap:?} forward is not the limit");
        }
    }
    if let Some(backward) = overlap.backward.map(elements) {
        for distance in backward..=inputs as isize {
            assert_eq!(run_at(true, distance), expected, "{overlap:?} backward at {distance}");
        }
        if -backward < outputs as isize {
            assert_ne!(run_at(true, backward - 1), expected, "{overlap:?} backward is not the limit");
        }
    }
}
