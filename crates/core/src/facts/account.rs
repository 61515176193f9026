/// The identity that makes the calls (`sts:GetCallerIdentity`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// Account id, twelve digits.
    pub account: String,
    /// ARN of the user or the role.
    pub arn: String,
}

impl Caller {
    /// The partition of the ARN: `aws`, `aws-cn`, `aws-us-gov` and others.
    pub fn partition(&self) -> &str {
        self.arn.split(':').nth(1).unwrap_or_default()
    }
}

/// A KMS key (`kms:DescribeKey`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyFacts {
    /// ARN of the key.
    pub arn: String,
    /// `KeyState`: `Enabled`, `Disabled`, `PendingDeletion` and others.
    pub state: String,
    /// `AWS` or `CUSTOMER`; `None` if not stated.
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
