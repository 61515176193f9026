use fearless_simd::{Level, Simd};

use crate::checksum::{Algorithm, Digest};

/// An implementation that advances several independent hash streams in one call.
pub trait Kernel: Send + Sync {
    /// The state of one stream between two calls.
    type State: Clone + Default + Send;

    /// The largest number of streams that one call should advance.
    fn width(&self) -> usize;

    /// How many streams to pass to [`update`](Self::update) when `streams` of them have bytes. At least
    /// `streams`; more where a full register costs less than a partly filled one. The caller adds dummy
    /// streams and discards their states.
    fn group(&self, streams: usize) -> usize;

    /// Appends `inputs[i]` to `states[i]`. All inputs have the same length. The length is a multiple of 64
    /// bytes, except for the last input of a stream.
    fn update(&self, states: &mut [Self::State], inputs: &[&[u8]]);

    /// The digest of a stream whose last bytes are in `state`.
    fn finish(&self, state: &Self::State) -> Digest;
}

/// Input block of MD5 in bytes (RFC 1321, 3.4).
pub(crate) const BLOCK: usize = 64;

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
