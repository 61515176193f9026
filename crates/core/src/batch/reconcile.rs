use std::collections::HashMap;

use super::judge::names_version;
use super::{Judged, PlannedJob, PlannedObject, ReportRow, RowOutcome, Unclear, judge};
use crate::ident::decoded_key;

/// What a completion report shows of the objects of a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reconciled {
    /// The result for each object, in the order of the job.
    pub objects: Vec<Judged>,
    /// Rows of objects that were not asked for.
    pub not_requested: Vec<ReportRow>,
}

/// The objects of a job, by bucket and key.
struct Index<'a> {
    job: &'a PlannedJob,
    places: HashMap<(&'a str, &'a str), usize>,
}

/// The objects that a row may be of.
enum Found {
    None,
    One(usize),
    Two(usize, usize),
}

impl<'a> Index<'a> {
    fn new(job: &'a PlannedJob) -> Self {
        let place = |(index, object): (usize, &'a PlannedObject)| {
            ((object.target.bucket.as_str(), object.target.key.as_str()), index)
        };
        Index { job, places: job.objects.iter().enumerate().map(place).collect() }
    }

    fn object(&self, index: usize) -> Option<&'a PlannedObject> {
        self.job.objects.get(index)
    }

    fn at(&self, row: &ReportRow, key: &str) -> Option<usize> {
        let index = *self.places.get(&(row.bucket.as_str(), key))?;
        self.object(index).filter(|object| names_version(row, object)).map(|_| index)
    }

    /// Tries the key as it is written, and decoded: it is not documented which of the two it is.
    fn find(&self, row: &ReportRow) -> Found {
        let as_written = self.at(row, &row.key);
        let decoded = decoded_key(&row.key).filter(|key| *key != row.key).and_then(|key| self.at(row, &key));
        match (as_written, decoded) {
            (None, None) => Found::None,
            (Some(one), None) | (None, Some(one)) => Found::One(one),
            (Some(one), Some(other)) => self.by_etag(row, one, other),
        }
    }

    fn by_etag(&self, row: &ReportRow, one: usize, other: usize) -> Found {
        let RowOutcome::Succeeded(computed) = &row.outcome else { return Found::Two(one, other) };
        let fits = |index: usize| {
            let planned = self.object(index).and_then(|object| object.etag.as_ref());
            planned.is_some() && planned == computed.etag.as_ref()
        };
        match (fits(one), fits(other)) {
            (true, false) => Found::One(one),
            (false, true) => Found::One(other),
            _ => Found::Two(one, other),
        }
    }
}

/// Number of rows that are of objects of a job. A folder does not say which job its report is of.
pub fn matches_of(job: &PlannedJob, rows: &[ReportRow]) -> usize {
    let index = Index::new(job);
    rows.iter().filter(|row| !matches!(index.find(row), Found::None)).count()
}

/// Holds the rows of a report against the objects of a job. Rows that contradict each other decide nothing.
pub fn reconcile(job: &PlannedJob, rows: Vec<ReportRow>) -> Reconciled {
    let index = Index::new(job);
    let mut objects = vec![Judged::Missing; job.objects.len()];
    let mut not_requested = Vec::new();
    let mut add = |place: usize, judged: Judged| {
        if let Some(known) = objects.get_mut(place) {
            *known = match (&*known, judged) {
                (Judged::Missing, judged) => judged,
                (known, judged) if *known == judged => judged,
                _ => Judged::Unclear(Unclear::Contradictory),
            };
        }
    };
    for row in rows {
        match index.find(&row) {
            Found::None => not_requested.push(row),
            Found::One(place) => {
                if let Some(object) = index.object(place) {
                    add(place, judge(&row, job, object));
                }
            }
            Found::Two(one, other) => {
                add(one, Judged::Unclear(Unclear::Ambiguous));
                add(other, Judged::Unclear(Unclear::Ambiguous));
            }
        }
    }
    Reconciled { objects, not_requested }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::plan::tests::{object, plan};
    use crate::batch::{BatchOutcome, parse_report};
    use crate::checksum::{Algorithm, Hasher};

    fn line(key: &str, seed: &str) -> String {
        let value = Hasher::digest(Algorithm::Crc64Nvme, seed.as_bytes()).base64();
        format!(r#"b,"{key}",,succeeded,200,,{{"checksum_base64":"{value}","etag":"{seed}-etag"}}"#) + "\n"
    }

    fn outcomes(keys: &[(&str, &str)], text: &str) -> (Vec<BatchOutcome>, Vec<String>) {
        let plan = plan(keys.iter().map(|(key, seed)| object(key, None, seed)).collect());
        let (rows, unreadable) = parse_report(text.as_bytes());
        assert!(unreadable.is_empty());
        let found = reconcile(&plan.jobs[0], rows);
        let extra = found.not_requested.into_iter().map(|row| row.key).collect();
        (found.objects.iter().map(Judged::outcome).collect(), extra)
    }

    #[test]
    fn missing_and_additional_rows() {
        use BatchOutcome::{Missing, Stated};
        let (found, extra) = outcomes(&[("a", "1"), ("c", "2")], &(line("a", "1") + &line("x", "3")));
        assert_eq!((found, extra), (vec![Stated, Missing], vec!["x".to_owned()]));
    }

    #[test]
    fn keys_as_they_are_and_encoded() {
        use BatchOutcome::{Stated, Unclear};
        for key in ["a b", "a%20b", "a+b"] {
            assert_eq!(outcomes(&[("a b", "1")], &line(key, "1")).0, [Stated], "{key}");
        }
        assert_eq!(outcomes(&[("a%20b", "1")], &line("a%20b", "1")).0, [Stated]);
        assert_eq!(outcomes(&[("a%20b", "1")], &line("a%2520b", "1")).0, [Stated]);
        // Both keys exist: the ETag decides; without one, nothing does.
        let both = [("a b", "1"), ("a%20b", "2")];
        assert_eq!(outcomes(&both, &(line("a%20b", "1") + &line("a%20b", "2"))).0, [Stated, Stated]);
        let failed = "b,a%20b,,failed,400,X,m\n";
        assert_eq!(outcomes(&both, failed).0, [Unclear, Unclear]);
    }

    #[test]
    fn rows_that_contradict_each_other_decide_nothing() {
        let twice = line("a", "1") + &line("a", "1");
        assert_eq!(outcomes(&[("a", "1")], &twice).0, [BatchOutcome::Stated]);
        for other in [line("a", "2"), "b,a,,failed,400,X,m\n".to_owned()] {
            for text in [line("a", "1") + &other, other.clone() + &line("a", "1")] {
                assert_eq!(outcomes(&[("a", "1")], &text).0, [BatchOutcome::Unclear], "{text}");
            }
        }
    }

    #[test]
    fn the_job_of_a_report() {
        let plan = plan(vec![object("a", None, "1"), object("c", None, "2")]);
        let (rows, _) = parse_report((line("a", "1") + &line("x", "1")).as_bytes());
        assert_eq!(matches_of(&plan.jobs[0], &rows), 1);
    }
}
