//! What to do after a copy, or instead of one.

use std::io::{self, Write};

use super::{Style, command, field};
use crate::copy::CopyCheck;
use crate::ident::{ObjectUri, shell_option, shell_word};
use crate::report::{CopyEnd, CopyFindingReport, CopyOutcome, CopyReport, Exit};
use crate::verdict::Verdict;

/// A step that the reader can take: an advice, or a command behind a label.
enum Step {
    Advice(String),
    Command(&'static str, String),
}

/// Writes the steps. `again` is the command of this run.
pub(super) fn write(out: &mut impl Write, style: Style, report: &CopyReport, again: Option<&str>) -> io::Result<()> {
    // Nothing is left to do about an unknown that was accepted before the copy is made.
    if report.goes_on {
        return Ok(());
    }
    steps(report, again).iter().try_for_each(|step| match step {
        Step::Advice(text) => field(out, style.width, 2, "next", text),
        Step::Command(label, text) => command(out, style, label, text),
    })
}

fn steps(report: &CopyReport, again: Option<&str>) -> Vec<Step> {
    match report.outcome {
        CopyOutcome::Planned if report.exit_code == Exit::Passed => {
            vec![Step::Advice("the same command without --dry-run makes the copy".into())]
        }
        CopyOutcome::Copied => copied(report),
        CopyOutcome::AlreadyThere => there(report),
        CopyOutcome::Occupied => occupied(report),
        CopyOutcome::Planned | CopyOutcome::Refused => refused(report),
        CopyOutcome::NotMade => not_made(report, again),
        CopyOutcome::NotKnown => vec![
            Step::Advice("see whether the copy is there before you copy again".into()),
            Step::Command("look at it", format!("stored-ami inspect{}", destination(report))),
        ],
    }
}

/// The destination as an argument, with the options that reach it.
fn destination(report: &CopyReport) -> String {
    format!(" {}{}", shell_word(&report.destination), report.to.arguments(""))
}

/// The source as an argument, with the options that reach it. `None` for a presigned URL, which is not printed.
fn source(report: &CopyReport) -> Option<String> {
    let is_presigned =
        report.from.profile.is_none() && report.from.unknown_because.is_some() && is_object(&report.source);
    let is_readable = !is_presigned || report.from.options.iter().any(|option| option.name == "no-sign-request");
    is_readable.then(|| format!(" {}{}", shell_word(&report.source), report.from.arguments("")))
}

fn is_object(place: &str) -> bool {
    place.parse::<ObjectUri>().is_ok()
}

fn compare(report: &CopyReport) -> Step {
    let ends = format!("{} {}", shell_word(&report.source), shell_word(&report.destination));
    let options = format!("{}{}", report.from.arguments("from-"), report.to.arguments("to-"));
    Step::Command("compare", format!("stored-ami compare {ends}{options} --read"))
}

fn finding(report: &CopyReport, check: CopyCheck) -> Option<&CopyFindingReport> {
    report.findings.iter().find(|finding| finding.check == check)
}

fn copied(report: &CopyReport) -> Vec<Step> {
    let is_archived = matches!(report.storage_class.as_deref(), Some("GLACIER" | "DEEP_ARCHIVE"));
    let is_read = finding(report, CopyCheck::ReadBack).is_some();
    match (report.verdict, is_object(&report.destination)) {
        (Verdict::Fail, true) => vec![
            Step::Advice("do not rely on this copy; the lines above say what differs".into()),
            Step::Command("look at it", format!("stored-ami inspect{}", destination(report))),
        ],
        (Verdict::Fail, false) => vec![Step::Advice("remove the file, and copy again".into())],
        _ if is_archived || is_read => Vec::new(),
        (_, true) => vec![Step::Command("read it", format!("stored-ami verify{}", destination(report)))],
        // The values of a source that is not proved prove no copy of it either.
        (_, false) => source(report)
            .filter(|_| is_object(&report.source))
            .filter(|_| finding(report, CopyCheck::Source).is_none_or(|source| source.verdict == Verdict::Pass))
            .map(|source| {
                let file = shell_word(&report.destination);
                Step::Command("read it", format!("stored-ami verify {file} --like{source}"))
            })
            .into_iter()
            .collect(),
    }
}

/// For an object with the values of the source that is there already.
fn there(report: &CopyReport) -> Vec<Step> {
    let is_refuted = finding(report, CopyCheck::Source).is_some_and(|finding| finding.verdict == Verdict::Fail);
    match report.verdict {
        // A copy of the same source would be refused, too.
        Verdict::Fail if is_refuted => source(report)
            .map(|source| Step::Command("examine it", format!("stored-ami verify{source}")))
            .into_iter()
            .collect(),
        Verdict::Fail => replace(report).map(Step::Advice).into_iter().chain([compare(report)]).collect(),
        Verdict::Unknown if report.exit_code != Exit::Passed => {
            let open: Vec<&str> = required(report, Verdict::Unknown).map(|finding| finding.check.name()).collect();
            let advice = format!("--accept {} ends with 0 without an answer to these checks", open.join(","));
            vec![compare(report), Step::Advice(advice)]
        }
        Verdict::Pass | Verdict::Unknown => vec![compare(report)],
    }
}

/// How the object at the destination is replaced; `None` if it has no ETag.
fn replace(report: &CopyReport) -> Option<String> {
    let etag = report.destination_identity.as_ref()?.etag.as_deref()?;
    let option = shell_option("--replace-if", etag.trim_matches('"'));
    Some(format!("the same command with {option} replaces this object and no other"))
}

fn occupied(report: &CopyReport) -> Vec<Step> {
    if !is_object(&report.destination) {
        let advice = "nothing is overwritten: name another file, or move this one away";
        return vec![Step::Advice(advice.into()), compare(report)];
    }
    let replace = replace(report).map(|replace| format!("; {replace}"));
    let advice = format!("choose another key for the copy{}", replace.unwrap_or_default());
    let look = Step::Command("look at it", format!("stored-ami inspect{}", destination(report)));
    let is_open = finding(report, CopyCheck::Absent).is_some_and(|finding| finding.verdict == Verdict::Unknown);
    let more = if is_open { compare(report) } else { look };
    vec![Step::Advice(advice), more]
}

/// What to change so that a check passes.
fn remedy(finding: &CopyFindingReport) -> Option<&'static str> {
    Some(match finding.check {
        CopyCheck::Bucket => "create the bucket, or correct its name; --to-profile and --to-region choose where it is",
        CopyCheck::Public => "turn on Block Public Access for the bucket, or choose another bucket",
        CopyCheck::KmsKey => "name a key in the Region of the bucket with --sse-kms-key",
        CopyCheck::ObjectLock => "choose a bucket with Object Lock, or leave the --object-lock options out",
        CopyCheck::Lifecycle => "change the lifecycle rule, or choose a key that it does not cover",
        CopyCheck::AbortRule => "give the lifecycle rule more days, or copy from a machine that is faster",
        CopyCheck::Tags => "--tags none copies no tags",
        CopyCheck::Absent if finding.verdict == Verdict::Fail => "leave --replace-if out to write a new object",
        _ => return None,
    })
}

fn required(report: &CopyReport, verdict: Verdict) -> impl Iterator<Item = &CopyFindingReport> {
    report.findings.iter().filter(move |finding| finding.required && finding.verdict == verdict)
}

fn refused(report: &CopyReport) -> Vec<Step> {
    if report.is_source_archived {
        return not_made(report, None);
    }
    let mut steps: Vec<Step> = required(report, Verdict::Fail)
        .chain(required(report, Verdict::Unknown))
        .filter_map(remedy)
        .map(|text| Step::Advice(text.to_owned()))
        .collect();
    let open: Vec<&str> = required(report, Verdict::Unknown).map(|finding| finding.check.name()).collect();
    let Ok(uri) = report.destination.parse::<ObjectUri>() else { return steps };
    if open.contains(&CopyCheck::Uploads.name()) {
        let text = format!(
            "aws s3api abort-multipart-upload {} {} --upload-id ID{}",
            shell_option("--bucket", &uri.bucket),
            shell_option("--key", &uri.key),
            report.to.aws_arguments(None)
        );
        steps.push(Step::Command("remove one", text));
    }
    let has_failed = required(report, Verdict::Fail).next().is_some();
    if !open.is_empty() && !has_failed {
        let list = open.join(",");
        steps.push(Step::Advice(format!("--accept {list} makes the copy without an answer to these checks")));
        // Only the tags are asked for at the source.
        let is_of_source = |check: &&&str| **check == CopyCheck::Tags.name();
        let ends = [
            (open.iter().any(|check| is_of_source(&check)), CopyEnd::Source),
            (open.iter().any(|check| !is_of_source(&check)), CopyEnd::Destination),
        ];
        steps.extend(ends.into_iter().filter(|(is_open, _)| *is_open).filter_map(|(_, end)| policy(report, end)));
    }
    steps
}

/// The command that prints the permissions of an end; `None` for a file.
fn policy(report: &CopyReport, end: CopyEnd) -> Option<Step> {
    let (name, place, end) = match end {
        CopyEnd::Source => ("copy-source", &report.source, &report.from),
        CopyEnd::Destination => ("copy-destination", &report.destination, &report.to),
    };
    let uri = place.parse::<ObjectUri>().ok()?;
    let partition = end.partition.as_deref().filter(|partition| *partition != "aws");
    let partition = partition.map(|partition| format!(" {}", shell_option("--partition", partition)));
    let bucket = shell_option("--bucket", &uri.bucket);
    Some(Step::Command("permissions", format!("stored-ami policy {name} {bucket}{}", partition.unwrap_or_default())))
}

fn not_made(report: &CopyReport, again: Option<&str>) -> Vec<Step> {
    // The text of the check says what to do.
    if finding(report, CopyCheck::File).is_some_and(|finding| finding.verdict == Verdict::Unknown) {
        return Vec::new();
    }
    if report.is_source_archived {
        return source(report)
            .map(|source| Step::Command("bring back", format!("stored-ami thaw{source}")))
            .into_iter()
            .collect();
    }
    if let Some(end) = report.denied_at {
        let advice = "ask for the permission that is missing; the policy below has all that the copy needs at this end";
        return [Some(Step::Advice(advice.into())), policy(report, end)].into_iter().flatten().collect();
    }
    let by_source = finding(report, CopyCheck::Source).filter(|finding| finding.verdict != Verdict::Pass);
    match (report.exit_code, by_source) {
        (Exit::Interrupted | Exit::CouldNot, _) => run_again(report, again),
        (_, Some(finding)) if finding.verdict == Verdict::Fail => source(report)
            .map(|source| Step::Command("examine it", format!("stored-ami verify{source}")))
            .into_iter()
            .collect(),
        (Exit::Unknown, Some(_)) => vec![Step::Advice(
            "give a reference with --manifest or --expect; --unproved copies without proof, unless something speaks \
             against the bytes"
                .into(),
        )],
        _ => Vec::new(),
    }
}

/// Whether anything is kept of a copy that ended early, and the command of this run.
fn run_again(report: &CopyReport, again: Option<&str>) -> Vec<Step> {
    let label = if report.is_upload_kept { "go on with" } else { "run again" };
    let command = again.map(|again| Step::Command(label, again.to_owned()));
    let advice = match is_object(&report.destination) {
        _ if !report.left_behind.is_empty() => None,
        true if !report.has_state_file => Some("nothing is kept; --resume FILE keeps what was sent"),
        _ => Some("nothing is kept"),
    };
    advice.map(|advice| Step::Advice(advice.to_owned())).into_iter().chain(command).collect()
}
