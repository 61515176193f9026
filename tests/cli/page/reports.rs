//! Reports that use all elements of a page.

use stored_ami::report::{
    BenchReport, DamageReport, EstimateReport, FindingReport, LayoutReport, Line, LoadReport, MissingBasisReport, Note,
    PartRunReport, Percentiles, ProbeReport, RatioBasisReport, RatioReport, RegionReport, Report, StatsReport,
    StreamReport, VerifyReport,
};

const PART: u64 = 100 << 20;

/// The reports of the text snapshots, except for audits, which have their own page, and ledgers and `doctor`, which have none.
pub fn usual() -> Vec<Report> {
    let lines = include_str!("../human/lines.jsonl").lines();
    let reports = lines.map(|line| serde_json::from_str::<Line>(line).unwrap().report);
    reports
        .filter(|report| {
            !matches!(
                report,
                Report::Audited(_)
                    | Report::AuditedRun(_)
                    | Report::AuditedBucket(_)
                    | Report::Observation(_)
                    | Report::Audit(_)
                    | Report::LedgerEntry(_)
                    | Report::Ledger(_)
                    | Report::Doctor(_)
            )
        })
        .collect()
}

/// The value with this word in JSON.
fn word<T: serde::de::DeserializeOwned>(word: &str) -> T {
    serde_json::from_value(word.into()).unwrap()
}

/// The first verification with this verdict.
pub fn first_verify(verdict: &str) -> VerifyReport {
    let found = usual().into_iter().find_map(|report| match report {
        Report::Verify(report) if report.verdict.name() == verdict => Some(*report),
        _ => None,
    });
    found.unwrap()
}

pub fn passed() -> VerifyReport {
    full(VerifyReport { parts: runs(6, |_| "proved"), ..first_verify("pass") })
}

/// An object of `count` parts, of which those selected by `is_damaged` are damaged.
pub fn damaged(count: u64, is_damaged: impl Fn(u64) -> bool) -> VerifyReport {
    let mut report = first_verify("fail");
    let state = |part: u64| match part {
        _ if is_damaged(part) => "damaged",
        _ if part > count - count / 20 => "unread",
        _ if part % 997 > 980 => "read",
        _ => "proved",
    };
    report.parts = runs(count, state);
    report.identity.object_bytes = PART * count - 4321;
    report.layout = Some(LayoutReport {
        shape: word("uniform"),
        parts: Some(count),
        part_bytes: Some(PART),
        last_part_bytes: Some(PART - 4321),
        smallest_part_bytes: None,
        largest_part_bytes: None,
        basis: Some(word("proved")),
        source: "GetObjectAttributes lists every part".into(),
        other_candidates: Vec::new(),
    });
    let digest = |part: u64, seed: u64| {
        format!("{:064x}", u128::from(part).wrapping_mul(0x9E37_79B9_7F4A_7C15_F39C) + u128::from(seed))
    };
    let damage: Vec<DamageReport> = (1..=count)
        .filter(|part| is_damaged(*part))
        .map(|part| DamageReport {
            part,
            offset_bytes: (part - 1) * PART,
            length_bytes: PART,
            expected: digest(part, 1),
            observed: digest(part, 2),
            second_read: Some(digest(part, 2)),
        })
        .collect();
    let finding = |check: &str| FindingReport {
        check: check.parse().unwrap(),
        verdict: stored_ami::verdict::Verdict::Fail,
        required: true,
        source: Some("manifest of s3://backup/golden/ami-0123456789abcdef0.bin (2026-11-24T04:53:06Z)".into()),
        expected: Some(format!("{count} part digests")),
        observed: Some(format!("{} of {count} parts differ", damage.len())),
        covered_bytes: Some(PART * count),
        reads: Some(2),
        damage: damage.clone(),
        reason: None,
        since: None,
    };
    report.findings.retain(|finding| finding.damage.is_empty());
    report.findings.extend([finding("manifest-parts-md5"), finding("manifest-parts-sha256")]);
    full(report)
}

fn runs(count: u64, state: impl Fn(u64) -> &'static str) -> Vec<PartRunReport> {
    let mut runs: Vec<PartRunReport> = Vec::new();
    for part in 1..=count {
        match runs.last_mut().filter(|run| run.state.name() == state(part)) {
            Some(run) => {
                run.last_part = part;
                run.bytes += PART;
            }
            None => runs.push(PartRunReport {
                first_part: part,
                last_part: part,
                offset: (part - 1) * PART,
                bytes: PART,
                state: serde_json::from_value(state(part).into()).unwrap(),
            }),
        }
    }
    runs
}

/// Adds all optional values.
fn full(mut report: VerifyReport) -> VerifyReport {
    report.ratio = Some(ratio());
    report.probe = Some(probe(report.identity.object_bytes));
    report.stream = Some(StreamReport {
        format: word("zstd"),
        detail: "3 frames, the last one ends within its block".into(),
        frames: 3,
        checksums: 2,
        decoded_bytes: 92_345_678_901,
        good_bytes: 31_234_567_890,
    });
    let note = "the manifest was written where nothing proved the bytes: it is a baseline";
    report.notes.push(Note::Other(note.into()));
    report.stats = StatsReport {
        requests: 10_123,
        reads: 10_030,
        retries: 7,
        received_bytes: report.identity.object_bytes,
        covered_bytes: report.identity.object_bytes,
        elapsed_seconds: 420.0,
        periods: (0..420)
            .map(|at| 2.4e9 + 4e8 * (f64::from(at) / 23.0).sin() - if at < 9 { 2e9 } else { 0.0 })
            .collect(),
        period_seconds: Some(1.0),
    };
    report
}

fn ratio() -> RatioReport {
    let basis = |basis: &str, logical_bytes: u64, source: &str| RatioBasisReport {
        basis: word(basis),
        logical_bytes,
        ratio: logical_bytes as f64 / 45_963_443.0,
        source: source.into(),
    };
    RatioReport {
        stored_bytes: 45_963_443,
        bases: vec![
            basis("volumes", 31 << 30, "3 EBS volumes of ami-0123456789abcdef0"),
            basis("written", 7 << 30, "the record ami.record.json"),
        ],
        spread: Some((163.53, 724.18)),
        missing: vec![MissingBasisReport {
            basis: word("decoded"),
            reason: "the stream was not decoded".into(),
            advice: "run verify with --decode".into(),
        }],
    }
}

fn probe(bytes: u64) -> ProbeReport {
    let estimate = |value: f64| EstimateReport { value, low: value * 0.97, high: value * 1.02 };
    let each = bytes / 96;
    let region = |at: u64| {
        let (content, entropy) = match at {
            0..=1 => ("structured", 5.1),
            40..=47 => ("sparse", 0.9),
            70..=71 => ("uniform", 0.02),
            90..=92 => ("unread", 0.0),
            _ => ("dense", 7.6 + (at % 7) as f64 * 0.05),
        };
        RegionReport {
            offset: at * each,
            bytes: each,
            windows: 11,
            content: word(content),
            entropy_bits_per_byte: entropy,
            zero_share: if entropy < 1.0 { 0.93 } else { 0.01 },
            zstd_share: entropy / 8.0,
            gzip_share: (entropy / 7.9).min(1.0),
        }
    };
    ProbeReport {
        windows: 1056,
        window_bytes: 65_536,
        seed: 42,
        entropy_bits_per_byte: estimate(7.1),
        zero_share: estimate(0.08),
        repeated_share: estimate(0.02),
        zstd_share: estimate(0.91),
        gzip_share: estimate(0.93),
        regions: (0..96).map(region).collect(),
    }
}

/// A benchmark with many measurements.
pub fn measured() -> BenchReport {
    let found = usual().into_iter().find_map(|report| match report {
        Report::Bench(report) => Some(*report),
        _ => None,
    });
    let mut report = found.unwrap();
    let load = |connections: u64, range_bytes: u64| {
        let rate =
            2.6e9 * connections as f64 / (connections as f64 + 14.0) * if range_bytes > 9 << 20 { 1.0 } else { 0.8 };
        LoadReport {
            connections,
            range_bytes,
            bytes_per_second: rate,
            rates: Percentiles { p5: rate * 0.9, p50: rate, p95: rate * 1.05, p99: rate * 1.06 },
            periods: vec![rate * 0.9, rate, rate * 1.05],
            first_byte_seconds: Percentiles { p5: 0.01, p50: 0.02, p95: 0.05, p99: 0.09 },
            elapsed_seconds: 5.0,
            received_bytes: (rate * 5.0) as u64,
            reads: 900,
            throttled: if connections > 100 { 4 } else { 0 },
            retries: 0,
            cores_busy: 1.7,
            stable: connections < 100,
        }
    };
    let numbers = [4, 8, 16, 32, 64, 128];
    report.loads = [8 << 20, 16 << 20].iter().flat_map(|range| numbers.map(|number| load(number, *range))).collect();
    report
}
