"""Reads one object with AWS's C runtime client and drops the bytes: the bare download to compare with.

usage: awscrt_read.py ENDPOINT BUCKET KEY SIZE
Credentials and Region come from the usual AWS environment variables.
"""

import os
import sys
from urllib.parse import urlparse

from awscrt.auth import AwsCredentialsProvider
from awscrt.http import HttpHeaders, HttpRequest
from awscrt.io import ClientBootstrap, ClientTlsContext, DefaultHostResolver, EventLoopGroup, TlsContextOptions
from awscrt.s3 import S3Client, S3RequestTlsMode, S3RequestType, create_default_s3_signing_config

endpoint, bucket, key, size = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])
url = urlparse(endpoint)
region = os.environ["AWS_REGION"]
tls = None
if url.scheme == "https":
    options = TlsContextOptions()
    bundle = os.environ.get("AWS_CA_BUNDLE")
    if bundle:
        options.override_default_trust_store_from_path(None, bundle)
    tls = ClientTlsContext(options).new_connection_options()
group = EventLoopGroup()
bootstrap = ClientBootstrap(group, DefaultHostResolver(group))
credentials = AwsCredentialsProvider.new_static(os.environ["AWS_ACCESS_KEY_ID"], os.environ["AWS_SECRET_ACCESS_KEY"])
client = S3Client(
    bootstrap=bootstrap,
    region=region,
    tls_mode=S3RequestTlsMode.ENABLED if tls else S3RequestTlsMode.DISABLED,
    tls_connection_options=tls,
    signing_config=create_default_s3_signing_config(region=region, credential_provider=credentials),
    part_size=8 << 20,
    throughput_target_gbps=10,
)
got = 0


def on_body(chunk, offset, **_):
    global got
    got += len(chunk)


request = HttpRequest("GET", f"/{bucket}/{key}", HttpHeaders([("host", url.netloc)]))
client.make_request(
    type=S3RequestType.GET_OBJECT,
    request=request,
    on_body=on_body,
).finished_future.result()
if got != size:
    sys.exit(f"{got} bytes instead of {size}")
