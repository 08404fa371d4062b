//! What stands beside a detection: how severe it is, which techniques it is about, and how it is tested.
//!
//! Sources: Splunk Security Content, "Detection specification" (tags, tests), and its `contentctl`, which rounds
//! confidence times impact and divides scores into severities at 20, 40, 60 and 80;
//! Splunk Admin Manual, "savedsearches.conf" (`alert.severity`); SigmaHQ, "Sigma Rules Specification" (level, tags).

use serde_json::Value;
use spelunk_engine::knowledge::conf::Stanza;

/// How severe a hit is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
pub enum Severity {
    /// Worth knowing
    Informational,
    /// Up to 40 of 100
    Low,
    /// Up to 60
    Medium,
    /// Up to 80
    High,
    /// More
    Critical,
}

impl Severity {
    /// Its name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Severity::Informational => "informational",
            Severity::Low => "low",
            Severity::Medium => "medium",
            Severity::High => "high",
            Severity::Critical => "critical",
        }
    }

    fn of_name(name: &str) -> Option<Self> {
        Some(match name.trim().to_ascii_lowercase().as_str() {
            "informational" | "info" => Severity::Informational,
            "low" => Severity::Low,
            "medium" => Severity::Medium,
            "high" => Severity::High,
            "critical" => Severity::Critical,
            _ => return None,
        })
    }

    /// Of a risk score from 0 to 100.
    fn of_score(score: f64) -> Self {
        match score {
            score if score <= 20.0 => Severity::Informational,
            score if score <= 40.0 => Severity::Low,
            score if score <= 60.0 => Severity::Medium,
            score if score <= 80.0 => Severity::High,
            _ => Severity::Critical,
        }
    }
}

/// What is said of a detection.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct About {
    /// Its title.
    pub title: Option<String>,
    /// What kind of detection it is: `TTP`, `Anomaly`, `Hunting`.
    pub kind: Option<String>,
    /// How severe a hit is.
    pub severity: Option<Severity>,
    /// The ATT&CK techniques.
    pub techniques: Vec<String>,
    /// The fields that name what is at risk, and those that name a threat.
    pub risk_fields: Vec<String>,
    /// See [`About::risk_fields`].
    pub threat_fields: Vec<String>,
    /// Its own tests.
    pub tests: Vec<Test>,
}

/// A test of a detection: data in which it has to find something.
#[derive(Debug, Clone, PartialEq)]
pub struct Test {
    /// What it is called.
    pub name: String,
    /// The data.
    pub data: Vec<TestData>,
}

/// A file of a test.
#[derive(Debug, Clone, PartialEq)]
pub struct TestData {
    /// A path or an address.
    pub data: String,
    /// The source of its events.
    pub source: Option<String>,
    /// The sourcetype of its events.
    pub sourcetype: Option<String>,
    /// The host of its events.
    pub host: Option<String>,
    /// The index of its events.
    pub index: Option<String>,
}

impl About {
    /// Of a detection in YAML. What is not written as it should be is left out: the search counts.
    pub fn of_yaml(document: &Value) -> Self {
        let tags = document.get("tags").unwrap_or(&Value::Null);
        let title = document.get("name").or_else(|| document.get("title"));
        let scores = at_risk(document).filter_map(|object| number(object.get("score")?));
        let part = |key: &str| tags.get(key).and_then(number);
        let rated = || Some((part("confidence")? * part("impact")? / 100.0).round());
        let score = part("risk_score").or_else(|| scores.reduce(f64::max)).or_else(rated);
        let named = [tags.get("severity"), document.get("severity"), document.get("level")];
        let named = named.into_iter().flatten().filter_map(Value::as_str).find_map(Severity::of_name);
        let mut about = Self {
            title: title.and_then(Value::as_str).map(|title| title.trim().to_owned()),
            kind: document.get("type").and_then(Value::as_str).map(str::to_owned),
            severity: named.or_else(|| score.map(Severity::of_score)),
            ..Self::default()
        };
        let named = [tags.get("mitre_attack_id"), document.get("mitre_attack_id")].into_iter().flat_map(texts);
        for id in named.chain(of_sigma(tags)) {
            about.technique(&id);
        }
        about.objects(document, tags);
        about.tests = tests(document.get("tests"));
        about
    }

    /// Of a saved search.
    pub fn of_stanza(stanza: &Stanza<'_>) -> Self {
        let given = |key| stanza.get(key).filter(|value| !value.is_empty());
        let alert = given("alert.severity").and_then(|number| match number.trim() {
            "1" | "2" => Some(Severity::Informational),
            "3" => Some(Severity::Medium),
            "4" => Some(Severity::High),
            "5" | "6" => Some(Severity::Critical),
            _ => None,
        });
        let notable = given("action.notable.param.severity").and_then(Severity::of_name);
        let score = given("action.risk.param._risk_score").and_then(|score| score.trim().parse().ok());
        let mut about = Self {
            severity: notable.or_else(|| score.map(Severity::of_score)).or(alert),
            title: Some(stanza.name.trim().to_owned()),
            ..Self::default()
        };
        let annotations = given("action.correlationsearch.annotations");
        let annotations = annotations.and_then(|text| serde_json::from_str::<Value>(text).ok()).unwrap_or_default();
        texts(annotations.get("mitre_attack")).iter().for_each(|id| about.technique(id));
        about
    }

    /// Of a line of JSON.
    pub fn of_json(entry: &Value) -> Self {
        Self::of_yaml(entry)
    }

    fn technique(&mut self, id: &str) {
        let id = id.trim().to_ascii_uppercase();
        if super::attack::is_technique(&id) && !self.techniques.contains(&id) {
            self.techniques.push(id);
        }
    }

    /// What a row of a hit has to name: `tags.observable` with roles, later `rba`, then findings.
    fn objects(&mut self, document: &Value, tags: &Value) {
        let field = |object: &Value| object.get("field")?.as_str().map(str::to_owned);
        for named in at_risk(document).filter_map(field) {
            // An entity may be of a finding and of an intermediate one.
            if !self.risk_fields.contains(&named) {
                self.risk_fields.push(named);
            }
        }
        self.threat_fields = ["/rba/threat_objects", "/threat_objects"]
            .into_iter()
            .filter_map(|path| document.pointer(path)?.as_array())
            .flat_map(|objects| objects.iter().filter_map(field))
            .collect();
        for observable in tags.get("observable").and_then(Value::as_array).into_iter().flatten() {
            let Some(name) = observable.get("name").and_then(Value::as_str) else { continue };
            let roles = texts(observable.get("role"));
            let victim = roles.iter().any(|role| role.eq_ignore_ascii_case("victim"));
            let of = if victim { &mut self.risk_fields } else { &mut self.threat_fields };
            if !of.iter().any(|known| known == name) {
                of.push(name.to_owned());
            }
        }
    }
}

/// What a hit puts at risk, each with its score, as the generations of the format say it.
fn at_risk(document: &Value) -> impl Iterator<Item = &Value> {
    let lists = ["/rba/risk_objects", "/intermediate_findings/entities"];
    let listed = lists.into_iter().filter_map(|path| document.pointer(path)?.as_array()).flatten();
    document.pointer("/finding/entity").into_iter().chain(listed)
}

/// A number, or a text that holds one.
fn number(value: &Value) -> Option<f64> {
    value.as_f64().or_else(|| value.as_str()?.trim().parse().ok())
}

/// A text, or a list of them.
fn texts(value: Option<&Value>) -> Vec<String> {
    match value {
        Some(Value::String(text)) => vec![text.clone()],
        Some(Value::Array(list)) => list.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        _ => Vec::new(),
    }
}

/// The techniques among the tags of Sigma: `attack.t1059.001`.
fn of_sigma(tags: &Value) -> Vec<String> {
    texts(Some(tags)).iter().filter_map(|tag| tag.trim().strip_prefix("attack.").map(str::to_owned)).collect()
}

fn tests(value: Option<&Value>) -> Vec<Test> {
    let list = value.and_then(Value::as_array).into_iter().flatten();
    let read = |(position, test): (usize, &Value)| {
        let name = test.get("name").and_then(Value::as_str);
        let name = name.map_or_else(|| format!("test {}", position.saturating_add(1)), str::to_owned);
        let data = test.get("attack_data").and_then(Value::as_array).into_iter().flatten().filter_map(|data| {
            let text = |key| data.get(key).and_then(Value::as_str).map(|text| text.trim().to_owned());
            let index = text("custom_index");
            let (source, sourcetype, host) = (text("source"), text("sourcetype"), text("host"));
            Some(TestData { data: text("data")?, source, sourcetype, host, index })
        });
        Test { name, data: data.collect() }
    };
    list.enumerate().map(read).collect()
}

#[cfg(test)]
mod tests_of_about {
    use super::*;
    use spelunk_engine::knowledge::Conf;

    #[test]
    fn yaml_of_both_generations() {
        let older = serde_json::json!({
            "name": "A", "type": "TTP",
            "tags": {"risk_score": "49", "mitre_attack_id": ["T1059", "T1059", "S0001"], "observable": [
                {"name": "dest", "role": ["Victim"]}, {"name": "process", "role": ["Attacker"]}]},
            "tests": [{"name": "t", "attack_data": [{"data": "x.log", "sourcetype": "s"}, {"source": "no data"}]}],
        });
        let about = About::of_yaml(&older);
        assert_eq!((about.severity, about.techniques.as_slice()), (Some(Severity::Medium), &["T1059".to_owned()][..]));
        assert_eq!((about.risk_fields.as_slice(), about.threat_fields.len()), (&["dest".to_owned()][..], 1));
        assert_eq!(about.tests.len(), 1);
        assert_eq!(about.tests[0].data.len(), 1);
        let newer = serde_json::json!({
            "rba": {"risk_objects": [{"field": "user", "score": 10}, {"field": "dest", "score": 90}],
                    "threat_objects": [{"field": "ip"}]}});
        let about = About::of_yaml(&newer);
        assert_eq!(about.severity, Some(Severity::Critical));
        assert_eq!((about.risk_fields.len(), about.threat_fields.as_slice()), (2, &["ip".to_owned()][..]));
        let newest = serde_json::json!({
            "finding": {"title": "t", "entity": {"field": "user_id", "score": 50}},
            "intermediate_findings": {"entities": [{"field": "dest", "score": 70}, {"field": "user_id", "score": 1}]},
            "threat_objects": [{"field": "process_name"}], "mitre_attack_id": ["T1021.001"]});
        let newest = About::of_yaml(&newest);
        assert_eq!((newest.severity, newest.techniques.len()), (Some(Severity::High), 1));
        assert_eq!(
            (newest.risk_fields, newest.threat_fields.len()),
            (vec!["user_id".to_owned(), "dest".to_owned()], 1)
        );
        let rated = About::of_yaml(&serde_json::json!({"tags": {"confidence": 70, "impact": 90}}));
        assert_eq!(rated.severity, Some(Severity::High));
        let sigma =
            serde_json::json!({"title": "S", "level": "high", "tags": ["attack.t1218.011", "attack.execution"]});
        let about = About::of_yaml(&sigma);
        assert_eq!((about.severity, about.techniques), (Some(Severity::High), vec!["T1218.011".to_owned()]));
        assert_eq!(About::of_yaml(&serde_json::json!({"tags": 7, "tests": "none"})), About::default());
    }

    #[test]
    fn saved_searches() {
        let conf = Conf::read(
            "[A]\nsearch = x\nalert.severity = 5\n\
             action.correlationsearch.annotations = {\"mitre_attack\": [\"T1003.001\"]}\n",
        );
        let about = conf.stanzas().next().map(|stanza| About::of_stanza(&stanza)).unwrap();
        assert_eq!((about.severity, about.techniques), (Some(Severity::Critical), vec!["T1003.001".to_owned()]));
    }
}
