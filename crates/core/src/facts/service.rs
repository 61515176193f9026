use super::ObjectFacts;
use crate::ident::Target;

/// The service that answers, which determines whether the documentation of S3 applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Service {
    /// An endpoint of AWS: the S3 API Reference applies.
    Aws,
    /// Any other server, or an unknown one.
    #[default]
    Other,
}

impl Service {
    /// Domains of AWS endpoints, for all partitions.
    const DOMAINS: [&'static str; 7] = [
        "amazonaws.com",
        "amazonaws.com.cn",
        "amazonaws.eu",
        "api.aws",
        "c2s.ic.gov",
        "sc2s.sgov.gov",
        "cloud.adc-e.uk",
    ];

    /// The service by the host name of the endpoint, ignoring case and a final dot.
    pub fn of_host(host: &str) -> Self {
        let host = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
        let under = |domain: &str| host.strip_suffix(domain).is_some_and(|before| before.ends_with('.'));
        if Self::DOMAINS.into_iter().any(under) { Service::Aws } else { Service::Other }
    }
}

/// Storage classes of general purpose buckets (S3 API Reference, `StorageClass`). The rule for ETags is
/// documented only for these.
const GENERAL_PURPOSE: [&str; 8] = [
    "STANDARD",
    "REDUCED_REDUNDANCY",
    "STANDARD_IA",
    "ONEZONE_IA",
    "INTELLIGENT_TIERING",
    "GLACIER",
    "DEEP_ARCHIVE",
    "GLACIER_IR",
];

impl ObjectFacts {
    /// Whether S3 documents the ETag as an MD5 of the body or of the parts' MD5s (S3 API Reference,
    /// `Object.ETag`): on an endpoint of AWS, in a general purpose bucket, without KMS or customer keys.
    pub fn etag_is_documented(&self) -> bool {
        let directory_bucket = match &self.id.target {
            Target::Object(uri) => uri.bucket.ends_with("--x-s3"),
            Target::File(_) => return false,
        };
        let class = self.storage_class.as_deref();
        self.service == Service::Aws
            && self.encryption.hides_md5().is_none()
            && !directory_bucket
            && class.is_some_and(|class| GENERAL_PURPOSE.contains(&class))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::Encryption;
    use crate::ident::ObjectId;

    #[test]
    fn hosts_of_aws() {
        for host in [
            "s3.us-east-1.amazonaws.com",
            "b.s3.dualstack.eu-west-1.amazonaws.com.",
            "S3.CN-NORTH-1.AMAZONAWS.COM.CN",
            "vpce-1.s3.us-east-1.vpce.amazonaws.com",
            "s3.us-west-2.api.aws",
        ] {
            assert_eq!(Service::of_host(host), Service::Aws, "{host}");
        }
        for host in ["127.0.0.1", "localhost", "", "amazonaws.com.example", "s3amazonaws.com", "amazonaws.com", "minio"]
        {
            assert_eq!(Service::of_host(host), Service::Other, "{host}");
        }
    }

    #[test]
    fn where_an_etag_is_documented() {
        let of = |uri: &str, change: &dyn Fn(&mut ObjectFacts)| {
            let id = ObjectId { target: uri.parse().unwrap(), etag: None };
            let mut facts = ObjectFacts { service: Service::Aws, ..ObjectFacts::new(id, "test", 1) };
            facts.storage_class = Some("STANDARD".to_owned());
            change(&mut facts);
            facts.etag_is_documented()
        };
        let class = |class: &'static str| move |facts: &mut ObjectFacts| facts.storage_class = Some(class.to_owned());
        assert!(of("s3://b/k", &|_| {}));
        assert!(of("s3://b/k", &|facts| facts.encryption = Encryption::S3Managed));
        assert!(of("s3://b/k", &class("DEEP_ARCHIVE")));
        assert!(!of("s3://b--use1-az4--x-s3/k", &|_| {}), "a directory bucket");
        for other in ["EXPRESS_ONEZONE", "FSX_OPENZFS", "SOMETHING_NEW"] {
            assert!(!of("s3://b/k", &class(other)), "{other}");
        }
        assert!(!of("s3://b/k", &|facts| facts.service = Service::Other));
        assert!(!of("s3://b/k", &|facts| facts.encryption = Encryption::CustomerKey));
        assert!(!of("s3://b/k", &|facts| facts.encryption = Encryption::Kms { kind: "aws:kms".into(), key: None }));
        assert!(!of("/a/file", &|_| {}));
    }
}
