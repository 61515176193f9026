//! The responses of a server must not determine the memory use.
#![cfg(target_os = "linux")]

use std::process::Stdio;
use std::time::Duration;

use stored_ami::units::MIB;
use stored_ami_lab::{ChecksumChoice, Lab, LabOptions, PartSizes, SyntheticSpec, checksum, parse_faults};

use crate::common::Server;
use crate::common::peak::{limit, peak};
use crate::rig::{BUCKET, KEY};

const MOST: u64 = limit(64 * MIB);

/// Runs a command, and returns its exit code and peak memory.
async fn watch(mut command: std::process::Command) -> (Option<i32>, u64) {
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let mut most = 0;
    loop {
        most = most.max(peak(&child).unwrap_or_default());
        if let Some(status) = child.try_wait().unwrap() {
            return (status.code(), most);
        }
        // The peak never decreases, so only what follows the last sample is missed.
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_that_nobody_asked_for_take_no_memory() {
    let lab = Lab::start(LabOptions::default()).await.unwrap();
    let server = Server::new(&lab.endpoint(), "us-east-1", "test", "test");
    server.bucket(BUCKET).await;
    let checksum = ChecksumChoice::Default(checksum::Algorithm::Crc64Nvme);
    let spec = SyntheticSpec { size: 400 * MIB, parts: PartSizes::Uniform(8 * MIB), seed: 3, checksum };
    lab.synthesize(BUCKET, KEY, spec).await.unwrap();
    for (rules, expected) in [
        // The whole object instead of a range, and instead of its attributes.
        (r#"[{"operation": "GetObject", "always": true, "fault": "range_ignored"}]"#, 3),
        (r#"[{"operation": "GetObjectAttributes", "always": true, "fault": "attributes_ignored"}]"#, 0),
        (r#"[{"operation": "GetObjectAttributes", "always": true, "fault": {"too_long": 1000000000}}]"#, 0),
        (r#"[{"operation": "GetObject", "always": true, "fault": {"too_long": 1000000000}}]"#, 3),
        // Every read breaks off and is resumed.
        (r#"[{"operation": "GetObject", "always": true, "fault": {"close_after": 3000000}}]"#, 0),
    ] {
        lab.clear_script();
        parse_faults(rules).unwrap().into_iter().for_each(|rule| lab.script(rule));
        let mut command = server.command();
        command.args(["verify", &format!("s3://{BUCKET}/{KEY}"), "--max-memory", "64MiB"]);
        let (exit, most) = watch(command).await;
        assert_eq!(exit, Some(expected), "{rules}");
        assert!((MIB..=MOST).contains(&most), "{} MiB under {rules}", most / MIB);
    }
}
