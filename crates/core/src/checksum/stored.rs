use std::fmt;

use super::{Algorithm, Digest, ParseDigestError};

/// Which input a stored checksum was computed over (S3 API Reference, `ChecksumType`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChecksumKind {
    /// Over the bytes of the whole object.
    FullObject,
    /// Computed over the values of the parts.
    Composite {
        /// Number of parts, if the server states it.
        parts: Option<u32>,
    },
    /// The server stated no type, and the algorithm allows both.
    Unstated,
}

/// A checksum that S3 stores with an object and returns in its responses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoredChecksum {
    /// The value.
    pub digest: Digest,
    /// What the value was computed over.
    pub kind: ChecksumKind,
}

/// A server's checksum could not be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseChecksumError {
    /// The value does not decode to a digest of its algorithm.
    #[error(transparent)]
    Digest(#[from] ParseDigestError),
    /// The suffix of the value is not a positive number of parts.
    #[error("`{value}` does not end in a number of parts")]
    PartCount {
        /// The value as the server wrote it.
        value: String,
    },
    /// The value has a part count, but the stated type is not `COMPOSITE`.
    #[error("{algorithm} is stated to be {stated}, which its value `{value}` is not")]
    Contradiction {
        /// Algorithm of the value.
        algorithm: Algorithm,
        /// The type as the server stated it.
        stated: String,
        /// The value as the server wrote it.
        value: String,
    },
}

impl StoredChecksum {
    /// Parses a value as S3 reports it: base64, for composites sometimes followed by `-N` (HEAD includes the
    /// suffix, GetObjectAttributes does not).
    ///
    /// If the server states no type, it is inferred from the suffix, from the types that S3 allows for the
    /// algorithm, and from whether the object is multipart. If both types remain possible, the kind is
    /// [`ChecksumKind::Unstated`].
    ///
    /// # Errors
    ///
    /// When the value does not decode, the part count is not a positive number, or a value with a part count
    /// is stated to be of another type than `COMPOSITE`.
    pub fn parse(
        algorithm: Algorithm,
        value: &str,
        stated: Option<&str>,
        multipart: bool,
    ) -> Result<Self, ParseChecksumError> {
        let (text, parts) = match value.rsplit_once('-') {
            Some((text, count)) => {
                // `u32::from_str` accepts a leading `+`, which S3 does not write.
                let digits = count.bytes().all(|b| b.is_ascii_digit());
                let parts = count.parse::<u32>().ok().filter(|parts| digits && *parts > 0);
                (text, Some(parts.ok_or_else(|| ParseChecksumError::PartCount { value: value.to_owned() })?))
            }
            None => (value, None),
        };
        let digest = Digest::parse(algorithm, text)?;
        let kind = match (stated, parts) {
            (Some("COMPOSITE"), parts) => ChecksumKind::Composite { parts },
            (Some(stated), Some(_)) => {
                return Err(ParseChecksumError::Contradiction {
                    algorithm,
                    stated: stated.to_owned(),
                    value: value.to_owned(),
                });
            }
            (None, Some(parts)) => ChecksumKind::Composite { parts: Some(parts) },
            (Some("FULL_OBJECT"), None) => ChecksumKind::FullObject,
            (_, None) if !multipart || !algorithm.multipart_composite() => ChecksumKind::FullObject,
            (_, None) if !algorithm.multipart_full_object() => ChecksumKind::Composite { parts: None },
            (_, None) => ChecksumKind::Unstated,
        };
        Ok(StoredChecksum { digest, kind })
    }

    /// The algorithm of the value.
    pub fn algorithm(&self) -> Algorithm {
        self.digest.algorithm()
    }
}

impl ChecksumKind {
    /// The term of S3, in lower case.
    pub fn name(self) -> &'static str {
        match self {
            ChecksumKind::FullObject => "full_object",
            ChecksumKind::Composite { .. } => "composite",
            ChecksumKind::Unstated => "unstated",
        }
    }
}

impl fmt::Display for StoredChecksum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            ChecksumKind::Composite { parts: Some(parts) } => write!(f, "{}-{parts}", self.digest),
            _ => self.digest.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CRC64: &str = "rosUhgp5mIg=";
    const CRC32: &str = "y/Q5Jg==";

    #[test]
    fn kinds_have_s3s_words() {
        let kinds = [ChecksumKind::FullObject, ChecksumKind::Composite { parts: None }, ChecksumKind::Unstated];
        assert_eq!(kinds.map(ChecksumKind::name), ["full_object", "composite", "unstated"]);
    }

    #[test]
    fn a_composite_is_never_taken_for_a_hash_of_the_object() {
        let sha = Digest::new(Algorithm::Sha256, &[7; 32]).unwrap().base64();
        for (value, stated) in [(format!("{sha}-9"), None), (format!("{sha}-9"), Some("COMPOSITE"))] {
            let stored = StoredChecksum::parse(Algorithm::Sha256, &value, stated, true).unwrap();
            assert_eq!(stored.kind, ChecksumKind::Composite { parts: Some(9) });
            assert_eq!(stored.to_string(), format!("{sha}-9"));
        }
        let bare = StoredChecksum::parse(Algorithm::Sha256, &sha, None, true).unwrap();
        assert_eq!(bare.kind, ChecksumKind::Composite { parts: None });
    }

    #[test]
    fn an_unstated_type_is_inferred_as_far_as_the_rules_go() {
        let kind = |algorithm, value, multipart| StoredChecksum::parse(algorithm, value, None, multipart).unwrap().kind;
        assert_eq!(kind(Algorithm::Crc64Nvme, CRC64, true), ChecksumKind::FullObject);
        assert_eq!(kind(Algorithm::Crc32, CRC32, false), ChecksumKind::FullObject);
        assert_eq!(kind(Algorithm::Crc32, CRC32, true), ChecksumKind::Unstated);
    }

    #[test]
    fn contradictions_and_nonsense_are_named() {
        let parse = |value: &str, stated| StoredChecksum::parse(Algorithm::Crc32, value, stated, true);
        assert!(matches!(parse("y/Q5Jg==-3", Some("FULL_OBJECT")), Err(ParseChecksumError::Contradiction { .. })));
        assert!(matches!(parse("y/Q5Jg==-0", None), Err(ParseChecksumError::PartCount { .. })));
        assert!(matches!(parse("y/Q5Jg==-+3", None), Err(ParseChecksumError::PartCount { .. })));
        assert!(matches!(parse("y/Q5Jg==-x", None), Err(ParseChecksumError::PartCount { .. })));
        assert!(matches!(parse(CRC64, None), Err(ParseChecksumError::Digest(_))));
    }
}
