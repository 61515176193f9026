//! The kinds of faults, and where they can occur.

use crate::object::{Object, PART, SIZE};

/// The behaviour of a fault, as far as it affects the result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// No response, or one that may succeed on retry.
    Passing,
    /// A body that ends after a few bytes; with the reason if it always does.
    Breaks(&'static str),
    /// A body that is slow, or that ends late enough for the rest to arrive in a few retries.
    GetsOn,
    /// A response that does not fit the request.
    Misfit,
    /// The same, and the length in a HEAD is wrong too.
    WrongLength,
    /// Status 400; a HEAD cannot state the reason.
    Refused,
    /// Status 403; a HEAD cannot state the reason, and is repeated without requesting checksums.
    Forbidden,
    /// Status 404.
    Missing,
    /// A response with another ETag.
    OtherIdentity,
    /// The object is replaced or deleted after the response.
    Changes,
    /// A byte changes in transit, always in the same way.
    Flips,
    /// A byte changes in transit, each time differently.
    FlipsOtherwise,
    /// HEAD of a part states a wrong size.
    PartSizes,
    /// A deviation of other servers that does no harm in a HEAD of a part.
    PartHabit,
    /// A deviation of other servers in the response to GetObjectAttributes.
    AttributesHabit,
}

/// A kind of fault, as in a faults file.
#[derive(Debug, Clone, Copy)]
pub struct Kind {
    /// The fault in JSON, as in a faults file.
    pub json: &'static str,
    pub class: Class,
}

const fn kind(json: &'static str, class: Class) -> Kind {
    Kind { json, class }
}

/// All kinds of faults.
pub const KINDS: [Kind; 36] = [
    kind(r#"{"status": {"status": 503, "code": "SlowDown"}}"#, Class::Passing),
    kind(r#"{"status": {"status": 503, "code": "ServiceUnavailable"}}"#, Class::Passing),
    kind(r#"{"status": {"status": 500, "code": "InternalError"}}"#, Class::Passing),
    kind(r#""dropped""#, Class::Passing),
    kind(r#""answer_lost""#, Class::Passing),
    kind(r#""slow_down_inside_200""#, Class::Breaks("read_failed")),
    kind(r#"{"reset_after": 10}"#, Class::Breaks("read_failed")),
    kind(r#"{"close_after": 10}"#, Class::Breaks("read_failed")),
    kind(r#"{"stall_after": 10}"#, Class::Breaks("read_failed")),
    kind(r#"{"trickle": {"after": 10, "rate": 1000}}"#, Class::Breaks("read_failed")),
    kind(r#"{"end_early": 10}"#, Class::Breaks("protocol")),
    kind(r#"{"reset_after": 50000}"#, Class::GetsOn),
    kind(r#"{"close_after": 50000}"#, Class::GetsOn),
    kind(r#"{"stall_after": 50000}"#, Class::GetsOn),
    kind(r#"{"end_early": 50000}"#, Class::GetsOn),
    kind(r#"{"trickle": {"after": 0, "rate": 400000}}"#, Class::GetsOn),
    kind(r#"{"too_long": 7}"#, Class::Misfit),
    kind(r#"{"too_short": 7}"#, Class::Misfit),
    kind(r#"{"length_lies": 7}"#, Class::WrongLength),
    kind(r#"{"length_lies": -7}"#, Class::WrongLength),
    kind(r#"{"content_range_shifted": 1}"#, Class::Misfit),
    kind(r#"{"content_range_total": 17}"#, Class::Misfit),
    kind(r#"{"header_absent": "content-range"}"#, Class::Misfit),
    kind(r#""range_ignored""#, Class::Misfit),
    kind(r#"{"status": {"status": 400, "code": "ExpiredToken"}}"#, Class::Refused),
    kind(r#"{"status": {"status": 403, "code": "RequestTimeTooSkewed"}}"#, Class::Forbidden),
    kind(r#"{"status": {"status": 404, "code": "NoSuchKey"}}"#, Class::Missing),
    kind(r#"{"other_etag": "ffffffffffffffffffffffffffffffff"}"#, Class::OtherIdentity),
    kind(r#""replace_object""#, Class::Changes),
    kind(r#""delete_object""#, Class::Changes),
    kind(r#"{"flip_on_wire": {"offset": 100, "mask": 1}}"#, Class::Flips),
    kind(r#"{"flip_on_wire": {"offset": 100, "mask": 2}}"#, Class::FlipsOtherwise),
    kind(r#""part_head_lies""#, Class::PartSizes),
    kind(r#"{"part_sizes_shifted": 7}"#, Class::PartSizes),
    kind(r#""part_etag""#, Class::PartHabit),
    kind(r#""attributes_ignored""#, Class::AttributesHabit),
];

/// Where a fault occurs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Site {
    Connect,
    Head,
    /// The HEAD after the read.
    LastHead,
    Attributes,
    PartHead,
    /// The reads of a part, counted from 0; the middle one may be damaged.
    Get(u64),
}

impl Site {
    pub const ALL: [Site; 8] = [
        Site::Connect,
        Site::Head,
        Site::LastHead,
        Site::Attributes,
        Site::PartHead,
        Site::Get(0),
        Site::Get(2),
        Site::Get(4),
    ];

    /// The fields of a rule for this site.
    fn aim(self) -> String {
        match self {
            Site::Connect => r#""operation": "Connect""#.to_owned(),
            Site::Head => r#""operation": "HeadObject", "by_part": false"#.to_owned(),
            Site::LastHead => r#""operation": "HeadObject", "by_part": false, "skip": 1"#.to_owned(),
            Site::Attributes => r#""operation": "GetObjectAttributes""#.to_owned(),
            Site::PartHead => r#""operation": "HeadObject", "by_part": true"#.to_owned(),
            // The last byte of the part, which is still to come when a read resumes.
            Site::Get(part) => {
                let last = ((part + 1) * PART).min(SIZE) - 1;
                format!(r#""operation": "GetObject", "at_byte": {last}"#)
            }
        }
    }

    /// Whether such requests are sent for this object at all.
    pub fn is_asked_of(self, object: Object) -> bool {
        // Listed parts need not be requested one by one.
        self != Site::PartHead || object != Object::ByPart
    }
}

impl Kind {
    /// The rules, as in a faults file of the lab.
    pub fn rules(&self, site: Site, always: bool) -> String {
        let aim = site.aim();
        let first = match self.class {
            Class::FlipsOtherwise => {
                format!(r#"{{{aim}, "fault": {{"flip_on_wire": {{"offset": 100, "mask": 1}}}}}}, "#)
            }
            _ => String::new(),
        };
        format!(r#"[{first}{{{aim}, "always": {always}, "fault": {}}}]"#, self.json)
    }
}
