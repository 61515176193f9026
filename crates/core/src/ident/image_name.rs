use std::fmt;
use std::str::FromStr;

use crate::units::counted;

/// The name of an AMI: 3 to 128 letters, digits, spaces and `( ) [ ] . / - ' @ _` (EC2 API Reference,
/// `CreateImage`, `CreateRestoreImageTask`).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ImageName(String);

/// The text is not a legal AMI name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{name}` is not a legal AMI name: {problem}")]
pub struct ParseImageNameError {
    /// The text as given.
    pub name: String,
    /// The problem, for the user.
    pub problem: String,
}

impl ImageName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The characters of this name that one page of the documentation does not list as legal (EC2 Developer
    /// Guide, *Error codes*, `InvalidAMIName.Malformed`).
    pub fn doubtful(&self) -> String {
        let mut found: Vec<char> = self.0.chars().filter(|c| matches!(c, '[' | ']' | ' ' | '\'' | '@')).collect();
        found.sort_unstable();
        found.dedup();
        found.into_iter().collect()
    }
}

impl FromStr for ImageName {
    type Err = ParseImageNameError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error = |problem| Err(ParseImageNameError { name: text.to_owned(), problem });
        let legal = |c: char| c.is_ascii_alphanumeric() || "()[] ./-'@_".contains(c);
        if let Some(bad) = text.chars().find(|c| !legal(*c)) {
            return error(format!(
                "`{}` is not among letters, digits, spaces and ( ) [ ] . / - ' @ _",
                bad.escape_debug()
            ));
        }
        if !(3..=128).contains(&text.len()) {
            return error(format!("it has {}; 3 to 128 are allowed", counted(text.len() as u64, "character")));
        }
        Ok(ImageName(text.to_owned()))
    }
}

impl fmt::Display for ImageName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn length_and_alphabet() {
        for name in ["abc", "web (prod) [v1.2]/x-y'z@_", &"a".repeat(128)] {
            assert_eq!(name.parse::<ImageName>().unwrap().as_str(), name);
        }
        for name in ["", "ab", &"a".repeat(129), "a:b", "naïve", "a\nb", "a+b"] {
            assert!(name.parse::<ImageName>().is_err(), "{name}");
        }
        assert_eq!("a b@c b".parse::<ImageName>().unwrap().doubtful(), " @");
        assert_eq!("a-b".parse::<ImageName>().unwrap().doubtful(), "");
    }
}
