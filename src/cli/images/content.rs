use std::path::{Path, PathBuf};

use crate::cli::blocks::{self, keep, open_sidecar, read_blocks};
use crate::cli::runner::{Runner, Stop};
use crate::cli::usage::UsageError;
use crate::commands::blocks::{BlockServices, DigestFile, Fingerprint};
use crate::ident::{AmiId, shell_option};
use crate::report::{FingerprintReport, Report};

/// The content of an AMI, which is read after its store.
pub(super) struct StoredContent {
    work: Fingerprint,
    record: PathBuf,
}

impl StoredContent {
    /// Describes the AMI, and shows price, requests and time. `None` if it cannot be described, which was shown.
    pub(super) async fn prepare(
        runner: &mut Runner,
        services: BlockServices,
        image: &AmiId,
        record: &Path,
    ) -> Option<Self> {
        let work = runner.run(image.as_str(), Stop::AtOnce, Fingerprint::prepare(services, image)).await?;
        runner.show(&Report::Fingerprint(Box::new(FingerprintReport { goes_on: true, ..work.report() })));
        Some(StoredContent { work, record: record.to_owned() })
    }

    /// The question before the store, with the price of the reading.
    pub(super) fn question(&self, store: &str) -> String {
        blocks::question(&format!("{store}, and then record its blocks"), &self.work.report().estimate)
    }

    /// Opens the file of the digests, so that a wrong one is known before the store.
    pub(super) async fn open(&self, runner: &mut Runner, force: bool) -> Result<DigestFile, UsageError> {
        open_sidecar(runner, &self.record, &self.work, force).await
    }

    /// Reads the blocks, and adds the content to the record of the store.
    pub(super) async fn carry_out(self, runner: &mut Runner, file: DigestFile) {
        let image = self.work.report().image;
        match read_blocks(runner, self.work, file).await {
            Some(record) => keep(runner, &record, &self.record),
            None => {
                let record = shell_option("--record", &self.record.display().to_string());
                runner
                    .remark(&format!("the AMI is stored; `stored-ami fingerprint {image} {record}` reads its blocks"));
            }
        }
    }
}
