//! The documentation: links and anchors exist, commands are accepted, names of checks and reasons are explained.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use clap::CommandFactory as _;
use clap::error::ErrorKind;
use stored_ami::cli::Cli;
use stored_ami::copy::CopyCheck;
use stored_ami::verdict::{Condition, PolicyCheck, ReasonCode};

/// Maximum size of README.md in bytes.
const README_BYTES: usize = 8192;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The pages, with their paths relative to the repository.
fn pages() -> BTreeMap<PathBuf, String> {
    let mut names: Vec<PathBuf> = ["README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md", "RELEASE.md"]
        .into_iter()
        .map(PathBuf::from)
        .collect();
    for entry in std::fs::read_dir(root().join("docs")).unwrap() {
        let name = entry.unwrap().file_name();
        if Path::new(&name).extension().is_some_and(|extension| extension == "md") {
            names.push(Path::new("docs").join(name));
        }
    }
    names.into_iter().map(|name| (name.clone(), std::fs::read_to_string(root().join(name)).unwrap())).collect()
}

/// A line of a page, and the language of the block of code that it is in.
struct Line<'a> {
    text: &'a str,
    block: Option<&'a str>,
}

/// The lines of a page without those that open or close a block of code.
fn lines(page: &str) -> Vec<Line<'_>> {
    let mut block = None;
    let mut lines = Vec::new();
    for text in page.lines() {
        match (text.trim_start().strip_prefix("```"), block) {
            (Some(language), None) => block = Some(language.trim()),
            (Some(_), Some(_)) => block = None,
            (None, _) => lines.push(Line { text, block }),
        }
    }
    lines
}

/// The anchors that GitHub gives to the headings of a page.
fn anchors(page: &str) -> BTreeSet<String> {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    let mut anchors = BTreeSet::new();
    for line in lines(page).into_iter().filter(|line| line.block.is_none() && line.text.starts_with('#')) {
        let heading = line.text.trim_start_matches('#').trim().to_lowercase();
        let kept = heading.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
        let slug: String = kept.map(|c| if c == ' ' { '-' } else { c }).collect();
        let count = counts.entry(slug.clone()).or_default();
        anchors.insert(if *count == 0 { slug } else { format!("{slug}-{count}") });
        *count += 1;
    }
    anchors
}

/// The targets of the links in a line, outside of code.
fn links(line: &str) -> Vec<&str> {
    let is_in_code = |at: usize| line[..at].matches('`').count() % 2 == 1;
    let starts = line.match_indices("](").filter(|(at, _)| !is_in_code(*at)).map(|(at, mark)| &line[at + mark.len()..]);
    starts.filter_map(|rest| rest.split_once(')')).map(|(target, _)| target).collect()
}

#[test]
fn links_and_anchors_resolve() {
    let pages = pages();
    let mut broken = Vec::new();
    let mut count = 0;
    for (page, text) in &pages {
        for line in lines(text).into_iter().filter(|line| line.block.is_none()) {
            for link in links(line.text).into_iter().filter(|link| !link.contains("://")) {
                count += 1;
                let (file, anchor) = link.split_once('#').map_or((link, None), |(file, anchor)| (file, Some(anchor)));
                let file = if file.is_empty() { page.clone() } else { normal(&page.with_file_name(file)) };
                let exists = root().join(&file).exists();
                let has_anchor = |anchor| pages.get(&file).is_some_and(|text| anchors(text).contains(anchor));
                if !exists || !anchor.is_none_or(has_anchor) {
                    broken.push(format!("{}: {link}", page.display()));
                }
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
    assert!(count > 80, "{count}");
}

/// The path without `..`.
fn normal(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for part in path.components() {
        if part.as_os_str() == ".." {
            normal.pop();
        } else {
            normal.push(part);
        }
    }
    normal
}

#[test]
fn the_readme_is_short() {
    let bytes = pages()[Path::new("README.md")].len();
    assert!(bytes <= README_BYTES, "README.md has {bytes} bytes");
}

/// The commands of a page: lines of shell blocks that begin with the program, and lines of other blocks that contain
/// it, such as those of a crontab.
fn commands(page: &str) -> Vec<String> {
    let joined = page.replace("\\\n", " ");
    let names: BTreeSet<String> = Cli::command().get_subcommands().map(|sub| sub.get_name().to_owned()).collect();
    let mut found = Vec::new();
    for Line { text, block } in lines(&joined) {
        let Some(language) = block else { continue };
        let text = text.trim_start();
        let command = match language {
            "sh" | "console" => text.strip_prefix("$ ").unwrap_or(text).strip_prefix("stored-ami "),
            "text" | "ini" | "yaml" => text.split_once("stored-ami ").map(|(_, arguments)| arguments),
            _ => None,
        };
        let Some(arguments) = command else { continue };
        let words = words(arguments);
        let is_command = words.iter().find(|word| !word.starts_with('-')).is_some_and(|word| names.contains(word));
        if matches!(language, "sh" | "console") || is_command {
            found.push(arguments.to_owned());
        }
    }
    found
}

/// The words of a command, without quotes, comments and redirections.
fn words(line: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut quote = None;
    for c in line.replace("ami-…", "ami-0123456789abcdef0").chars() {
        match (quote, c) {
            (None, '\'' | '"') => quote = Some(c),
            (Some(open), c) if c == open => quote = None,
            (None, ' ') => words.push(String::new()),
            _ => words.last_mut().unwrap().push(c),
        }
    }
    let ends = |word: &str| word.starts_with(['#', '|', '>', '<', '&', ';', '\\']) || word.starts_with("2>");
    words.into_iter().filter(|word| !word.is_empty()).take_while(|word| !ends(word)).collect()
}

#[test]
fn commands_are_accepted() {
    let mut count = 0;
    for (page, text) in pages() {
        for line in commands(&text) {
            count += 1;
            let parsed = Cli::command().try_get_matches_from(["stored-ami".to_owned()].into_iter().chain(words(&line)));
            // A page abbreviates values with `…`.
            let is_mistake = parsed.err().filter(|error| match error.kind() {
                ErrorKind::ValueValidation => !line.contains('…'),
                ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => false,
                _ => true,
            });
            if let Some(error) = is_mistake {
                panic!("{}: stored-ami {line}: {error}", page.display());
            }
        }
    }
    assert!(count > 60, "{count}");
}

#[test]
fn every_check_and_reason_is_explained() {
    let pages = pages();
    let page = &pages[Path::new("docs/checks.md")];
    let conditions = Condition::ALL.iter().map(|(_, name)| *name);
    let policy = PolicyCheck::ALL.iter().map(|(_, name)| *name);
    let copy = CopyCheck::ALL.iter().map(|check| check.name());
    let reasons = ReasonCode::ALL.iter().map(|code| code.name());
    for name in conditions.chain(policy).chain(copy).chain(reasons) {
        assert!(page.contains(&format!("`{name}`")), "docs/checks.md does not explain `{name}`");
    }
}

#[test]
fn anchors_are_those_of_github() {
    let page = "# `verify` says FAIL: what now?\n## A\n```sh\n# no heading\n```\n## A\n";
    assert_eq!(anchors(page), BTreeSet::from(["verify-says-fail-what-now", "a", "a-1"].map(str::to_owned)));
    assert_eq!(links("a [b](c.md#d) `[e](f)` [g](h)"), ["c.md#d", "h"]);
}
