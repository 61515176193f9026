use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::UsageError;
use super::args::AuditFileArgs;
use crate::cli::resolve::{place, read};
use crate::clock::{Clock, SystemClock};
use crate::commands::audit::Chosen;
use crate::files::write_whole;
use crate::fleet::Inventory;
use crate::render::{junit, prometheus, table};
use crate::report::Report;

/// The files that are written besides, and the reports for them.
pub(super) struct Files {
    csv: Option<PathBuf>,
    junit: Option<PathBuf>,
    prometheus: Option<PathBuf>,
    kept: Vec<Report>,
}

impl Files {
    /// Refuses a place where no file can be.
    pub fn new(args: &AuditFileArgs) -> Result<Self, UsageError> {
        let placed = |flag, path: &Option<PathBuf>| path.as_deref().map(|path| place(flag, path)).transpose();
        Ok(Files {
            csv: placed("--csv", &args.csv)?,
            junit: placed("--junit", &args.junit)?,
            prometheus: placed("--prometheus", &args.prometheus)?,
            kept: Vec::new(),
        })
    }

    pub fn add(&mut self, report: &Report) {
        if self.csv.is_some() || self.junit.is_some() || self.prometheus.is_some() {
            self.kept.push(report.clone());
        }
    }

    /// Writes them; in words which could not be written.
    pub fn write(&self) -> Result<(), String> {
        let write = |path: &Option<PathBuf>, content: &dyn Fn() -> Result<Vec<u8>, String>| {
            let Some(path) = path else { return Ok(()) };
            let written = content().and_then(|text| write_whole(path, &text).map_err(|error| error.to_string()));
            written.map_err(|problem| format!("{}: could not be written: {problem}", path.display()))
        };
        let kept = &self.kept;
        let all = [
            write(&self.csv, &|| table(kept)),
            write(&self.junit, &|| junit(kept)),
            write(&self.prometheus, &|| Ok(prometheus(kept, SystemClock.now()).into_bytes())),
        ];
        let problems: Vec<String> = all.into_iter().filter_map(Result::err).collect();
        if problems.is_empty() { Ok(()) } else { Err(problems.join("; ")) }
    }
}

/// The stored AMI objects that an S3 Inventory names.
pub(super) fn inventory(manifest: &Path) -> Result<Chosen, UsageError> {
    let wrong = |path: &Path, problem: String| UsageError(format!("{}: {problem}", path.display()));
    let inventory = Inventory::from_json(&read(manifest)?).map_err(|problem| wrong(manifest, problem))?;
    let folder = manifest.parent().unwrap_or(Path::new("."));
    let mut objects = BTreeSet::new();
    for file in &inventory.files {
        let name = file.key.rsplit('/').next().unwrap_or_default();
        // As S3 lays them out: the manifest in a folder of its day, the data in `data` beside that.
        let places = [folder.join(name), folder.join("data").join(name), folder.join("../data").join(name)];
        let Some(path) = places.iter().find(|path| path.is_file()) else {
            return Err(wrong(manifest, format!("its data file {name} is neither beside it nor in `data`")));
        };
        let packed = std::fs::read(path).map_err(|error| wrong(path, error.to_string()))?;
        objects.extend(inventory.read(file, &packed).map_err(|problem| wrong(path, problem))?.objects);
    }
    if objects.is_empty() {
        return Err(wrong(manifest, "names no stored AMI object".to_owned()));
    }
    let made = inventory.made().map(|made| format!(" of {made}")).unwrap_or_default();
    Ok(Chosen::Named { objects, from: format!("the inventory {}{made}", manifest.display()) })
}
