//! Completions and manual pages as shells and `man` read them. Programs that are not installed are skipped, and the
//! output says so.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::common::bare_command;

fn stored_ami(args: &[&str]) -> String {
    let output = bare_command().args(args).output().unwrap();
    assert!(output.status.success(), "{args:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// Whether the program is installed; says so if it is not.
#[expect(clippy::print_stdout, reason = "a skipped test says so in its output")]
fn is_installed(program: &str) -> bool {
    let found = Command::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok();
    if !found {
        println!("skipped: {program} is not installed");
    }
    found
}

/// A home with AWS configuration files of four profiles.
fn home() -> tempfile::TempDir {
    let home = tempfile::tempdir().unwrap();
    let aws = home.path().join(".aws");
    std::fs::create_dir(&aws).unwrap();
    let config = "[default]\nregion = eu-west-1\n[profile prod-eu]\nregion = eu-west-1\n[sso-session corp]\n";
    std::fs::write(aws.join("config"), config).unwrap();
    std::fs::write(aws.join("credentials"), "[default]\n[prod-us]\naws_access_key_id = secret-id\n").unwrap();
    home
}

/// What a shell is asked to complete, and words that must be and must not be among the answers.
const CASES: [(&str, &[&str], &[&str]); 12] = [
    ("stored-ami ", &["verify", "is-stored", "store"], &["stored", "--quiet", "-q"]),
    ("stored-ami verify ", &[], &["--digest", "-q"]),
    ("stored-ami ver", &["verify"], &["stored", "audit"]),
    ("stored-ami is", &["is-stored"], &["stored"]),
    ("stored-ami verify --wri", &["--write-manifest"], &["--manifest"]),
    ("stored-ami verify --digest sha", &["sha1", "sha256", "sha512"], &["md5"]),
    ("stored-ami safe-to-delete --led", &["--ledger"], &[]),
    ("stored-ami preflight re", &["restore"], &["store"]),
    ("stored-ami preflight restore --na", &["--name"], &[]),
    ("stored-ami audit --level ", &["facts", "sample", "bytes"], &["sha256"]),
    ("stored-ami ledger export --format ", &["csv", "jsonl"], &[]),
    ("stored-ami audit --profile ", &["default", "prod-eu", "prod-us"], &["corp", "secret-id"]),
];

/// Runs a shell with this script for each case, with the line in `LINE`.
fn assert_completes(shell: &str, options: &[&str], script: &str) {
    if !is_installed(shell) {
        return;
    }
    let home = home();
    std::fs::write(home.path().join("completion"), stored_ami(&["completions", shell])).unwrap();
    for (line, wanted, unwanted) in CASES {
        let output = Command::new(shell)
            .args(options)
            .args(["-c", script])
            .current_dir(home.path())
            .env("HOME", home.path())
            .env("LINE", line)
            .env("ZSH_SETUP", ZSH_SETUP)
            .env_remove("AWS_CONFIG_FILE")
            .env_remove("AWS_SHARED_CREDENTIALS_FILE")
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let offered: Vec<&str> = text.lines().filter_map(|line| line.split('\t').next()).map(str::trim).collect();
        for word in wanted {
            assert!(offered.contains(word), "{shell}: `{line}`: no {word} in {output:?}");
        }
        for word in unwanted {
            assert!(!offered.contains(word), "{shell}: `{line}`: {word} in {offered:?}");
        }
    }
}

#[test]
fn bash_completes_after_every_subcommand() {
    let script = r#"
        source ./completion
        function=$(complete -p stored-ami | sed 's/.*-F \([^ ]*\).*/\1/')
        read -ra COMP_WORDS <<< "$LINE"
        if [[ "$LINE" == *' ' ]]; then COMP_WORDS+=(''); fi
        COMP_CWORD=$(( ${#COMP_WORDS[@]} - 1 ))
        "$function" stored-ami "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD-1]}"
        printf '%s\n' "${COMPREPLY[@]}""#;
    assert_completes("bash", &["--norc", "--noprofile"], script);
}

#[test]
fn bash_completes_the_last_value_of_a_list() {
    let home = home();
    std::fs::write(home.path().join("completion"), stored_ami(&["completions", "bash"])).unwrap();
    let script = r#"
        source ./completion
        COMP_WORDS=(stored-ami verify --digest sha256,md)
        COMP_CWORD=3
        _stored__ami stored-ami sha256,md --digest
        printf '%s\n' "${COMPREPLY[@]}""#;
    let output = Command::new("bash").args(["--norc", "-c", script]).current_dir(home.path()).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), "sha256,md5\n", "{output:?}");
}

#[test]
fn fish_completes_after_every_subcommand() {
    assert_completes("fish", &["--no-config"], r#"source ./completion; complete -C"$LINE""#);
}

/// zsh completes on a terminal only, so a second zsh runs on a pseudo-terminal. It collects what is offered by a wrapper
/// of `compadd`.
const ZSH_SETUP: &str = r#"
autoload -Uz compinit && compinit -u -D
source ./completion
typeset -ga _offered
compadd() {
    local -a found
    local word
    for word in "$@"; do
        [[ $word == (-|--) ]] && break
        [[ $word == -[OAD] ]] && { builtin compadd "$@"; return }
    done
    builtin compadd -O found "$@"
    _offered+=($found)
    builtin compadd "$@"
}
_print_all() { _main_complete; print -r -- BEGIN; print -rl -- $_offered; print -r -- END }
zle -C print-all complete-word _print_all
bindkey '^I' print-all
"#;

const ZSH: &str = r#"
zmodload zsh/zpty
zpty shell zsh -f -i
zpty -w shell 'PS1=; stty -echo; eval "$ZSH_SETUP"; print READY'
while zpty -r shell line; do [[ $line == *READY* ]] && break; done
zpty -w -n shell "$LINE"$'\t'
started=
while zpty -r shell line; do
    line=${line//[[:cntrl:]]/}
    [[ $line == *END ]] && break
    [[ -n $started ]] && print -r -- $line
    [[ $line == *BEGIN ]] && started=1
done
zpty -d shell
"#;

#[test]
fn zsh_completes_after_every_subcommand() {
    assert_completes("zsh", &["-f", "-o", "extendedglob"], ZSH);
}

fn page(folder: &Path, name: &str) -> String {
    std::fs::read_to_string(folder.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

#[test]
fn there_is_a_manual_page_for_every_command() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().join("man1");
    stored_ami(&["man", "--out", folder.to_str().unwrap()]);
    for name in ["", "-verify", "-is-stored", "-safe-to-delete", "-preflight", "-preflight-restore", "-ledger-verify"] {
        let page = page(&folder, &format!("stored-ami{name}.1"));
        for section in [".SH NAME", ".SH SYNOPSIS", ".SH EXAMPLES", ".SH \"EXIT STATUS\"", ".SH \"SEE ALSO\""] {
            assert!(page.contains(section), "stored-ami{name}: {section}");
        }
    }
    let verify = page(&folder, "stored-ami-verify.1");
    for text in [".SH ENVIRONMENT", "AWS_PROFILE", ".SH FILES", "Exit 0 even if these required checks are unknown"] {
        assert!(verify.contains(text), "{text}");
    }
    assert_eq!(stored_ami(&["man", "preflight", "restore"]), page(&folder, "stored-ami-preflight-restore.1"));
    assert!(!folder.join("stored-ami-stored.1").exists(), "the deprecated command");
    // Earlier pages are replaced, and files of others are not.
    stored_ami(&["man", "--out", folder.to_str().unwrap()]);
    std::fs::write(folder.join("stored-ami-verify.1"), "mine").unwrap();
    let output = bare_command().args(["man", "--out"]).arg(&folder).output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    assert_eq!(page(&folder, "stored-ami-verify.1"), "mine");
}

#[test]
fn man_renders_every_page_without_warnings() {
    if !is_installed("man") || !is_installed("groff") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    stored_ami(&["man", "--out", folder.path().to_str().unwrap()]);
    let mut pages = 0;
    for entry in std::fs::read_dir(folder.path()).unwrap() {
        let path = entry.unwrap().path();
        let mut man = Command::new("man");
        man.args(["--warnings", "-E", "UTF-8", "-l"]).arg(&path).env("MANWIDTH", "80").stdin(Stdio::null());
        let output = man.output().unwrap();
        assert!(output.status.success() && output.stderr.is_empty(), "{}: {output:?}", path.display());
        pages += 1;
    }
    assert!(pages > 20, "{pages} pages");
}

#[test]
fn short_help_fits_a_screen_and_long_help_explains() {
    let commands = ["inspect", "verify", "bench", "cost", "audit", "is-stored", "store", "restore", "safe-to-delete"];
    let others = ["copy", "compare", "thaw", "preflight store", "preflight restore", "policy", "lab", "audit merge"];
    for command in commands.iter().chain(&others) {
        for columns in ["80", "100"] {
            let words = command.split(' ').chain(["-h"]);
            let output = bare_command().args(words).env("COLUMNS", columns).output().unwrap();
            let lines = String::from_utf8(output.stdout).unwrap().lines().count();
            assert!((10..=50).contains(&lines), "{command}: {lines} lines at {columns} columns");
        }
    }
    for command in commands {
        let short = stored_ami(&[command, "-h"]);
        assert!(short.contains(&format!("Example: stored-ami {command} ")), "{command}");
        let long = stored_ami(&[command, "--help"]);
        for text in ["Examples:", "Environment:", "AWS_PROFILE", "Exit codes:", "130 "] {
            assert!(long.contains(text), "{command}: {text}");
        }
    }
    assert!(stored_ami(&["is-stored", "--help"]).contains("`safe-to-delete`"));
    let words = stored_ami(&["verify", "--help"]).split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words.contains("[possible values: crc32, crc32c, crc64nvme, sha1"), "{words}");
    assert!(stored_ami(&["audit", "--help"]).contains("- bytes:  Every byte that the ledger does not prove yet"));
    let all = stored_ami(&["--help"]);
    assert!(all.contains("\nDecide:\n  is-stored "), "{all}");
    assert!(!all.contains("  stored "), "the deprecated command: {all}");
}

#[test]
fn near_misses_get_the_right_hint() {
    let hint = |args: &[&str]| {
        let output = bare_command().args(args).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        String::from_utf8(output.stderr).unwrap()
    };
    assert!(hint(&["verfy", "x"]).contains("'verify'"));
    assert!(hint(&["check", "x"]).contains("'verify'"));
    assert!(hint(&["verify", "x", "--write-manfest", "m"]).contains("'--write-manifest'"));
    assert!(hint(&["verify", "x", "--checksum", "md5"]).contains("'--digest'"));
    let none = hint(&["inspect", "x", "--no-colour-at-all"]);
    assert!(!none.contains("--no-sign-request"), "{none}");
}

#[test]
fn policy_takes_preflights_as_one_word_or_two() {
    let one = stored_ami(&["policy", "preflight-restore", "verify", "--bucket", "archive"]);
    assert_eq!(stored_ami(&["policy", "preflight", "restore", "verify", "--bucket", "archive"]), one);
    assert_eq!(
        stored_ami(&["policy", "stored", "--bucket", "archive"]),
        stored_ami(&["policy", "is-stored", "--bucket", "archive"])
    );
    let alone = bare_command().args(["policy", "preflight", "--bucket", "archive"]).output().unwrap();
    assert_eq!(alone.status.code(), Some(2), "{alone:?}");
    assert!(String::from_utf8_lossy(&alone.stderr).contains("write `preflight store` or `preflight restore`"));
}
