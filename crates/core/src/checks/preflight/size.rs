use std::collections::BTreeMap;

use super::limits::{ServiceLimits, both_units, grouped};
use super::{fail, pass, unknown};
use crate::facts::{ImageFacts, SnapshotFacts};
use crate::units::{ByteSize, GIB, counted};
use crate::verdict::{Condition, Finding, Reason};

/// The size of an AMI before compression. AWS does not publish which of its two measures the limits apply to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LogicalSize {
    /// Sum of the sizes of all EBS volumes in bytes; `None` unless all are known.
    pub volumes: Option<u64>,
    /// Bytes of the blocks written to all snapshots; `None` unless all are known.
    pub written: Option<u64>,
    /// Source of the sizes, or why there are none, for the report.
    pub source: String,
    /// Whether only tags of the object state the size. Anyone who may tag the object can change them without
    /// a trace.
    pub tagged: bool,
}

impl LogicalSize {
    /// A sum of volume sizes that the user, a record or a tag states.
    pub fn stated(bytes: u64, source: impl Into<String>) -> Self {
        LogicalSize::of_volumes(Some(bytes), None, source)
    }

    /// Stated sizes in bytes. Volumes have a whole number of GiB, at least one. A source that states another
    /// sum of sizes is not trusted for either value.
    pub fn of_volumes(volumes: Option<u64>, written: Option<u64>, source: impl Into<String>) -> Self {
        let source = source.into();
        match volumes {
            Some(bytes) if bytes == 0 || !bytes.is_multiple_of(GIB) => LogicalSize::unknown(format!(
                "{source}: {} bytes can be no size of volumes, which come in whole GiB",
                ByteSize(bytes).grouped()
            )),
            _ => LogicalSize { volumes, written, source, tagged: false },
        }
    }

    /// An unknown size, with the reason for the report.
    pub fn unknown(because: impl Into<String>) -> Self {
        LogicalSize { source: because.into(), ..LogicalSize::default() }
    }

    /// The size of an AMI: for each EBS mapping, the larger of the sizes of volume and snapshot counts.
    pub fn of_image(image: &ImageFacts, snapshots: &BTreeMap<&str, &SnapshotFacts>) -> Self {
        let snapshot =
            |volume: &crate::facts::VolumeFacts| volume.snapshot.as_deref().and_then(|id| snapshots.get(id)).copied();
        let gib = |volume| -> Option<u64> {
            let made_of: Option<u64> = snapshot(volume).and_then(|snapshot| snapshot.gib);
            made_of.max(volume.gib)
        };
        if image.volumes.is_empty() {
            return LogicalSize::unknown(format!("{} shows no EBS volumes", image.id));
        }
        if let Some(because) = incomplete_root(image).or_else(|| odd_size(image, snapshots)) {
            return LogicalSize::unknown(because);
        }
        let sum = |bytes: Vec<Option<u64>>| {
            bytes.into_iter().try_fold(0u64, |sum, bytes| bytes.and_then(|bytes| sum.checked_add(bytes)))
        };
        let volumes = image.volumes.iter().map(|volume| gib(volume).and_then(|gib| gib.checked_mul(GIB)));
        let written = image.volumes.iter().map(|volume| snapshot(volume).and_then(|snapshot| snapshot.full_bytes));
        let count = image.volumes.len();
        LogicalSize {
            volumes: sum(volumes.collect()),
            written: sum(written.collect()),
            source: format!("{} of {}", counted(count as u64, "EBS volume"), image.id),
            tagged: false,
        }
    }

    /// A caveat about the source, for the report.
    fn caveat(&self) -> &'static str {
        if self.tagged { ", the weakest basis: whoever may tag the object can change them" } else { "" }
    }

    /// The source with its caveat.
    fn basis(&self) -> String {
        format!("{}{}", self.source, self.caveat())
    }

    /// The smaller of the known sizes in bytes.
    pub fn smallest(&self) -> Option<u64> {
        [self.volumes, self.written].into_iter().flatten().min()
    }

    /// Both sizes for the report.
    pub fn describe(&self) -> String {
        match (self.volumes, self.written) {
            (Some(volumes), Some(written)) => {
                format!("{} of volumes, {} of written blocks", both_units(volumes), both_units(written))
            }
            (Some(volumes), None) => both_units(volumes),
            (None, Some(written)) => format!("{} of written blocks", both_units(written)),
            (None, None) => format!("not known: {}", self.source),
        }
    }
}

/// Why the root volume is missing from an AMI whose root is an EBS volume.
fn incomplete_root(image: &ImageFacts) -> Option<String> {
    let root = image.root_device.as_ref().filter(|_| image.root_device_type.as_deref() != Some("instance-store"))?;
    if image.volumes.iter().any(|volume| volume.device == *root) {
        return None;
    }
    Some(if image.removed.contains(root) {
        format!("{} maps its root {root} to no device (NoDevice)", image.id)
    } else {
        format!("{} shows no EBS volume for its root {root}", image.id)
    })
}

/// A volume or snapshot whose stated size is impossible.
fn odd_size(image: &ImageFacts, snapshots: &BTreeMap<&str, &SnapshotFacts>) -> Option<String> {
    let odd = |gib: Option<u64>, odd: Option<i64>| odd.or(gib.filter(|gib| *gib == 0).map(|_| 0));
    image.volumes.iter().find_map(|volume| {
        if let Some(gib) = odd(volume.gib, volume.odd_gib) {
            return Some(format!("{} of {} is stated to have {gib} GiB", volume.device, image.id));
        }
        let snapshot = snapshots.get(volume.snapshot.as_deref()?)?;
        odd(snapshot.gib, snapshot.odd_gib).map(|gib| format!("{} is stated to have {gib} GiB", snapshot.id))
    })
}

/// Compares the size of an AMI with the limit. It passes only if the volumes are within the stricter reading
/// of GB, and fails only if the smallest known size exceeds the looser one.
pub(crate) fn image_size(size: &LogicalSize, limits: ServiceLimits) -> Finding {
    let limit = limits.image;
    let rule = format!("at most {} GB before compression", grouped(limit.gb));
    match (size.volumes, size.smallest()) {
        (Some(volumes), _) if volumes <= limit.decimal() => {
            pass(Condition::ImageSize, &size.basis(), rule, size.describe())
        }
        (_, Some(smallest)) if smallest > limit.binary() => {
            fail(Condition::ImageSize, &size.basis(), rule, size.describe())
        }
        (Some(volumes), _) if volumes <= limit.binary() => {
            let detail = format!(
                "{} is within {} GB if that means GiB, and beyond it if not; AWS does not say ({})",
                size.describe(),
                grouped(limit.gb),
                size.basis()
            );
            unknown(Condition::ImageSize, Reason::Ambiguous { detail })
        }
        (Some(_), _) => {
            let detail = format!(
                "{}: the limit of {} GB lies between; AWS does not say which of them counts ({})",
                size.describe(),
                grouped(limit.gb),
                size.basis()
            );
            unknown(Condition::ImageSize, Reason::Ambiguous { detail })
        }
        (None, Some(_)) => {
            let detail = format!("{}; the sizes of the volumes are not known", size.describe());
            unknown(Condition::ImageSize, Reason::NotStated { detail })
        }
        (None, None) => {
            let detail = format!("the size before compression is not known: {}{}", size.source, size.caveat());
            unknown(Condition::ImageSize, Reason::NotStated { detail })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::VolumeFacts;
    use crate::verdict::Verdict::{Fail, Pass, Unknown};

    #[test]
    fn the_limit_in_both_units_and_on_both_bases() {
        const GB: u64 = 1_000_000_000;
        for (volumes, written, expected) in [
            (Some(0), None, Pass),
            (Some(5_000 * GB), None, Pass),
            (Some(5_000 * GB + 1), None, Unknown),
            (Some(5_000 * GIB), None, Unknown),
            (Some(5_000 * GIB + 1), None, Fail),
            (Some(5_001 * GIB), Some(10 * GIB), Unknown),
            (Some(6_000 * GIB), Some(5_001 * GIB), Fail),
            // Written blocks alone prove nothing, because the volumes may be larger.
            (None, Some(10 * GIB), Unknown),
            (None, Some(5_001 * GIB), Fail),
            (None, None, Unknown),
        ] {
            let size = LogicalSize { volumes, written, ..LogicalSize::default() };
            assert_eq!(image_size(&size, ServiceLimits::default()).verdict(), expected, "{size:?}");
        }
    }

    #[test]
    fn a_stated_size_must_be_one_that_volumes_can_have() {
        for (bytes, possible) in [
            (0, false),
            (1, false),
            (GIB - 1, false),
            (GIB, true),
            (GIB + 1, false),
            (29 * GIB, true),
            (10_000_000_000, false),
            (u64::MAX, false),
            (u64::MAX - (GIB - 1), true),
        ] {
            let size = LogicalSize::of_volumes(Some(bytes), Some(5), "test");
            assert_eq!((size.volumes.is_some(), size.written.is_some()), (possible, possible), "{bytes}");
            if !possible {
                assert_eq!(image_size(&size, ServiceLimits::default()).verdict(), Unknown);
                assert!(size.source.contains("can be no size of volumes"), "{}", size.source);
            }
        }
    }

    #[test]
    fn an_ami_with_an_impossible_volume_has_no_known_size() {
        let volume = |gib, odd_gib| VolumeFacts {
            device: "/dev/sda1".into(),
            snapshot: Some("snap-1".into()),
            gib,
            odd_gib,
            ..VolumeFacts::default()
        };
        let snapshot = |gib, odd_gib| SnapshotFacts { id: "snap-1".into(), gib, odd_gib, ..SnapshotFacts::default() };
        let root = |name: &str| Some(name.to_owned());
        let table = [
            (volume(Some(8), None), snapshot(Some(8), None), root("/dev/sda1"), ""),
            (volume(None, None), snapshot(Some(8), None), None, ""),
            (volume(Some(0), None), snapshot(Some(8), None), None, "/dev/sda1 of ami-1 is stated to have 0 GiB"),
            (volume(None, Some(-5)), snapshot(Some(8), None), None, "/dev/sda1 of ami-1 is stated to have -5 GiB"),
            (volume(Some(8), None), snapshot(Some(0), None), None, "snap-1 is stated to have 0 GiB"),
            (volume(Some(8), None), snapshot(None, Some(-1)), None, "snap-1 is stated to have -1 GiB"),
            (volume(Some(8), None), snapshot(Some(8), None), root("/dev/xvda"), "no EBS volume for its root /dev/xvda"),
        ];
        for (volume, snapshot, root_device, because) in table {
            let known = [("snap-1", &snapshot)].into();
            let image = ImageFacts { id: "ami-1".into(), volumes: vec![volume], root_device, ..ImageFacts::default() };
            let size = LogicalSize::of_image(&image, &known);
            assert_eq!(size.volumes.is_none(), !because.is_empty(), "{size:?}");
            assert!(size.source.contains(because), "{size:?}");
        }
    }

    #[test]
    fn every_ebs_volume_counts_with_the_larger_of_two_sizes() {
        let volume =
            |snapshot: &str, gib| VolumeFacts { snapshot: Some(snapshot.into()), gib, ..VolumeFacts::default() };
        let snapshots = [("a", Some(8)), ("b", Some(30)), ("c", None)].map(|(id, gib)| SnapshotFacts {
            id: id.into(),
            gib,
            full_bytes: Some(GIB),
            ..SnapshotFacts::default()
        });
        let known = snapshots.iter().map(|snapshot| (snapshot.id.as_str(), snapshot)).collect();
        let mut image = ImageFacts { id: "ami-1".into(), ..ImageFacts::default() };
        image.volumes = vec![volume("a", Some(10)), volume("b", Some(20)), volume("c", Some(5))];
        let size = LogicalSize::of_image(&image, &known);
        assert_eq!((size.volumes, size.written), (Some(45 * GIB), Some(3 * GIB)));
        image.volumes.push(volume("missing", None));
        let size = LogicalSize::of_image(&image, &known);
        assert_eq!((size.volumes, size.written), (None, None));
        image.volumes.clear();
        assert_eq!(LogicalSize::of_image(&image, &known).volumes, None);
    }
}
