//! What the parts of a Windows event are called, in the XML and in the JSON of the tools that export it.

/// What the value of a key means, besides being a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// Nothing.
    None,
    /// The event's code.
    EventId,
    /// The channel of a Windows event.
    Channel,
    /// The computer that a Windows event is about; the lowest rank wins.
    Computer(u8),
    /// The host; the lowest rank wins.
    Host(u8),
    /// The index, as an export of Splunk names it.
    Index,
    /// The source, as an export of Splunk names it.
    Source,
    /// The sourcetype, as an export of Splunk names it.
    Sourcetype,
    /// The event's time; the lowest rank that can be read wins. `utc`: where it names no zone, it is in UTC.
    Time { rank: u8, utc: bool },
    /// The event's text, as an export of Splunk has it.
    Raw,
    /// It must not become a field.
    Reserved,
}

/// The source of the events of a channel, which is their sourcetype too.
pub(crate) fn windows_source(channel: Option<&str>) -> String {
    match channel {
        Some(channel) => ["XmlWinEventLog:", channel].concat(),
        None => "XmlWinEventLog".to_owned(),
    }
}

/// The other names under which published searches know the events of a Windows channel.
pub(crate) fn spellings(source: &str) -> Vec<String> {
    match source.strip_prefix("XmlWinEventLog:") {
        Some(channel @ "Linux-Sysmon/Operational") => {
            vec![format!("Syslog:{channel}"), channel.to_string(), "sysmon:linux".into()]
        }
        Some(channel) => {
            vec![format!("WinEventLog:{channel}"), channel.to_string(), "XmlWinEventLog".into(), "WinEventLog".into()]
        }
        None => Vec::new(),
    }
}

/// Where a key comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Section {
    /// A record of unknown form; the key is the dotted path.
    Record,
    /// The `System` element of a Windows event; an attribute's key is `Element.Attribute`.
    System,
    /// `EventData`, `UserData` and the like.
    Data,
    /// A line of text; no value of it says more about the event than a field does.
    Line,
}

/// What becomes of a key's value.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Meaning {
    /// The fields that it becomes.
    pub(crate) fields: Vec<String>,
    pub(crate) role: Role,
    /// Whether it is the event's own data, which wins over what the system says about the event.
    pub(crate) is_data: bool,
}

impl Meaning {
    fn field(name: &str) -> Self {
        Meaning { fields: vec![name.to_owned()], role: Role::None, is_data: false }
    }

    fn fields(names: &[&str], role: Role) -> Self {
        Meaning { fields: names.iter().map(|&name| name.to_owned()).collect(), role, is_data: false }
    }
}

/// Fields that say where an event is from: event data never replaces them.
const PROTECTED: [&str; 12] = [
    "EventCode",
    "EventID",
    "Channel",
    "Computer",
    "host",
    "index",
    "source",
    "sourcetype",
    "_time",
    "_serial",
    "_file",
    "_raw",
];

/// What a key means in a Windows event.
pub(crate) fn windows_meaning(section: Section, key: &str) -> Meaning {
    match section {
        Section::System => system(key),
        Section::Data => data(key),
        Section::Record => record(key),
        Section::Line => line(key),
    }
}

/// What a key means in text. Where it would hide what is known of the event it gets the prefix that Splunk gives it.
pub(crate) fn line(key: &str) -> Meaning {
    if PROTECTED.contains(&key) { Meaning::field(&format!("extracted_{key}")) } else { Meaning::field(key) }
}

/// What a key means in a record that is no Windows event.
pub(crate) fn plain_meaning(key: &str) -> Meaning {
    match key {
        "_serial" | "_file" => Meaning::fields(&[], Role::Reserved),
        "_time" => Meaning::fields(&[], Role::Time { rank: 0, utc: false }),
        "_raw" => Meaning::fields(&["_raw"], Role::Raw),
        "index" => Meaning::fields(&[], Role::Index),
        "source" => Meaning::fields(&[], Role::Source),
        "sourcetype" => Meaning::fields(&[], Role::Sourcetype),
        "host" => Meaning::fields(&[], Role::Host(0)),
        _ => {
            let role = match position(&HOSTS, key) {
                Some(rank) => Role::Host(rank.saturating_add(1)),
                None => time_role(key),
            };
            Meaning::fields(&[key], role)
        }
    }
}

const HOSTS: [&str; 8] =
    ["hostname", "Hostname", "HostName", "host.name", "ComputerName", "Computer", "computer", "computer_name"];

/// The keys that hold a record's time, the surest first.
const TIMES: [&str; 23] = [
    "SystemTime",
    "@timestamp",
    "UtcTime",
    "timestamp",
    "Timestamp",
    "time",
    "Time",
    "ts",
    "eventTime",
    "EventTime",
    "event_time",
    "datetime",
    "DateTime",
    "Date and Time",
    "date",
    "Date",
    "CreationTime",
    "TimeCreated",
    "TimeGenerated",
    "created_at",
    "CreatedAt",
    "published",
    "EventReceivedTime",
];

/// The times that these name are UTC even where they do not say so.
const UTC_TIMES: [&str; 3] = ["SystemTime", "@timestamp", "UtcTime"];

fn time_role(key: &str) -> Role {
    match position(&TIMES, key) {
        Some(rank) => Role::Time { rank: rank.saturating_add(1), utc: UTC_TIMES.contains(&key) },
        None => Role::None,
    }
}

fn position(names: &[&str], name: &str) -> Option<u8> {
    names.iter().position(|&known| known == name).and_then(|at| u8::try_from(at).ok())
}

fn system(key: &str) -> Meaning {
    match key {
        "Provider.Name" | "Provider" => Meaning::field("SourceName"),
        "Provider.Guid" => Meaning::field("ProviderGuid"),
        "Provider.EventSourceName" => Meaning::field("EventSourceName"),
        "EventID" => Meaning::fields(&[], Role::EventId),
        "EventID.Qualifiers" => Meaning::field("Qualifiers"),
        "TimeCreated.SystemTime" => Meaning::fields(&[], Role::Time { rank: 1, utc: true }),
        "EventRecordID" => Meaning::fields(&["RecordNumber", "EventRecordID"], Role::None),
        "Correlation.ActivityID" => Meaning::field("ActivityID"),
        "Correlation.RelatedActivityID" => Meaning::field("RelatedActivityID"),
        "Security.UserID" | "Security.UserId" => Meaning::field("UserID"),
        "Channel" => Meaning::fields(&[], Role::Channel),
        "Computer" => Meaning::fields(&[], Role::Computer(0)),
        "_time" | "_serial" | "_file" => Meaning::fields(&[], Role::Reserved),
        _ => match key.strip_prefix("Execution.") {
            Some(name) => Meaning::field(&format!("Execution{name}")),
            // Namespaces and the like are no data.
            None if key.ends_with(".xmlns") => Meaning::fields(&[], Role::Reserved),
            None => Meaning::field(key),
        },
    }
}

fn data(name: &str) -> Meaning {
    let name = match name {
        "" => "Data",
        _ => name,
    };
    let field = if PROTECTED.contains(&name) { format!("EventData_{name}") } else { name.to_owned() };
    Meaning { fields: vec![field], role: Role::None, is_data: true }
}

/// What data is nested in: as Windows has it, in winlogbeat, and in winlogbeat before version 7.
const DATA: [&str; 6] =
    ["EventData.", "UserData.", "winlog.event_data.", "winlog.user_data.", "event_data.", "user_data."];

/// The path of a JSON record or the header of a CSV column.
fn record(path: &str) -> Meaning {
    let inner = path.strip_prefix("Event.").unwrap_or(path);
    if let Some(key) = inner.strip_prefix("System.") {
        return system(&element(key));
    }
    if let Some(key) = DATA.iter().find_map(|prefix| inner.strip_prefix(prefix)) {
        return data_path(key);
    }
    if inner == "EventData" || inner == "UserData" {
        return data("Data");
    }
    if path.starts_with("Event.#attributes") || path.starts_with("Event_attributes") {
        return Meaning::fields(&[], Role::Reserved);
    }
    if let Some(key) = path.strip_prefix("winlog.") {
        return winlogbeat(key, path);
    }
    match element(path).as_str() {
        "EventID" | "EventId" | "event_id" => Meaning::fields(&[], Role::EventId),
        "EventCode" => Meaning::fields(&[], Role::EventId),
        "EventID.Qualifiers" => Meaning::field("Qualifiers"),
        "Channel" | "LogName" | "log_name" => Meaning::fields(&[], Role::Channel),
        "TaskValue" => Meaning::fields(&["TaskValue", "Task"], Role::None),
        "OpcodeValue" => Meaning::fields(&["OpcodeValue", "Opcode"], Role::None),
        "Computer" => Meaning::fields(&[], Role::Computer(0)),
        "Hostname" | "HostName" | "hostname" | "ComputerName" | "computer_name" | "MachineName" => {
            Meaning::fields(&[path], Role::Computer(1))
        }
        "RecordNumber" | "RecordID" | "RecordId" | "EventRecordID" | "EventRecordId" | "record_number" => {
            Meaning::fields(&["RecordNumber", "EventRecordID"], Role::None)
        }
        "SourceName" | "Provider" | "ProviderName" | "source_name" => Meaning::field("SourceName"),
        _ => plain_meaning(path),
    }
}

/// `Provider.#attributes.Name` and `Provider_attributes.Name` as `Provider.Name`, `EventID.#text` as `EventID`.
fn element(key: &str) -> String {
    let key = key.strip_suffix(".#text").or_else(|| key.strip_suffix(".Value")).unwrap_or(key);
    key.replace(".#attributes.", ".").replace("_attributes.", ".")
}

/// The leaf's name, whatever it is nested in.
fn data_path(path: &str) -> Meaning {
    let path = path.strip_suffix(".#text").unwrap_or(path);
    let is_attribute = path.split('.').any(|part| part == "#attributes" || part.ends_with("_attributes"));
    if is_attribute || path == "#text" {
        return if is_attribute { Meaning::fields(&[], Role::Reserved) } else { data("Data") };
    }
    data(path.rsplit('.').next().unwrap_or(path))
}

fn winlogbeat(key: &str, path: &str) -> Meaning {
    match key {
        "event_id" => Meaning::fields(&[], Role::EventId),
        "channel" => Meaning::fields(&[], Role::Channel),
        "computer_name" => Meaning::fields(&[], Role::Computer(0)),
        "record_id" => Meaning::fields(&["RecordNumber", "EventRecordID"], Role::None),
        "provider_name" => Meaning::field("SourceName"),
        "provider_guid" => Meaning::field("ProviderGuid"),
        "task" => Meaning::field("Task"),
        "opcode" => Meaning::field("Opcode"),
        "version" => Meaning::field("Version"),
        "keywords" => Meaning::field("Keywords"),
        "activity_id" => Meaning::field("ActivityID"),
        "related_activity_id" => Meaning::field("RelatedActivityID"),
        "process.pid" => Meaning::field("ExecutionProcessID"),
        "process.thread.id" => Meaning::field("ExecutionThreadID"),
        "user.identifier" => Meaning::field("UserID"),
        "time_created" => Meaning::fields(&[path], Role::Time { rank: 1, utc: true }),
        _ => Meaning::field(path),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(path: &str) -> Vec<String> {
        windows_meaning(Section::Record, path).fields
    }

    #[test]
    fn the_paths_of_known_exports_get_the_names_of_the_event() {
        assert_eq!(fields("Event.System.Provider.#attributes.Name"), ["SourceName"]);
        assert_eq!(fields("Event.System.Provider_attributes.Name"), ["SourceName"]);
        assert_eq!(fields("Event.System.Execution.#attributes.ProcessID"), ["ExecutionProcessID"]);
        assert_eq!(fields("Event.EventData.Image"), ["Image"]);
        assert_eq!(fields("Event.EventData.Data.#text"), ["Data"]);
        assert_eq!(fields("Event.UserData.EventXML.Param1"), ["Param1"]);
        assert_eq!(fields("EventData.Computer"), ["EventData_Computer"]);
        assert_eq!(fields("winlog.event_data.TargetUserName"), ["TargetUserName"]);
        assert_eq!(fields("winlog.api"), ["winlog.api"]);
        assert_eq!(fields("RecordID"), ["RecordNumber", "EventRecordID"]);
        assert_eq!(fields("Image"), ["Image"]);
    }
}
