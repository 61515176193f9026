use jiff::Timestamp;

use crate::audit::{Entry, Level, Proof, RestoredContent};
use crate::ident::{ETag, ObjectIdentity, ObjectUri};
use crate::journal::RestoreIdentity;
use crate::ledger::SharedLedger;
use crate::report::{Exit, Note, ProveReport, ProvedVolumeReport, TOOL};

/// Appends a proof of a restore to a ledger, with the object that was restored in the state of its ETag, and names it in
/// the report. A proof that a signal ended is not kept.
pub async fn record_proof(ledger: &SharedLedger, restore: &RestoreIdentity, report: &mut ProveReport, now: Timestamp) {
    if !report.started || report.exit_code == Exit::Interrupted {
        return;
    }
    let object = ObjectUri { bucket: restore.bucket.clone(), key: restore.key.clone(), version: None }.to_string();
    match ledger.append(vec![entry(restore, &object, report, now)]).await {
        Ok(head) => (report.recorded_with, report.ledger_head) = (Some(object), Some(head.to_string())),
        Err(error) => {
            report.notes.push(Note::Source(format!("nothing is recorded in the ledger, which {error}")));
            report.exit_code = report.exit_code.and(Exit::CouldNot);
        }
    }
}

fn entry(restore: &RestoreIdentity, object: &str, report: &ProveReport, now: Timestamp) -> Entry {
    let sum = |of: fn(&ProvedVolumeReport) -> u64| report.volumes.iter().map(of).fold(0, u64::saturating_add);
    let restored = RestoredContent {
        image: report.image.clone(),
        region: report.region.clone(),
        expected_image: report.expected_image.clone(),
        verdict: report.verdict.into(),
        same_blocks: sum(|volume| volume.same_blocks),
        differing_blocks: sum(|volume| volume.differing_blocks),
    };
    let state = ObjectIdentity::of_etag(Some(ETag::kept(&restore.etag)));
    Entry::Proof(Box::new(Proof {
        restored: Some(Box::new(restored)),
        ..Proof::new(now, TOOL, object.to_owned(), Level::Facts, state)
    }))
}
