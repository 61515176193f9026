//! A lab with one bucket, and helpers for its tests.

use base64::Engine as _;
use stored_ami_lab::{BucketOptions, Lab, LabOptions};
use tokio::runtime::Runtime;

use super::client::{self, Answer};

/// A running lab.
pub struct Rig {
    pub lab: Lab,
    /// Runs the lab; must be dropped after it.
    _runtime: Runtime,
}

impl Rig {
    /// A lab in memory with the bucket `b`.
    pub fn new() -> Self {
        let rig = Self::with(LabOptions::default());
        rig.lab.create_bucket("b", BucketOptions::default()).unwrap();
        rig
    }

    pub fn with(options: LabOptions) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let lab = runtime.block_on(Lab::start(options)).unwrap();
        Rig { lab, _runtime: runtime }
    }

    pub fn send(&self, method: &str, target: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        client::send(self.lab.address(), method, target, headers, body)
    }

    /// Uploads an object in these parts; the headers go with the first request.
    pub fn multipart(&self, target: &str, headers: &[(&str, &str)], parts: &[Vec<u8>]) -> Answer {
        let created = self.send("POST", &format!("{target}?uploads"), headers, b"");
        assert_eq!(created.status, 200, "{}", created.text());
        let id = created.element("UploadId").unwrap();
        let mut list = String::new();
        for (number, part) in (1..).zip(parts) {
            let sent = self.send("PUT", &format!("{target}?partNumber={number}&uploadId={id}"), &[], part);
            assert_eq!(sent.status, 200, "{}", sent.text());
            let etag = sent.header("etag").unwrap();
            list.push_str(&format!("<Part><PartNumber>{number}</PartNumber><ETag>{etag}</ETag></Part>"));
        }
        let document = format!("<CompleteMultipartUpload>{list}</CompleteMultipartUpload>");
        let done = self.send("POST", &format!("{target}?uploadId={id}"), &[], document.as_bytes());
        assert_eq!(done.status, 200, "{}", done.text());
        done
    }

    /// GetObjectAttributes with all five attributes.
    pub fn attributes(&self, target: &str, headers: &[(&str, &str)]) -> Answer {
        let all = ("x-amz-object-attributes", "ETag,Checksum,ObjectParts,StorageClass,ObjectSize");
        let mut headers = headers.to_vec();
        headers.push(all);
        let separator = if target.contains('?') { '&' } else { '?' };
        self.send("GET", &format!("{target}{separator}attributes"), &headers, b"")
    }
}

/// Bytes without a period, different for each seed.
pub fn bytes(seed: u64, len: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let step = |_| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as u8
    };
    (0..len).map(step).collect()
}

pub fn base64(bytes: &[u8]) -> String {
    base64::engine::general_purpose::STANDARD.encode(bytes)
}
