//! Parses headers of the form `name="value", name="value"`.

/// The parameters of a header in order; `None` if the header does not follow the grammar.
///
/// Names are tokens and values quoted strings (RFC 9110, 5.6), so a comma or a name within quotes is part of
/// the value.
pub(super) fn parameters(text: &str) -> Option<Vec<(&str, String)>> {
    let mut found = Vec::new();
    let mut rest = text.trim_matches(BLANK);
    loop {
        let (name, behind) = rest.split_once('=')?;
        let name = name.trim_end_matches(BLANK);
        if name.is_empty() || !name.bytes().all(is_token) {
            return None;
        }
        let (value, behind) = quoted(behind.trim_start_matches(BLANK))?;
        found.push((name, value));
        rest = behind.trim_start_matches(BLANK);
        if rest.is_empty() {
            return Some(found);
        }
        rest = rest.strip_prefix(',')?.trim_start_matches(BLANK);
    }
}

/// The value of a parameter, `None` if it is absent; an error if it occurs twice.
pub(super) fn single<'a>(parameters: &'a [(&str, String)], name: &str) -> Result<Option<&'a str>, Twice> {
    let mut values = parameters.iter().filter(|(known, _)| known.eq_ignore_ascii_case(name));
    match (values.next(), values.next()) {
        (Some(_), Some(_)) => Err(Twice),
        (value, _) => Ok(value.map(|(_, value)| value.as_str())),
    }
}

/// A parameter occurs more than once, so its value is ambiguous.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Twice;

const BLANK: [char; 2] = [' ', '\t'];

fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// The content of a quoted string, and the rest of the text.
fn quoted(text: &str) -> Option<(String, &str)> {
    let inside = text.strip_prefix('"')?;
    let mut value = String::new();
    let mut letters = inside.char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '"' => return Some((value, inside.get(at + 1..)?)),
            '\\' => value.push(letters.next()?.1),
            other => value.push(other),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn no_text_panics_and_what_is_written_comes_back(
            text in any::<String>(),
            pairs in proptest::collection::vec(("[a-z-]{1,9}", any::<String>()), 1..4),
        ) {
            parameters(&text);
            let quoted = |value: &str| value.replace('\\', "\\\\").replace('"', "\\\"");
            let written: Vec<String> = pairs.iter().map(|(name, value)| format!("{name}=\"{}\"", quoted(value))).collect();
            let written = written.join(", ");
            let read = parameters(&written).unwrap();
            let read: Vec<(String, String)> = read.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
            prop_assert_eq!(read, pairs);
        }
    }

    #[test]
    fn by_the_grammar_and_not_by_search() {
        let of =
            |text| parameters(text).map(|all| all.into_iter().map(|(n, v)| format!("{n}={v}")).collect::<Vec<_>>());
        assert_eq!(of(r#"a="1", b="2""#).unwrap(), ["a=1", "b=2"]);
        assert_eq!(of(r#"a="x, b=\"y\"",b = "2""#).unwrap(), [r#"a=x, b="y""#, "b=2"]);
        assert_eq!(of(r#"my-a="1""#).unwrap(), ["my-a=1"]);
        for odd in ["", "a", "a=1", r#"a="1"#, r#"a="1" b="2""#, r#"a="1","#, r#", a="1""#, r#"="1""#, r#"a b="1""#] {
            assert_eq!(of(odd), None, "{odd}");
        }
    }

    #[test]
    fn twice_says_nothing() {
        let all = parameters(r#"a="1", A="2", b="3""#).unwrap();
        assert_eq!((single(&all, "a"), single(&all, "b"), single(&all, "c")), (Err(Twice), Ok(Some("3")), Ok(None)));
    }
}
