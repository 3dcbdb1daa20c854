//! Says whether the target has Arm's DSP instructions, as stable Rust does not: `cfg(dsp)`. All of Armv7E-M do; in Armv8-M they are an
//! option, which `thumbv8m.main` does not take.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-check-cfg=cfg(dsp)");
    let target = std::env::var("TARGET").unwrap_or_default();
    if target.starts_with("thumbv7em-") {
        println!("cargo::rustc-cfg=dsp");
    }
}
