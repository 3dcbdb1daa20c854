//! What the firmware tells the host: lines of a name and hexadecimal digits, without the code that formats for people.

use semihosting::sys::arm_compat::sys_writec;

/// Prints a line `name 0000002a`.
pub(crate) fn number(name: &str, value: u32) {
    bytes(name, &value.to_be_bytes());
}

/// Prints a line of `name` and the bytes in their order, two digits each.
#[inline(never)]
pub(crate) fn bytes(name: &str, bytes: &[u8]) {
    name.bytes().for_each(sys_writec);
    sys_writec(b' ');
    for byte in bytes {
        sys_writec(digit(byte >> 4));
        sys_writec(digit(byte & 15));
    }
    sys_writec(b'\n');
}

fn digit(value: u8) -> u8 {
    if value < 10 { b'0' + value } else { b'a' + value - 10 }
}
