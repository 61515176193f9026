//! Refusals by S3.

use super::rig::{ANY, KEYS, Rig, Row, SECRET};

#[tokio::test(flavor = "multi_thread")]
async fn buckets_and_objects() {
    let rig = Rig::new(&[]).await;
    rig.check_all(ROWS).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn permissions() {
    let rig = Rig::new(&["s3:GetObject"]).await;
    rig.check_all(DENIED).await;
}

const DENIED: &[Row] = &[Row {
    when: "the object may not be read",
    env: &[KEYS, SECRET],
    typed: "verify s3://archive/ami-0123456789abcdef0.bin",
    exit: 4,
    out: r#"
s3://archive/ami-0123456789abcdef0.bin
  ERROR   not permitted (needs s3:GetObject) (AccessDenied)
  help    check the key first: without s3:ListBucket the same answer is given where there is no object; if it is right, ask for the permission; `stored-ami policy verify --bucket archive` prints the policy that the command needs"#,
    err: "",
}];

const ROWS: &[Row] = &[
    Row {
        when: "a bucket that does not exist",
        env: &[KEYS, SECRET],
        typed: "verify s3://archiv/ami-0123456789abcdef0.bin",
        exit: 4,
        out: r#"
s3://archiv/ami-0123456789abcdef0.bin
  ERROR   there is no such bucket (NoSuchBucket)
  help    check the name of the bucket and the profile, and whether the bucket is at http://<LAB>, which was asked because of AWS_ENDPOINT_URL"#,
        err: "",
    },
    Row {
        when: "a bucket that does not exist at the endpoint of a variable, and the profile names another",
        env: &[],
        typed: "verify s3://archiv/ami-0123456789abcdef0.bin --profile minio",
        exit: 4,
        out: r#"
s3://archiv/ami-0123456789abcdef0.bin
  ERROR   there is no such bucket (NoSuchBucket)
  help    check the name of the bucket and the profile, and whether the bucket is at http://<LAB>, which was asked because of AWS_ENDPOINT_URL, which takes precedence over endpoint_url of profile `minio`"#,
        err: "",
    },
    Row {
        when: "a key that does not exist",
        env: &[KEYS, SECRET],
        typed: "verify s3://archive/ami-0123456789abcdef.bin",
        exit: 4,
        out: r#"
s3://archive/ami-0123456789abcdef.bin
  ERROR   there is no such object (NoSuchKey)
  help    check the key; `stored-ami audit s3://archive/` lists the stored AMI objects"#,
        err: "",
    },
    Row {
        when: "a version that does not exist",
        env: &[KEYS, SECRET],
        typed: "verify s3://archive/ami-0123456789abcdef0.bin?versionId=none",
        exit: 4,
        out: r#"
's3://archive/ami-0123456789abcdef0.bin?versionId=none'
  ERROR   there is no such version (NoSuchVersion)
  help    check the version id, or leave it out to get the current version"#,
        err: "",
    },
    Row {
        when: "an audit of a single object",
        env: &[KEYS, SECRET],
        typed: "audit s3://archive/ami-0123456789abcdef0.bin",
        exit: 0,
        out: ANY,
        err: r#"stored-ami: s3://archive/ami-0123456789abcdef0.bin is one object: `stored-ami verify s3://archive/ami-0123456789abcdef0.bin` checks its bytes"#,
    },
];
