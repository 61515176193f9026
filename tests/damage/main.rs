//! The damage matrix: harm × place × references. Each case is verified over HTTP against the lab. `expect` states the
//! expected result, from what each kind of reference can prove; `docs/trust.md` shows the same as a table, and a test
//! keeps them equal.
#![allow(clippy::print_stdout, reason = "says how many cases ran")]

#[path = "../common/aws.rs"]
mod aws;
#[path = "../common/mod.rs"]
mod common;

mod claim;
mod compare;
mod expect;
mod harm;
mod holding;
mod requests;
mod rig;
mod shape;
mod table;

use std::sync::Arc;

use aws_sdk_s3::types::{ChecksumAlgorithm, ChecksumType};
use common::Server;
use stored_ami::checksum::Algorithm;
use stored_ami_lab::{Lab, LabOptions};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use claim::Reference;
use harm::Harm;
use holding::Holding;
use rig::Rig;
use shape::{Shape, parts};

/// Number of objects verified concurrently.
const AT_A_TIME: usize = 4;

#[tokio::test(flavor = "multi_thread")]
async fn every_damage_against_every_reference() {
    let gate = Arc::new(Semaphore::new(AT_A_TIME));
    let mut objects = JoinSet::new();
    for holding in Holding::all() {
        let gate = Arc::clone(&gate);
        objects.spawn(async move {
            let _turn = gate.acquire().await.unwrap();
            all_of(holding).await
        });
    }
    let (mut cases, mut wrong, mut shown) = (0, 0, String::new());
    while let Some(done) = objects.join_next().await {
        let (some, differences) = done.unwrap();
        cases += some;
        wrong += differences.len();
        // An error in one reference often appears at many places.
        differences.iter().take(SHOWN).for_each(|case| shown += case);
    }
    println!("{cases} cases");
    assert!(wrong == 0, "{wrong} of {cases} cases went wrong; some of each object:\n{shown}");
}

/// Number of wrong cases to show per object.
const SHOWN: usize = 3;

/// Runs all cases of one object. Returns their number, and the reports that differ from the expectation.
async fn all_of(holding: Holding) -> (usize, Vec<String>) {
    let rig = Rig::new(holding.clone()).await;
    let mut wrong = Vec::new();
    let harms = Harm::all(holding.shape);
    for harm in &harms {
        let case = harm.case(holding.shape);
        let (report, calls) = rig.verify(&case).await;
        let differences = compare::differences(&expect::expected(&holding, &case), &case, &report, &calls);
        if !differences.is_empty() {
            wrong.push(format!("{harm:?} of {holding:?}:\n    {}\n", differences.join("\n    ")));
        }
    }
    (harms.len(), wrong)
}

/// The records that the cases create directly are equal to those of an upload.
#[tokio::test(flavor = "multi_thread")]
async fn an_upload_leaves_the_same_record() {
    let lab = Lab::start(LabOptions { default_checksum: false, ..LabOptions::default() }).await.unwrap();
    let server = Server::new(&lab.endpoint(), "us-east-1", "test", "test");
    server.bucket("archive").await;
    for (reference, algorithm, kind) in [
        (Reference::Composite(Algorithm::Sha256), ChecksumAlgorithm::Sha256, ChecksumType::Composite),
        (Reference::Composite(Algorithm::Crc32c), ChecksumAlgorithm::Crc32C, ChecksumType::Composite),
        (Reference::Full(Algorithm::Crc64Nvme), ChecksumAlgorithm::Crc64Nvme, ChecksumType::FullObject),
    ] {
        for shape in [Shape::Uneven, Shape::Uniform] {
            let bytes = shape.bytes();
            let uploaded = Some((algorithm.clone(), kind.clone()));
            server.multipart("archive", "uploaded", &parts(&bytes, &shape.cut()), uploaded).await;
            let uploaded = lab.with_object("archive", "uploaded", |record| record.clone()).unwrap();
            let rig = Rig::new(Holding::new(shape, &[reference, Reference::ETag])).await;
            let kept = rig.kept(&Harm::None.case(shape)).await;
            let part_values = |record: &stored_ami_lab::ObjectRecord| -> Vec<_> {
                record.parts.iter().map(|part| (part.number, part.size, part.etag.clone())).collect()
            };
            assert_eq!((kept.size, &kept.etag, &kept.checksum), (uploaded.size, &uploaded.etag, &uploaded.checksum));
            assert_eq!(part_values(&kept), part_values(&uploaded));
            if kind == ChecksumType::Composite {
                assert_eq!(kept.parts, uploaded.parts);
            }
        }
    }
    let bytes = Shape::Single.bytes();
    server.put("archive", "uploaded", &bytes, None).await;
    let uploaded = lab.with_object("archive", "uploaded", |record| record.etag.clone()).unwrap();
    let rig = Rig::new(Holding::new(Shape::Single, &[Reference::ETag])).await;
    assert_eq!(rig.kept(&Harm::None.case(Shape::Single)).await.etag, uploaded);
}
