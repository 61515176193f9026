//! Objects that are read by presigned URLs: with GET only, without credentials, and without headers that the URL does
//! not sign.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use aws_sdk_s3::Client;
use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::config::interceptors::BeforeTransmitInterceptorContextMut;
use aws_sdk_s3::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_s3::error::BoxError;
use aws_sdk_s3::primitives::ByteStream;
use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use jiff::Timestamp;

use super::bounded::About;
use super::context::{ObjectContext, denies, told_state};
use super::error::translate;
use super::head::{self, Head};
use super::headers::Headers;
use super::reply::{frames, may_slow_down, misfit, reply_head};
use super::{Connection, parse};
use crate::facts::{
    AttributeFacts, ContentRange, Fact, FactsSource, LockFacts, ObjectFacts, PartFacts, Service, check_reply,
};
use crate::ident::{ETag, ObjectId, ObjectIdentity, PresignedUrl, Target};
use crate::progress::Call;
use crate::source::{Aside, Body, ErrorKind, ObjectSource, SourceError};
use crate::units::{ByteRange, PartNumber};

/// An object that a presigned URL lets anyone read.
#[derive(Clone)]
pub struct PresignedObject {
    connection: Connection,
    client: Client,
    url: Arc<PresignedUrl>,
    /// The object without the URL, as it stands in reports and files.
    target: Target,
    standing: Arc<ObjectContext>,
}

impl Connection {
    /// An object that is read by a presigned URL. Credentials and endpoint of the connection are not used.
    pub fn presigned(&self, url: PresignedUrl) -> PresignedObject {
        PresignedObject {
            client: self.client(),
            connection: self.clone(),
            target: Target::Object(url.object().clone()),
            url: Arc::new(url),
            standing: Arc::default(),
        }
    }
}

/// A failed request, and the status of its response.
struct Failed {
    error: SourceError,
    status: Option<u16>,
}

impl PresignedObject {
    fn subject(&self) -> String {
        self.url.object().to_string()
    }

    /// Sends one GET by the URL. `If-Match` needs no signature: S3 demands one of `host` and `x-amz-*` only (AWS
    /// General Reference, *Create a signed AWS API request*).
    async fn get(&self, range: Option<String>, etag: Option<&ETag>) -> Result<(ByteStream, Headers), Failed> {
        // The address is replaced before the request is sent; the SDK demands one.
        let request = self.client.get_object().bucket("presigned").key("object").set_range(range);
        let request = request.set_if_match(etag.and_then(ETag::if_match));
        let about = About::new(ObjectIdentity::default());
        let sent = request.customize().interceptor(about.clone()).interceptor(AsSigned(Arc::clone(&self.url)));
        let answer = sent.send().await;
        let heard = about.heard();
        self.standing.heard(&heard);
        match answer {
            Ok(answer) => Ok((answer.body, heard.headers)),
            Err(error) => {
                let status = error.raw_response().map(|answer| answer.status().as_u16());
                let date = error.raw_response().and_then(date);
                let error = may_slow_down(translate(error, &self.subject(), "s3:GetObject"), status);
                Err(Failed { error: self.refused(error, date), status })
            }
        }
    }

    /// The meaning of an error for a presigned URL, whose holder has no permissions and no credentials of their own.
    fn refused(&self, error: SourceError, server: Option<Timestamp>) -> SourceError {
        let code = error.code.as_deref().unwrap_or_default();
        let now = server.unwrap_or_else(Timestamp::now);
        let (kind, detail) = match &error.kind {
            ErrorKind::Denied | ErrorKind::Credentials => match self.url.expires().filter(|end| *end <= now) {
                Some(end) => (
                    ErrorKind::Expired,
                    format!("the presigned URL expired at {end}; make a new one, and run again with it"),
                ),
                None if code == "ExpiredToken" => (
                    ErrorKind::Expired,
                    "the session token in the presigned URL has expired; make a new one, and run again with it".to_owned(),
                ),
                None if code == "SignatureDoesNotMatch" => (
                    ErrorKind::Invalid,
                    "the server refuses the signature of the presigned URL; give the whole URL in quotes, signed for GET"
                        .to_owned(),
                ),
                None => (
                    ErrorKind::Invalid,
                    "the server refuses the presigned URL; its signer needs s3:GetObject, and the URL must be signed for GET"
                        .to_owned(),
                ),
            },
            ErrorKind::WrongRegion(region) => {
                let region = region.as_deref().map_or(String::new(), |region| format!(" {region}"));
                let detail = format!(
                    "the presigned URL is for another Region, and redirects are not followed; make one for the bucket's Region{region}"
                );
                (ErrorKind::Invalid, detail)
            }
            _ => return error,
        };
        SourceError { kind, detail, ..error }
    }

    /// Headers of the object, with its size: by the whole object if the URL asks for checksums, which S3 sends with
    /// nothing less, and else by its first byte.
    async fn describe(&self) -> Result<(Headers, u64, bool), SourceError> {
        let whole = self.url.asks_checksums();
        let range = (!whole).then(|| "bytes=0-0".to_owned());
        let headers = match self.get(range, None).await {
            Ok((_, headers)) => headers,
            // No range fits an object without bytes.
            Err(Failed { status: Some(416), error }) if !whole => {
                self.standing.asked_more();
                let (_, headers) = self.get(None, None).await.map_err(|failed| failed.error)?;
                let size = head::length(&headers, &self.subject())?;
                return if size == 0 { Ok((headers, 0, true)) } else { Err(error) };
            }
            Err(failed) => return Err(failed.error),
        };
        let Some(range) = headers.joined("content-range") else {
            let size = head::length(&headers, &self.subject())?;
            return Ok((headers, size, true));
        };
        let total = range.parse::<ContentRange>().ok().filter(|_| !whole);
        let total = total.filter(|stated| Some(stated.range) == ByteRange::new(0, 1)).and_then(|stated| stated.total);
        match total {
            Some(size) => Ok((headers, size, false)),
            None => {
                let detail = format!("the server states no usable size (Content-Range `{range}`)");
                Err(SourceError::new(ErrorKind::Protocol, self.subject(), detail))
            }
        }
    }

    /// Why a response cannot be shown to be of the inspected object.
    fn moved(&self, id: &ObjectId, stated: Option<&ETag>, headers: &Headers) -> Option<String> {
        match &id.etag {
            Some(etag) if etag.is_strong() => {
                stated.is_none().then(|| "an answer without an ETag, where an earlier one has one".to_owned())
            }
            _ => self.standing.state_of(id).and_then(|state| denies(&state, headers)),
        }
    }

    /// The facts without headers that the URL replaces, which tell nothing of the object.
    fn without_replaced(&self, mut facts: ObjectFacts) -> ObjectFacts {
        for name in self.url.replaced_headers() {
            let field = match *name {
                "cache-control" => &mut facts.headers.cache_control,
                "content-disposition" => &mut facts.headers.content_disposition,
                "content-encoding" => &mut facts.headers.content_encoding,
                "content-language" => &mut facts.headers.content_language,
                "content-type" => &mut facts.content_type,
                _ => &mut facts.headers.expires,
            };
            *field = None;
            self.standing.note(format!("the presigned URL replaces {name}; what the object has is not known"));
        }
        facts
    }

    fn only_get(&self) -> SourceError {
        SourceError::new(ErrorKind::Unsupported, self.subject(), "a presigned URL allows GET of the bytes only")
    }
}

/// The time of a response by the server's clock, which decides whether a URL has expired.
fn date(answer: &HttpResponse) -> Option<Timestamp> {
    let date = DateTime::from_str(answer.headers().get("date")?, Format::HttpDate).ok()?;
    parse::timestamp(&date)
}

/// Sends a request to the presigned URL as it stands. S3 refuses `x-amz-*` headers that are not signed.
#[derive(Debug)]
struct AsSigned(Arc<PresignedUrl>);

#[aws_smithy_runtime_api::client::interceptors::dyn_dispatch_hint]
impl Intercept for AsSigned {
    fn name(&self) -> &'static str {
        "AsSigned"
    }

    fn modify_before_transmit(
        &self,
        context: &mut BeforeTransmitInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let request = context.request_mut();
        let foreign =
            |name: &str| name.starts_with("x-amz-") || name.starts_with("amz-sdk-") || name == "authorization";
        let names: Vec<String> = request.headers().iter().map(|(name, _)| name.to_ascii_lowercase()).collect();
        names.into_iter().filter(|name| foreign(name)).for_each(|name| drop(request.headers_mut().remove(name)));
        if self.0.has_checksum_header() {
            request.headers_mut().insert("x-amz-checksum-mode", "ENABLED");
        }
        // The error would contain the URL.
        request.set_uri(self.0.secret()).map_err(|_| "the presigned URL is not a valid address".into())
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl ObjectSource for PresignedObject {
    fn target(&self) -> &Target {
        &self.target
    }

    async fn head(&self) -> Result<ObjectFacts, SourceError> {
        let (headers, size, whole) = self.describe().await?;
        let Head { facts, notes } = head::facts_of(self.url.object(), &headers, size, true);
        let checksums = match facts.checksums {
            Fact::Known { value, .. } if whole => Fact::Known { value, source: "GetObject" },
            _ if self.url.asks_checksums() => Fact::Absent { source: "GetObject" },
            _ => Fact::Unavailable {
                because: "a presigned URL gives stored checksums only if it is signed with x-amz-checksum-mode"
                    .to_owned(),
            },
        };
        let facts = ObjectFacts {
            checksums,
            // With a range, the checksums may be those of a part.
            unreadable_checksums: if whole { facts.unreadable_checksums } else { Vec::new() },
            source: FactsSource::GetObject,
            service: Service::of_host(self.url.host()),
            ..facts
        };
        notes.into_iter().for_each(|note| self.standing.note(note));
        let facts = self.without_replaced(facts);
        self.standing.saw(told_state(&facts, &headers));
        Ok(facts)
    }

    async fn head_without_checksums(&self) -> Result<ObjectFacts, SourceError> {
        self.head().await
    }

    async fn explain(&self, error: SourceError) -> (SourceError, u64) {
        (error, 0)
    }

    async fn owner_check(&self) -> Option<(crate::facts::OwnerCheck, u64)> {
        None
    }

    async fn attributes(&self, _: &ObjectId) -> Result<AttributeFacts, SourceError> {
        Err(self.only_get())
    }

    async fn part(&self, _: &ObjectId, _: PartNumber) -> Result<PartFacts, SourceError> {
        Err(self.only_get())
    }

    async fn tags(&self, _: &ObjectId) -> Result<BTreeMap<String, String>, SourceError> {
        Err(self.only_get())
    }

    async fn lock(&self, _: &ObjectId) -> Result<LockFacts, SourceError> {
        Err(self.only_get())
    }

    async fn find(&self) -> Result<Option<ObjectFacts>, SourceError> {
        Err(self.only_get())
    }

    async fn read(&self, id: &ObjectId, size: u64, range: ByteRange) -> Result<Body, SourceError> {
        let (body, headers) = self.get(range.http_header(), id.etag.as_ref()).await.map_err(|failed| failed.error)?;
        let subject = self.subject();
        let stated = reply_head(&headers, &subject)?;
        if let Err(problem) = check_reply(&stated, range, size, id.etag.as_ref()) {
            return Err(misfit(problem, body, subject, self.connection.options.patience()).await);
        }
        match self.moved(id, stated.etag.as_ref(), &headers) {
            None => Ok(frames(body, subject)),
            Some(detail) => Err(SourceError::new(ErrorKind::Changed, subject, detail)),
        }
    }

    fn lacks(&self, call: Call) -> Option<SourceError> {
        (!matches!(call, Call::Head | Call::Read)).then(|| self.only_get())
    }

    fn aside(&self) -> Aside {
        self.standing.take_aside()
    }

    fn notes(&self) -> Vec<String> {
        self.standing.take_notes()
    }

    fn reads_are_pinned(&self) -> bool {
        false
    }

    fn fresh(&self) -> Arc<dyn ObjectSource> {
        Arc::new(PresignedObject { client: self.connection.fresh_client(), ..self.clone() })
    }
}
