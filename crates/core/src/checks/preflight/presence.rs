use crate::facts::{StoreTask, UploadFacts};
use crate::text::words;

use super::stored_survey::StoredSurvey;

words! {
    /// Whether the object of a store is there and complete, with the evidence. Says nothing about its bytes.
    pub enum Presence {
        /// There: the object exists, and EC2 reports its store as completed.
        TaskCompleted = "task_completed",
        /// There: the object exists, no store of the AMI ran in the last 31 days, and no upload is open. S3 shows the
        /// object of a multipart upload only when the upload is complete.
        NoTask = "no_task",
        /// Not there: every source answered, and none knows of it.
        NoObject = "no_object",
        /// Not there: the last store failed.
        StoreFailed = "store_failed",
        /// Not there: a store was completed, and its object is gone.
        ObjectGone = "object_gone",
        /// A store task or an upload is in progress.
        InFlight = "in_flight",
        /// The bucket holds the AMI under another path only.
        OtherPath = "other_path",
        /// The object exists, but the last store into the bucket failed, so it is not known what wrote the object.
        LastStoreFailed = "last_store_failed",
        /// The object has no bytes.
        EmptyObject = "empty_object",
        /// A task is in a state that is not documented.
        UnknownTaskState = "unknown_task_state",
        /// HeadObject and ListObjectsV2 contradict each other.
        Contradiction = "contradiction",
        /// A source that is needed did not answer.
        NotAnswered = "not_answered",
    }
}

impl Presence {
    /// Whether the object is there and its store is complete; `None` if that is not known.
    pub const fn is_stored(self) -> Option<bool> {
        match self {
            Presence::TaskCompleted | Presence::NoTask => Some(true),
            Presence::NoObject | Presence::StoreFailed | Presence::ObjectGone => Some(false),
            Presence::InFlight
            | Presence::OtherPath
            | Presence::LastStoreFailed
            | Presence::EmptyObject
            | Presence::UnknownTaskState
            | Presence::Contradiction
            | Presence::NotAnswered => None,
        }
    }
}

/// Whether the object of this key is there and complete. `tasks` are those of the AMI into the bucket, newest first.
///
/// Presence needs the object and an answer about stores in progress; absence needs every source.
pub(super) fn judge_presence(survey: &StoredSurvey, key: &str, tasks: &[&StoreTask]) -> Presence {
    let listed = survey.listed.value();
    let in_listing = listed.map(|objects| objects.iter().any(|object| object.key == key));
    if tasks.iter().any(|task| task.in_progress() == Some(true)) || has_open_upload(survey, tasks) {
        return Presence::InFlight;
    }
    if tasks.iter().any(|task| task.in_progress().is_none()) {
        return Presence::UnknownTaskState;
    }
    let head = survey.head_of_key();
    match (head, in_listing) {
        (Some(true), Some(false)) | (Some(false), Some(true)) => Presence::Contradiction,
        (Some(true), _) | (None, Some(true)) => of_present(survey, key, tasks),
        (_, None) => Presence::NotAnswered,
        _ if survey.tasks.value().is_none() || survey.uploads.value().is_none() => Presence::NotAnswered,
        _ if listed.is_some_and(|objects| !objects.is_empty()) => Presence::OtherPath,
        _ => match tasks.first().map(|task| task.state.as_str()) {
            Some("Completed") => Presence::ObjectGone,
            Some("Failed") => Presence::StoreFailed,
            _ => Presence::NoObject,
        },
    }
}

/// The object is there and nothing is in progress, as far as the sources answered.
fn of_present(survey: &StoredSurvey, key: &str, tasks: &[&StoreTask]) -> Presence {
    if survey.is_empty(key) {
        return Presence::EmptyObject;
    }
    if survey.tasks.value().is_none() {
        return Presence::NotAnswered;
    }
    match tasks.iter().find(|task| task.key == key) {
        Some(newest) if newest.state == "Completed" => Presence::TaskCompleted,
        Some(_) => Presence::LastStoreFailed,
        None if survey.uploads.value().is_none() => Presence::NotAnswered,
        None => Presence::NoTask,
    }
}

/// Whether an upload of the name is open that is not a leftover. The leftover of a failed store is older than a newer
/// task that ended.
fn has_open_upload(survey: &StoredSurvey, tasks: &[&StoreTask]) -> bool {
    let newest = tasks.first();
    let is_leftover = |upload: &UploadFacts| match newest {
        Some(task) if task.state == "Failed" => true,
        Some(task) if task.state == "Completed" => {
            upload.initiated.zip(task.started).is_some_and(|(begun, started)| begun < started)
        }
        _ => false,
    };
    survey.uploads.value().into_iter().flatten().any(|upload| !is_leftover(upload))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::{Fact, ListedObject};
    use crate::ident::BucketPath;

    const KEY: &str = "ami-1a2b3c4d.bin";

    fn object(key: &str, size: u64) -> ListedObject {
        ListedObject {
            key: key.into(),
            size: Some(size),
            modified: None,
            etag: None,
            storage_class: None,
            version: None,
            latest: true,
        }
    }

    /// The object is listed, HEAD is refused, and no task is known.
    fn there() -> StoredSurvey {
        StoredSurvey {
            exact: Fact::NotPermitted { needs: "s3:GetObject" },
            listed: Fact::Known { value: vec![object(KEY, 1)], source: "ListObjectsV2" },
            versions: Fact::NotApplicable,
            uploads: Fact::Known { value: Vec::new(), source: "ListMultipartUploads" },
            tasks: Fact::Known { value: Vec::new(), source: "DescribeStoreImageTasks" },
        }
    }

    fn task(state: &str, key: &str, second: i64) -> StoreTask {
        StoreTask {
            image: "ami-1a2b3c4d".into(),
            bucket: "archive".into(),
            key: key.into(),
            state: state.into(),
            started: jiff::Timestamp::from_second(second).ok(),
            ..StoreTask::default()
        }
    }

    fn with_tasks(tasks: Vec<StoreTask>) -> StoredSurvey {
        StoredSurvey { tasks: Fact::Known { value: tasks, source: "DescribeStoreImageTasks" }, ..there() }
    }

    fn with_upload(second: Option<i64>, survey: StoredSurvey) -> StoredSurvey {
        let initiated = second.and_then(|second| jiff::Timestamp::from_second(second).ok());
        let value = vec![UploadFacts { key: KEY.into(), id: None, initiated }];
        StoredSurvey { uploads: Fact::Known { value, source: "ListMultipartUploads" }, ..survey }
    }

    fn with_objects(value: Vec<ListedObject>, survey: StoredSurvey) -> StoredSurvey {
        StoredSurvey { listed: Fact::Known { value, source: "ListObjectsV2" }, ..survey }
    }

    #[test]
    fn presence_needs_the_object_and_an_answer_about_stores() {
        let denied = || Fact::NotPermitted { needs: "x" };
        let absent = || Fact::Absent { source: "HeadObject" };
        let unasked = |survey: StoredSurvey| StoredSurvey { tasks: Fact::NotPermitted { needs: "x" }, ..survey };
        let completed = || with_tasks(vec![task("Completed", KEY, 5)]);
        for (name, survey, expected) in [
            ("a completed task", completed(), Presence::TaskCompleted),
            ("a copy, or an older store", there(), Presence::NoTask),
            (
                "uploads not asked, completed",
                StoredSurvey { uploads: denied(), ..completed() },
                Presence::TaskCompleted,
            ),
            ("uploads not asked, no task", StoredSurvey { uploads: denied(), ..there() }, Presence::NotAnswered),
            ("tasks not asked", unasked(there()), Presence::NotAnswered),
            ("an upload beside it", with_upload(Some(1), there()), Presence::InFlight),
            ("an upload, tasks not asked", with_upload(Some(1), unasked(there())), Presence::InFlight),
            ("the upload of an earlier failure", with_upload(Some(1), completed()), Presence::TaskCompleted),
            ("an upload after the store", with_upload(Some(9), completed()), Presence::InFlight),
            ("an upload of an unknown time", with_upload(None, completed()), Presence::InFlight),
            (
                "another store of it goes on",
                with_tasks(vec![task("Completed", KEY, 5), task("InProgress", "x/ami-1a2b3c4d.bin", 6)]),
                Presence::InFlight,
            ),
            (
                "a task in an unknown state",
                with_tasks(vec![task("Completed", KEY, 5), task("Copying", KEY, 6)]),
                Presence::UnknownTaskState,
            ),
            (
                "a failure after the store",
                with_tasks(vec![task("Completed", KEY, 5), task("Failed", KEY, 6)]),
                Presence::LastStoreFailed,
            ),
            ("no bytes", with_objects(vec![object(KEY, 0)], completed()), Presence::EmptyObject),
            ("HEAD contradicts", StoredSurvey { exact: absent(), ..completed() }, Presence::Contradiction),
            ("another path", with_objects(vec![object("x/ami-1a2b3c4d.bin", 1)], there()), Presence::OtherPath),
            ("not there", with_objects(Vec::new(), there()), Presence::NoObject),
            ("not there any more", with_objects(Vec::new(), completed()), Presence::ObjectGone),
            (
                "a failed store",
                with_objects(Vec::new(), with_tasks(vec![task("Failed", KEY, 5)])),
                Presence::StoreFailed,
            ),
            ("not there, tasks not asked", with_objects(Vec::new(), unasked(there())), Presence::NotAnswered),
            (
                "not there, uploads not asked",
                StoredSurvey { uploads: denied(), ..with_objects(Vec::new(), there()) },
                Presence::NotAnswered,
            ),
            (
                "not there by HEAD, listing refused",
                StoredSurvey { exact: absent(), listed: Fact::NotPermitted { needs: "x" }, ..there() },
                Presence::NotAnswered,
            ),
        ] {
            let into: BucketPath = "archive".parse().unwrap();
            let tasks = survey.tasks_of(&"ami-1a2b3c4d".parse().unwrap(), &into);
            assert_eq!(judge_presence(&survey, KEY, &tasks), expected, "{name}");
        }
    }
}
