use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Exit, SizeReport};
use crate::price::{CostItem, CostLine, Source};

/// What keeping, reading and moving an object costs, or storing an AMI. Estimates by list prices; nobody's bill.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CostReport {
    /// The object, the file, or the AMI.
    pub target: String,
    /// Region that the prices are of.
    pub price_region: String,
    /// The table or the files that the prices are from.
    pub prices: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object_bytes: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub storage_class: Option<String>,
    /// Before compression.
    pub size: SizeReport,
    pub lines: Vec<CostLineReport>,
    pub notes: Vec<String>,
    pub requests: u64,
    /// 3 where an estimate is not known.
    pub exit_code: Exit,
}

/// One estimate in US dollars.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CostLineReport {
    pub item: CostItem,
    /// The storage class and its tier, or the call.
    pub of: String,
    /// Whether the object is in this class.
    pub here: bool,
    /// Absent where it is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dollars_least: Option<f64>,
    /// Absent where it is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dollars_most: Option<f64>,
    /// Why nothing is known of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// How it is computed.
    pub basis: String,
    /// How long it takes, where AWS documents that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub takes: Option<String>,
    pub prices: Vec<PriceSourceReport>,
}

/// Where a price comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PriceSourceReport {
    pub source: String,
    pub region: String,
    /// As the source dates itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub date: Option<String>,
    /// The day it was looked at, where it bears no date.
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
