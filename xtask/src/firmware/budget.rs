//! Budgets that only the linked firmware shows, `stack` and `code`, reported as the macro reports the others.

use anyhow::{Result, bail};

/// How many contributors a report names.
const NAMED: usize = 3;

/// Fails if `cost` is more than `limit` bytes, with the largest of the `contributors`, each a function with its share.
pub(crate) fn hold<'a>(
    name: &str,
    limit: u64,
    cost: u64,
    contributors: impl IntoIterator<Item = &'a (String, u64)>,
) -> Result<()> {
    if cost <= limit {
        return Ok(());
    }
    let mut contributors: Vec<_> = contributors.into_iter().collect();
    contributors.sort_by_key(|(_, bytes)| std::cmp::Reverse(*bytes));
    let notes = contributors.iter().take(NAMED).map(|(function, bytes)| format!("\n   = note: {bytes} for `{function}`"));
    bail!(
        "`{name}` allows {limit} bytes; the firmware takes {cost}, which is {} more{}\n   = help: build with another `opt-level`, or allow \
         it: `{name} = {cost}`",
        cost - limit,
        notes.collect::<String>()
    )
}

#[cfg(test)]
mod tests {
    use super::hold;

    #[test]
    fn a_broken_budget_names_its_largest_contributors() {
        let functions = [("a", 1), ("run", 700), ("b", 2), ("conv", 299)].map(|(name, bytes)| (name.to_owned(), bytes));
        assert!(hold("code", 1002, 1002, &functions).is_ok());
        let report = hold("code", 1000, 1002, &functions).expect_err("it is 2 more").to_string();
        let expected = "`code` allows 1000 bytes; the firmware takes 1002, which is 2 more\n   = note: 700 for `run`\n   \
                        = note: 299 for `conv`\n   = note: 2 for `b`\n   = help: build with another `opt-level`, or allow it: \
                        `code = 1002`";
        assert_eq!(report, expected);
    }
}
