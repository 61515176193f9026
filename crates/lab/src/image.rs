//! Disk images that compress and look like real ones, made from a seed.

use std::io::{self, Read};

use super::noise::Noise;
use stored_ami_core::units::{KIB, MIB};

/// Bytes of one kind of content in a row.
const EXTENT: usize = 64 << 10;

const SECTOR: u64 = 512;

/// First sector of the one partition, as partitioning tools align it: 1 MiB.
const PARTITION_SECTOR: u64 = 2048;

const WORDS: [&str; 16] = [
    "kernel",
    "mount",
    "/usr/lib",
    "systemd",
    "network",
    "service",
    "error:",
    "package",
    "user",
    "config",
    "=",
    "true",
    "127.0.0.1",
    "started",
    "#",
    "version",
];

/// Openings and closings of functions, calls and moves of x86-64 code.
const INSTRUCTIONS: [&[u8]; 8] = [
    &[0x55, 0x48, 0x89, 0xE5],
    &[0x48, 0x83, 0xEC, 0x20],
    &[0xE8],
    &[0x48, 0x8B, 0x45],
    &[0x89, 0xC7],
    &[0x0F, 0x1F, 0x44, 0x00, 0x00],
    &[0xC9, 0xC3],
    &[0x48, 0x8D, 0x35],
];

/// A disk image of at least 8 MiB: a boot record, one partition, something
/// like a superblock, text, machine code, random data, and holes.
///
/// It is a stand-in for the snapshots of an AMI in rehearsals; no system boots from it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DiskImage {
    seed: u64,
    size: u64,
}

impl DiskImage {
    /// Smallest image, in bytes.
    pub const SMALLEST: u64 = 8 * MIB;

    /// `None` for fewer bytes than [`DiskImage::SMALLEST`].
    pub fn new(seed: u64, size: u64) -> Option<Self> {
        (size >= Self::SMALLEST).then_some(DiskImage { seed, size })
    }

    /// Size in bytes.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Generates the image from its first byte to its last.
    pub fn reader(&self) -> impl Read + Send + use<> {
        ImageReader { image: self.clone(), at: 0, extent: Vec::new() }
    }

    /// Generates `len` bytes from `start` on, both of which are multiples of 64 KiB. Behind the end are zeros.
    pub(crate) fn at(&self, start: u64, len: usize) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(len);
        for extent in start / EXTENT as u64..(start + len as u64) / EXTENT as u64 {
            bytes.extend(self.extent(extent));
        }
        let inside = usize::try_from(self.size.saturating_sub(start)).unwrap_or(usize::MAX);
        bytes.iter_mut().skip(inside).for_each(|byte| *byte = 0);
        bytes
    }

    fn extent(&self, index: u64) -> Vec<u8> {
        let mut extent = vec![0; EXTENT];
        let mut noise = Noise::new(self.seed ^ index.wrapping_mul(0xD134_2543_DE82_EF95));
        if index == 0 {
            self.boot_record(&mut extent, &mut noise);
        } else if index * EXTENT as u64 == PARTITION_SECTOR * SECTOR {
            self.superblock(&mut extent, &mut noise);
        } else if index * EXTENT as u64 > PARTITION_SECTOR * SECTOR {
            match noise.below(10) {
                0..4 => {}
                4..6 => text(&mut extent, &mut noise),
                6..8 => code(&mut extent, &mut noise),
                _ => noise.fill(&mut extent),
            }
        }
        extent
    }

    /// Classic MBR: code, a partition entry at 446, the signature at 510.
    fn boot_record(&self, extent: &mut [u8], noise: &mut Noise) {
        if let Some(boot_code) = extent.get_mut(..440) {
            code(boot_code, noise);
        }
        let sectors = u32::try_from((self.size / SECTOR).saturating_sub(PARTITION_SECTOR)).unwrap_or(u32::MAX);
        let mut entry = [0x80, 0xFE, 0xFF, 0xFF, 0x83, 0xFE, 0xFF, 0xFF, 0, 0, 0, 0, 0, 0, 0, 0];
        write_at(&mut entry, 8, &(PARTITION_SECTOR as u32).to_le_bytes());
        write_at(&mut entry, 12, &sectors.to_le_bytes());
        write_at(extent, 446, &entry);
        write_at(extent, 510, &[0x55, 0xAA]);
    }

    /// The fields of an ext4 superblock that tools look at first.
    fn superblock(&self, extent: &mut [u8], noise: &mut Noise) {
        const START: usize = KIB as usize;
        let blocks = (self.size - PARTITION_SECTOR * SECTOR) / (4 * KIB);
        write_at(extent, START + 4, &(blocks as u32).to_le_bytes());
        write_at(extent, START + 24, &2u32.to_le_bytes());
        write_at(extent, START + 56, &0xEF53u16.to_le_bytes());
        write_at(extent, START + 104, &[noise.next().to_le_bytes(), noise.next().to_le_bytes()].concat());
    }
}

fn write_at(buffer: &mut [u8], offset: usize, bytes: &[u8]) {
    if let Some(place) = buffer.get_mut(offset..).and_then(|rest| rest.get_mut(..bytes.len())) {
        place.copy_from_slice(bytes);
    }
}

fn text(buffer: &mut [u8], noise: &mut Noise) {
    let mut at = 0;
    while at < buffer.len() {
        let word = WORDS.get(noise.below(16) as usize).copied().unwrap_or_default();
        let end = if noise.below(9) == 0 { "\n" } else { " " };
        let piece = format!("{word}{end}");
        write_clipped(buffer, at, piece.as_bytes());
        at += piece.len();
    }
}

fn code(buffer: &mut [u8], noise: &mut Noise) {
    let mut at = 0;
    while at < buffer.len() {
        let instruction = INSTRUCTIONS.get(noise.below(8) as usize).copied().unwrap_or_default();
        // Operands are small numbers more often than not.
        let operand = (noise.below(1 << 12) as u32).to_le_bytes();
        write_clipped(buffer, at, instruction);
        write_clipped(buffer, at + instruction.len(), &operand);
        at += instruction.len() + operand.len();
    }
}

fn write_clipped(buffer: &mut [u8], at: usize, bytes: &[u8]) {
    let room = buffer.len().saturating_sub(at);
    write_at(buffer, at, bytes.get(..room.min(bytes.len())).unwrap_or_default());
}

struct ImageReader {
    image: DiskImage,
    at: u64,
    extent: Vec<u8>,
}

impl Read for ImageReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let inside = (self.at % EXTENT as u64) as usize;
        if inside == 0 {
            self.extent = self.image.extent(self.at / EXTENT as u64);
        }
        let left = usize::try_from(self.image.size - self.at).unwrap_or(usize::MAX);
        let rest = self.extent.get(inside..).unwrap_or_default();
        let count = buffer.len().min(rest.len()).min(left);
        write_at(buffer, 0, rest.get(..count).unwrap_or_default());
        self.at += count as u64;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image(seed: u64) -> Vec<u8> {
        let mut bytes = Vec::new();
        DiskImage::new(seed, DiskImage::SMALLEST + 777).unwrap().reader().read_to_end(&mut bytes).unwrap();
        bytes
    }

    #[test]
    fn the_same_seed_gives_the_same_disk() {
        let one = image(1);
        assert_eq!(one.len() as u64, DiskImage::SMALLEST + 777);
        assert!(one == image(1));
        assert!(one != image(2));
        assert_eq!(DiskImage::new(1, DiskImage::SMALLEST - 1), None);
    }

    #[test]
    fn it_looks_like_a_disk() {
        let disk = image(3);
        assert_eq!(disk[510..512], [0x55, 0xAA]);
        let partition = u32::from_le_bytes(disk[454..458].try_into().unwrap()) as usize * 512;
        assert_eq!(disk[partition + 1024 + 56..][..2], 0xEF53u16.to_le_bytes());
        let holes = disk.chunks_exact(4096).filter(|block| block.iter().all(|byte| *byte == 0)).count();
        let share = holes as f64 / (disk.len() / 4096) as f64;
        assert!((0.2..0.8).contains(&share), "{share} of it are holes");
    }
}
