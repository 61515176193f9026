use std::collections::BTreeMap;

use crate::audit::{ContentFingerprint, Entry, History, LookResult, Proof};
use crate::batch::{KnownValue, ReferenceOrigin};
use crate::checksum::{Algorithm, Digest};
use crate::commands::audit::Scope;
use crate::facts::ObjectFacts;
use crate::ident::{ObjectIdentity, Target};
use crate::ledger::{Kept, LedgerError, SharedLedger};
use crate::manifest::Manifest;
use crate::verdict::{CheckId, Origin, Subject};

/// What the ledger has of one object.
#[derive(Default)]
pub(super) struct Earlier {
    pub history: History,
    /// Checksums of states that no examination found damaged or doubtful.
    stated: Vec<(ObjectIdentity, ContentFingerprint)>,
}

impl Earlier {
    fn add(&mut self, entry: Entry) {
        if let Entry::Proof(look) = &entry
            && !matches!(look.standing(), LookResult::Damaged | LookResult::Doubted(_))
        {
            for content in &look.content {
                if !self.stated.iter().any(|(object, known)| *object == look.object && known == content) {
                    self.stated.push((look.object.clone(), content.clone()));
                }
            }
        }
        self.history.add(entry);
    }

    /// The values that are known of this state: those that a read matched, and those that S3 stated before.
    fn values(&self, seen: &ObjectIdentity) -> Vec<KnownValue> {
        if self.history.damage_of(seen).is_some() || self.history.doubt_of(seen).is_some() {
            return Vec::new();
        }
        let proved = self.history.proof_of(seen).into_iter().flat_map(|proof: &Proof| {
            let matched = proof.content.iter().filter(|content| proof.proved_by.contains(&content.check()));
            matched.filter_map(|content| KnownValue::kept(ReferenceOrigin::Ledger, content))
        });
        let stated = self.stated.iter().filter(|(object, _)| object.same_as(seen).is_yes());
        proved.chain(stated.filter_map(|(_, content)| KnownValue::kept(ReferenceOrigin::Baseline, content))).collect()
    }
}

/// Reads what the ledger has of the objects of a scope.
pub(super) async fn earlier(ledger: &SharedLedger, scope: &Scope) -> Result<BTreeMap<String, Earlier>, LedgerError> {
    let mut all: BTreeMap<String, Earlier> = BTreeMap::new();
    let visit = |kept: Kept| {
        if scope.holds(kept.entry.target()) {
            all.entry(kept.entry.target().to_owned()).or_default().add(kept.entry);
        }
    };
    ledger.each(visit).await?;
    Ok(all)
}

/// All values that are known of an object in the state that HEAD shows.
pub(super) fn known_values(facts: &ObjectFacts, earlier: Option<&Earlier>, manifests: &[Manifest]) -> Vec<KnownValue> {
    let checksums = facts.checksums.value().into_iter().flatten();
    let mut values: Vec<KnownValue> = checksums.filter_map(KnownValue::stored).collect();
    let documented = facts.id.etag.as_ref().filter(|_| facts.etag_is_documented());
    values.extend(documented.and_then(|etag| KnownValue::etag(ReferenceOrigin::Stored, etag)));
    values.extend(earlier.map(|earlier| earlier.values(&facts.listed_identity())).unwrap_or_default());
    values.extend(manifests.iter().filter(|manifest| is_of(manifest, facts)).flat_map(of_manifest));
    values
}

/// Whether a manifest is of this object, in this state.
fn is_of(manifest: &Manifest, facts: &ObjectFacts) -> bool {
    let Target::Object(uri) = &facts.id.target else { return false };
    let target = manifest.target.parse::<crate::ident::ObjectUri>();
    let names_it = target.is_ok_and(|target| target.at_version(None) == uri.at_version(None));
    names_it && manifest.content().same_as(&facts.identity().content()).is_yes()
}

/// The values of a manifest. One of a run that had nothing to compare the bytes with is a baseline.
fn of_manifest(manifest: &Manifest) -> impl Iterator<Item = KnownValue> + '_ {
    let origin = if manifest.is_proved() { ReferenceOrigin::Manifest } else { ReferenceOrigin::Baseline };
    manifest.whole.iter().filter_map(move |(algorithm, value)| {
        let algorithm: Algorithm = algorithm.parse().ok()?;
        Some(KnownValue {
            origin,
            check: CheckId::Reference(Origin::Manifest, Subject::Checksum(algorithm)),
            digest: Digest::parse(algorithm, value).ok()?,
            scope: crate::batch::ChecksumScope::FullObject,
            parts: None,
        })
    })
}
