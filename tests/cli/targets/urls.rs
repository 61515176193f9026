use stored_ami_lab::BucketOptions;

use super::rig::{KEY, Rig};
use crate::common::Run;

#[tokio::test(flavor = "multi_thread")]
async fn a_url_of_s3_is_its_object_in_its_region() {
    let rig = Rig::new(None).await;
    let abroad = BucketOptions { region: Some("eu-west-1".into()), ..BucketOptions::default() };
    rig.lab.create_bucket("abroad", abroad).unwrap();
    let server = crate::common::Server::new(&rig.lab.endpoint(), "eu-west-1", "test", "test");
    server.put("abroad", &format!("p q/{KEY}"), b"bytes", None).await;
    for url in [
        format!("https://abroad.s3.eu-west-1.amazonaws.com/p%20q/{KEY}"),
        format!("https://s3.dualstack.eu-west-1.amazonaws.com/abroad/p%20q/{KEY}"),
        format!("https://eu-west-1.console.aws.amazon.com/s3/object/abroad?region=eu-west-1&prefix=p+q/{KEY}"),
    ] {
        // The lab refuses a signature for another Region than the bucket's.
        let run = rig.server.run(&["verify", &url]).await;
        assert_eq!(run.assert_exit(0).report()["target"], format!("s3://abroad/p q/{KEY}"));
        let run = rig.server.run(&["inspect", &url, "--region", "us-east-1"]).await;
        assert!(run.assert_exit(4).stdout.contains("--region eu-west-1"), "the argument counts: {run:?}");
        // It is enough where no Region is configured.
        let mut command = rig.server.command();
        command.args(["inspect", &url, "--json"]).env_remove("AWS_REGION");
        Run::of(command).await.assert_exit(0);
    }
}
