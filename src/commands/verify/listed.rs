use futures_util::{StreamExt, stream};

use super::mismatch::{Judged, Mismatch};
use super::run::VerifyRun;
use super::unknown;
use crate::plan::{Claim, Reference, Witness};
use crate::report::VerifyNote;
use crate::units::PartNumber;
use crate::verdict::{CheckId, Finding, Origin, Reason};

/// Maximum number of concurrent HEAD requests for parts.
const AT_ONCE: usize = 16;

impl VerifyRun<'_> {
    /// If mismatches use part sizes that only GetObjectAttributes states, asks the damaged parts for their sizes with
    /// HEAD. If a size differs, the list does not prove the layout, and the mismatches stay open until every part is
    /// asked.
    pub(super) async fn question_list(&mut self, judged: &mut Judged) {
        if self.found.layout.witness != Witness::List {
            return;
        }
        let named = judged.mismatches.iter().filter(|mismatch| goes_by_list(&mismatch.reference));
        let named = named.flat_map(|mismatch| mismatch.damage.iter().map(|damage| damage.part));
        let mut numbers: Vec<PartNumber> =
            named.filter_map(|number| u32::try_from(number).ok().and_then(PartNumber::new)).collect();
        numbers.sort_unstable();
        numbers.dedup();
        if !self.any_ends_elsewhere(numbers).await {
            return;
        }
        self.announce(VerifyNote::AskingEachPart);
        self.disputed = true;
        for mismatch in judged.mismatches.extract_if(.., |mismatch| goes_by_list(&mismatch.reference)) {
            judged.unproved.push(mismatch.reference);
        }
    }

    /// Whether HEAD of any of these parts states another size than the list. Failed requests are ignored.
    async fn any_ends_elsewhere(&self, numbers: Vec<PartNumber>) -> bool {
        let facts = &self.found.facts;
        let parts = &self.found.layout.parts;
        let count = self.found.layout.parts_count;
        let differs = |number: PartNumber| async move {
            let listed = parts.iter().find(|part| part.number == number)?.size;
            let asked = self.session.part(&facts.id, number).await.ok()?;
            // A server that ignores part numbers answers with the whole object and no part count.
            let answered = asked.of.is_some() || asked.size != facts.size;
            Some(answered && asked.of.is_none_or(|of| Some(of) == count) && asked.size != listed)
        };
        let mut answers = stream::iter(numbers.into_iter().map(differs)).buffered(AT_ONCE);
        while let Some(differs) = answers.next().await {
            if differs == Some(true) {
                return true;
            }
        }
        false
    }
}

/// Whether a reference was compared along the listed parts of the object.
fn goes_by_list(reference: &Reference) -> bool {
    matches!(reference.check, CheckId::Reference(Origin::Stored, _))
        && matches!(reference.claim, Claim::Composite { .. } | Claim::WholeOrComposite { .. })
}

/// The finding for a mismatch along parts for which two responses state different sizes: neither proves the layout.
pub(super) fn disputed(mismatch: Mismatch) -> Finding {
    let because = "GetObjectAttributes and HEAD of the parts state different sizes".to_owned();
    unknown(mismatch.reference.check, Reason::LayoutNotProved { because })
}
