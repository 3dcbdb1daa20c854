//! A user's own firmware, as it was linked: what it takes and whether it can panic, without running it.

use crate::firmware::{Options, budget, elf, model::grouped};
use anyhow::{Result, ensure};
use std::path::Path;

/// Whether the file at `path` is a linked program.
pub(crate) fn is_program(path: &Path) -> bool {
    std::fs::read(path).is_ok_and(|bytes| bytes.starts_with(b"\x7fELF"))
}

/// Prints what the program takes, and fails where it can panic or breaks a budget. Interrupts come on top of the stack that is printed.
pub(crate) fn inspect(options: &Options) -> Result<()> {
    let program = elf::read(&options.model)?;
    let stack = program.calls.bound(&[&options.function])?;
    let sizes = program.sizes;
    let row = |name: &str, bytes: u64| println!("  {name:12} {:>12}", grouped(bytes));
    row("code", sizes.code);
    row("constants", sizes.constants);
    row("static RAM", sizes.data + sizes.bss);
    row("stack", stack.bytes);
    for (function, bytes) in &stack.chain {
        println!("  {:12} {:>12}   {function}", "", grouped(*bytes));
    }
    ensure!(program.panics.is_empty(), "the firmware can panic, through {}", program.panics.join(", "));
    budget::hold("code", options.code, sizes.code, &program.functions)?;
    budget::hold("stack", options.stack, stack.bytes, &stack.chain)
}
