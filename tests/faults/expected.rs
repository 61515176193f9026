//! The expected effect of each fault: one function for all kinds, places, objects and states of the bytes.

use stored_ami::source::ErrorKind;

use crate::kinds::{Class, Site};
use crate::object::Object;

/// The effect of a fault on a verification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// None: the verdict is that of the bytes.
    Overcome,
    /// The read stops for this reason; what was read before counts.
    Stops(&'static str),
    /// Later reads do not belong to the object that was read before.
    Changed,
    /// The object was replaced after all bytes were compared.
    ChangedBehind,
    /// A second read returns other bytes.
    Unstable,
    /// All reads return wrong bytes.
    Damage,
    /// The part sizes cannot be requested.
    LosesParts,
    /// The verification cannot start.
    Refused(ErrorKind),
}

/// `None` if a fault of this class cannot occur here.
pub fn effect(class: Class, site: Site, always: bool) -> Option<Effect> {
    use Effect::{Changed, ChangedBehind, Damage, LosesParts, Overcome, Refused, Stops, Unstable};
    let when_always = |effect: Effect| if always { effect } else { Overcome };
    Some(match (class, site) {
        (Class::Passing, Site::Connect | Site::Head) => when_always(Refused(ErrorKind::Transient)),
        (Class::Passing, Site::Get(_)) => when_always(Stops("read_failed")),
        (Class::Breaks(reason), Site::Get(_)) => when_always(Stops(reason)),
        (Class::GetsOn, Site::Get(_)) => Overcome,
        (Class::Misfit | Class::WrongLength, Site::Get(_)) => Stops("protocol"),
        // The size is wrong, and every Content-Range contradicts it; if the last HEAD is correct, it states another
        // size.
        (Class::WrongLength, Site::Head) => {
            if always {
                Stops("unreadable")
            } else {
                Changed
            }
        }
        (Class::WrongLength, Site::LastHead) => ChangedBehind,
        (Class::Refused | Class::Forbidden, Site::Get(_)) => Stops("read_failed"),
        (Class::Refused, Site::Head) => Refused(ErrorKind::Invalid),
        (Class::Forbidden, Site::Head) => when_always(Refused(ErrorKind::Denied)),
        (Class::Missing, Site::Get(_)) => Stops("changed"),
        (Class::Missing, Site::Head) => Refused(ErrorKind::NotFound),
        (Class::Missing, Site::LastHead) => ChangedBehind,
        // HEAD repeats it, and no GET agrees.
        (Class::OtherIdentity, Site::Head) if always => Stops("unreadable"),
        (Class::OtherIdentity, Site::Get(_) | Site::Head) => Stops("changed"),
        (Class::OtherIdentity, Site::LastHead) => ChangedBehind,
        (Class::Changes, Site::LastHead) => Overcome,
        (Class::Changes, Site::Get(_) | Site::Head | Site::Attributes | Site::PartHead) => Changed,
        (Class::Flips, Site::Get(_)) => {
            if always {
                Damage
            } else {
                Unstable
            }
        }
        (Class::FlipsOtherwise, Site::Get(_)) if always => Unstable,
        // Part sizes that cannot be requested are guessed, and requested again if they matter.
        (
            Class::Passing | Class::WrongLength | Class::Refused | Class::Forbidden | Class::Missing | Class::PartSizes,
            Site::PartHead,
        ) => when_always(LosesParts),
        (Class::PartHabit | Class::OtherIdentity, Site::PartHead) => Overcome,
        // The same facts are available by other requests.
        (
            Class::Passing
            | Class::Breaks(_)
            | Class::Misfit
            | Class::WrongLength
            | Class::Refused
            | Class::Forbidden
            | Class::Missing
            | Class::OtherIdentity
            | Class::AttributesHabit,
            Site::Attributes,
        ) => Overcome,
        // Everything is read at this point, and a note states what could not be requested.
        (Class::Passing | Class::Refused | Class::Forbidden, Site::LastHead) => Overcome,
        _ => return None,
    })
}

/// The expected end of a verification: verdict, with the code of the reason if unknown, and exit code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ending {
    pub verdict: String,
    pub exit: u8,
}

impl Ending {
    fn new(verdict: &str, exit: u8) -> Self {
        Ending { verdict: verdict.to_owned(), exit }
    }

    fn unknown(reason: &str) -> Self {
        Ending { verdict: format!("unknown: {reason}"), exit: if reason == "read_failed" { 4 } else { 3 } }
    }
}

/// The expected end of a verification with this effect.
pub fn ending(effect: &Effect, site: Site, object: Object, damaged: bool) -> Ending {
    let by_the_bytes = if damaged { Ending::new("fail", 1) } else { Ending::new("pass", 0) };
    match effect {
        Effect::Overcome => by_the_bytes,
        // Digests of parts refute the part that was read; other references need every byte.
        Effect::Stops(_) if damaged && object == Object::ByPart && site == Site::Get(4) => by_the_bytes,
        // HEAD shows the object unchanged.
        Effect::Stops("changed" | "protocol") if matches!(site, Site::Get(_)) => Ending::unknown("unreadable"),
        Effect::Stops(reason) => Ending::unknown(reason),
        Effect::Changed => Ending::unknown("changed"),
        Effect::ChangedBehind if damaged => by_the_bytes,
        Effect::ChangedBehind => Ending::unknown("changed"),
        Effect::Unstable => Ending::unknown("unstable_read"),
        Effect::Damage => Ending::new("fail", 1),
        // One of the guesses matches. If none does, it is not known whether the bytes or the guesses are wrong.
        Effect::LosesParts if damaged && object == Object::ETag => Ending::unknown("layout_not_proved"),
        Effect::LosesParts => by_the_bytes,
        Effect::Refused(kind) => Ending::new(&format!("error: {kind:?}"), 4),
    }
}

/// An effect in the words of the lab's documentation.
pub fn words(effect: &Effect) -> String {
    match effect {
        Effect::Overcome => "overcome".to_owned(),
        Effect::Stops(reason) => format!("`{reason}`"),
        Effect::Changed | Effect::ChangedBehind => "`changed`".to_owned(),
        Effect::Unstable => "`unstable_read`".to_owned(),
        Effect::Damage => "fail".to_owned(),
        Effect::LosesParts => "`layout_not_proved`".to_owned(),
        Effect::Refused(kind) => format!("error: {kind:?}"),
    }
}
