//! The state of an unfinished `verify`, from which another process can resume.
//!
//! A [`Checkpoint`] holds the identity of the object, the fingerprint of the plan, and the digests computed
//! so far. Resuming requires the same object, plan and program version.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use crate::checksum::Digest;
use crate::facts::ObjectFacts;
use crate::ident::{ETag, IdentityField, ObjectIdentity};
use crate::plan::{ReadPlan, ReadProgress, SerialDigestState};
use crate::report::TOOL;
use crate::sealed::{SealError, at_most, open_version, seal_sorted};

/// The most lists of digests in order: a few layouts for each algorithm.
const MOST_IN_ORDER: usize = 256;

/// Progress of a read on disk. The document is sealed; see [`crate::sealed`].
///
/// The fields of this and the following types are sorted by name, so that a large document can be serialised
/// without building a tree of values.
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
    /// Bytes of the complete ranges.
    read_bytes: u64,
    /// Name and version of the program that wrote it. No other version resumes from it, because the states of
    /// hashers are private to the hash crates.
    tool: String,
    /// Time of writing, RFC 3339.
    written_at: String,
}

/// The object that is read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CheckpointObject {
    /// The ETag, if one was stated.
    pub etag: Option<String>,
    /// Time of last modification, RFC 3339.
    pub last_modified: Option<String>,
    /// Size in bytes.
    pub object_bytes: u64,
    /// The object, as a URI or a path.
    pub target: String,
    /// Version id.
    pub version_id: Option<String>,
}

/// Adjacent ranges that are complete.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Finished {
    count: usize,
    /// Packed digests in base64, range by range, in the order of the plan.
    digests: String,
    /// Position of the first range, from 0.
    first: usize,
}

/// A list of digests that is computed in order of offset.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct InOrder {
    algorithm: String,
    at_bytes: u64,
    /// Digests in base64 of the parts that end at or before that offset, concatenated.
    done: String,
    /// State of the hasher in base64.
    hasher: String,
}

/// A checkpoint cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointError {
    /// The file is not a valid sealed document.
    #[error(transparent)]
    Sealed(#[from] SealError),
    /// Another version of the program wrote it.
    #[error("was written by {0}, and this is {TOOL}: the state of the hashers cannot be used by another version")]
    Tool(String),
    /// It is of another object.
    #[error("is of another object: {what} was {then} and is {now}")]
    Object {
        /// The property that differs.
        what: &'static str,
        /// Its value in the checkpoint.
        then: String,
        /// Its value now.
        now: String,
    },
    /// Nothing shows that the object is unchanged.
    #[error("is of an object that nothing identifies: the server states neither a strong ETag nor a version id")]
    Unidentified,
    /// The read would follow another plan.
    #[error(
        "was written for other references, or with another --digest, --concurrency, --max-memory, --range-size or --tuning"
    )]
    Plan,
    /// The content is inconsistent; the text is for the user.
    #[error("contradicts itself: {0}")]
    Inconsistent(String),
}

impl CheckpointObject {
    /// The object with these facts, as it is printed.
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

    /// Whether a read of this object may continue as a read of the other.
    fn is_same(&self, now: &CheckpointObject) -> Result<(), CheckpointError> {
        let differs = |what, then, now| Err(CheckpointError::Object { what, then, now });
        if self.target != now.target {
            return differs("the target", self.target.clone(), now.target.clone());
        }
        let same = self.identity().same_as(&now.identity());
        let shown = |text: &Option<String>| text.clone().unwrap_or_else(|| "not stated".to_owned());
        match same.disagreement() {
            // An object can be replaced twice in a second, so equal times show nothing.
            None if !same.is_yes() => Err(CheckpointError::Unidentified),
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
    /// A checkpoint of a read by `plan`.
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

    /// Version of the document's format. Version 1 listed each range and each digest separately.
    pub const VERSION: u32 = 2;

    /// The checkpoint as a sealed line of text.
    ///
    /// # Errors
    ///
    /// When serialisation fails.
    pub fn to_json(&self) -> Result<String, serde_json::Error> {
        seal_sorted("checkpoint", Self::VERSION, self)
    }

    /// Reads a sealed checkpoint.
    ///
    /// # Errors
    ///
    /// When the text is not a sealed checkpoint of this format and this version of the program.
    pub fn from_json(text: &str) -> Result<Self, CheckpointError> {
        let checkpoint: Checkpoint = open_version("checkpoint", Self::VERSION, text)?;
        if checkpoint.tool != TOOL {
            return Err(CheckpointError::Tool(checkpoint.tool));
        }
        Ok(checkpoint)
    }

    /// Bytes of the complete ranges.
    pub fn read_bytes(&self) -> u64 {
        self.read_bytes
    }

    /// Time of writing, RFC 3339.
    pub fn written_at(&self) -> &str {
        &self.written_at
    }

    /// The progress to resume from, for a read of `object` by `plan`.
    ///
    /// # Errors
    ///
    /// When the object or the plan differs, or the checkpoint is inconsistent.
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
    use crate::plan::{Budget, PartLayout};

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
        ReadPlan::new(size, &wanted, Budget::default())
    }

    /// A third of the ranges are complete, and SHA-256 has passed the first of them.
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
        // Equal sizes and times identify nothing; a version id does.
        for (version_id, is_resumed) in [(None, false), (Some("null"), false), (Some("3"), true)] {
            let timed = CheckpointObject { etag: None, version_id: version_id.map(Into::into), ..identity() };
            let checkpoint = Checkpoint::new(timed.clone(), &own, &midway(&own), String::new());
            let resumed = checkpoint.midway(&timed, &own);
            assert_eq!(resumed.is_ok(), is_resumed, "{version_id:?}");
            assert!(is_resumed || matches!(resumed, Err(CheckpointError::Unidentified)));
        }
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
