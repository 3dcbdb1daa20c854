//! Says in short what the kernels are written for: `cfg(dsp)` is a target with Arm's DSP instructions, `cfg(thumbv6m)` Armv6-M, neither of
//! which stable Rust tells, and `cfg(avx2)` x86-64 with AVX2. All of Armv7E-M have the DSP instructions; in Armv8-M they are an option,
//! which `thumbv8m.main` does not take.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-check-cfg=cfg(avx2, dsp, thumbv6m)");
    let target = std::env::var("TARGET").unwrap_or_default();
    if target.starts_with("thumbv7em-") {
        println!("cargo::rustc-cfg=dsp");
    }
    if target.starts_with("thumbv6m-") {
        println!("cargo::rustc-cfg=thumbv6m");
    }
    let says = |name, value| std::env::var(name).is_ok_and(|words: String| words.split(',').any(|word| word == value));
    if says("CARGO_CFG_TARGET_ARCH", "x86_64") && says("CARGO_CFG_TARGET_FEATURE", "avx2") {
        println!("cargo::rustc-cfg=avx2");
    }
}
