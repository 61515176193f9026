//! `stays`: the expiration header of HEAD is not sufficient; the lifecycle rules of the bucket are requested and
//! judged.

use stored_ami_lab::{Fault, FaultRule, Lab, LabOptions, Operation};

use crate::common::Server;
use crate::rig::{BUCKET, Rig, key, target};

const HEADER: &str = "expiry-date=\"Fri, 31 Dec 2100 00:00:00 GMT\", rule-id=\"x\"";

/// A server that sends no expiration header, with two objects and a policy that requires 90 days.
async fn silent() -> (Rig, String) {
    let lab = Lab::start(LabOptions { expiration_header: false, ..LabOptions::default() }).await.unwrap();
    let server = Server::new(&lab.endpoint(), "us-east-1", "test", "test");
    server.bucket(BUCKET).await;
    let rig = Rig { lab, server, folder: tempfile::tempdir().unwrap() };
    for number in 0..2 {
        rig.put(&key(number), number, 2_000).await;
    }
    let policy = rig.text("p.toml");
    std::fs::write(&policy, "[object]\nstays = \"90d\"\n").unwrap();
    (rig, policy)
}

fn rules(inside: &[&str]) -> String {
    let rules: String = inside.iter().map(|rule| format!("<Rule>{rule}</Rule>")).collect();
    format!(
        "<LifecycleConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">{rules}</LifecycleConfiguration>"
    )
}

const ON: &str = "<Status>Enabled</Status>";
const SOON: &str = "<Expiration><Days>3</Days></Expiration>";

#[tokio::test(flavor = "multi_thread")]
async fn each_rule_is_held_against_the_object() {
    let (rig, policy) = silent().await;
    rig.server.tag(BUCKET, &key(1), "team", "a").await;
    let one = |rule: &str| rules(&[rule]);
    let all = |filter: &str, action: &str| one(&format!("<ID>r</ID>{filter}{ON}{action}"));
    let table: Vec<(&str, String, i32, Option<&str>)> = vec![
        ("all objects", all("<Filter/>", SOON), 1, Some("fail")),
        ("an empty prefix", all("<Filter><Prefix></Prefix></Filter>", SOON), 1, Some("fail")),
        ("a prefix of its own", all("<Prefix>p1/</Prefix>", SOON), 1, Some("fail")),
        ("another one of its own", all("<Prefix>q/</Prefix>", SOON), 0, None),
        ("its prefix", all("<Filter><Prefix>p1/</Prefix></Filter>", SOON), 1, Some("fail")),
        ("another prefix", all("<Filter><Prefix>p2/</Prefix></Filter>", SOON), 0, None),
        ("its tag", all("<Filter><Tag><Key>team</Key><Value>a</Value></Tag></Filter>", SOON), 1, Some("fail")),
        ("another tag", all("<Filter><Tag><Key>team</Key><Value>b</Value></Tag></Filter>", SOON), 0, None),
        ("its size", all("<Filter><ObjectSizeGreaterThan>1999</ObjectSizeGreaterThan></Filter>", SOON), 1, None),
        ("larger ones", all("<Filter><ObjectSizeGreaterThan>2000</ObjectSizeGreaterThan></Filter>", SOON), 0, None),
        ("smaller ones", all("<Filter><ObjectSizeLessThan>2000</ObjectSizeLessThan></Filter>", SOON), 0, None),
        (
            "all of And",
            all("<Filter><And><Prefix>p1/</Prefix><Tag><Key>team</Key><Value>a</Value></Tag></And></Filter>", SOON),
            1,
            Some("fail"),
        ),
        (
            "not all of And",
            all("<Filter><And><Prefix>p1/</Prefix><Tag><Key>team</Key><Value>b</Value></Tag></And></Filter>", SOON),
            0,
            None,
        ),
        ("later", all("<Filter/>", "<Expiration><Days>92</Days></Expiration>"), 0, None),
        (
            "a date that has passed",
            all("<Filter/>", "<Expiration><Date>2020-01-01T00:00:00Z</Date></Expiration>"),
            1,
            None,
        ),
        ("a late date", all("<Filter/>", "<Expiration><Date>2100-01-01T00:00:00Z</Date></Expiration>"), 0, None),
        ("disabled", one(&format!("<ID>r</ID><Filter/><Status>Disabled</Status>{SOON}")), 0, None),
        ("a status that is not known", one(&format!("<Filter/><Status>On</Status>{SOON}")), 3, Some("not_stated")),
        (
            "noncurrent versions",
            all(
                "<Filter/>",
                "<NoncurrentVersionExpiration><NoncurrentDays>1</NoncurrentDays></NoncurrentVersionExpiration>",
            ),
            0,
            None,
        ),
        (
            "lone delete markers",
            all("<Filter/>", "<Expiration><ExpiredObjectDeleteMarker>true</ExpiredObjectDeleteMarker></Expiration>"),
            0,
            None,
        ),
        (
            "uploads",
            all(
                "<Filter/>",
                "<AbortIncompleteMultipartUpload><DaysAfterInitiation>1</DaysAfterInitiation></AbortIncompleteMultipartUpload>",
            ),
            0,
            None,
        ),
        (
            "no action that is known",
            all("<Filter/>", "<ShrinkAfter><Days>1</Days></ShrinkAfter>"),
            3,
            Some("not_stated"),
        ),
        ("an expiration without a time", all("<Filter/>", "<Expiration/>"), 3, Some("not_stated")),
        (
            "days and a date",
            all("<Filter/>", "<Expiration><Days>1</Days><Date>2100-01-01T00:00:00Z</Date></Expiration>"),
            3,
            Some("not_stated"),
        ),
        ("days below one", all("<Filter/>", "<Expiration><Days>0</Days></Expiration>"), 3, Some("not_stated")),
        ("days that are none", all("<Filter/>", "<Expiration><Days>x</Days></Expiration>"), 3, Some("unanswered")),
        (
            "two conditions without And",
            all("<Filter><Prefix>q/</Prefix><ObjectSizeLessThan>1</ObjectSizeLessThan></Filter>", SOON),
            1,
            None,
        ),
        (
            "the earlier of two",
            rules(&[
                &format!("<Filter/>{ON}<Expiration><Days>900</Days></Expiration>"),
                &format!("<Filter/>{ON}<Expiration><Days>30</Days></Expiration>"),
            ]),
            1,
            Some("fail"),
        ),
        ("none at all", rules(&[]), 0, None),
        ("a listing", "<ListBucketResult/>".to_owned(), 3, Some("unanswered")),
        ("no document", String::new(), 3, Some("unanswered")),
        ("a page", "<html>ok</html>".to_owned(), 3, Some("unanswered")),
    ];
    for (name, document, exit, word) in table {
        rig.lab.lifecycle(BUCKET, Some(&document)).unwrap();
        rig.lab.clear_calls();
        let run = rig.audit(&["--policy", &policy]).await;
        assert_eq!(run.run.exit, Some(exit), "{name}: {:?} {:?}", run.named(), run.run.stdout);
        if let Some(word) = word {
            let of =
                |finding: &&str| run.named().iter().any(|named| named.contains(&key(1)) && named.contains(*finding));
            assert!(of(&format!("stays {word}").as_str()), "{name}: {:?}", run.named());
        }
        assert_eq!(rig.calls(Operation::GetBucketLifecycleConfiguration), 1, "{name}: once for two objects");
        let tagged = document.contains("<Tag>") && exit == 1 || name == "another tag" || name == "not all of And";
        assert_eq!(rig.calls(Operation::GetObjectTagging) > 0, tagged, "{name}: tags only where they decide");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_answered_is_not_none() {
    let (rig, policy) = silent().await;
    let audit = async |exit, named: &str| {
        let run = rig.audit(&["--policy", &policy]).await;
        let expected: Vec<String> = [0, 1]
            .iter()
            .filter(|_| exit != 0)
            .map(|number| format!("{}: stays {named}", target(&key(*number))))
            .collect();
        assert_eq!(run.assert_exit(exit).named(), expected);
    };
    audit(0, "").await;
    for (status, code) in
        [(501, "NotImplemented"), (405, "MethodNotAllowed"), (404, "NoSuchKey"), (400, "InvalidRequest")]
    {
        rig.lab.clear_script();
        let fault = Fault::Status { status, code };
        rig.lab.script(FaultRule::new(Operation::GetBucketLifecycleConfiguration, fault).always());
        audit(3, "unanswered").await;
    }
    rig.lab.clear_script();
    rig.lab.deny(stored_ami_lab::Deny::action("s3:GetLifecycleConfiguration"));
    audit(3, "not_permitted").await;
    // A header with a late date proves nothing without the rules; one with an early date refutes the requirement.
    let said = |text: &str| {
        let text = text.to_owned();
        rig.lab.with_object(BUCKET, &key(1), |object| object.expiration = Some(text)).unwrap();
    };
    said(HEADER);
    audit(3, "not_permitted").await;
}

/// A document that contradicts itself, or has unknown elements, never passes, even if its other elements are harmless.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_understood_of_a_document_is_not_none() {
    let (rig, policy) = silent().await;
    const LATE: &str = "<Expiration><Days>900</Days></Expiration>";
    let one = |inside: &str| rules(&[inside]);
    let tag = |value: &str| format!("<Tag><Key>keep</Key><Value>{value}</Value></Tag>");
    for (document, word) in [
        (rules(&[&format!("<Filter/>{ON}{SOON}")]).replace("Rule>", "Rules>"), "unanswered"),
        (rules(&[&format!("<Filter/>{ON}{SOON}")]).replace("Rule>", "rule>"), "unanswered"),
        (rules(&[]) + &rules(&[&format!("<Filter/>{ON}{SOON}")]), "unanswered"),
        (one(&format!("<Filter/>{ON}{LATE}<Purge><Days>1</Days></Purge>")), "not_stated"),
        (one(&format!("<Filter/>{ON}{SOON}{LATE}")), "not_stated"),
        (one(&format!("<Filter/>{ON}{LATE}{SOON}")), "not_stated"),
        (one(&format!("<Filter/>{ON}<Expiration><Days>3</Days><Days>900</Days></Expiration>")), "not_stated"),
        (one(&format!("<Filter/>{ON}<Expiration><Days>900</Days><Hours>1</Hours></Expiration>")), "not_stated"),
        (one(&format!("<Filter/>{ON}<Status>Disabled</Status>{SOON}")), "not_stated"),
        (one(&format!("<Filter/><Filter><Prefix>q/</Prefix></Filter>{ON}{SOON}")), "not_stated"),
        (one(&format!("<Filter><Prefix>p</Prefix><Prefix>q/</Prefix></Filter>{ON}{SOON}")), "not_stated"),
        (one(&format!("<Prefix>p</Prefix><Prefix>q/</Prefix>{ON}{SOON}")), "not_stated"),
        (one(&format!("<Filter><And>{}{}</And></Filter>{ON}{LATE}", tag("a"), tag("b"))), "not_stated"),
    ] {
        rig.lab.lifecycle(BUCKET, Some(&document)).unwrap();
        let run = rig.audit(&["--policy", &policy]).await;
        let expected = [0, 1].map(|number| format!("{}: stays {word}", target(&key(number))));
        assert_eq!(run.assert_exit(3).named(), expected, "{document}");
    }
    rig.lab.lifecycle(BUCKET, None).unwrap();
    for status in [400, 403] {
        rig.lab.clear_script();
        let fault = Fault::Status { status, code: "NoSuchLifecycleConfiguration" };
        rig.lab.script(FaultRule::new(Operation::GetBucketLifecycleConfiguration, fault).always());
        rig.audit(&["--policy", &policy]).await.assert_exit(3);
    }
}

/// If a rule filters by tags, only one error code means that there are no tags.
#[tokio::test(flavor = "multi_thread")]
async fn tags_that_are_not_told_are_not_none() {
    let (rig, policy) = silent().await;
    let by_tag = format!("<Filter><Tag><Key>keep</Key><Value>no</Value></Tag></Filter>{ON}{SOON}");
    rig.lab.lifecycle(BUCKET, Some(&rules(&[&by_tag]))).unwrap();
    let none = "<TagSet/>";
    let one = |value: &str| format!("<Tag><Key>keep</Key><Value>{value}</Value></Tag>");
    let set = |tags: &[String]| format!("<TagSet>{}</TagSet>", tags.concat());
    let said = |text: String| Fault::TextReplaced(vec![(none.to_owned(), text)]);
    for (fault, exit) in [
        (Fault::Status { status: 404, code: "NoSuchTagSet" }, 0),
        (Fault::Status { status: 404, code: "NoSuchKey" }, 3),
        (Fault::Status { status: 404, code: "NotFound" }, 3),
        (Fault::Status { status: 400, code: "NoSuchTagSet" }, 3),
        (said(none.to_owned()), 0),
        (said(set(&[one("no")])), 1),
        (said(set(&[one("yes")])), 0),
        (said(set(&[one("no"), one("yes")])), 3),
        (said(set(&[one("yes"), one("no")])), 3),
        (said(set(&[one("yes")]) + none), 3),
        (said(String::new()), 3),
    ] {
        rig.lab.clear_script();
        rig.lab.script(FaultRule::new(Operation::GetObjectTagging, fault.clone()).always());
        let run = rig.audit(&["--policy", &policy]).await;
        assert_eq!(run.run.exit, Some(exit), "{fault:?}: {:?}", run.named());
    }
}

/// The header is parsed by its grammar, on a server that sends it.
#[tokio::test(flavor = "multi_thread")]
async fn a_header_is_parsed_and_not_searched() {
    let rig = Rig::with(1).await;
    let policy = rig.text("p.toml");
    std::fs::write(&policy, "[object]\nstays = \"90d\"\n").unwrap();
    for (header, exit) in [
        (HEADER, 0),
        (r#"rule-id="a, b", expiry-date="Fri, 31 Dec 2100 00:00:00 GMT""#, 0),
        (r#"expiry-date="Fri, 21 Dec 2012 00:00:00 GMT", rule-id="x""#, 1),
        (r#"my-expiry-date="Fri, 31 Dec 2100 00:00:00 GMT""#, 3),
        (r#"rule-id="expiry-date=\"Fri, 31 Dec 2100 00:00:00 GMT\"""#, 3),
        (r#"expiry-date="Fri, 31 Dec 2100 00:00:00 GMT", expiry-date="Fri, 21 Dec 2012 00:00:00 GMT""#, 3),
        (r#"expiry-date=Fri, 31 Dec 2100 00:00:00 GMT"#, 3),
        ("", 3),
    ] {
        rig.lab.with_object(BUCKET, &key(0), |object| object.expiration = Some(header.to_owned())).unwrap();
        let run = rig.audit(&["--policy", &policy]).await;
        assert_eq!(run.run.exit, Some(exit), "{header}: {:?}", run.named());
    }
    // With a header and rules, the earlier date counts.
    rig.lab.with_object(BUCKET, &key(0), |object| object.expiration = Some(HEADER.to_owned())).unwrap();
    rig.lab.lifecycle(BUCKET, Some(&rules(&[&format!("<Filter/>{ON}{SOON}")]))).unwrap();
    let run = rig.audit(&["--policy", &policy]).await;
    assert_eq!(run.assert_exit(1).named(), [format!("{}: stays fail", target(&key(0)))]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_move_into_an_archive_is_told_and_no_fault() {
    let (rig, policy) = silent().await;
    let to = |class: &str, days: u32| {
        let action = format!("<Transition><Days>{days}</Days><StorageClass>{class}</StorageClass></Transition>");
        rules(&[&format!("<ID>cold</ID><Filter/>{ON}{action}")])
    };
    for (document, told) in [
        (to("GLACIER", 30), true),
        (to("DEEP_ARCHIVE", 1), true),
        (to("GLACIER", 200), false),
        (to("STANDARD_IA", 30), false),
    ] {
        rig.lab.lifecycle(BUCKET, Some(&document)).unwrap();
        let run = rig.audit(&["--policy", &policy]).await;
        let notes = run.assert_exit(0).object(&key(1))["notes"].to_string();
        assert_eq!(notes.contains("it will be archived on"), told, "{document}: {notes}");
    }
}

/// Sets rules over the S3 API, as other programs do, and checks the header of a lab that sends it.
#[tokio::test(flavor = "multi_thread")]
async fn the_lab_keeps_rules_and_tells_of_them() {
    use aws_sdk_s3::types::{
        BucketLifecycleConfiguration, ExpirationStatus, LifecycleExpiration, LifecycleRule, LifecycleRuleFilter,
    };
    let rig = Rig::with(1).await;
    let client = &rig.server.client;
    let get = async || client.get_bucket_lifecycle_configuration().bucket(BUCKET).send().await;
    let head = async || client.head_object().bucket(BUCKET).key(key(0)).send().await.unwrap();
    assert_eq!(
        aws_sdk_s3::error::ProvideErrorMetadata::code(&get().await.unwrap_err()),
        Some("NoSuchLifecycleConfiguration")
    );
    assert_eq!(head().await.expiration(), None);
    let rule = LifecycleRule::builder()
        .id("old ones")
        .status(ExpirationStatus::Enabled)
        .filter(LifecycleRuleFilter::builder().prefix("p0/").build())
        .expiration(LifecycleExpiration::builder().days(3).build())
        .build()
        .unwrap();
    let rules = BucketLifecycleConfiguration::builder().rules(rule.clone()).build().unwrap();
    client.put_bucket_lifecycle_configuration().bucket(BUCKET).lifecycle_configuration(rules).send().await.unwrap();
    assert_eq!(get().await.unwrap().rules(), [rule]);
    let told = head().await.expiration().unwrap().to_owned();
    assert!(told.ends_with("00:00:00 GMT\", rule-id=\"old%20ones\""), "{told}");
    client.delete_bucket_lifecycle().bucket(BUCKET).send().await.unwrap();
    assert_eq!(head().await.expiration(), None);
    assert!(get().await.is_err());
}
