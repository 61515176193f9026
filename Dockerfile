# An image with the binary and the certificates, for a user without rights:
#   docker build -t stored-ami .
#   docker run --rm -v ~/.aws:/home/stored-ami/.aws:ro stored-ami inspect s3://BUCKET/KEY
# Both stages are of the same Debian, so that the binary finds the glibc that it was linked with.
FROM rust:1.95-slim-bookworm AS build
RUN apt-get update \
    && apt-get install -y --no-install-recommends gcc libc6-dev \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /source
COPY . .
RUN cargo build --release --locked --bin stored-ami \
    && strip target/release/stored-ami

FROM debian:bookworm-slim
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --create-home --uid 10001 --shell /usr/sbin/nologin stored-ami
COPY --from=build /source/target/release/stored-ami /usr/local/bin/stored-ami
COPY LICENSE-MIT LICENSE-APACHE /usr/share/doc/stored-ami/
USER stored-ami
WORKDIR /home/stored-ami
ENTRYPOINT ["stored-ami"]
CMD ["--help"]
