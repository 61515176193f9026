use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::facts::{ImageFacts, StoreTask, UploadFacts};
use crate::ident::ObjectUri;
use crate::text::words;

/// An observation across the objects of an archive, or between objects and the account's AMIs. It has no
/// verdict, because whether it is intended is for the user or a policy to decide.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Observation {
    /// What was observed.
    pub kind: ObservationKind,
    /// The object, AMI or upload it is about.
    pub subject: String,
    /// The observation, for the user.
    pub detail: String,
}

words! {
    /// What was observed across objects.
    pub enum ObservationKind {
        /// The same content under more than one key.
        Duplicate = "duplicate",
        /// A stored AMI object whose AMI is gone.
        CopyWithoutImage = "copy_without_image",
        /// An AMI without a stored copy in what was listed.
        ImageWithoutCopy = "image_without_copy",
        StoreFailed = "store_failed",
        StoreInProgress = "store_in_progress",
        /// A multipart upload that was not completed.
        UploadLeft = "upload_left",
    }
}

/// The most objects of one group that are named. The others are counted.
pub const MOST_NAMES: usize = 100;

/// The observation on objects with the same content: their names in order, the number of further ones, and the values
/// that they have in common.
pub fn duplicate(names: &[impl AsRef<str>], more: u64, by: &[String]) -> Observation {
    let mut names = names.iter().map(AsRef::as_ref);
    let first = names.next().unwrap_or_default().to_owned();
    let others: Vec<&str> = names.collect();
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let detail = format!("the same content, by {}, as {}{more}", by.join(" and "), others.join(", "));
    Observation { kind: ObservationKind::Duplicate, subject: first, detail }
}

/// Compares stored objects, one after the other, with the AMIs of an account.
#[derive(Debug)]
pub struct ImageComparison<'a> {
    images: &'a [ImageFacts],
    there: BTreeSet<&'a str>,
    copied: BTreeSet<&'a str>,
}

impl<'a> ImageComparison<'a> {
    /// Starts without objects.
    pub fn new(images: &'a [ImageFacts]) -> Self {
        let there = images.iter().map(|image| image.id.as_str()).collect();
        ImageComparison { images, there, copied: BTreeSet::new() }
    }

    /// Takes an object. Returns an observation if its AMI is gone.
    pub fn object(&mut self, target: &str) -> Option<Observation> {
        let ami = ami_of(target.parse().ok()?)?;
        if let Some(ami) = self.there.get(ami.as_str()) {
            self.copied.insert(ami);
            return None;
        }
        Some(Observation {
            kind: ObservationKind::CopyWithoutImage,
            subject: target.to_owned(),
            detail: format!("{ami} is not among the account's AMIs in this Region"),
        })
    }

    /// The AMIs of which there was no object.
    pub fn without_copy(self) -> impl Iterator<Item = Observation> {
        let without = self.images.iter().filter(move |image| !self.copied.contains(image.id.as_str()));
        without.map(|image| Observation {
            kind: ObservationKind::ImageWithoutCopy,
            subject: image.id.clone(),
            detail: format!("`{}` has no stored copy in what was listed", image.name.as_deref().unwrap_or_default()),
        })
    }
}

fn ami_of(target: ObjectUri) -> Option<String> {
    crate::ident::Target::Object(target).ami_id().map(|id| id.to_string())
}

/// Store tasks of one bucket that failed or are in progress. EC2 lists tasks for 31 days.
pub fn tasks(tasks: &[StoreTask]) -> Vec<Observation> {
    let told = tasks.iter().filter_map(|task| {
        let kind = match task.state.as_str() {
            "Failed" => ObservationKind::StoreFailed,
            _ if task.in_progress() != Some(false) => ObservationKind::StoreInProgress,
            _ => return None,
        };
        let reason = task.failure.clone().map_or(String::new(), |reason| format!(": {reason}"));
        let detail = format!("store task of {} into {}{reason}", task.image, task.bucket);
        Some(Observation { kind, subject: task.image.clone(), detail })
    });
    told.collect()
}

/// Uploads that are not completed, with their age if it is known.
pub fn uploads(bucket: &str, uploads: &[UploadFacts], now: Timestamp) -> Vec<Observation> {
    let told = uploads.iter().map(|upload| {
        let age = upload.initiated.map_or("at a time not stated".to_owned(), |begun| {
            format!("{} hours ago", now.duration_since(begun).as_hours())
        });
        Observation {
            kind: ObservationKind::UploadLeft,
            subject: format!("s3://{bucket}/{}", upload.key),
            detail: format!("a multipart upload was begun {age} and not completed; its parts are billed"),
        }
    });
    told.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_and_images_are_held_against_each_other() {
        let image = |id: &str| ImageFacts { id: id.into(), name: Some("web".into()), ..ImageFacts::default() };
        let images = [image("ami-00000002"), image("ami-00000003")];
        let mut comparison = ImageComparison::new(&images);
        let targets = ["s3://b/ami-00000001.bin", "s3://b/ami-00000002.bin"];
        let mut found: Vec<_> = targets.into_iter().filter_map(|target| comparison.object(target)).collect();
        found.extend(comparison.without_copy());
        let told: Vec<_> = found.iter().map(|one| (one.kind.name(), one.subject.as_str())).collect();
        assert_eq!(told, [("copy_without_image", "s3://b/ami-00000001.bin"), ("image_without_copy", "ami-00000003")]);
    }

    #[test]
    fn a_large_group_names_some_and_counts_the_others() {
        let one = duplicate(&["a", "b", "c"], 7, &["etag:x".to_owned()]);
        assert_eq!(
            (one.subject.as_str(), one.detail.as_str()),
            ("a", "the same content, by etag:x, as b, c and 7 more")
        );
    }

    #[test]
    fn tasks_that_came_to_an_end_are_not_told() {
        let task =
            |state: &str| StoreTask { image: "ami-00000001".into(), state: state.into(), ..StoreTask::default() };
        let found = tasks(&[task("Completed"), task("Failed"), task("InProgress"), task("New word")]);
        let kinds: Vec<_> = found.iter().map(|one| one.kind.name()).collect();
        assert_eq!(kinds, ["store_failed", "store_in_progress", "store_in_progress"]);
    }
}
