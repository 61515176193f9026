//! `fingerprint` and `prove` against the EBS direct APIs of moto, and the lab's against boto3.

use std::process::Command;

use serde_json::Value;
use stored_ami_lab::ec2::{ImageSpec, VolumeSpec};

use crate::blocks::proof;
use crate::clients::{moto, program};
use crate::common::Run;
use crate::rig::{REGION, Rig, line};

/// Writes three snapshots by boto3 and prints their ids: the second has the same content as the first in other blocks,
/// where both are zeros; the third differs in one byte. Also reads what it wrote.
const WRITE: &str = r"
import base64, hashlib, sys
import boto3
from botocore.config import Config

ebs = boto3.client('ebs', endpoint_url=sys.argv[1], region_name='us-east-1', aws_access_key_id='k',
                   aws_secret_access_key='s', config=Config(retries={'max_attempts': 1}))
BLOCK = 524288

def snapshot(contents):
    id = ebs.start_snapshot(VolumeSize=1, Description='written by boto3')['SnapshotId']
    for index, data in contents.items():
        checksum = base64.b64encode(hashlib.sha256(data).digest()).decode()
        ebs.put_snapshot_block(SnapshotId=id, BlockIndex=index, BlockData=data, DataLength=BLOCK, Checksum=checksum,
                               ChecksumAlgorithm='SHA256')
    ebs.complete_snapshot(SnapshotId=id, ChangedBlocksCount=len(contents))
    listed = ebs.list_snapshot_blocks(SnapshotId=id)['Blocks']
    assert [block['BlockIndex'] for block in listed] == list(contents), listed
    for block in listed:
        read = ebs.get_snapshot_block(SnapshotId=id, BlockIndex=block['BlockIndex'], BlockToken=block['BlockToken'])
        assert read['BlockData'].read() == contents[block['BlockIndex']]
    return id

contents = {index: bytes([index % 251 + 1]) * BLOCK for index in (0, 3, 4, 2047)}
zeros = bytes(BLOCK)
changed = dict(contents)
changed[4] = contents[4][:1000] + b'x' + contents[4][1001:]
print(snapshot({0: contents[0], 1: zeros, 3: contents[3], 4: contents[4], 2047: contents[2047]}))
print(snapshot({0: contents[0], 3: contents[3], 4: contents[4], 9: zeros, 2047: contents[2047]}))
print(snapshot(changed))
";

async fn written(endpoint: &str) -> Option<Vec<String>> {
    let mut python = Command::new(program("python")?);
    python.args(["-c", WRITE, endpoint]);
    let run = Run::of(python).await;
    run.assert_exit(0);
    Some(run.stdout.lines().map(str::to_owned).collect())
}

/// An AMI of the lab over a snapshot with this id, whose blocks may be at another server.
fn image(rig: &Rig, name: &str, id: &str) -> String {
    let volumes = vec![VolumeSpec::new("/dev/xvda", 1)];
    let image = rig.lab.create_image(REGION, ImageSpec { volumes, ..ImageSpec::new(name) });
    rig.ec2(|state| {
        let made = std::mem::replace(&mut state.images.get_mut(&image).unwrap().mappings[0].snapshot, id.to_owned());
        let mut record = state.snapshots.remove(&made).unwrap();
        record.id = id.to_owned();
        state.snapshots.entry(id.to_owned()).or_insert(record);
    });
    image
}

async fn run(rig: &Rig, ebs: &str, args: &[&str]) -> Run {
    let mut command = rig.command();
    command.env("AWS_ENDPOINT_URL_EBS", ebs).args(args).args(["--yes", "--json"]);
    Run::of(command).await
}

async fn fingerprint_and_prove(rig: &Rig, ebs: &str, snapshots: &[String]) -> Value {
    let [one, same, other] = [0, 1, 2].map(|at| image(rig, &format!("image-{at}"), &snapshots[at]));
    let record = rig.path("golden.json");
    let fingerprint = run(rig, ebs, &["fingerprint", &one, "--record", &record]).await;
    fingerprint.assert_exit(0);
    let written = fingerprint.lines().into_iter().rfind(|line| line["type"] == "fingerprint").unwrap();
    let volume = &written["volumes"][0];
    assert_eq!((&volume["listed_blocks"], &volume["blocks"], &volume["volume_gib"]), (&5.into(), &4.into(), &1.into()));
    for against in [["--record", record.as_str()], ["--source", one.as_str()]] {
        let pass = run(rig, ebs, &[&["prove", &same], &against[..]].concat()).await;
        pass.assert_exit(0);
        assert_eq!(proof(&pass)["volumes"][0]["content_sha256"], volume["content_sha256"]);
        let fail = run(rig, ebs, &[&["prove", &other], &against[..]].concat()).await;
        fail.assert_exit(1);
        let differences = proof(&fail)["volumes"][0]["differences"].as_array().unwrap().clone();
        assert_eq!(differences.len(), 1, "{fail:?}");
        assert_eq!((&differences[0]["block"], &differences[0]["offset_bytes"]), (&4.into(), &(4 * 524_288).into()));
    }
    line(&fingerprint, "summary");
    written
}

#[tokio::test(flavor = "multi_thread")]
async fn snapshots_of_moto() {
    let Some(moto) = moto() else { return };
    let Some(snapshots) = written(&moto.url).await else { return };
    let rig = Rig::new().await;
    let written = fingerprint_and_prove(&rig, &moto.url, &snapshots).await;
    // moto 5.2 states the size of a block in another unit.
    assert!(written["notes"][0].as_str().unwrap().starts_with("the server states blocks of 512 bytes"), "{written}");
}

#[tokio::test(flavor = "multi_thread")]
async fn snapshots_that_boto3_writes_to_the_lab() {
    let rig = Rig::new().await;
    let Some(snapshots) = written(&rig.lab.endpoint()).await else { return };
    let written = fingerprint_and_prove(&rig, &rig.lab.endpoint(), &snapshots).await;
    assert!(written["notes"].as_array().unwrap().is_empty(), "{written}");
}
