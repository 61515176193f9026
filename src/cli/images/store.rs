use super::args::StoreArgs;
use super::open::{Opened, connect, open};
use super::{agreed, can_ask};
use crate::cli::resolve::UsageError;
use crate::cli::run::{Results, cancel_on_signal, keep_output, until};
use crate::commands::preflight::{StorePreflightRequest, survey_store};
use crate::commands::store::{check_stored, follow_store, start_store};
use crate::files::OutputKind;
use crate::ident::{AmiId, BucketPath, ObjectUri};
use crate::record::Record;
use crate::report::{Exit, Report};
use crate::source::SourceError;
use tokio_util::sync::CancellationToken;

pub(in crate::cli) async fn run_store(args: StoreArgs) -> Result<Exit, UsageError> {
    let cancel = cancel_on_signal();
    let mut results = Results::new(args.output.json);
    if let Some(image) = &args.follow {
        let into = args.bucket.clone();
        follow_only(&args, image, into, &mut results, &cancel).await?;
        return Ok(results.finish());
    }
    let (Some(image), Some(into)) = (args.image.clone(), args.bucket.clone()) else {
        return Err(UsageError("name an AMI and --bucket".to_owned()));
    };
    can_ask(&args.starting)?;
    let opened = open(connect(&args.connection).await?, &into.object(&image));
    let wish = StorePreflightRequest {
        image: image.clone(),
        into: into.clone(),
        limits: args.judging.limits(),
        accept: args.judging.accept.clone(),
        tags: !args.no_tags,
    };
    let target = image.to_string();
    let (mut report, record) = match until(&cancel, survey_store(&opened.services, &wish)).await {
        None => {
            results.interrupted();
            return Ok(results.finish());
        }
        Some(Err(error)) => {
            opened.progress.clear();
            results.error(&target, &error);
            return Ok(results.finish());
        }
        Some(Ok(found)) => found,
    };
    opened.progress.clear();
    report.requests = opened.counting.counts().requests;
    let admitted = report.exit_code == Exit::Passed;
    let preflight = Report::Preflight(Box::new(report.clone()));
    if !admitted || args.starting.dry_run {
        results.add(preflight);
        return Ok(results.finish());
    }
    results.show(&preflight);
    let question = format!("Store {image} to s3://{}/{}?", into.bucket, into.key(&image));
    if !agreed(&args.starting, &question, &cancel).await {
        results.declined();
        return Ok(results.finish());
    }
    // Written before the call: what is known now may be gone when the store has ended.
    let written_at = opened.services.object.context().clock.now().to_string();
    let mut record = record.map(|record| Record { written_at, ..record });
    if let (Some(path), Some(record)) = (&args.record, &record)
        && let Err(problem) = save(record, path)
    {
        results.could_not(&target, &problem);
        return Ok(results.finish());
    }
    match start_store(&opened.services, &wish, &report).await {
        Err(error) => results.error(&target, &error),
        Ok(()) => {
            let followed = follow_store(&opened.services, &image, Some(&into.bucket), true, &cancel).await;
            finish(&opened, followed, &target, &mut results, |facts| {
                let (Some(path), Some(record)) = (&args.record, &mut record) else { return Ok(()) };
                record.etag = facts.id.etag.as_ref().map(ToString::to_string);
                record.version_id.clone_from(&facts.version);
                record.object_bytes = Some(facts.size);
                save(record, path)
            })
            .await;
        }
    }
    Ok(results.finish())
}

fn save(record: &Record, path: &std::path::Path) -> Result<(), String> {
    let text = record.to_json().map_err(|error| error.to_string())?;
    keep_output(path, OutputKind::Record, text.as_bytes())
        .map_err(|error| format!("the record {} could not be written: {error}", path.display()))
}

async fn follow_only(
    args: &StoreArgs,
    image: &AmiId,
    into: Option<BucketPath>,
    results: &mut Results,
    cancel: &CancellationToken,
) -> Result<(), UsageError> {
    let connection = connect(&args.connection).await?;
    let bucket = into.as_ref().map(|into| into.bucket.clone());
    // Until the task tells it, the bucket may not be known.
    let place = into.map_or_else(
        || ObjectUri { bucket: "unknown".into(), key: format!("{image}.bin"), version: None },
        |into| into.object(image),
    );
    let opened = open(connection, &place);
    let followed = follow_store(&opened.services, image, bucket.as_deref(), false, cancel).await;
    finish(&opened, followed, &image.to_string(), results, |_| Ok(())).await;
    Ok(())
}

/// Looks at the object where the task says it is, and reports.
async fn finish(
    opened: &Opened,
    followed: Result<crate::report::TaskReport, SourceError>,
    target: &str,
    results: &mut Results,
    keep: impl FnOnce(&crate::facts::ObjectFacts) -> Result<(), String>,
) {
    let mut report = match followed {
        Ok(report) => report,
        Err(error) => {
            opened.progress.clear();
            return results.error(target, &error);
        }
    };
    let mut requests = 0;
    if report.state == "Completed"
        && let Some(object) = report.object.as_ref().and_then(|object| object.parse::<ObjectUri>().ok())
    {
        let there = open(opened.connection.clone(), &object);
        let facts = check_stored(&there.services, &mut report).await;
        requests = there.counting.counts().requests;
        there.progress.clear();
        if let Some(Err(problem)) = facts.as_ref().map(keep) {
            report.notes.push(problem);
            report.exit_code = Exit::CouldNot;
        }
    }
    report.requests = opened.counting.counts().requests + requests;
    opened.progress.clear();
    results.add(Report::Task(Box::new(report)));
}
