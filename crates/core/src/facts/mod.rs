//! Values stated by a server: parsed, but not yet checked against the bytes.
//!
//! A [`Fact`] is a value or the reason why there is none. [`ObjectFacts`] holds what HEAD states about an
//! object; [`check_reply`] compares a response with its request; [`Walk`] checks the pages of a listing. The
//! enums of states keep unknown words in a variant `Other`.

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
mod shape;
mod source;
mod words;

pub use account::{Caller, KeyFacts};
pub use bucket::{
    BucketEncryption, BucketFacts, BucketLock, DefaultRetention, ListedObject, OwnerCheck, RetentionPeriod, UploadFacts,
};
pub use content_range::{ContentRange, ParseContentRangeError};
pub use encoded_word::decoded_words;
pub use fact::Fact;
pub use image::{EbsDefault, ImageFacts, SnapshotFacts, StoreTask, VolumeFacts};
pub use lifecycle::{Age, Expiration, LifecycleRule, Noncurrent, RuleFilter, RuleStatus, Transition};
pub use listing::{ListedPage, OddEntry, RawEntry, RawPage, Walk, check_listing_request};
pub use object::{
    AttributeFacts, Encryption, LockEnd, LockFacts, ObjectFacts, PartFacts, SystemHeaders, UNPROVED_COPY,
};
pub use recognise::{Recognised, recognise};
pub use reply::{ReplyHead, ReplyProblem, check_reply};
pub use restore::{ParseRestoreError, Readability, RestoreState, readability, removal};
pub use service::Service;
pub use shape::{ValueForm, ValueShape};
pub use source::FactsSource;
pub use words::{
    ArchiveStatus, ClassWord, EncryptionWord, ImageState, KeyState, LegalHold, LockMode, RootDevice, SnapshotState,
    SnapshotTier, TaskState, Versioning, Virtualization,
};
