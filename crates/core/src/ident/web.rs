//! `https://` URLs of objects: of the S3 endpoints, of the S3 console, and presigned ones.

use super::encoded::{Plus, decoded};
use super::uri::VERSION;
use super::{ObjectUri, PresignedUrl, TargetProblem, holds_signature};

/// What a URL is of.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Web {
    /// An object, and the Region that the URL states.
    Object { uri: ObjectUri, region: Option<String> },
    /// An object that is read by this URL.
    Presigned(PresignedUrl),
}

/// Parses a URL. `None` for a text with another scheme or none.
pub(super) fn parse(text: &str) -> Option<Result<Web, TargetProblem>> {
    let (scheme, rest) = text.split_once("://")?;
    let is_web = ["http", "https"].iter().any(|known| scheme.eq_ignore_ascii_case(known));
    is_web.then(|| Address::of(text, rest).and_then(Address::read))
}

/// The parts of a URL.
struct Address<'a> {
    text: &'a str,
    /// Host name in lower case, without the port.
    host: String,
    /// Without the leading slash, encoded.
    path: &'a str,
    query: Vec<(String, String)>,
}

/// What the host of a URL is.
#[derive(Debug, PartialEq, Eq)]
enum Host {
    /// An endpoint of S3, with the bucket if the host names it.
    S3 {
        bucket: Option<String>,
        region: Option<String>,
    },
    Console {
        region: Option<String>,
    },
    AccessPoint,
    Website,
    Other,
}

const ENCODING: TargetProblem = TargetProblem::Malformed("a % is not followed by two hexadecimal digits of UTF-8");

impl<'a> Address<'a> {
    fn of(text: &'a str, rest: &'a str) -> Result<Self, TargetProblem> {
        if !rest.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(TargetProblem::Malformed("it has a space or a character that must be percent-encoded"));
        }
        if rest.contains('#') {
            return Err(TargetProblem::Malformed("it has a fragment (#…)"));
        }
        let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (authority, path) = place.split_once('/').unwrap_or((place, ""));
        if authority.contains('@') {
            return Err(TargetProblem::Malformed("it has a user name or a password"));
        }
        let host = match authority.rsplit_once(':') {
            Some((host, port)) if port.bytes().all(|b| b.is_ascii_digit()) => host,
            _ => authority,
        };
        let pairs = query.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            Some((decoded(name, Plus::Space)?, decoded(value, Plus::Space)?))
        });
        let query = pairs.collect::<Option<Vec<_>>>().ok_or(ENCODING)?;
        let host = host.trim_end_matches('.').to_ascii_lowercase();
        Ok(Address { text, host, path, query })
    }

    fn parameter(&self, name: &str) -> Option<&str> {
        let found = self.query.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    }

    fn read(self) -> Result<Web, TargetProblem> {
        let host = Host::of(&self.host);
        if holds_signature(self.text) {
            return self.presigned(host);
        }
        let (uri, region) = match host {
            Host::S3 { bucket, region } => (self.object(bucket)?, region),
            Host::Console { region } => {
                let region = self.parameter("region").map(str::to_owned).or(region);
                (self.on_console()?, region)
            }
            Host::AccessPoint => return Err(TargetProblem::PointHost),
            Host::Website => return Err(TargetProblem::Website),
            Host::Other => return Err(TargetProblem::OtherHost),
        };
        Ok(Web::Object { uri, region })
    }

    fn presigned(self, host: Host) -> Result<Web, TargetProblem> {
        let bucket = match host {
            Host::S3 { bucket, .. } => bucket,
            Host::Console { .. } => return Err(TargetProblem::OtherHost),
            Host::AccessPoint => Some(self.host.split('.').next().unwrap_or_default().to_owned()),
            Host::Website => return Err(TargetProblem::Website),
            // A path of one segment is a key, and the bucket is in the host.
            Host::Other if !self.path.contains('/') => self.host.split('.').next().map(str::to_owned),
            Host::Other => None,
        };
        let object = self.object(bucket)?;
        PresignedUrl::new(self.text, &self.host, object, &self.query)
            .map(Web::Presigned)
            .map_err(TargetProblem::Presigned)
    }

    /// The object in the path, behind its bucket unless the host names that.
    fn object(&self, bucket: Option<String>) -> Result<ObjectUri, TargetProblem> {
        let path = |text: &str| decoded(text, Plus::Itself).ok_or(ENCODING);
        let (bucket, key) = match bucket {
            Some(bucket) => (bucket, path(self.path)?),
            None => {
                let (bucket, key) = self.path.split_once('/').ok_or(TargetProblem::NoObjectInUrl)?;
                (path(bucket)?, path(key)?)
            }
        };
        self.named(bucket, key)
    }

    /// `/s3/object/BUCKET?prefix=KEY`, the page of an object.
    fn on_console(&self) -> Result<ObjectUri, TargetProblem> {
        let bucket = self.path.strip_prefix("s3/object/").ok_or(TargetProblem::NoObjectInUrl)?;
        let key = self.parameter("prefix").ok_or(TargetProblem::NoObjectInUrl)?;
        self.named(decoded(bucket.trim_end_matches('/'), Plus::Itself).ok_or(ENCODING)?, key.to_owned())
    }

    fn named(&self, bucket: String, key: String) -> Result<ObjectUri, TargetProblem> {
        if self.text.ends_with(VERSION) || self.query.iter().any(|(name, id)| name == "versionId" && id.is_empty()) {
            return Err(TargetProblem::EmptyVersion);
        }
        if bucket.is_empty() || bucket.contains(['/', ':']) || key.is_empty() {
            return Err(TargetProblem::NoObjectInUrl);
        }
        Ok(ObjectUri { bucket, key, version: self.parameter("versionId").map(str::to_owned) })
    }
}

/// Domains of the endpoints, for all public partitions (AWS General Reference, *Amazon S3 endpoints and quotas*).
const DOMAINS: [&str; 2] = [".amazonaws.com", ".amazonaws.com.cn"];
const CONSOLES: [&str; 3] = ["console.aws.amazon.com", "console.amazonaws-us-gov.com", "console.amazonaws.cn"];

impl Host {
    fn of(host: &str) -> Self {
        for console in CONSOLES {
            match host.strip_suffix(console) {
                Some("" | "s3.") => return Host::Console { region: None },
                Some(before) if is_region(before.trim_end_matches('.')) && before.ends_with('.') => {
                    return Host::Console { region: Some(before.trim_end_matches('.').to_owned()) };
                }
                _ => {}
            }
        }
        DOMAINS.iter().find_map(|domain| host.strip_suffix(domain)).map_or(Host::Other, Host::endpoint)
    }

    /// The host without its domain: `[BUCKET.]s3[.dualstack][.REGION]`, with `s3-fips` or `s3-accelerate` in the place
    /// of `s3`, or the older `[BUCKET.]s3-REGION`.
    fn endpoint(host: &str) -> Self {
        let (before, region) = match host.rsplit_once('.') {
            Some((before, last)) if is_region(last) => (before, Some(last.to_owned())),
            _ => (host, None),
        };
        let before = before.strip_suffix(".dualstack").unwrap_or(before);
        let (bucket, service) = match before.rsplit_once('.') {
            Some((bucket, service)) => (Some(bucket.to_owned()), service),
            None => (None, before),
        };
        let older = service.strip_prefix("s3-").filter(|older| is_region(older) && region.is_none());
        match service {
            "s3" | "s3-fips" | "s3-accelerate" => Host::S3 { bucket, region },
            "s3-external-1" => Host::S3 { bucket, region: Some("us-east-1".to_owned()) },
            "s3-accesspoint" | "s3-accesspoint-fips" | "s3-object-lambda" => Host::AccessPoint,
            "s3-website" => Host::Website,
            website if website.starts_with("s3-website-") => Host::Website,
            _ => match older {
                Some(region) => Host::S3 { bucket, region: Some(region.to_owned()) },
                None => Host::Other,
            },
        }
    }
}

/// Whether a label has the form of a Region: `eu-west-1`, `us-gov-west-1`, `us-iso-east-1`.
fn is_region(label: &str) -> bool {
    let mut words = label.split('-');
    let number = words.next_back().is_some_and(|last| last.len() == 1 && last.bytes().all(|b| b.is_ascii_digit()));
    let words: Vec<&str> = words.collect();
    let is_word = |word: &&str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase());
    number
        && (2..=3).contains(&words.len())
        && words.first().is_some_and(|area| area.len() == 2)
        && words.iter().all(is_word)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(text: &str) -> (String, Option<String>) {
        match parse(text) {
            Some(Ok(Web::Object { uri, region })) => (uri.to_string(), region),
            other => panic!("{text}: {other:?}"),
        }
    }

    #[test]
    fn every_style_of_url_is_its_object() {
        for (host, region) in [
            ("s3.amazonaws.com", None),
            ("s3.eu-west-1.amazonaws.com", Some("eu-west-1")),
            ("s3-eu-west-1.amazonaws.com", Some("eu-west-1")),
            ("s3-external-1.amazonaws.com", Some("us-east-1")),
            ("s3.dualstack.eu-west-1.amazonaws.com", Some("eu-west-1")),
            ("s3-fips.us-gov-west-1.amazonaws.com", Some("us-gov-west-1")),
            ("s3-fips.dualstack.us-east-1.amazonaws.com", Some("us-east-1")),
            ("s3.cn-north-1.amazonaws.com.cn", Some("cn-north-1")),
            ("s3-accelerate.amazonaws.com", None),
            ("s3-accelerate.dualstack.amazonaws.com", None),
            ("S3.EU-WEST-1.amazonaws.com.:443", Some("eu-west-1")),
        ] {
            for bucket in ["archive", "my.own.s3", "b.s3"] {
                let expected = (format!("s3://{bucket}/p/a b+c%.bin"), region.map(str::to_owned));
                assert_eq!(object(&format!("https://{host}/{bucket}/p/a%20b+c%25.bin")), expected);
                assert_eq!(object(&format!("https://{bucket}.{host}/p/a%20b+c%25.bin")), expected);
            }
        }
        let versioned = object("https://b.s3.amazonaws.com/k?x-id=GetObject&versionId=a.B_c-");
        assert_eq!(versioned.0, "s3://b/k?versionId=a.B_c-");
        assert_eq!(object("https://b.s3.amazonaws.com//k").0, "s3://b//k");
        // A key that contains the mark of a version is printed so that it is read again.
        assert_eq!(object("https://b.s3.amazonaws.com/k%3FversionId=1").0, "s3://b/k?versionId=1?versionId=");
    }

    #[test]
    fn pages_of_the_console_are_their_object() {
        let query = "bucketType=general&prefix=p/a%20b+c%2B.bin";
        for (host, region) in [
            ("s3.console.aws.amazon.com", None),
            ("console.aws.amazon.com", None),
            ("eu-west-1.console.aws.amazon.com", Some("eu-west-1")),
            ("us-gov-west-1.console.amazonaws-us-gov.com", Some("us-gov-west-1")),
            ("cn-north-1.console.amazonaws.cn", Some("cn-north-1")),
        ] {
            let found = object(&format!("https://{host}/s3/object/archive?{query}"));
            assert_eq!(found, ("s3://archive/p/a b c+.bin".to_owned(), region.map(str::to_owned)));
            let found = object(&format!("https://{host}/s3/object/archive?region=ap-south-2&{query}&versionId=v"));
            assert_eq!(found, ("s3://archive/p/a b c+.bin?versionId=v".to_owned(), Some("ap-south-2".to_owned())));
        }
    }

    #[test]
    fn everything_else_is_refused() {
        use TargetProblem::*;
        for (text, problem) in [
            ("https://example.com/b/k", OtherHost),
            ("https://evil.example/x.s3.amazonaws.com/k", OtherHost),
            ("https://s3.amazonaws.com.evil.example/b/k", OtherHost),
            ("https://evil-s3.amazonaws.com/b/k", OtherHost),
            ("https://ec2.eu-west-1.amazonaws.com/b/k", OtherHost),
            ("https://b.s3-website-eu-west-1.amazonaws.com/k", Website),
            ("https://b.s3-website.eu-central-1.amazonaws.com/k", Website),
            ("https://ap-123456789012.s3-accesspoint.eu-west-1.amazonaws.com/k", PointHost),
            ("https://s3.amazonaws.com/b", NoObjectInUrl),
            ("https://s3.amazonaws.com/b/", NoObjectInUrl),
            ("https://b.s3.amazonaws.com/", NoObjectInUrl),
            ("https://b.s3.amazonaws.com", NoObjectInUrl),
            ("https://console.aws.amazon.com/s3/buckets/b?prefix=p/", NoObjectInUrl),
            ("https://console.aws.amazon.com/s3/object/b", NoObjectInUrl),
            ("https://b.s3.amazonaws.com/k?versionId=", EmptyVersion),
            ("https://b.s3.amazonaws.com/k%2", ENCODING),
            ("https://b.s3.amazonaws.com/%ff", ENCODING),
        ] {
            assert_eq!(parse(text).unwrap().unwrap_err(), problem, "{text}");
        }
        for text in
            ["https://u:p@b.s3.amazonaws.com/k", "https://b.s3.amazonaws.com/k#x", "https://b.s3.amazonaws.com/ü"]
        {
            assert!(matches!(parse(text), Some(Err(Malformed(_)))), "{text}");
        }
        assert!(parse("s3://b/k").is_none() && parse("https:/b/k").is_none());
    }

    fn presigned(text: &str) -> Result<PresignedUrl, TargetProblem> {
        match parse(text).unwrap()? {
            Web::Presigned(url) => Ok(url),
            Web::Object { uri, .. } => panic!("{text} is {uri}"),
        }
    }

    #[test]
    fn presigned_urls_name_their_object_and_their_end() {
        use crate::ident::PresignedProblem::*;
        let v4 = "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AK%2F20260102%2Fus-east-1%2Fs3%2Faws4_request\
                  &X-Amz-Date=20260102T030405Z&X-Amz-Expires=3600&X-Amz-SignedHeaders=host&X-Amz-Signature=secret";
        for (place, object) in [
            ("https://b.s3.eu-west-1.amazonaws.com/p/k%20.bin", "s3://b/p/k .bin"),
            ("https://s3.amazonaws.com/b/p/k.bin", "s3://b/p/k.bin"),
            ("http://127.0.0.1:9000/b/p/k.bin", "s3://b/p/k.bin"),
            ("https://b.minio.example/k.bin", "s3://b/k.bin"),
        ] {
            let url = presigned(&format!("{place}?versionId=v&{v4}")).unwrap();
            assert_eq!(url.object().to_string(), format!("{object}?versionId=v"));
            assert_eq!(url.expires(), Some("2026-01-02T04:04:05Z".parse().unwrap()));
            assert!(url.secret().starts_with(place) && !url.asks_checksums());
            assert!(!format!("{url:?}").contains("secret") && !format!("{url:?}").contains("AK"), "{url:?}");
        }
        let v2 =
            presigned("https://b.s3.amazonaws.com/k?AWSAccessKeyId=A&Signature=secret&Expires=1767323045").unwrap();
        assert_eq!(v2.expires(), Some("2026-01-02T03:04:05Z".parse().unwrap()));
        let place = "https://b.s3.amazonaws.com/k";
        let by_header = v4.replace("=host", "=host%3Bx-amz-checksum-mode");
        let by_header = presigned(&format!("{place}?{by_header}")).unwrap();
        assert!(by_header.asks_checksums() && by_header.has_checksum_header());
        let by_query = presigned(&format!("{place}?{v4}&x-amz-checksum-mode=ENABLED")).unwrap();
        assert!(by_query.asks_checksums() && !by_query.has_checksum_header());
        for (query, problem) in [
            (v4.replace("=host", "=host;range"), SignedHeader("range".to_owned())),
            (format!("{v4}&partNumber=1"), OnePart),
            ("X-Amz-Algorithm=AWS4-HMAC-SHA256".to_owned(), CutOff),
            ("AWSAccessKeyId=A&Signature=secret".to_owned(), CutOff),
            (v4.replace("3600", "soon"), Validity),
            (v4.replace("20260102T", "yesterday"), Validity),
        ] {
            let told = presigned(&format!("{place}?{query}")).unwrap_err();
            assert_eq!(told, TargetProblem::Presigned(problem), "{query}");
            assert!(!told.to_string().contains("secret"));
        }
    }
}
