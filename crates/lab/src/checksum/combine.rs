//! Combines CRCs of neighbouring ranges without their bytes.
//!
//! Appending a zero bit to a message multiplies the CRC register by `x` in
//! GF(2)[x] modulo the polynomial, which is a linear map: a matrix. Squaring
//! it doubles the number of zero bits. For the three CRCs of S3 (initial value
//! and final XOR both all ones) this gives
//! `crc(a ‖ b) = shift(crc(a), |b|) XOR crc(b)`.

use super::Algorithm;

/// One column per bit of the register.
type Matrix = [u64; 64];

/// Moves a CRC past a fixed number of bytes; worth keeping when many parts
/// have one length.
#[derive(Debug, Clone)]
pub struct CrcShift {
    columns: Matrix,
}

impl CrcShift {
    /// `None` when the algorithm is no CRC.
    pub fn over(algorithm: Algorithm, bytes: u64) -> Option<Self> {
        // Reflected polynomials: bit 0 stands for the highest power of x.
        let (width, polynomial): (u32, u64) = match algorithm {
            Algorithm::Crc32 => (32, 0xEDB8_8320),
            Algorithm::Crc32c => (32, 0x82F6_3B78),
            Algorithm::Crc64Nvme => (64, 0x9A6C_9329_AC4B_C9B5),
            _ => return None,
        };
        let mut power = one_zero_bit(width, polynomial);
        // Eight zero bits make a byte.
        for _ in 0..3 {
            power = product(&power, &power);
        }
        let mut columns = identity();
        let mut left = bytes;
        while left > 0 {
            if left & 1 == 1 {
                columns = product(&power, &columns);
            }
            left >>= 1;
            if left > 0 {
                power = product(&power, &power);
            }
        }
        Some(CrcShift { columns })
    }

    /// The CRC of `a ‖ b`, where `b` has the length this shift was made for.
    pub fn combine(&self, a: u64, b: u64) -> u64 {
        apply(&self.columns, a) ^ b
    }
}

fn identity() -> Matrix {
    std::array::from_fn(|bit| 1 << bit)
}

fn one_zero_bit(width: u32, polynomial: u64) -> Matrix {
    std::array::from_fn(|bit| match bit as u32 {
        0 => polynomial,
        bit if bit < width => 1 << (bit - 1),
        _ => 0,
    })
}

fn apply(matrix: &Matrix, vector: u64) -> u64 {
    matrix.iter().enumerate().filter(|(bit, _)| vector >> bit & 1 == 1).fold(0, |sum, (_, column)| sum ^ column)
}

fn product(left: &Matrix, right: &Matrix) -> Matrix {
    right.map(|column| apply(left, column))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checksum::{Hasher, as_number};

    fn bytes(len: usize) -> Vec<u8> {
        (0..len as u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 11) as u8).collect()
    }

    #[test]
    fn agrees_with_a_straight_pass() {
        let data = bytes(10_007);
        for algorithm in [Algorithm::Crc32, Algorithm::Crc32c, Algorithm::Crc64Nvme] {
            let whole = as_number(&Hasher::of(algorithm, &data));
            for cut in [0, 1, 7, 4_096, 5_000, 10_006, 10_007] {
                let (a, b) = data.split_at(cut);
                let shift = CrcShift::over(algorithm, b.len() as u64).unwrap();
                let both = shift.combine(as_number(&Hasher::of(algorithm, a)), as_number(&Hasher::of(algorithm, b)));
                assert_eq!(both, whole, "{algorithm:?} cut at {cut}");
            }
        }
    }

    #[test]
    fn only_crcs_combine() {
        assert!(CrcShift::over(Algorithm::Sha256, 1).is_none());
    }
}
