use std::io::Read;

use flate2::read::MultiGzDecoder;
use jiff::Timestamp;
use serde::Deserialize;

use crate::checksum::{Algorithm, Hasher};
use crate::ident::{ObjectUri, Target, decoded_key};
use crate::units::ByteSize;

/// The manifest of an S3 Inventory (S3 User Guide, *Amazon S3 Inventory*, "Inventory manifest").
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Inventory {
    pub source_bucket: String,
    pub file_format: String,
    pub file_schema: String,
    /// Milliseconds since 1970.
    pub creation_timestamp: Option<String>,
    pub files: Vec<InventoryFile>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct InventoryFile {
    /// In the destination bucket; the data files keep their last segment when they are copied.
    pub key: String,
    #[serde(rename = "MD5checksum")]
    pub md5: Option<String>,
}

/// What a data file holds.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Inventoried {
    /// Current versions that have the name of a stored AMI object.
    pub objects: Vec<ObjectUri>,
    /// Rows of anything else.
    pub others: u64,
}

impl Inventory {
    /// Reads `manifest.json`; in words why it cannot be used.
    pub fn from_json(text: &str) -> Result<Self, String> {
        let inventory: Inventory =
            serde_json::from_str(text).map_err(|error| format!("is no manifest of an S3 Inventory: {error}"))?;
        match inventory.file_format.as_str() {
            "CSV" => Ok(inventory),
            other => Err(format!("is an inventory in the format {other}; CSV is read")),
        }
    }

    /// Reads a data file, compressed as S3 writes it, and holds it against the manifest's MD5.
    pub fn read(&self, file: &InventoryFile, packed: &[u8]) -> Result<Inventoried, String> {
        if let Some(md5) = &file.md5
            && Hasher::digest(Algorithm::Md5, packed).hex() != md5.to_ascii_lowercase()
        {
            return Err("does not have the MD5 that the manifest states".to_owned());
        }
        let names: Vec<String> = self.file_schema.split(',').map(|name| name.trim().to_owned()).collect();
        let column = |name: &str| names.iter().position(|known| known == name);
        let key = column("Key").ok_or("the manifest's schema has no column `Key`")?;
        let (bucket, latest, marker) = (column("Bucket"), column("IsLatest"), column("IsDeleteMarker"));
        let mut unpacked = MultiGzDecoder::new(packed).take(MOST);
        let mut rows = csv::ReaderBuilder::new().has_headers(false).from_reader(&mut unpacked);
        let mut found = Inventoried::default();
        for row in rows.records() {
            let row = row.map_err(|error| error.to_string())?;
            let is = |column: Option<usize>, word: &str| column.is_some_and(|column| row.get(column) == Some(word));
            if is(latest, "false") || is(marker, "true") {
                continue;
            }
            if let Some(other) = bucket.and_then(|column| row.get(column)).filter(|name| *name != self.source_bucket) {
                return Err(format!("a row is of the bucket {other}, and the manifest of {}", self.source_bucket));
            }
            let key = decoded_key(row.get(key).ok_or("a row has no key")?).ok_or("a key is not in percent encoding")?;
            let uri = ObjectUri { bucket: self.source_bucket.clone(), key, version: None };
            match Target::Object(uri.clone()).ami_id() {
                Some(_) => found.objects.push(uri),
                None => found.others += 1,
            }
        }
        if unpacked.limit() == 0 {
            return Err(format!("holds more than {}", ByteSize(MOST)));
        }
        Ok(found)
    }

    /// When S3 made it; `None` where the manifest does not tell.
    pub fn made(&self) -> Option<Timestamp> {
        Timestamp::from_millisecond(self.creation_timestamp.as_ref()?.parse().ok()?).ok()
    }
}

/// A data file holds a few million rows at the most.
const MOST: u64 = 4 << 30;

/// Objects of a file that names one a line; empty lines and lines that begin with `#` do not count.
pub fn objects_in(text: &str) -> Result<Vec<ObjectUri>, String> {
    // Editors on Windows begin UTF-8 with a byte order mark.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let lines = text.lines().map(str::trim).enumerate().filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
    let objects: Result<Vec<ObjectUri>, String> =
        lines.map(|(index, line)| line.parse().map_err(|error| format!("line {}: {error}", index + 1))).collect();
    match objects {
        Ok(objects) if objects.is_empty() => Err("names no object".to_owned()),
        objects => objects,
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
            "\"b\",\"p%2Fami-00000001.bin\",\"v\",\"true\",\"false\",\"5\"\n\"b\",\"ami-00000002.bin\",\"v\",\"false\",\"false\",\"5\"\n\
             \"b\",\"ami-00000003.bin\",\"v\",\"true\",\"true\",\"\"\n\"b\",\"a+note.txt\",\"v\",\"true\",\"false\",\"5\"\n",
        );
        let md5 = Hasher::digest(Algorithm::Md5, &data).hex();
        let inventory = Inventory::from_json(&manifest(&md5, "CSV")).unwrap();
        let found = inventory.read(&inventory.files[0], &data).unwrap();
        assert_eq!(found.objects, ["s3://b/p/ami-00000001.bin".parse().unwrap()]);
        assert_eq!(found.others, 1);
        let wrong = inventory.read(&inventory.files[0], &packed("other")).unwrap_err();
        assert!(wrong.contains("MD5"), "{wrong}");
        assert!(Inventory::from_json(&manifest(&md5, "Parquet")).unwrap_err().contains("Parquet"));
        assert!(Inventory::from_json("{}").is_err());
    }

    #[test]
    fn a_list_has_an_object_a_line() {
        let list = "# weekly\n\ns3://b/ami-00000001.bin\n  s3://b/x  \n";
        assert_eq!(objects_in(list).unwrap().len(), 2);
        assert!(objects_in("s3://b/x\nno").unwrap_err().starts_with("line 2: "));
        assert!(objects_in("# none").is_err());
    }
}
