use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;

use crate::ident::Prefix;
use crate::text::serde_as_text;

/// What an audit is of. In JSON it is its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AuditScope {
    /// The objects that are listed under a prefix.
    Prefix(Prefix),
    /// Objects that were named one by one: the description of the list.
    Named(String),
}

impl AuditScope {
    /// The prefix, if objects were listed.
    pub fn prefix(&self) -> Option<&Prefix> {
        match self {
            AuditScope::Prefix(prefix) => Some(prefix),
            AuditScope::Named(_) => None,
        }
    }
}

impl fmt::Display for AuditScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            AuditScope::Prefix(prefix) => prefix.fmt(f),
            AuditScope::Named(text) => f.write_str(text),
        }
    }
}

impl FromStr for AuditScope {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(text.parse().map_or_else(|_| AuditScope::Named(text.to_owned()), AuditScope::Prefix))
    }
}

serde_as_text!(AuditScope);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_is_written_as_it_was_read() {
        for (text, listed) in [("s3://b/p", true), ("s3://b/", true), ("12 objects named by ids.txt", false)] {
            let scope: AuditScope = serde_json::from_value(text.into()).unwrap();
            assert_eq!(scope.prefix().is_some(), listed, "{text}");
            assert_eq!(serde_json::to_value(&scope).unwrap(), text);
        }
    }
}
