//! Audits of many objects.

use stored_ami::report::{
    AuditReport, AuditedBucketReport, AuditedReport, DamageReport, Exit, FindingReport, IdentityReport,
    ObservationReport, ProvedReport, ReasonReport, Report, SummaryReport,
};
use stored_ami::verdict::{ReasonCode, Verdict};

/// A value from its JSON string.
pub fn read<T: serde::de::DeserializeOwned>(text: &str) -> T {
    serde_json::from_value(text.into()).unwrap()
}

const PART: u64 = 100 << 20;

pub fn finding(check: &str, verdict: &str, observed: &str, expected: &str) -> FindingReport {
    FindingReport {
        check: check.parse().unwrap(),
        verdict: serde_json::from_value(verdict.into()).unwrap(),
        required: true,
        source: Some("policy".into()),
        expected: Some(expected.into()),
        observed: Some(observed.into()),
        covered_bytes: None,
        reads: None,
        damage: Vec::new(),
        reason: None,
        since: None,
    }
}

pub fn open(check: &str, detail: &str) -> FindingReport {
    FindingReport {
        verdict: Verdict::Unknown,
        source: None,
        expected: None,
        observed: None,
        reason: Some(ReasonReport {
            code: ReasonCode::Unanswered,
            detail: detail.into(),
            advice: Some("run the audit again".into()),
        }),
        ..finding(check, "unknown", "", "")
    }
}

/// An object without problems, fully proved this many days before the page.
pub fn good(at: u64, days: u64) -> AuditedReport {
    let id = format!("ami-{:017x}", u128::from(at + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15) & ((1 << 68) - 1));
    let proved = 20_782_i64 - i64::try_from(days).unwrap();
    AuditedReport {
        target: read(&format!(
            "s3://backup-{}/golden/team-{:02}/{id}.bin",
            ["eu", "us", "ap"][at as usize % 3],
            at % 23
        )),
        verdict: read("pass"),
        examined: (days == 0).then(|| read("bytes")),
        identity: Some(IdentityReport {
            object_bytes: 40_000_000 + at.wrapping_mul(7_919_999_983) % 90_000_000_000,
            etag: Some("\"0123456789abcdef0123456789abcdef-11\"".into()),
            version_id: None,
            last_modified: Some("2026-03-04T05:06:07Z".into()),
            ami_id: Some(id),
        }),
        parts: None,
        storage_class: Some(["STANDARD", "STANDARD_IA", "INTELLIGENT_TIERING"][at as usize % 3].into()),
        change: Some(read("same")),
        unread_proof: None,
        proof: Some(ProvedReport {
            kind: stored_ami::verdict::ProofKind::Read.into(),
            at: day(proved),
            by: vec![read("etag"), read("crc64nvme")],
            tool: "stored-ami 0.1.0".into(),
        }),
        content: Vec::new(),
        findings: vec![finding("unchanged", "pass", "the same object", "the same object")],
        notes: Vec::new(),
        requests: 3,
        received_bytes: 0,
        elapsed_seconds: 1.0,
        exit_code: Exit::Passed,
    }
}

/// RFC 3339 timestamp of this many days after 1970.
fn day(days: i64) -> String {
    jiff::Timestamp::from_second(days * 86_400 + 30_000).unwrap().to_string()
}

pub fn failed(at: u64, findings: Vec<FindingReport>) -> AuditedReport {
    AuditedReport {
        verdict: read("fail"),
        examined: Some(read("bytes")),
        findings,
        exit_code: Exit::Failed,
        ..good(at, at % 40)
    }
}

pub fn damaged(at: u64, parts: u64) -> AuditedReport {
    let damage = |part: u64| DamageReport {
        part,
        offset_bytes: (part - 1) * PART,
        length_bytes: PART,
        expected: format!("{part:032x}"),
        observed: format!("{:032x}", part * 7),
        second_read: Some(format!("{:032x}", part * 7)),
    };
    let finding = FindingReport {
        reads: Some(2),
        damage: (1..=parts).map(|part| damage(part * 3)).collect(),
        ..finding("parts-sha256", "fail", &format!("{parts} parts differ"), "the checksums of its parts")
    };
    AuditedReport { proof: None, ..failed(at, vec![finding]) }
}

/// Due, but not reached.
pub fn left(at: u64) -> AuditedReport {
    AuditedReport {
        verdict: read("unknown"),
        examined: None,
        identity: None,
        storage_class: None,
        change: None,
        proof: None,
        findings: vec![open("proof", "due, and left for another run: --max-time is over")],
        exit_code: Exit::Unknown,
        ..good(at, 0)
    }
}

/// Without problems, and never proved.
pub fn seen(at: u64) -> AuditedReport {
    AuditedReport {
        verdict: read("unknown"),
        examined: Some(read("facts")),
        change: Some(read("new")),
        proof: None,
        ..good(at, 0)
    }
}

fn exit_of(code: u8) -> Exit {
    serde_json::from_value(code.into()).unwrap()
}

pub fn whole(listed: u64, exit_code: u8) -> AuditReport {
    AuditReport {
        scope: ["s3://backup-eu/golden/", "s3://backup-us/", "s3://backup-ap/"].map(read).into(),
        level: read("bytes"),
        began: "2026-11-25T10:00:00Z".into(),
        listed,
        listed_bytes: listed * 45_000_000_000,
        other_objects: 17,
        examined: listed / 3,
        still_good: listed / 2,
        left: listed / 10,
        missing: 1,
        slice: Some(read("3/7")),
        listing_sha256: "5f".repeat(32),
        objects: listed,
        max_age_seconds: Some(90 * 86_400),
        ledger_head: Some(format!("1234:{}", "ab".repeat(32))),
        estimated_dollars: Some(1.2345),
        requests: listed * 9,
        listing_requests: 11,
        received_bytes: listed * 20_000_000_000,
        elapsed_seconds: 5_025.4,
        problems: vec!["s3://backup-ap/ could not be listed: AccessDenied: not yours to list".into()],
        notes: vec![read("store tasks into backup-ap could not be asked for: UnauthorizedOperation")],
        exit_code: exit_of(exit_code),
        ..AuditReport::default()
    }
}

fn observation(kind: &str, subject: String, detail: &str) -> Report {
    Report::Observation(ObservationReport { kind: read(kind), subject, detail: detail.into() })
}

/// An audit of this many objects that contains every situation.
pub fn fleet(count: u64) -> Vec<Report> {
    let object = |at: u64| match at {
        at if at == count / 2 => damaged(at, 25),
        at if at % 211 == 7 => failed(
            at,
            vec![
                finding("encryption", "fail", "AES256", "one of aws:kms, aws:kms:dsse"),
                open("lock", "s3:GetObjectRetention is not permitted"),
            ],
        ),
        at if at % 307 == 9 => AuditedReport {
            identity: None,
            storage_class: None,
            proof: None,
            change: Some(read("missing")),
            notes: vec![read("last seen in order 2026-10-02T03:04:05Z")],
            ..failed(at, vec![finding("present", "fail", "there is no such object any more", "still there")])
        },
        at if at % 17 == 3 => left(at),
        at if at % 13 == 4 => seen(at),
        _ => good(at, (at * at) % 120),
    };
    let mut all: Vec<Report> = (0..count).map(|at| Report::Audited(Box::new(object(at)))).collect();
    let bucket = |bucket: &str, findings: Vec<FindingReport>, verdict: &str, exit_code: u8| {
        Report::AuditedBucket(AuditedBucketReport {
            bucket: bucket.into(),
            verdict: read(verdict),
            findings,
            exit_code: exit_of(exit_code),
        })
    };
    all.push(bucket("backup-eu", vec![finding("versioning", "pass", "Enabled", "Enabled")], "pass", 0));
    all.push(bucket("backup-us", vec![finding("versioning", "fail", "Suspended", "Enabled")], "fail", 1));
    for at in 0..count / 3 {
        let subject = good(at, 0).target.to_string();
        all.push(observation("copy_without_image", subject, "ami-0 is not among the account's AMIs in this Region"));
    }
    all.push(observation("image_without_copy", "ami-0aaaaaaaaaaaaaaaa".into(), "`web` has no stored copy"));
    all.push(observation(
        "duplicate",
        good(1, 0).target.to_string(),
        "the same content, by sha256:abcd, as s3://backup-us/copy/ami-0123456789abcdef0.bin",
    ));
    all.push(observation(
        "upload_left",
        "s3://backup-eu/golden/ami-0bbbbbbbbbbbbbbbb.bin".into(),
        "a multipart upload was begun 40 hours ago and not completed; its parts are billed",
    ));
    all.push(Report::Audit(Box::new(whole(count, 1))));
    all.push(Report::Summary(SummaryReport { targets: count, exit_code: Exit::Failed, ..SummaryReport::default() }));
    all
}
