//! What the program shows: a row of the score's bar for each fifth of a second of a short recording, and one line that is
//! rewritten for a long one or a microphone; each detection on a line of its own.

use std::io::{self, IsTerminal, Write};
use wake::Score;
use wake::detector::THRESHOLD;
use wake::front_end::SAMPLE_RATE;

/// Longer recordings are not shown row by row.
const SHORT: u64 = 20 * SAMPLE_RATE as u64;
/// Scores to a row: 0.18 s.
const ROW: usize = 3;
const BAR: usize = 40;

enum Style {
    /// One row for every [`ROW`] scores.
    Rows,
    /// One line, rewritten in place.
    Line,
    /// Detections only: the output is a file or a pipe.
    Detections,
}

/// Shows scores as they come.
pub(crate) struct Display {
    style: Style,
    /// Samples in the whole recording, where it has an end.
    length: Option<u64>,
    scores: usize,
    highest: f32,
    detections: usize,
}

impl Display {
    pub(crate) fn new(length: Option<u64>) -> Display {
        let style = match length {
            Some(length) if length <= SHORT => Style::Rows,
            _ if io::stdout().is_terminal() => Style::Line,
            _ => Style::Detections,
        };
        Display { style, length, scores: 0, highest: 0.0, detections: 0 }
    }

    pub(crate) fn show(&mut self, score: Score) -> io::Result<()> {
        self.scores += 1;
        self.highest = self.highest.max(score.smoothed);
        if score.detected {
            self.detections += 1;
            self.clear_line()?;
            writeln!(io::stdout(), "{} marvin", seconds(score.end))?;
        }
        if !self.scores.is_multiple_of(ROW) {
            return Ok(());
        }
        match self.style {
            Style::Rows => writeln!(io::stdout(), "{} {}", seconds(score.end), bar(self.highest))?,
            Style::Line => {
                let mut out = io::stdout();
                write!(out, "\r{} {}{}", seconds(score.end), bar(self.highest), self.progress(score.end))?;
                out.flush()?;
            }
            Style::Detections => {}
        }
        self.highest = 0.0;
        Ok(())
    }

    pub(crate) fn finish(&mut self) -> io::Result<()> {
        self.clear_line()?;
        writeln!(io::stdout(), "  heard {}\n", times(self.detections))
    }

    fn progress(&self, end: u64) -> String {
        match self.length {
            Some(length) => format!(" {:3}% of {}", (100 * end / length.max(1)).min(100), seconds(length).trim_start()),
            None => String::new(),
        }
    }

    fn clear_line(&self) -> io::Result<()> {
        match self.style {
            Style::Line => write!(io::stdout(), "\r\x1b[K"),
            Style::Rows | Style::Detections => Ok(()),
        }
    }
}

fn seconds(samples: u64) -> String {
    format!("{:7.2} s", samples as f64 / SAMPLE_RATE as f64)
}

/// The score's bar, with a mark where a detection begins.
fn bar(score: f32) -> String {
    let column = |score: f32| (score.clamp(0.0, 1.0) * BAR as f32).round() as usize;
    let (full, threshold) = (column(score), column(THRESHOLD));
    let bar: String = (0..BAR)
        .map(|at| match at {
            _ if at < full => '#',
            _ if at == threshold => ':',
            _ => ' ',
        })
        .collect();
    format!("|{bar}| {score:.2}")
}

fn times(count: usize) -> String {
    match count {
        0 => "nothing".into(),
        1 => "marvin once".into(),
        _ => format!("marvin {count} times"),
    }
}
