use crate::operation::Operation;
use crate::wire::S3Request;

/// The properties of a request that a rule can match.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Seen<'a> {
    pub operation: Operation,
    pub key: &'a str,
    /// The `Range` header.
    pub range: Option<&'a str>,
    /// The part number in the query.
    pub part: Option<&'a str>,
}

impl<'a> Seen<'a> {
    /// A connection before its first request.
    pub(crate) const CONNECTION: Seen<'static> =
        Seen { operation: Operation::Connect, key: "", range: None, part: None };

    pub(crate) fn of(request: &'a S3Request) -> Self {
        Seen {
            operation: request.operation,
            key: &request.key,
            range: request.header("range"),
            part: request.query("partNumber"),
        }
    }
}
