//! How the quantized [`Depthwise`] takes a channel's plane apart into lines, so that it can work in place in little memory.

use core::cell::Cell;

use crate::Depthwise;
use crate::rounding::{multiple_up, quotient_up};

/// A channel's plane as lines along one of its sides. All pairs are of lines, and of elements of a line.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Lines {
    pub(crate) input: [usize; 2],
    pub(crate) output: [usize; 2],
    pub(crate) kernel: [usize; 2],
    pub(crate) strides: [usize; 2],
    pub(crate) dilations: [usize; 2],
    pub(crate) padding: [usize; 2],
    /// From one line, and from one element of a line, to the next in `x`.
    pub(crate) x_steps: [usize; 2],
    /// The same in `y`.
    pub(crate) y_steps: [usize; 2],
    /// Whether the lines are the plane's columns.
    pub(crate) turned: bool,
}

/// Outputs of a line that are computed at once where that is fastest.
pub(crate) const OUTPUTS: usize = 4;

impl Lines {
    /// The lines of `depthwise`: rows or columns, whichever are longer, of outputs or else of weights, unless only the shorter ones
    /// work in place.
    pub(crate) const fn of(depthwise: Depthwise) -> Self {
        let Depthwise { output, kernel, .. } = depthwise;
        let (rows, columns) = (Self::rows(depthwise), Self::rows(depthwise).turn());
        let prefer_columns = output[0] > output[1] || output[0] == output[1] && kernel[0] > kernel[1];
        let (first, second) = if prefer_columns { (columns, rows) } else { (rows, columns) };
        if second.work_in_place() && !first.work_in_place() { second } else { first }
    }

    const fn rows(depthwise: Depthwise) -> Self {
        let Depthwise { input: [height, width, channels], output: [rows, columns, _], .. } = depthwise;
        let Depthwise { kernel, strides, dilations, padding, .. } = depthwise;
        let (input, output) = ([height, width], [rows, columns]);
        let (x_steps, y_steps) = ([width * channels, channels], [columns * channels, channels]);
        Self { input, output, kernel, strides, dilations, padding, x_steps, y_steps, turned: false }
    }

    const fn turn(self) -> Self {
        const fn swap([a, b]: [usize; 2]) -> [usize; 2] {
            [b, a]
        }
        Self {
            input: swap(self.input),
            output: swap(self.output),
            kernel: swap(self.kernel),
            strides: swap(self.strides),
            dilations: swap(self.dilations),
            padding: swap(self.padding),
            x_steps: swap(self.x_steps),
            y_steps: swap(self.y_steps),
            turned: !self.turned,
        }
    }

    /// Whether a plane of outputs may lie just over the plane of inputs: whatever lies under a line of outputs has been gathered
    /// before the line is written.
    ///
    /// Columns do where those of both planes lie over each other. Rows do where the first of outputs ends within what is gathered
    /// for it, as each further one needs at least as much more input as it is long.
    pub(crate) const fn work_in_place(self) -> bool {
        let gathered = self.span(0).saturating_sub(self.padding[0]);
        if self.turned {
            return self.y_steps[1] == self.x_steps[1] && gathered > 0;
        }
        self.output[1] <= self.strides[0] * self.input[1] && self.output[1] <= gathered * self.input[1]
    }

    /// Whether the bias of a channel lies in the bytes that its weights leave, which are three: one each of three lines, or those of the
    /// last quad of a single line. With elements of one byte, no bias of so few weights has more than 24 bits.
    pub(crate) const fn hides_bias(self, x_size: usize) -> bool {
        let [lines, taps] = self.kernel;
        x_size == 1 && ((lines == 3 && taps == 3) || (lines == 1 && taps % 4 == 1 && taps > 1 && taps <= 64))
    }

    /// How many quads the constants of a channel have.
    pub(crate) const fn quads(self, x_size: usize) -> usize {
        1 + !self.hides_bias(x_size) as usize + self.kernel[0] * quotient_up::<4>(self.kernel[1])
    }

    /// How many lines of the padded input (`axis` 0), or elements of one (1), lie under an output.
    pub(crate) const fn span(self, axis: usize) -> usize {
        self.kernel[axis].saturating_sub(1) * self.dilations[axis] + 1
    }

    /// The elements of a padded line of the input.
    pub(crate) const fn padded(self) -> usize {
        self.output[1].saturating_sub(1) * self.strides[1] + self.span(1)
    }

    /// From one line to the next in the ring of gathered lines: an even number, as elements are loaded in pairs.
    pub(crate) const fn pitch(self) -> usize {
        multiple_up::<2>(self.padded())
    }

    /// The elements of scratch: the ring of gathered lines, and what the fastest form may read behind it, as it takes outputs and
    /// taps by fours; and one by which the ring is moved to the start of a word.
    pub(crate) const fn scratch(self) -> usize {
        let (outputs, taps) = (multiple_up::<OUTPUTS>(self.output[1]), multiple_up::<4>(self.kernel[1]));
        let last = outputs.saturating_sub(1) * self.strides[1] + taps.saturating_sub(1) * self.dilations[1] + 1;
        (self.span(0) - 1) * self.pitch() + multiple_up::<2>(last) + 1
    }
}

/// The lines of one padded plane that are under way, of elements `T`: a new one takes the place of the oldest.
#[derive(Clone, Copy)]
pub(crate) struct Ring<'a, T> {
    lines: Lines,
    places: &'a [Cell<T>],
    /// The slot of the first line under the current line of outputs.
    first: usize,
    /// The number of the line that is gathered next, and its slot.
    next: (usize, usize),
}

impl<'a, T: Copy> Ring<'a, T> {
    /// No lines yet, and the first line of outputs.
    pub(crate) fn new(lines: Lines, places: &'a [Cell<T>]) -> Self {
        Self { lines, places, first: 0, next: (0, 0) }
    }

    /// The line under tap `tap` of the kernel, from one line to the next.
    #[inline(always)]
    pub(crate) fn under(self, tap: usize) -> &'a [Cell<T>] {
        self.slot(self.wrapped(self.first + tap * self.lines.dilations[0]))
    }

    /// Gathers the lines under line `output` of the outputs that are not there yet: calls `gather` with the place for each and
    /// its number in the input, unless it is padding.
    #[inline(always)]
    pub(crate) fn fill(&mut self, output: usize, gather: impl Fn(Option<usize>, &[Cell<T>])) {
        let Lines { strides, padding, input, .. } = self.lines;
        while self.next.0 < output * strides[0] + self.lines.span(0) {
            let (line, slot) = self.next;
            let line = line.checked_sub(padding[0]).filter(|line| *line < input[0]);
            gather(line, self.slot(slot));
            self.next = (self.next.0 + 1, self.wrapped(slot + 1));
        }
    }

    /// Goes to the next line of outputs.
    #[inline(always)]
    pub(crate) fn advance(&mut self) {
        for _ in 0..self.lines.strides[0] {
            self.first = self.wrapped(self.first + 1);
        }
    }

    /// `slot` where it is less than twice the size of the ring.
    #[inline(always)]
    fn wrapped(self, slot: usize) -> usize {
        let size = self.lines.span(0);
        if slot < size { slot } else { slot - size }
    }

    #[inline(always)]
    fn slot(self, slot: usize) -> &'a [Cell<T>] {
        let start = slot * self.lines.pitch();
        self.places.get(start..start + self.lines.padded()).unwrap_or_default()
    }
}
