use async_trait::async_trait;
use aws_sdk_s3::Client;
use aws_sdk_s3::types::{EncodingType, RequestPayer};

use super::error::translate;
use super::{Connection, parse};
use crate::facts::{BucketEncryption, BucketFacts, ListedObject, ListedPage, UploadFacts};
use crate::ident::{ETag, decoded_key};
use crate::progress::Call;
use crate::source::{BucketService, Context, ErrorKind, SourceError};

/// Pages of a listing, of 1,000 entries each, after which it is given up.
const MOST_PAGES: usize = 2_000;
const URL: EncodingType = EncodingType::Url;

/// One bucket in S3.
#[derive(Clone)]
pub struct S3Bucket {
    connection: Connection,
    client: Client,
    name: String,
    context: Context,
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
                request.send().await.map_err(|error| translate(&error, &$self.subject(), $needs))
            })
            .await
    }};
}

impl S3Bucket {
    pub(super) fn new(connection: Connection, name: &str, context: Context) -> Self {
        S3Bucket { client: connection.client(), connection, name: name.to_owned(), context }
    }

    fn subject(&self) -> String {
        format!("bucket {}", self.name)
    }

    fn payer(&self) -> Option<RequestPayer> {
        self.connection.options.request_payer.then_some(RequestPayer::Requester)
    }

    /// Keys may hold what XML cannot carry, so they are asked for in URL encoding; not every server obeys.
    fn key(&self, listed: &str, encoding: Option<&EncodingType>) -> Result<String, SourceError> {
        if encoding != Some(&URL) {
            return Ok(listed.to_owned());
        }
        let wrong = || SourceError::new(ErrorKind::Protocol, self.subject(), "a key is not in URL encoding");
        decoded_key(listed).ok_or_else(wrong)
    }

    fn lost(&self) -> SourceError {
        let detail = "a page of a listing says that more follow, and not where";
        SourceError::new(ErrorKind::Protocol, self.subject(), detail)
    }

    fn too_many(&self) -> SourceError {
        let detail = format!("the listing has more than {MOST_PAGES} pages, and was given up");
        SourceError::new(ErrorKind::Protocol, self.subject(), detail)
    }
}

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
            // It is there, and S3 says where.
            Err(SourceError { kind: ErrorKind::WrongRegion(Some(region)), .. }) => {
                Ok(BucketFacts { region: Some(region) })
            }
            Err(error) => Err(error),
        }
    }

    async fn versioning(&self) -> Result<String, SourceError> {
        let out = ask!(self, "s3:GetBucketVersioning", self.client.get_bucket_versioning())?;
        Ok(out.status().map_or("Off", |status| status.as_str()).to_owned())
    }

    async fn encryption(&self) -> Result<BucketEncryption, SourceError> {
        let out = ask!(self, "s3:GetEncryptionConfiguration", self.client.get_bucket_encryption())?;
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
        let out = ask!(self, "s3:GetBucketPublicAccessBlock", self.client.get_public_access_block())?;
        let on = |setting: Option<bool>| setting == Some(true);
        Ok(out.public_access_block_configuration().is_some_and(|block| {
            on(block.block_public_acls())
                && on(block.ignore_public_acls())
                && on(block.block_public_policy())
                && on(block.restrict_public_buckets())
        }))
    }

    async fn list(&self, prefix: &str, token: Option<&str>) -> Result<ListedPage, SourceError> {
        let request = self.client.list_objects_v2().prefix(prefix).encoding_type(URL).set_request_payer(self.payer());
        let out = ask!(self, "s3:ListBucket", request.clone().set_continuation_token(token.map(str::to_owned)))?;
        let mut page = ListedPage::default();
        for object in out.contents() {
            let Some(key) = object.key() else { continue };
            page.objects.push(ListedObject {
                key: self.key(key, out.encoding_type())?,
                size: Some(parse::size(object.size(), &self.subject())?),
                modified: object.last_modified().and_then(parse::timestamp),
                etag: object.e_tag().and_then(ETag::told),
                storage_class: Some(object.storage_class().map_or("STANDARD", |class| class.as_str()).to_owned()),
                version: None,
                latest: true,
            });
        }
        page.next = match (out.is_truncated(), out.next_continuation_token()) {
            (Some(true), Some(next)) if Some(next) != token => Some(next.to_owned()),
            (Some(true), _) => return Err(self.lost()),
            _ => None,
        };
        Ok(page)
    }

    async fn objects_named(&self, file: &str) -> Result<Vec<ListedObject>, SourceError> {
        let mut found = Vec::new();
        let mut token: Option<String> = None;
        for _ in 0..MOST_PAGES {
            let page = self.list("", token.as_deref()).await?;
            found.extend(page.objects.into_iter().filter(|object| is_named(&object.key, file)));
            match page.next {
                Some(next) => token = Some(next),
                None => return Ok(found),
            }
        }
        Err(self.too_many())
    }

    async fn versions_of(&self, key: &str) -> Result<Vec<ListedObject>, SourceError> {
        let mut found = Vec::new();
        let (mut key_marker, mut version_marker): (Option<String>, Option<String>) = (None, None);
        for _ in 0..MOST_PAGES {
            let request = self
                .client
                .list_object_versions()
                .prefix(key)
                .encoding_type(URL)
                .set_request_payer(self.payer())
                .set_key_marker(key_marker)
                .set_version_id_marker(version_marker);
            let out = ask!(self, "s3:ListBucketVersions", request.clone())?;
            let is_it = |listed: Option<&str>| {
                listed.is_some_and(|listed| self.key(listed, out.encoding_type()).is_ok_and(|listed| listed == key))
            };
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
            let markers = out.delete_markers().iter().filter(|marker| is_it(marker.key()));
            found.extend(markers.map(|marker| ListedObject {
                key: key.to_owned(),
                size: None,
                modified: marker.last_modified().and_then(parse::timestamp),
                etag: None,
                storage_class: None,
                version: marker.version_id().map(str::to_owned),
                latest: marker.is_latest() == Some(true),
            }));
            if out.is_truncated() != Some(true) {
                return Ok(found);
            }
            if out.next_key_marker().is_none() {
                return Err(self.lost());
            }
            key_marker = out.next_key_marker().map(|marker| self.key(marker, out.encoding_type())).transpose()?;
            version_marker = out.next_version_id_marker().map(str::to_owned);
        }
        Err(self.too_many())
    }

    async fn uploads_named(&self, file: &str) -> Result<Vec<UploadFacts>, SourceError> {
        let mut uploads = self.uploads("").await?;
        uploads.retain(|upload| is_named(&upload.key, file));
        Ok(uploads)
    }

    async fn uploads(&self, prefix: &str) -> Result<Vec<UploadFacts>, SourceError> {
        let mut found = Vec::new();
        let (mut key_marker, mut upload_marker): (Option<String>, Option<String>) = (None, None);
        for _ in 0..MOST_PAGES {
            let request = self
                .client
                .list_multipart_uploads()
                .prefix(prefix)
                .encoding_type(URL)
                .set_request_payer(self.payer())
                .set_key_marker(key_marker)
                .set_upload_id_marker(upload_marker);
            let out = ask!(self, "s3:ListBucketMultipartUploads", request.clone())?;
            for upload in out.uploads() {
                let Some(key) = upload.key() else { continue };
                let initiated = upload.initiated().and_then(parse::timestamp);
                found.push(UploadFacts { key: self.key(key, out.encoding_type())?, initiated });
            }
            if out.is_truncated() != Some(true) {
                return Ok(found);
            }
            if out.next_key_marker().is_none() {
                return Err(self.lost());
            }
            key_marker = out.next_key_marker().map(|marker| self.key(marker, out.encoding_type())).transpose()?;
            upload_marker = out.next_upload_id_marker().map(str::to_owned);
        }
        Err(self.too_many())
    }
}
