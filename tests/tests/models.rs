//! The stored models are what the code writes.

use model_tests::models;

/// With `BLESS` set, as `cargo xtask bless` does, the files are written instead.
#[test]
fn stored_models_are_what_the_code_writes() {
    let bless = std::env::var_os("BLESS").is_some();
    for stored in models::stored() {
        let path = stored.path();
        if bless {
            std::fs::create_dir_all(path.parent().expect("a file lies in a folder")).unwrap();
            std::fs::write(&path, &stored.bytes).unwrap();
        }
        let same = std::fs::read(&path).is_ok_and(|bytes| bytes == stored.bytes);
        assert!(same, "{} differs from what the code writes; `cargo xtask bless` stores it anew", path.display());
    }
}
