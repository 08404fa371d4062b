//! Texts that every event has, such as its host, and what values these have in a file.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::array::AsArray;
use arrow::compute::cast as cast_array;
use arrow::datatypes::DataType;
use datafusion::common::{Column, ScalarValue};
use datafusion::functions::core::expr_fn::coalesce;
use datafusion::logical_expr::{Expr, cast, lit};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ParquetRecordBatchReaderBuilder};
use parquet::basic::Encoding;
use parquet::column::page::{Page, PageReader};
use parquet::errors::ParquetError;
use parquet::file::metadata::ColumnChunkMetaData;
use parquet::file::serialized_reader::SerializedPageReader;

use super::leaves::{Leaf, first_of};
use super::readable::Readable;
use crate::functions::operators;
use crate::store::align::{converted, dictionary_type};
use crate::store::parquet::PATH;

/// A text of which every event has one, and where its values come from.
pub(super) struct Text {
    pub(super) value: Expr,
    pub(super) data_type: DataType,
    /// Whether a row may lack it.
    pub(super) nullable: bool,
    /// Values that are the same in all rows.
    pub(super) fixed: Option<String>,
    /// Columns that hold the others, and what stands before these.
    pub(super) columns: Vec<(String, &'static str)>,
}

impl Text {
    pub(super) fn fixed(text: &str) -> Self {
        let value = ScalarValue::Dictionary(Box::new(DataType::Int32), Box::new(ScalarValue::from(text)));
        let fixed = Some(text.to_owned());
        Self { value: lit(value), data_type: dictionary_type(), nullable: false, fixed, columns: Vec::new() }
    }

    /// The path of the file, which a scan of several knows.
    pub(super) fn path(path: &str) -> Self {
        let value = Expr::Column(Column::new_unqualified(PATH));
        let fixed = Some(path.to_owned());
        Self { value, data_type: dictionary_type(), nullable: false, fixed, columns: Vec::new() }
    }

    /// The first of the columns that has a value, else the default.
    pub(super) fn of(columns: &[&Leaf], default: Option<Text>) -> Option<Self> {
        let Some((value, data_type)) = first_of(columns) else { return default };
        let value = converted(value, &data_type, &dictionary_type());
        let nullable = columns.iter().all(|leaf| leaf.nullable);
        let mut text = Self { value, data_type: dictionary_type(), nullable, fixed: None, columns: Vec::new() };
        text.columns = columns.iter().map(|leaf| (leaf.root.clone(), "")).collect();
        if let Some(default) = default
            && nullable
        {
            text.value = coalesce(vec![text.value, default.value]);
            text.nullable = default.nullable;
            text.fixed = default.fixed;
            text.columns.extend(default.columns);
        }
        Some(text)
    }

    /// The same text with something before it.
    pub(super) fn after(self, prefix: &'static str) -> Self {
        let value = operators::concatenate(lit(prefix), self.value);
        let value = cast(value, dictionary_type());
        let columns = self.columns.into_iter().map(|(column, _)| (column, prefix)).collect();
        Self { value, columns, ..self }
    }
}

/// Whether all values of a chunk are in its dictionary.
pub(super) fn is_dictionary(chunk: &ColumnChunkMetaData) -> bool {
    let only = |mask: &parquet::basic::EncodingMask| {
        mask.is_only(Encoding::RLE_DICTIONARY) || mask.is_only(Encoding::PLAIN_DICTIONARY)
    };
    match chunk.page_encoding_stats_mask() {
        Some(mask) => chunk.dictionary_page_offset().is_some() && only(mask),
        None => false,
    }
}

/// The distinct texts in a column.
pub(super) fn distinct(
    from: &Arc<Readable>,
    footer: &ArrowReaderMetadata,
    column: &str,
) -> Result<BTreeSet<String>, ParquetError> {
    let mut found = BTreeSet::new();
    let mut undecided = Vec::new();
    for (group, metadata) in footer.metadata().row_groups().iter().enumerate() {
        let mut chunks = metadata.columns().iter();
        let chunk = chunks.find(|chunk| chunk.column_path().parts() == [column.to_owned()]);
        let is_text = |chunk: &&ColumnChunkMetaData| chunk.column_type() == parquet::basic::Type::BYTE_ARRAY;
        let Some(chunk) = chunk.filter(|chunk| is_text(chunk) && is_dictionary(chunk)) else {
            undecided.push(group);
            continue;
        };
        let rows = usize::try_from(metadata.num_rows()).unwrap_or(usize::MAX);
        match SerializedPageReader::new(Arc::clone(from), chunk, rows, None)?.get_next_page()? {
            Some(Page::DictionaryPage { buf, num_values, .. }) => found.extend(plain_texts(&buf, num_values)),
            _ => undecided.push(group),
        }
    }
    if undecided.is_empty() {
        return Ok(found);
    }
    let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(from.as_ref().clone(), footer.clone());
    let mask = ProjectionMask::columns(builder.parquet_schema(), [column]);
    for batch in builder.with_projection(mask).with_row_groups(undecided).build()? {
        let batch = batch?;
        let Some(values) = batch.columns().first() else { continue };
        let texts = cast_array(values, &DataType::Utf8)?;
        let texts = texts.as_string_opt::<i32>();
        found.extend(texts.into_iter().flat_map(|texts| texts.iter().flatten()).map(str::to_owned));
    }
    Ok(found)
}

/// The texts of a dictionary page: each with its length before it.
fn plain_texts(page: &[u8], count: u32) -> Vec<String> {
    let mut texts = Vec::new();
    let mut rest = page;
    for _ in 0..count {
        let Some((length, after)) = rest.split_first_chunk::<4>() else { break };
        let length = usize::try_from(u32::from_le_bytes(*length)).unwrap_or(usize::MAX);
        let Some((text, after)) = after.split_at_checked(length) else { break };
        texts.push(String::from_utf8_lossy(text).into_owned());
        rest = after;
    }
    texts
}
