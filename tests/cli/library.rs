//! The library as another program uses it: only items at the root of the crate and the types they name.

use std::sync::Arc;

use stored_ami::audit::Level;
use stored_ami::checksum::Algorithm;
use stored_ami::ledger::{Ledger, SharedLedger};
use stored_ami::report::Report;
use stored_ami::source::s3::{Buckets, Connection, S3Options};
use stored_ami::verdict::{CheckId, Origin, Subject, Verdict};
use stored_ami::{
    AuditRequest, AuditServices, CancellationToken, Context, InspectOptions, Scope, VerifyOptions, audit, inspect,
    open, verify,
};
use stored_ami_lab::ec2::{ImageSpec, VolumeSpec};
use stored_ami_lab::{BucketOptions, Lab, LabOptions};

const IMAGE: &str = "ami-0123456789abcdef0";

async fn lab() -> (Lab, S3Options) {
    let lab = Lab::start(LabOptions::default()).await.unwrap();
    let volumes = vec![VolumeSpec { bytes: 9 << 20, ..VolumeSpec::new("/dev/sda1", 8) }];
    lab.create_image("us-east-1", ImageSpec { id: Some(IMAGE.to_owned()), volumes, ..ImageSpec::new("golden") });
    for bucket in ["archive", "archive-dr"] {
        lab.create_bucket(bucket, BucketOptions::default()).unwrap();
        assert_eq!(lab.store_image("us-east-1", IMAGE, bucket).await.unwrap(), format!("{IMAGE}.bin"));
    }
    let options = S3Options {
        region: Some("us-east-1".to_owned()),
        endpoint_url: Some(lab.endpoint()),
        no_sign_request: true,
        ..S3Options::default()
    };
    (lab, options)
}

#[tokio::test]
async fn an_object_is_verified_with_a_typed_verdict_evidence_and_counts() {
    let (_lab, options) = lab().await;
    let session = open(&format!("s3://archive/{IMAGE}.bin").parse().unwrap(), options).await.unwrap();
    let never = CancellationToken::new();
    let report = verify(&session, &VerifyOptions::default(), &never).await.unwrap().report;
    assert_eq!(report.verdict, Verdict::Pass);
    let stored = CheckId::Reference(Origin::Stored, Subject::Checksum(Algorithm::Crc64Nvme));
    let finding = report.findings.iter().find(|finding| finding.check == stored).unwrap();
    assert_eq!((finding.verdict, finding.covered_bytes), (Verdict::Pass, Some(report.identity.object_bytes)));
    assert!(finding.observed.is_some() && finding.observed == finding.expected);
    assert_eq!(report.stats.received_bytes, report.identity.object_bytes);
    assert!(report.stats.requests > report.stats.reads && report.stats.reads > 0, "{:?}", report.stats);

    let known = inspect(&session, &InspectOptions::default()).await.unwrap();
    assert_eq!(known.identity, report.identity);
    assert!(known.requests > 0 && known.received_bytes == 0);
}

#[tokio::test]
async fn two_prefixes_are_audited_and_what_is_proved_is_not_read_again() {
    let (_lab, options) = lab().await;
    let folder = tempfile::tempdir().unwrap();
    let connection = Connection::open(options).await.unwrap();
    let scope = Scope::Listed(["s3://archive", "s3://archive-dr"].map(|prefix| prefix.parse().unwrap()).into());
    let request = AuditRequest::new(scope, Level::Bytes);
    let mut runs = Vec::new();
    for _ in 0..2 {
        let context = Context::default();
        let buckets = Buckets::locate(connection.clone(), &request.chosen.buckets(), &context).await;
        let services = AuditServices::new(Arc::new(buckets), context.counted());
        let ledger = Ledger::open(&folder.path().join("ledger.db")).unwrap();
        let mut verdicts = Vec::new();
        let emit = |report| {
            if let Report::Audited(object) = report {
                verdicts.push(object.verdict);
            }
        };
        let whole =
            audit(&services, &request, Some(SharedLedger::new(ledger)), &CancellationToken::new(), emit).await.unwrap();
        assert_eq!(verdicts, [Verdict::Pass, Verdict::Pass]);
        assert!(whole.requests > 0);
        runs.push((whole.examined, whole.still_good, whole.received_bytes > 0));
    }
    assert_eq!(runs, [(2, 0, true), (0, 2, false)]);
}
