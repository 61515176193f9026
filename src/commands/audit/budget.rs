use std::time::Instant;

use jiff::Timestamp;

use super::AuditRequest;
use super::list::Candidate;
use crate::audit::Level;
use crate::commands::verify::archived;
use crate::facts::ObjectFacts;
use crate::price::{CostItem, StorageClass, Subject, estimate};

/// The remaining budget of an audit.
pub(super) struct AuditBudget {
    bytes: Option<u64>,
    dollars: f64,
    /// Whether an object was begun.
    begun: bool,
    /// Number of objects that are read or were read. At a level that reads none: of those that were examined.
    read: u64,
}

/// What is reserved to read an object, besides its requests.
pub(super) struct Reserved {
    bytes: u64,
    dollars: f64,
}

impl AuditBudget {
    /// The whole budget of a request.
    pub(super) fn new(request: &AuditRequest) -> Self {
        AuditBudget { bytes: request.due.bytes, dollars: 0.0, begun: false, read: 0 }
    }

    /// US dollars spent, by list prices; `None` if nothing was.
    pub(super) fn dollars(&self) -> Option<f64> {
        (self.dollars > 0.0).then_some(self.dollars)
    }

    /// The price of examining an object, if the limits allow it; 0 without a limit of the cost. The limits never exclude
    /// the first object that is read, so that repeated runs make progress.
    ///
    /// # Errors
    ///
    /// A message that names the exhausted limit, or states that the price is not known.
    pub(super) fn allows(
        &self,
        request: &AuditRequest,
        weight: &ObjectCost,
        now: Instant,
    ) -> Result<f64, &'static str> {
        if self.begun && request.due.is_over(now) {
            return Err("--max-time is over");
        }
        let reads = weight.reads(request);
        let first = self.read == 0;
        if self.bytes.is_some_and(|left| !first && reads > left) {
            return Err("--max-bytes are spent");
        }
        let Some((most, _)) = &request.due.dollars else { return Ok(0.0) };
        let price = price(request, weight, reads).ok_or("what it would cost is not known")?;
        // Requests alone may have spent it.
        let exempt = first && self.dollars <= *most;
        if !exempt && self.dollars + price > *most {
            return Err("--max-cost is spent");
        }
        Ok(price)
    }

    /// Reserves the budget to examine an object. `None` if nothing of it will be read.
    ///
    /// # Errors
    ///
    /// As [`AuditBudget::allows`].
    pub(super) fn take(
        &mut self,
        request: &AuditRequest,
        weight: &ObjectCost,
        now: Instant,
    ) -> Result<Option<Reserved>, &'static str> {
        let dollars = self.allows(request, weight, now)?;
        let reads = weight.reads(request);
        self.begun = true;
        self.read += u64::from(reads > 0 || request.level == Level::Facts);
        self.dollars += dollars;
        let bytes = self.bytes.map_or(0, |left| left.min(reads));
        self.bytes = self.bytes.map(|left| left - bytes);
        let requests = price(request, weight, 0).unwrap_or_default();
        Ok((reads > 0).then_some(Reserved { bytes, dollars: dollars - requests }))
    }

    /// Gives back what was reserved for an object of which no byte was read.
    pub(super) fn give_back(&mut self, reserved: &Reserved) {
        self.bytes = self.bytes.map(|left| left.saturating_add(reserved.bytes));
        self.dollars -= reserved.dollars;
        self.read -= 1;
    }
}

/// What determines the cost of examining an object: the bytes of it that can be read, and its storage class.
pub(super) struct ObjectCost {
    bytes: u64,
    class: Option<String>,
}

impl ObjectCost {
    /// The cost of this many bytes of an object.
    pub(super) fn of_run(candidate: &Candidate, bytes: u64) -> Self {
        ObjectCost { bytes, ..ObjectCost::listed(candidate) }
    }

    /// The cost by the listing.
    pub(super) fn listed(candidate: &Candidate) -> Self {
        let listed = candidate.listed.as_ref();
        let class = listed.and_then(|object| object.storage_class.clone());
        ObjectCost { bytes: listed.and_then(|object| object.size).unwrap_or_default(), class }
    }

    /// Whether nothing can be read, unless the object was restored: a listing does not show that.
    pub(super) fn is_archived(&self) -> bool {
        archives(self.class.as_deref())
    }

    /// The cost by the response to HEAD. Nothing is read of an object that is archived or that HEAD failed on.
    pub(super) fn of<E>(candidate: &Candidate, head: Result<&ObjectFacts, E>) -> Self {
        let facts = head.ok();
        let bytes = facts.filter(|facts| archived(facts).is_none()).map(|facts| facts.size);
        let class = ObjectCost::listed(candidate).class.or_else(|| facts.and_then(|facts| facts.storage_class.clone()));
        ObjectCost { bytes: bytes.unwrap_or_default(), class }
    }

    /// Number of bytes that the level of the run reads.
    fn reads(&self, request: &AuditRequest) -> u64 {
        match request.level {
            Level::Facts => 0,
            Level::Sample => request.sample.bytes_of(self.bytes).min(self.bytes),
            Level::Bytes => self.bytes,
        }
    }
}

fn archives(class: Option<&str>) -> bool {
    class.and_then(StorageClass::from_name).is_some_and(StorageClass::archives)
}

/// Upper bound of the price of reading `reads` bytes of an object, in US dollars; `None` if it is not known.
fn price(request: &AuditRequest, weight: &ObjectCost, reads: u64) -> Option<f64> {
    let (_, table) = request.due.dollars.as_ref()?;
    // A restored copy of an archived object is read at the price of this class.
    let class = if archives(weight.class.as_deref()) { Some("STANDARD".to_owned()) } else { weight.class.clone() };
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
