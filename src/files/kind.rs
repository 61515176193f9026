use std::fs::File;
use std::io::{self, BufReader, Read};

use serde::Deserialize;

use super::Rights;
use crate::report::FileKind;

/// Kind of an output file. Decides who may read it, and which existing file it may replace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutputKind {
    /// Manifest with reference values.
    Manifest,
    /// What `store` recorded about a source AMI.
    Record,
    /// Content of an AMI: digests over its volumes.
    Fingerprint,
    /// Digests of the blocks of an AMI.
    BlockDigests,
    /// State of an unfinished read.
    Checkpoint,
    /// Results of audits, a SQLite database.
    Ledger,
    /// What S3 Batch Operations is asked to compute.
    BatchPlan,
    /// Tuning profile of `bench`.
    Tuning,
    /// HTML report.
    Page,
    /// CSV table of an audit.
    Table,
    /// JUnit report of an audit or a drill.
    JUnit,
    /// Prometheus metrics of an audit.
    Prometheus,
    /// Redacted facts of `inspect`.
    Facts,
    /// SVG plot of `bench`.
    Plot,
    /// Manual page.
    Manual,
    /// Log of messages, which is appended to.
    Log,
}

impl OutputKind {
    /// All kinds.
    pub const ALL: [OutputKind; 16] = [
        OutputKind::Manifest,
        OutputKind::Record,
        OutputKind::Fingerprint,
        OutputKind::BlockDigests,
        OutputKind::Checkpoint,
        OutputKind::Ledger,
        OutputKind::BatchPlan,
        OutputKind::Tuning,
        OutputKind::Page,
        OutputKind::Table,
        OutputKind::JUnit,
        OutputKind::Prometheus,
        OutputKind::Facts,
        OutputKind::Plot,
        OutputKind::Manual,
        OutputKind::Log,
    ];

    /// Name of the kind with its article, for messages.
    pub fn name(self) -> &'static str {
        match self {
            OutputKind::Manifest => "a manifest",
            OutputKind::Record => "a record",
            OutputKind::Fingerprint => "a fingerprint",
            OutputKind::BlockDigests => "a file with digests of blocks",
            OutputKind::Checkpoint => "a checkpoint",
            OutputKind::Ledger => "a ledger",
            OutputKind::BatchPlan => "a plan of batch jobs",
            OutputKind::Tuning => "a tuning profile",
            OutputKind::Page => "a report page",
            OutputKind::Table => "a CSV table of an audit",
            OutputKind::JUnit => "a JUnit report",
            OutputKind::Prometheus => "a file of Prometheus metrics",
            OutputKind::Facts => "a file of redacted facts",
            OutputKind::Plot => "a plot",
            OutputKind::Manual => "a manual page",
            OutputKind::Log => "a log",
        }
    }

    /// The kind in reports.
    pub fn in_reports(self) -> FileKind {
        match self {
            OutputKind::Manifest => FileKind::Manifest,
            OutputKind::Record => FileKind::Record,
            OutputKind::Fingerprint => FileKind::Fingerprint,
            OutputKind::BlockDigests => FileKind::BlockDigests,
            OutputKind::Checkpoint => FileKind::Checkpoint,
            OutputKind::Ledger => FileKind::Ledger,
            OutputKind::BatchPlan => FileKind::BatchPlan,
            OutputKind::Tuning => FileKind::Tuning,
            OutputKind::Page => FileKind::Page,
            OutputKind::Table => FileKind::Csv,
            OutputKind::JUnit => FileKind::Junit,
            OutputKind::Prometheus => FileKind::Prometheus,
            OutputKind::Facts => FileKind::Facts,
            OutputKind::Plot => FileKind::Plot,
            OutputKind::Manual => FileKind::Manual,
            OutputKind::Log => FileKind::Log,
        }
    }

    /// State that later runs rely on is readable by its owner only; files meant for others are not restricted.
    pub fn rights(self) -> Rights {
        match self {
            OutputKind::Manifest
            | OutputKind::Record
            | OutputKind::Fingerprint
            | OutputKind::BlockDigests
            | OutputKind::Checkpoint
            | OutputKind::Ledger
            | OutputKind::BatchPlan
            | OutputKind::Log => Rights::Private,
            _ => Rights::Shared,
        }
    }

    /// Whether it must be a regular file: state that is read back cannot be kept in a pipe or a device, and a log must
    /// not wait for a reader.
    pub(super) fn needs_regular_file(self) -> bool {
        matches!(self, OutputKind::BlockDigests | OutputKind::Checkpoint | OutputKind::Ledger | OutputKind::Log)
    }

    fn marker(self) -> Marker {
        match self {
            OutputKind::Manifest => Marker::Schema("stored-ami/manifest/"),
            OutputKind::Record => Marker::Schema("stored-ami/record/"),
            OutputKind::Fingerprint => Marker::Schema("stored-ami/fingerprint/"),
            OutputKind::BatchPlan => Marker::Schema("stored-ami/batch-plan/"),
            OutputKind::Tuning => Marker::Schema("stored-ami-tuning/"),
            OutputKind::Facts => Marker::Schema("stored-ami/facts/"),
            OutputKind::Page => Marker::Head("<h1>stored-ami ", "<!DOCTYPE html>"),
            OutputKind::Table => Marker::Head("target,verdict,exit_code,", "target,"),
            OutputKind::JUnit => Marker::Head("<testsuites name=\"stored-ami ", "<?xml"),
            OutputKind::Prometheus => Marker::Head("# HELP stored_ami_", "# HELP stored_ami_"),
            OutputKind::Plot => Marker::Head(PLOT_MARKER, "<svg "),
            OutputKind::Manual => Marker::Head(".TH STORED-AMI", ".TH "),
            OutputKind::Log => Marker::Head(LOG_MARKER, LOG_MARKER),
            OutputKind::BlockDigests | OutputKind::Checkpoint | OutputKind::Ledger => Marker::ReaderDecides,
        }
    }
}

/// The first line of every log.
pub const LOG_MARKER: &str = "# stored-ami log";

/// A comment that marks every plot.
pub const PLOT_MARKER: &str = "<!-- stored-ami bench -->";

/// How to recognise a file of a kind.
enum Marker {
    /// The member `schema` of a JSON object starts with this text.
    Schema(&'static str),
    /// The first text occurs near the start of the file, which starts with the second.
    Head(&'static str, &'static str),
    /// The file is read before it is written, and its reader refuses foreign files.
    ReaderDecides,
}

/// Bytes that are searched. The style sheet of a page precedes its title.
const HEAD: u64 = 256 << 10;

/// Limit of a JSON output in bytes. A larger file is not read to its end, and is not one of them.
const LARGEST_DOCUMENT: u64 = 16 << 20;

#[derive(Deserialize)]
struct Envelope {
    schema: String,
}

/// Whether a file was written as an output of this kind.
///
/// # Errors
///
/// The file cannot be read.
pub fn is_ours(kind: OutputKind, file: File) -> io::Result<bool> {
    match kind.marker() {
        Marker::ReaderDecides => Ok(true),
        Marker::Schema(begin) => {
            let envelope: Result<Envelope, _> = serde_json::from_reader(BufReader::new(file.take(LARGEST_DOCUMENT)));
            match envelope {
                Err(error) if error.is_io() => Err(error.into()),
                other => Ok(other.is_ok_and(|envelope| envelope.schema.starts_with(begin))),
            }
        }
        Marker::Head(marker, begin) => {
            let mut head = Vec::new();
            file.take(HEAD).read_to_end(&mut head)?;
            let there = head.windows(marker.len()).any(|window| window == marker.as_bytes());
            Ok(there && head.starts_with(begin.as_bytes()))
        }
    }
}
