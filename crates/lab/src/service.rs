//! The services besides S3, on the same endpoint: EC2 and STS by the Query protocol, KMS, SSM and Service Quotas by
//! JSON 1.1.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::StatusCode;
use serde_json::{Value, json};

use super::action::Action;
use super::ec2;
use super::fault::Fault;
use super::query::{Parameters, ServiceError};
use super::shared::Shared;
use super::wire::{Reply, S3Request, percent};
use super::{account, operation::Operation};
use crate::sync::lock;

/// A parsed request to one of the services.
pub(crate) struct ServiceCall {
    pub action: Option<Action>,
    /// As the client named it.
    name: String,
    protocol: Protocol,
    pub region: String,
}

enum Protocol {
    Ec2(Parameters),
    Sts(Parameters),
    Json(Value),
}

impl ServiceCall {
    /// Whether a request is for one of these services: S3 has no POST without a bucket.
    pub(crate) fn is_meant(request: &S3Request) -> bool {
        request.method == http::Method::POST && request.bucket.is_empty()
    }

    pub(crate) fn parse(shared: &Shared, request: &S3Request, body: &[u8]) -> Self {
        let scope =
            request.header("authorization").and_then(|text| text.split_once("Credential=")?.1.split([',', ' ']).next());
        let region = scope.and_then(|scope| scope.split('/').nth(2)).unwrap_or(&shared.options.region).to_owned();
        if let Some(target) = request.header("x-amz-target") {
            let name = target.rsplit('.').next().unwrap_or_default().to_owned();
            let value = serde_json::from_slice(body).unwrap_or(Value::Null);
            return ServiceCall { action: Action::named(&name), name, protocol: Protocol::Json(value), region };
        }
        let mut parameters: Parameters = request.query.iter().cloned().collect();
        for pair in String::from_utf8_lossy(body).split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            parameters.insert(percent::decode_query(name), percent::decode_query(value));
        }
        let name = parameters.get("Action").cloned().unwrap_or_default();
        let sts = parameters.get("Version").is_some_and(|version| version == "2011-06-15");
        let protocol = if sts { Protocol::Sts(parameters) } else { Protocol::Ec2(parameters) };
        ServiceCall { action: Action::named(&name), name, protocol, region }
    }

    pub(crate) fn operation(&self) -> Operation {
        self.action.map_or(Operation::Unknown, Operation::Service)
    }

    pub(crate) async fn answer(
        &self,
        shared: &Arc<Shared>,
        request: &S3Request,
        fault: Option<&Fault>,
        id: &str,
    ) -> Reply {
        let result = match fault {
            Some(Fault::Status { status, code }) => Err(ServiceError {
                status: *status,
                code: (*code).to_owned(),
                message: "This answer comes from a script of the lab.".to_owned(),
            }),
            // This answer is not sent.
            Some(Fault::Dropped) => Ok(String::new()),
            _ => self.carry_out(shared, request, id).await,
        };
        let (status, body) = match result {
            Ok(body) => (200, body),
            Err(error) => (error.status, self.error_body(&error, id)),
        };
        let kind = match self.protocol {
            Protocol::Json(_) => "application/x-amz-json-1.1",
            _ => "text/xml;charset=UTF-8",
        };
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        Reply::bytes(status, Bytes::from(body)).header("content-type", kind)
    }

    /// What a denial under a prefix is compared with: the ARN of a role that is assumed.
    fn resource(&self) -> &str {
        match (&self.protocol, self.action) {
            (Protocol::Sts(parameters), Some(Action::AssumeRole)) => {
                parameters.get("RoleArn").map(String::as_str).unwrap_or_default()
            }
            _ => "",
        }
    }

    async fn carry_out(&self, shared: &Arc<Shared>, request: &S3Request, id: &str) -> Result<String, ServiceError> {
        if request.credential().is_some_and(|(access_key, _)| access_key.starts_with("EXPIRED")) {
            return Err(match self.protocol {
                Protocol::Ec2(_) => ServiceError::new("RequestExpired", "Request has expired."),
                _ => ServiceError::new("ExpiredToken", "The security token included in the request is expired"),
            });
        }
        let Some(action) = self.action else {
            return Err(match self.protocol {
                Protocol::Json(_) => ServiceError::new("UnknownOperationException", ""),
                _ => ServiceError::new(
                    "InvalidAction",
                    format!("The action {} is not valid for this web service.", self.name),
                ),
            });
        };
        // AWS asks no permission for GetCallerIdentity.
        if action != Action::GetCallerIdentity && shared.denies(action.iam(), self.resource()) {
            return Err(self.denied(&shared.options.account, action));
        }
        match &self.protocol {
            Protocol::Ec2(parameters) => {
                // A dry run is refused or passed behind the permission, before anything is looked at: what AWS does
                // there is not published.
                if parameters.get("DryRun").is_some_and(|value| value == "true") {
                    let message = "Request would have succeeded, but DryRun flag is set.";
                    return Err(ServiceError { status: 412, ..ServiceError::new("DryRunOperation", message) });
                }
                let inside = ec2::run(shared, action, &self.region, parameters).await?;
                Ok(format!(
                    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<{0}Response xmlns=\"http://ec2.amazonaws.com/doc/2016-11-15/\"><requestId>{id}</requestId>{inside}</{0}Response>",
                    self.name
                ))
            }
            Protocol::Sts(parameters) => {
                let inside = account::sts(&shared.options.account, action, &self.region, parameters)?;
                Ok(format!(
                    "<{0}Response xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><{0}Result>{inside}</{0}Result><ResponseMetadata><RequestId>{id}</RequestId></ResponseMetadata></{0}Response>",
                    self.name
                ))
            }
            Protocol::Json(body) => {
                let mut cloud = lock(&shared.cloud);
                account::json(&mut cloud, action, &self.region, body).map(|value| value.to_string())
            }
        }
    }

    fn denied(&self, caller: &str, action: Action) -> ServiceError {
        let arn = account::caller_arn(caller, &self.region);
        let iam = action.iam();
        match self.protocol {
            Protocol::Ec2(_) => {
                let resource = format!("arn:{}:ec2:{}::image/*", account::partition(&self.region), self.region);
                let cause = json!({
                    "allowed": false,
                    "explicitDeny": true,
                    "context": { "principal": { "arn": arn }, "action": iam, "resource": resource },
                });
                let message = format!(
                    "You are not authorized to perform this operation. User: {arn} is not authorized to perform: {iam} on resource: {resource} with an explicit deny. Encoded authorization failure message: {}",
                    STANDARD.encode(cause.to_string())
                );
                ServiceError { status: 403, ..ServiceError::new("UnauthorizedOperation", message) }
            }
            Protocol::Sts(_) => ServiceError {
                status: 403,
                ..ServiceError::new("AccessDenied", format!("User: {arn} is not authorized to perform: {iam}"))
            },
            Protocol::Json(_) => {
                ServiceError::new("AccessDeniedException", format!("User: {arn} is not authorized to perform: {iam}"))
            }
        }
    }

    fn error_body(&self, error: &ServiceError, id: &str) -> String {
        let (code, message) = (&error.code, quick_xml::escape::escape(error.message.as_str()));
        match self.protocol {
            Protocol::Ec2(_) => format!(
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Response><Errors><Error><Code>{code}</Code><Message>{message}</Message></Error></Errors><RequestID>{id}</RequestID></Response>"
            ),
            Protocol::Sts(_) => format!(
                "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error><RequestId>{id}</RequestId></ErrorResponse>"
            ),
            Protocol::Json(_) => json!({ "__type": code, "message": error.message }).to_string(),
        }
    }
}
