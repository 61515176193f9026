use bytes::{Buf as _, Bytes, BytesMut};

use super::{Code, S3Error};

/// Longest line of framing or trailer that is accepted, in bytes.
const LONGEST_LINE: usize = 4096;

/// Undoes the `aws-chunked` content encoding: chunks of
/// `HEX-SIZE[;chunk-signature=…]`, the bytes, then trailers behind the chunk of
/// size 0 (S3 API reference, *Signature calculations: transferring payload in
/// multiple chunks*). Chunk signatures are not checked.
#[derive(Debug, Default)]
pub(super) struct AwsChunked {
    state: State,
    line: BytesMut,
    trailers: Vec<(String, String)>,
}

#[derive(Debug, Default, PartialEq)]
enum State {
    #[default]
    Size,
    Data(u64),
    /// The line break behind a chunk's bytes.
    Break,
    Trailer,
    Done,
}

impl AwsChunked {
    /// Takes bytes as they arrive and hands the payload in them to `sink`.
    pub(super) fn push(&mut self, mut input: Bytes, mut sink: impl FnMut(Bytes)) -> Result<(), S3Error> {
        while !input.is_empty() {
            if let State::Data(left) = &mut self.state {
                let now = input.split_to((*left).min(input.len() as u64) as usize);
                *left -= now.len() as u64;
                if *left == 0 {
                    self.state = State::Break;
                }
                sink(now);
                continue;
            }
            if self.state == State::Done {
                return Ok(());
            }
            let Some(line) = self.take_line(&mut input)? else { return Ok(()) };
            self.line_read(&line)?;
        }
        Ok(())
    }

    /// The trailers, once the last chunk has been seen.
    pub(super) fn finish(self) -> Result<Vec<(String, String)>, S3Error> {
        match self.state {
            // Some clients leave out the last empty line.
            State::Done | State::Trailer => Ok(self.trailers),
            State::Size | State::Data(_) | State::Break => Err(Code::IncompleteBody.error()),
        }
    }

    fn line_read(&mut self, line: &str) -> Result<(), S3Error> {
        self.state = match self.state {
            State::Size => {
                let size = line.split(';').next().unwrap_or_default().trim();
                match u64::from_str_radix(size, 16) {
                    Ok(0) => State::Trailer,
                    Ok(size) => State::Data(size),
                    Err(_) => return Err(Code::InvalidRequest.because("The chunk size is not a hexadecimal number")),
                }
            }
            State::Break if line.is_empty() => State::Size,
            State::Break => return Err(Code::InvalidRequest.because("A chunk is longer than its size says")),
            State::Trailer if line.is_empty() => State::Done,
            _ => {
                if let Some((name, value)) = line.split_once(':') {
                    self.trailers.push((name.trim().to_ascii_lowercase(), value.trim().to_owned()));
                }
                State::Trailer
            }
        };
        Ok(())
    }

    fn take_line(&mut self, input: &mut Bytes) -> Result<Option<String>, S3Error> {
        let end = input.iter().position(|byte| *byte == b'\n');
        let piece = input.split_to(end.unwrap_or(input.len()));
        if self.line.len() + piece.len() > LONGEST_LINE {
            return Err(Code::InvalidRequest.because("A line of the chunked encoding is too long"));
        }
        self.line.extend_from_slice(&piece);
        if end.is_none() {
            return Ok(None);
        }
        input.advance(1);
        let line = self.line.split();
        Ok(Some(String::from_utf8_lossy(&line).trim_end_matches('\r').to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &[u8] = b"5;chunk-signature=00\r\nhello\r\n7\r\n, world\r\n0\r\nX-Amz-Checksum-Crc32: AAAA\r\n\r\n";

    type Decoded = (Vec<u8>, Vec<(String, String)>);

    fn decode(body: &[u8], step: usize) -> Result<Decoded, S3Error> {
        let mut decoder = AwsChunked::default();
        let mut out = Vec::new();
        for piece in body.chunks(step) {
            decoder.push(Bytes::copy_from_slice(piece), |bytes| out.extend_from_slice(&bytes))?;
        }
        Ok((out, decoder.finish()?))
    }

    #[test]
    fn wherever_the_network_cuts_it() {
        for step in 1..=BODY.len() {
            let (out, trailers) = decode(BODY, step).unwrap();
            assert_eq!(out, b"hello, world", "pieces of {step}");
            assert_eq!(trailers, [("x-amz-checksum-crc32".to_owned(), "AAAA".to_owned())]);
        }
    }

    #[test]
    fn what_is_wrong_is_refused() {
        for body in [&b"zz\r\n"[..], b"2\r\nabc\r\n0\r\n\r\n", b"5\r\nhel", b"", b"3\r\nabc\r\n"] {
            assert!(decode(body, 3).is_err(), "{}", String::from_utf8_lossy(body));
        }
        assert!(decode(&[b'1'; LONGEST_LINE + 1], 100).is_err());
    }
}
