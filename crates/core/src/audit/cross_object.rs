use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::ContentFingerprint;
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

/// Collects properties of each object for the observations across objects.
#[derive(Debug, Default)]
pub struct CrossObjectIndex {
    /// The objects, with the AMI id in their names.
    objects: BTreeMap<String, Option<String>>,
    by_content: BTreeMap<(u64, ContentFingerprint), Vec<String>>,
}

impl CrossObjectIndex {
    /// Adds an object with its size in bytes and its known content.
    pub fn add(&mut self, target: &ObjectUri, bytes: u64, content: &[ContentFingerprint]) {
        let name = target.to_string();
        self.objects.insert(name.clone(), ami_of(target));
        for value in content {
            self.by_content.entry((bytes, value.clone())).or_default().push(name.clone());
        }
    }

    /// Groups of objects with the same size and a common checksum of the content, one observation per group.
    pub fn duplicates(&self) -> Vec<Observation> {
        let mut groups: BTreeMap<Vec<&String>, Vec<&ContentFingerprint>> = BTreeMap::new();
        for ((_, content), names) in self.by_content.iter().filter(|(_, names)| names.len() > 1) {
            let mut names: Vec<&String> = names.iter().collect();
            names.sort();
            groups.entry(names).or_default().push(content);
        }
        let told = groups.into_iter().filter_map(|(names, by)| {
            let (first, others) = names.split_first()?;
            let by: Vec<String> = by.iter().map(ToString::to_string).collect();
            let others: Vec<&str> = others.iter().map(|name| name.as_str()).collect();
            let detail = format!("the same content, by {}, as {}", by.join(" and "), others.join(", "));
            Some(Observation { kind: ObservationKind::Duplicate, subject: (*first).clone(), detail })
        });
        told.collect()
    }

    /// Compares the objects with the AMIs of the account.
    pub fn images(&self, images: &[ImageFacts]) -> Vec<Observation> {
        let there: BTreeSet<&str> = images.iter().map(|image| image.id.as_str()).collect();
        let mut copied: BTreeSet<&str> = BTreeSet::new();
        let mut found = Vec::new();
        for (target, ami) in &self.objects {
            let Some(ami) = ami else { continue };
            copied.insert(ami);
            if !there.contains(ami.as_str()) {
                found.push(Observation {
                    kind: ObservationKind::CopyWithoutImage,
                    subject: target.clone(),
                    detail: format!("{ami} is not among the account's AMIs in this Region"),
                });
            }
        }
        let without = images.iter().filter(|image| !copied.contains(image.id.as_str()));
        found.extend(without.map(|image| Observation {
            kind: ObservationKind::ImageWithoutCopy,
            subject: image.id.clone(),
            detail: format!("`{}` has no stored copy in what was listed", image.name.as_deref().unwrap_or_default()),
        }));
        found
    }
}

fn ami_of(target: &ObjectUri) -> Option<String> {
    crate::ident::Target::Object(target.clone()).ami_id().map(|id| id.to_string())
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

    fn joint(objects: &[(&str, u64, &[&str])]) -> CrossObjectIndex {
        let mut joint = CrossObjectIndex::default();
        for (target, bytes, content) in objects {
            let content: Vec<ContentFingerprint> =
                content.iter().map(|value| ContentFingerprint((*value).to_owned())).collect();
            joint.add(&target.parse().unwrap(), *bytes, &content);
        }
        joint
    }

    #[test]
    fn the_same_content_is_told_once_for_all_its_keys() {
        let seen = joint(&[
            ("s3://b/ami-00000001.bin", 5, &["crc64nvme:x", "etag:y"]),
            ("s3://b/p/ami-00000002.bin", 5, &["crc64nvme:x", "etag:y"]),
            ("s3://c/ami-00000003.bin", 5, &["crc64nvme:x"]),
            ("s3://c/ami-00000004.bin", 6, &["crc64nvme:x"]),
            ("s3://c/ami-00000005.bin", 5, &["crc64nvme:z"]),
        ]);
        let found = seen.duplicates();
        let told: Vec<_> = found.iter().map(|one| (one.subject.as_str(), one.detail.as_str())).collect();
        assert_eq!(
            told,
            [
                ("s3://b/ami-00000001.bin", "the same content, by etag:y, as s3://b/p/ami-00000002.bin"),
                (
                    "s3://b/ami-00000001.bin",
                    "the same content, by crc64nvme:x, as s3://b/p/ami-00000002.bin, s3://c/ami-00000003.bin"
                ),
            ]
        );
    }

    #[test]
    fn copies_and_images_are_held_against_each_other() {
        let seen = joint(&[("s3://b/ami-00000001.bin", 5, &[]), ("s3://b/ami-00000002.bin", 5, &[])]);
        let image = |id: &str| ImageFacts { id: id.into(), name: Some("web".into()), ..ImageFacts::default() };
        let found = seen.images(&[image("ami-00000002"), image("ami-00000003")]);
        let told: Vec<_> = found.iter().map(|one| (one.kind.name(), one.subject.as_str())).collect();
        assert_eq!(told, [("copy_without_image", "s3://b/ami-00000001.bin"), ("image_without_copy", "ami-00000003")]);
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
