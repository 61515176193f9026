//! Verifies one object or file against everything that is stored with it.
//!
//! `cargo run --example verify -- s3://backup/ami-0123456789abcdef0.bin`

#![allow(clippy::print_stdout, reason = "an example")]

use std::process::ExitCode;

use stored_ami::source::s3::S3Options;
use stored_ami::{CancellationToken, VerifyOptions, open, verify};

#[tokio::main]
async fn main() -> Result<ExitCode, Box<dyn std::error::Error>> {
    let target = std::env::args().nth(1).ok_or("usage: verify TARGET")?.parse()?;
    let session = open(&target, S3Options::default()).await?;
    let report = verify(&session, &VerifyOptions::default(), &CancellationToken::new()).await?.report;
    for finding in &report.findings {
        let why = finding.reason.as_ref().map(|reason| reason.detail.as_str());
        println!(
            "{:7} {}: {}",
            finding.verdict,
            finding.check,
            finding.observed.as_deref().or(why).unwrap_or_default()
        );
    }
    println!("{} after {} requests", report.verdict, report.stats.requests);
    Ok(report.exit_code.code().into())
}
