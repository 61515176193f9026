//! The evidence rules, each of which another tool violates. Every test runs the program against the lab over HTTP and
//! checks the finding, and the requests where they matter.

use crate::common::{Run, Server, data, write};
use aws_sdk_s3::types::{ChecksumAlgorithm, ChecksumType};
use stored_ami_lab::{Deny, Encryption, Fault, FaultRule, Lab, LabOptions, Operation};

const BUCKET: &str = "archive";
const KEY: &str = "ami-0123456789abcdef0.bin";
const PART: usize = 300_007;

struct Rig {
    lab: Lab,
    server: Server,
}

impl Rig {
    async fn new() -> Self {
        Self::with(LabOptions::default()).await
    }

    /// Objects have no checksum unless one is requested.
    async fn old() -> Self {
        Self::with(LabOptions { default_checksum: false, ..LabOptions::default() }).await
    }

    async fn with(options: LabOptions) -> Self {
        let lab = Lab::start(options).await.unwrap();
        let server = Server::new(&lab.endpoint(), "us-east-1", "test", "test");
        server.bucket(BUCKET).await;
        Rig { lab, server }
    }

    async fn uniform(&self, parts: usize, checksum: Option<(ChecksumAlgorithm, ChecksumType)>) {
        let bytes = data(7, PART * parts - 100_000);
        let parts: Vec<&[u8]> = bytes.chunks(PART).collect();
        self.server.multipart(BUCKET, KEY, &parts, checksum).await;
    }

    async fn sizes(&self, sizes: &[usize], checksum: Option<(ChecksumAlgorithm, ChecksumType)>) {
        let parts: Vec<Vec<u8>> = sizes.iter().enumerate().map(|(i, size)| data(i as u64, *size)).collect();
        let parts: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
        self.server.multipart(BUCKET, KEY, &parts, checksum).await;
    }

    async fn verify(&self, more: &[&str]) -> Run {
        self.lab.clear_calls();
        let target = format!("s3://{BUCKET}/{KEY}");
        let mut args = vec!["verify", &target];
        args.extend(more);
        self.server.run(&args).await
    }

    fn count(&self, operation: Operation) -> usize {
        self.lab.calls().iter().filter(|call| call.operation == operation).count()
    }

    fn part_heads(&self) -> usize {
        let asks = |call: &stored_ami_lab::CallRecord| call.query.contains("partNumber");
        self.lab.calls().iter().filter(|call| call.operation == Operation::HeadObject && asks(call)).count()
    }
}

fn sha256_composite() -> Option<(ChecksumAlgorithm, ChecksumType)> {
    Some((ChecksumAlgorithm::Sha256, ChecksumType::Composite))
}

#[tokio::test(flavor = "multi_thread")]
async fn every_read_is_under_the_etag_found_first() {
    let rig = Rig::new().await;
    rig.uniform(4, None).await;
    rig.verify(&[]).await.assert_exit(0);
    let calls = rig.lab.calls();
    let reads: Vec<_> = calls.iter().filter(|call| call.operation == Operation::GetObject).collect();
    assert_eq!(reads.len(), 4);
    assert!(reads.iter().all(|read| read.if_match.is_some() && read.range.is_some()), "{reads:?}");
    assert_eq!(reads.iter().map(|read| read.bytes_sent).sum::<u64>(), 4 * PART as u64 - 100_000, "each byte once");
}

#[tokio::test(flavor = "multi_thread")]
async fn crcs_with_leading_zeros() {
    let rig = Rig::new().await;
    for (algorithm, name, sdk) in [
        (stored_ami::checksum::Algorithm::Crc32, "crc32", ChecksumAlgorithm::Crc32),
        (stored_ami::checksum::Algorithm::Crc64Nvme, "crc64nvme", ChecksumAlgorithm::Crc64Nvme),
    ] {
        let starts_with_zero =
            |bytes: &Vec<u8>| stored_ami::checksum::Hasher::digest(algorithm, bytes).as_bytes()[0] == 0;
        let bytes = (0..).map(|seed| data(seed, 1001)).find(starts_with_zero).unwrap();
        rig.server.put(BUCKET, KEY, &bytes, Some(sdk)).await;
        let run = rig.verify(&["--using", name]).await;
        assert_eq!(run.assert_exit(0).verdict(name), "pass");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_composite_is_not_a_hash_of_the_object() {
    let rig = Rig::new().await;
    rig.uniform(3, sha256_composite()).await;
    let run = rig.verify(&[]).await;
    assert_eq!(run.assert_exit(0).verdict("sha256"), "pass");
    assert!(run.finding("sha256")["expected"].as_str().unwrap().ends_with("-3"));
    assert_eq!(run.report()["layout"]["basis"], "proved");
}

#[tokio::test(flavor = "multi_thread")]
async fn attributes_come_in_pages_of_a_thousand_parts() {
    let rig = Rig::new().await;
    let bytes = data(3, 2_500 * 101 - 50);
    let parts: Vec<&[u8]> = bytes.chunks(101).collect();
    rig.server.multipart(BUCKET, KEY, &parts, sha256_composite()).await;
    let run = rig.verify(&[]).await;
    assert_eq!(run.assert_exit(0).verdict("sha256"), "pass");
    assert_eq!(run.report()["layout"]["parts"], 2_500);
    assert_eq!(rig.count(Operation::GetObjectAttributes), 3);
    assert_eq!(rig.part_heads(), 0, "the list is enough");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_part_etag_that_is_the_parts_own_is_not_mistaken_for_a_change() {
    let rig = Rig::old().await;
    rig.uniform(4, None).await;
    rig.lab.script(FaultRule::new(Operation::HeadObject, Fault::PartETag).always());
    let run = rig.verify(&[]).await;
    assert_eq!(run.assert_exit(0).verdict("etag"), "pass");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_assumed_uniform_layout_takes_three_requests() {
    let rig = Rig::old().await;
    rig.uniform(9, None).await;
    let run = rig.verify(&[]).await;
    assert_eq!(run.assert_exit(0).verdict("etag"), "pass");
    assert_eq!(run.report()["layout"]["basis"], "proved", "by the ETag");
    let calls = rig.lab.calls();
    let before_reading = calls.iter().position(|call| call.operation == Operation::GetObject).unwrap();
    assert_eq!(before_reading, 3, "HEAD, attributes, HEAD of part 1: {calls:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_etag_under_kms_or_a_customer_key_is_no_md5() {
    let rig = Rig::new().await;
    rig.uniform(3, None).await;
    let kms = Encryption::Kms { key_id: "arn:aws:kms:us-east-1:123456789012:key/k".into(), bucket_key: false };
    let set = |encryption: Encryption| {
        rig.lab.with_object(BUCKET, KEY, |object| object.encryption = encryption.clone()).unwrap();
    };
    set(kms.clone());
    let run = rig.verify(&[]).await;
    assert_eq!(run.assert_exit(0).verdict("etag"), "unknown: etag_not_md5");
    assert_eq!(run.verdict("crc64nvme"), "pass");

    rig.lab.with_object(BUCKET, KEY, |object| object.checksum = None).unwrap();
    let run = rig.verify(&[]).await;
    assert_eq!(run.assert_exit(3).verdict("proof"), "unknown: etag_not_md5");
    assert_eq!(rig.count(Operation::GetObject), 0, "nothing to prove, nothing read");
    let run = rig.verify(&["--digest", "sha256"]).await;
    assert_eq!(run.assert_exit(3).report()["digests"][0]["algorithm"], "sha256");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_is_not_an_absence() {
    let rig = Rig::new().await;
    let gone = rig.verify(&[]).await;
    assert!(gone.assert_exit(4).stdout.contains("there is no such object"), "{gone:?}");
    rig.lab.deny(Deny::action("s3:ListBucket"));
    let hidden = rig.verify(&[]).await;
    assert!(hidden.assert_exit(4).stdout.contains("not permitted (needs s3:GetObject)"), "{hidden:?}");
    assert!(!hidden.stdout.contains("there is no such object"));
}

#[tokio::test(flavor = "multi_thread")]
async fn slow_down_inside_a_success_is_retried() {
    let rig = Rig::new().await;
    rig.uniform(3, None).await;
    rig.lab.script(FaultRule::new(Operation::GetObject, Fault::SlowDownInside200).times(2));
    let run = rig.verify(&[]).await;
    assert_eq!(run.assert_exit(0).report()["stats"]["retries"], 2);
    assert_eq!(rig.count(Operation::GetObject), 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn uneven_parts_are_asked_one_by_one() {
    let rig = Rig::old().await;
    rig.sizes(&[300_000, 100_001, 555_555, 9], None).await;
    let run = rig.verify(&[]).await;
    assert_eq!(run.assert_exit(0).verdict("etag"), "pass");
    assert_eq!(run.report()["layout"]["shape"], "uneven");
    assert_eq!(run.report()["layout"]["basis"], "proved");
    assert_eq!(rig.part_heads(), 5, "part 1 does not fit, so all four");
}

#[tokio::test(flavor = "multi_thread")]
async fn uneven_parts_that_look_uniform_are_read_again_along_the_right_ones() {
    let rig = Rig::old().await;
    // The first part and the count fit a uniform layout; the second part has another size.
    rig.sizes(&[300_000, 250_000, 300_000, 200_000], None).await;
    let run = rig.verify(&[]).await;
    assert_eq!(run.assert_exit(0).verdict("etag"), "pass");
    assert_eq!(run.report()["layout"]["basis"], "proved");
    assert_eq!(rig.part_heads(), 5);
    assert!(
        run.stderr.contains("reading 1 MiB again") || run.stderr.contains("again along"),
        "announced: {}",
        run.stderr
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn digests_of_a_first_read_that_the_second_one_does_not_confirm_are_no_results() {
    let rig = Rig::old().await;
    rig.sizes(&[300_000, 250_000, 300_000, 200_000], None).await;
    let folder = tempfile::tempdir().unwrap();
    let manifest = folder.path().join("manifest.json");
    let args = ["--digest", "sha256", "--write-manifest", manifest.to_str().unwrap()];
    rig.lab.script(FaultRule::new(Operation::GetObject, Fault::FlipOnWire { offset: 77, mask: 1 }));
    let run = rig.verify(&args).await;
    assert_eq!(run.assert_exit(3).verdict("etag"), "unknown: unstable_read");
    assert!(!manifest.exists(), "{run:?}");
    // Both reads are the same: the digests are those of the object.
    let run = rig.verify(&args).await;
    assert_eq!(run.assert_exit(0).verdict("etag"), "pass");
    assert!(manifest.exists());
    let like = ["--manifest", manifest.to_str().unwrap()];
    assert_eq!(rig.verify(&like).await.assert_exit(0).verdict("manifest-crc64nvme"), "pass");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mismatch_under_an_assumed_layout_is_never_a_fail() {
    let rig = Rig::old().await;
    rig.uniform(4, None).await;
    rig.lab.damage(BUCKET, KEY, 5, 1).unwrap();
    // Parts can neither be listed nor requested one by one.
    rig.lab.script(
        FaultRule::new(Operation::GetObjectAttributes, Fault::Status { status: 501, code: "NotImplemented" }).always(),
    );
    rig.lab.script(FaultRule::new(Operation::HeadObject, Fault::PartHeadLies).always());
    let run = rig.verify(&["--digest", "md5"]).await;
    assert_eq!(run.assert_exit(3).verdict("etag"), "unknown: layout_not_proved");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_etag_over_one_part() {
    let rig = Rig::old().await;
    rig.sizes(&[400_000], None).await;
    let run = rig.verify(&[]).await;
    assert_eq!(run.assert_exit(0).verdict("etag"), "pass");
    assert!(run.finding("etag")["expected"].as_str().unwrap().ends_with("-1"));
    rig.lab.damage(BUCKET, KEY, 399_999, 0x80).unwrap();
    let run = rig.verify(&[]).await;
    assert_eq!(run.assert_exit(1).verdict("etag"), "fail");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_object_replaced_in_mid_read_has_changed() {
    let rig = Rig::new().await;
    rig.uniform(6, None).await;
    rig.lab.script(FaultRule::new(Operation::GetObject, Fault::ReplaceObject));
    let run = rig.verify(&["--concurrency", "1"]).await;
    assert_eq!(run.assert_exit(3).verdict("identity"), "unknown: changed");
    assert_eq!(run.verdict("crc64nvme"), "unknown: changed");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_under_another_etag_than_head_tells_before_and_after_does_not_give_the_bytes() {
    let rig = Rig::new().await;
    rig.uniform(3, None).await;
    rig.lab.script(FaultRule::new(Operation::GetObject, Fault::OtherETag("ffffffffffffffffffffffffffffffff".into())));
    assert_eq!(rig.verify(&[]).await.assert_exit(3).verdict("identity"), "unknown: unreadable");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_zero_byte_object() {
    for rig in [Rig::new().await, Rig::old().await] {
        rig.server.put(BUCKET, KEY, b"", None).await;
        let run = rig.verify(&[]).await;
        assert_eq!(run.assert_exit(1).verdict("etag"), "pass");
        assert_eq!(run.verdict("size"), "fail", "a stored AMI has bytes");
        assert_eq!(run.report()["identity"]["object_bytes"], 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_content_range_is_a_protocol_error_not_corruption() {
    let rig = Rig::new().await;
    rig.uniform(3, None).await;
    for fault in [
        Fault::ContentRangeShifted(1),
        Fault::ContentRangeTotal(17),
        Fault::ContentRangeTotal(PART as u64 * 30),
        Fault::HeaderAbsent("content-range"),
        Fault::RangeIgnored,
        Fault::TooLong(3),
    ] {
        rig.lab.script(FaultRule::new(Operation::GetObject, fault.clone()));
        let run = rig.verify(&[]).await;
        assert_eq!(run.assert_exit(3).verdict("crc64nvme"), "unknown: protocol", "{fault:?}");
        rig.lab.clear_script();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_that_break_off_are_taken_up_where_they_stopped() {
    let rig = Rig::new().await;
    rig.uniform(3, None).await;
    for fault in [Fault::ResetAfter(100_000), Fault::CloseAfter(100_000), Fault::EndEarly(100_000)] {
        rig.lab.script(FaultRule::new(Operation::GetObject, fault.clone()).times(2));
        let run = rig.verify(&[]).await;
        assert_eq!(run.assert_exit(0).report()["stats"]["retries"], 2, "{fault:?}");
        assert_eq!(run.report()["stats"]["received_bytes"], run.report()["identity"]["object_bytes"], "{fault:?}");
        rig.lab.clear_script();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_always_sends_too_little_is_given_up() {
    let rig = Rig::new().await;
    rig.uniform(1, None).await;
    rig.lab.script(FaultRule::new(Operation::GetObject, Fault::EndEarly(0)).always());
    let run = rig.verify(&[]).await;
    assert_eq!(run.assert_exit(3).verdict("crc64nvme"), "unknown: protocol");
    assert_eq!(rig.count(Operation::GetObject), 8, "bounded");
}

#[tokio::test(flavor = "multi_thread")]
async fn attributes_that_fail_are_done_without() {
    let rig = Rig::old().await;
    rig.uniform(3, sha256_composite()).await;
    for (status, code) in [(403, "AccessDenied"), (405, "MethodNotAllowed"), (501, "NotImplemented")] {
        let rule = FaultRule::new(Operation::GetObjectAttributes, Fault::Status { status, code });
        rig.lab.script(rule.always());
        let run = rig.verify(&[]).await;
        assert_eq!(run.assert_exit(0).verdict("sha256"), "pass", "{status}");
        assert_eq!(run.verdict("etag"), "pass", "{status}");
        rig.lab.clear_script();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_composite_without_listed_parts_still_places_damage() {
    let rig = Rig::old().await;
    rig.uniform(3, sha256_composite()).await;
    rig.lab.deny(Deny::action("s3:GetObjectAttributes"));
    rig.lab.damage(BUCKET, KEY, PART as u64 + 1, 1).unwrap();
    let run = rig.verify(&[]).await;
    let finding = run.assert_exit(1).finding("sha256");
    assert_eq!(finding["damage"][0]["part"], 2);
    assert_eq!(finding["damage"][0]["offset_bytes"], PART);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_object_in_the_place_of_attributes_is_not_read_whole() {
    let rig = Rig::old().await;
    let bytes = data(1, 30_000_000);
    let parts: Vec<&[u8]> = bytes.chunks(6_000_000).collect();
    rig.server.multipart(BUCKET, KEY, &parts, None).await;
    rig.lab.script(FaultRule::new(Operation::GetObjectAttributes, Fault::AttributesIgnored).always());
    let run = rig.verify(&[]).await;
    assert_eq!(run.assert_exit(0).verdict("etag"), "pass");
    assert_eq!(run.report()["stats"]["received_bytes"], 30_000_000, "object bytes are read once");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_checksum_of_no_stated_type() {
    let rig = Rig::old().await;
    for kind in [ChecksumType::FullObject, ChecksumType::Composite] {
        rig.uniform(3, Some((ChecksumAlgorithm::Crc32, kind.clone()))).await;
        rig.lab.script(FaultRule::new(Operation::HeadObject, Fault::HeaderAbsent("x-amz-checksum-type")).always());
        let run = rig.verify(&[]).await;
        assert_eq!(run.assert_exit(0).verdict("crc32"), "pass");
        let source = run.finding("crc32")["source"].as_str().unwrap().to_owned();
        match kind {
            ChecksumType::FullObject => assert!(source.contains("matched as full object"), "{source}"),
            // HEAD appends -N to a composite checksum, which states the type after all.
            _ => assert!(source.contains("composite"), "{source}"),
        }
        rig.lab.clear_script();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_byte_flipped_once_on_the_way_is_an_unstable_read() {
    let rig = Rig::new().await;
    rig.uniform(3, sha256_composite()).await;
    rig.lab.script(FaultRule::new(Operation::GetObject, Fault::FlipOnWire { offset: 77, mask: 1 }));
    let run = rig.verify(&[]).await;
    assert_eq!(run.assert_exit(3).verdict("sha256"), "unknown: unstable_read");
    assert_eq!(rig.count(Operation::GetObject), 4, "only the part in question is read again");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_byte_flipped_once_is_unstable_too_where_nothing_places_it() {
    let rig = Rig::new().await;
    rig.uniform(3, None).await;
    rig.lab.script(FaultRule::new(Operation::GetObject, Fault::FlipOnWire { offset: 77, mask: 1 }));
    let run = rig.verify(&[]).await;
    assert_eq!(run.assert_exit(3).verdict("crc64nvme"), "unknown: unstable_read");
    let detail = run.finding("crc64nvme")["reason"]["detail"].as_str().unwrap().to_owned();
    assert!(detail.contains("bytes "), "the two reads tell where: {detail}");
    assert_eq!(rig.count(Operation::GetObject), 6);
}

#[tokio::test(flavor = "multi_thread")]
async fn damage_at_rest_is_read_twice_and_placed_where_it_can_be() {
    let rig = Rig::new().await;
    rig.uniform(5, sha256_composite()).await;
    rig.lab.damage(BUCKET, KEY, 3 * PART as u64, 0x40).unwrap();
    let run = rig.verify(&[]).await;
    let finding = run.assert_exit(1).finding("sha256");
    assert_eq!(finding["reads"], 2);
    let damage = finding["damage"].as_array().unwrap();
    assert_eq!(damage.len(), 1);
    assert_eq!((damage[0]["part"].as_u64(), damage[0]["offset_bytes"].as_u64()), (Some(4), Some(3 * PART as u64)));
    assert_eq!(damage[0]["observed"], damage[0]["second_read"]);
    assert_ne!(damage[0]["observed"], damage[0]["expected"]);
    assert_eq!(run.verdict("etag"), "fail", "the ETag says so too, and cannot say where");
    assert_eq!(rig.count(Operation::GetObject), 6);
}

#[tokio::test(flavor = "multi_thread")]
async fn damage_that_cannot_be_placed_is_read_again_whole_and_that_is_announced() {
    let rig = Rig::old().await;
    rig.sizes(&[200_000, 300_000, 250_000], None).await;
    rig.lab.damage(BUCKET, KEY, 400_000, 1).unwrap();
    let run = rig.verify(&[]).await;
    let finding = run.assert_exit(1).finding("etag");
    assert_eq!((finding["reads"].as_u64(), finding.get("damage")), (Some(2), None));
    assert!(run.stderr.contains("once more"), "{}", run.stderr);
    assert_eq!(rig.count(Operation::GetObject), 6);

    let run = rig.verify(&["--no-reread"]).await;
    assert_eq!(run.assert_exit(1).finding("etag")["reads"], 1);
    assert_eq!(rig.count(Operation::GetObject), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mismatch_that_cannot_be_read_again_is_no_fail() {
    let rig = Rig::new().await;
    rig.uniform(2, None).await;
    rig.lab.damage(BUCKET, KEY, 1, 1).unwrap();
    rig.lab.script(FaultRule::new(Operation::GetObject, Fault::Status { status: 400, code: "Weird" }).skip(2).always());
    let run = rig.verify(&[]).await;
    assert_eq!(run.assert_exit(4).verdict("crc64nvme"), "unknown: read_failed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_manifest_places_damage_where_s3_kept_nothing_and_proves_a_copy_offline() {
    let folder = tempfile::tempdir().unwrap();
    let manifest = folder.path().join("m.json");
    let manifest = manifest.to_str().unwrap();
    let rig = Rig::old().await;
    rig.uniform(5, None).await;
    rig.verify(&["--write-manifest", manifest]).await.assert_exit(0);

    let bytes = data(7, PART * 5 - 100_000);
    let copy = write(folder.path(), "copy.bin", &bytes);
    let offline = crate::common::bare_command();
    let run = {
        let mut command = offline;
        command.args(["verify", &copy, "--manifest", manifest, "--json"]);
        Run::of(command).await
    };
    assert_eq!(run.assert_exit(0).verdict("manifest-parts-sha256"), "pass");
    assert!(run.report()["notes"].to_string().contains("the manifest was written for"));

    rig.lab.damage(BUCKET, KEY, PART as u64 * 2 + 5, 1).unwrap();
    let run = rig.verify(&["--manifest", manifest]).await;
    let finding = run.assert_exit(1).finding("manifest-parts-sha256");
    assert_eq!(finding["damage"][0]["part"], 3);
    assert_eq!(finding["damage"].as_array().unwrap().len(), 1);

    let shorter = write(folder.path(), "short.bin", &bytes[..bytes.len() - 1]);
    let mut command = crate::common::bare_command();
    command.args(["verify", &shorter, "--manifest", manifest, "--json"]);
    let run = Run::of(command).await;
    let said = run.assert_exit(2).lines()[0]["message"].to_string();
    assert!(said.contains(&format!("s3://{BUCKET}/{KEY}")), "whose it is: {said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sample_can_fail_and_cannot_pass() {
    let rig = Rig::new().await;
    rig.uniform(7, sha256_composite()).await;
    let run = rig.verify(&["--sample", "2/7"]).await;
    assert_eq!(run.assert_exit(3).verdict("proof"), "unknown: sampled");
    assert_eq!(rig.count(Operation::GetObject), 1);
    rig.lab.damage(BUCKET, KEY, PART as u64 + 9, 1).unwrap();
    let run = rig.verify(&["--sample", "2/7"]).await;
    assert_eq!(run.assert_exit(1).finding("sha256")["damage"][0]["part"], 2);
    let run = rig.verify(&["--sample", "3/7"]).await;
    assert_eq!(run.assert_exit(3).verdict("sha256"), "unknown: sampled", "the damage lies elsewhere");

    rig.server.put(BUCKET, KEY, &data(1, 100), None).await;
    let run = rig.verify(&["--sample", "1%"]).await;
    assert_eq!(run.assert_exit(3).verdict("proof"), "unknown: sampled", "even where it is everything");
}

#[tokio::test(flavor = "multi_thread")]
async fn references_are_chosen_required_and_accepted_by_name() {
    let rig = Rig::new().await;
    rig.uniform(3, None).await;
    let run = rig.verify(&["--using", "etag"]).await;
    assert_eq!(run.assert_exit(0).verdict("crc64nvme"), "unknown: not_used");
    assert_eq!(run.report()["proved_by"].to_string(), "[\"etag\"]");
    let run = rig.verify(&["--require", "sha256"]).await;
    assert_eq!(run.assert_exit(3).verdict("sha256"), "unknown: no_such_reference");
    assert_eq!(run.verdict("proof"), "pass");
    let run = rig.verify(&["--require", "sha256", "--accept", "sha256"]).await;
    assert_eq!(run.assert_exit(0).report()["verdict"], "unknown", "accepting changes the exit code, not the verdict");
}

#[tokio::test(flavor = "multi_thread")]
async fn values_from_elsewhere() {
    let folder = tempfile::tempdir().unwrap();
    let rig = Rig::new().await;
    rig.uniform(3, None).await;
    let bytes = data(7, PART * 3 - 100_000);
    let sha256 = stored_ami::checksum::Hasher::digest(stored_ami::checksum::Algorithm::Sha256, &bytes);
    let run = rig.verify(&["--expect", &format!("sha256:{}", sha256.hex())]).await;
    assert_eq!(run.assert_exit(0).verdict("expect-sha256"), "pass");
    let sums = write(folder.path(), "SHA256SUMS", format!("{}  {KEY}\n", sha256.hex()).as_bytes());
    assert_eq!(rig.verify(&["--sums", &sums]).await.assert_exit(0).verdict("sums-sha256"), "pass");

    // A file compared with the object, and an object compared with another one.
    let file = write(folder.path(), "copy.bin", &bytes);
    let like = format!("s3://{BUCKET}/{KEY}");
    let run = rig.server.run(&["verify", &file, "--like", &like]).await;
    assert_eq!(run.assert_exit(0).verdict("like-etag"), "pass");
    assert_eq!(run.verdict("like-crc64nvme"), "pass");
    let etag = run.finding("like-etag")["expected"].as_str().unwrap().to_owned();
    let run = rig.server.run(&["verify", &file, "--etag", &etag]).await;
    assert_eq!(
        run.assert_exit(3).verdict("expect-etag"),
        "unknown: layout_not_proved",
        "an odd part size is not guessed"
    );

    let mut other = bytes.clone();
    other[9] ^= 1;
    rig.server.put(BUCKET, "copy", &other, None).await;
    let run = rig.server.run(&["verify", &format!("s3://{BUCKET}/copy"), "--like", &like]).await;
    assert_eq!(run.assert_exit(1).verdict("like-crc64nvme"), "fail");
    assert_eq!(run.verdict("crc64nvme"), "pass", "its own checksum is right");
}

#[tokio::test(flavor = "multi_thread")]
async fn guessed_part_sizes_are_hashed_side_by_side() {
    let rig = Rig::old().await;
    let bytes = data(5, 23 * 1024 * 1024);
    let parts: Vec<&[u8]> = bytes.chunks(5 * 1024 * 1024).collect();
    rig.server.multipart(BUCKET, KEY, &parts, None).await;
    rig.lab.script(FaultRule::new(Operation::HeadObject, Fault::PartHeadLies).always());
    rig.lab.deny(Deny::action("s3:GetObjectAttributes"));
    let run = rig.verify(&[]).await;
    assert_eq!(run.assert_exit(0).verdict("etag"), "pass");
    assert_eq!(run.report()["stats"]["received_bytes"], bytes.len(), "one pass for all candidates");
}

#[tokio::test(flavor = "multi_thread")]
async fn all_ten_algorithms_over_one_piece() {
    use stored_ami::checksum::Algorithm;
    let rig = Rig::new().await;
    let bytes = data(5, 20_000_003);
    rig.server.put(BUCKET, KEY, &bytes, None).await;
    for algorithm in Algorithm::ALL {
        let theirs = stored_ami_lab::checksum::Algorithm::ALL.into_iter();
        let theirs = theirs.into_iter().find(|theirs| theirs.name().parse() == Ok(algorithm)).unwrap();
        let digest = stored_ami_lab::checksum::Hasher::of(theirs, &bytes);
        rig.lab
            .with_object(BUCKET, KEY, |object| {
                object.checksum = Some(stored_ami_lab::checksum::StoredChecksum::full(theirs, &digest));
            })
            .unwrap();
        let run = rig.verify(&["--using", algorithm.name()]).await;
        assert_eq!(run.assert_exit(0).verdict(algorithm.name()), "pass", "{algorithm}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_given_value_over_other_parts_is_no_fail() {
    const MIB: usize = 1 << 20;
    let rig = Rig::new().await;
    let bytes = data(3, 20_000_003);
    let by = |part: usize| bytes.chunks(part).collect::<Vec<_>>();
    rig.server.multipart(BUCKET, "other", &by(7 * MIB), sha256_composite()).await;
    let other = rig.lab.with_object(BUCKET, "other", |object| object.checksum.clone().unwrap().value).unwrap();
    rig.server.multipart(BUCKET, KEY, &by(6 * MIB), sha256_composite()).await;
    let etag = {
        rig.server.multipart(BUCKET, "five", &by(5 * MIB), None).await;
        rig.lab.with_object(BUCKET, "five", |object| object.etag.clone()).unwrap()
    };
    let run = rig.verify(&["--etag", &etag]).await;
    assert_eq!(
        run.assert_exit(0).verdict("expect-etag"),
        "pass",
        "four parts of 5 MiB, where the object has four of 6"
    );
    let expected = format!("sha256:{other}-3");
    let run = rig.verify(&["--expect", &expected, "--using", "expect-sha256"]).await;
    assert_eq!(run.assert_exit(0).verdict("expect-sha256"), "pass");
    let run = rig.verify(&["--expect", &expected, "--using", "expect-sha256", "--sample", "1/2"]).await;
    assert_eq!(run.assert_exit(3).verdict("expect-sha256"), "unknown: sample_unheld");
    let wrong = etag.replace(&etag[..2], if etag.starts_with("00") { "11" } else { "00" });
    let run = rig.verify(&["--etag", &wrong]).await;
    assert_eq!(run.assert_exit(3).verdict("expect-etag"), "unknown: layout_not_proved");
    assert_eq!(run.verdict("proof"), "pass", "the bytes are proved, the given value is not");
}

#[tokio::test(flavor = "multi_thread")]
async fn damage_behind_a_wrong_assumption_is_still_damage() {
    let rig = Rig::old().await;
    rig.sizes(&[300_000, 250_000, 300_000, 200_000], sha256_composite()).await;
    rig.lab.deny(Deny::action("s3:GetObjectAttributes"));
    rig.verify(&[]).await.assert_exit(0);
    rig.lab.damage(BUCKET, KEY, 400_000, 1).unwrap();
    let run = rig.verify(&[]).await;
    let finding = run.assert_exit(1).finding("sha256");
    assert_eq!((finding["damage"][0]["part"].as_u64(), finding["reads"].as_u64()), (Some(2), Some(2)));
}

#[tokio::test(flavor = "multi_thread")]
async fn odd_memory_limits_do_not_stand_still() {
    let rig = Rig::new().await;
    rig.server.put(BUCKET, KEY, &data(1, 3_000_001), None).await;
    let run = rig.verify(&["--concurrency", "1", "--max-memory", "40000001", "--digest", "sha256"]).await;
    assert_eq!(run.assert_exit(0).verdict("crc64nvme"), "pass");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_manifest_is_written_of_an_unstable_reading() {
    let folder = tempfile::tempdir().unwrap();
    let manifest = folder.path().join("m.json");
    let rig = Rig::new().await;
    rig.uniform(3, None).await;
    rig.lab.script(FaultRule::new(Operation::GetObject, Fault::FlipOnWire { offset: 7, mask: 1 }));
    rig.verify(&["--write-manifest", manifest.to_str().unwrap()]).await.assert_exit(3);
    assert!(!manifest.exists());
}

/// The ETag matches in a read along the actual parts; the stream was decoded in the read before.
#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_changed_on_the_way_is_no_fail_because_a_later_reading_matched() {
    use std::io::Write as _;

    let rig = Rig::old().await;
    let mut encoder = zstd::Encoder::new(Vec::new(), 1).unwrap();
    encoder.include_checksum(true).unwrap();
    encoder.write_all(&data(4, 39 << 20)).unwrap();
    let bytes = encoder.finish().unwrap();
    // 10, 8, 10 and 11 MiB look like four uniform parts of 10 MiB.
    let (one, rest) = bytes.split_at(10 << 20);
    let (two, rest) = rest.split_at(8 << 20);
    let (three, four) = rest.split_at(10 << 20);
    rig.server.multipart(BUCKET, KEY, &[one, two, three, four], None).await;
    for (flips, verdict) in [(false, "pass"), (true, "unknown: unstable_read")] {
        if flips {
            let flip = Fault::FlipOnWire { offset: 100, mask: 1 };
            rig.lab.script(FaultRule::new(Operation::GetObject, flip).at_byte(15_000_000));
        }
        let run = rig.verify(&["--decode"]).await;
        assert_eq!(run.verdict("stream"), verdict);
        assert_eq!(run.verdict("etag"), "pass");
    }
}
