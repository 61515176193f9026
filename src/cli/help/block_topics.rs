//! Help of `fingerprint`, `prove` and `drill`.

use super::topic::{Topic, remote};

pub(super) const FINGERPRINT: Topic = remote(
    "fingerprint",
    &[
        (
            "Show price, requests and time, ask, and record the content of an AMI",
            "stored-ami fingerprint ami-0123456789abcdef0 --record golden.json",
        ),
        (
            "In a script, and more slowly, beside a backup product",
            "stored-ami fingerprint ami-0123456789abcdef0 --record golden.json --block-rate 200 --yes",
        ),
        (
            "Show what it would read, and read nothing",
            "stored-ami fingerprint ami-0123456789abcdef0 --record golden.json --dry-run",
        ),
    ],
    &[
        ("0", "the record is written; with --dry-run: it could be"),
        ("2", "wrong arguments, configuration or credentials"),
        ("4", "a block could not be read, or a file could not be written; what was read is kept"),
        ("130", "interrupted or declined; the same command continues"),
    ],
);

pub(super) const PROVE: Topic = remote(
    "prove",
    &[
        (
            "Compare a restored AMI with the record of the AMI that was stored",
            "stored-ami prove ami-0fedcba9876543210 --record golden.json",
        ),
        (
            "Compare it with the AMI itself, if that still exists",
            "stored-ami prove ami-0fedcba9876543210 --source ami-0123456789abcdef0",
        ),
        (
            "Look for differences in as many blocks as a dollar pays for",
            "stored-ami prove ami-0fedcba9876543210 --record golden.json --max-cost 1 --yes",
        ),
    ],
    &[
        ("0", "every block of every volume is the same; with --dry-run: nothing was read"),
        ("1", "a block or a volume differs"),
        ("2", "wrong arguments, configuration or credentials"),
        ("3", "no difference was found, and not every block is proved"),
        ("4", "an AMI could not be described"),
        ("130", "interrupted or declined"),
    ],
);

pub(super) const DRILL: Topic = remote(
    "drill",
    &[
        (
            "Restore, prove and remove, with a record of the AMI that was stored",
            "stored-ami drill s3://backup/ami-0123456789abcdef0.bin --record golden.json",
        ),
        (
            "In a script, with evidence for auditors",
            "stored-ami drill s3://backup/ami-0123456789abcdef0.bin --record golden.json --yes --junit drill.xml \
             --report drill.html --json",
        ),
        (
            "Check the conditions and show the price, and start nothing",
            "stored-ami drill s3://backup/ami-0123456789abcdef0.bin --record golden.json --dry-run",
        ),
    ],
    &[
        ("0", "the object was restored, every block is the same, and what was made is removed"),
        ("1", "the object, the restore or a block failed"),
        ("2", "wrong arguments, configuration or credentials"),
        ("3", "nothing failed, and something required is unknown"),
        ("4", "it could not be done, or something that the drill made is left"),
        ("130", "interrupted or declined; the same command continues"),
    ],
);
