//! What the reader of a report can do next, with commands for the object of the report.

use super::shell::shell_word;
use crate::ident::ObjectUri;
use crate::report::{IdentityReport, ReasonReport};
use crate::verdict::ReasonCode;

/// A step, and the command for it if all of its values are known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Step {
    /// The step, for the user.
    pub says: String,
    /// The command, quoted for a POSIX shell.
    pub command: Option<String>,
}

impl Step {
    fn new(says: impl Into<String>) -> Self {
        Step { says: says.into(), command: None }
    }

    fn with(says: &str, command: String) -> Self {
        Step { says: says.to_owned(), command: Some(command) }
    }
}

/// The advice on a reason. `target` is the object, as a URI or a path.
pub(super) fn after_reason(reason: &ReasonReport, target: &str) -> Option<Step> {
    match (reason.code, target.parse::<ObjectUri>()) {
        (ReasonCode::Archived, Ok(object)) => Some(bring_back(&object)),
        _ => reason.advice.as_ref().map(Step::new),
    }
}

/// How to make an archived object readable.
pub(super) fn bring_back(object: &ObjectUri) -> Step {
    let version = object.version.as_ref().map(|version| format!(" {}", option("--version-id", version)));
    let command = format!(
        "aws s3api restore-object {} {}{} --restore-request Days=7",
        option("--bucket", &object.bucket),
        option("--key", &object.key),
        version.unwrap_or_default()
    );
    Step::with("Bring it back first; this costs money and takes hours:", command)
}

/// What to do about an object whose bytes are wrong. `target` is the object, as a URI or a path.
pub(super) fn after_damage(target: &str, identity: &IdentityReport) -> Vec<Step> {
    let Ok(object) = target.parse::<ObjectUri>() else {
        return vec![Step::new("Copy the file again from where it came from, and verify the new copy.")];
    };
    let mut steps = vec![Step::new("Delete no other copy of this object until one of them is verified.")];
    if object.version.is_none() {
        let command = format!(
            "aws s3api list-object-versions {} {}",
            option("--bucket", &object.bucket),
            option("--prefix", &object.key)
        );
        steps.push(Step::with("Look for an older version, and verify it with ?versionId= after the key:", command));
    }
    steps.push(Step::new("Compare with another copy: verify with --like and its URI."));
    if let Some(id) = &identity.ami_id {
        steps.push(Step::new(format!("If {id} still exists, store it again, into another bucket.")));
    }
    steps
}

/// An option with its value. A value that begins with a dash is not taken for an option.
fn option(name: &str, value: &str) -> String {
    let separator = if value.starts_with('-') { "=" } else { " " };
    format!("{name}{separator}{}", shell_word(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn archived(target: &str) -> String {
        let reason = ReasonReport {
            code: ReasonCode::Archived,
            detail: "archived".into(),
            advice: Some("bring it back first: aws s3api restore-object --bucket … --key …".into()),
        };
        let step = after_reason(&reason, target).unwrap();
        step.command.unwrap_or(step.says)
    }

    #[test]
    fn the_command_names_the_object_quoted_for_a_shell() {
        assert_eq!(
            archived("s3://b/p/ami-1.bin"),
            "aws s3api restore-object --bucket b --key p/ami-1.bin --restore-request Days=7"
        );
        assert_eq!(
            archived("s3://b/it's $(id).bin?versionId=v.1"),
            "aws s3api restore-object --bucket b --key 'it'\\''s $(id).bin' --version-id v.1 --restore-request Days=7"
        );
        assert!(archived("s3://b/-x").contains(" --key='-x' "));
        assert!(archived("/a/file").contains("--bucket …"));
    }

    #[test]
    fn a_pinned_version_has_no_step_for_other_versions() {
        let identity = IdentityReport {
            object_bytes: 1,
            etag: None,
            version_id: None,
            last_modified: None,
            ami_id: Some("ami-1".into()),
        };
        let commands = |target: &str| {
            after_damage(target, &identity).into_iter().filter_map(|step| step.command).collect::<Vec<_>>()
        };
        assert_eq!(commands("s3://b/k k"), ["aws s3api list-object-versions --bucket b --prefix 'k k'"]);
        assert!(commands("s3://b/k?versionId=v").is_empty() && commands("/k").is_empty());
    }
}
