use crate::text::sentences;
use crate::units::ByteSize;

sentences! {
    /// On a store or a restore.
    pub enum TaskNote {
        /// The store was not followed to its end.
        StoreGoesOn { image: String, options: String } =>
            "the store continues in AWS; to follow it, run `stored-ami store --follow {image}{options}`",
        /// The store was not followed to its end, and its blocks are not in the record.
        BlocksNotRead { image: String, options: String } =>
            "no block was read; to add the blocks to the record, run `stored-ami fingerprint {image}{options}`",
        /// The restore was not followed to its end.
        RestoreGoesOn { image: String, options: String } =>
            "the restore continues in AWS; to follow it, run `stored-ami restore --follow {image}{options}`",
        /// EC2 returned a malformed id.
        OddSnapshot { id: String } => "the AMI names the snapshot `{id}`, which is no id",
        /// EC2 returned a malformed id.
        OddImage { id: String } => "`{id}` is no id of an AMI",
        /// An entry of the journal could not be read.
        JournalUnreadable { folder: String, problem: String } => "journal {folder}: {problem}",
        /// The entry that names the AMI is of another account or Region.
        OtherJournalEntry { account: String, region: String, image: String, owner: String, here: String } =>
            "the journal's entry is of account {account} in {region}, and {image} is of {owner} in {here}",
        /// The AMI did not pass.
        AliasNotWritten { alias: String } =>
            "the alias {alias} was not written: aliases are only updated for AMIs that pass all required checks",
        /// The record was not completed.
        RecordNotWritten { problem: String } => "{problem}",
    }
}

sentences! {
    /// On a measurement.
    pub enum BenchNote {
        /// The object is too small for a measurement.
        SmallObject { requests: u64 } =>
            "the object is too small to measure the throughput: {requests} requests were made each time",
        /// `--max-memory` does not suffice for more connections.
        MemoryLimit { memory: u64, connections: usize } =>
            "--max-memory {} allows {connections} connections; more were not tried" (ByteSize(*memory)),
        /// The total time was over before all measurements were made.
        TotalTime { seconds: u64 } =>
            "the measurements ended after {seconds} s in all, before more connections had stopped bringing a gain; \
             --total-time gives them longer",
        /// The user limited the rate of all reads together, in bytes per second.
        RateLimit { bytes_per_second: u64 } =>
            "reads were limited to {}/s by --max-rate or its setting, so the server and this machine may be faster"
            (ByteSize(*bytes_per_second)),
        /// The throughput decreased; both are in bytes per second.
        Slowed { connections: usize, last: u64, first: u64 } =>
            "{connections} connections: the last quarter of the time brought {}/s, the first {}/s"
            (ByteSize(*last), ByteSize(*first)),
        /// An error ended the measurement.
        EndedEarly { why: String } => "ended early: {why}",
    }
}

sentences! {
    /// On costs.
    pub enum CostNote {
        /// The tags, which may state the size, were not readable.
        TagsUnanswered { why: String } => "the tags of the object: {why}",
        /// The snapshots, which state the written bytes, were not readable.
        SnapshotsUnanswered { why: String } => "the snapshots, which show what was written: {why}",
        /// The target is a local file.
        LocalFile => "a file has no storage class; these are the costs of an object with its bytes",
        /// The storage of the temporary copy of an archived object is not included.
        TemporaryCopy =>
            "after thawing there is a temporary copy in addition to the archived object, and its storage is not counted",
        /// The size of the object is not known before the store.
        NotStoredYet =>
            "the cost of keeping the object depends on its size, which is known only after the store: ask again then",
        /// The prices are of another Region.
        OtherRegion { region: String, prices_of: String } =>
            "no price of {region} is built in; these are of {prices_of}. AWS's price files of {region} are taken by --prices",
    }
}
