use std::io;

use bytes::{Bytes, BytesMut};
use futures_util::{StreamExt as _, stream};
use http::StatusCode;
use http::header::{CONTENT_RANGE, ETAG};

use super::Fault;
use crate::lab::content::Frames;
use crate::lab::operation::Operation;
use crate::lab::wire::{Code, Ending, Reply, S3Error, S3Request, xml};

/// Applies a fault that changes how the request is understood, or answers it.
pub(crate) fn before(fault: &Fault, request: &mut S3Request) -> Result<Option<Reply>, S3Error> {
    match fault {
        Fault::Status { status, code } => {
            return Err(S3Error::new(*status, code, "This answer comes from a script of the lab."));
        }
        Fault::SlowDownInside200 => {
            let error = Code::SlowDown.error();
            let body = xml::error(&error, "", "")?;
            return Ok(Some(Reply::bytes(StatusCode::OK, body).header("content-type", "application/xml")));
        }
        Fault::AttributesIgnored => {
            request.operation = Operation::GetObject;
        }
        Fault::RangeIgnored => {
            request.headers.remove(http::header::RANGE);
            request.query.retain(|(name, _)| name != "partNumber");
        }
        Fault::PartHeadLies => request.query.retain(|(name, _)| name != "partNumber"),
        _ => {}
    }
    Ok(None)
}

/// Applies a fault to an answer that is ready to go out.
pub(crate) fn late(fault: &Fault, request: &S3Request, reply: &mut Reply) -> (Option<u64>, Ending) {
    let announced = Some(reply.len);
    match fault {
        Fault::AnswerLost => return (cut(reply, 0, announced), Ending::Reset),
        Fault::ResetAfter(bytes) => return (cut(reply, *bytes, announced), Ending::Reset),
        Fault::StallAfter(bytes) => return (cut(reply, *bytes, announced), Ending::Stall),
        Fault::CloseAfter(bytes) => return (cut(reply, *bytes, announced), Ending::Close),
        Fault::EndEarly(bytes) => return (cut(reply, *bytes, None), Ending::Clean),
        Fault::TooLong(bytes) => {
            let extra = Bytes::from(vec![0xA5; *bytes as usize]);
            append(reply, extra);
            return (Some(reply.len + bytes), Ending::Clean);
        }
        Fault::HeaderAbsent(name) => {
            reply.headers.remove(*name);
        }
        Fault::ContentRangeShifted(by) => content_range(reply, *by, None),
        Fault::ContentRangeTotal(total) => content_range(reply, 0, Some(*total)),
        Fault::OtherETag(etag) => reply.set(ETAG.as_str(), format!("\"{etag}\"")),
        Fault::PartETag => part_etag(request, reply),
        Fault::FlipOnWire { offset, mask } => flip(reply, *offset, *mask),
        _ => {}
    }
    (announced, Ending::Clean)
}

/// Lets only the first `bytes` bytes of the body through.
fn cut(reply: &mut Reply, bytes: u64, announced: Option<u64>) -> Option<u64> {
    let frames = std::mem::replace(&mut reply.frames, stream::empty().boxed());
    reply.frames = stream::try_unfold((frames, bytes), |(mut frames, left)| async move {
        if left == 0 {
            return io::Result::Ok(None);
        }
        let Some(mut frame) = frames.next().await.transpose()? else { return Ok(None) };
        frame.truncate(usize::try_from(left).unwrap_or(usize::MAX));
        let left = left - frame.len() as u64;
        Ok(Some((frame, (frames, left))))
    })
    .boxed();
    announced
}

fn append(reply: &mut Reply, extra: Bytes) {
    let frames = std::mem::replace(&mut reply.frames, stream::empty().boxed());
    reply.frames = frames.chain(stream::iter([Ok(extra)])).boxed();
}

fn content_range(reply: &mut Reply, shift: u64, total: Option<u64>) {
    let Some(served) = &reply.served else { return };
    let (range, size) = (served.range, served.record.size);
    if range.is_empty() || !reply.headers.contains_key(CONTENT_RANGE) {
        return;
    }
    let total = total.unwrap_or(size);
    reply.set(CONTENT_RANGE.as_str(), format!("bytes {}-{}/{total}", range.start() + shift, range.end() - 1 + shift));
}

fn part_etag(request: &S3Request, reply: &mut Reply) {
    let (Some(served), Ok(Some(number))) = (&reply.served, request.part_number()) else { return };
    if let Some(part) = served.record.parts.iter().find(|part| part.number == number) {
        let etag = format!("\"{}\"", part.etag);
        reply.set(ETAG.as_str(), etag);
    }
}

fn flip(reply: &mut Reply, offset: u64, mask: u8) {
    let frames: Frames = std::mem::replace(&mut reply.frames, stream::empty().boxed());
    let mut at = 0;
    reply.frames = frames
        .map(move |frame| {
            let frame = frame?;
            let inside = offset.checked_sub(at).and_then(|index| usize::try_from(index).ok());
            at += frame.len() as u64;
            let Some(index) = inside.filter(|index| *index < frame.len()) else { return Ok(frame) };
            let mut copy = BytesMut::from(&frame[..]);
            if let Some(byte) = copy.get_mut(index) {
                *byte ^= mask;
            }
            Ok(copy.freeze())
        })
        .boxed();
}
