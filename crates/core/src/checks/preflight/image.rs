use std::collections::BTreeMap;

use super::note::PreflightNote;
use super::{Preflight, fail, pass, reason, unknown};
use crate::facts::{
    Caller, Fact, ImageFacts, ImageState, KeyFacts, KeyState, RootDevice, SnapshotFacts, SnapshotState, SnapshotTier,
    Virtualization,
};
use crate::ident::AmiId;
use crate::verdict::{Condition as C, Finding, Reason, Verdict};

const SOURCE: &str = "DescribeImages";

/// Checks that the AMI is available.
pub(super) fn state(ami: &AmiId, image: &Fact<ImageFacts>) -> Finding {
    let rule = format!("{ami} is available");
    match image {
        Fact::Known { value, source } if ImageState::of(&value.state) == ImageState::Available => {
            pass(C::Image, source, rule, "available")
        }
        Fact::Known { value, .. } if !ImageState::of(&value.state).is_known() => {
            unknown(C::Image, unknown_word("the state of the AMI", &value.state))
        }
        Fact::Known { value, source } => {
            let why = value.state_reason.as_ref().map(|why| format!(": {why}")).unwrap_or_default();
            fail(C::Image, source, rule, format!("its state is {}{why}", value.state))
        }
        Fact::Absent { source } => {
            fail(C::Image, source, rule, "there is no such AMI in this Region, or this account may not see it")
        }
        other => unknown(C::Image, reason(other, "the AMI")),
    }
}

/// The reason for a state word of EC2 or KMS that is not known.
pub(super) fn unknown_word(what: &str, word: &str) -> Reason {
    Reason::NotStated { detail: format!("{what} is `{word}`, which is not known") }
}

/// Checks that the AMI is EBS-backed and not paravirtual.
pub(super) fn kind(image: &ImageFacts) -> [Finding; 2] {
    let not_stated = |check, what: &str| {
        unknown(check, Reason::NotStated { detail: format!("DescribeImages does not state {what}") })
    };
    let ebs_backed = match image.root_device_type.as_deref().map(RootDevice::of) {
        Some(RootDevice::Ebs) => pass(C::EbsBacked, SOURCE, "EBS-backed", "root device type ebs"),
        Some(RootDevice::Other(word)) => unknown(C::EbsBacked, unknown_word("the root device type", &word)),
        Some(other) => fail(C::EbsBacked, SOURCE, "EBS-backed", format!("root device type {other}")),
        None => not_stated(C::EbsBacked, "the root device type"),
    };
    let virtualization = match image.virtualization.as_deref().map(Virtualization::of) {
        Some(Virtualization::Paravirtual) => fail(C::Virtualization, SOURCE, "not paravirtual", "paravirtual"),
        Some(Virtualization::Hvm) => pass(C::Virtualization, SOURCE, "not paravirtual", "hvm"),
        Some(Virtualization::Other(word)) => unknown(C::Virtualization, unknown_word("the virtualization type", &word)),
        None => not_stated(C::Virtualization, "the virtualization type"),
    };
    [ebs_backed, virtualization]
}

/// Checks that the AMI and its snapshots are owned by this account or shared with it directly. A public AMI
/// is not sufficient.
pub(super) fn sharing(
    image: &ImageFacts,
    caller: &Fact<Caller>,
    shared: &Fact<bool>,
    snapshots: &Fact<Vec<SnapshotFacts>>,
    restorable: &Fact<Vec<String>>,
) -> Finding {
    let rule = "the AMI and its snapshots are owned, or shared with this account directly";
    let Some(account) = caller.value().map(|caller| caller.account.as_str()) else {
        return unknown(C::Sharing, reason(caller, "this account"));
    };
    let Some(found) = snapshots.value() else {
        return unknown(C::Sharing, reason(snapshots, "the snapshots"));
    };
    let foreign: Vec<&str> = found.iter().filter(|s| s.owner != account).map(|s| s.id.as_str()).collect();
    if image.owner != account {
        match shared {
            Fact::Known { value: true, .. } => {}
            Fact::Known { value: false, .. } if image.public => {
                let observed = format!("owned by {}, public, and not shared with {account}", image.owner);
                return fail(C::Sharing, SOURCE, rule, observed);
            }
            Fact::Known { value: false, .. } => {
                let detail = format!(
                    "owned by {}, visible, and not shared with {account} by name; AWS does not publish whether sharing through an organization is enough",
                    image.owner
                );
                return unknown(C::Sharing, Reason::Undocumented { detail });
            }
            other => return unknown(C::Sharing, reason(other, "launch permissions")),
        }
    }
    if foreign.is_empty() {
        let observed = if image.owner == account {
            format!("owned by {account}, with its snapshots")
        } else {
            format!("shared by {}, with snapshots of {account}", image.owner)
        };
        return pass(C::Sharing, SOURCE, rule, observed);
    }
    match restorable {
        Fact::Known { value, .. } => {
            let not_shared: Vec<&str> = foreign.into_iter().filter(|id| !value.iter().any(|r| r == id)).collect();
            if not_shared.is_empty() {
                let observed = format!("shared by {}, with its snapshots", image.owner);
                pass(C::Sharing, "DescribeImages, DescribeSnapshots", rule, observed)
            } else {
                let observed = format!("not shared with {account} by name: {}", not_shared.join(", "));
                fail(C::Sharing, "DescribeSnapshots", rule, observed)
            }
        }
        other => unknown(C::Sharing, reason(other, "sharing of the snapshots")),
    }
}

/// Checks that all snapshots exist, are completed and are not archived.
pub(super) fn snapshots(image: &ImageFacts, snapshots: &Fact<Vec<SnapshotFacts>>) -> Vec<Finding> {
    let Some(found) = snapshots.value() else {
        let unasked = |check| unknown(check, reason(snapshots, "the snapshots"));
        return vec![unasked(C::Snapshots), unasked(C::SnapshotTier)];
    };
    let source = "DescribeSnapshots";
    let ids: Vec<&str> = image.volumes.iter().filter_map(|volume| volume.snapshot.as_deref()).collect();
    let missing: Vec<&str> = ids.iter().copied().filter(|id| !found.iter().any(|s| s.id == *id)).collect();
    let (unready, odd) = unready(found);
    let rule = "all snapshots are there and completed";
    let complete = if !missing.is_empty() {
        fail(C::Snapshots, source, rule, format!("not there, or not visible to this account: {}", missing.join(", ")))
    } else if !unready.is_empty() {
        fail(C::Snapshots, source, rule, unready.join(", "))
    } else if let Some(odd) = odd {
        unknown(C::Snapshots, odd)
    } else if ids.is_empty() || image.volumes.iter().any(|volume| volume.snapshot.is_none()) {
        let detail = format!("{} shows an EBS volume without a snapshot, or no volume at all", image.id);
        unknown(C::Snapshots, Reason::NotStated { detail })
    } else {
        pass(C::Snapshots, source, rule, format!("{} completed", found.len()))
    };
    let tier = |snapshot: &SnapshotFacts| snapshot.tier.as_deref().map(SnapshotTier::of);
    let archived: Vec<&str> =
        found.iter().filter(|s| tier(s) == Some(SnapshotTier::Archive)).map(|s| s.id.as_str()).collect();
    let unstated: Vec<&str> =
        found.iter().filter(|s| tier(s).is_none_or(|tier| !tier.is_known())).map(|s| s.id.as_str()).collect();
    let rule = "no snapshot is in the archive tier";
    let tier = if !archived.is_empty() {
        fail(C::SnapshotTier, source, rule, format!("archived: {}", archived.join(", ")))
    } else if !missing.is_empty() || !unstated.is_empty() {
        let detail = format!("no tier that is known is stated for {}", [missing, unstated].concat().join(", "));
        unknown(C::SnapshotTier, Reason::NotStated { detail })
    } else {
        pass(C::SnapshotTier, source, rule, "all in the standard tier")
    };
    vec![complete, tier]
}

/// Checks that the keys of encrypted snapshots are enabled. This does not prove that the caller may use them.
pub(super) fn keys(snapshots: &Fact<Vec<SnapshotFacts>>, keys: &BTreeMap<String, Fact<KeyFacts>>, out: &mut Preflight) {
    let Some(found) = snapshots.value() else {
        out.findings.push(unknown(C::SnapshotKeys, reason(snapshots, "the snapshots")));
        return;
    };
    let encrypted = found.iter().filter(|snapshot| snapshot.encrypted == Some(true)).count();
    let rule = "the keys of encrypted snapshots are enabled";
    let unstated: Vec<&str> = found.iter().filter(|s| s.encrypted.is_none()).map(|s| s.id.as_str()).collect();
    if !unstated.is_empty() {
        let detail = format!("EC2 does not state whether these snapshots are encrypted: {}", unstated.join(", "));
        // A named key that is not enabled fails all the same.
        let named = keys_enabled(C::SnapshotKeys, rule, keys);
        let failed = named.verdict() == Verdict::Fail;
        out.findings.push(if failed { named } else { unknown(C::SnapshotKeys, Reason::NotStated { detail }) });
        return;
    }
    if encrypted == 0 {
        out.findings.push(pass(C::SnapshotKeys, "DescribeSnapshots", rule, "no snapshot is encrypted"));
        return;
    }
    out.notes.push(PreflightNote::SnapshotsDecrypted { encrypted, of: found.len() });
    out.untested.push("use of the snapshots' KMS keys by this caller".to_owned());
    out.findings.push(keys_enabled(C::SnapshotKeys, rule, keys));
}

/// Snapshots that are not completed, and the reason if one has an unknown state.
pub(super) fn unready(snapshots: &[SnapshotFacts]) -> (Vec<String>, Option<Reason>) {
    let state = |snapshot: &SnapshotFacts| SnapshotState::of(&snapshot.state);
    let unready = snapshots.iter().filter(|s| state(s).is_known() && state(s) != SnapshotState::Completed);
    let odd = snapshots.iter().find(|s| !state(s).is_known());
    (
        unready.map(|s| format!("{} is {}", s.id, s.state)).collect(),
        odd.map(|s| unknown_word(&format!("the state of {}", s.id), &s.state)),
    )
}

/// Checks that all keys are known and enabled. A disabled key fails, whatever the state of the others.
pub(super) fn keys_enabled(check: C, rule: &str, keys: &BTreeMap<String, Fact<KeyFacts>>) -> Finding {
    let known = |fact: &Fact<KeyFacts>| fact.value().cloned();
    let disabled: Vec<String> = keys
        .values()
        .filter_map(known)
        .filter(|key| !matches!(KeyState::of(&key.state), KeyState::Enabled | KeyState::Other(_)))
        .map(|key| format!("{} is {}", key.arn, key.state))
        .collect();
    if !disabled.is_empty() {
        return fail(check, "kms:DescribeKey", rule, disabled.join(", "));
    }
    if let Some((name, Fact::Absent { .. })) = keys.iter().find(|(_, fact)| matches!(fact, Fact::Absent { .. })) {
        return fail(check, "kms:DescribeKey", rule, format!("there is no key {name}"));
    }
    if let Some(odd) = keys.values().filter_map(known).find(|key| !KeyState::of(&key.state).is_known()) {
        return unknown(check, unknown_word(&format!("the state of {}", odd.arn), &odd.state));
    }
    match keys.iter().find(|(_, fact)| fact.value().is_none()) {
        Some((name, fact)) => unknown(check, reason(fact, name)),
        None if keys.is_empty() => unknown(check, Reason::NotStated { detail: "no key is named for them".to_owned() }),
        None => {
            let names: Vec<&str> = keys.values().filter_map(|fact| fact.value()).map(|key| key.arn.as_str()).collect();
            pass(check, "kms:DescribeKey", rule, format!("enabled: {}", names.join(", ")))
        }
    }
}
