//! The expected result of a case, from what each kind of reference can prove.

use crate::claim::Claim;
use crate::harm::{Case, Harm};
use crate::holding::{Holding, Reading};
use crate::requests::{Requests, requests};

/// The verdict on one reference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    Pass,
    /// The parts it names, counted from 0.
    Fail(Vec<usize>),
    Unknown(Why),
}

/// Why a verdict is unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// The part layout is not proved.
    Layout,
    NotMd5,
    Sampled,
    /// The responses contradict each other.
    Protocol,
    Unstable,
    /// Another reference matched, and two reads differ for this one.
    Contradiction,
}

/// What one reference can prove about the harm.
pub fn outcome(claim: &Claim, case: &Case, holding: &Holding) -> Outcome {
    let parts_gone = case.told.len() < case.written.len();
    // The first read does not count if it used a wrong layout.
    let read_again = claim.unlisted && claim.by_part && holding.misled(case).is_some() && !holding.knows_parts(case);
    let differs = claim.sees(case) || (case.harm == Harm::Wire && !read_again);
    match case.harm {
        Harm::Short | Harm::Long => Outcome::Unknown(Why::Protocol),
        // The ETag covers more parts than the object has.
        _ if claim.by_part && parts_gone => match holding.reading {
            Reading::Sample => Outcome::Unknown(Why::Sampled),
            Reading::Usual | Reading::InOrder => Outcome::Unknown(Why::Layout),
        },
        _ if differs && !claim.refutes => Outcome::Unknown(Why::Layout),
        Harm::Wire if differs => Outcome::Unknown(Why::Unstable),
        _ if holding.reading == Reading::Sample => match sampled(claim.wrong_parts(case)) {
            found if found.is_empty() => Outcome::Unknown(Why::Sampled),
            found => Outcome::Fail(found),
        },
        _ if differs && claim.names => Outcome::Fail(claim.wrong_parts(case)),
        _ if differs => Outcome::Fail(Vec::new()),
        _ if !claim.right => Outcome::Unknown(Why::Layout),
        _ => Outcome::Pass,
    }
}

fn sampled(parts: Vec<usize>) -> Vec<usize> {
    parts.into_iter().filter(|part| part % 2 == 1).collect()
}

/// The expected report.
#[derive(Debug)]
pub struct Expected {
    /// Check, outcome, and how often a wrong value must have been read.
    pub findings: Vec<(String, Outcome, Option<u8>)>,
    pub verdict: &'static str,
    pub exit_code: u8,
    pub requests: Requests,
}

impl Holding {
    /// Whether a source other than S3 states the layout: a manifest with MD5, like the ETag.
    pub fn knows_parts(&self, case: &Case) -> bool {
        self.claims().iter().any(|claim| claim.check == "manifest-parts-md5" && !claim.dropped(case))
    }
}

impl Claim {
    /// Another size settles the check, and the value is not compared.
    fn dropped(&self, case: &Case) -> bool {
        self.sized.is_some() && case.stated_size != case.written.iter().sum::<usize>()
    }
}

type Findings = [(String, Outcome, Option<u8>)];

/// The number of reads of references that disagree with each other. A different size is not a statement about the same
/// bytes.
fn contradiction(findings: &Findings) -> Option<Option<u8>> {
    let refuted = |(check, outcome, _): &&(String, Outcome, Option<u8>)| {
        matches!(outcome, Outcome::Fail(_)) && !check.ends_with("-size")
    };
    let matched = findings.iter().any(|(_, outcome, _)| *outcome == Outcome::Pass);
    let reads = findings.iter().filter(refuted).map(|(.., reads)| *reads).min()?;
    matched.then_some(reads)
}

/// Whether a value given by the user is not judged: any of them, or all of a manifest or of another object.
fn given_is_open(findings: &Findings) -> bool {
    let any = |from: &str, wanted: fn(&Outcome) -> bool| {
        findings.iter().any(|(check, outcome, _)| check.starts_with(from) && wanted(outcome))
    };
    let open = |from: &str| any(from, |outcome| matches!(outcome, Outcome::Unknown(_)));
    let matched = |from: &str| any(from, |outcome| *outcome == Outcome::Pass);
    let of_one = |from: &&str| open(from) && !matched(from);
    open("expect-") || open("sums-") || ["manifest-", "like-"].iter().any(of_one)
}

/// The expected report of a case.
pub fn expected(holding: &Holding, case: &Case) -> Expected {
    let (dropped, used): (Vec<Claim>, Vec<Claim>) = holding.claims().into_iter().partition(|c| c.dropped(case));
    let judged: Vec<(&Claim, Outcome)> = used.iter().map(|claim| (claim, outcome(claim, case, holding))).collect();
    let (requests, partial) = requests(holding, case, &judged);
    let reads = |outcome: &Outcome| match outcome {
        // Only the damaged parts were read a second time.
        Outcome::Fail(parts) if partial && parts.is_empty() => Some(1),
        Outcome::Fail(_) => Some(2),
        _ => None,
    };
    let finding = |(claim, outcome): &(&Claim, Outcome)| (claim.check.clone(), outcome.clone(), reads(outcome));
    let mut findings: Vec<_> = judged.iter().map(finding).collect();
    if let Some(sized) = dropped.iter().find_map(|claim| claim.sized) {
        findings.push((sized.to_owned(), Outcome::Fail(Vec::new()), Some(1)));
    }
    let not_md5 = |check: &str| (check.to_owned(), Outcome::Unknown(Why::NotMd5), None);
    if !holding.claims().iter().any(|claim| claim.check == "etag") {
        findings.push(not_md5("etag"));
    }
    if holding.claims().iter().any(|claim| claim.sized == Some("like-size")) {
        findings.push(not_md5("like-etag"));
    }
    if let Some(reads) = contradiction(&findings) {
        findings.push(("contradiction".to_owned(), Outcome::Fail(Vec::new()), reads));
    }
    let has = |wanted: &Outcome| findings.iter().any(|(_, outcome, _)| outcome == wanted);
    let unsettled = has(&Outcome::Pass) && has(&Outcome::Unknown(Why::Unstable));
    if unsettled {
        findings.push(("contradiction".to_owned(), Outcome::Unknown(Why::Contradiction), None));
    }
    let any = |wanted: fn(&Outcome) -> bool| findings.iter().any(|(_, outcome, _)| wanted(outcome));
    let (verdict, exit_code) = match () {
        () if any(|outcome| matches!(outcome, Outcome::Fail(_))) => ("fail", 1),
        () if unsettled || given_is_open(&findings) => ("unknown", 3),
        () if any(|outcome| *outcome == Outcome::Pass) => ("pass", 0),
        () => ("unknown", 3),
    };
    Expected { findings, verdict, exit_code, requests }
}
