//! Reads AWS's bulk price files: `index.json` of the offers AmazonS3 and AmazonEC2 (AWS Price List Bulk API).

mod figure;
mod narrow;
mod read;
mod scalar;
mod usage;

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;

use super::{Figure, Item, PriceTable, Source};

/// Size limit in bytes. The largest file of one Region, AmazonEC2 of us-east-1, has about 400 MB.
const MOST_BYTES: u64 = 2 << 30;
const OFFERS: [&str; 3] = ["AmazonS3", "AmazonEC2", "AWSDataTransfer"];

/// A file is not a usable price file.
#[derive(Debug, thiserror::Error)]
pub enum BulkError {
    /// Not a JSON price file; the text is the parser's message.
    #[error("is not a price file of AWS: {0}")]
    Malformed(String),
    /// The file is of another offer.
    #[error("is of the offer `{0}`; those of AmazonS3 and AmazonEC2 are read")]
    Offer(String),
    /// The file exceeds the size limit.
    #[error("is larger than 2 GiB, the limit for a price file; take the file of one Region")]
    TooLarge,
    /// Reading failed.
    #[error("could not be read: {0}")]
    Io(String),
}

type Figures = BTreeMap<Item, Result<Figure, String>>;

/// The prices that one file states, by Region.
#[derive(Debug, Clone, PartialEq)]
pub struct BulkPrices {
    file: String,
    regions: BTreeMap<String, Figures>,
}

impl BulkPrices {
    /// Reads a file as a stream and keeps only the prices of known items. A price that cannot be interpreted
    /// is recorded as such and is not an error.
    ///
    /// # Errors
    ///
    /// When reading fails, or the file is not a price file of a supported offer or is too large.
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
            add_price(figures, *item, figure::figure(*item, offer, source));
        }
        Ok(BulkPrices { file: file.to_owned(), regions })
    }
}

/// Adds a price. If one item has two different prices, neither is used.
fn add_price(figures: &mut Figures, item: Item, found: Result<Figure, String>) {
    let settled = match (figures.remove(&item), found) {
        (None, found) => found,
        (Some(Ok(known)), Ok(found)) if known.steps == found.steps => Ok(known),
        (Some(Ok(_)), Ok(_)) => Err("stated twice, and not alike".to_owned()),
        (Some(Err(why)), _) | (Some(Ok(_)), Err(why)) => Err(why),
    };
    figures.insert(item, settled);
}

impl PriceTable {
    /// The prices of one Region from one or more files. Prices that the files lack are unknown. Without
    /// `region`, the Region of the files is used if there is only one.
    ///
    /// # Errors
    ///
    /// When the files contain no known price, or prices of several Regions and `region` is `None`; the text
    /// is for the user.
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
            add_price(&mut figures, *item, figure.clone());
        }
        Ok(PriceTable { region, name: names.join(" and "), built_in: false, figures })
    }
}

#[cfg(test)]
mod tests;
