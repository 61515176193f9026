use std::borrow::Cow;

/// A noun in the number that the count needs: `noun(1, "entry")` is `entry`, `noun(2, "entry")` is `entries`.
///
/// Every plural of a message is made here, so that none reads `1 parts`.
pub fn noun(count: u64, singular: &str) -> Cow<'_, str> {
    if count == 1 {
        return Cow::Borrowed(singular);
    }
    let stem = singular.strip_suffix('y').filter(|stem| !stem.ends_with(['a', 'e', 'o', 'u']));
    Cow::Owned(stem.map_or_else(|| format!("{singular}s"), |stem| format!("{stem}ies")))
}

/// A count with its noun: `1 part`, `2 parts`.
pub fn counted(count: u64, singular: &str) -> String {
    format!("{count} {}", noun(count, singular))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_is_singular_and_all_others_are_plural() {
        assert_eq!([0, 1, 2].map(|count| counted(count, "part")), ["0 parts", "1 part", "2 parts"]);
        assert_eq!([1, 2].map(|count| counted(count, "retry")), ["1 retry", "2 retries"]);
        assert_eq!(counted(2, "day"), "2 days");
        assert_eq!(noun(1, "copy request"), "copy request");
    }
}
