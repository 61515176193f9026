use serde::Deserialize;

use crate::checksum::{Algorithm, Digest};

/// The format of the reports that this version reads (S3 Control API Reference, `JobReportFormat`).
const FORMAT: &str = "Report_CSV_20180820";
/// Most files of a report.
const MOST_FILES: usize = 100_000;

/// `manifest.json` of a completion report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompletionManifest {
    /// The files of the report.
    pub files: Vec<ReportFile>,
}

/// A file of a report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportFile {
    /// Bucket in which S3 wrote it.
    pub bucket: String,
    /// Key in that bucket.
    pub key: String,
    /// MD5 of the file. It shows a file that is torn or altered, unless the manifest was altered with it.
    pub md5: Digest,
}

impl ReportFile {
    /// The last segment of the key.
    pub fn name(&self) -> &str {
        self.key.rsplit('/').next().unwrap_or_default()
    }
}

#[derive(Deserialize)]
struct Document {
    #[serde(rename = "Format")]
    format: String,
    #[serde(rename = "Results")]
    results: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    #[serde(rename = "Bucket", default)]
    bucket: String,
    #[serde(rename = "Key")]
    key: String,
    #[serde(rename = "MD5Checksum")]
    md5: String,
}

impl CompletionManifest {
    /// Reads the document.
    ///
    /// # Errors
    ///
    /// The text is no such document, or of another format; the message is for the report.
    pub fn parse(text: &str) -> Result<Self, String> {
        let document: Document = serde_json::from_str(text).map_err(|error| error.to_string())?;
        if document.format != FORMAT {
            let found: String = document.format.chars().take(80).collect();
            return Err(format!("its format is `{found}`, and this version reads {FORMAT}"));
        }
        if document.results.len() > MOST_FILES {
            return Err(format!("it names {} files, more than {MOST_FILES}", document.results.len()));
        }
        let file = |entry: Entry| {
            let named = matches!(entry.key.rsplit('/').next(), Some(name) if !matches!(name, "" | "." | ".."));
            let md5 = Digest::parse(Algorithm::Md5, &entry.md5).map_err(|error| error.to_string())?;
            match named {
                true => Ok(ReportFile { bucket: entry.bucket, key: entry.key, md5 }),
                false => Err("it names a file without a name".to_owned()),
            }
        };
        Ok(CompletionManifest { files: document.results.into_iter().map(file).collect::<Result<_, String>>()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"{"Format":"Report_CSV_20180820","ReportCreationDate":"2026-01-05T10:33:45.123456789Z","Results":[{"TaskExecutionStatus":"succeeded","Bucket":"r","MD5Checksum":"69f59074b6ceb1ec4a7d2b3f55d6a2b3","Key":"p/job-1/results/6b8c.csv"}],"ReportSchema":"Bucket, Key, VersionId, TaskStatus, ErrorCode, HTTPStatusCode, ResultMessage"}"#;

    #[test]
    fn the_document_is_read() {
        let found = CompletionManifest::parse(GOOD).unwrap();
        assert_eq!(found.files.len(), 1);
        assert_eq!((found.files[0].name(), found.files[0].bucket.as_str()), ("6b8c.csv", "r"));
    }

    #[test]
    fn what_is_no_such_document_is_refused() {
        for (from, to) in [
            ("Report_CSV_20180820", "Report_CSV_20300101"),
            ("69f59074b6ceb1ec4a7d2b3f55d6a2b3", "69f5"),
            ("p/job-1/results/6b8c.csv", "p/job-1/results/"),
            ("p/job-1/results/6b8c.csv", "p/.."),
            ("\"Results\"", "\"Result\""),
        ] {
            assert!(CompletionManifest::parse(&GOOD.replace(from, to)).is_err(), "{to}");
        }
        assert!(CompletionManifest::parse("").is_err());
    }
}
