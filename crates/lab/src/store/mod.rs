//! Buckets, object versions and uploads, in memory or in a folder.

mod bucket;
mod folder;
mod names;
mod upload;

pub(crate) use bucket::{Bucket, Object};
pub use bucket::{BucketOptions, Versioning};
pub(crate) use folder::Folder;
pub(crate) use names::{check_bucket, check_key};
pub(crate) use upload::{Upload, UploadedPart};

use std::collections::BTreeMap;
use std::io;

/// All buckets of the lab.
#[derive(Debug, Default)]
pub(crate) struct Store {
    pub buckets: BTreeMap<String, Bucket>,
    pub folder: Option<Folder>,
}

impl Store {
    pub(crate) fn open(folder: Option<Folder>) -> io::Result<Self> {
        let buckets = folder.as_ref().map(Folder::load).transpose()?.unwrap_or_default();
        Ok(Store { buckets, folder })
    }

    pub(crate) fn add_bucket(&mut self, name: &str, bucket: Bucket) -> io::Result<()> {
        if let Some(folder) = &self.folder {
            folder.save_bucket(name, &bucket)?;
        }
        self.buckets.insert(name.to_owned(), bucket);
        Ok(())
    }

    pub(crate) fn change_bucket(&mut self, name: &str, change: impl FnOnce(&mut Bucket)) -> io::Result<()> {
        let Some(bucket) = self.buckets.get_mut(name) else { return Err(io::ErrorKind::NotFound.into()) };
        change(bucket);
        match &self.folder {
            Some(folder) => folder.save_bucket(name, bucket),
            None => Ok(()),
        }
    }

    pub(crate) fn remove_bucket(&mut self, name: &str) -> io::Result<()> {
        if let Some(folder) = &self.folder {
            folder.remove_bucket(name)?;
        }
        self.buckets.remove(name);
        Ok(())
    }

    /// Makes `object` the newest version of its key. In a bucket without
    /// versioning it takes the place of the `null` version.
    pub(crate) fn place(&mut self, bucket: &str, mut object: Object) -> io::Result<()> {
        let Some(holder) = self.buckets.get_mut(bucket) else {
            return Err(io::ErrorKind::NotFound.into());
        };
        if let Some(folder) = &self.folder {
            folder.keep(bucket, &mut object)?;
        }
        let versions = holder.objects.entry(object.record.key.clone()).or_default();
        versions.retain(|version| version.record.version_id != object.record.version_id);
        versions.push(object);
        Ok(())
    }

    /// Removes one version for good.
    pub(crate) fn remove(&mut self, bucket: &str, key: &str, version_id: &str) -> io::Result<()> {
        let Some(holder) = self.buckets.get_mut(bucket) else { return Ok(()) };
        let Some(versions) = holder.objects.get_mut(key) else { return Ok(()) };
        versions.retain(|version| version.record.version_id != version_id);
        if versions.is_empty() {
            holder.objects.remove(key);
        }
        match &self.folder {
            Some(folder) => folder.discard(bucket, key, version_id),
            None => Ok(()),
        }
    }

    /// Changes the record of one version (`None`: the newest) and keeps it.
    pub(crate) fn change<T>(
        &mut self,
        bucket: &str,
        key: &str,
        version_id: Option<&str>,
        change: impl FnOnce(&mut Object) -> T,
    ) -> io::Result<Option<T>> {
        let Some(object) = self.buckets.get_mut(bucket).and_then(|bucket| bucket.find_mut(key, version_id)) else {
            return Ok(None);
        };
        let result = change(object);
        if let Some(folder) = &self.folder {
            folder.save_record(bucket, object)?;
        }
        Ok(Some(result))
    }
}
