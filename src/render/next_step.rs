//! What the reader of a report can do next, with commands for the object of the report. Terminal and page show the same
//! steps: the terminal as a label with the command, the page as a sentence with the command.

use crate::ident::{AmiId, ObjectUri, Target, lasting_version, shell_option, shell_word};
use crate::report::{EndOption, FindingReport, IdentityReport, ReasonReport, VerifyReport, arguments, aws_arguments};
use crate::verdict::{CheckId, Origin, ReasonCode, Subject, Verdict};

/// A step that the reader can take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum NextStep {
    /// Advice of a reason, as text.
    Advice(String),
    /// Make an archived object readable.
    BringBack(ObjectUri),
    /// Restore nothing from the object, and keep the other copies.
    KeepOtherCopies,
    /// Find an older version of the object.
    ListVersions {
        /// The object.
        object: ObjectUri,
        /// Whether its own version shows that the bucket keeps versions.
        is_versioned: bool,
    },
    /// Compare a target with another copy. The key is that of the target, if it is in S3.
    CompareWithCopy {
        /// The object or file that is damaged.
        target: Target,
    },
    /// Replace the object by a copy that is proved on the way.
    Repair {
        /// The damaged object.
        object: ObjectUri,
        /// Its ETag, if it is known.
        etag: Option<String>,
    },
    /// Store the image again.
    StoreAgain(AmiId),
    /// Check that the image can be restored from a copy with this key.
    RestoreFromCopy {
        /// The key of the copy.
        key: String,
    },
    /// Copy a file again.
    CopyAgain,
    /// Record what is wrong with the bytes of an object in a ledger.
    Record(ObjectUri),
    /// Accept that an object was replaced or deleted.
    Accept {
        /// The object.
        object: ObjectUri,
        /// The ledger, if it is known.
        ledger: Option<String>,
    },
    /// Verify the object that a reference is of.
    VerifyOriginal,
    /// Read all of an object again on one machine.
    ReadAgain(ObjectUri),
    /// Read one part of an object again.
    ReadPart {
        /// The object.
        object: ObjectUri,
        /// The number of the part.
        part: u64,
        /// The value of the part, as `--expect` takes it.
        expected: String,
    },
}

/// An object or file whose bytes are wrong.
#[derive(Debug, Clone, Copy)]
pub(super) struct Damaged<'a> {
    pub target: &'a Target,
    /// S3 gives a version, which may be `null`, for each object of a bucket that has ever kept versions.
    pub version_id: Option<&'a str>,
    pub etag: Option<&'a str>,
}

impl<'a> Damaged<'a> {
    pub(super) fn new(target: &'a Target, identity: &'a IdentityReport) -> Self {
        Damaged { target, version_id: identity.version_id.as_deref(), etag: identity.etag.as_deref() }
    }
}

impl NextStep {
    /// The same step with the ledger of the audit.
    pub(super) fn in_ledger(self, ledger: Option<&str>) -> Self {
        match self {
            NextStep::Accept { object, .. } => NextStep::Accept { object, ledger: ledger.map(str::to_owned) },
            other => other,
        }
    }

    /// The advice on a reason. `target` is the object, as a URI or a path.
    pub(super) fn after_reason(reason: &ReasonReport, target: &str) -> Option<Self> {
        match (reason.code, target.parse::<ObjectUri>()) {
            (ReasonCode::Archived, Ok(object)) => Some(NextStep::BringBack(object)),
            _ => reason.advice.clone().map(NextStep::Advice),
        }
    }

    /// What to do about an object or file whose bytes are wrong.
    pub(super) fn after_damage(damaged: Damaged<'_>) -> Vec<Self> {
        let Damaged { target, version_id, etag } = damaged;
        let compare = NextStep::CompareWithCopy { target: target.clone() };
        let object = match target {
            Target::Object(object) => object,
            Target::Presigned(url) => url.object(),
            Target::File(_) => return vec![NextStep::KeepOtherCopies, compare, NextStep::CopyAgain],
        };
        let version = version_id.or(object.version.as_deref());
        let versions = |version| NextStep::ListVersions {
            object: object.clone(),
            is_versioned: lasting_version(Some(version)).is_some(),
        };
        let steps = [
            Some(NextStep::KeepOtherCopies),
            version.map(versions),
            Some(compare),
            Some(NextStep::Repair { object: object.at_version(None), etag: etag.map(str::to_owned) }),
            target.ami_id().map(NextStep::StoreAgain),
            Some(NextStep::RestoreFromCopy { key: object.key.clone() }),
        ];
        steps.into_iter().flatten().collect()
    }

    /// What to do about an object or file that failed its verification.
    pub(super) fn after_verification(report: &VerifyReport) -> Vec<Self> {
        let Ok(target) = report.target.parse::<Target>() else { return Vec::new() };
        // A copy that passes is held against its own checksums, as this object was, and not against the reference: to
        // replace a sound object by it is no repair.
        if report.unlike().is_some() {
            return vec![NextStep::KeepOtherCopies, NextStep::VerifyOriginal];
        }
        let damaged = Damaged::new(&target, &report.identity);
        if let Some(damage) = report.damage() {
            // An audit looks at current objects with the name of a stored AMI, and at the values that S3 stores.
            let is_stored = |check: &CheckId| matches!(check, CheckId::Reference(Origin::Stored, _));
            let record = match &target {
                Target::Object(object) if object.version.is_none() && target.ami_id().is_some() => {
                    damage.refuted_by.iter().any(is_stored).then(|| NextStep::Record(object.clone()))
                }
                _ => None,
            };
            return Self::after_damage(damaged).into_iter().chain(record).collect();
        }
        Vec::new()
    }

    /// How bytes that were read once and do not match are read again: the first part that differs, if it is known, and all
    /// of the object.
    pub(super) fn after_one_read(object: &ObjectUri, findings: &[FindingReport]) -> Vec<Self> {
        let is_of_bytes = |finding: &&FindingReport| matches!(finding.check, CheckId::Reference(..));
        let failed = findings.iter().filter(is_of_bytes).filter(|finding| finding.verdict == Verdict::Fail);
        let (once, twice): (Vec<&FindingReport>, Vec<_>) = failed.partition(|finding| finding.reads == Some(1));
        if once.is_empty() || !twice.is_empty() {
            return Vec::new();
        }
        let part = once.iter().find_map(|finding| {
            let CheckId::Reference(_, Subject::Checksum(algorithm) | Subject::Parts(algorithm)) = finding.check else {
                return None;
            };
            let damage = finding.damage.first()?;
            let expected = format!("{algorithm}:{}", damage.expected);
            Some(NextStep::ReadPart { object: object.clone(), part: damage.part, expected })
        });
        part.into_iter().chain([NextStep::ReadAgain(object.clone())]).collect()
    }

    /// A short name for the column of labels.
    pub(super) fn label(&self) -> &'static str {
        match self {
            NextStep::Advice(_) | NextStep::KeepOtherCopies | NextStep::VerifyOriginal => "next",
            NextStep::Record(_) => "record it",
            NextStep::Accept { .. } => "if wanted",
            NextStep::BringBack(_) => "bring back",
            NextStep::ListVersions { .. } => "older version",
            NextStep::CompareWithCopy { .. } => "other copy",
            NextStep::Repair { .. } => "repair",
            NextStep::StoreAgain(_) => "if AMI exists",
            NextStep::RestoreFromCopy { .. } => "restore from",
            NextStep::CopyAgain => "copy again",
            NextStep::ReadAgain(_) => "read again",
            NextStep::ReadPart { .. } => "read part",
        }
    }

    /// The step as a clause.
    pub(super) fn clause(&self) -> String {
        let text = match self {
            NextStep::Advice(advice) => advice,
            NextStep::BringBack(_) => "bring it back first; this costs money and takes hours",
            NextStep::KeepOtherCopies => {
                "do not restore from this object, and keep every other copy until one of them is proved"
            }
            NextStep::ListVersions { is_versioned: true, .. } => {
                "list the versions, and verify an older one with ?versionId= after the key"
            }
            NextStep::ListVersions { is_versioned: false, .. } => {
                "list the versions (there may be none: the version id is `null`), and verify an older one with \
                 ?versionId= after the key"
            }
            NextStep::CompareWithCopy { .. } => "compare with another copy",
            NextStep::Repair { .. } => "replace the object by a copy that passes",
            NextStep::StoreAgain(image) => return format!("if {image} still exists, store it in another bucket"),
            NextStep::RestoreFromCopy { .. } => "check a restore from a copy that is proved",
            NextStep::ReadAgain(_) => "it was read once: read all of it again, on one machine",
            NextStep::ReadPart { part, .. } => {
                return format!("it was read once: read part {part} again, and compare it with its stored value");
            }
            NextStep::CopyAgain => "copy the file again from its origin, and verify the new copy",
            NextStep::Record(_) => "record the damage in a ledger, so that audits and safe-to-delete know of it",
            NextStep::Accept { .. } => "if this change is wanted, accept it; until then every audit reports it",
            NextStep::VerifyOriginal => {
                "verify the original against the same reference, and check which object the reference is of"
            }
        };
        text.to_owned()
    }

    /// The step as a sentence; advice stays as it is.
    pub(super) fn sentence(&self) -> String {
        let clause = self.clause();
        let end = match (self, self.command(&[])) {
            (NextStep::Advice(_), _) => return clause,
            (_, Some(_)) => ':',
            (_, None) => '.',
        };
        let mut letters = clause.chars();
        let first = letters.next().map(|letter| letter.to_ascii_uppercase());
        first.into_iter().chain(letters).chain([end]).collect()
    }

    /// The command, quoted for a POSIX shell, with the options that reach the target of the step. Names in capitals are
    /// for the reader to fill in.
    pub(super) fn command(&self, reach: &[EndOption]) -> Option<String> {
        let ours = arguments(reach, "");
        Some(match self {
            NextStep::Advice(_) | NextStep::KeepOtherCopies | NextStep::CopyAgain | NextStep::VerifyOriginal => {
                return None;
            }
            // The key is a prefix of itself alone among the names of stored AMIs.
            NextStep::Record(object) => format!(
                "stored-ami audit {} --level bytes --max-age 0d --ledger LEDGER{ours}",
                shell_word(&object.to_string())
            ),
            NextStep::Accept { object, ledger } => format!(
                "stored-ami ledger accept {} {} --reason REASON",
                shell_word(ledger.as_deref().unwrap_or("LEDGER")),
                shell_word(&object.to_string())
            ),
            NextStep::ReadAgain(object) => format!("stored-ami verify {}{ours}", shell_word(&object.to_string())),
            NextStep::ReadPart { object, part, expected } => format!(
                "aws s3api get-object {} {} --part-number {part}{} part-{part}.bin && stored-ami verify part-{part}.bin {}",
                shell_option("--bucket", &object.bucket),
                shell_option("--key", &object.key),
                aws_arguments(reach),
                shell_option("--expect", expected)
            ),
            NextStep::BringBack(object) => format!("stored-ami thaw {}{ours}", shell_word(&object.to_string())),
            NextStep::ListVersions { object, .. } => format!(
                "aws s3api list-object-versions {} {}{}",
                shell_option("--bucket", &object.bucket),
                shell_option("--prefix", &object.key),
                aws_arguments(reach)
            ),
            NextStep::CompareWithCopy { target } => {
                // The copy is read, and compared with the checksums that were stored with this object.
                match target {
                    Target::Object(object) => {
                        let like = shell_word(&target.to_string());
                        format!("stored-ami verify {} --like {like}{ours}", copy_of(&object.key))
                    }
                    Target::Presigned(url) => format!("stored-ami verify {}{ours}", copy_of(&url.object().key)),
                    Target::File(_) => format!("stored-ami verify {}", copy_of("KEY")),
                }
            }
            NextStep::Repair { object, etag } => {
                let etag = shell_option("--replace-if", etag.as_deref().unwrap_or("ETAG"));
                let (from, to) = (copy_of(&object.key), shell_word(&object.to_string()));
                format!("stored-ami copy {from} {to} {etag} --verify-destination{}", arguments(reach, "to-"))
            }
            NextStep::StoreAgain(image) => format!("stored-ami store {image} --bucket OTHER-BUCKET{ours}"),
            NextStep::RestoreFromCopy { key } => {
                format!("stored-ami preflight restore {} --name NAME --verify{ours}", copy_of(key))
            }
        })
    }
}

fn copy_of(key: &str) -> String {
    let copy = ObjectUri { bucket: "OTHER-BUCKET".to_owned(), key: key.to_owned(), version: None };
    shell_word(&copy.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn archived(target: &str) -> String {
        let reason = ReasonReport {
            code: ReasonCode::Archived,
            detail: "archived".into(),
            advice: Some("bring it back first: stored-ami thaw …".into()),
        };
        let step = NextStep::after_reason(&reason, target).unwrap();
        step.command(&[]).unwrap_or_else(|| step.sentence())
    }

    #[test]
    fn the_command_names_the_object_quoted_for_a_shell() {
        assert_eq!(archived("s3://b/p/ami-1.bin"), "stored-ami thaw s3://b/p/ami-1.bin");
        assert_eq!(
            archived("s3://b/it's $(id).bin?versionId=v.1"),
            "stored-ami thaw 's3://b/it'\\''s $(id).bin?versionId=v.1'"
        );
        assert!(archived("/a/file").contains("thaw …"));
    }

    fn after_damage(target: &str, version_id: Option<&str>) -> Vec<String> {
        let target = target.parse().unwrap();
        let steps = NextStep::after_damage(Damaged { target: &target, version_id, etag: Some("e-2") });
        steps.iter().map(|step| step.command(&[]).unwrap_or_else(|| step.sentence())).collect()
    }

    #[test]
    fn an_object_with_a_version_has_a_step_for_older_versions() {
        let versions = "aws s3api list-object-versions --bucket b --prefix 'k k'".to_owned();
        for (target, version, expected) in [
            ("s3://b/k k", Some("v"), true),
            ("s3://b/k k", Some("null"), true),
            ("s3://b/k k?versionId=v", None, true),
            ("s3://b/k k", None, false),
        ] {
            assert_eq!(after_damage(target, version).contains(&versions), expected, "{target} {version:?}");
        }
    }

    #[test]
    fn every_copy_has_the_key_of_the_object() {
        assert_eq!(
            after_damage("s3://b/p q/ami-1a2b3c4d.bin", None),
            [
                "Do not restore from this object, and keep every other copy until one of them is proved.",
                "stored-ami verify 's3://OTHER-BUCKET/p q/ami-1a2b3c4d.bin' --like 's3://b/p q/ami-1a2b3c4d.bin'",
                "stored-ami copy 's3://OTHER-BUCKET/p q/ami-1a2b3c4d.bin' 's3://b/p q/ami-1a2b3c4d.bin' --replace-if e-2 \
                 --verify-destination",
                "stored-ami store ami-1a2b3c4d --bucket OTHER-BUCKET",
                "stored-ami preflight restore 's3://OTHER-BUCKET/p q/ami-1a2b3c4d.bin' --name NAME --verify",
            ]
        );
        let file = after_damage("/d/x.bin", None);
        assert_eq!(file[1], "stored-ami verify s3://OTHER-BUCKET/KEY");
        assert_eq!(file[2], "Copy the file again from its origin, and verify the new copy.");
    }
}
