//! An object in memory with injected faults, for tests.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::{StreamExt, stream};

use super::{Body, ErrorKind, ObjectSource, SourceError};
use crate::facts::{AttributeFacts, Fact, FactsSource, LockFacts, ObjectFacts, PartFacts};
use crate::ident::{ETag, ObjectId, ObjectIdentity, Target};
use crate::progress::Call;
use crate::sync::lock;
use crate::units::{ByteRange, PartNumber};

/// A fault of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// The request fails with this kind of error.
    Fail(ErrorKind),
    /// The body fails with an error after `after` bytes.
    Break {
        /// Bytes before that.
        after: usize,
    },
    /// The body ends after `after` bytes, without an error.
    End {
        /// Bytes before that.
        after: usize,
    },
    /// After `after` bytes nothing more arrives, and the connection stays open.
    Stall {
        /// Bytes before that.
        after: usize,
    },
    /// The body has `by` extra bytes.
    Extend {
        /// Number of extra bytes.
        by: usize,
    },
    /// The byte at this offset of the object has one bit changed.
    Flip {
        /// Offset in the object.
        offset: u64,
    },
    /// The body panics after `after` bytes.
    Panic {
        /// Bytes before that.
        after: usize,
    },
}

/// A fault for a number of requests of one kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The kind of request.
    pub call: Call,
    /// Only reads of ranges that contain this offset; all requests if `None`.
    pub at: Option<u64>,
    /// Number of requests that succeed first.
    pub skip: u32,
    /// Number of requests that fail after those.
    pub times: u32,
    /// The fault.
    pub action: Action,
}

/// The bytes of an object and the answers of its server, which need not match.
#[derive(Debug, Clone)]
pub struct MemoryObject {
    /// The bytes.
    pub data: Bytes,
    /// Answer to HEAD.
    pub facts: ObjectFacts,
    /// Answer to GetObjectAttributes.
    pub attributes: Result<AttributeFacts, ErrorKind>,
    /// Answers to HEAD with a part number, from part 1.
    pub parts: Result<Vec<PartFacts>, ErrorKind>,
    /// Answer to GetObjectTagging.
    pub tags: BTreeMap<String, String>,
    /// Faults to inject; the first one that applies to a request is used.
    pub faults: Vec<Fault>,
}

impl MemoryObject {
    /// An object with a size and an opaque ETag, which is no MD5, and no other facts.
    pub fn plain(target: Target, data: impl Into<Bytes>) -> Self {
        let data = data.into();
        let id = ObjectId { target, etag: Some(ETag::new("opaque")) };
        let facts = ObjectFacts {
            checksums: Fact::Absent { source: "memory" },
            storage_class: Some("STANDARD".to_owned()),
            ..ObjectFacts::new(id, FactsSource::Other("memory"), data.len() as u64)
        };
        MemoryObject {
            data,
            facts,
            attributes: Err(ErrorKind::Unsupported),
            parts: Err(ErrorKind::Unsupported),
            tags: BTreeMap::new(),
            faults: Vec::new(),
        }
    }
}

/// A source for a [`MemoryObject`], which its clones share.
#[derive(Debug, Clone)]
pub struct MemorySource {
    target: Target,
    object: Arc<Mutex<MemoryObject>>,
}

impl MemorySource {
    /// A source with the identity in the facts of `object`.
    pub fn new(object: MemoryObject) -> Self {
        MemorySource { target: object.facts.id.target.clone(), object: Arc::new(Mutex::new(object)) }
    }

    /// The object, for changes during a read. Requests block while the guard is held.
    pub fn object(&self) -> MutexGuard<'_, MemoryObject> {
        lock(&self.object)
    }

    fn error(&self, kind: ErrorKind) -> SourceError {
        SourceError::new(kind.clone(), &self.target, format!("{kind:?}"))
    }

    /// The fault for this request: the first one that applies.
    fn struck(&self, call: Call, range: Option<ByteRange>) -> Option<Action> {
        let mut object = self.object();
        let holds = |at: u64| range.is_some_and(|range| (range.start()..range.end()).contains(&at));
        for fault in object.faults.iter_mut().filter(|fault| fault.call == call && fault.at.is_none_or(holds)) {
            if fault.skip > 0 {
                fault.skip -= 1;
            } else if fault.times > 0 {
                fault.times -= 1;
                return Some(fault.action.clone());
            }
        }
        None
    }

    fn answer<T>(&self, call: Call, of: impl FnOnce(&MemoryObject) -> Result<T, ErrorKind>) -> Result<T, SourceError> {
        match self.struck(call, None) {
            Some(Action::Fail(kind)) => Err(self.error(kind)),
            _ => of(&self.object()).map_err(|kind| self.error(kind)),
        }
    }
}

#[expect(clippy::panic, reason = "tests ask for a reader that panics")]
#[async_trait]
impl ObjectSource for MemorySource {
    fn target(&self) -> &Target {
        &self.target
    }

    async fn head(&self) -> Result<ObjectFacts, SourceError> {
        self.answer(Call::Head, |object| Ok(object.facts.clone()))
    }

    async fn attributes(&self, _: &ObjectId) -> Result<AttributeFacts, SourceError> {
        self.answer(Call::Attributes, |object| object.attributes.clone())
    }

    async fn part(&self, _: &ObjectId, number: PartNumber) -> Result<PartFacts, SourceError> {
        self.answer(Call::HeadPart, |object| {
            object.parts.clone()?.get(number.index()).cloned().ok_or(ErrorKind::Invalid)
        })
    }

    async fn tags(&self, _: &ObjectId) -> Result<BTreeMap<String, String>, SourceError> {
        self.answer(Call::Tags, |object| Ok(object.tags.clone()))
    }

    async fn lock(&self, _: &ObjectId) -> Result<LockFacts, SourceError> {
        self.answer(Call::Lock, |object| Ok(object.facts.lock.clone()))
    }

    async fn find(&self) -> Result<Option<ObjectFacts>, SourceError> {
        self.answer(Call::Find, |object| Ok(Some(object.facts.clone())))
    }

    async fn read(&self, id: &ObjectId, _: u64, range: ByteRange) -> Result<Body, SourceError> {
        let action = self.struck(Call::Read, Some(range));
        if let Some(Action::Fail(kind)) = action {
            return Err(self.error(kind));
        }
        let object = self.object();
        let etag = |id: &ObjectId| ObjectIdentity::of_etag(id.etag.clone());
        if !etag(&object.facts.id).same_as(&etag(id)).agrees() {
            return Err(self.error(ErrorKind::Changed));
        }
        let end = (range.end() as usize).min(object.data.len());
        let mut data = object.data.slice((range.start() as usize).min(end)..end).to_vec();
        drop(object);
        let stalls = matches!(action, Some(Action::Stall { .. }));
        let panics = matches!(action, Some(Action::Panic { .. }));
        let mut broken = None;
        match action {
            Some(Action::Break { after }) => {
                data.truncate(after);
                broken = Some(Err(self.error(ErrorKind::Transient)));
            }
            Some(Action::End { after } | Action::Stall { after } | Action::Panic { after }) => data.truncate(after),
            Some(Action::Extend { by }) => data.resize(data.len() + by, 0x5a),
            Some(Action::Flip { offset }) => {
                if let Some(byte) = offset.checked_sub(range.start()).and_then(|at| data.get_mut(at as usize)) {
                    *byte ^= 1;
                }
            }
            Some(Action::Fail(_)) | None => {}
        }
        // Frames of an odd length, so that no boundary is hit by chance.
        let frames: Vec<_> = data.chunks(1009).map(|frame| Ok(Bytes::copy_from_slice(frame))).chain(broken).collect();
        if stalls {
            return Ok(Box::pin(stream::iter(frames).chain(stream::pending())));
        }
        if panics {
            return Ok(Box::pin(stream::iter(frames).chain(stream::once(async { panic!("as the test wants it") }))));
        }
        Ok(Box::pin(stream::iter(frames)))
    }

    fn fresh(&self) -> Arc<dyn ObjectSource> {
        Arc::new(self.clone())
    }
}
