//! What objects are held against, and what each of these values can tell.

use stored_ami::checksum::Algorithm;
use stored_ami_lab::checksum as theirs;

use crate::harm::Case;
use crate::holding::Holding;
use crate::shape::{Shape, parts};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reference {
    /// A checksum that S3 stores, over the whole object.
    Full(Algorithm),
    /// The same from a server that does not state the type.
    Unstated(Algorithm),
    /// A checksum that S3 stores, over the checksums of the parts.
    Composite(Algorithm),
    ETag,
    /// `--expect`.
    Expect(Algorithm),
    /// `--expect` of a value over parts.
    ExpectParts(Algorithm),
    /// `--etag`.
    ExpectETag,
    /// `--sums`.
    Sums(Algorithm),
    /// `--like` an object that has such a checksum over the whole.
    Like(Algorithm),
    /// `--manifest`.
    Manifest,
}

/// What the claims of a holding are made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Of {
    ETag,
    /// A value for each part, and one over everything.
    Values,
    /// The values of the parts alone.
    Parts,
    /// The value over everything alone.
    Total,
}

/// One value, and what it can tell.
#[derive(Debug, Clone)]
pub struct Claim {
    /// The name of its check.
    pub check: String,
    pub algorithm: Algorithm,
    pub of: Of,
    /// It is made of the digests of parts, not of the bytes.
    pub parts: bool,
    /// Holding it against the bytes takes knowing where the parts end.
    pub by_part: bool,
    /// A value for every part comes with it.
    pub names: bool,
    /// Where its parts end can be known for certain, so that a mismatch speaks against the bytes.
    pub refutes: bool,
    /// The right layout is known or among those that are tried.
    pub right: bool,
    /// It is of S3, and S3 does not list its parts.
    pub unlisted: bool,
    /// The check that fails in its place when the object has another size.
    pub sized: Option<&'static str>,
}

pub const FOLDING: [Algorithm; 3] = [Algorithm::Crc32, Algorithm::Crc32c, Algorithm::Crc64Nvme];

/// A digest by other hands than the verifier's.
pub fn digest(algorithm: Algorithm, bytes: &[u8]) -> Vec<u8> {
    theirs::Hasher::of(lab(algorithm), bytes)
}

/// The lab's name of an algorithm.
pub fn lab(algorithm: Algorithm) -> theirs::Algorithm {
    let same = |theirs: &theirs::Algorithm| theirs.name().parse() == Ok(algorithm);
    theirs::Algorithm::ALL.into_iter().find(same).expect("both know ten algorithms")
}

impl Holding {
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
        // Where nobody tells where parts end, sizes are guessed.
        let told = self.parts_can_be_asked();
        let stored = |claim: Claim| Claim {
            refutes: told,
            right: told || matches!(self.shape, Shape::Guessable | Shape::OnePart),
            names: claim.names && told,
            unlisted: !self.lists_parts(),
            ..claim
        };
        // How a value was made that a person gives is not known.
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
                // SHA-256 always; MD5 where the ETag took it at the time.
                let md5 = self.has(ETag).then(|| of_parts(Algorithm::Md5));
                [total, of_parts(Algorithm::Sha256)].into_iter().chain(md5).map(sized).collect()
            }
        }
    }
}

impl Claim {
    /// The bytes that the value of each part was made of, and those that the one over everything was made of.
    fn made_of<'a>(&self, case: &'a Case) -> (&'a [u8], &'a [u8]) {
        match self.of {
            Of::ETag => (&case.etag_of, &case.etag_of),
            Of::Values => (&case.parts_of, &case.total_of),
            Of::Parts => (&case.parts_of, &case.parts_of),
            Of::Total => (&case.total_of, &case.total_of),
        }
    }

    /// The parts, counted from 0, whose digest is not that of the bytes at rest.
    pub fn wrong_parts(&self, case: &Case) -> Vec<usize> {
        let then = parts(self.made_of(case).0, &case.written);
        let now = parts(&case.held, &case.told);
        let differ = |part: &usize| digest(self.algorithm, then[*part]) != digest(self.algorithm, now[*part]);
        (0..now.len()).filter(differ).collect()
    }

    /// Whether the value is not that of the bytes at rest.
    pub fn sees(&self, case: &Case) -> bool {
        let (each, total) = self.made_of(case);
        match self.parts {
            true => !self.wrong_parts(case).is_empty() || digest(self.algorithm, each) != digest(self.algorithm, total),
            false => digest(self.algorithm, total) != digest(self.algorithm, &case.held),
        }
    }
}
