use std::collections::BTreeMap;

use super::limits::{GbLimit, ServiceLimits, both_units, grouped};
use super::note::PreflightNote;
use super::size::LogicalSize;
use super::{fail, pass, unknown};
use crate::facts::{Fact, ImageFacts, ImageState, SnapshotFacts, StoreTask};
use crate::verdict::{Condition, Finding, Reason};

/// The tag that `restore` puts on the AMI and its snapshots. Its value identifies the restore.
pub const RESTORE_TAG: &str = "stored-ami:restore";

/// The tag that `drill` puts on the AMI and its snapshots, beside that of the restore. Its value is the token of the
/// restore.
pub const DRILL_TAG: &str = "stored-ami:drill";

/// Work in progress as a range, because AWS does not publish which sizes count, and restores cannot be
/// listed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Work {
    /// Lower bound in bytes: work that is certain, by the smallest known size.
    pub least: u64,
    /// Upper bound in bytes: work that is possible, by the largest known size.
    pub most: u64,
    /// AMIs that count, with their sizes, for the report.
    pub items: Vec<String>,
    /// AMIs of unknown size, for the report.
    pub unknown: Vec<String>,
}

impl Work {
    fn add(&mut self, what: &str, size: &LogicalSize, sure: bool) {
        match (size.volumes, size.smallest()) {
            (Some(volumes), Some(smallest)) => {
                self.most = self.most.saturating_add(volumes);
                if sure {
                    self.least = self.least.saturating_add(smallest);
                }
                self.items.push(format!("{what} {}", size.describe()));
            }
            _ => self.unknown.push(format!("{what} ({})", size.source)),
        }
    }

    /// The range for the report: `600 GiB (644.2 GB)` or two such sizes.
    pub fn describe(&self) -> String {
        let mut text = if self.most == 0 {
            "none".to_owned()
        } else if self.least == self.most {
            both_units(self.most)
        } else {
            format!("{} to {}", both_units(self.least), both_units(self.most))
        };
        if !self.items.is_empty() {
            text = format!("{text}: {}", self.items.join(", "));
        }
        if !self.unknown.is_empty() {
            text = format!("{text}; and of unknown size: {}", self.unknown.join(", "));
        }
        text
    }
}

/// Sums up the store tasks in progress, with the known sizes of their AMIs.
pub fn store_work(tasks: &[StoreTask], sizes: &BTreeMap<String, LogicalSize>) -> Work {
    let mut work = Work::default();
    for task in tasks.iter().filter(|task| task.in_progress() != Some(false)) {
        let missing = LogicalSize::unknown("the AMI cannot be described");
        work.add(&task.image, sizes.get(&task.image).unwrap_or(&missing), task.in_progress() == Some(true));
    }
    work
}

/// Whether a snapshot's description shows that it was not made by a restore. The patterns are those that EC2
/// writes for CreateImage and CopyImage.
fn made_otherwise(snapshot: &SnapshotFacts) -> bool {
    let text = snapshot.description.as_deref().unwrap_or_default();
    text.starts_with("Created by CreateImage(") || text.starts_with("Copied for DestinationAmi ")
}

/// Estimates the restores in progress from the account's AMIs and pending snapshots, because no API lists
/// restore tasks.
pub fn restore_work(images: &[ImageFacts], pending: &[SnapshotFacts]) -> Work {
    let by_id: BTreeMap<&str, &SnapshotFacts> =
        pending.iter().map(|snapshot| (snapshot.id.as_str(), snapshot)).collect();
    let mut work = Work::default();
    let mut counted: Vec<&str> = Vec::new();
    // An AMI in an unknown state may be in progress.
    let works = |image: &&ImageFacts| match ImageState::of(&image.state) {
        ImageState::Pending => true,
        ImageState::Other(word) => !word.is_empty(),
        _ => false,
    };
    for image in images.iter().filter(works) {
        let ids = image.volumes.iter().filter_map(|volume| volume.snapshot.as_deref());
        let otherwise = image.source_instance.is_some()
            || ids.clone().filter_map(|id| by_id.get(id)).any(|snapshot| made_otherwise(snapshot));
        counted.extend(ids);
        if otherwise {
            continue;
        }
        let ours = image.tags.contains_key(RESTORE_TAG);
        let what = match (ours, image.source_image.is_some()) {
            (true, _) => "restore",
            (false, true) => "probably a restore:",
            (false, false) => "perhaps a restore:",
        };
        work.add(&format!("{what} {}", image.id), &LogicalSize::of_image(image, &by_id), ours);
    }
    let loose = pending.iter().filter(|snapshot| !counted.contains(&snapshot.id.as_str()) && !made_otherwise(snapshot));
    for snapshot in loose {
        let ours = snapshot.tags.contains_key(RESTORE_TAG);
        let what = format!("{} {}", if ours { "restored" } else { "perhaps restored:" }, snapshot.id);
        let size = match snapshot.gib {
            Some(gib) => LogicalSize {
                written: snapshot.full_bytes,
                ..LogicalSize::stated(gib.saturating_mul(crate::units::GIB), "the pending snapshot")
            },
            None => LogicalSize::unknown("no size stated"),
        };
        work.add(&what, &size, ours);
    }
    work
}

/// The documented rule: a request is admitted while the work already in progress is below the limit; the size
/// of the new task does not count (EC2 User Guide, *How AMI store and restore works*, with examples). `exact`
/// is whether the work is known well enough for a failure.
fn admission(work: &Work, limit: GbLimit, kind: &str, source: &str, exact: bool) -> Finding {
    let check = Condition::InProgress;
    let rule = format!("less than {} GB of {kind} in progress", grouped(limit.gb));
    if !work.unknown.is_empty() {
        return unknown(check, Reason::NotStated { detail: format!("{kind} in progress: {}", work.describe()) });
    }
    if work.most < limit.decimal() {
        return pass(check, source, rule, work.describe());
    }
    if exact && work.least >= limit.binary() {
        return fail(check, source, rule, work.describe());
    }
    let why = if !exact {
        "restores cannot be listed, so this is an estimate".to_owned()
    } else if work.most < limit.binary() || work.least >= limit.decimal() {
        format!("whether that is below {} GB depends on GB or GiB, and AWS does not say", grouped(limit.gb))
    } else {
        "whether volumes or written blocks count decides it, and AWS does not say".to_owned()
    };
    let detail = format!("{kind} in progress: {}; {why}", work.describe());
    unknown(check, Reason::Ambiguous { detail })
}

pub(crate) fn stores_in_progress(work: &Fact<Work>, limits: ServiceLimits) -> Finding {
    match work {
        Fact::Known { value, source } => admission(value, limits.stores, "stores", source, true),
        other => unknown(Condition::InProgress, super::reason(other, "store tasks")),
    }
}

pub(crate) fn restores_in_progress(work: &Fact<Work>, limits: ServiceLimits) -> Finding {
    match work {
        Fact::Known { value, source } => admission(value, limits.restores, "restores", source, false),
        other => unknown(Condition::InProgress, super::reason(other, "pending images and snapshots")),
    }
}

/// A note that the work was counted in one Region, although AWS states the limit per account.
pub(crate) fn counted_in(region: &str) -> PreflightNote {
    PreflightNote::CountedIn { region: region.to_owned() }
}

/// A note on the stricter rule that the work in progress and the new task together stay within the limit. AWS
/// does not document that rule.
pub fn cautious(work: &Fact<Work>, new: &LogicalSize, limit: GbLimit) -> Option<PreflightNote> {
    let (work, new) = (work.value()?, new.volumes?);
    let together = work.most.saturating_add(new);
    let gb = limit.gb;
    Some(if together <= limit.decimal() {
        PreflightNote::WithinLimit { together, gb }
    } else if together <= limit.binary() {
        PreflightNote::WithinBinaryLimit { together, gb }
    } else {
        PreflightNote::OverLimit { together, gb }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::GIB;
    use crate::verdict::Verdict::{self, Fail, Pass, Unknown};

    const GB: u64 = 1_000_000_000;

    fn stores(sizes: &[(u64, Option<u64>)]) -> Verdict {
        let tasks: Vec<StoreTask> = (0..sizes.len())
            .map(|i| StoreTask { image: format!("ami-{i}"), state: "InProgress".into(), ..StoreTask::default() })
            .collect();
        let sizes = sizes.iter().enumerate().map(|(i, (volumes, written))| {
            (format!("ami-{i}"), LogicalSize { volumes: Some(*volumes), written: *written, ..LogicalSize::default() })
        });
        let work = store_work(&tasks, &sizes.collect());
        let work = Fact::Known { value: work, source: "DescribeStoreImageTasks" };
        stores_in_progress(&work, ServiceLimits::default()).verdict()
    }

    #[test]
    fn stores_are_admitted_while_what_is_in_progress_is_below_the_limit() {
        for (sizes, expected) in [
            (&[][..], Pass),
            // At the limit, by the stricter and the looser unit.
            (&[(1_199 * GB, None)], Pass),
            (&[(1_200 * GB, None)], Unknown),
            (&[(1_201 * GB, None)], Unknown),
            (&[(1_199 * GIB, None)], Unknown),
            (&[(1_200 * GIB, None)], Fail),
            (&[(1_201 * GIB, None)], Fail),
            // The two examples of the user guide, and an older one of an AMI above the limit.
            (&[(200 * GIB, None), (400 * GIB, None)], Pass),
            (&[(1_200 * GIB, None)], Fail),
            (&[(5_000 * GIB, None)], Fail),
            // Written blocks below the limit, volumes above.
            (&[(1_300 * GIB, Some(100 * GIB))], Unknown),
            (&[(1_300 * GIB, Some(1_250 * GIB))], Fail),
            (&[(1_300 * GIB, Some(1_150 * GIB))], Unknown),
        ] {
            assert_eq!(stores(sizes), expected, "{sizes:?}");
        }
    }

    #[test]
    fn a_store_of_unknown_size_is_never_a_fail() {
        let task = |image: &str| StoreTask { image: image.into(), state: "InProgress".into(), ..StoreTask::default() };
        let sizes = [("ami-1".to_owned(), LogicalSize::stated(2_000 * GIB, "test"))].into();
        let done = StoreTask { state: "Completed".into(), ..task("ami-3") };
        for (tasks, expected) in [
            (vec![task("ami-1"), task("ami-2")], Unknown),
            (vec![task("ami-2")], Unknown),
            (vec![task("ami-1")], Fail),
            (vec![done], Pass),
        ] {
            let work = Fact::Known { value: store_work(&tasks, &sizes), source: "test" };
            assert_eq!(stores_in_progress(&work, ServiceLimits::default()).verdict(), expected, "{tasks:?}");
        }
        let denied = Fact::NotPermitted { needs: "ec2:DescribeStoreImageTasks" };
        assert_eq!(stores_in_progress(&denied, ServiceLimits::default()).verdict(), Unknown);
    }

    fn pending(id: &str, gib: u64) -> ImageFacts {
        let volume = crate::facts::VolumeFacts {
            snapshot: Some(format!("snap-{id}")),
            gib: Some(gib),
            ..crate::facts::VolumeFacts::default()
        };
        ImageFacts {
            id: id.into(),
            state: "pending".into(),
            source_image: Some("ami-0".into()),
            volumes: vec![volume],
            ..ImageFacts::default()
        }
    }

    fn restores(images: &[ImageFacts], snapshots: &[SnapshotFacts]) -> Verdict {
        let work = Fact::Known { value: restore_work(images, snapshots), source: "test" };
        restores_in_progress(&work, ServiceLimits::default()).verdict()
    }

    #[test]
    fn restores_are_an_estimate_and_never_fail() {
        for (gib, expected) in
            [(1, Pass), (558, Pass), (559, Unknown), (599, Unknown), (600, Unknown), (601, Unknown), (5_000, Unknown)]
        {
            assert_eq!(restores(&[pending("1", gib)], &[]), expected, "{gib}");
        }
        assert_eq!(restores(&[], &[]), Pass);
        let empty = ImageFacts { volumes: Vec::new(), ..pending("1", 1) };
        assert_eq!(restores(&[empty], &[]), Unknown);
        let unanswered = Fact::Unavailable { because: "throttled".into() };
        assert_eq!(restores_in_progress(&unanswered, ServiceLimits::default()).verdict(), Unknown);
    }

    #[test]
    fn what_was_made_otherwise_does_not_count() {
        let of_instance = ImageFacts { source_instance: Some("i-1".into()), ..pending("1", 900) };
        let available = ImageFacts { state: "available".into(), ..pending("2", 900) };
        let snapshot = |id: &str, text: &str| SnapshotFacts {
            id: id.into(),
            gib: Some(900),
            description: Some(text.into()),
            ..SnapshotFacts::default()
        };
        let copied = snapshot("snap-3", "Copied for DestinationAmi ami-3 from SourceAmi ami-0");
        let created = snapshot("snap-4", "Created by CreateImage(i-1) for ami-4");
        let images = [of_instance, available, pending("3", 900)];
        assert_eq!(restores(&images, &[copied.clone(), created]), Pass);
        assert_eq!(restores(&images, &[copied, snapshot("snap-5", "something else")]), Unknown);
    }

    #[test]
    fn ours_are_the_sure_end_of_the_range() {
        let mut ours = pending("1", 100);
        ours.tags.insert(RESTORE_TAG.into(), "x".into());
        let work = restore_work(&[ours, pending("2", 50)], &[]);
        assert_eq!((work.least, work.most), (100 * GIB, 150 * GIB));
    }

    #[test]
    fn the_cautious_rule_says_what_will_be() {
        let work = Fact::Known { value: Work { least: 0, most: 500 * GIB, ..Work::default() }, source: "test" };
        let limit = GbLimit { gb: 600 };
        let says = |gib| cautious(&work, &LogicalSize::stated(gib * GIB, "x"), limit).unwrap().to_string();
        assert!(says(10).ends_with("within 600 GB"), "{}", says(10));
        assert!(says(100).contains("only if that means GiB"));
        assert!(says(200).contains("over 600 GB once started"));
    }
}
