use std::collections::BTreeMap;
use std::fmt::Write as _;

use jiff::Timestamp;

use super::machine_text;
use crate::report::Report;
use crate::verdict::Verdict;

/// An audit as metrics in the Prometheus text format, for the textfile collector of the node exporter.
pub fn prometheus(reports: &[Report], now: Timestamp) -> String {
    let mut out = Page(String::new());
    let mut verdicts: BTreeMap<&str, u64> = Verdict::ALL.iter().map(|verdict| (verdict.name(), 0)).collect();
    let mut findings: BTreeMap<(String, &str), u64> = BTreeMap::new();
    let mut observed: BTreeMap<String, u64> = BTreeMap::new();
    let (mut sizes, mut ages, mut kinds, mut states) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for report in reports {
        let told = match report {
            Report::Audited(one) => {
                *verdicts.entry(one.verdict.name()).or_default() += 1;
                let labels = object(&one.target.to_string());
                if let Some(identity) = &one.identity {
                    sizes.push((labels.clone(), identity.object_bytes as f64));
                }
                let at = one.proof.as_ref().and_then(|proof| proof.at.parse::<Timestamp>().ok());
                if let Some(at) = at {
                    ages.push((labels.clone(), now.duration_since(at).as_secs() as f64));
                }
                for proof in [&one.proof, &one.unread_proof].into_iter().flatten() {
                    if let Ok(at) = proof.at.parse::<Timestamp>() {
                        let labels = format!("{labels},{}", labelled("kind", &proof.kind.to_string()));
                        kinds.push((labels, at.as_second() as f64));
                    }
                }
                states.push((labels, f64::from(one.exit_code.code())));
                &one.findings
            }
            Report::AuditedBucket(one) => &one.findings,
            Report::Observation(one) => {
                *observed.entry(one.kind.to_string()).or_default() += 1;
                continue;
            }
            _ => continue,
        };
        for finding in told.iter().filter(|finding| finding.blocks_pass()) {
            *findings.entry((finding.check.to_string(), finding.verdict.name())).or_default() += 1;
        }
    }
    let counts = verdicts.iter().map(|(verdict, count)| (labelled("verdict", verdict), *count as f64));
    out.family("objects", "Stored AMI objects by verdict.", counts);
    out.family("object_bytes", "Size of an object.", sizes);
    out.family("object_proof_age_seconds", "Time since every byte of an object was proved.", ages);
    out.family(
        "object_proof_time_seconds",
        "Time of the newest proof of an object by its kind, in seconds since 1970.",
        kinds,
    );
    out.family(
        "object_exit_code",
        "Exit code of an object: 0 passed, 1 failed, 3 unknown, 4 could not be examined, 130 interrupted.",
        states,
    );
    let counts = findings.iter().map(|((check, verdict), count)| {
        (format!("{},{}", labelled("check", check), labelled("verdict", verdict)), *count as f64)
    });
    out.family("findings", "Failed checks, and required checks that are unknown.", counts);
    let counts = observed.iter().map(|(kind, count)| (labelled("kind", kind), *count as f64));
    out.family("observations", "Observations over all objects, which do not affect the verdict.", counts);
    for report in reports {
        let Report::Audit(all) = report else { continue };
        let mut single = |name: &str, help: &str, value: f64| out.family(name, help, [(String::new(), value)]);
        single("audit_exit_code", "Exit code of the audit.", f64::from(all.exit_code.code()));
        single(
            "audit_end_time_seconds",
            "Time at which the audit ended, in seconds since 1970.",
            now.as_second() as f64,
        );
        single("audit_elapsed_seconds", "Duration of the audit.", all.elapsed_seconds);
        single("audit_objects_left", "Objects that were due for examination and not reached.", all.left as f64);
        single("audit_objects_missing", "Objects in the ledger that no longer exist.", all.missing as f64);
        single("audit_received_bytes", "Object bytes received.", all.received_bytes as f64);
        single("audit_requests", "Requests sent.", all.requests as f64);
    }
    out.0
}

fn labelled(name: &str, value: &str) -> String {
    format!("{name}=\"{}\"", escaped(value))
}

struct Page(String);

impl Page {
    /// Writes one family of gauges; nothing if it has no samples.
    fn family(&mut self, name: &str, help: &str, samples: impl IntoIterator<Item = (String, f64)>) {
        let mut samples = samples.into_iter().peekable();
        if samples.peek().is_none() {
            return;
        }
        // Writing to a `String` cannot fail.
        let _ = write!(self.0, "# HELP stored_ami_{name} {help}\n# TYPE stored_ami_{name} gauge\n");
        for (labels, value) in samples {
            let labels = if labels.is_empty() { labels } else { format!("{{{labels}}}") };
            let _ = writeln!(self.0, "stored_ami_{name}{labels} {value}");
        }
    }
}

fn object(target: &str) -> String {
    let rest = target.trim_start_matches("s3://");
    let (bucket, key) = rest.split_once('/').unwrap_or((rest, ""));
    format!("bucket=\"{}\",key=\"{}\"", escaped(bucket), escaped(key))
}

/// Escapes backslash and quote for a label value. The Prometheus text format has no other escape except that of the
/// line feed, so control characters are written as the text of their escapes.
fn escaped(value: &str) -> String {
    machine_text(value).replace('\\', "\\\\").replace('"', "\\\"")
}
