//! Values and flags.

use super::rig::{KEYS, Rig, Row, SECRET};

#[tokio::test(flavor = "multi_thread")]
async fn values_and_flags() {
    let rig = Rig::new(&[]).await;
    rig.check_all(ROWS).await;
}

const ROWS: &[Row] = &[
    Row {
        when: "a misspelt global option",
        env: &[KEYS, SECRET],
        typed: "inspect s3://archive/ami-0123456789abcdef0.bin --no-progess",
        exit: 2,
        out: "",
        err: r#"
error: unexpected argument '--no-progess' found

  tip: a similar argument exists: '--no-progress'

Usage: stored-ami inspect --no-progress <TARGET>...

For more information, try '--help'."#,
    },
    Row {
        when: "missing arguments",
        env: &[KEYS, SECRET],
        typed: "copy",
        exit: 2,
        out: "",
        err: r#"
error: the following required arguments were not provided:
  <SOURCE>       Object, presigned URL (@FILE reads it), or file
  <DESTINATION>  s3://bucket/key, s3://bucket/prefix/, or a file

Usage: stored-ami copy <SOURCE> <DESTINATION>

For more information, try '--help'."#,
    },
    Row {
        when: "a folder that does not exist as the destination of a copy",
        env: &[KEYS, SECRET],
        typed: "copy s3://archive/ami-0123456789abcdef0.bin vault/",
        exit: 2,
        out: "",
        err: "stored-ami: vault/: there is no such folder; create it, or name a file",
    },
    Row {
        when: "a record of a fingerprint that does not exist",
        env: &[KEYS, SECRET],
        typed: "prove ami-0123456789abcdef0 --record none.json --yes",
        exit: 2,
        out: "",
        err: "stored-ami: --record none.json: there is no such file; name the file that `stored-ami fingerprint AMI-ID --record FILE` wrote",
    },
    Row {
        when: "an AMI id where an object is needed",
        env: &[KEYS, SECRET],
        typed: "restore ami-0123456789abcdef0 --name golden",
        exit: 2,
        out: "",
        err: r#"
error: invalid value 'ami-0123456789abcdef0' for '[TARGET]': ami-0123456789abcdef0: is an AMI id, and this command takes the object that holds the AMI; write s3://BUCKET/ami-0123456789abcdef0.bin (`stored-ami is-stored ami-0123456789abcdef0 --bucket BUCKET` says whether it is there)

For more information, try '--help'."#,
    },
    Row {
        when: "an object where an AMI id is needed",
        env: &[KEYS, SECRET],
        typed: "is-stored s3://archive/ami-0123456789abcdef0.bin --bucket archive",
        exit: 2,
        out: "",
        err: r#"
error: invalid value 's3://archive/ami-0123456789abcdef0.bin' for '<AMI-ID>': `s3://archive/ami-0123456789abcdef0.bin` is not an AMI id (ami- and 8 or 17 hexadecimal digits); this command takes the id alone, ami-0123456789abcdef0, and the bucket, if it needs one, as an option of its own

For more information, try '--help'."#,
    },
    Row {
        when: "a bucket to compare with",
        env: &[KEYS, SECRET],
        typed: "compare s3://archive/ami-0123456789abcdef0.bin s3://vault/",
        exit: 2,
        out: "",
        err: "stored-ami: s3://vault/: names a bucket, and `compare` takes two objects or files; write s3://vault/ami-0123456789abcdef0.bin",
    },
    Row {
        when: "a SHA-256 of 16 bytes",
        env: &[KEYS, SECRET],
        typed: "verify x.bin --expect sha256:00112233445566778899aabbccddeeff",
        exit: 2,
        out: "",
        err: r#"
error: invalid value 'sha256:00112233445566778899aabbccddeeff' for '--expect <ALGORITHM:VALUE>': `sha256:00112233445566778899aabbccddeeff`: `00112233445566778899aabbccddeeff` is not a sha256 value: it has 16 bytes, the length of md5 and xxh128; sha256 has 32 bytes, written as 64 hexadecimal digits or 44 characters of base64

For more information, try '--help'."#,
    },
    Row {
        when: "a SHA-256 of no encoding",
        env: &[KEYS, SECRET],
        typed: "verify x.bin --expect sha256:what?",
        exit: 2,
        out: "",
        err: r#"
error: invalid value 'sha256:what?' for '--expect <ALGORITHM:VALUE>': `sha256:what?`: `what?` is not a sha256 value: it is neither hexadecimal nor base64; sha256 has 32 bytes, written as 64 hexadecimal digits or 44 characters of base64

For more information, try '--help'."#,
    },
    Row {
        when: "a misspelt flag that resembles one which weakens a check",
        env: &[KEYS, SECRET],
        typed: "inspect s3://archive/ami-0123456789abcdef0.bin --no-sign",
        exit: 2,
        out: "",
        err: r#"
error: unexpected argument '--no-sign' found

For more information, try '--help'."#,
    },
    Row {
        when: "a misspelt flag that resembles a harmless one",
        env: &[KEYS, SECRET],
        typed: "inspect s3://archive/ami-0123456789abcdef0.bin --regoin us-east-1",
        exit: 2,
        out: "",
        err: r#"
error: unexpected argument '--regoin' found

  tip: a similar argument exists: '--region'

Usage: stored-ami inspect --region <REGION> <TARGET>...

For more information, try '--help'."#,
    },
    Row {
        when: "an option of another command, which must not become the name of an object",
        env: &[KEYS, SECRET],
        typed: "verify s3://archive/ami-0123456789abcdef0.bin --from list.txt",
        exit: 2,
        out: "",
        err: r#"
error: unexpected argument '--from' found

Usage: stored-ami verify <TARGET>...

For more information, try '--help'."#,
    },
];
