//! The files of a completion report, in a bucket or in a folder.

use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;

use crate::batch::{CompletionManifest, ReportRow, parse_report};
use crate::checksum::{Algorithm, Hasher};
use crate::files::{InputError, InputKind, read_bytes};
use crate::ident::{ObjectUri, Prefix};
use crate::source::{BucketResolver, Context, ErrorKind, Session};
use crate::units::ByteSize;

/// Most problems that are named.
const MOST_PROBLEMS: usize = 100;

/// A place with the files of one report.
#[async_trait]
pub(super) trait ReportPlaceFiles: Send + Sync {
    /// A file with a name below the report; `None` if there is none.
    async fn read(&self, name: &str) -> Result<Option<Vec<u8>>, String>;

    /// Whether a file that `manifest.json` names is one of this report.
    fn holds(&self, bucket: &str, key: &str) -> bool;
}

/// Files in a folder, as they were downloaded.
pub(super) struct FolderFiles(pub PathBuf);

#[async_trait]
impl ReportPlaceFiles for FolderFiles {
    async fn read(&self, name: &str) -> Result<Option<Vec<u8>>, String> {
        let path = self.0.join(name);
        let shown = path.display().to_string();
        let read = tokio::task::spawn_blocking(move || match path.is_file() {
            true => read_bytes(&path, InputKind::BatchReport).map(Some),
            false => Ok(None),
        });
        let read: Result<Option<Vec<u8>>, InputError> = read.await.map_err(|error| error.to_string())?;
        read.map_err(|error| format!("{shown}: {error}"))
    }

    fn holds(&self, _: &str, _: &str) -> bool {
        true
    }
}

/// Files that S3 wrote below a prefix.
pub(super) struct BucketFiles {
    pub archive: Arc<dyn BucketResolver>,
    pub context: Context,
    pub folder: Prefix,
}

#[async_trait]
impl ReportPlaceFiles for BucketFiles {
    async fn read(&self, name: &str) -> Result<Option<Vec<u8>>, String> {
        let key = format!("{}{name}", self.folder.prefix);
        let uri = ObjectUri { bucket: self.folder.bucket.clone(), key, version: None };
        let session = Session::new(self.archive.object(&uri), self.context.clone());
        let facts = match session.head().await {
            Ok(facts) => facts,
            Err(error) if error.kind == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(format!("{uri}: {}", error.explain())),
        };
        let most = InputKind::BatchReport.most_bytes();
        if facts.size > most {
            return Err(format!("{uri}: has {}, more than {}", ByteSize(facts.size), ByteSize(most)));
        }
        let mut bytes = Vec::new();
        let add = |piece: &[u8]| {
            bytes.extend_from_slice(piece);
            Ok(())
        };
        session.read_whole(&facts, add).await.map_err(|error| format!("{uri}: {}", error.explain()))?;
        Ok(Some(bytes))
    }

    fn holds(&self, bucket: &str, key: &str) -> bool {
        bucket == self.folder.bucket && key.starts_with(&format!("{}results/", self.folder.prefix))
    }
}

/// The rows of a report, and what is wrong with its files.
pub(super) struct ReadReport {
    pub rows: Vec<ReportRow>,
    pub problems: Vec<String>,
}

/// Reads all files of a report. The rows of a file that does not have the MD5 of `manifest.json` do not count.
///
/// # Errors
///
/// `manifest.json` cannot be read; the message is for the report.
pub(super) async fn read_report(files: &dyn ReportPlaceFiles) -> Result<ReadReport, String> {
    let text = files
        .read("manifest.json")
        .await?
        .ok_or("there is no manifest.json; name the folder that S3 wrote it to, job-…/ of the report")?;
    let text = String::from_utf8(text).map_err(|_| "manifest.json is not text")?;
    let manifest = CompletionManifest::parse(&text).map_err(|problem| format!("manifest.json: {problem}"))?;
    let mut report = ReadReport { rows: Vec::new(), problems: Vec::new() };
    for file in &manifest.files {
        let name = file.name();
        if !files.holds(&file.bucket, &file.key) {
            report.problem(format!("manifest.json names a file of another place: s3://{}/{}", file.bucket, file.key));
            continue;
        }
        let found = match files.read(&format!("results/{name}")).await {
            Ok(Some(bytes)) => Ok(Some(bytes)),
            Ok(None) => files.read(name).await,
            Err(problem) => Err(problem),
        };
        match found {
            Err(problem) => report.problem(problem),
            Ok(None) => report.problem(format!("{name} is not there")),
            Ok(Some(bytes)) if Hasher::digest(Algorithm::Md5, &bytes) != file.md5 => {
                let what = "does not have the MD5 that manifest.json states: it is torn or was altered";
                report.problem(format!("{name} {what}; its rows do not count"));
            }
            Ok(Some(bytes)) => report.add(name, &bytes),
        }
    }
    Ok(report)
}

impl ReadReport {
    fn problem(&mut self, problem: String) {
        if self.problems.len() < MOST_PROBLEMS {
            self.problems.push(problem);
        }
    }

    fn add(&mut self, name: &str, bytes: &[u8]) {
        let (rows, unreadable) = parse_report(bytes);
        self.rows.extend(rows);
        for row in unreadable {
            self.problem(format!("{name}, line {} {}", row.line, row.problem));
        }
    }
}
