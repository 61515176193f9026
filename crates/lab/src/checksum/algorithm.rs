use http::HeaderName;
use serde::{Deserialize, Serialize};

/// The checksum algorithms S3 can store with an object (S3 API, enum `ChecksumAlgorithm`).
#[expect(missing_docs, reason = "the variants are S3's own names")]
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Algorithm {
    #[serde(rename = "CRC32")]
    Crc32,
    #[serde(rename = "CRC32C")]
    Crc32c,
    #[serde(rename = "CRC64NVME")]
    Crc64Nvme,
    #[serde(rename = "SHA1")]
    Sha1,
    #[serde(rename = "SHA256")]
    Sha256,
    #[serde(rename = "SHA512")]
    Sha512,
    #[serde(rename = "MD5")]
    Md5,
    #[serde(rename = "XXHASH64")]
    XxHash64,
    #[serde(rename = "XXHASH3")]
    XxHash3,
    #[serde(rename = "XXHASH128")]
    XxHash128,
}

/// What a stored checksum was computed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ChecksumType {
    /// Over the bytes of the object.
    #[serde(rename = "FULL_OBJECT")]
    FullObject,
    /// Over the concatenated raw digests of the parts.
    #[serde(rename = "COMPOSITE")]
    Composite,
}

impl ChecksumType {
    /// The name in S3's headers and XML.
    pub fn name(self) -> &'static str {
        match self {
            ChecksumType::FullObject => "FULL_OBJECT",
            ChecksumType::Composite => "COMPOSITE",
        }
    }

    /// The type with this name; `None` for any other text.
    pub fn from_name(name: &str) -> Option<Self> {
        [ChecksumType::FullObject, ChecksumType::Composite].into_iter().find(|kind| kind.name() == name)
    }
}

impl Algorithm {
    /// All algorithms.
    pub const ALL: [Algorithm; 10] = [
        Algorithm::Crc32,
        Algorithm::Crc32c,
        Algorithm::Crc64Nvme,
        Algorithm::Sha1,
        Algorithm::Sha256,
        Algorithm::Sha512,
        Algorithm::Md5,
        Algorithm::XxHash64,
        Algorithm::XxHash3,
        Algorithm::XxHash128,
    ];

    /// The name in S3's headers and XML.
    pub fn name(self) -> &'static str {
        match self {
            Algorithm::Crc32 => "CRC32",
            Algorithm::Crc32c => "CRC32C",
            Algorithm::Crc64Nvme => "CRC64NVME",
            Algorithm::Sha1 => "SHA1",
            Algorithm::Sha256 => "SHA256",
            Algorithm::Sha512 => "SHA512",
            Algorithm::Md5 => "MD5",
            Algorithm::XxHash64 => "XXHASH64",
            Algorithm::XxHash3 => "XXHASH3",
            Algorithm::XxHash128 => "XXHASH128",
        }
    }

    /// The name of the XML element that carries a value.
    pub fn element(self) -> &'static str {
        match self {
            Algorithm::Crc32 => "ChecksumCRC32",
            Algorithm::Crc32c => "ChecksumCRC32C",
            Algorithm::Crc64Nvme => "ChecksumCRC64NVME",
            Algorithm::Sha1 => "ChecksumSHA1",
            Algorithm::Sha256 => "ChecksumSHA256",
            Algorithm::Sha512 => "ChecksumSHA512",
            Algorithm::Md5 => "ChecksumMD5",
            Algorithm::XxHash64 => "ChecksumXXHASH64",
            Algorithm::XxHash3 => "ChecksumXXHASH3",
            Algorithm::XxHash128 => "ChecksumXXHASH128",
        }
    }

    /// The name of the header (or trailer) that carries a value.
    pub fn header(self) -> HeaderName {
        HeaderName::from_static(match self {
            Algorithm::Crc32 => "x-amz-checksum-crc32",
            Algorithm::Crc32c => "x-amz-checksum-crc32c",
            Algorithm::Crc64Nvme => "x-amz-checksum-crc64nvme",
            Algorithm::Sha1 => "x-amz-checksum-sha1",
            Algorithm::Sha256 => "x-amz-checksum-sha256",
            Algorithm::Sha512 => "x-amz-checksum-sha512",
            Algorithm::Md5 => "x-amz-checksum-md5",
            Algorithm::XxHash64 => "x-amz-checksum-xxhash64",
            Algorithm::XxHash3 => "x-amz-checksum-xxhash3",
            Algorithm::XxHash128 => "x-amz-checksum-xxhash128",
        })
    }

    /// The algorithm with this name in any case; `None` for any other text.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.name().eq_ignore_ascii_case(name))
    }

    /// The types a multipart upload may have with this algorithm, the default
    /// first (S3 User Guide, *Checking object integrity for data uploads*).
    pub fn multipart_types(self) -> &'static [ChecksumType] {
        match self {
            Algorithm::Crc64Nvme => &[ChecksumType::FullObject],
            Algorithm::Crc32 | Algorithm::Crc32c => &[ChecksumType::Composite, ChecksumType::FullObject],
            _ => &[ChecksumType::Composite],
        }
    }
}
