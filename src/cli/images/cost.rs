use tokio_util::sync::CancellationToken;

use super::open::{connect, open};
use crate::cli::args::ConnectionArgs;
use crate::cli::resolve::UsageError;
use crate::cli::run::{Results, until};
use crate::commands::cost::{CostRequest, cost_of_image};
use crate::ident::{AmiId, ObjectUri};
use crate::report::Report;

/// Prices the store of an AMI. False after an interruption.
pub(in crate::cli) async fn cost_of(
    image: &AmiId,
    connection: &ConnectionArgs,
    wish: &impl Fn(Option<&str>) -> Result<CostRequest, UsageError>,
    results: &mut Results,
    cancel: &CancellationToken,
) -> Result<bool, UsageError> {
    // No bucket is asked anything.
    let nowhere = ObjectUri { bucket: "unknown".into(), key: format!("{image}.bin"), version: None };
    let opened = open(connect(connection).await?, &nowhere);
    let images = opened.services.images.as_ref();
    let wish = wish(Some(images.region()))?;
    let now = opened.services.object.context().clock.now();
    let done = until(cancel, cost_of_image(images, image, &wish, now)).await;
    opened.progress.clear();
    match done {
        None => {
            results.interrupted();
            return Ok(false);
        }
        Some(Ok(mut report)) => {
            report.requests = opened.counting.counts().requests;
            results.add(Report::Cost(Box::new(report)));
        }
        Some(Err(error)) => results.error(image.as_str(), &error),
    }
    Ok(true)
}
