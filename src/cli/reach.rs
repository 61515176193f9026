//! The options that reach a server, for commands that are printed.

#[cfg(feature = "s3")]
use crate::ident::redact_urls;
#[cfg(feature = "s3")]
use crate::report::EndOption;
#[cfg(feature = "s3")]
use crate::source::s3::Connection;

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

/// The options of an end of `copy` or `compare`, for commands that are printed. An end with its own profile takes neither
/// Region nor endpoint of the environment; such a command takes both, unless it names others.
#[cfg(feature = "s3")]
pub(super) fn past_environment(typed: Vec<EndOption>, connection: &Connection) -> Vec<EndOption> {
    let is_set = |names: &[&str]| names.iter().any(|name| std::env::var_os(name).is_some());
    let used = [
        (
            "region",
            Some(connection.region().to_owned()),
            is_set(&["AWS_REGION", "AWS_DEFAULT_REGION", "STORED_AMI_REGION"]),
        ),
        (
            "endpoint-url",
            connection.endpoint_url(),
            is_set(&["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "STORED_AMI_ENDPOINT_URL"]),
        ),
    ];
    let is_named = |name: &str| typed.iter().any(|option| option.name == name);
    let has_profile = is_named("profile");
    let missing = used.into_iter().filter(|(name, _, is_set)| *is_set && has_profile && !is_named(name));
    let missing: Vec<EndOption> = missing
        .filter_map(|(name, value, _)| Some(EndOption { name, value: Some(value?), is_of_aws: true }))
        .filter(|option| option.value.as_deref().is_some_and(|value| redact_urls(value) == value))
        .collect();
    typed.into_iter().chain(missing).collect()
}
