use std::io::Write as _;

use crate::common::Run;
use crate::rig::{Audited, BUCKET, Rig, key};

async fn shard(rig: &Rig, index: u32, more: &[&str]) -> String {
    let share = format!("{index}/3");
    let run = rig.server.run(&[&["audit", "s3://archive", "--level", "bytes", "--shard", &share], more].concat()).await;
    let path = rig.text(&format!("{index}.jsonl"));
    std::fs::write(&path, &run.stdout).unwrap();
    path
}

async fn merge(rig: &Rig, files: &[&str]) -> Run {
    rig.server.run(&[&["audit", "merge"], files].concat()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn shards_come_together_to_the_audit_of_the_whole() {
    let rig = Rig::with(30).await;
    rig.lab.damage(BUCKET, &key(5), 1, 1).unwrap();
    rig.put("twice/ami-00000000000000001.bin", 1, 2_000).await;
    let whole = Audited::of(rig.server.run(&["audit", "s3://archive", "--level", "bytes"]).await);
    let mut files = Vec::new();
    for index in 1..=3 {
        files.push(shard(&rig, index, &[]).await);
    }
    let files: Vec<&str> = files.iter().map(String::as_str).collect();
    let merged = Audited::of(merge(&rig, &files).await);
    assert_eq!(merged.assert_exit(1).named(), whole.assert_exit(1).named());
    for field in ["listed", "listed_bytes", "examined", "proved", "objects", "listing_sha256", "received_bytes"] {
        assert_eq!(merged.end()[field], whole.end()[field], "{field}");
    }

    let refused = async |files: &[&str], problem: &str| {
        let run = merge(&rig, files).await;
        assert!(run.assert_exit(2).stderr.contains(problem), "{}", run.stderr);
    };
    refused(&files[..2], "shards 3/3 are missing").await;
    refused(&[files[0], files[1], files[1]], "shards 3/3 are missing").await;
    let cut = std::fs::read_to_string(files[2]).unwrap();
    let lines: Vec<&str> = cut.lines().collect();
    std::fs::write(files[2], lines[1..].join("\n")).unwrap();
    let own = lines.iter().filter(|line| line.contains("\"type\":\"audited\"")).count();
    let fewer = own - 1;
    refused(&files, &format!("contains {fewer} objects, expected {own}")).await;
    // A shard that could not write its ledger, and ended with a summary of fewer objects.
    let short = lines[1..].join("\n");
    std::fs::write(files[2], told_of_fewer(&short, lines[0])).unwrap();
    refused(&files, "contain 30 objects together, expected 31").await;
    std::fs::write(files[2], lines[..lines.len() - 2].join("\n")).unwrap();
    refused(&files, "has no end").await;
    // A shard of an earlier audit, or an altered one.
    let third = lines.join("\n");
    let began = rig.text("old.jsonl");
    let year = merged.end()["began"].as_str().unwrap()[..4].to_owned();
    std::fs::write(&began, third.replace(&format!("\"{year}-"), "\"2025-")).unwrap();
    refused(&[files[0], files[1], &began], "is of an earlier audit").await;
    let run = merge(&rig, &[files[0], files[1], &began, "--within", "9999d"]).await;
    assert!(!run.stderr.contains("earlier audit"), "{}", run.stderr);
    std::fs::write(&began, third.replace("\"shard\":\"3/3\"", "\"shard\":\"2/3\"")).unwrap();
    refused(&[files[0], &began], "is not of shard 2/3").await;
    let policy = rig.text("p.toml");
    std::fs::write(&policy, "[object]\nstorage-classes = [\"STANDARD\"]\n").unwrap();
    let judged = shard(&rig, 3, &["--policy", &policy]).await;
    refused(&[files[0], files[1], &judged], "another policy").await;
    rig.put("late/ami-00000000000000099.bin", 1, 2_001).await;
    let late = shard(&rig, 3, &[]).await;
    refused(&[files[0], files[1], &late], "saw another listing").await;
}

/// The lines of a shard without this object, in its summary as well.
fn told_of_fewer(lines: &str, without: &str) -> String {
    let without: serde_json::Value = serde_json::from_str(without).unwrap();
    let counts = match without["verdict"].as_str() {
        Some("pass") => ["objects", "examined", "proved", "targets", "passed"],
        _ => ["objects", "examined", "examined", "targets", "failed"],
    };
    let less = |line: &str| {
        let mut line: serde_json::Value = serde_json::from_str(line).unwrap();
        if line["type"] == "audit" || line["type"] == "summary" {
            for count in std::collections::BTreeSet::from(counts) {
                if let Some(number) = line[count].as_u64() {
                    line[count] = (number - 1).into();
                }
            }
        }
        line.to_string()
    };
    lines.lines().map(less).collect::<Vec<_>>().join("\n")
}

#[tokio::test(flavor = "multi_thread")]
async fn slices_cover_everything_in_turn() {
    let rig = Rig::with(21).await;
    let mut seen = std::collections::BTreeSet::new();
    for index in 1..=4 {
        let run = rig.audit(&["--slice", &format!("{index}/4")]).await;
        let end = run.assert_exit(0).end();
        assert_eq!(end["other_slices"].as_u64().unwrap() + end["objects"].as_u64().unwrap(), 21);
        let targets: Vec<String> = run.of_type("audited").map(|line| line["target"].to_string()).collect();
        assert!(targets.into_iter().all(|target| seen.insert(target)), "in one slice only");
    }
    assert_eq!(seen.len(), 21);
    let today = rig.audit(&["--slice", "today/4"]).await;
    assert!(today.assert_exit(0).end()["slice"].as_str().unwrap().ends_with("/4"));
}

#[tokio::test(flavor = "multi_thread")]
async fn objects_come_from_a_list_or_an_inventory_too() {
    let rig = Rig::with(3).await;
    let list = rig.text("list.txt");
    std::fs::write(&list, format!("# mine\ns3://archive/{}\ns3://archive/none.bin\n", key(1))).unwrap();
    let run = Audited::of(rig.server.run(&["audit", "--list", &list, "--level", "bytes"]).await);
    assert_eq!(run.assert_exit(4).named(), ["s3://archive/none.bin: present unanswered"]);
    assert_eq!(run.object(&key(1))["verdict"], "pass");

    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    for name in [key(0), "gone/ami-00000000000000077.bin".to_owned(), "x.txt".to_owned()] {
        writeln!(packed, "\"archive\",\"{}\"", name.replace('/', "%2F")).unwrap();
    }
    std::fs::create_dir(rig.path("data")).unwrap();
    std::fs::write(rig.path("data/1.csv.gz"), packed.finish().unwrap()).unwrap();
    let manifest = rig.text("manifest.json");
    let text = r#"{"sourceBucket":"archive","fileFormat":"CSV","fileSchema":"Bucket, Key","files":[{"key":"i/data/1.csv.gz"}]}"#;
    std::fs::write(&manifest, text).unwrap();
    let args = ["audit", "--inventory", &manifest, "--ledger", &rig.text("l.db")];
    let run = Audited::of(rig.server.run(&args).await);
    assert_eq!(run.assert_exit(4).named(), ["s3://archive/gone/ami-00000000000000077.bin: present unanswered"]);
    let again = Audited::of(rig.server.run(&args).await);
    assert_eq!(again.end()["still_good"], 1);
    std::fs::write(&manifest, text.replace("CSV", "ORC")).unwrap();
    let run = rig.server.run(&args).await;
    assert!(run.assert_exit(2).stderr.contains("in the format ORC; CSV is read"), "{}", run.stderr);
}
