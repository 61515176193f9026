use std::fmt;
use std::str::FromStr;

use crate::checksum::{Algorithm, Hasher};

/// Digest of an entry and, through its predecessors, of the whole history up to it.
pub(super) type Link = [u8; 32];

/// The digest before the first entry.
pub(super) const BEGINNING: Link = [0; 32];

/// SHA-256 over a fixed prefix, the previous digest and the entry as it is stored.
pub(super) fn link(before: &Link, document: &str) -> Link {
    let mut hasher = Hasher::new(Algorithm::Sha256);
    hasher.update(b"stored-ami ledger 1\n");
    hasher.update(before);
    hasher.update(document.as_bytes());
    hasher.finish().as_bytes().try_into().unwrap_or(BEGINNING)
}

/// The number of entries, and the digest of the last one. A head that is stored elsewhere reveals entries removed from
/// the end and rewritten histories, which the chain alone cannot show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// Number of entries.
    pub entries: u64,
    /// Digest of the last entry.
    pub digest: Link,
}

impl Head {
    /// The head of a ledger without entries.
    pub const BEGINNING: Head = Head { entries: 0, digest: BEGINNING };
}

/// A text that is not the head of a ledger.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a head of a ledger as an audit prints it: ENTRIES:SHA256")]
pub struct ParseHeadError(pub String);

impl fmt::Display for Head {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.entries, hex::encode(self.digest))
    }
}

impl FromStr for Head {
    type Err = ParseHeadError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error = || ParseHeadError(text.to_owned());
        let (entries, digest) = text.split_once(':').ok_or_else(error)?;
        let entries = entries.parse().map_err(|_| error())?;
        let mut bytes = BEGINNING;
        hex::decode_to_slice(digest, &mut bytes).map_err(|_| error())?;
        Ok(Head { entries, digest: bytes })
    }
}
