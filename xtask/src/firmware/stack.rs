//! A bound for the stack of a linked program, without running it: the frame of each function, from the instructions that lower the stack
//! pointer, along the deepest chain of calls.
//!
//! Every such instruction of a function counts, whichever path it stands on, so the bound may be higher than any run reaches, but not lower.
//! Where a call or a frame depends on data there is no bound, which is an error. A jump to an address in a register is taken to stay within its
//! function, as those of a `match` and of micro-kernels that enter an unrolled loop do.

mod riscv;
mod thumb;

use anyhow::{Context, Result, bail, ensure};
use object::{Architecture, Object, ObjectSection, ObjectSymbol, SectionKind, SymbolKind};
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::iter::successors;
use std::ops::Range;

use crate::firmware::elf::demangled;

/// The deepest chain of calls.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Bound {
    /// Bytes of stack.
    pub(crate) bytes: u64,
    /// Each function of the chain with the bytes of its own.
    pub(crate) chain: Vec<(String, u64)>,
}

/// What an instruction does that matters here.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Effect {
    /// The stack grows by so many bytes.
    Grow(u64),
    /// Control goes there, perhaps to come back.
    Go(u64),
    /// Control goes to an address in a register, perhaps to come back.
    GoByAddress,
    /// A number appears that may be the address of a function.
    Name(u64),
    /// Something that only a run knows.
    Unknown(&'static str),
}

/// What one function adds to a chain, and where it goes on.
#[derive(Debug, Default)]
struct Function {
    name: String,
    frame: u64,
    calls: Vec<u64>,
    /// Numbers that may be addresses of functions.
    named: Vec<u64>,
    /// Whether it calls by an address.
    by_address: bool,
    unknown: Option<&'static str>,
}

/// The functions of a program by their addresses.
pub(crate) struct Calls(BTreeMap<u64, Function>);

impl Calls {
    /// Reads the functions of a program for Arm or RISC-V.
    pub(crate) fn read(file: &object::File) -> Result<Self> {
        let effects = match file.architecture() {
            Architecture::Arm => thumb::effects,
            Architecture::Riscv32 => riscv::effects,
            other => bail!("the stack of {other:?} programs is not understood"),
        };
        let symbols = symbols(file);
        let mut functions: BTreeMap<u64, Function> =
            symbols.iter().map(|(&at, (name, _))| (at, Function::named(name.clone()))).collect();
        let starts: Vec<u64> = functions.keys().copied().collect();
        for section in file.sections().filter(|section| section.kind() == SectionKind::Text) {
            let (begin, bytes) = (section.address(), section.data()?);
            let inside = |address: &u64| (begin..begin + bytes.len() as u64).contains(address);
            let data = data(file);
            for (index, &start) in starts.iter().enumerate().filter(|(_, start)| inside(start)) {
                let next = starts.get(index + 1).copied().filter(inside).unwrap_or(begin + bytes.len() as u64);
                // What the linker fills gaps with would read as jumps. Functions in assembly may have no size.
                let end = match symbols[&start].1 {
                    0 => next,
                    size => next.min(start + size),
                };
                let is_data = |address: u64| data.range(..=address).next_back().is_some_and(|(_, &data)| data);
                let code = &bytes[(start - begin) as usize..(end - begin) as usize];
                let function = functions.get_mut(&start).expect("it is one of its keys");
                effects(start, code, &is_data).into_iter().for_each(|effect| function.take(effect, start..end));
            }
        }
        // Bit 0 of an address says that Arm code is for Thumb.
        let odd = u64::from(file.architecture() == Architecture::Arm);
        let is_function = |&number: &u64| number & 1 == odd && starts.binary_search(&(number & !1)).is_ok();
        for function in functions.values_mut() {
            function.named.retain(is_function);
        }
        Ok(Self(functions))
    }

    /// Where a function goes. What it calls by an address is taken to be any function that it names, or that anything names if it names none
    /// itself.
    fn targets(&self, function: &Function) -> Vec<u64> {
        let mut targets = function.calls.clone();
        if function.by_address {
            let all = || self.0.values().flat_map(|function| &function.named).copied().collect();
            targets.extend(if function.named.is_empty() { all() } else { function.named.clone() });
        }
        targets.sort_unstable();
        targets.dedup();
        targets
    }

    /// The deepest chain of calls that begins with a function whose name begins with the first of `names`, or the next if there is none.
    pub(crate) fn bound(&self, names: &[&str]) -> Result<Bound> {
        let find = |name: &&str| self.0.iter().find(|(_, function)| function.name.trim_start_matches('<').starts_with(name));
        let found = names.iter().find_map(find);
        let (&address, _) = found.with_context(|| format!("the program has no function `{}`", names.join("` or `")))?;
        self.deepest(address, &mut Vec::new(), &mut HashMap::new())
    }

    /// A shortest chain of calls from a function for which `begins` holds to one for which `ends` does.
    pub(crate) fn path(&self, begins: impl Fn(&str) -> bool, ends: impl Fn(&str) -> bool) -> Option<Vec<&str>> {
        let starts = self.0.iter().filter(|(_, function)| begins(&function.name)).map(|(&start, _)| start);
        // How each function was reached first.
        let mut from: HashMap<u64, Option<u64>> = starts.map(|start| (start, None)).collect();
        let mut open: VecDeque<u64> = from.keys().copied().collect();
        while let Some(address) = open.pop_front() {
            let function = self.0.get(&address)?;
            if ends(&function.name) {
                let mut path: Vec<&str> =
                    successors(Some(address), |address| from[address]).map(|at| self.0[&at].name.as_str()).collect();
                path.reverse();
                return Some(path);
            }
            for target in self.targets(function) {
                let (&start, _) = self.0.range(..=target).next_back()?;
                from.entry(start).or_insert_with(|| {
                    open.push_back(start);
                    Some(address)
                });
            }
        }
        None
    }

    fn deepest(&self, address: u64, open: &mut Vec<u64>, known: &mut HashMap<u64, Bound>) -> Result<Bound> {
        // A jump may lead behind a function's first instruction.
        let (&start, function) =
            self.0.range(..=address).next_back().with_context(|| format!("no function lies at {address:#x}"))?;
        if let Some(bound) = known.get(&start) {
            return Ok(bound.clone());
        }
        let Function { name, frame, unknown, .. } = function;
        ensure!(!open.contains(&start), "no bound for the stack: `{name}` calls itself");
        if let Some(what) = unknown {
            bail!("no bound for the stack: `{name}` has {what}");
        }
        open.push(start);
        let mut bound = Bound { bytes: 0, chain: Vec::new() };
        for target in self.targets(function) {
            let next = self.deepest(target, open, known)?;
            if next.bytes > bound.bytes {
                bound = next;
            }
        }
        open.pop();
        bound.bytes += frame;
        bound.chain.insert(0, (name.clone(), *frame));
        known.insert(start, bound.clone());
        Ok(bound)
    }
}

impl Function {
    fn named(name: String) -> Self {
        Self { name, ..Self::default() }
    }

    /// Takes in what an instruction does of the function that lies at `range`.
    fn take(&mut self, effect: Effect, range: Range<u64>) {
        match effect {
            Effect::Grow(bytes) => self.frame += bytes,
            Effect::Go(target) if !range.contains(&target) => self.calls.push(target),
            Effect::Go(_) => {}
            Effect::GoByAddress => self.by_address = true,
            Effect::Name(number) => self.named.push(number),
            Effect::Unknown(what) => self.unknown = Some(what),
        }
    }
}

/// The addresses of all functions with their names and sizes. Arm marks code for Thumb by an odd address.
fn symbols(file: &object::File) -> BTreeMap<u64, (String, u64)> {
    let symbols = file.symbols().filter(|symbol| symbol.kind() == SymbolKind::Text && symbol.is_definition());
    symbols.filter_map(|symbol| Some((symbol.address() & !1, (demangled(symbol.name().ok()?), symbol.size())))).collect()
}

/// Where data begins between the instructions, or ends, as the linker marks it by symbols `$d` and `$t` or `$x`.
fn data(file: &object::File) -> BTreeMap<u64, bool> {
    let marks = file.symbols().filter_map(|symbol| {
        let name = symbol.name().ok()?;
        let mark = name.split('.').next().filter(|mark| mark.len() == 2 && mark.starts_with('$'))?;
        Some((symbol.address(), mark == "$d"))
    });
    marks.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn functions(list: &[(u64, &str, u64, &[u64])]) -> Calls {
        let function = |&(start, name, frame, calls): &(u64, &str, u64, &[u64])| {
            (start, Function { frame, calls: calls.to_vec(), ..Function::named(name.to_owned()) })
        };
        Calls(list.iter().map(function).collect())
    }

    #[test]
    fn the_deepest_chain_counts() {
        let program =
            functions(&[(0, "run", 16, &[10, 20]), (10, "wide", 40, &[]), (20, "deep", 8, &[31]), (30, "leaf", 36, &[])]);
        let bound = program.bound(&["run"]).unwrap();
        assert_eq!(program.path(|name| name == "run", |name| name == "leaf"), Some(vec!["run", "deep", "leaf"]));
        assert_eq!(program.path(|name| name == "wide", |name| name == "leaf"), None);
        let chain = [("run", 16), ("deep", 8), ("leaf", 36)].map(|(name, bytes)| (name.to_owned(), bytes)).to_vec();
        assert_eq!(bound, Bound { bytes: 60, chain });
    }

    #[test]
    fn what_is_not_known_has_no_bound() {
        let recursive = functions(&[(0, "run", 16, &[10]), (10, "again", 8, &[0])]);
        assert_eq!(recursive.bound(&["run"]).unwrap_err().to_string(), "no bound for the stack: `run` calls itself");
        let mut growing = functions(&[(0, "run", 16, &[])]);
        growing.0.get_mut(&0).unwrap().take(Effect::Unknown("a frame of unknown size"), 0..10);
        assert_eq!(growing.bound(&["run"]).unwrap_err().to_string(), "no bound for the stack: `run` has a frame of unknown size");
    }

    #[test]
    fn a_call_by_an_address_may_go_wherever_a_name_leads() {
        let mut program =
            functions(&[(0, "run", 16, &[10]), (10, "by_address", 8, &[]), (20, "leaf", 4, &[]), (30, "deep", 64, &[])]);
        program.0.get_mut(&10).unwrap().by_address = true;
        program.0.get_mut(&0).unwrap().named = vec![20, 30];
        assert_eq!(program.bound(&["run"]).unwrap().bytes, 88, "any that is named");
        program.0.get_mut(&10).unwrap().named = vec![20];
        assert_eq!(program.bound(&["run"]).unwrap().bytes, 28, "its own");
    }
}
