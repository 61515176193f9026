use std::io;

use bytes::Bytes;
use http::{Method, Request};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;

use crate::checksum::{Algorithm, Hasher};

type Http = Client<HttpConnector, Full<Bytes>>;

/// Stores `data` the way EC2 does it, by multipart upload; each part with its SHA-256.
/// The lab takes requests without a signature.
pub(super) async fn multipart(endpoint: &str, bucket: &str, key: &str, data: Vec<u8>, part: usize) -> io::Result<()> {
    let http: Http = Client::builder(TokioExecutor::new()).build_http();
    let data = Bytes::from(data);
    let bucket = format!("{endpoint}/{bucket}");
    let object = format!("{bucket}/{key}");
    send(&http, Request::builder().method(Method::PUT).uri(&bucket), Bytes::new()).await?;
    let create = Request::builder()
        .method(Method::POST)
        .uri(format!("{object}?uploads"))
        .header("x-amz-checksum-algorithm", "SHA256")
        .header("x-amz-checksum-type", "COMPOSITE")
        .header("x-amz-meta-note", "written by the demo, not by EC2");
    let answer = send(&http, create, Bytes::new()).await?.1;
    let upload = between(&answer, "<UploadId>", "</UploadId>")?;
    let mut list = String::new();
    for number in 1..=data.len().div_ceil(part) {
        let start = (number - 1) * part;
        let body = data.slice(start..data.len().min(start + part));
        let sha256 = Hasher::digest(Algorithm::Sha256, &body).base64();
        let put = Request::builder()
            .method(Method::PUT)
            .uri(format!("{object}?partNumber={number}&uploadId={upload}"))
            .header("x-amz-checksum-sha256", &sha256);
        let etag = send(&http, put, body).await?.0;
        list += &format!(
            "<Part><PartNumber>{number}</PartNumber><ETag>{etag}</ETag><ChecksumSHA256>{sha256}</ChecksumSHA256></Part>"
        );
    }
    let complete = Request::builder().method(Method::POST).uri(format!("{object}?uploadId={upload}"));
    let body = format!("<CompleteMultipartUpload>{list}</CompleteMultipartUpload>");
    send(&http, complete, body.into()).await.map(drop)
}

/// Answers with the ETag and the body.
async fn send(http: &Http, request: http::request::Builder, body: Bytes) -> io::Result<(String, String)> {
    let request = request.body(Full::new(body)).map_err(io::Error::other)?;
    let response = http.request(request).await.map_err(io::Error::other)?;
    let status = response.status();
    let etag = response.headers().get("etag").and_then(|etag| etag.to_str().ok()).unwrap_or_default().to_owned();
    let body = response.into_body().collect().await.map_err(io::Error::other)?.to_bytes();
    let body = String::from_utf8_lossy(&body).into_owned();
    if status.is_success() { Ok((etag, body)) } else { Err(io::Error::other(format!("status {status}: {body}"))) }
}

fn between<'a>(text: &'a str, before: &str, after: &str) -> io::Result<&'a str> {
    let found = text.split_once(before).and_then(|(_, rest)| rest.split_once(after)).map(|(found, _)| found);
    found.ok_or_else(|| io::Error::other(format!("no {before} in the answer: {text}")))
}
