//! Requests that show whether a server can be used, and where the settings come from. No request writes.

use std::fmt;
use std::sync::{Arc, Mutex};

use aws_credential_types::provider::ProvideCredentials as _;
use aws_sdk_s3::config::interceptors::BeforeDeserializationInterceptorContextRef;
use aws_sdk_s3::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_s3::error::BoxError;
use aws_sdk_s3::types::{EncodingType, RequestPayer};
use jiff::fmt::rfc2822::DateTimeParser;
use jiff::{SignedDuration, Timestamp};

use super::error::translate;
use super::{Connection, listing};
use crate::clock::Clock;
use crate::facts::{BucketFacts, Walk};
use crate::ident::Prefix;
use crate::progress::Call;
use crate::source::{Context, ErrorKind, SourceError};
use crate::sync::lock;

/// Where the settings of a connection come from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Origins {
    /// Place of the credentials, for people; `None` if requests are not signed.
    pub credentials: Option<String>,
    /// When the credentials expire, if that is known.
    pub expiry: Option<Timestamp>,
    /// The option, variable or key that sets the Region; `None` for the default.
    pub region: Option<String>,
    /// The URL of S3 and what sets it; `None` for an endpoint of AWS.
    pub endpoint: Option<(String, String)>,
}

impl Connection {
    /// Where the settings come from. Sends no request, unless the credentials must be renewed.
    pub async fn origins(&self) -> Origins {
        let settings = self.settings();
        let expiry = match self.credentials() {
            Some(provider) => provider.provide_credentials().await.ok().and_then(|found| found.expiry()),
            None => None,
        };
        let is_signed = !self.options.no_sign_request;
        let plan = settings.plan().ok().filter(|_| is_signed);
        let endpoint = settings.endpoint(super::settings::Service::S3, self.options.endpoint_url.as_deref());
        Origins {
            credentials: plan.map(|plan| plan.origin()),
            expiry: expiry.and_then(|expiry| Timestamp::try_from(expiry).ok()),
            region: settings.region_setting(self.options.region.as_deref()),
            endpoint: endpoint.ok().flatten().map(|endpoint| (endpoint.url, endpoint.setting)),
        }
    }

    /// Requests that show whether the server can be used.
    pub fn checkup(&self, context: Context) -> Checkup {
        let seen = Seen { clock: Arc::clone(&context.clock), answer: Arc::default() };
        Checkup { connection: self.clone(), context, seen }
    }
}

/// Requests that show whether a server can be used.
pub struct Checkup {
    connection: Connection,
    context: Context,
    seen: Seen,
}

/// What the responses of a server had in common.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Answered {
    /// Whether there was a response at all, whatever its status.
    pub any: bool,
    /// How far the clock of this machine is ahead of the server's, by the header `Date` of the last response.
    pub ahead: Option<SignedDuration>,
}

impl Checkup {
    /// HeadBucket.
    ///
    /// # Errors
    ///
    /// The error of the last attempt; [`ErrorKind::WrongRegion`] names the Region of the bucket.
    pub async fn bucket(&self, name: &str) -> Result<BucketFacts, SourceError> {
        let subject = format!("bucket {name}");
        let options = &self.connection.options;
        let request = self
            .connection
            .client()
            .head_bucket()
            .bucket(name)
            .set_expected_bucket_owner(options.expected_bucket_owner.clone());
        let send = || async {
            let sent = request.clone().customize().interceptor(self.seen.clone()).send().await;
            sent.map_err(|error| translate(error, &subject, "s3:ListBucket"))
        };
        let out = self.context.retry(Call::Bucket, send).await?;
        Ok(BucketFacts { region: out.bucket_region().map(str::to_owned) })
    }

    /// ListBuckets, at most one: any response shows that the server can be reached.
    ///
    /// # Errors
    ///
    /// The error of the last attempt. Many callers may not list the buckets.
    pub async fn buckets(&self) -> Result<(), SourceError> {
        let request = self.connection.client().list_buckets().max_buckets(1);
        let send = || async {
            let sent = request.clone().customize().interceptor(self.seen.clone()).send().await;
            sent.map_err(|error| translate(error, "S3", "s3:ListAllMyBuckets"))
        };
        self.context.retry(Call::Bucket, send).await.map(drop)
    }

    /// The first key with this prefix (ListObjectsV2 with `max-keys` 1); `None` if there is none.
    ///
    /// # Errors
    ///
    /// The error of the last attempt.
    pub async fn first_key(&self, prefix: &Prefix) -> Result<Option<String>, SourceError> {
        let subject = format!("bucket {}", prefix.bucket);
        let options = &self.connection.options;
        let request = self
            .connection
            .client()
            .list_objects_v2()
            .bucket(&prefix.bucket)
            .prefix(&prefix.prefix)
            .max_keys(1)
            .encoding_type(EncodingType::Url)
            .set_request_payer(options.request_payer.then_some(RequestPayer::Requester))
            .set_expected_bucket_owner(options.expected_bucket_owner.clone());
        let send = || async { listing::page(request.clone(), &subject).await };
        let page = self.context.retry(Call::Bucket, send).await?;
        let wrong = |detail: String| SourceError::new(ErrorKind::Protocol, &subject, detail);
        let page = Walk::new(&prefix.bucket, &prefix.prefix).take(page).map_err(wrong)?;
        Ok(page.objects.into_iter().next().map(|object| object.key))
    }

    /// What is known of the responses so far.
    pub fn answered(&self) -> Answered {
        *lock(&self.seen.answer)
    }
}

/// Interceptor that notes each response and its `Date`.
#[derive(Clone)]
struct Seen {
    clock: Arc<dyn Clock>,
    answer: Arc<Mutex<Answered>>,
}

impl fmt::Debug for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.answer.fmt(f)
    }
}

#[aws_smithy_runtime_api::client::interceptors::dyn_dispatch_hint]
impl Intercept for Seen {
    fn name(&self) -> &'static str {
        "Seen"
    }

    fn read_after_transmit(
        &self,
        context: &BeforeDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let date = context
            .response()
            .headers()
            .get("date")
            .and_then(|date| DateTimeParser::new().relaxed_weekday(true).parse_timestamp(date.trim()).ok());
        let ahead = date.map(|server| self.clock.now().duration_since(server));
        *lock(&self.answer) = Answered { any: true, ahead };
        Ok(())
    }
}
