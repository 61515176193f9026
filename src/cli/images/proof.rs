use std::path::Path;

use super::args::{RestoreProofArgs, SourceArgs};
use crate::cli::blocks::{ContentRecord, ProofLedger, at_most, compare, content_record, is_of_object};
use crate::cli::runner::{Runner, Stop};
use crate::cli::starting::StartingArgs;
use crate::cli::usage::UsageError;
use crate::commands::blocks::{BlockServices, ExpectedContent, Prove, ProveRequest, estimate_of_record};
use crate::ident::{AmiId, ObjectUri, ParseAmiIdError};
use crate::report::BlockEstimateReport;
use crate::source::{ErrorKind, SourceError};
use crate::units::ByteSize;

/// The proof that follows a restore: what the AMI is compared with.
pub(super) struct RestoreProof {
    expected: ExpectedContent,
    rate: u32,
    /// Whether the record is one of a store, which also describes the AMI.
    is_of_store: bool,
}

impl RestoreProof {
    /// Reads the record. `None` if no proof is asked for. `object` is what is restored, if it is known.
    pub(super) async fn read(
        args: &RestoreProofArgs,
        record: Option<&Path>,
        object: Option<&ObjectUri>,
    ) -> Result<Option<Self>, UsageError> {
        if !args.prove {
            return Ok(None);
        }
        let path = record.ok_or_else(|| {
            UsageError("--prove compares with a record: name one that `fingerprint` wrote".to_owned())
        })?;
        let ContentRecord { content, stored } = content_record(path.to_owned()).await?;
        if let Some(object) = object {
            is_of_object(&content, object, &format!("--record {}", path.display()))?;
        }
        Ok(Some(RestoreProof { expected: content, rate: args.block_rate, is_of_store: stored.is_some() }))
    }

    /// What is known of the object. A record of blocks alone states the size only.
    pub(super) fn source(&self, given: &SourceArgs) -> SourceArgs {
        match &self.expected {
            ExpectedContent::Record { record, .. } if !self.is_of_store => {
                let size = given.logical_size.unwrap_or(ByteSize(record.volume_bytes()));
                SourceArgs { record: None, logical_size: Some(size), ..given.clone() }
            }
            _ => given.clone(),
        }
    }

    /// The question before the restore, with what the record shows of the price of the proof.
    pub(super) fn question(&self, restore: &str) -> String {
        match self.estimate() {
            Some(estimate) => format!(
                "{restore}, and compare its blocks: probably at most {}; you are asked again if it can be more. Start?",
                at_most(&estimate)
            ),
            None => format!("{restore}?"),
        }
    }

    /// What the proof takes, before the AMI is there.
    fn estimate(&self) -> Option<BlockEstimateReport> {
        match &self.expected {
            ExpectedContent::Record { record, .. } => Some(estimate_of_record(record, self.rate)),
            ExpectedContent::Image(_) => None,
        }
    }

    /// Blocks per second.
    pub(super) fn rate(&self) -> u32 {
        self.rate
    }

    /// Compares the blocks of the restored AMI. `is_agreed` is whether its estimate was agreed to.
    pub(super) async fn carry_out(
        &self,
        (runner, ledger): (&mut Runner, Option<&ProofLedger>),
        services: &BlockServices,
        image: &str,
        (starting, is_agreed): (&StartingArgs, bool),
    ) {
        let agreed_blocks = self.estimate().filter(|_| is_agreed).map(|estimate| estimate.blocks_most);
        let request = ProveRequest { expected: self.expected.clone(), sample: None, max_cost: None, agreed_blocks };
        let services = services.clone();
        let work = async {
            let odd = |error: ParseAmiIdError| SourceError::new(ErrorKind::Protocol, image, error.to_string());
            Prove::prepare(services, &image.parse::<AmiId>().map_err(odd)?, request).await
        };
        if let Some(work) = runner.run(image, Stop::AtOnce, work).await {
            compare(runner, work, starting, ledger).await;
        }
    }
}
