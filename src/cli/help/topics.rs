use super::batch_topics::{BATCH, FOLLOW, PLAN, RECONCILE, STATUS, SUBMIT};
use super::block_topics::{DRILL, FINGERPRINT, PROVE};
use super::topic::{Rows, Topic, local, remote};

const CHECKS: Rows = &[
    ("0", "every required check passed"),
    ("1", "a check failed"),
    ("2", "wrong arguments, configuration or credentials"),
    ("3", "nothing failed, but something required is unknown"),
    ("4", "the work could not be done, such as: not found, access denied, retries used up"),
    ("130", "interrupted"),
];

const TASK: Rows = &[
    ("0", "the task is completed, or there was nothing to start"),
    ("1", "a condition failed; nothing was started"),
    ("2", "wrong arguments, configuration or credentials"),
    ("3", "a required condition is unknown; nothing was started"),
    ("4", "the task failed, or its outcome is not known"),
    ("130", "interrupted or declined; a task that was started continues"),
];

const WRITES: Rows = &[("0", "written"), ("2", "wrong arguments"), ("4", "the output could not be written")];

const LEDGER: Rows = &[
    ("0", "done"),
    ("2", "wrong arguments, or the file is not a ledger of this version"),
    ("4", "the ledger could not be read or written"),
];

/// The help of all commands, in the order of the definition.
pub(in crate::cli) const TOPICS: &[Topic] = &[
    remote(
        "",
        &[
            (
                "Show what S3 knows of a stored AMI, without reading it",
                "stored-ami inspect s3://backup/ami-0123456789abcdef0.bin",
            ),
            (
                "Read every byte and compare it with every known checksum",
                "stored-ami verify s3://backup/ami-0123456789abcdef0.bin",
            ),
            ("Try everything on this machine, without AWS", "stored-ami demo"),
        ],
        CHECKS,
    ),
    remote(
        "inspect",
        &[
            (
                "Show size, checksums, encryption, lock and storage class",
                "stored-ami inspect s3://backup/ami-0123456789abcdef0.bin",
            ),
            (
                "Describe the content from 64 sampled windows",
                "stored-ami inspect s3://backup/ami-0123456789abcdef0.bin --probe 64",
            ),
            (
                "Facts for the authors, without anything of yours",
                "stored-ami inspect s3://backup/ami-0123456789abcdef0.bin --facts-file facts.json",
            ),
            (
                "One version, as JSON",
                "stored-ami inspect s3://backup/ami-0123456789abcdef0.bin --version-id 3sL4kqtJ --json",
            ),
        ],
        &[
            ("0", "the facts were shown"),
            ("2", "wrong arguments, configuration or credentials"),
            ("3", "a required fact is unknown"),
            ("4", "the object could not be inspected, such as: not found, access denied"),
            ("130", "interrupted, or the facts were not to be written"),
        ],
    ),
    remote(
        "verify",
        &[
            (
                "Compare every byte with the checksums that S3 stores",
                "stored-ami verify s3://backup/ami-0123456789abcdef0.bin",
            ),
            (
                "Also write a manifest, to locate damage later",
                "stored-ami verify s3://backup/ami-0123456789abcdef0.bin --write-manifest ami.json",
            ),
            ("Verify a downloaded copy, offline", "stored-ami verify copy.bin --manifest ami.json"),
            (
                "Compare with a known SHA-256",
                "stored-ami verify copy.bin --expect sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
            ),
            (
                "Two hours now, the rest with the same command later",
                "stored-ami verify s3://backup/ami-0123456789abcdef0.bin --resume state.json --max-time 2h",
            ),
        ],
        CHECKS,
    ),
    remote(
        "compare",
        &[
            (
                "Does S3 state the same of a copy in another partition?",
                "stored-ami compare s3://backup/ami-0123456789abcdef0.bin s3://gov-backup/ami-0123456789abcdef0.bin --to-profile gov",
            ),
            (
                "Compare every byte, and find the first difference",
                "stored-ami compare s3://backup/ami-0123456789abcdef0.bin s3://vault/ami-0123456789abcdef0.bin --read",
            ),
            (
                "Compare a downloaded file with its object",
                "stored-ami compare copy.bin s3://backup/ami-0123456789abcdef0.bin --read",
            ),
        ],
        &[
            ("0", "the same: every byte (--read), or by what is stated of both, which is no proof"),
            ("1", "different"),
            ("2", "wrong arguments, configuration or credentials"),
            ("3", "cannot tell"),
            ("4", "an object could not be examined, such as: not found, access denied"),
            ("130", "interrupted"),
        ],
    ),
    remote(
        "bench",
        &[
            ("Measure throughput and find the bottleneck", "stored-ami bench s3://backup/ami-0123456789abcdef0.bin"),
            (
                "Keep the best settings for verify --tuning",
                "stored-ami bench s3://backup/ami-0123456789abcdef0.bin --write-tuning here.json --plot rate.svg",
            ),
            ("Measure only the hashing of this machine", "stored-ami bench --hashes"),
        ],
        CHECKS,
    ),
    remote(
        "cost",
        &[
            (
                "Cost of keeping, reading, moving and restoring an object",
                "stored-ami cost s3://backup/ami-0123456789abcdef0.bin",
            ),
            ("Cost of storing an AMI", "stored-ami cost ami-0123456789abcdef0"),
            (
                "By the AWS price files of another Region",
                "stored-ami cost s3://backup/ami-0123456789abcdef0.bin --prices s3.json --prices ec2.json",
            ),
        ],
        &[
            ("0", "all estimates are known"),
            ("2", "wrong arguments, configuration or credentials"),
            ("3", "an estimate is unknown, or the prices are of another Region"),
            ("4", "the object or AMI could not be examined"),
            ("130", "interrupted"),
        ],
    ),
    remote(
        "audit",
        &[
            ("Examine all stored AMIs of a bucket without reading them", "stored-ami audit s3://backup"),
            (
                "Read what the ledger does not prove yet",
                "stored-ami audit s3://backup --level bytes --ledger backup.db",
            ),
            (
                "Check a policy, and write a page and a JUnit report",
                "stored-ami audit s3://backup --policy policy.toml --report audit.html --junit audit.xml",
            ),
            (
                "At most two hours and 5 dollars a night",
                "stored-ami audit s3://backup --level bytes --ledger backup.db --max-time 2h --max-cost 5",
            ),
        ],
        &[
            ("0", "everything that the level and the policy require passed"),
            ("1", "something is damaged, missing, replaced or against the policy"),
            ("2", "wrong arguments, configuration or credentials"),
            ("3", "something required is unknown, or was due and not reached"),
            ("4", "something could not be done"),
            ("130", "interrupted"),
        ],
    ),
    remote(
        "audit merge",
        &[
            ("Combine all shards of a run", "stored-ami audit merge s3://audit-results/2026-W48/ --report audit.html"),
            ("Combine the lines of two shards", "stored-ami audit merge 1.jsonl 2.jsonl"),
        ],
        CHECKS,
    ),
    local("ledger", &[("Check that no entry was altered", "stored-ami ledger verify backup.db")], LEDGER),
    local(
        "ledger list",
        &[("The newest entry of each object in a bucket", "stored-ami ledger list backup.db s3://backup/")],
        LEDGER,
    ),
    local(
        "ledger show",
        &[("All entries of an object", "stored-ami ledger show backup.db s3://backup/ami-0123456789abcdef0.bin")],
        LEDGER,
    ),
    local(
        "ledger export",
        &[("All entries as CSV", "stored-ami ledger export backup.db --format csv > backup.csv")],
        LEDGER,
    ),
    local(
        "ledger verify",
        &[
            ("Check the hash chain", "stored-ami ledger verify backup.db"),
            (
                "Also check that the history contains a head noted earlier",
                "stored-ami ledger verify backup.db --head 1042:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
            ),
        ],
        &[
            ("0", "no entry was altered or removed"),
            ("1", "an entry was altered or removed"),
            ("2", "the file is not a ledger, is of a newer version, or holds more than a ledger"),
            ("4", "the file could not be read"),
        ],
    ),
    local(
        "ledger accept",
        &[(
            "Accept that an object was replaced on purpose",
            "stored-ami ledger accept backup.db s3://backup/ami-0123456789abcdef0.bin --reason re-stored",
        )],
        LEDGER,
    ),
    remote(
        "safe-to-delete",
        &[(
            "May the AMI and its snapshots be deleted?",
            "stored-ami safe-to-delete ami-0123456789abcdef0 --in s3://backup --ledger backup.db",
        )],
        &[
            ("0", "the AMI may be deleted: a proved copy exists"),
            ("1", "the AMI must be kept"),
            ("2", "wrong arguments, configuration or credentials"),
            ("3", "cannot tell"),
            ("4", "the check could not be done"),
            ("130", "interrupted"),
        ],
    ),
    remote(
        "preflight",
        &[(
            "Check the conditions of a restore",
            "stored-ami preflight restore s3://backup/ami-0123456789abcdef0.bin --name golden",
        )],
        CHECKS,
    ),
    remote(
        "preflight store",
        &[("Check the conditions of a store", "stored-ami preflight store ami-0123456789abcdef0 --bucket backup")],
        CHECKS,
    ),
    remote(
        "preflight restore",
        &[
            (
                "Check the conditions of a restore",
                "stored-ami preflight restore s3://backup/ami-0123456789abcdef0.bin --name golden",
            ),
            (
                "With the record and the manifest of the store",
                "stored-ami preflight restore s3://backup/ami-0123456789abcdef0.bin --record ami.record.json --manifest ami.json",
            ),
        ],
        CHECKS,
    ),
    remote(
        "is-stored",
        &[("Is there a complete copy?", "stored-ami is-stored ami-0123456789abcdef0 --bucket backup")],
        &[
            ("0", "the object exists and its store is complete"),
            ("1", "the object does not exist"),
            ("2", "wrong arguments, configuration or credentials"),
            ("3", "cannot tell, or a store is in flight"),
            ("4", "the question could not be asked, such as: no such bucket"),
            ("130", "interrupted"),
        ],
    ),
    remote(
        "store",
        &[
            (
                "Check, ask, store and follow",
                "stored-ami store ami-0123456789abcdef0 --bucket backup --record ami.record.json",
            ),
            ("In a script", "stored-ami store ami-0123456789abcdef0 --bucket backup --yes"),
            ("Store all of a list", "stored-ami store --from amis.txt --yes"),
            ("Follow a store that is running", "stored-ami store --follow ami-0123456789abcdef0"),
        ],
        TASK,
    ),
    Topic {
        files: &[
            ("$XDG_STATE_HOME/stored-ami, ~/.local/state/stored-ami", "journal of restores that were started"),
            ("~/.aws/config, ~/.aws/credentials", "profiles, Regions, endpoints and credentials"),
        ],
        ..remote(
            "restore",
            &[
                (
                    "Check, ask, restore and follow",
                    "stored-ami restore s3://backup/ami-0123456789abcdef0.bin --name golden",
                ),
                (
                    "Verify every byte first",
                    "stored-ami restore s3://backup/ami-0123456789abcdef0.bin --name golden --verify",
                ),
                (
                    "Restore, and compare every block with a record of `fingerprint`",
                    "stored-ami restore s3://backup/ami-0123456789abcdef0.bin --name golden --prove --record golden.json",
                ),
                ("Restore all of a list, as the limit of AWS allows", "stored-ami restore --from tonight.txt --yes"),
                ("Then compare every block of them", "stored-ami restore --from tonight.txt --prove --yes"),
                ("Follow a restore that is running", "stored-ami restore --follow ami-0fedcba9876543210"),
            ],
            TASK,
        )
    },
    remote(
        "copy",
        &[
            (
                "Copy to another partition, each end with its own profile",
                "stored-ami copy s3://backup/ami-0123456789abcdef0.bin s3://gov-backup/ --to-profile gov",
            ),
            (
                "Keep what was sent if the copy is interrupted",
                "stored-ami copy s3://backup/ami-0123456789abcdef0.bin s3://vault/ --resume copy.state",
            ),
            ("Copy to a disk", "stored-ami copy s3://backup/ami-0123456789abcdef0.bin /mnt/disk/"),
            ("Remove an unfinished upload", "stored-ami copy --abort copy.state"),
        ],
        &[
            ("0", "the copy is there, proved (with --unproved, perhaps not), or was there already, as asked for"),
            ("1", "a check failed, or what is there already is not as asked for; nothing was overwritten"),
            ("2", "wrong arguments, configuration or credentials"),
            ("3", "a required check is unknown"),
            ("4", "the copy could not be made"),
            ("130", "interrupted or declined"),
        ],
    ),
    remote(
        "thaw",
        &[
            (
                "Show price and time, ask, and make a readable copy",
                "stored-ami thaw s3://backup/ami-0123456789abcdef0.bin",
            ),
            (
                "The cheapest way, for two weeks, in a script",
                "stored-ami thaw s3://backup/ami-0123456789abcdef0.bin --tier bulk --days 14 --yes",
            ),
            (
                "Wait until the object can be read",
                "stored-ami thaw s3://backup/ami-0123456789abcdef0.bin --yes --follow",
            ),
            (
                "Show the state, and send no request that costs",
                "stored-ami thaw s3://backup/ami-0123456789abcdef0.bin --dry-run",
            ),
        ],
        &[
            ("0", "the object can be read, or S3 accepted the request; with --dry-run, also: it would be sent"),
            ("1", "a condition failed, such as too few --days; nothing was asked for"),
            ("2", "wrong arguments, configuration or credentials"),
            ("3", "an earlier request is still in progress, or the state is not known"),
            ("4", "the object could not be examined, or S3 refused the request"),
            ("130", "interrupted or declined; a request that was sent goes on"),
        ],
    ),
    remote(
        "doctor",
        &[
            ("Credentials, Region, endpoint, clock and this machine", "stored-ami doctor"),
            ("The permissions on a bucket, too", "stored-ami doctor s3://backup"),
            ("With a profile, as JSON", "stored-ami doctor s3://backup/2026/ --profile archive --json"),
        ],
        &[
            ("0", "everything that was tested is in order"),
            ("1", "something is not in order, such as credentials that are refused"),
            ("2", "wrong arguments or configuration file"),
            ("3", "nothing is wrong, but something is not known"),
            ("4", "the report could not be written"),
            ("130", "interrupted"),
        ],
    ),
    BATCH,
    PLAN,
    SUBMIT,
    STATUS,
    FOLLOW,
    RECONCILE,
    FINGERPRINT,
    PROVE,
    DRILL,
    local(
        "policy",
        &[
            ("Minimal IAM policy for two commands", "stored-ami policy verify audit --bucket backup"),
            (
                "For preflight restore, in one Region",
                "stored-ami policy preflight restore --bucket backup --region eu-west-1",
            ),
        ],
        WRITES,
    ),
    local(
        "lab",
        &[
            ("Serve S3 and EC2 on http://127.0.0.1:9000", "stored-ami lab"),
            (
                "Deny one permission, and slow down the responses",
                "stored-ami lab --deny s3:GetObjectAttributes --latency 50",
            ),
        ],
        &[("0", "stopped by a signal"), ("2", "wrong arguments"), ("4", "the address could not be used")],
    ),
    local(
        "demo",
        &[("Store, verify, restore and damage an AMI in the lab", "stored-ami demo")],
        &[("0", "every step ended as expected"), ("2", "wrong arguments"), ("4", "a step ended differently")],
    ),
    local(
        "completions",
        &[
            (
                "bash, for this user",
                "stored-ami completions bash > ~/.local/share/bash-completion/completions/stored-ami",
            ),
            ("zsh, into a folder of $fpath", "stored-ami completions zsh > ~/.zfunc/_stored-ami"),
            ("fish", "stored-ami completions fish > ~/.config/fish/completions/stored-ami.fish"),
        ],
        WRITES,
    ),
    local(
        "man",
        &[
            ("Show the page of a command", "stored-ami man verify > verify.1"),
            ("Write the pages of all commands", "stored-ami man --out ~/.local/share/man/man1"),
        ],
        WRITES,
    ),
];
