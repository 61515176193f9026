//! The floors of the house, enforced by reading the sources.
//!
//! What is read are `use` lines and paths in code: comments, text in quotes and test modules do
//! not count. A module that has no floor yet fails the test, so that a new one gets its place
//! knowingly.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// The floors from the ground up, each from its bottom up. A module imports from lower floors;
/// on the two lower floors, which are pure, also from what stands before it on its own.
const FLOORS: [(&str, &[&str]); 5] = [
    ("ground", &["units", "ident", "checksum", "verdict", "content", "price"]),
    // `report` is as pure as the ground, and stands here because it is made from facts and plans.
    ("first floor", &["facts", "plan", "checks", "sealed", "manifest", "record", "fleet", "report"]),
    (
        "second floor",
        &[
            "source",
            "image",
            "account",
            "checkpoint",
            "journal",
            "ledger",
            "fetch",
            "files",
            "progress",
            "clock",
            "machine",
            "sync",
        ],
    ),
    ("third floor", &["commands"]),
    ("roof", &["render", "cli"]),
];

/// Modules beside the house: what they may use of it, and who may use them.
const BESIDE: [(&str, &[&str], &[&str]); 2] = [
    ("lab", &["units", "ident"], &["cli"]),
    (
        "fuzzing",
        &[
            "units",
            "ident",
            "checksum",
            "verdict",
            "content",
            "price",
            "facts",
            "plan",
            "checks",
            "sealed",
            "manifest",
            "fleet",
            "checkpoint",
        ],
        &[],
    ),
];

/// Crates and the only places that may name them. A name that ends in `*` stands for all that
/// begin so; the first line that fits a crate decides.
const CRATES: [(&str, &[&str]); 38] = [
    ("aws_sdk_s3", &["source/s3/"]),
    ("aws_sdk_ec2", &["image/ec2/"]),
    ("aws_sdk_sts", &["account/", "source/s3/settings/"]),
    ("aws_sdk_*", &["account/"]),
    ("aws_lc_rs", &["lab/"]),
    ("aws_*", &["source/s3/", "image/ec2/", "account/"]),
    ("clap", &["cli/"]),
    ("clap_complete", &["cli/"]),
    ("clap_mangen", &["cli/"]),
    ("crc", &["lab/"]),
    ("lab_md5", &["lab/"]),
    ("twox_hash", &["lab/"]),
    ("crc_fast", &["checksum/"]),
    ("sha1", &["checksum/"]),
    ("sha2", &["checksum/"]),
    ("md5", &["checksum/"]),
    ("md5_many", &["checksum/"]),
    ("xxhash_rust", &["checksum/"]),
    ("minisign_verify", &["manifest/"]),
    ("console", &["render/", "cli/"]),
    ("indicatif", &["cli/"]),
    ("plotters", &["render/"]),
    ("askama", &["render/page/"]),
    ("nix", &["machine.rs", "files/", "source/file.rs", "source/s3/settings/", "cli/signals.rs"]),
    ("rustls", &["source/s3/http/"]),
    ("hyper_rustls", &["source/s3/http/"]),
    ("tower_service", &["source/s3/http/"]),
    ("zstd", &["content/", "lab/"]),
    ("flate2", &["content/", "fleet/"]),
    ("rusqlite", &["ledger/"]),
    ("toml", &["fleet/"]),
    ("csv", &["fleet/", "render/"]),
    ("parquet", &["render/entries/"]),
    ("quick_junit", &["render/"]),
    ("tokio", ABOVE_THE_LOWER_FLOORS),
    ("tokio_util", ABOVE_THE_LOWER_FLOORS),
    ("futures_util", ABOVE_THE_LOWER_FLOORS),
    ("async_trait", ABOVE_THE_LOWER_FLOORS),
];

const ABOVE_THE_LOWER_FLOORS: &[&str] = &[
    "source/",
    "image/",
    "account/",
    "fetch/",
    "journal/",
    "ledger/",
    "progress.rs",
    "progress/",
    "clock.rs",
    "clock/",
    "commands/",
    "render/",
    "cli/",
    "lab/",
    "main.rs",
];

/// Lines of a file without its tests: listed above the first, refused above the second.
const LISTED: usize = 400;
const MOST: usize = 450;

fn place(module: &str) -> Option<(usize, usize)> {
    FLOORS.iter().enumerate().find_map(|(floor, (_, modules))| {
        modules.iter().position(|known| *known == module).map(|position| (floor, position))
    })
}

fn beside(module: &str) -> Option<(&'static [&'static str], &'static [&'static str])> {
    BESIDE.into_iter().find(|(name, ..)| *name == module).map(|(_, may_use, used_by)| (may_use, used_by))
}

/// Why `from` may not use `to`; `None` where it may.
fn forbidden(from: &str, to: &str) -> Option<String> {
    if from == to {
        return None;
    }
    if let Some((may_use, _)) = beside(from) {
        return (!may_use.contains(&to)).then(|| format!("{from} may use {may_use:?} only, and uses {to}"));
    }
    if let Some((_, used_by)) = beside(to) {
        return (!used_by.contains(&from)).then(|| format!("{to} may be used by {used_by:?} only, and {from} uses it"));
    }
    let (Some(here), Some(there)) = (place(from), place(to)) else {
        return Some(format!("{from} uses {to}, and one of them has no floor"));
    };
    let downwards = there.0 < here.0 || (there.0 == here.0 && (here.0 > 1 || there.1 < here.1));
    (!downwards).then(|| format!("{from} ({}) may not use {to} ({})", FLOORS[here.0].0, FLOORS[there.0].0))
}

/// All rules broken by one file, whose path is that below `src/`.
fn violations(path: &str, text: &str) -> Vec<String> {
    let code = without_tests(&without_comments_and_text(text));
    let module = path.split('/').next().unwrap_or(path).trim_end_matches(".rs");
    let mut found = Vec::new();
    if module == "main" {
        let used = roots(&code, "stored_ami");
        found.extend(used.iter().filter(|used| *used != "cli").map(|used| format!("main uses {used}")));
    } else if module == "lib" {
        let used = roots(&code, "crate");
        found.extend(used.iter().map(|used| format!("lib.rs uses {used}; it declares, no more")));
    } else if place(module).is_none() && beside(module).is_none() {
        found.push(format!("{module} has no floor; give it one"));
    } else {
        let used: BTreeSet<String> = roots(&code, "crate").into_iter().chain(supers(path, &code)).collect();
        found.extend(used.iter().filter_map(|used| forbidden(module, used)));
    }
    for word in crate_words(&code) {
        let Some((_, places)) = CRATES.into_iter().find(|(name, _)| match name.strip_suffix('*') {
            Some(start) => word.starts_with(start),
            None => word == *name,
        }) else {
            continue;
        };
        if !places.iter().any(|place| path.starts_with(place)) {
            found.push(format!("{word} may be named in {places:?} only"));
        }
    }
    if place(module).is_some_and(|(floor, _)| floor < 2) {
        for (at, word) in words(&code) {
            if word == "async" || (word == "await" && code[..at].ends_with('.')) {
                found.push(format!("`{word}`: {module} is pure, and waits for nothing"));
            }
        }
    }
    found.into_iter().map(|what| format!("src/{path}: {what}")).collect()
}

/// The words of code and where they start.
fn words(code: &str) -> impl Iterator<Item = (usize, &str)> {
    let of_word = |c: char| c.is_alphanumeric() || c == '_';
    let mut at = 0;
    std::iter::from_fn(move || {
        let start = at + code[at..].find(of_word)?;
        let end = code[start..].find(|c| !of_word(c)).map_or(code.len(), |length| start + length);
        at = end;
        Some((start, &code[start..end]))
    })
}

/// Whether a path starts here: not after `.`, nor after the `::` of a longer path.
fn starts_a_path(before: &str) -> bool {
    let before = before.trim_end();
    match before.strip_suffix("::") {
        Some(outer) => !outer.ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == '>'),
        None => !before.ends_with('.') || before.ends_with(".."),
    }
}

/// What may be the name of a crate: the first word of a path, or one that is imported or renamed.
fn crate_words(code: &str) -> BTreeSet<&str> {
    let named = |(at, word): &(usize, &str)| {
        let before = code[..*at].trim_end();
        let last = before.rsplit(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or_default();
        let imported = last == "use" || before.ends_with("extern crate");
        starts_a_path(before) && (imported || code[at + word.len()..].trim_start().starts_with("::"))
    };
    let attribute = |(at, _): &(usize, &str)| code[..*at].ends_with("#[");
    words(code).filter(|word| named(word) || attribute(word)).map(|(_, word)| word).collect()
}

/// The first segments behind a root such as `crate`, in groups too.
fn roots(code: &str, root: &str) -> BTreeSet<String> {
    let tails = words(code).filter(|(at, word)| *word == root && starts_a_path(&code[..*at]));
    tails.flat_map(|(at, word)| segments(&code[at + word.len()..])).collect()
}

/// The first segments of what follows a root: `::a::b` or `::{a::b, c}`; `*` for what hides them.
fn segments(tail: &str) -> Vec<String> {
    let Some(rest) = tail.trim_start().strip_prefix("::").map(str::trim_start) else {
        // `pub(crate)` names nothing; `use crate as other` would hide what is named later.
        let renamed = tail.trim_start().starts_with("as ");
        return if renamed { vec!["*".to_owned()] } else { Vec::new() };
    };
    let first = |text: &str| match words(text).next() {
        Some((0, word)) => word.to_owned(),
        _ => "*".to_owned(),
    };
    let Some(group) = rest.strip_prefix('{') else { return vec![first(rest)] };
    let (mut depth, mut names, mut start) = (0, Vec::new(), 0);
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            ',' | '}' if depth == 0 => {
                let item = group[start..at].trim();
                if !item.is_empty() {
                    names.push(first(item));
                }
                start = at + 1;
                if c == '}' {
                    break;
                }
            }
            '}' => depth -= 1,
            _ => {}
        }
    }
    names
}

/// Top-level modules reached by `super::` chains that leave the file's own one.
fn supers(path: &str, code: &str) -> BTreeSet<String> {
    let file = path.trim_end_matches(".rs");
    let depth = file.trim_end_matches("/mod").split('/').count();
    let mut found = BTreeSet::new();
    for (at, word) in words(code) {
        if word != "super" || !starts_a_path(&code[..at]) {
            continue;
        }
        let (mut tail, mut steps) = (&code[at + word.len()..], 1);
        while let Some(further) =
            tail.trim_start().strip_prefix("::").and_then(|t| t.trim_start().strip_prefix("super"))
        {
            (tail, steps) = (further, steps + 1);
        }
        if steps >= depth {
            found.extend(segments(tail));
        }
    }
    found
}

/// The code with comments, strings and characters blanked out; lines stay where they are.
fn without_comments_and_text(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let word_before = out.ends_with(|c: char| c.is_alphanumeric() || c == '_');
        let length = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            block_comment(rest)
        } else if let Some(length) = raw_string(rest).filter(|_| !word_before) {
            length
        } else if c == '"' {
            quoted(rest)
        } else if c == '\'' {
            character(rest)
        } else {
            0
        };
        if length == 0 {
            out.push(c);
            rest = &rest[c.len_utf8()..];
        } else {
            let (blanked, further) = rest.split_at(length);
            out.extend(blanked.chars().map(|c| if c == '\n' { '\n' } else { ' ' }));
            rest = further;
        }
    }
    out
}

fn block_comment(text: &str) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < text.len() {
        let rest = &text[at..];
        let (change, step) = match () {
            () if rest.starts_with("/*") => (1, 2),
            () if rest.starts_with("*/") => (-1, 2),
            () => (0, rest.chars().next().map_or(1, char::len_utf8)),
        };
        (depth, at) = (depth + change, at + step);
        if depth == 0 {
            break;
        }
    }
    at
}

/// Length of a raw string with its prefix.
fn raw_string(text: &str) -> Option<usize> {
    let rest = text.strip_prefix("br").or_else(|| text.strip_prefix("cr")).or_else(|| text.strip_prefix('r'))?;
    let hashes = rest.len() - rest.trim_start_matches('#').len();
    let body = rest[hashes..].strip_prefix('"')?;
    let end = format!("\"{}", "#".repeat(hashes));
    Some(text.len() - body.len() + body.find(&end).map_or(body.len(), |at| at + end.len()))
}

fn quoted(text: &str) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// Length of a character literal; 0 for a lifetime.
fn character(text: &str) -> usize {
    let mut chars = text.char_indices().skip(1);
    match (chars.next(), chars.next()) {
        (Some((_, '\\')), Some(_)) => chars.find(|(_, c)| *c == '\'').map_or(text.len(), |(at, _)| at + 1),
        (Some(_), Some((at, '\''))) => at + 1,
        _ => 0,
    }
}

/// The code without what is compiled for tests only.
fn without_tests(code: &str) -> String {
    let mut out = code.to_owned();
    while let Some(start) = out.find("#[cfg(test)]") {
        let rest = &out[start..];
        let open = rest.find(['{', ';']).unwrap_or(rest.len());
        let mut end = (open + 1).min(rest.len());
        if rest[open..].starts_with('{') {
            let mut depth = 0;
            for (at, c) in rest.char_indices().skip_while(|(at, _)| *at < open) {
                depth += i32::from(c == '{') - i32::from(c == '}');
                if depth == 0 {
                    end = at + 1;
                    break;
                }
            }
        }
        out.replace_range(start..start + end, "");
    }
    out
}

fn lines(text: &str) -> usize {
    without_tests(&without_comments_and_text(text)).lines().count()
}

fn sources() -> BTreeMap<String, String> {
    fn walk(root: &Path, folder: &Path, found: &mut BTreeMap<String, String>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(root, &path, found);
            } else if path.extension().is_some_and(|e| e == "rs") && path.file_name().is_some_and(|n| n != "tests.rs") {
                let name = path.strip_prefix(root).unwrap().to_str().unwrap().replace('\\', "/");
                found.insert(name, fs::read_to_string(&path).unwrap());
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = BTreeMap::new();
    walk(&root, &root, &mut found);
    found
}

#[test]
fn imports_go_downwards_and_crates_stay_in_their_rooms() {
    let sources = sources();
    assert!(sources.len() > 80, "only {} files found", sources.len());
    let found: Vec<String> = sources.iter().flat_map(|(path, text)| violations(path, text)).collect();
    assert!(found.is_empty(), "\n{}\n", found.join("\n"));
}

#[test]
fn every_module_that_lib_declares_has_one_place() {
    let lib = without_comments_and_text(&sources()["lib.rs"]);
    let declared: Vec<&str> =
        lib.lines().filter_map(|l| l.trim().strip_prefix("pub mod ")?.strip_suffix(';')).collect();
    assert!(declared.len() > 10, "{declared:?}");
    for module in declared {
        let places = usize::from(place(module).is_some()) + usize::from(beside(module).is_some());
        assert_eq!(places, 1, "{module} has {places} places");
    }
}

#[test]
fn the_lower_floors_may_not_panic() {
    let lib = &sources()["lib.rs"];
    for module in FLOORS[..2].iter().flat_map(|(_, modules)| *modules) {
        let above = lib.lines().zip(lib.lines().skip(1)).find(|(_, line)| *line == format!("pub mod {module};"));
        let denied = above.map_or("", |(attribute, _)| attribute);
        for lint in ["unwrap_used", "expect_used", "indexing_slicing", "panic"] {
            assert!(denied.contains("deny(") && denied.contains(lint), "{module} does not deny {lint}");
        }
    }
}

#[test]
fn no_file_is_too_long() {
    let mut long: Vec<(usize, String)> =
        sources().into_iter().map(|(path, text)| (lines(&text), path)).filter(|(lines, _)| *lines > LISTED).collect();
    long.sort();
    println!("above {LISTED} lines: {long:?}");
    long.retain(|(lines, _)| *lines > MOST);
    assert!(long.is_empty(), "above {MOST} lines without tests: {long:?}");
}

#[test]
fn long_files_are_seen_and_tests_do_not_count() {
    let code = "fn f() {}\n".repeat(MOST + 1);
    assert_eq!(lines(&code), MOST + 1);
    let tested = format!("fn f() {{}}\n#[cfg(test)]\nmod tests {{\n{code}}}\n");
    assert!(lines(&tested) < 4, "{}", lines(&tested));
}

#[test]
fn each_rule_sees_what_breaks_it() {
    for (path, bad) in [
        // Floors.
        ("units/size.rs", "use crate::ident::ETag;"),
        ("checksum/mod.rs", "use crate::plan::PartLayout;"),
        ("verdict/reason.rs", "pub fn f(_: crate::report::Exit) {}"),
        ("verdict/reason.rs", "use crate::{units::ByteSize, checks::{Digests, judge}};"),
        ("facts/object.rs", "use crate::plan::PartLayout;"),
        ("plan/known.rs", "use crate::checks::judge;"),
        ("plan/known.rs", "use crate::source::Session;"),
        ("checks/judge.rs", "use crate::report::Report;"),
        ("report/mod.rs", "use crate::commands::verify;"),
        ("fetch/mod.rs", "use crate::commands::discover;"),
        ("source/file.rs", "use crate::render::printable;"),
        ("commands/inspect.rs", "use crate::cli::Cli;"),
        ("clock.rs", "use super::commands::discover;"),
        ("units/mod.rs", "use super::ident;"),
        ("units/size.rs", "use super::super::ident::ETag;"),
        ("units/size.rs", "use super::super::{ident::ETag, verdict};"),
        ("units/size.rs", "use crate::*;"),
        ("units/size.rs", "use crate as house;"),
        ("units/size.rs", "fn f() { let _ = crate::cli::run; }"),
        ("units/size.rs", "use\n    crate\n    ::cli::run;"),
        ("attic/mod.rs", ""),
        ("main.rs", "use stored_ami::commands::verify;"),
        ("main.rs", "use clap::Parser;"),
        ("lib.rs", "use crate::cli::run;"),
        // Beside the house.
        ("lab/mod.rs", "use crate::checksum::Hasher;"),
        ("lab/ops/put.rs", "use super::super::super::verdict::Verdict;"),
        ("commands/verify/pass.rs", "use crate::lab::Lab;"),
        ("render/mod.rs", "use crate::fuzzing;"),
        ("fuzzing.rs", "use crate::source::Session;"),
        // Crates.
        ("source/file.rs", "use aws_sdk_s3::Client;"),
        ("commands/inspect.rs", "fn f(_: &::aws_sdk_s3::Client) {}"),
        ("commands/inspect.rs", "use aws_sdk_s3 as s3;"),
        ("commands/inspect.rs", "extern crate aws_sdk_s3;"),
        ("source/s3/object.rs", "use aws_sdk_ec2::Client;"),
        ("cli/run.rs", "use aws_sdk_kms::Client;"),
        ("cli/run.rs", "use aws_config::Region;"),
        ("commands/inspect.rs", "use clap::Parser;"),
        ("report/mod.rs", "#[derive(clap::ValueEnum)] enum A {}"),
        ("render/mod.rs", "use clap_complete::Shell;"),
        ("checksum/hasher.rs", "use crc::Crc;"),
        ("checksum/hasher.rs", "use {hex::encode, lab_md5::Context};"),
        ("checksum/hasher.rs", "let h = twox_hash::XxHash64::default();"),
        ("checksum/hasher.rs", "use aws_lc_rs::digest;"),
        ("lab/checksum/hasher.rs", "use crc_fast::Digest;"),
        ("lab/checksum/hasher.rs", "use sha1::Sha1;"),
        ("fetch/range.rs", "use sha2::Sha256;"),
        ("cli/demo.rs", "let d = md5::Md5::new();"),
        ("lab/checksum/hasher.rs", "use xxhash_rust::xxh3::Xxh3;"),
        ("cli/resolve.rs", "use minisign_verify::PublicKey;"),
        ("plan/read_plan.rs", "use tokio::sync::Mutex;"),
        ("checks/judge.rs", "use tokio_util::sync::CancellationToken;"),
        ("manifest/sums.rs", "use futures_util::StreamExt;"),
        ("facts/reply.rs", "#[async_trait::async_trait] trait A {}"),
        ("commands/verify/pass.rs", "use indicatif::ProgressBar;"),
        // Waiting.
        ("checksum/hasher.rs", "pub async fn digest() {}"),
        ("facts/reply.rs", "fn f() { let a = async { 1 }; }"),
        ("plan/sample.rs", "fn f() { g().await; }"),
        // What stands after tests and text counts again.
        ("units/size.rs", "#[cfg(test)]\nmod tests { fn f() { '{'; } }\nuse crate::cli::run;"),
        ("units/size.rs", "const A: &str = r#\"\"//\"#; use crate::cli::run;"),
        ("units/size.rs", "/* /* */ */ use crate::cli::run;"),
        ("units/size.rs", "fn f<'a>(_: &'a str) { let c = '\\''; crate::cli::run(); }"),
    ] {
        assert!(!violations(path, bad).is_empty(), "src/{path} passes with: {bad}");
    }
}

#[test]
fn what_is_allowed_passes() {
    for (path, good) in [
        ("ident/etag.rs", "use crate::units::PartNumber;"),
        ("units/size.rs", "use super::ParseUnitError; use crate::units::MIB;"),
        ("report/verify.rs", "use crate::{checksum::Digest, facts::{ObjectFacts, Fact}, plan::Basis};"),
        ("source/file.rs", "use crate::progress::Monitor;"),
        ("progress.rs", "use crate::source::SourceError;"),
        ("source/s3/object.rs", "use aws_sdk_s3::Client; use aws_smithy_types::byte_stream::ByteStream;"),
        ("lab/checksum/hasher.rs", "use aws_lc_rs::digest; use crc::Crc; use crate::units::ByteRange;"),
        ("cli/lab.rs", "use clap::Args; use crate::lab::Lab;"),
        ("main.rs", "use stored_ami::cli::{Cli, run};"),
        // Names that are no crates.
        ("plan/collect.rs", "let md5 = |digest| digest; md5(x); self.sha1.len(); Algorithm::Md5; a::md5::b();"),
        (
            "units/size.rs",
            "// use crate::cli::run;\n/// [`crate::cli`]\n/* tokio::spawn */ const A: &str = \"crate::cli::run\";",
        ),
        (
            "units/size.rs",
            "const A: &str = r\"crate::cli\"; const B: &[u8] = b\"\\\"crate::cli\"; pub(crate) fn f() {}",
        ),
        ("units/size.rs", "#[cfg(test)]\nmod tests { use crate::cli::run; fn f() { let a = \"}\"; } }"),
        ("fetch/mod.rs", "#[cfg(test)]\nmod tests;\nuse crate::units::MIB;"),
        ("checksum/hasher.rs", "fn asynchronous() {} let r#await = 1;"),
    ] {
        assert_eq!(violations(path, good), Vec::<String>::new(), "{good}");
    }
}
