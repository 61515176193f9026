#!/usr/bin/env bash
# Makes a Debian package of target/release/stored-ami, which must be built, and prints its path. Compiles nothing.
# Needs cargo-deb (`cargo install --locked cargo-deb`), dpkg-dev and binutils.
set -euo pipefail
cd "$(dirname "$0")/.."
packaging/assets.sh
version=$(target/release/stored-ami --version | cut -d' ' -f2)
maintainer=$(sed -n 's/^maintainer = "\(.*\)"$/\1/p' Cargo.toml)
# The changes of the package; those of the program are in CHANGELOG.md.
cat >target/package/changelog <<END
stored-ami ($version-1) unstable; urgency=medium

  * Version $version; its changes are in /usr/share/doc/stored-ami/CHANGELOG.md.

 -- $maintainer  $(date -uR -d "@$(git log -1 --format=%ct 2>/dev/null || date +%s)")
END
cargo deb --quiet --no-build --strip --no-dbgsym --output target/debian/ >&2
find target/debian -maxdepth 1 -name 'stored-ami_*.deb' -newer target/package/man/stored-ami.1
