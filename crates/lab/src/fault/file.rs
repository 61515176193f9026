//! Fault rules in a JSON document (`stored-ami lab --faults`).

use serde::Deserialize;
use serde_json::Value;

use super::{Fault, FaultRule};
use crate::operation::Operation;

/// Why a document of fault rules cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseFaultsError {
    /// The text is not JSON.
    #[error("is no JSON: {0}")]
    Syntax(String),
    /// The JSON is not a document of rules.
    #[error("is neither an array of rules nor an object with `rules` and perhaps `seed`: {0}")]
    Shape(String),
    /// A rule cannot be used.
    #[error("rule {rule}: {problem}")]
    Rule {
        /// Number of the rule, counted from 1.
        rule: usize,
        /// What is wrong with it.
        problem: String,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    seed: Option<u64>,
    rules: Vec<Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Rule {
    operation: String,
    #[serde(default)]
    key_contains: String,
    by_part: Option<bool>,
    at_byte: Option<u64>,
    #[serde(default)]
    skip: u64,
    times: Option<u64>,
    #[serde(default)]
    always: bool,
    one_in: Option<u64>,
    fault: Fault,
}

/// Parses an array of rules, or an object with `rules` and the `seed` for rules with `one_in`.
///
/// # Errors
///
/// The text is not JSON, is not a document of rules, or contains a rule that cannot apply.
pub fn parse_faults(text: &str) -> Result<Vec<FaultRule>, ParseFaultsError> {
    let value: Value = serde_json::from_str(text).map_err(|error| ParseFaultsError::Syntax(error.to_string()))?;
    let document = match value {
        Value::Array(rules) => Document { seed: None, rules },
        other => serde_json::from_value(other).map_err(|error| ParseFaultsError::Shape(error.to_string()))?,
    };
    let numbered = (1..).zip(document.rules);
    numbered
        .map(|(number, value)| {
            let problem = |problem| ParseFaultsError::Rule { rule: number, problem };
            let rule: Rule = serde_json::from_value(value).map_err(|error| problem(error.to_string()))?;
            rule.build(document.seed, number).map_err(problem)
        })
        .collect()
}

impl Rule {
    fn build(self, seed: Option<u64>, number: usize) -> Result<FaultRule, String> {
        let operation = Operation::named(&self.operation)
            .ok_or_else(|| format!("`{}` is no operation that the lab knows, such as GetObject", self.operation))?;
        possible(operation, &self.fault)?;
        let mut rule = FaultRule::new(operation, self.fault).key_contains(&self.key_contains).skip(self.skip);
        if let Some(with) = self.by_part {
            rule = rule.by_part(with);
        }
        if let Some(offset) = self.at_byte {
            rule = rule.at_byte(offset);
        }
        match (self.times, self.always) {
            (Some(_), true) => return Err("`times` and `always` exclude each other".to_owned()),
            (Some(0), _) => return Err("`times` is 0, so it would never strike".to_owned()),
            (Some(times), false) => rule = rule.times(times),
            (None, true) => rule = rule.always(),
            (None, false) => {}
        }
        match (self.one_in, seed) {
            (None, _) => Ok(rule),
            (Some(0), _) => Err("`one_in` is 0, so it would never strike".to_owned()),
            (Some(_), None) => Err("`one_in` wants a `seed` beside `rules`".to_owned()),
            // Rules with one seed must hit different requests.
            (Some(requests), Some(seed)) => Ok(rule.one_in(requests, seed.wrapping_add(number as u64))),
        }
    }
}

/// Whether a fault can apply to the operation.
fn possible(operation: Operation, fault: &Fault) -> Result<(), String> {
    let problem = match fault {
        Fault::Status { status, .. } if !(300..600).contains(status) => {
            format!("status {status} is no error; they go from 300 to 599")
        }
        Fault::Trickle { rate: 0, .. } => "a `rate` of 0 is `stall_after`".to_owned(),
        Fault::FlipOnWire { mask: 0, .. } => "a `mask` of 0 flips nothing".to_owned(),
        fault if operation == Operation::Connect && *fault != Fault::Dropped => {
            "nothing but `dropped` can strike Connect, for there is no request yet".to_owned()
        }
        _ => return Ok(()),
    };
    Err(problem)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Action;

    fn problem(text: &str) -> String {
        parse_faults(text).unwrap_err().to_string()
    }

    #[test]
    fn every_field_arrives() {
        let rules = parse_faults(
            r#"{"seed": 4, "rules": [
                {"operation": "GetObject", "key_contains": "ami-", "at_byte": 9, "skip": 2, "times": 3, "fault": {"reset_after": 7}},
                {"operation": "HeadObject", "by_part": true, "always": true, "fault": "part_head_lies"},
                {"operation": "CreateStoreImageTask", "one_in": 5, "fault": {"status": {"status": 503, "code": "Unavailable"}}}
            ]}"#,
        );
        let status = Fault::Status { status: 503, code: "Unavailable" };
        assert_eq!(
            rules.unwrap(),
            [
                FaultRule::new(Operation::GetObject, Fault::ResetAfter(7))
                    .key_contains("ami-")
                    .at_byte(9)
                    .skip(2)
                    .times(3),
                FaultRule::new(Operation::HeadObject, Fault::PartHeadLies).by_part(true).always(),
                FaultRule::new(Operation::Service(Action::CreateStoreImageTask), status).one_in(5, 7),
            ]
        );
    }

    #[test]
    fn every_fault_can_be_written() {
        for (text, fault) in [
            (
                r#"{"status": {"status": 500, "code": "InternalError"}}"#,
                Fault::Status { status: 500, code: "InternalError" },
            ),
            (r#""slow_down_inside_200""#, Fault::SlowDownInside200),
            (r#""dropped""#, Fault::Dropped),
            (r#""answer_lost""#, Fault::AnswerLost),
            (r#"{"reset_after": 1}"#, Fault::ResetAfter(1)),
            (r#"{"stall_after": 1}"#, Fault::StallAfter(1)),
            (r#"{"trickle": {"after": 1, "rate": 2}}"#, Fault::Trickle { after: 1, rate: 2 }),
            (r#"{"end_early": 1}"#, Fault::EndEarly(1)),
            (r#"{"close_after": 1}"#, Fault::CloseAfter(1)),
            (r#"{"too_long": 1}"#, Fault::TooLong(1)),
            (r#"{"too_short": 1}"#, Fault::TooShort(1)),
            (r#"{"length_lies": -1}"#, Fault::LengthLies(-1)),
            (r#"{"content_range_shifted": 1}"#, Fault::ContentRangeShifted(1)),
            (r#"{"content_range_total": 1}"#, Fault::ContentRangeTotal(1)),
            (r#"{"header_absent": "etag"}"#, Fault::HeaderAbsent("etag")),
            (r#""range_ignored""#, Fault::RangeIgnored),
            (r#"{"other_etag": "x"}"#, Fault::OtherETag("x".to_owned())),
            (r#""replace_object""#, Fault::ReplaceObject),
            (r#""delete_object""#, Fault::DeleteObject),
            (r#"{"flip_on_wire": {"offset": 1, "mask": 2}}"#, Fault::FlipOnWire { offset: 1, mask: 2 }),
            (r#""attributes_ignored""#, Fault::AttributesIgnored),
            (r#""part_head_lies""#, Fault::PartHeadLies),
            (r#"{"part_sizes_shifted": 1}"#, Fault::PartSizesShifted(1)),
            (r#"{"listed_sizes_shifted": 1}"#, Fault::ListedSizesShifted(1)),
            (
                r#"{"other_header": {"name": "etag", "value": "x"}}"#,
                Fault::OtherHeader { name: "etag", value: "x".to_owned() },
            ),
            (r#""part_etag""#, Fault::PartETag),
            (r#"{"text_replaced": [["a", "b"]]}"#, Fault::TextReplaced(vec![("a".into(), "b".into())])),
        ] {
            let rules = parse_faults(&format!(r#"[{{"operation": "GetObject", "fault": {text}}}]"#));
            assert_eq!(rules, Ok(vec![FaultRule::new(Operation::GetObject, fault)]), "{text}");
        }
    }

    #[test]
    fn what_is_wrong_is_said() {
        assert!(problem("[").starts_with("is no JSON: EOF"));
        assert!(problem("7").starts_with("is neither an array of rules nor an object"));
        assert!(problem(r#"{"rule": []}"#).contains("unknown field `rule`"));
        let good = r#"{"operation": "GetObject", "fault": "dropped"}"#;
        for (rule, expected) in [
            (r#"{"fault": "dropped"}"#, "missing field `operation`"),
            (r#"{"operation": "GetObject"}"#, "missing field `fault`"),
            (r#"{"operation": "GetObject", "fault": "dropped", "time": 3}"#, "unknown field `time`, expected one of"),
            (r#"{"operation": "GetObjekt", "fault": "dropped"}"#, "`GetObjekt` is no operation"),
            (r#"{"operation": "Service", "fault": "dropped"}"#, "`Service` is no operation"),
            (r#"{"operation": "GetObject", "fault": "droped"}"#, "unknown variant `droped`, expected one of"),
            (r#"{"operation": "GetObject", "fault": {"trickle": {"after": 1, "speed": 2}}}"#, "unknown field `speed`"),
            (r#"{"operation": "GetObject", "fault": {"reset_after": -1}}"#, "invalid value: integer `-1`"),
            (
                r#"{"operation": "GetObject", "fault": {"status": {"status": 200, "code": "OK"}}}"#,
                "status 200 is no error",
            ),
            (r#"{"operation": "GetObject", "fault": {"trickle": {"after": 1, "rate": 0}}}"#, "`stall_after`"),
            (r#"{"operation": "GetObject", "fault": {"flip_on_wire": {"offset": 1, "mask": 0}}}"#, "flips nothing"),
            (r#"{"operation": "GetObject", "fault": "dropped", "times": 1, "always": true}"#, "exclude each other"),
            (r#"{"operation": "GetObject", "fault": "dropped", "times": 0}"#, "`times` is 0"),
            (r#"{"operation": "GetObject", "fault": "dropped", "one_in": 0}"#, "`one_in` is 0"),
            (r#"{"operation": "GetObject", "fault": "dropped", "one_in": 3}"#, "wants a `seed`"),
            (r#"{"operation": "Connect", "fault": {"reset_after": 3}}"#, "nothing but `dropped` can strike Connect"),
        ] {
            let said = problem(&format!("[{good}, {rule}]"));
            assert!(said.starts_with("rule 2: ") && said.contains(expected), "{rule}: {said}");
        }
    }
}
