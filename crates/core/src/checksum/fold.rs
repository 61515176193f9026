use super::{Algorithm, Digest, Hasher};
use crate::units::ByteRange;

/// Combines the digests of adjacent ranges into the digest of all of them.
///
/// The pieces may be in any order. Returns `None` unless the algorithm [folds](Algorithm::folds) and the
/// pieces cover `whole` exactly, without a gap or an overlap.
pub fn fold(algorithm: Algorithm, whole: ByteRange, pieces: &[(ByteRange, Digest)]) -> Option<Digest> {
    let field = Field::of(algorithm)?;
    let mut pieces: Vec<_> = pieces.iter().filter(|(range, _)| !range.is_empty()).collect();
    pieces.sort_unstable_by_key(|(range, _)| range.start());
    let mut at = whole.start();
    let mut value = Hasher::digest(algorithm, b"").crc_value();
    // Nearly all ranges of an object have the same length, so the last shift is reused.
    let mut shift = (0, field.identity());
    for (range, digest) in pieces {
        if range.start() != at || digest.algorithm() != algorithm {
            return None;
        }
        if shift.0 != range.len() {
            shift = (range.len(), field.shift(range.len()));
        }
        value = field.multiply(shift.1, value) ^ digest.crc_value();
        at = range.end();
    }
    (at == whole.end()).then(|| Digest::from_crc(algorithm, value))
}

/// Arithmetic on polynomials over GF(2) modulo the polynomial of a CRC, in the bit-reflected form: the
/// highest bit is the coefficient of x⁰.
///
/// Appending `n` zero bytes to a range multiplies its CRC by x⁸ⁿ. All CRCs of S3 are inverted at the start
/// and at the end; for these, the CRC of two adjacent ranges is that product XOR the CRC of the second range
/// (the construction of zlib's `crc32_combine`).
#[derive(Clone, Copy)]
struct Field {
    polynomial: u64,
    width: u32,
}

impl Field {
    fn of(algorithm: Algorithm) -> Option<Self> {
        let (polynomial, width) = match algorithm {
            Algorithm::Crc32 => (0xEDB8_8320, 32),
            Algorithm::Crc32c => (0x82F6_3B78, 32),
            Algorithm::Crc64Nvme => (0x9A6C_9329_AC4B_C9B5, 64),
            _ => return None,
        };
        Some(Field { polynomial, width })
    }

    fn identity(self) -> u64 {
        1 << (self.width - 1)
    }

    fn multiply(self, a: u64, mut b: u64) -> u64 {
        let mut product = 0;
        let mut bit = self.identity();
        while bit != 0 {
            if a & bit != 0 {
                product ^= b;
            }
            let carry = if b & 1 == 0 { 0 } else { self.polynomial };
            b = (b >> 1) ^ carry;
            bit >>= 1;
        }
        product
    }

    /// x⁸ⁿ for `n` bytes, by repeated squaring.
    fn shift(self, mut bytes: u64) -> u64 {
        let mut power = self.identity() >> 8;
        let mut shift = self.identity();
        while bytes > 0 {
            if bytes & 1 == 1 {
                shift = self.multiply(power, shift);
            }
            power = self.multiply(power, power);
            bytes >>= 1;
        }
        shift
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::checksum::Hasher;

    fn pieces(algorithm: Algorithm, data: &[u8], cuts: &[usize]) -> Vec<(ByteRange, Digest)> {
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut % (data.len() + 1)).collect();
        cuts.extend([0, data.len()]);
        cuts.sort_unstable();
        cuts.windows(2)
            .map(|w| (ByteRange::new(w[0] as u64, w[1] as u64).unwrap(), Hasher::digest(algorithm, &data[w[0]..w[1]])))
            .collect()
    }

    proptest! {
        #[test]
        fn any_cut_in_any_order_equals_one_pass(
            data in proptest::collection::vec(any::<u8>(), 0..4000),
            cuts in proptest::collection::vec(any::<usize>(), 0..12),
            seed in any::<u64>(),
        ) {
            for algorithm in Algorithm::ALL.into_iter().filter(|a| a.folds()) {
                let mut pieces = pieces(algorithm, &data, &cuts);
                pieces.sort_by_key(|(range, _)| range.start().wrapping_mul(seed | 1));
                let whole = ByteRange::whole(data.len() as u64);
                prop_assert_eq!(fold(algorithm, whole, &pieces), Some(Hasher::digest(algorithm, &data)));
            }
        }
    }

    #[test]
    fn a_gap_or_a_prefix_gives_no_digest() {
        let data: Vec<u8> = (0..999u32).map(|i| (i * 7 / 3) as u8).collect();
        let whole = ByteRange::whole(999);
        let all = pieces(Algorithm::Crc64Nvme, &data, &[100, 500]);
        assert!(fold(Algorithm::Crc64Nvme, whole, &all).is_some());
        assert_eq!(fold(Algorithm::Crc64Nvme, whole, &all[..2]), None, "a clean prefix");
        assert_eq!(fold(Algorithm::Crc64Nvme, whole, &all[1..]), None, "a missing start");
        assert_eq!(fold(Algorithm::Crc64Nvme, whole, &[all[0], all[2]]), None, "a hole");
        assert_eq!(fold(Algorithm::Crc64Nvme, whole, &[all[0], all[0], all[1], all[2]]), None, "an overlap");
        assert_eq!(fold(Algorithm::Sha256, whole, &[]), None, "a hash that does not fold");
        assert_eq!(fold(Algorithm::Crc32, whole, &all), None, "pieces of another algorithm");
    }
}
