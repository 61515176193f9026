#!/usr/bin/env bash
# Unpacks a Debian package in a folder, and uses what is in it: binary, manual pages and completions. Installs nothing.
# Usage: packaging/check-deb.sh FILE.deb
set -euo pipefail
deb=$(realpath "$1")
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
dpkg-deb -x "$deb" "$root"
fail() {
  echo "$1" >&2
  exit 1
}

field() { dpkg-deb -f "$deb" "$1"; }
version=$(field Version)
# The package has a revision of its own after the version of the program.
[ "$("$root/usr/bin/stored-ami" --version)" = "stored-ami ${version%-*}" ] || fail "the binary is not of version $version"
case $(field Depends) in *libc6*) ;; *) fail "the package does not depend on libc6" ;; esac

# It works without anything else of the source: an object is verified, and a wrong value fails.
cd "$root"
printf 'bytes' >file.bin
sum=$(sha256sum file.bin | cut -d' ' -f1)
usr/bin/stored-ami verify file.bin --expect "sha256:$sum" </dev/null
code=0
usr/bin/stored-ami verify file.bin --expect "sha256:${sum//[0-9]/a}" </dev/null >/dev/null 2>&1 || code=$?
[ "$code" = 1 ] || fail "a wrong value ends with code $code"

for file in man1/stored-ami.1.gz man1/stored-ami-verify.1.gz man1/stored-ami-preflight-store.1.gz; do
  gzip -t "usr/share/man/$file" || fail "$file is missing"
done
if command -v man >/dev/null; then
  page=$(man -l usr/share/man/man1/stored-ami-verify.1.gz </dev/null)
  case $page in *--write-manifest*) ;; *) fail "the manual page of verify does not show its options" ;; esac
fi
bash -c 'source usr/share/bash-completion/completions/stored-ami; complete -p stored-ami' >/dev/null ||
  fail "the completion for bash cannot be loaded"
head -n 1 usr/share/zsh/vendor-completions/_stored-ami | grep -qx '#compdef stored-ami' || fail "no completion for zsh"
if command -v zsh >/dev/null; then zsh -n usr/share/zsh/vendor-completions/_stored-ami; fi
if command -v fish >/dev/null; then fish --no-execute usr/share/fish/vendor_completions.d/stored-ami.fish; fi
grep -q 'Expat\|MIT' usr/share/doc/stored-ami/copyright || fail "no copyright"
gzip -t usr/share/doc/stored-ami/changelog.Debian.gz || fail "no changelog"

wrong=$(find usr -type f ! -perm -u=r,go=r -o -type f -perm /go=w | head -n 3)
[ -z "$wrong" ] || fail "wrong permissions: $wrong"
echo "$(basename "$deb"): $(field Installed-Size) KiB installed, $(stat -c %s "$deb") bytes; binary, manual pages and completions work"
