#[cfg(not(feature = "s3"))]
use std::marker::PhantomData;
use std::sync::Arc;

#[cfg(feature = "s3")]
use tokio::sync::OnceCell;

use super::args::ConnectionArgs;
#[cfg(feature = "s3")]
use super::output::complain;
#[cfg(feature = "s3")]
use super::signals::{cancel_on_signal, until};
use super::usage::UsageError;
#[cfg(feature = "s3")]
use crate::files::{InputKind, read_bytes};
use crate::ident::Target;
use crate::source::ObjectSource;
use crate::source::file::FileSource;
#[cfg(feature = "s3")]
use crate::source::s3::Connection;

/// Opens targets: objects over a connection to S3, files directly.
pub(super) struct SourceFactory<'a> {
    #[cfg(feature = "s3")]
    args: &'a ConnectionArgs,
    #[cfg(feature = "s3")]
    connection: OnceCell<Connection>,
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
    pub async fn new(args: &'a ConnectionArgs, targets: impl IntoIterator<Item = &Target>) -> Result<Self, UsageError> {
        let sources = SourceFactory { args, connection: OnceCell::new() };
        if targets.into_iter().any(|target| matches!(target, Target::Object(_))) {
            sources.connection().await?;
        }
        Ok(sources)
    }

    /// Region of the configuration, if an object was to be opened.
    pub fn region(&self) -> Option<&str> {
        self.connection.get().map(Connection::region)
    }

    pub async fn open(&self, target: &Target) -> Result<Arc<dyn ObjectSource>, UsageError> {
        match target {
            Target::File(path) => Ok(Arc::new(FileSource::new(path))),
            Target::Object(uri) => Ok(Arc::new(self.connection().await?.object(uri.clone()))),
        }
    }

    async fn connection(&self) -> Result<&Connection, UsageError> {
        self.connection.get_or_try_init(|| async { connect(options(self.args)?).await }).await
    }
}

#[cfg(not(feature = "s3"))]
impl<'a> SourceFactory<'a> {
    /// Rejects targets that are objects.
    ///
    /// # Errors
    ///
    /// A target is an object.
    pub async fn new(_: &'a ConnectionArgs, targets: impl IntoIterator<Item = &Target>) -> Result<Self, UsageError> {
        let sources = SourceFactory { args: PhantomData };
        for target in targets {
            sources.open(target).await?;
        }
        Ok(sources)
    }

    pub fn region(&self) -> Option<&str> {
        None
    }

    pub async fn open(&self, target: &Target) -> Result<Arc<dyn ObjectSource>, UsageError> {
        match target {
            Target::File(path) => Ok(Arc::new(FileSource::new(path))),
            Target::Object(_) => Err(UsageError("this build has no S3; build it with the feature `s3`".to_owned())),
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
pub(super) fn options(args: &ConnectionArgs) -> Result<crate::source::s3::S3Options, UsageError> {
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
        patience: None,
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
    let connection = opened.map_err(|error| UsageError(error.to_string()))?;
    for note in connection.notes() {
        complain(&note);
    }
    Ok(connection)
}
