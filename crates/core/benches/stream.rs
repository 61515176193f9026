//! How fast a stream is decoded and judged, against the libraries used directly: the same bytes in the same pieces, all
//! checksums on. Hold the rows of one group against each other.

use std::hint::black_box;
use std::io::Write;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use flate2::{Compression, Decompress, FlushDecompress, write};
use stored_ami_core::content::{Decoded, Limits, Stream};
use stored_ami_core::units::{KIB, MIB};

const SIZE: u64 = 64 * MIB;

/// What a network hands over at once.
const PIECE: usize = 64 * KIB as usize;

/// Bytes of which some stand in the window and some do not, as on disks of systems.
fn content() -> Vec<u8> {
    let mut random = fastrand::Rng::with_seed(1);
    let words: Vec<Vec<u8>> =
        (0..4000).map(|_| (0..random.usize(3..24)).map(|_| random.u8(b'a'..=b'z')).collect()).collect();
    let mut out = Vec::new();
    while out.len() < SIZE as usize {
        match random.u8(0..20) {
            0 => out.extend((0..64).map(|_| random.u8(..))),
            1 => out.resize(out.len() + random.usize(1..500), 0),
            _ => out.extend_from_slice(&words[random.usize(..words.len())]),
        }
    }
    out.truncate(SIZE as usize);
    out
}

fn ours(stored: &[u8]) -> Decoded {
    let mut stream = Stream::new(Limits::default());
    stored.chunks(PIECE).for_each(|piece| stream.take(piece));
    stream.finish()
}

fn zstd_directly(stored: &[u8]) -> u64 {
    let mut decoder = zstd::stream::raw::Decoder::new().unwrap_or_else(|error| panic!("{error}"));
    let mut scratch = vec![0; 256 * KIB as usize];
    let mut out = 0;
    for piece in stored.chunks(PIECE) {
        let mut input = zstd::stream::raw::InBuffer::around(piece);
        while input.pos() < piece.len() {
            let mut output = zstd::stream::raw::OutBuffer::around(&mut scratch[..]);
            let done = zstd::stream::raw::Operation::run(&mut decoder, &mut input, &mut output);
            assert!(done.is_ok(), "a whole stream");
            out += output.pos() as u64;
        }
    }
    out
}

fn inflated_directly(mut decoder: Decompress, stored: &[u8]) -> u64 {
    let mut scratch = vec![0; 256 * KIB as usize];
    for mut piece in stored.chunks(PIECE) {
        loop {
            let (used, out) = (decoder.total_in(), decoder.total_out());
            let done = decoder.decompress(piece, &mut scratch, FlushDecompress::None);
            assert!(done.is_ok(), "a whole stream");
            piece = &piece[(decoder.total_in() - used) as usize..];
            if piece.is_empty() && decoder.total_out() - out < scratch.len() as u64 {
                break;
            }
        }
    }
    decoder.total_out()
}

fn gzip_directly(stored: &[u8]) -> u64 {
    inflated_directly(Decompress::new_gzip(15), stored)
}

fn zlib_directly(stored: &[u8]) -> u64 {
    inflated_directly(Decompress::new(true), stored)
}

fn members_directly(stored: &[u8]) -> u64 {
    let mut decoder = write::MultiGzDecoder::new(Count(0));
    let written = stored.chunks(PIECE).try_for_each(|piece| decoder.write_all(piece));
    assert!(written.is_ok(), "a whole stream");
    decoder.finish().map_or(0, |count| count.0)
}

/// Counts what is written and keeps none of it.
struct Count(u64);

impl Write for Count {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0 += black_box(bytes).len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// A name, its stored bytes, and the library used directly.
type Case = (&'static str, std::io::Result<Vec<u8>>, fn(&[u8]) -> u64);

fn decoding(criterion: &mut Criterion) {
    let content = content();
    let zstd = |level: i32, log: u32| {
        let mut encoder = zstd::Encoder::new(Vec::new(), level)?;
        encoder.include_checksum(true)?;
        encoder.window_log(log)?;
        encoder.write_all(&content)?;
        encoder.finish()
    };
    // As a program writes that flushes often: small blocks.
    let flushed = || {
        let mut encoder = zstd::Encoder::new(Vec::new(), 1)?;
        encoder.include_checksum(true)?;
        for some in content.chunks(4096) {
            encoder.write_all(some)?;
            encoder.flush()?;
        }
        encoder.finish()
    };
    let gzip = |level, each| {
        let mut out = Vec::new();
        for some in content.chunks(each) {
            let mut encoder = write::GzEncoder::new(&mut out, Compression::new(level));
            encoder.write_all(some)?;
            encoder.finish()?;
        }
        Ok(out)
    };
    let zlib = || {
        let mut encoder = write::ZlibEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(&content)?;
        encoder.finish()
    };
    let cases: [Case; 7] = [
        ("zstd-1", zstd(1, 19), zstd_directly),
        ("zstd-3-long", zstd(3, 26), zstd_directly),
        ("zstd-1-flushed", flushed(), zstd_directly),
        ("gzip-1", gzip(1, usize::MAX), gzip_directly),
        ("gzip-6", gzip(6, usize::MAX), gzip_directly),
        ("gzip-6-members", gzip(6, PIECE), members_directly),
        ("zlib-6", zlib(), zlib_directly),
    ];
    for (name, stored, directly) in cases {
        let Ok(stored) = stored else { panic!("encoders write to memory") };
        assert_eq!((ours(&stored).decoded_bytes, directly(&stored)), (SIZE, SIZE), "{name}");
        let mut group = criterion.benchmark_group(format!("stream/{name}"));
        group.sample_size(10).throughput(Throughput::Bytes(SIZE));
        group.bench_with_input(BenchmarkId::from_parameter("judged"), &stored, |bencher, stored| {
            bencher.iter(|| ours(black_box(stored)));
        });
        group.bench_with_input(BenchmarkId::from_parameter("directly"), &stored, |bencher, stored| {
            bencher.iter(|| directly(black_box(stored)));
        });
        group.finish();
    }
    let mut group = criterion.benchmark_group("stream/plain");
    group.sample_size(10).throughput(Throughput::Bytes(SIZE));
    for (name, bytes) in [("words", content), ("zeros", vec![0; SIZE as usize])] {
        group.bench_function(name, |bencher| bencher.iter(|| ours(black_box(&bytes))));
    }
    group.finish();
}

criterion_group!(benches, decoding);
criterion_main!(benches);
