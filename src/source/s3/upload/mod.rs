//! Writing one object: multipart uploads, and objects in one request.

mod begun;
mod body;
mod checksums;

use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_s3::Client;
use aws_sdk_s3::config::RequestChecksumCalculation;
use aws_sdk_s3::types::{
    CompletedMultipartUpload, ObjectLockLegalHoldStatus, RequestPayer, ServerSideEncryption, StorageClass,
};
use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use url::form_urlencoded;

use self::body::Sent;
use self::checksums::with_checksum;
use super::ask::with_key;
use super::bounded::About;
use super::error::translate;
use super::{Connection, S3Options, SseCustomerKey};
use crate::checksum::{Algorithm, Digest};
use crate::copy::UploadChecksum;
use crate::facts::Service;
use crate::ident::{ETag, ObjectIdentity, ObjectUri};
use crate::source::{
    Body, Completion, CopyFrom, ErrorKind, NewObject, PartBody, PartReceipt, PutConditions, SourceError, UploadService,
    Written,
};
use crate::units::{ByteRange, PartNumber};

/// An upload in which nothing moves for this long has failed.
const STALL: Duration = Duration::from_secs(60);
/// Time limit for CompleteMultipartUpload, which takes minutes with thousands of parts (S3 API Reference).
const COMPLETION: Duration = Duration::from_secs(15 * 60);
/// Maximum number of pages of ListParts: 10,000 parts in pages of at most 1,000. Servers may send smaller ones.
const MOST_PAGES: usize = 1_000;

/// Writes an object in S3 or in a compatible server.
#[derive(Clone)]
pub struct S3Upload {
    connection: Connection,
    client: Client,
    uri: ObjectUri,
    source: SourceHeaders,
}

/// Headers about an object that the server copies from.
#[derive(Clone, Default)]
struct SourceHeaders {
    expected_owner: Option<String>,
    customer_key: Option<SseCustomerKey>,
}

impl Connection {
    /// Writes an object over this connection. A version in the URI is ignored.
    pub fn upload(&self, uri: &ObjectUri) -> S3Upload {
        let source = SourceHeaders::default();
        S3Upload { client: self.upload_client(), connection: self.clone(), uri: uri.at_version(None), source }
    }
}

/// Sets the fields that every request on an upload has.
macro_rules! addressed {
    ($self:ident, $request:expr) => {{
        let options = &$self.connection.options;
        $request
            .bucket(&$self.uri.bucket)
            .key(&$self.uri.key)
            .set_request_payer(options.request_payer.then_some(RequestPayer::Requester))
            .set_expected_bucket_owner(options.expected_bucket_owner.clone())
    }};
}

/// Sets the properties of a new object.
macro_rules! with_properties {
    ($request:expr, $new:expr) => {{
        let new: &NewObject = $new;
        $request
            .set_content_type(new.content_type.clone())
            .set_content_encoding(new.headers.content_encoding.clone())
            .set_content_disposition(new.headers.content_disposition.clone())
            .set_content_language(new.headers.content_language.clone())
            .set_cache_control(new.headers.cache_control.clone())
            .set_expires(new.headers.expires.as_deref().and_then(http_date))
            .set_metadata((!new.metadata.is_empty()).then(|| new.metadata.clone().into_iter().collect()))
            .set_tagging((!new.tags.is_empty()).then(|| tagging(new)))
            .set_storage_class(new.storage_class.as_deref().map(StorageClass::from))
            .set_server_side_encryption(new.kms_key.as_ref().map(|_| ServerSideEncryption::AwsKms))
            .set_ssekms_key_id(new.kms_key.clone())
            .set_object_lock_mode(new.lock.retention.as_ref().map(|retention| retention.mode.as_str().into()))
            .set_object_lock_retain_until_date(
                new.lock.retention.as_ref().map(|retention| DateTime::from_secs(retention.until.as_second())),
            )
            .set_object_lock_legal_hold_status(new.lock.legal_hold.then_some(ObjectLockLegalHoldStatus::On))
    }};
}

/// Sends a request, and returns the SDK's output with the headers of the response.
macro_rules! hear {
    ($self:ident, $request:expr, $limit:expr, $needs:expr) => {{
        let about = About::new(ObjectIdentity::default());
        let sent = $request.interceptor(about.clone()).send();
        let subject = $self.uri.to_string();
        match $limit.within(sent).await {
            Some(answer) => {
                answer.map(|answer| (answer, about.heard().headers)).map_err(|error| translate(error, &subject, $needs))
            }
            None => Err(SourceError::new(ErrorKind::Transient, &subject, "no answer in time")),
        }
    }};
}

/// A time as HTTP writes it.
fn http_date(text: &str) -> Option<DateTime> {
    DateTime::from_str(text, Format::HttpDate).ok()
}

/// Tags as the query string of the header `x-amz-tagging`.
fn tagging(new: &NewObject) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(&new.tags).finish()
}

/// Limit of the time of a request.
enum Limit {
    /// In all.
    Total(Duration),
    /// Without a byte of the body that moves.
    Stall(Sent),
}

impl Limit {
    async fn within<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        match self {
            Limit::Total(time) => tokio::time::timeout(*time, work).await.ok(),
            Limit::Stall(sent) => {
                let stalled = async {
                    let mut before = sent.bytes();
                    loop {
                        tokio::time::sleep(STALL).await;
                        let now = sent.bytes();
                        if now == before {
                            return;
                        }
                        before = now;
                    }
                };
                tokio::select! {
                    done = work => Some(done),
                    () = stalled => None,
                }
            }
        }
    }
}

impl S3Upload {
    /// The same, for copies by the server of objects that these options describe: their expected owner, and the key of
    /// SSE-C. The requests have the credentials of the upload.
    pub fn copying_from(self, options: &S3Options) -> Self {
        let (expected_owner, customer_key) = (options.expected_bucket_owner.clone(), options.customer_key.clone());
        S3Upload { source: SourceHeaders { expected_owner, customer_key }, ..self }
    }

    /// The limit of a request whose time depends on no bytes.
    fn small(&self) -> Limit {
        Limit::Total(self.connection.options.patience())
    }

    fn protocol(&self, detail: &str) -> SourceError {
        SourceError::new(ErrorKind::Protocol, &self.uri, detail)
    }
}

fn if_match(conditions: &PutConditions) -> Option<String> {
    match conditions {
        PutConditions::Absent => None,
        PutConditions::Is(etag) => etag.if_match(),
    }
}

fn if_none_match(conditions: &PutConditions) -> Option<String> {
    matches!(conditions, PutConditions::Absent).then(|| "*".to_owned())
}

/// What a write needs. S3 does not say whether a permission is missing or a policy demands a header, so both are named.
/// The header `x-amz-copy-source`: bucket and key in URL encoding, and the version.
fn copy_source(uri: &ObjectUri) -> String {
    let encoded: String = format!("{}/{}", uri.bucket, uri.key)
        .bytes()
        .map(|byte| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' | b'/' => char::from(byte).to_string(),
            _ => format!("%{byte:02X}"),
        })
        .collect();
    match &uri.version {
        Some(version) => format!("{encoded}?versionId={version}"),
        None => encoded,
    }
}

fn needs(new: &NewObject) -> String {
    let mut needs = vec!["s3:PutObject"];
    if !new.tags.is_empty() {
        needs.push("s3:PutObjectTagging, or --tags none");
    }
    if new.lock.retention.is_some() {
        needs.push("s3:PutObjectRetention");
    }
    if new.lock.legal_hold {
        needs.push("s3:PutObjectLegalHold");
    }
    if new.kms_key.is_some() {
        needs.push("kms:GenerateDataKey and kms:Decrypt of the key");
    }
    format!(
        "{}; and that no policy of the bucket demands a header: --sse-kms-key, --storage-class, --tags and \
         --object-lock-mode send one",
        needs.join("; ")
    )
}

#[async_trait]
impl UploadService for S3Upload {
    fn uri(&self) -> &ObjectUri {
        &self.uri
    }

    async fn begin(&self, new: &NewObject) -> Result<String, SourceError> {
        let request = with_key!(self, addressed!(self, self.client.create_multipart_upload()));
        let request = with_properties!(request, new)
            .set_checksum_algorithm(new.checksum.map(checksums::algorithm))
            .set_checksum_type(new.checksum.map(checksums::kind));
        let subject = self.uri.to_string();
        let sent =
            self.small().within(request.customize().interceptor(About::new(ObjectIdentity::default())).send()).await;
        let id = match sent {
            Some(Ok(out)) => out.upload_id().map(str::to_owned),
            Some(Err(error)) => match begun::foreign_id(&error, &self.uri) {
                Some(id) => Some(id),
                None => return Err(translate(error, &subject, &needs(new))),
            },
            None => return Err(SourceError::new(ErrorKind::Transient, &subject, "no answer in time")),
        };
        id.filter(|id| !id.is_empty()).ok_or_else(|| self.protocol("the answer has no id of the upload"))
    }

    async fn part(
        &self,
        upload: &str,
        number: PartNumber,
        body: &PartBody,
        checksum: Option<&Digest>,
    ) -> Result<PartReceipt, SourceError> {
        let sent = Sent::default();
        let request = with_key!(self, addressed!(self, self.client.upload_part()))
            .upload_id(upload)
            .part_number(i32::try_from(number.get()).unwrap_or(i32::MAX))
            .content_length(i64::try_from(body.length()).unwrap_or(i64::MAX))
            .body(body::stream(body, &sent));
        // The checksum is signed, and covers the body; a SHA-256 of the body would cost more than all other digests.
        let request = with_checksum!(request, checksum).customize().disable_payload_signing();
        let (_, headers) = hear!(self, request, Limit::Stall(sent), "s3:PutObject")?;
        let etag = headers.one("etag").and_then(|etag| ETag::told(&etag));
        Ok(PartReceipt {
            number,
            size: None,
            etag: etag.ok_or_else(|| self.protocol("the answer to a part has no ETag"))?,
            checksum: checksum.and_then(|digest| checksums::in_headers(&headers, digest.algorithm())),
        })
    }

    async fn part_stream(
        &self,
        upload: &str,
        number: PartNumber,
        (body, length): (Body, u64),
        trailer: Option<Algorithm>,
    ) -> Result<PartReceipt, SourceError> {
        let sent = Sent::default();
        // S3 computes the others itself, from the bytes that it receives (ListParts states them).
        let trailer = trailer.filter(|algorithm| checksums::is_streamed(*algorithm));
        let checksum = trailer.map(|algorithm| UploadChecksum { algorithm, is_composite: false });
        let request = with_key!(self, addressed!(self, self.client.upload_part()))
            .upload_id(upload)
            .part_number(i32::try_from(number.get()).unwrap_or(i32::MAX))
            .set_checksum_algorithm(checksum.map(checksums::algorithm))
            .body(body::arriving(body, length, &sent))
            .customize();
        let request = match trailer {
            // The SDK computes the checksum while it sends the body.
            Some(_) => request.config_override(
                aws_sdk_s3::config::Config::builder()
                    .request_checksum_calculation(RequestChecksumCalculation::WhenSupported),
            ),
            // A body that arrives cannot be hashed before it is sent.
            None => request.disable_payload_signing(),
        };
        let (_, headers) = hear!(self, request, Limit::Stall(sent), "s3:PutObject")?;
        let etag = headers.one("etag").and_then(|etag| ETag::told(&etag));
        Ok(PartReceipt {
            number,
            size: None,
            etag: etag.ok_or_else(|| self.protocol("the answer to a part has no ETag"))?,
            checksum: trailer.and_then(|algorithm| checksums::in_headers(&headers, algorithm)),
        })
    }

    async fn part_copy(
        &self,
        upload: &str,
        number: PartNumber,
        from: &CopyFrom,
        range: Option<ByteRange>,
    ) -> Result<PartReceipt, SourceError> {
        let key = self.source.customer_key.as_ref();
        let request = with_key!(self, addressed!(self, self.client.upload_part_copy()))
            .upload_id(upload)
            .part_number(i32::try_from(number.get()).unwrap_or(i32::MAX))
            .copy_source(copy_source(&from.uri))
            .set_copy_source_if_match(from.etag.if_match())
            .set_copy_source_range(range.map(|range| format!("bytes={}-{}", range.start(), range.end() - 1)))
            .set_expected_source_bucket_owner(self.source.expected_owner.clone())
            .set_copy_source_sse_customer_algorithm(key.map(|_| "AES256".to_owned()))
            .set_copy_source_sse_customer_key(key.map(|key| key.key.clone()))
            .set_copy_source_sse_customer_key_md5(key.map(|key| key.md5.clone()));
        let needs = "s3:PutObject, and s3:GetObject of the source with the credentials of the destination";
        let (out, _) = hear!(self, request.customize(), Limit::Total(COMPLETION), needs)?;
        let part = out.copy_part_result().and_then(|part| checksums::copied_part(number, part));
        part.ok_or_else(|| self.protocol("the answer to a copied part has no ETag"))
    }

    async fn parts(&self, upload: &str) -> Result<Vec<PartReceipt>, SourceError> {
        let mut parts: Vec<PartReceipt> = Vec::new();
        let mut marker: Option<String> = None;
        for _ in 0..MOST_PAGES {
            let request = with_key!(self, addressed!(self, self.client.list_parts()))
                .upload_id(upload)
                .set_part_number_marker(marker.clone());
            let (out, _) = hear!(self, request.customize(), self.small(), "s3:ListMultipartUploadParts")?;
            let before = parts.len();
            for part in out.parts() {
                let part = checksums::listed_part(part);
                let part = part.ok_or_else(|| self.protocol("a part of the listing has no number or no ETag"))?;
                if parts.last().is_some_and(|last| last.number >= part.number) {
                    return Err(self.protocol("the listing of parts is not in order"));
                }
                parts.push(part);
            }
            match out.next_part_number_marker().filter(|_| out.is_truncated() == Some(true)) {
                Some(next) if parts.len() > before => marker = Some(next.to_owned()),
                Some(_) => return Err(self.protocol("a page of the listing of parts brings no new part")),
                None => return Ok(parts),
            }
        }
        Err(self.protocol("the listing of parts does not end"))
    }

    async fn complete(&self, upload: &str, completion: &Completion) -> Result<Written, SourceError> {
        let parts = completion.parts.iter().map(checksums::completed_part).collect();
        let request = with_key!(self, addressed!(self, self.client.complete_multipart_upload()))
            .upload_id(upload)
            .multipart_upload(CompletedMultipartUpload::builder().set_parts(Some(parts)).build())
            .set_checksum_type(completion.checksum.map(checksums::kind))
            .mpu_object_size(i64::try_from(completion.size).unwrap_or(i64::MAX))
            .set_if_match(if_match(&completion.conditions))
            .set_if_none_match(if_none_match(&completion.conditions));
        let request = with_checksum!(request, completion.full_object.as_ref()).customize();
        let (out, headers) = hear!(self, request, Limit::Total(COMPLETION), "s3:PutObject")?;
        Ok(Written { etag: out.e_tag().and_then(ETag::told), version: headers.one("x-amz-version-id") })
    }

    async fn abort(&self, upload: &str) -> Result<(), SourceError> {
        let request = addressed!(self, self.client.abort_multipart_upload()).upload_id(upload);
        hear!(self, request.customize(), self.small(), "s3:AbortMultipartUpload").map(drop)
    }

    async fn remove(&self, version: Option<&str>) -> Result<(), SourceError> {
        let request = addressed!(self, self.client.delete_object()).set_version_id(version.map(str::to_owned));
        let needs = if version.is_some() { "s3:DeleteObjectVersion" } else { "s3:DeleteObject" };
        hear!(self, request.customize(), self.small(), needs).map(drop)
    }

    async fn put(
        &self,
        new: &NewObject,
        body: &PartBody,
        checksum: Option<&Digest>,
        conditions: &PutConditions,
    ) -> Result<Written, SourceError> {
        let sent = Sent::default();
        // Other servers may not know the checksum; all of them know this one.
        let md5 = (self.connection.answers() == Service::Other).then(|| checksums::md5(body));
        let request = with_key!(self, addressed!(self, self.client.put_object()));
        let request = with_properties!(request, new)
            .set_content_md5(md5.map(|digest| digest.base64()))
            .content_length(i64::try_from(body.length()).unwrap_or(i64::MAX))
            .set_if_match(if_match(conditions))
            .set_if_none_match(if_none_match(conditions))
            .body(body::stream(body, &sent));
        let request = with_checksum!(request, checksum).customize().disable_payload_signing();
        let (_, headers) = hear!(self, request, Limit::Stall(sent), &needs(new))?;
        Ok(Written {
            etag: headers.one("etag").and_then(|etag| ETag::told(&etag)),
            version: headers.one("x-amz-version-id"),
        })
    }
}
