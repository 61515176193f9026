//! Content checks: decoding, probing, and the compression ratio; on files, so that no server is needed.

use std::io::Write;
use std::path::Path;

use crate::common::{Run, bare_command, data, write};
use serde_json::Value;

/// Text with distinct lines.
fn text(lines: usize) -> Vec<u8> {
    (0..lines).flat_map(|line| format!("{line}: the {} brown fox\n", line * 7919 % 1009).into_bytes()).collect()
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = zstd::Encoder::new(Vec::new(), 3).unwrap();
    encoder.include_checksum(true).unwrap();
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

async fn run(args: &[&str]) -> Run {
    let mut command = bare_command();
    command.args(args).arg("--json");
    Run::of(command).await
}

async fn run_bare(args: &[&str]) -> Option<i32> {
    run(args).await.exit
}

async fn decode(folder: &Path, bytes: &[u8], more: &[&str]) -> Run {
    let file = write(folder, "object.bin", bytes);
    run(&[&["verify", &file, "--decode"][..], more].concat()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_whole_stream_passes_and_gives_its_ratio() {
    let folder = tempfile::tempdir().unwrap();
    let inner = text(200_000);
    for (bytes, format) in [(zstd(&inner), "zstd"), ([gzip(&inner[..5]), gzip(&inner[5..])].concat(), "gzip")] {
        let run = decode(folder.path(), &bytes, &["--digest", "sha256"]).await;
        assert_eq!(run.verdict("stream"), "pass", "{format}");
        assert_eq!(run.assert_exit(3).verdict("proof"), "unknown: no_reference", "a stream is no reference");
        let report = run.report();
        assert_eq!(report["stream"]["decoded_bytes"], inner.len());
        assert_eq!(report["stream"]["format"], format);
        let basis = &report["ratio"]["bases"][0];
        assert_eq!((&basis["basis"], &basis["logical_bytes"]), (&Value::from("decoded"), &Value::from(inner.len())));
        let digest = report["digests"][0]["hex"].as_str().unwrap().to_owned();
        let held = decode(folder.path(), &bytes, &["--expect", &format!("sha256:{digest}")]).await;
        assert_eq!(held.assert_exit(0).report()["verdict"], "pass");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_thing_that_is_wrong_is_a_finding_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let inner = text(50_000);
    let good = zstd(&inner);
    let flip = |bytes: &[u8], at: usize| {
        let mut bytes = bytes.to_vec();
        bytes[at] ^= 1;
        bytes
    };
    let packed = gzip(&inner);
    for (bytes, what) in [
        (flip(&good, good.len() - 1), "its content does not match its checksum"),
        (good[..good.len() / 2].to_vec(), "cut off inside the frame that begins at byte 0"),
        ([&good[..], b"garbage"].concat(), ", behind the last frame, are not part of any frame"),
        (flip(&packed, packed.len() - 8), "its content does not match its CRC32"),
        (flip(&packed, packed.len() - 1), "were decoded"),
    ] {
        let run = decode(folder.path(), &bytes, &[]).await;
        let finding = run.assert_exit(1).finding("stream");
        assert!(finding["observed"].as_str().unwrap().contains(what), "{finding}");
        assert_eq!(finding["reads"], 2, "nothing proves the bytes, so they were decoded twice");
        assert_eq!(run.verdict("proof"), "unknown: no_reference");
    }
    // If a reference proves the bytes, one read suffices: the stream was damaged before it was stored.
    let bytes = flip(&good, good.len() - 1);
    let digest = decode(folder.path(), &bytes, &["--digest", "sha256", "--no-reread"]).await.report();
    let expect = format!("sha256:{}", digest["digests"][0]["hex"].as_str().unwrap());
    let run = decode(folder.path(), &bytes, &["--expect", &expect]).await;
    assert_eq!(run.assert_exit(1).verdict("proof"), "pass");
    assert_eq!(run.finding("stream")["reads"], Value::Null);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_decoded_is_unknown_and_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let unknown = |run: &Run, what: &str| {
        let finding = run.finding("stream");
        assert!(finding["reason"]["detail"].as_str().unwrap().contains(what), "{finding}");
    };
    let zeros = decode(folder.path(), &vec![0; 300_000], &["--digest", "crc32"]).await;
    unknown(&zeros, "of zeros, and nothing else");
    unknown(&decode(folder.path(), &data(3, 300_000), &[]).await, "not a known stream format");
    let mut encoder = zstd::Encoder::new(Vec::new(), 1).unwrap();
    encoder.window_log(27).unwrap();
    encoder.include_checksum(true).unwrap();
    encoder.write_all(&text(10)).unwrap();
    let large = encoder.finish().unwrap();
    let run = decode(folder.path(), &large, &["--max-memory", "100MiB"]).await;
    unknown(run.assert_exit(3), "needs a window of 128 MiB, more than the 50 MiB allowed");
    assert_eq!(run.verdict("stream"), "unknown: not_decoded");
    assert_eq!(decode(folder.path(), &large, &[]).await.verdict("stream"), "pass");
    // 4 GiB of one byte in 128 KiB, without a checksum.
    let mut blocks = vec![0x28, 0xB5, 0x2F, 0xFD, 0, 0x58];
    (0..32_768).for_each(|last| blocks.extend_from_slice(&[0x02 | u8::from(last == 32_767), 0x00, 0x10, b'x']));
    let run = decode(folder.path(), &blocks, &[]).await;
    unknown(&run, "1 whole frame, without a checksum, 4,294,967,296 bytes decoded");
    assert_eq!(run.report()["stream"]["decoded_bytes"], 4_294_967_296_u64);
    let digest = decode(folder.path(), &blocks, &["--digest", "sha256"]).await.report();
    let expect = format!("sha256:{}", digest["digests"][0]["hex"].as_str().unwrap());
    decode(folder.path(), &blocks, &["--expect", &expect]).await.assert_exit(0);
    decode(folder.path(), &blocks, &["--expect", &expect, "--require", "stream"]).await.assert_exit(3);
    let file = write(folder.path(), "object.bin", &blocks);
    assert_eq!(
        run_bare(&["verify", &file, "--expect", &expect, "--require", "stream"]).await,
        Some(2),
        "needs --decode"
    );
    let refused = decode(folder.path(), b"x", &["--resume", "state.json"]).await;
    assert_eq!(refused.exit, Some(2));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_probe_tells_dense_from_structured_content() {
    let folder = tempfile::tempdir().unwrap();
    let mixed = [data(9, 4 << 20), text(120_000), vec![0; 4 << 20]].concat();
    let file = write(folder.path(), "object.bin", &mixed);
    for args in [["inspect", &file, "--probe", "64"], ["verify", &file, "--probe", "--digest=crc32"]] {
        let probe = run(&args).await.report()["probe"].clone();
        let at = |share: f64| {
            let regions = probe["regions"].as_array().unwrap();
            regions[(regions.len() as f64 * share) as usize]["content"].as_str().unwrap().to_owned()
        };
        assert_eq!([at(0.1), at(0.5), at(0.9)], ["dense", "structured", "uniform"], "{args:?}");
        let zeros = (4 << 20) as f64 / mixed.len() as f64;
        let share = &probe["zero_share"];
        assert!((share["low"].as_f64().unwrap()..=share["high"].as_f64().unwrap()).contains(&zeros), "{share}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn ratios_name_their_basis() {
    let folder = tempfile::tempdir().unwrap();
    let file = write(folder.path(), "object.bin", &data(1, 1 << 20));
    let report = run(&["inspect", &file, "--logical-size", "3MiB"]).await.report();
    assert_eq!(report["ratio"]["bases"].as_array().unwrap().len(), 1);
    assert_eq!(report["ratio"]["bases"][0]["ratio"], 3.0);
    let missing = report["ratio"]["missing"].as_array().unwrap();
    assert_eq!(missing.iter().map(|one| one["basis"].as_str().unwrap()).collect::<Vec<_>>(), ["volumes", "written"]);
}
