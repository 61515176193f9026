/// Who makes the calls, as `sts:GetCallerIdentity` tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// Twelve digits.
    pub account: String,
    pub arn: String,
}

impl Caller {
    /// The partition in the ARN: `aws`, `aws-cn`, `aws-us-gov` and others.
    pub fn partition(&self) -> &str {
        self.arn.split(':').nth(1).unwrap_or_default()
    }
}

/// A key, as `kms:DescribeKey` tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyFacts {
    pub arn: String,
    /// `Enabled`, `Disabled`, `PendingDeletion` and others.
    pub state: String,
    /// `AWS` or `CUSTOMER`.
    pub manager: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_arn_names_the_partition() {
        let caller = Caller { account: "123456789012".into(), arn: "arn:aws-us-gov:iam::123456789012:user/x".into() };
        assert_eq!(caller.partition(), "aws-us-gov");
        assert_eq!(Caller { arn: "odd".into(), ..caller }.partition(), "");
    }
}
