use crate::price::item::Unit;
use crate::price::money::price;
use crate::price::{Amount, CostItem, CostLine, Item, PriceTable, Source};
use crate::units::{ByteSize, noun};

/// A cost line under construction, to which charges are added.
pub(super) struct Draft<'a> {
    table: &'a PriceTable,
    least: Option<f64>,
    most: Option<f64>,
    words: Vec<String>,
    sources: Vec<Source>,
    missing: Option<String>,
}

impl<'a> Draft<'a> {
    pub(crate) fn new(table: &'a PriceTable) -> Self {
        Draft { table, least: Some(0.0), most: Some(0.0), words: Vec::new(), sources: Vec::new(), missing: None }
    }

    pub(crate) fn exactly(self, item: Item, quantity: f64, what: &str) -> Self {
        self.range(item, Some(quantity), Some(quantity), what)
    }

    /// Adds a charge for a quantity of which the minimum, the maximum, or both are known.
    pub(crate) fn range(mut self, item: Item, least: Option<f64>, most: Option<f64>, what: &str) -> Self {
        let Some(any) = most.or(least) else { return self.unknown(format!("how many {}", noun(0, what))) };
        let charge = match self.table.charge(item, any) {
            Ok(charge) => charge,
            Err(why) => return self.unknown(why),
        };
        let dollars = |quantity: Option<f64>| quantity.and_then(|quantity| self.table.charge(item, quantity).ok());
        let sum = |sum: Option<f64>, quantity| Some(sum? + dollars(quantity)?.dollars);
        (self.least, self.most) = (sum(self.least, least), sum(self.most, most));
        let unit = item.unit();
        let number = |quantity| count(unit, quantity);
        let quantity = match (least, most) {
            (Some(least), Some(most)) if least == most => number(most),
            (Some(least), Some(most)) => format!("{} to {}", number(least), number(most)),
            (Some(least), None) => format!("at least {}", number(least)),
            _ => format!("at most {}", number(any)),
        };
        let each = if unit.by_thousands() { format!("{}/1,000", price(charge.each * 1e3)) } else { price(charge.each) };
        let steps = if charge.stepped { ", less beyond the first step" } else { "" };
        let what = if unit.by_thousands() || unit == Unit::Job { noun(any as u64, what) } else { what.into() };
        self.words.push(format!("{quantity} {what} × {each}{steps}"));
        if !self.sources.contains(&charge.source) {
            self.sources.push(charge.source);
        }
        self
    }

    /// Multiplies the charges added so far by `factor`.
    pub(crate) fn share(mut self, factor: f64, words: String) -> Self {
        let times = |sum: Option<f64>| sum.map(|sum| sum * factor);
        (self.least, self.most) = (times(self.least), times(self.most));
        self.words.push(words);
        self
    }

    pub(crate) fn remark(mut self, words: impl Into<String>) -> Self {
        self.words.push(words.into());
        self
    }

    pub(crate) fn unknown(mut self, why: String) -> Self {
        self.missing.get_or_insert(why);
        self
    }

    pub(crate) fn line(self, item: CostItem, of: impl Into<String>) -> CostLine {
        let amount = Amount { least: self.least, most: self.most };
        CostLine {
            item,
            of: of.into(),
            here: false,
            amount: self.missing.map_or(Ok(amount), Err),
            basis: self.words.join(", "),
            takes: None,
            sources: self.sources,
        }
    }
}

/// Formats a quantity for the report.
fn count(unit: Unit, quantity: f64) -> String {
    match unit {
        Unit::GbMonth | Unit::Gb if quantity >= 0.01 => format!("{quantity:.2}"),
        Unit::GbMonth | Unit::Gb => {
            let text = format!("{quantity:.9}");
            text.trim_end_matches('0').trim_end_matches('.').to_owned()
        }
        Unit::ObjectMonth | Unit::Request | Unit::Block | Unit::Job => ByteSize(quantity as u64).grouped(),
    }
}
