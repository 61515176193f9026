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
        &[("STORED_AMI_REGION", "eu-west-1"), ("STORED_AMI_ENDPOINT_URL", "http://127.0.0.1:1")],
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

/// A server that takes connections and answers nothing: the default limit is a minute for each request.
#[tokio::test(flavor = "multi_thread")]
async fn a_time_limit_holds_at_both_ends() {
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", silent.local_addr().unwrap());
    let rig = Rig::new().await;
    rig.source.put("archive", KEY, &data(1, 1000), None).await;
    for lab in [&rig.from, &rig.to] {
        rig.config(&rig.profiles().replace(&lab.endpoint(), &url));
        let began = std::time::Instant::now();
        let run = rig.copy(&["--dry-run", "--retries", "0", "--timeout", "1s"]).await;
        assert_eq!(run.exit, Some(4), "{run:?}");
        assert!(began.elapsed() < std::time::Duration::from_secs(30), "{:?}", began.elapsed());
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

/// Where a wrong value is given for one end.
enum Wrong {
    /// In the profile of the end: this line becomes that one.
    Profile(&'static str, &'static str),
    /// By options of the end.
    Options(&'static [&'static str]),
    /// In the environment, by an end without a profile.
    Environment(&'static [(&'static str, &'static str)]),
}

#[derive(Clone, Copy, PartialEq, Debug)]
enum End {
    Source,
    Destination,
}

/// The environment that does for an end without a profile what the profile does.
fn environment(rig: &Rig, end: End) -> Vec<(String, String)> {
    let (key, region, url) = match end {
        End::Source => ("COMMERCIALKEY", "us-east-1", rig.from.endpoint()),
        End::Destination => ("GOVKEY", GOV_REGION, rig.to.endpoint()),
    };
    [("AWS_ACCESS_KEY_ID", key), ("AWS_SECRET_ACCESS_KEY", "s"), ("AWS_REGION", region), ("AWS_ENDPOINT_URL", &url)]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .to_vec()
}

/// Runs a dry run with the wrong value at one end.
async fn run_with(rig: &Rig, end: End, wrong: &Wrong) -> Run {
    rig.from.clear_calls();
    rig.to.clear_calls();
    let profiles = rig.profiles();
    let (commercial, gov) = profiles.split_at(profiles.find("[profile gov]").unwrap());
    let mut command = crate::common::bare_command();
    command.env("HOME", rig.home.path()).env("AWS_CONFIG_FILE", rig.home.path().join("config")).args([
        "copy",
        "--json",
        FROM,
        TO,
        "--dry-run",
        "--retries",
        "0",
    ]);
    let mut profiled =
        [("--from-profile", "commercial", End::Source), ("--to-profile", "gov", End::Destination)].to_vec();
    match wrong {
        Wrong::Profile(right, wrong) => match end {
            End::Source => rig.config(&(commercial.replace(right, wrong) + gov)),
            End::Destination => rig.config(&(commercial.to_owned() + &gov.replace(right, wrong))),
        },
        Wrong::Options(options) => {
            rig.config(&profiles);
            command.args(*options);
        }
        Wrong::Environment(variables) => {
            rig.config(&profiles);
            profiled.retain(|(.., of)| *of != end);
            command.envs(environment(rig, end)).envs(variables.iter().copied());
        }
    }
    for (option, profile, _) in profiled {
        command.args([option, profile]);
    }
    Run::of(command).await
}

/// Region, endpoint, CA, keys and owner: each wrong for one end in each place where it can be given. The wrong value
/// has its effect at that end, and the requests of the other end are those of a copy without it.
#[tokio::test(flavor = "multi_thread")]
async fn each_setting_wrong_for_one_end_never_reaches_the_other() {
    use End::{Destination, Source};
    use Wrong::{Environment, Options, Profile};
    const NOWHERE: &str = "http://127.0.0.1:1";
    let cases = [
        (Source, Profile("region = us-east-1", "region = eu-west-1"), 4),
        (Source, Options(&["--from-region", "eu-west-1"]), 4),
        (Source, Environment(&[("AWS_REGION", "eu-west-1")]), 4),
        (Destination, Profile("region = us-gov-west-1", "region = eu-west-1"), 4),
        (Destination, Options(&["--to-region", "eu-west-1"]), 4),
        (Destination, Environment(&[("AWS_REGION", "eu-west-1")]), 4),
        (Source, Profile("http://127.0.0.1", "http://127.0.0.2"), 4),
        (Destination, Profile("http://127.0.0.1", "http://127.0.0.2"), 4),
        (Source, Options(&["--from-endpoint-url", NOWHERE]), 4),
        (Source, Environment(&[("AWS_ENDPOINT_URL", NOWHERE)]), 4),
        (Source, Environment(&[("AWS_ENDPOINT_URL_S3", NOWHERE)]), 4),
        (Destination, Options(&["--to-endpoint-url", NOWHERE]), 4),
        (Destination, Environment(&[("AWS_ENDPOINT_URL", NOWHERE)]), 4),
        (Destination, Environment(&[("AWS_ENDPOINT_URL_S3", NOWHERE)]), 4),
        (Source, Profile("region", "ca_bundle = /nonexistent/ca.pem\nregion"), 2),
        (Source, Environment(&[("AWS_CA_BUNDLE", "/nonexistent/ca.pem")]), 2),
        (Destination, Profile("region", "ca_bundle = /nonexistent/ca.pem\nregion"), 2),
        (Destination, Environment(&[("AWS_CA_BUNDLE", "/nonexistent/ca.pem")]), 2),
        (Source, Profile("COMMERCIALKEY", "EXPIREDKEY"), 2),
        (Source, Environment(&[("AWS_ACCESS_KEY_ID", "EXPIREDKEY")]), 2),
        (Destination, Profile("GOVKEY", "EXPIREDKEY"), 2),
        (Destination, Environment(&[("AWS_ACCESS_KEY_ID", "EXPIREDKEY")]), 2),
        (Source, Options(&["--from-expected-bucket-owner", "111111111111"]), 4),
        (Destination, Options(&["--to-expected-bucket-owner", "111111111111"]), 3),
    ];
    let rig = Rig::new().await;
    rig.source.put("archive", KEY, &data(1, 1000), None).await;
    let mut surprises = Vec::new();
    for (index, (end, wrong, exit)) in cases.iter().enumerate() {
        let run = run_with(&rig, *end, wrong).await;
        let case = format!("case {index}, {end:?}: {run:?}");
        if run.exit != Some(*exit) {
            surprises.push(case.clone());
        }
        let (lab, key, region, owners) = match end {
            Source => (&rig.to, "GOVKEY", GOV_REGION, vec![GOV_ACCOUNT.to_owned()]),
            Destination => (&rig.from, "COMMERCIALKEY", "us-east-1", Vec::new()),
        };
        for call in lab.calls() {
            assert_eq!(call.access_key.as_deref(), Some(key), "{case}");
            assert_eq!(call.region.as_deref(), Some(region), "{case}");
            assert!(call.expected_owner.is_none_or(|owner| owners.contains(&owner)), "{case}");
        }
    }
    assert!(surprises.is_empty(), "{surprises:#?}");
    for (end, option) in [(Source, "--from-region us-east-1"), (Destination, "--to-region us-gov-west-1")] {
        let line = match end {
            Source => Profile("region = us-east-1", "region = eu-west-1"),
            Destination => Profile("region = us-gov-west-1", "region = eu-west-1"),
        };
        let run = run_with(&rig, end, &line).await;
        assert!(run.stdout.contains(&format!("run again with {option}")), "{run:?}");
    }
    // Without a wrong value, an end without a profile works by the environment, beside one with a profile.
    for end in [Source, Destination] {
        let run = run_with(&rig, end, &Environment(&[])).await;
        run.assert_exit(0);
        assert_apart(&rig);
    }
}
