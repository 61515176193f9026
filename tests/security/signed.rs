//! `verify --manifest-key`: manifests signed by minisign 0.11.
//!
//! The fixtures were created with `minisign -G -W`, `minisign -S -m copy.manifest.json` and, for `legacy.minisig`,
//! `-l`; the secret keys were deleted. The manifest was written by `verify copy.bin --expect crc64nvme:ebWRpKPVHRc=
//! --write-manifest copy.manifest.json`.

use std::path::Path;

use stored_ami::manifest::Manifest;
use stored_ami_lab::{Lab, LabOptions};

use crate::common::{Run, Server, bare_command, write};

const BODY: &[u8] = b"All bytes of a small object.\n";
const MANIFEST: &str = include_str!("../fixtures/minisign/copy.manifest.json");
const SIGNATURE: &str = include_str!("../fixtures/minisign/copy.manifest.json.minisig");
const KEY: &str = include_str!("../fixtures/minisign/signer.pub");
const OTHER_KEY: &str = include_str!("../fixtures/minisign/other.pub");

/// A directory with the object, its manifest, the signature and both keys.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let files: [(&str, &[u8]); 5] = [
        ("copy.bin", BODY),
        ("copy.manifest.json", MANIFEST.as_bytes()),
        ("copy.manifest.json.minisig", SIGNATURE.as_bytes()),
        ("signer.pub", KEY.as_bytes()),
        ("other.pub", OTHER_KEY.as_bytes()),
    ];
    files.iter().for_each(|(name, content)| drop(write(folder.path(), name, content)));
    folder
}

async fn verify(folder: &Path, more: &[&str]) -> Run {
    let mut command = bare_command();
    command.current_dir(folder).args(["verify", "copy.bin", "--manifest", "copy.manifest.json", "--json"]).args(more);
    Run::of(command).await
}

/// The manifest with another content and a correct SHA-256 of its own.
fn edited(edit: impl FnOnce(&mut Manifest)) -> String {
    let mut manifest = Manifest::from_json(MANIFEST).unwrap();
    edit(&mut manifest);
    manifest.to_json().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signed_manifest_passes_and_the_report_says_by_whom() {
    let folder = folder();
    for key in ["signer.pub", KEY.lines().nth(1).unwrap()] {
        let run = verify(folder.path(), &["--manifest-key", key]).await;
        let report = run.assert_exit(0).report();
        for check in ["manifest-crc64nvme", "manifest-sha256"] {
            let finding = run.finding(check);
            assert_eq!(finding["verdict"], "pass");
            let source = finding["source"].as_str().unwrap();
            assert!(source.ends_with(", signed by minisign key 58650D23E5FCC774"), "{source}");
        }
        let notes = report["notes"].to_string();
        assert!(notes.contains("58650D23E5FCC774; trusted comment: copy.bin, checked by the archive team"), "{notes}");
    }
    let unsigned = verify(folder.path(), &[]).await;
    assert!(
        !unsigned.assert_exit(0).stdout.contains("signed"),
        "nothing is said of what was not checked: {unsigned:?}"
    );
}

/// A signature proves the manifest, not the object.
#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_object_fails_against_a_signed_manifest() {
    let folder = folder();
    let mut damaged = BODY.to_vec();
    damaged[7] ^= 1;
    write(folder.path(), "copy.bin", &damaged);
    let run = verify(folder.path(), &["--manifest-key", "signer.pub"]).await;
    assert_eq!(run.assert_exit(1).verdict("manifest-sha256"), "fail");
    write(folder.path(), "copy.bin", &BODY[1..]);
    let run = verify(folder.path(), &["--manifest-key", "signer.pub"]).await;
    assert_eq!(run.assert_exit(1).verdict("manifest-size"), "fail");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_signed_by_the_key_is_refused() {
    let resealed = edited(|manifest| manifest.written_at = "2026-01-02T03:04:06Z".into());
    // With only the CRC left, bytes forged to match it would pass.
    let weaker = edited(|manifest| manifest.whole.retain(|algorithm, _| algorithm == "crc64nvme"));
    let spaced = MANIFEST.replace("\"manifest\":{", "\"manifest\": {");
    let comment = SIGNATURE.replace("archive team", "attic team");
    let other: &str = include_str!("../fixtures/minisign/other.minisig");
    let legacy: &str = include_str!("../fixtures/minisign/legacy.minisig");
    let (manifest, signature) = ("copy.manifest.json", "copy.manifest.json.minisig");
    for (file, content, message) in [
        (manifest, resealed.as_str(), "copy.manifest.json.minisig: does not match"),
        (manifest, &weaker, "copy.manifest.json.minisig: does not match"),
        (manifest, &spaced, "copy.manifest.json.minisig: does not match"),
        // The signature is verified before the content is parsed.
        (manifest, "{", "copy.manifest.json.minisig: does not match"),
        (signature, &comment, "copy.manifest.json.minisig: does not match"),
        (signature, other, "was signed by key FCA748D9FC1505F1, and key 58650D23E5FCC774 is required"),
        (signature, legacy, "legacy form, which is not accepted; sign again without -l"),
        (signature, MANIFEST, "copy.manifest.json.minisig: is no signature of minisign"),
        (signature, "", "copy.manifest.json.minisig: is no signature of minisign"),
        (signature, KEY, "copy.manifest.json.minisig: is no signature of minisign"),
        ("signer.pub", SIGNATURE, "--manifest-key: signer.pub: is not a public key of minisign"),
        ("signer.pub", "", "--manifest-key: signer.pub: is not a public key of minisign"),
        ("signer.pub", OTHER_KEY, "was signed by key 58650D23E5FCC774, and key FCA748D9FC1505F1 is required"),
    ] {
        let folder = folder();
        write(folder.path(), file, content.as_bytes());
        let run = verify(folder.path(), &["--manifest-key", "signer.pub"]).await;
        assert_eq!(run.exit, Some(2), "{message}: {run:?}");
        assert!(run.stderr.contains(message), "{message}: {}", run.stderr);
        assert!(run.stdout.is_empty(), "{message}: {}", run.stdout);
    }
    // Without the key, the first of them would pass.
    let folder = folder();
    write(folder.path(), manifest, resealed.as_bytes());
    verify(folder.path(), &[]).await.assert_exit(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_missing_is_named() {
    let folder = folder();
    let run = verify(folder.path(), &["--manifest-key", "none.pub"]).await;
    assert!(run.assert_exit(2).stderr.contains("--manifest-key: none.pub: there is no such file"), "{run:?}");
    std::fs::remove_file(folder.path().join("copy.manifest.json.minisig")).unwrap();
    let run = verify(folder.path(), &["--manifest-key", "signer.pub"]).await;
    let message = "copy.manifest.json.minisig: there is no such file; --manifest-key demands a signature";
    assert!(run.assert_exit(2).stderr.contains(message), "{run:?}");
    let mut command = bare_command();
    command.current_dir(folder.path()).args(["verify", "copy.bin", "--manifest-key", "signer.pub"]);
    let run = Run::of(command).await;
    assert!(run.assert_exit(2).stderr.contains("--manifest <FILE>"), "a key for nothing: {run:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_server_is_asked_before_the_signature_is_found_good() {
    let lab = Lab::start(LabOptions::default()).await.unwrap();
    let server = Server::new(&lab.endpoint(), "us-east-1", "test", "test");
    server.bucket("archive").await;
    server.put("archive", "copy.bin", BODY, None).await;
    let folder = folder();
    let run = async || {
        lab.clear_calls();
        let mut command = server.command();
        command.current_dir(folder.path()).args(["verify", "s3://archive/copy.bin", "--json"]);
        command.args(["--manifest", "copy.manifest.json", "--manifest-key", "signer.pub"]);
        Run::of(command).await
    };
    let good = run().await;
    assert!(!lab.calls().is_empty());
    assert_eq!(good.assert_exit(0).verdict("manifest-sha256"), "pass");
    // A manifest signed for another location is noted.
    assert!(good.report()["notes"].to_string().contains("the manifest was written for copy.bin"));
    write(folder.path(), "copy.manifest.json", MANIFEST.trim_end().as_bytes());
    run().await.assert_exit(2);
    assert!(lab.calls().is_empty(), "{:?}", lab.calls());
}
