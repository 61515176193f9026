//! Whether a report that comes from a file agrees with itself. Its verdict, its exit code and its proof follow from its
//! findings; one that says otherwise was altered, or was not written by this program.

use super::{AuditedBucketReport, AuditedReport, Exit, FindingReport, exit_of, verdict_of};
use crate::ident::ObjectUri;
use crate::verdict::{CheckId, CheckName, Upkeep, Verdict};

impl FindingReport {
    /// What disagrees in it; `None` where nothing does.
    pub fn contradiction(&self) -> Option<String> {
        let says = |problem: &str| Some(format!("{}: {problem}", self.check));
        match self.verdict.as_str() {
            "pass" | "fail" if self.reason.is_some() => says("it is decided, and gives a reason why it is not known"),
            "pass" if !self.damage.is_empty() || self.reads.is_some() => says("it passes, and names damage"),
            "pass" | "fail" => None,
            "unknown" if self.reason.is_none() => says("it is unknown, and gives no reason"),
            "unknown" if !self.damage.is_empty() => says("it is unknown, and names damage"),
            "unknown" => None,
            other => says(&format!("`{other}` is no verdict")),
        }
    }

    /// Whether it is about the bytes and the identity of an object, and not about what is demanded of it or what it was
    /// before. A check of an unknown name counts as one.
    fn is_about_bytes(&self) -> bool {
        match self.check.parse::<CheckName>() {
            Ok(CheckName::One(CheckId::Upkeep(upkeep))) => upkeep == Upkeep::Sound,
            Ok(CheckName::One(CheckId::Condition(_))) => false,
            _ => true,
        }
    }
}

impl AuditedReport {
    /// What disagrees in it; `None` where nothing does.
    pub fn contradiction(&self) -> Option<String> {
        let findings = self.findings.iter().find_map(FindingReport::contradiction);
        findings.or_else(|| self.odd_result()).or_else(|| self.odd_proof()).or_else(|| self.odd_change())
    }

    fn odd_result(&self) -> Option<String> {
        if self.target.parse::<ObjectUri>().is_err() {
            return Some("its target is no object".to_owned());
        }
        let found = exit_of(&self.findings);
        // Work that was cut off or could not be done shows in no finding.
        let cut_off = matches!(Exit::of(self.exit_code), Exit::Usage | Exit::CouldNot | Exit::Interrupted);
        let known = Exit::of(self.exit_code).code() == self.exit_code;
        let covers = Exit::of(self.exit_code).and(found).code() == self.exit_code;
        if !known || !covers || (self.exit_code != found.code() && !cut_off) {
            return Some(format!("its findings give exit code {}, and it says {}", found.code(), self.exit_code));
        }
        // Without a proof that still holds nothing passes; whether one holds depends on its age.
        let may_pass = self.proof.is_some() && self.exit_code == Exit::Passed.code();
        let verdict = verdict_of(&self.findings, may_pass);
        let open = self.verdict == Verdict::Unknown.name() && verdict == Verdict::Pass;
        (self.verdict != verdict.name() && !open)
            .then(|| format!("its findings give the verdict {}, and it says {}", verdict.name(), self.verdict))
    }

    fn odd_proof(&self) -> Option<String> {
        let passes = self.verdict == Verdict::Pass.name();
        let bytes = self.identity.as_ref().map(|identity| identity.object_bytes);
        let whole = |finding: &FindingReport| {
            finding.check == "proof" && finding.verdict == Verdict::Pass.name() && finding.covered_bytes == bytes
        };
        if passes && bytes.is_none_or(|bytes| bytes == 0) {
            return Some("it passes, and has no bytes".to_owned());
        }
        if passes && self.examined.as_deref() == Some("bytes") && !self.findings.iter().any(whole) {
            return Some("it passes, and no finding says that every byte was proved".to_owned());
        }
        let proof = self.proof.as_ref()?;
        let contradicts = |finding: &&FindingReport| {
            let open = finding.check == "sound" && finding.verdict == Verdict::Unknown.name();
            open || finding.verdict == Verdict::Fail.name() && finding.is_about_bytes()
        };
        if bytes.is_none() {
            return Some("it has a proof, and no identity that was proved".to_owned());
        }
        if proof.by.is_empty() || proof.at.parse::<jiff::Timestamp>().is_err() {
            return Some("its proof does not tell by what or when".to_owned());
        }
        let contrary = self.findings.iter().find(contradicts)?;
        Some(format!("it has a proof of bytes that `{}` contradicts", contrary.check))
    }

    fn odd_change(&self) -> Option<String> {
        let found = exit_of(&self.findings);
        let fits = match self.change.as_deref() {
            None | Some("new" | "same" | "replaced_same_content") => true,
            Some("replaced" | "missing") => found == Exit::Failed,
            Some("replaced_unclear") => found != Exit::Passed,
            Some(other) => return Some(format!("`{other}` is no change")),
        };
        let change = self.change.as_deref().unwrap_or_default().replace('_', " ");
        (!fits).then(|| format!("it is {change}, and no finding says so"))
    }
}

impl AuditedBucketReport {
    /// What disagrees in it; `None` where nothing does.
    pub fn contradiction(&self) -> Option<String> {
        let (exit, verdict) = (exit_of(&self.findings), verdict_of(&self.findings, true));
        self.findings.iter().find_map(FindingReport::contradiction).or_else(|| {
            (exit.code() != self.exit_code || verdict.name() != self.verdict).then(|| {
                let given = format!("{} with exit code {}", verdict.name(), exit.code());
                format!("its findings give {given}, and it says {} with {}", self.verdict, self.exit_code)
            })
        })
    }
}
