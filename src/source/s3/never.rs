//! Settings under which no request can succeed, found before the first one.

use crate::ident::{ObjectUri, redact_urls};
use crate::source::{ErrorKind, SourceError};

/// Why no request on this object can succeed.
pub(super) fn object(uri: &ObjectUri, own_endpoint: bool) -> Option<SourceError> {
    let mut fields = uri.bucket.strip_prefix("arn:")?.splitn(5, ':').skip(2);
    let (region, resource) = (fields.next().unwrap_or_default(), fields.nth(1).unwrap_or_default());
    let problem = if region.is_empty() || resource.ends_with(".mrap") {
        "is a multi-Region access point, which takes signatures of version 4A that this program does not make; name the bucket or an access point of one Region"
    } else if own_endpoint {
        "is an access point, which only AWS has; name the bucket, or unset the endpoint (--endpoint-url, AWS_ENDPOINT_URL or endpoint_url of the profile)"
    } else {
        return None;
    };
    Some(SourceError::new(ErrorKind::Configuration, uri, problem))
}

/// Why a proxy from the environment cannot be used. `variables` are names with their values.
pub(super) fn proxy(variables: impl IntoIterator<Item = (String, String)>) -> Option<String> {
    variables.into_iter().find_map(|(name, value)| {
        let scheme = value.split_once("://").map(|(scheme, _)| scheme.to_ascii_lowercase())?;
        (scheme != "http" && scheme != "https")
            .then(|| format!("{name} is `{}`, and only http:// and https:// proxies can be used", redact_urls(&value)))
    })
}

/// The proxy settings of the environment.
pub(super) fn proxies() -> impl Iterator<Item = (String, String)> {
    let names = ["http_proxy", "https_proxy", "all_proxy"].into_iter();
    let both = names.flat_map(|name| [name.to_owned(), name.to_uppercase()]);
    both.filter_map(|name| std::env::var(&name).ok().map(|value| (name, value)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn access_points() {
        let of = |uri: &str, own_endpoint| {
            object(&uri.parse().unwrap(), own_endpoint).map(|error| error.detail)
        };
        let point = "arn:aws:s3:us-east-1:123456789012:accesspoint/ap/object/k";
        let many = "arn:aws:s3::123456789012:accesspoint/mfzwi23gnjvgw.mrap/object/k";
        assert_eq!((of("s3://b/k", true), of(point, false)), (None, None));
        assert!(of(point, true).unwrap().contains("--endpoint-url"));
        for own in [true, false] {
            assert!(of(many, own).unwrap().contains("multi-Region access point"));
        }
    }

    #[test]
    fn proxies_that_speak_no_http() {
        let of = |value: &str| proxy([("ALL_PROXY".to_owned(), value.to_owned())]);
        for fine in ["", "proxy:3128", "http://proxy", "HTTPS://u:p@proxy"] {
            assert_eq!(of(fine), None, "{fine}");
        }
        for socks in ["socks5://u:secret@proxy", "socks5h://proxy", "SOCKS4://proxy"] {
            let problem = of(socks).unwrap();
            assert!(problem.contains("ALL_PROXY") && !problem.contains("secret"), "{problem}");
        }
    }
}
