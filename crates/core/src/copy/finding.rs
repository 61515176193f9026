use std::str::FromStr;

use crate::text::words;
use crate::verdict::Verdict;

words! {
    /// What is checked before, during and after a copy.
    pub enum CopyCheck {
        /// The bytes of the source match its references.
        Source = "source",
        /// The identity at the source.
        SourceCaller = "source-caller",
        /// The identity at the destination.
        DestinationCaller = "destination-caller",
        /// The bucket exists and answers.
        Bucket = "bucket",
        /// The bucket is not public.
        Public = "public",
        /// There is no other object at the destination.
        Absent = "absent",
        /// There is no other upload to the same key.
        Uploads = "uploads",
        /// Versioning of the bucket.
        Versioning = "versioning",
        /// Default encryption of the bucket.
        BucketEncryption = "bucket-encryption",
        /// No lifecycle rule removes the copy.
        Lifecycle = "lifecycle",
        /// The server confirmed the parts that it received.
        Parts = "parts",
        /// The size of the copy.
        Size = "size",
        /// The ETag of the copy.
        ETag = "etag",
        /// The stored checksum of the copy.
        Checksum = "checksum",
        /// The storage class of the copy.
        StorageClass = "storage-class",
        /// The encryption of the copy.
        Encryption = "encryption",
        /// Metadata and content type of the copy.
        Metadata = "metadata",
        /// Tags of the copy.
        Tags = "tags",
        /// The copy was read, and matches.
        ReadBack = "read-back",
    }
}

/// The text names no check of a copy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a check of a copy")]
pub struct ParseCopyCheckError(pub String);

impl FromStr for CopyCheck {
    type Err = ParseCopyCheckError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let named = CopyCheck::ALL.iter().find(|check| check.name() == text);
        named.copied().ok_or_else(|| ParseCopyCheckError(text.to_owned()))
    }
}

/// The result of a check of a copy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CopyFinding {
    /// What was checked.
    pub check: CopyCheck,
    /// Whether the copy may not count as proved without it.
    pub required: bool,
    /// The result.
    pub verdict: Verdict,
    /// What was found, for the user.
    pub text: String,
}

impl CopyFinding {
    /// A check that passed.
    pub fn pass(check: CopyCheck, text: impl Into<String>) -> Self {
        CopyFinding { check, required: true, verdict: Verdict::Pass, text: text.into() }
    }

    /// A check that failed.
    pub fn fail(check: CopyCheck, text: impl Into<String>) -> Self {
        CopyFinding { verdict: Verdict::Fail, ..CopyFinding::pass(check, text) }
    }

    /// A required check without a result.
    pub fn open(check: CopyCheck, text: impl Into<String>) -> Self {
        CopyFinding { verdict: Verdict::Unknown, ..CopyFinding::pass(check, text) }
    }

    /// A check without a result that nothing depends on.
    pub fn aside(check: CopyCheck, text: impl Into<String>) -> Self {
        CopyFinding { required: false, ..CopyFinding::open(check, text) }
    }
}
