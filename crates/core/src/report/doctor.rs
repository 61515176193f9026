use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Exit;
use crate::checksum::Algorithm;
use crate::text::words;
use crate::verdict::Verdict;

words! {
    /// What `doctor` checks.
    pub enum DoctorCheck {
        /// The AWS settings can be read, and do not contradict each other. Listed only if they cannot be used.
        Settings = "settings",
        /// The servers accept the credentials, and they have not expired.
        Credentials = "credentials",
        /// The Region is that of the bucket.
        Region = "region",
        /// A server answers.
        Endpoint = "endpoint",
        /// The clock of this machine agrees with that of the server.
        Clock = "clock",
        /// The bucket exists and can be seen.
        Bucket = "bucket",
        /// The bucket can be listed.
        List = "list",
        /// An object can be described and read.
        Read = "read",
        /// Objects can be written. Never tested.
        Write = "write",
        /// There is enough memory for the default limit.
        Memory = "memory",
        /// Processors, and how fast they hash.
        Hashing = "hashing",
        /// Enough connections can be open. Listed only if they cannot.
        OpenFiles = "open-files",
    }
}

/// Result of `doctor`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DoctorReport {
    /// The bucket and prefix, as `s3://bucket/prefix`; absent if none was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// One finding per check.
    pub findings: Vec<DoctorFindingReport>,
    /// Account of the credentials.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// ARN of the credentials.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arn: Option<String>,
    /// Where the credentials come from, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credentials_source: Option<String>,
    /// When the credentials expire, RFC 3339; absent if that is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credentials_expire: Option<String>,
    /// Region that requests are signed for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// The option, variable or key of a profile that sets the Region.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region_source: Option<String>,
    /// Region of the bucket, as the server states it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bucket_region: Option<String>,
    /// URL of the endpoint, if a setting names one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<String>,
    /// The option, variable or key of a profile that sets the endpoint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoint_source: Option<String>,
    /// Seconds by which the clock of this machine is ahead of the server's; negative if it is behind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clock_ahead_seconds: Option<i64>,
    /// Memory that this process may still use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub available_memory_bytes: Option<u64>,
    /// Processors that this process may use.
    pub cores: u64,
    /// Hashing speed of one processor.
    pub hash_rates: Vec<DoctorRateReport>,
    /// Limit of open files.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub open_files_limit: Option<u64>,
    /// Requests of all kinds.
    pub requests: u64,
    /// Exit code of the command.
    pub exit_code: Exit,
}

/// The result of one check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DoctorFindingReport {
    /// Name of the check.
    pub check: DoctorCheck,
    /// Whether the exit code depends on it.
    pub required: bool,
    /// `pass`, `fail` or `unknown`.
    pub verdict: Verdict,
    /// It cannot be tested without writing.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub not_tested: bool,
    /// What was found.
    pub detail: String,
    /// What the user can do about it. The text is for people and may be reworded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub advice: Option<String>,
}

/// How fast one processor computes an algorithm.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DoctorRateReport {
    /// Name of the algorithm.
    pub algorithm: Algorithm,
    /// Bytes per second.
    pub bytes_per_second_and_core: f64,
}

impl DoctorFindingReport {
    /// A check that passed.
    pub fn pass(check: DoctorCheck, detail: impl Into<String>) -> Self {
        let detail = detail.into();
        DoctorFindingReport { check, required: true, verdict: Verdict::Pass, not_tested: false, detail, advice: None }
    }

    /// A check that failed.
    pub fn fail(check: DoctorCheck, detail: impl Into<String>) -> Self {
        DoctorFindingReport { verdict: Verdict::Fail, ..DoctorFindingReport::pass(check, detail) }
    }

    /// A check without a result.
    pub fn open(check: DoctorCheck, detail: impl Into<String>) -> Self {
        DoctorFindingReport { verdict: Verdict::Unknown, ..DoctorFindingReport::pass(check, detail) }
    }

    /// What only a write would show. The exit code does not depend on it.
    pub fn not_tested(check: DoctorCheck, detail: impl Into<String>) -> Self {
        let open = DoctorFindingReport::open(check, detail);
        DoctorFindingReport { required: false, not_tested: true, ..open }
    }

    /// The same with what the user can do.
    #[must_use]
    pub fn advise(self, advice: impl Into<String>) -> Self {
        DoctorFindingReport { advice: Some(advice.into()), ..self }
    }
}

impl DoctorReport {
    /// `fail` if a check failed, `unknown` if a required one is unknown.
    pub fn verdict(&self) -> Verdict {
        let any = |verdict| self.findings.iter().any(|finding| finding.required && finding.verdict == verdict);
        match (any(Verdict::Fail), any(Verdict::Unknown)) {
            (true, _) => Verdict::Fail,
            (false, true) => Verdict::Unknown,
            (false, false) => Verdict::Pass,
        }
    }
}
