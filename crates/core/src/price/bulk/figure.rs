use super::read::{Dimension, MOST_STEPS, Offer};
use super::scalar::Scalar;
use crate::price::item::Unit;
use crate::price::{Figure, Item, Source, Step};

/// Plausible prices in US dollars of one request, object or block. A price per unit and a price per thousand
/// differ by three digits, and price files do not always state which one is meant.
const MOST_FOR_ONE: f64 = 5e-4;
const LEAST_FOR_ONE: f64 = 2e-8;

/// The figure that an offer states; the error text says why it cannot be used.
pub(super) fn figure(item: Item, offer: Offer, source: Source) -> Result<Figure, String> {
    let dimensions = offer.dimensions.0;
    if dimensions.is_empty() {
        return Err("the offer states none".to_owned());
    }
    if dimensions.len() > MOST_STEPS {
        return Err(format!("it has more than {MOST_STEPS} steps, the limit"));
    }
    let steps: Result<Vec<_>, String> = dimensions.iter().map(|dimension| step(item, dimension)).collect();
    let mut steps = steps?;
    steps.sort_by(|(a, _), (b, _)| a.total_cmp(b));
    let mut joined = 0.0;
    for (from, step) in &steps {
        if *from != joined {
            return Err(format!("its steps do not join: one ends at {joined}, the next begins at {from}"));
        }
        joined = step.up_to.unwrap_or(f64::INFINITY);
    }
    Ok(Figure { steps: steps.into_iter().map(|(_, step)| step).collect(), source })
}

fn step(item: Item, dimension: &Dimension) -> Result<(f64, Step), String> {
    let unit = dimension.unit.as_ref().and_then(Scalar::as_str).unwrap_or_default();
    let dollars = dimension.price.dollars.as_ref().ok_or("it is not in US dollars")?;
    let dollars = parse_number(dollars).ok_or_else(|| format!("{dollars} is not an amount of US dollars"))?;
    let from = dimension.begin.as_ref().map_or(Some(0.0), parse_number).ok_or("its `beginRange` is no number")?;
    let up_to = match &dimension.end {
        None => None,
        Some(end) if end.as_str().is_some_and(|end| end.eq_ignore_ascii_case("inf")) => None,
        Some(end) => {
            Some(parse_number(end).filter(|end| *end > from).ok_or("its `endRange` is no number above the begin")?)
        }
    };
    Ok((from, Step { up_to, each: price_per_unit(item, unit, dollars)? }))
}

fn price_per_unit(item: Item, unit: &str, dollars: f64) -> Result<f64, String> {
    let lower = unit.to_ascii_lowercase();
    let wanted = match item.unit() {
        Unit::GbMonth => "gb-mo",
        Unit::Gb => "gb",
        Unit::Job => "job",
        Unit::ObjectMonth | Unit::Request | Unit::Block => {
            let thousand = ["1000", "1,000", "1k", "thousand"].iter().any(|word| lower.contains(word));
            let each = if thousand { dollars / 1000.0 } else { dollars };
            let likely = each == 0.0 || (LEAST_FOR_ONE..=MOST_FOR_ONE).contains(&each);
            let unclear = || format!("{dollars} for `{unit}`: for one or for a thousand is not clear");
            return if likely { Ok(each) } else { Err(unclear()) };
        }
    };
    let fits = if wanted == "gb" { lower == wanted } else { lower.starts_with(wanted) };
    if fits { Ok(dollars) } else { Err(format!("it is for `{unit}`, and not by {}", wanted.to_uppercase())) }
}

/// A non-negative number, written as a string or as a JSON number.
fn parse_number(value: &Scalar) -> Option<f64> {
    let number = match value {
        Scalar::Text(text) => text.trim().parse().ok()?,
        Scalar::Number(number) => *number,
        Scalar::Other => return None,
    };
    Some(number).filter(|number: &f64| number.is_finite() && *number >= 0.0)
}
