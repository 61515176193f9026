//! Memory and time of audits of very many objects. Run with `--ignored --nocapture`; `STORED_AMI_OBJECTS` is their
//! number, and `STORED_AMI_PROGRAM` another program to compare with.

use std::time::Instant;

use stored_ami_lab::{BucketOptions, ChecksumChoice, Lab, LabOptions, PartSizes, SyntheticSpec};

use crate::common::Server;
use crate::peak::watch;
use crate::rig::BUCKET;

const MIB: f64 = 1024.0 * 1024.0;

async fn filled(objects: u64) -> Lab {
    let lab = Lab::start(LabOptions::default()).await.unwrap();
    lab.create_bucket(BUCKET, BucketOptions::default()).unwrap();
    for number in 0..objects {
        let checksum = ChecksumChoice::Default(stored_ami_lab::checksum::Algorithm::Crc64Nvme);
        let spec = SyntheticSpec { size: 100, parts: PartSizes::None, seed: number, checksum };
        lab.synthesize(BUCKET, &format!("p/ami-{number:017x}.bin"), spec).await.unwrap();
    }
    lab
}

fn memory() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches("kB").trim().parse::<f64>().unwrap() / 1024.0
}

#[ignore = "takes minutes; prints what it measures"]
#[tokio::test(flavor = "multi_thread")]
async fn memory_does_not_grow_with_the_number_of_objects() {
    let number = |name: &str, otherwise| std::env::var(name).map_or(otherwise, |text| text.parse().unwrap());
    let objects: u64 = number("STORED_AMI_OBJECTS", 10_000);
    let begun = Instant::now();
    let lab = filled(objects).await;
    println!("{objects} objects in the lab: {:.0} MiB, {:.1} s", memory(), begun.elapsed().as_secs_f64());
    let server = Server::new(&lab.endpoint(), "us-east-1", "test", "test");
    let folder = tempfile::tempdir().unwrap();
    let ledger = folder.path().join("l.db");
    let ledger = ledger.to_str().unwrap();
    let csv = folder.path().join("a.csv");
    let junit = folder.path().join("a.xml");
    let prometheus = folder.path().join("a.prom");
    let page = folder.path().join("a.html");
    let files = |flag: &str, path: &std::path::Path| [flag.to_owned(), path.to_str().unwrap().to_owned()];
    let files =
        [files("--csv", &csv), files("--junit", &junit), files("--prometheus", &prometheus), files("--report", &page)]
            .concat();
    let level = std::env::var("STORED_AMI_LEVEL").unwrap_or("facts".to_owned());
    let runs: [(&str, bool, &[String]); 4] = [
        ("without a ledger", false, &[]),
        ("first run", true, &[]),
        ("nothing due", true, &[]),
        ("nothing due, all files", true, &files),
    ];
    for (name, with_ledger, more) in runs {
        let mut command = server.command();
        if let Ok(other) = std::env::var("STORED_AMI_PROGRAM") {
            let mut changed = std::process::Command::new(other);
            changed.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
            command = changed;
        }
        command.args(["audit", "s3://archive", "--level", &level]);
        if with_ledger {
            command.args(["--ledger", ledger]);
        }
        command.args(more);
        let begun = Instant::now();
        let ended = watch(command).await;
        let seconds = begun.elapsed().as_secs_f64();
        println!(
            "{objects} {name}: exit {:?}, peak {:.0} MiB, {seconds:.1} s, {:.0} µs an object",
            ended.exit,
            ended.peak as f64 / MIB,
            seconds * 1e6 / objects as f64
        );
        assert_eq!(ended.exit, Some(0), "{}", ended.said.lines().last().unwrap_or_default());
    }
    let size = |path: &std::path::Path| std::fs::metadata(path).unwrap().len() as f64 / MIB;
    println!(
        "page {:.1} MiB, Prometheus {:.1} MiB, ledger {:.1} MiB",
        size(&page),
        size(&prometheus),
        size(ledger.as_ref())
    );
}
