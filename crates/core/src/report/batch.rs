use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{CostLineReport, Exit, TroubleReport};
use crate::audit::Word;
use crate::batch::{
    BatchOutcome, BatchPlan, ChecksumScope, Judged, PlannedJob, PlannedObject, ReferenceOrigin, ReportRow, RowOutcome,
};
use crate::checksum::Algorithm;
use crate::ident::ObjectUri;
use crate::text::words;
use crate::verdict::{CheckId, Verdict};

fn is_zero(count: &u64) -> bool {
    *count == 0
}

words! {
    /// Why an object is not in a plan.
    pub enum LeftOutCode {
        /// *Compute checksum* does not support SSE-C (S3 User Guide, *Compute checksums*).
        CustomerKey = "customer_key",
        /// Neither a strong ETag nor a version identifies the object, so no answer could be held against it.
        NotIdentified = "not_identified",
        /// Bucket or version cannot be written into a manifest.
        NotNameable = "not_nameable",
        /// S3 states a value of each algorithm that a baseline could have, and none that it computes.
        NoAlgorithm = "no_algorithm",
        /// The checksums that S3 stores with the object may not be seen: `kms:Decrypt` is missing.
        ChecksumsNotKnown = "checksums_not_known",
        /// The object could not be described.
        NotDescribed = "not_described",
    }
}

impl LeftOutCode {
    /// Whether it is not certain that S3 cannot compute a checksum of the object.
    pub fn is_open(self) -> bool {
        matches!(self, LeftOutCode::NotDescribed | LeftOutCode::ChecksumsNotKnown)
    }
}

/// An object that is not in a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LeftOutReport {
    /// The object as `s3://bucket/key`.
    pub target: ObjectUri,
    /// The reason.
    pub code: LeftOutCode,
    /// The reason, for the user.
    pub detail: String,
}

/// One job of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PlannedJobReport {
    /// Its number in the plan, from 1.
    pub number: u64,
    /// The algorithm.
    pub algorithm: String,
    /// `full_object` or `composite`.
    pub checksum_type: ChecksumScope,
    /// Whether the manifest names versions.
    pub versions: bool,
    /// Number of objects.
    pub objects: u64,
    /// Sum of their sizes.
    pub object_bytes: u64,
    /// Number of objects without a reference, whose answers will be baselines.
    pub baselines: u64,
    /// SHA-256 of the manifest in hexadecimal.
    pub manifest_sha256: String,
}

impl PlannedJobReport {
    /// The job with this number.
    pub fn new(number: u64, job: &PlannedJob) -> Self {
        PlannedJobReport {
            number,
            algorithm: job.algorithm.to_string(),
            checksum_type: job.scope,
            versions: job.versions,
            objects: job.objects.len() as u64,
            object_bytes: job.bytes(),
            baselines: job.objects.iter().filter(|object| object.reference.is_none()).count() as u64,
            manifest_sha256: job.manifest_sha256.clone(),
        }
    }

    /// All jobs of a plan.
    pub fn all(plan: &BatchPlan) -> Vec<Self> {
        plan.jobs.iter().zip(1..).map(|(job, number)| PlannedJobReport::new(number, job)).collect()
    }
}

/// A plan, as `batch plan` wrote it or `batch submit` is about to carry it out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct BatchPlanReport {
    /// The file of the plan.
    pub plan: String,
    /// 32 hexadecimal digits that stand for the plan.
    pub plan_id: String,
    /// Region in which the jobs run.
    pub region: String,
    /// Number of objects.
    pub objects: u64,
    /// Sum of their sizes.
    pub object_bytes: u64,
    /// The jobs.
    pub jobs: Vec<PlannedJobReport>,
    /// Objects that have a valid proof.
    pub still_good: u64,
    /// Objects that the plan leaves out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<LeftOutReport>,
    /// Prefixes that could not be listed, with the error, and those without any stored AMI object.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<String>,
    /// What the jobs cost by list prices. An amount that is not known has a reason.
    pub costs: Vec<CostLineReport>,
    /// Region of the prices.
    pub price_region: String,
    /// Requests of all kinds.
    pub requests: u64,
    /// Exit code of the command: 3 if objects could not be described or listed, or a prefix has none.
    pub exit_code: Exit,
    /// What comes next. Not in JSON.
    #[serde(skip)]
    pub steps: Vec<BatchStep>,
}

/// What comes next, after a plan or for a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BatchStep {
    /// Remove the problems that the report names, and plan again.
    PlanAgain,
    /// Create the jobs of a plan.
    Submit {
        /// The file of the plan.
        plan: String,
    },
    /// Create the job at another place: at this one, the same command finds the job that is over.
    SubmitElsewhere,
    /// Wait until the job is over.
    Follow {
        /// Its id.
        job: String,
    },
    /// Hold the completion report of a job that is over against its plan, and record what it shows.
    Reconcile {
        /// The id of the job.
        job: String,
    },
}

/// A job of S3 Batch Operations.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BatchJobReport {
    /// Id of the job.
    pub job_id: String,
    /// Its number in the plan, if it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<u64>,
    /// The state in S3's spelling; `unknown` if S3 created the job and did not describe it.
    pub state: String,
    /// Whether this run asked S3 to create it. A repeated request has the id of the first one.
    pub submitted: bool,
    /// Number of objects, if S3 states it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tasks: Option<u64>,
    /// Number of objects of which a checksum was computed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub succeeded: Option<u64>,
    /// Number of objects that failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed: Option<u64>,
    /// Why the job failed or is suspended, as S3 states it, or why its state is not known.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reasons: Vec<String>,
    /// The manifest that S3 reads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub manifest: Option<String>,
    /// Where S3 writes the completion report.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub report: Option<String>,
    /// Exit code: 0 for a job that is completed, or was submitted and has not ended otherwise; 1 for one that failed or was
    /// cancelled; 3 for one that is in progress, or whose state is not known.
    pub exit_code: Exit,
    /// What comes next. Not in JSON.
    #[serde(skip)]
    pub steps: Vec<BatchStep>,
}

impl BatchJobReport {
    /// A job of which nothing but the id is known.
    pub fn of(job_id: String) -> Self {
        BatchJobReport {
            job_id,
            number: None,
            state: "unknown".to_owned(),
            submitted: false,
            tasks: None,
            succeeded: None,
            failed: None,
            reasons: Vec::new(),
            manifest: None,
            report: None,
            exit_code: Exit::Unknown,
            steps: Vec::new(),
        }
    }
}

words! {
    /// What the results of `batch reconcile` rest on.
    pub enum BatchBasis {
        /// S3 states that the job of the plan is complete, and the report is from the place that the plan chose.
        Job = "job",
        /// Files in a folder. Anyone could have written them.
        Report = "report",
    }
}

/// What a completion report shows of one object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BatchObjectReport {
    /// The object as `s3://bucket/key`, with its version if it is known.
    pub target: String,
    /// `pass` if S3 states the value of the reference, `fail` if it states another. From a folder always `unknown`. With
    /// damage in the ledger it is `fail`, and with a doubt not `pass`.
    pub verdict: Verdict,
    /// What the report shows.
    pub outcome: BatchOutcome,
    /// What the outcome rests on.
    pub basis: BatchBasis,
    /// The algorithm.
    pub algorithm: String,
    /// `full_object` or `composite`.
    pub checksum_type: ChecksumScope,
    /// The value that was known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// Where it is from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference_from: Option<ReferenceOrigin>,
    /// The check that it answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub check: Option<Word<CheckId>>,
    /// The value that S3 states, in base64.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// HTTP status of a failed row.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub http_status: Option<u16>,
    /// Error code of a failed row.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_code: Option<String>,
    /// Details, for the user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// What the ledger has against the bytes of the planned state. A statement of S3 does not end it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trouble: Option<TroubleReport>,
    /// Exit code for this object alone.
    pub exit_code: Exit,
}

impl BatchObjectReport {
    /// The same beside what the ledger has against the planned state.
    #[must_use]
    pub fn with_trouble(self, trouble: Option<TroubleReport>) -> Self {
        let Some(trouble) = trouble else { return self };
        let verdict = match (self.verdict, trouble.verdict) {
            (Verdict::Fail, _) | (_, Verdict::Fail) => Verdict::Fail,
            _ => Verdict::Unknown,
        };
        BatchObjectReport { verdict, exit_code: verdict.into(), trouble: Some(trouble), ..self }
    }

    /// The result for a planned object.
    pub fn planned(job: &PlannedJob, object: &PlannedObject, judged: &Judged, basis: BatchBasis) -> Self {
        let (http_status, error_code) = match judged {
            Judged::Failed { status, code, .. } => (*status, code.clone()),
            _ => (None, None),
        };
        let detail = match judged {
            Judged::Failed { message, .. } => Some(message.clone()).filter(|message| !message.is_empty()),
            Judged::Replaced(found) => Some(format!("its ETag is {found} now")),
            Judged::Unclear(why) => Some(why.to_string()),
            _ => None,
        };
        let reference = object.reference.as_ref();
        BatchObjectReport {
            reference: reference.map(|reference| reference.value.clone()),
            reference_from: reference.map(|reference| reference.origin),
            check: reference.map(|reference| reference.check.clone()),
            value: judged.value().map(|value| value.base64()),
            http_status,
            error_code,
            detail,
            ..Self::new(object.target.to_string(), judged.outcome(), basis, (job.algorithm, job.scope))
        }
    }

    /// A row that was not asked for.
    pub fn not_requested(job: &PlannedJob, row: &ReportRow, basis: BatchBasis) -> Self {
        let version = row.version.as_ref().map(|version| format!("?versionId={version}")).unwrap_or_default();
        let target = format!("s3://{}/{}{version}", row.bucket, row.key);
        let value = match &row.outcome {
            RowOutcome::Succeeded(computed) => computed.digest(job.algorithm).map(|(value, _)| value.base64()),
            _ => None,
        };
        BatchObjectReport { value, ..Self::new(target, BatchOutcome::NotRequested, basis, (job.algorithm, job.scope)) }
    }

    fn new(
        target: String,
        outcome: BatchOutcome,
        basis: BatchBasis,
        (algorithm, scope): (Algorithm, ChecksumScope),
    ) -> Self {
        let verdict = match basis {
            BatchBasis::Job => outcome.verdict(),
            BatchBasis::Report => Verdict::Unknown,
        };
        BatchObjectReport {
            target,
            verdict,
            outcome,
            basis,
            algorithm: algorithm.to_string(),
            checksum_type: scope,
            reference: None,
            reference_from: None,
            check: None,
            value: None,
            http_status: None,
            error_code: None,
            detail: None,
            trouble: None,
            exit_code: verdict.into(),
        }
    }
}

/// The numbers of objects by outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct BatchCounts {
    /// S3 states the value of the reference.
    pub stated: u64,
    /// S3 states another value.
    pub differs: u64,
    /// The object was replaced.
    pub replaced: u64,
    /// There was no reference.
    pub baseline: u64,
    /// S3 could not compute the checksum.
    pub failed: u64,
    /// The report does not contain the object.
    pub missing: u64,
    /// The row does not decide it.
    pub unclear: u64,
    /// The object was not asked for.
    pub not_requested: u64,
}

impl BatchCounts {
    /// Adds an object.
    pub fn add(&mut self, outcome: BatchOutcome) {
        *match outcome {
            BatchOutcome::Stated => &mut self.stated,
            BatchOutcome::Differs => &mut self.differs,
            BatchOutcome::Replaced => &mut self.replaced,
            BatchOutcome::Baseline => &mut self.baseline,
            BatchOutcome::Failed => &mut self.failed,
            BatchOutcome::Missing => &mut self.missing,
            BatchOutcome::Unclear => &mut self.unclear,
            BatchOutcome::NotRequested => &mut self.not_requested,
        } += 1;
    }

    /// The number of objects with an outcome.
    pub fn of(&self, outcome: BatchOutcome) -> u64 {
        match outcome {
            BatchOutcome::Stated => self.stated,
            BatchOutcome::Differs => self.differs,
            BatchOutcome::Replaced => self.replaced,
            BatchOutcome::Baseline => self.baseline,
            BatchOutcome::Failed => self.failed,
            BatchOutcome::Missing => self.missing,
            BatchOutcome::Unclear => self.unclear,
            BatchOutcome::NotRequested => self.not_requested,
        }
    }
}

/// Result of `batch reconcile` as a whole.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct BatchReport {
    /// The job or the folder.
    pub from: String,
    /// 32 hexadecimal digits that stand for the plan.
    pub plan_id: String,
    /// The number of the job in the plan.
    pub number: u64,
    /// Number of jobs of the plan. The result is of one of them.
    #[serde(default)]
    pub jobs: u64,
    /// What the results rest on.
    pub basis: BatchBasis,
    /// Number of objects that were asked for.
    pub objects: u64,
    /// Objects by outcome.
    pub counts: BatchCounts,
    /// What is wrong with the report: a file that is missing, torn or altered, or a line that cannot be read.
    pub problems: Vec<String>,
    /// Number of objects that have a value of S3, and damage or doubt in the ledger.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub troubled: u64,
    /// Number of entries that were added to the ledger.
    pub recorded: u64,
    /// Results that were not added, because the ledger has a later entry that contradicts them; with the reason.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not_recorded: Vec<String>,
    /// Head of the ledger.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ledger_head: Option<String>,
    /// Requests of all kinds.
    pub requests: u64,
    /// Exit code of the command. From a folder it is 3 at best.
    pub exit_code: Exit,
}
