use std::sync::Arc;

use jiff::Timestamp;
use parquet::column::writer::ColumnWriter;
use parquet::data_type::ByteArray;
use parquet::errors::ParquetError;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;
use serde_json::Value;

use super::EntryRow;

/// The type of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Number,
    Text,
    /// UTC, in microseconds since 1970.
    Time,
}

use Kind::{Number, Text, Time};

const COLUMNS: [(&str, Kind); 21] = [
    ("number", Number),
    ("sha256", Text),
    ("kind", Text),
    ("at", Time),
    ("tool", Text),
    ("target", Text),
    ("level", Text),
    ("verdict", Text),
    ("object_bytes", Number),
    ("etag", Text),
    ("version_id", Text),
    ("last_modified", Time),
    ("storage_class", Text),
    ("covered_bytes", Number),
    ("failed", Text),
    ("proved_by", Text),
    ("content", Text),
    ("reason", Text),
    ("proof_kind", Text),
    ("copied_from", Text),
    ("restored", Text),
];

/// An Apache Parquet file. A time that cannot be parsed becomes null.
///
/// # Errors
///
/// A row cannot be serialised, or the file cannot be written.
pub fn entries_parquet(rows: &[EntryRow]) -> Result<Vec<u8>, String> {
    let rows: Result<Vec<Value>, _> = rows.iter().map(serde_json::to_value).collect();
    let rows = rows.map_err(|error| error.to_string())?;
    written(&rows).map_err(|error| error.to_string())
}

fn written(rows: &[Value]) -> Result<Vec<u8>, ParquetError> {
    let columns = COLUMNS.map(|(name, kind)| {
        let kind = match kind {
            Number => ("INT64", ""),
            Text => ("BYTE_ARRAY", "(STRING)"),
            Time => ("INT64", "(TIMESTAMP(MICROS,true))"),
        };
        format!("OPTIONAL {} {name} {};", kind.0, kind.1)
    });
    let schema = parse_message_type(&format!("message entry {{ {} }}", columns.concat()))?;
    let mut file = SerializedFileWriter::new(Vec::new(), Arc::new(schema), Arc::default())?;
    let mut group = file.next_row_group()?;
    for (name, kind) in COLUMNS {
        let Some(mut column) = group.next_column()? else { break };
        let cells = rows.iter().map(|row| row.get(name));
        match column.untyped() {
            ColumnWriter::Int64ColumnWriter(out) => {
                let cells: Vec<Option<i64>> = cells.map(|cell| number(cell?, kind)).collect();
                let there: Vec<i64> = cells.iter().flatten().copied().collect();
                out.write_batch(&there, Some(&levels(&cells)), None)?;
            }
            ColumnWriter::ByteArrayColumnWriter(out) => {
                let cells: Vec<Option<ByteArray>> = cells.map(|cell| cell?.as_str().map(ByteArray::from)).collect();
                let there: Vec<ByteArray> = cells.iter().flatten().cloned().collect();
                out.write_batch(&there, Some(&levels(&cells)), None)?;
            }
            _ => return Err(ParquetError::General(format!("the column {name} is of another kind"))),
        }
        column.close()?;
    }
    group.close()?;
    file.into_inner()
}

fn number(cell: &Value, kind: Kind) -> Option<i64> {
    match kind {
        Time => cell.as_str()?.parse::<Timestamp>().ok().map(Timestamp::as_microsecond),
        _ => cell.as_i64(),
    }
}

/// Definition levels of Parquet: 1 for a value, 0 for null.
fn levels<T>(cells: &[Option<T>]) -> Vec<i16> {
    cells.iter().map(|cell| i16::from(cell.is_some())).collect()
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use parquet::file::reader::{FileReader, SerializedFileReader};
    use parquet::record::RowAccessor;

    use super::super::tests::rows;
    use super::*;

    #[test]
    fn what_is_read_is_what_was_written() {
        let file = entries_parquet(&rows()).unwrap();
        let reader = SerializedFileReader::new(Bytes::from(file)).unwrap();
        let names: Vec<String> =
            reader.metadata().file_metadata().schema_descr().columns().iter().map(|c| c.name().to_owned()).collect();
        assert_eq!(names, COLUMNS.map(|(name, _)| name));
        let told: Vec<String> = reader.get_row_iter(None).unwrap().map(|row| row.unwrap().to_string()).collect();
        assert_eq!(told.len(), 3);
        assert!(told[0].contains("object_bytes: 1099511627776"), "{}", told[0]);
        let rows: Vec<_> = reader.get_row_iter(None).unwrap().map(Result::unwrap).collect();
        assert_eq!(rows[0].get_string(5).unwrap(), "s3://b/a,\"b\".bin");
        assert_eq!(rows[0].get_timestamp_micros(3).unwrap(), 1_767_323_045_000_006);
        assert!(told[0].contains("last_modified: null") && told[0].contains("reason: null"), "{}", told[0]);
        assert!(told[0].contains("proof_kind: \"read\"") && told[1].contains("proof_kind: null"), "{told:?}");
        assert!(told[2].contains("proof_kind: \"written\", copied_from: \"/disk/d\""), "{}", told[2]);
        assert!(told[1].contains("level: null") && told[1].contains("reason: \"meant so\""), "{}", told[1]);
    }

    /// A column missing from the list would be omitted without an error.
    #[test]
    fn every_cell_has_its_column() {
        let Value::Object(row) = serde_json::to_value(&rows()[0]).unwrap() else { panic!("a row") };
        let mut names = COLUMNS.map(|(name, _)| name);
        names.sort_unstable();
        let mut cells: Vec<&str> = row.keys().map(String::as_str).collect();
        cells.sort_unstable();
        assert_eq!(cells, names);
    }

    #[test]
    fn no_entries_are_a_file_too() {
        let reader = SerializedFileReader::new(Bytes::from(entries_parquet(&[]).unwrap())).unwrap();
        assert_eq!(reader.metadata().file_metadata().num_rows(), 0);
    }
}
