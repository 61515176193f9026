use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use minisign_verify::{Error, PublicKey, Signature};

/// A minisign public key whose signatures on manifests are trusted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ManifestKey {
    key: PublicKey,
    id: String,
}

/// The text is not a minisign public key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is not a public key of minisign")]
pub struct ParseManifestKeyError;

/// A verified signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signed {
    /// Key id as 16 hexadecimal digits, as in the key file.
    pub key_id: String,
    /// The trusted comment, which the signature covers, unlike the first line of the signature file.
    pub trusted_comment: String,
}

/// A signature was not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// The text is not a minisign signature.
    #[error("is no signature of minisign")]
    Malformed,
    /// The signature is by another key.
    #[error("was signed by key {by}, and key {wanted} is required")]
    OtherKey {
        /// Id of the key that made the signature.
        by: String,
        /// Id of the expected key.
        wanted: String,
    },
    /// The signature has the legacy format, which signs the file instead of its hash.
    #[error("has minisign's legacy form, which is not accepted; sign again without -l")]
    Legacy,
    /// The signature does not match the manifest.
    #[error("does not match: manifest or signature was changed, or another key made it")]
    Wrong,
}

/// Accepts the base64 of the key alone, or the text of a key file: a comment line and the base64 below it.
impl FromStr for ManifestKey {
    type Err = ParseManifestKeyError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        let base64 = match (lines.next(), lines.next(), lines.next()) {
            (Some(base64), None, None) => base64,
            (Some(comment), Some(base64), None) if comment.starts_with("untrusted comment:") => base64,
            _ => return Err(ParseManifestKeyError),
        };
        let id = key_id(base64).ok_or(ParseManifestKeyError)?;
        let key = PublicKey::from_base64(base64).map_err(|_| ParseManifestKeyError)?;
        Ok(ManifestKey { key, id })
    }
}

impl ManifestKey {
    /// Verifies the text of a `.minisig` file against the bytes of a manifest.
    ///
    /// # Errors
    ///
    /// When the signature is malformed, has the legacy format, is by another key, or does not match.
    pub fn check(&self, manifest: &[u8], signature: &str) -> Result<Signed, SignatureError> {
        let parsed = Signature::decode(signature).map_err(|_| SignatureError::Malformed)?;
        let by = signature.lines().nth(1).and_then(key_id).ok_or(SignatureError::Malformed)?;
        // A signature does not protect its own format. If both formats were accepted, the digest that a
        // signature in the newer format covers would be accepted as a manifest signed in the legacy format.
        let legacy = false;
        match self.key.verify(manifest, &parsed, legacy) {
            Ok(()) => Ok(Signed { key_id: self.id.clone(), trusted_comment: parsed.trusted_comment().to_owned() }),
            Err(Error::UnexpectedKeyId) => Err(SignatureError::OtherKey { by, wanted: self.id.clone() }),
            Err(Error::UnexpectedAlgorithm) => Err(SignatureError::Legacy),
            Err(_) => Err(SignatureError::Wrong),
        }
    }
}

/// The key id follows two bytes that name the algorithm, in keys and in signatures. minisign prints it as a
/// number.
fn key_id(base64: &str) -> Option<String> {
    let bytes = STANDARD.decode(base64).ok()?;
    let id = <[u8; 8]>::try_from(bytes.get(2..10)?).ok()?;
    Some(format!("{:016X}", u64::from_le_bytes(id)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MANIFEST: &str = include_str!("../../../../tests/fixtures/minisign/copy.manifest.json");
    const SIGNATURE: &str = include_str!("../../../../tests/fixtures/minisign/copy.manifest.json.minisig");
    const KEY: &str = include_str!("../../../../tests/fixtures/minisign/signer.pub");
    const OTHER: &str = include_str!("../../../../tests/fixtures/minisign/other.pub");

    fn check(key: &str, manifest: &str, signature: &str) -> Result<Signed, SignatureError> {
        key.parse::<ManifestKey>().unwrap().check(manifest.as_bytes(), signature)
    }

    #[test]
    fn a_key_is_read_in_both_forms_and_named_as_minisign_names_it() {
        let (comment, base64) = KEY.trim().split_once('\n').unwrap();
        let key: ManifestKey = KEY.parse().unwrap();
        assert_eq!(base64.parse(), Ok(key.clone()));
        assert_eq!(KEY.replace('\n', "\r\n").parse(), Ok(key.clone()));
        assert!(comment.ends_with(&key.id), "{comment}: {}", key.id);
        let signature = SIGNATURE.lines().nth(1).unwrap();
        for none in ["", "\n", comment, "RWQ", signature, &format!("{base64}\n{base64}"), &base64[4..]] {
            assert_eq!(none.parse::<ManifestKey>(), Err(ParseManifestKeyError), "{none}");
        }
    }

    #[test]
    fn a_good_signature_tells_its_key_and_its_trusted_comment() {
        let signed = check(KEY, MANIFEST, SIGNATURE).unwrap();
        assert!(KEY.contains(&signed.key_id));
        assert_eq!(signed.trusted_comment, "copy.bin, checked by the archive team");
    }

    #[test]
    fn every_bit_counts() {
        for at in 0..MANIFEST.len() {
            let mut bytes = MANIFEST.as_bytes().to_vec();
            bytes[at] ^= 1;
            let key: ManifestKey = KEY.parse().unwrap();
            assert_eq!(key.check(&bytes, SIGNATURE), Err(SignatureError::Wrong), "byte {at}");
        }
        assert_eq!(check(KEY, MANIFEST.trim_end(), SIGNATURE), Err(SignatureError::Wrong));
        let comment = SIGNATURE.replace("archive team", "archive  team");
        assert_eq!(check(KEY, MANIFEST, &comment), Err(SignatureError::Wrong), "the trusted comment is signed");
        let untrusted = SIGNATURE.replace("signature from minisign", "whatever");
        assert!(check(KEY, MANIFEST, &untrusted).is_ok(), "the first line is not");
    }

    #[test]
    fn another_key_is_named_and_one_of_the_same_id_does_not_fit() {
        let by = "58650D23E5FCC774".to_owned();
        let wanted = "FCA748D9FC1505F1".to_owned();
        assert_eq!(check(OTHER, MANIFEST, SIGNATURE), Err(SignatureError::OtherKey { by, wanted }));
        // The key id in a signature is not signed, so a forger can set it to the expected one.
        let line = SIGNATURE.lines().nth(1).unwrap();
        let mut bytes = STANDARD.decode(line).unwrap();
        let other = STANDARD.decode(OTHER.lines().nth(1).unwrap()).unwrap();
        bytes[2..10].copy_from_slice(&other[2..10]);
        let forged = SIGNATURE.replace(line, &STANDARD.encode(bytes));
        assert_eq!(check(OTHER, MANIFEST, &forged), Err(SignatureError::Wrong));
    }

    #[test]
    fn the_legacy_form_is_refused_and_cannot_be_relabelled() {
        let legacy = include_str!("../../../../tests/fixtures/minisign/legacy.minisig");
        assert_eq!(check(KEY, MANIFEST, legacy), Err(SignatureError::Legacy));
        let line = legacy.lines().nth(1).unwrap();
        let mut bytes = STANDARD.decode(line).unwrap();
        bytes[1] = b'D';
        let relabelled = legacy.replace(line, &STANDARD.encode(bytes));
        assert_eq!(check(KEY, MANIFEST, &relabelled), Err(SignatureError::Wrong));
    }

    proptest! {
        #[test]
        fn no_text_but_the_signature_passes(lines in prop::collection::vec("[ -~\u{1b}é]{0,120}", 0..6)) {
            let key: ManifestKey = KEY.parse().unwrap();
            let text = lines.join("\n");
            prop_assert!(key.check(MANIFEST.as_bytes(), &text).is_err());
            prop_assert!(text.parse::<ManifestKey>().is_err());
            // Valid comments around arbitrary bytes.
            let text = format!("untrusted comment:\n{}\ntrusted comment: \n{}", STANDARD.encode(&text), STANDARD.encode(&text));
            prop_assert!(key.check(MANIFEST.as_bytes(), &text).is_err());
        }
    }
}
