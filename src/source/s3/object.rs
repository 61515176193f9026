use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use async_trait::async_trait;
use aws_sdk_s3::Client;
use aws_sdk_s3::types::{ChecksumMode, EncodingType, ObjectAttributes, RequestPayer};

use super::ask::{addressed, hear, with_key};
use super::bounded::About;
use super::context::{ObjectContext, told_state};
use super::error::{not_none, says_none, translate};
use super::head::{self, Head};
use super::headers::Headers;
use super::reply::{frames, reading};
use super::{Connection, listing, never, parse};
use crate::facts::{
    AttributeFacts, Encryption, Fact, FactsSource, LegalHold, LockFacts, LockMode, ObjectFacts, OwnerCheck, PartFacts,
    Walk,
};
use crate::ident::{ETag, ETagForm, ObjectId, ObjectIdentity, ObjectUri, Target, lasting_version};
use crate::progress::Call;
use crate::source::{Aside, Body, ErrorKind, ObjectSource, SourceError};
use crate::units::{ByteRange, PartNumber};

/// An object in S3 or in a compatible server.
#[derive(Clone)]
pub struct S3Object {
    /// Configuration and shared state.
    pub(super) connection: Connection,
    /// The client for the requests; [`fresh`](ObjectSource::fresh) replaces it.
    pub(super) client: Client,
    /// The address as given, with its version if it names one.
    pub(super) uri: ObjectUri,
    target: Target,
    /// What is learned about the object, shared by all clones.
    pub(super) standing: Arc<ObjectContext>,
}

impl Connection {
    /// An object over this connection.
    pub fn object(&self, uri: ObjectUri) -> S3Object {
        S3Object::new(self.clone(), uri)
    }
}

impl S3Object {
    /// The object at `uri`, accessed over `connection`.
    pub(super) fn new(connection: Connection, uri: ObjectUri) -> Self {
        let client = connection.client();
        let target = Target::Object(uri.clone());
        S3Object { connection, client, uri, target, standing: Arc::default() }
    }

    /// The address, for error messages.
    pub(super) fn subject(&self) -> String {
        self.uri.to_string()
    }

    /// The address for an identity: the pinned version, unless reading by version is not permitted.
    pub(super) fn at(&self, id: &ObjectId) -> ObjectUri {
        match &id.target {
            Target::Object(uri) if !self.standing.unpinned.load(Ordering::Relaxed) => uri.clone(),
            _ => self.uri.clone(),
        }
    }

    /// What is known of the object, to compare responses with.
    fn known(&self, id: &ObjectId) -> ObjectIdentity {
        ObjectIdentity { object_bytes: self.standing.size(), ..ObjectIdentity::of_etag(id.etag.clone()) }
    }

    /// Sends one HEAD, without retries.
    pub(super) async fn head_once(
        &self,
        uri: &ObjectUri,
        part: Option<PartNumber>,
        checksums: bool,
    ) -> Result<Headers, SourceError> {
        let request = with_key!(self, addressed!(self, self.client.head_object(), uri))
            .set_part_number(part.and_then(|part| i32::try_from(part.get()).ok()))
            .set_checksum_mode(checksums.then_some(ChecksumMode::Enabled));
        let (_, headers) =
            hear!(self, ObjectIdentity::default(), request, reading(uri)).map_err(|error| match error.kind {
                // No condition was sent, so none can have failed.
                ErrorKind::Changed => {
                    let detail = "the server refuses a HEAD without any condition as if one had failed (status 412)";
                    SourceError { kind: ErrorKind::Protocol, detail: detail.to_owned(), ..error }
                }
                _ => error,
            })?;
        Ok(headers)
    }

    async fn facts(&self, checksums: bool) -> Result<ObjectFacts, SourceError> {
        let headers = self.head_once(&self.uri, None, checksums).await?;
        let Head { facts, notes } = head::head_facts(&self.uri, &headers, checksums)?;
        let facts = ObjectFacts { service: self.connection.answers(), ..facts };
        notes.into_iter().for_each(|note| self.standing.note(note));
        if let Some(etag) = facts.id.etag.as_ref().filter(|etag| !etag.is_strong()) {
            let by = match lasting_version(facts.version.as_deref()) {
                Some(_) => "its version id",
                None => "its size and Last-Modified",
            };
            let note = format!("the ETag {etag} is weak and identifies nothing; every response is compared by {by}");
            self.standing.note(note);
        }
        self.standing.saw(told_state(&facts, &headers));
        Ok(facts)
    }

    /// Handles a failed request on an object whose HEAD succeeded. If the server does not support the request, it is
    /// not sent again for other objects of the bucket.
    fn unknown_here(&self, call: Call, mut error: SourceError) -> SourceError {
        // Some servers leave an unknown subresource out of the string to sign.
        if error.code.as_deref() == Some("SignatureDoesNotMatch") && self.standing.size().is_some() {
            error.kind = ErrorKind::Unsupported;
            error.detail =
                "the server does not know this request: it refuses its signature, and takes others".to_owned();
        }
        if error.kind == ErrorKind::Unsupported {
            self.connection.lacks.learn(&self.uri.bucket, call);
        }
        error
    }
}

#[async_trait]
impl ObjectSource for S3Object {
    fn target(&self) -> &Target {
        &self.target
    }

    async fn head(&self) -> Result<ObjectFacts, SourceError> {
        self.facts(true).await
    }

    /// Under KMS, checksum mode also requires kms:Decrypt; HEAD alone does not.
    async fn head_without_checksums(&self) -> Result<ObjectFacts, SourceError> {
        self.facts(false).await
    }

    async fn owner_check(&self) -> Option<(OwnerCheck, u64)> {
        self.probe_owner().await
    }

    /// A response to HEAD has no body that names the reason; the response to a failing GET of one byte has one.
    async fn explain(&self, error: SourceError) -> (SourceError, u64) {
        let status = self.standing.status();
        // A response to HEAD has no code; the SDK derives this one from the status.
        let vague = error.code.as_deref().is_none_or(|code| code == "NotFound");
        let refused = match error.kind {
            ErrorKind::NotFound | ErrorKind::Denied | ErrorKind::WrongRegion(None) | ErrorKind::Invalid => true,
            ErrorKind::Unsupported | ErrorKind::Throttled | ErrorKind::Transient | ErrorKind::Unreachable => {
                status.is_some_and(|status| status >= 400)
            }
            ErrorKind::Protocol => status == Some(416),
            _ => false,
        };
        if !(vague && refused) {
            return (error, 0);
        }
        let request = with_key!(self, addressed!(self, self.client.get_object(), self.uri)).range("bytes=0-0");
        let told = match hear!(self, ObjectIdentity::default(), request, reading(&self.uri)) {
            Ok(_) => return (error, 1),
            Err(told) => told,
        };
        // An error that concerns only the range of one byte explains nothing.
        let other = match told.kind {
            ErrorKind::Archived => error.kind != ErrorKind::Denied,
            ErrorKind::Protocol => status != Some(416),
            _ => told.is_transient() && !error.is_transient(),
        };
        let of_range = told.code.as_deref() == Some("InvalidRange") && status != Some(416);
        if other || of_range { (error, 1) } else { (told, 1) }
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
            if marker.is_some() {
                self.standing.asked_more();
            }
            let (out, _) = hear!(self, self.known(id), request, needs)
                .map_err(|error| self.unknown_here(Call::Attributes, error))?;
            let last = |facts: &AttributeFacts| facts.parts.iter().map(|part| part.number).max();
            let before = last(&facts);
            parse::add_attributes(&mut facts, &out, multipart, &self.subject())?;
            let parts = out.object_parts();
            let next = parts.filter(|p| p.is_truncated() == Some(true)).and_then(|p| p.next_part_number_marker());
            match next {
                // A page that goes no further would be requested again forever.
                Some(next) if last(&facts) > before && facts.parts.len() < PartNumber::MAX as usize => {
                    marker = Some(next.to_owned());
                }
                _ => return Ok(facts),
            }
        }
    }

    async fn part(&self, id: &ObjectId, number: PartNumber) -> Result<PartFacts, SourceError> {
        // Sent without If-Match: some servers answer with the ETag of the part.
        let headers = self.head_once(&self.at(id), Some(number), true).await?;
        head::part_facts(number, &headers, &self.subject())
    }

    async fn tags(&self, id: &ObjectId) -> Result<BTreeMap<String, String>, SourceError> {
        let uri = self.at(id);
        let needs = if uri.version.is_some() { "s3:GetObjectVersionTagging" } else { "s3:GetObjectTagging" };
        let request = addressed!(self, self.client.get_object_tagging(), uri);
        let out = match hear!(self, self.known(id), request, needs) {
            Ok((out, _)) => out,
            Err(error) if says_none(&error, &["NoSuchTagSet"]) => return Ok(BTreeMap::new()),
            Err(error) => return Err(self.unknown_here(Call::Tags, not_none(error))),
        };
        let mut tags = BTreeMap::new();
        for tag in out.tag_set() {
            if tags.insert(tag.key().to_owned(), tag.value().to_owned()).is_some() {
                let detail = format!("the answer has the tag `{}` twice", tag.key());
                return Err(SourceError::new(ErrorKind::Protocol, self.subject(), detail));
            }
        }
        Ok(tags)
    }

    async fn lock(&self, id: &ObjectId) -> Result<LockFacts, SourceError> {
        let uri = self.at(id);
        let none = |error: &SourceError| {
            // A bucket without Object Lock. S3 sends status 400, the code `InvalidRequest`, which it also uses for
            // other things, and "Bucket is missing Object Lock Configuration"; no code says it. If the text is not
            // recognised, the lock is reported as unknown, never as absent.
            let not_here = error.code.as_deref() == Some("InvalidRequest")
                && error.kind == ErrorKind::Invalid
                && error.detail.to_ascii_lowercase().replace(' ', "").contains("missingobjectlock");
            not_here || says_none(error, &["NoSuchObjectLockConfiguration", "ObjectLockConfigurationNotFoundError"])
        };
        let mut facts = LockFacts::default();
        let request = addressed!(self, self.client.get_object_retention(), uri);
        match hear!(self, self.known(id), request, "s3:GetObjectRetention") {
            Ok((out, _)) => {
                let retention = out.retention();
                facts.mode = retention.and_then(|r| r.mode()).map(|mode| LockMode::of(mode.as_str()));
                facts.retain_until = retention.and_then(|r| r.retain_until_date()).map(parse::lock_end);
            }
            Err(error) if none(&error) => {}
            Err(error) => return Err(self.unknown_here(Call::Lock, not_none(error))),
        }
        self.standing.asked_more();
        let request = addressed!(self, self.client.get_object_legal_hold(), uri);
        match hear!(self, self.known(id), request, "s3:GetObjectLegalHold") {
            Ok((out, _)) => {
                facts.legal_hold = out.legal_hold().and_then(|hold| hold.status()).map(|s| LegalHold::of(s.as_str()));
            }
            Err(error) if none(&error) => {}
            Err(error) => return Err(self.unknown_here(Call::Lock, not_none(error))),
        }
        Ok(facts)
    }

    async fn find(&self) -> Result<Option<ObjectFacts>, SourceError> {
        let options = &self.connection.options;
        let (subject, key) = (self.subject(), &self.uri.key);
        let request = self
            .client
            .list_objects_v2()
            .bucket(&self.uri.bucket)
            .prefix(key)
            .max_keys(1)
            .encoding_type(EncodingType::Url)
            .set_request_payer(options.request_payer.then_some(RequestPayer::Requester))
            .set_expected_bucket_owner(options.expected_bucket_owner.clone());
        let wrong = |detail: String| SourceError::new(ErrorKind::Protocol, &subject, detail);
        // Keys are listed in order, so an exact match is the first with its prefix.
        let mut walk = Walk::new(&self.uri.bucket, key);
        let page = walk.take(listing::page(request, &subject).await?).map_err(wrong)?;
        if let Some(odd) = page.odd.iter().find(|odd| odd.key == *key) {
            return Err(wrong(odd.why.clone()));
        }
        let Some(found) = page.objects.into_iter().find(|found| found.key == *key) else { return Ok(None) };
        let size = found.size.ok_or_else(|| wrong("the listing states no size of it".to_owned()))?;
        let id = ObjectId { target: self.target.clone(), etag: found.etag };
        Ok(Some(ObjectFacts {
            last_modified: found.modified,
            checksums: Fact::NotPermitted { needs: "s3:GetObject" },
            storage_class: found.storage_class,
            encryption: Encryption::Other("a kind that a listing does not tell".to_owned()),
            ..ObjectFacts::new(id, FactsSource::ListObjectsV2, size)
        }))
    }

    async fn read(&self, id: &ObjectId, size: u64, range: ByteRange) -> Result<Body, SourceError> {
        let uri = self.at(id);
        let chosen_by_us = uri.version.is_some() && self.uri.version.is_none();
        let body = match self.read_checked(&uri, id, size, range).await {
            // Reading by version requires another permission. If-Match pins the bytes without it.
            Err(error)
                if error.kind == ErrorKind::Denied && chosen_by_us && id.etag.as_ref().is_some_and(ETag::is_strong) =>
            {
                self.standing.asked_more();
                let body = self.read_checked(&self.uri, id, size, range).await?;
                self.standing.unpinned.store(true, Ordering::Relaxed);
                body
            }
            other => other?,
        };
        Ok(frames(body, self.subject()))
    }

    fn lacks(&self, call: Call) -> Option<SourceError> {
        let never = never::object(&self.uri, self.connection.has_own_endpoint());
        never.or_else(|| {
            let known = self.connection.lacks.knows(&self.uri.bucket, call);
            known.then(|| SourceError::new(ErrorKind::Unsupported, &self.uri, "the server does not know this request"))
        })
    }

    fn aside(&self) -> Aside {
        self.standing.take_aside()
    }

    fn notes(&self) -> Vec<String> {
        self.standing.take_notes()
    }

    fn reads_are_pinned(&self) -> bool {
        !self.standing.unnamed.load(Ordering::Relaxed)
    }

    fn fresh(&self) -> Arc<dyn ObjectSource> {
        Arc::new(S3Object { client: self.connection.fresh_client(), ..self.clone() })
    }
}
