//! What servers state about two objects, compared with as few requests as that needs. `compare` and `copy` decide by it.

use super::Discovery;
use super::discover::ask_every_part;
use crate::copy::{CompareFinding, LayoutNeed, Likeness, StatedObject, compare_stated, likeness_of};
use crate::facts::{Fact, ObjectFacts};
use crate::report::DiscoveryNote;
use crate::source::{ErrorKind, Session, SourceError};

/// An error of one of two ends with the option that changes the Region of that end.
pub(super) fn by_option(error: SourceError, option: &str) -> SourceError {
    let detail = match &error.kind {
        ErrorKind::WrongRegion(Some(region)) => {
            format!("the bucket is in Region {region}; run again with {option} {region}")
        }
        _ => return error,
    };
    SourceError { detail, ..error }
}

/// One of two objects, with what is known of it.
pub(super) struct StatedEnd {
    /// What it is called in texts.
    pub name: &'static str,
    pub session: Session,
    pub found: Discovery,
    /// The parts were asked for.
    pub is_cut: bool,
}

impl StatedEnd {
    /// Describes an object that HEAD answered for. Asks for its parts only when they matter.
    pub(super) async fn of_head(name: &'static str, session: Session, facts: ObjectFacts) -> Self {
        // A file has no parts, and nothing more can be asked.
        let is_cut = matches!(facts.checksums, Fact::NotApplicable);
        let found = match is_cut {
            true => Discovery::from_head(&session, facts).await,
            false => Discovery::without_layout(&session, facts).await,
        };
        StatedEnd { name, session, found, is_cut }
    }

    fn stated(&self) -> StatedObject<'_> {
        let layout = self.is_cut.then_some(&self.found.layout);
        StatedObject { name: self.name, facts: &self.found.facts, layout }
    }

    /// Asks for the parts, as far as one request tells.
    pub(super) async fn ask_layout(&mut self) {
        if !self.is_cut {
            let found = Discovery::from_head(&self.session, self.found.facts.clone()).await;
            let notes = std::mem::replace(&mut self.found, found).notes;
            self.found.notes.splice(..0, notes);
            self.is_cut = true;
        }
    }

    /// Asks for the size of every part.
    async fn prove_layout(&mut self) {
        let Some(parts) = self.found.layout.parts_count.filter(|_| self.found.layout.proved_layout().is_none()) else {
            return;
        };
        match ask_every_part(&self.session, &self.found.facts, parts).await {
            Ok(layout) => self.found.layout = layout,
            Err(why) => self.found.notes.push(DiscoveryNote::PartListUnusable { why }.into()),
        }
    }
}

/// Compares what is stated about two objects. Asks for parts only if the ETags can then decide what is open otherwise,
/// and not if both are read anyway.
pub(super) async fn compare_ends(a: &mut StatedEnd, b: &mut StatedEnd, is_read: bool) -> Vec<CompareFinding> {
    let mut asked = LayoutNeed::Nothing;
    loop {
        let stated = compare_stated(a.stated(), b.stated());
        if likeness_of(&stated.findings) != Likeness::Unknown || stated.need <= asked || is_read {
            return stated.findings;
        }
        asked = stated.need;
        match stated.need {
            LayoutNeed::Nothing => {}
            LayoutNeed::Layout => drop(tokio::join!(a.ask_layout(), b.ask_layout())),
            LayoutNeed::EveryPart => drop(tokio::join!(a.prove_layout(), b.prove_layout())),
        }
    }
}
