//! Macros for the requests on an object.

/// Sets the fields that every request on an object has: bucket, key, version, payer and expected owner.
macro_rules! addressed {
    ($self:ident, $request:expr, $uri:expr) => {{
        let options = &$self.connection.options;
        $request
            .bucket(&$uri.bucket)
            .key(&$uri.key)
            .set_version_id($uri.version.clone())
            .set_request_payer(options.request_payer.then_some(RequestPayer::Requester))
            .set_expected_bucket_owner(options.expected_bucket_owner.clone())
    }};
}

/// Sets the SSE-C key, if there is one.
macro_rules! with_key {
    ($self:ident, $request:expr) => {{
        let key = $self.connection.options.customer_key.as_ref();
        $request
            .set_sse_customer_algorithm(key.map(|_| "AES256".to_owned()))
            .set_sse_customer_key(key.map(|key| key.key.clone()))
            .set_sse_customer_key_md5(key.map(|key| key.md5.clone()))
    }};
}

/// Sends a request whose response is checked against the known identity of the object. Records the status and the
/// rejected bytes in the object's context. Returns the SDK's output and the response headers.
macro_rules! hear {
    ($self:ident, $about:expr, $request:expr, $needs:expr) => {{
        let about = About::new($about);
        let answer = $request.customize().interceptor(about.clone()).send().await;
        let heard = about.heard();
        $self.standing.heard(&heard);
        answer.map(|answer| (answer, heard.headers)).map_err(|error| translate(error, &$self.subject(), $needs))
    }};
}

pub(super) use {addressed, hear, with_key};
