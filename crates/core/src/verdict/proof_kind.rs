use crate::text::words;

words! {
    /// How the bytes of an object are known to be right, the strongest first.
    pub enum ProofKind {
        /// This program read every byte of the object, and a reference matched.
        Read = "read",
        /// This program wrote the object from bytes that it had proved, and S3 confirmed their checksums. Nothing has
        /// read the object since.
        Written = "written",
        /// S3 computed or copied the object at rest and states the checksum. This program saw no byte.
        StatedByS3 = "stated-by-s3",
    }
}

impl ProofKind {
    /// The proof in a sentence, before its time.
    pub fn in_words(self) -> &'static str {
        match self {
            ProofKind::Read => "proved",
            ProofKind::Written => "written",
            ProofKind::StatedByS3 => "stated by S3",
        }
    }

    /// What a proof of this kind does not show; empty for the strongest.
    pub fn weakness(self) -> &'static str {
        match self {
            ProofKind::Read => "",
            ProofKind::Written => "the bytes were sent and confirmed by S3, and the object was not read since",
            ProofKind::StatedByS3 => "S3 states the checksum, and the object was not read",
        }
    }

    /// Whether a proof of this kind is accepted where `weakest` is the weakest kind that counts.
    pub fn meets(self, weakest: ProofKind) -> bool {
        self <= weakest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_and_the_order_of_proofs() {
        crate::text::assert_words!(ProofKind, ["read", "written", "stated-by-s3"]);
        for (at, kind) in ProofKind::ALL.iter().enumerate() {
            for (limit, weakest) in ProofKind::ALL.iter().enumerate() {
                assert_eq!(kind.meets(*weakest), at <= limit, "{kind} where {weakest} is accepted");
            }
        }
    }
}
