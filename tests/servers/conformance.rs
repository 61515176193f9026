//! The same tests on several servers: always the lab; moto's server and `rclone serve s3` if `STORED_AMI_CLIENTS` names
//! a Python virtualenv that contains them; and any S3 server named by `STORED_AMI_TEST_S3`
//! (`URL,REGION,ACCESS_KEY,SECRET_KEY,BUCKET`; objects under `stored-ami-conformance/` are written), except for the
//! tests named by `STORED_AMI_TEST_S3_CANNOT` (`BODY,BODY…`).

#![allow(clippy::print_stdout, reason = "says which bodies ran where")]

use crate::clients;
use crate::common::{Server, data};
use aws_sdk_s3::types::{ChecksumAlgorithm, ChecksumType};
use stored_ami_lab::{Lab, LabOptions};

const MIB: usize = 1 << 20;

/// A server, and the tests it does not support, with the reasons.
struct Place {
    server: Server,
    bucket: String,
    cannot: Vec<(String, String)>,
}

/// Tests that moto 5.2 does not support.
const MOTO_CANNOT: &[(&str, &str)] =
    &[("composite_sha256_names_the_damaged_part", "its attributes list no parts, so a damaged copy cannot be placed")];

/// Tests that rclone 1.75 does not support.
const RCLONE_CANNOT: &[(&str, &str)] = &[
    ("parts_by_etag", "its answer to CreateMultipartUpload has a root element that the SDK does not read"),
    ("uneven_parts_by_etag", "its answer to CreateMultipartUpload has a root element that the SDK does not read"),
    ("composite_sha256_names_the_damaged_part", "it stores no checksums"),
    ("full_object_crc64nvme_of_parts", "it stores no checksums"),
    ("facts_without_a_byte", "it stores no tags"),
];

fn owned(cannot: &[(&str, &str)]) -> Vec<(String, String)> {
    cannot.iter().map(|(name, why)| ((*name).to_owned(), (*why).to_owned())).collect()
}

/// Object keys, one per test.
fn key(name: &str) -> String {
    format!("stored-ami-conformance/{name}/ami-0123456789abcdef0.bin")
}

impl Place {
    async fn verify(&self, name: &str, more: &[&str]) -> crate::common::Run {
        let target = format!("s3://{}/{}", self.bucket, key(name));
        let mut args = vec!["verify", &target];
        args.extend(more);
        self.server.run(&args).await
    }

    async fn all(&self) {
        let mut ran = 0;
        macro_rules! bodies {
            ($($body:ident),* $(,)?) => {$(
                match self.cannot.iter().find(|(name, _)| name == stringify!($body)) {
                    Some((name, why)) => println!("{}: {name} left out: {why}", self.server.endpoint),
                    None => {
                        self.$body(stringify!($body)).await;
                        ran += 1;
                    }
                }
            )*};
        }
        bodies!(
            one_piece,
            parts_by_etag,
            uneven_parts_by_etag,
            composite_sha256_names_the_damaged_part,
            full_object_crc64nvme_of_parts,
            an_empty_object,
            what_is_not_there,
            facts_without_a_byte,
            a_manifest_finds_a_replaced_byte,
        );
        println!("{}: {ran} bodies", self.server.endpoint);
    }

    async fn one_piece(&self, name: &str) {
        self.server.put(&self.bucket, &key(name), &data(1, 3 * MIB + 17), None).await;
        let run = self.verify(name, &[]).await;
        assert_eq!(run.assert_exit(0).verdict("etag"), "pass");
    }

    async fn parts_by_etag(&self, name: &str) {
        let bytes = data(2, 13 * MIB + 5);
        let parts: Vec<&[u8]> = bytes.chunks(5 * MIB).collect();
        self.server.multipart(&self.bucket, &key(name), &parts, None).await;
        let run = self.verify(name, &["--using", "etag"]).await;
        assert_eq!(run.assert_exit(0).verdict("etag"), "pass");
    }

    async fn uneven_parts_by_etag(&self, name: &str) {
        let bytes = data(3, 17 * MIB);
        let parts =
            [&bytes[..6 * MIB], &bytes[6 * MIB..11 * MIB], &bytes[11 * MIB..16 * MIB + 9], &bytes[16 * MIB + 9..]];
        self.server.multipart(&self.bucket, &key(name), &parts, None).await;
        let run = self.verify(name, &["--using", "etag"]).await;
        assert_eq!(run.assert_exit(0).verdict("etag"), "pass");
    }

    async fn composite_sha256_names_the_damaged_part(&self, name: &str) {
        let bytes = data(4, 13 * MIB);
        let parts: Vec<&[u8]> = bytes.chunks(5 * MIB).collect();
        let checksum = (ChecksumAlgorithm::Sha256, ChecksumType::Composite);
        self.server.multipart(&self.bucket, &key(name), &parts, Some(checksum)).await;
        let run = self.verify(name, &["--using", "sha256"]).await;
        assert_eq!(run.assert_exit(0).verdict("sha256"), "pass");
        // A damaged copy is compared with the server's list of parts.
        let folder = tempfile::tempdir().unwrap();
        let mut damaged = bytes.clone();
        damaged[6 * MIB] ^= 1;
        let copy = crate::common::write(folder.path(), "copy", &damaged);
        let like = format!("s3://{}/{}", self.bucket, key(name));
        let run = self.server.run(&["verify", &copy, "--like", &like]).await;
        assert_eq!(run.assert_exit(1).finding("like-sha256")["damage"][0]["part"], 2);
    }

    async fn full_object_crc64nvme_of_parts(&self, name: &str) {
        let bytes = data(5, 13 * MIB);
        let parts: Vec<&[u8]> = bytes.chunks(5 * MIB).collect();
        let checksum = (ChecksumAlgorithm::Crc64Nvme, ChecksumType::FullObject);
        self.server.multipart(&self.bucket, &key(name), &parts, Some(checksum)).await;
        let run = self.verify(name, &["--using", "crc64nvme"]).await;
        assert_eq!(run.assert_exit(0).verdict("crc64nvme"), "pass");
    }

    async fn an_empty_object(&self, name: &str) {
        self.server.put(&self.bucket, &key(name), b"", None).await;
        let run = self.verify(name, &[]).await;
        assert_eq!(run.assert_exit(1).verdict("size"), "fail", "an AMI has bytes");
        assert_eq!(run.verdict("etag"), "pass");
    }

    async fn what_is_not_there(&self, name: &str) {
        self.verify(name, &[]).await.assert_exit(4);
    }

    async fn facts_without_a_byte(&self, name: &str) {
        self.server.put(&self.bucket, &key(name), &data(6, 1000), None).await;
        self.server.tag(&self.bucket, &key(name), "team", "recovery").await;
        let target = format!("s3://{}/{}", self.bucket, key(name));
        let report = self.server.run(&["inspect", &target]).await.assert_exit(0).report();
        assert_eq!(report["identity"]["object_bytes"], 1000);
        assert_eq!(report["identity"]["ami_id"], "ami-0123456789abcdef0");
        assert_eq!(report["tags"]["value"]["team"], "recovery");
        assert_eq!(report["etag_form"], "md5");
    }

    /// A byte changes in the file that the server serves. A server that computes ETags from the file agrees with the
    /// damage; the manifest does not.
    async fn damage_behind_the_servers_back(&self, folder: &std::path::Path) {
        let name = "damage_behind_the_servers_back";
        let bytes = data(8, 20 * MIB);
        self.server.put(&self.bucket, &key(name), &bytes, None).await;
        let work = tempfile::tempdir().unwrap();
        let manifest = crate::common::write(work.path(), "m.json", b"");
        self.verify(name, &["--write-manifest", &manifest]).await.assert_exit(0);
        let file = folder.join(&self.bucket).join(key(name));
        let mut on_disk = std::fs::read(&file).unwrap();
        assert!(on_disk == bytes);
        on_disk[9 * MIB] ^= 4;
        std::fs::write(&file, on_disk).unwrap();
        let run = self.verify(name, &["--manifest", &manifest]).await;
        assert_eq!(run.assert_exit(1).finding("manifest-parts-sha256")["damage"][0]["part"], 2);
    }

    async fn a_manifest_finds_a_replaced_byte(&self, name: &str) {
        let folder = tempfile::tempdir().unwrap();
        let manifest = folder.path().join("m.json");
        let manifest = manifest.to_str().unwrap();
        let mut bytes = data(7, 20 * MIB);
        self.server.put(&self.bucket, &key(name), &bytes, None).await;
        self.verify(name, &["--write-manifest", manifest]).await.assert_exit(0);
        bytes[17 * MIB] ^= 0x20;
        self.server.put(&self.bucket, &key(name), &bytes, None).await;
        let run = self.verify(name, &["--manifest", manifest]).await;
        assert_eq!(run.assert_exit(1).finding("manifest-parts-sha256")["damage"][0]["part"], 3);
        assert_eq!(run.verdict("etag"), "pass", "the server's own ETag moved with the bytes");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn on_the_lab() {
    let lab = Lab::start(LabOptions::default()).await.unwrap();
    let server = Server::new(&lab.endpoint(), "us-east-1", "lab", "lab");
    server.bucket("conformance").await;
    Place { server, bucket: "conformance".into(), cannot: Vec::new() }.all().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn on_moto() {
    let Some(moto) = clients::moto() else { return };
    let server = Server::new(&moto.url, "us-east-1", "moto", "moto");
    server.bucket("conformance").await;
    Place { server, bucket: "conformance".into(), cannot: owned(MOTO_CANNOT) }.all().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn on_rclone() {
    let folder = tempfile::tempdir().unwrap();
    let Some(rclone) = clients::rclone(folder.path()) else { return };
    let server = Server::new(&rclone.url, "us-east-1", clients::RCLONE_KEY, clients::RCLONE_SECRET);
    server.bucket("conformance").await;
    let place = Place { server, bucket: "conformance".into(), cannot: owned(RCLONE_CANNOT) };
    place.all().await;
    place.damage_behind_the_servers_back(folder.path()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn on_any_s3_that_is_named() {
    let Ok(named) = std::env::var("STORED_AMI_TEST_S3") else {
        println!("skipped: STORED_AMI_TEST_S3 names no server");
        return;
    };
    let [endpoint, region, access_key, secret_key, bucket] = named.split(',').collect::<Vec<_>>()[..] else {
        panic!("STORED_AMI_TEST_S3 is URL,REGION,ACCESS_KEY,SECRET_KEY,BUCKET");
    };
    let server = Server::new(endpoint, region, access_key, secret_key);
    let left_out = std::env::var("STORED_AMI_TEST_S3_CANNOT").unwrap_or_default();
    let cannot = left_out.split(',').map(|name| (name.to_owned(), "as STORED_AMI_TEST_S3_CANNOT says".to_owned()));
    Place { server, bucket: bucket.into(), cannot: cannot.collect() }.all().await;
}
