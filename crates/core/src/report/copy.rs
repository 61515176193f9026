use std::collections::BTreeMap;

use jiff::SignedDuration;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{CostLineReport, Exit, IdentityReport, LeftReport, Note, StatsReport};
use crate::copy::{CopyCheck, CopyFinding, CopyTime, RateBasis};
use crate::ident::shell_option;
use crate::price::{CopyPrices, CostLine};
use crate::text::words;
use crate::verdict::{CheckId, ProofKind, Verdict};

words! {
    /// What became of a copy.
    pub enum CopyOutcome {
        /// Nothing was written; this is what a copy would do.
        Planned = "planned",
        /// The copy was written.
        Copied = "copied",
        /// The same object is there already; nothing was written.
        AlreadyThere = "already_there",
        /// Another object is there; nothing was written.
        Occupied = "occupied",
        /// A condition is not met; nothing was written.
        Refused = "refused",
        /// No object was made: the source was not proved, or the transfer failed.
        NotMade = "not_made",
        /// The server may have made the object, and does not say.
        NotKnown = "not_known",
    }
}

/// Result of `copy`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CopyReport {
    /// The source, as a URI or a path.
    pub source: String,
    /// The destination, as a URI or a path.
    pub destination: String,
    /// The absolute path of the destination, if it is a local file. Absent in lines of earlier versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub destination_file: Option<String>,
    /// What became of the copy.
    pub outcome: CopyOutcome,
    /// `pass`, `fail` or `unknown`, over all findings.
    pub verdict: Verdict,
    /// The identity and the place at the source.
    pub from: EndReport,
    /// The identity and the place at the destination.
    pub to: EndReport,
    /// The state of the source that was copied.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_identity: Option<IdentityReport>,
    /// The state of the object at the destination.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub destination_identity: Option<IdentityReport>,
    /// Names of the references that the bytes of the source matched.
    pub proved_by: Vec<CheckId>,
    /// Number of parts of the copy; absent if it is written in one request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parts: Option<u64>,
    /// The checksum that is stored with the copy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checksum: Option<String>,
    /// Storage class that was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub storage_class: Option<String>,
    /// Headers that go with the copy, such as `Content-Type`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    /// User metadata that goes with the copy.
    pub metadata: BTreeMap<String, String>,
    /// Tags that go with the copy.
    pub tags: BTreeMap<String, String>,
    /// Object Lock that was asked for, as text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object_lock: Option<String>,
    /// Time and costs; absent if nothing would be written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub estimate: Option<CopyEstimateReport>,
    /// The value of the metadata `stored-ami-copy`, which marks the object as that of this run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub copy_id: Option<String>,
    /// One finding per check.
    pub findings: Vec<CopyFindingReport>,
    /// Required checks whose `unknown` was accepted. This changes the exit code, not the verdict.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub accepted: Vec<CopyCheck>,
    /// What the ledger got.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub recorded: Vec<RecordedReport>,
    /// `ENTRIES:SHA256` of the ledger after that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ledger_head: Option<String>,
    /// Uploads that could not be removed or were kept, with the commands that remove them.
    pub left_behind: Vec<LeftReport>,
    /// The server copied the bytes itself; nothing else read them, unless `read-back` passed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub by_server: bool,
    /// Bytes of parts that were sent, including repeated ones.
    pub sent_bytes: u64,
    /// Requests, bytes read and time.
    pub stats: StatsReport,
    /// Remarks.
    pub notes: Vec<Note>,
    /// Exit code of the command.
    pub exit_code: Exit,
    /// Whether the copy is made next, so that this report is not the last one. Not in JSON.
    #[serde(skip)]
    pub goes_on: bool,
    /// Whether the source is in an archive, so that it cannot be read. Not in JSON.
    #[serde(skip)]
    pub is_source_archived: bool,
    /// The end whose credentials lack a permission, so that the same command will fail again. Not in JSON.
    #[serde(skip)]
    pub denied_at: Option<CopyEnd>,
    /// Whether the upload is kept, so that the same command goes on with it. Not in JSON.
    #[serde(skip)]
    pub is_upload_kept: bool,
    /// Whether an upload would be kept, because there is a file for its state. Not in JSON.
    #[serde(skip)]
    pub has_state_file: bool,
}

/// An end of a copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CopyEnd {
    /// Where the bytes are read.
    Source,
    /// Where they are written.
    Destination,
}

/// Estimated time and costs of a copy.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CopyEstimateReport {
    /// Seconds at that rate.
    pub seconds: u64,
    /// Bytes per second.
    pub bytes_per_second: u64,
    /// Where the rate comes from.
    pub rate_basis: RateBasis,
    /// Region of the prices; with `--prices`, that of the source.
    pub price_region: String,
    /// Region of the prices at the destination, if it is another one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub destination_price_region: Option<String>,
    /// Name of the price table.
    pub prices: String,
    /// One estimate per line: `read` and `copy_out` at the source, `write`, `keep` (for a month) and, with
    /// `--verify-destination`, `read_back` at the destination.
    pub lines: Vec<CostLineReport>,
}

/// An entry that a copy added to a ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RecordedReport {
    /// The object as `s3://bucket/key`.
    pub target: String,
    /// `read` or `written`; absent if the entry proves nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proof_kind: Option<ProofKind>,
}

/// One end of a copy.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct EndReport {
    /// Profile that was named for this end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
    /// Region that the requests are signed for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// Account of the caller; absent if it is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// Partition of the caller; absent if it is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partition: Option<String>,
    /// ARN of the caller; absent if it is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arn: Option<String>,
    /// Why the caller is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unknown_because: Option<String>,
    /// Account that the bucket must belong to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected_bucket_owner: Option<String>,
    /// The options that reach this end, for commands that are printed. Not in JSON.
    #[serde(skip)]
    pub options: Vec<EndOption>,
}

/// An option that reaches one end, as it was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndOption {
    /// Name without dashes and without the prefix of the end, such as `profile`.
    pub name: &'static str,
    /// Value; `None` for an option without one.
    pub value: Option<String>,
    /// Whether the AWS CLI has this option, too.
    pub is_of_aws: bool,
}

impl EndOption {
    /// The option for a POSIX shell, with this prefix before its name.
    fn with(&self, prefix: &str) -> String {
        let name = format!("--{prefix}{}", self.name);
        self.value.as_ref().map_or_else(|| name.clone(), |value| shell_option(&name, value))
    }
}

/// The result of one check of a copy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CopyFindingReport {
    /// Name of the check.
    pub check: CopyCheck,
    /// Whether the copy may not count as proved without it.
    pub required: bool,
    /// `pass`, `fail` or `unknown`.
    pub verdict: Verdict,
    /// What was found.
    pub detail: String,
    /// What the result was taken from, such as an API call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// Nothing was checked, because only a write can show it. The verdict is `unknown`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub not_tested: bool,
}

impl From<&CopyFinding> for CopyFindingReport {
    fn from(finding: &CopyFinding) -> Self {
        CopyFindingReport {
            check: finding.check,
            required: finding.required,
            verdict: finding.verdict,
            detail: finding.text.clone(),
            source: finding.source.map(str::to_owned),
            not_tested: !finding.tested,
        }
    }
}

impl CopyEstimateReport {
    /// The estimate of a transfer that takes `time`, with cost lines by `prices`.
    pub fn new(time: CopyTime, lines: &[CostLine], prices: &CopyPrices) -> Self {
        CopyEstimateReport {
            seconds: u64::try_from(time.duration.as_secs()).unwrap_or_default(),
            bytes_per_second: time.bytes_per_second,
            rate_basis: time.basis,
            price_region: prices.from.region.clone(),
            destination_price_region: Some(prices.to.region.clone()).filter(|region| *region != prices.from.region),
            prices: prices.to.name.clone(),
            lines: lines.iter().map(CostLineReport::from).collect(),
        }
    }

    /// The estimated time.
    pub fn time(&self) -> CopyTime {
        CopyTime {
            duration: SignedDuration::from_secs(i64::try_from(self.seconds).unwrap_or(i64::MAX)),
            bytes_per_second: self.bytes_per_second,
            basis: self.rate_basis,
        }
    }
}

/// Options for a command of this program that names them with a prefix. Each is preceded by a space.
pub fn arguments(options: &[EndOption], prefix: &str) -> String {
    options.iter().map(|option| format!(" {}", option.with(prefix))).collect()
}

/// Options for a command of the AWS CLI. Each is preceded by a space.
pub fn aws_arguments(options: &[EndOption]) -> String {
    options.iter().filter(|option| option.is_of_aws).map(|option| format!(" {}", option.with(""))).collect()
}

impl EndReport {
    /// The options for a command of this program that names them with a prefix: `to-`, `from-`, or none. Each is
    /// preceded by a space.
    pub fn arguments(&self, prefix: &str) -> String {
        arguments(&self.options, prefix)
    }

    /// The options for a command of the AWS CLI, and the Region and the `endpoint` that the requests used. Each is
    /// preceded by a space.
    pub fn aws_arguments(&self, endpoint: Option<&str>) -> String {
        let used = [("region", self.region.as_deref()), ("endpoint-url", endpoint)];
        let used = used.into_iter().filter_map(|(name, value)| Some((name, value?)));
        let is_used = |option: &&EndOption| option.is_of_aws && !matches!(option.name, "region" | "endpoint-url");
        let given = self.options.iter().filter(is_used).map(|option| option.with(""));
        let used = used.map(|(name, value)| shell_option(&format!("--{name}"), value));
        given.chain(used).map(|option| format!(" {option}")).collect()
    }
}

impl CopyReport {
    /// A planned copy of `source` to `destination`, without findings. `from` and `to` are their ends.
    pub fn planned(source: String, destination: String, from: EndReport, to: EndReport) -> Self {
        CopyReport {
            source,
            destination,
            destination_file: None,
            outcome: CopyOutcome::Planned,
            verdict: Verdict::Unknown,
            from,
            to,
            source_identity: None,
            destination_identity: None,
            proved_by: Vec::new(),
            parts: None,
            checksum: None,
            storage_class: None,
            headers: BTreeMap::new(),
            metadata: BTreeMap::new(),
            tags: BTreeMap::new(),
            object_lock: None,
            estimate: None,
            copy_id: None,
            findings: Vec::new(),
            accepted: Vec::new(),
            recorded: Vec::new(),
            ledger_head: None,
            left_behind: Vec::new(),
            by_server: false,
            sent_bytes: 0,
            stats: StatsReport::default(),
            notes: Vec::new(),
            exit_code: Exit::Unknown,
            goes_on: false,
            is_source_archived: false,
            denied_at: None,
            is_upload_kept: false,
            has_state_file: false,
        }
    }

    /// Adds findings, and recomputes verdict and exit code. `accept` names the checks that may be unknown.
    pub fn add(&mut self, findings: &[CopyFinding], accept: &[CopyCheck]) {
        self.findings.extend(findings.iter().map(CopyFindingReport::from));
        let any = |verdict| self.findings.iter().any(|finding| finding.required && finding.verdict == verdict);
        self.verdict = if any(Verdict::Fail) {
            Verdict::Fail
        } else if any(Verdict::Unknown) || self.findings.is_empty() {
            Verdict::Unknown
        } else {
            Verdict::Pass
        };
        let open = |finding: &&CopyFindingReport| finding.required && finding.verdict == Verdict::Unknown;
        let open: Vec<CopyCheck> = self.findings.iter().filter(open).map(|finding| finding.check).collect();
        self.accepted = open.iter().copied().filter(|check| accept.contains(check)).collect();
        self.exit_code = match self.verdict {
            Verdict::Unknown if !open.is_empty() && open.len() == self.accepted.len() => Exit::Passed,
            verdict => Exit::from(verdict),
        };
    }

    /// The report at the end of a run. An accepted check lets a copy be made, and is no success where none is.
    #[must_use]
    pub fn ended(mut self) -> Self {
        use CopyOutcome::{AlreadyThere, Copied, NotKnown, NotMade, Occupied, Planned, Refused};
        match self.outcome {
            Planned | Copied | AlreadyThere => {}
            Occupied | Refused | NotMade | NotKnown if self.exit_code == Exit::Passed => {
                self.accepted.clear();
                self.exit_code = Exit::Unknown;
            }
            Occupied | Refused | NotMade | NotKnown => {}
        }
        self
    }
}
