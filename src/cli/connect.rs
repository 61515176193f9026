#[cfg(not(feature = "s3"))]
use std::marker::PhantomData;
use std::sync::Arc;

#[cfg(feature = "s3")]
use tokio::sync::OnceCell;

use super::args::ConnectionArgs;
#[cfg(feature = "s3")]
use super::output::complain;
use super::settings::Settings;
#[cfg(feature = "s3")]
use super::signals::{cancel_on_signal, until};
use super::usage::UsageError;
#[cfg(feature = "s3")]
use crate::files::{InputKind, read_bytes};
use crate::ident::{ObjectUri, Target};
#[cfg(feature = "s3")]
use crate::source::Context;
use crate::source::ObjectSource;
use crate::source::file::FileSource;
#[cfg(feature = "s3")]
use crate::source::s3::{Connection, S3Archive, S3Bucket, S3Options};

/// Opens targets: objects over a connection to S3, files directly.
pub(super) struct SourceFactory<'a> {
    #[cfg(feature = "s3")]
    args: (&'a ConnectionArgs, &'a Settings),
    #[cfg(feature = "s3")]
    connection: OnceCell<Connection>,
    /// For presigned URLs: without credentials.
    #[cfg(feature = "s3")]
    unsigned: OnceCell<Connection>,
    #[cfg(not(feature = "s3"))]
    args: PhantomData<&'a ConnectionArgs>,
}

#[cfg(feature = "s3")]
impl<'a> SourceFactory<'a> {
    /// Connects if any of the targets is an object, so that an invalid configuration is reported before any work.
    ///
    /// # Errors
    ///
    /// The configuration is invalid.
    pub(super) async fn new(
        args: (&'a ConnectionArgs, &'a Settings),
        targets: impl IntoIterator<Item = &Target>,
    ) -> Result<Self, UsageError> {
        let sources = SourceFactory { args, connection: OnceCell::new(), unsigned: OnceCell::new() };
        let (mut objects, mut signed) = (Vec::new(), false);
        for target in targets {
            match target {
                Target::Object(uri) => objects.push(uri),
                Target::Presigned(_) => signed = true,
                Target::File(_) => {}
            }
        }
        if signed {
            sources.unsigned().await?;
        }
        if !objects.is_empty() {
            // Without a configured Region, that of the URLs is enough if every object has one.
            let regions: Option<Vec<&String>> = objects.iter().map(|uri| args.0.url_regions.get(*uri)).collect();
            let region = args.0.region.clone().or_else(|| regions?.first().map(|region| (*region).clone()));
            let open = || async { connect(S3Options { region, ..options(args.0, args.1)? }).await };
            sources.connection.get_or_try_init(open).await?;
        }
        Ok(sources)
    }

    /// The Region of an object: of the arguments, of its URL, or of the configuration.
    pub(super) fn region_of(&self, uri: &ObjectUri) -> Option<&str> {
        self.url_region(uri).or_else(|| self.connection.get().map(Connection::region))
    }

    /// The Region that the URL of an object states, unless the arguments name one.
    fn url_region(&self, uri: &ObjectUri) -> Option<&str> {
        self.args.0.url_regions.get(uri).map(String::as_str).filter(|_| self.args.0.region.is_none())
    }

    /// A bucket, whose requests are sent in this context.
    pub(super) async fn bucket(&self, name: &str, context: Context) -> Result<S3Bucket, UsageError> {
        Ok(self.connection().await?.bucket(name, context))
    }

    pub(super) async fn open(&self, target: &Target) -> Result<Arc<dyn ObjectSource>, UsageError> {
        match target {
            Target::File(path) => Ok(Arc::new(FileSource::new(path))),
            Target::Presigned(url) => Ok(Arc::new(self.unsigned().await?.presigned(url.clone()))),
            Target::Object(uri) => {
                let connection = self.connection().await?;
                match self.url_region(uri).filter(|region| *region != connection.region()) {
                    None => Ok(Arc::new(connection.object(uri.clone()))),
                    Some(region) => Ok(Arc::new(connection.in_region(region).object(uri.clone()))),
                }
            }
        }
    }

    /// An object in S3, to make a readable copy of it.
    pub(super) async fn archive(&self, uri: &ObjectUri) -> Result<S3Archive, UsageError> {
        let connection = self.connection().await?;
        match self.url_region(uri).filter(|region| *region != connection.region()) {
            None => Ok(connection.archive(uri)),
            Some(region) => Ok(connection.in_region(region).archive(uri)),
        }
    }

    /// The connection for presigned URLs, which carry only what was signed into them.
    async fn unsigned(&self) -> Result<&Connection, UsageError> {
        let ConnectionArgs { request_payer, expected_bucket_owner, sse_c_key_file, .. } = self.args.0;
        for (option, given) in [
            ("--request-payer", request_payer.is_some()),
            ("--expected-bucket-owner", expected_bucket_owner.is_some()),
            ("--sse-c-key-file", sse_c_key_file.is_some()),
        ] {
            if given {
                let problem = "cannot be sent with a presigned URL, which allows the headers that it signs only";
                return Err(UsageError(format!("{option}: {problem}; use s3://bucket/key with credentials")));
            }
        }
        self.unsigned.get_or_try_init(|| async { connect(options(self.args.0, self.args.1)?.unsigned()).await }).await
    }

    async fn connection(&self) -> Result<&Connection, UsageError> {
        self.connection.get_or_try_init(|| async { connect(options(self.args.0, self.args.1)?).await }).await
    }
}

#[cfg(not(feature = "s3"))]
impl<'a> SourceFactory<'a> {
    /// Rejects targets that are objects.
    ///
    /// # Errors
    ///
    /// A target is an object.
    pub(super) async fn new(
        _: (&'a ConnectionArgs, &'a Settings),
        targets: impl IntoIterator<Item = &Target>,
    ) -> Result<Self, UsageError> {
        let sources = SourceFactory { args: PhantomData };
        for target in targets {
            sources.open(target).await?;
        }
        Ok(sources)
    }

    pub(super) fn region_of(&self, _: &ObjectUri) -> Option<&str> {
        None
    }

    pub(super) async fn open(&self, target: &Target) -> Result<Arc<dyn ObjectSource>, UsageError> {
        match target {
            Target::File(path) => Ok(Arc::new(FileSource::new(path))),
            Target::Object(_) | Target::Presigned(_) => {
                Err(UsageError("this build has no S3; build it with the feature `s3`".to_owned()))
            }
        }
    }
}

/// Reads the key of an SSE-C object from a file.
///
/// # Errors
///
/// The file cannot be read, or is not a key.
#[cfg(feature = "s3")]
pub(super) fn customer_key(
    path: Option<&std::path::Path>,
) -> Result<Option<crate::source::s3::SseCustomerKey>, UsageError> {
    let Some(path) = path else { return Ok(None) };
    let key = read_bytes(path, InputKind::CustomerKey);
    let key = key.map_err(|error| UsageError(format!("{}: {error}", path.display())))?;
    let wrong = || UsageError(format!("{}: an SSE-C key has 32 bytes, this file has {}", path.display(), key.len()));
    Ok(Some(crate::source::s3::SseCustomerKey::new(&key).ok_or_else(wrong)?))
}

/// Checks the account of an expected owner; `flag` names it in the message.
///
/// # Errors
///
/// It is not an account.
#[cfg(feature = "s3")]
pub(super) fn check_owner(flag: &str, owner: Option<&str>) -> Result<(), UsageError> {
    let is_account = |owner: &&str| owner.len() == 12 && owner.bytes().all(|b| b.is_ascii_digit());
    match owner.filter(|owner| !is_account(owner)) {
        Some(owner) => Err(UsageError(format!("{flag} {owner}: an account has twelve digits"))),
        None => Ok(()),
    }
}

#[cfg(feature = "s3")]
pub(super) fn options(args: &ConnectionArgs, settings: &Settings) -> Result<crate::source::s3::S3Options, UsageError> {
    use crate::source::s3::S3Options;
    let customer_key = customer_key(args.sse_c_key_file.as_deref())?;
    check_owner("--expected-bucket-owner", args.expected_bucket_owner.as_deref())?;
    Ok(S3Options {
        region: args.region.clone(),
        endpoint_url: args.endpoint_url.clone(),
        profile: args.profile.clone(),
        no_sign_request: args.no_sign_request,
        request_payer: args.request_payer.is_some(),
        expected_bucket_owner: args.expected_bucket_owner.clone(),
        customer_key,
        role: None,
        patience: settings.timeout,
        scope: crate::source::s3::SettingsScope::Environment,
    })
}

/// Resolves the configuration, and tells what is odd about it. A signal ends it with what it started: a
/// `credential_process` runs in a group of its own, which a terminal's Ctrl-C does not reach.
#[cfg(feature = "s3")]
pub(super) async fn connect(
    options: crate::source::s3::S3Options,
) -> Result<crate::source::s3::Connection, UsageError> {
    let cancel = cancel_on_signal();
    let Some(opened) = until(&cancel, crate::source::s3::Connection::open(options)).await else {
        complain("interrupted");
        #[expect(clippy::exit, reason = "nothing was begun that would have to be ended")]
        std::process::exit(i32::from(crate::report::Exit::Interrupted.code()));
    };
    let connection = opened.map_err(|error| UsageError(error.explain_with_advice()))?;
    for note in connection.notes() {
        complain(&note);
    }
    Ok(connection)
}

/// The options of S3 of one of two ends, from its arguments. An end with its own profile takes nothing from the
/// environment.
#[cfg(feature = "s3")]
macro_rules! end_options {
    ($args:expr, $owner_option:literal, unsigned: $unsigned:expr, patience: $patience:expr) => {{
        let args = $args;
        $crate::cli::connect::check_owner($owner_option, args.expected_bucket_owner.as_deref())?;
        $crate::source::s3::S3Options {
            region: args.region.clone(),
            endpoint_url: args.endpoint_url.clone(),
            profile: args.profile.clone(),
            no_sign_request: $unsigned,
            request_payer: args.request_payer.is_some(),
            expected_bucket_owner: args.expected_bucket_owner.clone(),
            customer_key: $crate::cli::connect::customer_key(args.sse_c_key_file.as_deref())?,
            role: None,
            scope: match args.profile {
                Some(_) => $crate::source::s3::SettingsScope::Profile,
                None => $crate::source::s3::SettingsScope::Environment,
            },
            patience: $patience,
        }
    }};
}

#[cfg(feature = "s3")]
pub(super) use end_options;
