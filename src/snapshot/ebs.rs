use async_trait::async_trait;
use aws_sdk_ebs::Client;
use aws_sdk_ebs::operation::get_snapshot_block::{GetSnapshotBlockError, GetSnapshotBlockOutput};
use aws_sdk_ebs::operation::list_snapshot_blocks::ListSnapshotBlocksError;
use aws_sdk_ebs::types::ChecksumAlgorithm;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;

use super::hashing::BlockHashing;
use super::{BlockPage, ListedBlock, PageFrom, SnapshotService};
use crate::blocks::{BLOCK_BYTES, BlockDigest, BlockIndex};
use crate::clock::within;
use crate::source::s3::{Connection, LimitedResponses, Service, Traced, translate};
use crate::source::{Context, ErrorKind, SourceError};

/// Code of the error for a token that expired or belongs to another block.
pub const INVALID_BLOCK_TOKEN: &str = "INVALID_BLOCK_TOKEN";
/// Code of the error for a snapshot that does not exist.
pub const SNAPSHOT_NOT_FOUND: &str = "SNAPSHOT_NOT_FOUND";
/// Code of the error for a snapshot that cannot be read as it is.
pub const INVALID_SNAPSHOT_ID: &str = "INVALID_SNAPSHOT_ID";
/// Code of the error for a KMS key that the caller may not use.
pub const KEY_DENIED: &str = "DEPENDENCY_ACCESS_DENIED";
/// Code of the error for a block that does not have the checksum that the server states. EBS has no such code.
pub const CHECKSUM_DIFFERS: &str = "ChecksumDiffers";

/// The most blocks that one request lists.
pub const MOST_LISTED: u16 = 10_000;

/// A page of 10,000 blocks with tokens of 256 characters takes 3 MB. A block is limited where it is read.
const LIMIT: LimitedResponses = LimitedResponses { largest: 8 << 20, streamed: Some("GetSnapshotBlock") };

/// The EBS direct APIs in the Region of a connection.
pub struct Ebs {
    client: Client,
    context: Context,
    hashing: BlockHashing,
}

/// Translates an error, with EBS's reason as its code.
macro_rules! failed {
    ($errors:ident, $error:expr, $subject:expr, $needs:expr) => {{
        let error = $error;
        let reason = match error.as_service_error() {
            Some($errors::AccessDeniedException(error)) => Some(error.reason().as_str()),
            Some($errors::ResourceNotFoundException(error)) => error.reason().map(|reason| reason.as_str()),
            Some($errors::RequestThrottledException(error)) => error.reason().map(|reason| reason.as_str()),
            Some($errors::ValidationException(error)) => error.reason().map(|reason| reason.as_str()),
            _ => None,
        };
        // The SDK fills in a sentence if a required reason is absent.
        let reason: Option<Box<str>> = reason.filter(|reason| !reason.contains(' ')).map(Box::from);
        let translated = translate(error, $subject, $needs);
        SourceError { code: reason.or(translated.code.clone()), ..translated }
    }};
}

impl Ebs {
    /// `context` limits the time without a byte of a block.
    pub fn new(connection: &Connection, context: Context) -> Self {
        let config = aws_sdk_ebs::config::Builder::from(&connection.service(Service::Ebs));
        let client = Client::from_conf(config.interceptor(LIMIT).interceptor(Traced).build());
        Ebs { client, context, hashing: BlockHashing::new() }
    }

    /// Reads the body, and holds it against the length and the checksum of the answer.
    async fn read(&self, mut answer: GetSnapshotBlockOutput, subject: &str) -> Result<BlockDigest, SourceError> {
        let wrong = |detail: String| SourceError::new(ErrorKind::Protocol, subject, detail);
        if let Some(length) = answer.data_length().filter(|length| i64::from(*length) != BLOCK_BYTES as i64) {
            return Err(wrong(format!("the server states {length} bytes, and a block has {BLOCK_BYTES}")));
        }
        let stated = stated(&answer).map_err(wrong)?;
        let mut hasher = self.hashing.start();
        let mut came = 0;
        let broken = |detail: String| SourceError::new(ErrorKind::Transient, subject, detail);
        loop {
            let frame = within(&*self.context.clock, self.context.retry.stall, answer.block_data.next()).await;
            match frame.map_err(|_| broken("the block did not come in time".to_owned()))? {
                Some(Ok(bytes)) => {
                    came += bytes.len() as u64;
                    hasher.update(bytes);
                }
                Some(Err(error)) => return Err(broken(format!("the connection broke: {error}"))),
                None => break,
            }
            if came > BLOCK_BYTES {
                return Err(wrong(format!("more than {BLOCK_BYTES} bytes came")));
            }
        }
        if came < BLOCK_BYTES {
            let detail = format!("{came} of {BLOCK_BYTES} bytes came");
            return Err(SourceError::new(ErrorKind::ShortBody, subject, detail));
        }
        let digest = hasher.finish().ok_or_else(|| broken("a thread that hashed it panicked".to_owned()))?;
        if digest == stated {
            return Ok(digest);
        }
        let detail = format!("the bytes have SHA-256 {digest}, and the server states {stated}");
        Err(SourceError { code: Some(CHECKSUM_DIFFERS.into()), ..wrong(detail) })
    }
}

/// The checksum of an answer.
fn stated(answer: &GetSnapshotBlockOutput) -> Result<BlockDigest, String> {
    if answer.checksum_algorithm().is_some_and(|algorithm| *algorithm != ChecksumAlgorithm::ChecksumAlgorithmSha256) {
        return Err("the server states a checksum of another algorithm than SHA-256".to_owned());
    }
    let text = answer.checksum().ok_or("the server states no checksum of the block")?;
    let bytes = STANDARD.decode(text).ok().and_then(|bytes| bytes.try_into().ok());
    bytes.map(BlockDigest::new).ok_or_else(|| format!("the checksum `{text}` is no SHA-256 in Base64"))
}

fn index(index: Option<i32>, subject: &str) -> Result<BlockIndex, SourceError> {
    let index = index.and_then(|index| u32::try_from(index).ok());
    let missing = || SourceError::new(ErrorKind::Protocol, subject, "the listing has a block without a place");
    index.map(BlockIndex).ok_or_else(missing)
}

#[async_trait]
impl SnapshotService for Ebs {
    async fn list(&self, snapshot: &str, from: &PageFrom, most: u16) -> Result<BlockPage, SourceError> {
        let request = self.client.list_snapshot_blocks().snapshot_id(snapshot).max_results(i32::from(most));
        let request = match from {
            PageFrom::Block(index) => request.starting_block_index(i32::try_from(index.0).unwrap_or(i32::MAX)),
            PageFrom::Token(token) => request.next_token(token),
        };
        let answer = request.send().await;
        let out =
            answer.map_err(|error| failed!(ListSnapshotBlocksError, error, snapshot, "ebs:ListSnapshotBlocks"))?;
        if out.blocks().len() > usize::from(MOST_LISTED) {
            let detail = format!("the server lists {} blocks at once", out.blocks().len());
            return Err(SourceError::new(ErrorKind::Protocol, snapshot, detail));
        }
        let blocks = out.blocks().iter().map(|block| {
            let token = block.block_token().unwrap_or_default().to_owned();
            Ok(ListedBlock { index: index(block.block_index(), snapshot)?, token })
        });
        Ok(BlockPage {
            blocks: blocks.collect::<Result<_, SourceError>>()?,
            next: out.next_token().filter(|token| !token.is_empty()).map(str::to_owned),
            gib: out.volume_size().and_then(|gib| u64::try_from(gib).ok()),
            block_bytes: out.block_size().and_then(|bytes| u64::try_from(bytes).ok()),
            expires: out.expiry_time().and_then(|time| Timestamp::from_second(time.secs()).ok()),
        })
    }

    async fn digest(&self, snapshot: &str, block: &ListedBlock) -> Result<BlockDigest, SourceError> {
        let subject = format!("block {} of {snapshot}", block.index);
        let request = self
            .client
            .get_snapshot_block()
            .snapshot_id(snapshot)
            .block_index(i32::try_from(block.index.0).unwrap_or(i32::MAX))
            .block_token(&block.token);
        let answer = request.send().await;
        let out = answer.map_err(|error| failed!(GetSnapshotBlockError, error, &subject, "ebs:GetSnapshotBlock"))?;
        self.read(out, &subject).await
    }
}
