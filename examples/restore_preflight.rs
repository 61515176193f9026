//! Runs every check that can run before a restore, and starts nothing.
//!
//! `cargo run --example restore_preflight -- s3://backup/ami-0123456789abcdef0.bin golden`

#![allow(clippy::print_stdout, reason = "an example")]

use std::process::ExitCode;
use std::sync::Arc;

use stored_ami::source::s3::{Connection, S3Options};
use stored_ami::{Context, RegionServices, RestorePreflightRequest, preflight_restore};

#[tokio::main]
async fn main() -> Result<ExitCode, Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let target = args.next().ok_or("usage: restore_preflight OBJECT [NAME]")?.parse()?;
    let request = RestorePreflightRequest { name: args.next(), ..RestorePreflightRequest::new(target) };
    let connection = Connection::open(S3Options::default()).await?;
    let services = RegionServices::new(Arc::new(connection), &Context::default()).at(&request.target);
    let report = preflight_restore(&services, &request).await?.report;
    for finding in &report.findings {
        let why = finding.reason.as_ref().map(|reason| reason.detail.as_str());
        println!(
            "{:7} {}: {}",
            finding.verdict,
            finding.check,
            finding.observed.as_deref().or(why).unwrap_or_default()
        );
    }
    Ok(report.exit_code.code().into())
}
