use std::io;

use jiff::Timestamp;
use serde_json::json;

use crate::checksum::{Algorithm, Hasher};
use crate::content::Content;
use crate::jobs::CreateJob;
use crate::record::{Encryption, ObjectRecord};
use crate::shared::Shared;
use crate::store::{Object, Versioning};

/// Rows of one file of a report.
const ROWS: usize = 50;

/// A checksum, and the ETag of its object.
pub(super) struct Computed {
    pub etag: String,
    pub base64: String,
    pub hex: String,
}

/// What became of an object; else the status, the code and the message of an error.
pub(super) type Outcome = Result<Computed, (u16, String, String)>;

/// A row of a report.
pub(super) struct Row {
    pub bucket: String,
    /// As in the manifest.
    pub key: String,
    pub version: Option<String>,
    pub outcome: Outcome,
}

impl Row {
    /// In the order of columns of the documented example: the status before the error code.
    fn text(&self, request: &CreateJob) -> String {
        let (bucket, key, version) = (&self.bucket, &self.key, self.version.as_deref().unwrap_or_default());
        match &self.outcome {
            Ok(computed) => {
                let base64 = computed.base64.replace('=', "\\u003d");
                let computes = &request.operation.computes;
                let fields = [
                    format!("\"checksum_base64\":\"{base64}\""),
                    format!("\"etag\":\"{}\"", computed.etag),
                    format!("\"checksumAlgorithm\":\"{}\"", computes.checksum_algorithm),
                    format!("\"checksumType\":\"{}\"", computes.checksum_type),
                    format!("\"checksum_hex\":\"{}\"", computed.hex),
                ];
                let message = format!("{{{}}}", fields.join(",")).replace('"', "\"\"");
                format!("{bucket},{key},{version},succeeded,200,,\"{message}\"\n")
            }
            Err((status, code, message)) => {
                let message = format!("error details: {{\"message\": \"{message}\"}}");
                format!("{bucket},{key},{version},failed,{status},{code},\"{message}\"\n")
            }
        }
    }
}

/// Writes the files of a report, and its manifest after them.
pub(super) fn write(shared: &Shared, id: &str, request: &CreateJob, rows: &[Row]) -> io::Result<()> {
    let bucket = request.report.bucket.rsplit(':').next().unwrap_or_default().to_owned();
    let folder = format!("{}/job-{id}", request.report.prefix);
    let mut results = Vec::new();
    for (status, is_ok) in [("succeeded", true), ("failed", false)] {
        let of: Vec<&Row> = rows.iter().filter(|row| row.outcome.is_ok() == is_ok).collect();
        for chunk in of.chunks(ROWS) {
            let text: String = chunk.iter().map(|row| row.text(request)).collect();
            let name = hex::encode(Hasher::of(Algorithm::Sha1, text.as_bytes()));
            let key = format!("{folder}/results/{name}.csv");
            let md5 = put(shared, &bucket, &key, text.into_bytes())?;
            results.push(json!({ "TaskExecutionStatus": status, "Bucket": bucket, "MD5Checksum": md5, "Key": key }));
        }
    }
    let manifest = json!({
        "Format": request.report.format,
        "ReportCreationDate": Timestamp::now().to_string(),
        "Results": results,
        "ReportSchema": "Bucket, Key, VersionId, TaskStatus, ErrorCode, HTTPStatusCode, ResultMessage",
    });
    put(shared, &bucket, &format!("{folder}/manifest.json"), manifest.to_string().into_bytes()).map(drop)
}

/// Writes an object, and returns its MD5 in hexadecimal.
fn put(shared: &Shared, bucket: &str, key: &str, bytes: Vec<u8>) -> io::Result<String> {
    let versioning = shared.store().buckets.get(bucket).map(|bucket| bucket.options.versioning);
    let version_id = if versioning == Some(Versioning::Enabled) { shared.fresh_id() } else { "null".to_owned() };
    let md5 = hex::encode(Hasher::of(Algorithm::Md5, &bytes));
    let record = ObjectRecord {
        key: key.to_owned(),
        version_id,
        delete_marker: false,
        size: bytes.len() as u64,
        etag: md5.clone(),
        last_modified: Timestamp::now(),
        checksum: None,
        parts: Vec::new(),
        headers: [("content-type".to_owned(), "application/octet-stream".to_owned())].into(),
        metadata: Default::default(),
        missing_meta: 0,
        storage_class: "STANDARD".to_owned(),
        archive_status: None,
        restore: None,
        encryption: Encryption::S3,
        tags: Vec::new(),
        retention: None,
        legal_hold: None,
        replication_status: None,
        expiration: None,
    };
    let incoming = shared.store().folder.as_ref().map(|folder| folder.incoming());
    let content = Content::of(bytes.into(), incoming)?;
    shared.store().place(bucket, Object { record, content })?;
    Ok(md5)
}
