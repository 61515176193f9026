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

#[cfg(feature = "s3")]
pub(super) fn options(args: &ConnectionArgs) -> Result<crate::source::s3::S3Options, UsageError> {
    use crate::source::s3::{S3Options, SseCustomerKey};
    let customer_key = match &args.sse_c_key_file {
        None => None,
        Some(path) => {
            let key = read_bytes(path, InputKind::CustomerKey);
            let key = key.map_err(|error| UsageError(format!("{}: {error}", path.display())))?;
            let wrong =
                || UsageError(format!("{}: an SSE-C key has 32 bytes, this file has {}", path.display(), key.len()));
            Some(SseCustomerKey::new(&key).ok_or_else(wrong)?)
        }
    };
    let is_account = |owner: &&String| owner.len() == 12 && owner.bytes().all(|b| b.is_ascii_digit());
    if let Some(owner) = args.expected_bucket_owner.as_ref().filter(|owner| !is_account(owner)) {
        return Err(UsageError(format!("--expected-bucket-owner {owner}: an account has twelve digits")));
    }
    Ok(S3Options {
        region: args.region.clone(),
        endpoint_url: args.endpoint_url.clone(),
        profile: args.profile.clone(),
        no_sign_request: args.no_sign_request,
        request_payer: args.request_payer.is_some(),
        expected_bucket_owner: args.expected_bucket_owner.clone(),
        customer_key,
        patience: None,
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
