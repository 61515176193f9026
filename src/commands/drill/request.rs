use std::sync::Arc;

use crate::checksum::{Algorithm, Hasher};
use crate::commands::ObjectServices;
use crate::commands::blocks::{BlockServices, ExpectedContent};
use crate::commands::preflight::RestorePreflightRequest;
use crate::ident::{AmiId, ObjectUri};
use crate::image::RemovalService;
use crate::ledger::SharedLedger;

/// The services of a drill, all in one Region.
#[derive(Clone)]
pub struct DrillServices {
    /// EC2, the account, and the object.
    pub object: ObjectServices,
    /// The EBS direct APIs, for the proof.
    pub blocks: BlockServices,
    /// What removes AMIs and snapshots.
    pub removal: Arc<dyn RemovalService>,
}

/// What a drill restores and proves.
#[derive(Debug, Clone)]
pub struct DrillRequest {
    /// The restore, with the name of the AMI; see [`drill_name`].
    pub restore: RestorePreflightRequest,
    /// Time of the verification in seconds, if there was one.
    pub verify_seconds: Option<f64>,
    /// The expected content.
    pub expected: ExpectedContent,
    /// Keep the AMI and its snapshots.
    pub keep: bool,
    /// The ledger that keeps the proof, if there is one.
    pub ledger: Option<SharedLedger>,
}

/// The name of the AMI of a drill, unless another is given. Every drill of an object has the same name: EC2 keeps names
/// unique, so that there is at most one AMI, and a drill that was killed is found again.
pub fn drill_name(target: &ObjectUri) -> String {
    let of = match AmiId::from_key(&target.key) {
        Some(image) => image.to_string(),
        None => {
            let text = format!("{}/{}", target.bucket, target.key);
            let mut digest = Hasher::digest(Algorithm::Sha256, text.as_bytes()).hex();
            digest.truncate(17);
            digest
        }
    };
    format!("stored-ami-drill-{of}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ident::ImageName;

    #[test]
    fn a_drill_has_a_legal_name_of_its_object() {
        let name = |uri: &str| drill_name(&uri.parse().unwrap());
        let of_id = name("s3://b/dr/ami-0123456789abcdef0.bin");
        assert_eq!(of_id, "stored-ami-drill-ami-0123456789abcdef0");
        assert_ne!(name("s3://b/x"), name("s3://b/y"));
        for name in [of_id, name("s3://b/x")] {
            assert!(name.parse::<ImageName>().is_ok(), "{name}");
        }
    }
}
