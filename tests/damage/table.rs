//! The tables of guarantees in `docs/verify.md` and `docs/trust.md`, generated from the cases and expectations of the
//! matrix.

use std::collections::BTreeSet;

use stored_ami::checksum::Algorithm;

use crate::claim::{Of, Reference};
use crate::expect::{Expected, Outcome, expected};
use crate::harm::Harm;
use crate::holding::{Answers, Holding, Reading};
use crate::shape::Place;

/// The pages, and the columns that each shows.
const PAGES: [(&str, &[usize]); 2] = [
    (concat!(env!("CARGO_MANIFEST_DIR"), "/docs/verify.md"), &[0, 1, 3, 5]),
    (concat!(env!("CARGO_MANIFEST_DIR"), "/docs/trust.md"), &[0, 1, 2, 3, 4, 5, 6, 7]),
];
const BEGIN: &str = "<!-- guarantees -->\n";
const END: &str = "<!-- /guarantees -->\n";

const COLUMNS: [&str; 8] = [
    "intact bytes, whatever the metadata",
    "bit flipped, run of zeros, parts swapped",
    "cut short, longer, part lost, part twice",
    "part replaced by one with the same checksum",
    "part replaced by one with the same CRC of another algorithm",
    "intact bytes, stale reference",
    "changed in one read only",
    "more or fewer bytes than S3 states",
];

/// The column a case belongs to.
fn column(harm: Harm, algorithm: Option<Algorithm>, etag: bool) -> Option<usize> {
    match harm {
        Harm::None | Harm::Metadata => Some(0),
        Harm::Flip(_) | Harm::Zero(_) | Harm::Swap(_) => Some(1),
        Harm::Truncate(_) | Harm::Extend | Harm::Drop(_) | Harm::Twice(_) => Some(2),
        // Parts on both sides of a boundary have another CRC each, so this belongs to no column.
        Harm::Forge(_, Place::Boundary) => None,
        Harm::Forge(crc, _) => Some(if algorithm == Some(crc) { 3 } else { 4 }),
        Harm::Stale(_) | Harm::StaleTotal => (!etag).then_some(5),
        Harm::WrongETag(_) => etag.then_some(5),
        Harm::Wire => Some(6),
        Harm::Short | Harm::Long => Some(7),
    }
}

/// The label of the references; `None` for combinations of several.
fn label(holding: &Holding) -> Option<(&'static str, Option<Algorithm>)> {
    use Reference::{Composite, ETag, Expect, ExpectETag, ExpectParts, Full, Like, Manifest, Sums, Unstated};
    let parts_told = holding.parts_can_be_asked();
    Some(match (holding.references.as_slice(), holding.reading) {
        // The result is the same, with more requests.
        (_, Reading::InOrder) => return None,
        _ if holding.answers == Answers::Unlisted => return None,
        ([], _) => ("nothing; an ETag under SSE-KMS, DSSE-KMS or SSE-C", None),
        ([Composite(_)], Reading::Sample) => ("a sample, against a composite checksum", None),
        ([Full(algorithm)], _) => ("full-object checksum", Some(*algorithm)),
        ([Unstated(algorithm)], _) => ("full-object checksum whose type is not stated", Some(*algorithm)),
        ([Composite(algorithm)], _) if parts_told => ("composite checksum", Some(*algorithm)),
        ([Composite(algorithm)], _) => ("composite checksum, part boundaries unknown", Some(*algorithm)),
        ([ETag], _) if !holding.multipart() => ("ETag of a single PUT", None),
        ([ETag], _) if parts_told => ("multipart ETag", None),
        ([ETag], _) => ("multipart ETag, part boundaries unknown", None),
        ([Expect(algorithm) | Sums(algorithm) | Like(algorithm)], _) => {
            ("`--expect`, `--sums`, `--like`: value over the whole object", Some(*algorithm))
        }
        ([ExpectETag], _) if !holding.multipart() => {
            ("`--expect`, `--sums`, `--like`: value over the whole object", Some(Algorithm::Md5))
        }
        ([ExpectETag], _) => ("`--expect`, `--etag`: value over parts (`-N`)", Some(Algorithm::Md5)),
        ([ExpectParts(algorithm)], _) => ("`--expect`, `--etag`: value over parts (`-N`)", Some(*algorithm)),
        ([Manifest], _) => ("manifest", None),
        _ => return None,
    })
}

/// The cases of one label and algorithm.
#[derive(Default)]
struct Row {
    verdicts: [BTreeSet<&'static str>; COLUMNS.len()],
    names: bool,
    resists: bool,
}

impl Row {
    fn add(&mut self, column: usize, expected: &Expected) {
        self.verdicts[column].insert(expected.verdict);
        let names = |outcome: &Outcome| matches!(outcome, Outcome::Fail(parts) if !parts.is_empty());
        self.names |= expected.findings.iter().any(|(_, outcome, _)| names(outcome));
    }

    fn cells(&self, columns: &[usize]) -> Vec<String> {
        let verdicts = |all: &BTreeSet<&str>| {
            let shown = |word: &&str| if *word == "fail" { "**fail**".to_owned() } else { (*word).to_owned() };
            ["pass", "fail", "unknown"].iter().filter(|word| all.contains(**word)).map(shown).collect::<Vec<_>>()
        };
        let yes = |value: bool| if value { "yes" } else { "no" }.to_owned();
        // Only CRCs have different parts with the same value.
        let or_none = |shown: Vec<String>| if shown.is_empty() { "–".to_owned() } else { shown.join(" or ") };
        let verdicts = columns.iter().map(|column| or_none(verdicts(&self.verdicts[*column])));
        verdicts.chain([yes(self.names), yes(self.resists)]).collect()
    }
}

fn rows() -> Vec<(&'static str, Option<Algorithm>, Row)> {
    let mut rows: Vec<(&'static str, Option<Algorithm>, Row)> = Vec::new();
    for holding in Holding::all() {
        let Some((label, algorithm)) = label(&holding) else { continue };
        let at = rows.iter().position(|(known, of, _)| (*known, *of) == (label, algorithm)).unwrap_or_else(|| {
            rows.push((label, algorithm, Row::default()));
            rows.len() - 1
        });
        let claims = holding.claims();
        let row = &mut rows[at].2;
        row.resists = claims.iter().any(|claim| claim.algorithm.resists_forgery()) && holding.reading == Reading::Usual;
        let etag = claims.iter().any(|claim| claim.of == Of::ETag);
        for harm in Harm::all(holding.shape) {
            if let Some(column) = column(harm, algorithm, etag) {
                row.add(column, &expected(&holding, &harm.case(holding.shape)));
            }
        }
    }
    rows
}

fn table(columns: &[usize]) -> String {
    // Algorithms with the same results share a line.
    let mut lines: Vec<(&str, Vec<Algorithm>, Vec<String>)> = Vec::new();
    for (label, algorithm, row) in rows() {
        let cells = row.cells(columns);
        match lines.iter_mut().find(|(known, _, shown)| *known == label && *shown == cells) {
            Some((_, algorithms, _)) => algorithms.extend(algorithm),
            None => lines.push((label, Vec::from_iter(algorithm), cells)),
        }
    }
    // Lines of one kind of reference are adjacent, in the order of first appearance.
    let mut kinds: Vec<&str> = lines.iter().map(|(label, ..)| *label).collect();
    kinds.dedup();
    lines.sort_by_key(|(label, ..)| kinds.iter().position(|kind| kind == label));
    let heads: Vec<&str> = columns.iter().map(|column| COLUMNS[*column]).collect();
    let mut text =
        format!("\n| compared with | {} | names the part | detects deliberate tampering |\n", heads.join(" | "));
    text += &format!("|{}\n", "---|".repeat(heads.len() + 3));
    for (label, algorithms, cells) in lines {
        let names: Vec<String> = algorithms.iter().map(|algorithm| algorithm.name().to_uppercase()).collect();
        let names = if names.is_empty() { String::new() } else { format!(" ({})", names.join(", ")) };
        text += &format!("| {label}{names} | {} |\n", cells.join(" | "));
    }
    text + "\n"
}

/// To update the sections: `UPDATE_DOCS=1 cargo test --test damage the_pages`.
#[test]
fn the_pages_say_what_the_matrix_expects() {
    for (file, columns) in PAGES {
        let page = std::fs::read_to_string(file).unwrap();
        let (before, rest) = page.split_once(BEGIN).expect("the page has a section of guarantees");
        let (_, after) = rest.split_once(END).expect("the section ends");
        let right = [before, BEGIN, &table(columns), END, after].concat();
        if std::env::var_os("UPDATE_DOCS").is_some() {
            std::fs::write(file, &right).unwrap();
        } else {
            assert!(page == right, "{file} does not say what the matrix expects; renew it with UPDATE_DOCS=1");
        }
    }
}
