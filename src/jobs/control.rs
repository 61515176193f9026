use async_trait::async_trait;
use aws_sdk_s3control::Client;
use aws_sdk_s3control::config::endpoint::{Endpoint, EndpointFuture, Params, ResolveEndpoint};
use aws_sdk_s3control::types::{
    ComputeObjectChecksumAlgorithm, ComputeObjectChecksumType, JobDescriptor, JobManifest, JobManifestFieldName,
    JobManifestFormat, JobManifestLocation, JobManifestSpec, JobOperation, JobReport, JobReportFormat, JobReportScope,
    S3ComputeObjectChecksumOperation,
};
use jiff::Timestamp;

use super::JobService;
use crate::audit::Word;
use crate::batch::{ChecksumScope, JobFacts, ManifestPlace, NewJob, ReportPlace};
use crate::ident::ETag;
use crate::progress::Call;
use crate::source::s3::{Connection, LimitedResponses, Service, Traced, translate};
use crate::source::{Context, ErrorKind, SourceError};

/// Priority of the jobs; a higher number goes first. Jobs of other programs in the account usually begin at 10.
const PRIORITY: i32 = 10;

/// The description of a job has a few kilobytes.
const LIMIT: LimitedResponses = LimitedResponses { largest: 1 << 20, streamed: None };

/// S3 Control in the Region of a connection.
pub struct S3Control {
    client: Client,
    context: Context,
}

/// An endpoint that is used as it is. The SDK would put the account before its host, which no local endpoint resolves.
#[derive(Debug)]
struct Fixed(String);

impl ResolveEndpoint for Fixed {
    fn resolve_endpoint<'a>(&'a self, _: &'a Params) -> EndpointFuture<'a> {
        EndpointFuture::ready(Ok(Endpoint::builder().url(self.0.clone()).build()))
    }
}

impl S3Control {
    /// `context` counts the requests.
    pub fn new(connection: &Connection, context: Context) -> Self {
        let shared = connection.service(Service::S3Control);
        let config = aws_sdk_s3control::config::Builder::from(&shared);
        let config = match shared.endpoint_url() {
            Some(url) => config.endpoint_resolver(Fixed(url.to_owned())),
            None => config,
        };
        S3Control { client: Client::from_conf(config.interceptor(LIMIT).interceptor(Traced).build()), context }
    }
}

fn operation(job: &NewJob) -> JobOperation {
    let computes = S3ComputeObjectChecksumOperation::builder()
        .checksum_algorithm(ComputeObjectChecksumAlgorithm::from(job.algorithm.name().to_uppercase().as_str()))
        .checksum_type(ComputeObjectChecksumType::from(job.scope.s3_name()))
        .build();
    JobOperation::builder().s3_compute_object_checksum(computes).build()
}

/// The manifest of a request; `None` if the SDK takes one of its fields for missing, which none is.
fn manifest(job: &NewJob) -> Option<JobManifest> {
    let spec = JobManifestSpec::builder()
        .format(JobManifestFormat::S3BatchOperationsCsv20180820)
        .fields(JobManifestFieldName::Bucket)
        .fields(JobManifestFieldName::Key);
    let spec = if job.versions { spec.fields(JobManifestFieldName::VersionId) } else { spec };
    let uri = &job.manifest.uri;
    let location = JobManifestLocation::builder()
        .object_arn(format!("arn:{}:s3:::{}/{}", job.partition, uri.bucket, uri.key))
        .set_object_version_id(uri.version.clone())
        .e_tag(job.manifest.etag.as_str());
    Some(JobManifest::builder().spec(spec.build().ok()?).location(location.build().ok()?).build())
}

fn report(job: &NewJob) -> JobReport {
    JobReport::builder()
        .bucket(format!("arn:{}:s3:::{}", job.partition, job.report.bucket))
        .prefix(&job.report.prefix)
        .set_expected_bucket_owner(job.report.owner.clone())
        .format(JobReportFormat::ReportCsv20180820)
        .enabled(true)
        .report_scope(JobReportScope::AllTasks)
        .build()
}

#[async_trait]
impl JobService for S3Control {
    async fn create(&self, account: &str, job: &NewJob) -> Result<String, SourceError> {
        let subject = &job.description;
        let wrong = |detail: &str| SourceError::new(ErrorKind::Protocol, subject, detail);
        let manifest = manifest(job).ok_or_else(|| wrong("the request cannot be made"))?;
        let request = self
            .client
            .create_job()
            .account_id(account)
            .client_request_token(&job.token)
            .confirmation_required(false)
            .description(&job.description)
            .operation(operation(job))
            .manifest(manifest)
            .report(report(job))
            .priority(PRIORITY)
            .role_arn(&job.role);
        let send = || async {
            let answer = request.clone().send().await;
            answer.map_err(|error| translate(error, subject, "s3:CreateJob and iam:PassRole"))
        };
        let answer = self.context.retry(Call::Batch, send).await?;
        answer.job_id().map(str::to_owned).ok_or_else(|| wrong("the answer has no id of the job"))
    }

    async fn describe(&self, account: &str, id: &str) -> Result<JobFacts, SourceError> {
        let request = self.client.describe_job().account_id(account).job_id(id);
        let send = || async {
            let answer = request.clone().send().await;
            answer.map_err(|error| translate(error, id, "s3:DescribeJob"))
        };
        let answer = self.context.retry(Call::Batch, send).await?;
        let wrong = |detail: &str| SourceError::new(ErrorKind::Protocol, id, detail);
        let job = answer.job().ok_or_else(|| wrong("the answer describes no job"))?;
        match job.job_id() {
            Some(found) if found == id => Ok(facts(id, job)),
            _ => Err(wrong("the answer describes another job")),
        }
    }
}

fn facts(id: &str, job: &JobDescriptor) -> JobFacts {
    let computes = job.operation().and_then(|operation| operation.s3_compute_object_checksum()).and_then(|computes| {
        let scope = ChecksumScope::of_s3(computes.checksum_type()?.as_str())?;
        Some((computes.checksum_algorithm()?.as_str().parse().ok()?, scope))
    });
    let location = job.manifest().and_then(|manifest| manifest.location());
    let manifest = location.and_then(|location| {
        let uri: crate::ident::ObjectUri = location.object_arn().parse().ok()?;
        let version = location.object_version_id().map(str::to_owned);
        Some(ManifestPlace { uri: uri.at_version(version), etag: ETag::told(location.e_tag())? })
    });
    let report = job.report().filter(|report| report.enabled()).and_then(|report| {
        Some(ReportPlace {
            bucket: report.bucket()?.rsplit(':').next()?.to_owned(),
            prefix: report.prefix().unwrap_or_default().to_owned(),
            owner: report.expected_bucket_owner().map(str::to_owned),
        })
    });
    let progress = job.progress_summary();
    let count = |count: Option<i64>| count.and_then(|count| u64::try_from(count).ok());
    let failures = job.failure_reasons().iter().map(|failure| {
        let texts = [failure.failure_code(), failure.failure_reason()];
        texts.into_iter().flatten().collect::<Vec<_>>().join(": ")
    });
    let causes = [job.status_update_reason(), job.suspended_cause()].into_iter().flatten().map(str::to_owned);
    JobFacts {
        id: id.to_owned(),
        state: Word::of(job.status().map(|status| status.as_str().to_owned()).unwrap_or_default()),
        computes,
        manifest,
        report,
        tasks: count(progress.and_then(|progress| progress.total_number_of_tasks())),
        succeeded: count(progress.and_then(|progress| progress.number_of_tasks_succeeded())),
        failed: count(progress.and_then(|progress| progress.number_of_tasks_failed())),
        created: job.creation_time().and_then(|time| Timestamp::from_second(time.secs()).ok()),
        reasons: failures.chain(causes).filter(|reason| !reason.is_empty()).collect(),
    }
}
