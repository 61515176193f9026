//! Estimates the cost of an object, a file or an AMI, line by line.

mod computed;
mod copied;
mod draft;
mod kept;
mod moved;
mod tasks;
mod thawed;

pub use computed::compute_cost;
pub use thawed::thaw_cost;

pub use copied::{Carrier, CopyPrices, CopySubject, estimate_copy};

use super::{CostLine, PriceTable, Subject};

/// All cost lines of a subject. A line that lacks a figure states which one.
pub fn estimate(subject: &Subject, table: &PriceTable) -> Vec<CostLine> {
    let mut lines = Vec::new();
    if let Some(bytes) = subject.bytes {
        lines.extend(kept::storage(subject, table, bytes));
        lines.extend(kept::early_deletion(subject, table, bytes));
        lines.extend(kept::reading(subject, table, bytes));
        lines.extend(moved::bring_back(subject, table, bytes));
        lines.push(moved::copy_out(table, bytes));
        lines.extend(moved::change_class(subject, table, bytes));
    }
    lines.push(tasks::store(subject, table));
    lines.push(tasks::restore(subject, table));
    lines
}

#[cfg(test)]
mod tests;
