use std::fmt;

use super::{CheckId, Coverage, Doubt, ProofKind};
use crate::checksum::Algorithm;
use crate::text::words;
use crate::units::ByteSize;

/// Why a check could not be decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// There is no reference to compare the bytes with.
    NoReference,
    /// A check was requested by name, but the object has no such reference.
    NoSuchReference {
        /// The requested check.
        check: CheckId,
    },
    /// The reference exists but was excluded by `--using`.
    NotUsed,
    /// The object is in an archive class and must be restored before it can be read.
    Archived {
        /// Where it is archived, and whether a restore is in progress.
        state: String,
    },
    /// Only a part of the bytes was read, as requested.
    Sampled {
        /// The bytes that were read.
        coverage: Coverage,
    },
    /// Only a part of the bytes was read, as requested, and no reference covers parts.
    SampleUnheld {
        /// The bytes that were read.
        coverage: Coverage,
    },
    /// The object was replaced or removed during the read.
    Changed {
        /// The change, for the report.
        detail: String,
    },
    /// Two reads of the same range returned different bytes.
    UnstableRead {
        /// The ranges, for the report.
        detail: String,
    },
    /// The caller lacks a permission.
    NotPermitted {
        /// The IAM action that is needed.
        needs: String,
    },
    /// The caller may not ask all that is needed.
    PartNotPermitted {
        /// What is not permitted, and what is therefore not known, for the report.
        detail: String,
    },
    /// The server's response does not fit the request.
    Protocol {
        /// The contradiction, for the report.
        detail: String,
    },
    /// Not all bytes could be read.
    ReadFailed {
        /// The error, for the report.
        detail: String,
    },
    /// The bytes did not match and could not be read a second time.
    RereadFailed {
        /// The error, for the report.
        detail: String,
    },
    /// The ETag is not an MD5.
    ETagNotMd5 {
        /// Why it is not, for the report.
        because: String,
    },
    /// The part boundaries are not known, so values over parts cannot be computed.
    LayoutUnknown {
        /// Why they are not known, for the report.
        because: String,
    },
    /// The parts were assumed, so a mismatch does not refute the bytes.
    LayoutNotProved {
        /// Why they could not be proved, for the report.
        because: String,
    },
    /// The ETag is not the MD5 of the bytes, but this server does not document its ETags as MD5s.
    ETagUndocumented {
        /// The ETag of the object.
        expected: String,
        /// The ETag that the bytes give.
        observed: String,
    },
    /// The algorithm was guessed from the length of the value, and the bytes do not give the value.
    AlgorithmGuessed {
        /// The algorithm that was tried.
        tried: Algorithm,
        /// Other algorithms of that length, for the report.
        may_be: &'static str,
    },
    /// The value is by an algorithm that is not implemented here.
    AlgorithmNotComputed {
        /// The algorithm and its source, for the report.
        detail: String,
    },
    /// References over the same bytes disagree, and none of them decides.
    Contradiction {
        /// The disagreement, for the report.
        detail: String,
    },
    /// The server lists the object unchanged but does not return its bytes.
    Unreadable {
        /// The error, for the report.
        detail: String,
    },
    /// The read was interrupted.
    Interrupted {
        /// The bytes that were read.
        coverage: Coverage,
    },
    /// The read reached a limit.
    Limited {
        /// The option that set the limit.
        limit: &'static str,
        /// The bytes that were read.
        coverage: Coverage,
    },
    /// The bytes did not match, and the second read was not completed.
    Unconfirmed {
        /// What ended the second read, for the report.
        detail: String,
    },
    /// The stream's format is known, but it could not be decoded here.
    NotDecoded {
        /// What is needed, for the report.
        detail: String,
    },
    /// No read was needed or possible.
    NotRead,
    /// A question to a server could not be asked or was not answered.
    Unanswered {
        /// The question and the error, for the report.
        detail: String,
    },
    /// AWS does not publish the rule that decides.
    Undocumented {
        /// The rule, for the report.
        detail: String,
    },
    /// Sources disagree, or a rule can be read in two ways, with different verdicts.
    Ambiguous {
        /// The alternatives, for the report.
        detail: String,
    },
    /// An earlier read cast doubt on the bytes, and no later read proved them.
    InDoubt {
        /// The doubt.
        doubt: Doubt,
        /// Time of that read, RFC 3339.
        since: String,
    },
    /// There is a recent proof, and it did not read the object.
    UnreadProof {
        /// What kind of proof it is.
        kind: ProofKind,
        /// Time of the proof, RFC 3339.
        at: String,
    },
    /// There is a recent proof, and only values that other programs left prove it.
    LeftByOthers {
        /// The checks that matched, for the report.
        by: String,
        /// Time of the proof, RFC 3339.
        at: String,
    },
    /// Every byte matches a manifest that was written while nothing proved the bytes.
    Baseline,
    /// The object is a copy of bytes that nothing proved, and only values of the copy itself prove it since.
    CopiedUnproved {
        /// Source and time of the copy, if the ledger knows them: a URI or a path, and RFC 3339.
        copy: Option<(String, String)>,
    },
    /// Several shards read the object in runs of parts, and only `audit merge` compares it.
    ReadInRuns {
        /// Number of runs.
        runs: u32,
    },
    /// Several shards read the object in runs of parts, and the value covers all bytes in their order.
    NotJoined,
    /// The value is not stated.
    NotStated {
        /// The value, for the report.
        detail: String,
    },
}

words! {
    /// What kind of reason it is: a stable name for programs.
    pub enum ReasonCode {
        NoReference = "no_reference",
        NoSuchReference = "no_such_reference",
        NotUsed = "not_used",
        Archived = "archived",
        Sampled = "sampled",
        SampleUnheld = "sample_unheld",
        Changed = "changed",
        UnstableRead = "unstable_read",
        NotPermitted = "not_permitted",
        Protocol = "protocol",
        ReadFailed = "read_failed",
        EtagNotMd5 = "etag_not_md5",
        LayoutUnknown = "layout_unknown",
        LayoutNotProved = "layout_not_proved",
        EtagUndocumented = "etag_undocumented",
        AlgorithmGuessed = "algorithm_guessed",
        AlgorithmNotComputed = "algorithm_not_computed",
        Contradiction = "contradiction",
        Unreadable = "unreadable",
        Interrupted = "interrupted",
        Limited = "limited",
        Unconfirmed = "unconfirmed",
        NotDecoded = "not_decoded",
        NotRead = "not_read",
        Unanswered = "unanswered",
        Undocumented = "undocumented",
        Ambiguous = "ambiguous",
        InDoubt = "in_doubt",
        UnreadProof = "unread_proof",
        LeftByOthers = "left_by_others",
        CopiedUnproved = "copied_unproved",
        Baseline = "baseline",
        ReadInRuns = "read_in_runs",
        NotJoined = "not_joined",
        NotStated = "not_stated",
    }
}

impl Reason {
    /// A stable name for programs.
    pub fn code(&self) -> ReasonCode {
        match self {
            Reason::NoReference => ReasonCode::NoReference,
            Reason::NoSuchReference { .. } => ReasonCode::NoSuchReference,
            Reason::NotUsed => ReasonCode::NotUsed,
            Reason::Archived { .. } => ReasonCode::Archived,
            Reason::Sampled { .. } => ReasonCode::Sampled,
            Reason::SampleUnheld { .. } => ReasonCode::SampleUnheld,
            Reason::Changed { .. } => ReasonCode::Changed,
            Reason::UnstableRead { .. } => ReasonCode::UnstableRead,
            Reason::NotPermitted { .. } | Reason::PartNotPermitted { .. } => ReasonCode::NotPermitted,
            Reason::Protocol { .. } => ReasonCode::Protocol,
            Reason::ReadFailed { .. } | Reason::RereadFailed { .. } => ReasonCode::ReadFailed,
            Reason::ETagNotMd5 { .. } => ReasonCode::EtagNotMd5,
            Reason::LayoutUnknown { .. } => ReasonCode::LayoutUnknown,
            Reason::LayoutNotProved { .. } => ReasonCode::LayoutNotProved,
            Reason::ETagUndocumented { .. } => ReasonCode::EtagUndocumented,
            Reason::AlgorithmGuessed { .. } => ReasonCode::AlgorithmGuessed,
            Reason::AlgorithmNotComputed { .. } => ReasonCode::AlgorithmNotComputed,
            Reason::Contradiction { .. } => ReasonCode::Contradiction,
            Reason::Unreadable { .. } => ReasonCode::Unreadable,
            Reason::Interrupted { .. } => ReasonCode::Interrupted,
            Reason::Limited { .. } => ReasonCode::Limited,
            Reason::Unconfirmed { .. } => ReasonCode::Unconfirmed,
            Reason::NotDecoded { .. } => ReasonCode::NotDecoded,
            Reason::NotRead => ReasonCode::NotRead,
            Reason::Unanswered { .. } => ReasonCode::Unanswered,
            Reason::Undocumented { .. } => ReasonCode::Undocumented,
            Reason::Ambiguous { .. } => ReasonCode::Ambiguous,
            Reason::InDoubt { .. } => ReasonCode::InDoubt,
            Reason::UnreadProof { .. } => ReasonCode::UnreadProof,
            Reason::LeftByOthers { .. } => ReasonCode::LeftByOthers,
            Reason::CopiedUnproved { .. } => ReasonCode::CopiedUnproved,
            Reason::Baseline => ReasonCode::Baseline,
            Reason::ReadInRuns { .. } => ReasonCode::ReadInRuns,
            Reason::NotJoined => ReasonCode::NotJoined,
            Reason::NotStated { .. } => ReasonCode::NotStated,
        }
    }

    /// Whether a mismatch was seen that a second read neither confirmed nor disproved.
    pub fn leaves_mismatch(&self) -> bool {
        matches!(self, Reason::Unconfirmed { .. } | Reason::RereadFailed { .. } | Reason::UnstableRead { .. })
    }

    /// The doubt that a read with this result casts on the bytes.
    pub fn doubt(&self) -> Option<Doubt> {
        match self {
            Reason::LayoutNotProved { .. } | Reason::Unconfirmed { .. } | Reason::RereadFailed { .. } => {
                Some(Doubt::Mismatch)
            }
            Reason::UnstableRead { .. } => Some(Doubt::Unstable),
            Reason::Contradiction { .. } => Some(Doubt::Contradiction),
            Reason::Unreadable { .. } => Some(Doubt::Unreadable),
            _ => None,
        }
    }

    /// What the user can do about it, if anything.
    pub fn advice(&self) -> Option<&'static str> {
        match self {
            Reason::NoReference => Some(
                "give one (--expect, --etag, --sums, --manifest, --like), or write a baseline now with --write-manifest",
            ),
            Reason::Archived { .. } => Some("bring it back first: `stored-ami thaw s3://BUCKET/KEY`"),
            Reason::Sampled { .. } | Reason::SampleUnheld { .. } => Some("leave out --sample to read every byte"),
            Reason::Changed { .. } => Some("run it again; pin a version with ?versionId= if the bucket keeps them"),
            Reason::UnstableRead { .. } => {
                Some("memory, the network or a proxy may be faulty; run it again from another machine")
            }
            Reason::Unreadable { .. } => {
                Some("keep every other copy; ask whoever runs the server, and read every byte again")
            }
            Reason::LayoutNotProved { .. } | Reason::LayoutUnknown { .. } => {
                Some("allow s3:GetObjectAttributes, or compare the object with a manifest or an expected digest")
            }
            Reason::Unconfirmed { .. } => Some(
                "the object may be damaged; give the second read more time or bytes, or accept one read with --no-reread",
            ),
            Reason::Limited { .. } => Some("run it again with --resume FILE until everything is read"),
            Reason::AlgorithmGuessed { .. } => {
                Some("state the algorithm with --sums ALGORITHM:FILE, or give a value of another algorithm")
            }
            Reason::AlgorithmNotComputed { .. } => Some("give a value of an algorithm that this tool computes"),
            Reason::Contradiction { .. } => {
                Some("compare the object with a value you trust (--expect, --sums, --manifest, --like)")
            }
            Reason::ReadFailed { .. } | Reason::RereadFailed { .. } | Reason::Interrupted { .. } => {
                Some("run it again")
            }
            Reason::InDoubt { .. } => Some("read every byte again: audit --level bytes"),
            Reason::UnreadProof { .. } => Some("read every byte: audit --level bytes"),
            Reason::LeftByOthers { .. } => Some(
                "read every byte against a value of your own: a stored checksum, a manifest, or a copy with --ledger",
            ),
            Reason::Baseline => Some(
                "to look for changes alone, accept it (--accept proof); to prove the bytes, give a value of another origin",
            ),
            Reason::ReadInRuns { .. } => Some("merge the results of all shards: stored-ami audit merge PLACE"),
            Reason::NotJoined => Some("read all of it on one machine: stored-ami verify s3://BUCKET/KEY"),
            Reason::NotDecoded { .. } => Some("see what it needs; a window may have half of --max-memory"),
            _ => None,
        }
    }
}

fn percent(coverage: Coverage) -> f64 {
    if coverage.of == 0 { 100.0 } else { coverage.bytes as f64 * 100.0 / coverage.of as f64 }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reason::NoReference => f.write_str("no reference to compare the bytes with"),
            Reason::NoSuchReference { check } => write!(f, "the object has no reference for `{check}`"),
            Reason::NotUsed => f.write_str("left out by --using"),
            Reason::Archived { state } => write!(f, "archived: {state}"),
            Reason::Sampled { coverage } if coverage.complete() => {
                write!(f, "a sample was asked for, and happened to be all {}", ByteSize(coverage.of))
            }
            Reason::Sampled { coverage } => {
                write!(
                    f,
                    "only {} of {} were read ({:.1} %)",
                    ByteSize(coverage.bytes),
                    ByteSize(coverage.of),
                    percent(*coverage)
                )
            }
            Reason::SampleUnheld { coverage } => write!(
                f,
                "{} of {} were read, and no stored value can be compared with a sample",
                ByteSize(coverage.bytes),
                ByteSize(coverage.of)
            ),
            Reason::Changed { detail } => write!(f, "the object changed while it was read: {detail}"),
            Reason::UnstableRead { detail } => write!(f, "two reads gave different bytes: {detail}"),
            Reason::NotPermitted { needs } => write!(f, "not permitted (needs {needs})"),
            Reason::Protocol { detail } => write!(f, "the server's answer does not fit the request: {detail}"),
            Reason::ReadFailed { detail } => write!(f, "not all bytes could be read: {detail}"),
            Reason::RereadFailed { detail } => {
                write!(
                    f,
                    "not all bytes could be read: a mismatch was seen, and could not be read a second time: {detail}"
                )
            }
            Reason::ETagNotMd5 { because } => write!(f, "the ETag is not an MD5: {because}"),
            Reason::LayoutUnknown { because } => write!(f, "the part layout is not known: {because}"),
            Reason::LayoutNotProved { because } => {
                write!(f, "no match, but the part layout was assumed and could not be proved: {because}")
            }
            Reason::ETagUndocumented { expected, observed } => write!(
                f,
                "the ETag is {expected}, the MD5 of the bytes gives {observed}; nothing documents that this server's ETags are MD5s"
            ),
            Reason::AlgorithmGuessed { tried, may_be } => write!(f, "no match as {tried}; may be {may_be}"),
            Reason::AlgorithmNotComputed { detail }
            | Reason::Contradiction { detail }
            | Reason::Unreadable { detail } => f.write_str(detail),
            Reason::Interrupted { coverage } => write!(
                f,
                "interrupted after {} of {} ({:.1} %)",
                ByteSize(coverage.bytes),
                ByteSize(coverage.of),
                percent(*coverage)
            ),
            Reason::Limited { limit, coverage } => write!(
                f,
                "{limit} ended it after {} of {} ({:.1} %)",
                ByteSize(coverage.bytes),
                ByteSize(coverage.of),
                percent(*coverage)
            ),
            Reason::Unconfirmed { detail } => {
                write!(f, "the bytes do not match, and the second read was not completed: {detail}")
            }
            Reason::InDoubt { doubt, since } => {
                write!(f, "in doubt since the read of {since} ({doubt}), and not proved since")
            }
            Reason::UnreadProof { kind, at } => {
                write!(f, "the newest proof is `{kind}`, of {at}: {}", kind.weakness())
            }
            Reason::LeftByOthers { by, at } => {
                write!(f, "the proof of {at} is by {by} alone, which another program left with the object")
            }
            Reason::CopiedUnproved { copy } => {
                match copy {
                    Some((from, at)) => {
                        write!(f, "it has the content of a copy of {from} ({at}) whose bytes were not proved")?
                    }
                    None => f.write_str("its metadata says that it is a copy whose bytes need not have been proved")?,
                }
                f.write_str(
                    ", and only its own values match; prove the source, and copy it again with --ledger (--replace-if)",
                )
            }
            Reason::Baseline => {
                f.write_str("all bytes are those of a baseline: no stored or given value proved them when it was made")
            }
            Reason::NotRead => f.write_str("no byte was read"),
            Reason::ReadInRuns { runs } => write!(f, "the shards read it in {runs} runs of parts"),
            Reason::NotJoined => f.write_str("the value covers all bytes in order, and runs of parts do not give it"),
            Reason::NotDecoded { detail }
            | Reason::Unanswered { detail }
            | Reason::PartNotPermitted { detail }
            | Reason::Undocumented { detail }
            | Reason::Ambiguous { detail }
            | Reason::NotStated { detail } => f.write_str(detail),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_reasons() {
        crate::text::assert_words!(
            ReasonCode,
            [
                "no_reference",
                "no_such_reference",
                "not_used",
                "archived",
                "sampled",
                "sample_unheld",
                "changed",
                "unstable_read",
                "not_permitted",
                "protocol",
                "read_failed",
                "etag_not_md5",
                "layout_unknown",
                "layout_not_proved",
                "etag_undocumented",
                "algorithm_guessed",
                "algorithm_not_computed",
                "contradiction",
                "unreadable",
                "interrupted",
                "limited",
                "unconfirmed",
                "not_decoded",
                "not_read",
                "unanswered",
                "undocumented",
                "ambiguous",
                "in_doubt",
                "unread_proof",
                "left_by_others",
                "copied_unproved",
                "baseline",
                "read_in_runs",
                "not_joined",
                "not_stated",
            ]
        );
    }
}
