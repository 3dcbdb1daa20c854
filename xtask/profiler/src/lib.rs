//! A plugin of QEMU that counts how often each block of instructions runs, and how often control jumps from a block's end, between two
//! functions of a firmware. The emulator calls its functions; the interface is QEMU's `qemu-plugin.h`.
//!
//! `-plugin libprofiler.so,begin=ADDRESS,end=ADDRESS,to=FILE`, addresses in hexadecimal: where the function at `begin` is entered, counting
//! begins anew, until that at `end` is entered. When the emulator ends, FILE has a line for each block that ran: its address, its
//! number of instructions, how often it ran, and how often what ran next does not stand behind it.

use std::ffi::{CStr, c_char, c_int, c_uint, c_void};
use std::fmt::Write;
use std::sync::Mutex;

/// The version of the interface. From its release 9 on QEMU refuses the first, from which nothing that is used here differs.
#[unsafe(no_mangle)]
#[allow(non_upper_case_globals, reason = "QEMU gives the name")]
pub static qemu_plugin_version: c_int = if cfg!(feature = "qemu-9") { 2 } else { 1 };

type Id = u64;

/// What QEMU calls a translation block; only pointers to it and its instructions exist here.
enum Block {}
enum Instruction {}

unsafe extern "C" {
    safe fn qemu_plugin_register_vcpu_tb_trans_cb(id: Id, callback: extern "C" fn(Id, *mut Block));
    safe fn qemu_plugin_register_atexit_cb(id: Id, callback: extern "C" fn(Id, *mut c_void), data: *mut c_void);
    fn qemu_plugin_register_vcpu_tb_exec_cb(
        block: *mut Block,
        callback: extern "C" fn(c_uint, *mut c_void),
        flags: c_int,
        data: *mut c_void,
    );
    fn qemu_plugin_tb_n_insns(block: *const Block) -> usize;
    fn qemu_plugin_tb_get_insn(block: *const Block, index: usize) -> *mut Instruction;
    fn qemu_plugin_insn_vaddr(instruction: *const Instruction) -> u64;
    fn qemu_plugin_insn_size(instruction: *const Instruction) -> usize;
}

/// `QEMU_PLUGIN_CB_NO_REGS`: the callback looks at no register.
const NO_REGISTERS: c_int = 0;

/// All that was counted. The emulator translates and runs in one thread, and ends in another.
static PROFILE: Mutex<Profile> = Mutex::new(Profile { begin: 0, end: 0, to: String::new(), blocks: Vec::new(), last: None });

struct Profile {
    begin: u64,
    end: u64,
    to: String,
    blocks: Vec<Counted>,
    /// The block that ran last, if it counts.
    last: Option<usize>,
}

struct Counted {
    start: u64,
    /// The address behind the last instruction.
    end: u64,
    instructions: usize,
    times: u64,
    jumps: u64,
}

impl Profile {
    /// Takes an argument `name=value`.
    fn set(&mut self, argument: &str) -> Option<()> {
        let (name, value) = argument.split_once('=')?;
        match name {
            "begin" => self.begin = u64::from_str_radix(value, 16).ok()?,
            "end" => self.end = u64::from_str_radix(value, 16).ok()?,
            "to" => self.to = value.to_owned(),
            _ => return None,
        }
        Some(())
    }

    fn runs(&mut self, index: usize) {
        let start = self.blocks[index].start;
        match self.last {
            Some(last) => self.blocks[last].jumps += u64::from(self.blocks[last].end != start),
            None if start == self.begin => self.blocks.iter_mut().for_each(|block| (block.times, block.jumps) = (0, 0)),
            None => return,
        }
        self.last = (start != self.end).then_some(index);
        self.blocks[index].times += u64::from(start != self.end);
    }

    fn text(&self) -> String {
        let mut text = String::new();
        for Counted { start, instructions, times, jumps, .. } in self.blocks.iter().filter(|block| block.times > 0) {
            writeln!(text, "{start:x} {instructions} {times} {jumps}").expect("a string takes all");
        }
        text
    }
}

/// Called when the emulator loads the plugin; other than 0 is an error.
///
/// # Safety
/// `arguments` has `count` strings.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qemu_plugin_install(id: Id, _: *const c_void, count: c_int, arguments: *const *const c_char) -> c_int {
    let mut profile = PROFILE.lock().expect("nothing panics");
    for index in 0..count as usize {
        // SAFETY: as above; QEMU ends its strings with a zero.
        let argument = unsafe { CStr::from_ptr(*arguments.add(index)) };
        if argument.to_str().ok().and_then(|argument| profile.set(argument)).is_none() {
            eprintln!("profiler: {argument:?} is no argument");
            return 1;
        }
    }
    qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
    qemu_plugin_register_atexit_cb(id, ended, std::ptr::null_mut());
    0
}

extern "C" fn translated(_: Id, block: *mut Block) {
    // SAFETY: QEMU lends the block for this call; a block has an instruction at least.
    let (instructions, start, end) = unsafe {
        let instructions = qemu_plugin_tb_n_insns(block);
        let [first, last] = [0, instructions - 1].map(|index| qemu_plugin_tb_get_insn(block, index));
        (instructions, qemu_plugin_insn_vaddr(first), qemu_plugin_insn_vaddr(last) + qemu_plugin_insn_size(last) as u64)
    };
    let mut profile = PROFILE.lock().expect("nothing panics");
    let index = std::ptr::without_provenance_mut(profile.blocks.len());
    profile.blocks.push(Counted { start, end, instructions, times: 0, jumps: 0 });
    // SAFETY: as above; the data is a number.
    unsafe { qemu_plugin_register_vcpu_tb_exec_cb(block, executed, NO_REGISTERS, index) };
}

extern "C" fn executed(_: c_uint, index: *mut c_void) {
    PROFILE.lock().expect("nothing panics").runs(index.addr());
}

extern "C" fn ended(_: Id, _: *mut c_void) {
    let profile = PROFILE.lock().expect("nothing panics");
    if let Err(error) = std::fs::write(&profile.to, profile.text()) {
        eprintln!("profiler: cannot write {}: {error}", profile.to);
    }
}
