use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Exit, IdentityReport, ReasonReport};
use crate::audit::{PartsRun, RunDigests, SplitPlan};
use crate::checksum::{Algorithm, ChecksumKind, Digest};
use crate::ident::ObjectUri;
use crate::manifest::PartRun;
use crate::plan::{AlgorithmCertainty, Basis, Candidate, Claim, PartLayout, Reference};
use crate::sealed::at_most;
use crate::text::words;
use crate::units::ByteRange;
use crate::verdict::{CheckId, Damage};

/// S3 allows 10,000 parts per object.
const MOST_PARTS: usize = 10_000;
/// A few references for each of ten algorithms.
const MOST_REFERENCES: usize = 64;

/// One run of parts of an object that several shards of an audit read together, with `--split`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AuditedRunReport {
    /// The object as `s3://bucket/key`.
    pub target: ObjectUri,
    /// The state of the object that was read; absent if it could not be described.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity: Option<IdentityReport>,
    /// When the run was read, RFC 3339.
    pub read_at: String,
    /// Number of the run, from 1; 0 if the object could not be described.
    pub run: u32,
    /// Number of runs of the object.
    pub of: u32,
    /// Offset of its first byte.
    pub offset_bytes: u64,
    /// Its size in bytes.
    pub length_bytes: u64,
    /// Number of its first part, from 1; absent if the object is not written in parts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_part: Option<u64>,
    /// The sizes of its parts in order; empty if the object is not written in parts.
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "at_most::<MOST_PARTS, _, _>")]
    pub layout: Vec<PartRun>,
    /// Digests of its parts in base64, by algorithm.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub by_part: BTreeMap<Algorithm, Vec<String>>,
    /// Digests over the run in base64, by algorithm.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub whole: BTreeMap<Algorithm, String>,
    /// The values that S3 stores, which the digests of all runs are compared with.
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "at_most::<MOST_REFERENCES, _, _>")]
    pub references: Vec<RunReferenceReport>,
    /// Why the run was not read completely.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<ReasonReport>,
    /// Requests made for the run.
    pub requests: u64,
    /// Object bytes received for the run.
    pub received_bytes: u64,
    /// Duration of the read.
    pub elapsed_seconds: f64,
    /// Exit code for this run alone.
    pub exit_code: Exit,
}

words! {
    /// What a value covers.
    pub enum ValueCovers {
        /// All bytes.
        Object = "object",
        /// The digests of the parts.
        Parts = "parts",
        /// One of the two: the server states neither.
        Either = "either",
        /// One of the two: the server states the parts, and not how many.
        EitherComposite = "either_composite",
    }
}

/// A value that S3 stores of an object that is read in runs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RunReferenceReport {
    /// The check.
    pub check: CheckId,
    /// Kind and source of the value.
    pub source: String,
    /// The algorithm.
    pub algorithm: Algorithm,
    /// The value in base64.
    pub value: String,
    /// The value as the server writes it.
    pub shown: String,
    /// What the value covers.
    pub covers: ValueCovers,
    /// Whether it is documented how the server computes it.
    pub documented: bool,
    /// Whether the server states all parts, or an earlier read of the same ETag proved them; otherwise they are assumed
    /// from the first one.
    pub parts_proved: bool,
    /// The stored values of the parts of this run in base64.
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "at_most::<MOST_PARTS, _, _>")]
    pub parts: Vec<String>,
}

/// Where the parts of a claim that was read from a file are known from.
const STATED: &str = "the server states every part, or this ETag matched under them before";
const ASSUMED: &str = "the first part's size fits all of them";

impl RunReferenceReport {
    /// A reference, with the values of the parts of one run.
    pub fn new(reference: &Reference, run: &PartsRun) -> Option<Self> {
        let (digest, covers, shown, candidates, parts) = match &reference.claim {
            Claim::Whole(digest) => (digest, ValueCovers::Object, digest.to_string(), &[][..], None),
            Claim::Composite { digest, shown, candidates, parts } => {
                (digest, ValueCovers::Parts, shown.clone(), candidates.as_slice(), parts.as_ref())
            }
            Claim::WholeOrComposite { digest, candidates, stated } => {
                let covers = match stated {
                    ChecksumKind::Composite { .. } => ValueCovers::EitherComposite,
                    ChecksumKind::FullObject | ChecksumKind::Unstated => ValueCovers::Either,
                };
                (digest, covers, digest.to_string(), candidates.as_slice(), None)
            }
            Claim::Parts { .. } => return None,
        };
        let own = parts.and_then(|parts| parts.get(run.first_part..run.first_part.checked_add(run.parts)?));
        Some(RunReferenceReport {
            check: reference.check,
            source: reference.source.clone(),
            algorithm: digest.algorithm(),
            value: digest.base64(),
            shown,
            covers,
            documented: reference.standing == AlgorithmCertainty::Stated,
            parts_proved: candidates.iter().all(|one| matches!(one.basis, Basis::Proved { .. })),
            parts: own.unwrap_or_default().iter().map(Digest::base64).collect(),
        })
    }

    /// The reference for an object with these parts. `parts` are the stored values of all parts; empty if there are none.
    ///
    /// # Errors
    ///
    /// A value is none of its algorithm; a message for the user.
    pub fn reference(&self, layout: &PartLayout, parts: Vec<String>) -> Result<Reference, String> {
        let digest = |text: &str| Digest::parse(self.algorithm, text).map_err(|error| error.to_string());
        let basis = if self.parts_proved { Basis::Proved { by: STATED } } else { Basis::Assumed { from: ASSUMED } };
        let candidates =
            if layout.count() > 1 { vec![Candidate { layout: layout.clone(), basis }] } else { Vec::new() };
        let value = digest(&self.value)?;
        let parts = parts.iter().map(|text| digest(text)).collect::<Result<Vec<_>, _>>()?;
        let claim = match self.covers {
            ValueCovers::Object => Claim::Whole(value),
            ValueCovers::Parts => Claim::Composite {
                digest: value,
                shown: self.shown.clone(),
                candidates,
                parts: (parts.len() == layout.count()).then_some(parts),
            },
            ValueCovers::Either => {
                Claim::WholeOrComposite { digest: value, candidates, stated: ChecksumKind::Unstated }
            }
            ValueCovers::EitherComposite => {
                Claim::WholeOrComposite { digest: value, candidates, stated: ChecksumKind::Composite { parts: None } }
            }
        };
        let standing = if self.documented { AlgorithmCertainty::Stated } else { AlgorithmCertainty::UndocumentedETag };
        Ok(Reference { standing, ..Reference::new(self.check, self.source.clone(), claim) })
    }
}

impl AuditedRunReport {
    /// A run that is still to be read.
    pub fn new(target: &ObjectUri, read_at: String) -> Self {
        AuditedRunReport {
            target: target.clone(),
            identity: None,
            read_at,
            run: 0,
            of: 0,
            offset_bytes: 0,
            length_bytes: 0,
            first_part: None,
            layout: Vec::new(),
            by_part: BTreeMap::new(),
            whole: BTreeMap::new(),
            references: Vec::new(),
            reason: None,
            requests: 0,
            received_bytes: 0,
            elapsed_seconds: 0.0,
            exit_code: Exit::Passed,
        }
    }

    /// The same with the place of the run and what it is compared with.
    #[must_use]
    pub fn of_run(self, plan: &SplitPlan, run: &PartsRun) -> Self {
        let mut layout: Vec<PartRun> = Vec::new();
        for part in plan.layout().parts().skip(run.first_part).take(run.parts) {
            match layout.last_mut() {
                Some(last) if last.part_bytes == part.len() => last.parts += 1,
                _ => layout.push(PartRun { part_bytes: part.len(), parts: 1 }),
            }
        }
        AuditedRunReport {
            run: run.number,
            of: run.of,
            offset_bytes: run.range.start(),
            length_bytes: run.range.len(),
            first_part: (run.parts > 0).then_some(run.first_part as u64 + 1),
            layout,
            references: plan.joined.iter().filter_map(|one| RunReferenceReport::new(one, run)).collect(),
            ..self
        }
    }

    /// Adds the digests.
    #[must_use]
    pub fn with(self, digests: &RunDigests) -> Self {
        let by_part = digests.by_part.iter();
        AuditedRunReport {
            by_part: by_part.map(|(algorithm, list)| (*algorithm, list.iter().map(Digest::base64).collect())).collect(),
            whole: digests.whole.iter().map(|digest| (digest.algorithm(), digest.base64())).collect(),
            ..self
        }
    }

    /// The digests.
    ///
    /// # Errors
    ///
    /// A value is none of its algorithm; a message for the user.
    pub fn digests(&self) -> Result<RunDigests, String> {
        let digest =
            |algorithm: Algorithm, text: &str| Digest::parse(algorithm, text).map_err(|error| error.to_string());
        let of_parts = |(algorithm, list): (&Algorithm, &Vec<String>)| {
            let list = list.iter().map(|text| digest(*algorithm, text)).collect::<Result<Vec<_>, _>>()?;
            Ok::<_, String>((*algorithm, list))
        };
        Ok(RunDigests {
            by_part: self.by_part.iter().map(of_parts).collect::<Result<_, _>>()?,
            whole: self.whole.iter().map(|(algorithm, text)| digest(*algorithm, text)).collect::<Result<_, _>>()?,
        })
    }

    /// The parts of the run whose digests differ from the values that S3 stores of them for `reference`. Empty where the
    /// parts are assumed.
    pub fn damage(&self, reference: &RunReferenceReport) -> Vec<Damage> {
        let (Some(first), Some(observed), true) =
            (self.first_part, self.by_part.get(&reference.algorithm), reference.parts_proved)
        else {
            return Vec::new();
        };
        let digest = |text: &str| Digest::parse(reference.algorithm, text).ok();
        let sizes = self.layout.iter().flat_map(|run| (0..run.parts).map(|_| run.part_bytes));
        let ranges = sizes.scan(self.offset_bytes, |at, size| {
            let start = std::mem::replace(at, at.saturating_add(size));
            Some(ByteRange::new(start, *at))
        });
        let differing = |((part, range), (expected, observed)): ((u64, Option<ByteRange>), (&String, &String))| {
            let (range, expected, observed) = (range?, digest(expected)?, digest(observed)?);
            let (is_same, expected, observed) = (expected == observed, expected.to_string(), observed.to_string());
            (!is_same).then_some(Damage { part, range, expected, observed, second_read: None })
        };
        (first..).zip(ranges).zip(reference.parts.iter().zip(observed)).filter_map(differing).collect()
    }

    /// Number of its parts.
    pub fn parts(&self) -> u64 {
        self.layout.iter().fold(0, |sum, run| sum.saturating_add(run.parts))
    }

    /// A contradiction in this line, for the user; `None` if there is none.
    pub fn contradiction(&self) -> Option<String> {
        let bytes = self.identity.as_ref().map(|identity| identity.object_bytes);
        if self.reason.is_some() == (self.exit_code == Exit::Passed) {
            return Some("a run is either read, or has a reason why it is not".to_owned());
        }
        if self.reason.is_some() {
            return None;
        }
        let end = self.offset_bytes.checked_add(self.length_bytes);
        if self.run == 0 || self.run > self.of || self.length_bytes == 0 || end.is_none_or(|end| Some(end) > bytes) {
            return Some(format!("run {} of {} does not lie in the object", self.run, self.of));
        }
        let parts = self.parts();
        let bytes_of_parts =
            self.layout.iter().fold(0_u64, |sum, run| sum.saturating_add(run.part_bytes.saturating_mul(run.parts)));
        if parts > MOST_PARTS as u64 || parts > 0 && bytes_of_parts != self.length_bytes {
            return Some(format!("the {parts} parts of run {} are not its bytes", self.run));
        }
        let lists =
            self.by_part.values().chain(self.references.iter().map(|one| &one.parts).filter(|one| !one.is_empty()));
        if lists.into_iter().any(|list| list.len() as u64 != parts) {
            return Some(format!("run {} has not one value for each of its parts", self.run));
        }
        self.digests().err()
    }
}
