//! The wake word on a computer: listens to a WAV file, to raw samples on standard input, or to the bundled recordings.

mod display;
mod rate;

use display::Display;
use rate::Rate;
use std::error::Error;
use std::io::{self, Read, Write};
use std::path::Path;
use std::process::ExitCode;
use wake::front_end::SAMPLE_RATE;
use wake::{Score, Wake};

const USAGE: &str = "\
usage: wake [FILE.wav | -]
  without an argument  listen to the bundled recordings
  FILE.wav             listen to a recording: of any rate, with any number of channels
  -                    listen to raw 16 kHz 16-bit little-endian mono samples on standard input:
                       arecord -t raw -f S16_LE -r 16000 | cargo run --release -p wake -- -";

/// Each recording, after what is said in it.
const RECORDINGS: [(&str, &[u8]); 3] = [
    ("kitchen.wav: \"The water boils. Marvin, set a timer.\"", include_bytes!("../recordings/kitchen.wav")),
    ("question.wav: \"Hey Marvin, will it rain?\"", include_bytes!("../recordings/question.wav")),
    ("similar.wav: \"Martin has a marble garden.\"", include_bytes!("../recordings/similar.wav")),
];

/// Samples of silence before and after a recording.
const BEFORE: usize = SAMPLE_RATE;
const AFTER: usize = SAMPLE_RATE / 2;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        // Whoever reads the output, `head` perhaps, has seen enough.
        Err(error) if is_broken_pipe(error.as_ref()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn is_broken_pipe(error: &(dyn Error + 'static)) -> bool {
    error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

fn run() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args_os().skip(1);
    match (arguments.next(), arguments.next()) {
        (None, _) => {
            for (name, bytes) in RECORDINGS {
                listen(name, hound::WavReader::new(bytes)?)?;
            }
            Ok(())
        }
        (Some(argument), None) if argument == "-" => live(io::stdin().lock()),
        (Some(argument), None) if argument == "--help" || argument == "-h" => Ok(writeln!(io::stdout(), "{USAGE}")?),
        (Some(path), None) => {
            let name = Path::new(&path).display().to_string();
            let reader = hound::WavReader::open(&path).map_err(|error| unreadable(&name, &error))?;
            listen(&name, reader).map_err(|error| match error.downcast_ref::<hound::Error>() {
                Some(error) => unreadable(&name, error).into(),
                None => error,
            })
        }
        _ => Err(USAGE.into()),
    }
}

/// Listens to a recording from begin to end, with silence around it, as the word may fill the whole of a short one.
fn listen(name: &str, mut reader: hound::WavReader<impl Read>) -> Result<(), Box<dyn Error>> {
    let spec = reader.spec();
    let mut rate = Rate::from(spec.sample_rate)?;
    writeln!(io::stdout(), "{name}")?;
    let length = u64::from(reader.duration()) * SAMPLE_RATE as u64 / u64::from(spec.sample_rate.max(1));
    let channels = usize::from(spec.channels.max(1));
    let mut display = Display::new(Some(length));
    let mut wake = Box::new(Wake::new());
    let mut show = |mut score: Score| {
        score.end = score.end.saturating_sub(BEFORE as u64);
        display.show(score)
    };
    hear(&mut wake, &[0; BEFORE], &mut show)?;
    let mut samples = samples(&mut reader);
    loop {
        let frames = samples.by_ref().take(channels * rate::BLOCK).collect::<Result<Vec<f32>, _>>()?;
        if frames.is_empty() {
            break;
        }
        let mono: Vec<f32> = frames.chunks(channels).map(mix).collect();
        let mono: Vec<i16> = rate.convert(mono)?.into_iter().map(to_i16).collect();
        hear(&mut wake, &mono, &mut show)?;
    }
    hear(&mut wake, &[0; AFTER], &mut show)?;
    Ok(display.finish()?)
}

/// Shows the scores of some samples, up to the first that cannot be shown.
fn hear(wake: &mut Wake, samples: &[i16], mut show: impl FnMut(Score) -> io::Result<()>) -> io::Result<()> {
    let mut shown = Ok(());
    wake.push(samples, |score| {
        if shown.is_ok() {
            shown = show(score);
        }
    });
    shown
}

/// All channels' samples in turn, in -1..1, whatever the file stores.
fn samples<R: Read>(reader: &mut hound::WavReader<R>) -> Box<dyn Iterator<Item = hound::Result<f32>> + '_> {
    let spec = reader.spec();
    if spec.sample_format == hound::SampleFormat::Float {
        return Box::new(reader.samples::<f32>());
    }
    let full_scale = 2f32.powi(i32::from(spec.bits_per_sample) - 1);
    Box::new(reader.samples::<i32>().map(move |sample| sample.map(|sample| sample as f32 / full_scale)))
}

/// The mean of the channels.
fn mix(channels: &[f32]) -> f32 {
    channels.iter().sum::<f32>() / channels.len() as f32
}

fn to_i16(sample: f32) -> i16 {
    (sample * 32768.0).round() as i16
}

/// Why a file cannot be listened to, and what to do.
fn unreadable(name: &str, error: &hound::Error) -> String {
    match error {
        hound::Error::IoError(error) => format!("{name}: {error}"),
        _ => format!(
            "{name}: {error}; expected integers of 8 to 32 bits or floats of 32; to convert it:\n    \
             ffmpeg -i {name} -c:a pcm_s16le converted.wav"
        ),
    }
}

/// Listens until the input ends.
fn live(mut input: impl Read) -> Result<(), Box<dyn Error>> {
    let mut display = Display::new(None);
    let mut wake = Box::new(Wake::new());
    let mut bytes = [0; 4096];
    // A read may end in the middle of a sample.
    let mut kept = 0;
    loop {
        let read = input.read(&mut bytes[kept..])?;
        if read == 0 {
            break;
        }
        let (pairs, rest) = bytes[..kept + read].as_chunks::<2>();
        let samples: Vec<i16> = pairs.iter().map(|&pair| i16::from_le_bytes(pair)).collect();
        kept = rest.len();
        bytes[0] = rest.first().copied().unwrap_or(0);
        hear(&mut wake, &samples, |score| display.show(score))?;
    }
    Ok(display.finish()?)
}
