use crate::price::{BulkPrices, PriceTable};

/// Checks that charges grow with the quantity, and that the same file given twice changes nothing. Input: a
/// price file.
pub fn prices(data: &[u8]) -> bool {
    let Ok(read) = BulkPrices::read("prices.json", data) else { return false };
    let Ok(table) = PriceTable::from_bulk(std::slice::from_ref(&read), None) else { return false };
    let twice = PriceTable::from_bulk(&[read.clone(), read], None).map(|table| table.figures);
    assert_eq!(twice.as_ref(), Ok(&table.figures), "stated twice and alike");
    for item in table.figures.keys() {
        let mut before = 0.0;
        for quantity in [0.0, 1.0, 1e3, 1e6, 1e12] {
            let Ok(charge) = table.charge(*item, quantity) else { break };
            assert!(charge.dollars >= before && charge.each >= 0.0, "{item}: {charge:?} after {before}");
            before = charge.dollars;
        }
    }
    true
}
