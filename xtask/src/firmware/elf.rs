//! Reads what only the linked program shows: the size of its sections and functions, and whether it can panic.

use anyhow::{Context, Result};
use object::elf::{SHF_ALLOC, SHF_EXECINSTR, SHF_WRITE};
use object::{Object, ObjectSection, ObjectSymbol, SectionFlags, SectionKind, SymbolKind};
use std::path::Path;

use crate::firmware::stack::Calls;

/// A linked firmware.
pub(crate) struct Program {
    pub(crate) sizes: Sizes,
    /// Functions of the standard library that panic; without them there is no way to the panic handler.
    pub(crate) panics: Vec<String>,
    /// The size of each function, by name.
    pub(crate) functions: Vec<(String, u64)>,
    /// Who calls whom, and what that takes of the stack.
    pub(crate) calls: Calls,
}

/// Bytes of each kind that the program takes on the chip.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Sizes {
    /// Executable sections: code, with the constants between its instructions.
    pub(crate) code: u64,
    /// Other sections that are only read.
    pub(crate) constants: u64,
    /// Variables with an initial value, in RAM and in flash.
    pub(crate) data: u64,
    /// Variables that begin as zero.
    pub(crate) bss: u64,
}

/// The instructions of a program, and where its functions lie.
pub(crate) struct Code {
    /// Sections by their addresses.
    sections: Vec<(u64, Vec<u8>)>,
    functions: Vec<(String, u64)>,
}

impl Code {
    /// Reads those of the program at `path`.
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let bytes = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
        let file = object::File::parse(&*bytes).with_context(|| format!("{} is no ELF file", path.display()))?;
        let sections = file.sections().filter(|section| section.kind() == SectionKind::Text);
        let sections: Result<_> = sections.map(|section| Ok((section.address(), section.data()?.to_vec()))).collect();
        let functions = file.symbols().filter(|symbol| symbol.kind() == SymbolKind::Text);
        // Arm marks code for Thumb by an odd address.
        let functions = functions.filter_map(|symbol| Some((demangled(symbol.name().ok()?), symbol.address() & !1)));
        Ok(Self { sections: sections?, functions: functions.collect() })
    }

    /// The `bytes` at `start`, without functions.
    #[cfg(test)]
    pub(crate) fn of(start: u64, bytes: Vec<u8>) -> Self {
        Self { sections: vec![(start, bytes)], functions: Vec::new() }
    }

    /// Where the function of this name begins, whatever its types are.
    pub(crate) fn address(&self, name: &str) -> Option<u64> {
        let plain = |other: &str| other.split("::<").next() == Some(name);
        self.functions.iter().find(|(other, _)| plain(other)).map(|&(_, address)| address)
    }

    /// The halfword at `address` and the one behind it, which is zero if there is none.
    pub(crate) fn halfwords(&self, address: u64) -> Option<[u16; 2]> {
        let halfword = |address: u64| {
            let holds = |(start, bytes): &&(u64, Vec<u8>)| (*start..*start + bytes.len() as u64).contains(&address);
            let (start, bytes) = self.sections.iter().find(holds)?;
            let at = (address - start) as usize;
            Some(u16::from_le_bytes([*bytes.get(at)?, *bytes.get(at + 1)?]))
        };
        Some([halfword(address)?, halfword(address + 2).unwrap_or(0)])
    }
}

/// Reads the program at `path`.
pub(crate) fn read(path: &Path) -> Result<Program> {
    let bytes = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    let file = object::File::parse(&*bytes).with_context(|| format!("{} is no ELF file", path.display()))?;
    Ok(Program { sizes: sizes(&file), panics: panics(&file), functions: functions(&file), calls: Calls::read(&file)? })
}

fn sizes(file: &object::File) -> Sizes {
    let mut sizes = Sizes::default();
    for section in file.sections() {
        let SectionFlags::Elf { sh_flags } = section.flags() else {
            continue;
        };
        let has = |flag: u32| sh_flags & u64::from(flag) != 0;
        let total = match section.kind() {
            _ if !has(SHF_ALLOC) => continue,
            _ if has(SHF_EXECINSTR) => &mut sizes.code,
            _ if !has(SHF_WRITE) => &mut sizes.constants,
            SectionKind::UninitializedData => &mut sizes.bss,
            _ => &mut sizes.data,
        };
        *total += section.size();
    }
    sizes
}

fn functions(file: &object::File) -> Vec<(String, u64)> {
    let functions = file.symbols().filter(|symbol| symbol.kind() == SymbolKind::Text && symbol.size() > 0);
    functions.filter_map(|symbol| Some((demangled(symbol.name().ok()?), symbol.size()))).collect()
}

/// As it stands in the source, without the compiler's hash.
pub(crate) fn demangled(name: &str) -> String {
    format!("{:#}", rustc_demangle::demangle(name))
}

/// The panicking functions in the program. Every panic ends in the panic handler, which the firmware never inlines, so
/// that its symbol stands for all of them; those of `core` say which kind of panic it is.
fn panics(file: &object::File) -> Vec<String> {
    let names = file.symbols().filter_map(|symbol| symbol.name().ok().map(demangled));
    let mut panics: Vec<String> = names.filter(|name| is_panic(name)).collect();
    panics.sort();
    panics.dedup();
    panics
}

/// Whether a function of the standard library panics, or is there only for what panics.
pub(crate) fn is_panic(name: &str) -> bool {
    ["core::panicking::", "rust_begin_unwind", "unwrap_failed", "expect_failed", "slice_index_fail"]
        .iter()
        .any(|part| name.contains(part))
}

/// Whether a function is one that no model may bring along: what panics, allocates, or writes floats as text.
pub(crate) fn is_forbidden(name: &str) -> bool {
    is_panic(name) || ["__rust_alloc", "alloc::", "core::fmt::float", "flt2dec"].iter().any(|part| name.contains(part))
}
