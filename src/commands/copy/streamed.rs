use std::sync::Arc;

use bytes::Bytes;
use futures_util::stream;
use tokio::sync::mpsc;

use crate::checksum::{Algorithm, Digest, Hasher};
use crate::ident::{ETagForm, ObjectId};
use crate::progress::Call;
use crate::source::{Body, Context, PartReceipt, Session, SourceError, UploadService};
use crate::units::{ByteRange, PartNumber};

/// The source, with the state that every read must have.
#[derive(Clone)]
pub(super) struct PinnedSource {
    pub session: Session,
    pub id: ObjectId,
    /// Size in bytes.
    pub size: u64,
}

/// A part that is sent while its bytes arrive. It is not held, so it is read again if it must be sent again.
pub(super) struct StreamedPart {
    pub upload: Arc<dyn UploadService>,
    pub context: Context,
    pub source: PinnedSource,
    /// Id of the upload.
    pub id: String,
    pub number: PartNumber,
    pub part: ByteRange,
    pub algorithm: Algorithm,
}

impl StreamedPart {
    /// Sends the part, unless the server holds it already. Returns what the server states about it, and the bytes sent.
    ///
    /// # Errors
    ///
    /// The error of the last attempt.
    pub async fn send(
        &self,
        mut arriving: mpsc::Receiver<Bytes>,
        known: Option<PartReceipt>,
    ) -> Result<(PartReceipt, u64), SourceError> {
        let length = self.part.len();
        let mut failed = 0;
        if let Some(known) = known {
            if self.holds(&mut arriving, &known).await {
                return Ok((known, 0));
            }
        } else {
            let body: Body = Box::pin(stream::unfold(arriving, |mut arriving| async move {
                let bytes = arriving.recv().await?;
                Some((Ok(bytes), arriving))
            }));
            match self.attempt(body).await {
                Ok(receipt) => return Ok((receipt, length)),
                Err(error) => {
                    failed += 1;
                    self.retry(failed, error).await?;
                }
            }
        }
        loop {
            let source = &self.source;
            let again = match source.session.read_once(&source.id, source.size, self.part).await {
                Ok(body) => self.attempt(body).await,
                Err(error) => Err(error),
            };
            match again {
                Ok(receipt) => return Ok((receipt, length)),
                Err(error) => {
                    failed += 1;
                    self.retry(failed, error).await?;
                }
            }
        }
    }

    async fn retry(&self, failed: u32, error: SourceError) -> Result<(), SourceError> {
        match error.is_transient() {
            true => self.context.wait(failed, error).await,
            false => Err(error),
        }
    }

    async fn attempt(&self, body: Body) -> Result<PartReceipt, SourceError> {
        self.context.monitor.request(Call::Write);
        self.upload.part_stream(&self.id, self.number, (body, self.part.len()), self.algorithm).await
    }

    /// Whether the server holds the part: hashes its bytes without sending them.
    async fn holds(&self, arriving: &mut mpsc::Receiver<Bytes>, known: &PartReceipt) -> bool {
        let (mut own, mut md5) = (Hasher::new(self.algorithm), Hasher::new(Algorithm::Md5));
        let mut length = 0;
        while let Some(bytes) = arriving.recv().await {
            length += bytes.len() as u64;
            own.update(&bytes);
            if known.checksum.is_none() {
                md5.update(&bytes);
            }
        }
        let (own, md5): (Digest, Digest) = (own.finish(), md5.finish());
        known.size == Some(length)
            && length == self.part.len()
            && match (known.checksum, known.etag.form()) {
                (Some(stated), _) => stated == own,
                (None, ETagForm::Md5 { digest }) => digest == *md5.as_bytes(),
                (None, ETagForm::Multipart { .. } | ETagForm::Opaque) => false,
            }
    }
}
