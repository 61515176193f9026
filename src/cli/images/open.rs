use std::sync::Arc;

use crate::cli::args::ConnectionArgs;
use crate::cli::connect::{connect, options};
use crate::cli::runner::Runner;
use crate::cli::usage::UsageError;
use crate::commands::RegionServices;

/// Connects to EC2 and the account in the Region of the configuration.
pub(in crate::cli) async fn services(args: &ConnectionArgs, runner: &mut Runner) -> Result<RegionServices, UsageError> {
    if args.no_sign_request {
        return Err(UsageError("--no-sign-request: EC2 accepts only signed requests".to_owned()));
    }
    let connection = connect(options(args, runner.settings())?).await?;
    Ok(RegionServices::new(Arc::new(connection), &runner.context()).reached_by(&runner.settings().reach))
}
