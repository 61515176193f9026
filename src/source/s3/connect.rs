use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::provider::ProvideCredentials;
use aws_sdk_s3::Client;
use aws_sdk_s3::config::{RequestChecksumCalculation, ResponseChecksumValidation};
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use aws_types::service_config::ServiceConfigKey;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::bounded::BoundedAnswers;
use super::http::{CONNECT_TIMEOUT, READ_TIMEOUT, Trust, client, sdk_client};
use super::owner::OwnerChecks;
use super::{S3Bucket, S3Object};
use crate::checksum::{Algorithm, Hasher};
use crate::ident::ObjectUri;
use crate::source::{Context, ErrorKind, SourceError};

/// How to reach S3, besides what the AWS environment and configuration files say.
#[derive(Debug, Clone, Default)]
pub struct S3Options {
    pub region: Option<String>,
    pub endpoint_url: Option<String>,
    pub profile: Option<String>,
    /// Send requests without a signature.
    pub no_sign_request: bool,
    /// Accept the charges of a Requester Pays bucket.
    pub request_payer: bool,
    /// Twelve digits; requests fail if the bucket belongs to another account.
    pub expected_bucket_owner: Option<String>,
    pub customer_key: Option<SseCustomerKey>,
    /// How long an answer may take from the request to its end, where it is not the bytes of an object; a minute
    /// where absent.
    pub patience: Option<Duration>,
}

impl S3Options {
    pub(super) fn patience(&self) -> Duration {
        self.patience.unwrap_or(PATIENCE)
    }
}

const PATIENCE: Duration = Duration::from_secs(60);

/// A 256-bit key for SSE-C. Never printed.
#[derive(Clone)]
pub struct SseCustomerKey {
    pub(super) key: String,
    pub(super) md5: String,
}

impl SseCustomerKey {
    /// `None` unless the key has 32 bytes, the only length S3 takes.
    pub fn new(key: &[u8]) -> Option<Self> {
        (key.len() == 32)
            .then(|| SseCustomerKey { key: STANDARD.encode(key), md5: Hasher::digest(Algorithm::Md5, key).base64() })
    }
}

impl fmt::Debug for SseCustomerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SseCustomerKey(…)")
    }
}

/// A resolved configuration, from which objects are opened.
#[derive(Clone)]
pub struct Connection {
    pub(super) shared: Arc<SdkConfig>,
    pub(super) options: Arc<S3Options>,
    path_style: bool,
    owner_checks: OwnerChecks,
    trust: Trust,
    /// Of all objects and buckets, so that the next one finds connections open.
    common: Arc<OnceLock<Client>>,
}

impl Connection {
    /// Resolves Region, endpoint and credentials. Sends no request to S3.
    pub async fn open(options: S3Options) -> Result<Self, SourceError> {
        let trust = Trust::from_env().map_err(|problem| configuration(&problem))?;
        let mut loader = aws_config::defaults(BehaviorVersion::latest())
            .retry_config(RetryConfig::disabled())
            .stalled_stream_protection(aws_config::stalled_stream_protection::StalledStreamProtectionConfig::disabled())
            .timeout_config(
                TimeoutConfig::builder()
                    .connect_timeout(CONNECT_TIMEOUT)
                    .read_timeout(READ_TIMEOUT)
                    // The others end with the head, and a body that is read whole may stall behind it.
                    .operation_attempt_timeout(options.patience())
                    .build(),
            )
            .http_client(sdk_client(&trust));
        if let Some(profile) = &options.profile {
            loader = loader.profile_name(profile);
        }
        if let Some(region) = &options.region {
            loader = loader.region(Region::new(region.clone()));
        }
        if let Some(url) = &options.endpoint_url {
            loader = loader.endpoint_url(url);
        }
        if options.no_sign_request {
            loader = loader.no_credentials();
        }
        let mut shared = loader.load().await;
        let own_endpoint = own_endpoint(&shared);
        if let Some(url) = own_endpoint.as_deref().filter(|url| !is_endpoint(url)) {
            return Err(configuration(&format!("`{url}` is no endpoint: write http://HOST:PORT or https://HOST")));
        }
        if shared.region().is_none() {
            if own_endpoint.is_none() {
                return Err(configuration("no Region is set; give --region, or set AWS_REGION or a profile's region"));
            }
            // Other servers seldom care, but a signature names some Region.
            shared = shared.into_builder().region(Region::new("us-east-1")).build();
        }
        if let Some(provider) = shared.credentials_provider() {
            provider.provide_credentials().await.map_err(|error| {
                let cause = super::error::root_cause(&error);
                configuration(&format!(
                    "no usable credentials ({cause}); set AWS_PROFILE or AWS_ACCESS_KEY_ID, or use --no-sign-request for public objects"
                ))
            })?;
        }
        Ok(Connection {
            shared: Arc::new(shared),
            options: Arc::new(options),
            path_style: own_endpoint.is_some(),
            owner_checks: OwnerChecks::default(),
            trust,
            common: Arc::default(),
        })
    }

    /// The Region that requests are signed for.
    pub fn region(&self) -> &str {
        self.shared.region().map_or("", |region| region.as_ref())
    }

    pub fn object(&self, uri: ObjectUri) -> S3Object {
        S3Object::new(self.clone(), uri)
    }

    pub fn bucket(&self, name: &str, context: Context) -> S3Bucket {
        S3Bucket::new(self.clone(), name, context)
    }

    /// For the other services of the account.
    #[cfg(feature = "ec2")]
    pub(crate) fn sdk_config(&self) -> &SdkConfig {
        &self.shared
    }

    /// Where it is kept what a server does with the expected owner; `None` for S3 itself, which documents it.
    pub(super) fn owner_checks(&self) -> Option<&OwnerChecks> {
        self.path_style.then_some(&self.owner_checks)
    }

    /// The client whose connections all share.
    pub(super) fn client(&self) -> Client {
        self.common.get_or_init(|| self.fresh_client()).clone()
    }

    /// A client whose connections are its own.
    pub(super) fn fresh_client(&self) -> Client {
        let config = aws_sdk_s3::config::Builder::from(self.shared.as_ref())
            .http_client(client(&self.trust))
            .force_path_style(self.path_style)
            // Verification is this tool's work; the SDK would check single answers, skip
            // composites silently, and hash the bytes a second time.
            .response_checksum_validation(ResponseChecksumValidation::WhenRequired)
            .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
            .interceptor(BoundedAnswers)
            .build();
        Client::from_conf(config)
    }
}

fn configuration(problem: &str) -> SourceError {
    SourceError::new(ErrorKind::Credentials, "configuration", problem)
}

/// An endpoint set by flag, environment or profile, for S3 or for all services.
fn own_endpoint(shared: &SdkConfig) -> Option<String> {
    let key =
        ServiceConfigKey::builder().service_id("S3").profile("endpoint_url").env("AWS_ENDPOINT_URL").build().ok()?;
    let for_s3 = shared.service_config().and_then(|config| config.load_config(key));
    for_s3.or_else(|| shared.endpoint_url().map(str::to_owned))
}

/// Else every request would fail as if the server were away, and be made again.
fn is_endpoint(url: &str) -> bool {
    let uri: Option<http::Uri> = url.parse().ok();
    uri.is_some_and(|uri| matches!(uri.scheme_str(), Some("http" | "https")) && uri.host().is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_has_a_scheme_and_a_host() {
        for url in ["http://localhost:9000", "https://s3.example", "HTTP://[::1]:80/", "http://127.0.0.1/base"] {
            assert!(is_endpoint(url), "{url}");
        }
        for url in ["", "localhost:9000", "localhost", "//host", "ftp://host", "http://", "s3://bucket"] {
            assert!(!is_endpoint(url), "{url}");
        }
    }

    #[test]
    fn a_customer_key_is_not_shown() {
        let bytes = *b"thirty-two bytes, all of a key..";
        let key = SseCustomerKey::new(&bytes).unwrap();
        let secrets =
            [key.key.clone(), key.md5.clone(), hex::encode(bytes), "thirty-two".to_owned(), "116, 104".to_owned()];
        let options = S3Options { customer_key: Some(key.clone()), ..S3Options::default() };
        for shown in [format!("{key:?}"), format!("{key:#?}"), format!("{options:?}"), format!("{options:#?}")] {
            assert!(!secrets.iter().any(|secret| shown.contains(secret)), "{shown}");
        }
        assert!(SseCustomerKey::new(&bytes[1..]).is_none());
    }
}
