//! Both ends of a copy, each with its own settings.

use std::sync::Arc;

use super::args::{CopyArgs, FromArgs, ToArgs, Via};
use crate::account::AccountService as _;
use crate::account::aws::Account;
use crate::cli::connect::{connect, end_options};
use crate::cli::reach::{past_environment, typed_options};
use crate::cli::settings::Settings;
use crate::cli::usage::UsageError;
use crate::commands::copy::CopyEnds;
use crate::ident::{ObjectUri, PresignedUrl, Target};
use crate::report::EndReport;
use crate::source::file::FileSource;
use crate::source::s3::{Connection, S3Options};
use crate::source::{Context, ObjectSource, Session};

/// The settings of the source. `region` is that of its URL.
fn from_options(args: &FromArgs, region: Option<&str>, settings: &Settings) -> Result<S3Options, UsageError> {
    let unsigned = args.no_sign_request;
    let options = end_options!(args, "--from-expected-bucket-owner", unsigned: unsigned, patience: settings.timeout);
    Ok(S3Options { region: options.region.or(region.map(str::to_owned)), ..options })
}

fn to_options(args: &ToArgs, settings: &Settings) -> Result<S3Options, UsageError> {
    Ok(end_options!(args, "--to-expected-bucket-owner", unsigned: false, patience: settings.timeout))
}

fn named(end: &str, error: UsageError) -> UsageError {
    UsageError(format!("{end}: {}", error.0))
}

/// Opens the source with its own settings. Also returns who reads it, and the connection of an object.
pub(super) async fn open_source(
    (args, settings): (&CopyArgs, &Settings),
    source: &Target,
    context: &Context,
) -> Result<(Arc<dyn ObjectSource>, EndReport, Option<Connection>), UsageError> {
    let uri = match source {
        Target::File(path) => return Ok((Arc::new(FileSource::new(path)), EndReport::default(), None)),
        Target::Object(uri) => uri,
        Target::Presigned(url) => return open_presigned((&args.from, settings), url).await,
    };
    let options = from_options(&args.from, args.source_region.as_deref(), settings)?;
    let connection = connect(options.clone()).await.map_err(|error| named("the source", error))?;
    let from = EndReport {
        options: past_environment(typed_options!(&args.from, unsigned: args.from.no_sign_request), &connection),
        ..end(&connection, &options, context).await
    };
    Ok((Arc::new(connection.object(uri.clone())), from, Some(connection)))
}

/// Opens a source that is read by a presigned URL: without credentials, and with nothing but what the URL signs.
async fn open_presigned(
    (args, settings): (&FromArgs, &Settings),
    url: &PresignedUrl,
) -> Result<(Arc<dyn ObjectSource>, EndReport, Option<Connection>), UsageError> {
    for (option, given) in [
        ("--from-request-payer", args.request_payer.is_some()),
        ("--from-expected-bucket-owner", args.expected_bucket_owner.is_some()),
        ("--from-sse-c-key-file", args.sse_c_key_file.is_some()),
    ] {
        if given {
            let problem = "cannot be sent with a presigned URL, which allows the headers that it signs only";
            return Err(UsageError(format!("{option}: {problem}; use s3://bucket/key with credentials")));
        }
    }
    let connection = connect(from_options(args, None, settings)?.unsigned()).await;
    let connection = connection.map_err(|error| named("the source", error))?;
    let from = EndReport {
        profile: args.profile.clone(),
        unknown_because: Some("the source is read by a presigned URL, which names no caller".to_owned()),
        ..EndReport::default()
    };
    Ok((Arc::new(connection.presigned(url.clone())), from, None))
}

/// Connects to the destination with its own settings. Its bucket must belong to the account that is named, or to that of
/// the credentials.
pub(super) async fn open_destination(
    (args, settings): (&CopyArgs, &Settings),
    context: &Context,
) -> Result<(Connection, EndReport), UsageError> {
    let options = to_options(&args.to, settings)?;
    let connection = connect(options.clone()).await.map_err(|error| named("the destination", error))?;
    let mut to = EndReport {
        options: past_environment(typed_options!(&args.to, unsigned: false), &connection),
        ..end(&connection, &options, context).await
    };
    let owner = options.expected_bucket_owner.clone().or_else(|| to.account.clone());
    to.expected_bucket_owner.clone_from(&owner);
    let connection = owner.map_or_else(|| connection.clone(), |owner| connection.with_expected_owner(&owner));
    Ok((connection, to))
}

/// Connects to both ends, each with its own settings.
pub(super) async fn open(
    (args, settings): (&CopyArgs, &Settings),
    source: &Target,
    destination: &ObjectUri,
    context: Context,
) -> Result<CopyEnds, UsageError> {
    let (object, from, of_source) = open_source((args, settings), source, &context).await?;
    let (connection, to) = open_destination((args, settings), &context).await?;
    // An older version may be made the current one.
    if let (Target::Object(uri), Some(of_source)) = (source, &of_source)
        && uri.version.is_none()
        && (&uri.bucket, &uri.key) == (&destination.bucket, &destination.key)
        && of_source.endpoint_url() == connection.endpoint_url()
        && from.partition == to.partition
    {
        return Err(UsageError(format!(
            "{destination}: source and destination are the same object; write another bucket or key"
        )));
    }
    if args.via == Via::Server {
        let of_source = of_source.ok_or_else(|| {
            UsageError(format!("--via server: {source} is not an object that the server can reach by its own name"))
        })?;
        one_server((&of_source, &from), (&connection, &to))?;
    }
    Ok(CopyEnds {
        source: Session::new(object, context.clone()),
        from,
        destination: Session::new(Arc::new(connection.object(destination.clone())), context.clone()),
        bucket: Arc::new(connection.bucket(&destination.bucket, context.clone())),
        upload: Arc::new(connection.upload(destination).copying_from(&from_options(
            &args.from,
            args.source_region.as_deref(),
            settings,
        )?)),
        probe: Arc::new(connection.upload(&beside(destination, &context))),
        service: connection.answers(),
        endpoint: connection.endpoint_url(),
        to,
    })
}

/// A server copies only from itself, with one set of credentials.
fn one_server(
    (of_source, from): (&Connection, &EndReport),
    (connection, to): (&Connection, &EndReport),
) -> Result<(), UsageError> {
    let differ = |what: &str, from: &str, to: &str| {
        Err(UsageError(format!("--via server: the {what} of the ends differ ({from} and {to}); use --via client")))
    };
    let endpoint = |connection: &Connection| connection.endpoint_url().unwrap_or_else(|| "that of AWS".to_owned());
    let (from_url, to_url) = (endpoint(of_source), endpoint(connection));
    if from_url != to_url {
        return differ("endpoints", &from_url, &to_url);
    }
    if let (Some(from), Some(to)) = (&from.partition, &to.partition)
        && from != to
    {
        return differ("partitions", from, to);
    }
    match (&from.arn, &to.arn) {
        (Some(from), Some(to)) if of_role(from) != of_role(to) => differ("credentials", from, to),
        _ => Ok(()),
    }
}

/// The ARN of a caller without the name of the session of an assumed role.
fn of_role(arn: &str) -> &str {
    match arn.contains(":assumed-role/") {
        true => arn.rsplit_once('/').map_or(arn, |(role, _)| role),
        false => arn,
    }
}

/// A key beside the destination, with a random part that no object has.
fn beside(destination: &ObjectUri, context: &Context) -> ObjectUri {
    let random = (context.clock.random() * f64::from(u32::MAX)) as u32;
    ObjectUri { key: format!("{}.stored-ami-probe-{random:08x}", destination.key), ..destination.clone() }
}

/// Who the caller at one end is, as STS states it.
async fn end(connection: &Connection, options: &S3Options, context: &Context) -> EndReport {
    let mut end = EndReport {
        profile: options.profile.clone(),
        region: Some(connection.region().to_owned()),
        expected_bucket_owner: options.expected_bucket_owner.clone(),
        ..EndReport::default()
    };
    if options.no_sign_request {
        end.unknown_because = Some("requests are not signed".to_owned());
        return end;
    }
    match Account::new(connection, context.clone()).caller().await {
        Ok(caller) => {
            end.partition = Some(caller.partition().to_owned()).filter(|partition| !partition.is_empty());
            (end.account, end.arn) = (Some(caller.account), Some(caller.arn));
        }
        Err(error) => end.unknown_because = Some(error.explain()),
    }
    end
}
