//! Jobs of S3 Batch Operations, as S3 Control keeps them.

mod document;

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::options::TaskPace;
use document::{element, repeated};

pub(crate) use document::{ControlError, CreateJob, created};

/// All jobs of the lab.
#[derive(Debug, Default)]
pub(crate) struct Jobs {
    all: BTreeMap<String, Job>,
    /// Reasons for which the next jobs are to fail.
    pub fail: Vec<String>,
}

#[derive(Debug, Clone)]
pub(crate) struct Job {
    pub request: CreateJob,
    pub state: State,
    pub created: Timestamp,
    ended: Option<Timestamp>,
    looks: u32,
    pub fails: Option<String>,
    pub succeeded: u64,
    pub failed: u64,
}

/// States that a job of the lab has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum State {
    New,
    Preparing,
    Active,
    Complete,
    Cancelled,
    Failed(String),
}

impl State {
    fn name(&self) -> &'static str {
        match self {
            State::New => "New",
            State::Preparing => "Preparing",
            State::Active => "Active",
            State::Complete => "Complete",
            State::Cancelled => "Cancelled",
            State::Failed(_) => "Failed",
        }
    }

    fn is_over(&self) -> bool {
        matches!(self, State::Complete | State::Cancelled | State::Failed(_))
    }
}

impl Jobs {
    /// Creates a job, or finds the one that was created with the same token.
    pub(crate) fn create(&mut self, id: String, request: CreateJob) -> Result<String, ControlError> {
        let same = |job: &&(&String, &Job)| job.1.request.client_request_token == request.client_request_token;
        let all: Vec<(&String, &Job)> = self.all.iter().collect();
        if let Some((known, job)) = all.iter().find(same) {
            return match job.request == request {
                true => Ok((*known).clone()),
                false => Err(ControlError::new("IdempotencyException", "The token was used for another request.")),
            };
        }
        let wrong = |message: &str| Err(ControlError::new("BadRequestException", message));
        if request.role_arn.is_empty() || request.client_request_token.len() > 64 {
            return wrong("A field of the request is invalid.");
        }
        if request.manifest.spec.format != "S3BatchOperations_CSV_20180820" {
            return wrong("The format of the manifest is not supported.");
        }
        if request.operation.computes.checksum_algorithm == "CRC64NVME"
            && request.operation.computes.checksum_type != "FULL_OBJECT"
        {
            return wrong("CRC64NVME supports full object checksums only.");
        }
        let fails = if self.fail.is_empty() { None } else { Some(self.fail.remove(0)) };
        let job = Job {
            request,
            state: State::New,
            created: Timestamp::now(),
            ended: None,
            looks: 0,
            fails,
            succeeded: 0,
            failed: 0,
        };
        self.all.insert(id.clone(), job);
        Ok(id)
    }

    /// Counts a look at a job, and returns it once its work is to be done.
    pub(crate) fn look(&mut self, id: &str, pace: TaskPace) -> Option<Job> {
        let job = self.all.get_mut(id).filter(|job| !job.state.is_over())?;
        job.looks += 1;
        let fraction = match pace {
            TaskPace::Polls(0) => 1.0,
            TaskPace::Polls(polls) => f64::from(job.looks) / f64::from(polls),
            TaskPace::Time(time) => {
                let passed = Timestamp::now().duration_since(job.created).as_secs_f64();
                if time.is_zero() { 1.0 } else { passed / time.as_secs_f64() }
            }
        };
        job.state = if fraction < 0.3 { State::Preparing } else { State::Active };
        (fraction >= 1.0).then(|| job.clone())
    }

    /// Ends a job.
    pub(crate) fn end(&mut self, id: &str, state: State, (succeeded, failed): (u64, u64)) {
        if let Some(job) = self.all.get_mut(id) {
            (job.state, job.succeeded, job.failed, job.ended) = (state, succeeded, failed, Some(Timestamp::now()));
        }
    }

    pub(crate) fn describe(&self, id: &str) -> Result<String, ControlError> {
        let job = self.all.get(id).ok_or_else(not_found)?;
        let failure = match &job.state {
            State::Failed(reason) => {
                let (code, reason) = reason.split_once(": ").unwrap_or(("InternalError", reason));
                let inside = element("FailureCode", code) + &element("FailureReason", reason);
                format!("<FailureReasons><member>{inside}</member></FailureReasons>")
            }
            _ => String::new(),
        };
        let summary = [
            element("TotalNumberOfTasks", &(job.succeeded + job.failed).to_string()),
            element("NumberOfTasksSucceeded", &job.succeeded.to_string()),
            element("NumberOfTasksFailed", &job.failed.to_string()),
        ];
        let ended = job.ended.map(|ended| element("TerminationDate", &ended.to_string())).unwrap_or_default();
        let inside = [
            element("JobId", id),
            element("ConfirmationRequired", "false"),
            element("Status", job.state.name()),
            repeated(&job.request),
            format!("<ProgressSummary>{}</ProgressSummary>", summary.concat()),
            failure,
            element("CreationTime", &job.created.to_string()),
            ended,
        ];
        let head = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";
        Ok(format!("{head}<DescribeJobResult><Job>{}</Job></DescribeJobResult>", inside.concat()))
    }

    pub(crate) fn list(&self) -> String {
        let jobs = self.all.iter().map(|(id, job)| {
            let inside = [
                element("JobId", id),
                element("Description", &job.request.description),
                element("Operation", "S3ComputeObjectChecksum"),
                element("Priority", &job.request.priority.to_string()),
                element("Status", job.state.name()),
                element("CreationTime", &job.created.to_string()),
            ];
            format!("<member>{}</member>", inside.concat())
        });
        let head = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";
        format!("{head}<ListJobsResult><Jobs>{}</Jobs></ListJobsResult>", jobs.collect::<String>())
    }

    pub(crate) fn update(&mut self, id: &str, wanted: &str) -> Result<String, ControlError> {
        let job = self.all.get_mut(id).ok_or_else(not_found)?;
        match wanted {
            "Cancelled" if !job.state.is_over() => job.state = State::Cancelled,
            "Ready" if !job.state.is_over() => {}
            _ => return Err(ControlError::new("JobStatusException", "The job cannot change to that state.")),
        }
        let inside = element("JobId", id) + &element("Status", job.state.name());
        Ok(format!("<UpdateJobStatusResult>{inside}</UpdateJobStatusResult>"))
    }
}

fn not_found() -> ControlError {
    ControlError::new("NotFoundException", "The job does not exist.").with_status(404)
}
