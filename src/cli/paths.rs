//! All files that a command reads or writes, and the check that they do not conflict.
//!
//! An output must be neither an input nor another output, whatever paths and links name it, and may only replace an
//! empty file or an earlier output of its kind. Everything is checked before anything is read.

#[cfg(feature = "s3")]
mod audits;
mod configured;

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::{Path, PathBuf};

use self::configured::configured_files;
use super::args::{ConnectionArgs, InspectArgs, LogicalArgs, PageArgs, VerifyArgs};
use super::bench::BenchArgs;
#[cfg(feature = "ebs")]
use super::blocks::{args::FingerprintArgs, is_store_record, sidecar_of};
use super::command::Command;
#[cfg(feature = "s3")]
use super::compare::args::CompareArgs;
#[cfg(feature = "ec2")]
use super::copy::args::CopyArgs;
use super::cost::{CostArgs, Costed};
#[cfg(feature = "ec2")]
use super::images::args::{PreflightCommand, SourceArgs, StoreArgs};
use super::output::fall_silent;
use super::selection::{SelectionArgs, Word};
use super::settings::Settings;
use super::usage::UsageError;
use crate::files::{OutputKind, Place, try_output};
use crate::ident::Target;

/// The files of one command.
#[derive(Debug, Default)]
pub(super) struct Paths {
    inputs: Vec<Named>,
    /// The flag that reads standard input.
    from_stdin: Option<String>,
    outputs: Vec<(Named, OutputKind)>,
    force: bool,
}

/// A path and its origin: a flag, a variable, or its role.
#[derive(Debug)]
struct Named {
    by: String,
    path: PathBuf,
}

impl Named {
    fn new(by: &str, path: &Path) -> Self {
        Named { by: by.to_owned(), path: path.to_owned() }
    }

    fn shown(&self) -> String {
        format!("{} {}", self.by, self.path.display())
    }
}

impl Paths {
    /// The files of a command; the only list of all flags that name files.
    pub(super) fn of(command: &Command) -> Self {
        let mut paths = Paths::default();
        match command {
            Command::Inspect(args) => paths.of_inspect(args),
            Command::Verify(args) => paths.of_verify(args),
            Command::Bench(args) => paths.of_bench(args),
            Command::Cost(args) => paths.of_cost(args),
            #[cfg(feature = "s3")]
            Command::Audit(args) => paths.of_audit(args),
            #[cfg(feature = "s3")]
            Command::Ledger(command) => paths.ledger("the ledger", command.ledger(), false),
            #[cfg(feature = "s3")]
            Command::SafeToDelete(args) => {
                paths.ledger("--ledger", &args.ledger, false);
                paths.input("--policy", args.policy.as_deref());
                paths.input("--record", args.record.as_deref());
                paths.connection(&args.connection);
            }
            #[cfg(feature = "ec2")]
            Command::Preflight(PreflightCommand::Store(args)) => paths.connection(&args.task.connection),
            #[cfg(feature = "ec2")]
            Command::Preflight(PreflightCommand::Restore(args)) => {
                paths.source(&args.source);
                paths.connection(&args.task.connection);
            }
            #[cfg(feature = "ec2")]
            Command::IsStored(args) | Command::Stored(args) => paths.connection(&args.connection),
            #[cfg(feature = "ec2")]
            Command::Store(args) => paths.of_store(args),
            #[cfg(feature = "ec2")]
            Command::Restore(args) => {
                paths.input("--from", args.from.as_deref());
                paths.source(&args.source);
                #[cfg(feature = "ebs")]
                if args.proof.prove {
                    paths.input("--record", args.source.record.as_deref().map(sidecar_of).as_deref());
                    args.proof.ledger.iter().for_each(|ledger| paths.ledger("--ledger", ledger, true));
                }
                paths.connection(&args.task.connection);
            }
            #[cfg(feature = "lab")]
            Command::Lab(args) => paths.input("--faults", args.faults.as_deref()),
            #[cfg(feature = "ec2")]
            Command::Copy(args) => paths.of_copy(args),
            #[cfg(feature = "s3")]
            Command::Compare(args) => paths.of_compare(args),
            #[cfg(feature = "s3")]
            Command::Thaw(args) => {
                paths.lists(&args.typed, None);
                paths.input("--tuning", args.wanted.tuning.as_deref());
                args.wanted.prices.iter().for_each(|path| paths.input("--prices", Some(path)));
                paths.connection(&args.connection);
            }
            #[cfg(feature = "ebs")]
            Command::Fingerprint(args) => paths.of_fingerprint(args),
            #[cfg(feature = "ebs")]
            Command::Prove(args) => {
                let sidecar = args.record.as_deref().map(sidecar_of);
                paths.input("--record", args.record.as_deref());
                paths.input("--record", sidecar.as_deref());
                args.ledger.iter().for_each(|ledger| paths.ledger("--ledger", ledger, true));
                paths.connection(&args.connection);
            }
            #[cfg(feature = "batch")]
            Command::Batch(command) => paths.of_batch(command),
            #[cfg(feature = "ebs")]
            Command::Drill(args) => {
                let sidecar = args.record.as_deref().map(sidecar_of);
                paths.input("--record", args.record.as_deref());
                paths.input("--record", sidecar.as_deref());
                paths.input("--manifest", args.manifest.as_deref());
                args.ledger.iter().for_each(|ledger| paths.ledger("--ledger", ledger, true));
                paths.output("--junit", args.junit.as_deref(), OutputKind::JUnit);
                paths.page(&args.page);
                paths.connection(&args.connection);
            }
            #[cfg(feature = "ec2")]
            Command::Doctor(args) => paths.connection(&args.connection),
            #[cfg(feature = "ec2")]
            Command::Policy(_) => {}
            #[cfg(all(feature = "s3", feature = "lab"))]
            Command::Demo(_) => {}
            Command::Man(args) => super::generate::page_files(args).iter().for_each(|file| {
                paths.output("--out", Some(file), OutputKind::Manual);
            }),
            Command::Completions { .. } => {}
        }
        paths
    }

    /// Adds the log and the configuration file.
    pub(super) fn with_settings(mut self, settings: &Settings) -> Self {
        self.input("the configuration file", settings.configuration.as_deref());
        self.output("--log-file", settings.log_file.as_deref(), OutputKind::Log);
        self
    }

    fn of_inspect(&mut self, args: &InspectArgs) {
        self.targets(&args.targets);
        self.lists(&args.typed, Some(&args.selection));
        self.logical(&args.logical);
        #[cfg(feature = "s3")]
        self.output("--facts-file", args.facts.facts_file.as_deref(), OutputKind::Facts);
        self.page(&args.common.page);
        self.connection(&args.common.connection);
    }

    fn of_verify(&mut self, args: &VerifyArgs) {
        self.targets(&args.targets);
        self.lists(&args.typed, Some(&args.selection));
        let references = &args.references;
        self.input("--manifest", references.manifest.as_deref());
        if let (Some(manifest), Some(key)) = (&references.manifest, &references.manifest_key) {
            self.input("the signature", Some(&super::resolve::signature_of(manifest)));
            self.input("--manifest-key", Some(key));
        }
        if let Some(given) = &references.sums {
            // The code that reads the file reports an invalid value.
            let file = super::sums::stated(given).map_or_else(|_| given.clone(), |(_, file)| file);
            self.input_or_stdin("--sums", &file);
        }
        self.lists(references.typed_like.as_slice(), None);
        if let Some(Target::File(path)) = &references.like {
            self.input("--like", Some(path));
        }
        self.input("--tuning", args.reading.tuning.as_deref());
        self.logical(&args.logical);
        self.output("--write-manifest", references.write_manifest.as_deref(), OutputKind::Manifest);
        self.output("--resume", args.reading.resume.as_deref(), OutputKind::Checkpoint);
        self.page(&args.common.page);
        self.connection(&args.common.connection);
    }

    fn of_bench(&mut self, args: &BenchArgs) {
        self.targets(args.target.as_slice());
        self.lists(args.typed.as_slice(), None);
        self.output("--plot", args.plot.as_deref(), OutputKind::Plot);
        self.output("--write-tuning", args.write_tuning.as_deref(), OutputKind::Tuning);
        self.page(&args.common.page);
        self.connection(&args.common.connection);
    }

    fn of_cost(&mut self, args: &CostArgs) {
        self.lists(&args.typed, Some(&args.selection));
        for target in &args.targets {
            if let Costed::Target(target) = target {
                self.targets(std::slice::from_ref(target));
            }
        }
        args.prices.iter().for_each(|path| self.input("--prices", Some(path)));
        self.input("--record", args.record.as_deref());
        self.connection(&args.connection);
    }

    #[cfg(feature = "ec2")]
    fn of_store(&mut self, args: &StoreArgs) {
        self.input("--from", args.from.as_deref());
        self.output("--record", args.record.as_deref(), OutputKind::Record);
        #[cfg(feature = "ebs")]
        if args.content.blocks {
            let sidecar = args.record.as_deref().map(sidecar_of);
            self.output("--record", sidecar.as_deref(), OutputKind::BlockDigests);
        }
        self.force |= args.force.force;
        self.connection(&args.task.connection);
    }

    #[cfg(feature = "ebs")]
    fn of_fingerprint(&mut self, args: &FingerprintArgs) {
        // The content is added to the record of a store.
        let kind = if is_store_record(&args.record) { OutputKind::Record } else { OutputKind::Fingerprint };
        self.output("--record", Some(&args.record), kind);
        self.output("--record", Some(&sidecar_of(&args.record)), OutputKind::BlockDigests);
        self.force |= args.force.force;
        self.connection(&args.connection);
    }

    #[cfg(feature = "ec2")]
    fn of_copy(&mut self, args: &CopyArgs) {
        self.targets(args.source.as_slice());
        self.input("--manifest", args.manifest.as_deref());
        args.prices.iter().for_each(|path| self.input("--prices", Some(path)));
        self.input("--abort", args.abort.as_deref());
        self.output("--resume", args.resume.as_deref(), OutputKind::Checkpoint);
        if let Some(ledger) = &args.ledger {
            self.ledger("--ledger", ledger, true);
        }
        self.input("--from-sse-c-key-file", args.from.sse_c_key_file.as_deref());
        self.input("--to-sse-c-key-file", args.to.sse_c_key_file.as_deref());
        configured_files().iter().for_each(|(by, path)| self.input(by, Some(path)));
    }

    #[cfg(feature = "s3")]
    fn of_compare(&mut self, args: &CompareArgs) {
        let (a, b) = args.targets.clone().unzip();
        self.lists(&[args.typed_a.clone(), args.typed_b.clone()], None);
        self.targets(a.as_slice());
        self.targets(b.as_slice());
        self.input("--from-sse-c-key-file", args.from.sse_c_key_file.as_deref());
        self.input("--to-sse-c-key-file", args.to.sse_c_key_file.as_deref());
        configured_files().iter().for_each(|(by, path)| self.input(by, Some(path)));
    }

    #[cfg(feature = "ec2")]
    fn source(&mut self, args: &SourceArgs) {
        self.input("--record", args.record.as_deref());
        self.input("--manifest", args.manifest.as_deref());
    }

    fn targets(&mut self, targets: &[Target]) {
        for target in targets {
            if let Target::File(path) = target {
                self.input("the target", Some(path));
            }
        }
    }

    /// Files that name targets.
    fn lists(&mut self, typed: &[Word], selection: Option<&SelectionArgs>) {
        for file in typed.iter().filter_map(Word::url_file) {
            self.input_or_stdin("the target", &file);
        }
        if let Some(file) = selection.and_then(|selection| selection.targets_from.as_deref()) {
            self.input_or_stdin("--targets-from", file);
        }
    }

    fn logical(&mut self, args: &LogicalArgs) {
        self.input("--record", args.record.as_deref());
    }

    fn page(&mut self, args: &PageArgs) {
        self.output("--report", args.file.as_deref(), OutputKind::Page);
        self.force |= args.force.force;
    }

    fn connection(&mut self, args: &ConnectionArgs) {
        self.input("--sse-c-key-file", args.sse_c_key_file.as_deref());
        configured_files().iter().for_each(|(by, path)| self.input(by, Some(path)));
    }

    /// A flag that accepts `-` for standard input.
    fn input_or_stdin(&mut self, by: &str, path: &Path) {
        match path.as_os_str() == "-" {
            true => self.from_stdin = Some(format!("{by} -")),
            false => self.input(by, Some(path)),
        }
    }

    fn input(&mut self, by: &str, path: Option<&Path>) {
        self.inputs.extend(path.map(|path| Named::new(by, path)));
    }

    fn output(&mut self, by: &str, path: Option<&Path>, kind: OutputKind) {
        self.outputs.extend(path.map(|path| (Named::new(by, path), kind)));
    }

    /// Rejects outputs that conflict with an input or another output, cannot be written, or would replace a file that
    /// `stored-ami` did not write.
    ///
    /// # Errors
    ///
    /// A message about the first conflict.
    pub(super) fn check(&self) -> Result<(), UsageError> {
        // A path that cannot be resolved cannot conflict with an output; the code that reads it reports the error.
        let mut taken: Vec<(Place, String)> =
            self.inputs.iter().filter_map(|input| Some((Place::of(&input.path).ok()?, input.shown()))).collect();
        taken.extend(self.from_stdin.iter().filter_map(|name| Some((open_file(io::stdin().as_fd())?, name.clone()))));
        let (out, err) = (open_file(io::stdout().as_fd()), open_file(io::stderr().as_fd()));
        // Not even messages may be written into an input or a ledger.
        let ledgers = self.outputs.iter().filter(|(_, kind)| *kind == OutputKind::Ledger);
        let ledgers = ledgers.filter_map(|(ledger, _)| Place::of(&ledger.path).ok());
        if err.as_ref().is_some_and(|err| {
            taken.iter().any(|(known, _)| known == err) || ledgers.into_iter().any(|ledger| ledger == *err)
        }) {
            fall_silent();
        }
        let said = [(out, "standard output"), (err, "standard error")];
        let said: Vec<(Place, String)> =
            said.into_iter().filter_map(|(place, name)| Some((place?, name.to_owned()))).collect();
        for (place, name) in &said {
            if let Some((_, input)) = taken.iter().find(|(known, _)| known == place) {
                return Err(UsageError(format!("{name} is the same file as {input}; nothing is read or written")));
            }
        }
        taken.extend(said);
        for (output, _) in &self.outputs {
            // The trial write below reports errors of the directory.
            let Ok(place) = Place::of(&output.path) else { continue };
            let special = std::fs::metadata(&output.path).is_ok_and(|there| !there.is_file());
            if special {
                continue;
            }
            if let Some((_, other)) = taken.iter().find(|(known, _)| *known == place) {
                let problem = "an output must be neither an input nor another output";
                return Err(UsageError(format!("{} is the same file as {other}; {problem}", output.shown())));
            }
            taken.push((place, output.shown()));
        }
        for (output, kind) in &self.outputs {
            try_output(&output.path, *kind, self.force)
                .map_err(|error| UsageError(format!("{}: {error}", output.shown())))?;
        }
        Ok(())
    }
}

/// The location of the regular file that a stream is redirected to.
fn open_file(stream: BorrowedFd<'_>) -> Option<Place> {
    let found = File::from(stream.try_clone_to_owned().ok()?).metadata().ok()?;
    found.is_file().then(|| Place::of_open(&found))
}
