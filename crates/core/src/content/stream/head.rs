use super::gzip::{self, Member};
use super::zlib::{self, Zlib};
use super::zstd::{self, Frame, Header, Parsed};
use super::{End, Format, Limits};

/// The bytes of a frame header received so far.
#[derive(Debug, Default)]
pub(super) struct Head(Vec<u8>);

/// What the first bytes of a frame identify.
pub(super) enum Found {
    More,
    Zstd(Box<Frame>),
    /// A skippable zstd frame, with the number of bytes it contains (RFC 8878, 3.1.2).
    Skippable {
        bytes: u64,
    },
    Gzip(Box<Member>),
    Zlib(Box<Zlib>),
    /// A frame that cannot be decoded here.
    Stop(End),
    /// Not a frame; returns the bytes received.
    Nothing(Vec<u8>),
}

impl Head {
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// Adds the next byte. After a first frame, only frames of the same format may follow.
    pub(crate) fn push(&mut self, byte: u8, known: Option<Format>, limits: Limits) -> Found {
        self.0.push(byte);
        let may = |format| known.is_none_or(|known| known == format);
        let found = match self.0.as_slice() {
            bytes if may(Format::Zstd) && zstd::MAGIC.starts_with(bytes) => Found::More,
            bytes if may(Format::Zstd) && bytes.starts_with(&zstd::MAGIC) => match Header::parse(bytes) {
                Parsed::More if bytes.len() < zstd::LONGEST_HEADER => Found::More,
                Parsed::More | Parsed::Wrong => Found::Nothing(Vec::new()),
                Parsed::Header(header) => match Frame::new(header, limits) {
                    Ok(frame) => Found::Zstd(Box::new(frame)),
                    Err(end) => Found::Stop(end),
                },
            },
            bytes if may(Format::Zstd) && is_skippable(bytes) => match bytes {
                [_, _, _, _, a, b, c, d] => Found::Skippable { bytes: u64::from(u32::from_le_bytes([*a, *b, *c, *d])) },
                _ => Found::More,
            },
            bytes if may(Format::Gzip) && gzip::MAGIC.starts_with(bytes) => Found::More,
            [a, b, c, flags] if may(Format::Gzip) && [*a, *b, *c] == gzip::MAGIC && flags & gzip::RESERVED == 0 => {
                Found::Gzip(Box::new(Member::new([*a, *b, *c, *flags])))
            }
            [method] if known.is_none() && method & 0x0F == 8 && method >> 4 <= 7 => Found::More,
            [method, flags] if known.is_none() && zlib::is_head([*method, *flags]) => {
                Found::Zlib(Box::new(Zlib::new([*method, *flags])))
            }
            _ => Found::Nothing(Vec::new()),
        };
        match found {
            Found::Nothing(_) => Found::Nothing(std::mem::take(&mut self.0)),
            other => other,
        }
    }
}

/// Magic numbers 0x184D2A50 to 0x184D2A5F, little-endian.
fn is_skippable(bytes: &[u8]) -> bool {
    bytes.iter().zip([0x50u8, 0x2A, 0x4D, 0x18]).enumerate().all(|(index, (byte, magic))| {
        let byte = if index == 0 { byte & 0xF0 } else { *byte };
        byte == magic
    })
}
