//! What the user documents of detections: which signals each is known to miss, and under which label it catches others.

use std::collections::BTreeMap;
use std::path::Path;

use spelunk_engine::knowledge::yaml;

use super::{Case, Documented};
use crate::detections::Detection;
use crate::escape;
use crate::exit::{self, Failure};

/// Adds what a file documents: for each detection, signals or whole cases and what becomes of them.
///
/// # Errors
/// A file that cannot be read, or that names a detection, signal or case that there is not.
pub fn read(path: &Path, cases: &mut [Case], detections: &[Detection]) -> Result<(), Failure> {
    let text = std::fs::read_to_string(path).map_err(|error| exit::at(path, &error))?;
    let wrong = |reason: &str| {
        Failure::Usage(format!("{}: {}", escape::line(&path.display().to_string()), escape::line(reason)))
    };
    let documents =
        yaml::documents::<BTreeMap<String, BTreeMap<String, String>>>(&text).map_err(|reason| wrong(&reason))?;
    for (name, signals) in documents.into_iter().flatten() {
        if !detections.iter().any(|detection| detection.name == name) {
            let known = detections.iter().map(|detection| detection.name.as_str()).collect::<Vec<_>>().join(", ");
            return Err(wrong(&format!("no detection is called {name:?}; there are {known}")));
        }
        for (id, text) in signals {
            let documented = Documented::read(&text);
            let mut found = false;
            for case in cases.iter_mut() {
                let whole = case.name == id;
                for signal in case.signals.iter_mut().filter(|signal| whole || signal.id == id) {
                    signal.documented.insert(name.clone(), documented.clone());
                    found = true;
                }
            }
            if !found {
                return Err(wrong(&format!("no signal or test is called {id:?}")));
            }
        }
    }
    Ok(())
}

/// What is documented of a bundled detection holds for its text only: another query of that name is another one, and
/// a copy under another name the same.
pub fn apply_to(cases: &mut [Case], detections: &[Detection]) {
    for signal in cases.iter_mut().flat_map(|case| &mut case.signals) {
        let bundled = std::mem::take(&mut signal.documented);
        for detection in detections {
            if let Some(documented) = detection.published().and_then(|name| bundled.get(name)) {
                signal.documented.insert(detection.name.clone(), documented.clone());
            }
        }
    }
}
