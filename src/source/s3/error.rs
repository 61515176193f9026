//! Translates failed SDK requests, by the type of the error, the status and the service's code.

use std::error::Error;
use std::io;

use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::operation::RequestId;
use aws_smithy_types::error::ErrorMetadata;
use jiff::Timestamp;

use super::answer::Answer;
use super::causes::{deepest, inside, root_cause};
use super::clock;
use super::document::Foreign;
use super::http::{
    AskedEndpoint, NoConnection, NoResponse, OnlyInformed, TlsAnswer, Unfit, certificate_refused, no_tls,
};
use super::proxies::by_proxy;
use super::said::{code, said};
use crate::facts::Service;
use crate::ident::ObjectUri;
use crate::source::{Advice, ErrorKind, NamedEndpoint, SourceError};

/// The code and message of a service's response if there is one, otherwise the innermost message.
pub(super) fn service_cause(error: &(dyn Error + 'static)) -> String {
    let Some(answer) = deepest::<ErrorMetadata>(error) else { return root_cause(error) };
    match (answer.code(), answer.message()) {
        (Some(code), Some(message)) => format!("{code}: {message}"),
        (Some(text), None) | (None, Some(text)) => text.to_owned(),
        (None, None) => "the service refused without a reason".to_owned(),
    }
}

/// Translates a failed request. `needs` names the permissions that the request requires.
pub(crate) fn translate<E>(error: SdkError<E, HttpResponse>, subject: &str, needs: &str) -> SourceError
where
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
{
    let translated = meaning(&error, subject, needs);
    // The raw response is dropped: it may be large, and `meaning` has read all that is reported of it.
    match error.into_source() {
        Ok(cause) => translated.caused_by(cause),
        Err(whole) => translated.caused_by(whole),
    }
}

fn meaning<E>(error: &SdkError<E, HttpResponse>, subject: &str, needs: &str) -> SourceError
where
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
{
    let make = |kind, detail: String| SourceError::new(kind, subject, detail);
    if let Some(foreign) = inside::<Foreign>(error) {
        return no_answer(foreign, subject);
    }
    if let Some(unfit) = inside::<Unfit>(error) {
        return make(ErrorKind::Protocol, unfit.to_string());
    }
    let cause = root_cause(error);
    let (kind, detail) = match error {
        SdkError::ConstructionFailure(_) => (ErrorKind::Configuration, format!("the request cannot be made: {cause}")),
        SdkError::TimeoutError(_) => (ErrorKind::Transient, format!("no answer in time: {cause}")),
        SdkError::DispatchFailure(failure) => return not_sent(error, failure.is_user(), &cause, subject),
        SdkError::ResponseError(_) if broke_off(error) => {
            (ErrorKind::Transient, format!("the connection broke inside the answer: {cause}"))
        }
        SdkError::ResponseError(response) => match response.raw().status().as_u16() {
            status @ 500.. => (ErrorKind::Transient, format!("status {status}")),
            status => (ErrorKind::Protocol, not_documented(status)),
        },
        SdkError::ServiceError(service) if service.raw().status().is_success() => {
            (ErrorKind::Protocol, not_documented(service.raw().status().as_u16()))
        }
        SdkError::ServiceError(service) => return refused(service.err(), service.raw(), subject, needs),
        other => (ErrorKind::Transient, format!("{other}: {cause}")),
    };
    make(kind, detail)
}

/// Whether the connection ended before the body of an answer did. A body that breaks the rules of HTTP would do so again.
fn broke_off(error: &(dyn Error + 'static)) -> bool {
    use std::io::ErrorKind::{InvalidData, InvalidInput};
    let is_malformed = inside::<io::Error>(error).is_some_and(|io| matches!(io.kind(), InvalidData | InvalidInput));
    inside::<hyper::Error>(error).is_some() && !is_malformed
}

/// What the SDK's parser found wrong is the cause of the error, and says nothing to a user.
fn not_documented(status: u16) -> String {
    format!("the answer (status {status}) is not one that S3 documents")
}

/// A request without a response. `by_caller` marks one that the SDK refused to send.
fn not_sent(error: &(dyn Error + 'static), by_caller: bool, cause: &str, subject: &str) -> SourceError {
    let make = |kind, detail: String| SourceError::new(kind, subject, detail);
    let found = inside::<NoResponse>(error);
    let server = found.map_or("the server", |found| &found.server);
    let endpoint = || found.and_then(|found| found.endpoint.clone());
    if inside::<CredentialsError>(error).is_some() {
        make(ErrorKind::Credentials, format!("no usable credentials: {cause}"))
    } else if by_caller {
        make(ErrorKind::Invalid, format!("the request cannot be sent: {cause}"))
    } else if inside::<TlsAnswer>(error).is_some() {
        make(ErrorKind::Configuration, format!("{server} speaks TLS, and the endpoint is http://"))
            .with_advice(Advice::Tls { endpoint: endpoint() })
    } else if no_tls(error) {
        make(ErrorKind::Configuration, format!("{server} does not speak TLS, and the endpoint is https://"))
            .with_advice(Advice::PlainHttp { endpoint: endpoint() })
    } else if certificate_refused(error) {
        make(ErrorKind::Untrusted, format!("the certificate of {server} is not trusted: {cause}"))
            .with_advice(Advice::CaBundle)
    } else if inside::<OnlyInformed>(error).is_some() {
        make(ErrorKind::Protocol, format!("{server} does not answer: {cause}"))
    } else {
        match found {
            Some(found) => no_response(found, cause, subject),
            None => make(ErrorKind::Transient, format!("no connection: {cause}{}", by_proxy())),
        }
    }
}

/// A server that could not be reached, or that closed the connection.
fn no_response(found: &NoResponse, cause: &str, subject: &str) -> SourceError {
    let NoResponse { server, host, reached, endpoint, .. } = found;
    let why = found.no_connection();
    let said = match why {
        Some(NoConnection::UnknownName) => format!("no connection to {server}: the name {host} cannot be resolved"),
        Some(NoConnection::Refused) => format!("no connection to {server}: connection refused"),
        Some(NoConnection::NoRoute) => format!("no connection to {server}: no route to the host"),
        Some(NoConnection::TimedOut) => format!("no connection to {server}: it does not respond in time"),
        None => format!("no connection to {server}: {cause}"),
    };
    let kind = if why.is_some() && !reached { ErrorKind::Unreachable } else { ErrorKind::Transient };
    let error = SourceError::new(kind, subject, format!("{said}{}", by_proxy()));
    match (endpoint, Service::of_host(host)) {
        _ if *reached => error,
        (None, Service::Aws) => error.with_advice(Advice::CheckNetwork),
        (endpoint, _) => error.with_advice(Advice::CheckEndpoint { endpoint: endpoint.clone() }),
    }
}

/// A response with an error status.
fn refused<E: ProvideErrorMetadata>(error: &E, raw: &HttpResponse, subject: &str, needs: &str) -> SourceError {
    let (status, headers) = (raw.status().as_u16(), raw.headers());
    let code = code(error.code());
    if status == 400 && code.is_none() && wants_https(raw) {
        let detail = "the server expects TLS, and the endpoint is http://";
        let advice = Advice::Tls { endpoint: asked(raw) };
        return SourceError::new(ErrorKind::Configuration, subject, detail).with_advice(advice);
    }
    let message = said(error.message(), code.as_deref());
    let answer = Answer {
        code: code.as_deref().unwrap_or_default(),
        message: message.as_deref().unwrap_or_default(),
        status,
        region: headers.get("x-amz-bucket-region"),
        delete_marker: headers.get("x-amz-delete-marker") == Some("true"),
    };
    let (kind, mut detail) = answer.classify(needs);
    if matches!(kind, ErrorKind::Credentials | ErrorKind::Denied)
        && let Some(hint) = clock::hint(headers.get("date"), Timestamp::now())
    {
        detail = format!("{detail}; {hint}");
    }
    let advice = match kind {
        _ if answer.wants_customer_key() => Some(Advice::CustomerKey),
        // Who names the key of an object has found the object.
        ErrorKind::Denied if answer.is_of_kms_key() => Some(Advice::Allow),
        _ => advice(&kind, code.as_deref(), subject, needs, || asked(raw)),
    };
    let request_id = error.meta().request_id().or_else(|| headers.get("x-amz-request-id"));
    SourceError {
        code: code.map(String::into_boxed_str),
        request_id: request_id.map(Box::from),
        advice: advice.map(Box::new),
        ..SourceError::new(kind, subject, detail)
    }
}

/// The endpoint of a response, if a setting names it.
fn asked(raw: &HttpResponse) -> Option<NamedEndpoint> {
    raw.extension::<AskedEndpoint>().map(|asked| asked.0.clone())
}

/// What the user can do about a refused request; `None` if the message says it itself.
fn advice(
    kind: &ErrorKind,
    code: Option<&str>,
    subject: &str,
    needs: &str,
    asked: impl FnOnce() -> Option<NamedEndpoint>,
) -> Option<Advice> {
    match kind {
        ErrorKind::NotFound => match code {
            Some("NoSuchBucket") => Some(Advice::CheckBucket { endpoint: asked() }),
            Some("NoSuchVersion") => Some(Advice::CheckVersion),
            _ => match subject.parse::<ObjectUri>() {
                Ok(uri) => Some(Advice::CheckKey { bucket: uri.bucket }),
                // HeadBucket has no body that could name the code.
                Err(_) => (needs == "s3:ListBucket").then(|| Advice::CheckBucket { endpoint: asked() }),
            },
        },
        ErrorKind::Denied if needs.starts_with("s3:GetObject") => Some(Advice::AllowReading),
        ErrorKind::Denied => Some(Advice::Allow),
        ErrorKind::Archived => Some(Advice::RestoreFromArchive),
        ErrorKind::Credentials => {
            let refused = ["InvalidAccessKeyId", "SignatureDoesNotMatch", "InvalidClientTokenId", "AuthFailure"];
            code.filter(|code| refused.contains(code)).map(|_| Advice::CheckCredentials)
        }
        _ => None,
    }
}

/// Whether the server states, with status 404 and one of these codes, that a setting does not exist. Any other 404 may
/// come from a server that does not know the request.
pub(super) fn says_none(error: &SourceError, codes: &[&str]) -> bool {
    error.kind == ErrorKind::NotFound && error.code.as_deref().is_some_and(|code| codes.contains(&code))
}

/// Turns a 404 into a protocol error, because it does not state that the setting is absent. Other errors stay as they
/// are.
pub(super) fn not_none(error: SourceError) -> SourceError {
    if error.kind != ErrorKind::NotFound {
        return error;
    }
    let code = error.code.as_deref().unwrap_or("no code");
    let detail = format!("the server answers with status 404 and {code}, which does not say that none is set");
    SourceError { kind: ErrorKind::Protocol, detail, ..error }
}

/// The error for an unusable response with a success status.
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

/// The error for an error document with a success status; `error` itself if its code is not known.
pub(super) fn wrapped(code: &str, error: SourceError) -> SourceError {
    let kind = match code {
        "SlowDown" => ErrorKind::Throttled,
        "InternalError" | "ServiceUnavailable" => ErrorKind::Transient,
        _ => return error,
    };
    let detail = format!("the server answered with success and {code} inside");
    SourceError { kind, detail, code: Some(code.into()), ..error }
}

/// Whether a response says that the server expects TLS. nginx (its internal code 497), Apache and Go's net/http send
/// status 400 and a text or HTML page, without any code or header that says it.
fn wants_https(answer: &HttpResponse) -> bool {
    let text = answer.body().bytes().map(String::from_utf8_lossy).unwrap_or_default().to_ascii_lowercase();
    ["to an https server", "to https port", "ssl-enabled server port"].iter().any(|words| text.contains(words))
}
