//! Checksum files: which lines apply to the target, with which algorithm, in which format.

use std::path::Path;

use stored_ami::checksum::Algorithm;

use super::rig::{BUCKET, Rig, hex, offline, verdicts};
use crate::common::{Run, data, write};

const MD5: Algorithm = Algorithm::Md5;
const SHA1: Algorithm = Algorithm::Sha1;
const SHA256: Algorithm = Algorithm::Sha256;
const SHA512: Algorithm = Algorithm::Sha512;

fn bytes() -> Vec<u8> {
    data(5, 5_000)
}

fn right(algorithm: Algorithm) -> String {
    hex(algorithm, &bytes())
}

fn wrong(algorithm: Algorithm) -> String {
    hex(algorithm, b"other")
}

/// Verifies `x.bin` with a checksum file of this name and content.
async fn by(name: &str, content: &[u8]) -> Run {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "x.bin", &bytes());
    write(folder.path(), name, content);
    offline(folder.path(), &["x.bin", "--sums", name]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn every_line_of_the_target_counts_whatever_its_place() {
    let mut lines = [
        format!("{}  x.bin", right(MD5)),
        format!("SHA256 (x.bin) = {}", wrong(SHA256)),
        format!("{}  y.bin", wrong(SHA1)),
        format!("{}  x.bin", right(SHA1)),
    ];
    for _ in 0..lines.len() {
        let run = by("SUMS", lines.join("\n").as_bytes()).await;
        assert_eq!(run.assert_exit(1).verdict("sums-sha256"), "fail");
        assert_eq!((run.verdict("sums-md5"), run.verdict("sums-sha1")), ("pass".into(), "pass".into()));
        lines.rotate_left(1);
    }
    let twice = format!("{}  x.bin\n{}  x.bin\n", right(MD5), wrong(MD5));
    let run = by("SUMS", twice.as_bytes()).await;
    let mut found = verdicts(run.assert_exit(1), "sums-md5");
    found.sort_unstable();
    assert_eq!(found, ["fail", "pass"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_of_another_path_is_not_of_the_target() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["a", "b"] {
        std::fs::create_dir(folder.path().join(name)).unwrap();
    }
    write(folder.path(), "a/x.bin", &bytes());
    write(folder.path(), "b/x.bin", b"other");
    let verify = async |given: &str, sums: &str| {
        write(folder.path(), "SHA256SUMS", sums.as_bytes());
        offline(folder.path(), &[given, "--sums", "SHA256SUMS"]).await
    };
    let both = format!("{}  b/x.bin\n{}  ./a/x.bin\n", wrong(SHA256), right(SHA256));
    verify("a/x.bin", &both).await.assert_exit(0);
    verify("b/x.bin", &both).await.assert_exit(0);
    let absolute = folder.path().join("a/x.bin");
    verify(absolute.to_str().unwrap(), &both).await.assert_exit(0);
    let run = verify("a/x.bin", &format!("{}  b/x.bin\n", wrong(SHA256))).await;
    assert!(run.assert_exit(2).stderr.contains("line 1 names `b/x.bin`, another path"), "{run:?}");
    // A bare name refers to the target, unless a file of this name exists at that path.
    let bare = format!("{}  x.bin\n", right(SHA256));
    verify("a/x.bin", &bare).await.assert_exit(0);
    write(folder.path(), "x.bin", b"other");
    verify("a/x.bin", &bare).await.assert_exit(2);
    verify("x.bin", &bare).await.assert_exit(1);
}

#[tokio::test(flavor = "multi_thread")]
async fn objects_are_named_by_their_keys() {
    let folder = tempfile::tempdir().unwrap();
    let rig = Rig::new().await;
    rig.server.put(BUCKET, "a/x.bin", &bytes(), None).await;
    let of = async |line: String| {
        let sums = write(folder.path(), "MD5SUMS", line.as_bytes());
        rig.verify_key("a/x.bin", &["--sums", &sums]).await
    };
    for name in ["a/x.bin", "x.bin", &format!("{BUCKET}/a/x.bin"), &format!("s3://{BUCKET}/a/x.bin")] {
        of(format!("{}  {name}\n", right(MD5))).await.assert_exit(0);
        of(format!("{}  {name}\n", wrong(MD5))).await.assert_exit(1);
    }
    of(format!("{}  b/x.bin\n", right(MD5))).await.assert_exit(2);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_algorithm_that_is_guessed_is_no_claim() {
    for (algorithm, check) in [(SHA256, "sums-sha256"), (SHA512, "sums-sha512")] {
        let (good, bad) = (format!("{}  x.bin\n", right(algorithm)), format!("{}  x.bin\n", wrong(algorithm)));
        assert_eq!(by("SUMS", good.as_bytes()).await.assert_exit(0).verdict(check), "pass");
        let run = by("SUMS", bad.as_bytes()).await;
        assert_eq!(run.assert_exit(3).verdict(check), "unknown: algorithm_guessed");
        let detail = run.finding(check)["reason"]["detail"].as_str().unwrap().to_owned();
        assert!(
            detail.starts_with(&format!("no match as {algorithm}; may be ")) && detail.contains("BLAKE2"),
            "{detail}"
        );
        assert_eq!(run.report()["stats"]["reads"], 1, "a guess is not read again");
        // The algorithm is stated by the file name, the line, or the user.
        let upper = algorithm.name().to_uppercase();
        for name in [format!("{upper}SUMS"), format!("x.bin.{algorithm}"), format!("{algorithm}sum.txt")] {
            assert_eq!(by(&name, bad.as_bytes()).await.assert_exit(1).verdict(check), "fail", "{name}");
        }
        by("SUMS", format!("{upper}(x.bin)= {}\n", wrong(algorithm)).as_bytes()).await.assert_exit(1);
        for other in ["B2SUMS", "x.b2", "x.blake2b", "x.bin.sha3-256", "x.bin.sha512-256"] {
            let run = by(other, good.as_bytes()).await;
            assert_eq!(run.assert_exit(3).verdict("sums-value"), "unknown: algorithm_not_computed", "{other}");
        }
    }
    for (algorithm, check) in [(MD5, "sums-md5"), (SHA1, "sums-sha1")] {
        let run = by("SUMS", format!("{}  x.bin\n", wrong(algorithm)).as_bytes()).await;
        assert_eq!(run.assert_exit(1).verdict(check), "fail");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_states_the_algorithm_and_a_path_may_hold_a_colon() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "x.bin", &bytes());
    write(folder.path(), "SUMS", format!("{}  x.bin\n", wrong(SHA512)).as_bytes());
    let sums = async |given: &str| offline(folder.path(), &["x.bin", "--sums", given]).await;
    sums("SUMS").await.assert_exit(3);
    assert_eq!(sums("sha512:SUMS").await.assert_exit(1).verdict("sums-sha512"), "fail");
    assert!(sums("sha256:SUMS").await.assert_exit(2).stderr.contains("line 1"));
    assert!(sums("blake2b:SUMS").await.assert_exit(2).stderr.contains("is not a checksum algorithm"));
    write(folder.path(), "CRC", format!("{}  x.bin\n", right(Algorithm::Crc64Nvme)).as_bytes());
    assert_eq!(sums("CRC").await.assert_exit(3).verdict("sums-value"), "unknown: algorithm_not_computed");
    assert_eq!(sums("crc64nvme:CRC").await.assert_exit(0).verdict("sums-crc64nvme"), "pass");
    for name in ["sha256:sums", "2026-01-01T00:00"] {
        write(folder.path(), name, format!("{}  x.bin\n", right(MD5)).as_bytes());
        assert_eq!(sums(name).await.assert_exit(0).verdict("sums-md5"), "pass", "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn forms_and_encodings_of_checksum_files() {
    let sha = right(SHA256);
    let utf16 = |text: &str, unit: fn(u16) -> [u8; 2], mark: [u8; 2]| {
        [&mark[..], &text.encode_utf16().flat_map(unit).collect::<Vec<_>>()].concat()
    };
    let line = format!("SHA256 (x.bin) = {sha}\r\n");
    let signed = format!(
        "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\n{sha} *x.bin\n-----BEGIN PGP SIGNATURE-----\n\niQIz=\n-----END PGP SIGNATURE-----\n"
    );
    let foreign = format!(
        "# a comment\nSIZE (x.bin) = 5000\nBLAKE2b (x.bin) = {}\nx.bin 0A1B2C3D\nSome text.\n{line}",
        wrong(SHA512)
    );
    for (name, content) in [
        ("SUMS", format!("\u{feff}{line}").into_bytes()),
        ("SUMS", utf16(&line, u16::to_le_bytes, [0xFF, 0xFE])),
        ("SUMS", utf16(&line, u16::to_be_bytes, [0xFE, 0xFF])),
        ("SHA256SUMS", format!("{}  x.bin\r\n", sha.to_uppercase()).into_bytes()),
        ("SUMS", format!("SHA256(x.bin)= {sha}\n").into_bytes()),
        ("SUMS", format!("SHA2-256(x.bin)= {sha}\n").into_bytes()),
        ("SUMS", format!("SHA2-256 (x.bin) = {sha}").into_bytes()),
        ("x.bin.sha256", format!("{sha}\n").into_bytes()),
        ("x.bin.sha256", format!("{sha}  -\n").into_bytes()),
        ("SUMS", format!("sha256:{sha}\n").into_bytes()),
        ("SHA256SUMS.asc", signed.into_bytes()),
        ("SUMS", foreign.into_bytes()),
        ("SUMS", [b"\xff\xfe\xfd no text\n", line.as_bytes()].concat()[1..].to_vec()),
    ] {
        let run = by(name, &content).await;
        let shown = String::from_utf8_lossy(&content).into_owned();
        assert_eq!(run.exit, Some(0), "{name}: {shown}: {run:?}");
        assert_eq!(run.verdict("sums-sha256"), "pass", "{shown}");
        if shown.contains("SIZE") {
            let notes = run.report()["notes"].to_string();
            for said in ["no checksum and left out", "BLAKE2b is not computed", "SIZE is not computed", "SFV"] {
                assert!(notes.contains(said), "{said}: {notes}");
            }
        }
    }
    for (content, said) in [("hello world\n", "has no line for"), ("SHA256 (x.bin) = 12\n", "line 1"), ("", "no line")]
    {
        assert!(by("SUMS", content.as_bytes()).await.assert_exit(2).stderr.contains(said), "{content}");
    }
    let alone = by("SUMS", format!("BLAKE2b (x.bin) = {}\n", wrong(SHA512)).as_bytes()).await;
    assert_eq!(alone.assert_exit(3).verdict("sums-value"), "unknown: algorithm_not_computed");
}

#[tokio::test(flavor = "multi_thread")]
async fn values_of_other_files_and_of_other_things_are_no_fail() {
    let certutil = |name: &str| format!("SHA1 hash of {name}:\r\n{}\r\nCertUtil: done.\r\n", wrong(SHA1));
    let md5 = format!("{}  x.bin\n", wrong(MD5));
    let crc = hex(Algorithm::Crc32, &bytes());
    for (name, content, exit) in [
        ("c.txt", certutil("x.bin"), 1),
        ("c.txt", certutil("y.bin"), 2),
        ("x.bin.md5", format!("{}\n", wrong(MD5)), 1),
        ("y.bin.md5", format!("{}\n", wrong(MD5)), 2),
        ("x.bin.txt", md5.clone(), 1),
        ("x.bin.hidrive", md5.clone(), 3),
        ("x.bin.md4", md5, 3),
        ("SUMS", format!("{} U./x.bin\n", wrong(SHA1)), 3),
        ("SUMS", format!("{} ^x.bin\n", wrong(SHA1)), 3),
        ("x.sfv", format!("x.bin {crc}\n"), 3),
    ] {
        let run = by(name, content.as_bytes()).await;
        assert_eq!(run.exit, Some(exit), "{name}: {content}: {run:?}");
    }
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "x.bin", &bytes());
    write(folder.path(), "x.sfv", format!("x.bin {crc}\n").as_bytes());
    let run = offline(folder.path(), &["x.bin", "--sums", "crc32:x.sfv"]).await;
    assert_eq!(run.assert_exit(0).verdict("sums-crc32"), "pass");
}

#[tokio::test(flavor = "multi_thread")]
async fn names_that_gnu_escapes() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["a\\b.bin", "a\nb.bin", "a\rb.bin", "a b.bin", "*a.bin"] {
        write(folder.path(), name, &bytes());
        let escaped = name.replace('\\', "\\\\").replace('\n', "\\n").replace('\r', "\\r");
        let mark = if escaped == name { "" } else { "\\" };
        let bsd = format!("{mark}SHA256 ({escaped}) = {}\n", right(SHA256));
        for line in
            [format!("{mark}{}  {escaped}\n", right(SHA256)), format!("{mark}{} *{escaped}\n", right(SHA256)), bsd]
        {
            write(folder.path(), "SHA256SUMS", line.as_bytes());
            let given = Path::new(".").join(name);
            let run = offline(folder.path(), &[given.to_str().unwrap(), "--sums", "SHA256SUMS"]).await;
            assert_eq!(run.exit, Some(0), "{line}: {run:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_value_without_a_name_is_not_of_several_targets() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["x.bin", "y.bin"] {
        write(folder.path(), name, &bytes());
    }
    write(folder.path(), "one.sha256", format!("{}\n", right(SHA256)).as_bytes());
    let run = offline(folder.path(), &["x.bin", "y.bin", "--sums", "one.sha256"]).await;
    assert!(run.assert_exit(2).stderr.contains("without a name"), "{run:?}");
}
