use std::io::BufReader;
use std::path::{Path, PathBuf};

use super::UsageError;
use super::args::AuditFileArgs;
use crate::audit::{Inventory, Objects, objects_in};
use crate::cli::output::keep_output;
use crate::cli::usage::{read, read_given};
use crate::cli::written::WrittenFiles;
use crate::clock::{Clock, SystemClock};
use crate::commands::audit::Scope;
use crate::files::{InputKind, OutputKind, open_input};
use crate::render::{junit, prometheus, table};
use crate::report::Report;

/// The additional output files, and the reports for them.
pub(super) struct Files {
    csv: Option<PathBuf>,
    junit: Option<PathBuf>,
    prometheus: Option<PathBuf>,
    kept: Vec<Report>,
    written: WrittenFiles,
}

impl Files {
    /// Starts without reports.
    pub fn new(args: &AuditFileArgs, written: &WrittenFiles) -> Self {
        let (csv, junit, prometheus) = (args.csv.clone(), args.junit.clone(), args.prometheus.clone());
        Files { csv, junit, prometheus, kept: Vec::new(), written: written.clone() }
    }

    /// Adds a report if any file needs it.
    pub fn add(&mut self, report: &Report) {
        if self.csv.is_some() || self.junit.is_some() || self.prometheus.is_some() {
            self.kept.push(report.clone());
        }
    }

    /// Writes the files.
    ///
    /// # Errors
    ///
    /// The files that could not be written, as text.
    pub fn write(&self) -> Result<(), String> {
        let write = |path: &Option<PathBuf>, kind: OutputKind, content: &dyn Fn() -> Result<Vec<u8>, String>| {
            let Some(path) = path else { return Ok(()) };
            let done = content()
                .and_then(|text| keep_output(&self.written, path, kind, &text).map_err(|error| error.to_string()));
            done.map_err(|problem| format!("{}: could not be written: {problem}", path.display()))
        };
        let kept = &self.kept;
        let all = [
            write(&self.csv, OutputKind::Table, &|| table(kept)),
            write(&self.junit, OutputKind::JUnit, &|| junit(kept)),
            write(&self.prometheus, OutputKind::Prometheus, &|| Ok(prometheus(kept, SystemClock.now()).into_bytes())),
        ];
        let problems: Vec<String> = all.into_iter().filter_map(Result::err).collect();
        if problems.is_empty() { Ok(()) } else { Err(problems.join("; ")) }
    }
}

fn wrong(path: &Path, problem: impl std::fmt::Display) -> UsageError {
    UsageError(format!("{}: {problem}", path.display()))
}

/// Reads the objects named by a list.
pub(super) fn list(path: &Path) -> Result<Scope, UsageError> {
    let input = open_input(path, InputKind::List).map_err(|error| wrong(path, error))?;
    let objects = objects_in(BufReader::new(input)).map_err(|problem| wrong(path, problem))?;
    Ok(Scope::Named { objects, from: path.display().to_string() })
}

/// Reads the stored AMI objects named by an S3 Inventory.
pub(super) fn inventory(manifest: &Path) -> Result<Scope, UsageError> {
    let text = read_given("--inventory", manifest, InputKind::InventoryManifest)?;
    let inventory = Inventory::from_json(&text).map_err(|problem| wrong(manifest, problem))?;
    let mut found = Objects::default();
    for file in &inventory.files {
        let name = file.name();
        let Some(path) = places(manifest, name).into_iter().find(|path| path.is_file()) else {
            return Err(wrong(manifest, format!("its data file {name} is neither beside it nor in `data`")));
        };
        let packed = open_input(&path, InputKind::InventoryData).map_err(|error| wrong(&path, error))?;
        inventory.read(file, packed, &mut found).map_err(|problem| wrong(&path, problem))?;
    }
    let objects = found.into_set();
    if objects.is_empty() {
        return Err(wrong(manifest, "names no stored AMI object"));
    }
    let made = inventory.made().map(|made| format!(" of {made}")).unwrap_or_default();
    Ok(Scope::Named { objects, from: format!("the inventory {}{made}", manifest.display()) })
}

/// Possible locations of a data file. S3 writes the manifest to a directory named by date, and the data files to `data`
/// next to it.
fn places(manifest: &Path, name: &str) -> [PathBuf; 3] {
    let folder = manifest.parent().unwrap_or(Path::new("."));
    [folder.join(name), folder.join("data").join(name), folder.join("../data").join(name)]
}

/// The existing data files of an inventory; none if its manifest cannot be read.
pub(in crate::cli) fn data_files(manifest: &Path) -> Vec<PathBuf> {
    let Ok(text) = read(manifest, InputKind::InventoryManifest) else { return Vec::new() };
    let files = Inventory::from_json(&text).map(|inventory| inventory.files).unwrap_or_default();
    let places = files.iter().flat_map(|file| places(manifest, file.name()));
    places.filter(|path| path.is_file()).collect()
}
