//! Manifests of huge objects, which the digests of runs are compared with.

use crate::audit::judge_joined;
use crate::checks::{Digests, Judgement, judge};
use crate::ident::{ObjectIdentity, ObjectUri};
use crate::manifest::Manifest;
use crate::plan::Reference;
use crate::verdict::{CheckId, Finding, Origin, Outcome, Reason, Subject};

/// Manifests that a complete read wrote, with the names of their files.
#[derive(Debug, Clone, Default)]
pub struct GivenManifests(pub Vec<(String, Manifest)>);

impl GivenManifests {
    /// The manifests of an object in this state.
    fn of<'a>(&'a self, target: &'a ObjectUri, seen: &'a ObjectIdentity) -> impl Iterator<Item = &'a Manifest> + 'a {
        let manifests = self.0.iter().map(|(_, manifest)| manifest);
        manifests.filter(move |manifest| is_of(manifest, target, seen))
    }

    /// Whether a manifest of the object says more than what was computed when that was written.
    pub(super) fn are_from_elsewhere(&self, target: &ObjectUri, seen: &ObjectIdentity) -> bool {
        self.of(target, seen).any(|manifest| manifest.is_from_elsewhere(&target.to_string()))
    }

    /// The files whose manifest is of none of these objects.
    pub(super) fn unused(&self, objects: &[(ObjectUri, ObjectIdentity)]) -> Vec<&str> {
        let is_unused =
            |(_, manifest): &&(String, Manifest)| !objects.iter().any(|(uri, seen)| is_of(manifest, uri, seen));
        self.0.iter().filter(is_unused).map(|(name, _)| name.as_str()).collect()
    }

    /// Judges the references that S3 states together with the values of the manifests which the digests of the runs
    /// decide. A manifest of which they decide nothing leaves a check open.
    pub(super) fn judge(
        &self,
        (target, seen): (&ObjectUri, &ObjectIdentity),
        mut references: Vec<Reference>,
        (digests, size): (&Digests, u64),
    ) -> Vec<Finding> {
        let mut open = Vec::new();
        for manifest in self.of(target, seen) {
            let theirs = manifest.references().unwrap_or_default();
            let is_decided = |reference: &Reference| !matches!(judge(reference, digests, size), Judgement::Incomplete);
            let decided: Vec<Reference> = theirs.into_iter().filter(is_decided).collect();
            if decided.is_empty() {
                let check = CheckId::Reference(Origin::Manifest, Subject::Value);
                open.push(Finding { check, required: true, outcome: Outcome::Unknown(Reason::NotJoined) });
            }
            references.extend(decided);
        }
        let mut findings = judge_joined(&references, digests, size);
        findings.extend(open);
        findings
    }
}

fn is_of(manifest: &Manifest, target: &ObjectUri, seen: &ObjectIdentity) -> bool {
    manifest.is_proved()
        && manifest.target == target.to_string()
        && manifest.content().same_as(&seen.content()).is_yes()
}
