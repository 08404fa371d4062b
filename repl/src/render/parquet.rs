//! Apache Parquet with zstd: the columns as the engine has them.

use std::io::{self, Write};

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, SchemaRef};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, Encoding};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::schema::types::ColumnPath;

use super::Renderer;

/// A row group ends where it has so many bytes, which are held until then.
const ROW_GROUP: usize = 64 << 20;

/// Writes batches as one Parquet file.
pub struct Parquet<W: Write + Send> {
    writer: ArrowWriter<W>,
}

impl<W: Write + Send> Parquet<W> {
    /// A file of this schema.
    ///
    /// # Errors
    /// A schema without columns, or of types that Parquet does not have.
    pub fn new(out: W, schema: SchemaRef) -> io::Result<Self> {
        if schema.fields().is_empty() {
            return Err(io::Error::other("a result without columns cannot be written as Parquet"));
        }
        let mut properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(Default::default()))
            .set_max_row_group_row_count(Some(256 << 10));
        for field in schema.fields().iter().filter(|field| matches!(field.data_type(), DataType::Timestamp(..))) {
            // Times that follow each other are small differences.
            let path = ColumnPath::from(field.name().as_str());
            properties = properties
                .set_column_dictionary_enabled(path.clone(), false)
                .set_column_encoding(path, Encoding::DELTA_BINARY_PACKED);
        }
        Ok(Self { writer: ArrowWriter::try_new(out, schema, Some(properties.build())).map_err(io_error)? })
    }
}

impl<W: Write + Send> Renderer for Parquet<W> {
    fn batch(&mut self, batch: &RecordBatch) -> io::Result<()> {
        self.writer.write(batch).map_err(io_error)?;
        if self.writer.in_progress_size() > ROW_GROUP {
            self.writer.flush().map_err(io_error)?;
        }
        Ok(())
    }

    fn finish(self: Box<Self>) -> io::Result<()> {
        self.writer.into_inner().map_err(io_error)?.flush()
    }
}

/// An error of the output keeps its kind, so that a closed pipe is still one.
fn io_error(error: ParquetError) -> io::Error {
    match error {
        ParquetError::External(inner) => match inner.downcast::<io::Error>() {
            Ok(error) => *error,
            Err(other) => io::Error::other(other),
        },
        other => io::Error::other(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{ArrayRef, Int64Array, ListBuilder, NullArray, StringArray, StringBuilder};
    use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
    use std::sync::Arc;

    #[test]
    fn what_is_written_can_be_read() {
        let mut many = ListBuilder::new(StringBuilder::new());
        many.append_value([Some("x"), Some("y")]);
        many.append_null();
        let batch = RecordBatch::try_from_iter([
            ("text", Arc::new(StringArray::from(vec![Some("a"), None])) as ArrayRef),
            ("number", Arc::new(Int64Array::from(vec![Some(1), Some(2)]))),
            ("many", Arc::new(many.finish())),
            ("nothing", Arc::new(NullArray::new(2))),
        ])
        .unwrap();
        let file = tempfile::tempfile().unwrap();
        let mut out = Box::new(Parquet::new(file.try_clone().unwrap(), batch.schema()).unwrap());
        out.batch(&batch).unwrap();
        out.finish().unwrap();
        let read: Vec<RecordBatch> =
            ParquetRecordBatchReaderBuilder::try_new(file).unwrap().build().unwrap().map(Result::unwrap).collect();
        assert_eq!(read, [batch]);
    }

    #[test]
    fn a_closed_pipe_stays_one() {
        let closed = io::Error::from(io::ErrorKind::BrokenPipe);
        assert_eq!(io_error(ParquetError::External(Box::new(closed))).kind(), io::ErrorKind::BrokenPipe);
    }
}
