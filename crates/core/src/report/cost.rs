use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Exit, Note, SizeReport};
use crate::price::{CostItem, CostLine, Source};

/// Estimated costs of keeping, reading and moving an object, or of storing an AMI, by list prices.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CostReport {
    /// The object, the file or the AMI.
    pub target: String,
    /// Region of the prices.
    pub price_region: String,
    /// Name of the price table or the price files.
    pub prices: String,
    /// Size of the object in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object_bytes: Option<u64>,
    /// Storage class in S3's spelling.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub storage_class: Option<String>,
    /// Size of the AMI before compression.
    pub size: SizeReport,
    /// One estimate per line.
    pub lines: Vec<CostLineReport>,
    /// Remarks.
    pub notes: Vec<Note>,
    /// Requests of all kinds.
    pub requests: u64,
    /// Exit code of the command: 3 if an estimate is not known.
    pub exit_code: Exit,
}

/// One estimate in US dollars.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CostLineReport {
    /// `keep` (for a month), `early_deletion` (the rest of the class's minimum duration), `read` (every byte
    /// once), `bring_back` (from an archive class), `temporary_copy` (its readable copy), `copy_out` (to the internet),
    /// `move` (to another class), `store` or `restore`; of a copy also `write`.
    pub item: CostItem,
    /// The storage class and its tier, or the API call.
    pub of: String,
    /// Whether the object is in this class.
    pub here: bool,
    /// Lower bound; absent if not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dollars_least: Option<f64>,
    /// Upper bound; absent if not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dollars_most: Option<f64>,
    /// Why the amount is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The computation.
    pub basis: String,
    /// The documented duration, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub takes: Option<String>,
    /// Sources of the prices.
    pub prices: Vec<PriceSourceReport>,
}

/// Source of a price.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PriceSourceReport {
    /// Name of the document or file.
    pub source: String,
    /// Region of the price.
    pub region: String,
    /// Date that the source states.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub date: Option<String>,
    /// Date on which an undated source was read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen: Option<String>,
}

impl From<&CostLine> for CostLineReport {
    fn from(line: &CostLine) -> Self {
        let amount = line.amount.as_ref().ok();
        CostLineReport {
            item: line.item,
            of: line.of.clone(),
            here: line.here,
            dollars_least: amount.and_then(|amount| amount.least),
            dollars_most: amount.and_then(|amount| amount.most),
            reason: line.amount.as_ref().err().cloned(),
            basis: line.basis.clone(),
            takes: line.takes.clone(),
            prices: line.sources.iter().map(PriceSourceReport::from).collect(),
        }
    }
}

impl From<&Source> for PriceSourceReport {
    fn from(source: &Source) -> Self {
        PriceSourceReport {
            source: source.name.clone(),
            region: source.region.clone(),
            date: source.date.clone(),
            seen: source.seen.clone(),
        }
    }
}
