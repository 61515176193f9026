//! Reports with hostile text in every string that takes it.

/// Appends `text` to every string of a report in which it may stand. Values of closed sets refuse it: the report could
/// not be read. Returns the number of strings that were changed.
pub fn spoil_texts<T: serde::de::DeserializeOwned>(report: &mut serde_json::Value, text: &str) -> usize {
    let mut pointers = Vec::new();
    strings(report, String::new(), &mut pointers);
    let mut spoiled = 0;
    for pointer in pointers {
        let there = report.pointer_mut(&pointer).unwrap();
        let old = there.take();
        *there = format!("{}{text}", old.as_str().unwrap()).into();
        if serde_json::from_value::<T>(report.clone()).is_ok() {
            spoiled += 1;
        } else {
            *report.pointer_mut(&pointer).unwrap() = old;
        }
    }
    spoiled
}

fn strings(value: &serde_json::Value, at: String, found: &mut Vec<String>) {
    use serde_json::Value::{Array, Object, String};
    match value {
        String(_) => found.push(at),
        Array(list) => {
            list.iter().enumerate().for_each(|(index, value)| strings(value, format!("{at}/{index}"), found))
        }
        Object(fields) => {
            for (name, value) in fields {
                strings(value, format!("{at}/{}", name.replace('~', "~0").replace('/', "~1")), found);
            }
        }
        _ => {}
    }
}
