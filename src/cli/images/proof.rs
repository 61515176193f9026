use std::path::Path;

use super::args::{RestoreProofArgs, SourceArgs};
use crate::cli::blocks::{ContentRecord, ProofLedger, at_most, compare, content_record, is_of_object};
use crate::cli::runner::{Runner, Stop};
use crate::cli::starting::StartingArgs;
use crate::cli::usage::UsageError;
use crate::commands::blocks::{BlockServices, ExpectedContent, Prove, ProveRequest, estimate_of_record};
use crate::ident::{AmiId, ObjectUri, ParseAmiIdError};
use crate::report::{BlockEstimateReport, Exit};
use crate::source::{ErrorKind, SourceError};
use crate::units::ByteSize;
use crate::verdict::Verdict;

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
            Some(estimate) => with_blocks(&format!("{restore}, and compare its blocks"), &estimate),
            None => format!("{restore}?"),
        }
    }

    /// The question before the restores of a list, with the price of all proofs.
    pub(super) fn question_of_all(restores: &str, estimate: &BlockEstimateReport) -> String {
        with_blocks(&format!("{restores}, and compare their blocks"), estimate)
    }

    /// What the proof takes, before the AMI is there.
    pub(super) fn estimate(&self) -> Option<BlockEstimateReport> {
        match &self.expected {
            ExpectedContent::Record { record, .. } => Some(estimate_of_record(record, self.rate)),
            ExpectedContent::Image(_) => None,
        }
    }

    /// Blocks per second.
    pub(super) fn rate(&self) -> u32 {
        self.rate
    }

    /// Compares the blocks of the restored AMI. `is_agreed` is whether its estimate was agreed to. Returns verdict and exit
    /// code; `None` if there are none, which was shown.
    pub(super) async fn carry_out(
        &self,
        (runner, ledger): (&mut Runner, Option<&ProofLedger>),
        services: &BlockServices,
        image: &str,
        (starting, is_agreed): (&StartingArgs, bool),
    ) -> Option<(Verdict, Exit)> {
        let agreed_blocks = self.estimate().filter(|_| is_agreed).map(|estimate| estimate.blocks_most);
        let request = ProveRequest { expected: self.expected.clone(), sample: None, max_cost: None, agreed_blocks };
        let services = services.clone();
        let work = async {
            let odd = |error: ParseAmiIdError| SourceError::new(ErrorKind::Protocol, image, error.to_string());
            Prove::prepare(services, &image.parse::<AmiId>().map_err(odd)?, request).await
        };
        let work = runner.run(image, Stop::AtOnce, work).await?;
        compare(runner, work, starting, ledger).await
    }
}

/// The proofs that follow the restores of a list.
pub(super) struct Proofs<'a> {
    /// Those of the lines, in their order.
    pub of_lines: &'a [RestoreProof],
    pub services: BlockServices,
    pub ledger: Option<ProofLedger>,
    pub starting: &'a StartingArgs,
}

impl Proofs<'_> {
    /// Compares the blocks of an AMI of the list, whose estimate was agreed to.
    pub(super) async fn carry_out(
        &self,
        proof: &RestoreProof,
        runner: &mut Runner,
        image: &str,
    ) -> Option<(Verdict, Exit)> {
        proof.carry_out((runner, self.ledger.as_ref()), &self.services, image, (self.starting, true)).await
    }
}

/// What is shown before a restore. The restored AMI may list more blocks than its record.
fn with_blocks(what: &str, estimate: &BlockEstimateReport) -> String {
    format!("{what}: probably at most {}; you are asked again if it can be more. Start?", at_most(estimate))
}
