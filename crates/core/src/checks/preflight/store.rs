use std::collections::BTreeMap;

use super::bucket::{BucketSurvey, bucket_location, bucket_protection};
use super::image::unknown_word;
use super::in_progress::{Work, cautious, counted_in, stores_in_progress};
use super::limits::ServiceLimits;
use super::next_steps::next_steps;
use super::note::PreflightNote;
use super::permission::{DryRun, permission_of};
use super::price::block_price;
use super::size::{LogicalSize, image_size};
use super::stored::{Stored, StoredAnswer, judge_stored};
use super::stored_survey::StoredSurvey;
use super::{Preflight, fail, image, pass, reason, unknown};
use crate::facts::{Caller, Fact, ImageFacts, KeyFacts, SnapshotFacts, StoreTask};
use crate::ident::{AmiId, BucketPath, shell_word};
use crate::price::Item;
use crate::verdict::{Condition as C, Finding, Reason};

/// All answers that were collected before a store.
#[derive(Debug, Clone)]
pub struct StoreSurvey {
    /// The AMI to store.
    pub ami: AmiId,
    /// Bucket and path to store it in.
    pub into: BucketPath,
    /// Region of the call.
    pub region: String,
    /// Identity of the caller.
    pub caller: Fact<Caller>,
    /// The AMI; `Absent` if there is none.
    pub image: Fact<ImageFacts>,
    /// Whether the AMI is shared with this account by its id.
    pub shared: Fact<bool>,
    /// The snapshots of the AMI that are visible.
    pub snapshots: Fact<Vec<SnapshotFacts>>,
    /// Ids of the snapshots that are shared with this account by its id.
    pub restorable: Fact<Vec<String>>,
    /// The keys of the encrypted snapshots.
    pub keys: BTreeMap<String, Fact<KeyFacts>>,
    /// Size of the AMI before compression.
    pub size: LogicalSize,
    /// All store tasks in the Region.
    pub running: Fact<Vec<StoreTask>>,
    /// The store tasks in progress, with sizes.
    pub work: Fact<Work>,
    /// The bucket.
    pub bucket: BucketSurvey,
    /// Answers on whether the AMI is already stored.
    pub stored: StoredSurvey,
    /// Response to the call with `DryRun`.
    pub dry_run: DryRun,
    /// Service limits.
    pub limits: ServiceLimits,
}

/// Checks every documented condition of a store, with one finding per condition.
pub fn judge_store(survey: &StoreSurvey) -> (Preflight, StoredAnswer) {
    let mut out = Preflight::default();
    out.findings.push(image::state(&survey.ami, &survey.image));
    match &survey.image {
        Fact::Known { value, .. } => of_image(survey, value, &mut out),
        other => {
            let checks = [C::EbsBacked, C::Virtualization, C::Sharing, C::Snapshots, C::SnapshotTier, C::SnapshotKeys];
            out.findings.extend(checks.map(|check| unknown(check, reason(other, "the AMI"))));
            // The size of an AMI that is not described is not known for the same reason as the rest of it.
            let detail = reason(other, "the AMI").to_string();
            out.findings.push(unknown(C::ImageSize, Reason::NotStated { detail }));
        }
    }
    out.findings.push(stores_in_progress(&survey.work, survey.limits));
    out.notes.extend(cautious(&survey.work, &survey.size, survey.limits.stores));
    out.notes.push(counted_in(&survey.region));
    out.findings.push(one_store(survey));
    bucket_location(&survey.bucket, &survey.region, &mut out);
    if survey.bucket.facts.value().is_some() {
        bucket_protection(&survey.bucket, &mut out);
    }
    let answer = judge_stored(&survey.stored, &survey.ami, &survey.into);
    let is_bucket_absent = matches!(survey.bucket.facts, Fact::Absent { .. });
    out.findings.push(match is_bucket_absent {
        // What each source says of a bucket that does not exist adds nothing.
        true => unknown(C::NotStored, Reason::Unanswered { detail: "there is no bucket to look in".to_owned() }),
        false => not_stored(&answer, &survey.into.key(&survey.ami)),
    });
    out.findings.push(permission_of(&survey.caller, &survey.dry_run, "ec2:CreateStoreImageTask"));
    out.notes.extend(block_price(Item::GetBlock, &survey.size));
    out.untested.push("the caller's ebs: permissions on the snapshots, and s3:PutObject on the bucket".to_owned());
    out.next_steps = next_steps(&out.findings, "store", &survey.into.bucket, None);
    if is_bucket_absent {
        let name = shell_word(&format!("s3://{}", survey.into.bucket));
        out.next_steps.push(format!("a store makes no bucket: `aws s3 mb {name} --region {}` does", survey.region));
    }
    (out, answer)
}

fn of_image(survey: &StoreSurvey, image: &ImageFacts, out: &mut Preflight) {
    out.findings.extend(image::kind(image));
    out.findings.push(image::sharing(image, &survey.caller, &survey.shared, &survey.snapshots, &survey.restorable));
    out.findings.extend(image::snapshots(image, &survey.snapshots));
    image::keys(&survey.snapshots, &survey.keys, out);
    out.findings.push(image_size(&survey.size, survey.limits));
    if image.other_mappings > 0 {
        out.notes.push(PreflightNote::OtherMappings { mappings: image.other_mappings });
    }
}

/// Checks that no other store of this AMI is in progress. EC2 refuses a second one, into any bucket.
fn one_store(survey: &StoreSurvey) -> Finding {
    let rule = "no other store of this AMI is in progress";
    match &survey.running {
        Fact::Known { value, source } => {
            let same = || value.iter().filter(|task| task.image == survey.ami.as_str());
            let odd = || same().find(|task| task.in_progress().is_none());
            match same().find(|task| task.in_progress() == Some(true)) {
                None => match odd() {
                    None => pass(C::OneStore, source, rule, "none"),
                    Some(odd) => unknown(C::OneStore, unknown_word("the state of a store task of it", &odd.state)),
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
                "stored in this bucket under another path than {key}; AWS does not publish whether EC2 refuses that: {said}"
            );
            unknown(C::NotStored, Reason::Undocumented { detail })
        }
        Stored::Gone => {
            let detail = format!("a task says that it was stored, and the object is gone: {said}");
            unknown(C::NotStored, Reason::Ambiguous { detail })
        }
        Stored::CannotTell => {
            let gaps = answer.gaps.iter().map(|gap| format!("{}: {}", gap.source, gap.detail)).collect::<Vec<_>>();
            let detail = format!("cannot tell whether it is stored: {}", gaps.join("; "));
            match answer.gaps.iter().any(|gap| gap.is_denied) {
                true => unknown(C::NotStored, Reason::PartNotPermitted { detail }),
                false => unknown(C::NotStored, Reason::Unanswered { detail }),
            }
        }
    }
}
