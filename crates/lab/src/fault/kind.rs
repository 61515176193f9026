use std::fmt;

use serde::{Deserialize, Deserializer};

/// An error code, or the name of a header.
type Word = &'static str;

/// What goes wrong with a request. Lengths are bytes of the response body.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Fault {
    /// An error response; the operation is not carried out.
    Status {
        /// HTTP status.
        status: u16,
        /// Error code in the XML body.
        #[serde(deserialize_with = "word")]
        code: Word,
    },
    /// The XML of `SlowDown` under status 200.
    #[serde(rename = "slow_down_inside_200")]
    SlowDownInside200,
    /// The connection is reset without an answer, and nothing is carried out. The only fault for
    /// [`Operation::Connect`].
    ///
    /// [`Operation::Connect`]: crate::Operation::Connect
    Dropped,
    /// The operation is carried out, and the connection is reset without an answer.
    AnswerLost,
    /// The connection is reset after this number of bytes.
    ResetAfter(u64),
    /// Nothing more is sent after this number of bytes; the connection stays open.
    StallAfter(u64),
    /// The body slows down.
    Trickle {
        /// Bytes sent at full speed.
        after: u64,
        /// Bytes per second after that.
        rate: u64,
    },
    /// A chunked body ends regularly after this number of bytes.
    EndEarly(u64),
    /// The connection is closed after this number of bytes, before Content-Length is reached.
    CloseAfter(u64),
    /// Content-Length and body are longer than the range by this number of bytes.
    TooLong(u64),
    /// Content-Length and body are shorter than the range by this number of bytes.
    TooShort(u64),
    /// Content-Length is wrong by this number of bytes, and the body is right: a body shorter than
    /// announced never ends, a longer one is cut off. A HEAD states the wrong size.
    LengthLies(i64),
    /// Both positions in Content-Range are shifted by this number of bytes.
    ContentRangeShifted(u64),
    /// Content-Range states this total.
    ContentRangeTotal(u64),
    /// The answer lacks this header.
    HeaderAbsent(#[serde(deserialize_with = "word")] Word),
    /// Status 200 with the whole object, whatever range was requested.
    RangeIgnored,
    /// The header carries this ETag (without quotes).
    #[serde(rename = "other_etag")]
    OtherETag(String),
    /// After this answer the object has other bytes and another ETag.
    ReplaceObject,
    /// After this answer the object is deleted; in a versioned bucket, by a delete marker.
    DeleteObject,
    /// Bits of one byte are flipped in the answer; the stored byte stays.
    FlipOnWire {
        /// Offset of the byte in the object.
        offset: u64,
        /// Bits to flip.
        mask: u8,
    },
    /// `If-None-Match` and `If-Match` of a write are ignored, as by servers that overwrite and answer with success.
    ConditionsIgnored,
    /// A body with a trailer is refused with 501, as by servers that do not know the encoding `aws-chunked`. Other
    /// requests are not touched.
    TrailersRefused,
    /// The encoding `aws-chunked` is stored as if it were bytes of the object, as by servers that do not know it.
    TrailersStored,
    /// `?attributes` is answered with the object, as by a server that does not know the subresource.
    AttributesIgnored,
    /// `HEAD ?partNumber` states the size of the whole object, as old versions of Ceph do.
    PartHeadLies,
    /// HEAD states part 1 too long and part 2 too short by this number of bytes, so their sum is
    /// right. Content-Range is right.
    PartSizesShifted(u64),
    /// GetObjectAttributes lists part 1 too long and part 2 too short by this number of bytes, so
    /// their sum is right.
    ListedSizesShifted(u64),
    /// A header has another value.
    OtherHeader {
        /// Name of the header.
        #[serde(deserialize_with = "word")]
        name: Word,
        /// Its value.
        value: String,
    },
    /// With `partNumber`, the ETag is that of the part, as old versions of Ceph do.
    #[serde(rename = "part_etag")]
    PartETag,
    /// Texts in the body are replaced by others, in order, for example to forge a listing.
    TextReplaced(Vec<(String, String)>),
}

/// Leaked on purpose: rules live as long as their lab, and a process reads few of them.
fn word<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Word, D::Error> {
    Ok(String::deserialize(deserializer)?.leak())
}

impl Fault {
    /// Whether the connection ends without a byte of an answer.
    pub(crate) fn leaves_no_answer(&self) -> bool {
        matches!(self, Fault::Dropped | Fault::AnswerLost)
    }
}

/// A short description of what happens.
impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::Status { status, code } => write!(f, "{status} {code}"),
            Fault::SlowDownInside200 => f.write_str("200 with SlowDown inside"),
            Fault::Dropped => f.write_str("connection dropped"),
            Fault::AnswerLost => f.write_str("carried out, and connection dropped"),
            Fault::ResetAfter(bytes) => write!(f, "reset after {bytes} bytes"),
            Fault::StallAfter(bytes) => write!(f, "stall after {bytes} bytes"),
            Fault::Trickle { after, rate } => write!(f, "{rate} bytes a second after {after} bytes"),
            Fault::EndEarly(bytes) => write!(f, "chunked body ended after {bytes} bytes"),
            Fault::CloseAfter(bytes) => write!(f, "connection closed after {bytes} bytes"),
            Fault::TooLong(bytes) => write!(f, "{bytes} bytes too many"),
            Fault::TooShort(bytes) => write!(f, "{bytes} bytes too few"),
            Fault::LengthLies(by) => write!(f, "Content-Length off by {by:+}"),
            Fault::ContentRangeShifted(by) => write!(f, "Content-Range shifted by {by}"),
            Fault::ContentRangeTotal(total) => write!(f, "Content-Range with a total of {total}"),
            Fault::HeaderAbsent(name) => write!(f, "no header {name}"),
            Fault::RangeIgnored => f.write_str("range ignored"),
            Fault::OtherETag(etag) => write!(f, "ETag {etag}"),
            Fault::ReplaceObject => f.write_str("object replaced behind the answer"),
            Fault::DeleteObject => f.write_str("object deleted behind the answer"),
            Fault::FlipOnWire { offset, mask } => write!(f, "byte {offset} of the body flipped by {mask:#04x}"),
            Fault::ConditionsIgnored => f.write_str("conditions of a write ignored"),
            Fault::TrailersRefused => f.write_str("trailing checksums refused"),
            Fault::TrailersStored => f.write_str("trailing checksums stored as bytes"),
            Fault::AttributesIgnored => f.write_str("the object instead of its attributes"),
            Fault::PartHeadLies => f.write_str("part number ignored"),
            Fault::PartSizesShifted(by) => write!(f, "end of part 1 shifted by {by}"),
            Fault::ListedSizesShifted(by) => write!(f, "end of part 1 listed {by} bytes too far"),
            Fault::OtherHeader { name, value } => write!(f, "{name}: {value}"),
            Fault::PartETag => f.write_str("ETag of the part"),
            Fault::TextReplaced(pairs) => {
                let shown = pairs.iter().map(|(from, to)| format!("`{from}` by `{to}`")).collect::<Vec<_>>();
                write!(f, "{} in the body", shown.join(", "))
            }
        }
    }
}
