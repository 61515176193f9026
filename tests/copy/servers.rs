//! Copies to and from servers of other programs.

use std::process::Command;

use stored_ami_lab::{Lab, LabOptions};

use crate::clients::{RCLONE_KEY, RCLONE_SECRET, Serving, moto, program, rclone};
use crate::common::{Run, Server, bare_command, data};
use crate::rig::{KEY, report, verdict};

const MIB: usize = 1 << 20;
const UNEVEN: [usize; 2] = [6 * MIB, 11 * MIB];
const FROM: &str = "s3://archive/ami-0123456789abcdef0.bin";
const TO: &str = "s3://copies/ami-0123456789abcdef0.bin";

/// A place with its key.
struct Place {
    server: Server,
    key: &'static str,
    secret: &'static str,
}

impl Place {
    fn new(url: &str, key: &'static str, secret: &'static str) -> Self {
        Place { server: Server::new(url, "us-east-1", key, secret), key, secret }
    }

    fn profile(&self, name: &str) -> String {
        let Place { server, key, secret } = self;
        format!(
            "[profile {name}]\naws_access_key_id = {key}\naws_secret_access_key = {secret}\nregion = us-east-1\n\
             endpoint_url = {}\n",
            server.endpoint
        )
    }
}

/// A source with the bucket `archive`, and a destination with the bucket `copies`.
struct Pair {
    from: Place,
    to: Place,
    home: tempfile::TempDir,
}

impl Pair {
    async fn new(from: Place, to: Place) -> Self {
        from.server.bucket("archive").await;
        to.server.bucket("copies").await;
        let home = tempfile::tempdir().unwrap();
        std::fs::write(home.path().join("config"), from.profile("from") + &to.profile("to")).unwrap();
        Pair { from, to, home }
    }

    async fn copy(&self, args: &[&str]) -> Run {
        let mut command = bare_command();
        command
            .env("HOME", self.home.path())
            .env("AWS_CONFIG_FILE", self.home.path().join("config"))
            .args(["copy", FROM, TO, "--json", "--from-profile", "from", "--to-profile", "to", "--yes"])
            .args(["--accept", "public"])
            .args(args);
        Run::of(command).await
    }

    /// The bytes of the copy as the AWS CLI and rclone read them.
    async fn bytes_by_other_clients(&self) -> [Vec<u8>; 2] {
        let mut aws = Command::new(program("aws").unwrap());
        aws.env("HOME", self.home.path()).env("AWS_CONFIG_FILE", self.home.path().join("config"));
        aws.args(["--profile", "to", "s3", "cp", TO, "-"]);
        let mut rclone = Command::new(program("rclone").unwrap());
        let Place { server, key, secret } = &self.to;
        rclone.env("RCLONE_CONFIG", "/dev/null").args(["cat", &format!(":s3:copies/{KEY}")]);
        rclone.args(["--s3-provider", "Other", "--s3-endpoint", &server.endpoint]);
        rclone.args([
            "--s3-access-key-id",
            key,
            "--s3-secret-access-key",
            secret,
            "--s3-region",
            "us-east-1",
            "--s3-list-version",
            "2",
        ]);
        let mut bytes = [Vec::new(), Vec::new()];
        for (command, bytes) in [aws, rclone].into_iter().zip(&mut bytes) {
            let run = tokio::task::spawn_blocking(move || {
                let mut command = command;
                command.output().unwrap()
            });
            let output = run.await.unwrap();
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            *bytes = output.stdout;
        }
        bytes
    }

    async fn etags(&self) -> [Option<String>; 2] {
        let etag = async |place: &Place, bucket: &str| {
            let head = place.server.client.head_object().bucket(bucket).key(KEY).send().await.unwrap();
            head.e_tag().map(str::to_owned)
        };
        [etag(&self.from, "archive").await, etag(&self.to, "copies").await]
    }

    async fn assert_right_bytes(&self, bytes: &[u8]) {
        let read = self.bytes_by_other_clients().await;
        assert!(read.iter().all(|read| read == bytes), "{:?} of {}", read.map(|read| read.len()), bytes.len());
    }

    /// Another object at the source is not written over the copy.
    async fn assert_not_overwritten(&self, bytes: &[u8]) {
        self.from.server.put("archive", KEY, &data(9, 1000), None).await;
        let run = self.copy(&[]).await;
        assert_eq!(report(run.assert_exit(1))["outcome"], "occupied");
        self.assert_right_bytes(bytes).await;
    }
}

async fn lab() -> (Lab, Place) {
    let lab = Lab::start(LabOptions::default()).await.unwrap();
    let place = Place::new(&lab.endpoint(), "lab", "lab");
    (lab, place)
}

fn at(serving: &Serving, key: &'static str, secret: &'static str) -> Place {
    Place::new(&serving.url, key, secret)
}

/// An object of three parts, the first two ending here, with metadata and a tag.
async fn store(server: &Server, bytes: &[u8], ends: [usize; 2]) {
    let parts = [&bytes[..ends[0]], &bytes[ends[0]..ends[1]], &bytes[ends[1]..]];
    server.multipart_with("archive", KEY, &parts, None, |create| create.metadata("ami-name", "golden")).await;
    server.tag("archive", KEY, "team", "recovery").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn to_moto_and_from_it() {
    let bytes = data(1, 13 * MIB + 5);
    for from_lab in [true, false] {
        let Some(moto) = moto() else { return };
        let (_lab, lab) = lab().await;
        let moto = at(&moto, "moto", "moto");
        let pair = if from_lab { Pair::new(lab, moto).await } else { Pair::new(moto, lab).await };
        // moto lists no parts, so only equal ones are found.
        store(&pair.from.server, &bytes, if from_lab { UNEVEN } else { [5 * MIB, 10 * MIB] }).await;
        let run = pair.copy(&["--verify-destination"]).await;
        run.assert_exit(0);
        for check in ["source", "parts", "size", "etag", "checksum", "metadata", "tags", "read-back"] {
            assert_eq!(verdict(&run, check), "pass", "{check}: {run:?}");
        }
        let [from, to] = pair.etags().await;
        assert_eq!(from, to, "{from_lab}: {run:?}");
        pair.assert_right_bytes(&bytes).await;
        pair.assert_not_overwritten(&bytes).await;
    }
}

/// Its ETag is the MD5 of the file, it stores no tags and no checksums, and it ignores `If-None-Match`.
#[tokio::test(flavor = "multi_thread")]
async fn to_rclone() {
    let folder = tempfile::tempdir().unwrap();
    let Some(rclone) = rclone(folder.path()) else { return };
    let (_lab, lab) = lab().await;
    let pair = Pair::new(lab, at(&rclone, RCLONE_KEY, RCLONE_SECRET)).await;
    let bytes = data(1, 13 * MIB + 5);
    store(&pair.from.server, &bytes, UNEVEN).await;
    let run = pair.copy(&[]).await;
    // Each part was confirmed by its MD5; nothing that is stated of the object can be compared.
    run.assert_exit(3);
    assert_eq!((verdict(&run, "parts"), verdict(&run, "metadata")), ("pass".into(), "pass".into()), "{run:?}");
    for check in ["etag", "checksum", "tags"] {
        assert_eq!(verdict(&run, check), "unknown", "{check}: {run:?}");
    }
    for words in
        ["which is not computed over the parts", "no crc64nvme", "another writer in that second is not excluded"]
    {
        assert!(run.stdout.contains(words), "{words}: {run:?}");
    }
    assert!(std::fs::read(folder.path().join("copies").join(KEY)).unwrap() == bytes);
    pair.assert_right_bytes(&bytes).await;
    pair.assert_not_overwritten(&bytes).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_rclone_does_not_state_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let Some(rclone) = rclone(folder.path()) else { return };
    let (_lab, lab) = lab().await;
    let pair = Pair::new(lab, at(&rclone, RCLONE_KEY, RCLONE_SECRET)).await;
    let bytes = data(1, 50 * MIB + 5);
    let parts: Vec<&[u8]> = bytes.chunks(20 * MIB).collect();
    pair.from.server.multipart("archive", KEY, &parts, None).await;
    // Parts of 20 MiB are sent as they arrive.
    let run = pair.copy(&["--verify-destination", "--max-memory", "64MiB"]).await;
    run.assert_exit(0);
    assert_eq!((verdict(&run, "parts"), verdict(&run, "read-back")), ("pass".into(), "pass".into()), "{run:?}");
    assert!(std::fs::read(folder.path().join("copies").join(KEY)).unwrap() == bytes);
}
