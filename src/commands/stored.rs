//! `stored`: whether a bucket holds an AMI already.

use super::ObjectServices;
use super::preflight::survey_stored;
use crate::checks::preflight::judge_stored;
use crate::ident::{AmiId, BucketPath};
use crate::report::{InputNote, StoredReport};
use crate::source::{ErrorKind, SourceError};

/// Asks every place where a copy, or a store on its way, would show.
pub async fn stored(services: &ObjectServices, image: &AmiId, into: &BucketPath) -> Result<StoredReport, SourceError> {
    services.region.caller().await?;
    match services.bucket.facts().await {
        // Nothing can be stored in a bucket that is not there, and to say so would be a guess at what was meant.
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
