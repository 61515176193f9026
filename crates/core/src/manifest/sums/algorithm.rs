use crate::checksum::Algorithm;

/// An algorithm that a line or a file name states.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Stated {
    Computed(Algorithm),
    /// An algorithm that is not implemented here, as written.
    Other(String),
    /// The CRC-32 of an SFV file, unless the user states another algorithm.
    Sfv,
}

/// Algorithms in names of checksum files that are not implemented here, without dashes.
const OTHERS: [&str; 45] = [
    "b2",
    "blake2",
    "blake2b",
    "blake2s",
    "blake2bp",
    "blake2sp",
    "b3",
    "blake3",
    "sha224",
    "sha384",
    "sha512224",
    "sha512256",
    "sha3",
    "sha3224",
    "sha3256",
    "sha3384",
    "sha3512",
    "keccak256",
    "sm3",
    "rmd160",
    "ripemd160",
    "whirlpool",
    "tiger",
    "k12",
    "xxh32",
    "crc",
    "adler32",
    "md2",
    "md4",
    "md6",
    "sha0",
    "ripemd128",
    "rmd128",
    "tiger128",
    "tiger160",
    "tiger192",
    "haval128",
    "has160",
    "snefru128",
    "tth",
    "ed2k",
    "aich",
    "btih",
    "mailru",
    "quickxor",
];

/// The algorithm of a line's tag: `SHA256`, `SHA2-256` (OpenSSL 3), `BLAKE2b` and so on.
pub(super) fn algorithm_of_tag(tag: &str) -> Stated {
    computed_algorithm(&normalized(tag)).map_or_else(|| Stated::Other(tag.to_owned()), Stated::Computed)
}

/// The algorithm of a word that may have another meaning: only known names are accepted.
pub(super) fn known_algorithm(name: &str) -> Option<Stated> {
    let plain = normalized(name);
    computed_algorithm(&plain)
        .map(Stated::Computed)
        .or_else(|| OTHERS.contains(&plain.as_str()).then(|| Stated::Other(name.to_owned())))
}

fn normalized(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase()
}

fn computed_algorithm(plain: &str) -> Option<Algorithm> {
    match plain {
        "sha2256" => Some(Algorithm::Sha256),
        "sha2512" => Some(Algorithm::Sha512),
        _ => plain.parse().ok(),
    }
}

/// What the name of a checksum file states about its algorithm.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ByName {
    Stated(Stated),
    /// An extension or words that may name an algorithm, or several algorithms.
    Unclear,
    Nothing,
}

/// Extensions that name no algorithm.
const PLAIN: [&str; 14] = [
    "txt",
    "text",
    "sum",
    "sums",
    "lst",
    "list",
    "chk",
    "asc",
    "sig",
    "hash",
    "hashes",
    "checksum",
    "checksums",
    "digest",
];

/// The algorithm in the name of a checksum file, such as `SHA256SUMS`, `x.bin.sha512` or `B2SUMS`. The
/// extension takes precedence. The name of the target at the start is ignored.
pub(super) fn of_file_name(file: &str, target: &str) -> ByName {
    let file = file.strip_prefix(target).unwrap_or(file).to_ascii_lowercase();
    let extension = extension(&file);
    if let Some(stated) = extension.and_then(|extension| known_algorithm(without_sums(extension))) {
        return ByName::Stated(stated);
    }
    match in_words(&file).as_slice() {
        [one] => return ByName::Stated(one.clone()),
        several if several.iter().any(|stated| matches!(stated, Stated::Other(_))) => return ByName::Unclear,
        _ => {}
    }
    match extension {
        Some(extension) if !PLAIN.contains(&extension) && !extension.bytes().all(|b| b.is_ascii_digit()) => {
            ByName::Unclear
        }
        _ => ByName::Nothing,
    }
}

/// The name before an extension that names an algorithm: `x.bin` for `x.bin.md5`.
pub(super) fn stem_before_algorithm(file: &str) -> Option<&str> {
    let stem = file.rsplit_once('.').map(|(stem, _)| stem).filter(|stem| !stem.is_empty())?;
    let states = extension(file).and_then(|extension| known_algorithm(without_sums(&extension.to_ascii_lowercase())));
    states.map(|_| stem)
}

fn extension(file: &str) -> Option<&str> {
    file.rsplit_once('.').map(|(_, extension)| extension).filter(|extension| !extension.is_empty())
}

fn without_sums(name: &str) -> &str {
    name.strip_suffix("sums").or_else(|| name.strip_suffix("sum")).unwrap_or(name)
}

/// All algorithms that the words of a name state.
fn in_words(file: &str) -> Vec<Stated> {
    let words: Vec<&str> = file.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()).collect();
    let mut found: Vec<Stated> = Vec::new();
    let mut rest = words.as_slice();
    while !rest.is_empty() {
        // `sha3-256` and `sha512-256` are single names.
        let longest = (1..=rest.len().min(2)).rev().find_map(|count| {
            let (taken, rest) = rest.split_at(count);
            known_algorithm(without_sums(&taken.concat())).map(|stated| (stated, rest))
        });
        match longest {
            Some((stated, behind)) => {
                if !found.contains(&stated) {
                    found.push(stated);
                }
                rest = behind;
            }
            None => rest = rest.split_first().map_or(&[], |(_, behind)| behind),
        }
    }
    found
}

/// The algorithms possible for a value of some number of hexadecimal digits, if nothing states one.
pub(super) enum ByLength {
    /// The common tools write only this algorithm at this length.
    Certain(Algorithm),
    Guessed {
        algorithm: Algorithm,
        may_be: &'static str,
    },
    /// Possible algorithms, for the report; none of them is assumed.
    Open(&'static str),
}

/// Other algorithms of the same length, for a file name that may state another one.
pub(super) fn others_of(algorithm: Algorithm) -> &'static str {
    match algorithm {
        Algorithm::Md5 => "MD4, RIPEMD-128 or what the name of the checksum file means",
        _ => "RIPEMD-160, SHA-0 or what the name of the checksum file means",
    }
}

pub(super) fn by_length(digits: usize) -> Option<ByLength> {
    Some(match digits {
        32 => ByLength::Certain(Algorithm::Md5),
        40 => ByLength::Certain(Algorithm::Sha1),
        64 => ByLength::Guessed { algorithm: Algorithm::Sha256, may_be: "SHA3-256, SHA-512/256, BLAKE2 or BLAKE3" },
        128 => ByLength::Guessed { algorithm: Algorithm::Sha512, may_be: "BLAKE2b or SHA3-512" },
        8 => ByLength::Open("CRC-32, CRC-32C or XXH32"),
        16 => ByLength::Open("CRC-64, XXH64 or XXH3"),
        56 => ByLength::Open("SHA-224 or SHA3-224"),
        96 => ByLength::Open("SHA-384, SHA3-384 or BLAKE2b"),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_name_algorithms() {
        for (tag, algorithm) in [
            ("SHA256", Algorithm::Sha256),
            ("SHA2-256", Algorithm::Sha256),
            ("SHA2-512", Algorithm::Sha512),
            ("sha-512", Algorithm::Sha512),
            ("MD5", Algorithm::Md5),
            ("XXH3", Algorithm::Xxh3),
            ("CRC64NVME", Algorithm::Crc64Nvme),
        ] {
            assert_eq!(algorithm_of_tag(tag), Stated::Computed(algorithm), "{tag}");
        }
        for other in
            ["SHA512/256", "SHA512-256", "SHA3-256", "SHA224", "BLAKE2b", "BLAKE2B512", "SM3", "SIZE", "XXH64_LE"]
        {
            assert_eq!(algorithm_of_tag(other), Stated::Other(other.to_owned()));
        }
    }

    #[test]
    fn file_names_state_algorithms() {
        let of = |file: &str| of_file_name(file, "ami-1.bin");
        let computed = |algorithm| ByName::Stated(Stated::Computed(algorithm));
        for (file, stated) in [
            ("SHA256SUMS", computed(Algorithm::Sha256)),
            ("SHA256SUMS.txt", computed(Algorithm::Sha256)),
            ("sha512sum.asc", computed(Algorithm::Sha512)),
            ("ami-1.bin.sha512", computed(Algorithm::Sha512)),
            ("release-sha-256.txt", computed(Algorithm::Sha256)),
            ("MD5SUMS", computed(Algorithm::Md5)),
            ("ami.sha1", computed(Algorithm::Sha1)),
            ("x.crc32c", computed(Algorithm::Crc32c)),
            ("SUMS", ByName::Nothing),
            ("checksums.txt", ByName::Nothing),
            ("checksums-1.2", ByName::Nothing),
            ("md5-and-sha256.txt", ByName::Nothing),
            ("ami-1.bin.txt", ByName::Nothing),
            ("ami-1.bin.lst", ByName::Nothing),
            ("ami-1.bin.md5sum", computed(Algorithm::Md5)),
            ("md4-and-md5.txt", ByName::Unclear),
            ("ami-1.bin.hidrive", ByName::Unclear),
            ("x.git", ByName::Unclear),
            ("ami-1.bin.b2-160", ByName::Stated(Stated::Other("b2".into()))),
            ("md4.sha256", computed(Algorithm::Sha256)),
        ] {
            assert_eq!(of(file), stated, "{file}");
        }
        for other in [
            "B2SUMS",
            "x.b2",
            "x.blake2b",
            "x.sha3-256",
            "sha3sums",
            "x.sha512-256",
            "x.sha384",
            "B3SUMS",
            "x.md4",
            "MD4SUMS",
            "x.mailru",
            "x.ripemd128",
            "x.tiger160",
        ] {
            assert!(matches!(of(other), ByName::Stated(Stated::Other(_))), "{other}: {:?}", of(other));
        }
        assert_eq!(of_file_name("sha512.bin.md5", "sha512.bin"), computed(Algorithm::Md5), "the target's own name");
        for (file, stem) in [
            ("y.bin.md5", Some("y.bin")),
            ("y.SHA256sum", Some("y")),
            ("SUMS", None),
            (".md5", None),
            ("y.bin.txt", None),
        ] {
            assert_eq!(stem_before_algorithm(file), stem, "{file}");
        }
    }
}
