# The usual rounds of work. Each recipe is a plain cargo command; `just` is not required.

# Lists the recipes.
default:
    @just --list

# Type-checks the pure part with its tests and benches: seconds after a change.
check-core:
    cargo check -p stored-ami-core --all-targets

# Runs the unit and property tests of the pure part, and the fuzz seeds. Builds no AWS SDK.
test-core *args:
    cargo test -p stored-ami-core {{args}}

# Type-checks everything with its tests.
check:
    cargo check --tests

# Runs all tests. `just test --test audit NAME` runs a part.
test *args:
    cargo test {{args}}

# Formatting, lints and the layering rules.
lint:
    cargo fmt --check
    cargo clippy --all-targets -- -D warnings
    cargo test --test layering

# Everything that must pass before a change lands.
ci:
    .ci/run

# Plays the life of an AMI against the built-in lab.
demo:
    cargo run -- demo

# A Debian package of target/release/stored-ami in target/debian, unpacked and tried. Needs cargo-deb.
deb:
    cargo build --release --locked
    packaging/check-deb.sh "$(packaging/deb.sh)"

# A binary for glibc 2.28 or newer. Needs cargo-zigbuild and the Python package ziglang; builds everything again.
portable:
    cargo zigbuild --release --locked --bin stored-ami --target x86_64-unknown-linux-gnu.2.28

# An image with the binary.
image:
    docker build -t stored-ami .

# Renews the JSON schema, the text snapshots and the tables of guarantees. Read the diff before you commit it.
renew:
    UPDATE_SCHEMA=1 cargo test --test cli schema
    INSTA_UPDATE=always cargo test --test cli human
    UPDATE_DOCS=1 cargo test --test damage the_pages

# Fuzzes one target for some seconds: `just fuzz read_plan 60`.
fuzz target seconds="60":
    mkdir -p fuzz/corpus/{{target}}
    cargo +nightly fuzz run {{target}} fuzz/corpus/{{target}} fuzz/seeds/{{target}} -- -max_total_time={{seconds}}
