//! The kinds of faults, and where they can strike.

use crate::object::{Object, PART, SIZE};

/// How a fault works, as far as it matters for what comes of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// No answer, or one that may be better the next time.
    Passing,
    /// A body that ends after a few bytes; the reason when it always does.
    Breaks(&'static str),
    /// A body that ends late enough for the rest to come in a few more, or that takes its time.
    GetsOn,
    /// An answer that does not fit the request.
    Misfit,
    /// The same, and the length of a HEAD is wrong too.
    WrongLength,
    /// 400; a HEAD cannot say why.
    Refused,
    /// 403; a HEAD cannot say why, and is made again without asking for checksums.
    Forbidden,
    /// 404.
    Missing,
    /// An answer under another ETag.
    OtherIdentity,
    /// Behind the answer the object is another one, or none.
    Changes,
    /// A byte changes on its way, always in the same manner.
    Flips,
    /// A byte changes on its way, each time in another manner.
    FlipsOtherwise,
    /// HEAD of a part is wrong about its size.
    PartSizes,
    /// A habit of other servers that does no harm in a HEAD of a part.
    PartHabit,
    /// A habit of other servers in the answer to GetObjectAttributes.
    AttributesHabit,
}

/// A kind of fault, as it is written into a file of them.
#[derive(Debug, Clone, Copy)]
pub struct Kind {
    pub json: &'static str,
    pub class: Class,
}

const fn kind(json: &'static str, class: Class) -> Kind {
    Kind { json, class }
}

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

/// Where a fault strikes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Site {
    Connect,
    Head,
    /// The HEAD behind the reading.
    LastHead,
    Attributes,
    PartHead,
    /// The reads of a part, counted from 0; the middle one is the one that may be damaged.
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

    /// The fields of a rule that aims here.
    fn aim(self) -> String {
        match self {
            Site::Connect => r#""operation": "Connect""#.to_owned(),
            Site::Head => r#""operation": "HeadObject", "by_part": false"#.to_owned(),
            Site::LastHead => r#""operation": "HeadObject", "by_part": false, "skip": 1"#.to_owned(),
            Site::Attributes => r#""operation": "GetObjectAttributes""#.to_owned(),
            Site::PartHead => r#""operation": "HeadObject", "by_part": true"#.to_owned(),
            // Its last byte, which is still to come when a read is taken up again.
            Site::Get(part) => {
                let last = ((part + 1) * PART).min(SIZE) - 1;
                format!(r#""operation": "GetObject", "at_byte": {last}"#)
            }
        }
    }

    /// Whether requests of this sort are made of such an object at all.
    pub fn is_asked_of(self, object: Object) -> bool {
        // Parts that are listed need not be asked one by one.
        self != Site::PartHead || object != Object::ByPart
    }
}

impl Kind {
    /// The rules for a lab, as its file has them.
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
