use std::collections::{BTreeMap, BTreeSet, HashMap};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::job_manifest;
use crate::audit::{ContentFingerprint, Word};
use crate::checksum::{Algorithm, Digest, Hasher};
use crate::ident::{ETag, ObjectIdentity, ObjectUri};
use crate::sealed::{SealError, open, seal};
use crate::text::words;
use crate::verdict::CheckId;

words! {
    /// What a checksum is computed over (S3 Control API Reference, `ComputeObjectChecksumType`).
    pub enum ChecksumScope {
        /// The bytes of the object.
        FullObject = "full_object",
        /// The values of its parts.
        Composite = "composite",
    }
}

impl ChecksumScope {
    /// The type in S3's spelling.
    pub fn s3_name(self) -> &'static str {
        match self {
            ChecksumScope::FullObject => "FULL_OBJECT",
            ChecksumScope::Composite => "COMPOSITE",
        }
    }

    /// The type that S3 spells so.
    pub fn of_s3(name: &str) -> Option<Self> {
        ChecksumScope::ALL.iter().copied().find(|scope| scope.s3_name() == name)
    }
}

words! {
    /// Where the value comes from that the answer of S3 is held against, the strongest first.
    pub enum ReferenceOrigin {
        /// A manifest that a complete read wrote.
        Manifest = "manifest",
        /// The ledger: a read of every byte matched it.
        Ledger = "ledger",
        /// S3 stores it with the object.
        Stored = "stored",
        /// The ledger: S3 stated it at rest before.
        Baseline = "baseline",
    }
}

/// A value that is known of an object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PlannedReference {
    /// Its source.
    pub origin: ReferenceOrigin,
    /// The check that it answers.
    pub check: Word<CheckId>,
    /// Base64; of a composite optionally with `-` and the number of parts.
    pub value: String,
}

impl PlannedReference {
    /// The value and the number of parts; `None` if the text is no value of this algorithm.
    pub fn digest(&self, algorithm: Algorithm) -> Option<(Digest, Option<u32>)> {
        parse_value(algorithm, &self.value)
    }
}

/// Reads a value in base64 or hexadecimal, optionally with the number of parts.
pub(super) fn parse_value(algorithm: Algorithm, text: &str) -> Option<(Digest, Option<u32>)> {
    let (value, parts) = match text.split_once('-') {
        None => (text, None),
        Some((value, parts)) => (value, Some(parts.parse().ok()?)),
    };
    Some((Digest::parse(algorithm, value).ok()?, parts))
}

/// An object in the state in which it was planned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PlannedObject {
    /// The object, with its version if the bucket is versioned.
    pub target: ObjectUri,
    /// Its size in bytes.
    pub object_bytes: u64,
    /// Its ETag; absent only if the server states none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub etag: Option<ETag>,
    /// Time of last modification, RFC 3339, in whole seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_modified: Option<String>,
    /// Storage class in S3's spelling.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub storage_class: Option<String>,
    /// What the answer is held against; absent if nothing is known, so that the answer is a baseline.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<PlannedReference>,
    /// Checksums that S3 stated for the content.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub content: Vec<ContentFingerprint>,
    /// The user named this version, and not only the key: a ledger keeps it apart from the current version.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_named_version: bool,
}

impl PlannedObject {
    /// The object without its version.
    pub fn uri(&self) -> ObjectUri {
        self.target.at_version(None)
    }

    /// The object as a ledger names it.
    pub fn ledger_target(&self) -> String {
        let uri = if self.is_named_version { self.target.clone() } else { self.uri() };
        uri.to_string()
    }

    /// The planned state, as a listing states it.
    pub fn identity(&self) -> ObjectIdentity {
        ObjectIdentity {
            etag: self.etag.clone(),
            last_modified: self.last_modified.clone(),
            ..ObjectIdentity::of_size(self.object_bytes)
        }
    }
}

/// The objects of one job. A job computes one algorithm and type.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PlannedJob {
    /// The algorithm.
    #[schemars(with = "String")]
    pub algorithm: Algorithm,
    /// What it is computed over.
    pub scope: ChecksumScope,
    /// Whether the manifest names versions.
    pub versions: bool,
    /// Size of the manifest in bytes.
    pub manifest_bytes: u64,
    /// SHA-256 of the manifest, in hexadecimal.
    pub manifest_sha256: String,
    /// MD5 of the manifest in hexadecimal, which is its ETag in S3 unless KMS encrypts it.
    pub manifest_md5: String,
    /// The objects, in the order of the manifest.
    pub objects: Vec<PlannedObject>,
}

impl PlannedJob {
    fn new(algorithm: Algorithm, scope: ChecksumScope, versions: bool, mut objects: Vec<PlannedObject>) -> Self {
        objects.sort_by(|one, other| one.target.cmp(&other.target));
        let mut job = PlannedJob {
            algorithm,
            scope,
            versions,
            manifest_bytes: 0,
            manifest_sha256: String::new(),
            manifest_md5: String::new(),
            objects,
        };
        let manifest = job.manifest();
        job.manifest_bytes = manifest.len() as u64;
        job.manifest_sha256 = Hasher::digest(Algorithm::Sha256, manifest.as_bytes()).hex();
        job.manifest_md5 = Hasher::digest(Algorithm::Md5, manifest.as_bytes()).hex();
        job
    }

    /// The manifest that S3 reads: CSV without a heading, with URL-encoded keys.
    pub fn manifest(&self) -> String {
        job_manifest::manifest(self.objects.iter().map(|object| &object.target), self.versions)
    }

    /// Sum of the sizes of its objects in bytes.
    pub fn bytes(&self) -> u64 {
        self.objects.iter().fold(0, |sum, object| sum.saturating_add(object.object_bytes))
    }

    /// The first contradiction within the job.
    fn contradiction(&self) -> Option<String> {
        let manifest = self.manifest();
        if Hasher::digest(Algorithm::Sha256, manifest.as_bytes()).hex() != self.manifest_sha256 {
            return Some("the manifest of a job is not that of its objects".to_owned());
        }
        let mut seen = BTreeSet::new();
        self.objects.iter().find_map(|object| {
            let wrong = |why: &str| Some(format!("{}: {why}", object.target));
            match &object.reference {
                Some(reference) if reference.digest(self.algorithm).is_none() => {
                    wrong("its reference is no value of the algorithm")
                }
                _ if object.target.version.is_some() != self.versions => wrong("its version does not fit the manifest"),
                _ if !seen.insert(object.uri()) => wrong("stands twice in a job"),
                _ => None,
            }
        })
    }
}

/// What S3 is asked to compute.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BatchPlan {
    /// Name and version of the program.
    pub tool: String,
    /// Time of the plan, RFC 3339.
    pub made: String,
    /// Region of the buckets, in which the jobs run.
    pub region: String,
    /// The jobs.
    pub jobs: Vec<PlannedJob>,
}

/// A file is no plan that can be used.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// It is not a sealed plan.
    #[error(transparent)]
    Sealed(#[from] SealError),
    /// Its content contradicts itself; the text is for the report.
    #[error("contradicts itself: {0}")]
    Inconsistent(String),
}

impl BatchPlan {
    /// Sorts objects into jobs: one for each algorithm and type, and for objects with and without versions, because a
    /// manifest names versions for all of its objects or for none. Several versions of one object are in jobs of their
    /// own, because a row of a report may lack its version. An object that is there twice is planned once.
    pub fn new(
        (tool, made, region): (String, String, String),
        objects: impl IntoIterator<Item = (Algorithm, ChecksumScope, PlannedObject)>,
    ) -> Self {
        let mut jobs: BTreeMap<_, Vec<PlannedObject>> = BTreeMap::new();
        let mut seen: HashMap<ObjectUri, Vec<(Option<String>, bool)>> = HashMap::new();
        for (algorithm, scope, object) in objects {
            let versions = seen.entry(object.uri()).or_default();
            let own = (object.target.version.clone(), object.is_named_version);
            if versions.contains(&own) {
                continue;
            }
            let place = versions.len();
            versions.push(own);
            jobs.entry((algorithm, scope, object.target.version.is_some(), place)).or_default().push(object);
        }
        let job = |((algorithm, scope, versions, _), objects)| PlannedJob::new(algorithm, scope, versions, objects);
        BatchPlan { tool, made, region, jobs: jobs.into_iter().map(job).collect() }
    }

    /// The plan as a sealed line of text.
    ///
    /// # Errors
    ///
    /// When serialisation fails.
    pub fn to_json(&self) -> Result<String, serde_json::Error> {
        seal("batch-plan", self)
    }

    /// Reads a sealed plan.
    ///
    /// # Errors
    ///
    /// When the text is no sealed plan, or contradicts itself.
    pub fn from_json(text: &str) -> Result<Self, PlanError> {
        let plan: BatchPlan = open("batch-plan", text)?;
        match plan.jobs.iter().find_map(PlannedJob::contradiction) {
            Some(problem) => Err(PlanError::Inconsistent(problem)),
            None => Ok(plan),
        }
    }

    /// 32 hexadecimal digits that stand for this plan and no other: the names of what is written for it contain them.
    ///
    /// # Errors
    ///
    /// When serialisation fails.
    pub fn id(&self) -> Result<String, serde_json::Error> {
        let digest = Hasher::digest(Algorithm::Sha256, self.to_json()?.as_bytes());
        Ok(digest.hex().chars().take(32).collect())
    }

    /// Number of objects.
    pub fn objects(&self) -> u64 {
        self.jobs.iter().map(|job| job.objects.len() as u64).sum()
    }

    /// Sum of their sizes in bytes.
    pub fn bytes(&self) -> u64 {
        self.jobs.iter().fold(0, |sum, job| sum.saturating_add(job.bytes()))
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// An object with a reference by CRC-64/NVME, whose value is made of `seed`.
    pub(in crate::batch) fn object(key: &str, version: Option<&str>, seed: &str) -> PlannedObject {
        let digest = Hasher::digest(Algorithm::Crc64Nvme, seed.as_bytes());
        PlannedObject {
            target: ObjectUri { bucket: "b".into(), key: key.into(), version: version.map(Into::into) },
            object_bytes: 5,
            etag: Some(ETag::kept(&format!("{seed}-etag"))),
            last_modified: Some("2026-01-01T00:00:00Z".into()),
            storage_class: None,
            reference: Some(PlannedReference {
                origin: ReferenceOrigin::Stored,
                check: Word::of("crc64nvme".into()),
                value: digest.base64(),
            }),
            content: vec![ContentFingerprint::new("crc64nvme", &digest.base64())],
            is_named_version: false,
        }
    }

    pub(in crate::batch) fn plan(objects: Vec<PlannedObject>) -> BatchPlan {
        let objects = objects.into_iter().map(|object| (Algorithm::Crc64Nvme, ChecksumScope::FullObject, object));
        BatchPlan::new(("test".into(), "2026-01-01T00:00:00Z".into(), "eu-west-1".into()), objects)
    }

    #[test]
    fn a_plan_is_sealed_and_names_its_manifests() {
        let plan = plan(vec![object("z", None, "1"), object("a b", None, "2"), object("v", Some("v1"), "3")]);
        let names: Vec<_> = plan.jobs.iter().map(|job| (job.versions, job.objects.len())).collect();
        assert_eq!(names, [(false, 2), (true, 1)]);
        assert_eq!(plan.jobs[0].manifest(), "b,a%20b\nb,z\n");
        assert_eq!(plan.jobs[1].manifest(), "b,v,v1\n");
        let text = plan.to_json().unwrap();
        assert_eq!(BatchPlan::from_json(&text).unwrap(), plan);
        assert_eq!(BatchPlan::from_json(&text).unwrap().id().unwrap(), plan.id().unwrap());
        assert!(BatchPlan::from_json(&text.replace("a b", "a c")).is_err());
    }

    #[test]
    fn several_versions_of_an_object_are_in_jobs_of_their_own() {
        let named = |version| PlannedObject { is_named_version: true, ..object("k", Some(version), version) };
        let plan = plan(vec![
            named("v2"),
            object("k", Some("v1"), "v1"),
            named("v1"),
            named("v2"),
            object("l", Some("v1"), "1"),
            object("l", Some("v1"), "1"),
        ]);
        let jobs: Vec<String> = plan.jobs.iter().map(PlannedJob::manifest).collect();
        assert_eq!(jobs, ["b,k,v2\nb,l,v1\n", "b,k,v1\n", "b,k,v1\n"]);
        let read = BatchPlan::from_json(&plan.to_json().unwrap()).unwrap();
        assert_eq!(read, plan);
        let targets: Vec<String> =
            read.jobs.iter().flat_map(|job| &job.objects).map(PlannedObject::ledger_target).collect();
        assert_eq!(targets, ["s3://b/k?versionId=v2", "s3://b/l", "s3://b/k", "s3://b/k?versionId=v1"]);
    }

    #[test]
    fn a_plan_that_contradicts_itself_is_refused() {
        type Change = fn(&mut BatchPlan);
        let cases: [(Change, &str); 4] = [
            (|plan| plan.jobs[0].objects[0].target.key = "other".into(), "the manifest of a job"),
            (|plan| plan.jobs[0].algorithm = Algorithm::Sha256, "no value of the algorithm"),
            (|plan| plan.jobs[0].versions = true, "its version does not fit"),
            (
                |plan| {
                    let twice = vec![object("k", None, "1"), object("k", None, "1")];
                    plan.jobs[0] = PlannedJob::new(Algorithm::Crc64Nvme, ChecksumScope::FullObject, false, twice);
                },
                "stands twice",
            ),
        ];
        for (change, problem) in cases {
            let mut plan = plan(vec![object("k", None, "1")]);
            change(&mut plan);
            let error = BatchPlan::from_json(&plan.to_json().unwrap()).unwrap_err().to_string();
            assert!(error.contains(problem), "{error}");
        }
    }
}
