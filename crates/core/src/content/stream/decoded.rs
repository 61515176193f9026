use std::fmt;

use crate::text::words;
use crate::units::ByteSize;

words! {
    /// What a stream is. `None` of them is not a fault: the format of stored AMI objects is not published.
    pub enum Format {
        Zstd = "zstd",
        Gzip = "gzip",
        Zlib = "zlib",
        /// Zeros, and nothing else.
        Zeros = "zeros",
        /// No stream that is known here.
        None = "unknown",
    }
}

/// What decoding came to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Decoded {
    /// Known once there were bytes.
    pub format: Option<Format>,
    /// Frames of zstd, members of gzip, that were whole.
    pub frames: u64,
    pub skippable_frames: u64,
    /// Of the frames, those that have a checksum of what they hold, which was right.
    pub checksums: u64,
    /// The largest window of a frame of zstd, in bytes.
    pub window: u64,
    pub decoded_bytes: u64,
    /// Bytes of the object in whole frames, from its beginning.
    pub good_bytes: u64,
    /// All bytes of the object that were handed in.
    pub taken_bytes: u64,
    /// Zeros behind the last member of gzip, which readers pass over.
    pub padding: u64,
    /// Where nothing is known: bytes in blocks of zeros. Absent where the beginning looked like a stream.
    pub zero_bytes: Option<u64>,
    pub end: End,
}

/// How a stream ended.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum End {
    /// Behind a whole frame, or it is no stream.
    #[default]
    Whole,
    /// Inside the frame that begins at this byte.
    Truncated { frame_at: u64 },
    /// The frame that begins there contradicts itself. `whole` where it could be decoded to its end and then did not
    /// agree with its checksum or its size.
    Damaged { frame_at: u64, what: String, whole: bool },
    /// What begins at this byte, behind the last frame, is none.
    Trailing { at: u64 },
    /// A frame wants a larger window than is allowed.
    Window { frame_at: u64, needs: u64, limit: u64 },
    /// A frame wants a dictionary that is not in it.
    Dictionary { frame_at: u64, id: u32 },
    /// More came out than is allowed, from so many bytes.
    Expansion { decoded: u64, stored: u64, limit: u64 },
}

impl End {
    /// The same with the byte at which its frame begins.
    pub(super) fn from(self, at: u64) -> Self {
        match self {
            End::Damaged { what, whole, .. } => End::Damaged { frame_at: at, what, whole },
            End::Window { needs, limit, .. } => End::Window { frame_at: at, needs, limit },
            End::Dictionary { id, .. } => End::Dictionary { frame_at: at, id },
            other => other,
        }
    }

    pub(super) fn damaged(what: impl Into<String>) -> Self {
        End::Damaged { frame_at: 0, what: what.into(), whole: false }
    }

    pub(super) fn contradicted(what: impl Into<String>) -> Self {
        End::Damaged { frame_at: 0, what: what.into(), whole: true }
    }
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = |byte: u64| ByteSize(byte).grouped();
        match self {
            End::Whole => f.write_str("whole"),
            End::Truncated { frame_at } => write!(f, "cut off inside the frame that begins at byte {}", at(*frame_at)),
            End::Damaged { frame_at, what, .. } => {
                write!(f, "the frame that begins at byte {} is damaged: {what}", at(*frame_at))
            }
            End::Trailing { at: from } => {
                write!(f, "the bytes from {} on, behind the last frame, belong to none", at(*from))
            }
            End::Window { frame_at, needs, limit } => write!(
                f,
                "the frame that begins at byte {} needs a window of {}, more than the {} allowed",
                at(*frame_at),
                ByteSize(*needs),
                ByteSize(*limit)
            ),
            End::Dictionary { frame_at, id } => {
                let at = at(*frame_at);
                write!(f, "the frame that begins at byte {at} needs dictionary {id}, which is not in it")
            }
            End::Expansion { decoded, stored, limit } => write!(
                f,
                "{} came out of {}, more than the {} that may: it may be a bomb, and is no AMI",
                ByteSize(*decoded),
                ByteSize(*stored),
                ByteSize(*limit)
            ),
        }
    }
}

impl Decoded {
    /// Whether checksums inside the stream speak for all of its frames.
    pub fn vouched(&self) -> bool {
        self.frames > 0 && self.frames == self.checksums
    }
}

impl fmt::Display for Decoded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(format) = self.format else { return f.write_str("no bytes") };
        match format {
            Format::Zeros => return write!(f, "{} of zeros, and nothing else", ByteSize(self.taken_bytes)),
            Format::None if self.taken_bytes > 0 => {
                f.write_str("no stream that is known here")?;
                let percent = |zeros: u64| zeros as f64 * 100.0 / self.taken_bytes as f64;
                return match self.zero_bytes {
                    Some(0) => Ok(()),
                    Some(zeros) => write!(f, "; {:.1} % of it in blocks of 512 zero bytes", percent(zeros)),
                    None => f.write_str(", though it begins like one"),
                };
            }
            Format::None => return f.write_str("no stream that is known here"),
            Format::Zstd | Format::Gzip | Format::Zlib => {}
        }
        let unit = match (format, self.frames) {
            (Format::Gzip, 1) => "member",
            (Format::Gzip, _) => "members",
            (_, 1) => "frame",
            _ => "frames",
        };
        write!(f, "{}, {} whole {unit}", format.name(), self.frames)?;
        if self.skippable_frames > 0 {
            write!(f, " and {} skippable", self.skippable_frames)?;
        }
        match (self.frames - self.checksums.min(self.frames), self.frames) {
            (_, 0) => {}
            (0, 1) => f.write_str(", its checksum right")?,
            (0, _) => f.write_str(", each with its checksum right")?,
            (_, 1) => f.write_str(", without a checksum")?,
            (without, _) => write!(f, ", {without} of them without a checksum")?,
        }
        write!(f, ", {} bytes decoded", ByteSize(self.decoded_bytes).grouped())?;
        if self.padding > 0 {
            write!(f, ", {} zeros behind it", self.padding)?;
        }
        match &self.end {
            End::Whole => Ok(()),
            // gzip (RFC 1952) calls its frames members.
            end if format == Format::Gzip => write!(f, "; {}", end.to_string().replace("frame", "member")),
            end => write!(f, "; {end}"),
        }
    }
}
