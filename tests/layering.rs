//! Rules about the sources that Cargo cannot check.
//!
//! Crates hold the coarse layers: `core` cannot name AWS or tokio, because its manifest does not.
//! This test holds what remains: the order of modules inside a crate, the folders that may name a
//! crate, no circular imports, no `async` in `core`, and the length of files. It reads rustfmt's
//! output line by line; comments, text in quotes and test code do not count.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// Source directories of the crates, with their modules from the bottom up. A module may only import from those before
/// it; `a+b` are on the same level.
const ORDER: [(&str, &str); 2] = [
    (
        "crates/core/src",
        "text units ident checksum verdict content price facts plan checks sealed copy blocks manifest record audit batch report \
         checkpoint fuzzing",
    ),
    (
        "src",
        "sync clock machine files source+progress image account snapshot jobs journal ledger checkpoint fetch commands render cli main",
    ),
];

/// Crates, and the only places that may import them; the first matching entry applies. A `*` at the end of a name
/// matches any suffix.
const CRATES: [(&str, &[&str]); 28] = [
    ("aws_sdk_s3", &["src/source/s3/"]),
    ("aws_sdk_ec2", &["src/image/ec2/"]),
    ("aws_sdk_ebs", &["src/snapshot/"]),
    ("aws_sdk_s3control", &["src/jobs/"]),
    ("aws_sdk_sts", &["src/account/", "src/source/s3/settings/"]),
    ("aws_sdk_*", &["src/account/"]),
    ("aws_lc_rs", &["crates/lab/"]),
    ("aws_*", &["src/source/s3/", "src/image/ec2/", "src/account/", "src/snapshot/", "src/jobs/"]),
    ("hyper_rustls", &["src/source/s3/http/"]),
    ("rustls*", &["src/source/s3/http/"]),
    ("tower_service", &["src/source/s3/http/"]),
    ("clap*", &["src/cli/"]),
    ("indicatif", &["src/cli/"]),
    ("console", &["src/render/", "src/cli/"]),
    ("plotters", &["src/render/"]),
    ("quick_junit", &["src/render/"]),
    ("askama", &["src/render/page/"]),
    ("parquet", &["src/render/entries/"]),
    ("rusqlite", &["src/ledger/"]),
    ("nix", &["src/machine.rs", "src/files/", "src/source/file.rs", "src/source/s3/settings/", "src/cli/signals.rs"]),
    ("stored_ami_lab", &["src/cli/"]),
    ("crc_fast", &["crates/core/src/checksum/"]),
    ("md5_many", &["crates/core/src/checksum/"]),
    ("minisign_verify", &["crates/core/src/manifest/"]),
    ("toml", &["crates/core/src/audit/", "src/cli/settings/"]),
    ("csv", &["crates/core/src/audit/", "src/render/"]),
    ("flate2", &["crates/core/src/content/", "crates/core/src/audit/"]),
    ("zstd", &["crates/core/src/content/", "crates/lab/"]),
];

/// Dependencies that would defeat the purpose of a crate: purity of `core`, and a lab that computes no digest with the
/// crates of the verifier.
const BANNED: [(&str, &[&str]); 2] = [
    ("crates/core/Cargo.toml", &["tokio", "futures", "async-", "aws-", "hyper", "clap", "rusqlite", "nix"]),
    ("crates/lab/Cargo.toml", &["crc-fast", "sha1", "sha2", "md-5", "md5-many", "xxhash", "aws-sdk", "clap"]),
];

/// Maximum number of lines of a file, without its tests.
const MOST_LINES: usize = 450;

/// The code without comments, string literals and items under `#[cfg(test)]`.
fn code(text: &str) -> Vec<String> {
    let (mut kept, mut lines) = (Vec::new(), text.lines());
    while let Some(line) = lines.next() {
        let depth = line.len() - line.trim_start().len();
        if line.trim_start().starts_with("#[cfg(test)]") {
            let ends =
                |l: &&str| l.len() - l.trim_start().len() == depth && l.trim_end_matches(',').ends_with(['}', ';']);
            lines.by_ref().find(ends);
            continue;
        }
        let line: String = line.split('"').step_by(2).collect();
        kept.push(line.split("//").next().unwrap_or_default().to_owned());
    }
    kept
}

/// All paths in the code, with groups of `use` expanded, and whether they are re-exported.
fn paths(code: &[String]) -> Vec<(Vec<String>, bool)> {
    let of_path = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
    let split = |path: &str| -> Vec<String> { path.split("::").map(|name| name.trim().to_owned()).collect() };
    let (mut found, mut lines) = (Vec::new(), code.iter());
    while let Some(line) = lines.next() {
        let mut rest = line.trim().to_owned();
        let exported = rest.starts_with("pub");
        if rest.starts_with("use ") || exported && rest.contains(" use ") {
            while !rest.ends_with(';') {
                let Some(more) = lines.next() else { break };
                rest.push_str(more.trim());
            }
            let tree = rest.split_once("use ").map_or("", |(_, tree)| tree).trim_end_matches([';', '}']);
            let (head, group) = tree.split_once('{').unwrap_or(("", tree));
            let names =
                group.split(',').map(|name| name.split(" as ").next().unwrap_or(name)).filter(|n| !n.is_empty());
            found.extend(names.map(|name| (split(&format!("{head}{}", name.trim())), exported)));
            continue;
        }
        while let Some(at) = rest.find("::") {
            let start = rest[..at].rfind(|c| !of_path(c)).map_or(0, |before| before + 1);
            let end = rest[at..].find(|c| !of_path(c)).map_or(rest.len(), |length| at + length);
            found.push((split(&rest[start..end]), false));
            rest.drain(..end);
        }
    }
    found
}

/// The module of a file, relative to the root of its crate: `fetch/lanes.rs` is `[fetch, lanes]`.
fn module(file: &str) -> Vec<String> {
    let path = file.trim_end_matches(".rs").trim_end_matches("/mod");
    path.split('/').filter(|name| *name != "lib").map(str::to_owned).collect()
}

/// The absolute path of a path within this crate; `None` for other crates.
fn absolute(module: &[String], path: &[String]) -> Option<Vec<String>> {
    let ups = path.iter().take_while(|segment| *segment == "super").count();
    match path.first().map(String::as_str) {
        Some("crate") => Some(path[1..].to_vec()),
        Some("super") => Some([&module[..module.len().checked_sub(ups)?], &path[ups..]].concat()),
        Some("self") => Some([module, &path[1..]].concat()),
        _ => None,
    }
}

/// The violations in one file: of [`ORDER`], [`CRATES`], the independence of the lab, no `async` in core, and the file
/// length.
fn violations(root: &str, file: &str, text: &str) -> Vec<String> {
    let (code, module, mut found) = (code(text), module(file), Vec::new());
    let order = ORDER.iter().find(|(of, _)| *of == root).map_or("", |(_, order)| order);
    let place = |name: &String| order.split_whitespace().position(|step| step.split('+').any(|known| known == name));
    let here = module.first().and_then(place);
    if let Some(name) = module.first().filter(|_| here.is_none() && !order.is_empty()) {
        found.push(format!("{name} has no place in ORDER"));
    }
    for (path, _) in paths(&code) {
        let (text, first) = (path.join("::"), path[0].as_str());
        let there = absolute(&module, &path).and_then(|path| place(path.first()?));
        if here.is_some() && there > here {
            found.push(format!("imports {text}, which stands above it"));
        }
        let fits = |name: &str| name.strip_suffix('*').map_or(first == name, |start| first.starts_with(start));
        let places = CRATES.iter().find(|(name, _)| fits(name)).map(|(_, places)| places);
        if let Some(places) = places.filter(|all| !all.iter().any(|at| format!("{root}/{file}").starts_with(at))) {
            found.push(format!("{first} may be named in {places:?} only"));
        }
        if root.contains("lab") && first == "stored_ami_core" && !["units", "ident"].contains(&path[1].as_str()) {
            found.push(format!("the lab may use units and ident of core only, not {text}"));
        }
    }
    let waits = |line: &String| line.contains(".await") || line.split([' ', '(', '|']).any(|word| word == "async");
    if let Some(line) = code.iter().find(|line| root.contains("core") && waits(line)) {
        found.push(format!("core never waits: {line}"));
    }
    if code.len() > MOST_LINES {
        found.push(format!("{} lines without tests, more than {MOST_LINES}", code.len()));
    }
    found.into_iter().map(|what| format!("{root}/{file}: {what}")).collect()
}

/// Groups of neighbours in one directory with circular imports, by directory.
///
/// A name that a module re-exports counts as an import from the module that declares it.
fn circles(files: &BTreeMap<String, String>) -> Vec<(String, BTreeSet<String>)> {
    let read: BTreeMap<Vec<String>, _> = files.iter().map(|(file, text)| (module(file), paths(&code(text)))).collect();
    let mut names: BTreeMap<Vec<String>, Vec<String>> = BTreeMap::new();
    for (module, paths) in &read {
        for (path, _) in paths.iter().filter(|(path, exported)| *exported && path.len() > 1) {
            let from = absolute(module, path).unwrap_or_else(|| [&module[..], path].concat());
            // A module and a function may be exported by one name; the module is named first, and meant.
            names.entry([&module[..], &path[path.len() - 1..]].concat()).or_insert(from);
        }
    }
    let declared = |mut path: Vec<String>| {
        // If a function has the name of its module, the module is meant.
        let exported = |path: &[String]| {
            let lengths = (1..=path.len()).filter(|length| !read.contains_key(&path[..*length]));
            lengths.into_iter().find_map(|length| Some((length, names.get(&path[..length])?)))
        };
        while let Some((length, from)) = exported(&path) {
            path = [from, &path[length..]].concat();
        }
        path
    };
    let mut edges: BTreeMap<String, BTreeSet<(String, String)>> = BTreeMap::new();
    for (module, paths) in &read {
        for target in paths.iter().filter_map(|(path, _)| absolute(module, path)).map(declared) {
            let common = module.iter().zip(&target).take_while(|(a, b)| a == b).count();
            let neighbour =
                |name: &String| read.contains_key(&[&module[..common], std::slice::from_ref(name)].concat());
            if let (Some(one), Some(other)) = (module.get(common), target.get(common).filter(|name| neighbour(name))) {
                edges.entry(module[..common].join("/")).or_default().insert((one.clone(), other.clone()));
            }
        }
    }
    let mut found = Vec::new();
    for (folder, edges) in edges {
        let reach = |from: &str| {
            let (mut seen, mut open) = (BTreeSet::new(), vec![from.to_owned()]);
            while let Some(next) = open.pop() {
                let further = edges.iter().filter(|(one, _)| *one == next).map(|(_, other)| other.clone());
                open.extend(further.filter(|other| seen.insert(other.clone())));
            }
            seen
        };
        let all: BTreeMap<&String, _> = edges.iter().map(|(one, _)| (one, reach(one))).collect();
        let circle = |one: &String| -> BTreeSet<String> {
            all[one].iter().filter(|other| all.get(other).is_some_and(|back| back.contains(one))).cloned().collect()
        };
        let groups: BTreeSet<_> = all.keys().map(|one| circle(one)).filter(|group| !group.is_empty()).collect();
        found.extend(groups.into_iter().map(|group| (folder.clone(), group)));
    }
    found
}

fn sources(root: &str) -> BTreeMap<String, String> {
    fn walk(root: &Path, folder: &Path, found: &mut BTreeMap<String, String>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(root, &path, found);
            } else if path.extension().is_some_and(|e| e == "rs") && !path.ends_with("tests.rs") {
                let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
                found.insert(name, fs::read_to_string(&path).unwrap());
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(root);
    let mut found = BTreeMap::new();
    walk(&root, &root, &mut found);
    found
}

const ROOTS: [&str; 3] = ["crates/core/src", "crates/lab/src", "src"];

#[test]
fn imports_go_downwards_and_crates_stay_in_their_places() {
    let of_root = |root| sources(root).into_iter().flat_map(move |(file, text)| violations(root, &file, &text));
    let found: Vec<String> = ROOTS.into_iter().flat_map(of_root).collect();
    assert!(found.is_empty(), "\n{}\n", found.join("\n"));
}

#[test]
fn no_neighbours_import_each_other_in_a_circle() {
    let of_root =
        |root| circles(&sources(root)).into_iter().map(move |(folder, group)| (format!("{root}/{folder}"), group));
    let found: Vec<_> = ROOTS.into_iter().flat_map(of_root).collect();
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn core_and_lab_depend_on_nothing_that_undoes_their_purpose() {
    for (manifest, banned) in BANNED {
        let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(manifest)).unwrap();
        let named = text.lines().find(|line| banned.iter().any(|start| line.starts_with(start)));
        assert_eq!(named, None, "{manifest}");
    }
}

#[test]
fn each_rule_sees_what_breaks_it() {
    let long = "fn f() {}\n".repeat(MOST_LINES + 1);
    for (root, file, bad) in [
        ("crates/core/src", "units/size.rs", "use crate::ident::ETag;"),
        ("crates/core/src", "units/size.rs", "use super::super::ident::ETag;"),
        ("crates/core/src", "checks/judge.rs", "use crate::report::{\n    Exit,\n    Report,\n};"),
        ("crates/core/src", "attic.rs", ""),
        ("crates/core/src", "facts/reply.rs", "pub async fn ask() {}"),
        ("crates/core/src", "facts/reply.rs", "let a = ask().await;"),
        ("crates/core/src", "plan/sample.rs", "use sha1::Sha1;\nuse crc_fast::Digest;"),
        ("src", "fetch/mod.rs", "fn f() -> crate::commands::Answer {}"),
        ("src", "commands/inspect.rs", "pub(crate) use crate::cli::Cli;"),
        ("src", "commands/inspect.rs", "fn f(_: &aws_sdk_s3::Client) {}"),
        ("src", "cli/run.rs", "use aws_config::Region;"),
        ("src", "render/mod.rs", "#[derive(clap::ValueEnum)]\nenum A {}"),
        ("src", "fetch/mod.rs", "#[cfg(test)]\nmod tests {\n    fn f() {}\n}\nuse crate::cli::run;"),
        ("src", "fetch/mod.rs", &long),
        ("crates/lab/src", "pack.rs", "use stored_ami_core::checksum::Hasher;"),
    ] {
        assert!(!violations(root, file, bad).is_empty(), "{root}/{file} passes with: {bad}");
    }
}

#[test]
fn what_is_allowed_passes() {
    let tests =
        format!("#[cfg(test)]\nmod tests {{\n    use crate::cli::run;\n{}}}\n", "    f();\n".repeat(MOST_LINES));
    for (root, file, good) in [
        ("crates/core/src", "ident/etag.rs", "use crate::units::PartNumber;\nuse super::Target;"),
        ("crates/core/src", "plan/collect.rs", "// use crate::report::Exit;\nlet a = \"crate::report::Exit\";"),
        ("src", "source/s3/object.rs", "use aws_sdk_s3::Client;\nuse crate::clock::Clock;"),
        ("src", "fetch/mod.rs", &tests),
        ("crates/lab/src", "pack.rs", "use stored_ami_core::units::ByteSize;"),
    ] {
        assert_eq!(violations(root, file, good), Vec::<String>::new(), "{good}");
    }
}

#[test]
fn a_circle_is_found_through_re_exports_and_from_inside_a_folder() {
    let found = |files: &[(&str, &str)]| {
        circles(&files.iter().map(|(file, text)| ((*file).to_owned(), (*text).to_owned())).collect())
    };
    let (one, inside) = (("a/one.rs", "use super::Two;"), ("a/one/deep.rs", "use super::super::Two;"));
    let (parent, two) = (("a/mod.rs", "pub use two::{Other, Two};"), ("a/two.rs", "use super::one::One;"));
    let circle = vec![("a".to_owned(), BTreeSet::from(["one".to_owned(), "two".to_owned()]))];
    assert_eq!(found(&[one, parent, two]), circle);
    assert_eq!(found(&[("a/one/mod.rs", ""), inside, parent, two]), circle);
    assert_eq!(found(&[one, parent, ("a/two.rs", "")]), []);
}
