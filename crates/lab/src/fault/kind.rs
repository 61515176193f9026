use std::fmt;

use serde::{Deserialize, Deserializer};

/// An error code, or the name of a header.
type Word = &'static str;

/// What goes wrong. Offsets and lengths are bytes of the response's body.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Fault {
    /// An error response instead of the operation.
    Status {
        status: u16,
        #[serde(deserialize_with = "word")]
        code: Word,
    },
    /// The XML of `SlowDown` under status 200.
    #[serde(rename = "slow_down_inside_200")]
    SlowDownInside200,
    /// RST without an answer; nothing is carried out. The only one that can strike [`Operation::Connect`].
    ///
    /// [`Operation::Connect`]: crate::Operation::Connect
    Dropped,
    /// The operation is carried out, and RST comes without an answer.
    AnswerLost,
    /// RST after so many bytes.
    ResetAfter(u64),
    /// Nothing more after so many bytes, with the connection left open.
    StallAfter(u64),
    /// `rate` bytes a second behind the first `after` bytes.
    Trickle { after: u64, rate: u64 },
    /// A chunked body that ends properly, but too early.
    EndEarly(u64),
    /// FIN after so many bytes of the announced Content-Length.
    CloseAfter(u64),
    /// Content-Length and body longer than the range by so many bytes.
    TooLong(u64),
    /// Content-Length and body shorter than the range by so many bytes.
    TooShort(u64),
    /// Content-Length off by so many bytes, where the body is as it should be: one that is shorter than announced
    /// is never ended, one that is longer is cut off. In a HEAD it is the size that is wrong.
    LengthLies(i64),
    /// Both positions of Content-Range moved by so many bytes.
    ContentRangeShifted(u64),
    /// Content-Range with this total.
    ContentRangeTotal(u64),
    /// An answer without this header.
    HeaderAbsent(#[serde(deserialize_with = "word")] Word),
    /// 200 with the whole object, whatever was asked for.
    RangeIgnored,
    /// Another ETag in the header (without quotes).
    #[serde(rename = "other_etag")]
    OtherETag(String),
    /// Behind this answer the object has other bytes and another ETag.
    ReplaceObject,
    /// Behind this answer the object is gone; under versioning, behind a delete marker.
    DeleteObject,
    /// Bits of one byte flipped on the wire; the stored byte stays.
    FlipOnWire { offset: u64, mask: u8 },
    /// `?attributes` is answered with the object, by a server that does not
    /// know the sub-resource.
    AttributesIgnored,
    /// `HEAD ?partNumber` tells the size of the whole object, as Ceph did.
    PartHeadLies,
    /// HEAD of part 1 tells of so many bytes more, and of part 2 of as many fewer: their sum is right. Content-Range
    /// tells the truth.
    PartSizesShifted(u64),
    /// GetObjectAttributes lists part 1 with so many bytes more, and part 2 with as many fewer: their sum is right.
    ListedSizesShifted(u64),
    /// Another value of a header.
    OtherHeader {
        #[serde(deserialize_with = "word")]
        name: Word,
        value: String,
    },
    /// With `partNumber` the ETag is the part's own, as Ceph did.
    #[serde(rename = "part_etag")]
    PartETag,
    /// Texts in the body replaced by others, in their order: a listing that lies.
    TextReplaced(Vec<(String, String)>),
}

/// Rules live as long as their lab, and a process reads few files of them.
fn word<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Word, D::Error> {
    Ok(String::deserialize(deserializer)?.leak())
}

impl Fault {
    /// Whether the connection ends without a byte of an answer.
    pub(crate) fn leaves_no_answer(&self) -> bool {
        matches!(self, Fault::Dropped | Fault::AnswerLost)
    }
}

/// What happens, in a few words.
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
