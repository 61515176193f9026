use quick_xml::escape::escape;
use serde::Deserialize;

/// An error of S3 Control.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ControlError {
    pub status: u16,
    code: String,
    message: String,
}

impl ControlError {
    pub(crate) fn new(code: &str, message: impl Into<String>) -> Self {
        ControlError { status: 400, code: code.to_owned(), message: message.into() }
    }

    pub(crate) fn with_status(self, status: u16) -> Self {
        ControlError { status, ..self }
    }

    pub(crate) fn text(&self) -> String {
        let (code, message) = (escape(self.code.as_str()), escape(self.message.as_str()));
        format!("<ErrorResponse><Error><Code>{code}</Code><Message>{message}</Message></Error></ErrorResponse>")
    }
}

/// The body of CreateJob, as far as a job that computes checksums needs it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct CreateJob {
    pub client_request_token: String,
    pub operation: Operation,
    pub report: Report,
    pub manifest: Manifest,
    pub priority: i32,
    pub role_arn: String,
    #[serde(default)]
    pub description: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Operation {
    #[serde(rename = "S3ComputeObjectChecksum")]
    pub computes: Computes,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Computes {
    pub checksum_algorithm: String,
    pub checksum_type: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Report {
    pub bucket: String,
    pub format: String,
    pub enabled: bool,
    pub prefix: String,
    pub report_scope: String,
    pub expected_bucket_owner: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Manifest {
    pub spec: Spec,
    pub location: Location,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Spec {
    pub format: String,
    pub fields: Fields,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Fields {
    pub member: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Location {
    pub object_arn: String,
    pub object_version_id: Option<String>,
    #[serde(rename = "ETag")]
    pub etag: String,
}

impl CreateJob {
    pub(crate) fn read(body: &[u8]) -> Result<Self, ControlError> {
        quick_xml::de::from_reader(body).map_err(|error| ControlError::new("BadRequestException", error.to_string()))
    }
}

pub(crate) fn created(id: &str) -> String {
    format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<CreateJobResult><JobId>{id}</JobId></CreateJobResult>")
}

/// One element with a text.
pub(crate) fn element(name: &str, text: &str) -> String {
    format!("<{name}>{}</{name}>", escape(text))
}

/// What DescribeJob repeats of the request.
pub(crate) fn repeated(job: &CreateJob) -> String {
    let fields: String = job.manifest.spec.fields.member.iter().map(|field| element("member", field)).collect();
    let location = &job.manifest.location;
    let version = location.object_version_id.as_deref().map(|version| element("ObjectVersionId", version));
    let owner = job.report.expected_bucket_owner.as_deref().map(|owner| element("ExpectedBucketOwner", owner));
    let computes = &job.operation.computes;
    [
        "<Manifest><Spec>".to_owned(),
        element("Format", &job.manifest.spec.format),
        format!("<Fields>{fields}</Fields></Spec><Location>"),
        element("ObjectArn", &location.object_arn),
        version.unwrap_or_default(),
        element("ETag", &location.etag),
        "</Location></Manifest><Operation><S3ComputeObjectChecksum>".to_owned(),
        element("ChecksumAlgorithm", &computes.checksum_algorithm),
        element("ChecksumType", &computes.checksum_type),
        "</S3ComputeObjectChecksum></Operation><Report>".to_owned(),
        element("Bucket", &job.report.bucket),
        element("Format", &job.report.format),
        element("Enabled", &job.report.enabled.to_string()),
        element("Prefix", &job.report.prefix),
        element("ReportScope", &job.report.report_scope),
        owner.unwrap_or_default(),
        "</Report>".to_owned(),
        element("Priority", &job.priority.to_string()),
        element("RoleArn", &job.role_arn),
        element("Description", &job.description),
    ]
    .concat()
}
