//! Says whether the target has Arm's DSP instructions, as stable Rust does not: `cfg(dsp)`.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-check-cfg=cfg(dsp)");
    let target = std::env::var("TARGET").unwrap_or_default();
    if ["thumbv7em-", "thumbv8m.main-"].iter().any(|family| target.starts_with(family)) {
        println!("cargo::rustc-cfg=dsp");
    }
}
