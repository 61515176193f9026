//! Parses AWS's bulk price files as a stream: they have hundreds of megabytes, of which a few dozen products
//! are needed.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, Visitor};

use super::scalar::Scalar;
use super::usage::item_of_usage;
use crate::price::Item;

/// The most steps of one price. The longest published price has seven.
pub(super) const MOST_STEPS: usize = 64;
/// Limit for products of known items: a file of all Regions has about forty per Region.
const MOST_PRODUCTS: usize = 10_000;
/// Limit for the price steps of these products.
const MOST_DIMENSIONS: usize = 10 * MOST_PRODUCTS;
/// Limit for the length of a SKU, which has sixteen characters.
const MOST_SKU: usize = 64;

/// The parts of a file that are needed.
#[derive(Debug, Default)]
pub(super) struct Content {
    pub offer: String,
    pub published: Option<String>,
    /// By SKU: the Region, if the product states it, and the item.
    pub products: BTreeMap<String, (Option<String>, Item)>,
    /// Offers with their SKU.
    pub offers: Vec<(String, Offer)>,
    /// Number of steps of all offers.
    pub dimensions: usize,
}

/// One offer of a product.
#[derive(Debug, Deserialize)]
pub(super) struct Offer {
    #[serde(default, rename = "priceDimensions")]
    pub dimensions: Dimensions,
}

/// Steps of a price in the order of the file. One more than the limit is kept, to detect that there are too
/// many.
#[derive(Debug, Default)]
pub(super) struct Dimensions(pub Vec<Dimension>);

/// One step of a price. AWS's files write all values as strings, including numbers.
#[derive(Debug, Deserialize)]
pub(super) struct Dimension {
    pub unit: Option<Scalar>,
    #[serde(rename = "beginRange")]
    pub begin: Option<Scalar>,
    #[serde(rename = "endRange")]
    pub end: Option<Scalar>,
    #[serde(default, rename = "pricePerUnit")]
    pub price: Price,
}

/// The price of a unit in US dollars; other currencies are ignored.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Price {
    #[serde(rename = "USD")]
    pub dollars: Option<Scalar>,
}

#[derive(Deserialize)]
struct Product {
    attributes: Option<Attributes>,
}

#[derive(Deserialize)]
struct Attributes {
    usagetype: Option<Scalar>,
    operation: Option<Scalar>,
    #[serde(rename = "regionCode")]
    region: Option<Scalar>,
    #[serde(rename = "fromRegionCode")]
    from_region: Option<Scalar>,
}

impl<'de> Deserialize<'de> for Content {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(File)
    }
}

struct File;

impl<'de> Visitor<'de> for File {
    type Value = Content;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with `offerCode`, `products` and `terms`")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Content, A::Error> {
        let text = |value: &Scalar| value.as_str().map(str::to_owned);
        let mut content = Content::default();
        let (mut products, mut terms) = (false, false);
        while let Some(name) = map.next_key::<String>()? {
            match name.as_str() {
                "offerCode" => content.offer = text(&map.next_value()?).unwrap_or_default(),
                "publicationDate" => content.published = text(&map.next_value()?),
                "products" => {
                    map.next_value_seed(Products(&mut content))?;
                    products = true;
                }
                "terms" if !products => {
                    return Err(A::Error::custom("`terms` come before `products`; sort the names, as `jq -S` does"));
                }
                "terms" => {
                    map.next_value_seed(Terms(&mut content))?;
                    terms = true;
                }
                _ => {
                    let IgnoredAny = map.next_value()?;
                }
            }
        }
        match (products, terms) {
            (true, true) => Ok(content),
            (false, _) => Err(A::Error::missing_field("products")),
            (_, false) => Err(A::Error::missing_field("terms")),
        }
    }
}

/// Defines a deserialiser that visits the entries of a map one at a time.
macro_rules! seed {
    ($name:ident, $expected:literal, |$content:ident, $key:ident, $map:ident| $value:block) => {
        struct $name<'a>(&'a mut Content);

        impl<'de> DeserializeSeed<'de> for $name<'_> {
            type Value = ();

            fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
                deserializer.deserialize_map(self)
            }
        }

        impl<'de> Visitor<'de> for $name<'_> {
            type Value = ();

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str($expected)
            }

            fn visit_map<A: MapAccess<'de>>(self, mut $map: A) -> Result<(), A::Error> {
                let $content = self.0;
                while let Some($key) = $map.next_key::<String>()? $value
                Ok(())
            }
        }
    };
}

seed!(Products, "`products` as an object by SKU", |content, sku, map| {
    let Some(attributes) = map.next_value::<Product>()?.attributes else { continue };
    if sku.len() > MOST_SKU {
        continue;
    }
    let text = |value: &Option<Scalar>| value.as_ref().and_then(Scalar::as_str).map(str::to_owned);
    let operation = text(&attributes.operation);
    let Some((item, coded)) = text(&attributes.usagetype).and_then(|usage| item_of_usage(&usage, operation.as_deref()))
    else {
        continue;
    };
    if content.products.len() >= MOST_PRODUCTS {
        return Err(A::Error::custom(format!("more than {MOST_PRODUCTS} products count; take the file of one Region")));
    }
    let stated = text(&attributes.region).or_else(|| text(&attributes.from_region));
    // Usage types without a Region code are those of us-east-1.
    let region = stated.or_else(|| (!coded).then(|| "us-east-1".to_owned()));
    content.products.insert(sku, (region, item));
});

seed!(Terms, "`terms` as an object", |content, kind, map| {
    if kind == "OnDemand" {
        map.next_value_seed(OnDemand(content))?;
    } else {
        let IgnoredAny = map.next_value()?;
    }
});

seed!(OnDemand, "`OnDemand` as an object by SKU", |content, sku, map| {
    if content.products.contains_key(&sku) {
        map.next_value_seed(Offers(content, &sku))?;
    } else {
        let IgnoredAny = map.next_value()?;
    }
});

/// Reads the offers of one product.
struct Offers<'a>(&'a mut Content, &'a str);

impl<'de> DeserializeSeed<'de> for Offers<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Offers<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("offers as an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Offers(content, sku) = self;
        while let Some(IgnoredAny) = map.next_key()? {
            let offer: Offer = map.next_value()?;
            // An offer without steps counts as one step.
            content.dimensions += offer.dimensions.0.len().max(1);
            if content.dimensions > MOST_DIMENSIONS {
                return Err(A::Error::custom(format!("more than {MOST_DIMENSIONS} steps of prices that count")));
            }
            content.offers.push((sku.to_owned(), offer));
        }
        Ok(())
    }
}

impl<'de> Deserialize<'de> for Dimensions {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Steps)
    }
}

struct Steps;

impl<'de> Visitor<'de> for Steps {
    type Value = Dimensions;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("`priceDimensions` as an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Dimensions, A::Error> {
        let mut steps = Vec::new();
        while let Some(IgnoredAny) = map.next_key()? {
            if steps.len() > MOST_STEPS {
                let IgnoredAny = map.next_value()?;
            } else {
                steps.push(map.next_value()?);
            }
        }
        Ok(Dimensions(steps))
    }
}
