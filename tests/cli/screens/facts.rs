//! `inspect --facts-file` shows redacted facts, asks, and writes them.

use serde_json::{Value, json};

use super::rig::{BUCKET, KEY, OBJECT, Rig};
use crate::common::{Run, data};

fn document(rig: &Rig) -> Value {
    serde_json::from_str(&std::fs::read_to_string(rig.path("facts.json")).unwrap()).unwrap()
}

/// The form of a field; `null` if the field is not there.
fn form(object: &Value, list: &str, name: &str) -> Value {
    let fields = object[list].as_array().unwrap();
    fields.iter().find(|field| field["name"] == name).map_or(Value::Null, |field| field["form"].clone())
}

#[tokio::test(flavor = "multi_thread")]
async fn names_shapes_and_sizes_are_written() {
    let rig = Rig::new().await;
    let bytes = data(1, 600_000);
    let parts: Vec<&[u8]> = bytes.chunks(100_000).collect();
    let described =
        |create: aws_sdk_s3::operation::create_multipart_upload::builders::CreateMultipartUploadFluentBuilder| {
            let create = create.metadata("ami-name", "golden image").metadata("source-ami", "ami-0aaaaaaaaaaaaaaaa");
            create.metadata("owner", "123456789012").metadata("encrypted", "true")
        };
    rig.server.multipart_with(BUCKET, KEY, &parts, None, described).await;
    let run = rig.run(&["inspect", OBJECT, "--facts-file", "facts.json", "--yes", "--json"]).await;
    run.assert_exit(0);
    assert_eq!(run.lines().pop().unwrap()["files_written"], json!([{"path": "facts.json", "kind": "facts"}]));
    let document = document(&rig);
    assert_eq!(document["schema"], "stored-ami/facts/1");
    let object = &document["objects"][0];
    assert_eq!(
        object["parts"],
        json!({"shape": "uniform", "basis": "assumed", "count": 6, "part_bytes": 100_000, "last_part_bytes": 100_000})
    );
    assert_eq!((&object["etag"], &object["key"]), (&json!("multipart"), &json!("AMI_ID.bin")));
    assert_eq!((&object["storage_class"], &object["server"]), (&json!("STANDARD"), &json!("other")));
    for (name, expected) in [
        ("ami-name", "text"),
        ("source-ami", "ami_id_of_the_object"),
        ("owner", "twelve_digits"),
        ("encrypted", "true_or_false"),
    ] {
        assert_eq!(form(object, "metadata", name), expected, "{name}");
    }
    for (name, expected) in [("content-length", "digits"), ("last-modified", "http_date"), ("etag", "text")] {
        assert_eq!(form(object, "headers", name), expected, "{name}");
    }
    // Everything that is in the file was on the screen.
    let written = std::fs::read_to_string(rig.path("facts.json")).unwrap();
    assert!(run.stderr.contains(&written), "{}", run.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_terminal_consent_must_be_given() {
    let rig = Rig::new().await;
    let before = rig.lab.calls().len();
    let refused = |run: &Run, words: &str| {
        run.assert_exit(2);
        assert!(run.stderr.contains(words), "{run:?}");
    };
    refused(&rig.run(&["inspect", OBJECT, "--facts-file", "facts.json"]).await, "no terminal to ask at: give --yes");
    refused(&rig.run(&["inspect", OBJECT, "--yes"]).await, "--facts-file");
    std::fs::write(rig.path("local.bin"), "x").unwrap();
    let local = rig.run(&["inspect", "local.bin", "--facts-file", "facts.json", "--yes"]).await;
    refused(&local, "local.bin: --facts-file describes objects in S3");
    std::fs::write(rig.path("facts.json"), "{\"schema\": \"mine\"}").unwrap();
    let foreign = rig.run(&["inspect", OBJECT, "--facts-file", "facts.json", "--yes"]).await;
    refused(&foreign, "is not a file of redacted facts that stored-ami wrote");
    assert_eq!(rig.lab.calls().len(), before, "nothing was asked");
}

#[tokio::test(flavor = "multi_thread")]
async fn several_objects_share_a_file_and_one_that_fails_is_left_out() {
    let rig = Rig::new().await;
    let gone = format!("s3://{BUCKET}/gone.bin");
    let run = rig.run(&["inspect", OBJECT, &gone, OBJECT, "--facts-file", "facts.json", "--yes"]).await;
    run.assert_exit(4);
    assert_eq!(document(&rig)["objects"].as_array().unwrap().len(), 2);
    assert!(run.stderr.ends_with("wrote redacted facts facts.json\n"), "{run:?}");
    std::fs::remove_file(rig.path("facts.json")).unwrap();
    let none = rig.run(&["inspect", &gone, "--facts-file", "facts.json", "--yes"]).await;
    none.assert_exit(4);
    assert!(none.stderr.contains("facts.json: not written: no object could be inspected by HeadObject"), "{none:?}");
    assert!(!rig.path("facts.json").exists());
}
