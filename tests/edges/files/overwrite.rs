use std::fs::{hard_link, metadata};
use std::os::unix::fs::symlink;
use std::process::Stdio;

use super::rig::{Folder, RIGHT};

/// Other names of `f`, created in the directory.
fn names_of(folder: &Folder, f: &str) -> Vec<String> {
    hard_link(folder.at(f), folder.at(&format!("hard-{f}"))).unwrap();
    symlink(f, folder.at(&format!("soft-{f}"))).unwrap();
    symlink(format!("soft-{f}"), folder.at(&format!("softer-{f}"))).unwrap();
    let whole = folder.at(f).to_str().unwrap().to_owned();
    let spelled = [f.to_owned(), format!("./{f}"), format!("sub/../{f}"), format!("sub//..//./{f}"), whole];
    let linked = ["hard", "soft", "softer"].map(|kind| format!("{kind}-{f}"));
    spelled.into_iter().chain(linked).collect()
}

/// The commands with all their input flags, and the output flags of each.
const COMMANDS: &[(&[&str], &[&str], &[&str])] = &[
    (
        &["verify", "f.bin", "--manifest", "m.json", "--manifest-key", "key.pub", "--sums", "sums", "--like", "g.bin"],
        &["--write-manifest", "--report", "--resume"],
        &["f.bin", "m.json", "m.json.minisig", "key.pub", "sums", "g.bin"],
    ),
    (
        &["verify", "f.bin", "--tuning", "t.json", "--record", "r.json", "--sse-c-key-file", "ssec"],
        &["--write-manifest", "--report", "--resume"],
        &["f.bin", "t.json", "r.json", "ssec"],
    ),
    (&["inspect", "f.bin", "g.bin", "--record", "r.json"], &["--report"], &["f.bin", "g.bin", "r.json"]),
    (&["bench", "f.bin"], &["--plot", "--write-tuning", "--report"], &["f.bin"]),
    (
        &["audit", "s3://b", "--ledger", "t.db", "--policy", "p.toml"],
        &["--csv", "--junit", "--prometheus", "--report"],
        &["t.db", "t.db-journal", "t.db-wal", "p.toml"],
    ),
    (&["audit", "--list", "list"], &["--ledger", "--csv", "--junit", "--prometheus", "--report"], &["list"]),
    (
        &["audit", "--inventory", "inventory.json"],
        &["--ledger", "--csv", "--junit", "--prometheus", "--report"],
        &["inventory.json", "data.csv.gz"],
    ),
    (
        &["audit", "merge", "1.jsonl", "2.jsonl"],
        &["--csv", "--junit", "--prometheus", "--report"],
        &["1.jsonl", "2.jsonl"],
    ),
    (
        &["store", "ami-0123456789abcdef0", "--bucket", "bkt", "--yes", "--sse-c-key-file", "ssec"],
        &["--record"],
        &["ssec"],
    ),
];

#[test]
fn no_output_may_be_an_input_however_it_is_named_and_forced() {
    for (command, outputs, victims) in COMMANDS {
        for victim in *victims {
            let folder = Folder::with_target();
            for input in
                command.iter().skip(1).filter(|word| word.contains('.') || ["sums", "list", "ssec"].contains(word))
            {
                folder.write(input, format!("bytes of {input}").as_bytes());
            }
            let inventory = r#"{"sourceBucket":"b","fileFormat":"CSV","fileSchema":"Bucket, Key","files":[{"key":"x/data.csv.gz"}]}"#;
            folder.write("inventory.json", inventory.as_bytes());
            folder.write(victim, if *victim == "inventory.json" { inventory.as_bytes() } else { b"victim" });
            let names = names_of(&folder, victim);
            let before = folder.content();
            for (index, name) in names.iter().enumerate() {
                // Every spelling with one output, every output with one spelling.
                for output in outputs.iter().take(if index == 0 { usize::MAX } else { 1 }) {
                    // Every second spelling with `--force`, which does not apply to inputs.
                    let forced: &[&str] = if index % 2 == 0 { &["--force"] } else { &[] };
                    for force in [forced, &[]].into_iter().take(if index == 0 { 2 } else { 1 }) {
                        let args = [*command, &[output, name.as_str()], force].concat();
                        let run = folder.run(&args);
                        run.assert(2, "is the same file as");
                        assert_eq!(run.stdout, "", "{args:?}");
                        assert!(run.stderr.contains(&format!("{output} {name}")), "{run:?}");
                        assert!(folder.content() == before, "{args:?} changed a file");
                    }
                }
            }
        }
    }
}

#[test]
fn no_output_may_be_another_output_that_does_not_exist_yet() {
    let folder = Folder::with_target();
    symlink("new", folder.at("ahead")).unwrap();
    symlink("sub", folder.at("folder")).unwrap();
    for (one, other) in
        [("new", "new"), ("new", "./new"), ("sub/../new", "new"), ("new", "ahead"), ("sub/x", "folder/x")]
    {
        for (command, flags) in [
            (&["verify", "f.bin"][..], ["--write-manifest", "--report"]),
            (&["verify", "f.bin"], ["--report", "--resume"]),
            (&["bench", "f.bin"], ["--plot", "--write-tuning"]),
            (&["audit", "s3://b"], ["--csv", "--junit"]),
            (&["audit", "s3://b"], ["--ledger", "--prometheus"]),
        ] {
            let run = folder.run(&[command, &[flags[0], one, flags[1], other, "--force"]].concat());
            run.assert(2, "an output must be neither an input nor another output");
            assert_eq!(run.stdout, "");
        }
    }
    assert!(!folder.at("new").exists() && !folder.at("sub/x").exists());
    // So is the file that holds a target.
    folder.write("url", b"f.bin\n");
    for args in [["@url", "--like", "f.bin"], ["f.bin", "--like", "@url"]] {
        let run = folder.run(&[&["verify"][..], &args, &["--write-manifest", "url", "--force"]].concat());
        run.assert(2, "is the same file as the target url");
    }
    assert_eq!(folder.read("url"), b"f.bin\n");
    // A target that does not exist yet is an input as well.
    folder.run(&["verify", "none.bin", "--report", "none.bin"]).assert(2, "is the same file as the target none.bin");
}

#[test]
fn a_foreign_file_is_replaced_by_force_only() {
    let folder = Folder::with_target();
    for (flag, more) in [("--write-manifest", &[][..]), ("--report", &[])] {
        folder.write("mine", b"my own words");
        let args = [&["verify", "f.bin", "--expect", RIGHT, flag, "mine"], more].concat();
        let run = folder.run(&args);
        run.assert(2, "--force overwrites it");
        run.assert(2, &format!("{flag} mine: exists and is not"));
        assert_eq!(folder.read("mine"), b"my own words");
        folder.run(&[&args[..], &["--force"]].concat()).assert(0, "");
        assert_ne!(folder.read("mine"), b"my own words");
        // Now it is an earlier output of this kind.
        folder.run(&args).assert(0, "");
        folder.write("mine", b"");
        folder.run(&args).assert(0, "");
    }
    // An output of another kind is foreign too.
    folder.run(&["verify", "f.bin", "--expect", RIGHT, "--write-manifest", "m"]).assert(0, "");
    folder.run(&["verify", "f.bin", "--expect", RIGHT, "--report", "m"]).assert(2, "is not a report page");
    folder.run(&["inspect", "f.bin", "--report", "p"]).assert(0, "");
    folder.run(&["verify", "f.bin", "--expect", RIGHT, "--write-manifest", "p"]).assert(2, "is not a manifest");
    // A state file that is not a checkpoint is rejected when it is read, even with `--force`.
    folder.write("state", b"my own words");
    folder
        .run(&["verify", "f.bin", "--expect", RIGHT, "--resume", "state", "--force"])
        .assert(2, "is not a checkpoint");
    assert_eq!(folder.read("state"), b"my own words");
}

#[test]
fn a_manifest_replaces_that_of_the_same_object_only() {
    let folder = Folder::with_target();
    folder.write("other.bin", b"other bytes");
    let verify = |target: &str, more: &[&str]| {
        folder.run(&[&["verify", target, "--digest", "sha256", "--write-manifest", "m"], more].concat())
    };
    verify("f.bin", &[]).assert(3, "");
    let first = folder.read("m");
    verify("other.bin", &[]).assert(2, "--write-manifest m: holds the manifest of f.bin; name another file");
    verify("none.bin", &[]).assert(2, "holds the manifest of f.bin");
    assert_eq!(folder.read("m"), first);
    for same in ["f.bin", "./f.bin", "sub/../f.bin"] {
        verify(same, &[]).assert(3, "");
    }
    verify("other.bin", &["--force"]).assert(3, "");
    verify("f.bin", &[]).assert(2, "holds the manifest of other.bin");
    let text = String::from_utf8(folder.read("m")).unwrap();
    folder.write("m", text.replace("other.bin", "f.bin").as_bytes());
    verify("f.bin", &[]).assert(2, "holds a manifest that cannot be read");
}

#[test]
fn a_plot_and_a_tuning_profile_replace_their_own_kind() {
    let folder = Folder::with_target();
    let args = ["bench", "f.bin", "--connections", "1", "--time", "1s", "--plot", "p.svg", "--write-tuning", "t.json"];
    let first = folder.run(&args);
    assert!(folder.at("p.svg").exists(), "{first:?}");
    assert!(String::from_utf8(folder.read("p.svg")).unwrap().starts_with("<svg "));
    let again = folder.run(&args);
    assert_eq!(again.exit, first.exit, "{again:?}");
    folder.write("p.svg", b"<svg xmlns=\"http://www.w3.org/2000/svg\"/>");
    folder.run(&args).assert(2, "--plot p.svg: exists and is not a plot");
    folder.write("p.svg", b"");
    folder.write("t.json", b"{\"schema\":\"other/1\"}");
    folder.run(&args).assert(2, "--write-tuning t.json: exists and is not a tuning profile");
}

#[test]
fn devices_and_pipes_are_written_to() {
    let folder = Folder::with_target();
    let null = ["verify", "f.bin", "--expect", RIGHT, "--write-manifest", "/dev/null", "--report", "/dev/null"];
    folder.run(&null).assert(0, "");
    assert!(!metadata("/dev/null").unwrap().is_file());
    let pipe = folder.pipe("pipe");
    let child = folder
        .command(&["verify", "f.bin", "--expect", RIGHT, "--report", "pipe"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    let page = std::fs::read_to_string(pipe).unwrap();
    assert!(page.contains("stored-ami verify"), "{page}");
    assert!(child.unwrap().wait().unwrap().success());
}

#[test]
fn standard_output_may_not_be_an_input_or_an_output() {
    let folder = Folder::with_target();
    for args in [&["verify", "f.bin", "--expect", RIGHT][..], &["inspect", "f.bin"], &["cost", "f.bin"]] {
        let file = std::fs::OpenOptions::new().append(true).open(folder.at("f.bin")).unwrap();
        let output = folder.command(args).stdout(file).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{args:?} {output:?}");
        assert!(String::from_utf8(output.stderr).unwrap().contains("standard output is the same file as the target"));
        assert_eq!(folder.read("f.bin"), b"abc");
    }
    let file = std::fs::File::create(folder.at("page")).unwrap();
    let output = folder.command(&["inspect", "f.bin", "--report", "page"]).stdout(file).output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{output:?}");
}
