//! Settings under which no request can succeed, found before the first one.

use crate::ident::{ObjectUri, redact_urls};
use crate::source::{ErrorKind, SourceError};

/// Settings of a connection that bear on what its requests can be.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Settings {
    pub dual_stack: bool,
    pub fips: bool,
    pub own_endpoint: bool,
}

/// Why no request of the connection can succeed.
pub(super) fn connection(settings: Settings) -> Option<String> {
    if !settings.own_endpoint {
        return None;
    }
    let without = "does not go with an endpoint of your own (--endpoint-url, AWS_ENDPOINT_URL or endpoint_url of the profile); unset one of them";
    let set = match settings {
        Settings { dual_stack: true, .. } => "dual stack (AWS_USE_DUALSTACK_ENDPOINT or use_dualstack_endpoint)",
        Settings { fips: true, .. } => "FIPS (AWS_USE_FIPS_ENDPOINT or use_fips_endpoint)",
        _ => return None,
    };
    Some(format!("{set} {without}"))
}

/// Why no request on this object can succeed.
pub(super) fn object(uri: &ObjectUri, settings: Settings) -> Option<SourceError> {
    let mut fields = uri.bucket.strip_prefix("arn:")?.splitn(5, ':').skip(2);
    let (region, resource) = (fields.next().unwrap_or_default(), fields.nth(1).unwrap_or_default());
    let problem = if region.is_empty() || resource.ends_with(".mrap") {
        "is a multi-Region access point, which takes signatures of version 4A that this program does not make; name the bucket or an access point of one Region"
    } else if settings.own_endpoint {
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
    fn settings_that_exclude_each_other() {
        let of = |dual_stack, fips, own_endpoint| connection(Settings { dual_stack, fips, own_endpoint });
        for fine in [of(false, false, true), of(true, true, false), of(false, false, false)] {
            assert_eq!(fine, None);
        }
        assert!(of(true, false, true).unwrap().contains("AWS_USE_DUALSTACK_ENDPOINT"));
        assert!(of(false, true, true).unwrap().contains("AWS_USE_FIPS_ENDPOINT"));
    }

    #[test]
    fn access_points() {
        let of = |uri: &str, own_endpoint| {
            object(&uri.parse().unwrap(), Settings { own_endpoint, ..Settings::default() }).map(|error| error.detail)
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
