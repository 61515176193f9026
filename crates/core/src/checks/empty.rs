use crate::ident::Target;
use crate::verdict::{Evidence, Failure};

/// A failure if an object with the name of a stored AMI is empty, because EC2 never writes an empty one.
/// `None` for any other size or name.
pub fn wrong_size(target: &Target, bytes: u64) -> Option<Failure> {
    let id = target.ami_id().filter(|_| bytes == 0)?;
    let source = format!("a stored AMI object ({id}.bin) has bytes");
    Some(Failure::of_rule(Evidence::of_rule(source, "at least 1 byte", "0 bytes")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stored_ami_has_bytes() {
        let wrong = |target: &str, bytes| wrong_size(&target.parse().unwrap(), bytes).is_some();
        assert!(wrong("s3://b/ami-0123456789abcdef0.bin", 0));
        assert!(wrong("s3://b/a/ami-1a2b3c4d.bin?versionId=x", 0));
        assert!(wrong("dir/ami-0123456789abcdef0.bin", 0));
        assert!(!wrong("s3://b/ami-0123456789abcdef0.bin", 1));
        assert!(!wrong("s3://b/image.bin", 0));
        assert!(!wrong("s3://b/ami-0123456789abcdef0.bin.part", 0));
    }
}
