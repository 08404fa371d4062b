//! Spelunk's own app: text files like those of any other, brought along in the binary.

use super::folder::Folder;
use crate::knowledge::conf::Conf;

/// A file of the app.
macro_rules! file {
    ($name:literal) => {
        ($name, include_str!(concat!("../../../knowledge/", $name)))
    };
}

/// The app, read anew.
pub fn folder() -> Folder {
    let read = |(name, text): (&str, &str)| Conf::read_file(text, name, &mut Vec::new());
    let model = |(name, text): (&str, &str)| (name.to_owned(), text.to_owned());
    Folder {
        macros: read(file!("default/macros.conf")),
        saved_searches: Conf::default(),
        event_types: read(file!("default/eventtypes.conf")),
        tags: read(file!("default/tags.conf")),
        transforms: read(file!("default/transforms.conf")),
        props: read(file!("default/props.conf")),
        models: MODELS.map(model).to_vec(),
    }
}

const MODELS: [(&str, &str); 16] = [
    file!("models/Alerts.json"),
    file!("models/Authentication.json"),
    file!("models/Certificates.json"),
    file!("models/Change.json"),
    file!("models/Change_Analysis.json"),
    file!("models/Email.json"),
    file!("models/Endpoint.json"),
    file!("models/Intrusion_Detection.json"),
    file!("models/Network_Resolution.json"),
    file!("models/Network_Sessions.json"),
    file!("models/Network_Traffic.json"),
    file!("models/Risk.json"),
    file!("models/Updates.json"),
    file!("models/Vulnerabilities.json"),
    file!("models/Web.json"),
    file!("models/UEBA.json"),
];
