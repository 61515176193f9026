use std::io::Write;

use flate2::write::{GzEncoder, ZlibEncoder};
use flate2::{Compression, GzBuilder};
use proptest::prelude::*;

use super::*;
use crate::units::GIB;

/// Compressible text whose period is not a power of two.
fn text(size: usize) -> Vec<u8> {
    let mut state = 7u32;
    let mut word = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        format!("word{} ", (state >> 20) % 509)
    };
    let mut text = Vec::new();
    while text.len() < size {
        text.extend_from_slice(word().as_bytes());
    }
    text.truncate(size);
    text
}

fn noise(size: usize) -> Vec<u8> {
    let mut state = 99u64;
    std::iter::repeat_with(|| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    })
    .take(size)
    .collect()
}

fn zstd(data: &[u8], checksum: bool) -> Vec<u8> {
    let mut encoder = ::zstd::Encoder::new(Vec::new(), 3).unwrap();
    encoder.include_checksum(checksum).unwrap();
    encoder.set_pledged_src_size(Some(data.len() as u64)).unwrap();
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

fn gzip(data: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

fn zlib(data: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

fn decode_in(bytes: &[u8], piece: usize, limits: Limits) -> Decoded {
    let mut stream = Stream::new(limits);
    bytes.chunks(piece.max(1)).for_each(|piece| stream.take(piece));
    stream.finish()
}

fn decode(bytes: &[u8]) -> Decoded {
    decode_in(bytes, 64 << 10, Limits::default())
}

#[test]
fn each_format_is_decoded_to_its_end() {
    let data = text(300_000);
    for (bytes, format) in [(zstd(&data, true), Format::Zstd), (gzip(&data), Format::Gzip), (zlib(&data), Format::Zlib)]
    {
        let decoded = decode(&bytes);
        assert_eq!((decoded.format, &decoded.end), (Some(format), &End::Whole), "{decoded}");
        assert_eq!((decoded.frames, decoded.checksums, decoded.decoded_bytes), (1, 1, 300_000), "{decoded}");
        assert_eq!(decoded.good_bytes, bytes.len() as u64);
    }
    let bare = decode(&zstd(&data, false));
    assert_eq!((bare.frames, bare.checksums), (1, 0), "{bare}");
    assert!(bare.to_string().contains("1 whole frame, without a checksum"), "{bare}");
}

#[test]
fn frames_and_members_follow_each_other() {
    let (one, two) = (text(70_000), noise(9_000));
    let mut skippable = vec![0x5A, 0x2A, 0x4D, 0x18, 5, 0, 0, 0];
    skippable.extend_from_slice(b"hello");
    let empty = [0x50, 0x2A, 0x4D, 0x18, 0, 0, 0, 0];
    let frames = [&skippable[..], &zstd(&one, true), &empty, &zstd(&two, false), &zstd(b"", true)].concat();
    let decoded = decode(&frames);
    assert_eq!((decoded.frames, decoded.skippable_frames, decoded.checksums), (3, 2, 2), "{decoded}");
    assert_eq!((decoded.decoded_bytes, &decoded.end), (79_000, &End::Whole));
    let named =
        GzBuilder::new().filename("disk").comment("why").extra(vec![1; 300]).write(Vec::new(), Compression::fast());
    let mut named = named;
    named.write_all(&two).unwrap();
    let members = [gzip(&one), named.finish().unwrap(), gzip(b"")].concat();
    let decoded = decode(&members);
    assert_eq!((decoded.frames, decoded.decoded_bytes, &decoded.end), (3, 79_000, &End::Whole), "{decoded}");
    let padded = decode(&[members.clone(), vec![0; 700]].concat());
    assert_eq!((padded.padding, &padded.end), (700, &End::Whole), "tape blocks");
    let trailing = decode(&[members.clone(), b"garbage".to_vec()].concat());
    assert_eq!(trailing.end, End::Trailing { at: members.len() as u64 });
    let trailing = decode(&[members.clone(), vec![0; 9], b"x".to_vec()].concat());
    assert_eq!(trailing.end, End::Trailing { at: members.len() as u64 });
    let trailing = decode(&[frames.clone(), vec![0; 4]].concat());
    assert_eq!(trailing.end, End::Trailing { at: frames.len() as u64 }, "zstd has no padding");
    let zlib_and_more = [zlib(&one), zlib(&one)].concat();
    assert_eq!(decode(&zlib_and_more).end, End::Trailing { at: zlib(&one).len() as u64 });
}

#[test]
fn a_header_checksum_of_gzip_is_held() {
    let mut head = vec![0x1F, 0x8B, 8, 2, 0, 0, 0, 0, 0, 255];
    let crc = crate::checksum::Hasher::digest(crate::checksum::Algorithm::Crc32, &head);
    head.extend(crc.as_bytes().iter().rev().take(2));
    let body = &gzip(&text(50_000))[10..];
    let right = [&head, body].concat();
    assert_eq!(decode(&right).end, End::Whole);
    let mut wrong = right;
    wrong[10] ^= 1;
    assert_eq!(decode(&wrong).format, Some(Format::None), "a first header that is wrong shows no member");
    let second = [gzip(b"first"), wrong].concat();
    assert!(matches!(decode(&second).end, End::Damaged { frame_at, .. } if frame_at == gzip(b"first").len() as u64));
}

#[test]
fn what_is_wrong_is_told_apart() {
    let data = text(100_000);
    let good = gzip(&data);
    let mut crc = good.clone();
    let trailer = crc.len() - 8;
    crc[trailer] ^= 1;
    let damaged = |what: &str| End::Damaged { frame_at: 0, what: what.to_owned(), whole: true };
    assert_eq!(decode(&crc).end, damaged("its content does not match its CRC32"));
    let mut size = good.clone();
    size[trailer + 4] ^= 1;
    assert_eq!(decode(&size).end, damaged("it states 100001 bytes modulo 2^32, and 100000 were decoded"));
    assert_eq!(decode(&good[..trailer / 2]).end, End::Truncated { frame_at: 0 });
    let mut adler = zlib(&data);
    *adler.last_mut().unwrap() ^= 1;
    assert_eq!(decode(&adler).end, damaged("its content does not match its Adler-32"));

    let good = zstd(&data, true);
    assert_eq!(decode(&good[..good.len() / 2]).end, End::Truncated { frame_at: 0 });
    let mut checksum = good.clone();
    *checksum.last_mut().unwrap() ^= 1;
    assert_eq!(decode(&checksum).end, damaged("its content does not match its checksum"));
    // Magic number, descriptor, content size: a single segment.
    let mut lying = good.clone();
    assert_eq!(zstd::Header::parse(&lying), zstd::Parsed::Header(header(&lying)));
    assert_eq!(header(&lying).content, Some(100_000));
    let window = usize::from(lying[4] & 0x20 == 0);
    lying[5 + window] ^= 1;
    let decoded = decode(&lying);
    assert!(decoded.end.to_string().contains("and 100000 were decoded"), "{decoded}");
    let second = [good.clone(), checksum].concat();
    assert!(matches!(decode(&second).end, End::Damaged { frame_at, .. } if frame_at == good.len() as u64));
    assert_eq!(decode(&second).good_bytes, good.len() as u64);
}

fn header(bytes: &[u8]) -> zstd::Header {
    match zstd::Header::parse(bytes) {
        zstd::Parsed::Header(header) => header,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_large_window_and_a_dictionary_are_said() {
    let mut encoder = ::zstd::Encoder::new(Vec::new(), 1).unwrap();
    encoder.window_log(24).unwrap();
    encoder.write_all(&text(1_000)).unwrap();
    let bytes = encoder.finish().unwrap();
    let small = Limits { window: 8 * MIB, ..Limits::default() };
    let decoded = decode_in(&bytes, 7, small);
    assert_eq!(decoded.end, End::Window { frame_at: 0, needs: 16 * MIB, limit: 8 * MIB }, "{decoded}");
    assert_eq!(decode(&bytes).end, End::Whole);
    let dictionary = [0x28, 0xB5, 0x2F, 0xFD, 0x01, 0x58, 9, 1, 0, 0];
    assert_eq!(decode(&dictionary).end, End::Dictionary { frame_at: 0, id: 9 });
}

#[test]
fn a_bomb_is_stopped() {
    // Blocks that repeat one byte, 128 KiB from four bytes each: 32 GiB in a megabyte.
    let mut bomb = vec![0x28, 0xB5, 0x2F, 0xFD, 0, 0x58];
    for _ in 0..262_144 {
        let header = (128u32 << 10) << 3 | 0b010;
        bomb.extend_from_slice(&header.to_le_bytes()[..3]);
        bomb.push(b'x');
    }
    let limits = Limits { decoded: GIB, ..Limits::default() };
    let decoded = decode_in(&bomb, 64 << 10, limits);
    let End::Expansion { decoded: came, stored, limit: GIB } = decoded.end else { panic!("{decoded}") };
    assert!(came <= GIB + SCRATCH as u64 && stored < 64 << 10, "{came} of {stored}");
}

#[test]
fn what_is_no_stream_is_said_to_be_none() {
    assert_eq!(decode(b"").format, None);
    let zeros = decode(&vec![0; 100_000]);
    assert_eq!((zeros.format, zeros.zero_bytes), (Some(Format::Zeros), Some(100_000)));
    let half = decode(&[vec![0; 51_200], noise(51_200)].concat());
    assert_eq!((half.format, half.zero_bytes), (Some(Format::None), Some(51_200)), "{half}");
    for begins_like_one in [&gzip(b"")[..5], &[0x78, 0x9C], &[0x50, 0x2A, 0x4D, 0x18]] {
        let bytes = [begins_like_one, &noise(5_000)].concat();
        let decoded = decode(&bytes);
        assert_eq!((decoded.format, &decoded.end), (Some(Format::None), &End::Whole), "{decoded}");
        assert_eq!(decode(begins_like_one).format, Some(Format::None), "{begins_like_one:?}");
    }
}

/// Of 300 objects that start like zlib, some streams end early with a checksum that does not match.
#[test]
fn two_bytes_do_not_make_a_stream() {
    for seed in 0..300u32 {
        let mut random = fastrand::Rng::with_seed(u64::from(seed));
        let bytes: Vec<u8> =
            [0x78, 0x9C].into_iter().chain(std::iter::repeat_with(|| random.u8(..)).take(3_000)).collect();
        let decoded = decode(&bytes);
        assert_eq!((decoded.format, &decoded.end), (Some(Format::None), &End::Whole), "seed {seed}: {decoded}");
    }
}

#[test]
fn a_window_takes_what_it_needs_and_no_more() {
    // 144 MiB: 128 MiB plus an eighth.
    let mut frame = zstd(&text(1_000), true);
    assert_eq!(frame[4] & 0x20, 0x20, "a single segment");
    frame.splice(4..7, [0b100, 0x89]);
    let of = |window| decode_in(&frame, 64 << 10, Limits { window, ..Limits::default() });
    assert_eq!(of(143 * MIB).end, End::Window { frame_at: 0, needs: 144 * MIB, limit: 143 * MIB });
    assert_eq!((of(144 * MIB).end, of(144 * MIB).decoded_bytes), (End::Whole, 1_000));
}

/// Cuts a small stream of two frames at every byte and flips every bit.
#[test]
fn no_cut_and_no_flip_goes_unseen() {
    for make in [|data: &[u8]| zstd(data, true), gzip as fn(&[u8]) -> Vec<u8>] {
        let (one, two) = (make(&text(9_000)), make(&text(700)));
        let bytes = [one.clone(), two].concat();
        let whole = decode(&bytes);
        assert_eq!((whole.frames, &whole.end), (2, &End::Whole));
        for cut in 1..bytes.len() {
            let decoded = decode(&bytes[..cut]);
            let at_boundary = cut == one.len();
            assert_eq!(decoded.end == End::Whole && decoded.frames > 0, at_boundary, "cut at {cut}: {decoded}");
        }
        for bit in 0..bytes.len() * 8 {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            let decoded = decode(&flipped);
            let unseen = decoded.end == End::Whole && decoded.frames == 2;
            // Some bits only select how to decode. Both checksums then still match the output.
            assert!(!unseen || (decoded.checksums, decoded.decoded_bytes) == (2, 9_700), "bit {bit}: {decoded}");
        }
    }
}

proptest! {
    #[test]
    fn pieces_do_not_matter(
        piece in 1usize..5_000,
        size in 0usize..40_000,
        cut in 0usize..50_000,
        kind in 0usize..5,
    ) {
        let data = text(size);
        let mut bytes = match kind {
            0 => zstd(&data, true),
            1 => [gzip(&data), gzip(&noise(size / 3))].concat(),
            2 => zlib(&data),
            3 => data,
            _ => [zstd(&data, false), noise(size / 5)].concat(),
        };
        bytes.truncate(cut.max(1));
        let limits = Limits::default();
        prop_assert_eq!(decode_in(&bytes, piece, limits), decode_in(&bytes, usize::MAX, limits));
    }

    #[test]
    fn any_bytes_come_to_an_end(bytes in proptest::collection::vec(any::<u8>(), 0..3_000), magic in 0usize..5) {
        let magics: [&[u8]; 5] = [&[], &[0x28, 0xB5, 0x2F, 0xFD], &[0x1F, 0x8B, 8], &[0x78, 0x9C], &[0x51, 0x2A, 0x4D, 0x18]];
        let decoded = decode(&[magics[magic], &bytes].concat());
        prop_assert!(decoded.good_bytes <= decoded.taken_bytes);
    }
}
