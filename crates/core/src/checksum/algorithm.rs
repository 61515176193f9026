use std::fmt;
use std::str::FromStr;

use crate::text::serde_as_text;

/// The ten algorithms of which S3 can store a checksum (S3 API Reference, `ChecksumAlgorithm`).
///
/// To add an algorithm:
///
/// 1. Add a variant here, to [`Algorithm::ALL`], and to each `match` of this file.
/// 2. Give [`Hasher`](super::Hasher) a state for it. For a CRC, add its polynomial to [`fold`](super::fold) and list it
///    in [`Algorithm::folds`].
/// 3. In the crate `stored-ami`, map the header and the field in which S3 returns it (`source/s3/head.rs`,
///    `source/s3/parse.rs`).
///
/// Planning and judging use only the properties defined here and need no change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Algorithm {
    /// CRC-32/ISO-HDLC, the CRC of zip and Ethernet; 4 bytes.
    Crc32,
    /// CRC-32/ISCSI (Castagnoli, RFC 3720); 4 bytes.
    Crc32c,
    /// CRC-64/NVME; 8 bytes. The default of S3 for new uploads.
    Crc64Nvme,
    /// SHA-1 (FIPS 180-4); 20 bytes.
    Sha1,
    /// SHA-256 (FIPS 180-4); 32 bytes.
    Sha256,
    /// SHA-512 (FIPS 180-4); 64 bytes.
    Sha512,
    /// MD5 (RFC 1321); 16 bytes. Also the hash behind multipart ETags.
    Md5,
    /// XXH64 with seed 0; 8 bytes.
    Xxh64,
    /// XXH3 of 64 bits with seed 0; 8 bytes.
    Xxh3,
    /// XXH3 of 128 bits with seed 0; 16 bytes.
    Xxh128,
}

/// The text names none of the ten algorithms.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a checksum algorithm (crc32, crc32c, crc64nvme, sha1, sha256, sha512, md5, xxh64, xxh3, xxh128)")]
pub struct ParseAlgorithmError(pub String);

impl Algorithm {
    /// All algorithms, in the order in which reports list them.
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

    /// The name on the command line and in reports.
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

    /// Whether the digests of adjacent ranges combine into the digest of both ranges. Only CRCs do, because
    /// they are linear.
    pub fn folds(self) -> bool {
        matches!(self, Algorithm::Crc32 | Algorithm::Crc32c | Algorithm::Crc64Nvme)
    }

    /// Whether a match also excludes deliberate replacement of the bytes. The other algorithms only detect
    /// accidental damage.
    pub fn resists_forgery(self) -> bool {
        matches!(self, Algorithm::Sha256 | Algorithm::Sha512)
    }

    /// Whether S3 can store this algorithm's value over the whole bytes of a multipart object (S3 User Guide,
    /// *Checking object integrity for data uploads*).
    pub fn multipart_full_object(self) -> bool {
        self.folds()
    }

    /// Whether S3 can store this algorithm's value over the values of a multipart object's parts (same
    /// source).
    pub fn multipart_composite(self) -> bool {
        self != Algorithm::Crc64Nvme
    }
}

impl FromStr for Algorithm {
    type Err = ParseAlgorithmError;

    /// Accepts the names of this tool, the names of S3 (`XXHASH64`), and spellings with dashes, in any case.
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
        f.pad(self.name())
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
