use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use stored_ami::checksum::{Algorithm, Hasher};
use stored_ami::sealed::seal;

use super::rig::Folder;

/// A manifest of a file in parts of one byte.
fn manifest(content: &[u8]) -> Value {
    let digest = |bytes: &[u8]| Hasher::digest(Algorithm::Sha256, bytes).base64();
    let digests: Vec<String> = content.chunks(1).map(digest).collect();
    json!({
        "tool": "test", "written_at": "2026-01-01T00:00:00Z", "target": "f", "object_bytes": content.len(),
        "verdict": "pass", "proved_by": ["sha256"], "stored_checksums": [], "whole": {"sha256": digest(content)},
        "parts": [{
            "algorithm": "sha256", "layout": [{"part_bytes": 1, "parts": content.len()}], "digests": digests,
        }],
    })
}

#[test]
fn a_manifest_has_as_many_parts_as_an_object_can_have() {
    let folder = Folder::new();
    for (parts, exit, says) in [(10_000, 0, "PASS"), (10_001, 2, "a list of more than 10000 elements, the limit")] {
        let content: Vec<u8> = (0..parts).map(|at| (at % 251) as u8).collect();
        folder.write("f", &content);
        folder.write("m", seal("manifest", &manifest(&content)).unwrap().as_bytes());
        folder.run(&["verify", "f", "--manifest", "m"]).assert(exit, says);
    }
    type Spoil = fn(&mut Value);
    let spoil: [Spoil; 3] = [
        |manifest| manifest["proved_by"] = json!(vec![""; 65]),
        |manifest| manifest["stored_checksums"] = json!(vec![json!({"algorithm":"","kind":"","value":""}); 65]),
        |manifest| manifest["parts"][0]["layout"] = json!(vec![json!({"part_bytes":0,"parts":0}); 10_001]),
    ];
    for spoil in spoil {
        let mut manifest = manifest(b"abc");
        spoil(&mut manifest);
        folder.write("m", seal("manifest", &manifest).unwrap().as_bytes());
        folder.run(&["verify", "f", "--manifest", "m"]).assert(2, "elements, the limit");
    }
}

#[test]
fn a_signature_has_some_kibibytes() {
    let folder = Folder::with_target();
    folder.write("m", seal("manifest", &manifest(b"abc")).unwrap().as_bytes());
    folder.write("m.minisig", &vec![b'x'; 20 << 10]);
    let key = include_str!("../../fixtures/minisign/signer.pub").lines().nth(1).unwrap();
    let run = folder.run(&["verify", "f.bin", "--manifest", "m", "--manifest-key", key]);
    run.assert(2, "m.minisig: is larger than 16 KiB, the limit for a signature");
}

fn inventory(folder: &Folder, rows: impl FnOnce(&mut GzEncoder<Vec<u8>>)) {
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    rows(&mut packed);
    folder.write("data.csv.gz", &packed.finish().unwrap());
    let text =
        r#"{"sourceBucket":"b","fileFormat":"CSV","fileSchema":"Bucket, Key","files":[{"key":"x/data.csv.gz"}]}"#;
    folder.write("manifest.json", text.as_bytes());
}

#[test]
fn an_inventory_is_bounded_by_what_is_in_it() {
    let folder = Folder::new();
    inventory(&folder, |packed| {
        let mut rows = String::new();
        (0..500_001).for_each(|number| rows += &format!("\"b\",\"ami-{number:08x}.bin\"\n"));
        packed.write_all(rows.as_bytes()).unwrap();
    });
    folder.run(&["audit", "--inventory", "manifest.json"]).assert(2, "names more than 500000 objects");
    for row in ["\"b\",\"", "", "\"b\",\"\n"] {
        inventory(&folder, |packed| {
            packed.write_all(row.as_bytes()).unwrap();
            (0..16).for_each(|_| packed.write_all(&[b'a'; 1 << 20]).unwrap());
        });
        folder.run(&["audit", "--inventory", "manifest.json"]).assert(2, "a row is longer than 65536 bytes");
    }
}

fn prices(offers: &str) -> Vec<u8> {
    format!(
        r#"{{"offerCode":"AmazonS3","publicationDate":"2026-01-01T00:00:00Z","products":{{"A":{{"attributes":
        {{"usagetype":"TimedStorage-ByteHrs","regionCode":"us-east-1"}}}}}},"terms":{{"OnDemand":{{"A":{{{offers}}}}}}}}}"#
    )
    .into_bytes()
}

#[test]
fn a_price_file_is_bounded_by_what_counts_in_it() {
    let folder = Folder::with_target();
    let step = r#"{"unit":"GB-Mo","beginRange":"0","endRange":"Inf","pricePerUnit":{"USD":"0.023"}}"#;
    let cost = ["cost", "f.bin", "--prices", "p.json"];
    let steps = |count: usize| {
        let steps: Vec<String> = (0..count).map(|number| format!("\"{number}\":{step}")).collect();
        format!("\"o\":{{\"priceDimensions\":{{{}}}}}", steps.join(","))
    };
    folder.write("p.json", &prices(&steps(1)));
    let fine = folder.run(&cost);
    assert!(matches!(fine.exit, Some(0 | 3)), "{fine:?}");
    folder.write("p.json", &prices(&steps(500_000)));
    let many = folder.run(&cost);
    assert_eq!(many.exit, Some(3), "{many:?}");
    let offers: Vec<String> = (0..100_001).map(|number| format!("\"{number}\":{{}}")).collect();
    folder.write("p.json", &prices(&offers.join(",")));
    folder.run(&cost).assert(2, "more than 100000 steps of prices");
    folder.write("p.json", &prices(&format!("\"{}\":{{}}", "x".repeat(1 << 20))));
    folder.run(&cost).assert(2, "a string is longer than 65536 bytes");
}
