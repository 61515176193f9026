use std::sync::{Mutex, PoisonError};

use crate::lab::operation::Operation;

/// What goes wrong. Offsets and lengths are bytes of the response's body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// An error response instead of the operation.
    Status { status: u16, code: &'static str },
    /// The XML of `SlowDown` under status 200.
    SlowDownInside200,
    /// RST after so many bytes.
    ResetAfter(u64),
    /// Nothing more after so many bytes, with the connection left open.
    StallAfter(u64),
    /// A chunked body that ends properly, but too early.
    EndEarly(u64),
    /// FIN after so many bytes of the announced Content-Length.
    CloseAfter(u64),
    /// Content-Length and body longer than the range by so many bytes.
    TooLong(u64),
    /// Both positions of Content-Range moved by so many bytes.
    ContentRangeShifted(u64),
    /// Content-Range with this total.
    ContentRangeTotal(u64),
    /// An answer without this header.
    HeaderAbsent(&'static str),
    /// 200 with the whole object, whatever was asked for.
    RangeIgnored,
    /// Another ETag in the header (without quotes).
    OtherETag(String),
    /// Behind this answer the object has other bytes and another ETag.
    ReplaceObject,
    /// Bits of one byte flipped on the wire; the stored byte stays.
    FlipOnWire { offset: u64, mask: u8 },
    /// `?attributes` is answered with the object, by a server that does not
    /// know the sub-resource.
    AttributesIgnored,
    /// `HEAD ?partNumber` tells the size of the whole object, as Ceph did.
    PartHeadLies,
    /// The operation is carried out, and the connection ends without an answer.
    AnswerLost,
    /// With `partNumber` the ETag is the part's own, as Ceph did.
    PartETag,
}

/// A fault with the requests it is meant for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FaultRule {
    operation: Operation,
    key_contains: String,
    skip: u64,
    /// How many requests are still to be hit; `None` is all.
    times: Option<u64>,
    fault: Fault,
}

impl FaultRule {
    /// Hits the first request of this operation, once.
    pub fn new(operation: Operation, fault: Fault) -> Self {
        FaultRule { operation, key_contains: String::new(), skip: 0, times: Some(1), fault }
    }

    /// Only requests whose key contains this text count and are hit.
    pub fn key_contains(mut self, text: &str) -> Self {
        self.key_contains = text.to_owned();
        self
    }

    /// Lets so many matching requests through first.
    pub fn skip(mut self, requests: u64) -> Self {
        self.skip = requests;
        self
    }

    pub fn times(mut self, requests: u64) -> Self {
        self.times = Some(requests);
        self
    }

    pub fn always(mut self) -> Self {
        self.times = None;
        self
    }

    fn take(&mut self, operation: Operation, key: &str) -> Option<Fault> {
        if self.operation != operation || !key.contains(&self.key_contains) || self.times == Some(0) {
            return None;
        }
        if self.skip > 0 {
            self.skip -= 1;
            return None;
        }
        self.times = self.times.map(|times| times - 1);
        Some(self.fault.clone())
    }
}

/// The rules in force.
#[derive(Debug, Default)]
pub(crate) struct Script(Mutex<Vec<FaultRule>>);

impl Script {
    pub fn add(&self, rule: FaultRule) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(rule);
    }

    pub fn clear(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// The fault for this request: of the first rule that hits it. A request
    /// that one rule hits is not counted by the rules behind it.
    pub fn next(&self, operation: Operation, key: &str) -> Option<Fault> {
        let mut rules = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        rules.iter_mut().find_map(|rule| rule.take(operation, key))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counted() {
        let script = Script::default();
        let rule = FaultRule::new(Operation::GetObject, Fault::SlowDownInside200);
        script.add(rule.key_contains("ami").skip(1).times(2));
        let hits: Vec<bool> = ["ami-1", "other", "ami-2", "ami-3", "ami-4"]
            .into_iter()
            .map(|key| script.next(Operation::GetObject, key).is_some())
            .collect();
        assert_eq!(hits, [false, false, true, true, false]);
        assert_eq!(script.next(Operation::HeadObject, "ami-1"), None);
    }
}
