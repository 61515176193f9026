use crate::facts::{Fact, ListedObject, ObjectFacts, StoreTask, UploadFacts};
use crate::ident::{AmiId, BucketPath};

/// Answers on whether a bucket contains an AMI. How EC2 determines this is not published, so every source is
/// asked.
#[derive(Debug, Clone)]
pub struct StoredSurvey {
    /// HEAD of the exact key; `Absent` only if the server answered that there is no object.
    pub exact: Fact<ObjectFacts>,
    /// Objects of this name under any path of the bucket.
    pub listed: Fact<Vec<ListedObject>>,
    /// Versions and delete markers of the exact key.
    pub versions: Fact<Vec<ListedObject>>,
    /// Multipart uploads of this name under any path of the bucket.
    pub uploads: Fact<Vec<UploadFacts>>,
    /// Store tasks of all AMIs into this bucket.
    pub tasks: Fact<Vec<StoreTask>>,
}

impl StoredSurvey {
    /// Store tasks of this AMI into this bucket, newest first.
    pub(super) fn tasks_of(&self, ami: &AmiId, into: &BucketPath) -> Vec<&StoreTask> {
        let tasks = self.tasks.value().into_iter().flatten();
        let mut found: Vec<_> = tasks.filter(|task| task.image == ami.as_str() && task.is_into(&into.bucket)).collect();
        found.sort_by_key(|task| std::cmp::Reverse(task.started));
        found
    }

    /// Whether there is no object under the exact key, by HEAD or, if HEAD is refused, by the listing.
    pub(super) fn exact_absent(&self, key: &str) -> bool {
        match (&self.exact, &self.listed) {
            (Fact::Absent { .. }, _) => true,
            (_, Fact::Known { value, .. }) => !value.iter().any(|object| object.key == key),
            _ => false,
        }
    }

    /// Whether HEAD found the object of the exact key; `None` if HEAD was not answered.
    pub(super) fn head_of_key(&self) -> Option<bool> {
        match &self.exact {
            Fact::Known { .. } => Some(true),
            Fact::Absent { .. } => Some(false),
            _ => None,
        }
    }

    /// Whether the object of the exact key is known to have no bytes.
    pub(super) fn is_empty(&self, key: &str) -> bool {
        let head = self.exact.value().map(|facts| facts.size);
        let mut listed = self.listed.value().into_iter().flatten().filter(|object| object.key == key);
        head == Some(0) || listed.any(|object| object.size == Some(0))
    }
}
