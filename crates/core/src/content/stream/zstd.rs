use zstd::zstd_safe::{DCtx, DParameter, InBuffer, OutBuffer, get_error_name};

use super::{End, Limits, Out, Step};

pub(super) const MAGIC: [u8; 4] = [0x28, 0xB5, 0x2F, 0xFD];
/// The longest frame header: magic number, descriptor, window, dictionary id, content size.
pub(super) const LONGEST_HEADER: usize = 4 + 1 + 1 + 4 + 8;
const CHECKSUM: u8 = 0b100;
/// The smallest window is 1 KiB (RFC 8878, 3.1.1.1.2).
const SMALLEST_LOG: u32 = 10;

/// A frame header (RFC 8878, 3.1.1.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Header {
    /// Bytes of decoded data that the decoder must keep.
    pub window: u64,
    pub content: Option<u64>,
    pub checksum: bool,
    pub dictionary: u32,
}

/// Result of parsing the first bytes of a frame.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Parsed {
    More,
    Header(Header),
    Wrong,
}

impl Header {
    pub(crate) fn parse(bytes: &[u8]) -> Parsed {
        let Some(descriptor) = bytes.get(4).copied() else { return Parsed::More };
        if descriptor & 0b1000 != 0 {
            return Parsed::Wrong;
        }
        let single = descriptor & 0b10_0000 != 0;
        let dictionary_bytes = match descriptor & 0b11 {
            3 => 4,
            short => usize::from(short),
        };
        let content_bytes = match (descriptor >> 6, single) {
            (0, false) => 0,
            (0, true) => 1,
            (1, _) => 2,
            (2, _) => 4,
            _ => 8,
        };
        let window_bytes = usize::from(!single);
        let (dictionary_at, content_at) = (5 + window_bytes, 5 + window_bytes + dictionary_bytes);
        if bytes.len() < content_at + content_bytes {
            return Parsed::More;
        }
        let number = |at: usize, length: usize| {
            let bytes = bytes.get(at..at + length).unwrap_or_default();
            bytes.iter().rev().fold(0u64, |number, byte| number << 8 | u64::from(*byte))
        };
        let content = match content_bytes {
            0 => None,
            2 => Some(number(content_at, 2) + 256),
            length => Some(number(content_at, length)),
        };
        let window = if single { content.unwrap_or_default() } else { window(number(5, 1) as u8) };
        let dictionary = number(dictionary_at, dictionary_bytes) as u32;
        Parsed::Header(Header { window, content, checksum: descriptor & CHECKSUM != 0, dictionary })
    }

    /// The smallest window that a descriptor byte can express and that covers this frame's window, with that
    /// byte.
    fn stated(&self) -> Option<(u64, u8)> {
        let windows = (0..=u8::MAX).map(|byte| (window(byte), byte));
        windows.into_iter().find(|(window, _)| *window >= self.window)
    }
}

/// The window in bytes: a power of two plus eighths of it (RFC 8878, 3.1.1.1.2).
fn window(descriptor: u8) -> u64 {
    let base = 1u64 << (SMALLEST_LOG + u32::from(descriptor >> 3));
    base + base / 8 * u64::from(descriptor & 0b111)
}

/// A frame that is being decoded.
///
/// The decoder gets a substitute header with the same window but without the content size. So a wrong content
/// size is distinguished from damaged blocks.
pub(super) struct Frame {
    header: Header,
    decoder: DCtx<'static>,
}

impl Frame {
    pub(crate) fn new(header: Header, limits: Limits) -> Result<Self, End> {
        if header.dictionary != 0 {
            return Err(End::Dictionary { frame_at: 0, id: header.dictionary });
        }
        let too_large = |needs| End::Window { frame_at: 0, needs, limit: limits.window };
        let (needs, descriptor_of_window) = header.stated().ok_or_else(|| too_large(header.window))?;
        // The decoder accepts only powers of two up to 2 GiB as a limit.
        let log = u64::BITS - needs.saturating_sub(1).leading_zeros();
        if needs > limits.window || log > 31 {
            return Err(too_large(needs));
        }
        let failed = |_| End::damaged("the decoder could not be set up");
        let mut decoder = DCtx::try_create().ok_or_else(|| End::damaged("there is no memory for a decoder"))?;
        decoder.set_parameter(DParameter::WindowLogMax(log)).map_err(failed)?;
        let descriptor = if header.checksum { CHECKSUM } else { 0 };
        let [a, b, c, d] = MAGIC;
        let own = [a, b, c, d, descriptor, descriptor_of_window];
        let (mut input, mut nothing) = (InBuffer::around(&own), [0u8; 0]);
        decoder.decompress_stream(&mut OutBuffer::around(&mut nothing[..]), &mut input).map_err(failed)?;
        Ok(Frame { header, decoder })
    }

    pub(crate) fn window(&self) -> u64 {
        self.header.window
    }

    pub(crate) fn take(&mut self, bytes: &[u8], out: &mut Out<'_>) -> Step {
        let mut input = InBuffer::around(bytes);
        loop {
            let mut output = OutBuffer::around(&mut *out.scratch);
            let left = self.decoder.decompress_stream(&mut output, &mut input);
            let (came, full) = (output.pos(), output.pos() == output.capacity());
            if let Err(end) = out.count(input.pos(), came) {
                return Step::Stop(end);
            }
            match left {
                Err(code) => {
                    let what = get_error_name(code);
                    let checksum = what.contains("checksum");
                    return Step::Stop(if checksum {
                        End::contradicted("its content does not match its checksum")
                    } else {
                        End::damaged(what.to_lowercase())
                    });
                }
                Ok(0) => return self.ended(input.pos(), *out.frame),
                Ok(_) if input.pos() == bytes.len() && !full => return Step::More,
                Ok(_) => {}
            }
        }
    }

    fn ended(&self, used: usize, came: u64) -> Step {
        match self.header.content {
            Some(stated) if stated != came => {
                Step::Stop(End::contradicted(format!("it states {stated} bytes, and {came} were decoded")))
            }
            _ => Step::Frame { used, checksum: self.header.checksum },
        }
    }
}
