use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use crate::checksum::Digest;
use crate::facts::ObjectFacts;
use crate::ident::{ETag, IdentityField, ObjectIdentity, Same, Why};
use crate::plan::{ReadPlan, ReadProgress, SerialDigestState};
use crate::report::TOOL;
use crate::sealed::{SealError, at_most, open_version, seal_sorted};

/// Lists of digests that are computed in order: a few layouts for each algorithm.
const MOST_IN_ORDER: usize = 256;

/// How far a reading has come. On disk it is sealed; see [`crate::sealed`].
///
/// Fields stand in the order of their names, here and below: so a large one is written without a copy as a tree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Checkpoint {
    finished: Vec<Finished>,
    #[serde(deserialize_with = "at_most::<MOST_IN_ORDER, _, _>")]
    in_order: Vec<InOrder>,
    object: CheckpointObject,
    /// Fingerprint of the plan, in hexadecimal.
    plan: String,
    /// Number of ranges of the plan.
    ranges: usize,
    /// Bytes of the ranges that came whole.
    read_bytes: u64,
    /// Name and version of the program that wrote it; no other version goes on from it, for the states of hashers are
    /// those of its crates.
    tool: String,
    /// RFC 3339.
    written_at: String,
}

/// Which object is read: the form of an [`ObjectIdentity`] in a checkpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CheckpointObject {
    pub etag: Option<String>,
    pub last_modified: Option<String>,
    pub object_bytes: u64,
    pub target: String,
    pub version_id: Option<String>,
}

/// Ranges that follow on each other and came whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Finished {
    count: usize,
    /// Base64, range by range, in the order of the plan.
    digests: String,
    /// The first one; they are counted from 0.
    first: usize,
}

/// A list of digests that is computed in order of offset.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct InOrder {
    algorithm: String,
    at_bytes: u64,
    /// Base64, of the parts that end there or before, one after the other.
    done: String,
    /// The state of the hasher, in base64.
    hasher: String,
}

#[derive(Debug, thiserror::Error)]
pub enum CheckpointError {
    #[error(transparent)]
    Sealed(#[from] SealError),
    #[error("was written by {0}, and this is {TOOL}: the states of hashers do not go from one version to another")]
    Tool(String),
    #[error("is of another object: {what} was {then} and is {now}")]
    Object { what: &'static str, then: String, now: String },
    #[error(
        "is of an object that nothing identifies: the server states neither a strong ETag nor a version nor a time"
    )]
    Unidentified,
    #[error(
        "was written for other references, or with another --digest, --concurrency, --max-memory, --range-size or --tuning"
    )]
    Plan,
    #[error("contradicts itself: {0}")]
    Inconsistent(String),
}

impl CheckpointObject {
    pub fn of(target: String, facts: &ObjectFacts) -> Self {
        let ObjectIdentity { etag, last_modified, version_id, .. } = facts.identity();
        CheckpointObject {
            target,
            etag: etag.as_ref().map(ToString::to_string),
            version_id,
            last_modified,
            object_bytes: facts.size,
        }
    }

    /// The state of the object that is read.
    pub fn identity(&self) -> ObjectIdentity {
        ObjectIdentity {
            object_bytes: Some(self.object_bytes),
            etag: self.etag.as_deref().map(ETag::kept),
            last_modified: self.last_modified.clone(),
            version_id: self.version_id.clone(),
        }
    }

    /// Whether a reading of the one may go on as a reading of the other. A reading can take days, so it must be written
    /// at the same time too; where nothing identifies the object, size and time must do.
    fn is_same(&self, now: &CheckpointObject) -> Result<(), CheckpointError> {
        let differs = |what, then, now| Err(CheckpointError::Object { what, then, now });
        if self.target != now.target {
            return differs("the target", self.target.clone(), now.target.clone());
        }
        let same = self.identity().same_as(&now.identity());
        let shown = |text: &Option<String>| text.clone().unwrap_or_else(|| "not stated".to_owned());
        match same.disagreement() {
            None if same == Same::CannotTell(Why::Unidentified) => Err(CheckpointError::Unidentified),
            None => Ok(()),
            Some(IdentityField::ETag) => differs("its ETag", shown(&self.etag), shown(&now.etag)),
            Some(IdentityField::VersionId) => differs("its version", shown(&self.version_id), shown(&now.version_id)),
            Some(IdentityField::Size) => {
                let bytes = |object: &CheckpointObject| format!("{} bytes", object.object_bytes);
                differs("its size", bytes(self), bytes(now))
            }
            Some(IdentityField::LastModified) => {
                differs("its time", shown(&self.last_modified), shown(&now.last_modified))
            }
        }
    }
}

impl Checkpoint {
    pub fn new(object: CheckpointObject, plan: &ReadPlan, midway: &ReadProgress, written_at: String) -> Self {
        let done = midway.of_ranges.done();
        let finished = done.iter().map(|span| Finished {
            first: span.start,
            count: span.len(),
            digests: STANDARD.encode(midway.of_ranges.span_bytes(span)),
        });
        let in_order = plan.ordered().iter().zip(&midway.rows).map(|(need, row)| InOrder {
            algorithm: need.algorithm.to_string(),
            at_bytes: row.at,
            done: STANDARD.encode(row.done.iter().flat_map(Digest::as_bytes).copied().collect::<Vec<u8>>()),
            hasher: STANDARD.encode(&row.hasher),
        });
        Checkpoint {
            tool: TOOL.to_owned(),
            written_at,
            object,
            plan: plan.fingerprint().hex(),
            ranges: plan.ranges().len(),
            read_bytes: done.iter().map(|span| plan.bytes_of(span)).sum(),
            finished: finished.collect(),
            in_order: in_order.collect(),
        }
    }

    /// Of the form of the document. The first one named each range and each digest by itself.
    pub const VERSION: u32 = 2;

    pub fn to_json(&self) -> Result<String, serde_json::Error> {
        seal_sorted("checkpoint", Self::VERSION, self)
    }

    pub fn from_json(text: &str) -> Result<Self, CheckpointError> {
        let checkpoint: Checkpoint = open_version("checkpoint", Self::VERSION, text)?;
        if checkpoint.tool != TOOL {
            return Err(CheckpointError::Tool(checkpoint.tool));
        }
        Ok(checkpoint)
    }

    /// Bytes of the ranges that came whole.
    pub fn read_bytes(&self) -> u64 {
        self.read_bytes
    }

    pub fn written_at(&self) -> &str {
        &self.written_at
    }

    /// Where a reading of this object by this plan can go on.
    pub fn midway(&self, object: &CheckpointObject, plan: &ReadPlan) -> Result<ReadProgress, CheckpointError> {
        let wrong = |what: &str| CheckpointError::Inconsistent(what.to_owned());
        self.object.is_same(object)?;
        if self.plan != plan.fingerprint().hex() {
            return Err(CheckpointError::Plan);
        }
        if self.ranges != plan.ranges().len() || self.in_order.len() != plan.ordered().len() {
            return Err(wrong("it has another number of ranges than its plan"));
        }
        let mut midway = ReadProgress::beginning(plan);
        let bytes = |text: &str, what: &str| STANDARD.decode(text).map_err(|_| wrong(what));
        for finished in &self.finished {
            let span = finished.first..finished.first.saturating_add(finished.count);
            let digests = bytes(&finished.digests, "the digests of ranges")?;
            let taken = midway.of_ranges.set_span(span, &digests);
            taken.ok_or_else(|| wrong("ranges that its plan does not have, or twice, or other digests than theirs"))?;
        }
        for ((need, row), slot) in plan.ordered().iter().zip(&self.in_order).zip(&mut midway.rows) {
            if row.algorithm != need.algorithm.to_string() {
                return Err(wrong("digests in order by another algorithm"));
            }
            let done = bytes(&row.done, "digests in order")?;
            let done: Option<Vec<Digest>> =
                done.chunks(need.algorithm.digest_len()).map(|bytes| Digest::new(need.algorithm, bytes)).collect();
            let done = done.ok_or_else(|| wrong("digests in order of another length"))?;
            *slot = SerialDigestState { at: row.at_bytes, done, hasher: bytes(&row.hasher, "the state of a hasher")? };
        }
        midway.fits(plan).map_err(CheckpointError::Inconsistent)?;
        Ok(midway)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checksum::{Algorithm, Hasher};
    use crate::plan::{Limits, PartLayout};

    fn identity() -> CheckpointObject {
        CheckpointObject {
            target: "s3://b/k".into(),
            etag: Some("e".into()),
            version_id: None,
            last_modified: Some("2026-01-02T03:04:05Z".into()),
            object_bytes: 20 << 20,
        }
    }

    fn plan(more: Option<Algorithm>) -> ReadPlan {
        let size = 20 << 20;
        let mut wanted = vec![
            (Algorithm::Md5, PartLayout::uniform(size, 8 << 20)),
            (Algorithm::Crc32, PartLayout::whole(size)),
            (Algorithm::Sha256, PartLayout::whole(size)),
        ];
        wanted.extend(more.map(|algorithm| (algorithm, PartLayout::whole(size))));
        ReadPlan::new(size, &wanted, Limits::default().budget().unwrap())
    }

    /// A third of the ranges came, and SHA-256 has had the first of them.
    fn midway(plan: &ReadPlan) -> ReadProgress {
        let mut midway = ReadProgress::beginning(plan);
        let digests: Vec<Digest> = plan.per_range().iter().map(|algorithm| Hasher::digest(*algorithm, b"x")).collect();
        for range in (0..plan.ranges().len()).step_by(3) {
            midway.of_ranges.set(range, &digests);
        }
        for (need, row) in plan.ordered().iter().zip(&mut midway.rows) {
            let hasher = Hasher::new(need.algorithm).save().unwrap();
            *row = SerialDigestState { at: plan.ranges().get(0).unwrap().end(), done: vec![], hasher };
        }
        midway
    }

    #[test]
    fn is_taken_up_as_it_was_written() {
        let plan = plan(None);
        assert!(!plan.ordered().is_empty());
        let midway = midway(&plan);
        let checkpoint = Checkpoint::new(identity(), &plan, &midway, "2026-01-02T03:04:05Z".into());
        let again = Checkpoint::from_json(&checkpoint.to_json().unwrap()).unwrap();
        assert_eq!(again.midway(&identity(), &plan).unwrap(), midway);
        let missing = midway.missing(&plan);
        assert!(!missing.contains(0) && missing.contains(1) && missing.contains(3), "SHA-256 has not had the third");
    }

    #[test]
    fn another_object_plan_or_version_is_refused() {
        let own = plan(None);
        let checkpoint = Checkpoint::new(identity(), &own, &midway(&own), String::new());
        for other in [
            CheckpointObject { target: "s3://b/other".into(), ..identity() },
            CheckpointObject { etag: Some("f".into()), ..identity() },
            CheckpointObject { etag: None, ..identity() },
            CheckpointObject { version_id: Some("3".into()), ..identity() },
            CheckpointObject { object_bytes: 21 << 20, ..identity() },
            CheckpointObject { last_modified: Some("2026-01-02T03:04:06Z".into()), ..identity() },
        ] {
            assert!(matches!(checkpoint.midway(&other, &own), Err(CheckpointError::Object { .. })), "{other:?}");
        }
        // With nothing to tell it by, it cannot be shown to be the same.
        let nameless = CheckpointObject { etag: Some("W/\"e\"".into()), last_modified: None, ..identity() };
        let unidentified = Checkpoint::new(nameless.clone(), &own, &midway(&own), String::new());
        assert!(matches!(unidentified.midway(&nameless, &own), Err(CheckpointError::Unidentified)));
        let timed = CheckpointObject { etag: None, ..identity() };
        let timed = (Checkpoint::new(timed.clone(), &own, &midway(&own), String::new()), timed);
        assert!(timed.0.midway(&timed.1, &own).is_ok());
        let other = plan(Some(Algorithm::Crc32c));
        assert!(matches!(checkpoint.midway(&identity(), &other), Err(CheckpointError::Plan)));
        let text = Checkpoint { tool: "stored-ami 0.0.0".into(), ..checkpoint }.to_json().unwrap();
        assert!(matches!(Checkpoint::from_json(&text), Err(CheckpointError::Tool(_))));
        let first = text.replace("stored-ami/checkpoint/2", "stored-ami/checkpoint/1");
        let refused = Checkpoint::from_json(&first).unwrap_err().to_string();
        assert!(refused.contains("checkpoint/1") && refused.contains("reads stored-ami/checkpoint/2"), "{refused}");
    }

    #[test]
    fn contradictions_are_refused() {
        let plan = plan(None);
        let good = Checkpoint::new(identity(), &plan, &midway(&plan), String::new());
        type Spoil = fn(&mut Checkpoint);
        let spoil: [Spoil; 12] = [
            |c| c.ranges += 1,
            |c| c.finished[0].first = 10_000,
            |c| c.finished[0].first = usize::MAX,
            |c| c.finished[0].first = c.finished[1].first,
            |c| c.finished[0].count = 0,
            |c| c.finished[0].count = usize::MAX,
            |c| c.finished[0].digests = "AAAA".into(),
            |c| c.finished[0].digests.clear(),
            |c| c.in_order[0].at_bytes += 1,
            |c| c.in_order[0].hasher = "AAAA".into(),
            |c| c.in_order[0].done = Hasher::digest(Algorithm::Sha256, b"").base64(),
            |c| c.in_order[0].done = "AAAA".into(),
        ];
        for (which, spoil) in spoil.iter().enumerate() {
            let mut wrong = good.clone();
            spoil(&mut wrong);
            let error = wrong.midway(&identity(), &plan).unwrap_err();
            assert!(matches!(error, CheckpointError::Inconsistent(_)), "{which}: {error}");
        }
    }
}
