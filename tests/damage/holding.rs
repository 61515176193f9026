//! The objects of the matrix, and what each is held against.

use stored_ami::checksum::Algorithm;

use crate::claim::{FOLDING, Reference};
use crate::harm::Case;
use crate::shape::{Shape, uniform};

/// What the server tells of parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answers {
    /// What S3 tells: a list with composites, and each part when asked.
    All,
    /// Attributes are refused, so nothing is listed.
    Unlisted,
    /// And a HEAD of a part tells of the whole object.
    Ignored,
    /// And a HEAD of a part is refused.
    Refused,
}

/// How the object is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reading {
    Usual,
    /// In ranges smaller than the parts, and with a digest that must go in order beside it.
    InOrder,
    /// Every second range, beginning with the second.
    Sample,
}

/// An object and what it is held against.
#[derive(Debug, Clone)]
pub struct Holding {
    pub shape: Shape,
    /// Without an ETag among them the object is encrypted with a key of KMS, and its ETag is no MD5.
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

    /// Every kind of reference in every type that S3 allows, over every shape that makes a difference to it.
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
        // What S3 stores by default since December 2024, and what else is found together.
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

    /// Each part can be asked where it ends.
    pub fn parts_can_be_asked(&self) -> bool {
        matches!(self.answers, Answers::All | Answers::Unlisted)
    }

    /// S3 lists the parts of composites, unless attributes are refused.
    pub fn lists_parts(&self) -> bool {
        let composite = self.references.iter().any(|reference| matches!(reference, Reference::Composite(_)));
        composite && self.answers == Answers::All
    }

    /// The sizes that the first part suggests, where they are not those of the parts.
    pub fn misled(&self, case: &Case) -> Option<Vec<usize>> {
        let asked = self.multipart() && self.parts_can_be_asked() && !self.lists_parts();
        let fits = asked && case.told.len() == case.written.len();
        let fits = fits && case.stated_size.div_ceil(case.told[0]) == case.told.len();
        let suggested = fits.then(|| uniform(case.stated_size, case.told[0]));
        suggested.filter(|suggested| *suggested != case.told)
    }
}
