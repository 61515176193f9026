//! The objects of the matrix, and their references.

use stored_ami::checksum::Algorithm;

use crate::claim::{FOLDING, Reference};
use crate::harm::Case;
use crate::shape::{Shape, uniform};

/// What the server states about parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answers {
    /// Like S3: a list for composite checksums, and the size of each part on request.
    All,
    /// Attributes are denied, so parts are not listed.
    Unlisted,
    /// In addition, HEAD of a part describes the whole object.
    Ignored,
    /// In addition, HEAD of a part is denied.
    Refused,
}

/// How the object is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reading {
    Usual,
    /// In ranges smaller than the parts, with an additional digest that is computed in order.
    InOrder,
    /// Every second range, starting with the second.
    Sample,
}

/// An object and its references.
#[derive(Debug, Clone)]
pub struct Holding {
    pub shape: Shape,
    /// Without an ETag among them, the object is encrypted with a KMS key, and its ETag is not an MD5.
    pub references: Vec<Reference>,
    pub answers: Answers,
    pub reading: Reading,
}

impl Holding {
    pub fn new(shape: Shape, references: &[Reference]) -> Self {
        Holding { shape, references: references.to_vec(), answers: Answers::All, reading: Reading::Usual }
    }

    fn answers(self, answers: Answers) -> Self {
        Holding { answers, ..self }
    }

    fn read(self, reading: Reading) -> Self {
        Holding { reading, ..self }
    }

    /// Every kind of reference in every type that S3 allows, over every shape that affects it.
    pub fn all() -> Vec<Holding> {
        use Algorithm::{Crc32, Crc32c, Crc64Nvme, Sha256, Sha512};
        use Reference::{Composite, ETag, Expect, ExpectETag, ExpectParts, Full, Like, Manifest, Sums, Unstated};
        use Shape::{Disguised, EmptyEnd, Guessable, OnePart, Single, Uneven, Uniform};
        let one = |shape, reference| Holding::new(shape, &[reference]);
        let mut all = vec![Holding::new(Single, &[]), Holding::new(Uniform, &[])];
        for algorithm in Algorithm::ALL {
            all.extend([one(Single, Full(algorithm)), one(Uneven, Expect(algorithm))]);
            if FOLDING.contains(&algorithm) {
                all.extend([one(Uniform, Full(algorithm)), one(Uneven, Full(algorithm))]);
            }
            if algorithm != Crc64Nvme {
                all.extend([one(Uniform, Composite(algorithm)), one(Uneven, Composite(algorithm))]);
            }
        }
        all.extend([Single, Uniform, Uneven, Disguised].map(|shape| one(shape, ETag)));
        for shape in [Uniform, Uneven, Disguised] {
            let unlisted = |algorithm| one(shape, Composite(algorithm)).answers(Answers::Unlisted);
            all.extend([Crc32, Sha256].map(unlisted));
        }
        for answers in [Answers::Ignored, Answers::Refused] {
            for shape in [Guessable, Uniform] {
                all.extend([ETag, Composite(Sha256)].map(|reference| one(shape, reference).answers(answers)));
            }
        }
        all.extend([Crc32, Crc32c].map(|algorithm| one(Uniform, Unstated(algorithm))));
        all.push(one(Uneven, Unstated(Crc32)));
        all.push(one(EmptyEnd, Composite(Sha256)));
        all.extend([ETag, Composite(Sha256)].map(|reference| one(OnePart, reference)));
        all.push(one(OnePart, ETag).answers(Answers::Ignored));
        all.extend([Single, Uniform, Uneven].map(|shape| one(shape, Manifest)));
        all.extend([Single, Uniform, Uneven].map(|shape| one(shape, ExpectETag)));
        for shape in [Uniform, Uneven] {
            all.extend([Crc32, Sha256].map(|algorithm| one(shape, ExpectParts(algorithm))));
            all.extend([Sums(Sha256), Like(Crc64Nvme)].map(|reference| one(shape, reference)));
            all.push(one(shape, Composite(Sha256)).read(Reading::Sample));
        }
        // The checksum that S3 stores by default since December 2024, and usual combinations.
        for shape in [Single, Uniform, Uneven, Disguised] {
            all.push(Holding::new(shape, &[Full(Crc64Nvme), ETag]));
        }
        for shape in [Uniform, Uneven] {
            all.push(Holding::new(shape, &[Composite(Sha256), ETag]));
            all.push(Holding::new(shape, &[Composite(Sha256), Expect(Sha512)]));
            all.push(Holding::new(shape, &[Full(Crc64Nvme), ETag, Manifest]));
        }
        all.push(Holding::new(Disguised, &[ETag, Manifest]));
        all.push(Holding::new(Uniform, &[Full(Crc64Nvme), ETag]).answers(Answers::Ignored));
        let in_order = [
            one(Single, Full(Sha256)),
            one(Uneven, Full(Crc64Nvme)),
            one(Uniform, Composite(Sha256)),
            one(Uneven, Composite(Sha256)),
            one(Uneven, Composite(Crc32)),
            one(Single, ETag),
            one(Uniform, ETag),
            one(Uneven, ETag),
            one(Uneven, Manifest),
        ];
        all.extend(in_order.map(|holding| holding.read(Reading::InOrder)));
        all
    }

    pub fn has(&self, reference: Reference) -> bool {
        self.references.contains(&reference)
    }

    pub fn multipart(&self) -> bool {
        self.shape != Shape::Single
    }

    /// Whether each part states its size on request.
    pub fn parts_can_be_asked(&self) -> bool {
        matches!(self.answers, Answers::All | Answers::Unlisted)
    }

    /// S3 lists the parts of composite checksums, unless attributes are denied.
    pub fn lists_parts(&self) -> bool {
        let composite = self.references.iter().any(|reference| matches!(reference, Reference::Composite(_)));
        composite && self.answers == Answers::All
    }

    /// The part sizes that the first part suggests, if the actual ones differ.
    pub fn misled(&self, case: &Case) -> Option<Vec<usize>> {
        let asked = self.multipart() && self.parts_can_be_asked() && !self.lists_parts();
        let fits = asked && case.told.len() == case.written.len();
        let fits = fits && case.stated_size.div_ceil(case.told[0]) == case.told.len();
        let suggested = fits.then(|| uniform(case.stated_size, case.told[0]));
        suggested.filter(|suggested| *suggested != case.told)
    }
}
