use super::draft::Draft;
use crate::price::numbers::gb;
use crate::price::{CostItem, CostLine, Item, PriceTable};
use crate::units::{ByteSize, noun};

/// The cost of checksums that S3 Batch Operations computes at rest: by the bytes, the jobs and the objects.
pub fn compute_cost(jobs: u64, objects: u64, bytes: u64, table: &PriceTable) -> Vec<CostLine> {
    let of = |count: u64, what: &str| format!("{} {}", ByteSize(count).grouped(), noun(count, what));
    let fee = |item, count: u64, what: &str| Draft::new(table).exactly(item, count as f64, what);
    vec![
        Draft::new(table)
            .exactly(Item::ComputeChecksum, gb(bytes), "GB")
            .line(CostItem::ComputeChecksum, of(objects, "object")),
        fee(Item::BatchJob, jobs, "job").line(CostItem::BatchJob, of(jobs, "job")),
        fee(Item::BatchObject, objects, "object").line(CostItem::BatchObjects, of(objects, "object")),
    ]
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::price::{Figure, Source, Step};

    #[test]
    fn fees_without_a_price_are_named() {
        let lines = compute_cost(2, 1_000, 500_000_000_000, &PriceTable::built_in());
        let dollars: Vec<_> = lines.iter().map(|line| line.amount.as_ref().map(|amount| amount.most)).collect();
        assert_eq!(dollars[0], Ok(Some(2.0)));
        assert_eq!(
            dollars[1],
            Err(&"the built-in table has no price of a job of S3 Batch Operations in us-east-1".to_owned())
        );
        assert!(dollars[2].is_err());
    }

    #[test]
    fn price_files_give_the_fees() {
        let source = Source { name: "test".into(), region: "r".into(), date: None, seen: None };
        let figure = |each| Ok(Figure { steps: vec![Step { up_to: None, each }], source: source.clone() });
        let figures = BTreeMap::from([
            (Item::ComputeChecksum, figure(0.004)),
            (Item::BatchJob, figure(0.25)),
            (Item::BatchObject, figure(0.000_001)),
        ]);
        let table = PriceTable { region: "r".into(), name: "t".into(), built_in: false, figures };
        let lines = compute_cost(2, 1_000_000, 0, &table);
        let dollars: Vec<_> = lines.iter().map(|line| line.amount.as_ref().unwrap().most.unwrap()).collect();
        assert_eq!(dollars[1], 0.5);
        assert!((dollars[2] - 1.0).abs() < 1e-9);
        assert_eq!(lines[1].basis, "2 jobs × $0.25");
    }
}
