use super::{ChecksumScope, ComputedChecksum, PlannedJob, PlannedObject, ReferenceOrigin, ReportRow, RowOutcome};
use crate::checksum::Digest;
use crate::ident::{ETag, ObjectIdentity, Same, lasting_version};
use crate::text::{sentences, words};
use crate::verdict::Verdict;

words! {
    /// What a completion report shows of one object.
    pub enum BatchOutcome {
        /// S3 states the value of the reference.
        Stated = "stated",
        /// S3 states another value for the planned state of the object.
        Differs = "differs",
        /// The object is not the planned one any more.
        Replaced = "replaced",
        /// S3 states a value, and nothing proved was known to compare it with: nothing, or its own earlier statement.
        Baseline = "baseline",
        /// S3 could not compute the checksum.
        Failed = "failed",
        /// The report does not contain the object.
        Missing = "missing",
        /// The row does not decide it.
        Unclear = "unclear",
        /// The report contains an object that was not asked for.
        NotRequested = "not_requested",
    }
}

impl BatchOutcome {
    /// The verdict on the bytes.
    pub fn verdict(self) -> Verdict {
        match self {
            BatchOutcome::Stated => Verdict::Pass,
            BatchOutcome::Differs => Verdict::Fail,
            _ => Verdict::Unknown,
        }
    }
}

/// The meaning of a row for a planned object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Judged {
    /// S3 states the value of the reference for the planned state.
    Stated(Digest),
    /// S3 states another value for the planned state.
    Differs(Digest),
    /// The object has another ETag than the planned one.
    Replaced(ETag),
    /// S3 states a value for the planned state, and there is no reference, or one that S3 itself stated before.
    Baseline(Digest),
    /// S3 could not compute the checksum.
    Failed {
        /// HTTP status, if stated.
        status: Option<u16>,
        /// Error code, if stated.
        code: Option<String>,
        /// The message.
        message: String,
    },
    /// There is no row.
    Missing,
    /// The row does not decide it.
    Unclear(Unclear),
}

sentences! {
    /// Why a row does not decide about its object.
    pub enum Unclear {
        NotIdentified => "the row has neither the version nor the ETag of the planned object",
        ETagOfVersion { found: String } => "the row has the planned version and another ETag, {found}",
        OtherAlgorithm => "the row has a checksum of another algorithm than the one that was asked for",
        OtherScope => "the row has a checksum of another type than the one that was asked for",
        NoValue => "the checksum of the row cannot be read",
        CompositeDiffers => "the composite checksum differs; it is not documented over which parts S3 computes it, so only a read decides",
        Unreadable { problem: String } => "the row cannot be read: {problem}",
        Contradictory => "the report has rows for it that contradict each other",
        Ambiguous => "the key of the row may stand for two planned objects",
    }
}

impl Judged {
    /// The result without its details.
    pub fn outcome(&self) -> BatchOutcome {
        match self {
            Judged::Stated(_) => BatchOutcome::Stated,
            Judged::Differs(_) => BatchOutcome::Differs,
            Judged::Replaced(_) => BatchOutcome::Replaced,
            Judged::Baseline(_) => BatchOutcome::Baseline,
            Judged::Failed { .. } => BatchOutcome::Failed,
            Judged::Missing => BatchOutcome::Missing,
            Judged::Unclear(_) => BatchOutcome::Unclear,
        }
    }

    /// The value that S3 states for the planned state of the object.
    pub fn value(&self) -> Option<&Digest> {
        match self {
            Judged::Stated(digest) | Judged::Differs(digest) | Judged::Baseline(digest) => Some(digest),
            _ => None,
        }
    }
}

/// Whether a row names this version of the object. An empty field names any.
pub(super) fn names_version(row: &ReportRow, object: &PlannedObject) -> bool {
    let (stated, planned) = (row.version.as_deref(), object.target.version.as_deref());
    stated.is_none() || lasting_version(stated) == lasting_version(planned)
}

/// How a row identifies the state of its object.
enum State {
    Planned,
    Replaced(ETag),
    Open(Unclear),
}

fn state(row: &ReportRow, computed: &ComputedChecksum, object: &PlannedObject) -> State {
    let by_version = lasting_version(row.version.as_deref()).is_some();
    let of = |etag: &Option<ETag>| ObjectIdentity::of_etag(etag.clone());
    match (of(&object.etag).same_as(&of(&computed.etag)), &computed.etag) {
        (Same::No(_), Some(found)) if by_version => State::Open(Unclear::ETagOfVersion { found: found.to_string() }),
        (Same::No(_), Some(found)) => State::Replaced(found.clone()),
        (Same::Yes, _) => State::Planned,
        _ if by_version => State::Planned,
        _ => State::Open(Unclear::NotIdentified),
    }
}

/// Judges a row that names a planned object of a job, in its version or without one.
pub fn judge(row: &ReportRow, job: &PlannedJob, object: &PlannedObject) -> Judged {
    let computed = match &row.outcome {
        RowOutcome::Succeeded(computed) => computed,
        RowOutcome::Failed { status, code, message } => {
            return Judged::Failed { status: *status, code: code.clone(), message: message.clone() };
        }
        RowOutcome::Unreadable(problem) => return Judged::Unclear(Unclear::Unreadable { problem: problem.clone() }),
    };
    match state(row, computed, object) {
        State::Planned => {}
        State::Replaced(found) => return Judged::Replaced(found),
        State::Open(why) => return Judged::Unclear(why),
    }
    if computed.algorithm.is_some_and(|algorithm| algorithm != job.algorithm) {
        return Judged::Unclear(Unclear::OtherAlgorithm);
    }
    if computed.scope.is_some_and(|scope| scope != job.scope) {
        return Judged::Unclear(Unclear::OtherScope);
    }
    let Some((value, parts)) = computed.digest(job.algorithm) else { return Judged::Unclear(Unclear::NoValue) };
    if parts.is_some() && job.scope == ChecksumScope::FullObject {
        return Judged::Unclear(Unclear::OtherScope);
    }
    let is_baseline = object.reference.as_ref().is_some_and(|known| known.origin == ReferenceOrigin::Baseline);
    match object.reference.as_ref().map(|reference| reference.digest(job.algorithm)) {
        None => Judged::Baseline(value),
        // S3 states what it stated before. That the first value was that of the right bytes is still not known.
        Some(Some((known, _))) if known == value && is_baseline => Judged::Baseline(value),
        Some(Some((known, _))) if known == value => Judged::Stated(value),
        Some(Some(_)) if job.scope == ChecksumScope::FullObject => Judged::Differs(value),
        Some(_) => Judged::Unclear(Unclear::CompositeDiffers),
    }
}

#[cfg(test)]
mod tests {
    use super::Unclear as Why;
    use super::*;
    use crate::batch::parse_report;
    use crate::batch::plan::tests::{object, plan};
    use crate::checksum::{Algorithm, Hasher};

    /// A row for the object `k` with the value of `seed`.
    fn row(version: &str, etag: &str, seed: &str, scope: &str) -> String {
        let value = Hasher::digest(Algorithm::Crc64Nvme, seed.as_bytes()).base64();
        let etag = if etag.is_empty() { String::new() } else { format!(r#","etag":"{}""#, etag.replace('"', "\\\"")) };
        format!(
            r#"b,k,{version},succeeded,200,,{{"checksum_base64":"{value}","checksumAlgorithm":"CRC64NVME","checksumType":"{scope}"{etag}}}"#
        )
    }

    #[test]
    fn each_row_against_each_object() {
        use BatchOutcome::*;
        let full = "FULL_OBJECT";
        let open = |why: Why| (Unclear, Some(why));
        let of = |outcome: BatchOutcome| (outcome, None::<Why>);
        let (versioned, plain) = (Some("v1"), None);
        let unversioned = |row: String| (plain, true, row);
        let unidentified = Why::NotIdentified;
        for ((version, has_reference, line), expected) in [
            (unversioned(row("", "1-etag", "1", full)), of(Stated)),
            (unversioned(row("null", "1-etag", "1", full)), of(Stated)),
            (unversioned(row("", "\"1-etag\"", "1", full)), of(Stated)),
            (unversioned(row("", "1-etag", "2", full)), of(Differs)),
            (unversioned(row("", "2-etag", "1", full)), of(Replaced)),
            (unversioned(row("", "2-etag", "2", full)), of(Replaced)),
            (unversioned(row("", "", "1", full)), open(unidentified.clone())),
            (unversioned(row("", "", "2", full)), open(unidentified.clone())),
            (unversioned(row("null", "", "1", full)), open(unidentified.clone())),
            ((plain, false, row("", "1-etag", "1", full)), of(Baseline)),
            ((plain, false, row("", "2-etag", "1", full)), of(Replaced)),
            ((plain, false, row("", "", "1", full)), open(unidentified.clone())),
            ((versioned, true, row("v1", "1-etag", "1", full)), of(Stated)),
            ((versioned, true, row("v1", "", "1", full)), of(Stated)),
            ((versioned, true, row("v1", "", "2", full)), of(Differs)),
            ((versioned, true, row("", "1-etag", "1", full)), of(Stated)),
            ((versioned, true, row("", "", "1", full)), open(unidentified)),
            ((versioned, true, row("v1", "2-etag", "1", full)), open(Why::ETagOfVersion { found: "2-etag".into() })),
            ((versioned, false, row("v1", "", "1", full)), of(Baseline)),
            (unversioned(row("", "1-etag", "1", "COMPOSITE")), open(Why::OtherScope)),
            (unversioned(row("", "1-etag", "1", full).replace("CRC64NVME", "CRC32")), open(Why::OtherAlgorithm)),
            (
                unversioned(row("", "1-etag", "1", full).replace("checksum_base64\":\"", "checksum_base64\":\"A")),
                open(Why::NoValue),
            ),
            (unversioned(row("", "1-etag", "1", full).replace("=\"", "=-3\"")), open(Why::OtherScope)),
            (unversioned("b,k,,failed,403,AccessDenied,\"error details: {\"x\"}\"".into()), of(Failed)),
            (
                unversioned("b,k,,succeeded,200,,torn".into()),
                open(Why::Unreadable { problem: "its result is no JSON document".into() }),
            ),
        ] {
            let mut planned = object("k", version, "1");
            planned.reference = planned.reference.filter(|_| has_reference);
            let plan = plan(vec![planned]);
            let (rows, _) = parse_report(line.as_bytes());
            assert!(names_version(&rows[0], &plan.jobs[0].objects[0]), "{line}");
            let found = judge(&rows[0], &plan.jobs[0], &plan.jobs[0].objects[0]);
            let why = match &found {
                Judged::Unclear(why) => Some(why.clone()),
                _ => None,
            };
            assert_eq!((found.outcome(), why), expected, "{version:?} {has_reference} {line}");
        }
    }

    #[test]
    fn weak_etags_identify_nothing() {
        let mut planned = object("k", None, "1");
        planned.etag = Some(ETag::new("W/\"1-etag\""));
        let plan = plan(vec![planned]);
        let (rows, _) = parse_report(row("", "W/\"1-etag\"", "1", "FULL_OBJECT").as_bytes());
        let found = judge(&rows[0], &plan.jobs[0], &plan.jobs[0].objects[0]);
        assert_eq!(found, Judged::Unclear(Why::NotIdentified));
    }

    #[test]
    fn a_composite_proves_and_does_not_refute() {
        let mut plan = plan(vec![object("k", None, "1")]);
        plan.jobs[0].scope = ChecksumScope::Composite;
        let judged = |line: String| {
            let (rows, _) = parse_report(line.as_bytes());
            judge(&rows[0], &plan.jobs[0], &plan.jobs[0].objects[0])
        };
        assert_eq!(judged(row("", "1-etag", "1", "COMPOSITE")).outcome(), BatchOutcome::Stated);
        assert_eq!(judged(row("", "1-etag", "1", "COMPOSITE").replace("=\"", "=-3\"")).outcome(), BatchOutcome::Stated);
        assert_eq!(judged(row("", "1-etag", "2", "COMPOSITE")), Judged::Unclear(Why::CompositeDiffers));
    }

    #[test]
    fn versions_that_were_not_asked_for() {
        for (planned, stated, names) in [
            (Some("v1"), "v1", true),
            (Some("v1"), "", true),
            (Some("v1"), "v2", false),
            (Some("v1"), "null", false),
            (None, "", true),
            (None, "null", true),
            (None, "v1", false),
        ] {
            let (rows, _) = parse_report(row(stated, "", "1", "FULL_OBJECT").as_bytes());
            assert_eq!(names_version(&rows[0], &object("k", planned, "1")), names, "{planned:?} {stated}");
        }
    }

    #[test]
    fn only_a_stated_value_passes() {
        for outcome in BatchOutcome::ALL {
            let expected = match outcome {
                BatchOutcome::Stated => Verdict::Pass,
                BatchOutcome::Differs => Verdict::Fail,
                _ => Verdict::Unknown,
            };
            assert_eq!(outcome.verdict(), expected);
        }
    }
}
