use jiff::Timestamp;

use super::presence::{Presence, judge_presence};
use super::stored_survey::{FoundCopy, StoredSurvey};
use crate::facts::{Fact, StoreTask, UploadFacts};
use crate::ident::{AmiId, BucketPath};
use crate::units::{ByteSize, counted};

/// Whether a bucket contains an AMI.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stored {
    /// No source knows of it, and every source answered.
    NotStored,
    /// Under the key that a store uses.
    Stored,
    /// Under another path of the same bucket.
    StoredElsewhere,
    /// A store task or an upload is in progress.
    InFlight,
    /// A task reports it as stored, but there is no object.
    Gone,
    /// The last task failed, and there is no object.
    Failed,
    /// A source that could know of it did not answer.
    CannotTell,
}

impl Stored {
    /// The name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Stored::NotStored => "not_stored",
            Stored::Stored | Stored::StoredElsewhere => "stored",
            Stored::InFlight => "in_flight",
            Stored::Gone => "completed_but_object_gone",
            Stored::Failed => "failed",
            Stored::CannotTell => "cannot_tell",
        }
    }
}

const TASKS: &str = "DescribeStoreImageTasks";

/// The conclusion and its sources.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredAnswer {
    /// The conclusion.
    pub stored: Stored,
    /// Whether the object is there and its store is complete.
    pub presence: Presence,
    /// The object that holds the AMI: at the key of a store, or elsewhere in the bucket.
    pub found: Option<FoundCopy>,
    /// What each source answered: API call and text for the report.
    pub said: Vec<(String, String)>,
    /// Why nothing can be concluded, if [`Stored::CannotTell`].
    pub gaps: Vec<Gap>,
}

/// A source without which nothing can be concluded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gap {
    /// The API call.
    pub source: &'static str,
    /// What it answered, and what is therefore not known, for the report.
    pub detail: String,
    /// Whether a permission is missing.
    pub is_denied: bool,
}

/// Combines all answers. Presence needs one source; absence needs all of them.
pub fn judge_stored(survey: &StoredSurvey, ami: &AmiId, into: &BucketPath) -> StoredAnswer {
    let key = into.key(ami);
    let listed = || survey.listed.value().into_iter().flatten();
    let uploads: Vec<&UploadFacts> = survey.uploads.value().into_iter().flatten().collect();
    let tasks = survey.tasks_of(ami, into);
    let newest = tasks.first().map(|task| task.state.as_str());
    let complete =
        survey.listed.value().is_some() && survey.uploads.value().is_some() && survey.tasks.value().is_some();
    let stored = if survey.exact.value().is_some() || listed().any(|object| object.key == key) {
        Stored::Stored
    } else if listed().next().is_some() {
        Stored::StoredElsewhere
    } else if tasks.iter().any(|task| task.in_progress() == Some(true))
        || (!uploads.is_empty() && newest != Some("Failed"))
    {
        // After a failed store, an upload is a leftover of it.
        Stored::InFlight
    } else if !survey.exact_absent(&key) || !complete || tasks.iter().any(|task| task.in_progress().is_none()) {
        // A task in an unknown state may be in progress.
        Stored::CannotTell
    } else {
        match newest {
            Some("Completed") => Stored::Gone,
            Some("Failed") => Stored::Failed,
            _ => Stored::NotStored,
        }
    };
    let presence = judge_presence(survey, &key, &tasks);
    let gaps = if stored == Stored::CannotTell { gaps(survey, &key, &tasks) } else { Vec::new() };
    StoredAnswer { stored, presence, found: survey.found(&key), said: answers(survey, &key, &tasks), gaps }
}

fn gaps(survey: &StoredSurvey, key: &str, tasks: &[&StoreTask]) -> Vec<Gap> {
    let odd: Vec<String> =
        tasks.iter().filter(|task| task.in_progress().is_none()).map(|task| task_said(task)).collect();
    let odd = (!odd.is_empty()).then(|| Gap {
        source: TASKS,
        detail: format!("{}, so a store may be in progress", join(odd.into_iter())),
        is_denied: false,
    });
    let head = (!survey.exact_absent(key)).then(|| gap("HeadObject", &survey.exact, "a copy under the key")).flatten();
    let others = [
        gap("ListObjectsV2", &survey.listed, "a copy under another path"),
        gap("ListMultipartUploads", &survey.uploads, "an open upload"),
        gap(TASKS, &survey.tasks, "a store in progress"),
        odd,
    ];
    head.into_iter().chain(others.into_iter().flatten()).collect()
}

/// `None` if the source answered. `unseen` is what it alone would show.
fn gap<T>(source: &'static str, fact: &Fact<T>, unseen: &str) -> Option<Gap> {
    let why = fact.why_not()?;
    let is_denied = matches!(fact, Fact::NotPermitted { .. });
    Some(Gap { source, detail: format!("{why}, so {unseen} would not be seen"), is_denied })
}

fn at(time: Option<Timestamp>) -> String {
    time.map_or(String::new(), |time| format!(", {time}"))
}

fn answers(survey: &StoredSurvey, key: &str, tasks: &[&StoreTask]) -> Vec<(String, String)> {
    let said = [
        ("HeadObject", Some(head_said(survey, key))),
        ("ListObjectsV2", Some(listing_said(survey))),
        ("ListMultipartUploads", Some(uploads_said(survey))),
        (TASKS, Some(tasks_said(survey, tasks))),
        ("ListObjectVersions", versions_said(survey, key)),
    ];
    said.into_iter().filter_map(|(source, text)| Some((source.to_owned(), text?))).collect()
}

fn head_said(survey: &StoredSurvey, key: &str) -> String {
    match &survey.exact {
        Fact::Known { value, .. } => format!("{key} is there: {}{}", ByteSize(value.size), at(value.last_modified)),
        Fact::Absent { .. } => format!("no object {key}"),
        other => other.why_not().unwrap_or_default(),
    }
}

fn listing_said(survey: &StoredSurvey) -> String {
    match &survey.listed {
        Fact::Known { value, .. } if value.is_empty() => "no object of this name under any path".to_owned(),
        Fact::Known { value, .. } => join(value.iter().map(|object| {
            let size = object.size.map_or("no size stated".to_owned(), |size| ByteSize(size).to_string());
            format!("{} ({size}{})", object.key, at(object.modified))
        })),
        other => other.why_not().unwrap_or_default(),
    }
}

fn uploads_said(survey: &StoredSurvey) -> String {
    match &survey.uploads {
        Fact::Known { value, .. } if value.is_empty() => "no upload of this name is open".to_owned(),
        Fact::Known { value, .. } => {
            join(value.iter().map(|upload| format!("an upload of {} is open{}", upload.key, at(upload.initiated))))
        }
        other => other.why_not().unwrap_or_default(),
    }
}

fn tasks_said(survey: &StoredSurvey, tasks: &[&StoreTask]) -> String {
    match &survey.tasks {
        Fact::Known { .. } if tasks.is_empty() => {
            "no store of this AMI into this bucket in the last 31 days".to_owned()
        }
        Fact::Known { .. } => join(tasks.iter().map(|task| task_said(task))),
        other => other.why_not().unwrap_or_default(),
    }
}

fn task_said(task: &StoreTask) -> String {
    let percent = task.progress.filter(|_| task.in_progress() != Some(false)).map(|p| format!(" at {p} %"));
    let why = task.failure.as_ref().map(|why| format!(": {why}"));
    let (percent, why) = (percent.unwrap_or_default(), why.unwrap_or_default());
    let state = match task.in_progress() {
        Some(_) => task.state.clone(),
        None => format!("in the state `{}`, which is not known,", task.state),
    };
    format!("{state}{percent} as {}{}{why}", task.key, at(task.started))
}

fn versions_said(survey: &StoredSurvey, key: &str) -> Option<String> {
    match &survey.versions {
        Fact::Known { value, .. } if value.is_empty() => None,
        Fact::Known { value, .. } => {
            let markers = value.iter().filter(|version| version.is_delete_marker()).count();
            Some(format!(
                "{} and {} of {key}; AWS does not publish how EC2 treats those",
                counted((value.len() - markers) as u64, "version"),
                counted(markers as u64, "delete marker")
            ))
        }
        other => Some(other.why_not().unwrap_or_default()),
    }
}

fn join(texts: impl Iterator<Item = String>) -> String {
    const SHOWN: usize = 5;
    let texts: Vec<String> = texts.collect();
    let more = texts.len().saturating_sub(SHOWN);
    let mut text = texts.into_iter().take(SHOWN).collect::<Vec<_>>().join("; ");
    if more > 0 {
        text += &format!("; and {more} more");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::{ListedObject, ObjectFacts};
    use crate::ident::{ObjectId, Target};

    fn survey() -> StoredSurvey {
        StoredSurvey {
            exact: Fact::Absent { source: "HeadObject" },
            listed: Fact::Known { value: Vec::new(), source: "ListObjectsV2" },
            versions: Fact::Known { value: Vec::new(), source: "ListObjectVersions" },
            uploads: Fact::Known { value: Vec::new(), source: "ListMultipartUploads" },
            tasks: Fact::Known { value: Vec::new(), source: "DescribeStoreImageTasks" },
        }
    }

    fn task(bucket: &str, state: &str, second: i64) -> StoreTask {
        StoreTask {
            image: "ami-1a2b3c4d".into(),
            bucket: bucket.into(),
            key: "ami-1a2b3c4d.bin".into(),
            state: state.into(),
            started: Timestamp::from_second(second).ok(),
            ..StoreTask::default()
        }
    }

    fn tasks(tasks: Vec<StoreTask>) -> StoredSurvey {
        StoredSurvey { tasks: Fact::Known { value: tasks, source: "DescribeStoreImageTasks" }, ..survey() }
    }

    fn object(key: &str) -> Fact<Vec<ListedObject>> {
        let value = vec![ListedObject {
            key: key.into(),
            size: Some(1),
            modified: None,
            etag: None,
            storage_class: None,
            version: None,
            latest: true,
        }];
        Fact::Known { value, source: "ListObjectsV2" }
    }

    #[test]
    fn one_answer_from_all_places() {
        let denied = || Fact::NotPermitted { needs: "s3:GetObject" };
        let upload = UploadFacts { key: "x/ami-1a2b3c4d.bin".into(), id: None, initiated: None };
        let uploads = Fact::Known { value: vec![upload], source: "ListMultipartUploads" };
        let target: Target = "s3://archive/ami-1a2b3c4d.bin".parse().unwrap();
        let facts = ObjectFacts::new(ObjectId { target, etag: None }, crate::facts::FactsSource::HeadObject, 1);
        for (name, survey, expected) in [
            ("nothing anywhere", survey(), Stored::NotStored),
            (
                "there",
                StoredSurvey { exact: Fact::Known { value: facts, source: "HeadObject" }, ..survey() },
                Stored::Stored,
            ),
            (
                "listed",
                StoredSurvey { exact: denied_object(), listed: object("ami-1a2b3c4d.bin"), ..survey() },
                Stored::Stored,
            ),
            ("other path", StoredSurvey { listed: object("x/ami-1a2b3c4d.bin"), ..survey() }, Stored::StoredElsewhere),
            ("upload", StoredSurvey { uploads: uploads.clone(), ..survey() }, Stored::InFlight),
            ("task", tasks(vec![task("archive", "InProgress", 1)]), Stored::InFlight),
            ("task with path", tasks(vec![task("archive/x", "InProgress", 1)]), Stored::InFlight),
            ("a state that is not known", tasks(vec![task("archive", "Queued", 1)]), Stored::CannotTell),
            ("another case of a word", tasks(vec![task("archive", "completed", 1)]), Stored::CannotTell),
            ("no state", tasks(vec![task("archive", "", 1)]), Stored::CannotTell),
            (
                "not known, behind a known one",
                tasks(vec![task("archive", "Copying", 1), task("archive", "Failed", 2)]),
                Stored::CannotTell,
            ),
            (
                "not known, beside one that goes on",
                tasks(vec![task("archive", "Copying", 2), task("archive", "InProgress", 1)]),
                Stored::InFlight,
            ),
            ("task elsewhere", tasks(vec![task("archive2", "InProgress", 1)]), Stored::NotStored),
            ("gone", tasks(vec![task("archive", "Completed", 1)]), Stored::Gone),
            ("failed", tasks(vec![task("archive", "Failed", 1)]), Stored::Failed),
            (
                "failed, then done",
                tasks(vec![task("archive", "Failed", 1), task("archive", "Completed", 2)]),
                Stored::Gone,
            ),
            (
                "done, then failed",
                tasks(vec![task("archive", "Failed", 3), task("archive", "Completed", 2)]),
                Stored::Failed,
            ),
            (
                "failed with a left-over upload",
                StoredSurvey { uploads, ..tasks(vec![task("archive", "Failed", 1)]) },
                Stored::Failed,
            ),
            ("HEAD refused, listing answers", StoredSurvey { exact: denied_object(), ..survey() }, Stored::NotStored),
            (
                "HEAD and listing refused",
                StoredSurvey {
                    exact: denied_object(),
                    listed: Fact::NotPermitted { needs: "s3:ListBucket" },
                    ..survey()
                },
                Stored::CannotTell,
            ),
            ("no listing", StoredSurvey { listed: denied(), ..survey() }, Stored::CannotTell),
            ("no uploads", StoredSurvey { uploads: Fact::NotPermitted { needs: "x" }, ..survey() }, Stored::CannotTell),
            ("no tasks", StoredSurvey { tasks: Fact::NotPermitted { needs: "x" }, ..survey() }, Stored::CannotTell),
        ] {
            let answer = judge_stored(&survey, &"ami-1a2b3c4d".parse().unwrap(), &"archive".parse().unwrap());
            assert_eq!(answer.stored, expected, "{name}");
            assert!(answer.said.iter().all(|(_, text)| !text.is_empty()), "{name}: {:?}", answer.said);
        }
    }

    #[test]
    fn only_sources_without_an_answer_say_why_it_is_not_known() {
        let gaps = |survey: StoredSurvey| {
            let answer = judge_stored(&survey, &"ami-1a2b3c4d".parse().unwrap(), &"archive".parse().unwrap());
            let gaps = answer.gaps.iter().map(|gap| format!("{}: {}", gap.source, gap.detail));
            (gaps.collect::<Vec<_>>(), answer.gaps.iter().any(|gap| gap.is_denied))
        };
        let uploads = || Fact::NotPermitted { needs: "x" };
        let of_uploads =
            "ListMultipartUploads: not permitted (needs x), so an open upload would not be seen".to_owned();
        assert_eq!(gaps(StoredSurvey { uploads: uploads(), ..survey() }), (vec![of_uploads.clone()], true));
        // The listing shows that there is no object.
        let refused = StoredSurvey { exact: denied_object(), uploads: uploads(), ..survey() };
        assert_eq!(gaps(refused).0, [of_uploads]);
        let throttled = Fact::Unavailable { because: "throttled".into() };
        let unheard = StoredSurvey { exact: denied_object(), listed: throttled, ..survey() };
        let (both, is_denied) = gaps(unheard);
        assert!(both.len() == 2 && both[0].starts_with("HeadObject: not permitted") && is_denied, "{both:?}");
        let (odd, is_denied) = gaps(tasks(vec![task("archive", "Queued", 1)]));
        assert!(odd.len() == 1 && odd[0].contains("`Queued`") && !is_denied, "{odd:?}");
        assert!(gaps(survey()).0.is_empty());
    }

    fn denied_object() -> Fact<ObjectFacts> {
        Fact::NotPermitted { needs: "s3:GetObject" }
    }
}
