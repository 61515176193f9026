use super::{Algorithm, Digest, Hasher};
use crate::ident::ETag;

/// The composite value of an object: the algorithm applied to the raw digests of its parts, in part order (S3
/// User Guide, *Checking object integrity for data uploads*).
pub fn composite(algorithm: Algorithm, parts: &[Digest]) -> Digest {
    let mut hasher = Hasher::new(algorithm);
    for part in parts {
        hasher.update(part.as_bytes());
    }
    hasher.finish()
}

/// The ETag of a multipart object that is unencrypted or encrypted with SSE-S3: the hexadecimal MD5 of the
/// raw MD5s of its parts, a dash, and the number of parts (S3 API Reference, `Object`).
pub fn multipart_etag(parts: &[Digest]) -> ETag {
    ETag::new(&format!("{}-{}", composite(Algorithm::Md5, parts).hex(), parts.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_computed_by_hand_with_standard_tools() {
        // Expected values: `printf a | md5sum`, `printf b | md5sum`, then md5sum of the 32 raw bytes.
        let parts = [Hasher::digest(Algorithm::Md5, b"a"), Hasher::digest(Algorithm::Md5, b"b")];
        assert_eq!(multipart_etag(&parts).as_str(), "96e024ba2074fe77e8e965ba43a704be-2");
    }
}
