use std::time::Instant;

use jiff::Timestamp;

use super::AuditRequest;
use super::list::Candidate;
use crate::audit::Level;
use crate::facts::ObjectFacts;
use crate::price::{CostItem, StorageClass, Subject, estimate};

/// The remaining budget of an audit.
pub(super) struct AuditBudget {
    bytes: Option<u64>,
    dollars: f64,
    begun: bool,
}

impl AuditBudget {
    /// The whole budget of a request.
    pub(super) fn new(request: &AuditRequest) -> Self {
        AuditBudget { bytes: request.due.bytes, dollars: 0.0, begun: false }
    }

    /// US dollars spent, by list prices; `None` if nothing was.
    pub(super) fn dollars(&self) -> Option<f64> {
        (self.dollars > 0.0).then_some(self.dollars)
    }

    /// Reserves the budget to examine an object. The limits never exclude the first object, so that repeated runs make
    /// progress.
    ///
    /// # Errors
    ///
    /// A message that names the exhausted limit, or states that the price is not known.
    pub(super) fn take(
        &mut self,
        request: &AuditRequest,
        weight: &ObjectCost,
        now: Instant,
    ) -> Result<(), &'static str> {
        let reads = match request.level {
            Level::Facts => 0,
            Level::Sample => request.sample.bytes_of(weight.bytes),
            Level::Bytes => weight.bytes,
        };
        let first = !std::mem::replace(&mut self.begun, true);
        if !first && request.due.is_over(now) {
            return Err("--max-time is over");
        }
        if let Some(left) = &mut self.bytes {
            if !first && reads > *left {
                return Err("--max-bytes are spent");
            }
            *left = left.saturating_sub(reads);
        }
        if let Some((most, _)) = &request.due.dollars {
            let price = price(request, weight, reads).ok_or("what it would cost is not known")?;
            if !first && self.dollars + price > *most {
                return Err("--max-cost is spent");
            }
            self.dollars += price;
        }
        Ok(())
    }
}

/// What determines the cost of examining an object: its size in bytes and its storage class.
pub(super) struct ObjectCost {
    bytes: u64,
    class: Option<String>,
}

impl ObjectCost {
    /// The cost of a run of this many bytes of an object.
    pub(super) fn of_run(candidate: &Candidate, bytes: u64) -> Self {
        ObjectCost { bytes, ..ObjectCost::of(candidate, None) }
    }

    /// Takes size and class from the listing, otherwise from the facts.
    pub(super) fn of(candidate: &Candidate, facts: Option<&ObjectFacts>) -> Self {
        let listed = candidate.listed.as_ref();
        let bytes = listed.and_then(|object| object.size).or(facts.map(|facts| facts.size));
        let class = listed.and_then(|object| object.storage_class.clone());
        let class = class.or_else(|| facts.and_then(|facts| facts.storage_class.clone()));
        ObjectCost { bytes: bytes.unwrap_or_default(), class }
    }
}

/// Upper bound of the price of reading `reads` bytes of an object, in US dollars; `None` if it is not known.
fn price(request: &AuditRequest, weight: &ObjectCost, reads: u64) -> Option<f64> {
    let (_, table) = request.due.dollars.as_ref()?;
    // A restored copy of an archived object is read at the price of this class.
    let archived = weight.class.as_deref().and_then(StorageClass::from_name).is_some_and(StorageClass::archives);
    let class = if archived { Some("STANDARD".to_owned()) } else { weight.class.clone() };
    let subject = Subject {
        bytes: Some(reads),
        class,
        archive_status: None,
        volumes: None,
        written: None,
        no_size: String::new(),
        requests: Some(3 + reads.div_ceil(8 << 20)),
        parts: None,
        modified: None,
        now: Timestamp::UNIX_EPOCH,
    };
    let line = estimate(&subject, table).into_iter().find(|line| line.item == CostItem::Read && line.here)?;
    line.amount.ok()?.most
}
