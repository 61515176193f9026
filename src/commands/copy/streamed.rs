use std::sync::{Arc, Mutex};

use bytes::Bytes;
use futures_util::{TryStreamExt as _, stream};
use tokio::sync::mpsc;

use super::trailers::Trailers;
use crate::checksum::{Algorithm, Digest, Hasher};
use crate::ident::{ETagForm, ObjectId};
use crate::progress::Call;
use crate::source::{Body, Context, ErrorKind, PartReceipt, Session, SourceError, UploadService};
use crate::sync::lock;
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
    pub trailers: Arc<Trailers>,
}

impl StreamedPart {
    /// Sends the part, unless the server holds it already. Returns what the server states about it, and the bytes sent.
    ///
    /// # Errors
    ///
    /// The error of the last attempt.
    pub(super) async fn send(
        &self,
        mut arriving: mpsc::Receiver<Bytes>,
        known: Option<PartReceipt>,
    ) -> Result<(PartReceipt, u64), SourceError> {
        let length = self.part.len();
        let (mut failed, mut fell_back) = (0, false);
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
                    self.retry(failed, error, &mut fell_back).await?;
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
                    self.retry(failed, error, &mut fell_back).await?;
                }
            }
        }
    }

    async fn retry(&self, failed: u32, error: SourceError, fell_back: &mut bool) -> Result<(), SourceError> {
        if error.is_transient() {
            return self.context.wait(failed, error).await;
        }
        match !*fell_back && self.trailers.refused(&error) {
            true => {
                *fell_back = true;
                Ok(())
            }
            false => Err(error),
        }
    }

    async fn attempt(&self, body: Body) -> Result<PartReceipt, SourceError> {
        let trailer = self.trailers.are_used().then_some(self.algorithm);
        self.context.monitor.request(Call::Write);
        let is_tried = trailer.is_some() && !self.trailers.are_taken();
        let md5 = Arc::new(Mutex::new(Hasher::new(Algorithm::Md5)));
        let body = if is_tried { hashed(body, &md5) } else { body };
        let receipt = self.upload.part_stream(&self.id, self.number, (body, self.part.len()), trailer).await?;
        match &receipt.checksum {
            Some(_) => self.trailers.taken(),
            None if is_tried => {
                let sent = std::mem::replace(&mut *lock(&md5), Hasher::new(Algorithm::Md5)).finish();
                self.check_stored(&receipt, &sent).await?;
            }
            None => {}
        }
        Ok(receipt)
    }

    /// Checks that the server stored the bytes of the part alone, and not the encoding with the trailer: by its ETag, or
    /// by its size in the listing if the ETag is not an MD5.
    async fn check_stored(&self, receipt: &PartReceipt, sent: &Digest) -> Result<(), SourceError> {
        match receipt.etag.form() {
            ETagForm::Md5 { digest } if digest == *sent.as_bytes() => {
                self.trailers.taken();
                return Ok(());
            }
            ETagForm::Md5 { .. } => {
                let detail = "the ETag of a part was not the MD5 of its bytes";
                return Err(SourceError::new(ErrorKind::Unsupported, self.upload.uri(), detail));
            }
            ETagForm::Multipart { .. } | ETagForm::Opaque => {}
        }
        let listed = self.context.retry(Call::Write, || self.upload.parts(&self.id)).await;
        // Without a listing, the ETag of the part decides at the end.
        let parts = listed.unwrap_or_default();
        match parts.iter().find(|part| part.number == self.number).and_then(|part| part.size) {
            Some(size) if size == self.part.len() => self.trailers.taken(),
            Some(size) => {
                let detail = format!("it stored {size} bytes for a part of {}", self.part.len());
                return Err(SourceError::new(ErrorKind::Unsupported, self.upload.uri(), detail));
            }
            None => {}
        }
        Ok(())
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

/// The same bytes, which also go through a hasher.
fn hashed(body: Body, hasher: &Arc<Mutex<Hasher>>) -> Body {
    let hasher = Arc::clone(hasher);
    Box::pin(body.inspect_ok(move |bytes| lock(&hasher).update(bytes)))
}
