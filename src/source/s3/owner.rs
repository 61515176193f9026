use aws_sdk_s3::types::RequestPayer;

use super::S3Object;
use super::error::translate;
use crate::facts::OwnerCheck;
use crate::source::ErrorKind;
use crate::sync::lock;

/// An account id other than `account`.
fn another(account: &str) -> String {
    let last = if account.ends_with('0') { '1' } else { '0' };
    account.chars().take(account.len().saturating_sub(1)).chain([last]).collect()
}

impl S3Object {
    /// Sends a HEAD with a wrong expected owner. S3 refuses it (S3 API reference, *HeadObject*: 403 if the account does
    /// not match); a server that accepts it ignores the owner. The caller has seen the same HEAD succeed with the right
    /// owner.
    ///
    /// Returns the result and the number of requests sent; `None` if no owner is expected or no setting names an
    /// endpoint.
    pub(super) async fn probe_owner(&self) -> Option<(OwnerCheck, u64)> {
        let options = &self.connection.options;
        let owner = options.expected_bucket_owner.as_ref()?;
        let checks = self.connection.owner_checks()?;
        if let Some(known) = lock(checks).get(&self.uri.bucket) {
            return Some((known.clone(), 0));
        }
        let key = options.customer_key.as_ref();
        let request = self
            .client
            .head_object()
            .bucket(&self.uri.bucket)
            .key(&self.uri.key)
            .set_version_id(self.uri.version.clone())
            .set_request_payer(options.request_payer.then_some(RequestPayer::Requester))
            .set_sse_customer_algorithm(key.map(|_| "AES256".to_owned()))
            .set_sse_customer_key(key.map(|key| key.key.clone()))
            .set_sse_customer_key_md5(key.map(|key| key.md5.clone()))
            .expected_bucket_owner(another(owner));
        let answer = request.send().await.map_err(|error| translate(error, &self.uri.to_string(), "s3:GetObject"));
        let check = match answer {
            Ok(_) => OwnerCheck::Ignored { owner: owner.clone() },
            Err(error) if error.kind == ErrorKind::Denied => OwnerCheck::Heeded,
            Err(error) => return Some((OwnerCheck::NotShown { owner: owner.clone(), because: error.explain() }, 1)),
        };
        lock(checks).insert(self.uri.bucket.clone(), check.clone());
        Some((check, 1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_account_has_twelve_digits_too() {
        for account in ["123456789012", "000000000000", "999999999990"] {
            let other = another(account);
            assert!(other != account && other.len() == 12 && other.bytes().all(|b| b.is_ascii_digit()), "{other}");
        }
    }
}
