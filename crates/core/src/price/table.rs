use std::collections::BTreeMap;

use super::Item;

/// Source and date of a price.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Source {
    /// Name of the document or file.
    pub name: String,
    /// Region of the price.
    pub region: String,
    /// Date that the source states.
    pub date: Option<String>,
    /// Date on which an undated source was read.
    pub seen: Option<String>,
}

impl Source {
    /// Name and date for a report.
    pub fn describe(&self) -> String {
        let when = match (&self.date, &self.seen) {
            (Some(date), _) => date.clone(),
            (None, Some(seen)) => format!("undated, seen {seen}"),
            (None, None) => "undated".to_owned(),
        };
        format!("{}, {when}", self.name)
    }
}

/// A price that applies up to a number of units per month.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Step {
    /// Upper limit in units, counted from zero; `None` in the last step.
    pub up_to: Option<f64>,
    /// US dollars per unit.
    pub each: f64,
}

/// The price of one item.
#[derive(Debug, Clone, PartialEq)]
pub struct Figure {
    /// The steps in ascending order.
    pub steps: Vec<Step>,
    /// The source of the price.
    pub source: Source,
}

impl Figure {
    /// US dollars for a quantity, as if it were the account's total for the month; `None` beyond the last
    /// step.
    pub fn dollars(&self, quantity: f64) -> Option<f64> {
        let (mut sum, mut from) = (0.0, 0.0);
        for step in &self.steps {
            let to = step.up_to.unwrap_or(f64::INFINITY).min(quantity);
            sum += (to - from).max(0.0) * step.each;
            from = to.max(from);
            if from >= quantity {
                return Some(sum);
            }
        }
        None
    }
}

/// The cost of a quantity of an item.
#[derive(Debug, Clone, PartialEq)]
pub struct Charge {
    /// US dollars.
    pub dollars: f64,
    /// US dollars per unit in the first step.
    pub each: f64,
    /// Whether more than one step applies.
    pub stepped: bool,
    /// The source of the price.
    pub source: Source,
}

/// The prices of one Region.
#[derive(Debug, Clone, PartialEq)]
pub struct PriceTable {
    /// The Region.
    pub region: String,
    /// `the built-in table`, or the names of the files.
    pub name: String,
    /// Whether this is the built-in table. Items that it lacks are left out of an estimate, unless the object
    /// is in that class; items that price files lack are listed as unknown.
    pub built_in: bool,
    /// The price of each item, or why it cannot be used.
    pub figures: BTreeMap<Item, Result<Figure, String>>,
}

impl PriceTable {
    /// The cost of a quantity of an item.
    ///
    /// # Errors
    ///
    /// When the price is unknown or does not cover the quantity; the text is for the report.
    pub fn charge(&self, item: Item, quantity: f64) -> Result<Charge, String> {
        let figure = match self.figures.get(&item) {
            None => return Err(format!("{} no price of {item} in {}", self.holder(), self.region)),
            Some(Err(why)) => return Err(format!("the price of {item}: {why}")),
            Some(Ok(figure)) => figure,
        };
        let beyond = || format!("{} no price of {item} for as much as {quantity:.0} units", self.holder());
        let dollars = figure.dollars(quantity).ok_or_else(beyond)?;
        let first = figure.steps.first().ok_or_else(beyond)?;
        let stepped = first.up_to.is_some_and(|up_to| quantity > up_to);
        Ok(Charge { dollars, each: first.each, stepped, source: figure.source.clone() })
    }

    fn holder(&self) -> &'static str {
        if self.built_in { "the built-in table has" } else { "the price files have" }
    }

    /// Whether the table has an entry for the item.
    pub fn has(&self, item: Item) -> bool {
        self.figures.contains_key(&item)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figure(steps: &[(Option<f64>, f64)]) -> Figure {
        let source = Source { name: "test".into(), region: "r".into(), date: None, seen: None };
        Figure { steps: steps.iter().map(|&(up_to, each)| Step { up_to, each }).collect(), source }
    }

    #[test]
    fn every_step_counts_with_its_own_price() {
        let figure = figure(&[(Some(10.0), 3.0), (Some(20.0), 2.0), (None, 1.0)]);
        for (quantity, dollars) in [(0.0, 0.0), (5.0, 15.0), (10.0, 30.0), (15.0, 40.0), (25.0, 55.0)] {
            assert_eq!(figure.dollars(quantity), Some(dollars), "{quantity}");
        }
    }

    #[test]
    fn beyond_the_last_step_nothing_is_known() {
        assert_eq!(figure(&[(Some(10.0), 3.0)]).dollars(10.5), None);
        assert_eq!(figure(&[]).dollars(1.0), None);
        let figures = BTreeMap::from([(Item::GetBlock, Ok(figure(&[(Some(10.0), 3.0)])))]);
        let table = PriceTable { region: "r".into(), name: "t".into(), built_in: false, figures };
        assert!(table.charge(Item::GetBlock, 11.0).unwrap_err().contains("for as much as 11 units"));
        assert_eq!(
            table.charge(Item::PutBlock, 1.0).unwrap_err(),
            "the price files have no price of PutSnapshotBlock in r"
        );
    }
}
