//! Compares a report with its expectation.

use stored_ami::report::{FindingReport, VerifyReport};
use stored_ami::verdict::Verdict;
use stored_ami_lab::CallRecord;

use crate::expect::{Expected, Outcome, Why};
use crate::harm::Case;
use crate::requests::Requests;
use crate::shape::ranges;

/// All differences, as text.
pub fn differences(expected: &Expected, case: &Case, report: &VerifyReport, calls: &[CallRecord]) -> Vec<String> {
    let mut found = Vec::new();
    let verdict = (report.verdict.name(), report.exit_code.code());
    if verdict != (expected.verdict, expected.exit_code) {
        found.push(format!("verdict {verdict:?}, must be {:?}", (expected.verdict, expected.exit_code)));
    }
    for (check, outcome, reads) in &expected.findings {
        match report.findings.iter().find(|finding| finding.check.to_string() == *check) {
            None => found.push(format!("no finding {check}, must be {outcome:?}")),
            Some(finding) => found.extend(
                of_finding(finding, outcome, *reads, case).map(|problem| format!("{check}: {problem}; {finding:?}")),
            ),
        }
    }
    let general = ["identity", "size", "proof"];
    let more = report.findings.iter().filter(|finding| {
        let name = finding.check.to_string();
        !general.contains(&name.as_str()) && !expected.findings.iter().any(|(check, ..)| *check == name)
    });
    found.extend(more.map(|finding| format!("a finding too many: {finding:?}")));
    let mut proving: Vec<String> =
        expected.findings.iter().filter(|(_, o, _)| *o == Outcome::Pass).map(|(check, ..)| check.clone()).collect();
    let mut proved_by: Vec<String> = report.proved_by.iter().map(ToString::to_string).collect();
    proving.sort_unstable();
    proved_by.sort_unstable();
    if proving != proved_by {
        found.push(format!("proved by {proved_by:?}, must be {proving:?}"));
    }
    found.extend(of_requests(expected.requests, calls));
    found
}

fn of_finding(finding: &FindingReport, outcome: &Outcome, reads: Option<u8>, case: &Case) -> Option<String> {
    let named: Vec<(u64, u64, u64)> =
        finding.damage.iter().map(|damage| (damage.part, damage.offset_bytes, damage.length_bytes)).collect();
    let code = finding.reason.as_ref().map(|reason| reason.code.name());
    let right = match outcome {
        Outcome::Pass => finding.verdict == Verdict::Pass,
        Outcome::Fail(parts) => {
            let ranges: Vec<(usize, usize)> = ranges(&case.told).collect();
            let must: Vec<(u64, u64, u64)> =
                parts.iter().map(|part| (*part as u64 + 1, ranges[*part].0 as u64, ranges[*part].1 as u64)).collect();
            let read_so = |damage: &stored_ami::report::DamageReport| {
                damage.expected != damage.observed && damage.second_read.as_ref() == Some(&damage.observed)
            };
            finding.verdict == Verdict::Fail
                && named == must
                && finding.reads == reads
                && finding.expected != finding.observed
                && finding.damage.iter().all(read_so)
        }
        Outcome::Unknown(why) => {
            let codes: &[&str] = match why {
                Why::Layout => &["layout_not_proved", "layout_unknown"],
                Why::NotMd5 => &["etag_not_md5"],
                Why::Sampled => &["sampled", "sample_unheld"],
                Why::Protocol => &["protocol"],
                Why::Unstable => &["unstable_read"],
                Why::Contradiction => &["contradiction"],
            };
            finding.verdict == Verdict::Unknown && code.is_some_and(|code| codes.contains(&code))
        }
    };
    (!right).then(|| format!("must be {outcome:?}, read {reads:?} times"))
}

fn of_requests(expected: Requests, calls: &[CallRecord]) -> Option<String> {
    let (gets, bytes) = (calls.len(), calls.iter().map(|call| call.bytes_sent as usize).sum::<usize>());
    let under_one_identity = calls.iter().all(|call| call.if_match.is_some() && call.range.is_some());
    let right = match expected {
        Requests::Exactly { gets: wanted, bytes: sent } => (gets, bytes) == (wanted, sent),
        Requests::AtMost { bytes: most } => bytes <= most,
    };
    let ranges = || calls.iter().map(|call| call.range.as_deref().unwrap_or("all")).collect::<Vec<_>>().join(", ");
    let problem = || format!("{gets} GETs of {bytes} bytes, must be {expected:?} under If-Match: {}", ranges());
    (!right || !under_one_identity).then(problem)
}
