//! Digests of text, as hexadecimal digits in lower case.
//!
//! Source: Splunk Search Reference, "Cryptographic functions".

use std::borrow::Cow;
use std::fmt::Write as _;
use std::sync::Arc;

use datafusion::logical_expr::{Expr, ScalarUDF};
use md5::Md5;
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha512};
use spelunk_grammar::Span;

use super::Function;
use super::kernel::{Returns, Row};
use crate::plan::expression::Typed;
use crate::values::Value;

/// The functions of this family.
pub const FUNCTIONS: &[Function] = &[
    Function {
        name: "md5",
        summary: "The MD5 digest of a text.",
        syntax: "md5(text)",
        arity: (1, 1),
        example: (r#"md5("")"#, "d41d8cd98f00b204e9800998ecf8427e"),
        plan: |call| MD5.plan_values(call),
    },
    Function {
        name: "sha1",
        summary: "The SHA-1 digest of a text.",
        syntax: "sha1(text)",
        arity: (1, 1),
        example: (r#"sha1("")"#, "da39a3ee5e6b4b0d3255bfef95601890afd80709"),
        plan: |call| SHA1.plan_values(call),
    },
    Function {
        name: "sha256",
        summary: "The SHA-256 digest of a text.",
        syntax: "sha256(text)",
        arity: (1, 1),
        example: (r#"substr(sha256(""), 1, 16)"#, "e3b0c44298fc1c14"),
        plan: |call| SHA256.plan_values(call),
    },
    Function {
        name: "sha512",
        summary: "The SHA-512 digest of a text.",
        syntax: "sha512(text)",
        arity: (1, 1),
        example: (r#"substr(sha512(""), 1, 16)"#, "cf83e1357eefb8bd"),
        plan: |call| SHA512.plan_values(call),
    },
];

/// The DataFusion functions of this family.
pub fn udfs() -> Vec<Arc<ScalarUDF>> {
    [MD5, SHA1, SHA256, SHA512].iter().map(Row::udf).collect()
}

/// The digest of that name of a text: `md5`, `sha1` or `sha256`.
pub fn digest_of(name: &str, text: Expr, span: Span) -> Typed {
    let kernel = match name {
        "md5" => &MD5,
        "sha1" => &SHA1,
        _ => &SHA256,
    };
    kernel.call(vec![text], span)
}

fn digest<D: Digest>(values: &[Value<'_>]) -> Value<'static> {
    let Some(text) = values.first().and_then(Value::text) else { return Value::Null };
    let mut digits = String::new();
    for byte in D::digest(text.as_bytes()).iter() {
        // Writing to a string cannot fail.
        let _ = write!(digits, "{byte:02x}");
    }
    Value::Text(Cow::Owned(digits))
}

const MD5: Row = Row { name: "spl_md5", returns: Returns::Text, evaluate: digest::<Md5> };
const SHA1: Row = Row { name: "spl_sha1", returns: Returns::Text, evaluate: digest::<Sha1> };
const SHA256: Row = Row { name: "spl_sha256", returns: Returns::Text, evaluate: digest::<Sha256> };
const SHA512: Row = Row { name: "spl_sha512", returns: Returns::Text, evaluate: digest::<Sha512> };
