//! Each answer and each mistake ends with what to do next.

use super::rig::{KEYS, Rig, Row, SECRET};

#[tokio::test(flavor = "multi_thread")]
async fn what_to_do_next() {
    let rig = Rig::new(&[]).await;
    rig.check_all(ROWS).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_policy_of_the_command_that_was_run() {
    let rig = Rig::new(&["s3:GetObject"]).await;
    rig.check_all(DENIED).await;
}

const ROWS: &[Row] = &[
    Row {
        when: "an action that the lab does not know",
        env: &[],
        typed: "lab --deny s3:GetObjcet",
        exit: 2,
        out: "",
        err: r#"
error: invalid value 's3:GetObjcet' for '--deny <ACTION>': the lab asks for no such action; similar ones are s3:GetObject, s3:PutObject

For more information, try '--help'."#,
    },
    Row {
        when: "the policy of a command with two ends",
        env: &[],
        typed: "policy copy --bucket archive",
        exit: 2,
        out: "",
        err: "stored-ami: copy: each end needs a policy: write `copy-source` for the bucket that is read, or `copy-destination` for the bucket that is written",
    },
    Row {
        when: "an object that is not archived, without --yes",
        env: &[KEYS, SECRET],
        typed: "thaw s3://archive/ami-0123456789abcdef0.bin",
        exit: 0,
        out: r#"
s3://archive/ami-0123456789abcdef0.bin
  object        6 B, STANDARD
  PASS    state    not archived: it can be read now
READABLE it can be read now"#,
        err: "",
    },
    Row {
        when: "an AMI that is not stored, at an endpoint that an option names",
        env: &[KEYS, SECRET],
        typed: "is-stored ami-0aaaaaaaaaaaaaaaa --bucket archive --endpoint-url http://<LAB>",
        exit: 1,
        out: r#"
ami-0aaaaaaaaaaaaaaaa in archive
  said          no object ami-0aaaaaaaaaaaaaaaa.bin [HeadObject]
  said          no object of this name under any path [ListObjectsV2]
  said          no upload of this name is open [ListMultipartUploads]
  said          no store of this AMI into this bucket in the last 31 days [DescribeStoreImageTasks]
NO      not stored
  store it      stored-ami store ami-0aaaaaaaaaaaaaaaa --bucket archive --endpoint-url http://<LAB>"#,
        err: "",
    },
    Row {
        when: "a bucket that does not exist",
        env: &[KEYS, SECRET],
        typed: "is-stored ami-0aaaaaaaaaaaaaaaa --bucket nobucket",
        exit: 4,
        out: r#"
'ami-0aaaaaaaaaaaaaaaa in nobucket'
  ERROR   bucket nobucket: there is no such bucket (NotFound)
  help    check the name of the bucket and the profile, and whether the bucket is at http://<LAB>, which was asked because of AWS_ENDPOINT_URL"#,
        err: "",
    },
    Row {
        when: "a state file that does not exist",
        env: &[KEYS, SECRET],
        typed: "copy --abort none.state",
        exit: 2,
        out: "",
        err: "stored-ami: --abort none.state: there is no such file; name the one that `copy --resume` wrote",
    },
];

const DENIED: &[Row] = &[
    Row {
        when: "thaw may not ask for the state",
        env: &[KEYS, SECRET],
        typed: "thaw s3://archive/ami-0123456789abcdef0.bin",
        exit: 4,
        out: r#"
s3://archive/ami-0123456789abcdef0.bin
  ERROR   not permitted (needs s3:GetObject) (AccessDenied)
  help    check the key first: without s3:ListBucket the same answer is given where there is no object; if it is right, ask for the permission; `stored-ami policy thaw --bucket archive` prints the policy that the command needs"#,
        err: "",
    },
    Row {
        when: "the source of a copy may not be read",
        env: &[KEYS, SECRET],
        typed: "copy s3://archive/ami-0123456789abcdef0.bin s3://archive/copy.bin --dry-run",
        exit: 4,
        out: r#"
s3://archive/copy.bin
  ERROR   s3://archive/ami-0123456789abcdef0.bin: not permitted (needs s3:GetObject) (AccessDenied)
  help    check the key first: without s3:ListBucket the same answer is given where there is no object; if it is right, ask for the permission; `stored-ami policy copy-source --bucket archive` prints the policy that the command needs"#,
        err: "",
    },
];
