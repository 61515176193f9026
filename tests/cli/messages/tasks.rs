//! Preflights of stores and restores.

use super::rig::{KEYS, Rig, Row, SECRET};

#[tokio::test(flavor = "multi_thread")]
async fn names_and_ids() {
    let rig = Rig::new(&[]).await;
    rig.check_all(ROWS).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_permission_in_ec2() {
    let rig = Rig::new(&[
        "ec2:DescribeImages",
        "ec2:DescribeSnapshots",
        "ec2:DescribeStoreImageTasks",
        "ec2:CreateStoreImageTask",
    ])
    .await;
    rig.check_all(DENIED).await;
}

const ROWS: &[Row] = &[
    Row {
        when: "an AMI that does not exist",
        env: &[KEYS, SECRET],
        typed: "preflight store ami-0fffffffffffffff0 --bucket archive",
        exit: 1,
        out: r#"
ami-0fffffffffffffff0
  store to s3://archive/ami-0fffffffffffffff0.bin, Region us-east-1, account 123456789012
  FAIL    image               there is no such AMI in this Region, or this account may not see it [DescribeImages]
                              expected: ami-0fffffffffffffff0 is available
  UNKNOWN ebs-backed, virtualization, sharing, snapshots, snapshot-tier, snapshot-keys, image-size: the AMI: not found (DescribeImages)
  6 checks passed (-v shows them)
  note          work in progress was counted in us-east-1 alone; AWS states its limit per account
  note          versioning of the bucket is off: what is overwritten or deleted is gone
  note          the bucket encrypts new objects with AES256
  note          public access to the bucket is not blocked in all four ways
  not tested    the caller's ebs: permissions on the snapshots, and s3:PutObject on the bucket
  14 requests
FAIL    the store cannot start: there is no such AMI in this Region, or this account may not see it
  next          check the AMI id and --region; wait if the AMI is pending"#,
        err: "",
    },
    Row {
        when: "a store into a bucket that does not exist",
        env: &[KEYS, SECRET],
        typed: "preflight store ami-0123456789abcdef0 --bucket missing -q",
        exit: 1,
        out: r#"
ami-0123456789abcdef0
  store to s3://missing/ami-0123456789abcdef0.bin, Region us-east-1, account 123456789012
  FAIL    bucket              there is no such bucket [HeadBucket]
                              expected: bucket missing exists
  UNKNOWN not-stored          there is no bucket to look in
  11 checks passed (-v shows them)
  logical size  8 GiB (8.6 GB) of volumes, 2 GiB (2.1 GB) written (1 EBS volume of ami-0123456789abcdef0)
  tags to set   8 (-v shows them)
  not tested    the caller's ebs: permissions on the snapshots, and s3:PutObject on the bucket
  15 requests
FAIL    the store cannot start: there is no such bucket
  next          check the name of the bucket, and that the caller may see it
  next          a store makes no bucket: `aws s3 mb s3://missing --region us-east-1` does"#,
        err: "",
    },
    Row {
        when: "the name of the restored AMI is taken",
        env: &[KEYS, SECRET],
        typed: "preflight restore s3://archive/ami-0123456789abcdef0.bin --name golden",
        exit: 1,
        out: r#"
s3://archive/ami-0123456789abcdef0.bin
  restore as `golden`, Region us-east-1, account 123456789012
  FAIL    name-free           ami-0123456789abcdef0 (available) has the name [DescribeImages]
                              expected: no AMI of the account in us-east-1 is named `golden`
  UNKNOWN verified            (optional) no proof of its bytes is known; --verify makes one now, --manifest names one
  11 checks passed (-v shows them)
  logical size  8 GiB (8.6 GB) of volumes, 2 GiB (2.1 GB) written (1 EBS volume of ami-0123456789abcdef0)
  tags to set   2 (-v shows them)
  note          in progress plus this one: 8 GiB (8.6 GB), within 600 GB
  note          work in progress was counted in us-east-1 alone; AWS states its limit per account
  note          EBS encryption by default is off here: the restored snapshots will not be encrypted
  note          partition aws, account 123456789012, arn:aws:iam::123456789012:user/lab
  note          about $0.02 to $0.10 for PutSnapshotBlock at the list price of us-east-1 (EBS User Guide, undated, seen 2026-11-22); S3 and transfer are extra: `stored-ami cost`, which takes other prices too
  note          duration unknown: the journal has no earlier restore
  note          the bucket keeps no versions: whoever may write to it can replace the object before EC2 has read it
  not tested    the caller's ebs:StartSnapshot, ebs:PutSnapshotBlock and ebs:CompleteSnapshot, and grants on KMS keys
  14 requests
FAIL    the restore cannot start: ami-0123456789abcdef0 (available) has the name; this run did not verify the object's bytes
  next          choose another --name"#,
        err: "",
    },
];

const DENIED: &[Row] = &[Row {
    when: "nothing is permitted in EC2",
    env: &[KEYS, SECRET],
    typed: "preflight store ami-0aaaaaaaaaaaaaaaa --bucket archive",
    exit: 1,
    out: r#"
ami-0aaaaaaaaaaaaaaaa
  store to s3://archive/ami-0aaaaaaaaaaaaaaaa.bin, Region us-east-1, account 123456789012
  FAIL    permission          not permitted: an explicit deny (ec2:CreateStoreImageTask on arn:aws:ec2:us-east-1::image/*) [DryRun]
                              expected: ec2:CreateStoreImageTask is allowed
  UNKNOWN image, ebs-backed, virtualization, sharing, snapshots, snapshot-tier, snapshot-keys, image-size: not permitted (needs ec2:DescribeImages)
  UNKNOWN in-progress, one-store: not permitted (needs ec2:DescribeStoreImageTasks)
  UNKNOWN not-stored          cannot tell whether it is stored: DescribeStoreImageTasks: not permitted (needs ec2:DescribeStoreImageTasks), so a store in progress would not be seen
  2 checks passed (-v shows them)
  note          work in progress was counted in us-east-1 alone; AWS states its limit per account
  note          versioning of the bucket is off: what is overwritten or deleted is gone
  note          the bucket encrypts new objects with AES256
  note          public access to the bucket is not blocked in all four ways
  not tested    the caller's ebs: permissions on the snapshots, and s3:PutObject on the bucket
  15 requests
FAIL    the store cannot start: not permitted: an explicit deny (ec2:CreateStoreImageTask on arn:aws:ec2:us-east-1::image/*)
  next          ask for the permissions; `stored-ami policy store --bucket archive` prints all that it needs"#,
    err: "",
}];
