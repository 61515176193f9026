//! SHA-512 (FIPS 180-4) of eight streams at a time.

use sha2::block_api::{Sha512VarCore, compress512};
use sha2::digest::array::Array;
use sha2::digest::block_api::Buffer;

use super::kernel::Kernel;
use crate::checksum::{Algorithm, Digest};

/// FIPS 180-4, 5.2.2.
const BLOCK: usize = 128;
/// Words of 64 bits in a register.
const LANES: usize = 8;

/// SHA-512 in AVX-512 registers, eight streams at a time: few processors have instructions for SHA-512.
#[derive(Debug, Clone, Copy)]
pub struct Sha512Lanes(unit::Unit);

impl Sha512Lanes {
    /// `None` if the processor lacks AVX-512 with what the crate `fearless_simd` detects together (Ice Lake, Zen 4).
    pub fn detect() -> Option<Self> {
        unit::Unit::detect().map(Sha512Lanes)
    }
}

/// The state of a stream.
#[derive(Debug, Clone)]
pub struct Sha512State {
    words: [u64; 8],
    /// Bytes so far.
    bytes: u64,
    /// The bytes behind the last whole block.
    tail: Buffer<Sha512VarCore>,
}

impl Default for Sha512State {
    fn default() -> Self {
        // FIPS 180-4, 5.3.5.
        let words = [
            0x6a09_e667_f3bc_c908,
            0xbb67_ae85_84ca_a73b,
            0x3c6e_f372_fe94_f82b,
            0xa54f_f53a_5f1d_36f1,
            0x510e_527f_ade6_82d1,
            0x9b05_688c_2b3e_6c1f,
            0x1f83_d9ab_fb41_bd6b,
            0x5be0_cd19_137e_2179,
        ];
        Sha512State { words, bytes: 0, tail: Buffer::<Sha512VarCore>::default() }
    }
}

impl Sha512State {
    fn append(&mut self, bytes: &[u8]) {
        self.bytes += bytes.len() as u64;
        self.tail.digest_blocks(bytes, |blocks| compress512(&mut self.words, Array::cast_slice_to_core(blocks)));
    }

    fn digest(&self) -> Digest {
        let mut words = self.words;
        let bits = 8 * u128::from(self.bytes);
        self.tail.clone().len128_padding_be(bits, |block| compress512(&mut words, &[block.0]));
        Digest::computed(Algorithm::Sha512, words.map(u64::to_be_bytes).as_flattened())
    }
}

impl Kernel for Sha512Lanes {
    type State = Sha512State;

    const BLOCK: usize = BLOCK;

    fn width(&self) -> usize {
        LANES
    }

    fn group(&self, streams: usize) -> usize {
        // A full register takes less time than two streams one after the other.
        if streams >= 2 { streams.next_multiple_of(LANES) } else { streams }
    }

    fn update(&self, states: &mut [Self::State], inputs: &[&[u8]]) {
        let append = |states: &mut [Sha512State], inputs: &[&[u8]]| {
            states.iter_mut().zip(inputs).for_each(|(state, input)| state.append(input));
        };
        let ((groups, others), (of_groups, of_others)) = (states.as_chunks_mut(), inputs.as_chunks());
        for (states, inputs) in groups.iter_mut().zip(of_groups) {
            let len = inputs[0].len();
            if len.is_multiple_of(BLOCK)
                && inputs.iter().all(|input| input.len() == len)
                && states.iter().all(|state| state.tail.get_pos() == 0)
            {
                states.iter_mut().for_each(|state| state.bytes += len as u64);
                let words = states.each_mut().map(|state| &mut state.words);
                self.0.compress(words, inputs.map(|input| input.as_chunks().0));
            } else {
                append(states, inputs);
            }
        }
        append(others, of_others);
    }

    fn finish(&self, state: &Self::State) -> Digest {
        state.digest()
    }
}

#[cfg(target_arch = "x86_64")]
mod unit {
    use std::arch::x86_64::{
        __m512i, _mm512_add_epi64, _mm512_ror_epi64, _mm512_set1_epi64, _mm512_set4_epi32, _mm512_setzero_si512,
        _mm512_shuffle_epi8, _mm512_shuffle_i64x2, _mm512_srli_epi64, _mm512_ternarylogic_epi64, _mm512_unpackhi_epi64,
        _mm512_unpacklo_epi64,
    };

    use fearless_simd::{Avx512, Level, SimdBase as _, SimdInto as _, u8x64, u64x8};

    use super::{BLOCK, LANES};

    /// A processor with AVX-512.
    #[derive(Debug, Clone, Copy)]
    pub(super) struct Unit(Avx512);

    impl Unit {
        pub(super) fn detect() -> Option<Self> {
            Level::new().as_avx512().map(Unit)
        }

        /// Adds blocks to the states of the streams, as many to each as the shortest one has.
        pub(super) fn compress(self, states: [&mut [u64; 8]; LANES], blocks: [&[[u8; BLOCK]]; LANES]) {
            compress(self.0, states, blocks);
        }
    }

    /// FIPS 180-4, 4.2.3.
    #[rustfmt::skip]
    const K: [[u64; 16]; 5] = [
        [
            0x428a_2f98_d728_ae22, 0x7137_4491_23ef_65cd, 0xb5c0_fbcf_ec4d_3b2f, 0xe9b5_dba5_8189_dbbc,
            0x3956_c25b_f348_b538, 0x59f1_11f1_b605_d019, 0x923f_82a4_af19_4f9b, 0xab1c_5ed5_da6d_8118,
            0xd807_aa98_a303_0242, 0x1283_5b01_4570_6fbe, 0x2431_85be_4ee4_b28c, 0x550c_7dc3_d5ff_b4e2,
            0x72be_5d74_f27b_896f, 0x80de_b1fe_3b16_96b1, 0x9bdc_06a7_25c7_1235, 0xc19b_f174_cf69_2694,
        ],
        [
            0xe49b_69c1_9ef1_4ad2, 0xefbe_4786_384f_25e3, 0x0fc1_9dc6_8b8c_d5b5, 0x240c_a1cc_77ac_9c65,
            0x2de9_2c6f_592b_0275, 0x4a74_84aa_6ea6_e483, 0x5cb0_a9dc_bd41_fbd4, 0x76f9_88da_8311_53b5,
            0x983e_5152_ee66_dfab, 0xa831_c66d_2db4_3210, 0xb003_27c8_98fb_213f, 0xbf59_7fc7_beef_0ee4,
            0xc6e0_0bf3_3da8_8fc2, 0xd5a7_9147_930a_a725, 0x06ca_6351_e003_826f, 0x1429_2967_0a0e_6e70,
        ],
        [
            0x27b7_0a85_46d2_2ffc, 0x2e1b_2138_5c26_c926, 0x4d2c_6dfc_5ac4_2aed, 0x5338_0d13_9d95_b3df,
            0x650a_7354_8baf_63de, 0x766a_0abb_3c77_b2a8, 0x81c2_c92e_47ed_aee6, 0x9272_2c85_1482_353b,
            0xa2bf_e8a1_4cf1_0364, 0xa81a_664b_bc42_3001, 0xc24b_8b70_d0f8_9791, 0xc76c_51a3_0654_be30,
            0xd192_e819_d6ef_5218, 0xd699_0624_5565_a910, 0xf40e_3585_5771_202a, 0x106a_a070_32bb_d1b8,
        ],
        [
            0x19a4_c116_b8d2_d0c8, 0x1e37_6c08_5141_ab53, 0x2748_774c_df8e_eb99, 0x34b0_bcb5_e19b_48a8,
            0x391c_0cb3_c5c9_5a63, 0x4ed8_aa4a_e341_8acb, 0x5b9c_ca4f_7763_e373, 0x682e_6ff3_d6b2_b8a3,
            0x748f_82ee_5def_b2fc, 0x78a5_636f_4317_2f60, 0x84c8_7814_a1f0_ab72, 0x8cc7_0208_1a64_39ec,
            0x90be_fffa_2363_1e28, 0xa450_6ceb_de82_bde9, 0xbef9_a3f7_b2c6_7915, 0xc671_78f2_e372_532b,
        ],
        [
            0xca27_3ece_ea26_619c, 0xd186_b8c7_21c0_c207, 0xeada_7dd6_cde0_eb1e, 0xf57d_4f7f_ee6e_d178,
            0x06f0_67aa_7217_6fba, 0x0a63_7dc5_a2c8_98a6, 0x113f_9804_bef9_0dae, 0x1b71_0b35_131c_471b,
            0x28db_77f5_2304_7d84, 0x32ca_ab7b_40c7_2493, 0x3c9e_be0a_15c9_bebc, 0x431d_67c4_9c10_0d4c,
            0x4cc5_d4be_cb3e_42b6, 0x597f_299c_fc65_7e2a, 0x5fcb_6fab_3ad6_faec, 0x6c44_198c_4a47_5817,
        ],
    ];

    #[inline]
    #[target_feature(enable = "avx512f")]
    fn xor(a: __m512i, b: __m512i, c: __m512i) -> __m512i {
        _mm512_ternarylogic_epi64::<0x96>(a, b, c)
    }

    /// Makes rows of columns: the word `i` of row `j` becomes the word `j` of row `i`.
    #[inline]
    #[target_feature(enable = "avx512f")]
    fn transposed([a, b, c, d, e, f, g, h]: [__m512i; 8]) -> [__m512i; 8] {
        let (ab, cd) = (_mm512_unpacklo_epi64(a, b), _mm512_unpacklo_epi64(c, d));
        let (ef, gh) = (_mm512_unpacklo_epi64(e, f), _mm512_unpacklo_epi64(g, h));
        let [w0, w2, w4, w6] = quarters(ab, cd, ef, gh);
        let (ab, cd) = (_mm512_unpackhi_epi64(a, b), _mm512_unpackhi_epi64(c, d));
        let (ef, gh) = (_mm512_unpackhi_epi64(e, f), _mm512_unpackhi_epi64(g, h));
        let [w1, w3, w5, w7] = quarters(ab, cd, ef, gh);
        [w0, w1, w2, w3, w4, w5, w6, w7]
    }

    /// The same for quarters of registers.
    #[inline]
    #[target_feature(enable = "avx512f")]
    fn quarters(a: __m512i, b: __m512i, c: __m512i, d: __m512i) -> [__m512i; 4] {
        let (low_ab, high_ab) = (_mm512_shuffle_i64x2::<0x44>(a, b), _mm512_shuffle_i64x2::<0xee>(a, b));
        let (low_cd, high_cd) = (_mm512_shuffle_i64x2::<0x44>(c, d), _mm512_shuffle_i64x2::<0xee>(c, d));
        [
            _mm512_shuffle_i64x2::<0x88>(low_ab, low_cd),
            _mm512_shuffle_i64x2::<0xdd>(low_ab, low_cd),
            _mm512_shuffle_i64x2::<0x88>(high_ab, high_cd),
            _mm512_shuffle_i64x2::<0xdd>(high_ab, high_cd),
        ]
    }

    fearless_simd::kernel!(
        fn compress(simd: Avx512, states: [&mut [u64; 8]; LANES], blocks: [&[[u8; BLOCK]]; LANES]) {
            let mut rows = [_mm512_setzero_si512(); 8];
            for (row, state) in rows.iter_mut().zip(&states) {
                *row = u64x8::from_slice(simd, &state[..]).into();
            }
            // Each register holds one word of all streams.
            let [mut a, mut b, mut c, mut d, mut e, mut f, mut g, mut h] = transposed(rows);
            let big_endian = _mm512_set4_epi32(0x0809_0a0b, 0x0c0d_0e0f, 0x0001_0203, 0x0405_0607);
            let count = blocks.iter().map(|blocks| blocks.len()).min().unwrap_or_default();
            for at in 0..count {
                let before = [a, b, c, d, e, f, g, h];
                // Sixteen words of the message schedule.
                let mut words = [_mm512_setzero_si512(); 16];
                for (half, words) in words.as_chunks_mut::<8>().0.iter_mut().enumerate() {
                    for (row, blocks) in rows.iter_mut().zip(blocks) {
                        #[cfg_attr(not(test), expect(clippy::indexing_slicing))] // `count` is the least length.
                        let bytes: __m512i = u8x64::from_slice(simd, &blocks[at].as_chunks::<64>().0[half]).into();
                        *row = _mm512_shuffle_epi8(bytes, big_endian);
                    }
                    *words = transposed(rows);
                }
                macro_rules! round {
                    ($a:ident $b:ident $c:ident $d:ident $e:ident $f:ident $g:ident $h:ident, $k:ident, $at:literal) => {
                        let constant = _mm512_set1_epi64($k[$at].cast_signed());
                        let choice = _mm512_ternarylogic_epi64::<0xca>($e, $f, $g);
                        let majority = _mm512_ternarylogic_epi64::<0xe8>($a, $b, $c);
                        let of_e =
                            xor(_mm512_ror_epi64::<14>($e), _mm512_ror_epi64::<18>($e), _mm512_ror_epi64::<41>($e));
                        let of_a =
                            xor(_mm512_ror_epi64::<28>($a), _mm512_ror_epi64::<34>($a), _mm512_ror_epi64::<39>($a));
                        $h = _mm512_add_epi64($h, _mm512_add_epi64(words[$at], constant));
                        $h = _mm512_add_epi64(_mm512_add_epi64($h, choice), of_e);
                        $d = _mm512_add_epi64($d, $h);
                        $h = _mm512_add_epi64($h, _mm512_add_epi64(of_a, majority));
                    };
                }
                // The next word of the message schedule replaces the oldest one.
                macro_rules! next_word {
                    ($at:literal) => {
                        let (second, newer) = (words[($at + 1) % 16], words[($at + 14) % 16]);
                        let of_second = xor(
                            _mm512_ror_epi64::<1>(second),
                            _mm512_ror_epi64::<8>(second),
                            _mm512_srli_epi64::<7>(second),
                        );
                        let of_newer = xor(
                            _mm512_ror_epi64::<19>(newer),
                            _mm512_ror_epi64::<61>(newer),
                            _mm512_srli_epi64::<6>(newer),
                        );
                        let sum = _mm512_add_epi64(words[$at], words[($at + 9) % 16]);
                        words[$at] = _mm512_add_epi64(sum, _mm512_add_epi64(of_second, of_newer));
                    };
                }
                macro_rules! no_word {
                    ($at:literal) => {};
                }
                // Instead of moving the words of a state, each round takes them in another order.
                macro_rules! sixteen_rounds {
                    ($k:ident, $then:ident) => {
                        round!(a b c d e f g h, $k, 0);
                        $then!(0);
                        round!(h a b c d e f g, $k, 1);
                        $then!(1);
                        round!(g h a b c d e f, $k, 2);
                        $then!(2);
                        round!(f g h a b c d e, $k, 3);
                        $then!(3);
                        round!(e f g h a b c d, $k, 4);
                        $then!(4);
                        round!(d e f g h a b c, $k, 5);
                        $then!(5);
                        round!(c d e f g h a b, $k, 6);
                        $then!(6);
                        round!(b c d e f g h a, $k, 7);
                        $then!(7);
                        round!(a b c d e f g h, $k, 8);
                        $then!(8);
                        round!(h a b c d e f g, $k, 9);
                        $then!(9);
                        round!(g h a b c d e f, $k, 10);
                        $then!(10);
                        round!(f g h a b c d e, $k, 11);
                        $then!(11);
                        round!(e f g h a b c d, $k, 12);
                        $then!(12);
                        round!(d e f g h a b c, $k, 13);
                        $then!(13);
                        round!(c d e f g h a b, $k, 14);
                        $then!(14);
                        round!(b c d e f g h a, $k, 15);
                        $then!(15);
                    };
                }
                let [k @ .., last] = &K;
                for k in k {
                    sixteen_rounds!(k, next_word);
                }
                sixteen_rounds!(last, no_word);
                let after = [&mut a, &mut b, &mut c, &mut d, &mut e, &mut f, &mut g, &mut h];
                for (word, before) in after.into_iter().zip(before) {
                    *word = _mm512_add_epi64(*word, before);
                }
            }
            for (state, row) in states.into_iter().zip(transposed([a, b, c, d, e, f, g, h])) {
                let row: u64x8<Avx512> = row.simd_into(simd);
                *state = row.into();
            }
        }
    );
}

#[cfg(not(target_arch = "x86_64"))]
mod unit {
    use super::{BLOCK, LANES};

    /// Vector registers of other processors hold fewer words.
    #[derive(Debug, Clone, Copy)]
    pub(super) enum Unit {}

    impl Unit {
        pub(super) fn detect() -> Option<Self> {
            None
        }

        pub(super) fn compress(self, _: [&mut [u64; 8]; LANES], _: [&[[u8; BLOCK]]; LANES]) {
            match self {}
        }
    }
}
