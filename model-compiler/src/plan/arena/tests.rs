//! Known graphs with their exact peaks, and small random ones against every placement there is.

use super::*;

/// The depthwise kernel of a keyword spotter, 5 × 64 floats a row: it reads up to one row and one pixel ahead.
const DEPTHWISE: Overlap = Overlap { forward: Some(1536), ..Overlap::NONE };

/// A pointwise or elementwise kernel, which works in place.
const IN_PLACE: Overlap = Overlap { forward: Some(0), backward: Some(0), in_place: false };

/// Buffers each of which is made from the one before, with the overlap that each step bears.
fn chain(sizes: &[usize], overlaps: &[Overlap]) -> (Vec<Buffer>, Vec<Touch>) {
    let last = overlaps.len() - 1;
    let buffer = |(index, bytes): (usize, &usize)| buffer(*bytes, index.saturating_sub(1), index.min(last));
    let buffers = sizes.iter().enumerate().map(buffer).collect();
    let touches = (overlaps.iter().enumerate())
        .map(|(index, overlap)| Touch {
            input: index,
            read: 0..sizes[index],
            output: index + 1,
            written: 0..sizes[index + 1],
            overlap: *overlap,
        })
        .collect();
    (buffers, touches)
}

fn buffer(bytes: usize, first: usize, last: usize) -> Buffer {
    Buffer { bytes, align: 4, first, last }
}

/// Places, checks, and compares the peak and whether each touch runs backwards.
#[track_caller]
fn expect(buffers: &[Buffer], touches: &[Touch], peak: usize, backward: &[bool]) {
    let placement = place(buffers, touches);
    assert_eq!(check(buffers, touches, &placement), Ok(()));
    assert_eq!(placement.peak, peak, "{placement:?}");
    assert_eq!(placement.backward, backward, "{placement:?}");
}

#[test]
fn depthwise_separable_chain_shifts_its_plane_down_and_up() {
    let overlaps = [DEPTHWISE, IN_PLACE].repeat(4);
    let (buffers, touches) = chain(&[32_000; 9], &overlaps);
    let mut backward = [false, true].repeat(4);
    backward[7] = false;
    assert_eq!(lower_bound(&buffers), 64_000);
    expect(&buffers, &touches, 33_536, &backward);
}

#[test]
fn forward_only_chain_drifts_by_each_distance() {
    let (buffers, touches) = chain(&[32_000; 9], &[DEPTHWISE; 8]);
    expect(&buffers, &touches, 32_000 + 8 * 1_536, &[false; 8]);
}

#[test]
fn widening_pointwise_runs_backwards_in_the_memory_of_its_output() {
    // 8 channels in, 16 out, 100 pixels: pixel p is read at 32 p and written at 64 p.
    let backward_only = Overlap { backward: Some(0), ..Overlap::NONE };
    let (buffers, touches) = chain(&[3_200, 6_400], &[backward_only]);
    assert_eq!(lower_bound(&buffers), 9_600);
    expect(&buffers, &touches, 6_400, &[true]);

    // Run forwards, pixel p may be written only where pixel p + 1 is not read yet.
    let forward_only = Overlap { forward: Some(3_168), ..Overlap::NONE };
    let (buffers, touches) = chain(&[3_200, 6_400], &[forward_only]);
    expect(&buffers, &touches, 6_400, &[false]);
}

#[test]
fn planes_in_place_need_one_plane() {
    // Plane by plane: right in place, and else only where the last plane is read before the first is written over it.
    let planes = Overlap { forward: Some(31_937), backward: Some(31_937), in_place: true };
    let (buffers, touches) = chain(&[32_000, 32_000, 8_000, 8_000], &[planes, planes, planes]);
    expect(&buffers, &touches, 32_000, &[false; 3]);
    let placement = place(&buffers, &touches);
    assert_eq!(placement.margins, [Margin::Exactly(0); 3]);

    // The second half of buffer 0 dies under buffer 1, which holds a byte more in front.
    let buffers = [buffer(200, 0, 0), buffer(104, 0, 1)];
    let touches =
        [Touch { input: 0, read: 100..200, output: 1, written: 4..104, overlap: Overlap { in_place: true, ..Overlap::NONE } }];
    expect(&buffers, &touches, 200, &[false]);
    assert_eq!(place(&buffers, &touches).margins, [Margin::Exactly(-96)]);
}

#[test]
fn residual_branch_adds_in_place() {
    // 0 → 1 → 2 → 3, and 4 = 3 + 1: buffer 1 lives beside the branch.
    let plane = 16_384;
    let buffers = [buffer(3_072, 0, 0), buffer(plane, 0, 3), buffer(plane, 1, 2), buffer(plane, 2, 3), buffer(plane, 3, 3)];
    let touch = |input: usize, output: usize, overlap| Touch {
        input,
        read: 0..buffers[input].bytes,
        output,
        written: 0..buffers[output].bytes,
        overlap,
    };
    let convolution = Overlap { forward: Some(1_088), backward: Some(1_088), in_place: false };
    let touches = [touch(1, 2, convolution), touch(2, 3, convolution), touch(1, 4, IN_PLACE), touch(3, 4, IN_PLACE)];
    let placement = place(&buffers, &touches);
    assert_eq!(check(&buffers, &touches, &placement), Ok(()));
    assert_eq!(lower_bound(&buffers), 3 * plane);
    assert_eq!(placement.peak, 2 * plane + 1_088);
}

#[test]
fn touch_has_no_effect_where_the_input_lives_on() {
    let forward_only = Overlap { forward: Some(0), ..Overlap::NONE };
    let (mut buffers, touches) = chain(&[400, 400, 40], &[forward_only, Overlap::NONE]);
    expect(&buffers, &touches, 440, &[false, false]);
    buffers[0].last = 1;
    expect(&buffers, &touches, 840, &[false, false]);
}

#[test]
fn output_may_lie_over_a_dead_part_of_the_input_buffer() {
    // A split: step 0 reads the first half of buffer 0, step 1 the second half, and neither bears an overlap.
    let buffers = [buffer(200, 0, 1), buffer(20, 0, 2), buffer(100, 1, 2)];
    let touches = [Touch { input: 0, read: 100..200, output: 2, written: 0..100, overlap: Overlap::NONE }];
    expect(&buffers, &touches, 220, &[false]);
    // The values are apart: the output ends where the second half begins.
    assert_eq!(place(&buffers, &touches).margins, [Margin::Before(0)]);
}

#[test]
fn check_sees_each_kind_of_fault() {
    let (buffers, touches) = chain(&[400, 400], &[Overlap { forward: Some(8), ..Overlap::NONE }]);
    let check_at = |input: usize, output: usize, peak: usize, backward: bool| {
        let placement = Placement { offsets: vec![input, output], peak, backward: vec![backward], margins: vec![] };
        check(&buffers, &touches, &placement)
    };
    assert_eq!(check_at(8, 0, 408, false), Ok(()));
    assert_eq!(check_at(400, 0, 800, false), Ok(()));
    for (input, output, peak, backward) in
        [(4, 0, 404, false), (8, 0, 408, true), (8, 0, 404, false), (10, 0, 410, false), (0, 8, 408, true)]
    {
        assert!(check_at(input, output, peak, backward).is_err(), "{input} {output}");
    }
    let (buffers, touches) = chain(&[400, 400], &[Overlap { in_place: true, ..Overlap::NONE }]);
    for (output, backward, right) in [(8, false, true), (8, true, false), (4, false, false), (12, false, false)] {
        let placement = Placement { offsets: vec![8, output], peak: 412, backward: vec![backward], margins: vec![] };
        assert_eq!(check(&buffers, &touches, &placement).is_ok(), right, "{output}");
    }
    let apart = [buffer(8, 0, 1), buffer(8, 0, 1)];
    let placement = Placement { offsets: vec![0, 4], peak: 12, backward: vec![], margins: vec![] };
    assert!(check(&apart, &[], &placement).is_err());
}

#[test]
fn small_random_graphs_meet_the_smallest_placement() {
    for seed in 0..150 {
        let random = &mut search::Random::new(seed);
        let buffers: Vec<Buffer> = (0..4)
            .map(|index| Buffer {
                bytes: 1 + random.below(3),
                align: 1 + random.below(2),
                first: index / 2,
                last: index / 2 + random.below(3),
            })
            .collect();
        let distance = |random: &mut search::Random| random.below(3).checked_sub(1).map(|d| d as isize);
        let touches: Vec<Touch> = (0..3)
            .map(|_| {
                let (input, output) = (random.below(4), random.below(4));
                Touch {
                    input,
                    read: 0..buffers[input].bytes,
                    output,
                    written: 0..buffers[output].bytes,
                    overlap: Overlap { forward: distance(random), backward: distance(random), in_place: random.below(2) == 0 },
                }
            })
            .collect();
        let placement = place(&buffers, &touches);
        assert_eq!(check(&buffers, &touches, &placement), Ok(()), "seed {seed}");
        assert!(rules::bound(&buffers, &touches) <= placement.peak, "seed {seed}");
        assert!(
            !fits(&buffers, &touches, placement.peak - 1),
            "seed {seed}: {} bytes would do instead of {}",
            placement.peak - 1,
            placement.peak
        );
    }
}

/// Tries every offset of every buffer and every direction of every touch.
fn fits(buffers: &[Buffer], touches: &[Touch], peak: usize) -> bool {
    let choices = (peak + 1).pow(buffers.len() as u32);
    (0..choices).any(|choice| {
        let offset = |index: usize| choice / (peak + 1).pow(index as u32) % (peak + 1);
        let offsets: Vec<usize> = (0..buffers.len()).map(offset).collect();
        let inside = |index: usize| offsets[index] + buffers[index].bytes <= peak;
        (0..buffers.len()).all(inside)
            && (0..1 << touches.len()).any(|bits: usize| {
                let placement = Placement {
                    offsets: offsets.clone(),
                    peak,
                    backward: (0..touches.len()).map(|index| bits >> index & 1 == 1).collect(),
                    margins: Vec::new(),
                };
                check(buffers, touches, &placement).is_ok()
            })
    })
}
