//! Resolves the configuration and makes SDK clients from it.

use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use aws_config::imds::region::ImdsRegionProvider;
use aws_config::provider_config::ProviderConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::provider::{ProvideCredentials as _, SharedCredentialsProvider};
use aws_runtime::env_config::file::{EnvConfigFileKind, EnvConfigFiles};
use aws_sdk_s3::Client;
use aws_sdk_s3::config::{RequestChecksumCalculation, ResponseChecksumValidation, SharedHttpClient};
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::bounded::BoundedAnswers;
use super::context::{Lacks, OwnerChecks};
use super::empty::EmptyContent;
#[cfg(feature = "ec2")]
use super::http::sdk_client;
use super::http::{
    CONNECT_TIMEOUT, READ_TIMEOUT, Servers, Trust, client, metadata_client, small_client, upload_client,
};
use super::role::RoleToAssume;
use super::setting_error::{ConnectError, SettingError};
use super::settings::{Cached, Looked, Notes, Service, Settings, SettingsScope, Wire, provider};
use super::traced::Traced;
use crate::checksum::{Algorithm, Hasher};
use crate::facts;
use crate::source::{Advice, ErrorKind, NamedEndpoint, SourceError};
use crate::sync::lock;

/// How to reach S3, in addition to the AWS environment variables and configuration files.
#[derive(Debug, Clone, Default)]
pub struct S3Options {
    /// AWS Region; overrides the environment and the profile.
    pub region: Option<String>,
    /// Endpoint URL (`--endpoint-url`); overrides the environment and the profile.
    pub endpoint_url: Option<String>,
    /// Profile of the AWS configuration files; overrides the environment.
    pub profile: Option<String>,
    /// Send requests without a signature.
    pub no_sign_request: bool,
    /// Accept the charges of a Requester Pays bucket.
    pub request_payer: bool,
    /// Account id of twelve digits. Requests fail if the bucket belongs to another account.
    pub expected_bucket_owner: Option<String>,
    /// Key for objects encrypted with SSE-C.
    pub customer_key: Option<SseCustomerKey>,
    /// A role that is assumed with the credentials that the settings give.
    pub role: Option<RoleToAssume>,
    /// Which settings apply besides these options.
    pub scope: SettingsScope,
    /// Time limit for a response that is not the bytes of an object, from sending the request to the end of the
    /// response; 60 seconds if absent.
    pub patience: Option<Duration>,
}

impl S3Options {
    /// The same without credentials, for presigned URLs, which are in no Region of the caller.
    #[must_use]
    pub fn unsigned(self) -> Self {
        let region = Some(self.region.unwrap_or_else(|| "us-east-1".to_owned()));
        S3Options { no_sign_request: true, region, ..self }
    }

    /// The time limit of the option, or its default.
    pub(super) fn patience(&self) -> Duration {
        self.patience.unwrap_or(PATIENCE)
    }
}

const PATIENCE: Duration = Duration::from_secs(60);

/// A 256-bit key for SSE-C. `Debug` does not print it.
#[derive(Clone)]
pub struct SseCustomerKey {
    /// The key in Base64.
    pub(super) key: String,
    /// MD5 of the key in Base64, as S3 requires it.
    pub(super) md5: String,
}

impl SseCustomerKey {
    /// `None` unless the key has 32 bytes, the only length that S3 accepts.
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

/// A resolved configuration: Region, endpoints, credentials and HTTP client. Objects and buckets are opened from it.
/// Clones share their connections.
#[derive(Clone)]
pub struct Connection {
    /// Configuration without endpoints: each service has its own.
    shared: Arc<SdkConfig>,
    settings: Arc<Settings>,
    /// The options that the connection was opened with.
    pub(super) options: Arc<S3Options>,
    path_style: bool,
    /// Requests that servers turned out not to support.
    pub(super) lacks: Lacks,
    /// Whether S3 of AWS answers, or another server.
    answers: facts::Service,
    /// Whether a setting names the endpoint of S3.
    own_endpoint: bool,
    owner_checks: OwnerChecks,
    trust: Trust,
    servers: Servers,
    notes: Notes,
    /// The client of all objects and buckets, so that they reuse open connections.
    common: Arc<OnceLock<Client>>,
}

impl Connection {
    /// Resolves Region, endpoints and credentials. Sends no request to S3.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Configuration`] if a setting is wrong, with its name; [`ErrorKind::Credentials`] if there are no
    /// usable credentials.
    pub async fn open(options: S3Options) -> Result<Self, SourceError> {
        Connection::resolve(options).await.map_err(|error| {
            let (kind, advice) = match &error {
                ConnectError::Setting(_) => (ErrorKind::Configuration, None),
                ConnectError::Credentials { advice, .. } => (ErrorKind::Credentials, advice.clone()),
            };
            let made = SourceError {
                advice: advice.map(Box::new),
                ..SourceError::new(kind, "configuration", error.to_string())
            };
            made.caused_by(error)
        })
    }

    async fn resolve(options: S3Options) -> Result<Self, ConnectError> {
        Connection::of(Settings::load(options.profile.as_deref(), options.scope).await?, options).await
    }

    async fn of(settings: Settings, options: S3Options) -> Result<Self, ConnectError> {
        let trust = Trust::of(settings.ca_bundle())?;
        let flag = options.endpoint_url.as_deref();
        let endpoint = settings.endpoint(Service::S3, flag)?;
        // Read the endpoints of all services now, so that a wrong one does not fail in the middle of the command.
        let services = Service::ALL.iter().map(|service| settings.endpoint(*service, flag));
        let mut endpoints: Vec<NamedEndpoint> = services.filter_map(Result::transpose).collect::<Result<_, _>>()?;
        let sts = settings.endpoint(Service::Sts, None)?;
        endpoints.extend(sts.clone());
        let path_style = settings.path_style(endpoint.is_some())?;
        let variants = variants(&settings, endpoint.as_ref())?;
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .read_timeout(options.patience.unwrap_or(READ_TIMEOUT))
            // The other timeouts end with the head of the response; a body that is read completely may still stall.
            .operation_attempt_timeout(options.patience())
            .build();
        let asking = ProviderConfig::without_region()
            .with_use_fips(Some(variants.fips))
            .with_use_dual_stack(Some(variants.dual_stack));
        let metadata = asking.clone().with_http_client(metadata_client());
        let region = region(&settings, options.region.as_deref(), endpoint.is_some(), &metadata).await?;
        let servers = Servers::new(endpoints);
        let mut shared = base(&region, variants, &timeouts, small_client(&trust, &servers)).await;
        let notes = Notes::default();
        if !options.no_sign_request {
            let wire = Wire {
                sts: with_endpoint(&shared, sts).into_builder().retry_config(RetryConfig::standard()).build(),
                services: asking
                    .with_http_client(small_client(&trust, &servers))
                    .with_timeout_config(timeouts)
                    .with_region(Some(region)),
                metadata,
            };
            let credentials = credentials((&settings, options.role.as_ref()), &wire, &notes).await?;
            shared = shared.into_builder().credentials_provider(credentials).build();
        }
        let settings = Arc::new(settings);
        let shared = shared.into_builder().service_config(Looked(Arc::clone(&settings))).build();
        Ok(Connection {
            shared: Arc::new(shared),
            settings,
            options: Arc::new(options),
            path_style,
            lacks: Lacks::default(),
            answers: endpoint.as_ref().map_or(facts::Service::Aws, |endpoint| service_at(&endpoint.url)),
            own_endpoint: endpoint.is_some(),
            owner_checks: OwnerChecks::default(),
            trust,
            servers,
            notes,
            common: Arc::default(),
        })
    }

    /// The same credentials and settings in another Region, with its own HTTP connections.
    pub fn in_region(&self, region: &str) -> Self {
        let shared = self.shared.to_builder().region(Region::new(region.to_owned())).build();
        Connection { shared: Arc::new(shared), common: Arc::default(), ..self.clone() }
    }

    /// Notices about the configuration, for the user.
    pub fn notes(&self) -> Vec<String> {
        lock(&self.notes).clone()
    }

    /// The Region that requests are signed for.
    pub fn region(&self) -> &str {
        self.shared.region().map_or("", |region| region.as_ref())
    }

    /// The same, for buckets of this account: requests on a bucket of another one fail.
    #[must_use]
    pub fn with_expected_owner(&self, account: &str) -> Self {
        let options = S3Options { expected_bucket_owner: Some(account.to_owned()), ..(*self.options).clone() };
        Connection { options: Arc::new(options), ..self.clone() }
    }

    /// The URL of S3, if a setting names one.
    pub fn endpoint_url(&self) -> Option<String> {
        let endpoint = self.settings.endpoint(Service::S3, self.options.endpoint_url.as_deref());
        endpoint.ok().flatten().map(|endpoint| endpoint.url)
    }

    /// The settings that the connection was opened with.
    pub(super) fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The provider of the credentials; `None` if requests are not signed.
    pub(super) fn credentials(&self) -> Option<SharedCredentialsProvider> {
        self.shared.credentials_provider()
    }

    /// Which service answers; its documentation decides what a response means.
    pub fn answers(&self) -> facts::Service {
        self.answers
    }

    /// Whether a setting names the endpoint of S3.
    pub(super) fn has_own_endpoint(&self) -> bool {
        self.own_endpoint
    }

    /// SDK configuration for a client of `service`, with the endpoint of that service.
    pub(crate) fn service(&self, service: Service) -> SdkConfig {
        // The endpoint was checked when the connection was opened.
        let endpoint = self.settings.endpoint(service, self.options.endpoint_url.as_deref()).unwrap_or_default();
        let config = with_endpoint(&self.shared, endpoint);
        match service {
            // Responses of EC2 may be large; `image::ec2` limits them.
            #[cfg(feature = "ec2")]
            Service::Ec2 => config.into_builder().http_client(sdk_client(&self.trust, &self.servers)).build(),
            // Blocks of snapshots are read like objects; `snapshot::ebs` limits the other responses.
            #[cfg(feature = "ebs")]
            Service::Ebs => config.into_builder().http_client(client(&self.trust, &self.servers)).build(),
            _ => config,
        }
    }

    /// Observed handling of the expected bucket owner; `None` without an endpoint setting, because S3 documents that it
    /// checks the owner.
    pub(super) fn owner_checks(&self) -> Option<&OwnerChecks> {
        self.own_endpoint.then_some(&self.owner_checks)
    }

    /// The client whose connections all objects and buckets share.
    pub(super) fn client(&self) -> Client {
        self.common.get_or_init(|| self.fresh_client()).clone()
    }

    /// A client with its own connections.
    pub(super) fn fresh_client(&self) -> Client {
        Client::from_conf(self.s3_config(client(&self.trust, &self.servers)))
    }

    /// A client for uploads, with its own connections and without time limits: these depend on the size of a part.
    pub(super) fn upload_client(&self) -> Client {
        // Limits that are not disabled are those of the connection.
        let no_limits = TimeoutConfig::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .disable_read_timeout()
            .disable_operation_timeout()
            .disable_operation_attempt_timeout()
            .build();
        let config = self.s3_config(upload_client(&self.trust, &self.servers));
        Client::from_conf(config.to_builder().timeout_config(no_limits).build())
    }

    fn s3_config(&self, http: SharedHttpClient) -> aws_sdk_s3::Config {
        aws_sdk_s3::config::Builder::from(&self.service(Service::S3))
            .http_client(http)
            .force_path_style(self.path_style)
            // Verification is this program's task; the SDK would check single responses, skip composite checksums
            // silently, and hash the bytes a second time.
            .response_checksum_validation(ResponseChecksumValidation::WhenRequired)
            .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
            .interceptor(BoundedAnswers)
            .interceptor(EmptyContent)
            .interceptor(Traced)
            .build()
    }
}

/// Variants of AWS endpoints that the settings ask for.
#[derive(Debug, Clone, Copy)]
struct Variants {
    fips: bool,
    dual_stack: bool,
}

fn service_at(url: &str) -> facts::Service {
    let uri: Option<http::Uri> = url.parse().ok();
    uri.as_ref().and_then(http::Uri::host).map_or(facts::Service::Other, facts::Service::of_host)
}

fn variants(settings: &Settings, endpoint: Option<&NamedEndpoint>) -> Result<Variants, SettingError> {
    let fips = settings.switch("AWS_USE_FIPS_ENDPOINT", "use_fips_endpoint")?;
    let dual_stack = settings.switch("AWS_USE_DUALSTACK_ENDPOINT", "use_dualstack_endpoint")?;
    if let Some(endpoint) = endpoint.filter(|_| fips || dual_stack) {
        let (variable, key) = match fips {
            true => ("AWS_USE_FIPS_ENDPOINT", "use_fips_endpoint"),
            false => ("AWS_USE_DUALSTACK_ENDPOINT", "use_dualstack_endpoint"),
        };
        let switch = if settings.env().get(variable).is_some() { variable } else { key };
        let text = format!(
            "{} names an endpoint, and {switch} asks for one of AWS's own: leave one of the two away",
            endpoint.setting
        );
        return Err(SettingError::new(text).of(&endpoint.setting));
    }
    Ok(Variants { fips, dual_stack })
}

/// SDK configuration without credentials and endpoints, which are resolved here and not by the SDK.
async fn base(region: &Region, variants: Variants, timeouts: &TimeoutConfig, http: SharedHttpClient) -> SdkConfig {
    let nothing = EnvConfigFiles::builder().with_contents(EnvConfigFileKind::Config, "").build();
    let loaded = aws_config::defaults(BehaviorVersion::latest())
        .profile_files(nothing)
        .profile_name("default")
        .region(region.clone())
        .use_fips(variants.fips)
        .use_dual_stack(variants.dual_stack)
        .no_credentials()
        .retry_config(RetryConfig::disabled())
        .stalled_stream_protection(aws_config::stalled_stream_protection::StalledStreamProtectionConfig::disabled())
        .timeout_config(timeouts.clone())
        .http_client(http)
        .load()
        .await;
    with_endpoint(&loaded, None)
}

fn with_endpoint(shared: &SdkConfig, endpoint: Option<NamedEndpoint>) -> SdkConfig {
    let mut builder = shared.to_builder();
    builder.set_endpoint_url(endpoint.map(|endpoint| endpoint.url));
    builder.build()
}

/// Resolves the credentials of all clients, once.
async fn credentials(
    (settings, role): (&Settings, Option<&RoleToAssume>),
    wire: &Wire,
    notes: &Notes,
) -> Result<SharedCredentialsProvider, ConnectError> {
    let plan = match role {
        None => settings.plan()?,
        Some(role) => settings.plan()?.assuming(role),
    };
    let cached = SharedCredentialsProvider::new(Cached::new(provider(&plan, wire, notes).await));
    let Err(error) = cached.provide_credentials().await else { return Ok(cached) };
    let cause = super::causes::root_cause(&error);
    let (text, advice) = match plan.is_fallback() {
        true => (settings.without_credentials(&cause), Some(Advice::SetCredentials)),
        false => (format!("no usable credentials: {cause}"), None),
    };
    Err(ConnectError::Credentials { text, advice, cause: error })
}

/// The Region: from the flag, the environment, the profile or, on an EC2 instance, its metadata.
async fn region(
    settings: &Settings,
    flag: Option<&str>,
    own_endpoint: bool,
    metadata: &ProviderConfig,
) -> Result<Region, SettingError> {
    if let Some(region) = settings.region(flag)? {
        return Ok(Region::new(region));
    }
    if own_endpoint {
        // Other servers rarely check the Region, but a signature must name one.
        return Ok(Region::new("us-east-1"));
    }
    if settings.is_of_profile_only() {
        let profile = settings.profile_name();
        let text = format!(
            "profile `{profile}` has no region, and this connection takes none from the environment; add one to the \
             profile or give it as an option"
        );
        return Err(SettingError::new(text).of(format!("profile `{profile}`")));
    }
    let machine = ImdsRegionProvider::builder().configure(metadata).build();
    let unset = "no Region is set; give --region, or set AWS_REGION or a profile's region";
    machine.region().await.ok_or_else(|| SettingError::new(unset))
}

#[cfg(test)]
mod tests {
    use aws_sdk_s3::primitives::SdkBody;
    use aws_smithy_runtime_api::client::http::SharedHttpConnector;
    use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorFuture, http_client_fn};
    use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
    use aws_smithy_runtime_api::shared::IntoShared as _;

    use super::*;

    /// Records the requested host, and refuses the request.
    #[derive(Debug, Clone, Default)]
    struct Hosts(Arc<std::sync::Mutex<Vec<String>>>);

    impl HttpConnector for Hosts {
        fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
            let uri: http::Uri = request.uri().parse().unwrap();
            self.0.lock().unwrap().push(uri.authority().unwrap().to_string());
            HttpConnectorFuture::ready(Ok(HttpResponse::new(403.try_into().unwrap(), SdkBody::empty())))
        }
    }

    /// The hosts that a request to S3 goes to.
    async fn hosts(env: &[(&str, &str)], config: &str) -> Vec<String> {
        let settings = Settings::test(env, config).await;
        let options = S3Options { region: Some("eu-west-1".into()), ..S3Options::default() };
        let connection = Connection::of(settings, options).await.unwrap();
        let asked = Hosts::default();
        let connector = SharedHttpConnector::new(asked.clone());
        let http = http_client_fn(move |_, _| connector.clone());
        let client = Client::from_conf(connection.s3_config(http.into_shared()));
        let _ = client.head_object().bucket("my-archive").key("k").send().await;
        asked.0.lock().unwrap().clone()
    }

    #[tokio::test]
    async fn the_host_that_is_asked() {
        const KEYS: [(&str, &str); 2] = [("AWS_ACCESS_KEY_ID", "A"), ("AWS_SECRET_ACCESS_KEY", "S")];
        let of = async |env: &[(&str, &str)], config: &str| {
            let found = hosts(&[&KEYS[..], env].concat(), config).await;
            assert_eq!(found.len(), 1, "{found:?}");
            found.into_iter().next().unwrap()
        };
        assert_eq!(of(&[], "").await, "my-archive.s3.eu-west-1.amazonaws.com");
        let fips = "my-archive.s3-fips.eu-west-1.amazonaws.com";
        assert_eq!(of(&[("AWS_USE_FIPS_ENDPOINT", "true")], "").await, fips);
        assert_eq!(of(&[], "[default]\nuse_fips_endpoint = true\n").await, fips);
        assert_eq!(
            of(&[("AWS_USE_FIPS_ENDPOINT", "false")], "[default]\nuse_fips_endpoint = true\n").await,
            "my-archive.s3.eu-west-1.amazonaws.com"
        );
        let dual = "my-archive.s3.dualstack.eu-west-1.amazonaws.com";
        assert_eq!(of(&[("AWS_USE_DUALSTACK_ENDPOINT", "TRUE")], "").await, dual);
        assert_eq!(of(&[], "[default]\nuse_dualstack_endpoint = true\n").await, dual);
        assert_eq!(of(&[], "[default]\ns3 =\n  addressing_style = path\n").await, "s3.eu-west-1.amazonaws.com");
        let all = ("AWS_ENDPOINT_URL", "http://all.example:81");
        assert_eq!(of(&[all], "").await, "all.example:81");
        assert_eq!(of(&[all, ("AWS_ENDPOINT_URL_S3", "http://s3.example")], "").await, "s3.example");
        assert_eq!(of(&[all], "[default]\ns3 =\n  addressing_style = virtual\n").await, "my-archive.all.example:81");
        let services = "[default]\nservices = x\n[services x]\ns3 =\n  endpoint_url = http://sec.example\n";
        assert_eq!(of(&[], services).await, "sec.example");
        let ignored = of(&[all, ("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true")], services).await;
        assert_eq!(ignored, "my-archive.s3.eu-west-1.amazonaws.com");
    }

    #[tokio::test]
    async fn settings_that_contradict_each_other_are_refused() {
        for switch in ["AWS_USE_FIPS_ENDPOINT", "AWS_USE_DUALSTACK_ENDPOINT"] {
            let settings = Settings::test(&[(switch, "true"), ("AWS_ENDPOINT_URL_S3", "http://h")], "").await;
            let problem = Connection::of(settings, S3Options::default()).await.err().unwrap().to_string();
            assert!(problem.contains("AWS_ENDPOINT_URL_S3"), "{problem}");
        }
        let settings = Settings::test(&[("AWS_USE_FIPS_ENDPOINT", "perhaps")], "").await;
        let problem = Connection::of(settings, S3Options::default()).await.err().unwrap().to_string();
        assert!(problem.contains("AWS_USE_FIPS_ENDPOINT"), "{problem}");
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
