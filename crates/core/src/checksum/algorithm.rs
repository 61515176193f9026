use std::fmt;
use std::str::FromStr;

use crate::text::serde_as_text;

/// The ten algorithms S3 can store a checksum of
/// (S3 API reference, `ChecksumAlgorithm`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Algorithm {
    Crc32,
    Crc32c,
    Crc64Nvme,
    Sha1,
    Sha256,
    Sha512,
    Md5,
    Xxh64,
    Xxh3,
    Xxh128,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a checksum algorithm (crc32, crc32c, crc64nvme, sha1, sha256, sha512, md5, xxh64, xxh3, xxh128)")]
pub struct ParseAlgorithmError(pub String);

impl Algorithm {
    pub const ALL: [Algorithm; 10] = [
        Algorithm::Crc32,
        Algorithm::Crc32c,
        Algorithm::Crc64Nvme,
        Algorithm::Sha1,
        Algorithm::Sha256,
        Algorithm::Sha512,
        Algorithm::Md5,
        Algorithm::Xxh64,
        Algorithm::Xxh3,
        Algorithm::Xxh128,
    ];

    /// The name on this tool's command line and in its reports.
    pub fn name(self) -> &'static str {
        match self {
            Algorithm::Crc32 => "crc32",
            Algorithm::Crc32c => "crc32c",
            Algorithm::Crc64Nvme => "crc64nvme",
            Algorithm::Sha1 => "sha1",
            Algorithm::Sha256 => "sha256",
            Algorithm::Sha512 => "sha512",
            Algorithm::Md5 => "md5",
            Algorithm::Xxh64 => "xxh64",
            Algorithm::Xxh3 => "xxh3",
            Algorithm::Xxh128 => "xxh128",
        }
    }

    /// Length of a digest in bytes.
    pub fn digest_len(self) -> usize {
        match self {
            Algorithm::Crc32 | Algorithm::Crc32c => 4,
            Algorithm::Crc64Nvme | Algorithm::Xxh64 | Algorithm::Xxh3 => 8,
            Algorithm::Md5 | Algorithm::Xxh128 => 16,
            Algorithm::Sha1 => 20,
            Algorithm::Sha256 => 32,
            Algorithm::Sha512 => 64,
        }
    }

    /// Whether digests of neighbouring ranges combine into the digest of both.
    /// Only CRCs do: they are linear.
    pub fn folds(self) -> bool {
        matches!(self, Algorithm::Crc32 | Algorithm::Crc32c | Algorithm::Crc64Nvme)
    }

    /// Whether a match also speaks against a replacement made on purpose.
    /// The others only speak against accidents.
    pub fn resists_forgery(self) -> bool {
        matches!(self, Algorithm::Sha256 | Algorithm::Sha512)
    }

    /// Whether S3 stores a multipart object's value over the whole object
    /// (S3 User Guide, *Checking object integrity for data uploads*).
    pub fn multipart_full_object(self) -> bool {
        self.folds()
    }

    /// Whether S3 stores a multipart object's value over its parts' values (same source).
    pub fn multipart_composite(self) -> bool {
        self != Algorithm::Crc64Nvme
    }
}

impl FromStr for Algorithm {
    type Err = ParseAlgorithmError;

    /// Takes this tool's names, S3's (`XXHASH64`), and the usual dashed spellings.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let plain: String = text.chars().filter(|c| !matches!(c, '-' | '_')).collect::<String>().to_ascii_lowercase();
        let name = plain.replace("xxhash", "xxh");
        Self::ALL
            .into_iter()
            .find(|algorithm| algorithm.name() == name)
            .ok_or_else(|| ParseAlgorithmError(text.to_owned()))
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

serde_as_text!(Algorithm);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_is_read() {
        for algorithm in Algorithm::ALL {
            assert_eq!(algorithm.name().parse(), Ok(algorithm));
            assert_eq!(algorithm.name().to_uppercase().parse(), Ok(algorithm));
        }
        assert_eq!("SHA-256".parse(), Ok(Algorithm::Sha256));
        assert_eq!("XXHASH3".parse(), Ok(Algorithm::Xxh3));
        assert_eq!("XXHASH128".parse(), Ok(Algorithm::Xxh128));
        assert!("blake3".parse::<Algorithm>().is_err());
    }

    #[test]
    fn what_each_can_do() {
        let which = |can: fn(Algorithm) -> bool| -> Vec<Algorithm> {
            Algorithm::ALL.into_iter().filter(|algorithm| can(*algorithm)).collect()
        };
        assert_eq!(which(Algorithm::resists_forgery), [Algorithm::Sha256, Algorithm::Sha512]);
        assert_eq!(which(Algorithm::folds), [Algorithm::Crc32, Algorithm::Crc32c, Algorithm::Crc64Nvme]);
    }
}
