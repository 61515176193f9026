use jiff::Timestamp;

use super::{BatchPlan, ChecksumScope, PlannedJob};
use crate::audit::Word;
use crate::checksum::{Algorithm, Hasher};
use crate::ident::{ETag, ObjectUri, Prefix};
use crate::text::{sentences, words};

words! {
    /// The state of a job (S3 Control API Reference, `JobStatus`).
    pub enum JobState {
        Active = "Active",
        Cancelled = "Cancelled",
        Cancelling = "Cancelling",
        Complete = "Complete",
        Completing = "Completing",
        Failed = "Failed",
        Failing = "Failing",
        New = "New",
        Paused = "Paused",
        Pausing = "Pausing",
        Preparing = "Preparing",
        Ready = "Ready",
        Suspended = "Suspended",
    }
}

impl JobState {
    /// Whether the job changes no more.
    pub fn is_over(self) -> bool {
        matches!(self, JobState::Complete | JobState::Failed | JobState::Cancelled)
    }

    /// Whether the job goes on only after somebody acts.
    pub fn is_waiting(self) -> bool {
        matches!(self, JobState::Suspended | JobState::Paused)
    }
}

/// Where the manifest of a job is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ManifestPlace {
    /// The object.
    pub uri: ObjectUri,
    /// The ETag with which S3 reads it.
    pub etag: ETag,
}

/// Where the completion report of a job is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportPlace {
    /// Name of the bucket.
    pub bucket: String,
    /// Prefix of the keys, without a slash at its end.
    pub prefix: String,
    /// The account that must own the bucket.
    pub owner: Option<String>,
}

/// What a job computes, reads and writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewJob {
    /// Makes repeated requests one job.
    pub token: String,
    /// ARN of the role that the job assumes.
    pub role: String,
    /// A text for people.
    pub description: String,
    /// Partition of the ARNs, such as `aws`.
    pub partition: String,
    /// The algorithm.
    pub algorithm: Algorithm,
    /// What it is computed over.
    pub scope: ChecksumScope,
    /// Whether the manifest names versions.
    pub versions: bool,
    /// The manifest.
    pub manifest: ManifestPlace,
    /// The completion report.
    pub report: ReportPlace,
}

/// What DescribeJob states.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobFacts {
    /// Id of the job.
    pub id: String,
    /// Its state.
    pub state: Word<JobState>,
    /// What it computes; `None` for another operation, or an algorithm that is not known here.
    pub computes: Option<(Algorithm, ChecksumScope)>,
    /// Its manifest.
    pub manifest: Option<ManifestPlace>,
    /// Where its report is written; `None` if there is none.
    pub report: Option<ReportPlace>,
    /// Number of its objects.
    pub tasks: Option<u64>,
    /// Number of objects that succeeded.
    pub succeeded: Option<u64>,
    /// Number of objects that failed.
    pub failed: Option<u64>,
    /// Why it failed, is suspended, or changed its state.
    pub reasons: Vec<String>,
    /// When it was created. Every checksum of its report was computed later.
    pub created: Option<Timestamp>,
}

/// Where the files of a plan are written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchPlace {
    bucket: String,
    /// Ends with a slash.
    folder: String,
}

/// Start of the folder's name, before the id of the plan.
const FOLDER: &str = "stored-ami-batch-";

impl BatchPlace {
    /// The place below a prefix.
    pub fn new(prefix: &Prefix, plan_id: &str) -> Self {
        BatchPlace { bucket: prefix.bucket.clone(), folder: format!("{}{FOLDER}{plan_id}/", prefix.prefix) }
    }

    /// The place, and the number of the job, whose manifest this is; `None` if it is not of this plan.
    pub fn of_manifest(manifest: &ObjectUri, plan_id: &str) -> Option<(Self, u64)> {
        let (folder, name) = manifest.key.rsplit_once('/')?;
        let last = folder.rsplit('/').next()?;
        let number = name.strip_prefix("manifest-")?.strip_suffix(".csv")?.parse().ok()?;
        let place = BatchPlace { bucket: manifest.bucket.clone(), folder: format!("{folder}/") };
        let is_ours = last.strip_prefix(FOLDER) == Some(plan_id) && place.manifest(number).key == manifest.key;
        is_ours.then_some((place, number))
    }

    /// The manifest of a job.
    pub fn manifest(&self, number: u64) -> ObjectUri {
        let key = format!("{}manifest-{number}.csv", self.folder);
        ObjectUri { bucket: self.bucket.clone(), key, version: None }
    }

    /// Where the report of a job is written.
    pub fn report(&self, number: u64, owner: &str) -> ReportPlace {
        ReportPlace {
            bucket: self.bucket.clone(),
            prefix: format!("{}report-{number}", self.folder),
            owner: Some(owner.to_owned()),
        }
    }
}

impl ReportPlace {
    /// Start of the keys of a job's report (S3 User Guide, *Examples: S3 Batch Operations completion reports*).
    pub fn folder_of(&self, job: &str) -> Prefix {
        Prefix { bucket: self.bucket.clone(), prefix: format!("{}/job-{job}/", self.prefix) }
    }
}

/// The client token of a job: the same for the same plan, place, role and account.
pub fn token(plan_id: &str, manifest: &ObjectUri, role: &str, account: &str) -> String {
    let mut hasher = Hasher::new(Algorithm::Sha256);
    for part in [plan_id, &manifest.to_string(), role, account] {
        hasher.update(part.as_bytes());
        hasher.update(&[0]);
    }
    hasher.finish().hex()
}

sentences! {
    /// Why the report of a job is no evidence for a plan.
    pub enum JobMismatch {
        NotOfPlan { manifest: String } => "its manifest {manifest} is not of this plan",
        NoManifest => "S3 states no manifest of it",
        NoSuchJob { number: u64 } => "the plan has no job {number}",
        OtherOperation => "it computes another checksum than the plan asks for",
        OtherReport => "its report is written to another place than the plan chose",
        OtherOwner => "its report may be written to a bucket of another account",
        NotComplete { state: String } => "its state is {state}, and only a complete job has a whole report",
    }
}

/// The job of a plan that DescribeJob describes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobOfPlan<'a> {
    /// Its number, from 1.
    pub number: u64,
    /// The planned job.
    pub job: &'a PlannedJob,
    /// The manifest that S3 reads.
    pub manifest: ManifestPlace,
    /// Where the report is.
    pub report: ReportPlace,
    /// Whether the ETag of the manifest is its planned MD5. Otherwise the manifest must be read to compare it, because
    /// an ETag under KMS is no MD5.
    pub etag_is_planned: bool,
}

/// Holds what DescribeJob states against a plan. `account` is that of the caller, which the report's bucket must belong
/// to.
///
/// # Errors
///
/// The job is not of the plan, or is not complete.
pub fn job_of_plan<'a>(
    facts: &JobFacts,
    (plan, plan_id): (&'a BatchPlan, &str),
    account: &str,
) -> Result<JobOfPlan<'a>, JobMismatch> {
    let manifest = facts.manifest.clone().ok_or(JobMismatch::NoManifest)?;
    let not_ours = || JobMismatch::NotOfPlan { manifest: manifest.uri.to_string() };
    let (place, number) = BatchPlace::of_manifest(&manifest.uri, plan_id).ok_or_else(not_ours)?;
    let index = usize::try_from(number).ok().and_then(|number| number.checked_sub(1));
    let job = index.and_then(|index| plan.jobs.get(index)).ok_or(JobMismatch::NoSuchJob { number })?;
    if facts.computes != Some((job.algorithm, job.scope)) {
        return Err(JobMismatch::OtherOperation);
    }
    let expected = place.report(number, account);
    let report = facts.report.clone().ok_or(JobMismatch::OtherReport)?;
    if (&report.bucket, &report.prefix) != (&expected.bucket, &expected.prefix) {
        return Err(JobMismatch::OtherReport);
    }
    if report.owner != expected.owner {
        return Err(JobMismatch::OtherOwner);
    }
    if facts.state != JobState::Complete {
        return Err(JobMismatch::NotComplete { state: facts.state.to_string() });
    }
    let etag_is_planned = manifest.etag.is_strong() && manifest.etag.as_str() == job.manifest_md5;
    Ok(JobOfPlan { number, job, manifest, report, etag_is_planned })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::plan::tests::{object, plan};

    const ACCOUNT: &str = "111122223333";

    fn facts(plan: &BatchPlan) -> JobFacts {
        let place = BatchPlace::new(&Prefix { bucket: "r".into(), prefix: "p/".into() }, &plan.id().unwrap());
        JobFacts {
            id: "job".into(),
            state: JobState::Complete.into(),
            computes: Some((Algorithm::Crc64Nvme, ChecksumScope::FullObject)),
            manifest: Some(ManifestPlace { uri: place.manifest(1), etag: ETag::new(&plan.jobs[0].manifest_md5) }),
            report: Some(place.report(1, ACCOUNT)),
            tasks: None,
            succeeded: None,
            failed: None,
            reasons: Vec::new(),
            created: None,
        }
    }

    #[test]
    fn only_the_complete_job_of_the_plan_counts() {
        let plan = plan(vec![object("k", None, "1")]);
        let id = plan.id().unwrap();
        let found = facts(&plan);
        let job = job_of_plan(&found, (&plan, &id), ACCOUNT).unwrap();
        assert!(job.etag_is_planned && job.number == 1);
        assert_eq!(
            job.report.folder_of("job-id").to_string(),
            format!("s3://r/p/stored-ami-batch-{id}/report-1/job-job-id/")
        );
        type Change = fn(&mut JobFacts);
        let cases: [(Change, &str); 12] = [
            (|job| job.manifest = None, "no manifest"),
            (|job| job.manifest.as_mut().unwrap().uri.key = "p/manifest-1.csv".into(), "not of this plan"),
            (|job| job.manifest.as_mut().unwrap().uri.key += "x", "not of this plan"),
            (
                |job| {
                    let key = &mut job.manifest.as_mut().unwrap().uri.key;
                    *key = key.replace("manifest-1", "manifest-01");
                },
                "not of this plan",
            ),
            (
                |job| {
                    let key = &mut job.manifest.as_mut().unwrap().uri.key;
                    *key = key.replace("manifest-1", "manifest-2");
                },
                "no job 2",
            ),
            (|job| job.computes = None, "another checksum"),
            (|job| job.computes = Some((Algorithm::Sha256, ChecksumScope::FullObject)), "another checksum"),
            (|job| job.computes = Some((Algorithm::Crc64Nvme, ChecksumScope::Composite)), "another checksum"),
            (|job| job.report = None, "another place"),
            (|job| job.report.as_mut().unwrap().prefix += "x", "another place"),
            (|job| job.report.as_mut().unwrap().owner = Some("444455556666".into()), "another account"),
            (|job| job.report.as_mut().unwrap().owner = None, "another account"),
        ];
        for (change, problem) in cases {
            let mut facts = facts(&plan);
            change(&mut facts);
            let error = job_of_plan(&facts, (&plan, &id), ACCOUNT).unwrap_err().to_string();
            assert!(error.contains(problem), "{error}");
        }
        for state in JobState::ALL.iter().filter(|state| **state != JobState::Complete) {
            let facts = JobFacts { state: Word::Known(*state), ..facts(&plan) };
            let error = job_of_plan(&facts, (&plan, &id), ACCOUNT).unwrap_err();
            assert_eq!(error, JobMismatch::NotComplete { state: state.to_string() });
        }
        let mut other = facts(&plan);
        other.manifest.as_mut().unwrap().etag = ETag::new("0123");
        assert!(!job_of_plan(&other, (&plan, &id), ACCOUNT).unwrap().etag_is_planned);
    }

    #[test]
    fn a_token_stands_for_one_job() {
        let uri = |key: &str| ObjectUri { bucket: "b".into(), key: key.into(), version: None };
        let one = token("id", &uri("k"), "role", ACCOUNT);
        assert_eq!(one, token("id", &uri("k"), "role", ACCOUNT));
        assert_eq!(one.len(), 64);
        for other in [
            token("ie", &uri("k"), "role", ACCOUNT),
            token("id", &uri("l"), "role", ACCOUNT),
            token("id", &uri("k"), "rol", ACCOUNT),
        ] {
            assert_ne!(one, other);
        }
    }
}
