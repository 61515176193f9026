use std::collections::BTreeMap;

use super::bucket::{BucketSurvey, place, protection};
use super::image::not_known;
use super::in_progress::{Work, cautious, counted_in, stores_in_progress};
use super::limits::ServiceLimits;
use super::permission::{DryRun, permission_of};
use super::price::block_price;
use super::size::{LogicalSize, image_size};
use super::stored::{Stored, StoredAnswer, StoredSurvey, judge_stored};
use super::{Preflight, fail, image, pass, reason, unknown};
use crate::facts::{Caller, Fact, ImageFacts, KeyFacts, SnapshotFacts, StoreTask};
use crate::ident::{AmiId, BucketPath};
use crate::price::Item;
use crate::verdict::{Condition as C, Finding, Reason};

/// Everything that was asked before a store.
#[derive(Debug, Clone)]
pub struct StoreSurvey {
    pub ami: AmiId,
    pub into: BucketPath,
    /// Region of the call.
    pub region: String,
    pub caller: Fact<Caller>,
    /// `Absent` where there is no such AMI.
    pub image: Fact<ImageFacts>,
    /// Whether the AMI is shared with this account by name.
    pub shared: Fact<bool>,
    /// Those of its snapshots that are visible.
    pub snapshots: Fact<Vec<SnapshotFacts>>,
    /// Those of its snapshots that are shared with this account by name.
    pub restorable: Fact<Vec<String>>,
    /// The keys of its encrypted snapshots.
    pub keys: BTreeMap<String, Fact<KeyFacts>>,
    /// Before compression.
    pub size: LogicalSize,
    /// All store tasks in progress in this Region.
    pub running: Fact<Vec<StoreTask>>,
    /// The same, with sizes.
    pub work: Fact<Work>,
    pub bucket: BucketSurvey,
    pub stored: StoredSurvey,
    pub dry_run: DryRun,
    pub limits: ServiceLimits,
}

/// Every documented condition of a store, one finding each.
pub fn judge_store(survey: &StoreSurvey) -> (Preflight, StoredAnswer) {
    let mut out = Preflight::default();
    out.findings.push(image::state(&survey.ami, &survey.image));
    match &survey.image {
        Fact::Known { value, .. } => of_image(survey, value, &mut out),
        other => {
            let checks = [C::EbsBacked, C::Virtualization, C::Sharing, C::Snapshots, C::SnapshotTier, C::SnapshotKeys];
            out.findings.extend(checks.map(|check| unknown(check, reason(other, "the AMI"))));
            out.findings.push(image_size(&survey.size, survey.limits));
        }
    }
    out.findings.push(stores_in_progress(&survey.work, survey.limits));
    out.notes.extend(cautious(&survey.work, &survey.size, survey.limits.stores));
    out.notes.push(counted_in(&survey.region));
    out.findings.push(one_store(survey));
    place(&survey.bucket, &survey.region, &mut out);
    if survey.bucket.facts.value().is_some() {
        protection(&survey.bucket, &mut out);
    }
    let answer = judge_stored(&survey.stored, &survey.ami, &survey.into);
    out.findings.push(not_stored(&answer, &survey.into.key(&survey.ami)));
    out.findings.push(permission_of(&survey.caller, &survey.dry_run, "ec2:CreateStoreImageTask"));
    out.notes.extend(block_price(Item::GetBlock, &survey.size));
    out.untested.push("the caller's ebs: permissions on the snapshots, and s3:PutObject on the bucket".to_owned());
    (out, answer)
}

fn of_image(survey: &StoreSurvey, image: &ImageFacts, out: &mut Preflight) {
    out.findings.extend(image::kind(image));
    out.findings.push(image::sharing(image, &survey.caller, &survey.shared, &survey.snapshots, &survey.restorable));
    out.findings.extend(image::snapshots(image, &survey.snapshots));
    image::keys(&survey.snapshots, &survey.keys, out);
    out.findings.push(image_size(&survey.size, survey.limits));
    if image.other_mappings > 0 {
        out.notes.push(format!("{} mappings of the AMI are no EBS volumes and hold no data", image.other_mappings));
    }
}

/// EC2 refuses a second store of the same AMI while one is in progress, into whatever bucket.
fn one_store(survey: &StoreSurvey) -> Finding {
    let rule = "no other store of this AMI is in progress";
    match &survey.running {
        Fact::Known { value, source } => {
            let same = || value.iter().filter(|task| task.image == survey.ami.as_str());
            let odd = || same().find(|task| task.in_progress().is_none());
            match same().find(|task| task.in_progress() == Some(true)) {
                None => match odd() {
                    None => pass(C::OneStore, source, rule, "none"),
                    Some(odd) => unknown(C::OneStore, not_known("the state of a store task of it", &odd.state)),
                },
                Some(task) => {
                    let progress = task.progress.map(|percent| format!(", at {percent} %")).unwrap_or_default();
                    fail(C::OneStore, source, rule, format!("one into {}{progress}", task.bucket))
                }
            }
        }
        other => unknown(C::OneStore, reason(other, "store tasks")),
    }
}

fn not_stored(answer: &StoredAnswer, key: &str) -> Finding {
    let rule = "the bucket holds no copy of the AMI, and none is on its way";
    let said = answer.said.iter().map(|(source, text)| format!("{source}: {text}")).collect::<Vec<_>>().join("; ");
    match answer.stored {
        Stored::NotStored | Stored::Failed => pass(C::NotStored, "S3 and DescribeStoreImageTasks", rule, said),
        Stored::Stored | Stored::InFlight => fail(C::NotStored, "S3 and DescribeStoreImageTasks", rule, said),
        Stored::StoredElsewhere => {
            let detail = format!(
                "stored in this bucket under another path than {key}; whether EC2 refuses that is not published: {said}"
            );
            unknown(C::NotStored, Reason::Undocumented { detail })
        }
        Stored::Gone => {
            let detail = format!("a task says that it was stored, and the object is gone: {said}");
            unknown(C::NotStored, Reason::Ambiguous { detail })
        }
        Stored::CannotTell => {
            unknown(C::NotStored, Reason::Unanswered { detail: format!("cannot tell whether it is stored: {said}") })
        }
    }
}
