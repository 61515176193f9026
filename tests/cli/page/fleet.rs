//! The page of an audit.

use stored_ami::checksum::{Algorithm, Hasher};
use stored_ami::render::page;
use stored_ami::report::{AuditedReport, Note, Report};

use super::browser::{Browser, driven, in_a_frame};
use super::fleets::{damaged, failed, finding, fleet, good, left, read, seen, whole};
use super::{assert_whole, between, kept, page_of};
use crate::hostile::{HOSTILE, assert_tame};
use crate::spoil::spoil_texts;

/// Its targets from the top of the table down, but for rows that are hidden.
fn shown(dom: &str) -> Vec<&str> {
    let table = between(dom, "id=\"objects-table\"", "</table>")[0];
    let body = table.split_once("<tbody>").unwrap().1;
    let rows = between(body, "<tr", "</tr>");
    rows.into_iter()
        .filter(|row| !row.split('>').next().unwrap().contains("hidden"))
        .map(|row| between(row, "<th scope=\"row\">", "</th>")[0])
        .collect()
}

fn audit(objects: impl IntoIterator<Item = AuditedReport>, exit: u8) -> Vec<Report> {
    let mut all: Vec<Report> = objects.into_iter().map(|object| Report::Audited(Box::new(object))).collect();
    let listed = all.len() as u64;
    all.push(Report::Audit(Box::new(whole(listed, exit))));
    all
}

#[test]
fn the_page_of_an_audit_runs_one_script_and_needs_nothing_else() {
    let text = page_of(&fleet(700));
    kept("fleet.html", &text);
    let scripts = between(&text, "<script>", "</script>");
    assert_eq!((scripts.len(), text.matches("<script").count()), (1, 1));
    let hash = Hasher::digest(Algorithm::Sha256, scripts[0].as_bytes()).base64();
    let policy = format!(
        "content=\"default-src 'none'; script-src 'sha256-{hash}'; style-src 'unsafe-inline'; img-src data:; \
         base-uri 'none'; form-action 'none'\""
    );
    assert!(text.contains(&policy), "{policy}");
    assert_whole(&text);
    for unwanted in ["http://", "https://", "innerHTML", "eval("] {
        assert!(!text.contains(unwanted), "{unwanted}");
    }
    let (links, ids) = (between(&text, "href=\"#", "\""), between(&text, " id=\"", "\""));
    // Without a script, a link to a verdict still leads to its first row.
    for verdict in ["damaged", "missing", "policy", "unknown", "seen", "pass"] {
        let name = format!("verdict={verdict}");
        assert!(ids.contains(&name.as_str()) && links.contains(&name.as_str()), "{name}");
    }
    assert_eq!(text.matches("<table").count(), text.matches("<caption").count());
}

#[test]
fn what_failed_stands_before_what_is_in_order() {
    let text = page_of(&fleet(700));
    let at = |what: &str| text.find(what).unwrap_or_else(|| panic!("{what}"));
    let broken = damaged(350, 25).target.to_string();
    assert!(at("<p class=\"word\">Fail</p>") < at("Why the audit is not complete"));
    assert!(at("Why the audit is not complete") < at("What is wrong or not answered"));
    // Damage comes first of all that failed.
    assert_eq!(between(&text, "<h4 class=\"data\">", "</h4>")[0], broken);
    let order =
        ["<h3>Damaged: ", "<h3>Missing: ", "<h3>Policy</h3>", "<h3>Unknown</h3>", "All objects</h2>", "This run</h2>"];
    assert!(order.windows(2).all(|pair| at(pair[0]) < at(pair[1])));
    for told in [
        "Exit code 1: at least one check failed.",
        "<b>bytes 209,715,200–314,572,799</b> <span>part 3, 100 MiB</span>",
        "8 more damaged parts",
        "… and 15 further damaged parts",
        "one of aws:kms, aws:kms:dsse",
        "there is no such object any more",
        "last seen in order 2026-10-02T03:04:05Z",
        "due, and left for another run: --max-time is over",
        "run the audit again",
        "<li>s3://backup-us/</li>",
        "</svg>1 bucket</span>",
        "The settings of one bucket are as the policy asks.",
        "Stored copies whose AMI is gone: <b>233</b>",
        "Uploads left over: <b>1</b>",
        "s3://backup-ap/ could not be listed: AccessDenied",
        "store tasks into backup-ap could not be asked for",
        "keep it elsewhere, for ledger verify --head",
        "less than 7 days",
        "href=\"#q=encryption\"",
        "<dt>slice</dt><dd><span>3/7</span>",
        "$1.2345",
    ] {
        assert!(text.contains(told), "{told}");
    }
    let rows = shown(&text);
    assert_eq!(rows.len(), 700);
    let copies = &text[at("Stored copies whose AMI is gone") - 40..at("Stored copies whose AMI is gone")];
    assert!(copies.contains("<details class=\"kind\">"), "{copies}");
}

#[test]
fn what_is_seen_is_not_called_a_pass() {
    let text = page_of(&audit([good(1, 3), seen(2)], 0));
    assert!(text.contains("<p class=\"word\">Good</p>") && text.contains("not every object is proved"));
    let text = page_of(&audit([good(1, 3), good(2, 0)], 0));
    assert!(text.contains("<p class=\"word\">Pass</p>") && text.contains("2 good (proved)"));
    assert!(text.contains("What is wrong or not answered</h2>\n<p>Nothing.</p>"));
    let text = page_of(&audit([], 4));
    assert!(text.contains("no object was examined") && text.contains("a part of the work could not be done"));
    // Of what was stopped no check tells.
    let stopped = AuditedReport {
        verdict: read("unknown"),
        exit_code: stored_ami::report::Exit::Interrupted,
        proof: None,
        ..good(3, 0)
    };
    let text = page_of(&audit([stopped], 130));
    assert!(text.contains("<td>interrupted</td>") && text.contains("Exit code 130: interrupted"));
}

#[test]
fn ages_are_those_at_the_time_of_the_page() {
    let text = page_of(&audit([good(1, 0), good(2, 6), good(3, 29), good(4, 89), good(5, 400), seen(6), left(7)], 3));
    for bar in [
        "less than 7 days: 2 objects",
        "7 to 29 days: 1 object;",
        "30 to 89 days: 1 object;",
        "90 days and more: 1 object;",
        "never proved: 1 object;",
        "not known: 1 object\"",
    ] {
        assert!(text.contains(bar), "{bar}");
    }
    assert!(text.contains("<td>400</td>") && text.contains("<td data-v=\"Infinity\">never</td>"));
}

#[test]
fn ten_thousand_objects_fit_in_a_page() {
    let text = page_of(&fleet(10_000));
    kept("fleet-ten-thousand.html", &text);
    println!("{} bytes", text.len());
    assert!(text.len() < 4_000_000, "{} bytes", text.len());
    assert_eq!(shown(&text).len(), 10_000);
    // Everything wrong with everything.
    let all = (0..10_000).map(|at| damaged(at, 400));
    let text = page_of(&audit(all, 1));
    kept("fleet-all-damaged.html", &text);
    assert!(text.len() < 5_000_000, "{} bytes", text.len());
    // Each open for a reason of its own.
    let all = (0..10_000).map(|at| {
        let mut one = left(at);
        one.findings[0].reason.as_mut().unwrap().detail = format!("request {at} was not answered");
        one
    });
    let text = page_of(&audit(all, 3));
    assert!(text.len() < 4_000_000 && text.contains("… and 9,900 more reasons"), "{} bytes", text.len());
}

/// Every text, as a server or the owner of a bucket could have written it.
#[test]
fn nothing_from_outside_is_markup_or_script() {
    const MARKUP: &str = "</td></script><script>alert(1)</script><img src=x onerror=alert(1)>\"'><b a=' onclick=\"x\">";
    let spoil = |report: Report| {
        let mut value = serde_json::to_value(&report).unwrap();
        spoil_texts::<Report>(&mut value, &format!("{MARKUP}{HOSTILE}"));
        serde_json::from_value(value).unwrap()
    };
    let spoiled: Vec<Report> = fleet(300).into_iter().map(spoil).collect();
    let text = page(&spoiled, &format!("{MARKUP}{HOSTILE}")).unwrap();
    kept("fleet-hostile.html", &text);
    assert_eq!((text.matches("<script").count(), text.matches("</script").count()), (1, 1));
    for harm in ["<img", "<b a=", "'><b", "alert(1)</"] {
        assert!(!text.contains(harm), "{harm}");
    }
    assert!(text.contains("&#60;script&#62;") && text.contains('\u{fffd}'));
    assert_tame(&text);
}

#[test]
fn a_browser_sorts_and_searches_it() {
    let Some(browser) = Browser::find() else {
        println!("skipped: no Chromium found");
        return;
    };
    let small = [
        AuditedReport { target: read("s3://b/one/ami-1.bin"), ..good(1, 50) },
        AuditedReport { target: read("s3://b/two/ami-2.bin"), ..good(2, 5) },
        AuditedReport { target: read("s3://b/two/ami-3.bin"), ..seen(3) },
        AuditedReport {
            target: read("s3://b/two/ami-4.bin"),
            ..failed(4, vec![finding("encryption", "fail", "AES256", "aws:kms")])
        },
        AuditedReport { target: read("s3://b/one/ami-5.bin"), ..left(5) },
    ];
    let mut small: Vec<AuditedReport> = small.into();
    for (at, bytes) in [500, 7, 60_000, 8_000_000_000].into_iter().enumerate() {
        small[at].identity.as_mut().unwrap().object_bytes = bytes;
    }
    let path = kept("fleet-small.html", &page_of(&audit(small, 1)));
    for (fragment, rows, says) in [
        ("", "4 5 3 1 2", "5 of 5 objects shown"),
        ("verdict=policy", "4", "1 of 5 objects shown"),
        ("verdict=pass&sort=age", "2 1", "2 of 5 objects shown"),
        // Never is older than any age; what is not known comes last, either way.
        ("sort=-age", "3 1 2 4 5", "5 of 5 objects shown"),
        ("sort=age", "4 2 1 3 5", "5 of 5 objects shown"),
        ("sort=size", "2 1 3 4 5", "5 of 5 objects shown"),
        ("sort=-object", "4 3 2 5 1", "5 of 5 objects shown"),
        ("sort=-verdict", "1 2 3 5 4", "5 of 5 objects shown"),
        ("q=TWO%20ami-3", "3", "1 of 5 objects shown"),
        ("q=encryption", "4", "1 of 5 objects shown"),
        ("q=%3Cscript%3Ealert(1)%3C/script%3E", "", "0 of 5 objects shown"),
        ("verdict=constructor&sort=nonsense", "4 5 3 1 2", "5 of 5 objects shown"),
        ("objects", "4 5 3 1 2", "5 of 5 objects shown"),
    ] {
        let seen = browser.open_at(&path, fragment);
        let found: Vec<&str> = shown(&seen.dom).iter().map(|target| between(target, "ami-", ".")[0]).collect();
        assert_eq!(found.join(" "), rows, "#{fragment}");
        assert!(seen.dom.contains(&format!("role=\"status\" class=\"quiet\">{says}<")), "#{fragment}");
        assert_eq!(seen.complaints, Vec::<String>::new(), "#{fragment}");
        assert!(!seen.dom.contains("id=\"objects-find\" role=\"search\" hidden"));
        let heads = between(&seen.dom, "aria-sort=\"", "\"");
        // In the style sheet no value is quoted.
        let wanted = if fragment.contains("=-") { "descending" } else { "ascending" };
        assert_eq!(heads, [wanted], "#{fragment}");
    }
}

/// What a person does: click on heads of columns, write into the box, choose a verdict.
#[test]
fn ten_thousand_objects_are_sorted_while_one_looks() {
    let Some(browser) = Browser::find() else {
        println!("skipped: no Chromium found");
        return;
    };
    let script = "
        const d = f.contentDocument, w = f.contentWindow, told = [];
        const timed = (name, act) => {
            const start = performance.now();
            act();
            d.body.offsetHeight;
            told.push(name + ':' + Math.round(performance.now() - start) + ';');
        };
        const heads = [...d.querySelectorAll('#objects-table thead button')];
        const of = (name) => heads.find((head) => head.textContent === name);
        for (const name of ['size', 'object', 'proof age', 'not passed', 'verdict'])
            timed('sort', () => of(name).click());
        const sorted = d.querySelector('[aria-sort]');
        told.push('at:' + sorted.textContent + ' ' + sorted.getAttribute('aria-sort') + ';');
        const box = d.getElementById('objects-text');
        for (const text of ['t', 'team-07', ''])
            timed('search', () => { box.value = text; box.dispatchEvent(new w.Event('input')); });
        const verdict = d.getElementById('objects-verdict');
        verdict.value = 'seen';
        timed('choose', () => verdict.dispatchEvent(new w.Event('change')));
        told.push('shown:' + d.getElementById('objects-shown').textContent + ';');
        timed('all', () => d.getElementById('objects-all').click());
        told.push('everything:' + d.getElementById('objects-shown').textContent + ';');
        const rows = () => d.querySelectorAll('#objects-table tbody tr:not([hidden])').length;
        d.getElementById('objects-more').click();
        told.push('more:' + rows() + ';');
        w.dispatchEvent(new w.Event('beforeprint'));
        told.push('printed:' + rows() + ';');
        p.textContent = told.join('');";
    let text = page_of(&fleet(10_000));
    for width in [360, 1200] {
        let seen = browser.open(&kept(&format!("fleet-driven-{width}.html"), &driven(&text, width, script)));
        assert_eq!(seen.complaints, Vec::<String>::new());
        let told = between(&seen.dom, "<p id=\"p\">", "</p>")[0];
        println!("{width} pixels: {told}");
        let slow = ["sort:", "search:", "choose:", "all:"].iter().flat_map(|name| between(told, name, ";"));
        let slow: Vec<u32> = slow.map(|time| time.parse().unwrap()).collect();
        assert_eq!(slow.len(), 10);
        // A machine that does much else at the same time is no reason to fail.
        assert!(slow.iter().all(|time| *time < 5_000), "{told}");
        assert!(
            told.contains("at:verdict ascending;")
                && told.contains("everything:10,000 of 10,000 objects, the first 500 shown;")
                && told.contains("more:2500;printed:10000;"),
            "{told}"
        );
    }
}

#[test]
fn it_fits_into_narrow_windows() {
    let Some(browser) = Browser::find() else {
        println!("skipped: no Chromium found");
        return;
    };
    let mut long = good(1, 2);
    long.target = read(&format!("s3://bucket/{}/ami-1.bin", "long".repeat(200)));
    long.storage_class = Some("X".repeat(300));
    let mut wrong = damaged(2, 3);
    wrong.target = read(&format!("s3://bucket/{}/ami-2.bin", "long".repeat(200)));
    wrong.notes.push(Note::Other("n".repeat(500)));
    wrong.findings[0].source = Some("c".repeat(300));
    let mut open = left(3);
    open.findings[0].reason.as_mut().unwrap().detail = "d".repeat(300);
    for (name, text) in [("fleet", page_of(&fleet(700))), ("fleet-long", page_of(&audit([long, wrong, open], 1)))] {
        for width in [320, 360, 700, 1200] {
            let seen = browser.open(&kept(&format!("{name}-{width}.html"), &in_a_frame(&text, width)));
            let measured: u32 = between(&seen.dom, "measured:", ";")[0].trim().parse().unwrap();
            assert!(measured <= width, "{name}: {measured} pixels wide in a window of {width}");
            assert_eq!(seen.complaints, Vec::<String>::new(), "{name}");
        }
    }
}
