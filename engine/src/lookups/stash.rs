//! Rows as the events of a summary index.
//!
//! Source: Splunk Search Reference, "collect"; Splunk Knowledge Manager Manual, "Use summary indexing".

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Map, Value as Json, json};

use crate::functions::strftime;
use crate::values::Value;

/// How a time at the beginning of an event is written.
pub const TIME_FORMAT: &str = "%m/%d/%Y %H:%M:%S %z";

/// How rows become events.
#[derive(Debug, Clone)]
pub struct Stash {
    /// The index.
    pub index: String,
    /// Host, source and sourcetype, as far as they are named.
    pub origin: Vec<(&'static str, String)>,
    /// Text at the end of each event.
    pub marker: Option<String>,
    /// Whether an event begins with its time.
    pub addtime: bool,
    /// How that time is written.
    pub timeformat: String,
    /// What an event tells of the search that made it.
    pub info: Vec<(&'static str, String)>,
    /// Whether an event is an object of JSON.
    pub json: bool,
    /// The time of the search.
    pub now: Timestamp,
    /// The zone of times.
    pub zone: TimeZone,
}

impl Stash {
    /// The event of a row.
    pub fn line(&self, fields: &[String], values: &[Value<'_>]) -> String {
        let pairs = || fields.iter().zip(values);
        let of = |name: &str| pairs().find(|(field, _)| *field == name).map(|(_, value)| value);
        let raw = of("_raw").and_then(Value::text).filter(|raw| !raw.is_empty());
        let seconds = of("_time").and_then(Value::number).unwrap_or_else(|| self.now.as_microsecond() as f64 / 1e6);
        let shown = || pairs().filter(|(field, _)| !field.starts_with('_'));
        if self.json {
            return self.object(raw.as_deref(), seconds, shown());
        }
        let mut parts: Vec<String> = Vec::new();
        if let Some(raw) = raw {
            parts.push(raw.into_owned());
            parts.extend(self.info.iter().map(|(name, value)| format!("{name}={value}")));
        } else {
            if self.addtime {
                parts.push(self.time(seconds));
            }
            parts.extend(self.info.iter().map(|(name, value)| format!("{name}={value}")));
            for (field, value) in shown() {
                let number = matches!(value, Value::Number(_));
                parts.extend(value.texts().iter().map(|text| pair(field, text, number)));
            }
        }
        parts.extend(self.origin.iter().map(|(name, value)| pair(name, value, false)));
        parts.extend(self.marker.clone());
        parts.join(", ")
    }

    fn time(&self, seconds: f64) -> String {
        let micros = (seconds * 1e6) as i64;
        strftime::format(micros, &self.timeformat, &self.zone).unwrap_or_default()
    }

    fn object<'v>(
        &self,
        raw: Option<&str>,
        seconds: f64,
        fields: impl Iterator<Item = (&'v String, &'v Value<'v>)>,
    ) -> String {
        let mut object = Map::new();
        object.insert("time".into(), json!(seconds));
        object.insert("index".into(), json!(self.index));
        for (name, value) in &self.origin {
            object.insert((*name).into(), json!(value));
        }
        let event = match raw {
            Some(raw) => json!(raw),
            None => {
                let mut event = Map::new();
                for (field, value) in fields {
                    if let Some(value) = json_value(value) {
                        event.insert(field.clone(), value);
                    }
                }
                event.extend(self.info.iter().map(|(name, value)| ((*name).to_string(), json!(value))));
                event.extend(self.marker.iter().map(|marker| ("marker".to_string(), json!(marker))));
                Json::Object(event)
            }
        };
        object.insert("event".into(), event);
        Json::Object(object).to_string()
    }
}

fn json_value(value: &Value<'_>) -> Option<Json> {
    match value {
        Value::Null => None,
        Value::Number(number) if number.fract() == 0.0 && number.abs() < 9e15 => Some(json!(*number as i64)),
        Value::Number(number) => Some(json!(number)),
        Value::Boolean(truth) => Some(json!(truth)),
        Value::Text(text) => Some(json!(text)),
        Value::Many(values) => Some(json!(values)),
    }
}

/// `name=value`; a value that is no number stands in quotes. An event is one line.
fn pair(name: &str, value: &str, number: bool) -> String {
    if number || crate::values::parse_number(value).is_some() {
        return format!("{name}={value}");
    }
    let escaped = value.replace('\\', "\\\\").replace('"', "\\\"").replace('\r', "\\r").replace('\n', "\\n");
    format!("{name}=\"{escaped}\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stash() -> Stash {
        Stash {
            index: "daily".into(),
            origin: vec![("source", "a rule".into())],
            marker: Some("report=x".into()),
            addtime: true,
            timeformat: TIME_FORMAT.into(),
            info: vec![("info_min_time", "0.000".into())],
            json: false,
            now: Timestamp::UNIX_EPOCH,
            zone: TimeZone::UTC,
        }
    }

    fn line(stash: &Stash, row: &[(&str, Value<'_>)]) -> String {
        let names: Vec<String> = row.iter().map(|(name, _)| name.to_string()).collect();
        let values: Vec<Value<'_>> = row.iter().map(|(_, value)| value.clone()).collect();
        stash.line(&names, &values)
    }

    #[test]
    fn fields_become_pairs() {
        let row = [
            ("_time", Value::Number(60.0)),
            ("n", Value::Number(1.5)),
            ("t", Value::Text("say \"hi\"\nx".into())),
            ("m", Value::Many(vec!["a".into(), "2".into()])),
            ("none", Value::Null),
            ("_hidden", Value::Number(1.0)),
        ];
        assert_eq!(
            line(&stash(), &row),
            "01/01/1970 00:01:00 +0000, info_min_time=0.000, n=1.5, t=\"say \\\"hi\\\"\\nx\", m=\"a\", m=2, source=\"a rule\", report=x"
        );
        assert_eq!(
            line(&Stash { json: true, info: Vec::new(), ..stash() }, &row),
            r#"{"time":60.0,"index":"daily","source":"a rule","event":{"n":1.5,"t":"say \"hi\"\nx","m":["a","2"],"marker":"report=x"}}"#
        );
    }

    #[test]
    fn raw_text_stays() {
        let row = [("_raw", Value::Text("GET /".into())), ("n", Value::Number(1.0))];
        assert_eq!(line(&stash(), &row), "GET /, info_min_time=0.000, source=\"a rule\", report=x");
        let plain = Stash { info: Vec::new(), origin: Vec::new(), marker: None, ..stash() };
        assert_eq!(line(&plain, &row), "GET /");
        let untimed = Stash { addtime: false, ..plain };
        assert_eq!(line(&untimed, &[("n", Value::Number(1.0))]), "n=1");
    }
}
