use crate::verdict::{Evidence, Failure, Outcome};

/// Whether an object can be a stored AMI by its size alone: one without bytes never is.
///
/// One rule for whatever is named `ami-….bin`, read or not, with a ledger or without. `source` is what told the size.
pub fn stored_size(bytes: u64, source: &str) -> Outcome {
    let evidence = Evidence::of_rule(source, "an object with bytes", format!("{bytes} bytes"));
    match bytes {
        0 => Outcome::Fail(Failure::of_rule(evidence)),
        _ => Outcome::Pass(evidence),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_no_ami() {
        assert!(matches!(stored_size(0, "HeadObject"), Outcome::Fail(_)));
        assert!(matches!(stored_size(1, "HeadObject"), Outcome::Pass(_)));
    }
}
