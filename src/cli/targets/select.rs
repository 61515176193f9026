use super::args::SelectionArgs;
#[cfg(feature = "s3")]
use super::pattern::{KeyPattern, MOST_TARGETS};
use crate::cli::connect::SourceFactory;
use crate::cli::runner::Runner;
#[cfg(feature = "s3")]
use crate::cli::runner::Stop;
use crate::cli::usage::UsageError;
#[cfg(feature = "s3")]
use crate::ident::ObjectUri;
use crate::ident::Target;
#[cfg(feature = "s3")]
use crate::source::{ErrorKind, SourceError};

/// Lists the objects of all patterns, each object once. Shows an error for a pattern without a match.
#[cfg(feature = "s3")]
pub(in crate::cli) async fn selected(
    selection: &SelectionArgs,
    sources: &SourceFactory<'_>,
    runner: &mut Runner,
) -> Result<Vec<Target>, UsageError> {
    let (mut seen, mut targets) = (std::collections::BTreeSet::new(), Vec::new());
    for pattern in &selection.patterns {
        let bucket = sources.bucket(&pattern.bucket, runner.context()).await?;
        let work = list(&bucket, pattern);
        let Some((found, others)) = runner.run(&pattern.typed, Stop::AtOnce, work).await else {
            if runner.is_stopped() {
                break;
            }
            continue;
        };
        if found.is_empty() {
            runner.fail(&pattern.typed, pattern.nothing(others));
        }
        targets.extend(found.into_iter().filter(|uri| seen.insert(uri.clone())).map(Target::Object));
        if targets.len() > MOST_TARGETS {
            return Err(UsageError(format!(
                "{}: more than {MOST_TARGETS} objects; use audit, which has no limit",
                pattern.typed
            )));
        }
    }
    Ok(targets)
}

/// Refuses patterns, which need S3.
#[cfg(not(feature = "s3"))]
pub(in crate::cli) async fn selected(
    selection: &SelectionArgs,
    _: &SourceFactory<'_>,
    _: &mut Runner,
) -> Result<Vec<Target>, UsageError> {
    match selection.patterns.is_empty() {
        true => Ok(Vec::new()),
        false => Err(UsageError("this build has no S3; build it with the feature `s3`".to_owned())),
    }
}

/// The objects of a pattern in the order of the listing, and the number of other keys that were listed. An entry that
/// cannot be read counts by its key: what the object is, is asked anyway.
#[cfg(feature = "s3")]
async fn list(
    bucket: &crate::source::s3::S3Bucket,
    pattern: &KeyPattern,
) -> Result<(Vec<ObjectUri>, u64), SourceError> {
    use crate::source::BucketService as _;
    let mut walk = crate::facts::Walk::new(&pattern.bucket, &pattern.prefix);
    let (mut found, mut others) = (Vec::new(), 0);
    while !walk.is_over() && found.len() <= MOST_TARGETS {
        let page = bucket.list(&mut walk).await?;
        if let Some(key) = page.outside.first() {
            let detail = format!("the listing has the key `{key}`, which does not begin with `{}`", pattern.prefix);
            return Err(SourceError::new(ErrorKind::Protocol, &pattern.typed, detail));
        }
        let keys = page.objects.into_iter().map(|object| object.key).chain(page.odd.into_iter().map(|odd| odd.key));
        for key in keys {
            match pattern.holds(&key) {
                true => found.push(ObjectUri { bucket: pattern.bucket.clone(), key, version: None }),
                false => others += 1,
            }
        }
    }
    Ok((found, others))
}
