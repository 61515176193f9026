//! Decodes an object as a stream: zstd frames (RFC 8878), gzip members (RFC 1952) or zlib (RFC 1950).
//!
//! Every frame is decoded and compared with its own checksum and stated size. The decoded bytes are
//! discarded.

mod decoded;
mod gzip;
mod head;
mod plain;
mod zlib;
mod zstd;

#[cfg(test)]
mod tests;

pub use decoded::{Decoded, End, Format};

use crate::units::{GIB, KIB, MIB};
use gzip::Member;
use head::Head;
use plain::Plain;
use zlib::Zlib;
use zstd::Frame;

/// Limits of decoding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Largest window, in bytes, that a frame may require the decoder to keep.
    pub window: u64,
    /// Most bytes that may be produced. A ratio is no useful limit: a new volume full of zeros compresses as
    /// well as a decompression bomb.
    pub decoded: u64,
}

impl Default for Limits {
    /// 128 MiB of window, and 5,000 GiB of decoded data: EC2 stores no AMI with more than 5,000 GB before
    /// compression (EC2 User Guide, *Store and restore an AMI using S3*), read here as GiB.
    fn default() -> Self {
        Limits { window: 128 * MIB, decoded: 5_000 * GIB }
    }
}

/// Decoded bytes from which a first gzip member or zlib stream counts as recognised. If less is decoded
/// before a contradiction, the first bytes may resemble a header by chance. The four-byte magic number of
/// zstd does not occur by chance.
const RECOGNISED: u64 = 4 * KIB;
/// Size of the output buffer in bytes.
const SCRATCH: usize = 128 << 10;

/// Decodes a stream from pieces of any size.
pub struct Stream {
    limits: Limits,
    /// Bytes taken so far.
    at: u64,
    /// Offset where the current frame starts.
    frame_at: u64,
    /// Bytes decoded from the current frame.
    frame_out: u64,
    decoded: Decoded,
    state: State,
    /// Whether all bytes so far were counted for zeros.
    counted: bool,
    scratch: Vec<u8>,
}

enum State {
    /// Start of the next frame, or of the bytes in its place.
    Head(Head),
    Zstd(Box<Frame>),
    Gzip(Box<Member>),
    Zlib(Box<Zlib>),
    /// Inside a skippable frame, with the number of bytes left.
    Skip(u64),
    /// Zeros after a gzip member.
    Padding,
    Plain(Plain),
    Ended,
}

/// Result of passing bytes to a frame.
enum Step {
    /// It consumed all of them.
    More,
    /// It ended after `used` bytes. `checksum`: whether it carries a checksum, which matched.
    Frame { used: usize, checksum: bool },
    /// It cannot continue.
    Stop(End),
}

/// Scratch space and counters for decoded bytes.
struct Out<'a> {
    scratch: &'a mut [u8],
    limits: Limits,
    /// Bytes of the object taken before this piece.
    stored: u64,
    /// Bytes decoded from earlier frames.
    decoded: u64,
    frame: &'a mut u64,
}

impl Out<'_> {
    /// Counts `came` decoded bytes after `used` bytes of the piece.
    fn count(&mut self, used: usize, came: usize) -> Result<(), End> {
        *self.frame += came as u64;
        let (decoded, stored) = (self.decoded + *self.frame, self.stored + used as u64);
        if decoded > self.limits.decoded {
            return Err(End::Expansion { decoded, stored, limit: self.limits.decoded });
        }
        Ok(())
    }
}

impl Stream {
    /// A decoder that has seen no bytes.
    pub fn new(limits: Limits) -> Self {
        Stream {
            limits,
            at: 0,
            frame_at: 0,
            frame_out: 0,
            decoded: Decoded::default(),
            state: State::Head(Head::default()),
            counted: false,
            scratch: vec![0; SCRATCH],
        }
    }

    /// Takes the next bytes, in pieces of any size.
    pub fn take(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let used = self.step(bytes);
            self.at += used as u64;
            bytes = bytes.get(used..).unwrap_or_default();
        }
    }

    /// Consumes at least one of the bytes and returns how many.
    fn step(&mut self, bytes: &[u8]) -> usize {
        let mut out = Out {
            scratch: &mut self.scratch,
            limits: self.limits,
            stored: self.at,
            decoded: self.decoded.decoded_bytes,
            frame: &mut self.frame_out,
        };
        let step = match &mut self.state {
            State::Head(head) => {
                let first = bytes.first().copied().unwrap_or_default();
                let found = head.push(first, self.decoded.format, self.limits);
                self.begin_frame(found);
                return 1;
            }
            State::Skip(left) => {
                let used = usize::try_from(*left).unwrap_or(usize::MAX).min(bytes.len());
                *left -= used as u64;
                if *left == 0 {
                    self.decoded.skippable_frames += 1;
                    self.next_head(self.at + used as u64);
                }
                return used;
            }
            State::Padding => {
                match bytes.iter().position(|byte| *byte != 0) {
                    None => self.decoded.padding += bytes.len() as u64,
                    Some(_) => self.end_at(End::Trailing { at: self.frame_at }),
                }
                return bytes.len();
            }
            State::Plain(plain) => {
                plain.take(bytes);
                return bytes.len();
            }
            State::Ended => return bytes.len(),
            State::Zstd(frame) => frame.take(bytes, &mut out),
            State::Gzip(member) => member.take(bytes, &mut out),
            State::Zlib(zlib) => zlib.take(bytes, &mut out),
        };
        match step {
            Step::More => bytes.len(),
            Step::Frame { used, checksum } => {
                self.decoded.frames += 1;
                self.decoded.checksums += u64::from(checksum);
                self.decoded.decoded_bytes += std::mem::take(&mut self.frame_out);
                self.next_head(self.at + used as u64);
                // A frame always consumes at least one byte, so the loop advances.
                used.max(1)
            }
            Step::Stop(end) => {
                self.abort_frame(end);
                bytes.len()
            }
        }
    }

    fn begin_frame(&mut self, found: head::Found) {
        use head::Found;
        match found {
            Found::More => {}
            Found::Zstd(frame) => {
                self.decoded.format = Some(Format::Zstd);
                self.decoded.window = self.decoded.window.max(frame.window());
                self.state = State::Zstd(frame);
            }
            Found::Skippable { bytes: 0 } => {
                self.decoded.skippable_frames += 1;
                self.next_head(self.at + 1);
            }
            Found::Skippable { bytes } => self.state = State::Skip(bytes),
            Found::Gzip(member) => {
                self.decoded.format = Some(Format::Gzip);
                self.state = State::Gzip(member);
            }
            Found::Zlib(zlib) => {
                self.decoded.format = Some(Format::Zlib);
                self.state = State::Zlib(zlib);
            }
            Found::Stop(end) => {
                self.decoded.format = Some(Format::Zstd);
                self.end_at(end);
            }
            Found::Nothing(head) if self.decoded.frames == 0 => self.treat_as_plain(&head),
            Found::Nothing(head) => {
                if self.decoded.format == Some(Format::Gzip) && head.iter().all(|byte| *byte == 0) {
                    self.decoded.padding = head.len() as u64;
                    self.state = State::Padding;
                } else {
                    self.end_at(End::Trailing { at: self.frame_at });
                }
            }
        }
    }

    fn next_head(&mut self, at: u64) {
        self.frame_at = at;
        if self.decoded.frames > 0 {
            self.decoded.good_bytes = at;
        }
        self.state = State::Head(Head::default());
    }

    /// Ends a frame that cannot continue: reported as damage, unless nothing shows that it was a frame.
    fn abort_frame(&mut self, end: End) {
        let format = self.decoded.format;
        let shown = self.decoded.frames > 0 || self.frame_out >= RECOGNISED || format == Some(Format::Zstd);
        // One object in a thousand starts with two bytes that are a valid zlib header, and such a stream soon
        // ends.
        let ended = matches!(end, End::Damaged { whole: true, .. }) && format == Some(Format::Gzip);
        if shown || ended {
            self.end_at(end);
        } else {
            self.treat_as_plain(&[]);
        }
    }

    fn end_at(&mut self, end: End) {
        self.decoded.decoded_bytes += std::mem::take(&mut self.frame_out);
        self.decoded.end = end.from(self.frame_at);
        self.state = State::Ended;
    }

    fn treat_as_plain(&mut self, head: &[u8]) {
        self.decoded = Decoded { format: Some(Format::None), ..Decoded::default() };
        self.frame_out = 0;
        self.counted = self.frame_at == 0 && !head.is_empty();
        let mut plain = Plain::default();
        plain.take(head);
        self.state = State::Plain(plain);
    }

    /// The result, after the last byte was taken.
    pub fn finish(mut self) -> Decoded {
        match std::mem::replace(&mut self.state, State::Ended) {
            State::Head(_) if self.at == 0 => {}
            State::Head(head) if self.decoded.frames == 0 && head.bytes().starts_with(&zstd::MAGIC) => {
                self.decoded.format = Some(Format::Zstd);
                self.end_at(End::Truncated { frame_at: self.frame_at });
            }
            State::Head(head) if self.decoded.frames == 0 => self.treat_as_plain(head.bytes()),
            State::Head(head) if head.bytes().is_empty() => self.decoded.end = End::Whole,
            State::Head(head) if self.decoded.format == Some(Format::Gzip) && head.bytes().iter().all(|b| *b == 0) => {
                self.decoded.padding = head.bytes().len() as u64;
                self.decoded.end = End::Whole;
            }
            State::Head(_) => self.end_at(End::Trailing { at: self.frame_at }),
            State::Zstd(_) | State::Gzip(_) | State::Zlib(_) | State::Skip(_) => {
                let least = if self.decoded.format == Some(Format::Zlib) { RECOGNISED } else { 1 };
                let shown =
                    self.decoded.frames > 0 || self.frame_out >= least || self.decoded.format == Some(Format::Zstd);
                if shown {
                    self.end_at(End::Truncated { frame_at: self.frame_at });
                } else {
                    self.treat_as_plain(&[]);
                }
            }
            State::Padding => self.decoded.end = End::Whole,
            State::Plain(plain) => self.state = State::Plain(plain),
            State::Ended => {}
        }
        if let State::Plain(plain) = &self.state {
            self.decoded.end = End::Whole;
            self.decoded.zero_bytes = self.counted.then(|| plain.zeros());
            self.decoded.decoded_bytes = self.at;
            self.decoded.good_bytes = self.at;
            if self.counted && plain.zeros() == self.at {
                self.decoded.format = Some(Format::Zeros);
            }
        }
        self.decoded.taken_bytes = self.at;
        self.decoded
    }
}
