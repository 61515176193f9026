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

#[cfg(test)]
mod tests {
    use super::*;

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
}
