//! The ends of `copy` and `compare` that are files.

use std::path::Path;

use super::usage::UsageError;
use crate::ident::Target;

/// Refuses the options of a connection for an end that is a file: it is not where the user believes it to be.
macro_rules! check_is_no_file {
    ($args:expr, $prefix:literal, unsigned: $unsigned:expr, $target:expr) => {{
        let args = $args;
        let given = [
            (concat!($prefix, "profile"), args.profile.is_some()),
            (concat!($prefix, "region"), args.region.is_some()),
            (concat!($prefix, "endpoint-url"), args.endpoint_url.is_some()),
            (concat!($prefix, "no-sign-request"), $unsigned),
            (concat!($prefix, "request-payer"), args.request_payer.is_some()),
            (concat!($prefix, "expected-bucket-owner"), args.expected_bucket_owner.is_some()),
            (concat!($prefix, "sse-c-key-file"), args.sse_c_key_file.is_some()),
        ];
        $crate::cli::ends::check_bucket_options(&given, $target)
    }};
}

/// Refuses these options where the end is a file.
pub(super) fn check_bucket_options(given: &[(&'static str, bool)], target: &Target) -> Result<(), UsageError> {
    let Target::File(path) = target else { return Ok(()) };
    let Some((option, _)) = given.iter().find(|(_, is_given)| *is_given) else { return Ok(()) };
    let written = like_a_bucket(path).map_or_else(|| "s3://BUCKET/KEY".to_owned(), |name| format!("s3://{name}/"));
    Err(UsageError(format!("{option}: is for a bucket, and {target} is a file; write {written}")))
}

/// The name of a file that is a bare word, as the name of a bucket is.
pub(super) fn like_a_bucket(path: &Path) -> Option<&str> {
    let name = path.to_str()?;
    // S3 User Guide, *General purpose buckets naming rules*. A dot is more often that of a file's extension.
    let is_label = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    ((3..=63).contains(&name.len()) && name.bytes().all(is_label)).then_some(name)
}

pub(super) use check_is_no_file;
