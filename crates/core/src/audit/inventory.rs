use std::cell::Cell;
use std::io::{self, Read};
use std::rc::Rc;

use flate2::read::MultiGzDecoder;
use jiff::Timestamp;
use serde::Deserialize;

use super::Objects;
use crate::checksum::{Algorithm, Hasher};
use crate::ident::{ObjectUri, Target, decoded_key};
use crate::units::ByteSize;

/// The manifest of an S3 Inventory report (S3 User Guide, *Cataloging and analyzing your data with S3
/// Inventory*).
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Inventory {
    /// The bucket that was listed.
    pub source_bucket: String,
    /// Format of the data files; only `CSV` is supported.
    pub file_format: String,
    /// Names of the columns, separated by commas.
    pub file_schema: String,
    /// Time of creation in milliseconds since 1970.
    pub creation_timestamp: Option<String>,
    /// The data files.
    pub files: Vec<InventoryFile>,
}

/// A data file of an inventory.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct InventoryFile {
    /// Key in the destination bucket. A copied data file is found by the last segment.
    pub key: String,
    /// MD5 of the compressed file, in hexadecimal.
    #[serde(rename = "MD5checksum")]
    pub md5: Option<String>,
}

impl Inventory {
    /// Parses `manifest.json`.
    ///
    /// # Errors
    ///
    /// When the text is not a manifest, or the format of the data files is not supported; the text is for the
    /// user.
    pub fn from_json(text: &str) -> Result<Self, String> {
        let inventory: Inventory =
            serde_json::from_str(text).map_err(|error| format!("is not a manifest of an S3 Inventory: {error}"))?;
        match inventory.file_format.as_str() {
            "CSV" => Ok(inventory),
            other => Err(format!("is an inventory in the format {other}; CSV is read")),
        }
    }

    /// Reads a data file as a stream, in the compression of S3, and checks it against the MD5 of the
    /// manifest. Adds the current versions with the name of a stored AMI to `found` and returns the number of
    /// other rows.
    ///
    /// # Errors
    ///
    /// When the file cannot be used; the text is for the user. Objects added to `found` before the error must
    /// be discarded.
    pub fn read(&self, file: &InventoryFile, packed: impl Read, found: &mut Objects) -> Result<u64, String> {
        let mut packed = Hashed { inner: packed, md5: Hasher::new(Algorithm::Md5) };
        let others = self.rows(&mut packed, found);
        // Bytes after the last row are part of the file and of its MD5.
        std::io::copy(&mut packed, &mut std::io::sink()).map_err(|error| error.to_string())?;
        let digest = packed.md5.finish().hex();
        match &file.md5 {
            Some(md5) if digest != md5.to_ascii_lowercase() => {
                Err("does not have the MD5 that the manifest states".to_owned())
            }
            _ => others,
        }
    }

    fn rows(&self, packed: impl Read, found: &mut Objects) -> Result<u64, String> {
        let names: Vec<&str> = self.file_schema.split(',').map(str::trim).collect();
        let column = |name: &str| names.iter().position(|known| *known == name);
        let key = column("Key").ok_or("the manifest's schema has no column `Key`")?;
        let (bucket, latest, marker) = (column("Bucket"), column("IsLatest"), column("IsDeleteMarker"));
        let row_bytes = Rc::new(Cell::new(0));
        let unpacked = Unpacked { inner: MultiGzDecoder::new(packed), of_row: Rc::clone(&row_bytes), all: 0 };
        let mut rows = csv::ReaderBuilder::new().has_headers(false).from_reader(unpacked);
        let (mut row, mut others) = (csv::StringRecord::new(), 0);
        while rows.read_record(&mut row).map_err(|error| error.to_string())? {
            row_bytes.set(0);
            let is = |column: Option<usize>, word: &str| {
                column.and_then(|column| row.get(column)).is_some_and(|is| is.trim().eq_ignore_ascii_case(word))
            };
            if is(latest, "false") || is(marker, "true") {
                continue;
            }
            if let Some(other) = bucket.and_then(|column| row.get(column)).filter(|name| *name != self.source_bucket) {
                return Err(format!("a row is of the bucket {other}, and the manifest of {}", self.source_bucket));
            }
            let key = decoded_key(row.get(key).ok_or("a row has no key")?).ok_or("a key is not in percent encoding")?;
            let uri = ObjectUri { bucket: self.source_bucket.clone(), key, version: None };
            match Target::Object(uri.clone()).ami_id() {
                Some(_) => found.add(uri)?,
                None => others += 1,
            }
        }
        Ok(others)
    }

    /// Time of creation; `None` if the manifest does not state it.
    pub fn made(&self) -> Option<Timestamp> {
        Timestamp::from_millisecond(self.creation_timestamp.as_ref()?.parse().ok()?).ok()
    }
}

impl InventoryFile {
    /// The last segment of the key.
    pub fn name(&self) -> &str {
        self.key.rsplit('/').next().unwrap_or_default()
    }
}

/// Limit for the decompressed bytes of a data file, which has at most a few million rows.
const MOST: u64 = 4 << 30;
/// Limit for one row, including what the CSV reader has read ahead. The key takes up to 3,072 bytes in
/// percent encoding.
const MOST_ROW: u64 = 64 << 10;

/// A reader that hashes what passes.
struct Hashed<R> {
    inner: R,
    md5: Hasher,
}

impl<R: Read> Read for Hashed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let got = self.inner.read(buffer)?;
        self.md5.update(buffer.get(..got).unwrap_or_default());
        Ok(got)
    }
}

/// A reader that limits the length of a row during decompression: a few bytes of gzip can hold a row of
/// gigabytes.
struct Unpacked<R> {
    inner: R,
    /// Bytes since the end of the last row.
    of_row: Rc<Cell<u64>>,
    all: u64,
}

impl<R: Read> Read for Unpacked<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let got = self.inner.read(buffer)?;
        self.of_row.set(self.of_row.get().saturating_add(got as u64));
        self.all = self.all.saturating_add(got as u64);
        if self.of_row.get() > MOST_ROW {
            return Err(io::Error::other(format!("a row is longer than {MOST_ROW} bytes")));
        }
        if self.all > MOST {
            return Err(io::Error::other(format!("holds more than {}", ByteSize(MOST))));
        }
        Ok(got)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn packed(rows: &str) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(rows.as_bytes()).unwrap();
        encoder.finish().unwrap()
    }

    fn manifest(md5: &str, format: &str) -> String {
        format!(
            r#"{{"sourceBucket":"b","destinationBucket":"arn:aws:s3:::d","version":"2016-11-30","fileFormat":"{format}",
            "fileSchema":"Bucket, Key, VersionId, IsLatest, IsDeleteMarker, Size","files":[{{"key":"i/data/x.csv.gz","size":1,"MD5checksum":"{md5}"}}]}}"#
        )
    }

    #[test]
    fn current_stored_amis_are_found() {
        let data = packed(
            "\"b\",\"p%2Fami-00000001.bin\",\"v\",\"TRUE\",\"False\",\"5\"\n\"b\",\"ami-00000004.bin\",\"v\",\"FALSE\",\"\",\"5\"\n\"b\",\"ami-00000005.bin\",\"v\",\"true\",\"True\",\"\"\n\"b\",\"ami-00000002.bin\",\"v\",\"false\",\"false\",\"5\"\n\
             \"b\",\"ami-00000003.bin\",\"v\",\"true\",\"true\",\"\"\n\"b\",\"a+note.txt\",\"v\",\"true\",\"false\",\"5\"\n",
        );
        let md5 = Hasher::digest(Algorithm::Md5, &data).hex();
        let inventory = Inventory::from_json(&manifest(&md5, "CSV")).unwrap();
        let mut found = Objects::default();
        assert_eq!(inventory.read(&inventory.files[0], data.as_slice(), &mut found), Ok(1));
        assert_eq!(found.into_set(), ["s3://b/p/ami-00000001.bin".parse().unwrap()].into());
        let other = packed("other");
        let wrong = inventory.read(&inventory.files[0], other.as_slice(), &mut Objects::default()).unwrap_err();
        assert!(wrong.contains("MD5"), "{wrong}");
        assert!(Inventory::from_json(&manifest(&md5, "Parquet")).unwrap_err().contains("Parquet"));
        assert!(Inventory::from_json("{}").is_err());
    }

    #[test]
    fn a_row_that_does_not_end_is_refused_as_it_is_unpacked() {
        let quoted = format!("\"b\",\"{}", "a\n".repeat(1 << 20));
        for rows in ["a".repeat(4 << 20), quoted] {
            let data = packed(&rows);
            let md5 = Hasher::digest(Algorithm::Md5, &data).hex();
            let inventory = Inventory::from_json(&manifest(&md5, "CSV")).unwrap();
            let error = inventory.read(&inventory.files[0], data.as_slice(), &mut Objects::default()).unwrap_err();
            assert!(error.contains("a row is longer than"), "{error}");
        }
    }
}
