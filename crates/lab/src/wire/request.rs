use http::{HeaderMap, Method, Uri};

use super::{Code, S3Error, percent};
use crate::operation::Operation;

/// The parsed head of a request.
#[derive(Debug, Clone)]
pub(crate) struct S3Request {
    pub operation: Operation,
    pub method: Method,
    pub bucket: String,
    pub key: String,
    pub query: Vec<(String, String)>,
    pub raw_query: String,
    pub headers: HeaderMap,
}

impl S3Request {
    /// Path-style, or virtual-host style when the Host header names a bucket
    /// in front of `localhost`.
    pub(crate) fn parse(method: &Method, uri: &Uri, headers: HeaderMap) -> Result<Self, S3Error> {
        let path = uri.path().strip_prefix('/').unwrap_or_default();
        let host_bucket = headers
            .get(http::header::HOST)
            .and_then(|host| host.to_str().ok())
            .and_then(|host| host.split(':').next()?.strip_suffix(".localhost").map(str::to_owned));
        let (bucket, key) = match &host_bucket {
            Some(bucket) => (bucket.as_str(), path),
            None => path.split_once('/').unwrap_or((path, "")),
        };
        let bucket = decoded(bucket)?;
        let key = decoded(key)?;
        let raw_query = uri.query().unwrap_or_default().to_owned();
        let query: Vec<(String, String)> = raw_query
            .split('&')
            .filter(|pair| !pair.is_empty())
            .map(|pair| {
                let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
                (percent::decode_query(name), percent::decode_query(value))
            })
            .collect();
        let operation = Operation::route(
            method,
            !bucket.is_empty(),
            !key.is_empty(),
            |name| query.iter().any(|(known, _)| known == name),
            headers.contains_key("x-amz-copy-source"),
        );
        Ok(S3Request { operation, method: method.clone(), bucket, key, query, raw_query, headers })
    }

    /// Stands in the call log for a request that could not be parsed, or that
    /// the lab makes itself.
    pub(crate) fn unreadable(method: Method) -> Self {
        S3Request {
            operation: Operation::Unknown,
            method,
            bucket: String::new(),
            key: String::new(),
            query: Vec::new(),
            raw_query: String::new(),
            headers: HeaderMap::new(),
        }
    }

    pub(crate) fn query(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// A header as text; one that is no UTF-8 counts as absent.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| std::str::from_utf8(value.as_bytes()).ok())
    }

    pub(crate) fn is_true(&self, name: &str) -> bool {
        self.header(name).is_some_and(|value| value.eq_ignore_ascii_case("true"))
    }

    pub(crate) fn version_id(&self) -> Option<&str> {
        self.query("versionId").filter(|id| !id.is_empty())
    }

    pub(crate) fn is_head(&self) -> bool {
        self.method == Method::HEAD
    }

    /// A number in the query; `Err` for text that is not a number.
    pub(crate) fn number<T: std::str::FromStr>(&self, name: &str) -> Result<Option<T>, S3Error> {
        match self.query(name) {
            None | Some("") => Ok(None),
            Some(text) => text
                .parse()
                .map(Some)
                .map_err(|_| Code::InvalidArgument.because(format!("{name} must be a number in its range"))),
        }
    }

    pub(crate) fn part_number(&self) -> Result<Option<u32>, S3Error> {
        match self.number("partNumber")? {
            Some(number) if stored_ami_core::units::PartNumber::new(number).is_none() => {
                Err(Code::InvalidArgument.because("Part number must be an integer between 1 and 10000, inclusive"))
            }
            number => Ok(number),
        }
    }

    /// Access key id and Region of the credential scope, from the
    /// Authorization header or a presigned query.
    pub(crate) fn credential(&self) -> Option<(&str, Option<&str>)> {
        let mut fields = self.scope()?.split('/');
        let access_key = fields.next()?;
        Some((access_key, fields.nth(1)))
    }

    /// The service that the request is signed for.
    pub(crate) fn service(&self) -> Option<&str> {
        self.scope()?.split('/').nth(3)
    }

    fn scope(&self) -> Option<&str> {
        match self.header("authorization") {
            Some(text) => text.split_once("Credential=")?.1.split([',', ' ']).next(),
            None => self.query("X-Amz-Credential"),
        }
    }
}

fn decoded(text: &str) -> Result<String, S3Error> {
    String::from_utf8(percent::decode(text)).map_err(|_| Code::InvalidArgument.because("The key is not UTF-8"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(method: Method, uri: &str, headers: &[(&'static str, &str)]) -> S3Request {
        let headers = headers.iter().map(|(name, value)| (http::HeaderName::from_static(name), value.parse().unwrap()));
        S3Request::parse(&method, &uri.parse().unwrap(), headers.collect()).unwrap()
    }

    #[test]
    fn both_styles_of_address() {
        let path = parse(Method::GET, "/b/p%20q/k%2B?attributes&versionId=v%2F1", &[]);
        assert_eq!((path.operation, &path.bucket[..], &path.key[..]), (Operation::GetObjectAttributes, "b", "p q/k+"));
        assert_eq!(path.version_id(), Some("v/1"));
        let host = parse(Method::HEAD, "/p/k", &[("host", "b.localhost:9000")]);
        assert_eq!((host.operation, &host.bucket[..], &host.key[..]), (Operation::HeadObject, "b", "p/k"));
    }

    #[test]
    fn the_scope_of_a_signature() {
        let text = "AWS4-HMAC-SHA256 Credential=AKID/20260101/eu-west-1/s3/aws4_request, SignedHeaders=host";
        let request = parse(Method::GET, "/b/k", &[("authorization", text)]);
        assert_eq!(request.credential(), Some(("AKID", Some("eu-west-1"))));
        assert_eq!(request.service(), Some("s3"));
        assert_eq!(parse(Method::GET, "/b/k", &[]).credential(), None);
    }

    #[test]
    fn part_numbers_have_a_range() {
        for (query, legal) in [("1", true), ("10000", true), ("0", false), ("10001", false), ("x", false)] {
            let request = parse(Method::GET, &format!("/b/k?partNumber={query}"), &[]);
            assert_eq!(request.part_number().is_ok(), legal, "{query}");
        }
    }
}
