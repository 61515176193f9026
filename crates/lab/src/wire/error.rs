use http::{HeaderName, StatusCode};
use serde::Serialize;

/// An error as S3 answers it (S3 API reference, *Error responses*).
#[derive(Debug)]
pub(crate) struct S3Error {
    pub status: StatusCode,
    pub code: &'static str,
    pub message: String,
    pub detail: Box<Detail>,
    pub headers: Vec<(HeaderName, String)>,
}

/// Elements that only some errors carry.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Detail {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bucket_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bucket: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub upload_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub condition: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub range_requested: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actual_object_size: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub storage_class: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub access_tier: Option<String>,
}

/// Codes that several operations use, with S3's status and wording.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Code {
    AccessDenied,
    BadDigest,
    BucketAlreadyOwnedByYou,
    BucketNotEmpty,
    EntityTooSmall,
    ExpiredToken,
    IncompleteBody,
    InternalError,
    InvalidArgument,
    InvalidBucketName,
    InvalidObjectState,
    InvalidPart,
    InvalidPartOrder,
    InvalidPartNumber,
    InvalidRange,
    InvalidRequest,
    KeyTooLong,
    MalformedXml,
    MethodNotAllowed,
    MissingContentLength,
    NoSuchBucket,
    NoSuchKey,
    NoSuchUpload,
    NoSuchVersion,
    NotImplemented,
    NotModified,
    ObjectAlreadyInActiveTier,
    PermanentRedirect,
    PreconditionFailed,
    RestoreAlreadyInProgress,
    SignatureDoesNotMatch,
    SlowDown,
}

impl Code {
    pub(crate) fn error(self) -> S3Error {
        let (status, code, message) = match self {
            Code::AccessDenied => (403, "AccessDenied", "Access Denied"),
            Code::BadDigest => {
                (400, "BadDigest", "The checksum or Content-MD5 you specified did not match what we received.")
            }
            Code::BucketAlreadyOwnedByYou => (
                409,
                "BucketAlreadyOwnedByYou",
                "Your previous request to create the named bucket succeeded and you already own it.",
            ),
            Code::BucketNotEmpty => (409, "BucketNotEmpty", "The bucket you tried to delete is not empty"),
            Code::EntityTooSmall => {
                (400, "EntityTooSmall", "Your proposed upload is smaller than the minimum allowed size")
            }
            Code::ExpiredToken => (400, "ExpiredToken", "The provided token has expired."),
            Code::IncompleteBody => (
                400,
                "IncompleteBody",
                "You did not provide the number of bytes specified by the Content-Length HTTP header",
            ),
            Code::InternalError => (500, "InternalError", "We encountered an internal error. Please try again."),
            Code::InvalidArgument => (400, "InvalidArgument", "Invalid Argument"),
            Code::InvalidBucketName => (400, "InvalidBucketName", "The specified bucket is not valid."),
            Code::InvalidObjectState => {
                (403, "InvalidObjectState", "The operation is not valid for the object's storage class")
            }
            Code::InvalidPart => (
                400,
                "InvalidPart",
                "One or more of the specified parts could not be found. The part may not have been uploaded, or the specified entity tag may not match the part's entity tag.",
            ),
            Code::InvalidPartOrder => (
                400,
                "InvalidPartOrder",
                "The list of parts was not in ascending order. Parts must be ordered by part number.",
            ),
            Code::InvalidPartNumber => (416, "InvalidPartNumber", "The requested partnumber is not satisfiable"),
            Code::InvalidRange => (416, "InvalidRange", "The requested range is not satisfiable"),
            Code::InvalidRequest => (400, "InvalidRequest", "Invalid Request"),
            Code::KeyTooLong => (400, "KeyTooLongError", "Your key is too long"),
            Code::MalformedXml => (
                400,
                "MalformedXML",
                "The XML you provided was not well-formed or did not validate against our published schema",
            ),
            Code::MethodNotAllowed => {
                (405, "MethodNotAllowed", "The specified method is not allowed against this resource.")
            }
            Code::MissingContentLength => {
                (411, "MissingContentLength", "You must provide the Content-Length HTTP header.")
            }
            Code::NoSuchBucket => (404, "NoSuchBucket", "The specified bucket does not exist"),
            Code::NoSuchKey => (404, "NoSuchKey", "The specified key does not exist."),
            Code::NoSuchUpload => (
                404,
                "NoSuchUpload",
                "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.",
            ),
            Code::NoSuchVersion => (404, "NoSuchVersion", "The specified version does not exist."),
            Code::NotImplemented => {
                (501, "NotImplemented", "A header or query you provided implies functionality that is not implemented.")
            }
            Code::NotModified => (304, "NotModified", "Not Modified"),
            Code::ObjectAlreadyInActiveTier => (
                403,
                "ObjectAlreadyInActiveTierError",
                "This action is not allowed against this object, because it is in an active tier already",
            ),
            Code::PermanentRedirect => (
                301,
                "PermanentRedirect",
                "The bucket you are attempting to access must be addressed using the specified endpoint. Please send all future requests to this endpoint.",
            ),
            Code::PreconditionFailed => {
                (412, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold")
            }
            Code::RestoreAlreadyInProgress => {
                (409, "RestoreAlreadyInProgress", "Object restore is already in progress")
            }
            Code::SignatureDoesNotMatch => (
                403,
                "SignatureDoesNotMatch",
                "The request signature we calculated does not match the signature you provided. Check your key and signing method.",
            ),
            Code::SlowDown => (503, "SlowDown", "Please reduce your request rate."),
        };
        S3Error::new(status, code, message)
    }

    pub(crate) fn because(self, message: impl Into<String>) -> S3Error {
        S3Error { message: message.into(), ..self.error() }
    }
}

impl S3Error {
    pub(crate) fn new(status: u16, code: &'static str, message: impl Into<String>) -> Self {
        S3Error {
            status: StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
            code,
            message: message.into(),
            detail: Box::default(),
            headers: Vec::new(),
        }
    }

    pub(crate) fn with(mut self, fill: impl FnOnce(&mut Detail)) -> Self {
        fill(&mut self.detail);
        self
    }

    pub(crate) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((HeaderName::from_static(name), value.into()));
        self
    }
}

/// A disk that fails under the lab looks to the client like S3 failing.
impl From<std::io::Error> for S3Error {
    fn from(error: std::io::Error) -> Self {
        Code::InternalError.because(error.to_string())
    }
}
