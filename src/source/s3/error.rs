use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::operation::RequestId;
use aws_smithy_types::error::ErrorMetadata;
use jiff::Timestamp;

use super::clock;
use super::document::Foreign;
use super::http::{OnlyInformed, TlsAnswer, Unfit, certificate_refused, no_tls, proxy_settings};
use super::said::{code, said};
use crate::source::{ErrorKind, SourceError};

/// Where an endpoint may be set, to be named where it is wrong.
const ENDPOINT: &str = "the endpoint (--endpoint-url, AWS_ENDPOINT_URL or endpoint_url of the profile)";

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
    if let Some(foreign) = inside::<Foreign>(error) {
        return no_answer(foreign, subject);
    }
    if let Some(unfit) = inside::<Unfit>(error) {
        return make(ErrorKind::Protocol, unfit.to_string());
    }
    match error {
        SdkError::ConstructionFailure(_) => {
            make(ErrorKind::Configuration, format!("the request cannot be made: {cause}"))
        }
        SdkError::TimeoutError(_) => make(ErrorKind::Transient, format!("no answer in time: {cause}")),
        SdkError::DispatchFailure(_) if is_credentials(error) => {
            make(ErrorKind::Credentials, format!("no usable credentials: {cause}"))
        }
        SdkError::DispatchFailure(failure) if failure.is_user() => {
            make(ErrorKind::Invalid, format!("the request cannot be sent: {cause}"))
        }
        SdkError::DispatchFailure(_) if inside::<TlsAnswer>(error).is_some() => make(
            ErrorKind::Configuration,
            format!("the server speaks TLS, and http:// was asked for: write https:// in {ENDPOINT}"),
        ),
        SdkError::DispatchFailure(_) if no_tls(error) => make(
            ErrorKind::Configuration,
            format!("the server does not speak TLS, and https:// was asked for: write http:// in {ENDPOINT}"),
        ),
        SdkError::DispatchFailure(_) if certificate_refused(error) => {
            make(ErrorKind::Untrusted, format!("the server is not trusted: {cause}; AWS_CA_BUNDLE names other CAs"))
        }
        SdkError::DispatchFailure(_) if inside::<OnlyInformed>(error).is_some() => {
            make(ErrorKind::Protocol, format!("the server does not answer: {cause}"))
        }
        SdkError::DispatchFailure(_) => make(ErrorKind::Transient, format!("no connection: {cause}{}", by_proxy())),
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
            if service.raw().status().is_success() {
                return make(ErrorKind::Protocol, format!("an answer that cannot be read (status {status}): {cause}"));
            }
            let code = code(service.err().code());
            let message = said(service.err().message(), code.as_deref());
            let answer = Answer { code: code.as_deref(), message: message.as_deref(), status, region, marker };
            let (kind, mut detail) = classify(&answer, needs);
            let hint = clock::hint(service.raw().headers().get("date"), Timestamp::now());
            if let Some(hint) = hint.filter(|_| matches!(kind, ErrorKind::Credentials | ErrorKind::Denied)) {
                detail = format!("{detail}; {hint}");
            }
            if status == 400 && code.is_none() && wants_https(service.raw()) {
                detail = format!("the server wants TLS, and http:// was asked for: write https:// in {ENDPOINT}");
                return make(ErrorKind::Configuration, detail);
            }
            SourceError {
                kind,
                subject: subject.to_owned(),
                detail,
                code,
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

/// Whether the server says with status 404, and by one of these codes, that what was asked for is not set. Any other 404
/// may come from a server that does not know the request.
pub(super) fn says_none(error: &SourceError, codes: &[&str]) -> bool {
    error.kind == ErrorKind::NotFound && error.code.as_deref().is_some_and(|code| codes.contains(&code))
}

/// A 404 that does not say that what was asked for is not set.
pub(super) fn not_none(error: SourceError) -> SourceError {
    if error.kind != ErrorKind::NotFound {
        return error;
    }
    let code = error.code.as_deref().unwrap_or("no code");
    let detail = format!("the server answers with status 404 and {code}, which does not say that none is set");
    SourceError { kind: ErrorKind::Protocol, detail, ..error }
}

/// A sentence's end where a proxy is set: the host that cannot be found or reached may be that one.
pub(super) fn by_proxy() -> String {
    match proxy_settings().as_slice() {
        [] => String::new(),
        names => format!("; a proxy is set by {}", names.join(" and ")),
    }
}

/// An answer with success that is none.
fn no_answer(foreign: &Foreign, subject: &str) -> SourceError {
    match foreign {
        Foreign::Odd(_) | Foreign::Broken(_) => SourceError::new(ErrorKind::Protocol, subject, foreign.to_string()),
        Foreign::Error(code) => wrapped(code, SourceError::new(ErrorKind::Protocol, subject, foreign.to_string())),
        _ => {
            let detail = format!("the server does not know this request: {foreign}");
            SourceError::new(ErrorKind::Unsupported, subject, detail)
        }
    }
}

/// The error of a server that wraps one into a success.
pub(super) fn wrapped(code: &str, error: SourceError) -> SourceError {
    let kind = match code {
        "SlowDown" => ErrorKind::Throttled,
        "InternalError" | "ServiceUnavailable" => ErrorKind::Transient,
        _ => return error,
    };
    let detail = format!("the server answered with success and {code} inside");
    SourceError { kind, detail, code: Some(code.to_owned()), ..error }
}

/// Whether a server that is no S3 says that it wants TLS. Such servers answer in words alone.
fn wants_https(answer: &HttpResponse) -> bool {
    let text = answer.body().bytes().map(String::from_utf8_lossy).unwrap_or_default().to_ascii_lowercase();
    ["to an https server", "to https port", "ssl-enabled server port"].iter().any(|words| text.contains(words))
}

/// An error of this type anywhere in the chain of causes.
fn inside<'a, T: std::error::Error + 'static>(error: &'a (dyn std::error::Error + 'static)) -> Option<&'a T> {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if let Some(found) = error.downcast_ref::<T>() {
            return Some(found);
        }
        // `source` of an I/O error leaves out what it wraps.
        let wrapped = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        cause = wrapped.map(|inner| inner as &(dyn std::error::Error + 'static)).or_else(|| error.source());
    }
    None
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
        ("ServerSideEncryptionConfigurationNotFoundError" | "NoSuchPublicAccessBlockConfiguration", 404) => {
            (ErrorKind::NotFound, "none is set".to_owned())
        }
        (
            "SecondLevelDomainForbidden"
            | "PathStyleDomainForbidden"
            | "PathStyleRequestNotAllowed"
            | "VirtualHostDomainRequired",
            _,
        ) => (
            ErrorKind::Configuration,
            with(
                "this server takes the bucket in the host name only; set `addressing_style = virtual` under `s3 =` in the profile",
            ),
        ),
        (kms, _) if kms.starts_with("KMS.") => (ErrorKind::Denied, with("the KMS key of the object cannot be used")),
        ("InvalidRequest", 400) if wants_customer_key(said) => (
            ErrorKind::Invalid,
            with(
                "the object is encrypted with a customer key, and another or none was given; name it with --sse-c-key-file",
            ),
        ),
        ("AccessDenied", 403) if said.contains("kms:Decrypt") => {
            (ErrorKind::Denied, with("not permitted (needs kms:Decrypt on the object's key)"))
        }
        ("InvalidAction" | "UnsupportedOperation" | "UnknownOperationException", _) => {
            (ErrorKind::Unsupported, with("the service does not know this request here"))
        }
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
        ("InvalidRange", _) | (_, 416) => {
            (ErrorKind::Protocol, with("the server has no such bytes of the object (416)"))
        }
        (_, 412) => (ErrorKind::Changed, "the object is no longer the one that was inspected (412)".to_owned()),
        ("MethodNotAllowed" | "NotImplemented", _) | (_, 405 | 501) => {
            (ErrorKind::Unsupported, with(&format!("the server does not know this request ({})", answer.status)))
        }
        (_, 429) => (ErrorKind::Throttled, with("the server asks for fewer requests (429)")),
        (_, 500..) => (ErrorKind::Transient, with(&format!("the server failed (status {})", answer.status))),
        (_, 304) => {
            let detail =
                "the server says that nothing changed (status 304), and sends nothing of what it was asked for";
            (ErrorKind::Protocol, with(detail))
        }
        (_, 300..=399) => {
            (ErrorKind::Protocol, with(&format!("the server points elsewhere (status {})", answer.status)))
        }
        (_, ..=299) => {
            (ErrorKind::Protocol, with(&format!("an answer that fits no request (status {})", answer.status)))
        }
        (_, status) => (ErrorKind::Invalid, with(&format!("refused with status {status}"))),
    }
}

/// S3 answers a request without the key of an SSE-C object with a code that says nothing, and with these words.
fn wants_customer_key(said: &str) -> bool {
    let said = said.to_ascii_lowercase().replace('-', " ");
    said.contains("server side encryption") || said.contains("customer provided") || said.contains("customer key")
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
