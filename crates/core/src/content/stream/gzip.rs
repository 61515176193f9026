use flate2::{Decompress, FlushDecompress, Status};

use super::{End, Out, Step};
use crate::checksum::{Algorithm, Hasher};

pub(super) const MAGIC: [u8; 3] = [0x1F, 0x8B, 8];
const HEADER_CRC: u8 = 0b10;
const EXTRA: u8 = 0b100;
const NAME: u8 = 0b1000;
const COMMENT: u8 = 0b1_0000;
/// Bits that must be zero (RFC 1952, 2.3.1.2).
pub(super) const RESERVED: u8 = 0b1110_0000;

/// A gzip member (RFC 1952, 2.3) after its first four bytes.
pub(super) struct Member {
    flags: u8,
    header: Hasher,
    place: Place,
    inflate: Decompress,
    crc: Hasher,
}

/// The field that the next byte belongs to.
enum Place {
    /// Modification time, extra flags and operating system, with the number of bytes left.
    Fixed(u8),
    /// The length of the extra field, with its first byte once known.
    ExtraLength(Option<u8>),
    Extra(u16),
    Name,
    Comment,
    HeaderCrc(Option<u8>),
    Body,
    Trailer(Vec<u8>),
}

impl Member {
    pub(crate) fn new(head: [u8; 4]) -> Self {
        let mut header = Hasher::new(Algorithm::Crc32);
        header.update(&head);
        let [_, _, _, flags] = head;
        Member {
            flags,
            header,
            place: Place::Fixed(6),
            inflate: Decompress::new(false),
            crc: Hasher::new(Algorithm::Crc32),
        }
    }

    pub(crate) fn take(&mut self, bytes: &[u8], out: &mut Out<'_>) -> Step {
        let mut used = 0;
        while let Some(rest) = bytes.get(used..).filter(|rest| !rest.is_empty()) {
            let step = match &mut self.place {
                Place::Body => match inflate(&mut self.inflate, rest, out, used, |came| self.crc.update(came)) {
                    Inflated::More => return Step::More,
                    Inflated::Ended(now) => {
                        used += now;
                        self.place = Place::Trailer(Vec::new());
                        continue;
                    }
                    Inflated::Stop(end) => Err(end),
                },
                Place::Trailer(held) => {
                    let take = rest.len().min(8 - held.len().min(8));
                    held.extend(rest.iter().take(take));
                    used += take;
                    match <[u8; 8]>::try_from(held.as_slice()) {
                        Ok(trailer) => return self.ended(trailer, used, *out.frame),
                        Err(_) => return Step::More,
                    }
                }
                _ => {
                    used += 1;
                    self.header_byte(rest.first().copied().unwrap_or_default())
                }
            };
            if let Err(end) = step {
                return Step::Stop(end);
            }
        }
        Step::More
    }

    fn header_byte(&mut self, byte: u8) -> Result<(), End> {
        if !matches!(self.place, Place::HeaderCrc(_)) {
            self.header.update(&[byte]);
        }
        let next = match self.place {
            Place::Fixed(1) => self.after(EXTRA),
            Place::Fixed(left) => Some(Place::Fixed(left.saturating_sub(1))),
            Place::ExtraLength(None) => Some(Place::ExtraLength(Some(byte))),
            Place::ExtraLength(Some(low)) => match u16::from_le_bytes([low, byte]) {
                0 => self.after(NAME),
                length => Some(Place::Extra(length)),
            },
            Place::Extra(1) => self.after(NAME),
            Place::Extra(left) => Some(Place::Extra(left.saturating_sub(1))),
            Place::Name if byte == 0 => self.after(COMMENT),
            Place::Comment if byte == 0 => self.after(HEADER_CRC),
            Place::HeaderCrc(None) => Some(Place::HeaderCrc(Some(byte))),
            Place::HeaderCrc(Some(low)) => {
                let digest = std::mem::replace(&mut self.header, Hasher::new(Algorithm::Crc32)).finish();
                let stated = u16::from_le_bytes([low, byte]).to_be_bytes();
                if !digest.as_bytes().ends_with(&stated) {
                    return Err(End::damaged("its header does not match its checksum"));
                }
                Some(Place::Body)
            }
            Place::Name | Place::Comment | Place::Body | Place::Trailer(_) => None,
        };
        if let Some(next) = next {
            self.place = next;
        }
        Ok(())
    }

    /// The first field that is present, starting with the one of flag `from`.
    fn after(&self, from: u8) -> Option<Place> {
        let fields = [
            (EXTRA, Place::ExtraLength(None)),
            (NAME, Place::Name),
            (COMMENT, Place::Comment),
            (HEADER_CRC, Place::HeaderCrc(None)),
        ];
        let there = |(flag, _): &(u8, Place)| self.flags & flag != 0;
        let next = fields.into_iter().skip_while(|(flag, _)| *flag != from).find(there);
        Some(next.map_or(Place::Body, |(_, place)| place))
    }

    fn ended(&mut self, trailer: [u8; 8], used: usize, came: u64) -> Step {
        let [a, b, c, d, e, f, g, h] = trailer;
        let (crc, size) = (u32::from_le_bytes([a, b, c, d]), u32::from_le_bytes([e, f, g, h]));
        let digest = std::mem::replace(&mut self.crc, Hasher::new(Algorithm::Crc32)).finish();
        if digest.as_bytes() != crc.to_be_bytes() {
            return Step::Stop(End::contradicted("its content does not match its CRC32"));
        }
        // ISIZE is the size modulo 2^32 (RFC 1952, 2.3.1).
        if came as u32 != size {
            return Step::Stop(End::contradicted(format!(
                "it states {size} bytes modulo 2^32, and {came} were decoded"
            )));
        }
        Step::Frame { used, checksum: true }
    }
}

pub(super) enum Inflated {
    More,
    /// The deflate stream ended after this many input bytes.
    Ended(usize),
    Stop(End),
}

/// Inflates a piece of which `before` bytes were consumed earlier.
pub(super) fn inflate(
    inflate: &mut Decompress,
    bytes: &[u8],
    out: &mut Out<'_>,
    before: usize,
    mut see: impl FnMut(&[u8]),
) -> Inflated {
    let mut used = 0;
    loop {
        let rest = bytes.get(used..).unwrap_or_default();
        let (total_in, total_out) = (inflate.total_in(), inflate.total_out());
        let status = inflate.decompress(rest, out.scratch, FlushDecompress::None);
        let now = (inflate.total_in() - total_in) as usize;
        let came = (inflate.total_out() - total_out) as usize;
        used += now;
        see(out.scratch.get(..came).unwrap_or_default());
        if let Err(end) = out.count(before + used, came) {
            return Inflated::Stop(end);
        }
        match status {
            Err(error) if error.message() == Some("incorrect data check") => {
                return Inflated::Stop(End::contradicted("its content does not match its Adler-32"));
            }
            Err(error) => {
                let what = error.message().unwrap_or("its blocks cannot be decoded");
                return Inflated::Stop(End::damaged(what));
            }
            Ok(Status::StreamEnd) => return Inflated::Ended(used),
            Ok(_) if now == 0 && came == 0 => return Inflated::More,
            Ok(_) if used == bytes.len() && came < out.scratch.len() => return Inflated::More,
            Ok(_) => {}
        }
    }
}
