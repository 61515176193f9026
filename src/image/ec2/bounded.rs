//! Limits and checks responses of EC2 before the SDK parses them.

use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, ready};

use aws_sdk_ec2::config::interceptors::BeforeDeserializationInterceptorContextMut;
use aws_sdk_ec2::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_ec2::error::BoxError;
use aws_smithy_runtime_api::client::orchestrator::Metadata;
use aws_smithy_types::body::SdkBody;
use bytes::{Bytes, BytesMut};
use http_body::{Body, Frame};

use crate::source::s3::{Broken, Most, whole};
use crate::source::{ErrorKind, SourceError};
use crate::sync::lock;

/// Limit in bytes of all responses to one operation, including its pages and retries. The account with the most AMIs
/// that the default quota allows, 50,000, stays below it.
pub(super) const LARGEST_ANSWERS: usize = 64 << 20;

/// Limits of one response, ten times a page of the largest size. An AMI takes 2 KiB of memory, however few bytes the
/// server sends of it, and a tag or a volume of one takes a tenth of that.
const LARGEST_PAGE: Most = Most { elements: 2_000_000, entries: 20_000, inner: 400_000 };
/// Limit of entries in all responses to one operation.
const MOST_ENTRIES: u64 = 200_000;
/// Limit of inner entries in all responses to one operation.
const MOST_INNER: u64 = 4_000_000;

/// What one operation may still receive. The SDK reads each response completely before it parses it, so without a limit
/// the server decides how much memory that takes.
#[derive(Debug, Clone)]
pub(super) struct Allowance(Arc<Mutex<Left>>);

#[derive(Debug)]
struct Left {
    bytes: usize,
    entries: u64,
    inner: u64,
    /// Why a response was rejected.
    refused: Option<String>,
}

impl Allowance {
    /// The full allowance of an operation.
    pub(super) fn new() -> Self {
        let left = Left { bytes: LARGEST_ANSWERS, entries: MOST_ENTRIES, inner: MOST_INNER, refused: None };
        Allowance(Arc::new(Mutex::new(left)))
    }

    /// The error of an operation, with the reason if a response was rejected. A retry would be rejected too.
    pub(super) fn explain(&self, error: SourceError) -> SourceError {
        match self.with(|left| left.refused.clone()) {
            Some(detail) => SourceError { kind: ErrorKind::Protocol, detail, ..error },
            None => error,
        }
    }

    fn with<T>(&self, change: impl FnOnce(&mut Left) -> T) -> T {
        change(&mut lock(&self.0))
    }

    fn refuse(&self, detail: String) -> BoxError {
        self.with(|left| left.refused = Some(detail.clone()));
        detail.into()
    }

    /// Takes `bytes` from the allowance.
    fn take(&self, bytes: usize) -> Result<(), BoxError> {
        let left = self.with(|left| left.bytes.checked_sub(bytes).map(|rest| left.bytes = rest));
        left.ok_or_else(|| {
            self.refuse(format!("the answers of EC2 are larger than {} MiB together", LARGEST_ANSWERS >> 20))
        })
    }

    /// Rejects an incomplete response, or one to another operation.
    fn check(&self, operation: &str, body: &[u8]) -> Result<(), BoxError> {
        let found = match whole(body, LARGEST_PAGE) {
            Ok(found) => found,
            Err(Broken::Html) => {
                let detail = format!("the endpoint of EC2 answers {operation} with an HTML page");
                return Err(self.refuse(detail));
            }
            Err(broken) => return Err(self.refuse(format!("the answer to {operation} cannot be read: {broken}"))),
        };
        if found.root.strip_prefix(operation) != Some("Response") {
            let root: String = found.root.chars().take(60).collect();
            return Err(self.refuse(format!("the answer to {operation} is a document of another kind, <{root}>")));
        }
        let left = self.with(|left| {
            left.entries = left.entries.checked_sub(found.entries)?;
            left.inner = left.inner.checked_sub(found.inner)?;
            Some(())
        });
        left.ok_or_else(|| self.refuse(format!("the answers to {operation} have too many entries together")))
    }
}

#[aws_smithy_runtime_api::client::interceptors::dyn_dispatch_hint]
impl Intercept for Allowance {
    fn name(&self) -> &'static str {
        "Allowance"
    }

    fn modify_before_deserialization(
        &self,
        context: &mut BeforeDeserializationInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let operation = config.load::<Metadata>().map(|metadata| metadata.name().to_owned());
        let response = context.response_mut();
        let operation = operation.filter(|_| response.status().is_success());
        let body = Some(response.take_body());
        let counted = Counted { body, bytes: BytesMut::new(), allowance: self.clone(), operation };
        *response.body_mut() = SdkBody::from_body_1_x(counted);
        Ok(())
    }
}

/// Collects a body into one frame, and stops at the limit. A queue of frames would keep the connection's whole buffer
/// for each frame.
struct Counted {
    /// `None` after the end of the body.
    body: Option<SdkBody>,
    bytes: BytesMut,
    allowance: Allowance,
    /// Name of the operation, if the response has a success status.
    operation: Option<String>,
}

impl Body for Counted {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = &mut *self;
        while let Some(body) = &mut this.body {
            match ready!(Pin::new(body).poll_frame(context)) {
                Some(Ok(frame)) => {
                    let data = frame.data_ref().map_or(&[][..], |data| data);
                    if let Err(refused) = this.allowance.take(data.len()) {
                        (this.body, this.bytes) = (None, BytesMut::new());
                        return Poll::Ready(Some(Err(refused)));
                    }
                    this.bytes.extend_from_slice(data);
                }
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                None => {
                    this.body = None;
                    let checked = this.operation.take().map_or(Ok(()), |name| this.allowance.check(&name, &this.bytes));
                    if let Err(refused) = checked {
                        this.bytes.clear();
                        return Poll::Ready(Some(Err(refused)));
                    }
                }
            }
        }
        let all = this.bytes.split().freeze();
        Poll::Ready((!all.is_empty()).then_some(Ok(Frame::data(all))))
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt as _;

    use super::*;

    async fn read(allowance: &Allowance, size: usize) -> Option<usize> {
        let body = Some(SdkBody::from(vec![7; size]));
        let counted = Counted { body, bytes: BytesMut::new(), allowance: allowance.clone(), operation: None };
        counted.collect().await.ok().map(|all| all.to_bytes().len())
    }

    #[tokio::test]
    async fn all_answers_of_an_operation_share_one_allowance() {
        let error = || SourceError::new(ErrorKind::Transient, "x", "y");
        let allowance = Allowance::new();
        assert_eq!(read(&allowance, 40 << 20).await, Some(40 << 20));
        assert_eq!(read(&allowance, 0).await, Some(0));
        assert_eq!(read(&allowance, 24 << 20).await, Some(24 << 20));
        assert_eq!(allowance.explain(error()), error());
        assert_eq!(read(&allowance, 1).await, None);
        let explained = allowance.explain(error());
        assert_eq!(explained.kind, ErrorKind::Protocol);
        assert!(explained.detail.contains("larger than 64 MiB together"), "{explained}");
        // Another operation has its own allowance.
        assert_eq!(read(&Allowance::new(), LARGEST_ANSWERS).await, Some(LARGEST_ANSWERS));
        assert_eq!(read(&Allowance::new(), LARGEST_ANSWERS + 1).await, None);
    }

    #[test]
    fn only_all_of_an_answer_is_read() {
        let error = || SourceError::new(ErrorKind::Transient, "x", "y");
        let of = |body: &str| {
            let allowance = Allowance::new();
            let fine = allowance.check("DescribeImages", body.as_bytes()).is_ok();
            let explained = allowance.explain(error());
            assert_eq!(fine, explained.kind == ErrorKind::Transient, "{explained}");
            explained.detail
        };
        let whole = "<DescribeImagesResponse><imagesSet><item><a/></item></imagesSet></DescribeImagesResponse>";
        assert_eq!(of(whole), "y");
        for end in [1, 20, 30, 60] {
            assert!(of(&whole[..whole.len() - end]).contains("cut off"), "{end}");
        }
        assert!(of("<!DOCTYPE html><html><body>gateway").contains("with an HTML page"));
        assert!(of("<DescribeTagsResponse/>").contains("of another kind, <DescribeTagsResponse>"));
        assert!(of("").contains("not well-formed"));
        assert!(of(&whole.replace("<a/>", &"<item/>".repeat(400_001))).contains("more elements"));
        assert!(of(&whole.replace("<item><a/></item>", &"<item/>".repeat(20_001))).contains("more elements"));
    }

    #[test]
    fn the_entries_of_all_pages_are_counted_together() {
        let allowance = Allowance::new();
        let page = format!("<XResponse><set>{}</set></XResponse>", "<item/>".repeat(20_000));
        assert_eq!((0..11).filter(|_| allowance.check("X", page.as_bytes()).is_ok()).count(), 10);
    }
}
