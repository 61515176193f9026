//! Prices and cost estimates. Figures come with source, Region and date, from a built-in table or from AWS's
//! own price files. Every estimate states its basis.

mod builtin;
mod bulk;
mod class;
mod estimate;
mod item;
mod money;
mod numbers;
mod subject;
mod table;

pub use bulk::{BulkError, BulkPrices};
pub use class::{RetrievalTier, StorageClass};
pub use estimate::{Carrier, CopyPrices, CopySubject, compute_cost, estimate, estimate_copy, thaw_cost};
pub use item::Item;
pub use money::{Amount, dollars};
pub use numbers::{block_note, blocks};
pub use subject::{CostItem, CostLine, Subject};
pub use table::{Charge, Figure, PriceTable, Source, Step};
