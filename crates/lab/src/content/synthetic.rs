use std::collections::HashMap;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::checksum::{self, Algorithm, ChecksumType, Hasher, StoredChecksum};
use crate::noise::Noise;
use crate::record::PartRecord;
use stored_ami_core::units::{GIB, PartNumber};

/// Length in bytes of the buffer from which all bytes are taken. It is a prime, so that the content
/// does not repeat with the period of a power of two.
const PERIOD: u64 = 1_048_573;

/// Largest size in bytes of a part and of a single PUT (S3 User Guide, *multipart upload limits*).
const LARGEST_PART: u64 = 5 * GIB;

/// Number of different parts. It is a prime, so that swapping two parts at a distance of a power of
/// two changes the object.
const PATTERNS: u64 = 7;

/// Distance in the buffer between the beginnings of two patterns.
const STRIDE: u64 = 149_797;

/// Sizes in bytes of the parts of a multipart object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum PartSizes {
    /// One PUT without parts.
    None,
    /// All parts of this size; the last one may be shorter.
    Uniform(u64),
    /// The size of each part in order; they must add up to the size of the object.
    Each(Vec<u64>),
}

/// Which checksum an object is stored with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ChecksumChoice {
    /// No checksum, as for objects uploaded before December 2024.
    None,
    /// The type that S3 uses by default for this algorithm.
    Default(Algorithm),
    /// This type of this algorithm; S3 does not allow every pair.
    Typed(Algorithm, ChecksumType),
}

/// An object whose bytes are generated when they are read.
///
/// Only seven different parts exist, and each is digested once. Describing 100 GiB takes about a
/// second, and reading costs as much as copying from one small buffer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SyntheticSpec {
    /// Bytes of the object.
    pub size: u64,
    /// How the object was uploaded.
    pub parts: PartSizes,
    /// Objects with different seeds have different bytes.
    pub seed: u64,
    /// The checksum that is stored with it.
    pub checksum: ChecksumChoice,
}

/// Why no object can be made from a [`SyntheticSpec`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SyntheticError {
    /// More than 10,000 parts, none, or an empty one among several.
    #[error("a multipart object has 1 to 10,000 parts, none of them empty unless it is the only one")]
    PartCount,
    /// A part, or an object of one PUT, larger than 5 GiB.
    #[error("a part, and an object without parts, has at most 5 GiB")]
    PartSize,
    /// The sizes of the parts do not add up to the size of the object.
    #[error("the parts do not add up to the size of the object")]
    PartSum,
    /// S3 does not store this checksum type for this algorithm and kind of upload.
    #[error("S3 does not allow this checksum type for this algorithm and kind of upload")]
    ChecksumType,
}

/// The generator behind a synthetic object.
#[derive(Debug)]
pub(crate) struct Synthetic {
    pub spec: SyntheticSpec,
    buffer: Bytes,
    /// Where each part begins, and the end of the last one.
    starts: Vec<u64>,
}

/// What S3 would have recorded, had the bytes been uploaded.
pub(crate) struct SyntheticFacts {
    pub etag: String,
    pub parts: Vec<PartRecord>,
    pub checksum: Option<StoredChecksum>,
}

impl Synthetic {
    pub(crate) fn new(spec: SyntheticSpec) -> Result<Self, SyntheticError> {
        let starts = starts(&spec)?;
        // A small object of one part reads the beginning of the buffer only.
        let length = if starts.len() == 2 { spec.size.min(PERIOD) } else { PERIOD };
        let mut buffer = vec![0; length as usize];
        Noise::new(spec.seed).fill(&mut buffer);
        Ok(Synthetic { spec, buffer: buffer.into(), starts })
    }

    pub(crate) fn len(&self) -> u64 {
        self.spec.size
    }

    /// Up to `max` bytes from `at` on, inside one part and one turn of the buffer.
    pub(crate) fn slice(&self, at: u64, max: u64) -> Bytes {
        let index = self.starts.partition_point(|start| *start <= at);
        let (Some(start), Some(end)) =
            (index.checked_sub(1).and_then(|index| self.starts.get(index)), self.starts.get(index))
        else {
            return Bytes::new();
        };
        let pattern = (index as u64 - 1) % PATTERNS;
        self.pattern_slice(pattern, at - start, max.min(end - at))
    }

    fn pattern_slice(&self, pattern: u64, at: u64, max: u64) -> Bytes {
        let from = (pattern * STRIDE + at) % PERIOD;
        let to = PERIOD.min(from + max);
        self.buffer.slice(from as usize..to as usize)
    }

    /// One pass over every different part; takes time in proportion to
    /// `PATTERNS` parts, not to the object.
    pub(crate) fn facts(&self) -> Result<SyntheticFacts, SyntheticError> {
        let multipart = self.spec.parts != PartSizes::None;
        let (algorithm, kind) = match self.spec.checksum {
            ChecksumChoice::None => (None, ChecksumType::FullObject),
            ChecksumChoice::Typed(algorithm, kind) => (Some(algorithm), kind),
            ChecksumChoice::Default(algorithm) if multipart => {
                (Some(algorithm), *algorithm.multipart_types().first().ok_or(SyntheticError::ChecksumType)?)
            }
            ChecksumChoice::Default(algorithm) => (Some(algorithm), ChecksumType::FullObject),
        };
        let mut known = HashMap::new();
        let mut digests = Vec::new();
        for (index, pair) in self.starts.windows(2).enumerate() {
            let size = pair.iter().rev().copied().reduce(|end, start| end - start).unwrap_or_default();
            let pattern = index as u64 % PATTERNS;
            let digest = known.entry((pattern, size)).or_insert_with(|| self.digest(pattern, size, algorithm)).clone();
            digests.push((digest, size));
        }
        if !multipart {
            let (md5, digest) = digests.pop().map(|(digest, _)| digest).unwrap_or_default();
            let checksum = match (algorithm, kind) {
                (_, ChecksumType::Composite) => return Err(SyntheticError::ChecksumType),
                (algorithm, _) => algorithm.map(|algorithm| StoredChecksum::full(algorithm, &digest)),
            };
            return Ok(SyntheticFacts { etag: hex::encode(md5), parts: Vec::new(), checksum });
        }
        let parts: Vec<PartRecord> = digests
            .iter()
            .zip(1..)
            .map(|(((md5, digest), size), number)| PartRecord::new(number, *size, md5, algorithm.map(|_| &digest[..])))
            .collect();
        let raw: Vec<(Vec<u8>, u64)> = digests.into_iter().map(|((_, digest), size)| (digest, size)).collect();
        let checksum = match algorithm {
            None => None,
            Some(algorithm) => Some(checksum::from_parts(algorithm, kind, &raw).ok_or(SyntheticError::ChecksumType)?),
        };
        let etag = checksum::multipart_etag(parts.iter().map(|part| part.etag.as_str()));
        Ok(SyntheticFacts { etag, parts, checksum })
    }

    fn digest(&self, pattern: u64, size: u64, algorithm: Option<Algorithm>) -> (Vec<u8>, Vec<u8>) {
        let mut md5 = Hasher::new(Algorithm::Md5);
        let mut other = algorithm.map(Hasher::new);
        let mut at = 0;
        while at < size {
            let slice = self.pattern_slice(pattern, at, size - at);
            md5.update(&slice);
            if let Some(other) = &mut other {
                other.update(&slice);
            }
            at += slice.len() as u64;
        }
        (md5.finish(), other.map(Hasher::finish).unwrap_or_default())
    }
}

fn starts(spec: &SyntheticSpec) -> Result<Vec<u64>, SyntheticError> {
    let sizes: Vec<u64> = match &spec.parts {
        PartSizes::None => vec![spec.size],
        PartSizes::Each(sizes) => sizes.clone(),
        PartSizes::Uniform(0) => return Err(SyntheticError::PartCount),
        PartSizes::Uniform(part) => {
            let count = spec.size.div_ceil(*part).max(1);
            if count > u64::from(PartNumber::MAX) {
                return Err(SyntheticError::PartCount);
            }
            (0..count).map(|index| (*part).min(spec.size - index * part)).collect()
        }
    };
    let legal = (1..=PartNumber::MAX as usize).contains(&sizes.len());
    if !legal || (sizes.len() > 1 && sizes.contains(&0)) {
        return Err(SyntheticError::PartCount);
    }
    if sizes.iter().any(|size| *size > LARGEST_PART) {
        return Err(SyntheticError::PartSize);
    }
    let mut starts = vec![0];
    let mut end = 0u64;
    for size in sizes {
        end = end.checked_add(size).ok_or(SyntheticError::PartSum)?;
        starts.push(end);
    }
    if end == spec.size { Ok(starts) } else { Err(SyntheticError::PartSum) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checksum::multipart_etag;

    fn spec(size: u64, parts: PartSizes, checksum: ChecksumChoice) -> Synthetic {
        Synthetic::new(SyntheticSpec { size, parts, seed: 5, checksum }).unwrap()
    }

    fn read(synthetic: &Synthetic) -> Vec<u8> {
        let mut bytes = Vec::new();
        while (bytes.len() as u64) < synthetic.len() {
            let slice = synthetic.slice(bytes.len() as u64, 300_007);
            assert!(!slice.is_empty());
            bytes.extend_from_slice(&slice);
        }
        assert!(synthetic.slice(synthetic.len(), 1).is_empty());
        bytes
    }

    #[test]
    fn the_facts_are_those_of_the_bytes() {
        let size = 9 * 1_500_000 + 77;
        let each = PartSizes::Each(vec![1, 4_000_000, size - 4_000_001]);
        for parts in [PartSizes::Uniform(1_500_000), each] {
            for algorithm in [Algorithm::Crc64Nvme, Algorithm::Crc32c] {
                let choice = ChecksumChoice::Typed(algorithm, ChecksumType::FullObject);
                let synthetic = spec(size, parts.clone(), choice);
                let (facts, bytes) = (synthetic.facts().unwrap(), read(&synthetic));
                assert_eq!(facts.checksum, Some(StoredChecksum::full(algorithm, &Hasher::of(algorithm, &bytes))));
                let mut rest = &bytes[..];
                let md5s: Vec<String> = facts
                    .parts
                    .iter()
                    .map(|part| {
                        let (part, behind) = rest.split_at(part.size as usize);
                        rest = behind;
                        hex::encode(Hasher::of(Algorithm::Md5, part))
                    })
                    .collect();
                assert!(rest.is_empty());
                assert_eq!(facts.etag, multipart_etag(md5s.iter().map(String::as_str)));
            }
        }
    }

    #[test]
    fn neighbours_and_powers_of_two_apart_differ() {
        let part = 1 << 20;
        let bytes = read(&spec(16 * part, PartSizes::Uniform(part), ChecksumChoice::None));
        for distance in [1, 2, 4, 8] {
            let shift = (distance * part) as usize;
            assert!(bytes[shift..shift + 4096] != bytes[..4096], "{distance} parts apart");
        }
        for period in (9..22).map(|power| 1 << power) {
            let same = (0..8192).filter(|at| bytes[*at] == bytes[at + period]).count();
            assert!(same < 100, "{same} of 8192 bytes return after {period}");
        }
    }

    #[test]
    fn impossible_layouts_are_refused() {
        let refused =
            |size, parts| Synthetic::new(SyntheticSpec { size, parts, seed: 0, checksum: ChecksumChoice::None });
        assert_eq!(refused(10_001, PartSizes::Uniform(1)).err(), Some(SyntheticError::PartCount));
        assert_eq!(refused(10, PartSizes::Uniform(0)).err(), Some(SyntheticError::PartCount));
        assert_eq!(refused(10, PartSizes::Each(vec![4, 5])).err(), Some(SyntheticError::PartSum));
        assert_eq!(refused(4, PartSizes::Each(vec![4, 0])).err(), Some(SyntheticError::PartCount));
        assert_eq!(refused(u64::MAX, PartSizes::None).err(), Some(SyntheticError::PartSize));
        let choice = ChecksumChoice::Typed(Algorithm::Sha256, ChecksumType::FullObject);
        assert_eq!(spec(4, PartSizes::Uniform(4), choice).facts().err(), Some(SyntheticError::ChecksumType));
    }
}
