//! Requests on a bucket: its settings and its listings.

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use async_trait::async_trait;
use aws_sdk_s3::Client;
use aws_sdk_s3::types::{EncodingType, RequestPayer};

use super::bounded::About;
use super::error::{not_none, says_none, translate};
use super::{Connection, access, lifecycle, listing, parse};
use crate::facts::{
    BucketEncryption, BucketFacts, BucketLock, LifecycleRule, ListedObject, ListedPage, UploadFacts, Versioning, Walk,
    check_listing_request,
};
use crate::ident::{ETag, decoded_key};
use crate::progress::Call;
use crate::source::{BucketService, Context, ErrorKind, SourceError};

const URL: EncodingType = EncodingType::Url;

/// A bucket in S3 or in a compatible server.
#[derive(Clone)]
pub struct S3Bucket {
    connection: Connection,
    client: Client,
    name: String,
    context: Context,
}

impl Connection {
    /// A bucket over this connection. Its requests are sent in this context.
    pub fn bucket(&self, name: &str, context: Context) -> S3Bucket {
        S3Bucket::new(self.clone(), name, context)
    }
}

/// Sends a request about the bucket, again where that may help.
macro_rules! ask {
    ($self:ident, $needs:expr, $request:expr) => {{
        let options = &$self.connection.options;
        $self
            .context
            .retry(Call::Bucket, || async {
                let request =
                    $request.bucket(&$self.name).set_expected_bucket_owner(options.expected_bucket_owner.clone());
                request.send().await.map_err(|error| translate(error, &$self.subject(), $needs))
            })
            .await
    }};
}

impl S3Bucket {
    /// The bucket `name`, accessed over `connection`; `context` counts and retries the requests.
    pub(super) fn new(connection: Connection, name: &str, context: Context) -> Self {
        S3Bucket { client: connection.client(), connection, name: name.to_owned(), context }
    }

    fn subject(&self) -> String {
        format!("bucket {}", self.name)
    }

    fn payer(&self) -> Option<RequestPayer> {
        self.connection.options.request_payer.then_some(RequestPayer::Requester)
    }

    /// Decodes a listed key. Keys may contain characters that XML cannot carry, so listings are requested in URL
    /// encoding; not every server applies it.
    fn key(&self, listed: &str, encoding: Option<&EncodingType>) -> Result<String, SourceError> {
        if encoding != Some(&URL) {
            return Ok(listed.to_owned());
        }
        let wrong = || SourceError::new(ErrorKind::Protocol, self.subject(), "a key is not in URL encoding");
        decoded_key(listed).ok_or_else(wrong)
    }

    fn protocol(&self, detail: impl Into<String>) -> SourceError {
        SourceError::new(ErrorKind::Protocol, self.subject(), detail)
    }
}

/// How a listing contradicts itself.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
enum ListingError {
    #[error("a page of the listing goes back to the key `{0}`, which is behind it")]
    KeyBehind(String),
    #[error("the listing has the key `{key}` with the id {id} twice")]
    Twice { key: String, id: String },
    #[error("a page of the listing does not say whether more follow")]
    NoEndStated,
    #[error("a page of a listing says that more follow, and not where")]
    NoMarker,
    #[error("a page of the listing has no key, and says that more follow")]
    NoKey,
    #[error("the listing goes back to a marker that is behind it, and would never end")]
    MarkerBehind,
    #[error("the listing repeats a marker, and would never end")]
    MarkerRepeated,
}

/// Position in a paged listing of versions or uploads. Each page must contain new entries and move forward in the order
/// of the keys, so that the listing ends.
#[derive(Default)]
struct Markers {
    /// Markers of earlier pages.
    seen: BTreeSet<(String, Option<String>)>,
    /// Hashes of all entries so far: the key with the id of its version or upload.
    entries: BTreeSet<u64>,
    /// Key marker for the next page.
    key: Option<String>,
    /// Marker of the version or upload for the next page.
    other: Option<String>,
}

impl Markers {
    /// Records an entry of a page. Versions and delete markers of a page come in two lists, so a key is compared with
    /// the marker of the page, not with the entry before it.
    fn entry(&mut self, key: &str, other: Option<&str>) -> Result<(), ListingError> {
        if self.key.as_deref().is_some_and(|marker| key < marker) {
            return Err(ListingError::KeyBehind(key.to_owned()));
        }
        let mut hasher = DefaultHasher::new();
        (key, other).hash(&mut hasher);
        if !self.entries.insert(hasher.finish()) {
            return Err(ListingError::Twice { key: key.to_owned(), id: other.unwrap_or("none").to_owned() });
        }
        Ok(())
    }

    /// Whether another page follows; records its markers.
    fn go_on(
        &mut self,
        truncated: Option<bool>,
        empty: bool,
        next: (Option<String>, Option<String>),
    ) -> Result<bool, ListingError> {
        let (key, other) = next;
        match (truncated, key) {
            // A last page may also have markers; they are ignored.
            (Some(false), _) | (None, None) => Ok(false),
            (None, Some(_)) => Err(ListingError::NoEndStated),
            (Some(true), None) => Err(ListingError::NoMarker),
            (Some(true), Some(_)) if empty => Err(ListingError::NoKey),
            (Some(true), Some(key)) if self.key.as_ref().is_some_and(|before| key < *before) => {
                Err(ListingError::MarkerBehind)
            }
            (Some(true), Some(key)) => {
                if !self.seen.insert((key.clone(), other.clone())) {
                    return Err(ListingError::MarkerRepeated);
                }
                (self.key, self.other) = (Some(key), other);
                Ok(true)
            }
        }
    }
}

/// Among errors with status 404, only `code` states that the setting does not exist.
fn none_by(code: &str, error: SourceError) -> SourceError {
    if says_none(&error, &[code]) { error } else { not_none(error) }
}

/// Whether the last component of a key is `file`.
fn is_named(key: &str, file: &str) -> bool {
    key.rsplit('/').next() == Some(file)
}

#[async_trait]
impl BucketService for S3Bucket {
    fn name(&self) -> &str {
        &self.name
    }

    async fn facts(&self) -> Result<BucketFacts, SourceError> {
        match ask!(self, "s3:ListBucket", self.client.head_bucket()) {
            Ok(out) => Ok(BucketFacts { region: out.bucket_region().map(str::to_owned) }),
            // The bucket exists, and S3 names its Region.
            Err(SourceError { kind: ErrorKind::WrongRegion(Some(region)), .. }) => {
                Ok(BucketFacts { region: Some(region) })
            }
            Err(error) => Err(error),
        }
    }

    async fn versioning(&self) -> Result<Versioning, SourceError> {
        let out = ask!(self, "s3:GetBucketVersioning", self.client.get_bucket_versioning()).map_err(not_none)?;
        Ok(out.status().map_or(Versioning::Off, |status| Versioning::of(status.as_str())))
    }

    async fn encryption(&self) -> Result<BucketEncryption, SourceError> {
        let out = ask!(self, "s3:GetEncryptionConfiguration", self.client.get_bucket_encryption())
            .map_err(|error| none_by("ServerSideEncryptionConfigurationNotFoundError", error))?;
        let rule = out.server_side_encryption_configuration().and_then(|found| found.rules().first());
        let Some(default) = rule.and_then(|rule| rule.apply_server_side_encryption_by_default()) else {
            return Err(SourceError::new(ErrorKind::NotFound, self.subject(), "no default encryption is stated"));
        };
        Ok(BucketEncryption {
            algorithm: default.sse_algorithm().as_str().to_owned(),
            key: default.kms_master_key_id().map(str::to_owned),
        })
    }

    async fn public_access_blocked(&self) -> Result<bool, SourceError> {
        let out = ask!(self, "s3:GetBucketPublicAccessBlock", self.client.get_public_access_block())
            .map_err(|error| none_by("NoSuchPublicAccessBlockConfiguration", error))?;
        let on = |setting: Option<bool>| setting == Some(true);
        let block = out.public_access_block_configuration();
        let block = block.ok_or_else(|| self.protocol("the answer states no setting of Block Public Access"))?;
        Ok(on(block.block_public_acls())
            && on(block.ignore_public_acls())
            && on(block.block_public_policy())
            && on(block.restrict_public_buckets()))
    }

    async fn policy_is_public(&self) -> Result<bool, SourceError> {
        let out = ask!(self, "s3:GetBucketPolicyStatus", self.client.get_bucket_policy_status())
            .map_err(|error| none_by("NoSuchBucketPolicy", error))?;
        let public = out.policy_status().and_then(|status| status.is_public());
        public.ok_or_else(|| self.protocol("the answer does not state whether the policy is public"))
    }

    async fn public_grants(&self) -> Result<Vec<String>, SourceError> {
        let out = ask!(self, "s3:GetBucketAcl", self.client.get_bucket_acl()).map_err(not_none)?;
        Ok(access::public_grants(out.grants()))
    }

    async fn object_lock(&self) -> Result<BucketLock, SourceError> {
        let request = ask!(self, "s3:GetBucketObjectLockConfiguration", self.client.get_object_lock_configuration());
        let out = request.map_err(|error| none_by("ObjectLockConfigurationNotFoundError", error))?;
        let stated = out.object_lock_configuration();
        Ok(access::bucket_lock(stated.ok_or_else(|| self.protocol("the answer states no setting of Object Lock"))?))
    }

    async fn lifecycle(&self) -> Result<Vec<LifecycleRule>, SourceError> {
        let options = &self.connection.options;
        let request = self
            .client
            .get_bucket_lifecycle_configuration()
            .bucket(&self.name)
            .set_expected_bucket_owner(options.expected_bucket_owner.clone());
        let asked = self.context.retry(Call::Bucket, || async {
            let about = About::default();
            let answer = request.clone().customize().interceptor(about.clone()).send().await;
            let answer = answer.map_err(|error| translate(error, &self.subject(), "s3:GetLifecycleConfiguration"))?;
            Ok((answer, about.heard().odd_rules))
        });
        match asked.await {
            Ok((out, odd)) if out.rules().len() == odd.len() => {
                Ok(out.rules().iter().zip(&odd).map(|(rule, odd)| lifecycle::rule(rule, odd.as_deref())).collect())
            }
            Ok(_) => Err(self.protocol("the rules of the lifecycle cannot be told apart")),
            Err(error) if says_none(&error, &["NoSuchLifecycleConfiguration"]) => Ok(Vec::new()),
            Err(error) => Err(not_none(error)),
        }
    }

    async fn list(&self, walk: &mut Walk) -> Result<ListedPage, SourceError> {
        let options = &self.connection.options;
        let request = self
            .client
            .list_objects_v2()
            .bucket(&self.name)
            .prefix(walk.prefix())
            .encoding_type(URL)
            .set_request_payer(self.payer())
            .set_expected_bucket_owner(options.expected_bucket_owner.clone())
            .set_continuation_token(walk.token().map(str::to_owned));
        let subject = self.subject();
        let page = self.context.retry(Call::Bucket, || listing::page(request.clone(), &subject)).await?;
        walk.take(page).map_err(|detail| self.protocol(detail))
    }

    async fn objects_named(&self, file: &str) -> Result<Vec<ListedObject>, SourceError> {
        let mut found = Vec::new();
        let mut walk = Walk::new(&self.name, "");
        while !walk.is_over() {
            let page = self.list(&mut walk).await?;
            if let Some(odd) = page.odd.iter().find(|odd| is_named(&odd.key, file)) {
                return Err(self.protocol(format!("{}: {}", odd.key, odd.why)));
            }
            found.extend(page.objects.into_iter().filter(|object| is_named(&object.key, file)));
        }
        Ok(found)
    }

    async fn versions_of(&self, key: &str) -> Result<Vec<ListedObject>, SourceError> {
        let mut found = Vec::new();
        let mut markers = Markers::default();
        loop {
            let request = self
                .client
                .list_object_versions()
                .prefix(key)
                .encoding_type(URL)
                .set_request_payer(self.payer())
                .set_key_marker(markers.key.clone())
                .set_version_id_marker(markers.other.clone());
            let out = ask!(self, "s3:ListBucketVersions", request.clone())?;
            let encoded = out.encoding_type() == Some(&URL);
            check_listing_request((&self.name, key), (out.name(), out.prefix()), encoded)
                .map_err(|detail| self.protocol(detail))?;
            let readable = |listed: &str| self.key(listed, out.encoding_type()).unwrap_or_else(|_| listed.to_owned());
            let is_it = |listed: Option<&str>| listed.is_some_and(|listed| readable(listed) == key);
            let versions = out.versions().iter().map(|version| (version.key(), version.version_id()));
            let removed = out.delete_markers().iter().map(|marker| (marker.key(), marker.version_id()));
            for (listed, id) in versions.chain(removed) {
                let listed = listed.ok_or_else(|| self.protocol("the listing has an entry without a key"))?;
                markers
                    .entry(&readable(listed), id)
                    .map_err(|error| self.protocol(error.to_string()).caused_by(error))?;
            }
            for version in out.versions().iter().filter(|version| is_it(version.key())) {
                found.push(ListedObject {
                    key: key.to_owned(),
                    size: Some(parse::size(version.size(), &self.subject())?),
                    modified: version.last_modified().and_then(parse::timestamp),
                    etag: version.e_tag().and_then(ETag::told),
                    storage_class: version.storage_class().map(|class| class.as_str().to_owned()),
                    version: version.version_id().map(str::to_owned),
                    latest: version.is_latest() == Some(true),
                });
            }
            let removed = out.delete_markers().iter().filter(|marker| is_it(marker.key()));
            found.extend(removed.map(|marker| ListedObject {
                key: key.to_owned(),
                size: None,
                modified: marker.last_modified().and_then(parse::timestamp),
                etag: None,
                storage_class: None,
                version: marker.version_id().map(str::to_owned),
                latest: marker.is_latest() == Some(true),
            }));
            let empty = out.versions().is_empty() && out.delete_markers().is_empty();
            let next = out.next_key_marker().map(|marker| self.key(marker, out.encoding_type())).transpose()?;
            let next = (next, out.next_version_id_marker().map(str::to_owned));
            if !markers
                .go_on(out.is_truncated(), empty, next)
                .map_err(|error| self.protocol(error.to_string()).caused_by(error))?
            {
                return Ok(found);
            }
        }
    }

    async fn uploads_named(&self, file: &str) -> Result<Vec<UploadFacts>, SourceError> {
        let mut uploads = self.uploads("").await?;
        uploads.retain(|upload| is_named(&upload.key, file));
        Ok(uploads)
    }

    async fn uploads(&self, prefix: &str) -> Result<Vec<UploadFacts>, SourceError> {
        let mut found = Vec::new();
        let mut markers = Markers::default();
        loop {
            let request = self
                .client
                .list_multipart_uploads()
                .prefix(prefix)
                .encoding_type(URL)
                .set_request_payer(self.payer())
                .set_key_marker(markers.key.clone())
                .set_upload_id_marker(markers.other.clone());
            let out = ask!(self, "s3:ListBucketMultipartUploads", request.clone())?;
            let encoded = out.encoding_type() == Some(&URL);
            check_listing_request((&self.name, prefix), (out.bucket(), out.prefix()), encoded)
                .map_err(|detail| self.protocol(detail))?;
            for upload in out.uploads() {
                let key = upload.key().ok_or_else(|| self.protocol("the listing has an entry without a key"))?;
                let key = self.key(key, out.encoding_type())?;
                markers
                    .entry(&key, upload.upload_id())
                    .map_err(|error| self.protocol(error.to_string()).caused_by(error))?;
                let initiated = upload.initiated().and_then(parse::timestamp);
                if key.starts_with(prefix) {
                    found.push(UploadFacts { key, id: upload.upload_id().map(str::to_owned), initiated });
                }
            }
            let next = out.next_key_marker().map(|marker| self.key(marker, out.encoding_type())).transpose()?;
            let next = (next, out.next_upload_id_marker().map(str::to_owned));
            let empty = out.uploads().is_empty();
            if !markers
                .go_on(out.is_truncated(), empty, next)
                .map_err(|error| self.protocol(error.to_string()).caused_by(error))?
            {
                return Ok(found);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each page must move forward and contain new entries, whatever its markers are.
    #[test]
    fn pages_that_bring_nothing_new_end_the_listing() {
        let mut markers = Markers::default();
        let next = |key: &str, other: &str| (Some(key.to_owned()), Some(other.to_owned()));
        assert_eq!(markers.entry("k", Some("1")), Ok(()));
        assert_eq!(markers.entry("k", Some("2")), Ok(()));
        assert_eq!(markers.go_on(Some(true), false, next("k", "2")), Ok(true));
        assert_eq!(markers.entry("k", None), Ok(()));
        assert!(markers.entry("k", Some("1")).unwrap_err().to_string().contains("twice"));
        assert!(markers.entry("j", Some("3")).unwrap_err().to_string().contains("goes back"));
        assert_eq!(markers.go_on(Some(true), false, next("k", "3")), Ok(true));
        assert!(markers.go_on(Some(true), false, next("k", "2")).unwrap_err().to_string().contains("repeats"));
        assert!(markers.go_on(Some(true), false, next("j", "9")).unwrap_err().to_string().contains("goes back"));
        assert!(markers.go_on(Some(true), true, next("l", "1")).is_err());
        assert_eq!(markers.go_on(Some(false), false, next("l", "1")), Ok(false));
    }
}
