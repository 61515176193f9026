//! Addresses for which no request can succeed, found before the first request.

use crate::ident::ObjectUri;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn access_points() {
        let of = |uri: &str, own_endpoint| object(&uri.parse().unwrap(), own_endpoint).map(|error| error.detail);
        let point = "arn:aws:s3:us-east-1:123456789012:accesspoint/ap/object/k";
        let many = "arn:aws:s3::123456789012:accesspoint/mfzwi23gnjvgw.mrap/object/k";
        assert_eq!((of("s3://b/k", true), of(point, false)), (None, None));
        assert!(of(point, true).unwrap().contains("--endpoint-url"));
        for own in [true, false] {
            assert!(of(many, own).unwrap().contains("multi-Region access point"));
        }
    }
}
