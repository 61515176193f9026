//! Help of `batch`.

use super::topic::{Rows, Topic, remote};

const JOBS: Rows = &[
    ("0", "every job is complete"),
    ("1", "a job failed or was cancelled"),
    ("2", "wrong arguments, configuration or credentials"),
    ("3", "a job is in progress, suspended or paused"),
    ("4", "a job could not be described"),
    ("130", "interrupted; the jobs go on"),
];

const RESULTS: Rows = &[
    ("0", "S3 states the known value of every object"),
    ("1", "the checksum that S3 states differs from the known one"),
    ("2", "wrong arguments, configuration or credentials"),
    ("3", "an object is replaced, failed, missing, unclear or a baseline; the report is damaged or from a folder"),
    ("4", "a request failed, or the ledger could not be written"),
    ("130", "interrupted"),
];

const PLANNED: Rows = &[
    ("0", "the plan is written"),
    ("2", "wrong arguments, configuration or credentials"),
    ("3", "the plan is written, and objects that could not be described are not in it"),
    ("4", "a prefix could not be listed, or the plan could not be written"),
    ("130", "interrupted"),
];

const EXAMPLE_PLAN: (&str, &str) = (
    "Plan checksums of all objects without a recent proof",
    "stored-ami batch plan s3://backup/ --ledger proofs.db --plan batch.json",
);

const EXAMPLE_SUBMIT: (&str, &str) = (
    "Show the price, ask, and create the jobs",
    "stored-ami batch submit --plan batch.json --to s3://reports/ --role arn:aws:iam::111122223333:role/batch",
);

const EXAMPLE_RECONCILE: (&str, &str) = (
    "Compare the report of a job with the plan, and record what S3 states",
    "stored-ami batch reconcile 4a3b2c1d-0123-4567-89ab-cdef01234567 --plan batch.json --ledger proofs.db",
);

pub(super) const BATCH: Topic = remote("batch", &[EXAMPLE_PLAN, EXAMPLE_SUBMIT, EXAMPLE_RECONCILE], RESULTS);

pub(super) const PLAN: Topic = remote(
    "batch plan",
    &[
        EXAMPLE_PLAN,
        (
            "Hold one object against a manifest of an earlier read",
            "stored-ami batch plan s3://backup/ami-0123456789abcdef0.bin --manifest golden.json --plan batch.json",
        ),
    ],
    PLANNED,
);

pub(super) const SUBMIT: Topic = remote(
    "batch submit",
    &[
        EXAMPLE_SUBMIT,
        (
            "Show what would be asked, and its price",
            "stored-ami batch submit --plan batch.json --to s3://reports/ --role arn:aws:iam::111122223333:role/batch --dry-run",
        ),
    ],
    &[
        ("0", "the jobs exist; with --dry-run: they could be created"),
        ("2", "wrong arguments, configuration or credentials"),
        ("3", "another object is in the place of a manifest"),
        ("4", "a manifest could not be written, or S3 refused a job"),
        ("130", "interrupted or declined"),
    ],
);

pub(super) const STATUS: Topic = remote(
    "batch status",
    &[("Show the state of a job", "stored-ami batch status 4a3b2c1d-0123-4567-89ab-cdef01234567")],
    JOBS,
);

pub(super) const FOLLOW: Topic = remote(
    "batch follow",
    &[("Wait until a job is over", "stored-ami batch follow 4a3b2c1d-0123-4567-89ab-cdef01234567")],
    JOBS,
);

pub(super) const RECONCILE: Topic = remote(
    "batch reconcile",
    &[
        (
            "Compare the report of a job with the plan, and record what S3 states",
            "stored-ami batch reconcile 4a3b2c1d-0123-4567-89ab-cdef01234567 --plan batch.json --ledger proofs.db",
        ),
        ("See what a downloaded report says", "stored-ami batch reconcile ./job-4a3b2c1d --plan batch.json"),
    ],
    RESULTS,
);
