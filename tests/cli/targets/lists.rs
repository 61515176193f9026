use std::process::Stdio;

use super::rig::{Rig, bare, with_stdin};
use crate::common::{Run, data, write};

fn targets(run: &Run) -> Vec<String> {
    let lines = run.lines();
    let reports = lines.iter().filter(|line| line["type"] != "summary");
    reports.map(|line| line["target"].as_str().unwrap().to_owned()).collect()
}

async fn filled() -> (Rig, Vec<String>) {
    let rig = Rig::new(None).await;
    let mut all = Vec::new();
    for index in 0..6u8 {
        let key = format!("ami-0123456789abcdef{index}.bin");
        // The first is the largest, so that it would end last.
        rig.server.put("archive", &key, &data(u64::from(index), 3_000_000 >> index), None).await;
        all.push(format!("s3://archive/{key}"));
    }
    rig.lab.clear_calls();
    (rig, all)
}

#[tokio::test(flavor = "multi_thread")]
async fn targets_from_a_file_and_from_standard_input() {
    let (rig, all) = filled().await;
    let text = format!("\u{feff}# archive\r\n{}\r\n\r\n{}\n", all[0], all[1]);
    let file = write(rig.folder.path(), "list", text.as_bytes());
    let run = rig.server.run(&["verify", "--targets-from", &file, &all[2]]).await;
    assert_eq!(targets(run.assert_exit(0)), [all[2].as_str(), &all[0], &all[1]], "arguments first");
    let mut command = rig.server.command();
    command.args(["inspect", "--targets-from", "-", "--json"]);
    let run = with_stdin(command, &text).await;
    assert_eq!(targets(run.assert_exit(0)), all[..2]);
    for (content, problem) in [
        (&b"# nothing\n"[..], "names no target"),
        (b"s3://b/k\ns3://b/\0k\n", "line 2 has a NUL byte"),
        (b"s3://b/\xff\n", "text"),
        (b"s3://b\n", "names a bucket but no key"),
    ] {
        let file = write(rig.folder.path(), "wrong", content);
        let run = bare(&["verify", "--targets-from", &file]).await;
        assert!(run.assert_exit(2).stderr.contains(problem), "{run:?}");
    }
    let run = bare(&["verify", "--targets-from", "-", "@-"]).await;
    assert!(run.assert_exit(2).stderr.contains("standard input can be read once only"), "{run:?}");
    // The list is an input, which no output replaces.
    let run = rig.server.run(&["verify", "--targets-from", &file, "--report", &file, "--force"]).await;
    assert!(run.assert_exit(2).stderr.contains("--targets-from"), "{run:?}");
    assert_eq!(std::fs::read(&file).unwrap(), text.as_bytes());
}

#[tokio::test(flavor = "multi_thread")]
async fn several_objects_at_once_are_reported_in_order() {
    let (rig, all) = filled().await;
    rig.lab.damage("archive", all[3].rsplit('/').next().unwrap(), 7, 1).unwrap();
    let one_by_one: Vec<&str> = [&["verify"][..], &all.iter().map(String::as_str).collect::<Vec<_>>()].concat();
    let plain = rig.server.run(&one_by_one).await;
    for objects in ["2", "6", "100"] {
        let run = rig.server.run(&[&one_by_one[..], &["--objects", objects]].concat()).await;
        assert_eq!(targets(run.assert_exit(1)), all, "--objects {objects}");
        let verdicts = |run: &Run| run.lines().iter().map(|line| line["verdict"].clone()).collect::<Vec<_>>();
        assert_eq!(verdicts(&run), verdicts(&plain));
        // The runs may end in different seconds.
        let summary = |run: &Run| {
            let mut line = run.lines().last().cloned().unwrap();
            line.as_object_mut().unwrap().remove("at");
            line
        };
        assert_eq!(summary(&run), summary(&plain), "the same summary");
    }
    let refused = rig.server.run(&[&one_by_one[..], &["--objects", "6", "--max-memory", "32MiB"]].concat()).await;
    assert!(refused.assert_exit(2).stderr.contains("for each of 6 objects at once"), "{refused:?}");
    for wrong in [["--objects", "0"], ["--objects", "257"]] {
        bare(&[&["verify", "x"][..], &wrong].concat()).await.assert_exit(2);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signal_ends_all_objects_at_once() {
    let rig = Rig::new(Some(200_000)).await;
    let keys = ["ami-0123456789abcdef1.bin", "ami-0123456789abcdef2.bin", "ami-0123456789abcdef3.bin"];
    for key in keys {
        rig.server.put("archive", key, &data(1, 2_000_000), None).await;
    }
    rig.lab.clear_calls();
    let mut command = rig.server.command();
    command.args(["verify", "--prefix", "s3://archive/", "--objects", "2", "--json"]);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = command.spawn().unwrap();
    while rig.calls().iter().filter(|call| **call == stored_ami_lab::Operation::GetObject).count() < 2 {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    // A shell starts commands that end with `&` with SIGINT ignored, and they pass that on.
    let id = nix::unistd::Pid::from_raw(child.id().try_into().unwrap());
    nix::sys::signal::kill(id, nix::sys::signal::Signal::SIGTERM).unwrap();
    let output = tokio::task::spawn_blocking(move || child.wait_with_output().unwrap()).await.unwrap();
    assert_eq!(output.status.code(), Some(130));
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(stderr.matches("interrupted").count() <= 1, "{stderr}");
}
