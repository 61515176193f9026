use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use aws_sdk_s3::Client;
use aws_sdk_s3::operation::head_object::HeadObjectOutput;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{ChecksumMode, ObjectAttributes, RequestPayer};
use futures_util::stream;

use super::error::{root_cause, translate};
use super::{Connection, parse};
use crate::facts::{
    AttributeFacts, Encryption, Fact, LockFacts, ObjectFacts, OwnerCheck, PartFacts, ReplyHead, ReplyProblem,
    check_reply,
};
use crate::ident::{ETag, ETagForm, ObjectId, ObjectUri, Target};
use crate::source::{Body, ErrorKind, ObjectSource, SourceError};
use crate::units::{ByteRange, PartNumber};

/// One object in S3.
#[derive(Clone)]
pub struct S3Object {
    pub(super) connection: Connection,
    pub(super) client: Client,
    pub(super) uri: ObjectUri,
    target: Target,
    /// Set when reading by version turned out not to be permitted.
    unpinned: Arc<AtomicBool>,
}

/// Sets what every request on an object carries.
macro_rules! addressed {
    ($self:ident, $request:expr, $uri:expr) => {{
        let options = &$self.connection.options;
        $request
            .bucket(&$uri.bucket)
            .key(&$uri.key)
            .set_version_id($uri.version.clone())
            .set_request_payer(options.request_payer.then_some(RequestPayer::Requester))
            .set_expected_bucket_owner(options.expected_bucket_owner.clone())
    }};
}

/// Adds the customer key where there is one.
macro_rules! with_key {
    ($self:ident, $request:expr) => {{
        let key = $self.connection.options.customer_key.as_ref();
        $request
            .set_sse_customer_algorithm(key.map(|_| "AES256".to_owned()))
            .set_sse_customer_key(key.map(|key| key.key.clone()))
            .set_sse_customer_key_md5(key.map(|key| key.md5.clone()))
    }};
}

impl S3Object {
    pub(super) fn new(connection: Connection, uri: ObjectUri) -> Self {
        let client = connection.client();
        let target = Target::Object(uri.clone());
        S3Object { connection, client, uri, target, unpinned: Arc::default() }
    }

    fn subject(&self) -> String {
        self.uri.to_string()
    }

    /// The address under an identity: the pinned version, where that may be used.
    fn at(&self, id: &ObjectId) -> ObjectUri {
        match &id.target {
            Target::Object(uri) if !self.unpinned.load(Ordering::Relaxed) => uri.clone(),
            _ => self.uri.clone(),
        }
    }

    async fn head_once(
        &self,
        uri: &ObjectUri,
        part: Option<PartNumber>,
        checksums: bool,
    ) -> Result<HeadObjectOutput, SourceError> {
        let request = with_key!(self, addressed!(self, self.client.head_object(), uri))
            .set_part_number(part.and_then(|part| i32::try_from(part.get()).ok()))
            .set_checksum_mode(checksums.then_some(ChecksumMode::Enabled));
        let needs = if uri.version.is_some() { "s3:GetObjectVersion" } else { "s3:GetObject" };
        request.send().await.map_err(|error| translate(&error, &self.subject(), needs))
    }

    async fn read_at(
        &self,
        uri: &ObjectUri,
        id: &ObjectId,
        size: u64,
        range: ByteRange,
    ) -> Result<ByteStream, SourceError> {
        let request = with_key!(self, addressed!(self, self.client.get_object(), uri))
            .set_range(range.http_header())
            .set_if_match(id.etag.as_ref().map(ETag::quoted));
        let needs = if uri.version.is_some() { "s3:GetObjectVersion" } else { "s3:GetObject" };
        let out = request.send().await.map_err(|error| {
            let busy = error.raw_response().is_some_and(|answer| answer.status().as_u16() == 503);
            let mut error = translate(&error, &self.subject(), needs);
            // A read does no harm twice, so any 503 may be taken as a wish for fewer of them.
            if busy && error.kind == ErrorKind::Transient {
                error.kind = ErrorKind::Throttled;
            }
            error
        })?;
        let head = ReplyHead {
            partial: out.content_range().is_some(),
            content_range: out.content_range().map(str::to_owned),
            content_length: out.content_length().and_then(|length| u64::try_from(length).ok()),
            etag: out.e_tag().map(ETag::new),
        };
        match check_reply(&head, range, size, id.etag.as_ref()) {
            Ok(()) => Ok(out.body),
            Err(problem) => Err(self.misfit(problem, out.body).await),
        }
    }

    /// An answer that does not fit. Some servers wrap an error into a success.
    async fn misfit(&self, problem: ReplyProblem, body: ByteStream) -> SourceError {
        let kind = match problem {
            ReplyProblem::Changed { .. } => ErrorKind::Changed,
            _ => ErrorKind::Protocol,
        };
        let error = SourceError::new(kind, self.subject(), problem.to_string());
        let said = tokio::time::timeout(self.connection.options.patience(), wrapped_error(body)).await;
        match said.ok().flatten() {
            Some(code) if matches!(code.as_str(), "SlowDown" | "InternalError" | "ServiceUnavailable") => {
                let detail = format!("the server answered with success and {code} inside");
                let kind = if code == "SlowDown" { ErrorKind::Throttled } else { ErrorKind::Transient };
                SourceError { kind, detail, code: Some(code), ..error }
            }
            _ => error,
        }
    }
}

/// The code of an error document in the first bytes of a body, if it is one.
async fn wrapped_error(mut body: ByteStream) -> Option<String> {
    const ENOUGH: usize = 16 << 10;
    let mut start = Vec::new();
    while start.len() < ENOUGH {
        match body.next().await {
            Some(Ok(frame)) => start.extend_from_slice(&frame),
            _ => break,
        }
    }
    let text = std::str::from_utf8(&start).ok()?;
    let (_, document) = text.split_once("<Error>")?;
    let (_, code) = document.split_once("<Code>")?;
    code.split_once("</Code>").map(|(code, _)| code.trim().to_owned())
}

#[async_trait]
impl ObjectSource for S3Object {
    fn target(&self) -> &Target {
        &self.target
    }

    async fn head(&self) -> Result<ObjectFacts, SourceError> {
        parse::head_facts(&self.uri, &self.head_once(&self.uri, None, true).await?, true)
    }

    /// Under KMS, checksum mode also takes kms:Decrypt; HEAD alone does not.
    async fn head_without_checksums(&self) -> Result<ObjectFacts, SourceError> {
        parse::head_facts(&self.uri, &self.head_once(&self.uri, None, false).await?, false)
    }

    async fn owner_check(&self) -> Option<(OwnerCheck, u64)> {
        self.probe_owner().await
    }

    /// Answers to HEAD have no body to say what is wrong; a listing that fails has one.
    async fn explain(&self, error: SourceError) -> (SourceError, u64) {
        let vague = matches!(
            error.kind,
            ErrorKind::NotFound | ErrorKind::Denied | ErrorKind::WrongRegion(None) | ErrorKind::Invalid
        );
        if !vague || error.detail.contains("delete marker") {
            return (error, 0);
        }
        let request = self
            .client
            .list_objects_v2()
            .bucket(&self.uri.bucket)
            .prefix(&self.uri.key)
            .max_keys(1)
            .set_request_payer(self.connection.options.request_payer.then_some(RequestPayer::Requester))
            .set_expected_bucket_owner(self.connection.options.expected_bucket_owner.clone());
        match request.send().await.map_err(|answer| translate(&answer, &self.subject(), "s3:ListBucket")) {
            Err(told) if matches!(told.kind, ErrorKind::Credentials | ErrorKind::WrongRegion(_)) => (told, 1),
            Err(told) if told.code.as_deref() == Some("NoSuchBucket") => (told, 1),
            _ => (error, 1),
        }
    }

    async fn attributes(&self, id: &ObjectId) -> Result<AttributeFacts, SourceError> {
        let multipart = matches!(id.etag.as_ref().map(ETag::form), Some(ETagForm::Multipart { .. }));
        let uri = self.at(id);
        let mut facts = AttributeFacts::default();
        let mut marker: Option<String> = None;
        loop {
            let request = with_key!(self, addressed!(self, self.client.get_object_attributes(), uri))
                .object_attributes(ObjectAttributes::Etag)
                .object_attributes(ObjectAttributes::Checksum)
                .object_attributes(ObjectAttributes::ObjectParts)
                .object_attributes(ObjectAttributes::ObjectSize)
                .max_parts(1000)
                .set_part_number_marker(marker.clone());
            let needs = match uri.version {
                Some(_) => "s3:GetObjectVersion and s3:GetObjectVersionAttributes",
                None => "s3:GetObject and s3:GetObjectAttributes",
            };
            let out = request.send().await.map_err(|error| translate(&error, &self.subject(), needs))?;
            let before = facts.parts.len();
            parse::add_attributes(&mut facts, &out, multipart, &self.subject())?;
            let parts = out.object_parts();
            let next = parts.filter(|p| p.is_truncated() == Some(true)).and_then(|p| p.next_part_number_marker());
            match next {
                // A page that brings nothing would be asked for again for ever.
                Some(next) if facts.parts.len() > before && facts.parts.len() < PartNumber::MAX as usize => {
                    marker = Some(next.to_owned());
                }
                _ => return Ok(facts),
            }
        }
    }

    async fn part(&self, id: &ObjectId, number: PartNumber) -> Result<PartFacts, SourceError> {
        // Without If-Match: some servers answer with the ETag of the part.
        let out = self.head_once(&self.at(id), Some(number), true).await?;
        parse::part_facts(number, &out, &self.subject())
    }

    async fn tags(&self, id: &ObjectId) -> Result<BTreeMap<String, String>, SourceError> {
        let uri = self.at(id);
        let needs = if uri.version.is_some() { "s3:GetObjectVersionTagging" } else { "s3:GetObjectTagging" };
        let out = addressed!(self, self.client.get_object_tagging(), uri)
            .send()
            .await
            .map_err(|error| translate(&error, &self.subject(), needs))?;
        Ok(out.tag_set().iter().map(|tag| (tag.key().to_owned(), tag.value().to_owned())).collect())
    }

    async fn lock(&self, id: &ObjectId) -> Result<LockFacts, SourceError> {
        let uri = self.at(id);
        let none = |error: &SourceError| {
            matches!(
                error.code.as_deref(),
                Some("NoSuchObjectLockConfiguration" | "ObjectLockConfigurationNotFoundError" | "InvalidRequest")
            )
        };
        let mut facts = LockFacts::default();
        let retention = addressed!(self, self.client.get_object_retention(), uri).send().await;
        match retention.map_err(|error| translate(&error, &self.subject(), "s3:GetObjectRetention")) {
            Ok(out) => {
                let retention = out.retention();
                facts.mode = retention.and_then(|r| r.mode()).map(|mode| mode.as_str().to_owned());
                facts.retain_until = retention.and_then(|r| r.retain_until_date()).and_then(parse::timestamp);
            }
            Err(error) if none(&error) => {}
            Err(error) => return Err(error),
        }
        let hold = addressed!(self, self.client.get_object_legal_hold(), uri).send().await;
        match hold.map_err(|error| translate(&error, &self.subject(), "s3:GetObjectLegalHold")) {
            Ok(out) => {
                facts.legal_hold = out.legal_hold().and_then(|hold| hold.status()).map(|s| s.as_str().to_owned());
            }
            Err(error) if none(&error) => {}
            Err(error) => return Err(error),
        }
        Ok(facts)
    }

    async fn find(&self) -> Result<Option<ObjectFacts>, SourceError> {
        let options = &self.connection.options;
        let out = self
            .client
            .list_objects_v2()
            .bucket(&self.uri.bucket)
            .prefix(&self.uri.key)
            .max_keys(1)
            .set_request_payer(options.request_payer.then_some(RequestPayer::Requester))
            .set_expected_bucket_owner(options.expected_bucket_owner.clone())
            .send()
            .await
            .map_err(|error| translate(&error, &self.subject(), "s3:ListBucket"))?;
        // Keys come in order, so an exact match is the first of its prefix.
        let Some(found) = out.contents().first().filter(|found| found.key() == Some(&self.uri.key)) else {
            return Ok(None);
        };
        let id = ObjectId { target: self.target.clone(), etag: found.e_tag().map(ETag::new) };
        Ok(Some(ObjectFacts {
            last_modified: found.last_modified().and_then(parse::timestamp),
            checksums: Fact::NotPermitted { needs: "s3:GetObject" },
            storage_class: found.storage_class().map(|class| class.as_str().to_owned()),
            encryption: Encryption::Other("a kind that a listing does not tell".to_owned()),
            ..ObjectFacts::new(id, "ListObjectsV2", parse::size(found.size(), &self.subject())?)
        }))
    }

    async fn read(&self, id: &ObjectId, size: u64, range: ByteRange) -> Result<Body, SourceError> {
        let uri = self.at(id);
        let chosen_by_us = uri.version.is_some() && self.uri.version.is_none();
        let body = match self.read_at(&uri, id, size, range).await {
            // Naming a version takes another permission. If-Match pins the bytes without it.
            Err(error) if error.kind == ErrorKind::Denied && chosen_by_us && id.etag.is_some() => {
                let body = self.read_at(&self.uri, id, size, range).await?;
                self.unpinned.store(true, Ordering::Relaxed);
                body
            }
            other => other?,
        };
        let subject = self.subject();
        Ok(Box::pin(stream::unfold((body, subject), |(mut body, subject)| async move {
            let frame = body.next().await?.map_err(|error| {
                SourceError::new(ErrorKind::Transient, &subject, format!("the body broke off: {}", root_cause(&error)))
            });
            Some((frame, (body, subject)))
        })))
    }

    fn fresh(&self) -> Arc<dyn ObjectSource> {
        Arc::new(S3Object { client: self.connection.fresh_client(), ..self.clone() })
    }
}
