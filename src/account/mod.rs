//! The AWS account: caller, keys, quotas and parameters.

#[cfg(feature = "ec2")]
pub mod aws;

use async_trait::async_trait;

use crate::facts::{Caller, KeyFacts};
use crate::source::SourceError;

/// A quota of an account in a Region, by its code in Service Quotas.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QuotaCode {
    /// Code of the service.
    pub service: &'static str,
    /// Code of the quota.
    pub code: &'static str,
}

/// Quota of AMIs in a Region.
pub const IMAGES: QuotaCode = QuotaCode { service: "ec2", code: "L-B665C33B" };
/// Quota of snapshots in a Region.
pub const SNAPSHOTS: QuotaCode = QuotaCode { service: "ebs", code: "L-309BACF6" };

/// STS, KMS, Service Quotas and SSM in one Region. Requests are counted, and retried where that may help.
///
/// # Errors
///
/// Each method returns the [`SourceError`] of its last attempt.
#[async_trait]
pub trait AccountService: Send + Sync {
    /// Account and ARN of the caller (sts:GetCallerIdentity).
    async fn caller(&self) -> Result<Caller, SourceError>;

    /// A KMS key, by id, ARN or alias (kms:DescribeKey).
    async fn key(&self, key: &str) -> Result<KeyFacts, SourceError>;

    /// The value of a quota that applies to the account (servicequotas:GetServiceQuota).
    async fn quota(&self, quota: QuotaCode) -> Result<f64, SourceError>;

    /// The text of an encoded authorization failure message (sts:DecodeAuthorizationMessage).
    async fn decode(&self, message: &str) -> Result<String, SourceError>;

    /// Sets a parameter of data type `aws:ec2:image` to an AMI. SSM checks the AMI later, and silently drops the write
    /// if the AMI is not valid (SSM API reference, `PutParameter`).
    async fn put_alias(&self, name: &str, image: &str) -> Result<(), SourceError>;

    /// The value of a parameter (ssm:GetParameter).
    async fn alias(&self, name: &str) -> Result<String, SourceError>;
}
