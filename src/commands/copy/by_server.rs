//! A copy that the server makes itself: nothing is read here, so it counts as stated by the server.

use std::collections::BTreeMap;

use futures_util::{StreamExt as _, stream};

use super::run::Copying;
use super::sender::{Begun, Outlet, SentParts};
use crate::checksum::Digest;
use crate::copy::{CopyCheck, CopyFinding, ExpectedObject, StatedParts, stated_by_parts};
use crate::ident::{ETag, Target};
use crate::progress::Call;
use crate::report::Exit;
use crate::source::{CopyFrom, ErrorKind, PartReceipt, SourceError};
use crate::units::{ByteRange, PartNumber};
use crate::verdict::Verdict;

/// Parts that the server copies at the same time.
const AT_A_TIME: usize = 16;

/// S3 answers 200 before a part is copied, and may put an error into the body then (S3 API Reference, UploadPartCopy).
/// Copying the part again does no harm.
fn once_more(error: SourceError) -> SourceError {
    match error.kind {
        ErrorKind::Protocol => SourceError { kind: ErrorKind::Transient, ..error },
        _ => error,
    }
}

impl Copying<'_> {
    /// Lets the server copy the parts, and makes the object if what it states of them makes up the source.
    pub(super) async fn by_server(&mut self) {
        loop {
            let Some(Begun { outlet, known }) = self.begin().await else { return };
            let Outlet::Upload(id) = &outlet else { return };
            let receipts = match self.copy_parts(id, known).await {
                Ok(Some(receipts)) => receipts,
                Ok(None) => {
                    self.add(CopyFinding::open(CopyCheck::Parts, "interrupted before every part was copied"));
                    self.prepared.report.exit_code = Exit::Interrupted;
                    return self.keep_or_abort(&outlet).await;
                }
                Err(error) => return self.fail_for_now(&error, &outlet).await,
            };
            let Some(expected) = self.stated(&receipts) else { return self.abort(&outlet).await };
            let sent = SentParts { receipts, ..SentParts::default() };
            if !self.finish(&outlet, sent, &expected).await {
                return;
            }
        }
    }

    /// The parts, in order; `None` after an interruption.
    async fn copy_parts(&self, id: &str, known: Vec<PartReceipt>) -> Result<Option<Vec<PartReceipt>>, SourceError> {
        let from = self.copy_from()?;
        let layout = &self.prepared.plan.layout;
        let is_held = |part: &PartReceipt, range: ByteRange| part.size == Some(range.len());
        let known: BTreeMap<PartNumber, PartReceipt> = known.into_iter().map(|part| (part.number, part)).collect();
        let (upload, context) = (&self.ends.upload, self.ends.destination.context());
        let one = |(number, range): (PartNumber, ByteRange)| {
            let (from, held) = (&from, known.get(&number).filter(|part| is_held(part, range)));
            // An object of one part may be empty, which no range describes.
            let range = (layout.count() > 1).then_some(range);
            async move {
                match held {
                    Some(part) => Ok(part.clone()),
                    None => {
                        let copy = || async { upload.part_copy(id, number, from, range).await.map_err(once_more) };
                        context.retry(Call::Write, copy).await
                    }
                }
            }
        };
        let numbered = layout.parts().enumerate();
        let parts: Vec<_> =
            numbered.filter_map(|(index, range)| Some((PartNumber::from_index(index)?, range))).collect();
        let mut copied = stream::iter(parts).map(one).buffered(AT_A_TIME);
        let mut receipts = Vec::with_capacity(layout.count());
        loop {
            tokio::select! {
                () = self.cancel.cancelled() => return Ok(None),
                part = copied.next() => match part {
                    Some(part) => receipts.push(part?),
                    None => return Ok(Some(receipts)),
                },
            }
        }
    }

    fn copy_from(&self) -> Result<CopyFrom, SourceError> {
        let id = &self.prepared.found.facts.id;
        let etag = id.etag.clone().filter(ETag::is_strong);
        match (&id.target, etag) {
            (Target::Object(uri), Some(etag)) => Ok(CopyFrom { uri: uri.clone(), etag }),
            _ => {
                let detail = "it has no ETag by which the server could see that it changed";
                Err(SourceError::new(ErrorKind::Invalid, &id.target, detail))
            }
        }
    }

    /// What the copy must state, if the values of the parts make up those of the source.
    fn stated(&mut self, receipts: &[PartReceipt]) -> Option<ExpectedObject> {
        let algorithm = self.prepared.checksum.checksum.algorithm;
        let etags: Vec<ETag> = receipts.iter().map(|part| part.etag.clone()).collect();
        let digest = |part: &PartReceipt| part.checksum.filter(|digest| digest.algorithm() == algorithm);
        let digests: Option<Vec<Digest>> = receipts.iter().map(digest).collect();
        let parts = StatedParts {
            layout: &self.prepared.plan.layout,
            etags: &etags,
            checksum: self.prepared.checksum.checksum,
            digests: digests.as_deref(),
        };
        let (finding, expected) = stated_by_parts(&self.prepared.found.facts, parts);
        let passes = finding.verdict == Verdict::Pass;
        self.add(finding);
        passes.then_some(expected)
    }
}
