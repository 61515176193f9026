//! `doctor`: whether this machine, its settings and its permissions are ready for the other commands. Nothing is
//! written.

mod ask;
mod judge;
mod local;

use self::ask::{Survey, survey};
use crate::ident::Prefix;
use crate::report::{DoctorReport, Exit};
use crate::source::Context;
use crate::source::s3::S3Options;

/// What to check.
#[derive(Debug, Clone, Default)]
pub struct DoctorRequest {
    /// How to connect.
    pub options: S3Options,
    /// Bucket whose permissions are checked, and the prefix of the objects in it.
    pub bucket: Option<Prefix>,
}

/// Checks settings, credentials, connection, clock, permissions on a bucket, memory and hashing speed. Whatever cannot
/// be used is a finding, so there is always a report.
pub async fn doctor(request: &DoctorRequest, context: &Context) -> DoctorReport {
    let (context, counting) = context.counted();
    let survey = survey(request, &context).await;
    let mut report = described(request, &survey);
    report.findings = judge::judge(&survey, context.clock.now());
    local::examine(&mut report, &*context.clock);
    report.requests = counting.counts().requests;
    report.exit_code = Exit::from(report.verdict());
    report
}

/// The report with what was found, without findings.
fn described(request: &DoctorRequest, survey: &Survey) -> DoctorReport {
    let (account, arn) = match &survey.caller {
        Some(Ok(caller)) => (Some(caller.account.clone()), Some(caller.arn.clone()).filter(|arn| !arn.is_empty())),
        _ => (None, None),
    };
    let (endpoint, endpoint_source) = survey.origins.endpoint.clone().unzip();
    DoctorReport {
        target: request.bucket.as_ref().map(|prefix| match prefix.prefix.as_str() {
            "" => format!("s3://{}", prefix.bucket),
            path => format!("s3://{}/{path}", prefix.bucket),
        }),
        account,
        arn,
        credentials_source: survey.origins.credentials.clone(),
        credentials_expire: survey.origins.expiry.map(|expiry| expiry.to_string()),
        region: survey.region.clone(),
        region_source: survey.origins.region.clone(),
        bucket_region: survey.bucket_region(),
        endpoint,
        endpoint_source,
        clock_ahead_seconds: survey.answered.ahead.map(|ahead| ahead.as_secs()),
        ..DoctorReport::default()
    }
}
