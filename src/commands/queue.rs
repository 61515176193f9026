//! Tasks of a list. Each one is started only while what is in progress is below the limit of the service.

use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use crate::checks::preflight::{GbLimit, both_units};
use crate::progress::TaskProgress;
use crate::report::{Exit, TaskKind, TaskReport};
use crate::source::{Context, ErrorKind, SourceError};
use crate::units::counted;

/// Pauses between two looks at the account: the first one, and the upper limit.
const FIRST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(15);
/// Number of looks, with a pause before each, that may not list a task that was started.
const LOOKS_WITHOUT_A_TASK: u32 = 12;
/// Number of looks in a row that may fail for the moment. With the retries of each, this bridges some ten minutes.
const FAILED_LOOKS: u32 = 20;

/// How a task of a queue ended.
#[derive(Debug)]
pub enum QueueEnd {
    /// The service ended it, and the result was examined.
    Ended(Box<TaskReport>),
    /// It could not be started or followed.
    Failed(SourceError),
    /// A signal ended the run before the end of the task.
    Interrupted {
        /// The AMI of a task that was started; it continues in AWS. `None` if it was not started.
        image: Option<String>,
    },
}

/// What the service shows of a task that was started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sight {
    /// It is in progress.
    InProgress,
    /// It ended, or its state is not a known one.
    Over,
    /// It is not listed.
    Missing,
}

/// The estimate of what is in progress.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Busy {
    /// Bytes before compression; `None` if the size of something that counts is not known.
    pub bytes: Option<u64>,
    /// What others have in progress, for the user.
    pub others: String,
}

/// Starts and follows the tasks of a queue.
pub(super) trait QueuedTasks {
    /// A task whose conditions are met.
    type Task;
    /// A task that was started.
    type Started;
    /// Answers about the account at one time.
    type Look;

    fn kind(&self) -> TaskKind;
    fn context(&self) -> &Context;
    async fn look(&self) -> Result<Self::Look, SourceError>;
    fn sight(&self, look: &Self::Look, started: &Self::Started) -> Sight;
    /// The AMI that the user knows a started task by.
    fn image(&self, started: &Self::Started) -> String;
    /// Size of all volumes of a task in bytes, if it is known.
    fn bytes(&self, task: &Self::Task) -> Option<u64>;
    fn busy(&self, look: &Self::Look, own: &[(&Self::Task, &Self::Started)]) -> Busy;
    /// Whether the service would take the task besides its limit.
    fn can_start(&self, look: &Self::Look, task: &Self::Task, own: &[(&Self::Task, &Self::Started)]) -> bool;
    async fn start(&self, task: &Self::Task, cancel: &CancellationToken) -> Result<Self::Started, SourceError>;
    /// Examines a task that is over.
    async fn conclude(
        &self,
        task: &Self::Task,
        started: &Self::Started,
        cancel: &CancellationToken,
    ) -> Result<TaskReport, SourceError>;
}

struct Queued<S: QueuedTasks> {
    task: S::Task,
    state: State<S::Started>,
}

enum State<T> {
    /// It is to be started. The estimate at which the service refused it, if it did.
    Waiting {
        refused_at: Option<u64>,
    },
    /// It was started. The number of looks in a row that did not list it.
    Running {
        started: T,
        missing: u32,
    },
    Ended,
}

/// What a turn of the queue did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Turn {
    /// A task was started or given up, so that the next one may be started at once.
    Advanced,
    /// Nothing can be started now.
    Waits,
}

/// Starts tasks one after the other and follows them. What was started is never started again.
pub(super) struct Queue<'a, S: QueuedTasks> {
    tasks: &'a S,
    limit: GbLimit,
    items: Vec<Queued<S>>,
    /// The estimate at which the service refused a task for its limit. It is not asked again until less is in progress.
    refused_at: Option<u64>,
    began: Instant,
}

impl<'a, S: QueuedTasks> Queue<'a, S> {
    pub(super) fn new(tasks: &'a S, limit: GbLimit) -> Self {
        Queue { tasks, limit, items: Vec::new(), refused_at: None, began: tasks.context().clock.monotonic() }
    }

    /// Adds a task. One that was started before is only followed.
    pub(super) fn add(&mut self, task: S::Task, started: Option<S::Started>) {
        let state = match started {
            Some(started) => State::Running { started, missing: 0 },
            None => State::Waiting { refused_at: None },
        };
        self.items.push(Queued { task, state });
    }

    /// Starts and follows all tasks. `ended` is called with the number of each one that ends.
    ///
    /// # Errors
    ///
    /// The account's tasks cannot be listed. Tasks that were started continue in AWS.
    pub(super) async fn run(
        &mut self,
        cancel: &CancellationToken,
        mut ended: impl FnMut(usize, QueueEnd),
    ) -> Result<(), SourceError> {
        let (mut pause, mut failed) = (FIRST, 0);
        while !self.is_over() {
            if cancel.is_cancelled() {
                self.interrupt(&mut ended);
                break;
            }
            match self.tasks.look().await {
                Ok(look) => {
                    failed = 0;
                    if self.collect(&look, cancel, &mut ended).await {
                        pause = FIRST;
                    }
                    if self.start_next(&look, cancel, &mut ended).await == Turn::Advanced {
                        pause = FIRST;
                        continue;
                    }
                }
                Err(error) if error.is_transient() && failed < FAILED_LOOKS => {
                    failed += 1;
                    self.tasks.context().monitor.note(&format!("{error}; looking again"));
                }
                Err(error) => return Err(error),
            }
            if self.is_over() {
                break;
            }
            tokio::select! {
                biased;
                () = cancel.cancelled() => {}
                () = self.tasks.context().clock.sleep(pause) => self.count_missing(),
            }
            pause = pause.mul_f64(1.5).min(LONGEST);
        }
        Ok(())
    }

    fn is_over(&self) -> bool {
        self.items.iter().all(|item| matches!(item.state, State::Ended))
    }

    fn interrupt(&mut self, ended: &mut impl FnMut(usize, QueueEnd)) {
        for (number, item) in self.items.iter_mut().enumerate() {
            let image = match std::mem::replace(&mut item.state, State::Ended) {
                State::Ended => continue,
                State::Waiting { .. } => None,
                State::Running { started, .. } => Some(self.tasks.image(&started)),
            };
            ended(number, QueueEnd::Interrupted { image });
        }
    }

    /// Looks without a pause between them do not count: a new task may not be listed yet.
    fn count_missing(&mut self) {
        for item in &mut self.items {
            if let State::Running { missing, .. } = &mut item.state {
                *missing += 1;
            }
        }
    }

    /// Examines the tasks that are over. Whether there were any.
    async fn collect(
        &mut self,
        look: &S::Look,
        cancel: &CancellationToken,
        ended: &mut impl FnMut(usize, QueueEnd),
    ) -> bool {
        let mut any = false;
        for (number, item) in self.items.iter_mut().enumerate() {
            let State::Running { started, missing } = &mut item.state else { continue };
            let end = match self.tasks.sight(look, started) {
                Sight::InProgress => {
                    *missing = 0;
                    continue;
                }
                Sight::Missing if *missing < LOOKS_WITHOUT_A_TASK => continue,
                Sight::Missing => {
                    let image = self.tasks.image(started);
                    QueueEnd::Failed(SourceError::new(ErrorKind::NotFound, image, "EC2 does not list it"))
                }
                Sight::Over => match self.tasks.conclude(&item.task, started, cancel).await {
                    Ok(report) if report.exit_code == Exit::Interrupted => continue,
                    Ok(report) => QueueEnd::Ended(Box::new(report)),
                    Err(error) => QueueEnd::Failed(error),
                },
            };
            (item.state, any) = (State::Ended, true);
            ended(number, end);
        }
        any
    }

    /// Starts the first waiting task that the service would take, if what is in progress is below the limit.
    async fn start_next(
        &mut self,
        look: &S::Look,
        cancel: &CancellationToken,
        ended: &mut impl FnMut(usize, QueueEnd),
    ) -> Turn {
        let own: Vec<(&S::Task, &S::Started)> = self.items.iter().filter_map(Queued::running).collect();
        let busy = self.tasks.busy(look, &own);
        let below = |level: Option<u64>| level.is_none_or(|level| busy.bytes.is_some_and(|bytes| bytes < level));
        let is_next = |item: &Queued<S>| match item.state {
            State::Waiting { refused_at } => below(refused_at) && self.tasks.can_start(look, &item.task, &own),
            _ => false,
        };
        let has_room = below(Some(self.limit.decimal())) && below(self.refused_at);
        let next = self.items.iter().position(is_next).filter(|_| has_room && !cancel.is_cancelled());
        self.report(&busy);
        let Some(bytes) = busy.bytes else { return Turn::Waits };
        let Some((number, item)) = next.and_then(|next| Some((next, self.items.get_mut(next)?))) else {
            return Turn::Waits;
        };
        let error = match self.tasks.start(&item.task, cancel).await {
            Ok(started) => {
                item.state = State::Running { started, missing: 0 };
                return Turn::Advanced;
            }
            // The run ends before its next turn.
            Err(error) if error.kind == ErrorKind::Interrupted => return Turn::Waits,
            Err(error) => error,
        };
        match Refusal::of(&error) {
            Refusal::Throttled => return Turn::Waits,
            // With nothing in progress, waiting would not help.
            Refusal::Limit if bytes > 0 => {
                self.refused_at = Some(bytes);
                self.waits_after(&error);
                return Turn::Waits;
            }
            Refusal::NotPublished if bytes > 0 => {
                item.state = State::Waiting { refused_at: Some(bytes) };
                self.waits_after(&error);
            }
            _ => {
                item.state = State::Ended;
                ended(number, QueueEnd::Failed(error));
            }
        }
        Turn::Advanced
    }

    fn waits_after(&self, error: &SourceError) {
        self.tasks.context().monitor.note(&format!("{error}; it is tried again when less is in progress"));
    }

    /// Shows how far the queue is.
    fn report(&self, busy: &Busy) {
        let (mut waiting, mut running, mut ended) = (0_u64, 0_u64, 0_u64);
        let (mut all, mut done) = (0_u64, 0_u64);
        for item in &self.items {
            let bytes = self.tasks.bytes(&item.task).unwrap_or(0);
            all = all.saturating_add(bytes);
            match item.state {
                State::Waiting { .. } => waiting += 1,
                State::Running { .. } => running += 1,
                State::Ended => (ended, done) = (ended + 1, done.saturating_add(bytes)),
            }
        }
        let context = self.tasks.context();
        let amount = busy.bytes.map_or_else(|| "an unknown amount".to_owned(), both_units);
        let others = if busy.others.is_empty() { String::new() } else { format!("; of others: {}", busy.others) };
        context.monitor.task(&TaskProgress {
            kind: self.tasks.kind(),
            image: counted(self.items.len() as u64, "AMI"),
            state: format!("{ended} ended, {running} in progress, {waiting} waiting"),
            percent: (all > 0).then(|| done as f64 * 100.0 / all as f64),
            elapsed: context.clock.monotonic().duration_since(self.began),
            left: None,
            detail: format!("{amount} in progress, and the limit is {}{others}", both_units(self.limit.decimal())),
        });
    }
}

impl<S: QueuedTasks> Queued<S> {
    fn running(&self) -> Option<(&S::Task, &S::Started)> {
        match &self.state {
            State::Running { started, .. } => Some((&self.task, started)),
            _ => None,
        }
    }
}

/// What a call means that started nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Refusal {
    /// Waiting does not change it, or it may have been carried out.
    Final,
    /// The service asks for fewer requests.
    Throttled,
    /// A limit is reached. Codes of limits of EC2 end in the same way (EC2 Developer Guide, *Error codes*).
    Limit,
    /// The service does not say why. The code of a refusal for what is in progress is not published, and EC2 answers
    /// other conditions of these calls with `InvalidRequest`.
    NotPublished,
}

impl Refusal {
    fn of(error: &SourceError) -> Self {
        let code = error.code.as_deref().unwrap_or_default();
        match error.kind {
            ErrorKind::Throttled => Refusal::Throttled,
            _ if error.may_be_done() => Refusal::Final,
            _ if code.ends_with("LimitExceeded") => Refusal::Limit,
            ErrorKind::Invalid if code == "InvalidRequest" => Refusal::NotPublished,
            _ => Refusal::Final,
        }
    }
}
