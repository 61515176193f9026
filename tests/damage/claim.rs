//! The references of the objects, and what each value can show.

use stored_ami::checksum::Algorithm;
use stored_ami_lab::checksum as theirs;

use crate::harm::Case;
use crate::holding::Holding;
use crate::shape::{Shape, parts};

/// A kind of reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reference {
    /// A checksum that S3 stores, over the whole object.
    Full(Algorithm),
    /// The same, from a server that does not state the type.
    Unstated(Algorithm),
    /// A composite checksum that S3 stores.
    Composite(Algorithm),
    ETag,
    /// `--expect`.
    Expect(Algorithm),
    /// `--expect` with a composite value.
    ExpectParts(Algorithm),
    /// `--etag`.
    ExpectETag,
    /// `--sums`.
    Sums(Algorithm),
    /// `--like` with an object that has such a checksum over the whole object.
    Like(Algorithm),
    /// `--manifest`.
    Manifest,
}

/// Which bytes the value is computed from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Of {
    ETag,
    /// A value for each part, and one over all bytes.
    Values,
    /// Only the values of the parts.
    Parts,
    /// Only the value over all bytes.
    Total,
}

/// One value, and what it can show.
#[derive(Debug, Clone)]
pub struct Claim {
    /// The name of the check.
    pub check: String,
    /// The algorithm of the value.
    pub algorithm: Algorithm,
    pub of: Of,
    /// Computed from the digests of the parts, not from the bytes.
    pub parts: bool,
    /// Comparing it with the bytes requires the part layout.
    pub by_part: bool,
    /// It contains a value for every part.
    pub names: bool,
    /// Its part layout can be proved, so that a mismatch refutes the bytes.
    pub refutes: bool,
    /// The actual layout is known or among the candidates.
    pub right: bool,
    /// A value of S3, whose parts S3 does not list.
    pub unlisted: bool,
    /// The check that fails instead if the object has another size.
    pub sized: Option<&'static str>,
}

/// Algorithms whose digests of ranges can be combined.
pub const FOLDING: [Algorithm; 3] = [Algorithm::Crc32, Algorithm::Crc32c, Algorithm::Crc64Nvme];

/// A digest by an independent implementation.
pub fn digest(algorithm: Algorithm, bytes: &[u8]) -> Vec<u8> {
    theirs::Hasher::of(lab(algorithm), bytes)
}

/// The lab's type of an algorithm.
pub fn lab(algorithm: Algorithm) -> theirs::Algorithm {
    let same = |theirs: &theirs::Algorithm| theirs.name().parse() == Ok(algorithm);
    theirs::Algorithm::ALL.into_iter().find(same).expect("both know ten algorithms")
}

impl Holding {
    /// All values of the references.
    pub fn claims(&self) -> Vec<Claim> {
        self.references.iter().flat_map(|reference| self.claims_of(*reference)).collect()
    }

    fn claims_of(&self, reference: Reference) -> Vec<Claim> {
        use Reference::{Composite, ETag, Expect, ExpectETag, ExpectParts, Full, Like, Manifest, Sums, Unstated};
        let whole = |check: String, algorithm| Claim {
            check,
            algorithm,
            of: Of::Values,
            parts: false,
            by_part: false,
            names: false,
            refutes: true,
            right: true,
            unlisted: false,
            sized: None,
        };
        let over_parts = |check: String, algorithm| Claim { parts: true, by_part: true, ..whole(check, algorithm) };
        // If the server states no part sizes, they are guessed.
        let told = self.parts_can_be_asked();
        let stored = |claim: Claim| Claim {
            refutes: told,
            right: told || matches!(self.shape, Shape::Guessable | Shape::OnePart),
            names: claim.names && told,
            unlisted: !self.lists_parts(),
            ..claim
        };
        // The layout of a value given by the user is not known.
        let given = |claim: Claim| Claim { of: Of::Total, refutes: false, ..claim };
        match reference {
            Full(algorithm) => vec![whole(algorithm.to_string(), algorithm)],
            Unstated(algorithm) => {
                vec![stored(Claim { by_part: true, ..whole(algorithm.to_string(), algorithm) })]
            }
            Composite(algorithm) => {
                vec![stored(Claim { names: true, ..over_parts(algorithm.to_string(), algorithm) })]
            }
            ETag if self.multipart() => {
                vec![stored(Claim { of: Of::ETag, ..over_parts("etag".to_owned(), Algorithm::Md5) })]
            }
            ETag => vec![Claim { of: Of::ETag, ..whole("etag".to_owned(), Algorithm::Md5) }],
            Expect(algorithm) => vec![whole(format!("expect-{algorithm}"), algorithm)],
            ExpectParts(algorithm) => vec![given(over_parts(format!("expect-{algorithm}"), algorithm))],
            ExpectETag if self.multipart() => vec![given(over_parts("expect-etag".to_owned(), Algorithm::Md5))],
            ExpectETag => vec![whole("expect-etag".to_owned(), Algorithm::Md5)],
            Sums(algorithm) => vec![whole(format!("sums-{algorithm}"), algorithm)],
            Like(algorithm) => {
                vec![Claim { sized: Some("like-size"), ..whole(format!("like-{algorithm}"), algorithm) }]
            }
            Manifest => {
                let sized = |claim: Claim| Claim { sized: Some("manifest-size"), ..claim };
                let total = whole("manifest-crc64nvme".to_owned(), Algorithm::Crc64Nvme);
                let of_parts = |algorithm: Algorithm| match self.multipart() {
                    true => {
                        let each = over_parts(format!("manifest-parts-{algorithm}"), algorithm);
                        Claim { names: true, of: Of::Parts, ..each }
                    }
                    false => whole(format!("manifest-{algorithm}"), algorithm),
                };
                // Always SHA-256; MD5 if the ETag needed it.
                let md5 = self.has(ETag).then(|| of_parts(Algorithm::Md5));
                [total, of_parts(Algorithm::Sha256)].into_iter().chain(md5).map(sized).collect()
            }
        }
    }
}

impl Claim {
    /// The bytes that the values of the parts were computed from, and those of the value over all bytes.
    fn made_of<'a>(&self, case: &'a Case) -> (&'a [u8], &'a [u8]) {
        match self.of {
            Of::ETag => (&case.etag_of, &case.etag_of),
            Of::Values => (&case.parts_of, &case.total_of),
            Of::Parts => (&case.parts_of, &case.parts_of),
            Of::Total => (&case.total_of, &case.total_of),
        }
    }

    /// The parts, counted from 0, whose digests differ from those of the stored bytes.
    pub fn wrong_parts(&self, case: &Case) -> Vec<usize> {
        let then = parts(self.made_of(case).0, &case.written);
        let now = parts(&case.held, &case.told);
        let differ = |part: &usize| digest(self.algorithm, then[*part]) != digest(self.algorithm, now[*part]);
        (0..now.len()).filter(differ).collect()
    }

    /// Whether the value differs from that of the stored bytes.
    pub fn sees(&self, case: &Case) -> bool {
        let (each, total) = self.made_of(case);
        match self.parts {
            true => !self.wrong_parts(case).is_empty() || digest(self.algorithm, each) != digest(self.algorithm, total),
            false => digest(self.algorithm, total) != digest(self.algorithm, &case.held),
        }
    }
}
