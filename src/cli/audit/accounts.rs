//! Buckets of several accounts, each with its own credentials.

use std::collections::BTreeSet;
use std::path::Path;

use super::args::AuditArgs;
use crate::audit::{BucketEntry, BucketList};
use crate::cli::connect::connect;
use crate::cli::output::complain;
use crate::cli::usage::{UsageError, read_given};
use crate::files::InputKind;
use crate::source::s3::{Buckets, Connection, RoleToAssume, S3Options, SettingsScope};
use crate::source::{Context, ErrorKind, SourceError};

/// Reads the file of `--buckets`.
pub(super) fn read(file: &Path) -> Result<BucketList, UsageError> {
    BucketList::from_toml(&read_given("--buckets", file, InputKind::Policy)?)
        .map_err(|problem| UsageError(format!("{}: {problem}", file.display())))
}

/// Connects to each bucket with its own credentials. `options` are those of the run, which roles are assumed with.
///
/// # Errors
///
/// The credentials of the run are needed, and are wrong.
pub(super) async fn connect_each(
    (args, list): (&AuditArgs, &BucketList),
    options: S3Options,
    names: &BTreeSet<String>,
    context: &Context,
) -> Result<Buckets, UsageError> {
    let has_results = args.results.as_ref().is_some_and(|place| place.bucket().is_some());
    let needs_home = args.images || has_results || list.buckets.iter().any(|entry| entry.profile.is_none());
    let home = match needs_home {
        true => connect(options.clone()).await?,
        // No request is sent over this connection.
        false => {
            let region = options.region.clone().or_else(|| Some("us-east-1".to_owned()));
            connect(S3Options { region, profile: None, ..options.clone() }.unsigned()).await?
        }
    };
    let own: BTreeSet<&String> = list.buckets.iter().map(|entry| &entry.prefix.bucket).collect();
    let others = names.iter().filter(|name| !own.contains(name)).cloned().collect();
    let mut buckets = Buckets::locate(home, &others, context).await;
    let mut done = BTreeSet::new();
    for entry in list.buckets.iter().filter(|entry| done.insert(&entry.prefix.bucket)) {
        let opened = Connection::open(options_of(entry, &options)).await.map_err(|error| refused(entry, &error));
        if let Ok(connection) = &opened {
            connection.notes().iter().for_each(|note| complain(note));
        }
        buckets = buckets.with_own(&entry.prefix.bucket, opened, context).await;
    }
    Ok(buckets)
}

fn options_of(entry: &BucketEntry, run: &S3Options) -> S3Options {
    let role = entry.role.clone();
    let role = role.map(|arn| RoleToAssume { arn, external_id: entry.external_id.clone() });
    let own = S3Options {
        region: entry.region.clone().or_else(|| run.region.clone()),
        expected_bucket_owner: entry.expected_owner.clone().or_else(|| run.expected_bucket_owner.clone()),
        role,
        ..run.clone()
    };
    match &entry.profile {
        None => own,
        Some(profile) => S3Options {
            region: entry.region.clone(),
            profile: Some(profile.clone()),
            no_sign_request: false,
            scope: SettingsScope::Profile,
            ..own
        },
    }
}

/// The error of each request on a bucket that there are no credentials for.
fn refused(entry: &BucketEntry, error: &SourceError) -> SourceError {
    SourceError::new(ErrorKind::Invalid, &entry.prefix.bucket, error.detail.clone())
}
