use std::sync::Arc;

use crate::account::aws::Account;
use crate::cli::args::ConnectionArgs;
use crate::cli::resolve::{self, UsageError, options};
use crate::cli::run::session;
use crate::cli::terminal::Progress;
use crate::commands::Services;
use crate::ident::ObjectUri;
use crate::image::ec2::Ec2;
use crate::progress::Counting;
use crate::source::s3::Connection;

/// Services of one Region around one object, with what counts and shows their requests.
pub(super) struct Opened {
    pub connection: Connection,
    pub services: Services,
    pub counting: Arc<Counting>,
    pub progress: Arc<Progress>,
}

pub(super) async fn connect(args: &ConnectionArgs) -> Result<Connection, UsageError> {
    if args.no_sign_request {
        return Err(UsageError("--no-sign-request: EC2 takes signed requests only".to_owned()));
    }
    resolve::connect(options(args)?).await
}

/// The services around an object. A version in its address pins nothing here: EC2 takes the current one.
pub(super) fn open(connection: Connection, object: &ObjectUri) -> Opened {
    let (session, counting, progress) = session(Arc::new(connection.object(object.at_version(None))));
    let context = session.context().clone();
    let services = Services {
        images: Arc::new(Ec2::new(&connection, context.clone())),
        account: Arc::new(Account::new(&connection, context.clone())),
        bucket: Arc::new(connection.bucket(&object.bucket, context)),
        object: session,
    };
    Opened { connection, services, counting, progress }
}
