use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;

use futures_util::StreamExt;

use super::{Advice, Body, ErrorKind, ObjectSource, RateLimiter, RetryPolicy, SourceError, ThrottledSource};
use crate::clock::{Clock, SystemClock, within};
use crate::facts::{AttributeFacts, LockFacts, ObjectFacts, PartFacts};
use crate::ident::{ObjectId, Target};
use crate::progress::{Call, Counting, Monitor, Retry, RetryKind, Silent};
use crate::units::{ByteRange, PartNumber};

/// Size in bytes of the ranges in which a whole object is read.
const PIECE: u64 = 8 << 20;
/// Attempts to connect to a server that has never answered.
const UNREACHABLE_ATTEMPTS: u32 = 2;

/// What all requests need besides their target.
#[derive(Clone)]
pub struct Context {
    /// Clock and random numbers.
    pub clock: Arc<dyn Clock>,
    /// Receives the number of requests, bytes and retries.
    pub monitor: Arc<dyn Monitor>,
    /// Retries of failed requests.
    pub retry: RetryPolicy,
    /// Limit of the rate at which objects are read, shared by all sessions; no limit if `None`.
    pub pace: Option<Arc<RateLimiter>>,
}

impl Default for Context {
    /// The clock of the machine, a monitor that ignores every call, and the default retries.
    fn default() -> Self {
        Context { clock: Arc::new(SystemClock), monitor: Arc::new(Silent), retry: RetryPolicy::default(), pace: None }
    }
}

impl Context {
    /// The same, with a separate counter that also reports to this context's monitor.
    pub fn counted(&self) -> (Self, Arc<Counting>) {
        let counting = Arc::new(Counting::new(Arc::clone(&self.monitor), Arc::clone(&self.clock)));
        (Context { monitor: Arc::clone(&counting) as Arc<dyn Monitor>, ..self.clone() }, counting)
    }

    /// Sends an idempotent request, with retries where those may help. Every attempt is counted.
    ///
    /// # Errors
    ///
    /// The error of the last attempt.
    pub async fn retry<T, F>(&self, call: Call, request: impl Fn() -> F) -> Result<T, SourceError>
    where
        F: Future<Output = Result<T, SourceError>>,
    {
        let mut failed = 0;
        loop {
            self.monitor.request(call);
            let error = match request().await {
                Err(error) if error.is_transient() => error,
                done => return done,
            };
            failed += 1;
            self.wait(failed, error).await?;
        }
    }

    /// Waits before the next attempt.
    ///
    /// # Errors
    ///
    /// Returns `error` if no attempts are left.
    pub async fn wait(&self, failed: u32, error: SourceError) -> Result<(), SourceError> {
        let attempts = match error.kind {
            ErrorKind::Unreachable => self.retry.attempts.min(UNREACHABLE_ATTEMPTS),
            _ => self.retry.attempts,
        };
        let retry = RetryPolicy { attempts, ..self.retry };
        let Some(wait) = retry.wait(failed, self.clock.random()) else {
            tracing::debug!(target: "stored_ami::retry", failed, kind = ?error.kind, %error, "no attempts left");
            return Err(error);
        };
        let milliseconds = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
        tracing::debug!(target: "stored_ami::retry", failed, milliseconds, kind = ?error.kind, %error, "next attempt after a wait");
        let kind = match error.kind {
            ErrorKind::Throttled => RetryKind::Throttled,
            _ if error.code.is_some() => RetryKind::Server,
            _ => RetryKind::Transport,
        };
        self.monitor.retrying(&Retry { kind, code: error.code.as_deref(), error: &error.to_string(), wait });
        self.clock.sleep(wait).await;
        Ok(())
    }
}

/// An object source with counted requests and retries.
#[derive(Clone)]
pub struct Session {
    source: Arc<dyn ObjectSource>,
    context: Context,
}

impl Session {
    /// `context` counts and retries the requests on `source`, and limits the rate of its reads.
    pub fn new(source: Arc<dyn ObjectSource>, context: Context) -> Self {
        let source: Arc<dyn ObjectSource> = match &context.pace {
            None => source,
            Some(pace) => Arc::new(ThrottledSource::new(source, Arc::clone(pace))),
        };
        Session { source, context }
    }

    /// The same, with a separate counter that also reports to this session's monitor.
    pub fn counted(&self) -> (Self, Arc<Counting>) {
        let (context, counting) = self.context.counted();
        (Session { source: Arc::clone(&self.source), context }, counting)
    }

    /// The context of the requests.
    pub fn context(&self) -> &Context {
        &self.context
    }

    /// The object that this session accesses.
    pub fn target(&self) -> &Target {
        self.source.target()
    }

    /// The source without retries and counts.
    pub fn source(&self) -> Arc<dyn ObjectSource> {
        Arc::clone(&self.source)
    }

    /// The same session over new connections.
    pub fn fresh(&self) -> Self {
        Session { source: self.source.fresh(), context: self.context.clone() }
    }

    /// Why the server is known not to support a request, if it is.
    pub fn lacks(&self, call: Call) -> Option<SourceError> {
        self.source.lacks(call)
    }

    /// Whether the response of every read so far named the state of the object it is of; see
    /// [`ObjectSource::reads_are_pinned`].
    pub fn reads_are_pinned(&self) -> bool {
        self.source.reads_are_pinned()
    }

    /// Notes about responses since the last call, for the user; each note is returned once.
    pub fn notes(&self) -> Vec<String> {
        self.source.notes()
    }

    /// Sends a request, with retries, and counts its additional costs.
    async fn ask<T, F>(&self, call: Call, request: impl Fn() -> F) -> Result<T, SourceError>
    where
        F: Future<Output = Result<T, SourceError>>,
    {
        if let Some(error) = self.source.lacks(call) {
            return Err(error);
        }
        let answer = self.context.retry(call, request).await;
        self.count_aside(call);
        answer
    }

    fn count_aside(&self, call: Call) {
        let aside = self.source.aside();
        for _ in 0..aside.requests {
            self.context.monitor.request(call);
        }
        if aside.bytes > 0 {
            self.context.monitor.received(aside.bytes);
        }
    }

    /// HeadObject. If it fails, a second request is sent to find the reason.
    ///
    /// # Errors
    ///
    /// The error of the last attempt, made more specific if possible.
    pub async fn head(&self) -> Result<ObjectFacts, SourceError> {
        let first = match self.head_again().await {
            Err(error) => error,
            done => return done,
        };
        let (error, requests) = self.source.explain(first).await;
        for _ in 0..requests {
            self.context.monitor.request(Call::Find);
        }
        Err(self.perhaps_absent(error))
    }

    /// A refusal to read a key that nothing was known of, with the advice to check the key.
    fn perhaps_absent(&self, error: SourceError) -> SourceError {
        let is_key = matches!(self.target(), Target::Object(uri) if uri.version.is_none());
        match (&error.kind, error.advice.as_deref()) {
            (ErrorKind::Denied, Some(Advice::AllowReading)) if is_key => error.with_advice(Advice::CheckKeyOrAllow),
            _ => error,
        }
    }

    /// HeadObject for an object that was seen before, without looking for the reason of a failure. If it is denied, it
    /// is sent again without checksums, which require fewer permissions.
    ///
    /// # Errors
    ///
    /// The error of the last attempt with checksums.
    pub async fn head_again(&self) -> Result<ObjectFacts, SourceError> {
        let first = match self.ask(Call::Head, || self.source.head()).await {
            Err(error) => error,
            done => return done,
        };
        if first.kind == ErrorKind::Denied
            && let Ok(facts) = self.ask(Call::Head, || self.source.head_without_checksums()).await
        {
            return Ok(facts);
        }
        Err(first)
    }

    /// A note that the server ignores the expected owner of the bucket, or did not show that it checks it. Only
    /// meaningful after a successful HEAD.
    pub async fn owner_note(&self) -> Option<String> {
        let (check, requests) = self.source.owner_check().await?;
        for _ in 0..requests {
            self.context.monitor.request(Call::Head);
        }
        check.note()
    }

    /// Checksums and parts of the object.
    ///
    /// # Errors
    ///
    /// The error of the last attempt.
    pub async fn attributes(&self, id: &ObjectId) -> Result<AttributeFacts, SourceError> {
        self.ask(Call::Attributes, || self.source.attributes(id)).await
    }

    /// One stored part.
    ///
    /// # Errors
    ///
    /// The error of the last attempt.
    pub async fn part(&self, id: &ObjectId, number: PartNumber) -> Result<PartFacts, SourceError> {
        self.ask(Call::HeadPart, || self.source.part(id, number)).await
    }

    /// Tags of the object.
    ///
    /// # Errors
    ///
    /// The error of the last attempt.
    pub async fn tags(&self, id: &ObjectId) -> Result<BTreeMap<String, String>, SourceError> {
        self.ask(Call::Tags, || self.source.tags(id)).await
    }

    /// Retention and legal hold, each with its own request.
    ///
    /// # Errors
    ///
    /// The error of the last attempt.
    pub async fn lock(&self, id: &ObjectId) -> Result<LockFacts, SourceError> {
        self.ask(Call::Lock, || self.source.lock(id)).await
    }

    /// Facts from a listing; `None` if the listing does not contain the object.
    ///
    /// # Errors
    ///
    /// The error of the last attempt.
    pub async fn find(&self) -> Result<Option<ObjectFacts>, SourceError> {
        self.ask(Call::Find, || self.source.find()).await
    }

    /// Reads a range that fits in memory, with retries.
    ///
    /// # Errors
    ///
    /// The error of the last attempt; [`ErrorKind::Protocol`] if the server sends more bytes than requested.
    pub async fn read_small(&self, id: &ObjectId, size: u64, range: ByteRange) -> Result<Vec<u8>, SourceError> {
        let read = || async {
            let whole = async {
                let mut body = self.source.read(id, size, range).await?;
                let mut bytes = Vec::new();
                while let Some(frame) = body.next().await {
                    bytes.extend_from_slice(&frame?);
                    if bytes.len() as u64 > range.len() {
                        break;
                    }
                }
                Ok(bytes)
            };
            let stalled = |_| SourceError::new(ErrorKind::Transient, self.target(), format!("{range} did not come"));
            let bytes = within(&*self.context.clock, self.context.retry.stall, whole).await.map_err(stalled)??;
            match (bytes.len() as u64).cmp(&range.len()) {
                Ordering::Equal => Ok(bytes),
                Ordering::Less => {
                    let detail = format!("{} bytes came of {range}", bytes.len());
                    Err(SourceError::new(ErrorKind::ShortBody, self.target(), detail))
                }
                Ordering::Greater => {
                    let detail = format!("more bytes arrived than requested ({range})");
                    Err(SourceError::new(ErrorKind::Protocol, self.target(), detail))
                }
            }
        };
        let bytes = self.ask(Call::Read, read).await?;
        self.context.monitor.received(bytes.len() as u64);
        Ok(bytes)
    }

    /// Reads all bytes of the state that `facts` describe, one range after the other and with retries, and passes them to
    /// `take`. For files beside the objects, such as manifests and results: the object itself is read in parallel.
    ///
    /// # Errors
    ///
    /// The error of the last attempt, or that of `take`.
    pub async fn read_whole(
        &self,
        facts: &ObjectFacts,
        mut take: impl FnMut(&[u8]) -> Result<(), SourceError>,
    ) -> Result<(), SourceError> {
        let mut at = 0;
        let piece = |at: u64| ByteRange::new(at, facts.size.min(at.saturating_add(PIECE)));
        while let Some(range) = piece(at).filter(|range| !range.is_empty()) {
            take(&self.read_small(&facts.id, facts.size, range).await?)?;
            at = range.end();
        }
        Ok(())
    }

    /// Reads a range in one attempt: the caller resumes where it stopped.
    ///
    /// # Errors
    ///
    /// The error of the attempt.
    pub async fn read_once(&self, id: &ObjectId, size: u64, range: ByteRange) -> Result<Body, SourceError> {
        self.context.monitor.request(Call::Read);
        let body = self.source.read(id, size, range).await;
        self.count_aside(Call::Head);
        body
    }
}
