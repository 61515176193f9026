use jiff::Timestamp;

use crate::audit::ContentFingerprint;
use crate::ident::{AmiId, BucketPath, ObjectUri};
use crate::text::sentences;

sentences! {
    /// On the facts of an object.
    pub enum DiscoveryNote {
        /// The server has no `GetObjectAttributes`.
        AttributesUnsupported => "the server does not know GetObjectAttributes",
        /// `GetObjectAttributes` was not answered.
        AttributesUnanswered { why: String } => "GetObjectAttributes: {why}",
        /// `GetObjectAttributes` describes another object.
        AttributesOfAnother => "GetObjectAttributes describes another ETag or size than HEAD, and is ignored",
        /// The list of parts is not usable.
        PartListUnusable { why: String } => "{why}",
        /// The part sizes are those that fit the number of parts.
        PartSizesGuessed { why: String } => "part sizes are guessed: {why}",
        /// A checksum of S3 is malformed.
        UnreadableChecksum { problem: String } => "a stored checksum cannot be read: {problem}",
    }
}

sentences! {
    /// On the result of `inspect`.
    pub enum InspectNote {
        /// Windows of the content could not be read.
        NotProbed { problem: String } => "the content could not be probed: {problem}",
        /// HEAD is refused, so only the listing is known.
        ListedOnly { denied: String } => "HEAD is {denied}; this is what the listing shows",
        /// The name is not that of a stored AMI.
        ForeignName => "the last segment of the name is not `ami-….bin`: a renamed copy, or no stored AMI object",
        /// `x-amz-missing-meta`.
        MissingMetadata { entries: u32 } => "S3 left out {entries} metadata entries that headers cannot carry",
        /// The metadata that EC2 writes is not there.
        NoMetadata =>
            "the object has no user metadata. EC2 stores objects with some, so this is probably a copy made without it; a restore does not need it",
        /// `x-amz-restore` is malformed.
        UnreadableRestore { text: String } => "x-amz-restore cannot be read: {text}",
        /// The metadata contradicts the key.
        OtherAmi { ami: AmiId } => "the metadata names {ami}, the key another AMI",
    }
}

sentences! {
    /// On what the user passed.
    pub enum InputNote {
        /// A record of another AMI is not used.
        RecordOfAnother { file: String, image: String } =>
            "{file} is the record of {image}, not of this object, and its sizes are left out",
        /// A URI was given where a bucket was expected.
        BucketAsUri { taken_as: BucketPath } =>
            "the bucket was written as an s3:// address, and is taken as `{taken_as}`",
    }
}

sentences! {
    /// On an object of an audit.
    pub enum AuditedNote {
        /// The listing states another size than HEAD.
        OtherSizeListed { listed_bytes: u64, bytes: u64 } =>
            "the listing says that it has {listed_bytes} bytes, and HEAD {bytes}: the value of HEAD is used",
        /// It was replaced after the listing.
        ReplacedSinceListed => "it was replaced since it was listed",
        /// Its entry in the listing is malformed.
        OddlyListed { odd: String, bytes: u64 } => "{odd}: the size that HEAD states is used, {bytes} bytes",
        /// `x-amz-expiration`.
        WillBeRemoved { rule: String } => "a lifecycle rule will remove it: {rule}",
        /// A lifecycle rule moves it to an archive class.
        WillBeArchived { at: Timestamp, by: String } =>
            "it will be archived on {at}: {by}; it must be restored from the archive tier before EC2 can restore the AMI",
        /// It was written again, with the same content.
        SameContent { by: ContentFingerprint } =>
            "written again since it was first seen, with the same content by {by}",
        /// The listing does not contain it.
        NotListed => "the listing does not contain it; it was requested by its key",
        /// It could not be asked for.
        Unanswered { error: String } => "{error}",
        /// When it was last seen.
        LastSeen { at: String } => "last seen {at}",
        /// When it was last seen, without any problem.
        LastSeenInOrder { at: String } => "last seen in order {at}",
    }
}

sentences! {
    /// On whether an AMI may be deleted.
    pub enum DeletionNote {
        /// The copy must be restored from an archive class first.
        Archived { copy: ObjectUri, state: String } =>
            "{copy}: {state}; it must be restored from the archive tier before EC2 can restore the AMI",
        /// Another copy does not suffice.
        OtherCopy { lacks: String } => "another copy does not meet the requirements: {lacks}",
        /// What was not checked.
        OtherUses =>
            "not checked: what else needs the AMI (launch templates, instances that must be replaced, shares)",
    }
}
