use super::Digests;
use crate::checksum::{ChecksumKind, Digest, composite};
use crate::plan::{Basis, Candidate, Claim, PartLayout, Reference};
use crate::units::counted;
use crate::verdict::CheckId;
use crate::verdict::{Coverage, Damage, Evidence, Subject};

/// The result of comparing a reference with the bytes of one read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Judgement {
    /// The bytes give the value.
    Match(Evidence),
    /// The bytes contradict the reference.
    Mismatch {
        /// The comparison.
        evidence: Evidence,
        /// The damaged parts; empty if the reference cannot locate them.
        damage: Vec<Damage>,
    },
    /// No layout that was tried gives the value, but none of them is proved to be that of the object.
    NoLayoutMatches {
        /// The comparison under one of the layouts.
        evidence: Evidence,
    },
    /// There is no layout under which the value could be computed.
    NoLayout,
    /// Not all bytes that the reference covers were read.
    Incomplete,
}

/// Compares a reference with the digests of an object of `size` bytes.
///
/// A value over parts is refuted only under a proved layout. Under assumed layouts it can match, but a
/// mismatch may mean that the parts were others.
pub fn judge(reference: &Reference, digests: &Digests, size: u64) -> Judgement {
    let judging = Judging { reference, digests, size };
    match &reference.claim {
        Claim::Whole(expected) => judging.whole(expected),
        Claim::Composite { digest, shown, candidates, parts } => {
            judging.composite(digest, shown, candidates, parts.as_deref())
        }
        Claim::WholeOrComposite { digest, candidates, stated } => judging.either(digest, candidates, *stated),
        Claim::Parts { layout, digests: expected } => judging.parts(layout, expected),
    }
}

/// Number of bytes that were compared part by part: the sizes of the complete parts for which the reference
/// has a value.
pub fn held_by_part(reference: &Reference, digests: &Digests) -> u64 {
    let (layout, expected) = match &reference.claim {
        Claim::Composite { candidates, parts: Some(parts), .. } => {
            let proved = candidates.iter().find(|candidate| matches!(candidate.basis, Basis::Proved { .. }));
            let Some(proved) = proved else { return 0 };
            (&proved.layout, parts)
        }
        Claim::Parts { layout, digests } => (layout, digests),
        _ => return 0,
    };
    let Some(algorithm) = expected.first().map(Digest::algorithm) else { return 0 };
    let read = digests.parts(algorithm, layout).unwrap_or_default();
    layout.parts().zip(read).filter(|(_, digest)| digest.is_some()).map(|(part, _)| part.len()).sum()
}

struct Judging<'a> {
    reference: &'a Reference,
    digests: &'a Digests,
    size: u64,
}

impl Judging<'_> {
    fn evidence(&self, source: String, expected: String, observed: String) -> Evidence {
        Evidence { source, expected, observed, coverage: Some(Coverage { bytes: self.size, of: self.size }) }
    }

    fn source(&self) -> String {
        self.reference.source.clone()
    }

    fn whole(&self, expected: &Digest) -> Judgement {
        let Some(observed) = self.digests.whole(expected.algorithm(), self.size) else {
            return Judgement::Incomplete;
        };
        let evidence = self.evidence(self.source(), expected.to_string(), observed.to_string());
        if observed == *expected {
            Judgement::Match(evidence)
        } else {
            Judgement::Mismatch { evidence, damage: vec![] }
        }
    }

    fn composite(
        &self,
        expected: &Digest,
        shown: &str,
        candidates: &[Candidate],
        parts: Option<&[Digest]>,
    ) -> Judgement {
        if candidates.is_empty() {
            return Judgement::NoLayout;
        }
        let mut refuted = None;
        let mut incomplete = false;
        for candidate in candidates {
            let layout = &candidate.layout;
            let damage = match parts {
                Some(parts) => self.compare(layout, parts),
                None => Vec::new(),
            };
            let Some(digests) = self.digests.all_parts(expected.algorithm(), layout) else {
                incomplete = true;
                if !damage.is_empty() && matches!(candidate.basis, Basis::Proved { .. }) {
                    // Even a sample can refute the parts that it has read.
                    let observed = format!("{} of {} differ", damage.len(), counted(layout.count() as u64, "part"));
                    let evidence = self.evidence(self.source(), shown.to_owned(), observed);
                    return Judgement::Mismatch { evidence, damage };
                }
                continue;
            };
            let observed = composite(expected.algorithm(), &digests);
            let observed_shown = show_like(self.reference.check, &observed, layout.count());
            let source = format!("{}, over {}", self.source(), describe(layout, &candidate.basis));
            let evidence = self.evidence(source, shown.to_owned(), observed_shown);
            if observed == *expected && damage.is_empty() {
                return Judgement::Match(evidence);
            }
            if matches!(candidate.basis, Basis::Proved { .. }) {
                return Judgement::Mismatch { evidence, damage };
            }
            refuted.get_or_insert(evidence);
        }
        match refuted {
            _ if incomplete => Judgement::Incomplete,
            Some(evidence) => Judgement::NoLayoutMatches { evidence },
            None => Judgement::NoLayout,
        }
    }

    fn either(&self, expected: &Digest, candidates: &[Candidate], stated: ChecksumKind) -> Judgement {
        let stated = match stated {
            ChecksumKind::Composite { .. } => "stated to be a composite",
            ChecksumKind::FullObject | ChecksumKind::Unstated => "type not stated",
        };
        let as_whole = match self.whole(expected) {
            Judgement::Match(evidence) => {
                let source = format!("{} ({stated}; matched as full object)", evidence.source);
                return Judgement::Match(Evidence { source, ..evidence });
            }
            other => other,
        };
        match self.composite(expected, &expected.to_string(), candidates, None) {
            Judgement::Match(evidence) => {
                let source = format!("{} ({stated}; matched as composite)", evidence.source);
                Judgement::Match(Evidence { source, ..evidence })
            }
            // The value matches neither as a whole nor as a composite. It is refuted only if the parts are
            // proved, because otherwise the composite may hold under other parts.
            Judgement::Mismatch { .. } => as_whole,
            Judgement::Incomplete => Judgement::Incomplete,
            Judgement::NoLayoutMatches { evidence } => Judgement::NoLayoutMatches { evidence },
            Judgement::NoLayout => match as_whole {
                Judgement::Mismatch { evidence, .. } => Judgement::NoLayoutMatches { evidence },
                other => other,
            },
        }
    }

    fn parts(&self, layout: &PartLayout, expected: &[Digest]) -> Judgement {
        if layout.size() != self.size || layout.count() != expected.len() {
            let evidence = self.evidence(
                self.source(),
                format!("{} bytes in {} parts", layout.size(), layout.count()),
                format!("{} bytes", self.size),
            );
            return Judgement::Mismatch { evidence, damage: vec![] };
        }
        let damage = self.compare(layout, expected);
        let complete = expected.first().is_none_or(|first| self.digests.all_parts(first.algorithm(), layout).is_some());
        if damage.is_empty() && !complete {
            return Judgement::Incomplete;
        }
        let count = expected.len();
        let observed = match damage.len() {
            0 => format!("{count} of {} match", counted(count as u64, "part")),
            wrong => format!("{wrong} of {} differ", counted(count as u64, "part")),
        };
        let evidence = self.evidence(self.source(), format!("{count} part digests"), observed);
        if damage.is_empty() { Judgement::Match(evidence) } else { Judgement::Mismatch { evidence, damage } }
    }

    /// The parts that were read and differ.
    fn compare(&self, layout: &PartLayout, expected: &[Digest]) -> Vec<Damage> {
        let Some(algorithm) = expected.first().map(Digest::algorithm) else { return Vec::new() };
        let observed = self.digests.parts(algorithm, layout).unwrap_or_default();
        layout
            .parts()
            .zip(expected)
            .zip(observed)
            .enumerate()
            .filter_map(|(index, ((range, expected), observed))| {
                let observed = observed.as_ref()?;
                (observed != expected).then(|| Damage {
                    part: index as u64 + 1,
                    range,
                    expected: expected.to_string(),
                    observed: observed.to_string(),
                    second_read: None,
                })
            })
            .collect()
    }
}

/// Formats a composite in the notation of its reference.
fn show_like(check: CheckId, digest: &Digest, parts: usize) -> String {
    match check {
        CheckId::Reference(_, Subject::ETag) => format!("{}-{parts}", digest.hex()),
        _ => format!("{digest}-{parts}"),
    }
}

fn describe(layout: &PartLayout, basis: &Basis) -> String {
    let (word, how) = match basis {
        Basis::Proved { by } => ("proved", by),
        Basis::Assumed { from } => ("assumed", from),
    };
    format!("{} ({word}: {how})", counted(layout.count() as u64, "part"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checksum::{Algorithm, Hasher, multipart_etag};
    use crate::plan::AlgorithmCertainty;
    use crate::units::ByteRange;
    use crate::verdict::Origin;

    const DATA: &[u8] = b"0123456789abcdefghij";
    const PROVED: Basis = Basis::Proved { by: "test" };
    const ASSUMED: Basis = Basis::Assumed { from: "test" };

    fn digests(data: &[u8], layout: &PartLayout, algorithm: Algorithm) -> Digests {
        let mut digests = Digests::default();
        let of = |range: ByteRange| Hasher::digest(algorithm, &data[range.start() as usize..range.end() as usize]);
        digests.insert(algorithm, layout.clone(), layout.parts().map(|part| Some(of(part))).collect());
        digests
    }

    fn etag_claim(data: &[u8], layout: &PartLayout, candidates: Vec<Candidate>) -> Reference {
        let parts = digests(data, layout, Algorithm::Md5).all_parts(Algorithm::Md5, layout).unwrap();
        Reference {
            check: CheckId::Reference(Origin::Stored, Subject::ETag),
            source: "ETag".into(),
            standing: AlgorithmCertainty::Stated,
            claim: Claim::Composite {
                digest: composite(Algorithm::Md5, &parts),
                shown: multipart_etag(&parts).to_string(),
                candidates,
                parts: None,
            },
        }
    }

    fn candidate(layout: &PartLayout, basis: Basis) -> Candidate {
        Candidate { layout: layout.clone(), basis }
    }

    #[test]
    fn a_mismatch_under_an_assumed_layout_is_not_held_against_the_bytes() {
        let (right, wrong) = (PartLayout::uniform(20, 8), PartLayout::uniform(20, 9));
        let read = digests(DATA, &wrong, Algorithm::Md5);
        let assumed = etag_claim(DATA, &right, vec![candidate(&wrong, ASSUMED)]);
        assert!(matches!(judge(&assumed, &read, 20), Judgement::NoLayoutMatches { .. }));
        let proved = etag_claim(DATA, &right, vec![candidate(&wrong, PROVED)]);
        assert!(matches!(judge(&proved, &read, 20), Judgement::Mismatch { .. }));
    }

    #[test]
    fn one_matching_candidate_settles_it() {
        let (right, wrong) = (PartLayout::uniform(20, 8), PartLayout::uniform(20, 9));
        let mut read = digests(DATA, &wrong, Algorithm::Md5);
        let claim = etag_claim(DATA, &right, vec![candidate(&wrong, ASSUMED), candidate(&right, ASSUMED)]);
        assert_eq!(judge(&claim, &read, 20), Judgement::Incomplete);
        let parts = digests(DATA, &right, Algorithm::Md5);
        read.insert(Algorithm::Md5, right.clone(), parts.parts(Algorithm::Md5, &right).unwrap().to_vec());
        let Judgement::Match(evidence) = judge(&claim, &read, 20) else { panic!() };
        assert_eq!(evidence.expected, evidence.observed);
        assert!(evidence.source.contains("3 parts (assumed"));
    }

    #[test]
    fn listed_parts_name_the_damaged_one() {
        let layout = PartLayout::uniform(20, 8);
        let good = digests(DATA, &layout, Algorithm::Sha256).all_parts(Algorithm::Sha256, &layout).unwrap();
        let reference = Reference {
            check: CheckId::Reference(Origin::Stored, Subject::Checksum(Algorithm::Sha256)),
            source: "composite".into(),
            standing: AlgorithmCertainty::Stated,
            claim: Claim::Composite {
                digest: composite(Algorithm::Sha256, &good),
                shown: "x".into(),
                candidates: vec![candidate(&layout, PROVED)],
                parts: Some(good.clone()),
            },
        };
        assert!(matches!(judge(&reference, &digests(DATA, &layout, Algorithm::Sha256), 20), Judgement::Match(_)));
        let mut bad = DATA.to_vec();
        bad[9] ^= 1;
        let read = digests(&bad, &layout, Algorithm::Sha256);
        let Judgement::Mismatch { damage, .. } = judge(&reference, &read, 20) else { panic!() };
        assert_eq!(damage.len(), 1);
        assert_eq!((damage[0].part, damage[0].range), (2, ByteRange::new(8, 16).unwrap()));
        assert_eq!(damage[0].expected, good[1].to_string());

        let mut sampled = Digests::default();
        let mut some = read.parts(Algorithm::Sha256, &layout).unwrap().to_vec();
        some[0] = None;
        sampled.insert(Algorithm::Sha256, layout.clone(), some.clone());
        assert!(matches!(judge(&reference, &sampled, 20), Judgement::Mismatch { .. }), "a sample can fail");
        some[1] = Some(good[1]);
        let mut sampled = Digests::default();
        sampled.insert(Algorithm::Sha256, layout, some);
        assert_eq!(judge(&reference, &sampled, 20), Judgement::Incomplete, "and cannot pass");
    }

    #[test]
    fn a_stale_composite_over_right_parts_is_a_mismatch_without_a_place() {
        let layout = PartLayout::uniform(20, 8);
        let read = digests(DATA, &layout, Algorithm::Sha1);
        let good = read.all_parts(Algorithm::Sha1, &layout).unwrap();
        let reference = Reference {
            check: CheckId::Reference(Origin::Stored, Subject::Checksum(Algorithm::Sha1)),
            source: "composite".into(),
            standing: AlgorithmCertainty::Stated,
            claim: Claim::Composite {
                digest: Hasher::digest(Algorithm::Sha1, b"stale"),
                shown: "x".into(),
                candidates: vec![candidate(&layout, PROVED)],
                parts: Some(good),
            },
        };
        assert!(matches!(judge(&reference, &read, 20), Judgement::Mismatch { damage, .. } if damage.is_empty()));
    }

    #[test]
    fn an_unstated_type_is_tried_both_ways_and_the_match_is_named() {
        let layout = PartLayout::uniform(20, 8);
        let mut read = digests(DATA, &layout, Algorithm::Crc32);
        read.insert(Algorithm::Crc32, PartLayout::whole(20), vec![Some(Hasher::digest(Algorithm::Crc32, DATA))]);
        let parts = read.all_parts(Algorithm::Crc32, &layout).unwrap();
        let of = |digest, basis| Reference {
            check: CheckId::Reference(Origin::Stored, Subject::Checksum(Algorithm::Crc32)),
            source: "CRC32".into(),
            standing: AlgorithmCertainty::Stated,
            claim: Claim::WholeOrComposite {
                digest,
                candidates: vec![candidate(&layout, basis)],
                stated: ChecksumKind::Unstated,
            },
        };
        let whole = judge(&of(Hasher::digest(Algorithm::Crc32, DATA), ASSUMED), &read, 20);
        assert!(matches!(whole, Judgement::Match(e) if e.source.contains("matched as full object")));
        let by_part = judge(&of(composite(Algorithm::Crc32, &parts), ASSUMED), &read, 20);
        assert!(matches!(by_part, Judgement::Match(e) if e.source.contains("matched as composite")));
        let stale = Hasher::digest(Algorithm::Crc32, b"stale");
        assert!(matches!(judge(&of(stale, ASSUMED), &read, 20), Judgement::NoLayoutMatches { .. }));
        assert!(matches!(judge(&of(stale, PROVED), &read, 20), Judgement::Mismatch { .. }));
    }

    #[test]
    fn a_prefix_is_not_the_object() {
        let reference = Reference {
            check: CheckId::Reference(Origin::Expect, Subject::Checksum(Algorithm::Sha256)),
            source: "--expect".into(),
            standing: AlgorithmCertainty::Stated,
            claim: Claim::Whole(Hasher::digest(Algorithm::Sha256, DATA)),
        };
        assert_eq!(judge(&reference, &Digests::default(), 20), Judgement::Incomplete);
    }

    fn parts_claim(layout: &PartLayout, digests: Vec<Digest>) -> Reference {
        Reference {
            check: CheckId::Reference(Origin::Manifest, Subject::Parts(Algorithm::Sha256)),
            source: "manifest".into(),
            standing: AlgorithmCertainty::Stated,
            claim: Claim::Parts { layout: layout.clone(), digests },
        }
    }

    #[test]
    fn digests_of_parts_match_name_the_damage_or_are_incomplete() {
        let layout = PartLayout::uniform(20, 8);
        let read = digests(DATA, &layout, Algorithm::Sha256);
        let good = read.all_parts(Algorithm::Sha256, &layout).unwrap();
        let claim = parts_claim(&layout, good.clone());
        let Judgement::Match(evidence) = judge(&claim, &read, 20) else { panic!() };
        assert_eq!((evidence.source.as_str(), evidence.observed.as_str()), ("manifest", "3 of 3 parts match"));
        assert_eq!(evidence.coverage, Some(Coverage { bytes: 20, of: 20 }));

        let mut some = good.iter().copied().map(Some).collect::<Vec<_>>();
        some[2] = None;
        let mut partly = Digests::default();
        partly.insert(Algorithm::Sha256, layout.clone(), some);
        assert_eq!(judge(&claim, &partly, 20), Judgement::Incomplete);

        let mut other = DATA.to_vec();
        other[19] ^= 1;
        let Judgement::Mismatch { damage, .. } = judge(&claim, &digests(&other, &layout, Algorithm::Sha256), 20) else {
            panic!()
        };
        assert_eq!((damage.len(), damage[0].part), (1, 3));
    }

    #[test]
    fn digests_of_parts_of_another_size_or_number_do_not_match() {
        let layout = PartLayout::uniform(20, 8);
        let read = digests(DATA, &layout, Algorithm::Sha256);
        let good = read.all_parts(Algorithm::Sha256, &layout).unwrap();
        for (claim, size) in [(parts_claim(&layout, good.clone()), 21), (parts_claim(&layout, good[..2].to_vec()), 20)]
        {
            let judged = judge(&claim, &read, size);
            assert!(matches!(&judged, Judgement::Mismatch { damage, .. } if damage.is_empty()), "{judged:?}");
        }
    }
}
