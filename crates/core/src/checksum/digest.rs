use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::Algorithm;

/// The value of one algorithm over some bytes, either computed here or stated by a server or a file. Its
/// length is always the length that the algorithm defines.
///
/// CRC and XXH values are big-endian, as S3 writes them.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Digest {
    algorithm: Algorithm,
    bytes: [u8; 64],
}

/// The text is not a value of the algorithm.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{value}` is not a {algorithm} value: {}", .found.describe(*.algorithm))]
pub struct ParseDigestError {
    /// The algorithm that the value should belong to.
    pub algorithm: Algorithm,
    /// The text as it was given.
    pub value: String,
    /// Length of a value of this algorithm, in bytes.
    pub expected: usize,
    /// What the text is instead.
    pub found: FoundDigest,
}

/// What a text is that is not a value of the algorithm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FoundDigest {
    /// Bytes in hexadecimal or base64, of another length.
    Bytes(usize),
    /// Neither encoding.
    Unreadable,
}

impl FoundDigest {
    fn of(text: &str) -> Self {
        let bytes = hex::decode(text).ok().or_else(|| STANDARD.decode(text).ok());
        bytes.map_or(FoundDigest::Unreadable, |bytes| FoundDigest::Bytes(bytes.len()))
    }

    fn describe(self, wanted: Algorithm) -> String {
        let length = wanted.digest_len();
        let needed = format!(
            "{wanted} has {length} bytes, written as {} hexadecimal digits or {} characters of base64",
            2 * length,
            length.div_ceil(3) * 4
        );
        let FoundDigest::Bytes(found) = self else { return format!("it is neither hexadecimal nor base64; {needed}") };
        let fitting: Vec<&str> =
            Algorithm::ALL.into_iter().filter(|known| known.digest_len() == found).map(Algorithm::name).collect();
        match fitting.as_slice() {
            [] => format!("it has {found} bytes; {needed}"),
            names => format!("it has {found} bytes, the length of {}; {needed}", names.join(" and ")),
        }
    }
}

impl Digest {
    /// `None` unless `bytes` has the length of the algorithm's digests.
    pub fn new(algorithm: Algorithm, bytes: &[u8]) -> Option<Self> {
        let mut held = [0; 64];
        held.get_mut(..algorithm.digest_len()).filter(|slot| slot.len() == bytes.len())?.copy_from_slice(bytes);
        Some(Digest { algorithm, bytes: held })
    }

    /// Wraps the output of a hasher of this algorithm.
    pub(super) fn computed(algorithm: Algorithm, output: &[u8]) -> Self {
        debug_assert_eq!(output.len(), algorithm.digest_len());
        let mut bytes = [0; 64];
        for (to, from) in bytes.iter_mut().zip(output) {
            *to = *from;
        }
        Digest { algorithm, bytes }
    }

    pub(super) fn from_crc(algorithm: Algorithm, value: u64) -> Self {
        // Keeps the full width: leading zero bytes of a CRC are part of its value.
        let wide = value.to_be_bytes();
        Self::computed(algorithm, wide.get(8 - algorithm.digest_len()..).unwrap_or_default())
    }

    pub(super) fn crc_value(&self) -> u64 {
        self.as_bytes().iter().fold(0, |value, byte| value << 8 | u64::from(*byte))
    }

    /// Parses a value in base64, as S3 writes it, or in hexadecimal, as checksum files write it.
    ///
    /// # Errors
    ///
    /// When the text is neither encoding, or decodes to another length than the algorithm's digests have.
    pub fn parse(algorithm: Algorithm, text: &str) -> Result<Self, ParseDigestError> {
        let from_hex = || hex::decode(text).ok().and_then(|bytes| Self::new(algorithm, &bytes));
        let from_base64 = || STANDARD.decode(text).ok().and_then(|bytes| Self::new(algorithm, &bytes));
        from_hex().or_else(from_base64).ok_or_else(|| ParseDigestError {
            algorithm,
            value: text.to_owned(),
            expected: algorithm.digest_len(),
            found: FoundDigest::of(text),
        })
    }

    /// The algorithm that this value belongs to.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The raw bytes, [`Algorithm::digest_len`] long.
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.algorithm.digest_len()).unwrap_or_default()
    }

    /// Base64, the encoding of S3's headers.
    pub fn base64(&self) -> String {
        STANDARD.encode(self.as_bytes())
    }

    /// Lower-case hexadecimal, the encoding of checksum files.
    pub fn hex(&self) -> String {
        hex::encode(self.as_bytes())
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.base64())
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.algorithm, self.hex())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leading_zero_bytes_stay() {
        let digest = Digest::from_crc(Algorithm::Crc32, 0x0000_00ff);
        assert_eq!(digest.hex(), "000000ff");
        assert_eq!(digest.base64(), "AAAA/w==");
        assert_eq!(digest.crc_value(), 0xff);
        let wide = Digest::from_crc(Algorithm::Crc64Nvme, 0xff);
        assert_eq!(wide.hex(), "00000000000000ff");
        assert_eq!(format!("{digest:?}"), "crc32:000000ff");
    }

    #[test]
    fn base64_and_hex_read_alike() {
        for algorithm in Algorithm::ALL {
            let bytes: Vec<u8> = (0..algorithm.digest_len()).map(|i| (i * 37 + 11) as u8).collect();
            let digest = Digest::new(algorithm, &bytes).unwrap();
            assert_eq!(Digest::parse(algorithm, &digest.base64()), Ok(digest));
            assert_eq!(Digest::parse(algorithm, &digest.hex()), Ok(digest));
            assert_eq!(Digest::parse(algorithm, &digest.hex().to_uppercase()), Ok(digest));
        }
        assert!(Digest::parse(Algorithm::Crc32, "AAAA").is_err());
        assert!(Digest::parse(Algorithm::Sha256, "rosUhgp5mIg=").is_err());
        assert_eq!(Digest::new(Algorithm::Md5, &[0; 15]), None);
        assert_eq!(Digest::new(Algorithm::Md5, &[0; 17]), None);
    }
}
