//! `is-stored`, and the deprecated `stored`: whether a bucket already holds a copy of an AMI.

use super::ObjectServices;
use super::preflight::survey_stored;
use crate::checks::preflight::judge_stored;
use crate::ident::{AmiId, BucketPath};
use crate::report::{InputNote, StoredReport};
use crate::source::{ErrorKind, SourceError};

/// Looks for copies and for stores in progress. The exit code of the report is that of `stored`; see
/// [`StoredReport::with_exit_of_presence`] for that of `is-stored`.
///
/// # Errors
///
/// STS rejects the credentials, the Region cannot be reached, or the bucket does not exist.
pub async fn stored(services: &ObjectServices, image: &AmiId, into: &BucketPath) -> Result<StoredReport, SourceError> {
    services.region.caller().await?;
    match services.bucket.facts().await {
        // The name of a missing bucket is probably misspelt, so "not stored" would be misleading.
        Err(error) if error.kind == ErrorKind::NotFound => {
            return Err(SourceError { detail: "there is no such bucket".to_owned(), ..error });
        }
        _ => {}
    }
    let survey = survey_stored(services, image, into).await;
    let answer = judge_stored(&survey, image, into);
    let mut report = StoredReport::new(image.as_str(), &into.bucket, into.key(image), &answer);
    if into.as_uri {
        report.notes.push(InputNote::BucketAsUri { taken_as: into.clone() }.into());
    }
    report.requests = services.region.requests();
    Ok(report)
}
