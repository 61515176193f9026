use std::collections::BTreeMap;

use super::limits::{GbLimit, ServiceLimits, both_units, grouped};
use super::size::LogicalSize;
use super::{fail, pass, unknown};
use crate::facts::{Fact, ImageFacts, ImageState, SnapshotFacts, StoreTask};
use crate::verdict::{Condition, Finding, Reason};

/// Tag that `restore` puts on the AMI and its snapshots; its value tells which restore it was.
pub const RESTORE_TAG: &str = "stored-ami:restore";

/// Work in progress, as a range: which basis counts is not published, and restores cannot be listed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Work {
    /// Bytes that are surely in progress, on the smallest basis.
    pub least: u64,
    /// Bytes that may be in progress, on the largest basis.
    pub most: u64,
    /// AMIs that count, with their sizes.
    pub items: Vec<String>,
    /// AMIs whose size is not known.
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

    /// `600 GiB (644.2 GB)`, or a range.
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

/// The stores in progress, with the sizes of their AMIs as far as they are known.
pub fn store_work(tasks: &[StoreTask], sizes: &BTreeMap<String, LogicalSize>) -> Work {
    let mut work = Work::default();
    for task in tasks.iter().filter(|task| task.in_progress() != Some(false)) {
        let missing = LogicalSize::unknown("the AMI cannot be described");
        work.add(&task.image, sizes.get(&task.image).unwrap_or(&missing), task.in_progress() == Some(true));
    }
    work
}

/// Whether a snapshot's description says that something else than a restore made it. The patterns are those
/// that EC2 is seen to write for CreateImage and CopyImage.
fn made_otherwise(snapshot: &SnapshotFacts) -> bool {
    let text = snapshot.description.as_deref().unwrap_or_default();
    text.starts_with("Created by CreateImage(") || text.starts_with("Copied for DestinationAmi ")
}

/// What may be restores in progress among the account's own AMIs and pending snapshots. No API lists restore tasks.
pub fn restore_work(images: &[ImageFacts], pending: &[SnapshotFacts]) -> Work {
    let by_id: BTreeMap<&str, &SnapshotFacts> =
        pending.iter().map(|snapshot| (snapshot.id.as_str(), snapshot)).collect();
    let mut work = Work::default();
    let mut counted: Vec<&str> = Vec::new();
    // A state that is not known may well be work.
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

/// The documented rule: a request is admitted while what is already in progress is below the limit; its own size
/// does not count (EC2 User Guide, *How AMI store and restore works*, with worked examples). `exact` is whether the
/// work is known well enough for a fail.
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

pub fn stores_in_progress(work: &Fact<Work>, limits: ServiceLimits) -> Finding {
    match work {
        Fact::Known { value, source } => admission(value, limits.stores, "stores", source, true),
        other => unknown(Condition::InProgress, super::reason(other, "store tasks")),
    }
}

pub fn restores_in_progress(work: &Fact<Work>, limits: ServiceLimits) -> Finding {
    match work {
        Fact::Known { value, source } => admission(value, limits.restores, "restores", source, false),
        other => unknown(Condition::InProgress, super::reason(other, "pending images and snapshots")),
    }
}

/// What was counted is that of one Region. AWS states the limit for an account, as it does for most limits of a Region.
pub fn counted_in(region: &str) -> String {
    format!("work in progress was counted in {region} alone; AWS states its limit per account")
}

/// The cautious rule: what is in progress and the new task together within the limit. It is nobody's rule, and
/// worth knowing.
pub fn cautious(work: &Fact<Work>, new: &LogicalSize, limit: GbLimit) -> Option<String> {
    let (work, new) = (work.value()?, new.volumes?);
    let together = work.most.saturating_add(new);
    let text = format!("in progress and new together: {}", both_units(together));
    let limit_text = grouped(limit.gb);
    Some(if together <= limit.decimal() {
        format!("{text}, within {limit_text} GB")
    } else if together <= limit.binary() {
        format!("{text}, within {limit_text} GB only if that means GiB")
    } else {
        format!(
            "{text}, over {limit_text} GB once started; the documented rule admits it, and then nothing more until it is below"
        )
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
            // At the limit, in the stricter unit, in the looser one.
            (&[(1_199 * GB, None)], Pass),
            (&[(1_200 * GB, None)], Unknown),
            (&[(1_201 * GB, None)], Unknown),
            (&[(1_199 * GIB, None)], Unknown),
            (&[(1_200 * GIB, None)], Fail),
            (&[(1_201 * GIB, None)], Fail),
            // The two examples of the user guide, and the older one of an AMI above the limit.
            (&[(200 * GIB, None), (400 * GIB, None)], Pass),
            (&[(1_200 * GIB, None)], Fail),
            (&[(5_000 * GIB, None)], Fail),
            // Written blocks below, volumes above.
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
        let says = |gib| cautious(&work, &LogicalSize::stated(gib * GIB, "x"), limit).unwrap();
        assert!(says(10).ends_with("within 600 GB"), "{}", says(10));
        assert!(says(100).contains("only if that means GiB"));
        assert!(says(200).contains("over 600 GB once started"));
    }
}
