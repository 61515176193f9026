//! What the answers mean, and what to do about them.

use jiff::{SignedDuration, Timestamp};

use super::ask::{BucketSurvey, ByteAnswer, ReadSurvey, Survey};
use crate::report::{DoctorCheck as Check, DoctorFindingReport as Finding};
use crate::source::s3::wrong_setting;
use crate::source::{Advice, ErrorKind, SourceError};

/// Credentials that expire sooner are worth a hint.
const SOON: SignedDuration = SignedDuration::from_hours(1);
/// S3 refuses signatures whose time differs by more (S3 API Reference, `RequestTimeTooSkewed`).
const MOST_SKEW: SignedDuration = SignedDuration::from_mins(15);
/// A difference that a synchronised clock does not have.
const SOME_SKEW: SignedDuration = SignedDuration::from_mins(1);

/// The findings about settings, connection and bucket.
pub(super) fn judge(survey: &Survey, now: Timestamp) -> Vec<Finding> {
    if let Some(error) = &survey.settings {
        let settings = Finding::fail(Check::Settings, error.explain());
        // Without a name, the message itself says what to set.
        let settings = match wrong_setting(error) {
            Some(setting) => settings.advise(format!("correct or remove {setting}")),
            None => settings,
        };
        let credentials = survey.no_credentials.as_ref();
        let credentials = credentials.map(|error| failed(Check::Credentials, error, NEW_CREDENTIALS));
        return [settings].into_iter().chain(credentials).collect();
    }
    let mut findings = vec![credentials(survey, now), region(survey), endpoint(survey), clock(survey.answered.ahead)];
    match &survey.bucket {
        Some(found) => findings.extend([bucket(found), list(found), read(found), write(found)]),
        // Without an answer or credentials, the bucket was not examined.
        None if survey.no_credentials.is_some() || !survey.answered.any => {
            let not_asked = Finding::open(Check::Bucket, "not examined, because of the failure above");
            findings.extend(survey.wants_bucket.then_some(not_asked));
        }
        None => {}
    }
    findings
}

const NEW_CREDENTIALS: &str = "sign in again (`aws sso login --profile NAME`), or set new keys";

/// A failed check, with the advice of the error or otherwise this one.
fn failed(check: Check, error: &SourceError, advice: &str) -> Finding {
    let advice = error.advice.as_ref().map_or_else(|| advice.to_owned(), ToString::to_string);
    Finding::fail(check, error.explain()).advise(advice)
}

fn credentials(survey: &Survey, now: Timestamp) -> Finding {
    let check = Check::Credentials;
    if let Some(error) = &survey.no_credentials {
        return failed(check, error, NEW_CREDENTIALS);
    }
    let Some(caller) = &survey.caller else {
        return Finding::pass(check, "none: requests are sent without a signature (--no-sign-request)");
    };
    let from = survey.origins.credentials.as_deref().unwrap_or("an unknown place");
    let is_refused = |error: &&SourceError| error.kind == ErrorKind::Credentials;
    let by_s3 = survey.first.as_ref().and_then(|first| first.as_ref().err()).filter(is_refused);
    if let Some(error) = caller.as_ref().err().filter(is_refused).or(by_s3) {
        let finding = failed(check, error, NEW_CREDENTIALS);
        return Finding { detail: format!("{}; they come from {from}", finding.detail), ..finding };
    }
    let expiry = survey.origins.expiry;
    if let Some(expiry) = expiry.filter(|expiry| *expiry <= now) {
        let detail = format!("they expired at {expiry}; they come from {from}");
        return Finding::fail(check, detail).advise(NEW_CREDENTIALS);
    }
    let until = expiry.map(|expiry| format!(", until {expiry}")).unwrap_or_default();
    let finding = match caller {
        Ok(caller) if caller.arn.is_empty() => {
            Finding::pass(check, format!("account {}, from {from}{until}", caller.account))
        }
        Ok(caller) => Finding::pass(check, format!("{}, from {from}{until}", caller.arn)),
        Err(error) => {
            let why = format!("from {from}{until}; STS does not say whose they are: {}", error.explain());
            match &survey.first {
                // A response with success, or one that concerns the bucket alone, shows that S3 took the signature.
                Some(Ok(_)) => Finding::pass(check, format!("S3 accepts them; {why}")),
                _ => Finding::open(check, why).advise("run it again; check the endpoint of STS if it is set"),
            }
        }
    };
    match expiry.filter(|expiry| expiry.duration_since(now) < SOON) {
        Some(_) => finding.advise("renew them before a long run"),
        None => finding,
    }
}

fn region(survey: &Survey) -> Finding {
    let check = Check::Region;
    let region = survey.region.as_deref().unwrap_or_default();
    let from = match &survey.origins.region {
        Some(setting) => format!("from {setting}"),
        None if survey.origins.endpoint.is_some() => "the default beside an endpoint".to_owned(),
        None => "from the metadata of this machine".to_owned(),
    };
    match survey.bucket_region() {
        Some(other) if other != region => {
            let detail = format!("{region}, {from}; the bucket is in {other}");
            Finding::fail(check, detail).advise(format!("give --region {other}, or set AWS_REGION={other}"))
        }
        Some(_) => Finding::pass(check, format!("{region}, {from}; the bucket is there")),
        None => match &survey.first {
            Some(Err(SourceError { kind: ErrorKind::WrongRegion(None), .. })) => {
                Finding::fail(check, format!("{region}, {from}; the bucket is in another Region"))
                    .advise("give the Region of the bucket with --region")
            }
            _ => Finding::pass(check, format!("{region}, {from}")),
        },
    }
}

fn endpoint(survey: &Survey) -> Finding {
    let check = Check::Endpoint;
    let place = match &survey.origins.endpoint {
        Some((url, setting)) => format!("{url}, from {setting}"),
        None => "AWS".to_owned(),
    };
    let error = survey.first.as_ref().and_then(|first| first.as_ref().err());
    match error {
        Some(error) if !survey.answered.any => {
            let finding = failed(check, error, "check the network, DNS and proxy settings of this machine");
            Finding { detail: format!("{place}: {}", finding.detail), ..finding }
        }
        Some(error) if error.is_transient() => {
            Finding::open(check, format!("{place}: {}", error.explain())).advise("run it again later")
        }
        _ => Finding::pass(check, format!("{place}; it answers")),
    }
}

fn clock(ahead: Option<SignedDuration>) -> Finding {
    let check = Check::Clock;
    let Some(ahead) = ahead else {
        return Finding::open(check, "no response stated the time (header Date)")
            .advise("compare `date -u` with a clock that is right");
    };
    let side = if ahead.is_negative() { "behind" } else { "ahead of" };
    let detail = format!("{} s {side} the server's", ahead.abs().as_secs());
    let advice = "set the clock: `timedatectl set-ntp true`; S3 refuses signatures that differ by 15 minutes";
    match ahead.abs() {
        skew if skew >= MOST_SKEW => Finding::fail(check, detail).advise(advice),
        skew if skew >= SOME_SKEW => Finding::pass(check, detail).advise(advice),
        _ => Finding::pass(check, detail),
    }
}

fn policy(command: &str, bucket: &str) -> String {
    format!("ask for the permission: `stored-ami policy {command} --bucket {bucket}` prints what is needed")
}

/// A refused request about a bucket or an object: failed if the answer is clear, otherwise open.
fn refused(check: Check, error: &SourceError, denied: String) -> Finding {
    match error.kind {
        ErrorKind::Denied => Finding::fail(check, error.explain()).advise(denied),
        ErrorKind::NotFound => failed(check, error, "check the name"),
        _ => {
            let advice = error.advice.as_ref().map_or_else(|| "see the lines above".to_owned(), ToString::to_string);
            Finding::open(check, error.explain()).advise(advice)
        }
    }
}

fn bucket(found: &BucketSurvey) -> Finding {
    match &found.head {
        Ok(_) => Finding::pass(Check::Bucket, format!("{} exists (HeadBucket)", found.name)),
        Err(error) if error.kind == ErrorKind::NotFound => {
            let advice = error.advice.as_deref().cloned().unwrap_or(Advice::CheckBucket { endpoint: None });
            Finding::fail(Check::Bucket, format!("there is no bucket {}", found.name)).advise(advice.to_string())
        }
        Err(error) => refused(Check::Bucket, error, policy("doctor", &found.name)),
    }
}

fn list(found: &BucketSurvey) -> Finding {
    match &found.first_key {
        Ok(_) => Finding::pass(Check::List, "permitted (ListObjectsV2)"),
        Err(error) => refused(Check::List, error, policy("audit", &found.name)),
    }
}

fn read(found: &BucketSurvey) -> Finding {
    let check = Check::Read;
    let Some(read) = &found.read else {
        return match &found.first_key {
            Ok(_) => Finding::open(check, "there is no object to try it with under this prefix")
                .advise("name a prefix with an object: s3://BUCKET/PREFIX"),
            Err(error) => {
                let finding = Finding::open(check, "no object is known to try it with: the bucket cannot be listed");
                match error.kind {
                    ErrorKind::Denied => finding.advise("`stored-ami inspect s3://BUCKET/KEY` tries one object"),
                    _ => finding.advise("see the lines above"),
                }
            }
        };
    };
    let ReadSurvey { uri, bytes, attributes } = read;
    let finding = match bytes {
        Ok(ByteAnswer::Read) => {
            Finding::pass(check, format!("permitted: {} (HeadObject, GetObject of one byte)", uri.key))
        }
        Ok(ByteAnswer::Empty) => Finding::open(check, format!("{} can be described, and is empty", uri.key))
            .advise("name a prefix with another object: s3://BUCKET/PREFIX"),
        Ok(ByteAnswer::Archived) => Finding::open(check, format!("{} can be described, and is archived", uri.key))
            .advise(format!("`stored-ami thaw {uri}` makes a readable copy; or name a prefix with another object")),
        Err(error) => return refused(check, error, policy("verify", &found.name)),
    };
    match attributes {
        Err(error) if error.kind == ErrorKind::Denied => {
            let detail =
                format!("{}; s3:GetObjectAttributes, which states the parts, is not permitted", finding.detail);
            Finding::fail(check, detail).advise(policy("verify", &found.name))
        }
        _ => finding,
    }
}

fn write(found: &BucketSurvey) -> Finding {
    Finding::not_tested(Check::Write, "s3:PutObject cannot be tested without writing").advise(format!(
        "`stored-ami policy store copy-destination --bucket {}` prints what stores and copies need",
        found.name
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verdict::Verdict;

    #[test]
    fn a_clock_may_differ_by_less_than_fifteen_minutes() {
        for (seconds, verdict, advised) in [
            (0, Verdict::Pass, false),
            (-59, Verdict::Pass, false),
            (61, Verdict::Pass, true),
            (-899, Verdict::Pass, true),
            (900, Verdict::Fail, true),
            (-7200, Verdict::Fail, true),
        ] {
            let finding = clock(Some(SignedDuration::from_secs(seconds)));
            assert_eq!((finding.verdict, finding.advice.is_some()), (verdict, advised), "{seconds}");
        }
        assert!(clock(Some(SignedDuration::from_secs(-7200))).detail.contains("7200 s behind"));
        assert_eq!(clock(None).verdict, Verdict::Unknown);
    }
}
