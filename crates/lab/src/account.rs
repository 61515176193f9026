//! Stand-ins for STS, KMS, SSM and Service Quotas.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::action::Action;
use super::cloud::Cloud;
use super::cloud::account::{AccountState, Parameter};
use super::query::{Parameters, ServiceError};
use super::shared::ACCOUNT;

pub(crate) fn partition(region: &str) -> &'static str {
    if region.starts_with("us-gov-") {
        "aws-us-gov"
    } else if region.starts_with("cn-") {
        "aws-cn"
    } else {
        "aws"
    }
}

pub(crate) fn caller_arn(account: &str, region: &str) -> String {
    format!("arn:{}:iam::{account}:user/lab", partition(region))
}

pub(crate) fn sts(
    account: &str,
    action: Action,
    region: &str,
    parameters: &Parameters,
) -> Result<String, ServiceError> {
    match action {
        Action::GetCallerIdentity => {
            let arn = caller_arn(account, region);
            Ok(format!("<Arn>{arn}</Arn><UserId>AIDALAB</UserId><Account>{account}</Account>"))
        }
        Action::AssumeRole => assume_role(parameters),
        Action::DecodeAuthorizationMessage => {
            let encoded = parameters.get("EncodedMessage").map(String::as_str).unwrap_or_default();
            let decoded = STANDARD.decode(encoded).ok().and_then(|bytes| String::from_utf8(bytes).ok());
            let wrong =
                || ServiceError::new("InvalidAuthorizationMessageException", "The message is not one of the lab's.");
            let decoded = decoded.filter(|text| text.starts_with('{')).ok_or_else(wrong)?;
            Ok(format!("<DecodedMessage>{}</DecodedMessage>", quick_xml::escape::escape(&decoded)))
        }
        _ => Err(ServiceError::new("InvalidAction", "STS has no such action here.")),
    }
}

/// Keys whose id tells the account of the role.
fn assume_role(parameters: &Parameters) -> Result<String, ServiceError> {
    let text = |name: &str| parameters.get(name).map(String::as_str).unwrap_or_default();
    let arn = text("RoleArn");
    let parts: Vec<&str> = arn.split(':').collect();
    let (Some(account), Some(role)) = (parts.get(4), parts.get(5).and_then(|name| name.strip_prefix("role/"))) else {
        return Err(ServiceError::new("ValidationError", format!("{arn} is invalid")));
    };
    let expiration = jiff::Timestamp::now().saturating_add(jiff::SignedDuration::from_hours(1)).unwrap_or_default();
    let expiration = expiration.strftime("%Y-%m-%dT%H:%M:%SZ");
    let (role, session) = (quick_xml::escape::escape(role), quick_xml::escape::escape(text("RoleSessionName")));
    Ok(format!(
        "<Credentials><AccessKeyId>ASIA{account}</AccessKeyId><SecretAccessKey>lab</SecretAccessKey>\
         <SessionToken>lab</SessionToken><Expiration>{expiration}</Expiration></Credentials>\
         <AssumedRoleUser><AssumedRoleId>AROALAB:{session}</AssumedRoleId>\
         <Arn>arn:aws:sts::{account}:assumed-role/{role}/{session}</Arn></AssumedRoleUser>"
    ))
}

pub(crate) fn json(cloud: &mut Cloud, action: Action, region: &str, body: &Value) -> Result<Value, ServiceError> {
    let text = |name: &str| body.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    match action {
        Action::DescribeKey => describe_key(&cloud.account, region, &text("KeyId")),
        Action::GetServiceQuota => {
            let (service, code) = (text("ServiceCode"), text("QuotaCode"));
            let found = quotas(&cloud.account, &service).into_iter().find(|quota| quota["QuotaCode"] == code.as_str());
            let missing = || {
                ServiceError::new(
                    "NoSuchResourceException",
                    "The request failed because the specified quota does not exist.",
                )
            };
            found.map(|quota| json!({ "Quota": quota })).ok_or_else(missing)
        }
        Action::ListServiceQuotas => Ok(json!({ "Quotas": quotas(&cloud.account, &text("ServiceCode")) })),
        Action::PutParameter => put_parameter(&mut cloud.account, region, body),
        Action::GetParameter => {
            let exists = |id: &str| cloud.regions.get(region).is_some_and(|state| state.images.contains_key(id));
            get_parameter(&mut cloud.account, region, &text("Name"), exists).map(|found| json!({ "Parameter": found }))
        }
        Action::GetParameters => {
            let names: Vec<String> = body
                .get("Names")
                .and_then(Value::as_array)
                .into_iter()
                .flatten()
                .filter_map(|name| name.as_str().map(str::to_owned))
                .collect();
            let (mut found, mut invalid) = (Vec::new(), Vec::new());
            for name in names {
                let exists = |id: &str| cloud.regions.get(region).is_some_and(|state| state.images.contains_key(id));
                match get_parameter(&mut cloud.account, region, &name, exists) {
                    Ok(parameter) => found.push(parameter),
                    Err(_) => invalid.push(name),
                }
            }
            Ok(json!({ "Parameters": found, "InvalidParameters": invalid }))
        }
        Action::DeleteParameter => {
            let removed = cloud.account.parameters.remove(&(region.to_owned(), text("Name")));
            removed.map(|_| json!({})).ok_or_else(no_parameter)
        }
        _ => Err(ServiceError::new("UnknownOperationException", "")),
    }
}

fn no_parameter() -> ServiceError {
    ServiceError::new("ParameterNotFound", "")
}

fn describe_key(account: &AccountState, region: &str, key: &str) -> Result<Value, ServiceError> {
    let aws = default_key(region);
    let is_default = key == aws || key == "alias/aws/ebs" || aws.ends_with(&format!("/{key}"));
    let known = account.keys.iter().find(|(arn, _)| *arn == key || arn.ends_with(&format!("/{key}")));
    let (arn, state, manager) = match known {
        Some((arn, state)) => (arn.clone(), state.as_str(), if *arn == aws { "AWS" } else { "CUSTOMER" }),
        None if is_default => (aws, "Enabled", "AWS"),
        None => return Err(ServiceError::new("NotFoundException", format!("Key '{key}' does not exist"))),
    };
    let id = arn.rsplit('/').next().unwrap_or_default();
    Ok(json!({ "KeyMetadata": {
        "AWSAccountId": ACCOUNT, "KeyId": id, "Arn": arn, "KeyState": state, "Enabled": state == "Enabled",
        "KeyManager": manager, "CreationDate": 1_700_000_000, "KeyUsage": "ENCRYPT_DECRYPT",
    }}))
}

/// The key behind `alias/aws/ebs`.
pub(crate) fn default_key(region: &str) -> String {
    format!("arn:{}:kms:{region}:{ACCOUNT}:key/1ab00000-0000-4000-8000-000000000eb5", partition(region))
}

/// Codes and values as they are seen in public listings of accounts.
const QUOTAS: [(&str, &str, &str, f64); 12] = [
    ("ec2", "L-B665C33B", "AMIs", 50_000.0),
    ("ec2", "L-0E3CBAB9", "Public AMIs", 5.0),
    ("ec2", "L-70015FFA", "AMI sharing", 1_000.0),
    ("ebs", "L-309BACF6", "Snapshots per Region", 100_000.0),
    ("ebs", "L-94D7AB7D", "Pending snapshots per account", 100.0),
    ("ebs", "L-C125AE42", "GetSnapshotBlock requests per account", 1_000.0),
    ("ebs", "L-028ACFB9", "GetSnapshotBlock requests per snapshot", 1_000.0),
    ("ebs", "L-AFAE1BE8", "PutSnapshotBlock requests per account", 1_000.0),
    ("ebs", "L-1774F84A", "PutSnapshotBlock requests per snapshot", 1_000.0),
    ("ebs", "L-18E976AB", "ListSnapshotBlocks requests per account", 50.0),
    ("ebs", "L-AFEBDF7A", "StartSnapshot requests per account", 10.0),
    ("ebs", "L-1D4D9345", "CompleteSnapshot requests per account", 10.0),
];

fn quotas(account: &AccountState, wanted: &str) -> Vec<Value> {
    let of_service = QUOTAS.iter().filter(|(service, ..)| *service == wanted);
    let quota = |(service, code, name, value): &(&str, &str, &str, f64)| {
        let value = account.quotas.get(&((*service).to_owned(), (*code).to_owned())).unwrap_or(value);
        json!({ "ServiceCode": service, "QuotaCode": code, "QuotaName": name, "Value": value, "Unit": "None",
            "Adjustable": true, "GlobalQuota": false })
    };
    of_service.map(quota).collect()
}

fn put_parameter(account: &mut AccountState, region: &str, body: &Value) -> Result<Value, ServiceError> {
    let text = |name: &str| body.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let (name, value) = (text("Name"), text("Value"));
    let data_type = body.get("DataType").and_then(Value::as_str).unwrap_or("text").to_owned();
    let place = (region.to_owned(), name);
    let before = account.parameters.get(&place);
    if before.is_some() && body.get("Overwrite") != Some(&Value::Bool(true)) {
        return Err(ServiceError::new("ParameterAlreadyExists", "The parameter already exists."));
    }
    let version = before.map_or(1, |before| before.version + 1);
    // SSM answers before it has checked an AMI.
    let checked_later = data_type == "aws:ec2:image";
    let parameter = match before {
        Some(before) if checked_later => Parameter { pending: Some(value), ..before.clone() },
        _ if checked_later => Parameter { value: String::new(), data_type, version: 0, pending: Some(value) },
        _ => Parameter { value, data_type, version, pending: None },
    };
    account.parameters.insert(place, parameter);
    Ok(json!({ "Version": version, "Tier": "Standard" }))
}

/// SSM validates an AMI id asynchronously. The lab does it on the first read of the parameter.
fn get_parameter(
    account: &mut AccountState,
    region: &str,
    name: &str,
    image_exists: impl Fn(&str) -> bool,
) -> Result<Value, ServiceError> {
    let parameter = account.parameters.get_mut(&(region.to_owned(), name.to_owned())).ok_or_else(no_parameter)?;
    let seen = parameter.clone();
    if let Some(value) = parameter.pending.take().filter(|value| image_exists(value)) {
        (parameter.value, parameter.version) = (value, parameter.version + 1);
    }
    if seen.version == 0 {
        return Err(no_parameter());
    }
    Ok(
        json!({ "Name": name, "Type": "String", "Value": seen.value, "Version": seen.version, "DataType": seen.data_type }),
    )
}
