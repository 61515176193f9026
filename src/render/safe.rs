//! The answer whether an AMI may be deleted, for people.

use std::io::{self, Write};

use super::audit_lines::age;
use super::condition::conclude;
use super::{Style, command, field, printable, shell_word};
use crate::audit::joined;
use crate::ident::shell_option;
use crate::report::{
    AuditStep, CopyProofReport, DeletionAnswer, DeletionSafetyReport, DeletionStep, EndOption, arguments,
};

pub(super) fn write(
    out: &mut impl Write,
    style: Style,
    report: &DeletionSafetyReport,
    reach: &[EndOption],
) -> io::Result<()> {
    writeln!(out, "{}", style.bold(&printable(&report.image)))?;
    if let Some(copy) = &report.copy {
        field(out, style.width, 2, "copy", copy)?;
    }
    if let Some(proof) = &report.proof {
        field(out, style.width, 2, "proof", &when(proof))?;
    }
    for because in &report.because {
        field(out, style.width, 2, "because", because)?;
    }
    for note in style.notes(&report.notes) {
        field(out, style.width, 2, "note", &note.to_string())?;
    }
    conclude(out, style, report.answer.verdict(), &conclusion(report))?;
    let ours = arguments(reach, "");
    report.steps.iter().try_for_each(|step| match step {
        DeletionStep::Listing(AuditStep::Advice(text)) => field(out, style.width, 2, "next", text),
        DeletionStep::Listing(AuditStep::Allow { bucket }) => {
            let bucket = shell_option("--bucket", bucket);
            command(out, style, "permissions", &format!("stored-ami policy safe-to-delete {bucket}"))
        }
        DeletionStep::Wait => field(out, style.width, 2, "next", "ask again when the store has ended"),
        DeletionStep::CheckImage => {
            field(out, style.width, 2, "next", "check the AMI id, --region and the account of the credentials")
        }
        DeletionStep::Store { bucket } => {
            let bucket = shell_option("--bucket", bucket);
            command(out, style, "store it", &format!("stored-ami store {} {bucket}{ours}", report.image))
        }
        DeletionStep::Prove { prefixes, ledger } => {
            let prefixes: Vec<String> = prefixes.iter().map(|prefix| shell_word(prefix)).collect();
            let (prefixes, ledger) = (prefixes.join(" "), shell_option("--ledger", ledger));
            command(out, style, "prove it", &format!("stored-ami audit {prefixes} --level bytes {ledger}{ours}"))
        }
    })
}

/// The answer as a sentence. The yes rests on a proof that may be old, so it states the age.
fn conclusion(report: &DeletionSafetyReport) -> String {
    match report.answer {
        DeletionAnswer::MayGo => {
            let proved = match &report.proof {
                Some(proof) => format!("a copy proved {}, and not read now, meets", ago(proof.age_seconds)),
                None => "a proved copy meets".to_owned(),
            };
            format!("the AMI and its snapshots can be deleted: {proved} the requirements")
        }
        DeletionAnswer::MustStay => "do not delete the AMI or its snapshots: no copy meets the requirements".to_owned(),
        DeletionAnswer::CannotTell => {
            "cannot tell whether a copy meets the requirements: do not delete the AMI or its snapshots yet".to_owned()
        }
    }
}

/// When and by what the copy was proved, and how long that counts.
fn when(proof: &CopyProofReport) -> String {
    let (at, by) = (&proof.proved.at, joined(&proof.proved.by, ", "));
    let most = age(proof.max_age_seconds);
    format!(
        "{at} ({}) by {by}; not read now; a proof counts for {most} (--max-age, or the policy)",
        ago(proof.age_seconds)
    )
}

/// An age in its largest unit: `3 min ago`.
fn ago(seconds: i64) -> String {
    match seconds {
        ..60 => format!("{seconds} s ago"),
        60..3600 => format!("{} min ago", seconds / 60),
        3600..86_400 => format!("{} h ago", seconds / 3600),
        _ => format!("{} d ago", seconds / 86_400),
    }
}
