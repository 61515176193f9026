use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;

use futures_util::StreamExt;

use super::{Body, ErrorKind, ObjectSource, RetryPolicy, SourceError};
use crate::clock::{Clock, SystemClock, within};
use crate::facts::{AttributeFacts, LockFacts, ObjectFacts, PartFacts};
use crate::ident::{ObjectId, Target};
use crate::progress::{Call, Counting, Monitor, Silent};
use crate::units::{ByteRange, PartNumber};

/// What every request needs besides its object.
#[derive(Clone)]
pub struct Context {
    pub clock: Arc<dyn Clock>,
    pub monitor: Arc<dyn Monitor>,
    pub retry: RetryPolicy,
}

impl Default for Context {
    /// The clock of the machine, a monitor that ignores what it is told, and the default retries.
    fn default() -> Self {
        Context { clock: Arc::new(SystemClock), monitor: Arc::new(Silent), retry: RetryPolicy::default() }
    }
}

impl Context {
    /// The same, with a counter of its own that passes everything on.
    pub fn counted(&self) -> (Self, Arc<Counting>) {
        let counting = Arc::new(Counting::new(Arc::clone(&self.monitor), Arc::clone(&self.clock)));
        (Context { monitor: Arc::clone(&counting) as Arc<dyn Monitor>, ..self.clone() }, counting)
    }

    /// Makes a request that may be made twice without harm, again where that may help. Every attempt counts.
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

    /// Waits before the next attempt; gives the error back when there is none.
    pub async fn wait(&self, failed: u32, error: SourceError) -> Result<(), SourceError> {
        let Some(wait) = self.retry.wait(failed, self.clock.random()) else {
            return Err(error);
        };
        self.monitor.retrying(&error, wait);
        self.clock.sleep(wait).await;
        Ok(())
    }
}

/// An object source whose requests are counted and, where it may help, made again.
#[derive(Clone)]
pub struct Session {
    source: Arc<dyn ObjectSource>,
    context: Context,
}

impl Session {
    pub fn new(source: Arc<dyn ObjectSource>, context: Context) -> Self {
        Session { source, context }
    }

    /// The same, with a counter of its own that passes everything on.
    pub fn counted(&self) -> (Self, Arc<Counting>) {
        let (context, counting) = self.context.counted();
        (Session { source: Arc::clone(&self.source), context }, counting)
    }

    pub fn context(&self) -> &Context {
        &self.context
    }

    pub fn target(&self) -> &Target {
        self.source.target()
    }

    pub fn source(&self) -> Arc<dyn ObjectSource> {
        Arc::clone(&self.source)
    }

    /// The same over new connections.
    pub fn fresh(&self) -> Self {
        Session { source: self.source.fresh(), context: self.context.clone() }
    }

    /// Whether this server is known not to serve a request, with the reason.
    pub fn lacks(&self, call: Call) -> Option<SourceError> {
        self.source.lacks(call)
    }

    /// What is worth saying of the answers so far, each once.
    pub fn notes(&self) -> Vec<String> {
        self.source.notes()
    }

    /// Makes a request, again where that may help, and counts what it took besides.
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

    /// HEAD. One that fails is explained by a request of its own.
    pub async fn head(&self) -> Result<ObjectFacts, SourceError> {
        let first = match self.head_again().await {
            Err(error) => error,
            done => return done,
        };
        let (error, requests) = self.source.explain(first).await;
        for _ in 0..requests {
            self.context.monitor.request(Call::Find);
        }
        Err(error)
    }

    /// HEAD of an object that was seen before; why one fails is not looked for.
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

    /// What must be said of the expected owner of the bucket: that the server does not look at it, or did not show
    /// that it does. To be asked after a HEAD.
    pub async fn owner_note(&self) -> Option<String> {
        let (check, requests) = self.source.owner_check().await?;
        for _ in 0..requests {
            self.context.monitor.request(Call::Head);
        }
        check.note()
    }

    pub async fn attributes(&self, id: &ObjectId) -> Result<AttributeFacts, SourceError> {
        self.ask(Call::Attributes, || self.source.attributes(id)).await
    }

    pub async fn part(&self, id: &ObjectId, number: PartNumber) -> Result<PartFacts, SourceError> {
        self.ask(Call::HeadPart, || self.source.part(id, number)).await
    }

    pub async fn tags(&self, id: &ObjectId) -> Result<BTreeMap<String, String>, SourceError> {
        self.ask(Call::Tags, || self.source.tags(id)).await
    }

    /// Retention and legal hold, which are asked for one by one.
    pub async fn lock(&self, id: &ObjectId) -> Result<LockFacts, SourceError> {
        self.ask(Call::Lock, || self.source.lock(id)).await
    }

    pub async fn find(&self) -> Result<Option<ObjectFacts>, SourceError> {
        self.ask(Call::Find, || self.source.find()).await
    }

    /// All bytes of a range that is small enough to be kept, from as many attempts as it takes.
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
                    let detail = format!("more bytes came than asked for ({range})");
                    Err(SourceError::new(ErrorKind::Protocol, self.target(), detail))
                }
            }
        };
        let bytes = self.ask(Call::Read, read).await?;
        self.context.monitor.received(bytes.len() as u64);
        Ok(bytes)
    }

    /// One attempt only: the reader resumes where the last one stopped.
    pub async fn read_once(&self, id: &ObjectId, size: u64, range: ByteRange) -> Result<Body, SourceError> {
        self.context.monitor.request(Call::Read);
        let body = self.source.read(id, size, range).await;
        self.count_aside(Call::Head);
        body
    }
}
