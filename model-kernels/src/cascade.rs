//! Steps that run row by row, one behind another, so that of the values between them only a few rows are kept.

/// How the rows of a stage's output depend on those of its input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rows {
    /// Rows of the input.
    pub input: usize,
    /// Rows of the output.
    pub output: usize,
    /// Rows under one row of the output, gaps included.
    pub extent: usize,
    /// Rows from one row of the output to the next.
    pub stride: usize,
    /// Rows of padding above the input.
    pub padding: usize,
}

/// A row of a stage's output and the rows of its input under it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Band {
    /// The row of the output.
    pub row: usize,
    /// How many rows of padding lie above the rows of the input.
    pub above: usize,
    /// The first row of the input.
    pub first: usize,
    /// How many rows of the input there are.
    pub rows: usize,
}

impl Rows {
    /// What lies under `row`.
    #[inline(always)]
    pub const fn band(self, row: usize) -> Band {
        let start = row * self.stride;
        let above = self.padding.saturating_sub(start);
        let first = start.saturating_sub(self.padding);
        let mut end = (start + self.extent).saturating_sub(self.padding);
        if end > self.input {
            end = self.input;
        }
        let above = if above > self.extent { self.extent } else { above };
        Band { row, above, first, rows: end.saturating_sub(first) }
    }

    /// Whether padding takes the place of some rows.
    pub fn is_clipped(self) -> bool {
        (0..self.output).any(|row| self.band(row).rows != self.extent)
    }
}

/// Runs stages, each on the rows of the one before, until the last has made all of its rows: always the last stage for whose next
/// row enough is there. So a stage never needs more of the rows before it than lie under one of its own, and those are the newest.
///
/// `run` gets the number of a stage and its band. `made` has a zero for each stage, and afterwards the rows that each has made.
#[inline(always)]
pub fn drive(stages: &[Rows], made: &mut [usize], mut run: impl FnMut(usize, Band)) {
    let total: usize = stages.iter().map(|stage| stage.output).sum();
    for _ in 0..total {
        let mut next = None;
        let mut before = usize::MAX;
        for (index, (stage, made)) in stages.iter().zip(&*made).enumerate() {
            let band = stage.band(*made);
            if *made < stage.output && band.first + band.rows <= before {
                next = Some((index, band));
            }
            before = *made;
        }
        let Some((index, band)) = next else { return };
        run(index, band);
        if let Some(made) = made.get_mut(index) {
            *made += 1;
        }
    }
}

/// As [`drive`], for as many stages as the compiler knows, and with a count of its own.
#[inline(always)]
pub fn cascade<const STAGES: usize>(stages: [Rows; STAGES], run: impl FnMut(usize, Band)) {
    drive(&stages, &mut [0; STAGES], run);
}

/// `len` elements of `x` from `first` on; none where there are not as many.
#[inline(always)]
pub fn part<X>(x: &[X], first: usize, len: usize) -> &[X] {
    x.get(first..first + len).unwrap_or_default()
}

/// The last `len` elements of `x`; none where there are not as many.
#[inline(always)]
pub fn last<X>(x: &[X], len: usize) -> &[X] {
    x.len().checked_sub(len).and_then(|first| x.get(first..)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec;
    use std::vec::Vec;

    /// Two kernels of three rows, the second of which takes every other row, and one of a single row.
    const STAGES: [Rows; 3] = [
        Rows { input: 7, output: 7, extent: 3, stride: 1, padding: 1 },
        Rows { input: 7, output: 4, extent: 3, stride: 2, padding: 1 },
        Rows { input: 4, output: 4, extent: 1, stride: 1, padding: 0 },
    ];

    #[test]
    fn every_row_is_made_once_and_in_time() {
        let mut made = vec![0; 3];
        let mut count = [0; 3];
        drive(&STAGES, &mut made, |stage, band| {
            assert_eq!(band.row, count[stage]);
            if stage > 0 {
                // The rows under a band are the newest of the stage before, and all of them are there.
                assert_eq!(band.first + band.rows, count[stage - 1], "stage {stage}, row {}", band.row);
            }
            count[stage] += 1;
        });
        assert_eq!(made, STAGES.map(|stage| stage.output));
    }

    #[test]
    fn bands_stop_at_the_edges() {
        let rows = STAGES[1];
        let bands: Vec<_> =
            (0..4).map(|row| rows.band(row)).map(|band| (band.above, band.first..band.first + band.rows)).collect();
        assert_eq!(bands, [(1, 0..2), (0, 1..4), (0, 3..6), (0, 5..7)]);
        assert!(rows.is_clipped() && !STAGES[2].is_clipped());
    }
}
