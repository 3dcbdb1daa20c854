//! Elements as bytes: read from `.npy` files for the firmware, and shown as numbers when it returns them.

use anyhow::{Context, Result, bail, ensure};
use std::path::Path;

/// How many elements are shown of a tensor.
const SHOWN: usize = 16;

/// The elements of a `.npy` file, row-major and little-endian as the firmware takes them.
pub(crate) fn read_npy(path: &Path) -> Result<Vec<u8>> {
    let bytes = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    let mut rest = &bytes[..];
    let header = npyz::NpyHeader::from_reader(&mut rest).with_context(|| format!("{} is no .npy file", path.display()))?;
    ensure!(header.order() == npyz::Order::C, "{} is stored column by column; store it row by row", path.display());
    match header.dtype() {
        npyz::DType::Plain(ty) if ty.endianness() != npyz::Endianness::Big => Ok(rest.to_vec()),
        other => bail!("{} holds {}; only little-endian numbers can be used", path.display(), other.descr()),
    }
}

/// The elements of type `kind`, as many as fit a few lines.
pub(crate) fn show(kind: &str, bytes: &[u8]) -> String {
    let numbers = numbers(kind, bytes);
    let shown = numbers.iter().take(SHOWN).cloned().collect::<Vec<_>>().join(", ");
    let more = if numbers.len() > SHOWN { ", ..." } else { "" };
    format!("{kind}[{}]: {shown}{more}", numbers.len())
}

/// Each element as text, with the digits its type needs.
fn numbers(kind: &str, bytes: &[u8]) -> Vec<String> {
    macro_rules! decode {
        ($ty:ty) => {
            bytes.as_chunks().0.iter().map(|&bytes| <$ty>::from_le_bytes(bytes).to_string()).collect()
        };
    }
    match kind {
        "i8" => decode!(i8),
        "i16" => decode!(i16),
        "i32" => decode!(i32),
        "i64" => decode!(i64),
        "u16" => decode!(u16),
        "u32" => decode!(u32),
        "u64" => decode!(u64),
        "f32" => decode!(f32),
        "f64" => decode!(f64),
        "f16" => decode!(half::f16),
        "bf16" => decode!(half::bf16),
        _ => decode!(u8),
    }
}

#[cfg(test)]
mod tests {
    use super::show;

    #[test]
    fn elements_are_shown_by_their_type() {
        let cases: [(&str, &[u8], &str); 5] = [
            ("f32", &[0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0], "f32[2]: 1, -2"),
            ("f16", &[0, 0x3c], "f16[1]: 1"),
            ("i8", &[0xff, 1], "i8[2]: -1, 1"),
            ("bool", &[1, 0], "bool[2]: 1, 0"),
            ("u8", &[7; 17], "u8[17]: 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, ..."),
        ];
        for (kind, bytes, text) in cases {
            assert_eq!(show(kind, bytes), text);
        }
    }
}
