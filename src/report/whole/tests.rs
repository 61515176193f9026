use super::*;
use crate::report::{DamageReport, FindingReport, IdentityReport, ProvedReport, ReasonReport};

fn finding(check: &str, verdict: &str, required: bool) -> FindingReport {
    let reason = ReasonReport { code: "not_read".into(), detail: "no byte was read".into(), advice: None };
    FindingReport {
        check: check.into(),
        verdict: verdict.into(),
        required,
        source: None,
        expected: None,
        observed: None,
        covered_bytes: (check == "proof" && verdict == "pass").then_some(5),
        reads: None,
        damage: Vec::new(),
        reason: (verdict == "unknown").then_some(reason),
    }
}

/// An object of which every byte was proved in this run.
fn proved() -> AuditedReport {
    AuditedReport {
        target: "s3://b/p/ami-1a2b3c4d.bin".into(),
        verdict: "pass".into(),
        examined: Some("bytes".into()),
        identity: Some(IdentityReport {
            object_bytes: 5,
            etag: Some("e".into()),
            version_id: None,
            last_modified: None,
            ami_id: None,
        }),
        storage_class: None,
        change: Some("same".into()),
        proof: Some(ProvedReport { at: "2026-01-01T00:00:01Z".into(), by: vec!["crc32".into()], tool: "test".into() }),
        content: Vec::new(),
        findings: ["identity", "size", "proof", "crc32"].map(|check| finding(check, "pass", check != "crc32")).into(),
        notes: Vec::new(),
        requests: 1,
        received_bytes: 5,
        elapsed_seconds: 0.5,
        exit_code: 0,
    }
}

/// One that was not read, in an audit of bytes.
fn open() -> AuditedReport {
    AuditedReport {
        verdict: "unknown".into(),
        proof: None,
        findings: vec![finding("size", "pass", true), finding("proof", "unknown", true)],
        exit_code: 3,
        ..proved()
    }
}

fn failed() -> AuditedReport {
    AuditedReport {
        verdict: "fail".into(),
        proof: None,
        findings: vec![finding("proof", "fail", true)],
        exit_code: 1,
        ..proved()
    }
}

/// One of which an earlier proof holds.
fn kept() -> AuditedReport {
    let mut kept = AuditedReport { examined: None, findings: vec![finding("unchanged", "pass", true)], ..proved() };
    kept.proof.as_mut().unwrap().at = "2025-12-20T00:00:00Z".into();
    kept
}

fn audit(objects: Vec<AuditedReport>) -> AuditLines {
    let of = |verdict: &str| objects.iter().filter(|one| one.verdict == verdict).count() as u64;
    let exit = objects.iter().fold(Exit::Passed, |exit, one| exit.and(Exit::of(one.exit_code)));
    let end = AuditReport {
        scope: vec!["s3://b/p".into()],
        level: "bytes".into(),
        began: "2026-01-01T00:00:00Z".into(),
        objects: objects.len() as u64,
        examined: objects.iter().filter(|one| one.examined.is_some()).count() as u64,
        still_good: objects.iter().filter(|one| one.examined.is_none()).count() as u64,
        proved: of("pass"),
        max_age_seconds: Some(30 * 86_400),
        elapsed_seconds: 2.0,
        exit_code: exit.code(),
        ..AuditReport::default()
    };
    let summary = SummaryReport {
        targets: objects.len() as u64,
        passed: of("pass"),
        failed: of("fail"),
        unknown: of("unknown"),
        errors: 0,
        exit_code: exit.code(),
    };
    AuditLines { objects, buckets: Vec::new(), end, summary }
}

#[test]
fn what_an_audit_writes_agrees_with_itself() {
    let could_not = AuditedReport { exit_code: 4, ..open() };
    let policy = AuditedReport {
        verdict: "fail".into(),
        findings: [proved().findings, vec![finding("lock", "fail", true)]].concat(),
        exit_code: 1,
        ..proved()
    };
    for one in [proved(), open(), failed(), kept(), could_not, policy] {
        assert_eq!(audit(vec![one.clone()]).contradiction(), None, "{one:?}");
    }
    assert_eq!(audit(vec![proved(), failed(), open(), kept()]).contradiction(), None);
}

/// What is altered in a line, and in which words it is refused.
type Alteration = (AuditedReport, fn(&mut AuditedReport), &'static str);

#[test]
fn a_line_that_contradicts_itself_is_named() {
    let table: Vec<Alteration> = vec![
        (failed(), |one| one.exit_code = 0, "give exit code 1, and it says 0"),
        (failed(), |one| one.exit_code = 4, "give exit code 1, and it says 4"),
        (failed(), |one| one.verdict = "pass".into(), "give the verdict fail, and it says pass"),
        (failed(), |one| one.verdict = "unknown".into(), "give the verdict fail, and it says unknown"),
        (open(), |one| one.exit_code = 0, "give exit code 3, and it says 0"),
        (open(), |one| one.verdict = "pass".into(), "give the verdict unknown, and it says pass"),
        (open(), |one| one.verdict = "fail".into(), "give the verdict unknown, and it says fail"),
        (open(), |one| one.exit_code = 1, "give exit code 3, and it says 1"),
        (open(), |one| one.exit_code = 77, "and it says 77"),
        (proved(), |one| one.exit_code = 3, "give exit code 0, and it says 3"),
        (proved(), |one| one.exit_code = 1, "give exit code 0, and it says 1"),
        (proved(), |one| one.verdict = "fail".into(), "give the verdict pass, and it says fail"),
        (proved(), |one| one.verdict = "passed".into(), "and it says passed"),
        (proved(), |one| one.verdict = "unknown".into(), "calls it in order, and nothing proves it"),
        (proved(), |one| one.findings.clear(), "no finding says that every byte was proved"),
        (proved(), |one| one.findings[2].covered_bytes = Some(4), "no finding says that every byte was proved"),
        (proved(), |one| one.findings[2].covered_bytes = None, "no finding says that every byte was proved"),
        (proved(), |one| one.findings[2].required = false, ""),
        (proved(), |one| one.findings[3].verdict = "fail".into(), "give exit code 1, and it says 0"),
        (proved(), |one| one.findings[3].verdict = "maybe".into(), "`maybe` is no verdict"),
        (proved(), |one| one.findings[3].reason = open().findings[1].reason.clone(), "gives a reason"),
        (proved(), |one| one.findings[3].reads = Some(2), "names damage"),
        (proved(), |one| one.findings[3].damage = vec![damage()], "names damage"),
        (open(), |one| one.findings[1].reason = None, "gives no reason"),
        (proved(), |one| one.proof = None, "give the verdict unknown, and it says pass"),
        (proved(), |one| one.identity = None, "it passes, and has no bytes"),
        (proved(), |one| one.identity.as_mut().unwrap().object_bytes = 0, "it passes, and has no bytes"),
        (proved(), |one| one.proof.as_mut().unwrap().by.clear(), "does not tell by what or when"),
        (proved(), |one| one.proof.as_mut().unwrap().at = "soon".into(), "does not tell by what or when"),
        (proved(), |one| one.proof.as_mut().unwrap().at = "2025-12-31T00:00:00Z".into(), "too long before"),
        (proved(), |one| one.proof.as_mut().unwrap().at = "2026-01-02T00:00:00Z".into(), "after the audit ended"),
        (kept(), |one| one.proof.as_mut().unwrap().at = "2025-11-01T00:00:00Z".into(), "too long before"),
        (failed(), |one| one.proof = proved().proof, "`proof` contradicts"),
        (open(), |one| one.proof = proved().proof, ""),
        (open(), |one| one.findings[1].check = "sound".into(), ""),
        (
            open(),
            |one| {
                one.findings[1].check = "sound".into();
                one.proof = proved().proof;
            },
            "`sound` contradicts",
        ),
        (proved(), |one| one.examined = Some("facts".into()), "at level facts in an audit of level bytes"),
        (open(), |one| one.examined = Some("sample".into()), "at level sample in an audit of level bytes"),
        (proved(), |one| one.target = "s3://b/q/ami-1a2b3c4d.bin".into(), "is outside s3://b/p"),
        (proved(), |one| one.target = "s3://c/p/ami-1a2b3c4d.bin".into(), "is outside s3://b/p"),
        (proved(), |one| one.target = "nonsense".into(), "its target is no object"),
        (proved(), |one| one.change = Some("missing".into()), "it is missing, and no finding says so"),
        (proved(), |one| one.change = Some("replaced".into()), "it is replaced, and no finding says so"),
        (proved(), |one| one.change = Some("replaced_unclear".into()), "it is replaced unclear"),
        (proved(), |one| one.change = Some("mended".into()), "`mended` is no change"),
    ];
    for (index, (one, alter, problem)) in table.into_iter().enumerate() {
        let mut altered = one.clone();
        alter(&mut altered);
        // What sums it up is forged as well, so that the line alone gives it away.
        let found = audit(vec![altered.clone()]).contradiction();
        match (&found, problem) {
            (None, "") => {}
            (Some(found), problem) if !problem.is_empty() => {
                assert!(found.contains(problem) && found.contains(&altered.target), "{index}: {found}");
            }
            _ => panic!("{index}: {found:?}, expected {problem}"),
        }
    }
}

fn damage() -> DamageReport {
    DamageReport {
        part: 1,
        offset_bytes: 0,
        length_bytes: 5,
        expected: "a".into(),
        observed: "b".into(),
        second_read: None,
    }
}

#[test]
fn an_end_or_a_summary_that_its_lines_contradict_is_named() {
    let table: Vec<(fn(&mut AuditLines), &str)> = vec![
        (|all| all.end.exit_code = 0, "its end: its lines give exit code 1, and it says 0"),
        (|all| all.end.exit_code = 3, "its lines give exit code 1"),
        (|all| all.end.exit_code = 4, "its lines give exit code 1"),
        (|all| all.end.exit_code = 9, "its lines give exit code 1"),
        (|all| all.end.examined += 1, "examined is 4, and its lines make 3"),
        (|all| all.end.still_good = 0, "still_good is 0"),
        (|all| all.end.left = 1, "left is 1"),
        (|all| all.end.missing = 1, "missing is 1"),
        (|all| all.end.objects = 5, "objects is 5"),
        (|all| all.end.proved = 4, "proved is 4, and its lines make 2 to 2"),
        (|all| all.end.proved = 0, "proved is 0"),
        (|all| all.end.began = "soon".into(), "of no known time"),
        (|all| all.summary = SummaryReport::default(), "its summary: it says 0 targets"),
        (|all| all.summary.exit_code = 0, "exit code 0, and the lines"),
        (|all| all.summary.exit_code = 4, "exit code 4, and the lines"),
        (|all| all.summary.failed = 0, "0 failed"),
        (|all| all.summary.errors = 1, "1 errors"),
        (|all| all.buckets.push(bucket("b", "pass", 0, "fail")), "bucket b: its findings give fail with exit code 1"),
        (|all| all.buckets.push(bucket("b", "fail", 1, "pass")), "give pass with exit code 0, and it says fail with 1"),
        (|all| all.buckets.push(bucket("c", "pass", 0, "pass")), "bucket c: it is outside"),
    ];
    for (alter, problem) in table {
        let mut all = audit(vec![proved(), failed(), open(), kept()]);
        alter(&mut all);
        let found = all.contradiction().unwrap_or_default();
        assert!(found.contains(problem), "{found}, expected {problem}");
    }
    let mut all = audit(vec![proved()]);
    all.end.problems = vec!["the ledger could not be written".into()];
    assert!(all.contradiction().unwrap().contains("tells of problems, and says exit code 0"));
    (all.end.exit_code, all.summary.exit_code) = (1, 1);
    assert!(all.contradiction().unwrap().contains("it says that something failed, and no line does"));
    (all.end.exit_code, all.summary.exit_code) = (4, 4);
    assert_eq!(all.contradiction(), None);
}

fn bucket(name: &str, verdict: &str, exit_code: u8, found: &str) -> AuditedBucketReport {
    AuditedBucketReport {
        bucket: name.into(),
        verdict: verdict.into(),
        findings: vec![finding("versioning", found, true)],
        exit_code,
    }
}
