use jiff::SignedDuration;

use super::limits::{both_units, grouped};
use super::name_source::NameSource;
use crate::ident::AmiId;
use crate::text::sentences;
use crate::units::{counted, duration};

sentences! {
    /// Information of a preflight that has no verdict.
    pub enum PreflightNote {
        /// The work in progress and the new task together are within the limit. `together` is in bytes, `gb` as AWS
        /// states the limit.
        WithinLimit { together: u64, gb: u64 } =>
            "in progress plus this one: {}, within {} GB" (both_units(*together), grouped(*gb)),
        /// They are within the limit if AWS means binary units.
        WithinBinaryLimit { together: u64, gb: u64 } =>
            "in progress plus this one: {}, within {} GB only if that means GiB" (both_units(*together), grouped(*gb)),
        /// They are over the limit, which the documented rule permits.
        OverLimit { together: u64, gb: u64 } =>
            "in progress plus this one: {}, over {} GB once started; the documented rule admits it, and then nothing more until it is below"
            (both_units(*together), grouped(*gb)),
        /// The work in progress was counted in one Region, although AWS states the limit per account.
        CountedIn { region: String } =>
            "work in progress was counted in {region} alone; AWS states its limit per account",
        /// AWS's pages disagree on whether these characters are legal in a name.
        DoubtfulCharacters { characters: String } =>
            "one page of AWS's documentation does not list `{characters}` among the legal characters of a name",
        /// The user gave no name, and there is one that stands in its place.
        NameOf { name: String, of: NameSource } => "no --name is given: `{name}` is the name of {of}",
        /// The key does not name an AMI.
        ForeignKey =>
            "the last segment of the key is not `ami-….bin`: a renamed copy, or no stored AMI object; AWS does not publish whether a restore depends on the name",
        /// The object bears the mark of a copy whose source need not have been proved.
        UnprovedCopy =>
            "the object is a copy of bytes that nothing need have proved (its metadata says so): a match with its own values shows only that it is as it was written",
        /// AMIs that were made from the same AMI. It is no finding, because a drill repeats a restore on purpose, and
        /// CopyImage leaves the same trace.
        RestoredBefore { ami: AmiId, images: Vec<String> } =>
            "{ami} was restored or copied here before: {}" (images.join(", ")),
        /// The restored snapshots lose the encryption of the source.
        EncryptionLost =>
            "the source was encrypted, and EBS encryption by default is off here: the restored snapshots will NOT be encrypted",
        /// The restored snapshots are not encrypted.
        NotEncrypted => "EBS encryption by default is off here: the restored snapshots will not be encrypted",
        /// The key of the restored snapshots.
        EncryptedWith { key: String } =>
            "the restored snapshots will be encrypted with {key}, the EBS default here",
        /// Who makes the call.
        Caller { partition: String, account: String, arn: String } =>
            "partition {partition}, account {account}, {arn}",
        /// The price of the snapshot blocks, as [`crate::price::block_note`] states it.
        BlockPrice { price: String } => "{price}",
        /// The duration, estimated from earlier restores.
        Takes { time: SignedDuration, restores: usize } =>
            "about {}, estimated from {}"
            (duration(time.as_secs_f64()), counted(*restores as u64, "earlier restore")),
        /// There is no earlier restore to estimate the duration from.
        TakesUnknown => "duration unknown: the journal has no earlier restore",
        /// Snapshots whose encryption the object loses.
        SnapshotsDecrypted { encrypted: usize, of: usize } =>
            "{encrypted} of {of} snapshots are encrypted; the store decrypts them, and the object will not be encrypted by their keys",
        /// Mappings that are not stored.
        OtherMappings { mappings: usize } => "{} of the AMI without an EBS volume: no data to store" (counted(*mappings as u64, "mapping")),
        /// Properties of the AMI that do not fit into tags of the object.
        TooLongForTags { tags: Vec<String> } =>
            "too long for a tag of the object, and left to the record: {}" (tags.join(", ")),
        /// The protection of the objects in the bucket.
        Bucket { note: BucketNote } => "{note}",
    }
}

sentences! {
    /// Protection of the objects in a bucket.
    pub enum BucketNote {
        /// A restore may read another object than the one that was checked.
        Replaceable =>
            "the bucket keeps no versions: whoever may write to it can replace the object before EC2 has read it",
        /// Versioning is off or suspended.
        NotVersioned { state: String } =>
            "versioning of the bucket is {state}: what is overwritten or deleted is gone",
        /// Whether there is versioning is not known.
        VersioningUnknown { why: String } => "versioning of the bucket: {why}",
        /// The default encryption.
        Encrypts { algorithm: String, key: Option<String> } =>
            "the bucket encrypts new objects with {algorithm}{}"
            (key.as_ref().map(|key| format!(" with key {key}")).unwrap_or_default()),
        /// There is no default encryption.
        NoEncryption => "the bucket states no default encryption",
        /// Whether there is default encryption is not known.
        EncryptionUnknown { why: String } => "default encryption of the bucket: {why}",
        /// The objects may become public.
        PublicAccess => "public access to the bucket is not blocked in all four ways",
        /// Whether public access is blocked is not known.
        PublicAccessUnknown { why: String } => "public access to the bucket: {why}",
    }
}

impl From<BucketNote> for PreflightNote {
    fn from(note: BucketNote) -> Self {
        PreflightNote::Bucket { note }
    }
}
