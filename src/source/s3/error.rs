use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::operation::RequestId;
use aws_smithy_types::error::ErrorMetadata;
use jiff::Timestamp;

use super::clock;
use super::http::certificate_refused;
use crate::source::{ErrorKind, SourceError};

/// The innermost message of an error, which says what really happened.
pub(super) fn root_cause(error: &(dyn std::error::Error + 'static)) -> String {
    let mut cause = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}

/// The innermost error of a type under an error.
pub(super) fn deepest<'a, T: std::error::Error + 'static>(
    error: &'a (dyn std::error::Error + 'static),
) -> Option<&'a T> {
    let mut found = None;
    let mut cause = Some(error);
    while let Some(error) = cause {
        found = error.downcast_ref().or(found);
        cause = error.source();
    }
    found
}

/// The code and message of a service's answer where there is one, else the innermost message.
pub(super) fn service_cause(error: &(dyn std::error::Error + 'static)) -> String {
    let Some(answer) = deepest::<ErrorMetadata>(error) else { return root_cause(error) };
    match (answer.code(), answer.message()) {
        (Some(code), Some(message)) => format!("{code}: {message}"),
        (Some(text), None) | (None, Some(text)) => text.to_owned(),
        (None, None) => "the service refused without a reason".to_owned(),
    }
}

/// What a failed request means. `needs` names the permissions that the request takes.
pub(crate) fn translate<E>(error: &SdkError<E, HttpResponse>, subject: &str, needs: &str) -> SourceError
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    let cause = root_cause(error);
    let make = |kind, detail: String| SourceError::new(kind, subject, detail);
    match error {
        SdkError::ConstructionFailure(_) => make(ErrorKind::Invalid, format!("the request cannot be made: {cause}")),
        SdkError::TimeoutError(_) => make(ErrorKind::Transient, format!("no answer in time: {cause}")),
        SdkError::DispatchFailure(_) if is_credentials(error) => {
            make(ErrorKind::Credentials, format!("no usable credentials: {cause}"))
        }
        SdkError::DispatchFailure(failure) if failure.is_user() => {
            make(ErrorKind::Invalid, format!("the request cannot be sent: {cause}"))
        }
        SdkError::DispatchFailure(_) if certificate_refused(error) => {
            make(ErrorKind::Untrusted, format!("the server is not trusted: {cause}; AWS_CA_BUNDLE names other CAs"))
        }
        SdkError::DispatchFailure(_) => make(ErrorKind::Transient, format!("no connection: {cause}")),
        SdkError::ResponseError(response) => {
            let status = response.raw().status().as_u16();
            if status >= 500 {
                return make(ErrorKind::Transient, format!("status {status}"));
            }
            make(ErrorKind::Protocol, format!("an answer that cannot be read (status {status}): {cause}"))
        }
        SdkError::ServiceError(service) => {
            let status = service.raw().status().as_u16();
            let region = service.raw().headers().get("x-amz-bucket-region").map(str::to_owned);
            let marker = service.raw().headers().get("x-amz-delete-marker") == Some("true");
            let answer =
                Answer { code: service.err().code(), message: service.err().message(), status, region, marker };
            let (kind, detail) = classify(&answer, needs);
            let hint = clock::hint(service.raw().headers().get("date"), Timestamp::now());
            let detail = match hint.filter(|_| matches!(kind, ErrorKind::Credentials | ErrorKind::Denied)) {
                Some(hint) => format!("{detail}; {hint}"),
                None => detail,
            };
            SourceError {
                kind,
                subject: subject.to_owned(),
                detail,
                code: answer.code.map(str::to_owned),
                request_id: service
                    .err()
                    .meta()
                    .request_id()
                    .or_else(|| service.raw().headers().get("x-amz-request-id"))
                    .map(str::to_owned),
            }
        }
        other => make(ErrorKind::Transient, format!("{other}: {cause}")),
    }
}

fn is_credentials(error: &(dyn std::error::Error + 'static)) -> bool {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if error.is::<aws_credential_types::provider::error::CredentialsError>() {
            return true;
        }
        cause = error.source();
    }
    false
}

/// The parts of an error answer that decide its meaning. HEAD answers have no body, hence no code.
struct Answer<'a> {
    code: Option<&'a str>,
    message: Option<&'a str>,
    status: u16,
    region: Option<String>,
    marker: bool,
}

fn classify(answer: &Answer<'_>, needs: &str) -> (ErrorKind, String) {
    let said = answer.message.unwrap_or_default();
    let with = |text: &str| if said.is_empty() { text.to_owned() } else { format!("{text}: {said}") };
    match (answer.code.unwrap_or_default(), answer.status) {
        (
            "SlowDown"
            | "Throttling"
            | "ThrottlingException"
            | "TooManyRequests"
            | "TooManyRequestsException"
            | "RequestLimitExceeded",
            _,
        ) => (ErrorKind::Throttled, with("the server asks for fewer requests")),
        ("ExpiredToken" | "TokenRefreshRequired" | "ExpiredTokenException" | "RequestExpired", _) => {
            (ErrorKind::Credentials, with("the credentials have expired; renew them and run again"))
        }
        (
            "InvalidAccessKeyId"
            | "SignatureDoesNotMatch"
            | "InvalidToken"
            | "InvalidSecurity"
            | "InvalidClientTokenId"
            | "UnrecognizedClientException"
            | "MissingAuthenticationToken",
            _,
        ) => (ErrorKind::Credentials, with("the credentials are refused")),
        // Under 403 it is EC2's word for storage that the caller may not read.
        ("AuthFailure", 401) => (ErrorKind::Credentials, with("the credentials are refused")),
        ("RequestTimeTooSkewed", _) => {
            (ErrorKind::Credentials, with("this machine's clock is wrong; set it and run again"))
        }
        ("RequestTimeout" | "InternalError" | "ServiceUnavailable" | "OperationAborted", _) => {
            (ErrorKind::Transient, with("passing trouble at the server"))
        }
        ("InvalidObjectState", _) => (ErrorKind::Archived, with("the object is archived")),
        ("PermanentRedirect" | "AuthorizationHeaderMalformed" | "IllegalLocationConstraintException", _)
        | (_, 301 | 307) => {
            let detail = match &answer.region {
                Some(region) => format!("the bucket is in Region {region}; run again with --region {region}"),
                None => with("the bucket is in another Region"),
            };
            (ErrorKind::WrongRegion(answer.region.clone()), detail)
        }
        // EC2 answers DryRun with this one and status 412.
        ("DryRunOperation", _) => (ErrorKind::Invalid, with("the request would have been carried out")),
        ("UnauthorizedOperation" | "AccessDeniedException" | "OptInRequired", _) => {
            (ErrorKind::Denied, with(&format!("not permitted (needs {needs})")))
        }
        // `Malformed` is seen for well-formed ids of AMIs that do not exist.
        (
            "InvalidAMIID.NotFound"
            | "InvalidAMIID.Unavailable"
            | "InvalidAMIID.Malformed"
            | "InvalidSnapshot.NotFound"
            | "NotFoundException"
            | "ParameterNotFound"
            | "NoSuchResourceException",
            _,
        ) => (ErrorKind::NotFound, with("there is none")),
        ("ServerSideEncryptionConfigurationNotFoundError" | "NoSuchPublicAccessBlockConfiguration", _) => {
            (ErrorKind::NotFound, "none is set".to_owned())
        }
        ("InvalidAction" | "UnsupportedOperation" | "UnknownOperationException", _) => {
            (ErrorKind::Unsupported, with("the service does not know this request here"))
        }
        ("SecondLevelDomainForbidden" | "VirtualHostDomainRequired", _) => (
            ErrorKind::Invalid,
            with(
                "this server takes the bucket in the host name only; set `addressing_style = virtual` under `s3 =` in the profile",
            ),
        ),
        ("NoSuchBucket", _) => (ErrorKind::NotFound, "there is no such bucket".to_owned()),
        ("NoSuchVersion", _) => (ErrorKind::NotFound, "there is no such version".to_owned()),
        (_, 404) if answer.marker => (
            ErrorKind::NotFound,
            "removed: the current version is a delete marker; name a version with ?versionId=".to_owned(),
        ),
        (_, 405) if answer.marker => {
            (ErrorKind::NotFound, "this version is a delete marker and has no bytes".to_owned())
        }
        ("NoSuchKey" | "NotFound", _) | (_, 404) => (ErrorKind::NotFound, "there is no such object".to_owned()),
        ("AccessDenied", _) | (_, 403 | 401) => (ErrorKind::Denied, with(&format!("not permitted (needs {needs})"))),
        (_, 412) => (ErrorKind::Changed, "the object is no longer the one that was inspected (412)".to_owned()),
        ("MethodNotAllowed" | "NotImplemented", _) | (_, 405 | 501) => {
            (ErrorKind::Unsupported, format!("the server does not know this request ({})", answer.status))
        }
        (_, 429) => (ErrorKind::Throttled, with("the server asks for fewer requests (429)")),
        (_, 500..) => (ErrorKind::Transient, with(&format!("status {}", answer.status))),
        (_, status) => (ErrorKind::Invalid, with(&format!("refused with status {status}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn meanings() {
        let of =
            |code, status, marker| classify(&Answer { code, message: None, status, region: None, marker }, "s3:X").0;
        assert_eq!(of(None, 404, false), ErrorKind::NotFound);
        assert_eq!(of(None, 403, false), ErrorKind::Denied);
        assert_eq!(of(Some("AccessDenied"), 403, false), ErrorKind::Denied);
        assert_eq!(of(Some("InvalidObjectState"), 403, false), ErrorKind::Archived);
        assert_eq!(of(Some("SlowDown"), 503, false), ErrorKind::Throttled);
        assert_eq!(of(None, 503, false), ErrorKind::Transient);
        assert_eq!(of(None, 412, false), ErrorKind::Changed);
        assert_eq!(of(None, 405, false), ErrorKind::Unsupported);
        assert_eq!(of(None, 405, true), ErrorKind::NotFound);
        assert_eq!(of(Some("NotImplemented"), 501, false), ErrorKind::Unsupported);
        assert_eq!(of(Some("ExpiredToken"), 400, false), ErrorKind::Credentials);
        assert_eq!(of(Some("AuthFailure"), 401, false), ErrorKind::Credentials);
        assert_eq!(of(Some("AuthFailure"), 403, false), ErrorKind::Denied);
        assert_eq!(of(Some("RequestLimitExceeded"), 503, false), ErrorKind::Throttled);
        assert_eq!(of(None, 301, false), ErrorKind::WrongRegion(None));
        assert_eq!(of(Some("Weird"), 400, false), ErrorKind::Invalid);
    }

    #[test]
    fn the_right_region_is_named() {
        let answer = Answer { code: None, message: None, status: 301, region: Some("eu-west-1".into()), marker: false };
        let (kind, detail) = classify(&answer, "");
        assert_eq!(kind, ErrorKind::WrongRegion(Some("eu-west-1".into())));
        assert!(detail.contains("--region eu-west-1"));
    }
}
