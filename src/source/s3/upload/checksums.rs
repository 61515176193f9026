//! The fields and headers by which S3 names checksums.

use aws_sdk_s3::types::{ChecksumAlgorithm, ChecksumType, CompletedPart};

use super::super::headers::Headers;
use crate::checksum::{Algorithm, Digest, Hasher};
use crate::copy::UploadChecksum;
use crate::ident::ETag;
use crate::source::{PartBody, PartReceipt};
use crate::units::PartNumber;

/// Sets the field of the digest's algorithm in a request or a part.
macro_rules! with_checksum {
    ($request:expr, $digest:expr) => {{
        let digest: Option<&crate::checksum::Digest> = $digest;
        let value = digest.map(crate::checksum::Digest::base64);
        let request = $request;
        match digest.map(crate::checksum::Digest::algorithm) {
            None => request,
            Some(crate::checksum::Algorithm::Crc32) => request.set_checksum_crc32(value),
            Some(crate::checksum::Algorithm::Crc32c) => request.set_checksum_crc32_c(value),
            Some(crate::checksum::Algorithm::Crc64Nvme) => request.set_checksum_crc64_nvme(value),
            Some(crate::checksum::Algorithm::Sha1) => request.set_checksum_sha1(value),
            Some(crate::checksum::Algorithm::Sha256) => request.set_checksum_sha256(value),
            Some(crate::checksum::Algorithm::Sha512) => request.set_checksum_sha512(value),
            Some(crate::checksum::Algorithm::Md5) => request.set_checksum_md5(value),
            Some(crate::checksum::Algorithm::Xxh64) => request.set_checksum_xxhash64(value),
            Some(crate::checksum::Algorithm::Xxh3) => request.set_checksum_xxhash3(value),
            Some(crate::checksum::Algorithm::Xxh128) => request.set_checksum_xxhash128(value),
        }
    }};
}

pub(super) use with_checksum;

/// The name in S3's spelling (S3 API Reference, `ChecksumAlgorithm`).
fn s3_name(algorithm: Algorithm) -> &'static str {
    match algorithm {
        Algorithm::Crc32 => "CRC32",
        Algorithm::Crc32c => "CRC32C",
        Algorithm::Crc64Nvme => "CRC64NVME",
        Algorithm::Sha1 => "SHA1",
        Algorithm::Sha256 => "SHA256",
        Algorithm::Sha512 => "SHA512",
        Algorithm::Md5 => "MD5",
        Algorithm::Xxh64 => "XXHASH64",
        Algorithm::Xxh3 => "XXHASH3",
        Algorithm::Xxh128 => "XXHASH128",
    }
}

pub(super) fn algorithm(checksum: UploadChecksum) -> ChecksumAlgorithm {
    ChecksumAlgorithm::from(s3_name(checksum.algorithm))
}

pub(super) fn kind(checksum: UploadChecksum) -> ChecksumType {
    if checksum.is_composite { ChecksumType::Composite } else { ChecksumType::FullObject }
}

/// The checksum of this algorithm in the headers of a response.
pub(super) fn in_headers(headers: &Headers, algorithm: Algorithm) -> Option<Digest> {
    let name = format!("x-amz-checksum-{}", s3_name(algorithm).to_ascii_lowercase());
    Digest::parse(algorithm, &headers.one(&name)?).ok()
}

/// Whether the SDK computes the checksum of a body while it is sent.
pub(super) fn is_streamed(algorithm: Algorithm) -> bool {
    use Algorithm::{Crc32, Crc32c, Crc64Nvme, Md5, Sha1, Sha256, Sha512, Xxh3, Xxh64, Xxh128};
    match algorithm {
        Crc32 | Crc32c | Crc64Nvme | Sha1 | Sha256 => true,
        // The SDK takes MD5 for another name of CRC32.
        Md5 | Sha512 | Xxh64 | Xxh3 | Xxh128 => false,
    }
}

pub(super) fn md5(body: &PartBody) -> Digest {
    let mut hasher = Hasher::new(Algorithm::Md5);
    body.frames().iter().for_each(|frame| hasher.update(frame));
    hasher.finish()
}

pub(super) fn completed_part(part: &PartReceipt) -> CompletedPart {
    let builder = CompletedPart::builder()
        .part_number(i32::try_from(part.number.get()).unwrap_or(i32::MAX))
        .e_tag(format!("\"{}\"", part.etag.as_str()));
    with_checksum!(builder, part.checksum.as_ref()).build()
}

/// The checksum that S3 states of a part, from a type that has a field for each algorithm.
macro_rules! stated_checksum {
    ($part:expr) => {{
        let part = $part;
        let values = [
            (Algorithm::Crc32, part.checksum_crc32()),
            (Algorithm::Crc32c, part.checksum_crc32_c()),
            (Algorithm::Crc64Nvme, part.checksum_crc64_nvme()),
            (Algorithm::Sha1, part.checksum_sha1()),
            (Algorithm::Sha256, part.checksum_sha256()),
            (Algorithm::Sha512, part.checksum_sha512()),
            (Algorithm::Md5, part.checksum_md5()),
            (Algorithm::Xxh64, part.checksum_xxhash64()),
            (Algorithm::Xxh3, part.checksum_xxhash3()),
            (Algorithm::Xxh128, part.checksum_xxhash128()),
        ];
        let digest = |(algorithm, value): (Algorithm, Option<&str>)| Digest::parse(algorithm, value?).ok();
        values.into_iter().find_map(digest)
    }};
}

/// A part that the server copied; `None` if its answer states no ETag.
pub(super) fn copied_part(number: PartNumber, part: &aws_sdk_s3::types::CopyPartResult) -> Option<PartReceipt> {
    Some(PartReceipt { number, size: None, etag: ETag::told(part.e_tag()?)?, checksum: stated_checksum!(part) })
}

/// A part of a listing; `None` if it states no number or no ETag.
pub(super) fn listed_part(part: &aws_sdk_s3::types::Part) -> Option<PartReceipt> {
    Some(PartReceipt {
        number: PartNumber::new(u32::try_from(part.part_number()?).ok()?)?,
        size: part.size().and_then(|size| u64::try_from(size).ok()),
        etag: ETag::told(part.e_tag()?)?,
        checksum: stated_checksum!(part),
    })
}
