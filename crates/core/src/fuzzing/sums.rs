use std::path::Path;

use super::text;
use crate::manifest::{SumValue, SumsRequest, SumsTarget, find_sums};

/// Input: a line with the name of the target, then a checksum file.
pub fn sums(data: &[u8]) -> bool {
    let Some((name, file)) = text(data).and_then(|text| text.split_once('\n')) else { return false };
    let target = SumsTarget::file(Path::new(name), &Path::new("/").join(name), &[]);
    let find = |text: &str| {
        let request =
            SumsRequest { file: "SUMS", algorithm: None, target: &target, means_another: &|_| false, one_target: true };
        find_sums(text, &request)
    };
    let Ok(found) = find(file) else { return false };
    assert!(!found.values.is_empty(), "a file that does not name the target is refused");
    // The order of the lines does not change the values.
    let backwards: Vec<&str> = file.split('\n').rev().collect();
    let has_headings = file.lines().any(|line| line.trim_end().ends_with(':'));
    if !file.contains("-----") && !has_headings {
        let again = find(&backwards.join("\n"));
        assert!(again.is_ok_and(|again| again.values.len() == found.values.len()), "in another order");
    }
    let writable = !name.is_empty() && !name.contains(['\r', '\\']) && name == name.trim();
    for digest in found.values.iter().filter_map(|line| match &line.value {
        SumValue::Stated(digest) | SumValue::Guessed { digest, .. } if writable => Some(*digest),
        _ => None,
    }) {
        let line = format!("{} ({name}) = {}\n", digest.algorithm(), digest.hex());
        let value = find(&line).map(|found| found.values.into_iter().map(|line| line.value).collect::<Vec<_>>());
        assert_eq!(value, Ok(vec![SumValue::Stated(digest)]), "written as `{line}`");
    }
    true
}
