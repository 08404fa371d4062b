//! YAML as the authors of detections write it.

use serde::de::DeserializeOwned;

/// The documents of a YAML file.
///
/// YAML wants the further lines of a quoted text indented. Some published detections do not do that, and the parser
/// that their authors use does not mind; so such lines are indented, which does not change what they say.
///
/// # Errors
/// The reason why it is no YAML, or not of this type.
pub fn documents<T: DeserializeOwned>(text: &str) -> Result<Vec<T>, String> {
    // `N` and `off` are words in the names of detections.
    let options = serde_saphyr::options! { strict_booleans: true };
    let error = match serde_saphyr::from_multiple_with_options::<T>(text, options.clone()) {
        Ok(found) => return Ok(found),
        Err(error) => error.to_string(),
    };
    let mut indented = String::with_capacity(text.len() + 64);
    for line in text.split_inclusive('\n') {
        if !line.starts_with([' ', '\t', '#', '-', '\n', '\r', '%', '.']) && !begins_with_key(line) {
            indented.push_str("  ");
        }
        indented.push_str(line);
    }
    let first = error.lines().next().unwrap_or_default();
    serde_saphyr::from_multiple_with_options(&indented, options)
        .map_err(|_| first.trim_start_matches("error: ").to_owned())
}

fn begins_with_key(line: &str) -> bool {
    line.split_once(':').is_some_and(|(key, rest)| {
        let word = key.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-'));
        word && rest.starts_with([' ', '\n', '\r'])
    })
}
