use std::io;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::{FutureExt as _, StreamExt as _, stream};
use http::StatusCode;
use http::header::{CONTENT_RANGE, ETAG};

use super::Fault;
use crate::content::Frames;
use crate::operation::Operation;
use crate::wire::{Code, Ending, Reply, S3Error, S3Request, xml};
use stored_ami_core::units::KIB;

/// Applies a fault that changes the interpretation of the request, or answers it.
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
        Fault::ConditionsIgnored => {
            request.headers.remove(http::header::IF_NONE_MATCH);
            request.headers.remove(http::header::IF_MATCH);
        }
        Fault::TrailersRefused if request.header("x-amz-trailer").is_some() => {
            return Err(S3Error::new(
                501,
                "NotImplemented",
                "A header you provided implies functionality that is not implemented.",
            ));
        }
        Fault::TrailersStored if request.header("x-amz-trailer").is_some() => {
            for name in [
                "content-encoding",
                "x-amz-content-sha256",
                "x-amz-decoded-content-length",
                "x-amz-trailer",
                "x-amz-sdk-checksum-algorithm",
            ] {
                request.headers.remove(name);
            }
        }
        Fault::PartHeadLies => request.query.retain(|(name, _)| name != "partNumber"),
        // This answer is not sent.
        Fault::Dropped => return Ok(Some(Reply::empty(StatusCode::OK))),
        _ => {}
    }
    Ok(None)
}

/// Applies a fault to an answer that is ready to go out.
pub(crate) fn late(fault: &Fault, request: &S3Request, reply: &mut Reply) -> (Option<u64>, Ending) {
    let announced = Some(reply.len);
    match fault {
        Fault::ResetAfter(bytes) => return (cut(reply, *bytes, announced), Ending::Reset),
        Fault::StallAfter(bytes) => return (cut(reply, *bytes, announced), Ending::Stall),
        Fault::CloseAfter(bytes) => return (cut(reply, *bytes, announced), Ending::Close),
        Fault::EndEarly(bytes) => return (cut(reply, *bytes, None), Ending::Clean),
        Fault::Trickle { after, rate } => trickle(reply, *after, *rate),
        Fault::TooLong(bytes) => {
            append(reply, *bytes);
            return (Some(reply.len.saturating_add(*bytes)), Ending::Clean);
        }
        Fault::TooShort(bytes) => {
            let len = reply.len.saturating_sub(*bytes);
            return (cut(reply, len, Some(len)), Ending::Clean);
        }
        Fault::LengthLies(by) => {
            reply.len = reply.len.saturating_add_signed(*by);
            return (Some(reply.len), if *by > 0 { Ending::Stall } else { Ending::Clean });
        }
        Fault::HeaderAbsent(name) => {
            reply.headers.remove(*name);
        }
        Fault::ContentRangeShifted(by) => content_range(reply, *by, None),
        Fault::ContentRangeTotal(total) => content_range(reply, 0, Some(*total)),
        Fault::OtherETag(etag) => reply.set(ETAG.as_str(), format!("\"{etag}\"")),
        Fault::PartETag => part_etag(request, reply),
        // The length of a HEAD; a body keeps the one that was announced.
        Fault::PartSizesShifted(by) => match request.part_number() {
            Ok(Some(1)) => reply.len = reply.len.saturating_add(*by),
            Ok(Some(2)) => reply.len = reply.len.saturating_sub(*by),
            _ => {}
        },
        Fault::ListedSizesShifted(by) => {
            shift_listed(reply, *by);
            return (Some(reply.len), Ending::Clean);
        }
        Fault::OtherHeader { name, value } => reply.set(name, value),
        Fault::FlipOnWire { offset, mask } => flip(reply, *offset, *mask),
        Fault::TextReplaced(pairs) => {
            replace(reply, pairs.clone());
            return (None, Ending::Clean);
        }
        _ => {}
    }
    (announced, Ending::Clean)
}

fn take_frames(reply: &mut Reply) -> Frames {
    std::mem::replace(&mut reply.frames, stream::empty().boxed())
}

/// Lets only the first `bytes` bytes of the body through.
fn cut(reply: &mut Reply, bytes: u64, announced: Option<u64>) -> Option<u64> {
    reply.frames = stream::try_unfold((take_frames(reply), bytes), |(mut frames, left)| async move {
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

/// Sends the body at `rate` bytes per second after its first `after` bytes.
fn trickle(reply: &mut Reply, after: u64, rate: u64) {
    /// Pieces per second: enough to look like a slow line, few enough for the timer.
    const PIECES: u64 = 20;
    let rate = rate.max(1);
    let state = (take_frames(reply), Bytes::new(), after);
    reply.frames = stream::try_unfold(state, move |(mut frames, mut rest, fast)| async move {
        if rest.is_empty() {
            match frames.next().await.transpose()? {
                Some(frame) => rest = frame,
                None => return io::Result::Ok(None),
            }
        }
        let most = if fast > 0 { fast } else { rate.div_ceil(PIECES) };
        let piece = rest.split_to(usize::try_from(most).unwrap_or(usize::MAX).min(rest.len()));
        if fast == 0 {
            tokio::time::sleep(Duration::from_secs_f64(piece.len() as f64 / rate as f64)).await;
        }
        let fast = fast - fast.min(piece.len() as u64);
        Ok(Some((piece, (frames, rest, fast))))
    })
    .boxed();
}

fn append(reply: &mut Reply, bytes: u64) {
    const PIECE: u64 = 64 * KIB;
    let extra = stream::unfold(bytes, |left| async move {
        let piece = left.min(PIECE);
        (piece > 0).then(|| (Ok(Bytes::from(vec![0xA5; piece as usize])), left - piece))
    });
    reply.frames = take_frames(reply).chain(extra).boxed();
}

fn content_range(reply: &mut Reply, shift: u64, total: Option<u64>) {
    let Some(served) = &reply.served else { return };
    let (range, size) = (served.range, served.record.size);
    if range.is_empty() || !reply.headers.contains_key(CONTENT_RANGE) {
        return;
    }
    let total = total.unwrap_or(size);
    let moved = |offset: u64| offset.saturating_add(shift);
    reply.set(CONTENT_RANGE.as_str(), format!("bytes {}-{}/{total}", moved(range.start()), moved(range.end() - 1)));
}

fn part_etag(request: &S3Request, reply: &mut Reply) {
    let (Some(served), Ok(Some(number))) = (&reply.served, request.part_number()) else { return };
    if let Some(part) = served.record.parts.iter().find(|part| part.number == number) {
        let etag = format!("\"{}\"", part.etag);
        reply.set(ETAG.as_str(), etag);
    }
}

/// Moves the end of the first part in a document of attributes, which is there as a whole.
fn shift_listed(reply: &mut Reply, by: u64) {
    const OPEN: &str = "<Size>";
    let frames = take_frames(reply).filter_map(|frame| async move { frame.ok() });
    let frames: Vec<Bytes> = frames.collect().now_or_never().unwrap_or_default();
    let text = String::from_utf8_lossy(&frames.concat()).into_owned();
    let mut shifted = String::new();
    for (index, piece) in text.split(OPEN).enumerate() {
        let (size, rest) = piece.split_once('<').unwrap_or((piece, ""));
        let moved = size.parse::<u64>().ok().and_then(|size| match index {
            1 => size.checked_add(by),
            2 => size.checked_sub(by),
            _ => None,
        });
        shifted += if index > 0 { OPEN } else { "" };
        shifted += &moved.map_or_else(|| piece.to_owned(), |size| format!("{size}<{rest}"));
    }
    let body = Bytes::from(shifted);
    reply.len = body.len() as u64;
    reply.frames = stream::iter([Ok(body)]).boxed();
}

/// Documents are one frame.
fn replace(reply: &mut Reply, pairs: Vec<(String, String)>) {
    reply.frames = take_frames(reply)
        .map(move |frame| {
            let text = String::from_utf8_lossy(&frame?).into_owned();
            Ok(Bytes::from(pairs.iter().fold(text, |text, (from, to)| text.replace(from, to))))
        })
        .boxed();
}

fn flip(reply: &mut Reply, offset: u64, mask: u8) {
    let mut at = 0;
    reply.frames = take_frames(reply)
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
