//! Sparse files of several tebibytes, of which a little is read.

use std::fs::File;
use std::path::Path;

use tempfile::TempDir;

use crate::common::{bare_command, write};
use crate::peak::{GIVEN, REFUSED, watch};

const SHA256: &str = "sha256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
const CRC: &str = "crc64nvme:AAAAAAAAAAA=";
const MD5: &str = "00000000000000000000000000000000";

/// The largest of the tried files that the file system supports.
fn sparse(folder: &Path) -> String {
    let path = folder.join("sparse.bin");
    let file = File::create(&path).unwrap();
    // The maximum file size of ext4 is one block less than 16 TiB.
    let admitted = [15_u64 << 40, 4 << 40, 1 << 40].into_iter().any(|size| file.set_len(size).is_ok());
    assert!(admitted, "a file of 1 TiB");
    path.display().to_string()
}

async fn verify(file: &str, what: &[&str], exit: i32, says: &str) {
    let mut command = bare_command();
    command.args(["verify", file, "--max-memory", GIVEN]).args(what);
    watch(command).await.assert(&what.join(" "), exit, says);
}

/// A list of ranges, or of their digests, used gigabytes of memory and minutes of time before the first byte.
#[tokio::test(flavor = "multi_thread")]
async fn a_reading_takes_no_more_memory_for_more_bytes() {
    let folder = TempDir::new().unwrap();
    let file = sparse(folder.path());
    let of_parts = format!("{MD5}-177");
    let manifest = folder.path().join("manifest.json").display().to_string();
    for what in [
        // Long enough to show whether freed memory is reused.
        &["--expect", SHA256, "--max-bytes", "512MiB"][..],
        &["--expect", SHA256, "--expect", CRC, "--max-bytes", "64MiB"],
        &["--expect", SHA256, "--range-size", "4KiB", "--max-bytes", "4MiB"],
        &["--expect", CRC, "--range-size", "4KiB", "--max-bytes", "64MiB"],
        &["--etag", MD5, "--max-bytes", "64MiB"],
        &["--etag", &of_parts, "--expect", SHA256, "--max-bytes", "64MiB"],
        &["--digest", "sha1,sha256,sha512,md5,xxh128,crc32", "--max-bytes", "32MiB"],
        &["--expect", SHA256, "--write-manifest", &manifest, "--max-bytes", "64MiB"],
        &["--expect", SHA256, "--max-time", "1s"],
    ] {
        verify(&file, what, 3, "ended it").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sample_draws_from_ranges_that_are_not_listed() {
    let folder = TempDir::new().unwrap();
    let file = sparse(folder.path());
    for sample in ["0.01%", "100%", "1/4000000000", "2/3"] {
        for reference in [SHA256, CRC] {
            let small = ["--expect", reference, "--range-size", "4KiB", "--sample", sample, "--max-bytes", "1MiB"];
            verify(&file, &small, 3, "UNKNOWN").await;
        }
    }
}

/// The size of a checkpoint depends on the bytes read, and the next run resumes from it.
#[tokio::test(flavor = "multi_thread")]
async fn a_checkpoint_of_a_large_reading_is_small_and_taken_up() {
    let folder = TempDir::new().unwrap();
    let file = sparse(folder.path());
    for (name, references) in [("whole", vec!["--expect", SHA256]), ("both", vec!["--expect", SHA256, "--expect", CRC])]
    {
        let kept = folder.path().join(name).display().to_string();
        let mut what = references.clone();
        what.extend(["--resume", &kept, "--max-bytes", "32MiB"]);
        verify(&file, &what, 3, "ended it").await;
        let bytes = std::fs::metadata(&kept).unwrap().len();
        assert!(bytes < 10_000, "{name}: {bytes} bytes");
        verify(&file, &what, 3, "were read by an earlier run").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_checkpoint_of_the_first_form_is_refused_in_clear_words() {
    let folder = TempDir::new().unwrap();
    let file = write(folder.path(), "some.bin", b"some bytes");
    let kept = write(
        folder.path(),
        "kept",
        br#"{"schema":"stored-ami/checkpoint/1","sha256":"00","checkpoint":{"finished":[{"range":0,"digests":[]}]}}"#,
    );
    let before = std::fs::read(&kept).unwrap();
    let says = "has schema `stored-ami/checkpoint/1`; this version reads stored-ami/checkpoint/2; to start over";
    verify(&file, &["--expect", SHA256, "--resume", &kept], 2, says).await;
    assert_eq!(std::fs::read(&kept).unwrap(), before, "it is left as it was");
}

/// Many layouts with many parts need more memory than allowed, which is reported before the first read.
#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_fit_is_refused_before_the_first_read() {
    let folder = TempDir::new().unwrap();
    let file = sparse(folder.path());
    let references: Vec<String> = (9_970..=9_999).map(|parts| format!("crc32:AAAAAA==-{parts}")).collect();
    let what: Vec<&str> = references.iter().flat_map(|reference| ["--expect", reference]).collect();
    verify(&file, &what, 2, REFUSED).await;
}

fn file_of(folder: &Path, size: u64) -> String {
    let path = folder.join("file.bin");
    File::create(&path).unwrap().set_len(size).unwrap();
    path.display().to_string()
}

/// The ranges of a large object are no larger than those of a small one, so only ranges in flight are lost.
#[tokio::test(flavor = "multi_thread")]
async fn a_limit_of_bytes_is_kept_in_ranges_of_the_usual_size() {
    let folder = TempDir::new().unwrap();
    let file = file_of(folder.path(), 4 << 40);
    let kept = folder.path().join("kept").display().to_string();
    let usual: u64 = 16 << 20;
    for (run, whole) in [(1, 6 * usual), (2, 12 * usual)] {
        let mut command = bare_command();
        command.args(["verify", &file, "--expect", "crc32:AAAAAA==", "--max-bytes", "100MiB"]);
        command.args(["--resume", &kept, "--json"]);
        let output = command.output().unwrap();
        assert_eq!(output.status.code(), Some(3), "{output:?}");
        let line = output.stdout.split(|byte| *byte == b'\n').next().unwrap();
        let report: serde_json::Value = serde_json::from_slice(line).unwrap();
        assert_eq!(report["stats"]["covered_bytes"], whole, "run {run}: {report}");
        let kept: serde_json::Value = serde_json::from_slice(&std::fs::read(&kept).unwrap()).unwrap();
        assert_eq!(kept["checkpoint"]["read_bytes"], whole, "run {run}");
    }
}

/// The maximum number of ranges, each with its digests, in the read and in its checkpoint.
#[tokio::test(flavor = "multi_thread")]
async fn a_checkpoint_of_very_many_ranges_takes_no_more_memory() {
    let folder = TempDir::new().unwrap();
    let file = file_of(folder.path(), 400 << 20);
    let kept = folder.path().join("kept").display().to_string();
    let crcs = ["--digest", "crc32,crc32c,crc64nvme", "--range-size", "4KiB", "--resume", &kept];
    let mut most = crcs.to_vec();
    most.extend(["--max-bytes", "390MiB"]);
    verify(&file, &most, 3, "ended it").await;
    let bytes = std::fs::metadata(&kept).unwrap().len();
    assert!(bytes > 500_000, "{bytes} bytes");
    verify(&file, &crcs, 3, "were read by an earlier run").await;
    assert!(!Path::new(&kept).exists(), "all is read");
}
