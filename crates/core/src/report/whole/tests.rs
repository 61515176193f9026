use super::*;
use crate::report::{DamageReport, FindingReport, IdentityReport, ProvedReport, ReasonReport};
use crate::verdict::{CheckId, ReasonCode};

/// The lines of one audit.
#[derive(Debug, Clone)]
struct AuditLines {
    objects: Vec<AuditedReport>,
    buckets: Vec<AuditedBucketReport>,
    end: AuditReport,
    summary: SummaryReport,
}

impl AuditLines {
    fn check(&self) -> Result<CheckedAudit, String> {
        let mut check = AuditCheck::new(self.end.clone());
        self.objects.iter().try_for_each(|one| check.object(one))?;
        self.buckets.iter().try_for_each(|one| check.bucket(one))?;
        check.finish(&self.summary)
    }

    fn contradiction(&self) -> Option<String> {
        self.check().err()
    }

    fn demands(&self) -> Demands {
        self.check().unwrap().demands
    }
}

fn id(check: &str) -> CheckId {
    check.parse().unwrap()
}

fn finding(check: &str, verdict: &str, required: bool) -> FindingReport {
    let reason = ReasonReport { code: ReasonCode::NotRead, detail: "no byte was read".into(), advice: None };
    let value = if check == "size" { "5 bytes" } else { "a" };
    let passes = verdict == "pass";
    FindingReport {
        check: id(check),
        verdict: serde_json::from_value(verdict.into()).unwrap(),
        required,
        source: None,
        expected: passes.then(|| value.into()),
        observed: passes.then(|| value.into()),
        covered_bytes: (passes && matches!(check, "proof" | "crc32")).then_some(5),
        reads: None,
        damage: Vec::new(),
        reason: (verdict == "unknown").then_some(reason),
        since: None,
    }
}

/// A value by its text in JSON.
fn read<T: serde::de::DeserializeOwned>(text: &str) -> T {
    serde_json::from_value(text.into()).unwrap()
}

/// An object of which every byte was proved in this run.
fn proved() -> AuditedReport {
    AuditedReport {
        target: read("s3://b/p/ami-1a2b3c4d.bin"),
        verdict: read("pass"),
        examined: Some(read("bytes")),
        identity: Some(IdentityReport {
            object_bytes: 5,
            etag: Some("e".into()),
            version_id: None,
            last_modified: None,
            ami_id: Some("ami-1a2b3c4d".into()),
        }),
        storage_class: None,
        parts: None,
        change: Some(read("same")),
        proof: Some(ProvedReport {
            at: "2026-01-01T00:00:01Z".into(),
            by: vec![read("crc32")],
            tool: "test".into(),
            kind: read("read"),
        }),
        unread_proof: None,
        content: Vec::new(),
        findings: ["identity", "size", "proof", "crc32", "unchanged"]
            .map(|check| finding(check, "pass", check != "crc32"))
            .into(),
        notes: Vec::new(),
        requests: 1,
        received_bytes: 5,
        elapsed_seconds: 0.5,
        exit_code: Exit::Passed,
    }
}

/// An object that was not read, in an audit at level `bytes`.
fn open() -> AuditedReport {
    AuditedReport {
        verdict: read("unknown"),
        proof: None,
        findings: ["size", "proof", "unchanged"]
            .map(|check| finding(check, if check == "proof" { "unknown" } else { "pass" }, true))
            .into(),
        exit_code: Exit::Unknown,
        ..proved()
    }
}

fn failed() -> AuditedReport {
    AuditedReport {
        verdict: read("fail"),
        proof: None,
        findings: ["proof", "size", "unchanged"]
            .map(|check| finding(check, if check == "proof" { "fail" } else { "pass" }, true))
            .into(),
        exit_code: Exit::Failed,
        ..proved()
    }
}

/// An object with an earlier proof that is still valid.
fn kept() -> AuditedReport {
    let mut kept = AuditedReport { examined: None, findings: vec![finding("unchanged", "pass", true)], ..proved() };
    kept.proof.as_mut().unwrap().at = "2025-12-20T00:00:00Z".into();
    kept
}

/// An object of which every byte was proved, but whose ETag does not distinguish it from another.
fn weak() -> AuditedReport {
    let mut weak = AuditedReport { proof: None, ..proved() };
    weak.identity.as_mut().unwrap().etag = Some("W/\"e\"".into());
    weak
}

/// An object that was due but not examined.
fn left() -> AuditedReport {
    AuditedReport { examined: None, identity: None, change: None, findings: vec![open().findings[1].clone()], ..open() }
}

fn gone() -> AuditedReport {
    AuditedReport {
        examined: None,
        identity: None,
        change: Some(read("missing")),
        findings: vec![finding("present", "fail", true)],
        ..failed()
    }
}

/// An object for which HEAD got no response.
fn unanswered() -> AuditedReport {
    AuditedReport {
        identity: None,
        change: None,
        findings: vec![finding("identity", "unknown", true)],
        exit_code: Exit::CouldNot,
        ..open()
    }
}

/// An object without problems, by its facts alone.
fn facts() -> AuditedReport {
    AuditedReport {
        examined: Some(read("facts")),
        findings: vec![finding("size", "pass", true), finding("proof", "unknown", false)],
        change: Some(read("new")),
        exit_code: Exit::Passed,
        ..open()
    }
}

fn empty() -> AuditedReport {
    let mut empty = AuditedReport { verdict: read("fail"), exit_code: Exit::Failed, ..facts() };
    empty.identity.as_mut().unwrap().object_bytes = 0;
    empty.findings[0] = finding("size", "fail", true);
    empty
}

/// An object proved by an earlier audit and examined again.
fn known_by_facts() -> AuditedReport {
    let findings = [facts().findings, vec![finding("unchanged", "pass", true)]].concat();
    AuditedReport { findings, verdict: read("pass"), change: Some(read("same")), proof: proved().proof, ..facts() }
}

fn of_level(level: &str, objects: Vec<AuditedReport>) -> AuditLines {
    let mut all = audit(objects);
    all.end.level = read(level);
    all.end.sample = (level == "sample").then(|| "1%".into());
    all
}

fn audit(objects: Vec<AuditedReport>) -> AuditLines {
    let of = |verdict: &str| objects.iter().filter(|one| one.verdict.name() == verdict).count() as u64;
    let lacks = |one: &AuditedReport| one.examined.is_none() && one.identity.is_none();
    let exit = objects.iter().fold(Exit::Passed, |exit, one| exit.and(one.exit_code));
    let end = AuditReport {
        scope: vec![read("s3://b/p")],
        level: read("bytes"),
        began: "2026-01-01T00:00:00Z".into(),
        objects: objects.len() as u64,
        examined: objects.iter().filter(|one| one.examined.is_some()).count() as u64,
        listed: 1_000,
        still_good: objects.iter().filter(|one| one.examined.is_none() && one.identity.is_some()).count() as u64,
        missing: objects.iter().filter(|one| lacks(one) && one.change.is_some()).count() as u64,
        left: objects.iter().filter(|one| lacks(one) && one.change.is_none()).count() as u64,
        proved: of("pass"),
        max_age_seconds: Some(30 * 86_400),
        elapsed_seconds: 2.0,
        exit_code: exit,
        ..AuditReport::default()
    };
    let summary = SummaryReport {
        targets: objects.len() as u64,
        passed: of("pass"),
        failed: of("fail"),
        unknown: of("unknown"),
        errors: 0,
        exit_code: exit,
        settings: Vec::new(),
        files_written: Vec::new(),
    };
    AuditLines { objects, buckets: Vec::new(), end, summary }
}

#[test]
fn what_an_audit_writes_agrees_with_itself() {
    let could_not = AuditedReport { exit_code: Exit::CouldNot, ..open() };
    let policy = AuditedReport {
        verdict: read("fail"),
        findings: [proved().findings, vec![finding("lock", "fail", true)]].concat(),
        exit_code: Exit::Failed,
        ..proved()
    };
    let mut by_policy = audit(vec![policy]);
    by_policy.end.policy_sha256 = Some("00".into());
    assert_eq!(by_policy.contradiction(), None);
    for one in [proved(), open(), failed(), kept(), could_not, weak(), left(), gone(), unanswered()] {
        assert_eq!(audit(vec![one.clone()]).contradiction(), None, "{one:?}");
    }
    let facts = of_level("facts", vec![facts(), empty(), known_by_facts()]);
    assert_eq!(facts.contradiction(), None);
    assert_eq!(audit(vec![proved(), failed(), open(), kept()]).contradiction(), None);
}

#[test]
fn a_word_that_no_audit_writes_is_not_read() {
    let line = serde_json::to_value(proved()).unwrap();
    assert!(serde_json::from_value::<AuditedReport>(line.clone()).is_ok());
    for (name, word) in [
        ("target", "nonsense"),
        ("target", "arn:aws:s3:::b/p/ami-1a2b3c4d.bin"),
        ("verdict", "passed"),
        ("examined", "Bytes"),
        ("change", "mended"),
    ] {
        let mut altered = line.clone();
        altered[name] = word.into();
        assert!(serde_json::from_value::<AuditedReport>(altered).is_err(), "{name}: {word}");
    }
    let end = serde_json::to_value(audit(vec![proved()]).end).unwrap();
    for word in ["x", "Bytes"] {
        let mut altered = end.clone();
        altered["level"] = word.into();
        assert!(serde_json::from_value::<AuditReport>(altered).is_err(), "{word}");
    }
}

/// The change to a line, and the message with which it is refused.
type Alteration = (AuditedReport, fn(&mut AuditedReport), &'static str);

#[test]
fn a_line_that_contradicts_itself_is_named() {
    let table: Vec<Alteration> = vec![
        (failed(), |one| one.exit_code = Exit::Passed, "give exit code 1, and it says 0"),
        (failed(), |one| one.exit_code = Exit::CouldNot, "give exit code 1, and it says 4"),
        (failed(), |one| one.verdict = read("pass"), "give the verdict fail, and it says pass"),
        (failed(), |one| one.verdict = read("unknown"), "give the verdict fail, and it says unknown"),
        (open(), |one| one.exit_code = Exit::Passed, "give exit code 3, and it says 0"),
        (open(), |one| one.verdict = read("pass"), "give the verdict unknown, and it says pass"),
        (open(), |one| one.verdict = read("fail"), "give the verdict unknown, and it says fail"),
        (open(), |one| one.exit_code = Exit::Failed, "give exit code 3, and it says 1"),
        (proved(), |one| one.exit_code = Exit::Unknown, "give exit code 0, and it says 3"),
        (proved(), |one| one.exit_code = Exit::Failed, "give exit code 0, and it says 1"),
        (proved(), |one| one.verdict = read("fail"), "give the verdict pass, and it says fail"),
        (proved(), |one| one.verdict = read("unknown"), "calls it in order, and nothing proves it"),
        (proved(), |one| one.findings.clear(), "no finding says that every byte was proved"),
        (proved(), |one| one.findings[2].covered_bytes = Some(4), "no finding says that every byte was proved"),
        (proved(), |one| one.findings[2].covered_bytes = None, "no finding says that every byte was proved"),
        (proved(), |one| one.findings[2].required = false, "always required"),
        (proved(), |one| one.findings[3].verdict = Verdict::Fail, "give exit code 1, and it says 0"),
        (proved(), |one| one.findings[3].reason = open().findings[1].reason.clone(), "gives a reason"),
        (proved(), |one| one.findings[3].reads = Some(2), "names damage"),
        (proved(), |one| one.findings[3].damage = vec![damage()], "names damage"),
        (open(), |one| one.findings[1].reason = None, "gives no reason"),
        (proved(), |one| one.proof = None, "give the verdict unknown, and it says pass"),
        (proved(), |one| one.identity = None, "it passes, and has no bytes"),
        (proved(), |one| one.identity.as_mut().unwrap().object_bytes = 0, "its size does not fail"),
        (proved(), |one| one.proof.as_mut().unwrap().by.clear(), "does not state by what or when"),
        (proved(), |one| one.proof.as_mut().unwrap().at = "soon".into(), "does not state by what or when"),
        (proved(), |one| one.proof.as_mut().unwrap().at = "2025-12-31T00:00:00Z".into(), "too long before"),
        (proved(), |one| one.proof.as_mut().unwrap().at = "2026-01-02T00:00:00Z".into(), "after the audit ended"),
        (kept(), |one| one.proof.as_mut().unwrap().at = "2025-11-01T00:00:00Z".into(), "too long before"),
        (failed(), |one| one.proof = proved().proof, "`proof` contradicts"),
        (open(), |one| one.proof = proved().proof, ""),
        (open(), |one| one.findings.push(finding("sound", "unknown", true)), ""),
        (open(), |one| one.findings[1].check = id("sound"), "says nothing of its proof"),
        (
            open(),
            |one| {
                one.findings[1].check = id("sound");
                one.proof = proved().proof;
            },
            "`sound` contradicts",
        ),
        (proved(), |one| one.examined = Some(read("facts")), "at level facts in an audit of level bytes"),
        (open(), |one| one.examined = Some(read("sample")), "at level sample in an audit of level bytes"),
        (proved(), |one| one.target = read("s3://b/q/ami-1a2b3c4d.bin"), "is outside s3://b/p"),
        (proved(), |one| one.target = read("s3://c/p/ami-1a2b3c4d.bin"), "is outside s3://b/p"),
        (proved(), |one| one.change = Some(read("missing")), "it is missing, and no finding says so"),
        (proved(), |one| one.change = Some(read("replaced")), "it is replaced, and no finding says so"),
        (proved(), |one| one.change = Some(read("replaced_unclear")), "it is replaced unclear"),
    ];
    for (index, (one, alter, problem)) in table.into_iter().enumerate() {
        let mut altered = one.clone();
        alter(&mut altered);
        // The summary is forged as well, so that only the line itself shows the change.
        let found = audit(vec![altered.clone()]).contradiction();
        match (&found, problem) {
            (None, "") => {}
            (Some(found), problem) if !problem.is_empty() => {
                assert!(found.contains(problem) && found.contains(&altered.target.to_string()), "{index}: {found}");
            }
            _ => panic!("{index}: {found:?}, expected {problem}"),
        }
    }
}

#[test]
fn a_line_that_no_audit_writes_is_named() {
    let table: Vec<Alteration> = vec![
        (left(), |one| one.findings.clear(), "give exit code 0"),
        (left(), |one| (one.findings, one.exit_code) = (Vec::new(), Exit::Passed), "no finding says why"),
        (unanswered(), |one| (one.findings, one.exit_code) = (Vec::new(), Exit::Passed), "no finding says why"),
        (gone(), |one| one.findings[0].check = id("sound"), "no finding says why"),
        (open(), |one| one.findings.retain(|one| one.check != id("size")), "says nothing of its size"),
        (open(), |one| one.identity = None, "size: it passes"),
        (kept(), |one| one.findings.clear(), "nothing says that it is the same"),
        (kept(), |one| one.findings[0].required = false, "always required"),
        (proved(), |one| one.findings[3].observed = Some("b".into()), "crc32: it passes, and what was observed"),
        (proved(), |one| one.findings[3].expected = None, "crc32: it passes, and what was observed"),
        (proved(), |one| one.findings[2].observed = Some("b".into()), "proof: it passes, and what was observed"),
        (proved(), |one| one.findings[3].observed = Some("a-2".into()), ""),
        (proved(), |one| one.findings[1].observed = Some("6 bytes".into()), "not the size of the object"),
        (proved(), |one| one.findings[3].covered_bytes = Some(1), "crc32: it passes over 1 of 5 bytes"),
        (proved(), |one| one.findings[3].covered_bytes = None, "crc32: it passes over 0 of 5 bytes"),
        (proved(), |one| one.findings.retain(|one| one.check != id("crc32")), "no check of the bytes passed"),
        (proved(), |one| one.findings.retain(|one| one.check != id("unchanged")), "it is same, and no finding says so"),
        (proved(), |one| one.change = Some(read("new")), "it is new, and no finding says so"),
        (proved(), |one| one.proof.as_mut().unwrap().by = vec![read("magic")], "a proof by `magic`"),
        (proved(), |one| one.proof.as_mut().unwrap().by = vec![read("")], "a proof by ``"),
        (proved(), |one| one.proof.as_mut().unwrap().by = vec![read("sha256")], "a proof by `sha256`"),
        (kept(), |one| one.proof.as_mut().unwrap().by = vec![read("magic")], "a proof by `magic`"),
        (kept(), |one| one.proof.as_mut().unwrap().by = vec![read("sha256")], ""),
        (
            proved(),
            |one| one.proof.as_mut().unwrap().kind = read("written"),
            "its proof is `written`, which reads nothing",
        ),
        (kept(), |one| one.proof.as_mut().unwrap().kind = read("stated-by-s3"), "its proof is `stated-by-s3`"),
        (kept(), |one| one.proof.as_mut().unwrap().kind = read("believed"), "its proof is `believed`"),
        (kept(), |one| one.proof.as_mut().unwrap().by = vec![read("manifest-parts-sha256")], ""),
        (kept(), |one| one.unread_proof.clone_from(&one.proof), "its unread proof is `read`"),
        (
            kept(),
            |one| {
                one.unread_proof.clone_from(&one.proof);
                one.unread_proof.as_mut().unwrap().kind = read("written");
            },
            "",
        ),
        (proved(), |one| one.findings.push(finding("proof", "unknown", false)), "proof: it is always required"),
        (proved(), |one| one.findings.push(finding("proof", "pass", true)), "proof: it is there twice"),
        (proved(), |one| one.findings.push(finding("identity", "unknown", false)), "identity: it is always required"),
        (proved(), |one| one.findings.push(finding("crc32", "unknown", false)), "crc32: it is there twice"),
        (proved(), |one| one.identity.as_mut().unwrap().etag = None, "no identity that was proved"),
        (weak(), |one| one.proof = proved().proof, "no identity that was proved"),
        (weak(), |one| one.findings[2].covered_bytes = Some(4), "give the verdict unknown, and it says pass"),
        (proved(), |one| one.identity.as_mut().unwrap().ami_id = Some("ami-11111111".into()), "its key is of ami-1a2b"),
        (proved(), |one| one.identity.as_mut().unwrap().ami_id = None, "its identity of no AMI"),
        (proved(), |one| one.target = read("s3://b/p/ami-1a2b3c4d.bin?versionId=v"), "no listing shows it"),
        (proved(), |one| one.elapsed_seconds = -1.0, "elapsed_seconds is -1"),
        (proved(), |one| one.elapsed_seconds = f64::NAN, "elapsed_seconds is NaN"),
        (proved(), |one| one.elapsed_seconds = f64::INFINITY, "elapsed_seconds is inf"),
        (proved(), |one| one.received_bytes = (1 << 53) + 1, "more than there can be"),
        (
            proved(),
            |one| {
                one.target = read("s3://b/p/readme.txt");
                one.identity.as_mut().unwrap().ami_id = None;
            },
            "no listing shows it",
        ),
    ];
    for (index, (one, alter, problem)) in table.into_iter().enumerate() {
        let mut altered = one.clone();
        alter(&mut altered);
        let found = audit(vec![altered]).contradiction().unwrap_or_default();
        assert!(found.contains(problem) && found.is_empty() == problem.is_empty(), "{index}: {found}, not {problem}");
    }
    let table: Vec<Alteration> = vec![
        (facts(), |one| one.findings.clear(), "says nothing of its size"),
        (facts(), |one| one.identity = None, "size: it passes"),
        (facts(), |one| one.identity.as_mut().unwrap().object_bytes = 0, "its size does not fail"),
        (facts(), |one| (one.proof, one.verdict) = (proved().proof, Verdict::Pass), "neither of this run"),
        (known_by_facts(), |one| one.findings.truncate(1), "says nothing of its proof"),
        (known_by_facts(), |one| one.findings[1] = finding("proof", "pass", true), "no check of the bytes passed"),
    ];
    for (index, (one, alter, problem)) in table.into_iter().enumerate() {
        let mut altered = one.clone();
        alter(&mut altered);
        let found = of_level("facts", vec![altered]).contradiction().unwrap_or_default();
        assert!(found.contains(problem), "{index}: {found}, not {problem}");
    }
}

#[test]
fn all_lines_are_held_against_the_policy_of_the_audit() {
    let by_policy = |checks: &[&str]| {
        let judged = checks.iter().map(|check| finding(check, "pass", true));
        AuditedReport { findings: proved().findings.into_iter().chain(judged).collect(), ..proved() }
    };
    let both = || vec![by_policy(&["lock", "tags"]), by_policy(&["lock", "tags"])];
    let demanded = |objects: Vec<AuditedReport>, buckets: &[(&str, &str)]| {
        let mut all = audit(objects);
        all.end.policy_sha256 = Some("00".into());
        all.end.scope = vec![read("s3://b/p"), read("s3://c/")];
        let bucket = |(name, check): &(&str, &str)| AuditedBucketReport {
            findings: vec![finding(check, "pass", true)],
            ..bucket(name, "pass", Exit::Passed, "pass")
        };
        all.buckets = buckets.iter().map(bucket).collect();
        all
    };
    let (versions, public) = ("versioning", "public-access");
    for (all, problem) in [
        (demanded(both(), &[]), None),
        (demanded([both(), vec![left()]].concat(), &[]), None),
        (demanded(both(), &[("b", versions), ("c", versions)]), None),
        (demanded(vec![proved()], &[("b", versions), ("c", versions)]), None),
        (demanded(vec![left()], &[]), None),
        (demanded(vec![by_policy(&["lock", "tags"]), by_policy(&["lock"])], &[]), Some("policy of the other objects")),
        (demanded(vec![by_policy(&["lock"]), proved()], &[]), Some("policy of the other objects")),
        (demanded(vec![proved()], &[]), Some("no line was checked with it")),
        (demanded(both(), &[("b", versions)]), Some("bucket c: it was not checked with the policy")),
        (demanded(both(), &[("b", versions), ("c", public)]), Some("bucket c: it was not checked with the policy of")),
        (audit(both()), Some("its end names none")),
    ] {
        let found = all.contradiction();
        let fits = problem.map_or(found.is_none(), |problem| found.as_ref().is_some_and(|is| is.contains(problem)));
        assert!(fits, "{found:?}, expected {problem:?}");
    }
    let (one, other) = (demanded(both(), &[]).demands(), demanded(vec![by_policy(&["lock"])], &[]).demands());
    assert!(one.go_with(&one) && !one.go_with(&other) && one.go_with(&demanded(vec![left()], &[]).demands()));
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
    type Change = fn(&mut AuditLines);
    let table: Vec<(Change, &str)> = vec![
        (|all| all.end.exit_code = Exit::Passed, "its end: its lines give exit code 1, and it says 0"),
        (|all| all.end.exit_code = Exit::Unknown, "its lines give exit code 1"),
        (|all| all.end.exit_code = Exit::CouldNot, "its lines give exit code 1"),
        (|all| all.end.examined += 1, "examined is 4, and its lines make 3"),
        (|all| all.end.still_good = 0, "still_good is 0"),
        (|all| all.end.left = 1, "left is 1"),
        (|all| all.end.missing = 1, "missing is 1"),
        (|all| all.end.objects = 5, "objects is 5"),
        (|all| all.end.proved = 4, "proved is 4, and its lines make 2 to 2"),
        (|all| all.end.proved = 0, "proved is 0"),
        (|all| all.end.sample = Some("1%".into()), "its sample contradicts that"),
        (|all| all.end.listed = u64::MAX, "listed is 18446744073709551615, more than there can be"),
        (|all| all.end.requests = (1 << 53) + 1, "requests is 9007199254740993"),
        (|all| all.end.other_slices = 1_001, "1001 objects of other slices"),
        (|all| all.end.elapsed_seconds = -5.0, "elapsed_seconds is -5"),
        (|all| all.end.elapsed_seconds = f64::INFINITY, "elapsed_seconds is inf"),
        (|all| all.end.estimated_dollars = Some(f64::NAN), "estimated_dollars"),
        (|all| all.end.began = "soon".into(), "of no known time"),
        (|all| all.summary = SummaryReport::default(), "its summary: it says 0 targets"),
        (|all| all.summary.exit_code = Exit::Passed, "exit code 0, and the lines"),
        (|all| all.summary.exit_code = Exit::CouldNot, "exit code 4, and the lines"),
        (|all| all.summary.failed = 0, "0 failed"),
        (|all| all.summary.errors = 1, "1 errors"),
        (
            |all| all.buckets.push(bucket("b", "pass", Exit::Passed, "fail")),
            "bucket b: its findings give fail with exit code 1",
        ),
        (
            |all| all.buckets.push(bucket("b", "fail", Exit::Failed, "pass")),
            "give pass with exit code 0, and it says fail with 1",
        ),
        (|all| all.buckets.push(bucket("c", "pass", Exit::Passed, "pass")), "bucket c: it is outside"),
    ];
    for (alter, problem) in table {
        let mut all = audit(vec![proved(), failed(), open(), kept()]);
        alter(&mut all);
        let found = all.contradiction().unwrap_or_default();
        assert!(found.contains(problem), "{found}, expected {problem}");
    }
    let mut all = audit(vec![proved()]);
    all.end.problems = vec!["the ledger could not be written".into()];
    assert!(all.contradiction().unwrap().contains("reports problems, and says exit code 0"));
    (all.end.exit_code, all.summary.exit_code) = (Exit::Failed, Exit::Failed);
    assert!(all.contradiction().unwrap().contains("it says that something failed, and no line does"));
    (all.end.exit_code, all.summary.exit_code) = (Exit::CouldNot, Exit::CouldNot);
    assert_eq!(all.contradiction(), None);
}

fn bucket(name: &str, verdict: &str, exit_code: Exit, found: &str) -> AuditedBucketReport {
    AuditedBucketReport {
        bucket: name.into(),
        verdict: read(verdict),
        findings: vec![finding("versioning", found, true)],
        exit_code,
    }
}
