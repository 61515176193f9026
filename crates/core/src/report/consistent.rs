//! Checks that a report read from a file is consistent. Verdict, exit code and proof follow from the
//! findings; a report that states otherwise was altered or was not written by this program.

use super::{AuditedBucketReport, AuditedReport, Exit, FindingReport, IdentityReport, exit_of, verdict_of};
use crate::audit::{ChangeKind, Level};
use crate::checks::wrong_size;
use crate::ident::Target;
use crate::verdict::{CheckId, Origin, PolicyCheck, ProofKind, ReasonCode, Subject, Verdict};

/// The largest integer that all JSON readers represent exactly. No count of an audit comes near it.
pub(super) const MOST: u64 = 1 << 53;

impl FindingReport {
    /// A contradiction in this finding, for the user; `None` if there is none.
    pub fn contradiction(&self) -> Option<String> {
        let says = |problem: &str| Some(format!("{}: {problem}", self.check));
        match self.verdict {
            Verdict::Pass | Verdict::Fail if self.reason.is_some() => {
                says("it is decided, and gives a reason why it is not known")
            }
            Verdict::Pass if !self.damage.is_empty() || self.reads.is_some() => says("it passes, and names damage"),
            Verdict::Pass if !self.agrees() => says("it passes, and what was observed is not what was expected"),
            Verdict::Pass | Verdict::Fail => None,
            Verdict::Unknown if self.reason.is_none() => says("it is unknown, and gives no reason"),
            Verdict::Unknown if !self.damage.is_empty() => says("it is unknown, and names damage"),
            Verdict::Unknown => None,
        }
    }

    pub(super) fn upkeep(&self) -> Option<PolicyCheck> {
        match self.check {
            CheckId::PolicyCheck(upkeep) => Some(upkeep),
            _ => None,
        }
    }

    fn passes(&self) -> bool {
        self.verdict == Verdict::Pass
    }

    /// Whether it compares the bytes with one value.
    fn is_value(&self) -> bool {
        matches!(self.check, CheckId::Reference(_, Subject::ETag | Subject::Checksum(_)))
    }

    /// Whether expected and observed value agree, if both are of the same kind.
    fn agrees(&self) -> bool {
        let by_part = |expected: &str, observed: &str| {
            let parts = observed.strip_prefix(expected).and_then(|rest| rest.strip_prefix('-'));
            parts.is_some_and(|parts| parts.parse::<u32>().is_ok())
        };
        let both = self.expected.as_deref().zip(self.observed.as_deref());
        match self.check {
            CheckId::Reference(_, Subject::ETag) => {
                both.is_some_and(|(expected, observed)| expected.eq_ignore_ascii_case(observed))
            }
            // The server does not always state the number of parts.
            CheckId::Reference(_, Subject::Checksum(_)) => {
                both.is_some_and(|(expected, observed)| expected == observed || by_part(expected, observed))
            }
            CheckId::Identity | CheckId::Proof => both.is_some_and(|(expected, observed)| expected == observed),
            _ => true,
        }
    }

    /// Whether it is about the bytes and the identity of an object, not about a policy or earlier states. A
    /// check of an unknown name counts as one.
    fn is_about_bytes(&self) -> bool {
        match self.check {
            CheckId::PolicyCheck(upkeep) => upkeep == PolicyCheck::Sound,
            CheckId::Condition(_) => false,
            _ => true,
        }
    }

    /// Whether an examination at this level may leave it optional.
    fn may_be_optional(&self, examined: Option<Level>) -> bool {
        let sampled = self.reason.as_ref().is_some_and(|reason| reason.code == ReasonCode::Sampled);
        match self.check {
            CheckId::Identity | CheckId::PolicyCheck(_) => false,
            CheckId::Proof if examined == Some(Level::Facts) => true,
            CheckId::Proof | CheckId::Size => examined == Some(Level::Sample) && sampled,
            _ => true,
        }
    }

    /// Why it cannot be a finding of an object of this size.
    fn odd_in(&self, bytes: Option<u64>, examined: Option<Level>) -> Option<String> {
        let says = |problem: String| Some(format!("{}: {problem}", self.check));
        if !self.required && !self.may_be_optional(examined) {
            return says("it is always required, and is said not to be".to_owned());
        }
        if !self.passes() {
            return None;
        }
        let must_cover = self.is_value() || self.check == CheckId::Proof;
        if (must_cover || self.covered_bytes.is_some()) && self.covered_bytes != bytes {
            let covered = self.covered_bytes.unwrap_or_default();
            return says(format!("it passes over {covered} of {} bytes", bytes.unwrap_or_default()));
        }
        if self.check == CheckId::Size && self.observed.as_deref().and_then(number) != bytes {
            return says("it passes, and what was observed is not the size of the object".to_owned());
        }
        None
    }
}

/// The number in a text, with or without separators of thousands.
fn number(text: &str) -> Option<u64> {
    text.chars().filter(char::is_ascii_digit).collect::<String>().parse().ok()
}

/// Why a duration is impossible.
pub(super) fn odd_seconds(seconds: f64) -> Option<String> {
    const YEAR: f64 = 366.0 * 86_400.0;
    (!(0.0..=YEAR).contains(&seconds)).then(|| format!("elapsed_seconds is {seconds}"))
}

/// Whether a proof of this state can be kept.
fn is_provable(identity: &IdentityReport) -> bool {
    identity.identity().has_strong_etag()
}

impl AuditedReport {
    /// A contradiction in this line, for the user; `None` if there is none.
    pub fn contradiction(&self) -> Option<String> {
        let findings = self.findings.iter().find_map(FindingReport::contradiction);
        findings
            .or_else(|| self.odd_result())
            .or_else(|| self.odd_object())
            .or_else(|| self.odd_proof())
            .or_else(|| self.odd_unread_proof())
            .or_else(|| self.odd_findings())
            .or_else(|| self.odd_lack())
            .or_else(|| self.odd_change())
    }

    fn is_at(&self, level: Level) -> bool {
        self.examined == Some(level)
    }

    fn bytes(&self) -> Option<u64> {
        self.identity.as_ref().map(|identity| identity.object_bytes)
    }

    fn finding(&self, check: CheckId) -> Option<&FindingReport> {
        self.findings.iter().find(|finding| finding.check == check)
    }

    /// Whether every byte was proved in this run, but the object has no ETag under which the proof could be
    /// kept.
    fn is_proved_unkept(&self) -> bool {
        let proof = self.finding(CheckId::Proof).filter(|finding| finding.passes());
        let unkept = self.identity.as_ref().is_some_and(|identity| !is_provable(identity));
        unkept && self.is_at(Level::Bytes) && proof.is_some_and(|proof| proof.covered_bytes == self.bytes())
    }

    /// Whether the object may count as proved.
    pub(super) fn may_be_proved(&self) -> bool {
        self.proof.is_some() || self.is_proved_unkept()
    }

    fn odd_result(&self) -> Option<String> {
        let found = exit_of(&self.findings);
        // Work that was interrupted or could not be done has no finding.
        let cut_off = matches!(self.exit_code, Exit::Usage | Exit::CouldNot | Exit::Interrupted);
        let covers = self.exit_code.and(found) == self.exit_code;
        if !covers || (self.exit_code != found && !cut_off) {
            let (found, says) = (found.code(), self.exit_code.code());
            return Some(format!("its findings give exit code {found}, and it says {says}"));
        }
        // Nothing passes without a valid proof. Whether a proof is valid also depends on its age.
        let may_pass = self.may_be_proved() && self.exit_code == Exit::Passed;
        let verdict = verdict_of(&self.findings, may_pass);
        let open = self.verdict == Verdict::Unknown && verdict == Verdict::Pass;
        (self.verdict != verdict && !open)
            .then(|| format!("its findings give the verdict {verdict}, and it says {}", self.verdict))
    }

    /// An impossible property of the object.
    fn odd_object(&self) -> Option<String> {
        let counts = [Some(self.requests), Some(self.received_bytes), self.bytes()];
        if let Some(count) = counts.into_iter().flatten().find(|count| *count > MOST) {
            return Some(format!("it counts {count}, more than there can be"));
        }
        let target = Target::Object(self.target.clone());
        let of_key = target.ami_id().map(|id| id.to_string());
        if let Some(identity) = self.identity.as_ref().filter(|identity| identity.ami_id != of_key) {
            let says = identity.ami_id.as_deref().unwrap_or("no AMI");
            return Some(format!(
                "its key is of {}, and its identity of {says}",
                of_key.unwrap_or("no AMI".to_owned())
            ));
        }
        let is_open = self.finding(CheckId::Identity).is_some_and(FindingReport::blocks_pass);
        let says_size = self.finding(CheckId::Size).is_some_and(|size| size.verdict == Verdict::Fail);
        if self.bytes().is_some_and(|bytes| wrong_size(&target, bytes).is_some()) && !says_size && !is_open {
            return Some("it has no bytes, and its size does not fail".to_owned());
        }
        odd_seconds(self.elapsed_seconds)
    }

    fn odd_proof(&self) -> Option<String> {
        let passes = self.verdict == Verdict::Pass;
        let bytes = self.bytes();
        let proved = self.finding(CheckId::Proof).filter(|finding| finding.passes());
        if passes && bytes.is_none_or(|bytes| bytes == 0) {
            return Some("it passes, and has no bytes".to_owned());
        }
        if passes && self.is_at(Level::Bytes) && proved.is_none_or(|proof| proof.covered_bytes != bytes) {
            return Some("it passes, and no finding says that every byte was proved".to_owned());
        }
        let stored = self.findings.iter().filter(|one| one.passes() && is_of_audit(one.check));
        let matched: Vec<CheckId> = stored.map(|one| one.check).collect();
        if proved.is_some() && (matched.is_empty() || !self.is_at(Level::Bytes)) {
            return Some("it says that every byte was proved, and no check of the bytes passed".to_owned());
        }
        let proof = self.proof.as_ref()?;
        if self.identity.as_ref().is_none_or(|identity| !is_provable(identity)) {
            return Some("it has a proof, and no identity that was proved".to_owned());
        }
        if proof.by.is_empty() || proof.at.parse::<jiff::Timestamp>().is_err() {
            return Some("its proof does not state by what or when".to_owned());
        }
        let of_run = proved.is_some();
        if proof.kind != ProofKind::Read {
            return Some(format!("its proof is `{}`, which reads nothing", proof.kind));
        }
        // A copy proves its source also by values that were given to it.
        let shown = |by: CheckId| if of_run { matched.contains(&by) } else { matches!(by, CheckId::Reference(..)) };
        if let Some(by) = proof.by.iter().find(|by| !by.known().copied().is_some_and(shown)) {
            return Some(format!("it has a proof by `{by}`, which no check of it shows"));
        }
        let known_before = !matches!(self.change, None | Some(ChangeKind::New));
        if !of_run && !known_before {
            return Some("it has a proof, which is neither of this run nor of an earlier one".to_owned());
        }
        let contradicts = |finding: &&FindingReport| {
            let open = finding.check == CheckId::PolicyCheck(PolicyCheck::Sound) && finding.verdict == Verdict::Unknown;
            open || finding.verdict == Verdict::Fail && finding.is_about_bytes()
        };
        let contrary = self.findings.iter().find(contradicts)?;
        Some(format!("it has a proof of bytes that `{}` contradicts", contrary.check))
    }

    fn odd_unread_proof(&self) -> Option<String> {
        let proof = self.unread_proof.as_ref()?;
        let is_unread = proof.kind.known().is_some_and(|kind| *kind != ProofKind::Read);
        (!is_unread).then(|| format!("its unread proof is `{}`", proof.kind))
    }

    fn odd_findings(&self) -> Option<String> {
        let odd = |finding: &FindingReport| finding.odd_in(self.bytes(), self.examined);
        if let Some(problem) = self.findings.iter().find_map(odd) {
            return Some(problem);
        }
        let is_twice = |(index, finding): (usize, &FindingReport)| {
            let mut before = self.findings.iter().take(index);
            before.any(|one| one.check == finding.check).then(|| format!("{}: it is there twice", finding.check))
        };
        self.findings.iter().enumerate().find_map(is_twice)
    }

    /// A finding that an audit always includes and that is missing.
    fn odd_lack(&self) -> Option<String> {
        let blocks = |check| self.finding(check).is_some_and(FindingReport::blocks_pass);
        let (is_open, is_gone) = (blocks(CheckId::Identity), blocks(CheckId::PolicyCheck(PolicyCheck::Present)));
        let lacks = |check: CheckId| self.finding(check).is_none().then(|| format!("it says nothing of its {check}"));
        match (&self.examined, &self.identity) {
            (None, None) if is_gone || blocks(CheckId::Proof) => None,
            (Some(_), None) if is_gone || is_open => None,
            (_, None) => Some("it has no identity, and no finding says why".to_owned()),
            (Some(_), Some(_)) if is_open => None,
            (Some(_), Some(_)) => lacks(CheckId::Size).or_else(|| lacks(CheckId::Proof)),
            (None, Some(_)) => self
                .finding(CheckId::PolicyCheck(PolicyCheck::Unchanged))
                .is_none()
                .then(|| "it was not examined, and nothing says that it is the same".to_owned()),
        }
    }

    fn odd_change(&self) -> Option<String> {
        let found = exit_of(&self.findings);
        let unchanged = self.finding(CheckId::PolicyCheck(PolicyCheck::Unchanged)).map(|finding| finding.verdict);
        let change = self.change.unwrap_or(ChangeKind::New);
        let fits = match change {
            ChangeKind::New => unchanged.is_none(),
            ChangeKind::Same | ChangeKind::ReplacedSameContent => unchanged == Some(Verdict::Pass),
            ChangeKind::Replaced | ChangeKind::Missing => found == Exit::Failed,
            ChangeKind::ReplacedUnclear => found != Exit::Passed,
        };
        (!fits).then(|| format!("it is {}, and no finding says so", change.in_words()))
    }
}

/// Whether a check of an audit compares the bytes with a value.
fn is_of_audit(check: CheckId) -> bool {
    let of_audit = |origin: Origin| origin == Origin::Stored || origin.is_left_by_others();
    matches!(check, CheckId::Reference(origin, Subject::ETag | Subject::Checksum(_)) if of_audit(origin))
}

impl AuditedBucketReport {
    /// A contradiction in this line, for the user; `None` if there is none.
    pub fn contradiction(&self) -> Option<String> {
        let (exit, verdict) = (exit_of(&self.findings), verdict_of(&self.findings, true));
        let odd = |finding: &FindingReport| finding.contradiction().or_else(|| finding.odd_in(None, None));
        self.findings.iter().find_map(odd).or_else(|| {
            (exit != self.exit_code || verdict != self.verdict).then(|| {
                let given = format!("{verdict} with exit code {}", exit.code());
                format!("its findings give {given}, and it says {} with {}", self.verdict, self.exit_code.code())
            })
        })
    }
}
