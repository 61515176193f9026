//! **The lab's own** packing of disk images into one object. It is not AWS's:
//! the inner format of stored AMI objects is unpublished, and nothing here
//! says anything about it. It exists so that rehearsal objects have the size
//! and the grain of compressed disks.
//!
//! | bytes | what |
//! |---|---|
//! | 8 | `LABPACK1` |
//! | 4 | number of images, little-endian |
//! | 8 for each image | its length in bytes, little-endian |
//! | the rest | one Zstandard frame with content checksum (RFC 8878) for each image |

use std::io::{self, BufRead, Read, Write};

const MAGIC: &[u8; 8] = b"LABPACK1";

/// A compression level that is faster than reading a disk.
const LEVEL: i32 = 1;

/// More images than any AMI has volumes; guards `unpack` against wild counts.
const MOST_IMAGES: u32 = 1024;

/// Packs images, each given with its length in bytes.
///
/// # Errors
///
/// There are too many images, an image does not have its stated length, or reading or writing fails.
pub fn pack<R: Read>(images: Vec<(u64, R)>, mut out: impl Write) -> io::Result<()> {
    out.write_all(MAGIC)?;
    let count = u32::try_from(images.len()).ok().filter(|count| *count <= MOST_IMAGES);
    out.write_all(&count.ok_or_else(|| invalid("too many images"))?.to_le_bytes())?;
    for (len, _) in &images {
        out.write_all(&len.to_le_bytes())?;
    }
    for (len, mut image) in images {
        let mut frame = zstd::Encoder::new(&mut out, LEVEL)?;
        frame.include_checksum(true)?;
        if io::copy(&mut image, &mut frame)? != len {
            return Err(invalid("an image is not as long as was said"));
        }
        frame.finish()?;
    }
    out.flush()
}

/// Unpacks each image into the writer that `open` returns for its index and its length in bytes.
///
/// # Errors
///
/// The input is not in the lab's packing, is truncated or damaged, or reading or writing fails.
pub fn unpack<W: Write>(mut packed: impl BufRead, mut open: impl FnMut(usize, u64) -> io::Result<W>) -> io::Result<()> {
    if read_array(&mut packed)? != *MAGIC {
        return Err(invalid("this is no object of the lab's packing"));
    }
    let count = u32::from_le_bytes(read_array(&mut packed)?);
    if count > MOST_IMAGES {
        return Err(invalid("too many images"));
    }
    let lengths: Vec<u64> =
        (0..count).map(|_| Ok(u64::from_le_bytes(read_array(&mut packed)?))).collect::<io::Result<_>>()?;
    for (index, len) in lengths.into_iter().enumerate() {
        let mut out = open(index, len)?;
        let mut frame = zstd::Decoder::with_buffer(packed)?.single_frame();
        // Reading one byte more than expected shows whether the image is too long.
        let written = io::copy(&mut frame.by_ref().take(len.saturating_add(1)), &mut out)?;
        if written != len {
            return Err(invalid("an image is not as long as the header says"));
        }
        out.flush()?;
        packed = frame.finish();
    }
    if packed.fill_buf()?.is_empty() { Ok(()) } else { Err(invalid("there are bytes behind the last image")) }
}

fn read_array<const N: usize>(packed: &mut impl Read) -> io::Result<[u8; N]> {
    let mut array = [0; N];
    packed.read_exact(&mut array)?;
    Ok(array)
}

fn invalid(problem: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, problem)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::DiskImage;

    fn packed() -> (Vec<Vec<u8>>, Vec<u8>) {
        let images: Vec<Vec<u8>> = [(1, 9 << 20), (2, (8 << 20) + 13)]
            .into_iter()
            .map(|(seed, size)| {
                let mut bytes = Vec::new();
                DiskImage::new(seed, size).unwrap().reader().read_to_end(&mut bytes).unwrap();
                bytes
            })
            .collect();
        let mut packed = Vec::new();
        pack(images.iter().map(|image| (image.len() as u64, &image[..])).collect(), &mut packed).unwrap();
        (images, packed)
    }

    fn unpack_all(packed: &[u8]) -> io::Result<Vec<Vec<u8>>> {
        let files = std::cell::RefCell::new(Vec::<Vec<u8>>::new());
        struct Into<'a>(&'a std::cell::RefCell<Vec<Vec<u8>>>, usize);
        impl Write for Into<'_> {
            fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
                self.0.borrow_mut()[self.1].write(bytes)
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        unpack(packed, |index, _| {
            files.borrow_mut().push(Vec::new());
            Ok(Into(&files, index))
        })?;
        Ok(files.into_inner())
    }

    #[test]
    fn what_goes_in_comes_out() {
        let (images, packed) = packed();
        assert!(unpack_all(&packed).unwrap() == images);
        let raw: usize = images.iter().map(Vec::len).sum();
        assert!(packed.len() < raw * 2 / 3 && packed.len() > raw / 10, "{} of {raw}", packed.len());
    }

    #[test]
    fn damage_is_an_error() {
        let (_, packed) = packed();
        for at in [0, 9, 13, packed.len() / 2, packed.len() - 2] {
            let mut damaged = packed.clone();
            damaged[at] ^= 0x10;
            assert!(unpack_all(&damaged).is_err(), "byte {at}");
        }
        assert!(unpack_all(&packed[..packed.len() - 1]).is_err());
        assert!(unpack_all(&[&packed[..], b"x"].concat()).is_err());
    }
}
