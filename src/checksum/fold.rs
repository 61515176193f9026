use crc_fast::CrcAlgorithm;

use super::{Algorithm, Digest};
use crate::units::ByteRange;

/// Combines the digests of neighbouring ranges into the digest of all of them.
///
/// `pieces` may come in any order. `None` unless the algorithm folds and the
/// pieces cover `whole` exactly: a gap, an overlap or a clean prefix gives no digest.
pub fn fold(algorithm: Algorithm, whole: ByteRange, pieces: &[(ByteRange, Digest)]) -> Option<Digest> {
    let crc = match algorithm {
        Algorithm::Crc32 => CrcAlgorithm::Crc32IsoHdlc,
        Algorithm::Crc32c => CrcAlgorithm::Crc32Iscsi,
        Algorithm::Crc64Nvme => CrcAlgorithm::Crc64Nvme,
        _ => return None,
    };
    let mut pieces: Vec<_> = pieces.iter().filter(|(range, _)| !range.is_empty()).collect();
    pieces.sort_unstable_by_key(|(range, _)| range.start());
    let mut at = whole.start();
    let mut value = super::Hasher::digest(algorithm, b"").crc_value();
    for (range, digest) in pieces {
        if range.start() != at || digest.algorithm() != algorithm {
            return None;
        }
        value = crc_fast::checksum_combine(crc, value, digest.crc_value(), range.len());
        at = range.end();
    }
    (at == whole.end()).then(|| Digest::from_crc(algorithm, value))
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
