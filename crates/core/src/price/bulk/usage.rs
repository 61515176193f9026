use crate::price::Item;
use crate::price::RetrievalTier::{Bulk, Expedited, Standard as Usual};
use crate::price::StorageClass::{
    DeepArchive, Glacier, GlacierIr, IntelligentTiering, OneZoneIa, Standard, StandardIa,
};

/// Usage type without the code of the Region, the operation if one usage type serves several classes, and the
/// item whose price it is (S3 User Guide, *AWS billing and usage reports for Amazon S3*; EBS User Guide,
/// *Pricing for EBS direct APIs*).
const USAGES: &[(&str, Option<&str>, Item)] = &[
    ("TimedStorage-ByteHrs", None, Item::Storage(Standard)),
    ("TimedStorage-SIA-ByteHrs", None, Item::Storage(StandardIa)),
    ("TimedStorage-ZIA-ByteHrs", None, Item::Storage(OneZoneIa)),
    ("TimedStorage-GIR-ByteHrs", None, Item::Storage(GlacierIr)),
    ("TimedStorage-GlacierByteHrs", None, Item::Storage(Glacier)),
    ("TimedStorage-GDA-ByteHrs", None, Item::Storage(DeepArchive)),
    ("TimedStorage-INT-FA-ByteHrs", None, Item::Storage(IntelligentTiering)),
    ("TimedStorage-INT-IA-ByteHrs", None, Item::TieringInfrequent),
    ("TimedStorage-INT-AIA-ByteHrs", None, Item::TieringArchiveInstant),
    ("Monitoring-Automation-INT", None, Item::Monitoring),
    ("Requests-Tier1", None, Item::Put(Standard)),
    ("Requests-Tier2", None, Item::Get(Standard)),
    ("Requests-SIA-Tier1", None, Item::Put(StandardIa)),
    ("Requests-SIA-Tier2", None, Item::Get(StandardIa)),
    ("Requests-ZIA-Tier1", None, Item::Put(OneZoneIa)),
    ("Requests-ZIA-Tier2", None, Item::Get(OneZoneIa)),
    ("Requests-GIR-Tier1", None, Item::Put(GlacierIr)),
    ("Requests-GIR-Tier2", None, Item::Get(GlacierIr)),
    ("Requests-INT-Tier1", None, Item::Put(IntelligentTiering)),
    ("Requests-INT-Tier2", None, Item::Get(IntelligentTiering)),
    ("Requests-GLACIER-Tier1", None, Item::Put(Glacier)),
    ("Requests-GDA-Tier1", None, Item::Put(DeepArchive)),
    ("Requests-Tier3", Some("S3-GlacierTransition"), Item::Transition(Glacier)),
    ("Requests-Tier3", Some("S3-GDATransition"), Item::Transition(DeepArchive)),
    ("Retrieval-SIA", None, Item::Retrieval(StandardIa)),
    ("Retrieval-ZIA", None, Item::Retrieval(OneZoneIa)),
    ("Retrieval-GIR", None, Item::Retrieval(GlacierIr)),
    ("Expedited-Retrieval-Bytes", None, Item::BringBack(Glacier, Expedited)),
    ("Standard-Retrieval-Bytes", Some("RestoreObject"), Item::BringBack(Glacier, Usual)),
    ("Standard-Retrieval-Bytes", Some("DeepArchiveRestoreObject"), Item::BringBack(DeepArchive, Usual)),
    ("Bulk-Retrieval-Bytes", Some("RestoreObject"), Item::BringBack(Glacier, Bulk)),
    ("Bulk-Retrieval-Bytes", Some("DeepArchiveRestoreObject"), Item::BringBack(DeepArchive, Bulk)),
    ("Requests-GDA-Tier3", None, Item::BringBackRequest(DeepArchive, Usual)),
    ("Requests-GDA-Tier5", None, Item::BringBackRequest(DeepArchive, Bulk)),
    ("DataTransfer-Out-Bytes", None, Item::TransferOut),
    ("BatchOperations-Jobs", None, Item::BatchJob),
    ("BatchOperations-Objects", None, Item::BatchObject),
    ("EBS:directAPI.snapshot.Get", None, Item::GetBlock),
    ("EBS:directAPI.snapshot.Put", None, Item::PutBlock),
    ("EBS:directAPI.snapshot.List", None, Item::ListBlocks),
];

/// The item of a product, and whether its usage type starts with the code of a Region.
pub(super) fn item_of_usage(usage: &str, operation: Option<&str>) -> Option<(Item, bool)> {
    let fits = |&&(name, wanted, _): &&(&str, Option<&str>, Item)| {
        let before = usage.strip_suffix(name);
        before.is_some_and(is_region_code) && (wanted.is_none() || wanted == operation)
    };
    match USAGES.iter().find(fits) {
        Some(&(name, _, item)) => Some((item, usage.len() > name.len())),
        None => computed(usage),
    }
}

/// `Compute-Checksum-Processed-…-Bytes`: what stands between is not documented.
fn computed(usage: &str) -> Option<(Item, bool)> {
    let (code, kind) = usage.split_once("Compute-Checksum-Processed-")?;
    (is_region_code(code) && kind.ends_with("Bytes")).then_some((Item::ComputeChecksum, !code.is_empty()))
}

/// Whether a text is empty or a Region code such as `EUC1-`. Prefixes such as `Tables-` and `Vectors-` belong
/// to other services.
fn is_region_code(before: &str) -> bool {
    let code = before.strip_suffix('-').unwrap_or(before);
    let legal = code.len() <= 6 && code.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit());
    legal && (before.is_empty() || (before.ends_with('-') && !code.is_empty()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usage_types_with_and_without_a_region() {
        for (usage, operation, expected) in [
            ("TimedStorage-ByteHrs", None, Some((Item::Storage(Standard), false))),
            ("EUC1-TimedStorage-ByteHrs", None, Some((Item::Storage(Standard), true))),
            ("EU-Requests-SIA-Tier2", Some("GetObject"), Some((Item::Get(StandardIa), true))),
            ("USW2-EBS:directAPI.snapshot.Put", None, Some((Item::PutBlock, true))),
            ("Tables-TimedStorage-ByteHrs", None, None),
            ("EUC1-Tables-TimedStorage-ByteHrs", None, None),
            ("XTimedStorage-ByteHrs", None, None),
            ("-TimedStorage-ByteHrs", None, None),
            ("Standard-Retrieval-Bytes", None, None),
            ("Bulk-Retrieval-Bytes", Some("RestoreObject"), Some((Item::BringBack(Glacier, Bulk), false))),
            ("Requests-Tier3", Some("RestoreObject"), None),
            ("EUC1-BatchOperations-Objects", None, Some((Item::BatchObject, true))),
            ("BatchOperations-Jobs", None, Some((Item::BatchJob, false))),
            ("EUC1-Compute-Checksum-Processed-Std-Bytes", None, Some((Item::ComputeChecksum, true))),
            ("Tables-Compute-Checksum-Processed-Std-Bytes", None, None),
            ("", None, None),
        ] {
            assert_eq!(item_of_usage(usage, operation), expected, "{usage} {operation:?}");
        }
        for class in crate::price::StorageClass::ALL {
            assert!(USAGES.iter().any(|(_, _, item)| *item == Item::Storage(class)), "{class}");
        }
    }
}
