/// One thing we asked a server, and what became of the question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fact<T> {
    /// The answer, and the API call it came from.
    Known { value: T, source: &'static str },
    /// The server answered that there is none.
    Absent { source: &'static str },
    /// A permission is missing.
    NotPermitted { needs: &'static str },
    /// The question could not be answered for another reason.
    Unavailable { because: String },
    /// The question does not arise, as for a local file.
    NotApplicable,
}

impl<T> Fact<T> {
    pub fn value(&self) -> Option<&T> {
        match self {
            Fact::Known { value, .. } => Some(value),
            _ => None,
        }
    }

    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> Fact<U> {
        match self {
            Fact::Known { value, source } => Fact::Known { value: f(value), source },
            Fact::Absent { source } => Fact::Absent { source },
            Fact::NotPermitted { needs } => Fact::NotPermitted { needs },
            Fact::Unavailable { because } => Fact::Unavailable { because },
            Fact::NotApplicable => Fact::NotApplicable,
        }
    }

    /// Why there is no value, in words; `None` where there is one.
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
