//! Checksum files in the formats of `sha256sum`, `cksum --tag`, OpenSSL and similar tools.

mod algorithm;
mod line;
mod note;
mod target;
mod text;

use algorithm::{ByLength, ByName, Stated, by_length, of_file_name, others_of, stem_before_algorithm};
use line::{Line, Sum, lines};
use target::{Fit, segments};

pub use note::SumsNote;
pub use target::SumsTarget;
pub use text::decode;

use crate::checksum::{Algorithm, Digest};
use crate::ident::AmiId;
use crate::verdict::Subject;

/// The values of one target in a checksum file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GivenSums {
    /// Name of the checksum file.
    pub file: String,
    /// The values. Never empty: a file that does not name the target is refused.
    pub values: Vec<SumLine>,
    /// The lines that were ignored.
    pub notes: Vec<SumsNote>,
}

/// A line that names the target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SumLine {
    /// Line number, from 1.
    pub line: usize,
    /// The value.
    pub value: SumValue,
}

/// A value and how its algorithm is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SumValue {
    /// Stated by the line, by the name of the file, or by the user.
    Stated(Digest),
    /// Guessed from the length of the value.
    Guessed {
        /// The value.
        digest: Digest,
        /// Other algorithms of that length, for the report.
        may_be: &'static str,
    },
    /// By an algorithm that is not implemented here.
    NotComputed {
        /// The algorithm, for the report.
        algorithm: String,
    },
}

impl SumValue {
    /// The subject of the check that compares the value.
    pub fn subject(&self) -> Subject {
        match self {
            SumValue::Stated(digest) | SumValue::Guessed { digest, .. } => Subject::Checksum(digest.algorithm()),
            SumValue::NotComputed { .. } => Subject::Value,
        }
    }
}

/// A checksum file provides no value for the target.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SumsError {
    /// No line names the target.
    #[error("has no line for `{name}`{}", .elsewhere.as_ref().map(|(line, other)| format!("; line {line} names `{other}`, another path")).unwrap_or_default())]
    NoLine {
        /// Name of the target.
        name: String,
        /// Line number and path of a line that has the same file name in another folder.
        elsewhere: Option<(usize, String)>,
    },
    /// Lines of several folders match equally well and have different values.
    #[error("names `{name}` in more than one folder, with different values, and it is not clear which one is meant")]
    Ambiguous {
        /// Name of the target.
        name: String,
    },
    /// Several values without a name differ, or there are several targets.
    #[error("holds values without a name, and it is not clear which of them is meant")]
    Nameless,
    /// The value has no name, and the name of the checksum file refers to another file.
    #[error("holds a value without a name, and is by its own name of `{other}`, and not of `{name}`")]
    OfAnother {
        /// Name of the target.
        name: String,
        /// The file that the name of the checksum file refers to.
        other: String,
    },
    /// More lines name the target than are accepted.
    #[error("names `{name}` more than {MOST_LINES} times")]
    TooMany {
        /// Name of the target.
        name: String,
    },
    /// A line names the target, but its value is invalid.
    #[error("line {line}: {problem}")]
    Line {
        /// Line number, from 1.
        line: usize,
        /// The problem, for the user.
        problem: String,
    },
}

/// Parameters for reading a checksum file.
pub struct SumsRequest<'a> {
    /// Name of the checksum file, which may state an algorithm.
    pub file: &'a str,
    /// The algorithm of `--sums ALGORITHM:FILE`.
    pub algorithm: Option<Algorithm>,
    /// The target whose values are wanted.
    pub target: &'a SumsTarget,
    /// Whether a name that matches only by its last segment refers to something else than the target.
    pub means_another: &'a dyn Fn(&str) -> bool,
    /// Whether there is only one target, so that a value without a name can belong to it.
    pub one_target: bool,
}

/// The most lines that may name one target. The limit bounds memory.
const MOST_LINES: usize = 1_000;

/// A line that may refer to the target.
struct Kept {
    line: usize,
    sum: Sum,
    fit: Fit,
}

/// The lines that are kept while a file of any length is read.
#[derive(Default)]
struct Parsed {
    /// Lines whose name has the same last segment as the target.
    named: Vec<Kept>,
    /// Values without a name.
    nameless: Vec<Kept>,
    /// Whether any line names a file.
    any_named: bool,
    foreign: usize,
    first_foreign: Option<usize>,
}

/// All values of a target in the text of a checksum file. Lines that name its path take precedence; otherwise
/// the lines that have the same last segment count, if they can refer to nothing else.
///
/// # Errors
///
/// When no line names the target, when it is ambiguous which line refers to it, and when the value of such a
/// line is not a value of its algorithm.
pub fn find_sums(text: &str, request: &SumsRequest<'_>) -> Result<GivenSums, SumsError> {
    let parsed = parse(text, request)?;
    let mut notes = Vec::new();
    if let Some(first) = parsed.first_foreign {
        notes.push(SumsNote::Foreign { file: request.file.to_owned(), lines: parsed.foreign, first });
    }
    let nameless = !parsed.any_named;
    let (lines, several) = matching_lines(parsed, request)?;
    let mut values: Vec<SumLine> = Vec::new();
    for Kept { line, sum, .. } in lines {
        let value = line_value(&sum, request).map_err(|problem| SumsError::Line { line, problem })?;
        if !values.iter().any(|known| known.value == value) {
            values.push(SumLine { line, value });
        }
    }
    if several && disagree(&values) {
        let name = request.target.name().to_owned();
        return Err(if nameless { SumsError::Nameless } else { SumsError::Ambiguous { name } });
    }
    drop_uncomputable(&mut values, &mut notes, request.file);
    Ok(GivenSums { file: request.file.to_owned(), values, notes })
}

fn parse(text: &str, request: &SumsRequest<'_>) -> Result<Parsed, SumsError> {
    let mut parsed = Parsed::default();
    for (line, read) in (1..).zip(lines(text)) {
        match read {
            Line::Sum(mut sum) => {
                parsed.any_named |= sum.name.is_some();
                let fit = match_without_mode(&mut sum, request).unwrap_or_else(|| match_name(&sum, request));
                let lines = if sum.name.is_none() { &mut parsed.nameless } else { &mut parsed.named };
                if fit != Fit::No || sum.name.is_none() && lines.len() <= MOST_LINES {
                    lines.push(Kept { line, sum, fit });
                }
            }
            Line::Blank => {}
            Line::Foreign => {
                parsed.foreign += 1;
                parsed.first_foreign.get_or_insert(line);
            }
        }
        if parsed.named.len() > MOST_LINES {
            return Err(SumsError::TooMany { name: request.target.name().to_owned() });
        }
    }
    Ok(parsed)
}

/// The lines that refer to the target, and whether they may be of several files.
fn matching_lines(parsed: Parsed, request: &SumsRequest<'_>) -> Result<(Vec<Kept>, bool), SumsError> {
    let Parsed { mut named, nameless, any_named, .. } = parsed;
    let no_line = |elsewhere: Option<&Kept>| {
        let elsewhere = elsewhere.map(|kept| (kept.line, kept.sum.name.clone().unwrap_or_default()));
        Err(SumsError::NoLine { name: request.target.name().to_owned(), elsewhere })
    };
    let elsewhere = || named.iter().find(|kept| kept.fit == Fit::Elsewhere);
    match named.iter().map(|kept| kept.fit).max() {
        None if any_named || nameless.is_empty() => no_line(None),
        None if !request.one_target || nameless.len() > MOST_LINES => Err(SumsError::Nameless),
        None => match other_target(request) {
            Some(other) => {
                Err(SumsError::OfAnother { name: request.target.name().to_owned(), other: other.to_owned() })
            }
            None => Ok((nameless, true)),
        },
        // A line for a file of this name in another folder shows that there is more than one such file.
        Some(Fit::Name | Fit::Elsewhere | Fit::No) if elsewhere().is_some() => no_line(elsewhere()),
        Some(best) => {
            named.retain(|kept| kept.fit == best);
            let folders = |kept: &Kept| kept.sum.name.as_deref().map(segments);
            let first = named.first().and_then(folders);
            let several = best == Fit::Name && named.iter().any(|kept| folders(kept) != first);
            Ok((named, several))
        }
    }
}

/// The file that the name of a checksum file refers to, if it is not the target: `y.bin` for `y.bin.md5`. A
/// name without an extension may be an ordinary word, unless a file or an AMI has that name.
fn other_target<'a>(request: &SumsRequest<'a>) -> Option<&'a str> {
    let stem = stem_before_algorithm(last_segment(request.file))?;
    let target = request.target.name();
    let begins = |long: &str, short: &str| {
        long.get(..short.len()).is_some_and(|start| start.eq_ignore_ascii_case(short))
            && long.get(short.len()..).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    let beside = target.rsplit_once('.').map(|(_, extension)| format!("{stem}.{extension}"));
    let is_file = || {
        stem.contains('.')
            || stem.parse::<AmiId>().is_ok()
            || (request.means_another)(stem)
            || beside.is_some_and(|name| (request.means_another)(&name))
    };
    (!begins(target, stem) && !begins(stem, target) && is_file()).then_some(stem)
}

/// Matches the name without a leading `shasum` mode mark, if the mark is not part of the name. The value was
/// then computed over something else than the bytes.
fn match_without_mode(sum: &mut Sum, request: &SumsRequest<'_>) -> Option<Fit> {
    let (mode, name) = (sum.mode?, sum.name.as_deref()?);
    if request.target.has_path(name) || request.target.name() == name || (request.means_another)(name) {
        return None;
    }
    let bare = name.get(1..)?.to_owned();
    let found = match_name(&Sum { name: Some(bare.clone()), ..sum.clone() }, request);
    if found == Fit::No {
        return None;
    }
    sum.name = Some(bare);
    sum.stated = Some(Stated::Other(mode.describe().to_owned()));
    Some(found)
}

fn match_name(sum: &Sum, request: &SumsRequest<'_>) -> Fit {
    let Some(name) = &sum.name else { return Fit::No };
    let as_written = request.target.fit(name);
    let fit = if as_written == Fit::No && !sum.escaped && name.contains('\\') && !name.contains('/') {
        request.target.fit(&name.replace('\\', "/"))
    } else {
        as_written
    };
    if fit == Fit::Name && (request.means_another)(name) { Fit::Elsewhere } else { fit }
}

/// The value of a line. Its algorithm is taken from the line, the user, the name of the file, or the length
/// of the value, in this order.
fn line_value(sum: &Sum, request: &SumsRequest<'_>) -> Result<SumValue, String> {
    let parse = |algorithm| Digest::parse(algorithm, &sum.value).map_err(|error| error.to_string());
    let fits = |algorithm: &Algorithm| sum.value.len() == 2 * algorithm.digest_len();
    match (&sum.stated, request.algorithm) {
        (Some(Stated::Computed(algorithm)), _) => return parse(*algorithm).map(SumValue::Stated),
        (None, Some(algorithm)) => return parse(algorithm).map(SumValue::Stated),
        (Some(Stated::Sfv), Some(algorithm)) if fits(&algorithm) => return parse(algorithm).map(SumValue::Stated),
        (Some(Stated::Sfv), _) => return Ok(SumValue::NotComputed { algorithm: "CRC-32 of an SFV file".to_owned() }),
        (Some(Stated::Other(algorithm)), _) => return Ok(SumValue::NotComputed { algorithm: algorithm.clone() }),
        (None, None) => {}
    }
    let by_name = of_file_name(last_segment(request.file), request.target.name());
    match &by_name {
        ByName::Stated(Stated::Computed(algorithm)) if fits(algorithm) => {
            return parse(*algorithm).map(SumValue::Stated);
        }
        ByName::Stated(Stated::Other(other)) if by_length(sum.value.len()).is_some() => {
            return Ok(SumValue::NotComputed { algorithm: format!("{other}, by the name of the file") });
        }
        _ => {}
    }
    match by_length(sum.value.len()) {
        Some(ByLength::Certain(algorithm)) if by_name != ByName::Nothing => {
            parse(algorithm).map(|digest| SumValue::Guessed { digest, may_be: others_of(algorithm) })
        }
        Some(ByLength::Certain(algorithm)) => parse(algorithm).map(SumValue::Stated),
        Some(ByLength::Guessed { algorithm, may_be }) => {
            parse(algorithm).map(|digest| SumValue::Guessed { digest, may_be })
        }
        Some(ByLength::Open(may_be)) => Ok(SumValue::NotComputed { algorithm: format!("{may_be}, by its length") }),
        None => Err(format!("{} hexadecimal digits are of no checksum that is known", sum.value.len())),
    }
}

fn last_segment(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// Whether two values of the same algorithm differ.
fn disagree(values: &[SumLine]) -> bool {
    let of = |value: &SumValue| match value {
        SumValue::Stated(digest) | SumValue::Guessed { digest, .. } => Some(digest.algorithm()),
        SumValue::NotComputed { .. } => None,
    };
    values.iter().enumerate().any(|(at, one)| {
        let algorithm = of(&one.value);
        algorithm.is_some() && values.iter().skip(at + 1).any(|other| of(&other.value) == algorithm)
    })
}

/// Removes values that cannot be computed here if there are others, and adds a note for each.
fn drop_uncomputable(values: &mut Vec<SumLine>, notes: &mut Vec<SumsNote>, file: &str) {
    let computed = |one: &SumLine| !matches!(one.value, SumValue::NotComputed { .. });
    if !values.iter().any(computed) {
        return;
    }
    values.retain(|one| match &one.value {
        SumValue::NotComputed { algorithm } => {
            let algorithm = algorithm.clone();
            notes.push(SumsNote::NotComputed { file: file.to_owned(), line: one.line, algorithm });
            false
        }
        SumValue::Stated(_) | SumValue::Guessed { .. } => true,
    });
}

#[cfg(test)]
mod tests;
