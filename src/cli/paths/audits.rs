//! Files of the commands on many objects.

use std::fs::DirEntry;
use std::path::Path;

use super::Paths;
use crate::cli::args::PageArgs;
use crate::cli::audit::args::{AuditArgs, AuditFileArgs, AuditWork};
use crate::cli::audit::results::{PLAN, ResultsPlace, SHARD};
#[cfg(feature = "batch")]
use crate::cli::batch::args::BatchCommand;
use crate::cli::page::table_beside;
use crate::files::{OutputKind, resolved};

impl Paths {
    #[cfg(feature = "batch")]
    pub(in crate::cli) fn of_batch(&mut self, command: &BatchCommand) {
        match command {
            BatchCommand::Plan(args) => {
                self.input("--list", args.list.as_deref());
                args.manifest.iter().for_each(|path| self.input("--manifest", Some(path)));
                args.prices.iter().for_each(|path| self.input("--prices", Some(path)));
                if let Some(ledger) = &args.ledger {
                    self.ledger("--ledger", ledger, false);
                }
                self.output("--plan", Some(&args.plan), OutputKind::BatchPlan);
                self.force = args.force.force;
                self.connection(&args.connection);
            }
            BatchCommand::Submit(args) => {
                self.input("--plan", Some(&args.plan));
                args.prices.iter().for_each(|path| self.input("--prices", Some(path)));
                self.connection(&args.connection);
            }
            BatchCommand::Status(args) | BatchCommand::Follow(args) => self.connection(&args.connection),
            BatchCommand::Reconcile(args) => {
                self.input("--plan", Some(&args.plan));
                if let Some(ledger) = &args.ledger {
                    self.ledger("--ledger", ledger, true);
                }
                self.connection(&args.connection);
            }
        }
    }

    pub(in crate::cli) fn of_audit(&mut self, args: &AuditArgs) {
        if let Some(AuditWork::Merge(merge)) = &args.work {
            for place in &merge.shards {
                match place {
                    ResultsPlace::Folder(path) => self.results("the shard", path),
                    ResultsPlace::Bucket(_) => self.connection(&merge.connection),
                }
            }
            merge.manifest.iter().for_each(|path| self.input("--manifest", Some(path)));
            merge.ledger.iter().for_each(|ledger| self.ledger("--ledger", ledger, true));
            self.audit_files(&merge.files);
            return self.audit_page(&merge.page);
        }
        if let Some(ResultsPlace::Folder(path)) = &args.results {
            self.results("--results", path);
        }
        if let Some(list) = &args.list {
            self.input_or_stdin("--list", list);
        }
        if let Some(manifest) = &args.inventory {
            self.input("--inventory", Some(manifest));
            for data in crate::cli::audit::files::data_files(manifest) {
                self.input("the inventory's data file", Some(&data));
            }
        }
        self.input("--buckets", args.buckets.as_deref());
        self.input("--policy", args.policy.as_deref());
        if let Some(ledger) = &args.ledger {
            self.ledger("--ledger", ledger, true);
        }
        self.audit_files(&args.files);
        self.audit_page(&args.page);
        self.connection(&args.connection);
    }

    /// A file of results, or a folder with the plan and the results of a run.
    fn results(&mut self, by: &str, path: &Path) {
        self.input(by, Some(path));
        if path.is_file() {
            return;
        }
        self.input(by, Some(&path.join(PLAN)));
        let files = std::fs::read_dir(path).into_iter().flatten().flatten();
        let is_share = |entry: &DirEntry| entry.file_name().as_encoded_bytes().starts_with(SHARD.as_bytes());
        files.filter(is_share).for_each(|entry| self.input(by, Some(&entry.path())));
    }

    fn audit_files(&mut self, args: &AuditFileArgs) {
        self.output("--csv", args.csv.as_deref(), OutputKind::Table);
        self.output("--junit", args.junit.as_deref(), OutputKind::JUnit);
        self.output("--prometheus", args.prometheus.as_deref(), OutputKind::Prometheus);
    }

    /// The page of an audit may have a table beside it.
    fn audit_page(&mut self, args: &PageArgs) {
        self.page(args);
        let table = args.file.as_deref().and_then(table_beside);
        self.output("the table of --report,", table.as_deref(), OutputKind::Table);
    }

    /// A ledger includes the auxiliary files of SQLite.
    pub(in crate::cli) fn ledger(&mut self, by: &str, path: &Path, written: bool) {
        match written {
            true => self.output(by, Some(path), OutputKind::Ledger),
            false => self.input(by, Some(path)),
        }
        // SQLite places them next to the file that a link points to.
        let path = resolved(path).unwrap_or_else(|_| path.to_owned());
        for suffix in ["-journal", "-wal", "-shm"] {
            let mut beside = path.as_os_str().to_owned();
            beside.push(suffix);
            self.input("a file of the ledger,", Some(Path::new(&beside)));
        }
    }
}
