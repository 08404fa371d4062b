//! What a cluster says when a search fails, without the layers around it.
//!
//! Ballista hands errors on as text, one inside the other, each in the form for programmers.

use std::borrow::Cow;

/// What stands before a message of spelunk's own operators, and after it.
pub(super) const BEGIN: char = '\u{27e6}';
pub(super) const END: char = '\u{27e7}';

/// The innermost message.
pub(super) fn message(text: &str) -> String {
    if let Some((_, begun)) = text.split_once(BEGIN)
        && let Some((message, _)) = begun.split_once(END)
    {
        return plain(message);
    }
    // The innermost of `Execution("...")` and the like.
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("(\"") {
        if !before.ends_with(|letter: char| letter.is_ascii_alphabetic()) {
            break;
        }
        let end = after.rfind("\")").unwrap_or(after.len());
        rest = after.get(..end).unwrap_or(after);
    }
    plain(rest)
}

/// The text without the escapes of the forms for programmers.
fn plain(text: &str) -> String {
    let mut text = Cow::Borrowed(text.trim());
    while text.contains("\\\"") {
        text = Cow::Owned(text.replace("\\\"", "\"").replace("\\\\", "\\"));
    }
    text.into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layers_are_taken_off() {
        assert_eq!(message("Job x failed: DataFusionError(Execution(\"\u{27e6}no file\u{27e7}\"))"), "no file");
        assert_eq!(
            message("Task failed: DataFusionError(Execution(\"`lookup`: \\\"a\\\" is wrong\"))"),
            "`lookup`: \"a\" is wrong"
        );
        assert_eq!(message("cancelled"), "cancelled");
        assert_eq!(message("broken (\""), "broken (\"");
    }
}
