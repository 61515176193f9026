use std::io::{self, BufReader, BufWriter, Seek as _, Write};
use std::path::{Path, PathBuf};

use super::UsageError;
use super::args::AuditFileArgs;
use crate::audit::{Inventory, Objects, objects_in};
use crate::cli::output::keep_output_from;
use crate::cli::usage::{read, read_given};
use crate::cli::written::WrittenFiles;
use crate::clock::{Clock, SystemClock};
use crate::commands::audit::Scope;
use crate::files::{InputKind, OutputKind, open_input};
use crate::render::{AuditMetrics, AuditTable, JUnitSuites};
use crate::report::Report;

/// The additional output files, which are prepared while the reports arrive.
pub(super) struct Files {
    csv: Option<(PathBuf, AuditTable)>,
    junit: Option<(PathBuf, JUnitSuites)>,
    prometheus: Option<(PathBuf, AuditMetrics)>,
    written: WrittenFiles,
}

impl Files {
    /// Starts without reports.
    pub(super) fn new(args: &AuditFileArgs, written: &WrittenFiles) -> Self {
        Files {
            csv: args.csv.clone().map(|path| (path, AuditTable::default())),
            junit: args.junit.clone().map(|path| (path, JUnitSuites::default())),
            prometheus: args.prometheus.clone().map(|path| (path, AuditMetrics::default())),
            written: written.clone(),
        }
    }

    /// Adds a report to each file.
    pub(super) fn add(&mut self, report: &Report) {
        self.csv.iter_mut().for_each(|(_, table)| table.add(report));
        self.junit.iter_mut().for_each(|(_, suites)| suites.add(report));
        self.prometheus.iter_mut().for_each(|(_, metrics)| metrics.add(report));
    }

    /// Writes the files.
    ///
    /// # Errors
    ///
    /// The files that could not be written, as text.
    pub(super) fn write(self) -> Result<(), String> {
        let Files { csv, junit, prometheus, written } = self;
        let mut problems = Vec::new();
        let mut write = |path: PathBuf, kind, content: &mut dyn FnMut(&mut dyn Write) -> io::Result<()>| {
            let kept = || {
                let mut whole = BufWriter::new(tempfile::tempfile()?);
                content(&mut whole)?;
                let mut whole = whole.into_inner()?;
                whole.rewind()?;
                keep_output_from(&written, &path, kind, &mut whole)
            };
            if let Err(error) = { kept }() {
                problems.push(format!("{}: could not be written: {error}", path.display()));
            }
        };
        if let Some((path, table)) = csv {
            let mut table = Some(table);
            write(path, OutputKind::Table, &mut |out| table.take().map_or(Ok(()), |table| table.finish(out)));
        }
        if let Some((path, suites)) = junit {
            let mut suites = Some(suites);
            write(path, OutputKind::JUnit, &mut |out| suites.take().map_or(Ok(()), |suites| suites.finish(out)));
        }
        if let Some((path, metrics)) = prometheus {
            let text = metrics.finish(SystemClock.now());
            write(path, OutputKind::Prometheus, &mut |out| out.write_all(text.as_bytes()));
        }
        if problems.is_empty() { Ok(()) } else { Err(problems.join("; ")) }
    }
}

fn wrong(path: &Path, problem: impl std::fmt::Display) -> UsageError {
    UsageError(format!("{}: {problem}", path.display()))
}

/// Reads the objects named by a list.
pub(in crate::cli) fn list(path: &Path) -> Result<Scope, UsageError> {
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
