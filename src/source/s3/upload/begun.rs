//! Answers to CreateMultipartUpload that the SDK does not read.

use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::error::SdkError;
use serde::Deserialize;

use crate::ident::ObjectUri;

/// The elements of the answer, below a root element of any name.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Begun {
    bucket: String,
    key: String,
    upload_id: String,
}

/// The id of an upload in an answer whose root element is not that of S3, as `rclone serve s3` sends it. Other clients
/// do not look at the name of the root.
pub(super) fn foreign_id<E>(error: &SdkError<E, HttpResponse>, uri: &ObjectUri) -> Option<String> {
    let answer = error.raw_response().filter(|answer| answer.status().is_success())?;
    id_in(answer.body().bytes()?, uri)
}

fn id_in(body: &[u8], uri: &ObjectUri) -> Option<String> {
    let begun: Begun = quick_xml::de::from_str(std::str::from_utf8(body).ok()?).ok()?;
    (begun.bucket == uri.bucket && begun.key == uri.key).then_some(begun.upload_id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_upload_is_taken_from_an_answer_about_the_same_object_alone() {
        let answer = |root: &str, key: &str| {
            format!("<{root}><Bucket>b</Bucket><Key>{key}</Key><UploadId>7</UploadId></{root}>")
        };
        let uri: ObjectUri = "s3://b/k".parse().unwrap();
        let id = |text: String| id_in(text.as_bytes(), &uri);
        assert_eq!(id(answer("InitiateMultipartUpload", "k")), Some("7".to_owned()));
        assert_eq!(id(answer("InitiateMultipartUpload", "other")), None);
        assert_eq!(id("<Error><Code>SlowDown</Code></Error>".to_owned()), None);
        assert_eq!(id("no XML".to_owned()), None);
    }
}
