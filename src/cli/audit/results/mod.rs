//! The place where the shards of a run put their results, and where `audit merge` reads them.

mod bucket;
mod folder;

use std::fmt;
use std::fs::File;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use tempfile::NamedTempFile;

use self::bucket::BucketResults;
use self::folder::FolderResults;
use crate::audit::{Partition, RunPlan};
use crate::checksum::{Algorithm, Digest, Hasher};
use crate::cli::usage::UsageError;
use crate::commands::audit::{AuditRequest, Scope};
use crate::ident::Prefix;
use crate::source::Context;
use crate::source::s3::Buckets;

/// The file that states what all shards of the run have in common.
pub(in crate::cli) const PLAN: &str = "plan.json";

/// Where results are: `s3://bucket/prefix/run-id/`, or a folder that all machines share.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ResultsPlace {
    /// Objects whose keys begin with a prefix that ends with `/`.
    Bucket(Prefix),
    /// Files of a folder.
    Folder(PathBuf),
}

impl FromStr for ResultsPlace {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if !text.starts_with("s3://") {
            return match text.contains("://") {
                true => Err("write s3://bucket/run-id/ or a folder".to_owned()),
                false => Ok(ResultsPlace::Folder(PathBuf::from(text))),
            };
        }
        let mut place: Prefix = text.parse().map_err(|error: crate::ident::ParsePrefixError| error.to_string())?;
        if place.prefix.is_empty() {
            return Err("a run needs a prefix of its own: s3://bucket/run-id/".to_owned());
        }
        if !place.prefix.ends_with('/') {
            place.prefix.push('/');
        }
        Ok(ResultsPlace::Bucket(place))
    }
}

impl fmt::Display for ResultsPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ResultsPlace::Bucket(prefix) => prefix.fmt(f),
            ResultsPlace::Folder(path) => path.display().fmt(f),
        }
    }
}

impl ResultsPlace {
    /// The full name of a file of the place.
    fn named(&self, name: &str) -> String {
        match self {
            ResultsPlace::Bucket(prefix) => format!("s3://{}/{}{name}", prefix.bucket, prefix.prefix),
            ResultsPlace::Folder(path) => path.join(name).display().to_string(),
        }
    }

    /// The bucket, if it is one.
    pub fn bucket(&self) -> Option<&str> {
        match self {
            ResultsPlace::Bucket(prefix) => Some(&prefix.bucket),
            ResultsPlace::Folder(_) => None,
        }
    }

    /// Refuses a place whose files would be among the objects of the audit.
    ///
    /// # Errors
    ///
    /// The audit covers the place.
    pub(in crate::cli) fn check_outside(&self, chosen: &Scope) -> Result<(), UsageError> {
        let ResultsPlace::Bucket(place) = self else { return Ok(()) };
        let problem = match chosen {
            Scope::Listed(prefixes) => {
                let covers = |audited: &&Prefix| {
                    let key = |name: &str| format!("{}{name}", place.prefix);
                    [PLAN, SHARD].iter().any(|name| audited.holds(&place.bucket, &key(name)))
                        || place.holds(&audited.bucket, &audited.prefix)
                };
                prefixes.iter().find(covers).map(|audited| format!("{audited} is audited"))
            }
            Scope::Named { objects, .. } => {
                let inside = objects.iter().find(|uri| place.holds(&uri.bucket, &uri.key));
                inside.map(|uri| format!("{uri} is audited"))
            }
        };
        match problem {
            Some(problem) => Err(UsageError(format!("--results {self}: {problem}; results need a prefix beside it"))),
            None => Ok(()),
        }
    }
}

/// An open place.
pub(in crate::cli) struct ResultsStore {
    place: ResultsPlace,
    files: Files,
}

enum Files {
    Bucket(Box<BucketResults>),
    Folder(FolderResults),
}

/// The beginning of the name of a result.
pub(in crate::cli) const SHARD: &str = "shard-";

impl ResultsStore {
    /// Opens a place. Sends no request.
    pub(crate) fn open(place: &ResultsPlace, buckets: Option<&Buckets>, context: &Context) -> Result<Self, UsageError> {
        let files = match (place, buckets) {
            (ResultsPlace::Folder(path), _) => Files::Folder(FolderResults::new(path)),
            (ResultsPlace::Bucket(prefix), Some(buckets)) => {
                Files::Bucket(Box::new(BucketResults::new(buckets.of(&prefix.bucket), prefix, context)))
            }
            (ResultsPlace::Bucket(_), None) => return Err(UsageError(format!("{place}: there is no connection"))),
        };
        Ok(ResultsStore { place: place.clone(), files })
    }

    /// Writes the plan of a request beside the results, or compares it with the one that is there. Returns its digest.
    /// The inner error is a message for a place that cannot be read or written.
    ///
    /// # Errors
    ///
    /// The place holds the results of another run.
    pub(crate) async fn begin(&self, request: &AuditRequest) -> Result<Result<String, String>, UsageError> {
        let Some(plan) = request.plan() else { return Err(UsageError("--results needs --shard".to_owned())) };
        let document = plan.document();
        let there = match self.write_plan(document.as_bytes()).await {
            Ok(there) => there,
            Err(problem) => return Ok(Err(format!("--results {}: {problem}", self.place))),
        };
        let Some(there) = there else { return Ok(Ok(RunPlan::digest(document.as_bytes()))) };
        let wrong = |problem: String| UsageError(format!("--results {}: {problem}", self.place));
        match plan.differences(&there) {
            None => Err(wrong(format!("its {PLAN} was not written by this version"))),
            Some(fields) if fields.is_empty() => Ok(Ok(RunPlan::digest(&there))),
            Some(fields) => {
                let fields = fields.join(", ");
                Err(wrong(format!("it holds another run, with another {fields}; each run needs a place of its own")))
            }
        }
    }

    /// Writes the plan unless there is one; returns that.
    async fn write_plan(&self, document: &[u8]) -> Result<Option<Vec<u8>>, String> {
        let text = |error: std::io::Error| error.to_string();
        let mut file = NamedTempFile::new().map_err(text)?;
        file.write_all(document).map_err(text)?;
        if let Some(there) = self.read_plan().await? {
            return Ok(Some(there));
        }
        match self.put(PLAN, file.path(), PLAN).await? {
            true => Ok(None),
            // Another shard wrote it at the same time.
            false => self.read_plan().await,
        }
    }

    async fn read_plan(&self) -> Result<Option<Vec<u8>>, String> {
        /// Far more than a plan has.
        const MOST: u64 = 1 << 20;
        let Some(file) = self.fetch(PLAN).await? else { return Ok(None) };
        let mut text = Vec::new();
        file.take(MOST).read_to_end(&mut text).map_err(|error| error.to_string())?;
        Ok(Some(text))
    }

    /// The digest of the plan, if the place has one.
    ///
    /// # Errors
    ///
    /// The place cannot be read.
    pub(crate) async fn plan_digest(&self) -> Result<Option<String>, String> {
        Ok(self.read_plan().await?.map(|document| RunPlan::digest(&document)))
    }

    /// Writes the result of a shard under a name of its own. Returns the full name.
    ///
    /// # Errors
    ///
    /// It cannot be written.
    pub(crate) async fn add(&self, share: Partition, context: &Context, lines: &Path) -> Result<String, String> {
        let now = context.clock.now().strftime("%Y%m%dT%H%M%SZ");
        let number = (context.clock.random() * f64::from(u32::MAX)) as u32;
        let width = share.of().to_string().len();
        let of_share = format!("{SHARD}{:0width$}-of-{}-", share.index(), share.of());
        let name = format!("{of_share}{now}-{number:08x}.jsonl");
        let full = self.place.named(&name);
        if self.put(&name, lines, &of_share).await? {
            return Ok(full);
        }
        // The answer to an earlier attempt may have been lost.
        let there = self.fetch(&name).await?.ok_or_else(|| format!("{full} cannot be written"))?;
        let own = File::open(lines).map_err(|error| error.to_string())?;
        match digest(there)? == digest(own)? {
            true => Ok(full),
            false => Err(format!("{full} exists already")),
        }
    }

    /// The results: full names, and the names in the place.
    ///
    /// # Errors
    ///
    /// The place cannot be listed.
    pub(crate) async fn results(&self) -> Result<Vec<(String, String)>, String> {
        let mut names = match &self.files {
            Files::Bucket(bucket) => bucket.names().await?,
            Files::Folder(folder) => folder.names()?,
        };
        names.retain(|name| name.starts_with(SHARD) && name.ends_with(".jsonl"));
        names.sort();
        Ok(names.into_iter().map(|name| (self.place.named(&name), name)).collect())
    }

    /// Opens a file of the place; `None` if there is none. An object is copied to a temporary file.
    ///
    /// # Errors
    ///
    /// It cannot be read.
    pub(crate) async fn fetch(&self, name: &str) -> Result<Option<File>, String> {
        match &self.files {
            Files::Bucket(bucket) => bucket.fetch(name).await,
            Files::Folder(folder) => folder.fetch(name),
        }
    }

    /// Writes a file whole, unless it exists. Returns whether it was written. In a folder, removes what killed writers of
    /// names that begin with `family` left.
    async fn put(&self, name: &str, content: &Path, family: &str) -> Result<bool, String> {
        match &self.files {
            Files::Bucket(bucket) => bucket.put(name, content).await,
            Files::Folder(folder) => folder.put(name, content, family),
        }
    }
}

fn digest(mut file: File) -> Result<Digest, String> {
    let mut hasher = Hasher::new(Algorithm::Sha256);
    let mut buffer = vec![0; 64 << 10];
    loop {
        match file.read(&mut buffer).map_err(|error| error.to_string())? {
            0 => return Ok(hasher.finish()),
            got => hasher.update(buffer.get(..got).unwrap_or_default()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(text: &str) -> ResultsPlace {
        text.parse().unwrap()
    }

    #[test]
    fn a_place_is_a_prefix_or_a_folder() {
        assert_eq!(place("s3://b/runs/7").to_string(), "s3://b/runs/7/");
        assert_eq!(place("s3://b/7/").named("x"), "s3://b/7/x");
        assert_eq!(place("/mnt/runs/7").named("x"), "/mnt/runs/7/x");
        for wrong in ["s3://b", "s3://b/", "s3://", "https://b/7"] {
            assert!(wrong.parse::<ResultsPlace>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn results_do_not_lie_among_the_objects() {
        let audited = |prefixes: &[&str]| Scope::Listed(prefixes.iter().map(|text| text.parse().unwrap()).collect());
        for (prefixes, inside) in [
            (&["s3://b"][..], true),
            (&["s3://a", "s3://b/ru"], true),
            (&["s3://b/runs/7/"], true),
            (&["s3://b/runs/7/shard-"], true),
            (&["s3://b/runs/7/x/y"], true),
            (&["s3://b/runs/8", "s3://b/run/"], false),
            (&["s3://c"], false),
        ] {
            let refused = place("s3://b/runs/7").check_outside(&audited(prefixes));
            assert_eq!(refused.is_err(), inside, "{prefixes:?}");
        }
        let objects = ["s3://b/runs/7/ami-00000001.bin".parse().unwrap()].into();
        let named = Scope::Named { objects, from: "a list".to_owned() };
        assert!(place("s3://b/runs/7").check_outside(&named).is_err());
        assert!(place("s3://b/runs/8").check_outside(&named).is_ok());
    }
}
