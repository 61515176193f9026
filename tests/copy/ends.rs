//! Nothing of one end, or of the environment, reaches the other end.

use stored_ami_lab::Lab;

use crate::common::{Run, data};
use crate::rig::{FROM, GOV_ACCOUNT, GOV_REGION, KEY, Rig, TO, report};

fn distinct(lab: &Lab, of: impl Fn(&stored_ami_lab::CallRecord) -> Option<String>) -> Vec<String> {
    let mut all: Vec<String> = lab.calls().iter().filter_map(of).collect();
    all.sort();
    all.dedup();
    all
}

/// What the requests at each end were signed with and for, and the owners they expected.
fn assert_apart(rig: &Rig) {
    assert_eq!(distinct(&rig.from, |call| call.access_key.clone()), ["COMMERCIALKEY"]);
    assert_eq!(distinct(&rig.from, |call| call.region.clone()), ["us-east-1"]);
    assert_eq!(distinct(&rig.from, |call| call.expected_owner.clone()), Vec::<String>::new());
    assert_eq!(distinct(&rig.to, |call| call.access_key.clone()), ["GOVKEY"]);
    assert_eq!(distinct(&rig.to, |call| call.region.clone()), [GOV_REGION]);
    assert_eq!(distinct(&rig.to, |call| call.expected_owner.clone()), [GOV_ACCOUNT]);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_the_environment_reaches_an_end_with_a_profile() {
    let rig = Rig::new().await;
    rig.source.put("archive", KEY, &data(1, 1000), None).await;
    for variables in [
        &[("AWS_REGION", "eu-west-1"), ("AWS_DEFAULT_REGION", "eu-west-1")][..],
        &[("AWS_ENDPOINT_URL", "http://127.0.0.1:1"), ("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:1")],
        &[("AWS_CA_BUNDLE", "/nonexistent/ca.pem")],
        &[("AWS_ACCESS_KEY_ID", "ENVKEY"), ("AWS_SECRET_ACCESS_KEY", "s"), ("AWS_SESSION_TOKEN", "t")],
        &[("AWS_PROFILE", "nobody")],
        &[("AWS_USE_FIPS_ENDPOINT", "true"), ("AWS_USE_DUALSTACK_ENDPOINT", "true")],
        &[("AWS_ROLE_ARN", "arn:aws:iam::1:role/x"), ("AWS_WEB_IDENTITY_TOKEN_FILE", "/nonexistent")],
    ] {
        rig.from.clear_calls();
        rig.to.clear_calls();
        let mut command = rig.command(&[FROM, TO, "--dry-run"]);
        command.envs(variables.iter().copied());
        let run = Run::of(command).await;
        assert_eq!(run.exit, Some(0), "{variables:?}: {run:?}");
        assert_apart(&rig);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_setting_of_one_end_stays_there() {
    let rig = Rig::new().await;
    rig.source.put("archive", KEY, &data(1, 1000), None).await;
    let profiles = rig.profiles();
    let (commercial, gov) = profiles.split_at(profiles.find("[profile gov]").unwrap());
    let wrong = [
        ("region = us-east-1", "region = eu-west-1"),
        ("aws_access_key_id = COMMERCIALKEY", "aws_access_key_id = EXPIRED"),
        ("region = us-east-1", "region = us-east-1\nca_bundle = /nonexistent/ca.pem"),
        ("region = us-east-1", "region = us-east-1\nrequest_min_compression_size_bytes = 1"),
    ];
    for (right, wrong) in wrong {
        rig.from.clear_calls();
        rig.to.clear_calls();
        rig.config(&(commercial.replace(right, wrong) + gov));
        let run = Run::of(rig.command(&[FROM, TO, "--dry-run"])).await;
        let fails = !wrong.contains("compression");
        assert_eq!(run.exit != Some(0), fails, "{wrong}: {run:?}");
        let of_gov = distinct(&rig.to, |call| call.access_key.clone());
        assert!(of_gov.is_empty() || of_gov == ["GOVKEY"], "{of_gov:?}");
        assert!(distinct(&rig.to, |call| call.region.clone()).iter().all(|region| region == GOV_REGION));
    }
    // The same at the destination: the source is read with its own settings.
    rig.config(&(commercial.to_owned() + &gov.replace(GOV_REGION, "us-gov-east-1")));
    let run = rig.copy(&["--dry-run"]).await;
    assert_ne!(run.exit, Some(0), "{run:?}");
    assert_eq!(distinct(&rig.from, |call| call.region.clone()), ["us-east-1"]);
    rig.config(&(commercial.to_owned() + gov));
    let run = rig.copy(&["--dry-run", "--from-expected-bucket-owner", "123456789012"]).await;
    assert_eq!(run.exit, Some(0), "{run:?}");
    // The second one is asked for once, to see whether the server looks at it.
    assert_eq!(distinct(&rig.from, |call| call.expected_owner.clone()), ["123456789010", "123456789012"]);
    assert_eq!(distinct(&rig.to, |call| call.expected_owner.clone()), [GOV_ACCOUNT]);
    let run = rig.copy(&["--dry-run", "--to-expected-bucket-owner", "123456789012"]).await;
    assert_ne!(run.exit, Some(0), "the bucket of the destination belongs to another account: {run:?}");
    assert_eq!(distinct(&rig.from, |call| call.expected_owner.clone()), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_profile_lends_the_other_end_nothing() {
    let rig = Rig::new().await;
    rig.source.put("archive", KEY, &data(1, 1000), None).await;
    let no_region = rig.profiles().replace(&format!("region = {GOV_REGION}\nendpoint_url"), "endpoint");
    rig.config(&no_region);
    let mut command = rig.command(&[FROM, TO, "--dry-run"]);
    command.env("AWS_REGION", "us-east-1").env("AWS_ENDPOINT_URL", rig.from.endpoint());
    let run = Run::of(command).await;
    run.assert_exit(2);
    for words in ["the destination: ", "profile `gov` has no region"] {
        assert!(run.stderr.contains(words), "{run:?}");
    }
    assert!(rig.to.calls().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn both_identities_are_shown_before_anything_is_written() {
    let rig = Rig::new().await;
    rig.source.put("archive", KEY, &data(1, 1000), None).await;
    let run = rig.copy(&["--dry-run"]).await;
    run.assert_exit(0);
    let report = report(&run);
    assert_eq!(report["outcome"], "planned");
    assert_eq!((&report["from"]["account"], &report["from"]["partition"]), (&"123456789012".into(), &"aws".into()));
    assert_eq!((&report["to"]["account"], &report["to"]["partition"]), (&GOV_ACCOUNT.into(), &"aws-us-gov".into()));
    assert_eq!(report["to"]["expected_bucket_owner"], GOV_ACCOUNT);
    assert!(!rig.has(KEY).await);
    let no_consent = rig.copy(&[]).await;
    no_consent.assert_exit(2);
    assert!(no_consent.stderr.contains("--yes"), "{no_consent:?}");
    assert!(rig.from.calls().is_empty() && rig.to.calls().is_empty());
}
