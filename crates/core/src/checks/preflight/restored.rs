use std::collections::BTreeMap;

use super::image::{unknown_word, unready};
use super::{fail, optional, pass, unknown};
use crate::facts::{ImageFacts, ImageState, SnapshotFacts};
use crate::verdict::{Condition as C, Finding, Reason};

/// Properties of the source AMI, from its record or from EC2.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SourceFacts {
    /// Id of the AMI that was stored.
    pub image: Option<String>,
    /// Source of this information, for the report.
    pub from: String,
    /// Device name, size in GiB, encryption; `None` if not known.
    pub volumes: Vec<(String, Option<u64>, Option<bool>)>,
    /// Architecture, such as `x86_64`.
    pub architecture: Option<String>,
    /// Boot mode, such as `uefi`.
    pub boot_mode: Option<String>,
    /// Virtualization type, such as `hvm`.
    pub virtualization: Option<String>,
}

impl SourceFacts {
    /// Whether any of the volumes was encrypted; `None` if that is not known.
    pub fn encrypted(&self) -> Option<bool> {
        any_encrypted(self.volumes.iter().map(|(.., encrypted)| *encrypted))
    }
}

/// Whether any volume is encrypted. `Some(false)` requires that every volume is stated to be unencrypted.
pub fn any_encrypted(volumes: impl ExactSizeIterator<Item = Option<bool>>) -> Option<bool> {
    if volumes.len() == 0 {
        return None;
    }
    let mut none = Some(false);
    for encrypted in volumes {
        match encrypted {
            Some(true) => return Some(true),
            Some(false) => {}
            None => none = None,
        }
    }
    none
}

/// What a restored AMI is compared with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HeldAgainst<'a> {
    /// The source.
    Source(&'a SourceFacts),
    /// Nothing: the source is not known.
    Nothing,
    /// Nothing: the document given describes another AMI. The text is for the report.
    Other(String),
}

const SOURCE: &str = "DescribeImages, DescribeSnapshots";

/// Compares a restored AMI with its source. AWS does not publish what happens to stored tags, so only the
/// tags that were requested are compared. `made` is the finding on who made the AMI.
pub fn judge_restored(
    made: Finding,
    image: &ImageFacts,
    snapshots: &[SnapshotFacts],
    against: &HeldAgainst<'_>,
    tags: &BTreeMap<String, String>,
) -> Vec<Finding> {
    let mut findings = vec![made, state(image, snapshots)];
    let checks = [C::RestoredMappings, C::RestoredSizes, C::RestoredEncryption, C::RestoredBoot];
    match against {
        HeldAgainst::Source(source) => {
            findings.extend([mappings(image, source), sizes(image, snapshots, source)]);
            findings.extend([encryption(image, snapshots, source), boot(image, source)]);
        }
        // The comparison was requested, so it is unknown rather than passed if it cannot be made.
        HeldAgainst::Other(detail) => {
            findings.extend(checks.map(|check| unknown(check, Reason::Ambiguous { detail: detail.clone() })));
        }
        HeldAgainst::Nothing => {
            let detail = "neither a record nor the source AMI describes the source";
            let untold = |check| optional(unknown(check, Reason::NotStated { detail: detail.to_owned() }));
            findings.extend(checks.map(untold));
        }
    }
    if !tags.is_empty() {
        findings.push(tagged(image, snapshots, tags));
    }
    findings
}

fn state(image: &ImageFacts, snapshots: &[SnapshotFacts]) -> Finding {
    let rule = "the AMI is available, and all its snapshots are complete";
    let wanted = image.volumes.iter().filter(|volume| volume.snapshot.is_some()).count();
    let (open, odd) = unready(snapshots);
    let state = ImageState::of(&image.state);
    if !state.is_known() {
        unknown(C::RestoredState, unknown_word(&format!("the state of {}", image.id), &image.state))
    } else if state != ImageState::Available {
        fail(C::RestoredState, SOURCE, rule, format!("{} is {}", image.id, image.state))
    } else if wanted == 0 || wanted < image.volumes.len() {
        let detail = format!("{} shows an EBS volume without a snapshot, or no volume at all", image.id);
        unknown(C::RestoredState, Reason::NotStated { detail })
    } else if snapshots.is_empty() {
        let detail = format!("DescribeSnapshots shows none of the {wanted} snapshots of {}", image.id);
        unknown(C::RestoredState, Reason::NotStated { detail })
    } else if !open.is_empty() || snapshots.len() < wanted {
        let mut observed = vec![format!("{} of {wanted} snapshots are seen", snapshots.len())];
        observed.extend(open);
        fail(C::RestoredState, SOURCE, rule, observed.join(", "))
    } else if let Some(odd) = odd {
        unknown(C::RestoredState, odd)
    } else {
        pass(C::RestoredState, SOURCE, rule, format!("available, {wanted} snapshots completed"))
    }
}

fn devices<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let mut names: Vec<&str> = names.collect();
    names.sort_unstable();
    names.join(", ")
}

/// An unknown finding if the source lists no volumes.
fn without_volumes(check: C, source: &SourceFacts) -> Option<Finding> {
    let detail = || format!("{} lists no volumes", source.from);
    source.volumes.is_empty().then(|| unknown(check, Reason::NotStated { detail: detail() }))
}

fn mappings(image: &ImageFacts, source: &SourceFacts) -> Finding {
    if let Some(unknown) = without_volumes(C::RestoredMappings, source) {
        return unknown;
    }
    let expected = devices(source.volumes.iter().map(|(device, ..)| device.as_str()));
    let observed = devices(image.volumes.iter().map(|volume| volume.device.as_str()));
    let same = expected == observed;
    if same {
        pass(C::RestoredMappings, &source.from, expected, observed)
    } else {
        fail(C::RestoredMappings, &source.from, expected, observed)
    }
}

/// Size and encryption of a restored volume.
fn restored(image: &ImageFacts, snapshots: &[SnapshotFacts], device: &str) -> Option<(Option<u64>, Option<bool>)> {
    let volume = image.volumes.iter().find(|volume| volume.device == device)?;
    let snapshot = snapshots.iter().find(|snapshot| Some(&snapshot.id) == volume.snapshot.as_ref());
    let gib = volume.gib.max(snapshot.and_then(|snapshot| snapshot.gib));
    Some((gib, snapshot.and_then(|snapshot| snapshot.encrypted).or(volume.encrypted)))
}

fn sizes(image: &ImageFacts, snapshots: &[SnapshotFacts], source: &SourceFacts) -> Finding {
    if let Some(unknown) = without_volumes(C::RestoredSizes, source) {
        return unknown;
    }
    let (mut wrong, mut untold, mut right) = (Vec::new(), Vec::new(), Vec::new());
    // No volume has 0 GiB.
    let possible = |gib: Option<u64>| gib.filter(|gib| *gib > 0);
    for (device, gib, _) in &source.volumes {
        match (possible(*gib), possible(restored(image, snapshots, device).and_then(|(gib, _)| gib))) {
            (Some(was), Some(is)) if was == is => right.push(format!("{device} {is} GiB")),
            (Some(was), Some(is)) => wrong.push(format!("{device} was {was} GiB, and is {is} GiB")),
            _ => untold.push(device.as_str()),
        }
    }
    let rule = "volumes as large as those of the source";
    if !wrong.is_empty() {
        fail(C::RestoredSizes, &source.from, rule, wrong.join(", "))
    } else if !untold.is_empty() {
        unknown(C::RestoredSizes, Reason::NotStated { detail: format!("no size is stated for {}", untold.join(", ")) })
    } else {
        pass(C::RestoredSizes, &source.from, rule, right.join(", "))
    }
}

fn encryption(image: &ImageFacts, snapshots: &[SnapshotFacts], source: &SourceFacts) -> Finding {
    if let Some(unknown) = without_volumes(C::RestoredEncryption, source) {
        return unknown;
    }
    let rule = "encrypted where the source was";
    let encrypted = source.volumes.iter().filter(|(.., encrypted)| *encrypted == Some(true));
    let (mut clear, mut untold) = (Vec::new(), Vec::new());
    for (device, _, was) in &source.volumes {
        match (was, restored(image, snapshots, device).and_then(|(_, encrypted)| encrypted)) {
            (Some(false), _) | (_, Some(true)) => {}
            (Some(true), Some(false)) => clear.push(device.as_str()),
            (Some(true), None) => untold.push(device.clone()),
            (None, _) => untold.push(format!("{device} of the source")),
        }
    }
    if !clear.is_empty() {
        fail(C::RestoredEncryption, &source.from, rule, format!("NOT encrypted any more: {}", clear.join(", ")))
    } else if !untold.is_empty() {
        let detail = format!("it is not known whether {} is encrypted", untold.join(", "));
        unknown(C::RestoredEncryption, Reason::NotStated { detail })
    } else {
        let now = snapshots.iter().filter(|snapshot| snapshot.encrypted == Some(true)).count();
        let of = |count: usize, all: usize| if count == 0 { "none".to_owned() } else { format!("{count} of {all}") };
        let observed = format!(
            "{} of the source's volumes were encrypted, {} of the restored snapshots are",
            of(encrypted.count(), source.volumes.len()),
            of(now, snapshots.len())
        );
        pass(C::RestoredEncryption, &source.from, rule, observed)
    }
}

fn boot(image: &ImageFacts, source: &SourceFacts) -> Finding {
    let words = |architecture: &Option<String>, boot_mode: &Option<String>, virtualization: &Option<String>| {
        let text = |value: &Option<String>| value.clone().unwrap_or("not stated".to_owned());
        format!("{}, boot mode {}, {}", text(architecture), text(boot_mode), text(virtualization))
    };
    let expected = words(&source.architecture, &source.boot_mode, &source.virtualization);
    let observed = words(&image.architecture, &image.boot_mode, &image.virtualization);
    let stated = [
        ("architecture", &source.architecture, &image.architecture),
        ("virtualization", &source.virtualization, &image.virtualization),
        ("boot mode", &source.boot_mode, &image.boot_mode),
    ];
    let differ = stated.iter().any(|(_, was, is)| was.as_ref().zip(is.as_ref()).is_some_and(|(was, is)| was != is));
    // Only the boot mode may be absent on both sides: many AMIs have none.
    let untold = stated.iter().find(|(what, was, is)| match (was, is) {
        (Some(_), Some(_)) => false,
        (None, None) => *what != "boot mode",
        _ => true,
    });
    match untold {
        _ if differ => fail(C::RestoredBoot, &source.from, expected, observed),
        Some((what, ..)) => {
            let detail = format!("the {what} is not stated on both sides: {expected}; and now {observed}");
            unknown(C::RestoredBoot, Reason::NotStated { detail })
        }
        None => pass(C::RestoredBoot, &source.from, expected, observed),
    }
}

fn tagged(image: &ImageFacts, snapshots: &[SnapshotFacts], tags: &BTreeMap<String, String>) -> Finding {
    let bears = |has: &BTreeMap<String, String>| tags.iter().all(|(key, value)| has.get(key) == Some(value));
    let mut without: Vec<&str> = Vec::new();
    if !bears(&image.tags) {
        without.push(&image.id);
    }
    without.extend(snapshots.iter().filter(|snapshot| !bears(&snapshot.tags)).map(|snapshot| snapshot.id.as_str()));
    let rule = devices(tags.keys().map(String::as_str));
    if without.is_empty() && snapshots.is_empty() {
        unknown(C::RestoredTags, Reason::NotStated { detail: format!("no snapshot of {} is seen", image.id) })
    } else if without.is_empty() {
        pass(C::RestoredTags, SOURCE, rule, "on the AMI and all its snapshots")
    } else {
        fail(C::RestoredTags, SOURCE, rule, format!("not on {}", without.join(", ")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::VolumeFacts;
    use crate::verdict::Verdict::{self, Fail, Pass, Unknown};

    fn restored_image() -> (ImageFacts, Vec<SnapshotFacts>, SourceFacts) {
        let volume = |device: &str, snapshot: &str| VolumeFacts {
            device: device.into(),
            snapshot: Some(snapshot.into()),
            gib: Some(8),
            ..VolumeFacts::default()
        };
        let snapshot = |id: &str| SnapshotFacts {
            id: id.into(),
            state: "completed".into(),
            gib: Some(8),
            encrypted: Some(true),
            tags: [("a".to_owned(), "1".to_owned())].into(),
            ..SnapshotFacts::default()
        };
        let image = ImageFacts {
            id: "ami-2".into(),
            state: "available".into(),
            architecture: Some("arm64".into()),
            virtualization: Some("hvm".into()),
            volumes: vec![volume("/dev/a", "snap-a"), volume("/dev/b", "snap-b")],
            tags: [("a".to_owned(), "1".to_owned())].into(),
            ..ImageFacts::default()
        };
        let source = SourceFacts {
            from: "record".into(),
            volumes: vec![("/dev/b".into(), Some(8), Some(true)), ("/dev/a".into(), Some(8), Some(false))],
            architecture: Some("arm64".into()),
            virtualization: Some("hvm".into()),
            ..SourceFacts::default()
        };
        (image, vec![snapshot("snap-a"), snapshot("snap-b")], source)
    }

    fn made() -> Finding {
        pass(C::RestoredBy, SOURCE, "made by a restore", "yes")
    }

    fn verdict(check: C, change: impl FnOnce(&mut ImageFacts, &mut Vec<SnapshotFacts>, &mut SourceFacts)) -> Verdict {
        let (mut image, mut snapshots, mut source) = restored_image();
        change(&mut image, &mut snapshots, &mut source);
        let tags = [("a".to_owned(), "1".to_owned())].into();
        let findings = judge_restored(made(), &image, &snapshots, &HeldAgainst::Source(&source), &tags);
        findings.iter().find(|f| f.check == crate::verdict::CheckId::Condition(check)).unwrap().verdict()
    }

    #[test]
    fn each_difference_is_seen() {
        let all = [
            C::RestoredState,
            C::RestoredMappings,
            C::RestoredSizes,
            C::RestoredEncryption,
            C::RestoredTags,
            C::RestoredBoot,
        ];
        for check in all {
            assert_eq!(verdict(check, |_, _, _| {}), Pass, "{check}");
        }
        assert_eq!(verdict(C::RestoredState, |image, _, _| image.state = "pending".into()), Fail);
        assert_eq!(verdict(C::RestoredState, |_, s, _| s[0].state = "error".into()), Fail);
        assert_eq!(verdict(C::RestoredState, |_, s, _| s.truncate(1)), Fail);
        assert_eq!(verdict(C::RestoredMappings, |image, _, _| image.volumes.truncate(1)), Fail);
        assert_eq!(
            verdict(C::RestoredSizes, |image, s, _| (image.volumes[0].gib, s[0].gib) = (Some(9), Some(9))),
            Fail
        );
        assert_eq!(verdict(C::RestoredSizes, |_, _, source| source.volumes[0].1 = None), Unknown);
        assert_eq!(verdict(C::RestoredEncryption, |_, s, _| s[1].encrypted = Some(false)), Fail);
        assert_eq!(verdict(C::RestoredEncryption, |_, s, _| s[0].encrypted = Some(false)), Pass);
        assert_eq!(verdict(C::RestoredEncryption, |_, s, _| s.clear()), Unknown);
        assert_eq!(verdict(C::RestoredTags, |image, _, _| image.tags.clear()), Fail);
        assert_eq!(verdict(C::RestoredTags, |_, s, _| s[1].tags.clear()), Fail);
        assert_eq!(verdict(C::RestoredBoot, |image, _, _| image.architecture = Some("x86_64".into())), Fail);
    }

    #[test]
    fn what_is_not_stated_shows_nothing() {
        assert_eq!(verdict(C::RestoredState, |image, s, _| (image.volumes, *s) = Default::default()), Unknown);
        assert_eq!(verdict(C::RestoredState, |image, _, _| image.volumes[0].snapshot = None), Unknown);
        for check in [C::RestoredState, C::RestoredEncryption, C::RestoredTags] {
            assert_eq!(verdict(check, |_, s, _| s.clear()), Unknown, "{check}");
        }
        for check in [C::RestoredMappings, C::RestoredSizes, C::RestoredEncryption] {
            assert_eq!(verdict(check, |_, _, source| source.volumes.clear()), Unknown, "{check}");
            let neither = verdict(check, |image, s, source| {
                source.volumes.clear();
                image.volumes.clear();
                s.clear();
            });
            assert_eq!(neither, Unknown, "{check}");
        }
        assert_eq!(verdict(C::RestoredSizes, |_, _, source| source.volumes[0].1 = Some(0)), Unknown);
        let zero = |image: &mut ImageFacts, s: &mut Vec<SnapshotFacts>, source: &mut SourceFacts| {
            (image.volumes[0].gib, s[0].gib, source.volumes[1].1) = (Some(0), Some(0), Some(0));
        };
        assert_eq!(verdict(C::RestoredSizes, zero), Unknown);
        assert_eq!(verdict(C::RestoredEncryption, |_, _, source| source.volumes[1].2 = None), Pass, "it is now");
        let clear = |_: &mut ImageFacts, s: &mut Vec<SnapshotFacts>, source: &mut SourceFacts| {
            (s[0].encrypted, source.volumes[1].2) = (Some(false), None);
        };
        assert_eq!(verdict(C::RestoredEncryption, clear), Unknown);
        assert_eq!(verdict(C::RestoredBoot, |image, _, _| image.boot_mode = Some("uefi".into())), Unknown);
        assert_eq!(verdict(C::RestoredBoot, |_, _, source| source.boot_mode = Some("uefi".into())), Unknown);
        assert_eq!(verdict(C::RestoredBoot, |image, _, _| image.architecture = None), Unknown);
        let neither = |image: &mut ImageFacts, _: &mut Vec<SnapshotFacts>, source: &mut SourceFacts| {
            (image.virtualization, source.virtualization) = (None, None);
        };
        assert_eq!(verdict(C::RestoredBoot, neither), Unknown);
    }

    #[test]
    fn what_tells_of_another_ami_is_asked_for_and_not_known() {
        let (image, snapshots, _) = restored_image();
        let other = HeldAgainst::Other("the record r is of another".into());
        let findings = judge_restored(made(), &image, &snapshots, &other, &BTreeMap::new());
        assert_eq!(crate::verdict::overall(&findings), Unknown);
    }

    #[test]
    fn without_a_source_nothing_is_claimed() {
        let (image, snapshots, _) = restored_image();
        let findings = judge_restored(made(), &image, &snapshots, &HeldAgainst::Nothing, &BTreeMap::new());
        let verdicts: Vec<Verdict> = findings.iter().map(Finding::verdict).collect();
        assert_eq!(verdicts, [Pass, Pass, Unknown, Unknown, Unknown, Unknown]);
        assert_eq!(crate::verdict::overall(&findings), Pass);
    }
}
