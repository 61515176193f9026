use std::sync::Arc;

use super::args::SafeArgs;
use super::{QUESTIONS, UsageError, policy};
use crate::audit::Level;
use crate::cli::connect::{connect, options};
use crate::cli::progress::Progress;
use crate::cli::resolve::record;
use crate::cli::results::Results;
use crate::cli::settings::Settings;
use crate::cli::signals::{cancel_on_signal, until};
use crate::cli::usage::load;
use crate::commands::audit::{AuditRequest, AuditServices, DeletionSafetyRequest, Scope, safe_to_delete};
use crate::ledger::{Ledger, SharedLedger};
use crate::plan::Sample;
use crate::report::{Exit, Report};
use crate::source::Context;
use crate::source::s3::Buckets;

pub(in crate::cli) async fn run_safe(args: SafeArgs, settings: &Settings) -> Result<Exit, UsageError> {
    let mut results = Results::new(args.output.json, settings);
    let policy = policy(args.policy.as_deref())?;
    let wrong = |error: &dyn std::fmt::Display| UsageError(format!("--ledger {}: {error}", args.ledger.display()));
    let path = args.ledger.clone();
    let opened = load(args.ledger.display().to_string(), None, move || Ok(Ledger::open_existing(&path)));
    let ledger = SharedLedger::new(opened.await?.map_err(|error| wrong(&error))?);
    let wish = wish(&args)?;
    let progress = Progress::new(settings);
    let context = settings.context(progress.clone());
    let (context, counting) = context.counted();
    let request = AuditRequest {
        sample: Sample::Percent(100.0),
        policy,
        objects_at_once: QUESTIONS,
        ..AuditRequest::new(Scope::Listed(args.prefixes.clone()), Level::Facts)
    };
    let cancel = cancel_on_signal();
    let names = request.chosen.buckets();
    let options = options(&args.connection, settings)?;
    let buckets = async { Ok::<_, UsageError>(Buckets::locate(connect(options).await?, &names, &context).await) };
    let Some(buckets) = until(&cancel, buckets).await else {
        progress.finish();
        results.interrupted();
        return Ok(results.finish());
    };
    let buckets = buckets?;
    let account = account(&args, &buckets, &context);
    let images = images(&args, &buckets, &context);
    let services = AuditServices::new(Arc::new(buckets), (context, counting)).with_images(images);
    let done = until(&cancel, safe_to_delete(&services, &request, &wish, &ledger, account.as_deref())).await;
    progress.finish();
    match done {
        None => results.interrupted(),
        Some(Err(error)) => return Err(wrong(&error)),
        Some(Ok(report)) => results.add(Report::Safe(Box::new(report))),
    }
    Ok(results.finish())
}

fn wish(args: &SafeArgs) -> Result<DeletionSafetyRequest, UsageError> {
    let record = record(args.record.as_deref())?;
    if let Some((file, other)) = record.as_ref().filter(|(_, record)| record.image != args.image.as_str()) {
        return Err(UsageError(format!("--record {file}: it is of {}, not of {}", other.image, args.image)));
    }
    let ledger = args.ledger.display().to_string();
    Ok(DeletionSafetyRequest { image: args.image.clone(), max_age: args.max_age, record, ledger })
}

/// The account service, to identify the account of the credentials.
fn account(args: &SafeArgs, buckets: &Buckets, context: &Context) -> Option<Arc<dyn crate::account::AccountService>> {
    #[cfg(feature = "ec2")]
    if !args.connection.no_sign_request {
        return Some(Arc::new(crate::account::aws::Account::new(buckets.home(), context.clone())));
    }
    let _ = (args, buckets, context);
    None
}

/// The image service, to find stores in progress; `None` if requests are not signed.
fn images(args: &SafeArgs, buckets: &Buckets, context: &Context) -> Option<Arc<dyn crate::image::ImageService>> {
    #[cfg(feature = "ec2")]
    if !args.connection.no_sign_request {
        return Some(Arc::new(crate::image::ec2::Ec2::new(buckets.home(), context.clone())));
    }
    let _ = (args, buckets, context);
    None
}
