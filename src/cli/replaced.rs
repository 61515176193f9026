//! Whose manifest or record an output replaces. The kind of a file is checked with all outputs of a command; whose it is
//! can be checked only when the command knows what it is about.

use std::path::Path;

use super::usage::{UsageError, read_given};
#[cfg(feature = "ec2")]
use crate::blocks::BlockRecord;
use crate::files::{InputKind, Place};
#[cfg(feature = "ec2")]
use crate::ident::AmiId;
use crate::ident::{ObjectUri, Target};
use crate::manifest::Manifest;
#[cfg(feature = "ec2")]
use crate::record::Record;
#[cfg(feature = "ec2")]
use crate::sealed::SealError;

#[cfg(feature = "ec2")]
const RECORD: &str = "--record";

/// Refuses to replace the manifest of another object, unless `force` is given.
pub(super) fn check_manifest(path: &Path, target: &Target, force: bool) -> Result<(), UsageError> {
    let flag = "--write-manifest";
    let Some(text) = there((flag, path), InputKind::Manifest, force)? else { return Ok(()) };
    match Manifest::from_json(&text) {
        Ok(manifest) if is_of(&manifest, target) => Ok(()),
        Ok(manifest) => Err(refused((flag, path), &format!("holds the manifest of {}", manifest.target))),
        Err(error) => Err(refused((flag, path), &format!("holds a manifest that cannot be read: {error}"))),
    }
}

/// Refuses to replace a manifest by one that is worth less. Called when the new one is known.
pub(super) fn check_worth(path: &Path, new: &Manifest, force: bool) -> Result<(), String> {
    let flag = "--write-manifest";
    let text = there((flag, path), InputKind::Manifest, force).map_err(|UsageError(problem)| problem)?;
    let Some(old) = text.and_then(|text| Manifest::from_json(&text).ok()) else { return Ok(()) };
    match old.why_not_replaced_by(new) {
        Some(why) => Err(format!("the manifest was not written: {why}; name another file, or give --force")),
        None => Ok(()),
    }
}

/// Refuses to replace the record of another AMI, unless `force` is given.
#[cfg(feature = "ec2")]
pub(super) fn check_record(path: &Path, image: &AmiId, force: bool) -> Result<(), UsageError> {
    let text = there((RECORD, path), InputKind::Record, force)?;
    match text.and_then(|text| of_another_image(&text, image.as_str())) {
        Some(what) => Err(refused((RECORD, path), &what)),
        None => Ok(()),
    }
}

/// Refuses to replace the record of another AMI, or of a completed store in another place, unless `force` is given: the
/// ETag in it may be kept nowhere else.
#[cfg(feature = "ec2")]
pub(super) fn check_store_record(
    path: &Path,
    object: &ObjectUri,
    image: &AmiId,
    force: bool,
) -> Result<(), UsageError> {
    let text = there((RECORD, path), InputKind::Record, force)?;
    match text.and_then(|text| of_another_store(&text, image.as_str(), (&object.bucket, &object.key))) {
        Some(what) => Err(refused((RECORD, path), &what)),
        None => Ok(()),
    }
}

/// [`check_store_record`] right before this record is written: another run may have written its own there meanwhile.
#[cfg(feature = "ec2")]
pub(super) fn check_still_own(path: &Path, record: &Record) -> Result<(), String> {
    let text = there((RECORD, path), InputKind::Record, false).map_err(|UsageError(problem)| problem)?;
    match text.and_then(|text| of_another_store(&text, &record.image, (&record.bucket, &record.key))) {
        Some(what) => Err(format!("the record {} was not written: the file {what}", path.display())),
        None => Ok(()),
    }
}

/// What a text holds that a record of the store of this AMI to this bucket and key must not replace.
#[cfg(feature = "ec2")]
fn of_another_store(text: &str, image: &str, (bucket, key): (&str, &str)) -> Option<String> {
    of_another_image(text, image).or_else(|| {
        let kept = Record::from_json(text).ok()?;
        let is_elsewhere = kept.etag.is_some() && (kept.bucket.as_str(), kept.key.as_str()) != (bucket, key);
        is_elsewhere.then(|| format!("holds the record of the completed store in s3://{}/{}", kept.bucket, kept.key))
    })
}

/// What a text holds that a record of this AMI must not replace.
#[cfg(feature = "ec2")]
fn of_another_image(text: &str, image: &str) -> Option<String> {
    match recorded_image(text) {
        Ok(recorded) if recorded == image => None,
        Ok(recorded) => Some(format!("holds the record of {recorded}")),
        Err(error) => Some(format!("holds a record that cannot be read: {error}")),
    }
}

/// The AMI of the record of a store, or of a content alone.
#[cfg(feature = "ec2")]
fn recorded_image(text: &str) -> Result<String, String> {
    match Record::from_json(text) {
        Ok(record) => Ok(record.image),
        Err(SealError::Schema { .. }) => {
            BlockRecord::from_json(text).map(|record| record.image).map_err(|error| error.to_string())
        }
        Err(error) => Err(error.to_string()),
    }
}

/// The text of a file that would be replaced.
fn there((flag, path): (&str, &Path), kind: InputKind, force: bool) -> Result<Option<String>, UsageError> {
    let is_there = std::fs::metadata(path).is_ok_and(|there| there.is_file() && there.len() > 0);
    (is_there && !force).then(|| read_given(flag, path, kind)).transpose()
}

fn refused((flag, path): (&str, &Path), what: &str) -> UsageError {
    UsageError(format!("{flag} {}: {what}; name another file, or give --force to replace it", path.display()))
}

/// Whether a manifest is of this object, in the version that either of them names.
fn is_of(manifest: &Manifest, target: &Target) -> bool {
    let theirs = manifest.target.parse::<Target>().ok();
    match (object(target), theirs.as_ref().map(object)) {
        (Some(ours), Some(Some(theirs))) => {
            let is_same_version = match (&ours.version, &theirs.version) {
                (None, None) => true,
                (Some(named), _) => manifest.version_id.as_ref() == Some(named),
                (None, Some(_)) => false,
            };
            (&ours.bucket, &ours.key) == (&theirs.bucket, &theirs.key) && is_same_version
        }
        (None, Some(None)) => match (target, &theirs) {
            (Target::File(ours), Some(Target::File(theirs))) => {
                ours == theirs || Place::of(ours).ok().is_some_and(|place| Place::of(theirs).ok() == Some(place))
            }
            _ => false,
        },
        _ => false,
    }
}

/// The object of a target; `None` for a file.
fn object(target: &Target) -> Option<&ObjectUri> {
    match target {
        Target::Object(uri) => Some(uri),
        Target::Presigned(url) => Some(url.object()),
        Target::File(_) => None,
    }
}
