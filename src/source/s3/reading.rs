//! Reads bytes of an object, and checks the head of each response against its identity.

use std::sync::atomic::Ordering;

use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::RequestPayer;

use super::S3Object;
use super::ask::{addressed, with_key};
use super::bounded::About;
use super::context::{denies, other_version, told_state};
use super::error::translate;
use super::head;
use super::headers::Headers;
use super::reply::{may_slow_down, misfit, reading, reply_head};
use crate::facts::{ReplyHead, check_reply};
use crate::ident::{ETag, ObjectId, ObjectIdentity, ObjectUri};
use crate::source::{ErrorKind, SourceError};
use crate::units::ByteRange;

/// Why a read did not begin.
struct Refused {
    error: SourceError,
    /// The status, if `If-Match` may be the reason for the refusal.
    precondition: Option<u16>,
}

/// Servers that do not support `If-Match` refuse it as an invalid header. Other kinds of errors are believed.
fn may_refuse_condition(status: u16, kind: &ErrorKind) -> bool {
    match status {
        412 => true,
        400 | 406 | 501 => matches!(kind, ErrorKind::Invalid | ErrorKind::Unsupported),
        _ => false,
    }
}

impl From<SourceError> for Refused {
    fn from(error: SourceError) -> Self {
        Refused { error, precondition: None }
    }
}

impl S3Object {
    async fn read_at(
        &self,
        uri: &ObjectUri,
        id: &ObjectId,
        size: u64,
        range: ByteRange,
    ) -> Result<ByteStream, Refused> {
        let conditional = !self.standing.unconditional.load(Ordering::Relaxed);
        let request = with_key!(self, addressed!(self, self.client.get_object(), uri))
            .set_range(range.http_header())
            .set_if_match(id.etag.as_ref().filter(|_| conditional).and_then(ETag::if_match));
        let about = About::new(ObjectIdentity::default());
        let out = request.customize().interceptor(about.clone()).send().await.map_err(|error| {
            let status = error.raw_response().map(|answer| answer.status().as_u16());
            let error = may_slow_down(translate(error, &self.subject(), reading(uri)), status);
            let sent = conditional && id.etag.as_ref().is_some_and(ETag::is_strong);
            let precondition = status.filter(|status| sent && may_refuse_condition(*status, &error.kind));
            Refused { error, precondition }
        })?;
        let headers = about.heard().headers;
        let told = reply_head(&headers, &self.subject())?;
        if let Err(problem) = check_reply(&told, range, size, id.etag.as_ref()) {
            let patience = self.connection.options.patience();
            return Err(misfit(problem, out.body, self.subject(), patience).await.into());
        }
        if !(id.etag.as_ref().is_some_and(ETag::is_strong) && told.etag.is_some()) {
            self.standing.unnamed.store(true, Ordering::Relaxed);
        }
        match self.moved(id, &told, &headers, conditional) {
            None => Ok(out.body),
            Some(detail) => Err(SourceError::new(ErrorKind::Changed, self.subject(), detail).into()),
        }
    }

    /// Why a response cannot be shown to be of the inspected object, if `If-Match` does not guarantee it.
    fn moved(&self, id: &ObjectId, told: &ReplyHead, headers: &Headers, conditional: bool) -> Option<String> {
        match &id.etag {
            Some(etag) if etag.is_strong() => {
                let lost = !conditional && told.etag.is_none();
                let lost =
                    lost.then(|| "an answer without an ETag, from a server that cannot be held to one".to_owned());
                // An object that was written again with the same bytes has the same ETag.
                lost.or_else(|| self.standing.state_of(id).and_then(|state| other_version(&state, headers)))
            }
            _ => self.standing.state_of(id).and_then(|state| denies(&state, headers)),
        }
    }

    /// Whether the object is unchanged although the server refused `If-Match`: some servers compare its quotes
    /// literally, or always refuse it.
    async fn is_unchanged(&self, id: &ObjectId) -> bool {
        let _one = self.standing.asking.lock().await;
        if self.standing.unconditional.load(Ordering::Relaxed) {
            return true;
        }
        let Some(then) = self.standing.state_of(id) else { return false };
        let uri = self.at(id);
        self.standing.asked_more();
        let Ok(headers) = self.head_once(&uri, None, false).await else { return false };
        let same = head::head_facts(&uri, &headers, false)
            .is_ok_and(|now| told_state(&now.facts, &headers).same_as(&then).is_yes());
        if same {
            self.standing.unconditional.store(true, Ordering::Relaxed);
        }
        same
    }

    /// Reads a range. If the server refuses `If-Match` although the object is unchanged, reads again without it.
    pub(super) async fn read_checked(
        &self,
        uri: &ObjectUri,
        id: &ObjectId,
        size: u64,
        range: ByteRange,
    ) -> Result<ByteStream, SourceError> {
        match self.read_at(uri, id, size, range).await {
            Err(Refused { precondition: Some(status), error }) => {
                if !self.is_unchanged(id).await {
                    return Err(error);
                }
                self.standing.asked_more();
                match self.read_at(uri, id, size, range).await {
                    Ok(body) => {
                        self.standing.note(format!(
                            "the server refused If-Match ({status}) although nothing changed; the ETag of every answer is compared instead"
                        ));
                        Ok(body)
                    }
                    Err(again) => {
                        // A request that also fails without the condition was not refused because of it.
                        if !again.error.is_transient() && status != 412 {
                            self.standing.unconditional.store(false, Ordering::Relaxed);
                        }
                        Err(again.error)
                    }
                }
            }
            other => other.map_err(|refused| refused.error),
        }
    }
}
