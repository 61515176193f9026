use crate::audit::Word;
use crate::batch::{
    BatchPlan, ChecksumScope, CompletionManifest, Judged, PlannedObject, PlannedReference, ReferenceOrigin, ReportRow,
    RowOutcome, parse_report, reconcile,
};
use crate::checksum::{Algorithm, Digest, Hasher};
use crate::ident::{ETag, ObjectUri};

/// Objects of the plan that a report is held against.
const MOST_OBJECTS: usize = 32;
/// ETag of every planned object.
const PLANNED: &str = "e";

/// Input: a file of a completion report, or its `manifest.json`.
pub fn batch_report(data: &[u8]) -> bool {
    let named = super::text(data).and_then(|text| CompletionManifest::parse(text).ok());
    if let Some(manifest) = &named {
        assert!(manifest.files.iter().all(|file| !matches!(file.name(), "" | "." | "..")), "each file has a name");
    }
    let (rows, unreadable) = parse_report(data);
    let lines: Vec<&[u8]> = data.split(|byte| *byte == b'\n').collect();
    let is_filled = |line: &&&[u8]| !line.strip_suffix(b"\r").unwrap_or(line).is_empty();
    let filled = lines.iter().filter(is_filled).count();
    assert_eq!(rows.len() + unreadable.len(), filled, "each line is a row, or is named");
    let alone: Vec<ReportRow> = lines.iter().flat_map(|line| parse_report(line).0).collect();
    assert_eq!(alone, rows, "no line changes another");
    reconciled(&rows);
    named.is_some() || !rows.is_empty()
}

/// Holds rows against a plan of the objects that they name.
fn reconciled(rows: &[ReportRow]) {
    let is_of_job = |row: &&ReportRow| matches!(row.outcome, RowOutcome::Succeeded(_));
    let objects = rows.iter().filter(is_of_job).take(MOST_OBJECTS).map(planned);
    let about = ("fuzz".to_owned(), "2026-01-01T00:00:00Z".to_owned(), "eu-west-1".to_owned());
    let plan = BatchPlan::new(about, objects.map(|object| (Algorithm::Crc64Nvme, ChecksumScope::FullObject, object)));
    for job in &plan.jobs {
        let found = reconcile(job, rows.to_vec());
        assert_eq!(found.objects.len(), job.objects.len());
        let backwards = reconcile(job, rows.iter().rev().cloned().collect());
        assert_eq!(backwards.objects, found.objects, "in another order");
        assert!(found.not_requested.len() <= rows.len());
        for (object, judged) in job.objects.iter().zip(&found.objects) {
            let decides = |row: &ReportRow| match &row.outcome {
                RowOutcome::Succeeded(computed) => {
                    let is_planned = computed.etag == object.etag || row.version.is_some();
                    is_planned && computed.digest(job.algorithm).map(|(value, _)| value).as_ref() == judged.value()
                }
                RowOutcome::Failed { .. } | RowOutcome::Unreadable(_) => false,
            };
            // A value counts only from a row of the planned state, and passes only if it is the known one.
            assert!(judged.value().is_none() || rows.iter().any(decides), "{}: {judged:?}", object.target);
            if let Judged::Stated(value) = judged {
                assert_eq!(object.reference.as_ref().map(|known| known.value.clone()), Some(value.base64()));
            }
        }
    }
}

/// The object that a row names, in a state in which the value of the row is the known one, or another.
fn planned(row: &ReportRow) -> PlannedObject {
    let algorithm = Algorithm::Crc64Nvme;
    let stated = match &row.outcome {
        RowOutcome::Succeeded(computed) => computed.digest(algorithm),
        RowOutcome::Failed { .. } | RowOutcome::Unreadable(_) => None,
    };
    let other: Digest = Hasher::digest(algorithm, row.key.as_bytes());
    PlannedObject {
        target: ObjectUri { bucket: row.bucket.clone(), key: row.key.clone(), version: None },
        object_bytes: 1,
        etag: Some(ETag::kept(PLANNED)),
        last_modified: None,
        storage_class: None,
        reference: Some(PlannedReference {
            origin: ReferenceOrigin::Stored,
            check: Word::of(algorithm.to_string()),
            value: stated.map_or(other, |(value, _)| value).base64(),
        }),
        content: Vec::new(),
        is_named_version: false,
    }
}
