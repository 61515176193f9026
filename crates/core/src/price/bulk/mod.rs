//! AWS's bulk price files: `index.json` of the offers AmazonS3 and AmazonEC2 (AWS Price List Bulk API).

mod figure;
mod narrow;
mod read;
mod scalar;
mod usage;

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;

use super::{Figure, Item, PriceTable, Source};

/// The largest file of one Region, AmazonEC2 of us-east-1, has some 400 MB.
const MOST_BYTES: u64 = 2 << 30;
const OFFERS: [&str; 3] = ["AmazonS3", "AmazonEC2", "AWSDataTransfer"];

/// Why a file is no price file.
#[derive(Debug, thiserror::Error)]
pub enum BulkError {
    #[error("is not a price file of AWS: {0}")]
    Malformed(String),
    #[error("is of the offer `{0}`; those of AmazonS3 and AmazonEC2 are read")]
    Offer(String),
    #[error("is larger than 2 GiB, the limit for a price file; take the file of one Region")]
    TooLarge,
    #[error("could not be read: {0}")]
    Io(String),
}

type Figures = BTreeMap<Item, Result<Figure, String>>;

/// What one price file states, by Region.
#[derive(Debug, Clone, PartialEq)]
pub struct BulkPrices {
    file: String,
    regions: BTreeMap<String, Figures>,
}

impl BulkPrices {
    /// Reads a file as it comes; little of it is kept. A figure that is not understood is no error of the file.
    pub fn read(file: &str, input: impl Read) -> Result<Self, BulkError> {
        let mut input = narrow::Narrow::new(input.take(MOST_BYTES));
        let content: Result<read::Content, _> = serde_json::from_reader(&mut input);
        let content = content.map_err(|error| match () {
            () if input.limit() == 0 => BulkError::TooLarge,
            () if error.is_io() => BulkError::Io(error.to_string()),
            () => BulkError::Malformed(error.to_string()),
        })?;
        if !OFFERS.contains(&content.offer.as_str()) {
            return Err(BulkError::Offer(content.offer));
        }
        let mut regions: BTreeMap<String, Figures> = BTreeMap::new();
        for (sku, offer) in content.offers {
            let Some((Some(region), item)) = content.products.get(&sku) else { continue };
            let source = Source {
                name: format!("{} of {file}", content.offer),
                region: region.clone(),
                date: content.published.clone(),
                seen: None,
            };
            let figures = regions.entry(region.clone()).or_default();
            add(figures, *item, figure::figure(*item, offer, source));
        }
        Ok(BulkPrices { file: file.to_owned(), regions })
    }
}

/// Two prices of one item leave it open.
fn add(figures: &mut Figures, item: Item, found: Result<Figure, String>) {
    let settled = match (figures.remove(&item), found) {
        (None, found) => found,
        (Some(Ok(known)), Ok(found)) if known.steps == found.steps => Ok(known),
        (Some(Ok(_)), Ok(_)) => Err("stated twice, and not alike".to_owned()),
        (Some(Err(why)), _) | (Some(Ok(_)), Err(why)) => Err(why),
    };
    figures.insert(item, settled);
}

impl PriceTable {
    /// The prices of one Region out of one or more files, and of nothing else: what they lack is not known. Without a
    /// Region that of the files, if it is one.
    pub fn from_bulk(files: &[BulkPrices], region: Option<&str>) -> Result<Self, String> {
        let names: Vec<&str> = files.iter().map(|file| file.file.as_str()).collect();
        let known: BTreeSet<&String> = files.iter().flat_map(|file| file.regions.keys()).collect();
        let region = match (region, known.iter().next()) {
            (Some(region), _) => region.to_owned(),
            (None, Some(only)) if known.len() == 1 => (*only).clone(),
            (None, None) => return Err(format!("{}: no price in it is known here", names.join(", "))),
            (None, _) => return Err(format!("{}: prices of {} Regions; give --region", names.join(", "), known.len())),
        };
        let mut figures = Figures::new();
        for (item, figure) in files.iter().filter_map(|file| file.regions.get(&region)).flatten() {
            add(&mut figures, *item, figure.clone());
        }
        Ok(PriceTable { region, name: names.join(" and "), built_in: false, figures })
    }
}

#[cfg(test)]
mod tests;
