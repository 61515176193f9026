//! The entries of a ledger as tables for other programs, one row per entry.

#[cfg(feature = "parquet")]
mod columns;

#[cfg(feature = "parquet")]
pub use columns::entries_parquet;

use serde::Serialize;

use super::cell_text;
use crate::audit::{Entry, Proof, joined};
use crate::verdict::ProofKind;

/// An entry as a row; missing values are empty.
#[derive(Debug, Default, Serialize)]
pub struct EntryRow {
    number: u64,
    sha256: String,
    kind: &'static str,
    at: String,
    tool: String,
    target: String,
    level: Option<String>,
    verdict: Option<String>,
    object_bytes: Option<u64>,
    etag: Option<String>,
    version_id: Option<String>,
    last_modified: Option<String>,
    storage_class: Option<String>,
    covered_bytes: Option<u64>,
    failed: Option<String>,
    proved_by: Option<String>,
    content: Option<String>,
    reason: Option<String>,
    proof_kind: Option<String>,
    copied_from: Option<String>,
    restored: Option<String>,
}

impl EntryRow {
    /// The row of an entry, with its number and its SHA-256 digest in hexadecimal.
    pub fn new(number: u64, sha256: String, entry: Entry) -> Self {
        let row = match entry {
            Entry::Proof(proof) => EntryRow::from(*proof),
            Entry::Gone(gone) => {
                EntryRow { kind: "gone", at: gone.at, tool: gone.tool, target: gone.target, ..EntryRow::default() }
            }
            Entry::Acceptance(one) => {
                let object_bytes = one.object.as_ref().and_then(|object| object.object_bytes);
                let object = one.object.unwrap_or_default();
                EntryRow {
                    kind: "acceptance",
                    at: one.at,
                    tool: one.tool,
                    target: one.target,
                    object_bytes,
                    etag: object.etag.as_ref().map(ToString::to_string),
                    last_modified: object.last_modified,
                    reason: Some(one.reason),
                    ..EntryRow::default()
                }
            }
        };
        EntryRow { number, sha256, ..row }
    }

    /// Escapes every text for use in a spreadsheet.
    fn for_table(&self) -> Self {
        let text = |value: &Option<String>| value.as_deref().map(cell_text);
        EntryRow {
            number: self.number,
            sha256: cell_text(&self.sha256),
            kind: self.kind,
            at: cell_text(&self.at),
            tool: cell_text(&self.tool),
            target: cell_text(&self.target),
            level: text(&self.level),
            verdict: text(&self.verdict),
            object_bytes: self.object_bytes,
            etag: text(&self.etag),
            version_id: text(&self.version_id),
            last_modified: text(&self.last_modified),
            storage_class: text(&self.storage_class),
            covered_bytes: self.covered_bytes,
            failed: text(&self.failed),
            proved_by: text(&self.proved_by),
            content: text(&self.content),
            reason: text(&self.reason),
            proof_kind: text(&self.proof_kind),
            copied_from: text(&self.copied_from),
            restored: text(&self.restored),
        }
    }
}

impl From<Proof> for EntryRow {
    fn from(proof: Proof) -> Self {
        let proof_kind = proof.kind().map(ProofKind::name).map(str::to_owned);
        EntryRow {
            kind: "proof",
            at: proof.at,
            tool: proof.tool,
            target: proof.target,
            level: Some(proof.level.to_string()),
            verdict: Some(proof.verdict.to_string()),
            object_bytes: proof.object.object_bytes,
            etag: proof.object.etag.as_ref().map(ToString::to_string),
            version_id: proof.version_id,
            last_modified: proof.object.last_modified,
            storage_class: proof.storage_class,
            covered_bytes: Some(proof.covered_bytes),
            failed: Some(joined(&proof.failed, " ")),
            proved_by: Some(joined(&proof.proved_by, " ")),
            content: Some(joined(&proof.content, " ")),
            proof_kind,
            copied_from: proof.copied_from.map(|from| from.target),
            restored: proof.restored.map(|made| format!("{}: {}", made.image, made.verdict)),
            ..EntryRow::default()
        }
    }
}

/// CSV (RFC 4180) with a header row.
///
/// # Errors
///
/// A row cannot be serialised.
pub fn entries_csv(rows: &[EntryRow]) -> Result<Vec<u8>, String> {
    let mut out = csv::Writer::from_writer(Vec::new());
    for row in rows {
        out.serialize(row.for_table()).map_err(|error| error.to_string())?;
    }
    out.into_inner().map_err(|error| error.to_string())
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::audit::{Acceptance, ContentFingerprint, CopiedFrom, Level, Word};
    use crate::ident::{ETag, ObjectIdentity};
    use crate::verdict::Verdict;

    /// Rows for tests.
    pub(crate) fn rows() -> Vec<EntryRow> {
        let object = ObjectIdentity {
            etag: Some(ETag::kept("e")),
            last_modified: Some("soon".into()),
            ..ObjectIdentity::of_size(1 << 40)
        };
        let (at, target) = ("2026-01-02T03:04:05.000006Z".parse().unwrap(), "s3://b/a,\"b\".bin");
        let proof = Proof {
            verdict: Verdict::Pass.into(),
            settled: true,
            storage_class: Some("STANDARD".into()),
            covered_bytes: 1 << 40,
            proved_by: ["etag", "crc32"].map(|by| Word::of(by.into())).into(),
            content: vec![ContentFingerprint::new("crc32", "AAAAAA==")],
            ..Proof::new(at, "test", target.into(), Level::Bytes, object)
        };
        let written = Proof {
            at: "2026-01-02T03:04:07Z".into(),
            target: "s3://b/d".into(),
            level: Word::of("facts".into()),
            object: ObjectIdentity::of_size(5),
            storage_class: None,
            covered_bytes: 0,
            proved_by: vec![Word::of("etag".into())],
            content: Vec::new(),
            proof_kind: Some(ProofKind::Written.into()),
            copied_from: Some(CopiedFrom {
                target: "/disk/d".into(),
                object: ObjectIdentity::of_size(5),
                proved: None,
            }),
            ..proof.clone()
        };
        let acceptance = Acceptance {
            at: "2026-01-02T03:04:06Z".into(),
            tool: "test".into(),
            target: "s3://b/c".into(),
            object: Some(ObjectIdentity::of_size(7)),
            reason: "meant so".into(),
        };
        vec![
            EntryRow::new(1, "00".into(), Entry::Proof(Box::new(proof))),
            EntryRow::new(2, "01".into(), Entry::Acceptance(acceptance)),
            EntryRow::new(3, "02".into(), Entry::Proof(Box::new(written))),
        ]
    }

    #[test]
    fn a_row_has_what_its_entry_has() {
        let text = String::from_utf8(entries_csv(&rows()).unwrap()).unwrap();
        assert_eq!(
            text.lines().collect::<Vec<_>>(),
            [
                "number,sha256,kind,at,tool,target,level,verdict,object_bytes,etag,version_id,last_modified,storage_class,\
                 covered_bytes,failed,proved_by,content,reason,proof_kind,copied_from,restored",
                "1,00,proof,2026-01-02T03:04:05.000006Z,test,\"s3://b/a,\"\"b\"\".bin\",bytes,pass,1099511627776,e,,soon,\
                 STANDARD,1099511627776,,etag crc32,crc32:AAAAAA==,,read,,",
                "2,01,acceptance,2026-01-02T03:04:06Z,test,s3://b/c,,,7,,,,,,,,,meant so,,,",
                "3,02,proof,2026-01-02T03:04:07Z,test,s3://b/d,facts,pass,5,,,,,0,,etag,,,written,/disk/d,",
            ]
        );
    }
}
