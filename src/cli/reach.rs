//! The options that reach a server, for commands that are printed.

/// The options of a connection as they were given, for commands that are printed. A URL with a secret is left out.
macro_rules! typed_options {
    ($args:expr, unsigned: $unsigned:expr) => {{
        let args = $args;
        let url = args.endpoint_url.clone().filter(|url| $crate::ident::redact_urls(url) == url.as_str());
        let key_file = args.sse_c_key_file.as_ref().map(|path| path.display().to_string());
        let valued = [
            ("profile", args.profile.clone(), true),
            ("region", args.region.clone(), true),
            ("endpoint-url", url, true),
            ("request-payer", args.request_payer.clone(), true),
            ("expected-bucket-owner", args.expected_bucket_owner.clone(), true),
            ("sse-c-key-file", key_file, false),
        ];
        let valued = valued.into_iter().filter_map(|(name, value, is_of_aws)| {
            value.map(|value| $crate::report::EndOption { name, value: Some(value), is_of_aws })
        });
        let unsigned =
            $unsigned.then_some($crate::report::EndOption { name: "no-sign-request", value: None, is_of_aws: true });
        valued.chain(unsigned).collect::<Vec<$crate::report::EndOption>>()
    }};
}

pub(super) use typed_options;
