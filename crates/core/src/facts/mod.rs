//! What a server told us: parsed, and not yet believed.

mod account;
mod bucket;
mod content_range;
mod encoded_word;
mod fact;
mod image;
mod lifecycle;
mod listing;
mod object;
mod parameters;
mod recognise;
mod reply;
mod restore;
mod service;
mod words;

pub use account::{Caller, KeyFacts};
pub use bucket::{BucketEncryption, BucketFacts, ListedObject, OwnerCheck, UploadFacts};
pub use content_range::{ContentRange, ParseContentRangeError};
pub use encoded_word::decoded_words;
pub use fact::Fact;
pub use image::{EbsDefault, ImageFacts, SnapshotFacts, StoreTask, VolumeFacts};
pub use lifecycle::{Age, Expiration, LifecycleRule, Noncurrent, RuleFilter, RuleStatus, Transition};
pub use listing::{ListedPage, OddEntry, RawEntry, RawPage, Walk, is_of_the_request};
pub use object::{AttributeFacts, Encryption, LockEnd, LockFacts, ObjectFacts, PartFacts};
pub use recognise::{Recognised, recognise};
pub use reply::{ReplyHead, ReplyProblem, check_reply};
pub use restore::{ParseRestoreError, Readability, RestoreState, readability, removal};
pub use service::Service;
pub use words::{
    ArchiveStatus, ClassWord, EncryptionWord, ImageState, KeyState, LegalHold, LockMode, RootDevice, SnapshotState,
    SnapshotTier, TaskState, Versioning, Virtualization,
};
