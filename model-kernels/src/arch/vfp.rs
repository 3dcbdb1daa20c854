//! Tiles of sums on Arm's scalar floating-point unit.
//!
//! Sums stay in registers, weights and inputs come by `vldmia`. `vmla` rounds the product and then the sum. Operands are pointers
//! and counts only, as stable Rust knows no floating-point operands of `asm!` on these targets; results go to memory.

use core::arch::asm;
use core::cell::Cell;

use crate::Load;
use crate::accumulate::Taps;
use crate::tile::chunk;

/// Where `N` biases lie, or as many zeros.
#[inline(always)]
fn address<B: Load<Value = f32>, const N: usize>(bias: Option<&[B]>) -> Option<*const f32> {
    static ZEROS: [f32; 16] = [0.0; 16];
    match bias {
        Some(bias) => Some(bias.first_chunk::<N>()?.as_ptr().cast()),
        None => Some(ZEROS.first_chunk::<N>()?.as_ptr()),
    }
}

/// `asm!` that may use all floating-point registers.
macro_rules! vfp {
    ($($operands:tt)*) => {
        asm!(
            $($operands)*
            out("s0") _, out("s1") _, out("s2") _, out("s3") _, out("s4") _, out("s5") _, out("s6") _, out("s7") _,
            out("s8") _, out("s9") _, out("s10") _, out("s11") _, out("s12") _, out("s13") _, out("s14") _, out("s15") _,
            out("s16") _, out("s17") _, out("s18") _, out("s19") _, out("s20") _, out("s21") _, out("s22") _, out("s23") _,
            out("s24") _, out("s25") _, out("s26") _, out("s27") _, out("s28") _, out("s29") _, out("s30") _, out("s31") _,
            options(nostack),
        )
    };
}

/// `multiply_add!("s0" "s1", "s8" "s9" * "s16")` is s0 += s8 · s16, s1 += s9 · s16.
macro_rules! multiply_add {
    ($($sum:literal)*, $($weight:literal)* * $input:literal) => {
        concat!($("vmla.f32 ", $sum, ", ", $weight, ", ", $input, "\n",)*)
    };
}

/// Eight weights times the inputs of two pixels.
macro_rules! two_by_eight {
    ($p:literal, $q:literal) => {
        concat!(
            "vldmia {weights}!, {{s16-s23}}\n",
            multiply_add!("s0" "s1" "s2" "s3" "s4" "s5" "s6" "s7", "s16" "s17" "s18" "s19" "s20" "s21" "s22" "s23" * $p),
            multiply_add!("s8" "s9" "s10" "s11" "s12" "s13" "s14" "s15", "s16" "s17" "s18" "s19" "s20" "s21" "s22" "s23" * $q),
        )
    };
}

/// `y[p · stride + o] = bias[o] + Σ inputs[k · 2 + p] · weights[k · 8 + o]` for two `p` and eight `o`, unless `y` is
/// too short.
#[inline(always)]
pub(crate) fn tile_2x8<X, W, B>(inputs: &[X], weights: &[W], bias: Option<&[B]>, y: &[Cell<f32>], stride: usize)
where
    X: Load<Value = f32>,
    W: Load<Value = f32>,
    B: Load<Value = f32>,
{
    let depth = (inputs.len() / 2).min(weights.len() / 8);
    let places = (chunk::<Cell<f32>, 8>(y, 0), chunk::<Cell<f32>, 8>(y, stride), address::<B, 8>(bias));
    let (Some(p), Some(q), Some(bias)) = places else { return };
    // SAFETY: a `Load` of f32 is an f32 in memory. There are 2 inputs and 8 weights for each of `depth`, 8 biases, and 8 places
    // for the sums of each pixel.
    unsafe { sum_2x8(inputs.as_ptr().cast(), weights.as_ptr().cast(), depth, bias, [p, q]) }
}

/// The sums of [`tile_2x8`], which are written to `y`. All layers share this one function.
///
/// # Safety
/// `2 · depth` inputs, `8 · depth` weights and eight biases can be read.
#[inline(never)]
unsafe fn sum_2x8(inputs: *const f32, weights: *const f32, depth: usize, bias: *const f32, [p, q]: [&[Cell<f32>; 8]; 2]) {
    // SAFETY: no more is read than the caller allows, and what is written are the elements of `p` and `q`.
    unsafe {
        vfp!(
            "vldmia {bias}, {{s0-s7}}",
            "vldmia {bias}, {{s8-s15}}",
            "lsrs {turns}, {depth}, #2",
            "beq 3f",
            "2:",
            "vldmia {inputs}!, {{s24-s31}}",
            two_by_eight!("s24", "s25"),
            two_by_eight!("s26", "s27"),
            two_by_eight!("s28", "s29"),
            two_by_eight!("s30", "s31"),
            "subs {turns}, {turns}, #1",
            "bne 2b",
            "3:",
            "ands {turns}, {depth}, #3",
            "beq 5f",
            "4:",
            "vldmia {inputs}!, {{s24-s25}}",
            two_by_eight!("s24", "s25"),
            "subs {turns}, {turns}, #1",
            "bne 4b",
            "5:",
            "vstmia {p}, {{s0-s7}}",
            "vstmia {q}, {{s8-s15}}",
            turns = out(reg) _,
            depth = in(reg) depth,
            inputs = inout(reg) inputs => _,
            weights = inout(reg) weights => _,
            bias = in(reg) bias,
            p = in(reg) p.as_ptr(),
            q = in(reg) q.as_ptr(),
        );
    }
}

/// Eight weights times the input of one pixel.
macro_rules! one_by_eight {
    ($input:literal, $($weight:literal)*) => {
        multiply_add!("s0" "s1" "s2" "s3" "s4" "s5" "s6" "s7", $($weight)* * $input)
    };
}

/// `y[o] = bias[o] + Σ inputs[k] · weights[k · 8 + o]` for eight `o`.
#[inline(always)]
pub(crate) fn tile_1x8<X, W, B>(inputs: &[X], weights: &[W], bias: Option<&[B]>, y: &[Cell<f32>])
where
    X: Load<Value = f32>,
    W: Load<Value = f32>,
    B: Load<Value = f32>,
{
    let depth = inputs.len().min(weights.len() / 8);
    let (Some(y), Some(bias)) = (chunk::<Cell<f32>, 8>(y, 0), address::<B, 8>(bias)) else { return };
    // SAFETY: a `Load` of f32 is an f32 in memory. There are an input and 8 weights for each of `depth`, and 8 biases.
    unsafe { sum_1x8(inputs.as_ptr().cast(), weights.as_ptr().cast(), depth, bias, y) }
}

/// The sums of [`tile_1x8`], which are written to `y`. All layers share this one function.
///
/// # Safety
/// `depth` inputs, `8 · depth` weights and eight biases can be read.
#[inline(never)]
unsafe fn sum_1x8(inputs: *const f32, weights: *const f32, depth: usize, bias: *const f32, y: &[Cell<f32>; 8]) {
    // SAFETY: no more is read than the caller allows, and what is written are the elements of `y`.
    unsafe {
        vfp!(
            "vldmia {bias}, {{s0-s7}}",
            "lsrs {turns}, {depth}, #2",
            "beq 3f",
            "2:",
            "vldmia {inputs}!, {{s24-s27}}",
            "vldmia {weights}!, {{s8-s23}}",
            one_by_eight!("s24", "s8" "s9" "s10" "s11" "s12" "s13" "s14" "s15"),
            one_by_eight!("s25", "s16" "s17" "s18" "s19" "s20" "s21" "s22" "s23"),
            "vldmia {weights}!, {{s8-s23}}",
            one_by_eight!("s26", "s8" "s9" "s10" "s11" "s12" "s13" "s14" "s15"),
            one_by_eight!("s27", "s16" "s17" "s18" "s19" "s20" "s21" "s22" "s23"),
            "subs {turns}, {turns}, #1",
            "bne 2b",
            "3:",
            "ands {turns}, {depth}, #3",
            "beq 5f",
            "4:",
            "vldmia {inputs}!, {{s24}}",
            "vldmia {weights}!, {{s8-s15}}",
            one_by_eight!("s24", "s8" "s9" "s10" "s11" "s12" "s13" "s14" "s15"),
            "subs {turns}, {turns}, #1",
            "bne 4b",
            "5:",
            "vstmia {y}, {{s0-s7}}",
            turns = out(reg) _,
            depth = in(reg) depth,
            inputs = inout(reg) inputs => _,
            weights = inout(reg) weights => _,
            bias = in(reg) bias,
            y = in(reg) y.as_ptr(),
        );
    }
}

/// `$body` for each of the taps, with sums of `$sums` between.
macro_rules! taps {
    ($taps:expr, $x:expr, $weights:expr, $bias:expr, $y:expr, $channels:literal, $sums:literal, [$($body:expr),*]) => {{
        let Taps { rows, columns, x_steps, weight_steps } = $taps;
        if $x.len() < $taps.span(x_steps, $channels) || $weights.len() < $taps.span(weight_steps, $channels) {
            return;
        }
        // What is left to go after a tap and after a row, in bytes.
        let after_tap = |steps: [usize; 2]| steps[1].wrapping_sub($channels).wrapping_mul(4);
        let after_row = |steps: [usize; 2]| steps[0].wrapping_sub(columns.wrapping_mul(steps[1])).wrapping_mul(4);
        // SAFETY: a `Load` of f32 is an f32 in memory. The last tap ends within `x` and `weights`, as was asked above, and no tap
        // lies before the first; there are `$channels` biases and elements of `y`. `Cell` allows the writing.
        unsafe {
            vfp!(
                concat!("vldmia {columns_left}, {{", $sums, "}}"),
                "cmp {rows}, #0",
                "it ne",
                "cmpne {columns}, #0",
                "beq 4f",
                "2:",
                "mov {columns_left}, {columns}",
                "3:",
                $($body,)*
                "add {x}, {x_tap}",
                "add {weights}, {weight_tap}",
                "subs {columns_left}, {columns_left}, #1",
                "bne 3b",
                "add {x}, {x_row}",
                "add {weights}, {weight_row}",
                "subs {rows}, {rows}, #1",
                "bne 2b",
                "4:",
                concat!("vstmia {y}, {{", $sums, "}}"),
                rows = inout(reg) rows => _,
                columns = in(reg) columns,
                // The bias's address, which is needed once, and then the number of columns left: registers are few.
                columns_left = inout(reg) $bias => _,
                x = inout(reg) $x.as_ptr() => _,
                weights = inout(reg) $weights.as_ptr() => _,
                x_row = in(reg) after_row(x_steps),
                x_tap = in(reg) after_tap(x_steps),
                weight_row = in(reg) after_row(weight_steps),
                weight_tap = in(reg) after_tap(weight_steps),
                y = in(reg) $y.as_ptr(),
            );
        }
    }};
}

/// Eight channels of `x` times their weights.
macro_rules! eight_channels {
    ($s0:literal $s1:literal $s2:literal $s3:literal $s4:literal $s5:literal $s6:literal $s7:literal) => {
        concat!(
            "vldmia {x}!, {{s16-s23}}\n",
            "vldmia {weights}!, {{s24-s31}}\n",
            concat!("vmla.f32 ", $s0, ", s24, s16\n", "vmla.f32 ", $s1, ", s25, s17\n"),
            concat!("vmla.f32 ", $s2, ", s26, s18\n", "vmla.f32 ", $s3, ", s27, s19\n"),
            concat!("vmla.f32 ", $s4, ", s28, s20\n", "vmla.f32 ", $s5, ", s29, s21\n"),
            concat!("vmla.f32 ", $s6, ", s30, s22\n", "vmla.f32 ", $s7, ", s31, s23\n"),
        )
    };
}

/// [`Accumulate::taps`](crate::Accumulate::taps) of sixteen channels.
#[inline(always)]
pub(crate) fn taps_16<X, W, B>(taps: Taps, x: &[X], weights: &[W], bias: Option<&[B]>, y: &[Cell<f32>])
where
    X: Load<Value = f32>,
    W: Load<Value = f32>,
    B: Load<Value = f32>,
{
    let (Some(y), Some(bias)) = (chunk::<Cell<f32>, 16>(y, 0), address::<B, 16>(bias)) else { return };
    taps!(
        taps,
        x,
        weights,
        bias,
        y,
        16,
        "s0-s15",
        [
            eight_channels!("s0" "s1" "s2" "s3" "s4" "s5" "s6" "s7"),
            eight_channels!("s8" "s9" "s10" "s11" "s12" "s13" "s14" "s15")
        ]
    );
}

/// [`Accumulate::taps`](crate::Accumulate::taps) of eight channels.
#[inline(always)]
pub(crate) fn taps_8<X, W, B>(taps: Taps, x: &[X], weights: &[W], bias: Option<&[B]>, y: &[Cell<f32>])
where
    X: Load<Value = f32>,
    W: Load<Value = f32>,
    B: Load<Value = f32>,
{
    let (Some(y), Some(bias)) = (chunk::<Cell<f32>, 8>(y, 0), address::<B, 8>(bias)) else { return };
    taps!(taps, x, weights, bias, y, 8, "s0-s7", [eight_channels!("s0" "s1" "s2" "s3" "s4" "s5" "s6" "s7")]);
}
