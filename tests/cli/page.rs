//! The page of `--report`, without and with a browser; that of an audit in `page/fleet.rs`. The pages stay in the `tmp` folder of the build, to be looked at.

mod browser;
mod fleet;
mod fleets;
mod reports;
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::Command;

use crate::hostile::{HOSTILE, assert_tame};
use crate::spoil::spoil_texts;
use reports::{damaged, first_verify, measured, passed, usual};
use serde_json::Value;
use stored_ami::render::page;
use stored_ami::report::{Note, Report, VerifyReport};

const WHEN: &str = "2026-11-25T12:00:00Z";

fn verify(report: VerifyReport) -> Report {
    Report::Verify(Box::new(report))
}

fn page_of(reports: &[Report]) -> String {
    page(reports, WHEN).unwrap()
}

/// Kept, to be looked at.
fn kept(name: &str, text: &str) -> PathBuf {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::write(&path, text).unwrap();
    path
}

/// Some damage of each length.
fn here_and_there(part: u64) -> bool {
    part % 1_733 == 5 || (4_200..4_230).contains(&part)
}

fn all() -> Vec<Report> {
    let mut all = vec![verify(passed()), verify(damaged(300, |part| part == 7 || part == 123))];
    all.extend(usual().into_iter().filter(|report| !matches!(report, Report::Bench(_))));
    all.insert(2, Report::Bench(Box::new(measured())));
    all
}

/// What stands between `before` and `after`, each time.
fn between<'a>(text: &'a str, before: &str, after: &str) -> Vec<&'a str> {
    text.split(before).skip(1).filter_map(|rest| rest.split_once(after)).map(|(found, _)| found).collect()
}

/// A page that needs nothing from elsewhere and runs nothing but its own script, if it has one; whose links lead
/// somewhere; and whose headings, tables and pictures can be listened to.
fn assert_whole(text: &str) {
    for needed in [
        "<!DOCTYPE html>",
        "<html lang=\"en\">",
        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">",
        "<main>",
        "<header>",
        "<footer>",
    ] {
        assert!(text.contains(needed), "{needed}");
    }
    for unwanted in ["javascript:", "@import", "src=", "url("] {
        assert!(!text.contains(unwanted), "{unwanted}");
    }
    assert!(text.match_indices(" on").all(|(at, _)| !is_handler(&text[at..])));
    let addresses: BTreeSet<&str> = between(text, "href=\"", "\"").into_iter().collect();
    assert!(addresses.iter().all(|address| address.starts_with('#') || *address == "data:,"), "{addresses:?}");
    let ids = between(text, " id=\"", "\"");
    let known: BTreeSet<&str> = ids.iter().copied().collect();
    assert_eq!(ids.len(), known.len(), "an id is there twice");
    // A search is answered by the page's script, where it runs.
    let places = addresses.iter().filter_map(|a| a.strip_prefix('#')).filter(|place| !place.starts_with("q="));
    for named in between(text, "aria-labelledby=\"", "\"").into_iter().chain(places) {
        assert!(known.contains(named), "{named}");
    }
    let levels: Vec<u32> =
        between(text, "<h", "</h").iter().filter_map(|heading| heading.chars().next()?.to_digit(10)).collect();
    assert_eq!(levels.first(), Some(&1));
    assert!(levels.windows(2).all(|pair| pair[1] <= pair[0] + 1 && pair[1] > 1), "{levels:?}");
    assert!(between(text, "<th", ">").iter().all(|th| th.starts_with("ead") || th.contains("scope=")));
    assert!(between(text, "role=\"img\"", ">").iter().all(|image| image.contains("aria-label=\"")));
}

#[test]
fn a_page_is_whole_in_itself_and_in_order() {
    let text = page_of(&all());
    kept("all.html", &text);
    assert_whole(&text);
    assert!(text.contains("content=\"default-src 'none'; style-src 'unsafe-inline'; img-src data:\""));
    assert!(!text.contains("<script"));
}

/// Whether an attribute such as `onload=` begins here.
fn is_handler(text: &str) -> bool {
    text.trim_start().chars().find(|c| !c.is_ascii_lowercase()) == Some('=')
}

#[test]
fn the_verdict_comes_first_and_damage_is_named() {
    let text = page_of(&[verify(damaged(300, |part| part == 7))]);
    kept("damaged.html", &text);
    let at = |what: &str| text.find(what).unwrap_or_else(|| panic!("{what}"));
    let order = ["<p class=\"word\">Fail</p>", ">Parts</h3>", ">Damage</h3>", ">What to do next</h3>", "Findings</h3>"];
    assert!(order.windows(2).all(|pair| at(pair[0]) < at(pair[1])));
    // Two references disagree with the part, and it is one block all the same.
    assert_eq!(text.matches("</svg>Damaged</span>").count(), 1);
    for once in ["bytes 629,145,600–734,003,199", "Damage</h3>", "What to do next</h3>"] {
        assert_eq!(text.matches(once).count(), 1, "{once}");
    }
    for told in [
        "part 7 is damaged",
        "Exit code 1: at least one check failed.",
        "<b>bytes 629,145,600–734,003,199</b> <span>part 7 of 300, 100 MiB</span>",
        "Read twice, the second time afresh, with the same wrong result; differs from \
         the md5 of this part in the manifest, the sha256 of this part in the manifest.",
        "<code class=\"command\"><span>aws</span> <span>s3api</span> <span>list-object-versions</span> <span>--bucket</span> ",
        "data-t=\"part 7, offset 629,145,600: damaged\"",
        "Throughput over 420.0 s",
        "By bytes that came out of the stream: not known, for the stream was not decoded",
        "→ run verify with --decode",
        "Depending on what is counted, it is between 163.53 and 724.18.",
        WHEN,
        env!("CARGO_PKG_VERSION"),
    ] {
        assert!(text.contains(told), "{told}");
    }
    let proved = page_of(&[verify(passed())]);
    kept("passed.html", &proved);
    assert!(proved.contains("<p class=\"word\">Pass</p>") && proved.contains("What proved it</h3>"));
    kept("bench.html", &page_of(&[Report::Bench(Box::new(measured()))]));
    let archived = page_of(&usual()[..1]);
    kept("inspect.html", &archived);
    let command = "<code class=\"command\"><span>stored-ami</span> <span>thaw</span> \
                   <span>s3://backup/golden/ami-0123456789abcdef0.bin</span></code>";
    assert!(archived.contains("It cannot be read now: GLACIER") && archived.contains(command));
    let mut open = first_verify("unknown");
    open.findings[0].required = true;
    let open = page_of(&[verify(open)]);
    kept("unknown.html", &open);
    assert!(open.contains("<p class=\"word\">Unknown</p>") && open.contains("<p class=\"next\">→ "));
}

#[test]
fn ten_thousand_parts_fit_in_a_page() {
    for (name, is_damaged) in [
        ("ten-thousand.html", here_and_there as fn(u64) -> bool),
        ("all-damaged.html", |_| true),
        ("every-other.html", |part| part % 2 == 0),
    ] {
        let text = page_of(&[verify(damaged(10_000, is_damaged))]);
        kept(name, &text);
        assert!(text.len() < 1_000_000, "{name}: {} bytes", text.len());
        assert_eq!(text.matches(" data-t=\"parts ").count(), 1000, "{name}");
        assert!(text.contains("A cell is 10 parts, and shows the worst of them."));
    }
    let text = page_of(&[verify(damaged(10_000, here_and_there))]);
    assert!(text.contains("parts 4191–4200, offset 439,353,344,000: 1 damaged, 9 proved"));
}

/// Every text of every report, as a server could have written it.
#[test]
fn nothing_from_outside_is_markup() {
    const MARKUP: &str =
        "</dd></td></p><script>alert(1)</script><img src=x onerror=alert(1)>\"'><b a=' onclick=\"x\">&lt;";
    let text = format!("{MARKUP}{HOSTILE}");
    let mut spoiled = 0;
    let reports: Vec<Report> = all()
        .into_iter()
        .map(|report| {
            let mut value = serde_json::to_value(&report).unwrap();
            spoiled += spoil_texts::<Report>(&mut value, &text);
            if let Some(tags) = value.pointer_mut("/tags/value").and_then(Value::as_object_mut) {
                tags.insert(format!("tag{text}"), text.clone().into());
            }
            serde_json::from_value(value).unwrap()
        })
        .collect();
    let text = page(&reports, &text).unwrap();
    kept("hostile.html", &text);
    assert_tame(&text);
    for harm in ["<script", "<img", "<b a=", "&lt;script&gt;alert(1)&lt;/script&gt;\"", "'><b"] {
        assert!(!text.contains(harm), "{harm}");
    }
    assert!(text.contains("&#60;script&#62;") && text.contains('\u{fffd}'));
    // What was escaped once is shown as it came, and not as what it would have been.
    assert!(text.contains("&#38;lt;"));
    assert!(spoiled > 380, "{spoiled} texts");
}

/// Relative luminance of `#rrggbb`, by WCAG 2.
fn luminance(colour: &str) -> f64 {
    let channel = |at: usize| {
        let value = f64::from(u8::from_str_radix(&colour[at..at + 2], 16).unwrap()) / 255.0;
        if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
    };
    0.2126 * channel(1) + 0.7152 * channel(3) + 0.0722 * channel(5)
}

#[test]
fn text_can_be_read_in_both_modes() {
    let style = include_str!("../../templates/page.css");
    let modes = between(style, ":root{", "}");
    assert_eq!(modes.len(), 2, "light and dark");
    for mode in modes {
        let colour =
            |name: &str| between(mode, &format!("--{name}:"), ";").first().copied().unwrap_or_else(|| panic!("{name}"));
        let contrast = |one: &str, other: &str| {
            let (one, other) = (luminance(colour(one)), luminance(colour(other)));
            (one.max(other) + 0.05) / (one.min(other) + 0.05)
        };
        let tones = ["pass", "fail", "unknown", "error", "plain"];
        let mut pairs: Vec<(String, String)> = Vec::new();
        for ground in ["ground", "card"] {
            pairs.extend(["ink", "quiet", "link"].iter().chain(&tones).map(|name| ((*name).into(), ground.into())));
        }
        for tone in tones {
            pairs.extend([(tone.into(), format!("{tone}-tint")), ("ink".into(), format!("{tone}-tint"))]);
        }
        for (text, ground) in pairs {
            let contrast = contrast(&text, &ground);
            assert!(contrast >= 4.5, "{text} on {ground}: {contrast:.2}");
        }
        for shape in ["proved", "damaged", "read", "dense", "structured", "sparse", "uniform", "c1", "c2", "c3", "c4"] {
            assert!(contrast(shape, "card") >= 3.0, "{shape}: {:.2}", contrast(shape, "card"));
        }
    }
}

fn run(args: &[&str]) -> (Option<i32>, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_stored-ami")).args(args).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

#[test]
fn the_commands_write_it() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    std::fs::write(at("abc.bin"), b"abc").unwrap();
    let (file, html) = (at("abc.bin"), at("report.html"));
    let right = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    let (code, plain, _) = run(&["verify", &file, "--expect", right]);
    assert_eq!(code, Some(0));
    let (code, told, _) = run(&["verify", &file, "--expect", right, "--report", &html]);
    let without_times = |text: &str| text.lines().filter(|line| !line.contains(" in ")).collect::<String>();
    assert_eq!((code, without_times(&told)), (Some(0), without_times(&plain)));
    let text = std::fs::read_to_string(&html).unwrap();
    assert!(text.contains("<p class=\"word\">Pass</p>") && text.contains("expect-sha256"));

    // Several targets, one of which is not there.
    std::fs::write(at("abd.bin"), b"abd").unwrap();
    let (code, ..) = run(&["verify", &file, &at("abd.bin"), &at("none.bin"), "--expect", right, "--report", &html]);
    assert_eq!(code, Some(1));
    let text = std::fs::read_to_string(&html).unwrap();
    for told in
        ["3 targets: 1 failed, 1 ended with an error, 1 passed", "Exit code 1", "href=\"#target-3\"", "none.bin"]
    {
        assert!(text.contains(told), "{told}");
    }
    let (code, ..) = run(&["inspect", &file, "--report", &html]);
    assert_eq!(code, Some(0));
    assert!(std::fs::read_to_string(&html).unwrap().contains("<h1>stored-ami inspect</h1>"));
    let (code, ..) = run(&["bench", &file, "--time", "1s", "--connections", "1", "--report", &html]);
    assert!(code.is_some());
    assert!(std::fs::read_to_string(&html).unwrap().contains("<h1>stored-ami bench</h1>"));
}

#[test]
fn a_place_that_cannot_be_written_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    std::fs::write(at("abc.bin"), b"abc").unwrap();
    for place in [at("none/report.html"), at("abc.bin/report.html"), at("")] {
        for command in ["verify", "inspect", "bench"] {
            let (code, out, problem) = run(&[command, &at("abc.bin"), "--report", &place]);
            assert_eq!((code, out.as_str()), (Some(2), ""), "{command} {place}");
            assert!(problem.contains("--report"), "{problem}");
        }
    }
    if PathBuf::from("/dev/full").exists() {
        let (code, out, problem) = run(&["inspect", &at("abc.bin"), "--json", "--report", "/dev/full"]);
        assert_eq!(code, Some(4));
        assert!(problem.contains("/dev/full: the page could not be written"), "{problem}");
        assert!(out.lines().last().unwrap().contains("\"exit_code\":4"), "{out}");
    }
}

#[test]
fn a_browser_shows_it() {
    let Some(browser) = browser::Browser::find() else {
        println!("skipped: no Chromium found");
        return;
    };
    let damaged = page_of(&[verify(damaged(10_000, here_and_there))]);
    let seen = browser.open(&kept("ten-thousand.html", &damaged));
    assert!(seen.dom.contains("bytes 419,430,400–524,287,999"));
    assert_eq!(seen.complaints, Vec::<String>::new());
    let pages = [
        ("all", page_of(&all())),
        ("ten-thousand", damaged),
        ("hostile", std::fs::read_to_string(kept_hostile()).unwrap()),
    ];
    for (name, text) in pages {
        for width in [320, 360, 1200] {
            let frame = kept(&format!("{name}-{width}.html"), &browser::in_a_frame(&text, width));
            let seen = browser.open(&frame);
            let measured: u32 = between(&seen.dom, "measured:", ";")[0].trim().parse().unwrap();
            assert!(measured <= width, "{name}: {measured} pixels wide in a window of {width}");
            assert_eq!(seen.complaints, Vec::<String>::new(), "{name}");
        }
    }
}

/// Texts that cannot be broken at spaces.
fn kept_hostile() -> PathBuf {
    let mut report = passed();
    report.target = format!("s3://{}/<script>alert(1)</script>.bin", "long".repeat(80));
    report.notes.push(Note::Other("x".repeat(500)));
    for finding in &mut report.findings {
        finding.source = Some("y".repeat(300));
        finding.expected = Some("0".repeat(128));
    }
    kept("long.html", &page_of(&[verify(report)]))
}
