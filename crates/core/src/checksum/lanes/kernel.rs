use crate::checksum::{Algorithm, Digest};

/// Advances several independent streams together.
pub trait Kernel: Send + Sync {
    type State: Clone + Default + Send;

    /// The most streams that one call should advance.
    fn width(&self) -> usize;

    /// How many streams to advance where there are so many: as many, or more, where a full group costs less than
    /// one with gaps. What fills the gaps is thrown away.
    fn group(&self, streams: usize) -> usize;

    /// Appends `inputs[i]` to `states[i]`. All inputs are of the same length, a multiple of 64 but for the last
    /// one of a stream.
    fn update(&self, states: &mut [Self::State], inputs: &[&[u8]]);

    fn finish(&self, state: &Self::State) -> Digest;
}

/// Bytes of one step of MD5.
pub const BLOCK: usize = 64;

/// MD5 over AVX-512 (16 lanes), AVX2 (8), SSE4.2 or NEON (4), chosen at run time.
///
/// Two registers' worth of streams go together: the steps of the one fill the waits of the other, so that both take
/// as long as one.
#[derive(Debug, Clone, Copy)]
pub struct Md5Lanes(md5_many::Md5Many);

impl Md5Lanes {
    /// `None` where the processor has no vector unit that would help.
    pub fn detect() -> Option<Self> {
        let engine = md5_many::Md5Many::new();
        (engine.lanes() >= 4).then_some(Md5Lanes(engine))
    }
}

impl Kernel for Md5Lanes {
    type State = md5_many::Md5State;

    fn width(&self) -> usize {
        if self.0.lanes() >= 8 { 2 * self.0.lanes() } else { self.0.lanes() }
    }

    fn group(&self, streams: usize) -> usize {
        // The crate hashes what does not fill a register in narrower ones, which take as long.
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
