//! Every target on its kept inputs, and on changes of them that are the same each time: no panic, and an answer within 5 s.

use std::fs;
use std::panic::catch_unwind;
use std::path::Path;
use std::time::Duration;

use model_fuzz::TARGETS;
use model_tests::clock::processor_time;
use model_tests::models;

/// How many changed inputs a target is given.
const CHANGED: usize = 2_000;

/// Of the tests' models only those are changed that are quick to compile, in bytes.
const LARGEST: usize = 3_000;

/// For one input.
const LONGEST: Duration = Duration::from_secs(5);

#[test]
fn targets_hold_on_kept_inputs_and_changes_of_them() {
    for (name, target) in TARGETS {
        let kept = corpus(name);
        assert!(!kept.is_empty(), "`fuzz/corpus/{name}` is empty");
        let mut random = Random(0x2545_f491_4f6c_dd1d);
        let changed = (0..CHANGED).map(|_| {
            let [one, other] = [0; 2].map(|_| &kept[random.below(kept.len())]);
            random.changed(one, other)
        });
        for input in kept.iter().cloned().chain(changed) {
            let start = processor_time();
            let outcome = catch_unwind(|| target(&input));
            let took = processor_time() - start;
            if outcome.is_err() || took > LONGEST {
                let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}.input"));
                fs::write(&path, &input).expect("the target directory can be written");
                panic!("`{name}` fails on {}, or took long: {} s", path.display(), took.as_secs_f64());
            }
        }
    }
}

/// The inputs that are kept for a target, in the order of their names; to those of whole files come the models of the tests.
fn corpus(name: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(name);
    let entries = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut paths: Vec<_> = entries.map(|entry| entry.expect("a folder can be read").path()).collect();
    paths.sort();
    let kept = paths.iter().map(|path| fs::read(path).expect("a kept input can be read"));
    let files = models::stored().into_iter().filter(|_| ["decode", "compile"].contains(&name)).map(|file| file.bytes);
    kept.chain(files.filter(|bytes| bytes.len() < LARGEST)).collect()
}

/// Numbers that are the same each time.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 16) as usize % limit
    }

    /// `input` with one to four bytes changed, removed or put in, or with an end of `other`.
    fn changed(&mut self, input: &[u8], other: &[u8]) -> Vec<u8> {
        let mut bytes = input.to_vec();
        for _ in 0..=self.below(4) {
            let place = self.below(bytes.len() + 1);
            match self.below(5) {
                0 => bytes.insert(place, self.below(256) as u8),
                1 if place < bytes.len() => drop(bytes.remove(place)),
                2 if place < bytes.len() => bytes[place] ^= 1 << self.below(8),
                3 if place < bytes.len() => bytes[place] = self.below(256) as u8,
                4 => {
                    bytes.truncate(place);
                    bytes.extend_from_slice(&other[self.below(other.len() + 1)..]);
                }
                _ => {}
            }
        }
        bytes
    }
}
