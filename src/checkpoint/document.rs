use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use crate::checksum::{Algorithm, Digest};
use crate::facts::ObjectFacts;
use crate::plan::{Midway, ReadPlan, RowState};
use crate::report::TOOL;
use crate::sealed::{SealError, at_most, open, seal};

/// One for each algorithm, twice over.
const MOST_DIGESTS: usize = 20;
/// Lists of digests that are computed in order: a few layouts for each algorithm.
const MOST_IN_ORDER: usize = 256;
/// Ten times as many parts as S3 takes of one object.
const MOST_PARTS: usize = 100_000;

/// How far a reading has come. On disk it is sealed; see [`crate::sealed`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Checkpoint {
    /// Name and version of the program that wrote it; no other version goes on from it, for the states of hashers are
    /// those of its crates.
    tool: String,
    /// RFC 3339.
    written_at: String,
    object: Identity,
    /// Fingerprint of the plan, in hexadecimal.
    plan: String,
    /// Number of ranges of the plan.
    ranges: usize,
    /// Bytes of the ranges that came whole.
    read_bytes: u64,
    finished: Vec<Finished>,
    #[serde(deserialize_with = "at_most::<MOST_IN_ORDER, _, _>")]
    in_order: Vec<InOrder>,
}

/// Which object is read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Identity {
    pub target: String,
    pub etag: Option<String>,
    pub version_id: Option<String>,
    pub last_modified: Option<String>,
    pub object_bytes: u64,
}

/// A range that came whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Finished {
    range: usize,
    /// Base64, in the order of the plan.
    #[serde(deserialize_with = "at_most::<MOST_DIGESTS, _, _>")]
    digests: Vec<String>,
}

/// A list of digests that is computed in order of offset.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct InOrder {
    algorithm: String,
    at_bytes: u64,
    /// Base64, of the parts that end there or before.
    #[serde(deserialize_with = "at_most::<MOST_PARTS, _, _>")]
    done: Vec<String>,
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
        "was written for other references, or with another --digest, --concurrency, --max-memory, --range-size or --tuning"
    )]
    Plan,
    #[error("contradicts itself: {0}")]
    Inconsistent(String),
}

impl Identity {
    pub fn of(target: String, facts: &ObjectFacts) -> Self {
        Identity {
            target,
            etag: facts.id.etag.as_ref().map(ToString::to_string),
            version_id: facts.version.clone(),
            last_modified: facts.last_modified.map(|time| time.to_string()),
            object_bytes: facts.size,
        }
    }

    /// Whether a reading of the one may go on as a reading of the other.
    fn is_same(&self, now: &Identity) -> Result<(), CheckpointError> {
        let shown = |text: &Option<String>| text.clone().unwrap_or_else(|| "not stated".to_owned());
        let all = [
            ("the target", self.target.clone(), now.target.clone()),
            ("its ETag", shown(&self.etag), shown(&now.etag)),
            ("its version", shown(&self.version_id), shown(&now.version_id)),
            ("its size", format!("{} bytes", self.object_bytes), format!("{} bytes", now.object_bytes)),
            ("its time", shown(&self.last_modified), shown(&now.last_modified)),
        ];
        match all.into_iter().find(|(_, then, now)| then != now) {
            Some((what, then, now)) => Err(CheckpointError::Object { what, then, now }),
            None => Ok(()),
        }
    }
}

impl Checkpoint {
    pub fn new(object: Identity, plan: &ReadPlan, midway: &Midway, written_at: String) -> Self {
        let whole = || midway.of_ranges.iter().zip(plan.ranges()).enumerate();
        let finished = whole().filter_map(|(range, (digests, _))| {
            let digests = digests.as_ref()?.iter().map(Digest::base64).collect();
            Some(Finished { range, digests })
        });
        let in_order = plan.ordered().iter().zip(&midway.rows).map(|(need, row)| InOrder {
            algorithm: need.algorithm.to_string(),
            at_bytes: row.at,
            done: row.done.iter().map(Digest::base64).collect(),
            hasher: STANDARD.encode(&row.hasher),
        });
        Checkpoint {
            tool: TOOL.to_owned(),
            written_at,
            object,
            plan: plan.fingerprint().hex(),
            ranges: plan.ranges().len(),
            read_bytes: whole().filter(|(_, (digests, _))| digests.is_some()).map(|(_, (_, range))| range.len()).sum(),
            finished: finished.collect(),
            in_order: in_order.collect(),
        }
    }

    pub fn to_json(&self) -> Result<String, serde_json::Error> {
        seal("checkpoint", self)
    }

    pub fn from_json(text: &str) -> Result<Self, CheckpointError> {
        let checkpoint: Checkpoint = open("checkpoint", text)?;
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
    pub fn midway(&self, object: &Identity, plan: &ReadPlan) -> Result<Midway, CheckpointError> {
        let wrong = |what: &str| CheckpointError::Inconsistent(what.to_owned());
        self.object.is_same(object)?;
        if self.plan != plan.fingerprint().hex() {
            return Err(CheckpointError::Plan);
        }
        if self.ranges != plan.ranges().len() || self.in_order.len() != plan.ordered().len() {
            return Err(wrong("it has another number of ranges than its plan"));
        }
        let mut midway = Midway::beginning(plan);
        for finished in &self.finished {
            let slot = midway.of_ranges.get_mut(finished.range).filter(|slot| slot.is_none());
            let slot = slot.ok_or_else(|| wrong("a range that its plan does not have, or twice"))?;
            if finished.digests.len() != plan.per_range().len() {
                return Err(wrong("a range has another number of digests"));
            }
            *slot = Some(digests(plan.per_range().iter().copied().zip(&finished.digests))?);
        }
        for ((need, row), slot) in plan.ordered().iter().zip(&self.in_order).zip(&mut midway.rows) {
            if row.algorithm != need.algorithm.to_string() {
                return Err(wrong("digests in order by another algorithm"));
            }
            let done = digests(std::iter::repeat(need.algorithm).zip(&row.done))?;
            let hasher = STANDARD.decode(&row.hasher).map_err(|_| wrong("the state of a hasher"))?;
            *slot = RowState { at: row.at_bytes, done, hasher };
        }
        midway.fits(plan).map_err(CheckpointError::Inconsistent)?;
        Ok(midway)
    }
}

fn digests<'a>(list: impl Iterator<Item = (Algorithm, &'a String)>) -> Result<Vec<Digest>, CheckpointError> {
    list.map(|(algorithm, text)| Digest::parse(algorithm, text))
        .collect::<Result<_, _>>()
        .map_err(|error| CheckpointError::Inconsistent(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checksum::Hasher;
    use crate::plan::{Limits, PartLayout};

    fn identity() -> Identity {
        Identity {
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
    fn midway(plan: &ReadPlan) -> Midway {
        let mut midway = Midway::beginning(plan);
        for slot in midway.of_ranges.iter_mut().step_by(3) {
            *slot = Some(plan.per_range().iter().map(|algorithm| Hasher::digest(*algorithm, b"x")).collect());
        }
        for (need, row) in plan.ordered().iter().zip(&mut midway.rows) {
            let hasher = Hasher::new(need.algorithm).save().unwrap();
            *row = RowState { at: plan.ranges()[0].end(), done: vec![], hasher };
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
        assert!(!missing.contains(&0) && missing.contains(&1) && missing.contains(&3), "SHA-256 has not had the third");
    }

    #[test]
    fn another_object_plan_or_version_is_refused() {
        let own = plan(None);
        let checkpoint = Checkpoint::new(identity(), &own, &midway(&own), String::new());
        for other in [
            Identity { target: "s3://b/other".into(), ..identity() },
            Identity { etag: Some("f".into()), ..identity() },
            Identity { etag: None, ..identity() },
            Identity { version_id: Some("3".into()), ..identity() },
            Identity { object_bytes: 21 << 20, ..identity() },
            Identity { last_modified: Some("2026-01-02T03:04:06Z".into()), ..identity() },
        ] {
            assert!(matches!(checkpoint.midway(&other, &own), Err(CheckpointError::Object { .. })), "{other:?}");
        }
        let other = plan(Some(Algorithm::Crc32c));
        assert!(matches!(checkpoint.midway(&identity(), &other), Err(CheckpointError::Plan)));
        let text = Checkpoint { tool: "stored-ami 0.0.0".into(), ..checkpoint }.to_json().unwrap();
        assert!(matches!(Checkpoint::from_json(&text), Err(CheckpointError::Tool(_))));
    }

    #[test]
    fn contradictions_are_refused() {
        let plan = plan(None);
        let good = Checkpoint::new(identity(), &plan, &midway(&plan), String::new());
        type Spoil = fn(&mut Checkpoint);
        let spoil: [Spoil; 8] = [
            |c| c.ranges += 1,
            |c| c.finished[0].range = 10_000,
            |c| c.finished[0].range = c.finished[1].range,
            |c| c.finished[0].digests[0] = "AAAA".into(),
            |c| drop(c.finished[0].digests.pop()),
            |c| c.in_order[0].at_bytes += 1,
            |c| c.in_order[0].hasher = "AAAA".into(),
            |c| c.in_order[0].done.push(Hasher::digest(Algorithm::Sha256, b"").base64()),
        ];
        for (which, spoil) in spoil.iter().enumerate() {
            let mut wrong = good.clone();
            spoil(&mut wrong);
            let error = wrong.midway(&identity(), &plan).unwrap_err();
            assert!(matches!(error, CheckpointError::Inconsistent(_)), "{which}: {error}");
        }
    }
}
