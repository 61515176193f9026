//! A lab and a verifier in this process, with a clock that does not wait.

use std::sync::Arc;
use std::time::Duration;

use stored_ami::clock::TestClock;
use stored_ami::commands::verify::{VerifyError, VerifyOptions, verify};
use stored_ami::plan::{Concurrency, Limits};
use stored_ami::progress::Silent;
use stored_ami::report::VerifyReport;
use stored_ami::source::s3::{Connection, S3Options};
use stored_ami::source::{Context, ObjectSource as _, RetryPolicy, Session};
use stored_ami_lab::{BucketOptions, CallRecord, Lab, LabOptions, SyntheticSpec, parse_faults};
use tokio_util::sync::CancellationToken;

use crate::expected::Ending;

pub const BUCKET: &str = "archive";
pub const KEY: &str = "ami-0123456789abcdef0.bin";

/// Timeouts of connections, which the clock cannot shorten. Long enough for two busy processors.
const STALL: Duration = Duration::from_millis(600);
const PATIENCE: Duration = Duration::from_millis(1500);
/// A case that takes longer than this hangs.
const HANGS: Duration = Duration::from_secs(60);

/// One lab, and its connection options.
pub struct Rig {
    pub lab: Lab,
    options: S3Options,
}

/// Result of a verification, and its cost.
pub struct Ran {
    pub ending: Ending,
    pub calls: Vec<CallRecord>,
    /// Time that it would have waited between attempts.
    pub waited: Duration,
}

impl Rig {
    pub async fn new() -> Self {
        let lab = Lab::start(LabOptions::default()).await.unwrap();
        lab.create_bucket(BUCKET, BucketOptions::default()).unwrap();
        let options = S3Options {
            endpoint_url: Some(lab.endpoint()),
            region: Some("us-east-1".to_owned()),
            no_sign_request: true,
            patience: Some(PATIENCE),
            ..S3Options::default()
        };
        Rig { options, lab }
    }

    /// Replaces the object, optionally damaged at rest.
    pub async fn put(&self, spec: SyntheticSpec, damaged: Option<u64>) {
        self.lab.synthesize(BUCKET, KEY, spec).await.unwrap();
        if let Some(offset) = damaged {
            self.lab.damage(BUCKET, KEY, offset, 0x40).unwrap();
        }
    }

    /// One verification over its own connections, with the faults of a document.
    pub async fn verify(&self, rules: &str, connections: usize) -> Ran {
        self.lab.clear_calls();
        self.lab.clear_script();
        parse_faults(rules).unwrap().into_iter().for_each(|rule| self.lab.script(rule));
        // What one case learns about the server must not affect the next.
        let connection = Connection::open(self.options.clone()).await.unwrap();
        let source = connection.object(format!("s3://{BUCKET}/{KEY}").parse().unwrap()).fresh();
        let clock = Arc::new(TestClock::new(1.0));
        let retry = RetryPolicy { stall: STALL, ..RetryPolicy::default() };
        let context = Context { clock: clock.clone(), monitor: Arc::new(Silent), retry, pace: None };
        let limits = Limits { concurrency: Concurrency::Fixed(connections), ..Limits::default() };
        let request = VerifyOptions { budget: limits.budget().unwrap(), ..VerifyOptions::default() };
        let session = Session::new(source, context);
        let never = CancellationToken::new();
        let ending = match tokio::time::timeout(HANGS, verify(&session, &request, &never)).await {
            Err(_) => Ending { verdict: "it hangs".to_owned(), exit: 0 },
            Ok(Ok(verified)) => of_report(&verified.report),
            Ok(Err(VerifyError::Source(error))) => Ending {
                verdict: format!("error: {:?}", error.kind),
                exit: stored_ami::commands::exit_of(&error).code(),
            },
            Ok(Err(error)) => Ending { verdict: error.to_string(), exit: 2 },
        };
        let waited = clock.slept().iter().sum();
        Ran { ending, calls: self.lab.calls(), waited }
    }
}

/// The verdict; if unknown, with the reason of the first required check.
fn of_report(report: &VerifyReport) -> Ending {
    let open = report.findings.iter().filter(|finding| finding.required).find_map(|finding| finding.reason.as_ref());
    let verdict = match open.filter(|_| report.verdict.name() == "unknown") {
        Some(reason) => format!("unknown: {}", reason.code),
        None => report.verdict.to_string(),
    };
    Ending { verdict, exit: report.exit_code.code() }
}
