//! Division rounded up. Where the standard library's is not inlined, as in small code, it checks a divisor that it does not know any more,
//! which is a path to a panic.

/// ⌈`number` / `N`⌉
#[inline(always)]
pub(crate) const fn quotient_up<const N: usize>(number: usize) -> usize {
    number / N + (!number.is_multiple_of(N)) as usize
}

/// The least multiple of `N` that is not below `number`.
#[inline(always)]
pub(crate) const fn multiple_up<const N: usize>(number: usize) -> usize {
    N * quotient_up::<N>(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounds_up() {
        let quotients = [0, 1, 4, 5, 8].map(quotient_up::<4>);
        assert_eq!(quotients, [0, 1, 1, 2, 2]);
        assert_eq!([0, 1, 4, 5, 8].map(multiple_up::<4>), quotients.map(|quotient| 4 * quotient));
    }
}
