use std::collections::BTreeSet;
use std::io::{BufRead, Read};

use crate::ident::ObjectUri;

/// The most objects that one run accepts from files. By default, an account holds 50,000 AMIs per Region (EC2
/// quotas).
const MOST_OBJECTS: usize = 500_000;
/// Limit for the total length of their addresses in bytes.
const MOST_BYTES: usize = 64 << 20;
/// Limit for a line of a list in bytes. A key has up to 1,024 bytes, three times as many in percent encoding.
const MOST_LINE: u64 = 8 << 10;

/// Distinct objects named by files, within limits.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Objects {
    set: BTreeSet<ObjectUri>,
    bytes: usize,
}

impl Objects {
    /// Adds an object.
    ///
    /// # Errors
    ///
    /// When there are too many objects; the text is for the user.
    pub fn add(&mut self, object: ObjectUri) -> Result<(), String> {
        let bytes = object.bucket.len() + object.key.len() + object.version.as_ref().map_or(0, String::len);
        if !self.set.insert(object) {
            return Ok(());
        }
        self.bytes = self.bytes.saturating_add(bytes);
        if self.set.len() > MOST_OBJECTS || self.bytes > MOST_BYTES {
            return Err(format!(
                "names more than {MOST_OBJECTS} objects, or more than {} MiB of names; divide it",
                MOST_BYTES >> 20
            ));
        }
        Ok(())
    }

    /// The objects.
    pub fn into_set(self) -> BTreeSet<ObjectUri> {
        self.set
    }
}

/// Reads a file that names one object per line. Empty lines and lines that start with `#` are ignored.
///
/// # Errors
///
/// When reading fails, a line is too long or not an object, or there are no objects or too many; the text is
/// for the user.
pub fn objects_in(mut input: impl BufRead) -> Result<BTreeSet<ObjectUri>, String> {
    let mut found = Objects::default();
    let mut line = Vec::new();
    for number in 1.. {
        let wrong = |problem: String| format!("line {number}: {problem}");
        line.clear();
        let got = input.by_ref().take(MOST_LINE).read_until(b'\n', &mut line).map_err(|error| error.to_string())?;
        if got == 0 {
            break;
        }
        if got as u64 == MOST_LINE && !line.ends_with(b"\n") {
            return Err(wrong(format!("is longer than {MOST_LINE} bytes, the limit for a line")));
        }
        let text = std::str::from_utf8(&line).map_err(|_| wrong("is not UTF-8 text".to_owned()))?;
        let text = if number == 1 { text.trim_start_matches('\u{feff}') } else { text }.trim();
        if text.is_empty() || text.starts_with('#') {
            continue;
        }
        found
            .add(text.parse().map_err(|error: crate::ident::ParseTargetError| wrong(error.to_string()))?)
            .map_err(wrong)?;
    }
    let objects = found.into_set();
    if objects.is_empty() { Err("names no object".to_owned()) } else { Ok(objects) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_has_an_object_a_line() {
        let read = |list: &str| objects_in(list.as_bytes());
        let list = "\u{feff}# weekly\r\n\ns3://b/ami-00000001.bin\r\n  s3://b/x  \ns3://b/x";
        assert_eq!(read(list).unwrap().len(), 2);
        assert!(read("s3://b/x\nno").unwrap_err().starts_with("line 2: "));
        assert!(read("# none").is_err());
        assert!(objects_in(&b"s3://b/\xff"[..]).unwrap_err().contains("UTF-8"));
    }

    #[test]
    fn a_line_without_an_end_and_too_many_objects_are_refused() {
        let error = objects_in(std::io::BufReader::new(std::io::repeat(b'a'))).unwrap_err();
        assert!(error.contains("line 1: is longer than 8192 bytes"), "{error}");
        struct Endless(u64, Vec<u8>);
        impl Read for Endless {
            fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
                if self.1.is_empty() {
                    self.0 += 1;
                    self.1 = format!("s3://b/{:0>900}\n", self.0).into_bytes();
                }
                let taken = self.1.len().min(buffer.len());
                buffer[..taken].copy_from_slice(&self.1[..taken]);
                self.1.drain(..taken);
                Ok(taken)
            }
        }
        let error = objects_in(std::io::BufReader::new(Endless(0, Vec::new()))).unwrap_err();
        assert!(error.contains("names more than"), "{error}");
    }
}
