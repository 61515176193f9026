//! The account: who calls, keys, quotas, parameters.

#[cfg(feature = "ec2")]
pub mod aws;

use async_trait::async_trait;

use crate::facts::{Caller, KeyFacts};
use crate::source::SourceError;

/// A quota of an account in a Region, by its code in Service Quotas.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QuotaCode {
    pub service: &'static str,
    pub code: &'static str,
}

/// AMIs in a Region.
pub const IMAGES: QuotaCode = QuotaCode { service: "ec2", code: "L-B665C33B" };
/// Snapshots in a Region.
pub const SNAPSHOTS: QuotaCode = QuotaCode { service: "ebs", code: "L-309BACF6" };

/// STS, KMS, Service Quotas and SSM in one Region. Requests are counted, and made again where that may help.
#[async_trait]
pub trait AccountService: Send + Sync {
    async fn caller(&self) -> Result<Caller, SourceError>;

    /// By id, ARN or alias.
    async fn key(&self, key: &str) -> Result<KeyFacts, SourceError>;

    /// The value that applies to the account, or else AWS's default.
    async fn quota(&self, quota: QuotaCode) -> Result<f64, SourceError>;

    /// What an encoded authorization failure message says.
    async fn decode(&self, message: &str) -> Result<String, SourceError>;

    /// Points a parameter of data type `aws:ec2:image` at an AMI. SSM checks the AMI later, and drops the write in
    /// silence if it does not like it (SSM API reference, `PutParameter`).
    async fn put_alias(&self, name: &str, image: &str) -> Result<(), SourceError>;

    async fn alias(&self, name: &str) -> Result<String, SourceError>;
}
