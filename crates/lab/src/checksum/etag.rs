use super::{Algorithm, Hasher};

/// The ETag of a multipart object: the MD5 of the parts' binary MD5s, then
/// `-` and the number of parts, also when it is one.
pub fn multipart_etag<'a>(part_etags: impl ExactSizeIterator<Item = &'a str>) -> String {
    let count = part_etags.len();
    let mut hasher = Hasher::new(Algorithm::Md5);
    for etag in part_etags {
        match hex::decode(etag) {
            Ok(digest) => hasher.update(&digest),
            // Only an ETag changed by hand is no hexadecimal number.
            Err(_) => hasher.update(etag.as_bytes()),
        }
    }
    format!("{}-{count}", hex::encode(hasher.finish()))
}

/// An ETag in the form of an MD5 that is not one, as under SSE-KMS and SSE-C
/// (S3 API reference, `Object.ETag`).
pub fn not_an_md5(digest: &[u8], encryption: &str) -> String {
    let mut hasher = Hasher::new(Algorithm::Md5);
    hasher.update(encryption.as_bytes());
    hasher.update(digest);
    hex::encode(hasher.finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digest_of_binary_digests() {
        let parts: Vec<String> =
            [b"a", b"b"].iter().map(|part| hex::encode(Hasher::of(Algorithm::Md5, *part))).collect();
        let joined: Vec<u8> = parts.iter().flat_map(|part| hex::decode(part).unwrap()).collect();
        let expected = hex::encode(Hasher::of(Algorithm::Md5, &joined));
        assert_eq!(multipart_etag(parts.iter().map(String::as_str)), format!("{expected}-2"));
        assert!(multipart_etag(parts.iter().take(1).map(String::as_str)).ends_with("-1"));
    }

    #[test]
    fn under_kms_it_is_not_the_md5() {
        let md5 = Hasher::of(Algorithm::Md5, b"x");
        assert_ne!(not_an_md5(&md5, "aws:kms"), hex::encode(&md5));
    }
}
