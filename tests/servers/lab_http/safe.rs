//! Requests that the lab rejects, to protect the user's files and to ignore web pages.

use std::fs;
use std::io;

use stored_ami_lab::{BucketOptions, Lab, LabOptions};

use super::rig::Rig;

#[test]
fn a_page_of_another_origin_deletes_nothing() {
    let rig = Rig::new();
    assert_eq!(rig.send("PUT", "/b/k", &[], b"kept").status, 200);
    let list = b"<Delete><Object><Key>k</Key></Object></Delete>";
    let foreign = [
        [("origin", "https://evil.example"), ("content-type", "text/plain")],
        [("origin", "null"), ("content-type", "text/plain")],
        [("host", "evil.example"), ("content-type", "text/plain")],
    ];
    for headers in foreign {
        let answer = rig.send("POST", "/b?delete", &headers, list);
        assert_eq!((answer.status, answer.code().as_str()), (403, "AccessDenied"), "{headers:?}");
        assert_eq!(rig.send("DELETE", "/b/k", &headers, b"").status, 403);
        // EC2 and the other services use the same port.
        let call = rig.send("POST", "/", &headers, b"Action=DescribeImages&Version=2016-11-15");
        assert_eq!(call.status, 403);
    }
    assert_eq!(rig.send("GET", "/b/k", &[], b"").text(), "kept");
    let own = [("origin", "http://localhost:3000")];
    assert_eq!(rig.send("POST", "/b?delete", &own, list).status, 200);
    assert_eq!(rig.send("GET", "/b/k", &[], b"").status, 404);
}

async fn refused(options: LabOptions) -> io::Error {
    Lab::start(options).await.expect_err("the folder must be refused")
}

#[tokio::test]
async fn a_folder_of_others_is_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let theirs = folder.path().join(".incoming/mail");
    fs::create_dir(folder.path().join(".incoming")).unwrap();
    fs::write(&theirs, "theirs").unwrap();
    let options = LabOptions { data: Some(folder.path().to_owned()), ..LabOptions::default() };
    let error = refused(options.clone()).await;
    assert_eq!(error.kind(), io::ErrorKind::AlreadyExists, "{error}");
    assert_eq!(fs::read(&theirs).unwrap(), b"theirs");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is added");
    // A symbolic link with the name of the marker does not count as the marker.
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink("/dev/null", folder.path().join(".stored-ami-lab")).unwrap();
        refused(options).await;
        assert!(theirs.exists());
    }
}

#[tokio::test]
async fn one_lab_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    let options = LabOptions { data: Some(folder.path().join("new/deep")), ..LabOptions::default() };
    let first = Lab::start(options.clone()).await.unwrap();
    let error = refused(options.clone()).await;
    assert_eq!(error.kind(), io::ErrorKind::ResourceBusy, "{error}");
    first.shutdown().await;
    Lab::start(options).await.expect("the folder is free again");
}

#[test]
fn names_that_s3_refuses() {
    let rig = Rig::with(LabOptions::default());
    for name in ["B", "..", ".incoming", "a_b", "-ab", "192.168.1.1", "xn--ab"] {
        let answer = rig.send("PUT", &format!("/{}", name.replace('.', "%2E")), &[], b"");
        assert_eq!((answer.status, answer.code().as_str()), (400, "InvalidBucketName"), "{name}");
    }
    rig.lab.create_bucket("b", BucketOptions::default()).unwrap();
    let longest = "k".repeat(1_024);
    assert_eq!(rig.send("PUT", &format!("/b/{longest}"), &[], b"x").status, 200);
    assert_eq!(rig.send("PUT", &format!("/b/{longest}k"), &[], b"x").code(), "KeyTooLongError");
}
