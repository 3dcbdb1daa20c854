//! Says what stable Rust does not: `cfg(dsp)`, whether the target has Arm's DSP instructions, and `cfg(thumbv6m)`, whether it is Armv6-M.
//! All of Armv7E-M have the DSP instructions; in Armv8-M they are an option, which `thumbv8m.main` does not take.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-check-cfg=cfg(dsp, thumbv6m)");
    let target = std::env::var("TARGET").unwrap_or_default();
    if target.starts_with("thumbv7em-") {
        println!("cargo::rustc-cfg=dsp");
    }
    if target.starts_with("thumbv6m-") {
        println!("cargo::rustc-cfg=thumbv6m");
    }
}
