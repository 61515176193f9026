//! References over the same bytes that disagree. The lab is not an AWS endpoint, so nothing documents its ETags.

use std::sync::Arc;

use aws_sdk_s3::types::{ChecksumAlgorithm, ChecksumType};
use stored_ami::checksum::Algorithm;
use stored_ami::commands::verify::{VerifyOptions, verify};
use stored_ami::report::{Exit, VerifyReport};
use stored_ami::source::s3::{Connection, S3Options};
use stored_ami::source::{Context, Session};
use stored_ami::verdict::Verdict;
use stored_ami_lab::{Fault, FaultRule, Operation};
use tokio_util::sync::CancellationToken;

use super::rig::{BUCKET, KEY, PART, Rig, hex, image};
use crate::aws::AsAws;

const ODD: &str = "0123456789abcdef0123456789abcdef";

#[tokio::test(flavor = "multi_thread")]
async fn an_etag_that_nothing_documents_gives_way_to_64_bits() {
    let rig = Rig::new().await;
    for (checksum, exit, proof) in [
        (ChecksumAlgorithm::Crc64Nvme, 0, "pass"),
        (ChecksumAlgorithm::Sha256, 0, "pass"),
        (ChecksumAlgorithm::Sha1, 0, "pass"),
        (ChecksumAlgorithm::Crc32, 3, "unknown: contradiction"),
        (ChecksumAlgorithm::Crc32C, 3, "unknown: contradiction"),
    ] {
        rig.put(&image(), Some(checksum.clone())).await;
        rig.odd_etag(ODD);
        let run = rig.verify(&[]).await;
        assert_eq!(run.assert_exit(exit).verdict("proof"), proof, "{checksum:?}");
        assert_eq!(run.verdict("etag"), "unknown: etag_undocumented");
        assert_eq!(run.verdict("contradiction"), "unknown: contradiction");
        let detail = run.finding("contradiction")["reason"]["detail"].to_string();
        assert!(detail.contains("matched, etag did not"), "{detail}");
        assert_eq!(rig.reads(), 1, "what matched need not be read again");
    }
    // A value given by the user decides if a CRC cannot.
    let expected = format!("sha256:{}", hex(Algorithm::Sha256, &image()));
    let run = rig.verify(&["--expect", &expected]).await;
    assert_eq!(run.assert_exit(0).verdict("proof"), "pass");
    // Also a composite ETag, all parts of which can be asked for their sizes.
    let crc64 = Some((ChecksumAlgorithm::Crc64Nvme, ChecksumType::FullObject));
    rig.multipart(KEY, &image(), PART, crc64).await;
    rig.odd_etag(&format!("{ODD}-3"));
    let run = rig.verify(&[]).await;
    assert_eq!(run.assert_exit(0).verdict("etag"), "unknown: etag_undocumented");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_etag_alone_that_does_not_match_fails_and_says_what_looks_the_same() {
    let rig = Rig::new().await;
    rig.put(&image(), None).await;
    rig.odd_etag(ODD);
    let run = rig.verify(&[]).await;
    assert_eq!(run.assert_exit(1).verdict("etag"), "fail");
    let notes = run.report()["notes"].to_string();
    assert!(notes.contains("nothing documents that the ETags of this server are MD5s"), "{notes}");
    assert!(notes.contains("looks the same"), "{notes}");
    assert!(run.report()["findings"].as_array().unwrap().iter().all(|finding| finding["check"] != "contradiction"));
}

#[tokio::test(flavor = "multi_thread")]
async fn damage_that_every_reference_sees_is_no_contradiction() {
    let rig = Rig::new().await;
    rig.put(&image(), Some(ChecksumAlgorithm::Crc64Nvme)).await;
    rig.lab.damage(BUCKET, KEY, 9, 1).unwrap();
    let run = rig.verify(&[]).await;
    assert_eq!((run.assert_exit(1).verdict("etag"), run.verdict("crc64nvme")), ("fail".into(), "fail".into()));
    assert!(!run.stdout.contains("contradiction"), "{run:?}");
    assert!(!run.report()["notes"].to_string().contains("looks the same"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stored_value_against_the_etag_fails_without_a_word_of_damage() {
    let rig = Rig::new().await;
    for checksum in [ChecksumAlgorithm::Crc32, ChecksumAlgorithm::Sha256] {
        rig.put(&image(), Some(checksum)).await;
        rig.lab
            .with_object(BUCKET, KEY, |object| {
                let stored = object.checksum.as_mut().unwrap();
                stored.value =
                    stored.value.replace(&stored.value[..1], if stored.value.starts_with('A') { "B" } else { "A" });
            })
            .unwrap();
        let run = rig.verify(&[]).await;
        assert_eq!(run.assert_exit(1).verdict("contradiction"), "fail");
        let finding = run.finding("contradiction");
        assert_eq!(finding["source"], "the stored value and the ETag disagree");
        assert!(finding["observed"].as_str().unwrap().starts_with("etag matched, "), "{finding}");
        assert_eq!(run.verdict("etag"), "pass");
        let shown = rig.shown(&[]).await;
        assert!(shown.contains("the references contradict each other: etag matched"), "{shown}");
        assert!(!shown.contains("damaged") && !shown.contains("the bytes are not"), "{shown}");
    }
    // If the values of the parts are outdated, the parts are in question, not damaged.
    let sha256 = Some((ChecksumAlgorithm::Sha256, ChecksumType::Composite));
    rig.multipart("older", &crate::common::data(9, image().len()), PART, sha256.clone()).await;
    rig.multipart(KEY, &image(), PART, sha256).await;
    let older = rig.lab.with_object(BUCKET, "older", |object| (object.checksum.clone(), object.parts.clone())).unwrap();
    rig.lab
        .with_object(BUCKET, KEY, |object| {
            object.checksum = older.0;
            object.parts.iter_mut().zip(older.1).for_each(|(part, older)| part.checksum = older.checksum);
        })
        .unwrap();
    let run = rig.verify(&[]).await;
    assert_eq!(run.assert_exit(1).verdict("contradiction"), "fail");
    assert!(run.report()["parts"].to_string().contains("in_question"), "{}", run.report()["parts"]);
    assert!(!run.report()["parts"].to_string().contains("damaged"));
    assert!(!rig.shown(&[]).await.contains("parts are damaged"));
}

/// A copy that was written with other bytes has checksums that match them.
#[tokio::test(flavor = "multi_thread")]
async fn a_copy_that_differs_from_the_manifest_and_agrees_with_itself_was_written_like_this() {
    let rig = Rig::new().await;
    let crc64 = Some((ChecksumAlgorithm::Crc64Nvme, ChecksumType::FullObject));
    let folder = tempfile::tempdir().unwrap();
    let manifest = folder.path().join("m.json").to_str().unwrap().to_owned();
    rig.multipart(KEY, &image(), PART, crc64.clone()).await;
    rig.verify(&["--write-manifest", &manifest]).await.assert_exit(0);
    rig.multipart("original", &image(), PART, crc64.clone()).await;
    let mut other = image();
    other[PART + 9] ^= 1;
    rig.multipart(KEY, &other, PART, crc64).await;
    let run = rig.verify(&["--manifest", &manifest]).await;
    assert_eq!(run.assert_exit(1).verdict("contradiction"), "fail");
    let shown = rig.shown(&["--manifest", &manifest]).await;
    let place = "FAIL bytes 60,007–120,013 (part 2 of 3) are not those of the manifest (manifest-";
    assert!(shown.contains(place), "{shown}");
    assert!(shown.contains("agrees with its own checksums (crc64nvme, etag), so it was written like this"), "{shown}");
    assert!(shown.contains("next do not restore from this object") && shown.contains("next verify the original"));
    // The object agrees with all that S3 stores: it may be sound, and the value that of another object.
    let replaces = |shown: &str| shown.contains("stored-ami copy") || shown.contains("--replace-if");
    assert!(!replaces(&shown), "{shown}");
    let original = format!("s3://{BUCKET}/original");
    let shown = rig.shown(&["--like", &original]).await;
    assert!(shown.contains("are not those of the object of --like (like-"), "{shown}");
    assert!(!replaces(&shown), "{shown}");
    let shown = rig.shown(&["--expect", "crc64nvme:AAAAAAAAAAA="]).await;
    assert!(shown.contains("are not those of the value that was given") && !replaces(&shown), "{shown}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_persons_value_that_does_not_match_fails_wherever_the_server_stands() {
    let rig = Rig::new().await;
    rig.put(&image(), Some(ChecksumAlgorithm::Crc64Nvme)).await;
    let wrong = format!("sha256:{}", hex(Algorithm::Sha256, b"another"));
    for etag in [None, Some(ODD)] {
        etag.into_iter().for_each(|etag| rig.odd_etag(etag));
        let run = rig.verify(&["--expect", &wrong]).await;
        assert_eq!(run.assert_exit(1).verdict("contradiction"), "fail");
        let finding = run.finding("contradiction");
        assert!(finding["observed"].as_str().unwrap().contains("expect-sha256"), "{finding}");
        assert!(finding["source"].as_str().unwrap().contains("the values given"), "{finding}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_value_over_the_whole_that_is_called_a_composite_is_tried_as_one() {
    let rig = Rig::new().await;
    let label = Fault::OtherHeader { name: "x-amz-checksum-type", value: "COMPOSITE".to_owned() };
    rig.lab.script(FaultRule::new(Operation::HeadObject, label).always());
    for checksum in [ChecksumAlgorithm::Sha256, ChecksumAlgorithm::Crc32, ChecksumAlgorithm::Crc64Nvme] {
        rig.put(&image(), Some(checksum.clone())).await;
        let run = rig.verify(&[]).await;
        let name = checksum.as_str().to_lowercase();
        assert_eq!(run.assert_exit(0).verdict(&name), "pass", "{name}");
        let source = run.finding(&name)["source"].as_str().unwrap().to_owned();
        assert!(source.contains("stated to be a composite; matched as full object"), "{source}");
    }
    let full = Some((ChecksumAlgorithm::Crc32, ChecksumType::FullObject));
    rig.multipart(KEY, &image(), PART, full).await;
    assert_eq!(rig.verify(&[]).await.assert_exit(0).verdict("crc32"), "pass");
    rig.lab.damage(BUCKET, KEY, 9, 1).unwrap();
    assert_eq!(rig.verify(&[]).await.assert_exit(1).verdict("etag"), "fail");
}

/// The same responses, as if they were from AWS.
async fn by_aws(rig: &Rig) -> VerifyReport {
    let options = S3Options {
        region: Some("us-east-1".to_owned()),
        endpoint_url: Some(rig.lab.endpoint()),
        no_sign_request: true,
        ..S3Options::default()
    };
    let connection = Connection::open(options).await.unwrap();
    let source = Arc::new(AsAws(Arc::new(connection.object(format!("s3://{BUCKET}/{KEY}").parse().unwrap()))));
    let context = Context::default();
    verify(&Session::new(source, context), &VerifyOptions::default(), &CancellationToken::new()).await.unwrap().report
}

#[tokio::test(flavor = "multi_thread")]
async fn where_s3_documents_the_etag_it_fails() {
    let rig = Rig::new().await;
    let verdict = |report: &VerifyReport, check: &str| {
        report.findings.iter().find(|finding| finding.check.to_string() == check).map(|finding| finding.verdict)
    };
    for checksum in [ChecksumAlgorithm::Crc64Nvme, ChecksumAlgorithm::Crc32] {
        rig.put(&image(), Some(checksum)).await;
        rig.odd_etag(ODD);
        let report = by_aws(&rig).await;
        assert_eq!((report.exit_code, verdict(&report, "etag")), (Exit::Failed, Some(Verdict::Fail)));
        assert_eq!(verdict(&report, "contradiction"), Some(Verdict::Fail));
    }
    // For the storage class of directory buckets, nothing documents the ETag.
    rig.put(&image(), Some(ChecksumAlgorithm::Crc64Nvme)).await;
    rig.odd_etag(ODD);
    rig.lab.with_object(BUCKET, KEY, |object| object.storage_class = "EXPRESS_ONEZONE".to_owned()).unwrap();
    let report = by_aws(&rig).await;
    assert_eq!((report.exit_code, verdict(&report, "etag")), (Exit::Passed, Some(Verdict::Unknown)));
    // An ETag that is the only match still counts.
    rig.put(&image(), None).await;
    let report = by_aws(&rig).await;
    assert_eq!((report.exit_code, report.proved_by), (Exit::Passed, vec!["etag".parse().unwrap()]));
}
