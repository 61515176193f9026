use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use bytes::Bytes;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, watch};
use tokio::task::JoinSet;

use super::streamed::{PinnedSource, StreamedPart};
use super::trailers::Trailers;
use crate::checksum::{Algorithm, Digest, Hasher, fold};
use crate::fetch::RangeSink;
use crate::ident::ETagForm;
use crate::plan::PartLayout;
use crate::progress::Call;
use crate::source::{Context, ErrorKind, PartBody, PartReceipt, SourceError, UploadService};
use crate::sync::lock;
use crate::units::{ByteRange, PartNumber};

/// Unit of the memory for parts, in bytes.
const UNIT: u64 = 64 << 10;
/// Frames of a part that wait for the connection, where a part is sent as it arrives.
const FRAMES_IN_FLIGHT: usize = 16;
/// Memory of such a part in bytes, with the buffers of the connection.
const STREAMED: u64 = 2 << 20;

/// Whether parts of `length` bytes are sent as they arrive, if `room` bytes of memory are for parts.
pub(super) fn is_streamed(length: u64, room: u64) -> bool {
    length > room / 3
}

/// Where complete parts go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Outlet {
    /// To this upload.
    Upload(String),
    /// Nowhere: the caller takes the only part when the source is proved.
    Held,
}

/// An upload to send parts to.
pub(super) struct Begun {
    pub outlet: Outlet,
    /// Parts that it holds already.
    pub known: Vec<PartReceipt>,
}

/// Assembles parts from the bytes of a read, and sends them while the read continues.
///
/// A part is held from the admission of its first range until the server has confirmed it.
pub(super) struct PartSender {
    upload: Arc<dyn UploadService>,
    context: Context,
    /// For parts that must be read again.
    source: PinnedSource,
    outlet: Outlet,
    layout: PartLayout,
    algorithm: Algorithm,
    /// Parts that the server holds from an earlier run.
    known: BTreeMap<PartNumber, PartReceipt>,
    trailers: Arc<Trailers>,
    room: Arc<Semaphore>,
    units: u32,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    open: BTreeMap<usize, OpenPart>,
    sending: JoinSet<Result<Sent, SourceError>>,
    receipts: BTreeMap<PartNumber, PartReceipt>,
    held: Option<PartBody>,
    failure: Option<SourceError>,
    sent: u64,
    kept: usize,
}

/// A part whose bytes arrive.
struct OpenPart {
    missing: u64,
    way: Way,
    /// Digests of its ranges that the read has computed.
    digests: Vec<(ByteRange, Digest)>,
}

/// What happens to the bytes of a part.
enum Way {
    /// They are held until the part is complete.
    Hold { pieces: BTreeMap<u64, Bytes>, permit: OwnedSemaphorePermit },
    /// They are sent as they arrive, in order: the offset of the next byte, and where it goes.
    Stream { next: watch::Sender<u64>, to: mpsc::Sender<Bytes> },
}

/// What was sent.
#[derive(Debug, Default)]
pub(super) struct SentParts {
    /// What the server stated about each part, in order.
    pub receipts: Vec<PartReceipt>,
    /// The only part, if it was held.
    pub held: Option<PartBody>,
    /// Bytes that were sent.
    pub bytes: u64,
    /// Number of parts that the server held before.
    pub kept: usize,
}

impl PartSender {
    /// Sends parts of `layout`, each with its digest by `algorithm`. Holds at most `room` bytes, and at least one part.
    pub(super) fn new(
        (upload, context, trailers): (Arc<dyn UploadService>, Context, Arc<Trailers>),
        source: PinnedSource,
        outlet: Outlet,
        (layout, algorithm): (PartLayout, Algorithm),
        room: u64,
    ) -> Self {
        let units = u32::try_from(room / UNIT).unwrap_or(u32::MAX >> 3).clamp(1, u32::MAX >> 3);
        let room = Arc::new(Semaphore::new(units as usize));
        let known = BTreeMap::new();
        let state = Mutex::default();
        PartSender { upload, context, source, outlet, layout, algorithm, known, trailers, room, units, state }
    }

    /// The same, for an upload that holds these parts already. A part is not sent again if its size and its checksum or
    /// MD5 are those of the bytes that are read now.
    pub(super) fn knowing(self, parts: Vec<PartReceipt>) -> Self {
        PartSender { known: parts.into_iter().map(|part| (part.number, part)).collect(), ..self }
    }

    fn index_of(&self, offset: u64) -> usize {
        self.layout.ended_by(offset).min(self.layout.count().saturating_sub(1))
    }

    fn units_of(&self, bytes: u64) -> u32 {
        u32::try_from(bytes.div_ceil(UNIT)).unwrap_or(u32::MAX).clamp(1, self.units)
    }

    /// The failure, in a kind that is not repeated.
    fn failed(&self) -> Result<(), SourceError> {
        match &lock(&self.state).failure {
            Some(error) => Err(SourceError { kind: ErrorKind::Internal, ..error.clone() }),
            None => Ok(()),
        }
    }

    /// Notes what became of parts that were sent.
    fn collect(&self) {
        let mut state = lock(&self.state);
        while let Some(done) = state.sending.try_join_next() {
            record(&mut state, done);
        }
    }

    fn send(&self, index: usize, part: OpenPart) {
        // Dropping the way of a part that is sent as it arrives ends its body.
        let Way::Hold { pieces, permit } = part.way else { return };
        let body = PartBody::new(pieces.into_values().collect());
        let known_digest = self.layout.part(index).and_then(|whole| self.combined(whole, &part.digests));
        let mut state = lock(&self.state);
        let Outlet::Upload(id) = self.outlet.clone() else {
            state.held = Some(body);
            return;
        };
        let Some(number) = PartNumber::from_index(index) else { return };
        let known = self.known.get(&number).cloned();
        let (upload, context, algorithm) = (Arc::clone(&self.upload), self.context.clone(), self.algorithm);
        state.sending.spawn(async move {
            let _held_until_confirmed = permit;
            let digest = match known_digest {
                Some(digest) => digest,
                None => {
                    let hashed = body.clone();
                    let digest = tokio::task::spawn_blocking(move || digest_of(algorithm, &hashed));
                    digest.await.map_err(|error| {
                        let detail = format!("a part could not be hashed: {error}");
                        SourceError::new(ErrorKind::Internal, upload.uri(), detail)
                    })?
                }
            };
            if let Some(known) = known {
                let whole = body.clone();
                let holds = tokio::task::spawn_blocking(move || holds(&known, &whole, &digest).then_some(known));
                if let Ok(Some(known)) = holds.await {
                    return Ok(Sent { receipt: known, bytes: 0 });
                }
            }
            let receipt = context.retry(Call::Write, || upload.part(&id, number, &body, Some(&digest))).await?;
            Ok(Sent { receipt, bytes: body.length() })
        });
    }

    /// The digest of a part, of those of its ranges; `None` if they do not combine.
    fn combined(&self, part: ByteRange, pieces: &[(ByteRange, Digest)]) -> Option<Digest> {
        match pieces {
            [(range, digest)] if *range == part => Some(*digest),
            pieces => fold(self.algorithm, part, pieces),
        }
    }

    /// Whether a part of this length is sent as it arrives, because less than three of them can be held.
    fn is_streamed(&self, length: u64) -> bool {
        matches!(self.outlet, Outlet::Upload(_)) && is_streamed(length, u64::from(self.units) * UNIT)
    }

    /// Begins to send a part whose bytes arrive.
    fn stream(&self, index: usize, part: ByteRange, permit: OwnedSemaphorePermit) -> Way {
        let (to, arriving) = mpsc::channel(FRAMES_IN_FLIGHT);
        let next = watch::Sender::new(part.start());
        if let (Outlet::Upload(id), Some(number)) = (self.outlet.clone(), PartNumber::from_index(index)) {
            let streamed = StreamedPart {
                upload: Arc::clone(&self.upload),
                context: self.context.clone(),
                source: self.source.clone(),
                id,
                number,
                part,
                algorithm: self.algorithm,
                trailers: Arc::clone(&self.trailers),
            };
            let known = self.known.get(&number).cloned();
            lock(&self.state).sending.spawn(async move {
                let _held_until_confirmed = permit;
                let (receipt, bytes) = streamed.send(arriving, known).await?;
                Ok(Sent { receipt, bytes })
            });
        }
        Way::Stream { next, to }
    }

    /// Waits for all parts.
    ///
    /// # Errors
    ///
    /// A part could not be sent.
    pub(super) async fn finish(&self) -> Result<SentParts, SourceError> {
        let mut sending = {
            let mut state = lock(&self.state);
            // Parts that did not arrive completely, because the read ended early, cannot be sent.
            if !std::mem::take(&mut state.open).is_empty() {
                state.sending.abort_all();
            }
            std::mem::take(&mut state.sending)
        };
        while let Some(done) = sending.join_next().await {
            record(&mut lock(&self.state), done);
            if lock(&self.state).failure.is_some() {
                sending.abort_all();
            }
        }
        let mut state = lock(&self.state);
        match state.failure.take() {
            Some(error) => Err(error),
            None => Ok(SentParts {
                receipts: std::mem::take(&mut state.receipts).into_values().collect(),
                held: state.held.take(),
                bytes: state.sent,
                kept: state.kept,
            }),
        }
    }

    /// Ends all transfers without waiting for their answers.
    pub(super) async fn stop(&self) {
        let mut sending = std::mem::take(&mut lock(&self.state).sending);
        sending.shutdown().await;
    }
}

/// A part that the server holds.
struct Sent {
    receipt: PartReceipt,
    /// Bytes that were sent for it.
    bytes: u64,
}

/// Whether a part that the server holds has these bytes.
fn holds(part: &PartReceipt, body: &PartBody, digest: &Digest) -> bool {
    if part.size != Some(body.length()) {
        return false;
    }
    match (part.checksum, part.etag.form()) {
        (Some(stated), _) => stated == *digest,
        (None, ETagForm::Md5 { digest }) => digest == *digest_of(Algorithm::Md5, body).as_bytes(),
        (None, ETagForm::Multipart { .. } | ETagForm::Opaque) => false,
    }
}

type Joined = Result<Result<Sent, SourceError>, tokio::task::JoinError>;

fn record(state: &mut State, done: Joined) {
    match done {
        Ok(Ok(Sent { receipt, bytes })) => {
            state.sent += bytes;
            state.kept += usize::from(bytes == 0);
            state.receipts.insert(receipt.number, receipt);
        }
        Ok(Err(error)) => {
            state.failure.get_or_insert(error);
        }
        Err(error) if error.is_cancelled() => {}
        Err(error) => {
            let detail = format!("a transfer failed: {error}");
            state.failure.get_or_insert(SourceError::new(ErrorKind::Internal, "the copy", detail));
        }
    }
}

pub(super) fn digest_of(algorithm: Algorithm, body: &PartBody) -> Digest {
    let mut hasher = Hasher::new(algorithm);
    body.frames().iter().for_each(|frame| hasher.update(frame));
    hasher.finish()
}

#[async_trait]
impl RangeSink for PartSender {
    async fn admit(&self, range: ByteRange) -> Result<(), SourceError> {
        self.collect();
        self.failed()?;
        let index = self.index_of(range.start());
        if lock(&self.state).open.contains_key(&index) {
            return Ok(());
        }
        let part = self.layout.part(index).unwrap_or(ByteRange::whole(0));
        let streamed = self.is_streamed(part.len());
        let units = self.units_of(if streamed { STREAMED } else { part.len() });
        let permit = Arc::clone(&self.room).acquire_many_owned(units).await;
        let permit = permit.map_err(|error| SourceError::new(ErrorKind::Internal, "the copy", error.to_string()))?;
        self.collect();
        self.failed()?;
        let way = match streamed {
            true => self.stream(index, part, permit),
            false => Way::Hold { pieces: BTreeMap::new(), permit },
        };
        lock(&self.state).open.insert(index, OpenPart { missing: part.len(), way, digests: Vec::new() });
        Ok(())
    }

    async fn take(&self, at: u64, bytes: Bytes) -> Result<(), SourceError> {
        let index = self.index_of(at);
        let (mut next, to) = match lock(&self.state).open.get_mut(&index).map(|part| &mut part.way) {
            None => return Ok(()),
            Some(Way::Hold { pieces, .. }) => {
                pieces.insert(at, bytes);
                return Ok(());
            }
            Some(Way::Stream { next, to }) => (next.subscribe(), to.clone()),
        };
        let end = at + bytes.len() as u64;
        // The turn of other pieces of the part comes before. If the part has ended, nothing waits for its bytes.
        if next.wait_for(|next| *next == at).await.is_ok() {
            // A transfer that failed takes no more bytes; it reads them again.
            drop(to.send(bytes).await);
        }
        if let Some(Way::Stream { next, .. }) = lock(&self.state).open.get_mut(&index).map(|part| &mut part.way) {
            next.send_replace(end);
        }
        Ok(())
    }

    fn at_once(&self, length: u64) -> usize {
        let largest = self.layout.parts().map(|part| part.len()).max().unwrap_or_default();
        let units = self.units_of(if self.is_streamed(largest) { STREAMED } else { largest });
        let parts = (self.units / units).max(1);
        let ranges = largest.checked_div(length).unwrap_or(1).max(1);
        usize::try_from(u64::from(parts).saturating_mul(ranges)).unwrap_or(usize::MAX)
    }

    async fn end(&self, range: ByteRange, digests: &[Digest]) -> Result<(), SourceError> {
        self.collect();
        self.failed()?;
        let index = self.index_of(range.start());
        let complete = {
            let mut state = lock(&self.state);
            let Some(part) = state.open.get_mut(&index) else { return Ok(()) };
            part.missing = part.missing.saturating_sub(range.len());
            let own = digests.iter().find(|digest| digest.algorithm() == self.algorithm);
            part.digests.extend(own.map(|digest| (range, *digest)));
            match part.missing {
                0 => state.open.remove(&index),
                _ => None,
            }
        };
        if let Some(part) = complete {
            self.send(index, part);
        }
        Ok(())
    }
}
