use fearless_simd::{Level, Simd};

use crate::checksum::{Algorithm, Digest};

/// An implementation that advances several independent hash streams in one call.
pub trait Kernel: Send + Sync {
    /// The state of one stream between two calls.
    type State: Clone + Default + Send;

    /// Input block of the algorithm in bytes.
    const BLOCK: usize;

    /// The largest number of streams that one call should advance.
    fn width(&self) -> usize;

    /// How many streams to pass to [`update`](Self::update) when `streams` of them have bytes. At least
    /// `streams`; more where a full register costs less than a partly filled one. The caller adds dummy
    /// streams and discards their states.
    fn group(&self, streams: usize) -> usize;

    /// Appends `inputs[i]` to `states[i]`. All inputs have the same length. The length is a multiple of
    /// [`BLOCK`](Self::BLOCK), except for the last input of a stream.
    fn update(&self, states: &mut [Self::State], inputs: &[&[u8]]);

    /// The digest of a stream whose last bytes are in `state`.
    fn finish(&self, state: &Self::State) -> Digest;
}

/// MD5 in vector registers: AVX-512 (16 lanes), AVX2 (8), SSE4.2 or NEON (4), chosen at run time.
///
/// With eight or more lanes, two registers of streams advance together. The instructions of one register fill
/// the latency of the other, so both take about as long as one.
#[derive(Debug, Clone, Copy)]
pub struct Md5Lanes(pub(super) md5_many::Md5Many);

impl Md5Lanes {
    /// The widest vector unit of the processor; `None` if it has none of at least four lanes.
    pub fn detect() -> Option<Self> {
        Self::of(Level::new())
    }

    /// All vector units of the processor, the widest first, to compare and test them.
    pub fn all() -> Vec<Self> {
        let widest = Level::new();
        #[cfg(target_arch = "x86_64")]
        let narrower = [widest.as_avx2().map(Simd::level), widest.as_sse4_2().map(Simd::level)];
        #[cfg(not(target_arch = "x86_64"))]
        let narrower = [widest.as_neon().map(Simd::level)];
        let mut all: Vec<Self> = [Some(widest)].into_iter().chain(narrower).flatten().filter_map(Self::of).collect();
        all.dedup_by_key(|lanes| lanes.0.lanes());
        all
    }

    fn of(level: Level) -> Option<Self> {
        let engine = md5_many::Md5Many::from_level(level);
        (engine.lanes() >= 4).then_some(Md5Lanes(engine))
    }
}

impl Kernel for Md5Lanes {
    type State = md5_many::Md5State;

    /// RFC 1321, 3.4.
    const BLOCK: usize = 64;

    fn width(&self) -> usize {
        if self.0.lanes() >= 8 { 2 * self.0.lanes() } else { self.0.lanes() }
    }

    fn group(&self, streams: usize) -> usize {
        // The crate hashes a partly filled register in narrower ones, which take as long as a full one.
        let lanes = self.0.lanes();
        if streams >= 2 && streams * 4 >= lanes { streams.next_multiple_of(lanes) } else { streams }
    }

    fn update(&self, states: &mut [Self::State], inputs: &[&[u8]]) {
        self.0.update_many(states, inputs);
    }

    fn finish(&self, state: &Self::State) -> Digest {
        Digest::computed(Algorithm::Md5, &state.finalize())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::{Sha256Pairs, Sha512Lanes};
    use super::*;
    use crate::checksum::Hasher;

    /// Appends `whole` numbers of blocks to all streams, as a scheduler passes them, then `pieces` of some lengths to
    /// the first streams. `offset` is where the bytes begin.
    fn against_single_streams<K: Kernel + std::fmt::Debug>(
        kernel: K,
        algorithm: Algorithm,
        whole: &[usize],
        pieces: &[Vec<usize>],
        offset: usize,
    ) -> Result<(), TestCaseError> {
        let streams = pieces.iter().map(Vec::len).max().unwrap_or_default();
        let bytes: Vec<u8> = (0..4_000_u32).map(|at| (at.wrapping_mul(0x9E37_79B9) >> 24) as u8).collect();
        let mut states = vec![K::State::default(); streams];
        let mut plain: Vec<Hasher> = states.iter().map(|_| Hasher::new(algorithm)).collect();
        let mut update = |lens: &[usize]| {
            let len = |at: usize| lens.get(at).copied().unwrap_or_default();
            let inputs: Vec<&[u8]> = (0..streams).map(|at| &bytes[offset + at..offset + at + len(at)]).collect();
            kernel.update(&mut states, &inputs);
            plain.iter_mut().zip(inputs).for_each(|(state, input)| state.update(input));
        };
        whole.iter().for_each(|blocks| update(&vec![blocks * K::BLOCK; streams]));
        pieces.iter().for_each(|lens| update(lens));
        for (state, plain) in states.iter().zip(plain) {
            prop_assert_eq!(kernel.finish(state), plain.finish(), "{:?}", kernel);
        }
        Ok(())
    }

    proptest! {
        /// State across calls, odd lengths, unaligned slices, any number of streams.
        #[test]
        fn each_kernel_against_single_streams(
            whole in prop::collection::vec(0_usize..20, 0..4),
            pieces in prop::collection::vec(prop::collection::vec(0_usize..400, 1..50), 1..6),
            offset in 0_usize..64,
        ) {
            for lanes in Md5Lanes::all() {
                against_single_streams(lanes, Algorithm::Md5, &whole, &pieces, offset)?;
            }
            if let Some(pairs) = Sha256Pairs::detect() {
                against_single_streams(pairs, Algorithm::Sha256, &whole, &pieces, offset)?;
            }
            if let Some(lanes) = Sha512Lanes::detect() {
                against_single_streams(lanes, Algorithm::Sha512, &whole, &pieces, offset)?;
            }
        }
    }
}
