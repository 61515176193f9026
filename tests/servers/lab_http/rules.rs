//! Rules of S3 that decide what a verifier may conclude.

use base64::Engine as _;
use stored_ami_lab::checksum::{Algorithm, Hasher};
use stored_ami_lab::{BucketOptions, Deny, Encryption, LabOptions, RestoreState, Versioning};

use super::rig::{Rig, base64, bytes};

const MODE: (&str, &str) = ("x-amz-checksum-mode", "ENABLED");

#[test]
fn chunked_uploads_with_trailing_checksums() {
    let rig = Rig::new();
    let crc = base64(&Hasher::of(Algorithm::Crc32, b"hello, world"));
    for (value, status) in [(&crc[..], 200), ("AAAAAA==", 400)] {
        let body = format!("5\r\nhello\r\n7\r\n, world\r\n0\r\nx-amz-checksum-crc32:{value}\r\n\r\n");
        let headers = [
            ("x-amz-content-sha256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER"),
            ("content-encoding", "aws-chunked"),
            ("x-amz-decoded-content-length", "12"),
            ("x-amz-trailer", "x-amz-checksum-crc32"),
        ];
        let put = rig.send("PUT", "/b/k", &headers, body.as_bytes());
        assert_eq!(put.status, status, "{}", put.text());
    }
    let get = rig.send("GET", "/b/k", &[MODE], b"");
    assert_eq!((get.text().as_str(), get.header("x-amz-checksum-crc32")), ("hello, world", Some(&crc[..])));
    assert_eq!(get.header("content-encoding"), None, "framing is no property of the object");
}

#[test]
fn every_algorithm_in_its_legal_types() {
    let rig = Rig::new();
    for algorithm in Algorithm::ALL {
        let data = bytes(30, 5_003);
        let value = base64(&Hasher::of(algorithm, &data));
        let name = algorithm.header();
        let put = rig.send("PUT", "/b/k", &[(name.as_str(), &value)], &data);
        assert_eq!((put.status, put.header("x-amz-checksum-type")), (200, Some("FULL_OBJECT")), "{algorithm:?}");
        let head = rig.send("HEAD", "/b/k", &[MODE], b"");
        assert_eq!(head.header(name.as_str()), Some(&value[..]));
        for kind in ["FULL_OBJECT", "COMPOSITE"] {
            let legal = match algorithm {
                Algorithm::Crc32 | Algorithm::Crc32c => true,
                Algorithm::Crc64Nvme => kind == "FULL_OBJECT",
                _ => kind == "COMPOSITE",
            };
            let headers = [("x-amz-checksum-algorithm", algorithm.name()), ("x-amz-checksum-type", kind)];
            let created = rig.send("POST", "/b/m?uploads", &headers, b"");
            assert_eq!(created.status, if legal { 200 } else { 400 }, "{algorithm:?} {kind}");
        }
    }
}

#[test]
fn objects_without_a_checksum() {
    let rig = Rig::new();
    rig.send("PUT", "/b/old", &[("x-lab-no-checksum", "true")], b"x");
    let head = rig.send("HEAD", "/b/old", &[MODE], b"");
    assert!(head.headers.iter().all(|(name, _)| !name.starts_with("x-amz-checksum")));
    rig.multipart("/b/parts", &[("x-lab-no-checksum", "true")], &[bytes(31, 9), bytes(32, 9)]);
    let attributes = rig.attributes("/b/parts", &[]);
    assert_eq!((attributes.element("PartsCount").as_deref(), attributes.element("Checksum")), (Some("2"), None));
}

#[test]
fn etags_under_customers_keys_are_no_md5_and_reads_need_the_key() {
    let rig = Rig::new();
    let key = [7u8; 32];
    let (key, md5) = (base64(&key), base64(&Hasher::of(Algorithm::Md5, &key)));
    let prefix = "x-amz-server-side-encryption-customer-";
    let names = ["algorithm", "key", "key-md5"].map(|name| format!("{prefix}{name}"));
    let headers = [(&names[0][..], "AES256"), (&names[1], &key), (&names[2], &md5)];
    rig.send("PUT", "/b/k", &headers, b"secret");
    assert_eq!(rig.send("GET", "/b/k", &[], b"").code(), "InvalidRequest");
    assert_eq!(rig.send("HEAD", "/b/k", &[], b"").status, 400);
    let get = rig.send("GET", "/b/k", &headers, b"");
    assert_eq!((get.text().as_str(), get.header(&names[0]), get.header(&names[1])), ("secret", Some("AES256"), None));
    let plain = hex::encode(Hasher::of(Algorithm::Md5, b"secret"));
    assert_ne!(get.header("etag").unwrap().trim_matches('"'), plain);
    assert!(!format!("{:?}", rig.lab.calls()).contains(&key), "keys are never logged");
}

#[test]
fn kms_keys_can_be_closed() {
    let rig = Rig::new();
    rig.send("PUT", "/b/k", &[("x-amz-server-side-encryption", "aws:kms")], b"x");
    let head = rig.send("HEAD", "/b/k", &[MODE], b"");
    assert_eq!((head.status, head.header("x-amz-server-side-encryption")), (200, Some("aws:kms")));
    rig.lab.deny(Deny::action("kms:Decrypt"));
    assert_eq!(rig.send("HEAD", "/b/k", &[], b"").status, 200);
    assert_eq!(rig.send("HEAD", "/b/k", &[MODE], b"").status, 403);
    assert_eq!(rig.send("GET", "/b/k", &[], b"").code(), "AccessDenied");
    rig.lab.with_object("b", "k", |record| record.encryption = Encryption::S3).unwrap();
    assert_eq!(rig.send("GET", "/b/k", &[], b"").status, 200);
}

#[test]
fn archived_objects_must_be_restored() {
    let rig = Rig::new();
    rig.send("PUT", "/b/k", &[("x-amz-storage-class", "GLACIER")], b"cold");
    let get = rig.send("GET", "/b/k", &[], b"");
    assert_eq!((get.status, &get.code()[..]), (403, "InvalidObjectState"));
    assert_eq!(get.element("StorageClass").as_deref(), Some("GLACIER"));
    let wanted = b"<RestoreRequest><Days>2</Days></RestoreRequest>";
    assert_eq!(rig.send("POST", "/b/k?restore", &[], wanted).status, 202);
    assert_eq!(rig.send("POST", "/b/k?restore", &[], wanted).code(), "RestoreAlreadyInProgress");
    assert_eq!(rig.send("HEAD", "/b/k", &[], b"").header("x-amz-restore"), Some("ongoing-request=\"true\""));
    let expires = "2100-01-01T00:00:00Z".parse().unwrap();
    rig.lab.with_object("b", "k", |record| record.restore = Some(RestoreState::Done { expires })).unwrap();
    let get = rig.send("GET", "/b/k", &[], b"");
    assert_eq!(
        (get.status, get.header("x-amz-restore")),
        (200, Some("ongoing-request=\"false\", expiry-date=\"Fri, 01 Jan 2100 00:00:00 GMT\""))
    );
    assert_eq!(rig.attributes("/b/k", &[]).element("StorageClass").as_deref(), Some("GLACIER"));
}

#[test]
fn versions_and_delete_markers() {
    let rig = Rig::new();
    let options = BucketOptions { versioning: Versioning::Enabled, ..BucketOptions::default() };
    rig.lab.create_bucket("v", options).unwrap();
    let first = rig.send("PUT", "/v/k", &[], b"first");
    let id = first.header("x-amz-version-id").unwrap();
    rig.send("PUT", "/v/k", &[], b"second");
    assert_eq!(rig.send("GET", &format!("/v/k?versionId={id}"), &[], b"").text(), "first");
    let deleted = rig.send("DELETE", "/v/k", &[], b"");
    let marker = deleted.header("x-amz-version-id").unwrap();
    assert_eq!(deleted.header("x-amz-delete-marker"), Some("true"));
    let gone = rig.send("HEAD", "/v/k", &[], b"");
    assert_eq!((gone.status, gone.header("x-amz-delete-marker")), (404, Some("true")));
    assert_eq!(rig.send("GET", &format!("/v/k?versionId={marker}"), &[], b"").status, 405);
    assert_eq!(rig.send("GET", "/v/k?versionId=none", &[], b"").code(), "NoSuchVersion");
    let listed = rig.send("GET", "/v?versions", &[], b"").text();
    assert_eq!((listed.matches("<Version>").count(), listed.matches("<DeleteMarker>").count()), (2, 1));
    rig.send("DELETE", &format!("/v/k?versionId={marker}"), &[], b"");
    assert_eq!(rig.send("GET", "/v/k", &[], b"").text(), "second");
}

#[test]
fn permissions() {
    let rig = Rig::new();
    rig.send("PUT", "/b/p/k", &[("x-amz-tagging", "a=1&b=2")], b"x");
    assert_eq!(rig.send("HEAD", "/b/p/k", &[], b"").header("x-amz-tagging-count"), Some("2"));
    rig.lab.deny(Deny::action("s3:GetObjectTagging"));
    assert_eq!(rig.send("HEAD", "/b/p/k", &[], b"").header("x-amz-tagging-count"), None);
    assert_eq!(rig.send("GET", "/b/none", &[], b"").code(), "NoSuchKey");
    rig.lab.deny(Deny::action("s3:ListBucket"));
    assert_eq!(rig.send("GET", "/b/none", &[], b"").code(), "AccessDenied");
    rig.lab.deny(Deny::action("s3:GetObject").under("p/"));
    assert_eq!(rig.send("HEAD", "/b/p/k", &[], b"").status, 403);
    assert_eq!(rig.attributes("/b/p/k", &[]).status, 403);
    rig.lab.allow_all();
    assert_eq!(rig.attributes("/b/p/k", &[]).status, 200);
}

#[test]
fn who_asks_and_from_where() {
    let rig = Rig::new();
    let options =
        BucketOptions { region: Some("eu-west-1".into()), requester_pays: true, private: true, ..Default::default() };
    rig.lab.create_bucket("far", options).unwrap();
    let signed =
        |key: &str, region: &str| format!("AWS4-HMAC-SHA256 Credential={key}/20260101/{region}/s3/aws4_request");
    let (there, here, expired) = (signed("A", "eu-west-1"), signed("A", "us-east-1"), signed("EXPIRED1", "eu-west-1"));
    let payer = ("x-amz-request-payer", "requester");
    rig.send("PUT", "/far/k", &[("authorization", &there)], b"x");
    for (headers, status, code) in [
        (vec![("authorization", &there[..]), payer], 200, ""),
        (vec![("authorization", &there[..])], 403, "AccessDenied"),
        (vec![payer], 403, "AccessDenied"),
        (vec![("authorization", &here[..]), payer], 301, "PermanentRedirect"),
        (vec![("authorization", &expired[..]), payer], 400, "ExpiredToken"),
        (
            vec![("authorization", &there[..]), payer, ("x-amz-expected-bucket-owner", "210987654321")],
            403,
            "AccessDenied",
        ),
        (vec![("authorization", &there[..]), payer, ("x-amz-expected-bucket-owner", "123456789012")], 200, ""),
    ] {
        let get = rig.send("GET", "/far/k", &headers, b"");
        assert_eq!((get.status, &get.code()[..]), (status, code), "{headers:?}");
    }
    let head = rig.send("HEAD", "/far", &[("authorization", &here)], b"");
    assert_eq!((head.status, head.header("x-amz-bucket-region")), (301, Some("eu-west-1")));
    assert_eq!(rig.send("GET", "/nowhere/k", &[], b"").code(), "NoSuchBucket");
}

#[test]
fn conditions() {
    let rig = Rig::new();
    let put = rig.send("PUT", "/b/k", &[], b"x");
    let etag = put.header("etag").unwrap();
    let (past, future) = ("Fri, 21 Dec 2012 00:00:00 GMT", "Fri, 01 Jan 2100 00:00:00 GMT");
    for (headers, status) in [
        (vec![("if-match", etag)], 200),
        (vec![("if-match", "\"other\"")], 412),
        (vec![("if-none-match", etag)], 304),
        (vec![("if-none-match", "\"other\"")], 200),
        (vec![("if-unmodified-since", past)], 412),
        (vec![("if-match", etag), ("if-unmodified-since", past)], 200),
        (vec![("if-modified-since", past)], 200),
        (vec![("if-modified-since", future)], 304),
        (vec![("if-none-match", "\"other\""), ("if-modified-since", future)], 200),
    ] {
        assert_eq!(rig.send("GET", "/b/k", &headers, b"").status, status, "{headers:?}");
    }
    assert_eq!(rig.send("PUT", "/b/k", &[("if-none-match", "*")], b"y").status, 412);
}

#[test]
fn empty_objects() {
    let rig = Rig::new();
    rig.send("PUT", "/b/empty", &[], b"");
    let get = rig.send("GET", "/b/empty", &[], b"");
    assert_eq!((get.status, get.header("content-length")), (200, Some("0")));
    assert_eq!(get.header("etag"), Some("\"d41d8cd98f00b204e9800998ecf8427e\""));
    assert_eq!(rig.send("GET", "/b/empty", &[("range", "bytes=0-0")], b"").status, 416);
}

#[test]
fn synthetic_objects_over_http() {
    let rig = Rig::new();
    let spec = ("x-lab-synthesize", "size=100GiB,part=64MiB,seed=1,checksum=crc32/composite");
    let put = rig.send("PUT", "/b/huge", &[spec], b"");
    assert_eq!(put.status, 200, "{}", put.text());
    assert!(put.header("etag").unwrap().ends_with("-1600\""));
    let head = rig.send("HEAD", "/b/huge", &[], b"");
    assert_eq!(head.header("content-length"), Some("107374182400"));
    let part = rig.send("GET", "/b/huge?partNumber=1600", &[MODE], b"");
    let crc = base64(&Hasher::of(Algorithm::Crc32, &part.body));
    assert_eq!((part.body.len(), part.header("x-amz-checksum-crc32")), (64 << 20, Some(&crc[..])));
    let page = rig.attributes("/b/huge", &[]);
    assert_eq!(page.text().matches("<Part>").count(), 1000, "a page has at most 1,000 parts");
    assert_eq!(rig.send("PUT", "/b/huge", &[("x-lab-synthesize", "size=nonsense")], b"").status, 400);
}

#[test]
fn damage_leaves_the_references_alone() {
    let data = bytes(33, 300_001);
    let folder = tempfile::tempdir().unwrap();
    for place in [None, Some(folder.path().to_owned())] {
        let rig = Rig::with(LabOptions { data: place, ..LabOptions::default() });
        rig.lab.create_bucket("b", BucketOptions::default()).unwrap();
        let put = rig.send("PUT", "/b/k", &[], &data);
        rig.lab.damage("b", "k", 270_000, 0x40).unwrap();
        assert!(rig.lab.damage("b", "k", 300_001, 1).is_err());
        let get = rig.send("GET", "/b/k", &[MODE], b"");
        let wrong: Vec<usize> = (0..data.len()).filter(|at| get.body[*at] != data[*at]).collect();
        assert_eq!((wrong, get.header("etag")), (vec![270_000], put.header("etag")));
        let value = get.header("x-amz-checksum-crc64nvme").unwrap();
        let stored = base64::engine::general_purpose::STANDARD.decode(value).unwrap();
        assert_eq!(stored, Hasher::of(Algorithm::Crc64Nvme, &data));

        rig.lab.replace("b", "k", data[..5].to_vec()).unwrap();
        assert!(rig.lab.replace("b", "none", data.clone()).is_err());
        let (get, head) = (rig.send("GET", "/b/k", &[MODE], b""), rig.send("HEAD", "/b/k", &[], b""));
        assert_eq!((&get.body[..], get.header("etag")), (&data[..5], put.header("etag")));
        assert_eq!(get.header("x-amz-checksum-crc64nvme"), Some(value));
        assert_eq!(head.header("content-length"), Some("300001"), "what is stated is changed by itself");
    }
}

#[test]
fn a_folder_survives_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let options = LabOptions { data: Some(folder.path().to_owned()), ..LabOptions::default() };
    let parts = [bytes(34, 100_003), bytes(35, 7)];
    let (etag, whole) = {
        let rig = Rig::with(options.clone());
        rig.lab.create_bucket("b", BucketOptions::default()).unwrap();
        rig.multipart("/b/p/../odd%20key", &[("x-amz-meta-name", "kept")], &parts);
        let head = rig.send("HEAD", "/b/p/../odd%20key", &[], b"");
        (head.header("etag").unwrap().to_owned(), parts.concat())
    };
    assert!(std::fs::read(folder.path().join("b/bytes/p%2F..%2Fodd%20key")).unwrap() == whole);
    let rig = Rig::with(options);
    let get = rig.send("GET", "/b/p/../odd%20key", &[], b"");
    assert_eq!((get.header("etag"), get.header("x-amz-meta-name")), (Some(&etag[..]), Some("kept")));
    assert!(get.body == whole);
}
