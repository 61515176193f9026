//! STS, KMS, Service Quotas and SSM with the AWS SDKs.

use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_ssm::types::ParameterType;

use super::{AccountService, QuotaCode};
use crate::clock::within;
use crate::facts::{Caller, KeyFacts};
use crate::progress::Call;
use crate::source::s3::{Connection, Service, Traced, translate};
use crate::source::{Context, ErrorKind, RetryPolicy, SourceError};

/// A client of a service, with an event for each request.
macro_rules! traced {
    ($sdk:ident, $connection:expr, $service:expr) => {{
        let config = $sdk::config::Builder::from(&$connection.service($service)).interceptor(Traced);
        $sdk::Client::from_conf(config.build())
    }};
}

/// The account of a connection, in its Region.
pub struct Account {
    sts: aws_sdk_sts::Client,
    kms: aws_sdk_kms::Client,
    quotas: aws_sdk_servicequotas::Client,
    ssm: aws_sdk_ssm::Client,
    context: Context,
}

impl Account {
    /// `context` counts the requests.
    pub fn new(connection: &Connection, context: Context) -> Self {
        Account {
            sts: traced!(aws_sdk_sts, connection, Service::Sts),
            kms: traced!(aws_sdk_kms, connection, Service::Kms),
            quotas: traced!(aws_sdk_servicequotas, connection, Service::Quotas),
            ssm: traced!(aws_sdk_ssm, connection, Service::Ssm),
            context,
        }
    }

    /// Sends a request, with a few retries and a time limit. Each of these services serves one check among many: if it
    /// cannot be reached, that check becomes unknown soon and does not delay the others.
    async fn asked<T, F>(&self, subject: &str, request: impl Fn() -> F) -> Result<T, SourceError>
    where
        F: Future<Output = Result<T, SourceError>>,
    {
        let context = Context { retry: few(self.context.retry), ..self.context.clone() };
        let answer = within(&*self.context.clock, PATIENCE, context.retry(Call::Account, request)).await;
        answer.unwrap_or_else(|_| {
            let detail = format!("no answer within {} s", PATIENCE.as_secs());
            Err(SourceError::new(ErrorKind::Transient, subject, detail))
        })
    }
}

/// Time limit of a request with all its attempts.
const PATIENCE: Duration = Duration::from_secs(4);
/// Retries that fit into the time limit.
const FEW: RetryPolicy =
    RetryPolicy { attempts: 4, base: Duration::from_millis(200), cap: Duration::from_secs(1), stall: PATIENCE };

/// The same, with fewer attempts if the user wants fewer.
fn few(chosen: RetryPolicy) -> RetryPolicy {
    RetryPolicy { attempts: FEW.attempts.min(chosen.attempts), ..FEW }
}

/// Sends a request to a service.
macro_rules! ask {
    ($self:ident, $subject:expr, $needs:expr, $request:expr) => {
        $self.asked($subject, || async { $request.send().await.map_err(|error| translate(error, $subject, $needs)) })
    };
}

fn missing(subject: &str, what: &str) -> SourceError {
    SourceError::new(ErrorKind::Protocol, subject, format!("the answer has no {what}"))
}

#[async_trait]
impl AccountService for Account {
    async fn caller(&self) -> Result<Caller, SourceError> {
        let subject = "the caller";
        let out = ask!(self, subject, "sts:GetCallerIdentity", self.sts.get_caller_identity()).await?;
        let account = out.account().ok_or_else(|| missing(subject, "account"))?.to_owned();
        Ok(Caller { account, arn: out.arn().unwrap_or_default().to_owned() })
    }

    async fn key(&self, key: &str) -> Result<KeyFacts, SourceError> {
        let out = ask!(self, key, "kms:DescribeKey", self.kms.describe_key().key_id(key)).await?;
        let facts = out.key_metadata().ok_or_else(|| missing(key, "key"))?;
        Ok(KeyFacts {
            arn: facts.arn().unwrap_or(key).to_owned(),
            state: facts.key_state().map(|state| state.as_str()).unwrap_or_default().to_owned(),
            manager: facts.key_manager().map(|manager| manager.as_str().to_owned()),
        })
    }

    async fn quota(&self, quota: QuotaCode) -> Result<f64, SourceError> {
        let subject = format!("quota {} of {}", quota.code, quota.service);
        let request = self.quotas.get_service_quota().service_code(quota.service).quota_code(quota.code);
        let out = ask!(self, subject.as_str(), "servicequotas:GetServiceQuota", request.clone()).await?;
        out.quota().and_then(|quota| quota.value()).ok_or_else(|| missing(&subject, "value"))
    }

    async fn decode(&self, message: &str) -> Result<String, SourceError> {
        let subject = "the authorization failure message";
        let request = self.sts.decode_authorization_message().encoded_message(message);
        let out = ask!(self, subject, "sts:DecodeAuthorizationMessage", request.clone()).await?;
        out.decoded_message().map(str::to_owned).ok_or_else(|| missing(subject, "message"))
    }

    async fn put_alias(&self, name: &str, image: &str) -> Result<(), SourceError> {
        let request = self
            .ssm
            .put_parameter()
            .name(name)
            .value(image)
            .r#type(ParameterType::String)
            .data_type("aws:ec2:image")
            .overwrite(true);
        // Safe to retry, because it sets the same value again.
        ask!(self, name, "ssm:PutParameter and ec2:DescribeImages", request.clone()).await.map(drop)
    }

    async fn alias(&self, name: &str) -> Result<String, SourceError> {
        let out = ask!(self, name, "ssm:GetParameter", self.ssm.get_parameter().name(name)).await?;
        let value = out.parameter().and_then(|parameter| parameter.value());
        value.map(str::to_owned).ok_or_else(|| missing(name, "value"))
    }
}
