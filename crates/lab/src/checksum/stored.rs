use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use super::{Algorithm, ChecksumType, CrcShift, Hasher, as_number};

/// The additional checksum that S3 stores with an object. Tests change `value` to plant a wrong
/// reference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredChecksum {
    /// The algorithm of `value`, and of the values of the parts.
    pub algorithm: Algorithm,
    /// Whether `value` covers the bytes or the digests of the parts.
    pub kind: ChecksumType,
    /// Base64, without the `-N` that HEAD and GET put behind a composite value.
    pub value: String,
}

impl StoredChecksum {
    /// A checksum over all bytes, from its raw digest.
    pub fn full(algorithm: Algorithm, digest: &[u8]) -> Self {
        StoredChecksum { algorithm, kind: ChecksumType::FullObject, value: STANDARD.encode(digest) }
    }

    /// The value as the headers of HEAD and GET show it.
    pub fn header_value(&self, parts: usize) -> String {
        match self.kind {
            ChecksumType::FullObject => self.value.clone(),
            ChecksumType::Composite => format!("{}-{parts}", self.value),
        }
    }
}

/// The checksum of a multipart object, from the raw digests and the sizes in
/// bytes of its parts. `None` for a pair S3 does not allow.
pub fn from_parts(algorithm: Algorithm, kind: ChecksumType, parts: &[(Vec<u8>, u64)]) -> Option<StoredChecksum> {
    if !algorithm.multipart_types().contains(&kind) {
        return None;
    }
    let digest = match kind {
        ChecksumType::Composite => {
            let mut hasher = Hasher::new(algorithm);
            parts.iter().for_each(|(digest, _)| hasher.update(digest));
            hasher.finish()
        }
        ChecksumType::FullObject => full_crc(algorithm, parts)?,
    };
    Some(StoredChecksum { algorithm, kind, value: STANDARD.encode(digest) })
}

fn full_crc(algorithm: Algorithm, parts: &[(Vec<u8>, u64)]) -> Option<Vec<u8>> {
    let empty = Hasher::of(algorithm, b"");
    let mut sum = as_number(&empty);
    let mut kept: Option<(u64, CrcShift)> = None;
    for (digest, size) in parts {
        let shift = match kept.take() {
            Some((len, shift)) if len == *size => shift,
            _ => CrcShift::over(algorithm, *size)?,
        };
        sum = shift.combine(sum, as_number(digest));
        kept = Some((*size, shift));
    }
    sum.to_be_bytes().get(8usize.checked_sub(empty.len())?..).map(<[u8]>::to_vec)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PARTS: [&[u8]; 3] = [b"first part, ", b"second, longer part, ", b"third"];

    fn digests(algorithm: Algorithm) -> Vec<(Vec<u8>, u64)> {
        PARTS.iter().map(|part| (Hasher::of(algorithm, part), part.len() as u64)).collect()
    }

    #[test]
    fn a_full_object_crc_is_that_of_the_bytes() {
        let whole = PARTS.concat();
        for algorithm in [Algorithm::Crc32, Algorithm::Crc32c, Algorithm::Crc64Nvme] {
            assert_eq!(
                from_parts(algorithm, ChecksumType::FullObject, &digests(algorithm)),
                Some(StoredChecksum::full(algorithm, &Hasher::of(algorithm, &whole)))
            );
        }
    }

    #[test]
    fn a_composite_is_the_digest_of_the_digests() {
        let algorithm = Algorithm::Sha256;
        let joined: Vec<u8> = digests(algorithm).into_iter().flat_map(|(digest, _)| digest).collect();
        let stored = from_parts(algorithm, ChecksumType::Composite, &digests(algorithm)).unwrap();
        assert_eq!(stored.value, STANDARD.encode(Hasher::of(algorithm, &joined)));
        assert_eq!(stored.header_value(3), format!("{}-3", stored.value));
    }

    #[test]
    fn illegal_pairs_are_refused() {
        for (algorithm, kind) in [
            (Algorithm::Crc64Nvme, ChecksumType::Composite),
            (Algorithm::Sha256, ChecksumType::FullObject),
            (Algorithm::XxHash64, ChecksumType::FullObject),
        ] {
            assert_eq!(from_parts(algorithm, kind, &digests(algorithm)), None);
        }
    }
}
