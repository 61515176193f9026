use std::collections::BTreeMap;

use crate::query::{Parameters, ServiceError};

/// The values of `Name.1`, `Name.2` and so on.
pub(super) fn list(parameters: &Parameters, name: &str) -> Vec<String> {
    (1..).map_while(|number| parameters.get(&format!("{name}.{number}")).cloned()).collect()
}

pub(super) fn is_true(parameters: &Parameters, name: &str) -> bool {
    parameters.get(name).is_some_and(|value| value == "true")
}

/// Tags of `prefix.N.Key` and `prefix.N.Value`.
pub(super) fn tags(parameters: &Parameters, prefix: &str) -> BTreeMap<String, String> {
    let tag = |number: u32| {
        let key = parameters.get(&format!("{prefix}.{number}.Key"))?.clone();
        Some((key, parameters.get(&format!("{prefix}.{number}.Value")).cloned().unwrap_or_default()))
    };
    (1..).map_while(tag).collect()
}

/// Filters with their values; all must hold, one value of each.
pub(super) struct Filters(Vec<(String, Vec<String>)>);

impl Filters {
    pub(super) fn of(parameters: &Parameters) -> Self {
        let filter = |number: u32| {
            let name = parameters.get(&format!("Filter.{number}.Name"))?.clone();
            Some((name, list(parameters, &format!("Filter.{number}.Value"))))
        };
        Filters((1..).map_while(filter).collect())
    }

    /// `value` returns what an item has for a filter, or `None` for an unknown filter.
    pub(super) fn hold(
        &self,
        tags: &BTreeMap<String, String>,
        value: impl Fn(&str) -> Option<String>,
    ) -> Result<bool, ServiceError> {
        for (name, wanted) in &self.0 {
            let matches = |has: &str| wanted.iter().any(|pattern| like(pattern, has));
            let holds = if let Some(key) = name.strip_prefix("tag:") {
                tags.get(key).is_some_and(|has| matches(has))
            } else if name == "tag-key" {
                tags.keys().any(|key| matches(key))
            } else {
                let unknown = || ServiceError::new("InvalidParameterValue", format!("The filter '{name}' is invalid"));
                matches(&value(name).ok_or_else(unknown)?)
            };
            if !holds {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// `*` stands for any text.
fn like(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((start, rest)) => {
            let Some(tail) = text.strip_prefix(start) else { return false };
            (0..=tail.len()).filter_map(|at| tail.get(at..)).any(|tail| like(rest, tail))
        }
    }
}

/// One page of items, and the token of the next.
pub(super) fn page<T>(
    items: Vec<T>,
    parameters: &Parameters,
    most: usize,
) -> Result<(Vec<T>, Option<String>), ServiceError> {
    let number = |name: &str| parameters.get(name).filter(|text| !text.is_empty()).map(|text| text.parse::<usize>());
    let wrong = |_| ServiceError::new("InvalidParameterValue", "MaxResults or NextToken is not valid");
    let start = number("NextToken").transpose().map_err(wrong)?.unwrap_or(0);
    let size = number("MaxResults").transpose().map_err(wrong)?.unwrap_or(usize::MAX);
    if size == 0 || (size > most && size != usize::MAX) {
        return Err(ServiceError::new("InvalidParameterValue", format!("MaxResults must be between 1 and {most}")));
    }
    let end = start.saturating_add(size);
    let next = (items.len() > end).then(|| end.to_string());
    Ok((items.into_iter().skip(start).take(size).collect(), next))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards() {
        assert!(like("a*c", "abbc") && like("*", "") && like("x", "x") && like("*b*", "abc"));
        assert!(!like("a*c", "abd") && !like("x", "xy"));
    }

    #[test]
    fn pages_follow_each_other() {
        let parameters = |pairs: &[(&str, &str)]| {
            pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect::<Parameters>()
        };
        let (items, next) = page((0..5).collect(), &parameters(&[("MaxResults", "3")]), 10).unwrap();
        assert_eq!((items, next.as_deref()), (vec![0, 1, 2], Some("3")));
        let (items, next) =
            page((0..5).collect(), &parameters(&[("MaxResults", "3"), ("NextToken", "3")]), 10).unwrap();
        assert_eq!((items, next), (vec![3, 4], None));
        assert!(page(vec![1], &parameters(&[("MaxResults", "11")]), 10).is_err());
    }
}
