//! SHA-256 (FIPS 180-4) of two streams at a time.

use sha2::block_api::{Sha256VarCore, compress256};
use sha2::digest::array::Array;
use sha2::digest::block_api::Buffer;

use super::kernel::Kernel;
use crate::checksum::{Algorithm, Digest};

/// FIPS 180-4, 5.2.1.
const BLOCK: usize = 64;

/// SHA-256 by the SHA instructions of the processor, two streams at a time.
///
/// Each of these instructions waits for the one before it. Those of a second stream fill the latency, so that two streams
/// take some two thirds of the time that they take one after the other.
#[derive(Debug, Clone, Copy)]
pub struct Sha256Pairs(pair::Unit);

impl Sha256Pairs {
    /// `None` if the processor lacks the instructions. They are used where it has AVX-512 as well: the crate
    /// `fearless_simd` detects both together.
    pub fn detect() -> Option<Self> {
        pair::Unit::detect().map(Sha256Pairs)
    }
}

/// The state of a stream.
#[derive(Debug, Clone)]
pub struct Sha256State {
    words: [u32; 8],
    /// Bytes so far.
    bytes: u64,
    /// The bytes behind the last whole block.
    tail: Buffer<Sha256VarCore>,
}

impl Default for Sha256State {
    fn default() -> Self {
        // FIPS 180-4, 5.3.3.
        let words =
            [0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19];
        Sha256State { words, bytes: 0, tail: Buffer::<Sha256VarCore>::default() }
    }
}

impl Sha256State {
    fn append(&mut self, bytes: &[u8]) {
        self.bytes += bytes.len() as u64;
        self.tail.digest_blocks(bytes, |blocks| compress256(&mut self.words, Array::cast_slice_to_core(blocks)));
    }

    fn digest(&self) -> Digest {
        let mut words = self.words;
        self.tail.clone().len64_padding_be(8 * self.bytes, |block| compress256(&mut words, &[block.0]));
        Digest::computed(Algorithm::Sha256, words.map(u32::to_be_bytes).as_flattened())
    }
}

impl Kernel for Sha256Pairs {
    type State = Sha256State;

    const BLOCK: usize = BLOCK;

    fn width(&self) -> usize {
        2
    }

    fn group(&self, streams: usize) -> usize {
        streams
    }

    fn update(&self, states: &mut [Self::State], inputs: &[&[u8]]) {
        for (states, inputs) in states.chunks_mut(2).zip(inputs.chunks(2)) {
            match (states, inputs) {
                ([a, b], [of_a, of_b])
                    if a.tail.get_pos() == 0
                        && b.tail.get_pos() == 0
                        && of_a.len().is_multiple_of(BLOCK)
                        && of_b.len() == of_a.len() =>
                {
                    self.0.compress([&mut a.words, &mut b.words], [of_a.as_chunks().0, of_b.as_chunks().0]);
                    a.bytes += of_a.len() as u64;
                    b.bytes += of_b.len() as u64;
                }
                (states, inputs) => states.iter_mut().zip(inputs).for_each(|(state, input)| state.append(input)),
            }
        }
    }

    fn finish(&self, state: &Self::State) -> Digest {
        state.digest()
    }
}

#[cfg(target_arch = "x86_64")]
mod pair {
    use std::arch::x86_64::{
        __m128i, _mm_add_epi32, _mm_alignr_epi8, _mm_set_epi32, _mm_set_epi64x, _mm_setzero_si128,
        _mm_sha256msg1_epu32, _mm_sha256msg2_epu32, _mm_sha256rnds2_epu32, _mm_shuffle_epi8, _mm_shuffle_epi32,
    };

    use fearless_simd::{Avx512, Level, SimdBase as _, SimdInto as _, u8x16, u32x4};

    use super::BLOCK;

    /// A processor with SHA instructions.
    #[derive(Debug, Clone, Copy)]
    pub(super) struct Unit(Avx512);

    impl Unit {
        pub(super) fn detect() -> Option<Self> {
            Level::new().as_avx512().map(Unit)
        }

        /// Adds blocks to the states of two streams, as many to each as the shorter one has.
        pub(super) fn compress(self, states: [&mut [u32; 8]; 2], blocks: [&[[u8; BLOCK]]; 2]) {
            compress(self.0, states, blocks);
        }
    }

    /// FIPS 180-4, 4.2.2.
    #[rustfmt::skip]
    const K: [u32; 64] = [
        0x428a_2f98, 0x7137_4491, 0xb5c0_fbcf, 0xe9b5_dba5, 0x3956_c25b, 0x59f1_11f1, 0x923f_82a4, 0xab1c_5ed5,
        0xd807_aa98, 0x1283_5b01, 0x2431_85be, 0x550c_7dc3, 0x72be_5d74, 0x80de_b1fe, 0x9bdc_06a7, 0xc19b_f174,
        0xe49b_69c1, 0xefbe_4786, 0x0fc1_9dc6, 0x240c_a1cc, 0x2de9_2c6f, 0x4a74_84aa, 0x5cb0_a9dc, 0x76f9_88da,
        0x983e_5152, 0xa831_c66d, 0xb003_27c8, 0xbf59_7fc7, 0xc6e0_0bf3, 0xd5a7_9147, 0x06ca_6351, 0x1429_2967,
        0x27b7_0a85, 0x2e1b_2138, 0x4d2c_6dfc, 0x5338_0d13, 0x650a_7354, 0x766a_0abb, 0x81c2_c92e, 0x9272_2c85,
        0xa2bf_e8a1, 0xa81a_664b, 0xc24b_8b70, 0xc76c_51a3, 0xd192_e819, 0xd699_0624, 0xf40e_3585, 0x106a_a070,
        0x19a4_c116, 0x1e37_6c08, 0x2748_774c, 0x34b0_bcb5, 0x391c_0cb3, 0x4ed8_aa4a, 0x5b9c_ca4f, 0x682e_6ff3,
        0x748f_82ee, 0x78a5_636f, 0x84c8_7814, 0x8cc7_0208, 0x90be_fffa, 0xa450_6ceb, 0xbef9_a3f7, 0xc671_78f2,
    ];

    /// A stream in registers. The instructions keep the words of a state as `abef` and `cdgh` (Intel SDM, SHA256RNDS2).
    struct Stream {
        abef: __m128i,
        cdgh: __m128i,
        /// Sixteen words of the message schedule.
        words: [__m128i; 4],
    }

    fearless_simd::kernel!(
        fn compress(simd: Avx512, states: [&mut [u32; 8]; 2], blocks: [&[[u8; BLOCK]]; 2]) {
            macro_rules! load_state {
                ($state:expr) => {{
                    let [a, b, c, d, e, f, g, h] = $state.map(u32::cast_signed);
                    let words = [_mm_setzero_si128(); 4];
                    Stream { abef: _mm_set_epi32(a, b, e, f), cdgh: _mm_set_epi32(c, d, g, h), words }
                }};
            }
            let [first_state, second_state] = states;
            let mut first = load_state!(first_state);
            let mut second = load_state!(second_state);
            let big_endian = _mm_set_epi64x(0x0C0D_0E0F_0809_0A0B, 0x0405_0607_0001_0203);
            let [first_blocks, second_blocks] = blocks;
            for (first_block, second_block) in first_blocks.iter().zip(second_blocks) {
                let before = [first.abef, first.cdgh, second.abef, second.cdgh];
                for (words, block) in [(&mut first.words, first_block), (&mut second.words, second_block)] {
                    for (words, bytes) in words.iter_mut().zip(block.as_chunks::<16>().0) {
                        let bytes: __m128i = u8x16::from_slice(simd, bytes).into();
                        *words = _mm_shuffle_epi8(bytes, big_endian);
                    }
                }
                // Four rounds of both streams. Written out, because the registers of a loop end up in memory.
                macro_rules! rounds {
                    ($round:expr, $words:literal) => {
                        let [a, b, c, d] =
                            [K[$round], K[$round + 1], K[$round + 2], K[$round + 3]].map(u32::cast_signed);
                        let constants = _mm_set_epi32(d, c, b, a);
                        let of_first = _mm_add_epi32(first.words[$words], constants);
                        let of_second = _mm_add_epi32(second.words[$words], constants);
                        first.cdgh = _mm_sha256rnds2_epu32(first.cdgh, first.abef, of_first);
                        second.cdgh = _mm_sha256rnds2_epu32(second.cdgh, second.abef, of_second);
                        let of_first = _mm_shuffle_epi32(of_first, 0x0e);
                        let of_second = _mm_shuffle_epi32(of_second, 0x0e);
                        first.abef = _mm_sha256rnds2_epu32(first.abef, first.cdgh, of_first);
                        second.abef = _mm_sha256rnds2_epu32(second.abef, second.cdgh, of_second);
                    };
                }
                // The next four words of the message schedule replace the oldest ones.
                macro_rules! schedule {
                    ($oldest:literal, $second:literal, $third:literal, $newest:literal) => {
                        for words in [&mut first.words, &mut second.words] {
                            let sums = _mm_sha256msg1_epu32(words[$oldest], words[$second]);
                            let sums = _mm_add_epi32(sums, _mm_alignr_epi8(words[$newest], words[$third], 4));
                            words[$oldest] = _mm_sha256msg2_epu32(sums, words[$newest]);
                        }
                    };
                }
                macro_rules! sixteen_rounds {
                    ($round:literal) => {
                        schedule!(0, 1, 2, 3);
                        rounds!($round, 0);
                        schedule!(1, 2, 3, 0);
                        rounds!($round + 4, 1);
                        schedule!(2, 3, 0, 1);
                        rounds!($round + 8, 2);
                        schedule!(3, 0, 1, 2);
                        rounds!($round + 12, 3);
                    };
                }
                rounds!(0, 0);
                rounds!(4, 1);
                rounds!(8, 2);
                rounds!(12, 3);
                sixteen_rounds!(16);
                sixteen_rounds!(32);
                sixteen_rounds!(48);
                first.abef = _mm_add_epi32(first.abef, before[0]);
                first.cdgh = _mm_add_epi32(first.cdgh, before[1]);
                second.abef = _mm_add_epi32(second.abef, before[2]);
                second.cdgh = _mm_add_epi32(second.cdgh, before[3]);
            }
            for (state, Stream { abef, cdgh, .. }) in [(first_state, first), (second_state, second)] {
                let abef: u32x4<Avx512> = abef.simd_into(simd);
                let cdgh: u32x4<Avx512> = cdgh.simd_into(simd);
                let ([f, e, b, a], [h, g, d, c]) = (<[u32; 4]>::from(abef), <[u32; 4]>::from(cdgh));
                *state = [a, b, c, d, e, f, g, h];
            }
        }
    );
}

#[cfg(not(target_arch = "x86_64"))]
mod pair {
    use super::BLOCK;

    /// No other processor needs two streams: their SHA instructions are used by the crate `sha2`.
    #[derive(Debug, Clone, Copy)]
    pub(super) enum Unit {}

    impl Unit {
        pub(super) fn detect() -> Option<Self> {
            None
        }

        pub(super) fn compress(self, _: [&mut [u32; 8]; 2], _: [&[[u8; BLOCK]]; 2]) {
            match self {}
        }
    }
}
