#!/usr/bin/env bash
# Makes a Debian package of target/release/stored-ami, which must be built, and prints its path. Compiles nothing.
# Needs cargo-deb (`cargo install --locked cargo-deb`), dpkg-dev and binutils.
set -euo pipefail
cd "$(dirname "$0")/.."
packaging/assets.sh
cargo deb --quiet --no-build --strip --no-dbgsym --output target/debian/
find target/debian -maxdepth 1 -name 'stored-ami_*.deb' -newer target/package/man/stored-ami.1
