use std::fmt;
use std::hash::Hasher as _;

use aws_lc_rs::digest;
use crc::{CRC_32_ISCSI, CRC_32_ISO_HDLC, CRC_64_NVME, Crc, Table};
use twox_hash::{XxHash3_64, XxHash3_128, XxHash64};

use super::Algorithm;

static CRC32: Crc<u32, Table<16>> = Crc::<u32, Table<16>>::new(&CRC_32_ISO_HDLC);
static CRC32C: Crc<u32, Table<16>> = Crc::<u32, Table<16>>::new(&CRC_32_ISCSI);
static CRC64NVME: Crc<u64, Table<16>> = Crc::<u64, Table<16>>::new(&CRC_64_NVME);

/// A running checksum. [`Hasher::finish`] returns the bytes that S3 encodes in base64, big-endian
/// for every algorithm whose result is a number.
pub struct Hasher(State);

enum State {
    Crc32(crc::Digest<'static, u32, Table<16>>),
    Crc64(crc::Digest<'static, u64, Table<16>>),
    Sha(digest::Context),
    Md5(Box<lab_md5::Context>),
    XxHash64(Box<XxHash64>),
    XxHash3(Box<twox_hash::xxhash3_64::Hasher>),
    XxHash128(Box<twox_hash::xxhash3_128::Hasher>),
}

impl Hasher {
    /// Starts a checksum over no bytes.
    pub fn new(algorithm: Algorithm) -> Self {
        Hasher(match algorithm {
            Algorithm::Crc32 => State::Crc32(CRC32.digest()),
            Algorithm::Crc32c => State::Crc32(CRC32C.digest()),
            Algorithm::Crc64Nvme => State::Crc64(CRC64NVME.digest()),
            Algorithm::Sha1 => State::Sha(digest::Context::new(&digest::SHA1_FOR_LEGACY_USE_ONLY)),
            Algorithm::Sha256 => State::Sha(digest::Context::new(&digest::SHA256)),
            Algorithm::Sha512 => State::Sha(digest::Context::new(&digest::SHA512)),
            Algorithm::Md5 => State::Md5(Box::new(lab_md5::Context::new())),
            Algorithm::XxHash64 => State::XxHash64(Box::new(XxHash64::with_seed(0))),
            Algorithm::XxHash3 => State::XxHash3(Box::new(XxHash3_64::new())),
            Algorithm::XxHash128 => State::XxHash128(Box::new(XxHash3_128::new())),
        })
    }

    /// Adds the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        match &mut self.0 {
            State::Crc32(digest) => digest.update(bytes),
            State::Crc64(digest) => digest.update(bytes),
            State::Sha(context) => context.update(bytes),
            State::Md5(context) => context.consume(bytes),
            State::XxHash64(hasher) => hasher.write(bytes),
            State::XxHash3(hasher) => hasher.write(bytes),
            State::XxHash128(hasher) => hasher.write(bytes),
        }
    }

    /// The digest in the byte order that S3 encodes.
    pub fn finish(self) -> Vec<u8> {
        match self.0 {
            State::Crc32(digest) => digest.finalize().to_be_bytes().to_vec(),
            State::Crc64(digest) => digest.finalize().to_be_bytes().to_vec(),
            State::Sha(context) => context.finish().as_ref().to_vec(),
            State::Md5(context) => context.finalize().0.to_vec(),
            State::XxHash64(hasher) => hasher.finish().to_be_bytes().to_vec(),
            State::XxHash3(hasher) => hasher.finish().to_be_bytes().to_vec(),
            State::XxHash128(hasher) => hasher.finish_128().to_be_bytes().to_vec(),
        }
    }

    /// The digest of `bytes`.
    pub fn of(algorithm: Algorithm, bytes: &[u8]) -> Vec<u8> {
        let mut hasher = Hasher::new(algorithm);
        hasher.update(bytes);
        hasher.finish()
    }
}

impl fmt::Debug for Hasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hasher")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Check values of "123456789", from the catalogue of CRC parameters, the
    /// NIST examples, RFC 1321 and the xxHash reference program.
    #[test]
    fn published_check_values() {
        for (algorithm, expected) in [
            (Algorithm::Crc32, "cbf43926"),
            (Algorithm::Crc32c, "e3069283"),
            (Algorithm::Crc64Nvme, "ae8b14860a799888"),
            (Algorithm::Sha1, "f7c3bc1d808e04732adf679965ccc34ca7ae3441"),
            (Algorithm::Sha256, "15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225"),
            (Algorithm::Md5, "25f9e794323b453885f5181f1b624d0b"),
            (Algorithm::XxHash64, "8cb841db40e6ae83"),
        ] {
            assert_eq!(hex::encode(Hasher::of(algorithm, b"123456789")), expected, "{algorithm:?}");
        }
        for (algorithm, expected) in
            [(Algorithm::XxHash3, "2d06800538d394c2"), (Algorithm::XxHash128, "99aa06d3014798d86001c324468d497f")]
        {
            assert_eq!(hex::encode(Hasher::of(algorithm, b"")), expected, "{algorithm:?}");
        }
    }
}
