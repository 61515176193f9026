use std::path::{Path, PathBuf};

use tokio_util::sync::CancellationToken;

use super::args::{JudgingArgs, RestoreArgs, SourceArgs};
use super::open::services;
#[cfg(feature = "ebs")]
use super::proof::RestoreProof;
use super::{Costly, agreed, ask, can_ask};
use crate::checks::preflight::{RestorePace, SourceFacts};
#[cfg(feature = "ebs")]
use crate::cli::blocks;
#[cfg(feature = "ebs")]
use crate::cli::blocks::ProofLedger;
use crate::cli::journal::journal;
use crate::cli::resolve::not_a_manifest;
use crate::cli::resolve::record;
use crate::cli::runner::{Runner, Stop};
use crate::cli::settings::Settings;
use crate::cli::signals::cancel_on_signal;
use crate::cli::usage::{UsageError, read_given};
#[cfg(feature = "ebs")]
use crate::commands::blocks::BlockServices;
use crate::commands::preflight::{RestorePreflightRequest, VerifiedNow};
use crate::commands::restore::{FollowRequest, Origin, Prepared, follow_restore, prepare_restore, start_restore};
use crate::commands::verify::{VerifyOptions, verify};
use crate::commands::{ObjectServices, RegionServices};
use crate::facts::ImageState;
use crate::files::InputKind;
use crate::ident::{AmiId, ImageName, ObjectUri, shell_option};
use crate::journal::{Entry, Journal};
use crate::manifest::Manifest;
use crate::record::Record;
use crate::report::{Exit, ObjectProofReport, Report, TaskReport, VerifyReport, arguments};
use crate::units::ByteSize;
use crate::verdict::Verdict;

/// The combined pace of earlier restores by this user.
pub(super) fn pace(journal: &Journal) -> Option<RestorePace> {
    let timed = |entry: &Entry| Some((entry.volume_bytes? as f64, entry.seconds().filter(|seconds| *seconds > 0.0)?));
    let ended: Vec<(f64, f64)> = journal.entries().entries.iter().filter_map(timed).collect();
    let (bytes, seconds) = ended.iter().fold((0.0, 0.0), |(b, s), (bytes, seconds)| (b + bytes, s + seconds));
    (!ended.is_empty()).then(|| RestorePace { bytes_per_second: bytes / seconds, restores: ended.len() })
}

/// Files of earlier runs about the object, with their names.
struct GivenFiles {
    record: Option<(String, Record)>,
    manifest: Option<(String, Manifest)>,
}

/// Reads the files before any request is sent, so that an invalid file is reported without network access.
fn given_files(source: &SourceArgs) -> Result<GivenFiles, UsageError> {
    let record = record(source.record.as_deref())?;
    let manifest = match &source.manifest {
        None => None,
        Some(path) => {
            let file = path.display().to_string();
            let manifest = Manifest::from_json(&read_given("--manifest", path, InputKind::Manifest)?)
                .map_err(|error| not_a_manifest(path, &error))?;
            Some((file, manifest))
        }
    };
    Ok(GivenFiles { record, manifest })
}

/// Builds the request from the arguments.
pub(super) fn request(
    target: &ObjectUri,
    source: &SourceArgs,
    judging: &JudgingArgs,
    journal: Option<&Journal>,
) -> Result<RestorePreflightRequest, UsageError> {
    let files = given_files(source)?;
    Ok(RestorePreflightRequest {
        target: target.clone(),
        name: source.name.as_ref().map(ToString::to_string),
        record: files.record,
        manifest: files.manifest,
        logical_size: source.logical_size.map(|size| size.0),
        verified: None,
        pace: journal.and_then(pace),
        limits: judging.limits(),
        accept: judging.accept.clone(),
    })
}

/// The request of a drill, without the name of the AMI.
#[cfg(feature = "ebs")]
pub(in crate::cli) fn drill_preflight(
    target: &ObjectUri,
    manifest: Option<&Path>,
    judging: &JudgingArgs,
    journal: &Journal,
) -> Result<RestorePreflightRequest, UsageError> {
    let manifest = manifest.map(Path::to_owned);
    let source = SourceArgs { name: None, record: None, manifest, verify: true, logical_size: None };
    request(target, &source, judging, Some(journal))
}

/// Adds the result of a verification of the object to the request, if `wanted`.
pub(in crate::cli) async fn verified_first(
    services: &ObjectServices,
    request: RestorePreflightRequest,
    wanted: bool,
    cancel: &CancellationToken,
) -> RestorePreflightRequest {
    let verified = if wanted { Some(verify_now(services, &request, cancel).await) } else { None };
    RestorePreflightRequest { verified, ..request }
}

async fn verify_now(
    services: &ObjectServices,
    wish: &RestorePreflightRequest,
    cancel: &CancellationToken,
) -> VerifiedNow {
    let request = VerifyOptions { manifest: wish.manifest.clone(), ..VerifyOptions::default() };
    match verify(&services.object, &request, cancel).await {
        Ok(verified) => {
            let report = verified.report;
            let verdict = report.verdict;
            let damage = report.damage();
            let detail = match (verdict, &damage) {
                (Verdict::Pass, _) => format!(
                    "just now, all {} bytes by {}",
                    ByteSize(report.identity.object_bytes).grouped(),
                    crate::audit::joined(&report.proved_by, ", ")
                ),
                (_, Some(damage)) => format!("the object is damaged: {}", damage.sentence(report.parts_count())),
                (_, None) => format!("just now: {}", not_proved(&report)),
            };
            let is_damaged = damage.is_some();
            VerifiedNow { verdict, proved_by: report.proved_by, detail, etag: report.identity.etag, is_damaged }
        }
        Err(error) => {
            let detail = error.to_string();
            VerifiedNow { verdict: Verdict::Unknown, proved_by: Vec::new(), detail, etag: None, is_damaged: false }
        }
    }
}

/// What failed, and why the rest is unknown.
fn not_proved(report: &VerifyReport) -> String {
    let findings = report.findings.iter().filter(|finding| finding.blocks_pass());
    let texts = findings.map(|finding| match &finding.reason {
        Some(reason) => format!("{} is unknown: {}", finding.check, reason.detail),
        None => format!("{} does not match", finding.check),
    });
    texts.collect::<Vec<_>>().join("; ")
}

pub(in crate::cli) async fn run_restore(args: RestoreArgs, settings: &Settings) -> Result<Exit, UsageError> {
    let cancel = cancel_on_signal();
    let journal = journal(args.journal.as_deref())?;
    let mut restore = Restore {
        #[cfg(feature = "ebs")]
        proof: RestoreProof::read(&args.proof, args.source.record.as_deref(), args.target.as_ref()).await?,
        #[cfg(feature = "ebs")]
        blocks: None,
        #[cfg(feature = "ebs")]
        ledger: None,
        runner: Runner::new(&args.task.output, settings),
        args: &args,
        journal,
        cancel,
    };
    match (&args.follow, &args.target) {
        (Some(image), _) => restore.follow_named(image).await?,
        (None, Some(target)) => restore.start(target).await?,
        (None, None) => return Err(UsageError("name an object".to_owned())),
    }
    Ok(restore.runner.finish())
}

/// One run of `restore`.
struct Restore<'a> {
    args: &'a RestoreArgs,
    #[cfg(feature = "ebs")]
    proof: Option<RestoreProof>,
    /// The services of the proof.
    #[cfg(feature = "ebs")]
    blocks: Option<BlockServices>,
    #[cfg(feature = "ebs")]
    ledger: Option<ProofLedger>,
    journal: Journal,
    runner: Runner,
    cancel: CancellationToken,
}

impl Restore<'_> {
    /// Follows the restore that creates an AMI, without starting one.
    async fn follow_named(&mut self, image: &AmiId) -> Result<(), UsageError> {
        #[cfg(feature = "ebs")]
        if self.proof.is_some() {
            can_ask(&self.args.starting, Costly::Blocks)?;
        }
        let source =
            given_files(&self.source())?.record.map(|(file, record)| record.facts(format!("the record {file}")));
        let services = self.services().await?;
        let request = FollowRequest {
            object_proof: Some(&ObjectProofReport::NOT_VERIFIED),
            ..self.follow_request(image.as_str(), Origin::Named, source.as_ref())
        };
        self.follow_and_prove(&services, request, false).await;
        Ok(())
    }

    /// What is known of the object.
    fn source(&self) -> SourceArgs {
        #[cfg(feature = "ebs")]
        if let Some(proof) = &self.proof {
            return proof.source(&self.args.source);
        }
        self.args.source.clone()
    }

    /// Connects, also to the EBS direct APIs if the AMI is to be proved.
    async fn services(&mut self) -> Result<RegionServices, UsageError> {
        #[cfg(feature = "ebs")]
        if let Some(proof) = &self.proof {
            let blocks = blocks::services(&self.args.task.connection, proof.rate(), &mut self.runner).await?;
            let region = self.blocks.insert(blocks).region.clone();
            if let Some(path) = self.args.proof.ledger.as_deref().filter(|_| !self.args.starting.dry_run) {
                let ledger = ProofLedger::open(path, self.journal.clone(), &region, self.runner.settings()).await?;
                self.ledger = Some(ledger);
            }
            return Ok(region);
        }
        services(&self.args.task.connection, &mut self.runner).await
    }

    /// Runs the preflight, and starts the restore if the preflight allows it.
    async fn start(&mut self, target: &ObjectUri) -> Result<(), UsageError> {
        let args = self.args;
        let mut request = request(target, &self.source(), &args.task.judging, Some(&self.journal))?;
        can_ask(&args.starting, Costly::Task)?;
        if request.name.is_none() && request.record.as_ref().is_none_or(|(_, record)| record.name.is_none()) {
            request.name = Some(ask_name(args, &self.cancel).await?.to_string());
        }
        let services = self.services().await?.at(target);
        let work = async {
            let request = verified_first(&services, request, args.source.verify, &self.cancel).await;
            prepare_restore(&services, &request, &self.journal).await
        };
        if let Some(prepared) = self.runner.run(&target.to_string(), Stop::AtOnce, work).await {
            self.carry_out(&services, prepared).await;
        }
        Ok(())
    }

    async fn carry_out(&mut self, services: &ObjectServices, prepared: Prepared) {
        let Prepared { surveyed, existing } = prepared;
        let (source, object_proof) = (surveyed.source.as_ref(), surveyed.report.object_proof.as_ref());
        let preflight = Report::Preflight(Box::new(surveyed.report.clone()));
        if let (Some(image), Some(identity)) = (&existing, &surveyed.identity) {
            let note = format!("{} is of this restore; nothing is started", image.id);
            services.region.context().monitor.note(&note);
            // To follow it may end with an alias or with blocks that cost money.
            if self.args.starting.dry_run {
                return self.runner.add(preflight);
            }
            let request = FollowRequest {
                verified: surveyed.verified.as_ref(),
                object_proof,
                ..self.follow_request(&image.id, Origin::TakenUp(identity), source)
            };
            return self.follow_and_prove(&services.region, request, false).await;
        }
        let admitted = surveyed.report.exit_code == Exit::Passed;
        if !admitted || self.args.starting.dry_run {
            return self.runner.add(preflight);
        }
        self.runner.show(&preflight);
        let target = services.object.target().to_string();
        let name = surveyed.report.name.clone().unwrap_or_default();
        let question = self.question(&format!("Restore {target} as `{name}` in {}", surveyed.report.region));
        if !agreed(&self.args.starting, &question, &self.cancel).await {
            return self.runner.declined(Costly::Task);
        }
        match start_restore(services, &surveyed, &self.journal, &self.cancel).await {
            Err(error) => self.runner.fail(&target, error),
            Ok(begun) => {
                // The preflight already showed the result of the verification.
                let request =
                    FollowRequest { object_proof, ..self.follow_request(&begun.image, begun.origin(), source) };
                self.follow_and_prove(&services.region, request, true).await;
            }
        }
    }

    fn question(&self, restore: &str) -> String {
        #[cfg(feature = "ebs")]
        if let Some(proof) = &self.proof {
            return proof.question(restore);
        }
        format!("{restore}?")
    }

    fn follow_request<'b>(
        &self,
        image: &'b str,
        origin: Origin<'b>,
        source: Option<&'b SourceFacts>,
    ) -> FollowRequest<'b>
    where
        Self: 'b,
    {
        let (alias, accept) = (self.args.alias.as_deref(), self.args.task.judging.accept.as_slice());
        FollowRequest { image, origin, source, verified: None, object_proof: None, alias, accept, options: "" }
    }

    /// The options of this run that are about the AMI that is to be, each preceded by a space.
    fn options_after_a_signal(&self) -> String {
        let named = |name: &str, value: Option<String>| value.map(|value| format!(" {}", shell_option(name, &value)));
        let path = |path: &PathBuf| path.display().to_string();
        let mut options: Vec<Option<String>> = vec![
            named("--alias", self.args.alias.clone()),
            named("--record", self.args.source.record.as_ref().map(path)),
            named("--journal", self.args.journal.as_ref().map(path)),
        ];
        let accept = self.args.task.judging.accept.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
        options.push(named("--accept", Some(accept).filter(|names| !names.is_empty())));
        #[cfg(feature = "ebs")]
        if self.proof.is_some() {
            options.push(Some(" --prove".to_owned()));
            options.push(named("--block-rate", Some(self.args.proof.block_rate.to_string())));
            options.push(named("--ledger", self.args.proof.ledger.as_ref().map(path)));
        }
        options.push(Some(arguments(&self.runner.settings().reach, "")));
        options.into_iter().flatten().collect()
    }

    /// Follows the restore and, if that is asked for, proves the AMI. `is_agreed` is whether the proof was agreed to.
    async fn follow_and_prove(&mut self, services: &RegionServices, request: FollowRequest<'_>, is_agreed: bool) {
        let options = self.options_after_a_signal();
        let request = FollowRequest { options: &options, ..request };
        let work = follow_restore(services, &request, &self.journal, &self.cancel);
        let Some(report) = self.runner.run(request.image, Stop::ByItself, work).await else { return };
        let is_available = is_complete(&report);
        self.runner.add(Report::Task(Box::new(report)));
        #[cfg(feature = "ebs")]
        if let (Some(proof), Some(blocks), true) = (&self.proof, &self.blocks, is_available) {
            let (ledger, asking) = (self.ledger.as_ref(), (&self.args.starting, is_agreed));
            proof.carry_out((&mut self.runner, ledger), blocks, request.image, asking).await;
        }
        #[cfg(not(feature = "ebs"))]
        let _ = (is_available, is_agreed);
    }
}

/// Whether the AMI is there to be used.
pub(super) fn is_complete(report: &TaskReport) -> bool {
    ImageState::of(&report.state) == ImageState::Available && report.exit_code != Exit::Interrupted
}

async fn ask_name(args: &RestoreArgs, cancel: &CancellationToken) -> Result<ImageName, UsageError> {
    let missing = || {
        UsageError(
            "a restore needs a name, the only lock that EC2 has against a second one: give --name or --record"
                .to_owned(),
        )
    };
    if args.starting.yes || args.starting.dry_run {
        return Err(missing());
    }
    let typed = ask("Name of the new AMI:", cancel).await.filter(|name| !name.is_empty()).ok_or_else(missing)?;
    typed.parse().map_err(|error: crate::ident::ParseImageNameError| UsageError(error.to_string()))
}
