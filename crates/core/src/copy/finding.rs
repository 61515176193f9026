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
        /// The local file can be created, and was written.
        File = "file",
        /// There is no other upload to the same key.
        Uploads = "uploads",
        /// There is no object of the same name under another path.
        OtherPath = "other-path",
        /// Versioning of the bucket.
        Versioning = "versioning",
        /// Default encryption of the bucket.
        BucketEncryption = "bucket-encryption",
        /// The KMS key is in the Region of the bucket.
        KmsKey = "kms-key",
        /// The credentials may use the KMS key.
        KmsUse = "kms-use",
        /// Object Lock of the bucket, and of the copy.
        ObjectLock = "object-lock",
        /// No lifecycle rule removes the copy.
        Lifecycle = "lifecycle",
        /// No lifecycle rule removes the upload before it is complete.
        AbortRule = "abort-rule",
        /// The copy can be read, and restored, at once.
        Readable = "readable",
        /// The credentials may write the copy.
        Permission = "permission",
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
        /// Somebody read the bytes, and not only the server that copied them.
        Proof = "proof",
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
    /// What the result was taken from, such as an API call.
    pub source: Option<&'static str>,
    /// Whether it was checked at all. What only a write can show is not.
    pub tested: bool,
}

impl CopyFinding {
    /// A check that passed.
    pub fn pass(check: CopyCheck, text: impl Into<String>) -> Self {
        CopyFinding { check, required: true, verdict: Verdict::Pass, text: text.into(), source: None, tested: true }
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

    /// What cannot be checked without writing. Nothing depends on it.
    pub fn not_tested(check: CopyCheck, text: impl Into<String>) -> Self {
        CopyFinding { tested: false, ..CopyFinding::aside(check, text) }
    }

    /// The same with what the result was taken from.
    #[must_use]
    pub fn by(self, source: &'static str) -> Self {
        CopyFinding { source: Some(source), ..self }
    }
}
