use std::path::Path;

use super::*;
use crate::checksum::Hasher;

const SHA256: Algorithm = Algorithm::Sha256;
const SHA512: Algorithm = Algorithm::Sha512;

fn hex(algorithm: Algorithm, seed: &[u8]) -> String {
    Hasher::digest(algorithm, seed).hex()
}

fn find(text: &str, file: &str, given: &str) -> Result<GivenSums, SumsError> {
    let target = SumsTarget::file(Path::new(given), &Path::new("/here").join(given), &[Path::new("/here")]);
    let request = SumsRequest { file, algorithm: None, target: &target, means_another: &|_| false, one_target: true };
    find_sums(text, &request)
}

fn values(text: &str, file: &str, given: &str) -> Vec<SumValue> {
    find(text, file, given).unwrap().values.into_iter().map(|line| line.value).collect()
}

fn stated(algorithm: Algorithm, seed: &[u8]) -> SumValue {
    SumValue::Stated(Hasher::digest(algorithm, seed))
}

#[test]
fn every_line_that_names_the_target_counts_in_any_order() {
    let lines = [
        format!("{}  a.bin", hex(Algorithm::Md5, b"x")),
        format!("SHA256 (a.bin) = {}", hex(SHA256, b"y")),
        format!("SHA256 (./a.bin) = {}", hex(SHA256, b"x")),
        format!("{}  b.bin", hex(SHA256, b"z")),
        format!("SHA256(a.bin)= {}", hex(SHA256, b"x")),
    ];
    let mut all = [stated(Algorithm::Md5, b"x"), stated(SHA256, b"y"), stated(SHA256, b"x")];
    for _ in 0..2 {
        assert_eq!(values(&lines.join("\n"), "SUMS", "a.bin"), all);
        all.reverse();
        let backwards: Vec<String> = lines.iter().rev().cloned().collect();
        assert_eq!(values(&backwards.join("\r\n"), "SUMS", "a.bin"), all);
        all.reverse();
    }
}

#[test]
fn a_path_counts_before_a_name() {
    let line = |seed: &[u8], name: &str| format!("{}  {name}\n", hex(Algorithm::Md5, seed));
    let of = |text: &str, given: &str| find(text, "SUMS", given).map(|found| found.values.len());
    let text = line(b"a", "a/x.bin") + &line(b"b", "b/x.bin");
    assert_eq!(values(&text, "SUMS", "a/x.bin"), [stated(Algorithm::Md5, b"a")]);
    assert_eq!(values(&text, "SUMS", "b/x.bin"), [stated(Algorithm::Md5, b"b")]);
    let elsewhere = of(&text, "c/x.bin").unwrap_err();
    assert!(matches!(&elsewhere, SumsError::NoLine { elsewhere: Some((1, _)), .. }), "{elsewhere}");
    assert!(elsewhere.to_string().contains("line 1 names `a/x.bin`, another path"), "{elsewhere}");
    assert_eq!(of(&text, "x.bin"), Err(SumsError::Ambiguous { name: "x.bin".into() }));
    assert_eq!(of(&(line(b"a", "a/x.bin") + &line(b"a", "b/x.bin")), "x.bin"), Ok(1), "either way the same");
    assert_eq!(of(&line(b"a", "pool/x.bin"), "x.bin"), Ok(1), "nothing else can be meant");
    assert_eq!(of(&line(b"a", "x.bin"), "a/x.bin"), Ok(1));
    assert!(of(&(line(b"a", "x.bin") + &line(b"b", "b/x.bin")), "a/x.bin").is_err(), "there are two of the name");
    assert_eq!(values(&line(b"a", "a\\x.bin"), "SUMS", "a/x.bin"), [stated(Algorithm::Md5, b"a")], "of Windows");
}

#[test]
fn a_name_that_means_another_file_is_not_taken() {
    let text = format!("{}  x.bin\n", hex(SHA256, b"x"));
    let target = SumsTarget::file(Path::new("a/x.bin"), Path::new("/here/a/x.bin"), &[]);
    let of = |taken: &dyn Fn(&str) -> bool| {
        let request =
            SumsRequest { file: "S", algorithm: None, target: &target, means_another: taken, one_target: true };
        find_sums(&text, &request).is_ok()
    };
    assert!(of(&|_| false));
    assert!(!of(&|name| name == "x.bin"));
}

#[test]
fn a_length_alone_is_a_guess() {
    let text = |algorithm| format!("{}  x\n", hex(algorithm, b"x"));
    for algorithm in [SHA256, SHA512] {
        let digest = Hasher::digest(algorithm, b"x");
        let guessed = values(&text(algorithm), "SUMS", "x");
        assert!(matches!(guessed[..], [SumValue::Guessed { digest: d, .. }] if d == digest), "{guessed:?}");
        let named = format!("{}SUMS", algorithm.name().to_uppercase());
        assert_eq!(values(&text(algorithm), &named, "x"), [SumValue::Stated(digest)]);
        assert_eq!(values(&text(algorithm), &format!("/a.b2/x.{algorithm}"), "x"), [SumValue::Stated(digest)]);
    }
    assert_eq!(values(&text(Algorithm::Md5), "SUMS", "x"), [stated(Algorithm::Md5, b"x")]);
    assert_eq!(values(&text(Algorithm::Sha1), "SUMS", "x"), [stated(Algorithm::Sha1, b"x")]);
    for other in ["B2SUMS", "x.b2", "x.sha3-512", "x.blake2b"] {
        assert!(matches!(values(&text(SHA512), other, "x")[..], [SumValue::NotComputed { .. }]), "{other}");
    }
    // A name whose algorithm does not fit the value's length states nothing.
    assert!(matches!(values(&text(SHA512), "SHA256SUMS", "x")[..], [SumValue::Guessed { .. }]));
    assert!(matches!(values(&format!("{}  x", "ab".repeat(48)), "S", "x")[..], [SumValue::NotComputed { .. }]));
}

#[test]
fn a_person_states_the_algorithm() {
    let target = SumsTarget::file(Path::new("x"), Path::new("/x"), &[]);
    let of = |text: &str, algorithm| {
        let request = SumsRequest {
            file: "B2SUMS",
            algorithm: Some(algorithm),
            target: &target,
            means_another: &|_| false,
            one_target: true,
        };
        find_sums(text, &request)
    };
    let crc = hex(Algorithm::Crc64Nvme, b"x");
    let found = of(&format!("{crc}  x\n"), Algorithm::Crc64Nvme).unwrap();
    assert_eq!(found.values[0].value, stated(Algorithm::Crc64Nvme, b"x"));
    assert!(matches!(of(&format!("{crc}  x\n"), SHA256), Err(SumsError::Line { line: 1, .. })));
}

#[test]
fn foreign_lines_are_left_out_and_said() {
    let text = format!(
        "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\n# c\nSIZE (x) = 1\nBLAKE2b (x) = {}\nx 0a1b2c3d\n{}  x\n",
        hex(SHA512, b"?"),
        hex(SHA256, b"x")
    );
    let found = find(&text, "SHA256SUMS", "x").unwrap();
    assert_eq!(found.values, [SumLine { line: 8, value: stated(SHA256, b"x") }]);
    let notes = found.notes.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
    for said in ["2 lines are no checksum", "SIZE is not computed", "BLAKE2b is not computed", "line 7"] {
        assert!(notes.contains(said), "{said}: {notes}");
    }
    let alone = values(&format!("BLAKE2b (x) = {}\n", hex(SHA512, b"?")), "S", "x");
    assert_eq!(alone, [SumValue::NotComputed { algorithm: "BLAKE2b".into() }]);
}

#[test]
fn a_value_without_a_name_is_of_the_one_target() {
    let sha = hex(SHA256, b"x");
    for text in [format!("{sha}\n"), format!("{sha}  -\n"), format!("sha256:{sha}"), format!("SHA256(stdin)= {sha}")] {
        assert_eq!(values(&text, "x.sha256", "x"), [stated(SHA256, b"x")], "{text}");
    }
    let both = format!("{}\n{sha}\n", hex(Algorithm::Md5, b"x"));
    assert_eq!(find(&both, "SUMS", "x").unwrap().values.len(), 2);
    assert_eq!(find(&format!("{sha}\n{}\n", hex(SHA256, b"y")), "SUMS", "x"), Err(SumsError::Nameless));
    assert!(matches!(find(&format!("{sha}\n{sha}  y\n"), "SUMS", "x"), Err(SumsError::NoLine { .. })));
}

#[test]
fn what_names_the_target_and_is_no_value_is_placed() {
    for (text, line) in [("abcd  x\n", 1), ("\nSHA256 (x) = 00\n", 2), ("# c\nmd5:zz x", 2)] {
        let error = find(text, "SUMS", "x").unwrap_err();
        assert!(matches!(error, SumsError::Line { line: at, .. } if at == line), "{text}: {error}");
    }
    assert!(matches!(find("hello world\n", "SUMS", "x"), Err(SumsError::NoLine { elsewhere: None, .. })));
    assert!(matches!(find("abcd  y\n", "SUMS", "x"), Err(SumsError::NoLine { .. })), "of another file");
}

#[test]
fn a_file_of_nothing_but_the_target_has_a_bound() {
    let lines = |count: u32| -> String {
        (0..count).map(|at| format!("{}  x\n", hex(Algorithm::Md5, &at.to_le_bytes()))).collect()
    };
    assert_eq!(find(&lines(1_000), "SUMS", "x").unwrap().values.len(), 1_000);
    assert_eq!(find(&lines(1_001), "SUMS", "x"), Err(SumsError::TooMany { name: "x".into() }));
    let nameless = lines(3_000).replace("  x", "");
    assert_eq!(find(&nameless, "SUMS", "x"), Err(SumsError::Nameless));
    assert!(find(&(nameless + &lines(1)), "SUMS", "x").is_ok(), "and one that is named");
}

#[test]
fn a_checksum_file_named_after_another_file_is_of_that_one() {
    let sha = format!("{}\n", hex(SHA256, b"x"));
    for (file, given) in
        [("x.bin.sha256", "x.bin"), ("d/x.sha256", "x.bin"), ("one.sha256", "x.bin"), ("v1.2", "x.bin")]
    {
        assert!(find(&sha, file, given).is_ok(), "{file}");
    }
    for (file, given, other) in [
        ("y.bin.sha256", "x.bin", "y.bin"),
        ("d/y.bin.SHA256", "x.bin", "y.bin"),
        ("ami-0123456789abcdef0.sha256", "ami-0123456789abcdef1.bin", "ami-0123456789abcdef0"),
    ] {
        let error = find(&sha, file, given).unwrap_err();
        assert_eq!(error, SumsError::OfAnother { name: given.into(), other: other.into() });
        assert!(find(&sha.replace('\n', &format!("  {given}")), file, given).is_ok(), "a line that names it counts");
    }
    let target = SumsTarget::file(Path::new("x.bin"), Path::new("/here/x.bin"), &[]);
    let beside = |name: &str| name == "y.bin";
    let request =
        SumsRequest { file: "y.sha256", algorithm: None, target: &target, means_another: &beside, one_target: true };
    assert!(matches!(find_sums(&sha, &request), Err(SumsError::OfAnother { .. })), "y.bin lies beside it");
}

#[test]
fn certutil_values_are_of_the_file_that_is_named() {
    let of = |name: &str| {
        format!("SHA1 hash of {name}:\r\n{}\r\nCertUtil: -hashfile command done.\r\n", hex(Algorithm::Sha1, b"x"))
    };
    assert_eq!(values(&of("x.bin"), "out.txt", "x.bin"), [stated(Algorithm::Sha1, b"x")]);
    assert!(matches!(find(&of("y.bin"), "out.txt", "x.bin"), Err(SumsError::NoLine { .. })));
}

#[test]
fn a_name_of_another_algorithm_makes_a_short_value_a_guess() {
    for algorithm in [Algorithm::Md5, Algorithm::Sha1] {
        let text = format!("{}  x.bin\n", hex(algorithm, b"x"));
        for plain in ["SUMS", "x.bin.txt", "x.bin.lst", "checksums.chk", "CHECKSUMS"] {
            assert_eq!(values(&text, plain, "x.bin"), [stated(algorithm, b"x")], "{plain}");
        }
        for other in ["x.bin.hidrive", "x.bin.git", "x.unheard-of", "x.bin.sha256"] {
            let guessed = values(&text, other, "x.bin");
            assert!(matches!(guessed[..], [SumValue::Guessed { .. }]), "{other}: {guessed:?}");
        }
        for other in ["x.bin.md4", "x.bin.mailru", "x.bin.quickxor", "x.bin.tth", "x.bin.sha0", "MD4SUMS"] {
            let found = values(&text, other, "x.bin");
            assert!(matches!(found[..], [SumValue::NotComputed { .. }]), "{other}: {found:?}");
        }
    }
}

#[test]
fn a_person_states_the_algorithm_of_an_sfv_file() {
    let target = SumsTarget::file(Path::new("x"), Path::new("/x"), &[]);
    let text = format!("; made by x\nx {}\n", hex(Algorithm::Crc32, b"x"));
    let of = |algorithm| {
        let request =
            SumsRequest { file: "x.sfv", algorithm, target: &target, means_another: &|_| false, one_target: true };
        find_sums(&text, &request).unwrap().values.remove(0).value
    };
    assert_eq!(of(Some(Algorithm::Crc32)), stated(Algorithm::Crc32, b"x"));
    assert!(matches!(of(None), SumValue::NotComputed { .. }));
    assert!(matches!(of(Some(SHA256)), SumValue::NotComputed { .. }), "it cannot be one");
}

#[test]
fn values_of_shasum_modes_are_not_of_the_bytes() {
    for mark in ["U", "^", "?", "U./", "^./"] {
        let text = format!("{} {mark}x.bin\n", hex(Algorithm::Sha1, b"x"));
        let found = values(&text, "SUMS", "x.bin");
        assert!(matches!(&found[..], [SumValue::NotComputed { algorithm }] if algorithm.contains("shasum")), "{mark}");
        // A file whose name contains the mark matches itself.
        let name = format!("{mark}x.bin");
        assert_eq!(values(&text, "SUMS", &name), [stated(Algorithm::Sha1, b"x")], "{mark}");
    }
}
