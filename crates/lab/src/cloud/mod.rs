//! What the lab keeps besides S3, changed by the calls of the other services.

pub(crate) mod account;
pub(crate) mod blocks;
pub(crate) mod ec2;
pub(crate) mod reads;

use std::collections::BTreeMap;

use account::AccountState;
use ec2::Ec2State;

/// Everything that is kept besides S3. It does not outlive the lab.
#[derive(Debug, Default)]
pub(crate) struct Cloud {
    pub regions: BTreeMap<String, Ec2State>,
    pub account: AccountState,
    /// Reasons for which the next tasks are to fail.
    pub fail_stores: Vec<String>,
    pub fail_restores: Vec<String>,
}

impl Cloud {
    pub(crate) fn region(&mut self, region: &str) -> &mut Ec2State {
        self.regions.entry(region.to_owned()).or_default()
    }
}
