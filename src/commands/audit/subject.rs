use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tokio::sync::OnceCell;

use super::list::Candidate;
use super::{AuditRequest, AuditServices};
use crate::audit::History;
use crate::commands::verify::ETagParts;
use crate::facts::ObjectFacts;
use crate::ident::ObjectIdentity;
use crate::progress::{Call, Counting, Monitor, Retry};
use crate::report::AuditedReport;
use crate::source::{Context, Session, SourceError};

/// One object of a run, with its session and its HEAD response.
///
/// All steps share the response, so that HEAD is sent once before the bytes are read.
pub(super) struct Subject<'a> {
    /// Access to buckets and images.
    pub services: &'a AuditServices,
    /// The audit.
    pub request: &'a AuditRequest,
    /// The object as listed or named.
    pub candidate: Candidate,
    /// What the ledger knows of it; `None` without a ledger.
    pub history: Option<&'a History>,
    /// The session with the object, whose requests are counted.
    pub session: Session,
    counting: Arc<Counting>,
    started: Instant,
    head: OnceCell<Result<ObjectFacts, SourceError>>,
}

impl<'a> Subject<'a> {
    /// Opens a session with the object; sends no request.
    pub(super) fn new(
        services: &'a AuditServices,
        request: &'a AuditRequest,
        candidate: Candidate,
        history: Option<&'a History>,
    ) -> Self {
        let monitor = Arc::new(WithoutProgress(Arc::clone(&services.context.monitor)));
        let counting = Arc::new(Counting::new(monitor, Arc::clone(&services.context.clock)));
        let monitor: Arc<dyn Monitor> = counting.clone();
        let context = Context { monitor, ..services.context.clone() };
        let session = Session::new(services.archive.object(&candidate.uri), context);
        let started = services.context.clock.monotonic();
        Subject { services, request, candidate, history, session, counting, started, head: OnceCell::new() }
    }

    /// The HEAD response; the first caller sends the request.
    ///
    /// # Errors
    ///
    /// The error of the request.
    pub(super) async fn head(&self) -> Result<&ObjectFacts, &SourceError> {
        self.head.get_or_init(|| self.session.head()).await.as_ref()
    }

    /// The state that the listing shows; `None` if the object was not listed.
    pub(super) fn listed(&self) -> Option<ObjectIdentity> {
        self.candidate.listed.as_ref().map(crate::facts::ListedObject::identity)
    }

    /// The storage class that the listing states.
    pub(super) fn listed_class(&self) -> Option<String> {
        self.candidate.listed.as_ref().and_then(|listed| listed.storage_class.clone())
    }

    /// The parts under which the ETag of this state matched before, according to the ledger.
    pub(super) fn known_parts(&self, seen: &ObjectIdentity) -> Option<ETagParts> {
        let (etag, layout) = self.history?.parts_of(seen)?;
        Some(ETagParts { etag, layout })
    }

    /// The current time.
    pub(super) fn now(&self) -> Timestamp {
        self.services.context.clock.now()
    }

    /// Adds the number of requests and of received bytes to a report.
    pub(super) fn count(&self, report: &mut AuditedReport) {
        (report.requests, report.received_bytes) = self.counted();
    }

    /// The number of requests and of received bytes.
    pub(super) fn counted(&self) -> (u64, u64) {
        let counts = self.counting.counts();
        (counts.requests, counts.received)
    }

    /// Time since the subject was created.
    pub(super) fn elapsed(&self) -> Duration {
        self.services.context.clock.monotonic().duration_since(self.started)
    }
}

/// Hides the progress of single objects, because many are read at the same time.
struct WithoutProgress(Arc<dyn Monitor>);

impl Monitor for WithoutProgress {
    fn request(&self, call: Call) {
        self.0.request(call);
    }

    fn received(&self, bytes: u64) {
        self.0.received(bytes);
    }

    fn retrying(&self, retry: &Retry<'_>) {
        self.0.retrying(retry);
    }
}
