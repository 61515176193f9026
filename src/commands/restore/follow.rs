use tokio_util::sync::CancellationToken;

use super::start::close;
use crate::checks::preflight::{RESTORE_TAG, SourceFacts, judge_restored};
use crate::commands::Services;
use crate::commands::follow::Follow;
use crate::commands::preflight::restore_tags;
use crate::facts::{ImageFacts, SnapshotFacts};
use crate::journal::{Journal, Step};
use crate::report::{Exit, FindingReport, LeftReport, TaskReport};
use crate::source::{ErrorKind, SourceError};
use crate::verdict::{CheckId, Condition, Evidence, Finding, Outcome, Reason, Verdict, overall};

/// An AMI that was just made may not be described yet.
const LOOKS_WITHOUT_AN_IMAGE: u32 = 12;
/// SSM checks an alias after it has answered: so often it is read back.
const ALIAS_LOOKS: u32 = 8;

/// Follows a restore until its AMI is available or failed, and holds the AMI against its source.
pub async fn follow_restore(
    services: &Services,
    image: &str,
    source: Option<&SourceFacts>,
    journal: &Journal,
    started_here: bool,
    cancel: &CancellationToken,
) -> Result<TaskReport, SourceError> {
    let mut follow = Follow::new(services.object.context(), cancel);
    let ids = [image.to_owned()];
    let mut unseen = 0;
    let mut last = ImageFacts { id: image.to_owned(), state: "pending".into(), ..ImageFacts::default() };
    let mut snapshots;
    loop {
        let found = services.images.images(&ids).await?.into_iter().find(|found| found.id == image);
        match found {
            None if !started_here || unseen >= LOOKS_WITHOUT_AN_IMAGE => {
                return Err(SourceError::new(ErrorKind::NotFound, image, "there is no such AMI in this Region"));
            }
            None => unseen += 1,
            Some(found) => {
                snapshots = snapshots_of(services, &found).await?;
                tell(&mut follow, &found, &snapshots);
                last = found;
                let settled = snapshots.iter().all(|snapshot| snapshot.state != "pending");
                match last.state.as_str() {
                    "available" if settled => break,
                    "pending" | "available" | "transient" => {}
                    _ => break,
                }
            }
        }
        if !follow.wait().await {
            let note =
                format!("the restore goes on in AWS; take it up again with `stored-ami restore --follow {image}`");
            let mut report = report(services, &last, started_here, &follow, Exit::Interrupted);
            report.notes.push(note);
            return Ok(report);
        }
    }
    let entry = journal.of_image(image);
    if last.state != "available" {
        close(services, journal, image, Step::Failed);
        let mut report = report(services, &last, started_here, &follow, Exit::CouldNot);
        report.failure = last.state_reason.clone().or_else(|| Some(format!("its state is {}", last.state)));
        report.left_behind = left_behind(&last, &snapshots);
        return Ok(report);
    }
    close(services, journal, image, Step::Available);
    // What was asked for: the journal tells it whole; without one the tag itself shows that it was asked for.
    let tags = match entry {
        Some(entry) => restore_tags(&entry.restore),
        None => last.tags.get_key_value(RESTORE_TAG).map(|(k, v)| (k.clone(), v.clone())).into_iter().collect(),
    };
    let findings = judge_restored(&last, &snapshots, source, &tags);
    let verdict = overall(&findings);
    let mut report = report(services, &last, started_here, &follow, Exit::from(verdict));
    report.verdict = Some(verdict.name().to_owned());
    report.findings = findings.iter().map(FindingReport::from).collect();
    Ok(report)
}

async fn snapshots_of(services: &Services, image: &ImageFacts) -> Result<Vec<SnapshotFacts>, SourceError> {
    let ids: Vec<String> = image.volumes.iter().filter_map(|volume| volume.snapshot.clone()).collect();
    services.images.snapshots(&ids).await
}

fn tell(follow: &mut Follow<'_>, image: &ImageFacts, snapshots: &[SnapshotFacts]) {
    let percent = |snapshot: &SnapshotFacts| match snapshot.state.as_str() {
        "completed" => 100.0,
        _ => f64::from(snapshot.progress.unwrap_or(0)),
    };
    // Each snapshot counts by its size.
    let weight = |snapshot: &SnapshotFacts| snapshot.gib.unwrap_or(1).max(1) as f64;
    let whole: f64 = snapshots.iter().map(weight).sum();
    let done: f64 = snapshots.iter().map(|snapshot| weight(snapshot) * percent(snapshot)).sum();
    let overall = if whole > 0.0 { done / whole } else { 0.0 };
    let each: Vec<String> =
        snapshots.iter().map(|snapshot| format!("{} {:.0} %", snapshot.id, percent(snapshot))).collect();
    follow.tell(&format!("restore of {} ({})", image.id, image.state), overall, &each.join(", "));
}

fn left_behind(image: &ImageFacts, snapshots: &[SnapshotFacts]) -> Vec<LeftReport> {
    let mut left = Vec::new();
    if image.state != "deregistered" {
        left.push(LeftReport {
            id: image.id.clone(),
            state: image.state.clone(),
            remove_with: format!("aws ec2 deregister-image --image-id {}", image.id),
        });
    }
    left.extend(snapshots.iter().map(|snapshot| LeftReport {
        id: snapshot.id.clone(),
        state: snapshot.state.clone(),
        remove_with: format!("aws ec2 delete-snapshot --snapshot-id {}", snapshot.id),
    }));
    left
}

fn report(services: &Services, image: &ImageFacts, started_here: bool, follow: &Follow<'_>, exit: Exit) -> TaskReport {
    TaskReport {
        operation: "restore".to_owned(),
        image: image.id.clone(),
        region: services.images.region().to_owned(),
        object: image.tags.get("stored-ami:source").cloned(),
        name: image.name.clone(),
        state: image.state.clone(),
        started_here,
        failure: None,
        verdict: None,
        findings: Vec::new(),
        left_behind: Vec::new(),
        notes: Vec::new(),
        elapsed_seconds: follow.elapsed().as_secs_f64(),
        requests: 0,
        exit_code: exit.code(),
    }
}

/// Points an SSM parameter at the AMI, and reads it back until it says so.
pub async fn point_alias(services: &Services, name: &str, report: &mut TaskReport) {
    let check = CheckId::Condition(Condition::Alias);
    let outcome = match services.account.put_alias(name, &report.image).await {
        Err(error) => Outcome::Unknown(Reason::Unanswered { detail: format!("PutParameter: {}", error.explain()) }),
        Ok(()) => read_back(services, name, &report.image).await,
    };
    let finding = Finding { check, required: true, outcome };
    let verdict = finding.verdict();
    report.findings.push(FindingReport::from(&finding));
    if verdict != Verdict::Pass {
        let before = report.verdict.take();
        report.verdict = Some(if before.as_deref() == Some("fail") { "fail" } else { "unknown" }.to_owned());
        if report.exit_code == 0 {
            report.exit_code = Exit::Unknown.code();
        }
    }
}

async fn read_back(services: &Services, name: &str, image: &str) -> Outcome {
    let mut seen = "nothing".to_owned();
    for look in 0..ALIAS_LOOKS {
        if look > 0 {
            services.object.context().clock.sleep(std::time::Duration::from_secs(1 << look.min(4))).await;
        }
        match services.account.alias(name).await {
            Ok(value) if value == image => {
                return Outcome::Pass(Evidence::of_rule("GetParameter", format!("{name} names {image}"), value));
            }
            Ok(value) => seen = value,
            Err(error) => seen = error.explain(),
        }
    }
    let detail = format!(
        "{name} was written and does not name {image} yet ({seen}); SSM drops the write of an AMI it does not accept"
    );
    Outcome::Unknown(Reason::NotStated { detail })
}
