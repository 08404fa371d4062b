//! Texts in other writings, and their digests.

use datafusion::logical_expr::{Expr, is_true, lit};
use spelunk_grammar::{Diagnostic, Spanned};

use super::super::arguments::Arguments;
use super::super::filter::text_of;
use super::super::rows::Rows;
use super::super::unsupported;
use super::support::{number, over_field, over_text, whole};
use super::{Function, Makes};
use crate::functions::logscale::{self, digests, encoding};
use crate::functions::{cryptographic, kernel::Row};
use crate::plan::expression::Typed;

/// The family.
pub const FUNCTIONS: &[Function] = &[
    Function {
        name: "base64Decode",
        parameters: &["field", "as", "charset"],
        makes: Makes::Value("_base64Decode", |rows, a| decoded(rows, a, &encoding::BASE64_DECODE)),
    },
    Function {
        name: "base64Encode",
        parameters: &["field", "as"],
        makes: Makes::Value("_base64Encode", |rows, a| over_field(rows, a, &encoding::BASE64_ENCODE, Vec::new())),
    },
    Function {
        name: "crypto:md5",
        parameters: &["field", "as"],
        makes: Makes::Value("_md5", |rows, a| digest(rows, a, "md5")),
    },
    Function {
        name: "crypto:sha1",
        parameters: &["field", "as"],
        makes: Makes::Value("_sha1", |rows, a| digest(rows, a, "sha1")),
    },
    Function {
        name: "crypto:sha256",
        parameters: &["field", "as"],
        makes: Makes::Value("_sha256", |rows, a| digest(rows, a, "sha256")),
    },
    Function { name: "hash", parameters: &["field", "as", "limit", "seed"], makes: Makes::Value("_hash", hash) },
    Function {
        name: "hashMatch",
        parameters: &["input", "bits", "field", "hash", "salt"],
        makes: Makes::Filter(|_, a| Err(needs_salt(a))),
    },
    Function {
        name: "hashRewrite",
        parameters: &["field", "as", "bits", "hash", "replaceInRawstring", "salt"],
        makes: Makes::Row(|_, a| Err(needs_salt(a))),
    },
    Function {
        name: "parseHexString",
        parameters: &["field", "as", "charset"],
        makes: Makes::Value("_parsehexstring", |rows, a| decoded(rows, a, &encoding::HEX_DECODE)),
    },
    Function { name: "parseInt", parameters: &["field", "as", "radix", "endian"], makes: Makes::Value("", integer) },
    Function { name: "sample", parameters: &["percentage", "field"], makes: Makes::Filter(sample) },
    Function {
        name: "shannonEntropy",
        parameters: &["field", "as"],
        makes: Makes::Value("_shannonentropy", |rows, a| over_field(rows, a, &digests::ENTROPY, Vec::new())),
    },
    Function {
        name: "stripAnsiCodes",
        parameters: &["field", "as"],
        makes: Makes::Value("", |rows, a| over_text(rows, a, &encoding::WITHOUT_CODES, Vec::new())),
    },
    Function {
        name: "tokenHash",
        parameters: &["field", "as"],
        makes: Makes::Value("_tokenHash", |rows, a| over_field(rows, a, &digests::TOKEN_HASH, Vec::new())),
    },
    Function {
        name: "urlDecode",
        parameters: &["field", "as"],
        makes: Makes::Value("_urldecode", |rows, a| over_field(rows, a, &encoding::URL_DECODE, Vec::new())),
    },
    Function {
        name: "urlEncode",
        parameters: &["field", "as"],
        makes: Makes::Value("_urlencode", |rows, a| over_field(rows, a, &encoding::URL_ENCODE, Vec::new())),
    },
];

fn decoded(rows: &Rows<'_>, a: &Arguments<'_>, kernel: &Row) -> Result<Typed, Diagnostic> {
    let charset = a.choice("charset", encoding::CHARSETS)?;
    over_field(rows, a, kernel, vec![lit(charset)])
}

/// The texts of the fields of a call; one that is missing is empty.
fn texts(rows: &Rows<'_>, a: &Arguments<'_>) -> Result<Vec<Expr>, Diagnostic> {
    let fields = a.need_names("field")?;
    Ok(fields.iter().map(|field| text_of(&rows.field(&field.node, field.span))).collect())
}

fn digest(rows: &Rows<'_>, a: &Arguments<'_>, name: &str) -> Result<Typed, Diagnostic> {
    let whole = logscale::concatenate(texts(rows, a)?, a.span()).expr;
    Ok(cryptographic::digest_of(name, whole, a.span()))
}

fn hash(rows: &Rows<'_>, a: &Arguments<'_>) -> Result<Typed, Diagnostic> {
    let limit = whole(a, "limit", 1, i64::from(u32::MAX))?.unwrap_or(0);
    let seed = a.text("seed")?.map_or_else(String::new, |seed| seed.node);
    let arguments = [lit(seed), lit(limit)].into_iter().chain(texts(rows, a)?);
    Ok(digests::HASH.call(arguments.collect(), a.span()))
}

fn integer(rows: &Rows<'_>, a: &Arguments<'_>) -> Result<Typed, Diagnostic> {
    let radix = whole(a, "radix", 2, 36)?.unwrap_or(16);
    let endian = a.choice("endian", &["big", "little"])?;
    if endian == "little" && radix != 16 {
        return Err(unsupported("`endian=little` with a radix other than 16", a.span()));
    }
    over_field(rows, a, &encoding::PARSE_INTEGER, vec![lit(radix), lit(endian)])
}

fn sample(rows: &Rows<'_>, a: &Arguments<'_>) -> Result<Expr, Diagnostic> {
    let percentage = number(a, "percentage")?.map_or(1.0, |percentage| percentage.node);
    let field = a.field()?.unwrap_or_else(|| Spanned::new("@timestamp".to_owned(), a.span()));
    let value = text_of(&rows.field(&field.node, field.span));
    Ok(is_true(digests::SAMPLED.call(vec![value, lit(percentage)], a.span()).expr))
}

fn needs_salt(a: &Arguments<'_>) -> Diagnostic {
    unsupported(&format!("`{}`, whose salt is a secret of the vendor's server,", a.function.name), a.call.name.span)
}
