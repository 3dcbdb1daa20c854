//! Texts that are stored beside the tests and compared with what the compiler makes now.

use std::fs;
use std::path::{Path, PathBuf};

/// Compares `text` with the file `name` in the folder `tests`.
///
/// With `BLESS` set, as `cargo xtask bless` does, the file is written instead.
///
/// # Panics
/// When they differ.
pub fn check(name: &str, text: &str) {
    let path: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
    if std::env::var_os("BLESS").is_some() {
        fs::create_dir_all(path.parent().expect("a file lies in a folder")).expect("the folder can be made");
        fs::write(&path, text).expect("the file can be written");
    }
    // Git may have changed the ends of lines.
    let stored = fs::read_to_string(&path).unwrap_or_default().replace("\r\n", "\n");
    if stored != text {
        let line = stored.lines().zip(text.lines()).take_while(|(stored, now)| stored == now).count();
        let show = |text: &str| text.lines().nth(line).unwrap_or("the end").to_owned();
        panic!(
            "tests/{name} differs from line {} on; `cargo xtask bless` stores what is now\nstored: {}\n   now: {}\n\n{text}",
            line + 1,
            show(&stored),
            show(text)
        );
    }
}
