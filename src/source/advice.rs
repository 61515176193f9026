use std::fmt;

use crate::ident::shell_option;

/// Where the endpoint may be set.
const ENDPOINT: &str = "--endpoint-url, AWS_ENDPOINT_URL or endpoint_url of the profile";

/// An endpoint that a setting names in place of the one of AWS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedEndpoint {
    /// The URL without surrounding white space. It has no user and no password.
    pub url: String,
    /// The flag, variable or key that names it.
    pub setting: String,
    /// The key of the profile that names another one, which does not count beside this setting.
    pub instead_of: Option<String>,
}

impl fmt::Display for NamedEndpoint {
    /// The setting, and what does not count beside it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.setting)?;
        match &self.instead_of {
            Some(other) => write!(f, ", which takes precedence over {other}"),
            None => Ok(()),
        }
    }
}

/// The endpoint to change: where it is set, as far as that is known.
struct Where<'a>(&'a Option<NamedEndpoint>);

impl fmt::Display for Where<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(endpoint) => write!(f, "{} ({endpoint})", endpoint.url),
            None => write!(f, "the endpoint ({ENDPOINT})"),
        }
    }
}

/// What comes before the advice on a permission where the key may be wrong.
const CHECK_KEY_FIRST: &str =
    "check the key first: without s3:ListBucket the same answer is given where there is no object; if it is right, ";

/// What the user can do about a failed request. The only place that words it, so that the same cause gets the same
/// advice everywhere.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Advice {
    /// The server speaks plain HTTP, and the endpoint asks for TLS.
    PlainHttp {
        /// The endpoint that was asked, if a setting names one.
        endpoint: Option<NamedEndpoint>,
    },
    /// The server speaks TLS, and the endpoint asks for plain HTTP.
    Tls {
        /// The endpoint that was asked, if a setting names one.
        endpoint: Option<NamedEndpoint>,
    },
    /// No server answers at an endpoint that a setting names.
    CheckEndpoint {
        /// The endpoint that was asked, if a setting names one.
        endpoint: Option<NamedEndpoint>,
    },
    /// No server of AWS can be reached.
    CheckNetwork,
    /// The certificate of the server is not trusted.
    CaBundle,
    /// Nothing provides credentials.
    SetCredentials,
    /// The service does not accept the credentials.
    CheckCredentials,
    /// A permission is missing.
    AllowReading,
    /// A permission to read is missing, or there is no object of this key: without `s3:ListBucket` S3 answers the same
    /// (S3 API Reference, *HeadObject*, *Permissions*).
    CheckKeyOrAllow,
    /// A permission is missing that reading does not need.
    Allow,
    /// The bucket does not exist.
    CheckBucket {
        /// The endpoint that was asked, if a setting names one.
        endpoint: Option<NamedEndpoint>,
    },
    /// The object does not exist in this bucket.
    CheckKey {
        /// Name of the bucket.
        bucket: String,
    },
    /// The version does not exist.
    CheckVersion,
    /// The object is in an archive tier.
    RestoreFromArchive,
    /// The object is encrypted with a customer key, and another or none was given.
    CustomerKey,
    /// The local file does not exist.
    CheckPath,
    /// The AMI does not exist in this Region.
    CheckImage,
}

impl Advice {
    /// The sentence for a missing permission, with the policy of a command; `None` for other advice.
    pub fn with_policy(&self, command: &str, bucket: &str) -> Option<String> {
        let first = match self {
            Advice::Allow | Advice::AllowReading => "",
            Advice::CheckKeyOrAllow => CHECK_KEY_FIRST,
            _ => return None,
        };
        let bucket = shell_option("--bucket", bucket);
        let policy = format!("`stored-ami policy {command} {bucket}` prints the policy that the command needs");
        Some(format!("{first}ask for the permission; {policy}"))
    }
}

impl fmt::Display for Advice {
    /// A sentence in the imperative, without a full stop.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Advice::PlainHttp { endpoint } => {
                write!(f, "write http:// instead of https:// in {}", Where(endpoint))
            }
            Advice::Tls { endpoint } => write!(f, "write https:// instead of http:// in {}", Where(endpoint)),
            Advice::CheckEndpoint { endpoint } => {
                write!(f, "check that the server runs, and host and port of {}", Where(endpoint))
            }
            Advice::CheckNetwork => {
                f.write_str("check the Region, and the network, DNS and proxy settings of this machine")
            }
            Advice::CaBundle => f.write_str("name the CA that signed it with AWS_CA_BUNDLE or ca_bundle of the profile"),
            Advice::SetCredentials => f.write_str(
                "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE or --profile; public objects need \
                 only --no-sign-request",
            ),
            Advice::CheckCredentials => {
                f.write_str("check the keys of the environment or the profile: `aws sts get-caller-identity` tests them")
            }
            Advice::AllowReading => f.write_str(
                "ask for the permission; `stored-ami policy verify --bucket BUCKET` prints the policy that reading needs",
            ),
            Advice::CheckKeyOrAllow => write!(f, "{CHECK_KEY_FIRST}{}", Advice::AllowReading),
            Advice::Allow => f.write_str(
                "ask for the permission; `stored-ami policy COMMAND --bucket BUCKET` prints the policy of a command",
            ),
            Advice::CheckBucket { endpoint: None } => {
                f.write_str("check the name of the bucket, the endpoint and the profile")
            }
            Advice::CheckBucket { endpoint: Some(endpoint) } => write!(
                f,
                "check the name of the bucket and the profile, and whether the bucket is at {}, which was asked \
                 because of {endpoint}",
                endpoint.url
            ),
            Advice::CheckKey { bucket } => {
                write!(f, "check the key; `stored-ami audit s3://{bucket}/` lists the stored AMI objects")
            }
            Advice::CheckVersion => f.write_str("check the version id, or leave it out to get the current version"),
            Advice::RestoreFromArchive => {
                f.write_str("make a readable copy first with `stored-ami thaw`, and run again when it is there")
            }
            Advice::CheckImage => f.write_str("check the AMI id, --region and the account of the credentials"),
            Advice::CustomerKey => f.write_str("ask the owner of the object for the key, a file of 32 bytes"),
            Advice::CheckPath => f.write_str("check the path; objects in S3 are written s3://BUCKET/KEY"),
        }
    }
}
