//! Local files.

use super::rig::{KEYS, Rig, Row, SECRET};

#[tokio::test(flavor = "multi_thread")]
async fn files_that_are_not_there_or_not_right() {
    let rig = Rig::new(&[]).await;
    rig.prepare("verify x.bin --write-manifest x.json").await;
    rig.check_all(ROWS).await;
}

#[cfg(not(feature = "parquet"))]
#[tokio::test(flavor = "multi_thread")]
async fn a_format_that_is_not_built() {
    let rig = Rig::new(&[]).await;
    rig.check_all(NOT_BUILT).await;
}

#[cfg(not(feature = "parquet"))]
const NOT_BUILT: &[Row] = &[Row {
    when: "Parquet from a build without it",
    env: &[KEYS, SECRET],
    typed: "ledger export ledger.db --format parquet",
    exit: 2,
    out: "",
    err: r#"stored-ami: --format parquet: this build of stored-ami cannot write Parquet; use --format csv or jsonl, or a build with the feature `parquet`"#,
}];

const ROWS: &[Row] = &[
    Row {
        when: "a local file that does not exist",
        env: &[KEYS, SECRET],
        typed: "verify none.bin",
        exit: 4,
        out: r#"
none.bin
  ERROR   No such file or directory (os error 2)
  help    check the path; objects in S3 are written s3://BUCKET/KEY"#,
        err: "",
    },
    Row {
        when: "a manifest that does not exist",
        env: &[KEYS, SECRET],
        typed: "verify x.bin --manifest none.json",
        exit: 2,
        out: "",
        err: r#"stored-ami: --manifest none.json: there is no such file"#,
    },
    Row {
        when: "a file that is not a manifest",
        env: &[KEYS, SECRET],
        typed: "verify x.bin --manifest not.json",
        exit: 2,
        out: "",
        err: r#"stored-ami: --manifest not.json: is not a manifest: missing field `schema`; `stored-ami verify TARGET --write-manifest FILE` writes one"#,
    },
    Row {
        when: "the manifest of another object",
        env: &[KEYS, SECRET],
        typed: "verify other.bin --manifest x.json",
        exit: 2,
        out: r#"
other.bin
  ERROR   --manifest x.json describes another object, x.bin: it has 1 bytes, this one has 5; name the manifest of this object"#,
        err: "",
    },
    Row {
        when: "a manifest in place of that of another object",
        env: &[KEYS, SECRET],
        typed: "verify other.bin --write-manifest x.json",
        exit: 2,
        out: "",
        err: r#"stored-ami: --write-manifest x.json: holds the manifest of x.bin; name another file, or give --force to replace it"#,
    },
    Row {
        when: "a policy that does not exist",
        env: &[KEYS, SECRET],
        typed: "audit s3://archive/ --policy none.toml",
        exit: 2,
        out: "",
        err: r#"stored-ami: --policy none.toml: there is no such file"#,
    },
    Row {
        when: "a ledger that does not exist",
        env: &[KEYS, SECRET],
        typed: "ledger list none.db",
        exit: 2,
        out: "",
        err: r#"stored-ami: none.db: there is no such ledger; `stored-ami audit PREFIX --ledger none.db` creates one"#,
    },
    Row {
        when: "safe-to-delete with a ledger that does not exist",
        env: &[KEYS, SECRET],
        typed: "safe-to-delete ami-0123456789abcdef0 --in s3://archive/ --ledger none.db",
        exit: 2,
        out: "",
        err: r#"stored-ami: --ledger none.db: there is no such ledger; `stored-ami audit PREFIX --ledger none.db` creates one"#,
    },
];
