/// The answer to one question to a server, or the reason why there is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fact<T> {
    /// The server answered.
    Known {
        /// The answer.
        value: T,
        /// The API call, for the report.
        source: &'static str,
    },
    /// The server answered that there is no such value.
    Absent {
        /// The API call, for the report.
        source: &'static str,
    },
    /// The caller lacks a permission.
    NotPermitted {
        /// The IAM action that is needed.
        needs: &'static str,
    },
    /// The question could not be answered for another reason.
    Unavailable {
        /// The reason, for the report.
        because: String,
    },
    /// The question does not apply, for example to a local file.
    NotApplicable,
}

impl<T> Fact<T> {
    /// The value, if it is known.
    pub fn value(&self) -> Option<&T> {
        match self {
            Fact::Known { value, .. } => Some(value),
            _ => None,
        }
    }

    /// Applies `f` to the value and keeps the source, or the reason why there is none.
    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> Fact<U> {
        match self {
            Fact::Known { value, source } => Fact::Known { value: f(value), source },
            Fact::Absent { source } => Fact::Absent { source },
            Fact::NotPermitted { needs } => Fact::NotPermitted { needs },
            Fact::Unavailable { because } => Fact::Unavailable { because },
            Fact::NotApplicable => Fact::NotApplicable,
        }
    }

    /// Why there is no value, for the report; `None` if there is one.
    pub fn why_not(&self) -> Option<String> {
        match self {
            Fact::Known { .. } => None,
            Fact::Absent { source } => Some(format!("none ({source})")),
            Fact::NotPermitted { needs } => Some(format!("not permitted (needs {needs})")),
            Fact::Unavailable { because } => Some(because.clone()),
            Fact::NotApplicable => Some("not applicable".to_owned()),
        }
    }
}
