use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::bucket::{BucketSurvey, bucket_location};
use super::image::keys_enabled;
use super::in_progress::{Work, cautious, counted_in, restores_in_progress};
use super::limits::ServiceLimits;
use super::name_source::NameSource;
use super::next_steps::next_steps;
use super::note::{BucketNote, PreflightNote};
use super::ownership::{Ownership, OwnershipClaim};
use super::pace::RestorePace;
use super::permission::{DryRun, permission_of};
use super::price::block_price;
use super::size::{LogicalSize, image_size};
use super::{Preflight, fail, optional, pass, reason, unknown};
use crate::facts::{
    Caller, EbsDefault, Encryption, Fact, ImageFacts, ImageState, KeyFacts, ObjectFacts, Readability, Versioning,
    readability,
};
use crate::ident::{ImageName, ObjectUri};
use crate::price::Item;
use crate::units::ByteSize;
use crate::verdict::{CheckId, Condition as C, Evidence, Failure, Finding, Outcome, Reason, Verdict};

/// The last known proof of the object's bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LastVerified {
    /// No proof is known.
    NotKnown,
    /// A manifest of exactly this object.
    Manifest {
        /// Name of the manifest file.
        file: String,
        /// Time of the proof, RFC 3339.
        written_at: String,
        /// Names of the checks that passed.
        proved_by: Vec<String>,
    },
    /// A manifest of another object, or one without a proof.
    Useless {
        /// Name of the manifest file.
        file: String,
        /// Why it is not used, for the report.
        detail: String,
    },
    /// Verified in this run.
    Now {
        /// Verdict of the run.
        verdict: Verdict,
        /// Result of the run, for the report.
        detail: String,
    },
}

/// Number of snapshots of the account in the Region.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SnapshotCount {
    /// Snapshots counted.
    pub counted: u64,
    /// Whether all pages were read.
    pub complete: bool,
}

/// All answers that were collected before a restore.
#[derive(Debug, Clone)]
pub struct RestoreSurvey {
    /// The object to restore.
    pub target: ObjectUri,
    /// Region of the call.
    pub region: String,
    /// Time of the preflight.
    pub now: Timestamp,
    /// Identity of the caller.
    pub caller: Fact<Caller>,
    /// The current version of the object; `Absent` if there is none.
    pub object: Fact<ObjectFacts>,
    /// What shows that the record that was given is not of this object; `None` if nothing does.
    pub against_record: Option<String>,
    /// Whether one byte of the object could be read.
    pub probe: Fact<()>,
    /// The bucket of the object.
    pub bucket: BucketSurvey,
    /// The last proof of the object's bytes.
    pub verified: LastVerified,
    /// All AMIs of the account in the Region, in every state.
    pub images: Fact<Vec<ImageFacts>>,
    /// Restores in progress.
    pub work: Fact<Work>,
    /// Size of the AMI before compression.
    pub size: LogicalSize,
    /// Name of the new AMI and its source, if known.
    pub name: Option<(String, NameSource)>,
    /// How to recognise an AMI of this restore; `None` if the restore is not completely specified.
    pub claim: Option<OwnershipClaim>,
    /// Whether the source had encrypted snapshots.
    pub source_encrypted: Option<bool>,
    /// EBS encryption by default.
    pub ebs: Fact<EbsDefault>,
    /// The key of EBS encryption by default.
    pub key: Fact<KeyFacts>,
    /// Quota of AMIs in the Region.
    pub image_quota: Fact<f64>,
    /// Quota of snapshots in the Region.
    pub snapshot_quota: Fact<f64>,
    /// Number of existing snapshots.
    pub snapshots: Fact<SnapshotCount>,
    /// Number of snapshots that the restore creates.
    pub new_snapshots: Option<u64>,
    /// Throughput of earlier restores.
    pub pace: Option<RestorePace>,
    /// Response to the call with `DryRun`.
    pub dry_run: DryRun,
    /// Service limits.
    pub limits: ServiceLimits,
}

/// Checks every documented condition of a restore, with one finding per condition.
pub fn judge_restore(survey: &RestoreSurvey) -> Preflight {
    let mut out = Preflight::default();
    out.findings.push(object(survey));
    out.findings.extend(empty(survey));
    out.findings.push(readable(survey));
    out.findings.push(verified(&survey.verified));
    let is_marked = survey.object.value().is_some_and(ObjectFacts::is_unproved_copy);
    out.notes.extend(is_marked.then_some(PreflightNote::UnprovedCopy));
    bucket_location(&survey.bucket, &survey.region, &mut out);
    out.findings.push(image_size(&survey.size, survey.limits));
    out.findings.push(restores_in_progress(&survey.work, survey.limits));
    out.notes.extend(cautious(&survey.work, &survey.size, survey.limits.restores));
    out.notes.push(counted_in(&survey.region));
    name(survey, &mut out);
    already_restored(survey, &mut out);
    encryption(survey, &mut out);
    out.findings.push(optional(image_quota(survey)));
    out.findings.push(optional(snapshot_quota(survey)));
    out.findings.push(permission_of(&survey.caller, &survey.dry_run, "ec2:CreateRestoreImageTask"));
    notes(survey, &mut out);
    let follow = survey.holder().filter(|holder| survey.has_made(holder)).map(|holder| holder.id.as_str());
    out.next_steps = next_steps(&out.findings, "restore", &survey.target.bucket, follow);
    out
}

fn object(survey: &RestoreSurvey) -> Finding {
    let rule = "the object is there, and is the current version: a restore takes no other";
    match &survey.object {
        Fact::Known { value, source } => {
            let etag = value.id.etag.as_ref().map_or("no ETag".to_owned(), |etag| format!("ETag {etag}"));
            match (&survey.target.version, &value.version, &survey.against_record) {
                (Some(wanted), current, _) if current.as_deref() != Some(wanted) => {
                    let current = current.as_deref().unwrap_or("without a version");
                    fail(
                        C::Object,
                        source,
                        rule,
                        format!("version {wanted} was named, and the current one is {current}"),
                    )
                }
                (.., Some(detail)) => unknown(C::Object, Reason::Ambiguous { detail: detail.clone() }),
                _ => pass(C::Object, source, rule, format!("{} bytes, {etag}", ByteSize(value.size).grouped())),
            }
        }
        Fact::Absent { source } => fail(C::Object, source, rule, "there is no such object"),
        other => unknown(C::Object, reason(other, "the object")),
    }
}

/// A failure if the object is empty, because an empty object cannot contain an AMI.
fn empty(survey: &RestoreSurvey) -> Option<Finding> {
    let facts = survey.object.value().filter(|facts| facts.size == 0)?;
    let failure = Failure::of_rule(Evidence::of_rule(facts.source.name(), "more than 0 bytes", "the object is empty"));
    Some(Finding { check: CheckId::Size, required: true, outcome: Outcome::Fail(failure) })
}

fn readable(survey: &RestoreSurvey) -> Finding {
    let rule = "the object can be read now, and as long as a restore may take";
    let Some(facts) = survey.object.value() else {
        return unknown(C::Readable, reason(&survey.object, "the object"));
    };
    if facts.encryption == Encryption::CustomerKey {
        return fail(
            C::Readable,
            facts.source.name(),
            rule,
            "encrypted with a customer key (SSE-C), which a restore cannot be given",
        );
    }
    let restore = facts.restore.as_ref().and_then(|state| state.as_ref().ok());
    let class = facts.storage_class.as_deref().unwrap_or_default();
    match readability(facts.storage_class.as_deref(), facts.archive_status.as_deref(), restore) {
        Readability::Archived(state) => fail(C::Readable, facts.source.name(), rule, format!("archived: {state}")),
        _ if facts.size == 0 => unknown(
            C::Readable,
            Reason::NotStated { detail: "the object is empty: there is no byte to read".to_owned() },
        ),
        Readability::Now => match &survey.probe {
            Fact::Known { source, .. } => pass(C::Readable, source, rule, format!("{class}; one byte was read")),
            other => unknown(C::Readable, reason(other, "reading one byte")),
        },
        Readability::Until(end) => temporary(survey, rule, end),
    }
}

/// Checks that a temporary copy outlasts the task, which may wait in a queue.
fn temporary(survey: &RestoreSurvey, rule: &str, end: Option<Timestamp>) -> Finding {
    if let Some(reason) = survey.probe.why_not() {
        return unknown(C::Readable, Reason::Unanswered { detail: format!("reading one byte: {reason}") });
    }
    let Some(end) = end else {
        return unknown(
            C::Readable,
            Reason::NotStated { detail: "when the temporary copy ends is not stated".to_owned() },
        );
    };
    let left = end.duration_since(survey.now);
    match survey.estimate() {
        Some(takes) if left > takes.saturating_mul(2) => {
            let observed =
                format!("a temporary copy until {end}, more than twice the estimate from your earlier restores");
            pass(C::Readable, "HeadObject", rule, observed)
        }
        takes => {
            let takes = takes.map_or("how long a restore takes is not known".to_owned(), |takes| {
                format!("a restore may take {} h", takes.as_hours().max(1))
            });
            let detail = format!("a temporary copy is readable until {end}; {takes}, and it may wait in a queue first");
            unknown(C::Readable, Reason::Ambiguous { detail })
        }
    }
}

impl RestoreSurvey {
    /// Estimates the duration from earlier restores by this user.
    fn estimate(&self) -> Option<SignedDuration> {
        SignedDuration::try_from(self.pace?.time(self.size.volumes?)?).ok()
    }
}

/// The finding on the last proof. AWS does not require a proof, so an unknown blocks the restore only if the
/// user asked for verification in this run.
pub fn verified(last: &LastVerified) -> Finding {
    let rule = "the bytes of the object were proved";
    match last {
        LastVerified::NotKnown => {
            let detail = "no proof of its bytes is known; --verify makes one now, --manifest names one".to_owned();
            optional(unknown(C::Verified, Reason::NotStated { detail }))
        }
        LastVerified::Manifest { file, written_at, proved_by } => optional(pass(
            C::Verified,
            file,
            rule,
            format!("on {written_at}, by {}, under the same ETag and size", proved_by.join(", ")),
        )),
        LastVerified::Useless { file, detail } => {
            optional(unknown(C::Verified, Reason::NotStated { detail: format!("{file}: {detail}") }))
        }
        LastVerified::Now { verdict: Verdict::Pass, detail } => pass(C::Verified, "verify", rule, detail.as_str()),
        LastVerified::Now { verdict: Verdict::Fail, detail } => fail(C::Verified, "verify", rule, detail.as_str()),
        LastVerified::Now { verdict: Verdict::Unknown, detail } => {
            unknown(C::Verified, Reason::NotStated { detail: detail.clone() })
        }
    }
}

fn name(survey: &RestoreSurvey, out: &mut Preflight) {
    let Some((name, source)) = &survey.name else {
        let detail = "no name is given; EC2 would take that of the source AMI, which is not known here".to_owned();
        out.findings.push(unknown(C::NameLegal, Reason::NotStated { detail: detail.clone() }));
        out.findings.push(unknown(C::NameFree, Reason::NotStated { detail }));
        return;
    };
    if *source != NameSource::Given {
        out.notes.push(PreflightNote::NameOf { name: name.clone(), of: *source });
    }
    let source = source.name();
    let rule = "3 to 128 characters out of letters, digits, spaces and ( ) [ ] . / - ' @ _";
    out.findings.push(match name.parse::<ImageName>() {
        Ok(legal) => {
            let doubtful = legal.doubtful();
            if !doubtful.is_empty() {
                out.notes.push(PreflightNote::DoubtfulCharacters { characters: doubtful });
            }
            pass(C::NameLegal, source, rule, name.as_str())
        }
        Err(error) => fail(C::NameLegal, source, rule, error.to_string()),
    });
    let rule = format!("no AMI of the account in {} is named `{name}`", survey.region);
    out.findings.push(match &survey.images {
        Fact::Known { value, source } => match survey.holder() {
            None => pass(C::NameFree, source, rule, format!("none of {} AMIs", value.len())),
            Some(holder) => {
                let who = survey.who_made(holder);
                fail(C::NameFree, source, rule, format!("{} ({}) has the name{who}", holder.id, holder.state))
            }
        },
        other => unknown(C::NameFree, reason(other, "the account's AMIs")),
    });
}

impl RestoreSurvey {
    /// The AMI of the account that has the wanted name.
    fn holder(&self) -> Option<&ImageFacts> {
        let (name, _) = self.name.as_ref()?;
        self.images.value()?.iter().find(|image| image.name.as_ref() == Some(name))
    }

    /// Whether this restore has made the AMI, in an earlier run.
    fn has_made(&self, image: &ImageFacts) -> bool {
        self.claim.as_ref().is_some_and(|claim| matches!(claim.classify(image), Ownership::Ours(_)))
    }

    /// Which restore made an AMI, for the report; empty if that is not known.
    fn who_made(&self, image: &ImageFacts) -> &'static str {
        match self.claim.as_ref().map(|claim| claim.classify(image)) {
            Some(Ownership::Ours(_)) => ", made by this restore",
            Some(Ownership::Foreign { .. }) => ", made by another restore",
            _ => "",
        }
    }
}

/// Adds a note on earlier restores of the same AMI. It is not a finding, because a drill repeats a restore on
/// purpose and CopyImage leaves the same trace.
fn already_restored(survey: &RestoreSurvey, out: &mut Preflight) {
    let Some(ami) = crate::ident::AmiId::from_key(&survey.target.key) else {
        out.notes.push(PreflightNote::ForeignKey);
        return;
    };
    let from_it =
        survey.images.value().into_iter().flatten().filter(|i| i.source_image.as_deref() == Some(ami.as_str()));
    let shown: Vec<String> = from_it
        .map(|image| format!("{} ({}, `{}`)", image.id, image.state, image.name.as_deref().unwrap_or_default()))
        .collect();
    if !shown.is_empty() {
        out.notes.push(PreflightNote::RestoredBefore { ami, images: shown });
    }
}

fn encryption(survey: &RestoreSurvey, out: &mut Preflight) {
    let rule = "the key that new snapshots are encrypted with is enabled";
    match &survey.ebs {
        Fact::Known { value: EbsDefault { encrypted: false, .. }, source } => {
            out.findings.push(pass(C::EbsKey, source, rule, "EBS encryption by default is off, so no key is used"));
            out.notes.push(match survey.source_encrypted {
                Some(true) => PreflightNote::EncryptionLost,
                _ => PreflightNote::NotEncrypted,
            });
        }
        Fact::Known { value: EbsDefault { key: Some(key), .. }, .. } => {
            out.notes.push(PreflightNote::EncryptedWith { key: key.clone() });
            out.findings.push(keys_enabled(C::EbsKey, rule, &BTreeMap::from([(key.clone(), survey.key.clone())])));
        }
        Fact::Known { .. } => {
            let detail = "EBS encryption by default is on, and its key is not stated".to_owned();
            out.findings.push(unknown(C::EbsKey, Reason::NotStated { detail }));
        }
        other => out.findings.push(unknown(C::EbsKey, reason(other, "EBS encryption by default"))),
    }
}

fn image_quota(survey: &RestoreSurvey) -> Finding {
    let (Some(images), Some(quota)) = (survey.images.value(), survey.image_quota.value()) else {
        let fact = survey.image_quota.why_not().or(survey.images.why_not()).unwrap_or_default();
        return unknown(C::ImageQuota, Reason::Unanswered { detail: format!("the quota of AMIs: {fact}") });
    };
    let counts = |image: &&ImageFacts| {
        matches!(ImageState::of(&image.state), ImageState::Available | ImageState::Pending | ImageState::Disabled)
    };
    let have = images.iter().filter(counts).count();
    // AMIs in unknown states may count.
    let odd = images.iter().filter(|image| !ImageState::of(&image.state).is_known()).count();
    let rule = format!("fewer than {quota} AMIs in the Region");
    let observed = format!("{have} of {quota}");
    if (have as f64) < *quota && ((have + odd) as f64) >= *quota {
        let detail = format!("{observed}, and {odd} AMIs are in states that are not known");
        unknown(C::ImageQuota, Reason::NotStated { detail })
    } else if (have as f64) < *quota {
        pass(C::ImageQuota, "Service Quotas", rule, observed)
    } else {
        fail(C::ImageQuota, "Service Quotas", rule, observed)
    }
}

fn snapshot_quota(survey: &RestoreSurvey) -> Finding {
    let (Some(count), Some(quota)) = (survey.snapshots.value(), survey.snapshot_quota.value()) else {
        let fact = survey.snapshot_quota.why_not().or(survey.snapshots.why_not()).unwrap_or_default();
        return unknown(C::SnapshotQuota, Reason::Unanswered { detail: format!("the quota of snapshots: {fact}") });
    };
    let new = survey.new_snapshots.unwrap_or(1);
    let rule = format!("room for {new} more below {quota} snapshots in the Region");
    let wanted = count.counted.saturating_add(new) as f64;
    let observed = format!("{} of {quota}", count.counted);
    match (wanted <= *quota, count.complete, survey.new_snapshots) {
        (true, true, Some(_)) => pass(C::SnapshotQuota, "Service Quotas", rule, observed),
        (false, _, _) => fail(C::SnapshotQuota, "Service Quotas", rule, observed),
        (true, true, None) => {
            let detail = format!("{observed}; how many the restore makes is not known");
            unknown(C::SnapshotQuota, Reason::NotStated { detail })
        }
        (true, false, _) => {
            let detail = format!("more than {} snapshots, and not all were counted", count.counted);
            unknown(C::SnapshotQuota, Reason::NotStated { detail })
        }
    }
}

fn notes(survey: &RestoreSurvey, out: &mut Preflight) {
    if let Fact::Known { value, .. } = &survey.caller {
        out.notes.push(PreflightNote::Caller {
            partition: value.partition().to_owned(),
            account: value.account.clone(),
            arn: value.arn.clone(),
        });
    }
    out.notes.extend(block_price(Item::PutBlock, &survey.size));
    out.notes.push(match (survey.estimate(), survey.pace) {
        (Some(time), Some(pace)) => PreflightNote::Takes { time, restores: pace.restores },
        _ => PreflightNote::TakesUnknown,
    });
    match &survey.bucket.versioning {
        Fact::Known { value: Versioning::Enabled, .. } => {}
        Fact::Known { .. } => out.notes.push(BucketNote::Replaceable.into()),
        other => {
            let why = other.why_not().unwrap_or_default();
            out.notes.push(BucketNote::VersioningUnknown { why }.into());
        }
    }
    out.untested.push(
        "the caller's ebs:StartSnapshot, ebs:PutSnapshotBlock and ebs:CompleteSnapshot, and grants on KMS keys"
            .to_owned(),
    );
}
