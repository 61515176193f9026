# The usual rounds of work. Each recipe is a plain cargo command; `just` is not required.

# Lists the recipes.
default:
    @just --list

# Type-checks the pure part with its tests and benches: seconds after a change.
check-core:
    cargo check --release -p stored-ami-core --all-targets

# Runs the unit and property tests of the pure part, and the fuzz seeds. Builds no AWS SDK.
test-core *args:
    cargo test --release -p stored-ami-core {{args}}

# Type-checks everything with its tests.
check:
    cargo check --release --tests

# Runs all tests. `just test --test audit NAME` runs a part.
test *args:
    cargo test --release {{args}}

# Formatting, lints and the layering rules.
lint:
    cargo fmt --check
    cargo clippy --release --all-targets -- -D warnings
    cargo test --release --test layering

# Everything that must pass before a change lands.
ci:
    .ci/run

# Plays the life of an AMI against the built-in lab.
demo:
    cargo run --release -- demo

# Renews the JSON schema, the text snapshots and the tables of guarantees. Read the diff before you commit it.
renew:
    UPDATE_SCHEMA=1 cargo test --release --test cli schema
    INSTA_UPDATE=always cargo test --release --test cli human
    UPDATE_DOCS=1 cargo test --release --test damage the_pages

# Fuzzes one target for some seconds: `just fuzz read_plan 60`.
fuzz target seconds="60":
    mkdir -p fuzz/corpus/{{target}}
    cargo +nightly fuzz run {{target}} fuzz/corpus/{{target}} fuzz/seeds/{{target}} -- -max_total_time={{seconds}}
