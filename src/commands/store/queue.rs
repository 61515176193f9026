use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use super::{CalledStore, StoreFollowRequest, follow_store, start_store};
use crate::checks::preflight::{GbLimit, LogicalSize, store_work};
use crate::commands::preflight::{StorePreflightRequest, stores_in_progress};
use crate::commands::queue::{Busy, Queue, QueueEnd, QueuedTasks, Sight};
use crate::commands::{ObjectServices, RegionServices};
use crate::facts::{ObjectFacts, StoreTask};
use crate::image::TaskFilter;
use crate::report::{Exit, PreflightReport, TaskKind, TaskNote, TaskReport};
use crate::source::{Context, SourceError};
use crate::verdict::{CheckId, CheckName, Condition};

/// Keeps the record of a store.
pub trait RecordKeeper: Send + Sync {
    /// Writes the record right before the store is started, because the AMI may no longer exist when it has ended.
    ///
    /// # Errors
    ///
    /// The record cannot be written, or would replace that of another store; the store is not started.
    fn before_start(&self, now: Timestamp) -> Result<(), String>;

    /// Takes back what [`RecordKeeper::before_start`] wrote: the store was certainly not started.
    ///
    /// # Errors
    ///
    /// What was there before cannot be written.
    fn not_started(&self) -> Result<(), String>;

    /// Completes the record with the object.
    ///
    /// # Errors
    ///
    /// The record cannot be written, or would replace that of another store.
    fn completed(&self, object: &ObjectFacts) -> Result<(), String>;
}

/// A store whose preflight allows it.
pub struct QueuedStore {
    /// The Region and the future object.
    pub services: ObjectServices,
    /// What is stored.
    pub request: StorePreflightRequest,
    /// The preflight.
    pub preflight: PreflightReport,
    /// The record, if one is kept.
    pub record: Option<Box<dyn RecordKeeper>>,
    /// Whether an earlier run started it.
    pub is_started: bool,
}

/// Stores of a list, each started only while what is in progress is below the limit of the service, and one an AMI at a
/// time. Stores of others count as well: EC2 lists them.
pub struct StoreQueue<'a> {
    tasks: StoreTasks<'a>,
    limit: GbLimit,
    added: Vec<QueuedStore>,
}

impl<'a> StoreQueue<'a> {
    /// A queue without stores. If `accept` names the condition `in-progress`, stores of unknown size do not count.
    pub fn new(region: &'a RegionServices, limit: GbLimit, accept: &'a [CheckName]) -> Self {
        let tasks = StoreTasks { region, accept, buckets: BTreeSet::new() };
        StoreQueue { tasks, limit, added: Vec::new() }
    }

    /// Adds a store. One that an earlier run started is only followed.
    pub fn add(&mut self, store: QueuedStore) {
        self.tasks.buckets.insert(store.request.into.bucket.clone());
        self.added.push(store);
    }

    /// Starts and follows all stores. `ended` is called with the number of each one that ends, in the order of
    /// [`StoreQueue::add`].
    ///
    /// # Errors
    ///
    /// The account's store tasks cannot be listed. Stores that were started continue in AWS.
    pub async fn run(self, cancel: &CancellationToken, ended: impl FnMut(usize, QueueEnd)) -> Result<(), SourceError> {
        let mut queue = Queue::new(&self.tasks, self.limit);
        for store in self.added {
            let started = store.is_started.then(|| Started::of(&store, None));
            queue.add(store, started);
        }
        queue.run(cancel, ended).await
    }
}

struct StoreTasks<'a> {
    region: &'a RegionServices,
    accept: &'a [CheckName],
    buckets: BTreeSet<String>,
}

/// A store that was started.
struct Started {
    image: String,
    bucket: String,
    /// The call of this run; `None` if an earlier run called.
    called: Option<CalledStore>,
}

impl Started {
    fn of(store: &QueuedStore, called: Option<CalledStore>) -> Self {
        let (image, bucket) = (store.request.image.to_string(), store.request.into.bucket.clone());
        Started { image, bucket, called }
    }

    /// Whether a task may be this store: not one of an earlier time.
    fn is(&self, task: &StoreTask) -> bool {
        task.image == self.image && task.is_into(&self.bucket) && self.called.is_none_or(|called| called.is(task))
    }
}

/// Store tasks at one time.
struct Look {
    /// Those in progress, of the whole account.
    running: Vec<StoreTask>,
    /// Sizes of their AMIs.
    sizes: BTreeMap<String, LogicalSize>,
    /// Those of the last 31 days into the buckets of the list.
    of_buckets: Vec<StoreTask>,
}

impl Look {
    fn find(&self, started: &Started) -> Option<&StoreTask> {
        self.of_buckets.iter().filter(|task| started.is(task)).max_by_key(|task| task.started)
    }
}

impl QueuedTasks for StoreTasks<'_> {
    type Task = QueuedStore;
    type Started = Started;
    type Look = Look;

    fn kind(&self) -> TaskKind {
        TaskKind::Store
    }

    fn context(&self) -> &Context {
        self.region.context()
    }

    async fn look(&self) -> Result<Look, SourceError> {
        let (running, sizes) = stores_in_progress(self.region).await?;
        let mut of_buckets = Vec::new();
        for bucket in &self.buckets {
            of_buckets.extend(self.region.images.store_tasks(&TaskFilter::Bucket(bucket.clone())).await?);
        }
        Ok(Look { running, sizes, of_buckets })
    }

    fn sight(&self, look: &Look, started: &Started) -> Sight {
        match look.find(started).map(StoreTask::in_progress) {
            None => Sight::Missing,
            Some(Some(true)) => Sight::InProgress,
            Some(_) => Sight::Over,
        }
    }

    fn image(&self, started: &Started) -> String {
        started.image.clone()
    }

    fn bytes(&self, store: &QueuedStore) -> Option<u64> {
        store.preflight.size.volume_bytes
    }

    fn busy(&self, look: &Look, own: &[(&QueuedStore, &Started)]) -> Busy {
        let (mine, others): (Vec<StoreTask>, Vec<StoreTask>) =
            look.running.iter().cloned().partition(|task| own.iter().any(|(_, started)| started.is(task)));
        drop(mine);
        let others = store_work(&others, &look.sizes);
        let is_accepted = self.accept.iter().any(|name| name.matches(CheckId::Condition(Condition::InProgress)));
        let counted = Some(others.most).filter(|_| is_accepted || others.unknown.is_empty());
        let bytes = own.iter().try_fold(0_u64, |sum, (store, _)| Some(sum.saturating_add(self.bytes(store)?)));
        let is_none = others.items.is_empty() && others.unknown.is_empty();
        Busy {
            bytes: bytes.zip(counted).map(|(own, others)| own.saturating_add(others)),
            others: if is_none { String::new() } else { others.describe() },
        }
    }

    fn can_start(&self, look: &Look, store: &QueuedStore, own: &[(&QueuedStore, &Started)]) -> bool {
        let image = store.request.image.as_str();
        let is_busy = look.running.iter().any(|task| task.image == image && task.in_progress() != Some(false));
        !is_busy && own.iter().all(|(_, started)| started.image != image)
    }

    async fn start(&self, store: &QueuedStore, cancel: &CancellationToken) -> Result<Started, SourceError> {
        let record = store.record.as_deref();
        let called = start_store(&store.services, &store.request, &store.preflight, record, cancel).await?;
        Ok(Started::of(store, Some(called)))
    }

    async fn conclude(
        &self,
        store: &QueuedStore,
        started: &Started,
        cancel: &CancellationToken,
    ) -> Result<TaskReport, SourceError> {
        let request = StoreFollowRequest {
            image: &store.request.image,
            bucket: Some(&started.bucket),
            key: None,
            called: started.called,
            options: "",
        };
        let followed = follow_store(self.region, &request, cancel).await?;
        let mut report = followed.report;
        if let (Some(object), Some(record)) = (&followed.object, &store.record)
            && let Err(problem) = record.completed(object)
        {
            report.notes.push(TaskNote::RecordNotWritten { problem }.into());
            report.exit_code = Exit::CouldNot;
        }
        Ok(report)
    }
}
