use std::fmt;

use crate::text::words;
use crate::units::ByteSize;

words! {
    /// A compressed format that is recognised.
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

/// Result of decoding a stream.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Decoded {
    /// `None` until the first bytes are recognised.
    pub format: Option<Format>,
    /// Number of complete zstd frames or gzip members.
    pub frames: u64,
    /// Number of skippable zstd frames (RFC 8878, 3.1.2).
    pub skippable_frames: u64,
    /// Number of complete frames that carry a checksum of their content, all of which matched.
    pub checksums: u64,
    /// The largest window of a zstd frame, in bytes.
    pub window: u64,
    /// Bytes that decoding produced.
    pub decoded_bytes: u64,
    /// Bytes of the object, from its start, that belong to complete frames.
    pub good_bytes: u64,
    /// Bytes of the object that were decoded or skipped.
    pub taken_bytes: u64,
    /// Zero bytes after the last gzip member, which gzip readers ignore.
    pub padding: u64,
    /// For an unrecognised format: bytes in blocks of 512 zero bytes. `None` if the object starts like a
    /// known format, because the first bytes were then not counted.
    pub zero_bytes: Option<u64>,
    /// How the stream ended.
    pub end: End,
}

/// How a stream ended.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum End {
    /// After a complete frame, or the object is not a stream.
    #[default]
    Whole,
    /// The object ends inside a frame.
    Truncated {
        /// Offset of the frame's first byte.
        frame_at: u64,
    },
    /// A frame contradicts itself.
    Damaged {
        /// Offset of the frame's first byte.
        frame_at: u64,
        /// The contradiction, for the report.
        what: String,
        /// Whether the frame decoded to its end and then did not match its checksum or its size.
        whole: bool,
    },
    /// The bytes after the last frame do not belong to a frame.
    Trailing {
        /// Offset of the first such byte.
        at: u64,
    },
    /// A frame needs a larger window than allowed.
    Window {
        /// Offset of the frame's first byte.
        frame_at: u64,
        /// Bytes of the window that the frame states.
        needs: u64,
        /// Bytes allowed by [`Limits::window`](super::Limits::window).
        limit: u64,
    },
    /// A frame needs an external dictionary.
    Dictionary {
        /// Offset of the frame's first byte.
        frame_at: u64,
        /// The dictionary's id (RFC 8878, 3.1.1.1.3).
        id: u32,
    },
    /// Decoding produced more bytes than allowed.
    Expansion {
        /// Bytes produced.
        decoded: u64,
        /// Bytes of the object that they came from.
        stored: u64,
        /// Bytes allowed by [`Limits::decoded`](super::Limits::decoded).
        limit: u64,
    },
}

impl End {
    /// The same ending with `frame_at` set.
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
                write!(f, "the bytes from {} on, behind the last frame, are not part of any frame", at(*from))
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
                "{} were decoded from {}, more than the {} allowed: this may be a decompression bomb",
                ByteSize(*decoded),
                ByteSize(*stored),
                ByteSize(*limit)
            ),
        }
    }
}

impl Decoded {
    /// Whether every frame carried a checksum of its content, all of which matched.
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
                f.write_str("not a known stream format")?;
                let percent = |zeros: u64| zeros as f64 * 100.0 / self.taken_bytes as f64;
                return match self.zero_bytes {
                    Some(0) => Ok(()),
                    Some(zeros) => write!(f, "; {:.1} % of it in blocks of 512 zero bytes", percent(zeros)),
                    None => f.write_str(", though it begins like one"),
                };
            }
            Format::None => return f.write_str("not a known stream format"),
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
            // RFC 1952 calls the frames of gzip members.
            end if format == Format::Gzip => write!(f, "; {}", end.to_string().replace("frame", "member")),
            end => write!(f, "; {end}"),
        }
    }
}
