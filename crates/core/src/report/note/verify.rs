use crate::text::sentences;
use crate::units::ByteSize;
use crate::verdict::CheckId;

sentences! {
    /// On a verification.
    pub enum VerifyNote {
        /// There is no reference.
        NothingToCompare => "nothing was read: there is no reference to compare the bytes with",
        /// An earlier run read a part of the bytes.
        Resumed { read_bytes: u64, of_bytes: u64, until: String, file: String } =>
            "{} of {} were read by an earlier run, up to {until} ({file})" (ByteSize(*read_bytes), ByteSize(*of_bytes)),
        /// Nothing shows that the object is the one that an earlier run read.
        NotResumed { file: String } =>
            "{file} is not resumed from, and everything is read again: neither a strong ETag nor a version id shows that the object is unchanged",
        /// A second read, because the parts are others than was assumed.
        RereadByParts { bytes: u64 } =>
            "the parts have other sizes than was assumed; reading {} again with the right ones" (ByteSize(*bytes)),
        /// A second read, because the bytes do not match.
        ConfirmingMismatch { bytes: u64 } =>
            "the bytes do not match: reading all {} once more to rule out a bad read" (ByteSize(*bytes)),
        /// A second read, because the stream is damaged.
        ConfirmingStream { bytes: u64 } =>
            "the stream is not whole: reading all {} once more to rule out a bad read" (ByteSize(*bytes)),
        /// HEAD of each part, because the list of parts does not fit the bytes.
        AskingEachPart => "the parts end elsewhere than GetObjectAttributes lists: asking each of them",
        /// The version that was read was deleted or hidden meanwhile.
        NotCurrent { why: String } => "the version verified is no longer the current one: {why}",
        /// A newer version was written meanwhile.
        NewerVersion { version: String } =>
            "a newer version ({version}) has been written meanwhile; the one verified is no longer current, and a restore would read the newer one",
        /// The HEAD after the read was not answered.
        ChangeUnknown { why: String } => "whether the object is still the same could not be asked: {why}",
        /// The HEAD after the read was not made.
        ChangeNotAsked => "--max-time was over before it was asked whether the object is still the same",
        /// No range was read completely, so that the next run would begin anew.
        NoRangeInTime => "--max-time was over before a range was read completely; --range-size makes them smaller",
        /// The manifest is of another location with the same ETag, size and parts.
        ManifestElsewhere { target: String } => "the manifest was written for {target}; if that is not a copy of this object, it is the wrong manifest",
        /// The manifest was written without a proof.
        Baseline { written_at: String } =>
            "the manifest is a baseline: when it was written ({written_at}) no stored or given value proved the bytes",
        /// `--like` names the object that is verified.
        LikeItself => "--like names the object itself: its values are those that S3 stores with it, and add nothing",
        /// The object bears the mark of a copy whose source need not have been proved.
        UnprovedCopy =>
            "the object is a copy of bytes that nothing need have proved (its metadata says so): its own values show only that it is as it was written",
        /// The signature of the manifest.
        ManifestSigned { key_id: String, comment: String } =>
            "the manifest is signed by minisign key {key_id}; trusted comment: {comment}",
        /// The object of `--like` has no usable checksum.
        LikeUnusable { target: String } => "{target} has no reference that could be used",
        /// A reference is a tag of the object.
        LeftInTags { check: CheckId, source: String } =>
            "{check} is of the {source}: whoever may tag the object can change it, and nothing shows who computed it, when, and from which bytes",
        /// A reference is in the metadata of the object.
        LeftInMetadata { check: CheckId, source: String } =>
            "{check} is of the {source}: the writer of the object stated it, and nothing shows from which bytes it was computed",
        /// No tag or metadata has a name of a checksum.
        NothingLeft { place: &'static str } => "no value that another program left is in the {place} of the object",
        /// Only an ETag refutes the bytes, and the server does not document its ETags.
        OnlyUndocumentedETag { check: CheckId } =>
            "only {check} does not match, and nothing documents that the ETags of this server are MD5s: a server whose ETags are something else looks the same",
        /// The read is not reliable, so no manifest is written.
        NoManifestUnreliable => "no manifest is written, because the read is not reliable",
        /// The verification failed, so no manifest is written.
        NoManifestFailed => "no manifest is written of an object that failed",
        /// Bytes are missing, so no manifest is written.
        NoManifestIncomplete => "no manifest is written, because not every byte was read",
    }
}
