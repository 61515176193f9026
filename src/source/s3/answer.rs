//! Classifies the error responses of AWS services.

use crate::source::ErrorKind;

/// The parts of an error response that decide its meaning. A response to HEAD has no body, so it has no code.
pub(super) struct Answer<'a> {
    /// The service's code; empty if there is none.
    pub code: &'a str,
    /// The service's message; empty if there is none. It is shown and selects hints in the text, never the kind of
    /// error.
    pub message: &'a str,
    /// HTTP status.
    pub status: u16,
    /// Header `x-amz-bucket-region`.
    pub region: Option<&'a str>,
    /// Whether the header `x-amz-delete-marker` is `true`.
    pub delete_marker: bool,
}

type Meaning = (ErrorKind, String);

impl Answer<'_> {
    /// Returns the kind of the error and a sentence about it. The code is examined before the status, because several
    /// services use one status for different things. `needs` names the permissions that the request requires.
    pub(super) fn classify(&self, needs: &str) -> Meaning {
        self.by_general_code()
            .or_else(|| self.by_redirect())
            .or_else(|| self.by_object_or_bucket_code())
            .or_else(|| self.by_ec2_or_kms_code(needs))
            .or_else(|| self.by_refusal(needs))
            .unwrap_or_else(|| self.by_status())
    }

    /// `text`, followed by the server's message if there is one.
    fn with(&self, text: &str) -> String {
        if self.message.is_empty() { text.to_owned() } else { format!("{text}: {}", self.message) }
    }

    /// Codes that mean the same at every service, whatever the status.
    fn by_general_code(&self) -> Option<Meaning> {
        let (kind, text) = match self.code {
            "SlowDown"
            | "Throttling"
            | "ThrottlingException"
            | "RequestThrottledException"
            | "TooManyRequests"
            | "TooManyRequestsException"
            | "RequestLimitExceeded" => (ErrorKind::Throttled, "the server asks for fewer requests"),
            "ExpiredToken" | "TokenRefreshRequired" | "ExpiredTokenException" | "RequestExpired" => {
                (ErrorKind::Credentials, "the credentials have expired; renew them and run again")
            }
            "InvalidAccessKeyId"
            | "SignatureDoesNotMatch"
            | "InvalidToken"
            | "InvalidSecurity"
            | "InvalidClientTokenId"
            | "UnrecognizedClientException"
            | "MissingAuthenticationToken" => (ErrorKind::Credentials, "the credentials are refused"),
            // EC2 also sends this code with status 403, for storage that the caller may not read.
            "AuthFailure" if self.status == 401 => (ErrorKind::Credentials, "the credentials are refused"),
            "RequestTimeTooSkewed" => (ErrorKind::Credentials, "this machine's clock is wrong; set it and run again"),
            "RequestTimeout" | "InternalError" | "ServiceUnavailable" | "OperationAborted" => {
                (ErrorKind::Transient, "passing trouble at the server")
            }
            "InvalidObjectState" => (ErrorKind::Archived, "the object is archived"),
            _ => return None,
        };
        Some((kind, self.with(text)))
    }

    /// Responses for a bucket in another Region.
    fn by_redirect(&self) -> Option<Meaning> {
        let elsewhere = matches!(
            self.code,
            "PermanentRedirect" | "AuthorizationHeaderMalformed" | "IllegalLocationConstraintException"
        ) || self.status == 301
            || (self.status == 307 && self.region.is_some());
        elsewhere.then(|| {
            let detail = match self.region {
                Some(region) => format!("the bucket is in Region {region}; run again with --region {region}"),
                None => self.with("the bucket is in another Region"),
            };
            (ErrorKind::WrongRegion(self.region.map(str::to_owned)), detail)
        })
    }

    /// Codes of S3.
    fn by_object_or_bucket_code(&self) -> Option<Meaning> {
        let (kind, detail) = match (self.code, self.status) {
            (
                "ServerSideEncryptionConfigurationNotFoundError"
                | "NoSuchPublicAccessBlockConfiguration"
                | "NoSuchBucketPolicy"
                | "ObjectLockConfigurationNotFoundError",
                404,
            ) => (ErrorKind::NotFound, "none is set".to_owned()),
            (
                "SecondLevelDomainForbidden"
                | "PathStyleDomainForbidden"
                | "PathStyleRequestNotAllowed"
                | "VirtualHostDomainRequired",
                _,
            ) => {
                let text = "this server takes the bucket in the host name only; set `addressing_style = virtual` under `s3 =` in the profile";
                (ErrorKind::Configuration, self.with(text))
            }
            _ if self.wants_customer_key() => {
                let text = "the object is encrypted with a customer key, and another or none was given; name it with --sse-c-key-file";
                (ErrorKind::Invalid, self.with(text))
            }
            ("NoSuchBucket", _) => (ErrorKind::NotFound, "there is no such bucket".to_owned()),
            ("NoSuchVersion", _) => (ErrorKind::NotFound, "there is no such version".to_owned()),
            _ => return None,
        };
        Some((kind, detail))
    }

    /// Whether it says that the SSE-C key is missing or wrong. S3 sends the code `InvalidRequest`, which it uses for many
    /// things, so the message is the only sign. It only selects a hint: the kind of error is the same without it.
    pub(super) fn wants_customer_key(&self) -> bool {
        let message = self.message.to_ascii_lowercase().replace('-', " ");
        let words = ["server side encryption", "customer provided", "customer key"];
        (self.code, self.status) == ("InvalidRequest", 400) && words.iter().any(|words| message.contains(words))
    }

    /// Whether a refusal is of the KMS key of the object. S3 sends the code `AccessDenied` for both, and only the message
    /// names the permission.
    pub(super) fn is_of_kms_key(&self) -> bool {
        self.code.starts_with("KMS.")
            || (self.code, self.status) == ("AccessDenied", 403) && self.message.contains("kms:Decrypt")
    }

    /// Codes of EC2, KMS, SSM and Service Quotas.
    fn by_ec2_or_kms_code(&self, needs: &str) -> Option<Meaning> {
        let (kind, text) = match self.code {
            // EC2 sends this code, with status 412, for a permitted dry run.
            "DryRunOperation" => (ErrorKind::DryRunAllowed, "the request would have been carried out"),
            "UnauthorizedOperation" | "AccessDeniedException" | "OptInRequired" => return Some(self.denied(needs)),
            // EC2 sends `Malformed` for well-formed ids of AMIs that do not exist.
            "InvalidAMIID.NotFound"
            | "InvalidAMIID.Unavailable"
            | "InvalidAMIID.Malformed"
            | "InvalidSnapshot.NotFound"
            | "NotFoundException"
            | "ResourceNotFoundException"
            | "ParameterNotFound"
            | "NoSuchResourceException" => (ErrorKind::NotFound, "not found by this id in this account and Region"),
            "InvalidAction" | "UnsupportedOperation" | "UnknownOperationException" => {
                (ErrorKind::Unsupported, "the service does not know this request here")
            }
            code if code.starts_with("KMS.") => (ErrorKind::Denied, "the KMS key of the object cannot be used"),
            _ => return None,
        };
        Some((kind, self.with(text)))
    }

    fn denied(&self, needs: &str) -> Meaning {
        (ErrorKind::Denied, self.with(&format!("not permitted (needs {needs})")))
    }

    /// The object does not exist or may not be read: by code, and by status for responses to HEAD.
    fn by_refusal(&self, needs: &str) -> Option<Meaning> {
        let not_found = |text: &str| Some((ErrorKind::NotFound, text.to_owned()));
        match (self.code, self.status) {
            _ if self.is_of_kms_key() => Some(self.denied("kms:Decrypt on the object's key")),
            (_, 404) if self.delete_marker => {
                not_found("removed: the current version is a delete marker; name a version with ?versionId=")
            }
            (_, 405) if self.delete_marker => not_found("this version is a delete marker and has no bytes"),
            ("NoSuchKey" | "NotFound", _) | (_, 404) => not_found("there is no such object"),
            ("AccessDenied", _) | (_, 401 | 403) => Some(self.denied(needs)),
            _ => None,
        }
    }

    /// All other responses: by status, and by the codes that stand for a status.
    fn by_status(&self) -> Meaning {
        let status = self.status;
        let (kind, text) = match (self.code, status) {
            ("InvalidRange", _) | (_, 416) => {
                (ErrorKind::Protocol, "the server has no such bytes of the object (416)".to_owned())
            }
            // Only a condition that the client set can fail, so the message adds nothing.
            (_, 412) => {
                return (ErrorKind::Changed, "the object is no longer the one that was inspected (412)".to_owned());
            }
            ("MethodNotAllowed" | "NotImplemented", _) | (_, 405 | 501) => {
                (ErrorKind::Unsupported, format!("the server does not know this request ({status})"))
            }
            (_, 429) => (ErrorKind::Throttled, "the server asks for fewer requests (429)".to_owned()),
            (_, 500..) => (ErrorKind::Transient, format!("the server failed (status {status})")),
            (_, 304) => {
                let text =
                    "the server says that nothing changed (status 304), and sends nothing of what it was asked for";
                (ErrorKind::Protocol, text.to_owned())
            }
            (_, 300..=399) => (
                ErrorKind::Protocol,
                format!("the server points elsewhere (status {status}), and redirects are not followed"),
            ),
            (_, ..=299) => (ErrorKind::Protocol, format!("an answer that fits no request (status {status})")),
            _ => (ErrorKind::Invalid, format!("refused with status {status}")),
        };
        (kind, self.with(&text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(code: &'static str, status: u16) -> Answer<'static> {
        Answer { code, message: "", status, region: None, delete_marker: false }
    }

    #[test]
    fn codes_and_statuses_decide_the_kind() {
        use ErrorKind::*;
        for (code, status, kind) in [
            ("", 404, NotFound),
            ("", 403, Denied),
            ("AccessDenied", 403, Denied),
            ("InvalidObjectState", 403, Archived),
            ("SlowDown", 503, Throttled),
            ("", 503, Transient),
            ("", 412, Changed),
            ("", 405, Unsupported),
            ("NotImplemented", 501, Unsupported),
            ("ExpiredToken", 400, Credentials),
            ("AuthFailure", 401, Credentials),
            ("AuthFailure", 403, Denied),
            ("RequestLimitExceeded", 503, Throttled),
            ("DryRunOperation", 412, DryRunAllowed),
            ("UnauthorizedOperation", 403, Denied),
            ("KMS.DisabledException", 400, Denied),
            ("InvalidRequest", 400, Invalid),
            ("", 301, WrongRegion(None)),
            ("TemporaryRedirect", 307, Protocol),
            ("", 304, Protocol),
            ("", 200, Protocol),
            ("Weird", 400, Invalid),
        ] {
            assert_eq!(answer(code, status).classify("s3:X").0, kind, "{code} {status}");
        }
        let marker = |status| Answer { delete_marker: true, ..answer("", status) }.classify("").0;
        assert_eq!([404, 405].map(marker), [NotFound, NotFound]);
    }

    /// A message changes the text, never the kind.
    #[test]
    fn messages_decide_nothing() {
        let messages = ["server side encryption", "customer key", "kms:Decrypt", "slow down", "not found"];
        for status in [200, 301, 304, 400, 401, 403, 404, 405, 412, 416, 429, 500, 503] {
            for code in ["", "InvalidRequest", "AccessDenied", "NotImplemented", "UnauthorizedOperation", "NoSuchKey"] {
                let kind = answer(code, status).classify("").0;
                for message in messages {
                    assert_eq!(Answer { message, ..answer(code, status) }.classify("").0, kind, "{code} {status}");
                }
            }
        }
    }

    #[test]
    fn the_right_region_is_named() {
        let (kind, detail) = Answer { region: Some("eu-west-1"), ..answer("", 301) }.classify("");
        assert_eq!(kind, ErrorKind::WrongRegion(Some("eu-west-1".into())));
        assert!(detail.contains("--region eu-west-1"));
    }
}
