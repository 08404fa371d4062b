//! The commands of the language that spelunk knows by name only.

/// Their names, in order.
pub const KNOWN_UNSUPPORTED: &[&str] = &[
    "datamodelsimple",
    "folderize",
    "hide",
    "makejson",
    "outputraw",
    "pivot",
    "savedsplunk",
    "select",
    "surrounding",
    "tags",
    "tee",
];
