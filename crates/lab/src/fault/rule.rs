use std::sync::Mutex;

use super::Fault;
use super::chance::Chance;
use super::seen::Seen;
use crate::operation::Operation;
use crate::sync::lock;
use crate::wire::range;

/// A fault, and the requests that it hits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FaultRule {
    operation: Operation,
    key_contains: String,
    by_part: Option<bool>,
    at_byte: Option<u64>,
    skip: u64,
    chance: Option<Chance>,
    /// Number of requests still to hit; `None` hits all.
    times: Option<u64>,
    fault: Fault,
}

impl FaultRule {
    /// Hits the first request of this operation, once.
    pub fn new(operation: Operation, fault: Fault) -> Self {
        FaultRule {
            operation,
            key_contains: String::new(),
            by_part: None,
            at_byte: None,
            skip: 0,
            chance: None,
            times: Some(1),
            fault,
        }
    }

    /// Matches only requests whose key contains this text. For services other than S3, the
    /// parameters take the place of the key.
    pub fn key_contains(mut self, text: &str) -> Self {
        self.key_contains = text.to_owned();
        self
    }

    /// Matches only requests with a part number, or only requests without one.
    pub fn by_part(mut self, with: bool) -> Self {
        self.by_part = Some(with);
        self
    }

    /// Matches only reads of this byte of the object.
    pub fn at_byte(mut self, offset: u64) -> Self {
        self.at_byte = Some(offset);
        self
    }

    /// Leaves the first `requests` matching requests alone.
    pub fn skip(mut self, requests: u64) -> Self {
        self.skip = requests;
        self
    }

    /// Hits about one in `requests` of the matching requests, chosen by the seed; 0 hits none.
    pub fn one_in(mut self, requests: u64, seed: u64) -> Self {
        self.chance = Some(Chance::new(requests, seed));
        self
    }

    /// Hits this number of matching requests instead of one.
    pub fn times(mut self, requests: u64) -> Self {
        self.times = Some(requests);
        self
    }

    /// Hits all matching requests.
    pub fn always(mut self) -> Self {
        self.times = None;
        self
    }

    fn fits(&self, request: &Seen<'_>) -> bool {
        self.operation == request.operation
            && request.key.contains(&self.key_contains)
            && self.by_part.is_none_or(|with| with == request.part.is_some())
            && self.at_byte.is_none_or(|offset| range::reads(request.range, offset))
    }

    fn take(&mut self, request: &Seen<'_>) -> Option<Fault> {
        if self.times == Some(0) || !self.fits(request) {
            return None;
        }
        if self.skip > 0 {
            self.skip -= 1;
            return None;
        }
        if self.chance.as_mut().is_some_and(|chance| !chance.strikes(request)) {
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
    pub(crate) fn add(&self, rule: FaultRule) {
        lock(&self.0).push(rule);
    }

    pub(crate) fn clear(&self) {
        lock(&self.0).clear();
    }

    /// The fault for this request: of the first rule that hits it. A request
    /// that one rule hits is not counted by the rules behind it.
    pub(crate) fn next(&self, request: &Seen<'_>) -> Option<Fault> {
        let mut rules = lock(&self.0);
        rules.iter_mut().find_map(|rule| rule.take(request))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read<'a>(key: &'a str, range: Option<&'a str>) -> Seen<'a> {
        Seen { operation: Operation::GetObject, key, range, part: None }
    }

    /// Which of the requests are hit.
    fn hits(rule: FaultRule, requests: &[Seen<'_>]) -> Vec<bool> {
        let script = Script::default();
        script.add(rule);
        requests.iter().map(|request| script.next(request).is_some()).collect()
    }

    #[test]
    fn counted() {
        let rule = FaultRule::new(Operation::GetObject, Fault::SlowDownInside200).key_contains("ami").skip(1).times(2);
        let keys = ["ami-1", "other", "ami-2", "ami-3", "ami-4"];
        assert_eq!(hits(rule.clone(), &keys.map(|key| read(key, None))), [false, false, true, true, false]);
        let head = Seen { operation: Operation::HeadObject, ..read("ami-1", None) };
        assert_eq!(hits(rule, &[head, head, head]), [false; 3]);
    }

    #[test]
    fn by_what_is_read() {
        let rule = FaultRule::new(Operation::GetObject, Fault::RangeIgnored).at_byte(100).always();
        let ranges = [Some("bytes=0-99"), Some("bytes=100-199"), Some("bytes=99-"), Some("bytes=-5"), None];
        assert_eq!(hits(rule, &ranges.map(|range| read("k", range))), [false, true, true, false, true]);
    }

    #[test]
    fn by_part_or_not() {
        let part = Seen { part: Some("1"), ..read("k", None) };
        let rule = FaultRule::new(Operation::GetObject, Fault::RangeIgnored).always();
        assert_eq!(hits(rule.clone().by_part(true), &[part, read("k", None)]), [true, false]);
        assert_eq!(hits(rule.by_part(false), &[part, read("k", None)]), [false, true]);
    }

    #[test]
    fn by_chance_until_it_was_often_enough() {
        let rule = FaultRule::new(Operation::GetObject, Fault::RangeIgnored).one_in(3, 1).times(2);
        let struck = hits(rule, &[read("k", None); 100]);
        assert_eq!(struck.iter().filter(|hit| **hit).count(), 2);
        assert!(struck[..2] != [true, true], "not the first two");
        let never = FaultRule::new(Operation::GetObject, Fault::RangeIgnored).one_in(0, 1).always();
        assert_eq!(hits(never, &[read("k", None); 100]), [false; 100]);
    }
}
