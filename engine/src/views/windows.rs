//! The names under which CrowdStrike's own collector has Windows' events: `windows.EventData.X` and the like.

/// The part of a name that says whose it is.
const PREFIX: &str = "windows.";

/// Fields of events that would hide what says where an event is from: they are read under another name.
const PROTECTED: [&str; 8] = ["EventCode", "EventID", "Channel", "Computer", "host", "index", "source", "sourcetype"];

/// The field of an event that a name stands for; `None` if it is no such name.
pub fn field(name: &str) -> Option<String> {
    let inner = super::untagged(name).strip_prefix(PREFIX)?;
    if let Some(own) = inner.strip_prefix("EventData.").or_else(|| inner.strip_prefix("UserData.")) {
        let own = own.rsplit('.').next().unwrap_or(own);
        return Some(if PROTECTED.contains(&own) { format!("EventData_{own}") } else { own.to_owned() });
    }
    let field = match inner {
        "Provider.Name" | "Provider" | "ProviderName" => "SourceName",
        "Provider.Guid" => "ProviderGuid",
        "EventRecordID" => "RecordNumber",
        "Execution.ProcessID" => "ExecutionProcessID",
        "Execution.ThreadID" => "ExecutionThreadID",
        "Correlation.ActivityID" => "ActivityID",
        "Security.UserID" => "UserID",
        other if other.is_empty() || other.contains('.') => return None,
        other => other,
    };
    Some(field.to_owned())
}

#[cfg(test)]
mod tests {
    use super::field;

    #[test]
    fn names_of_the_collector() {
        let found = |name| field(name).unwrap_or_default();
        assert_eq!(found("windows.EventID"), "EventID");
        assert_eq!(found("#windows.EventID"), "EventID");
        assert_eq!(found("windows.EventData.NewProcessName"), "NewProcessName");
        assert_eq!(found("windows.EventData.Computer"), "EventData_Computer");
        assert_eq!(found("windows.Provider.Name"), "SourceName");
        assert_eq!(field("Image"), None);
        assert_eq!(field("windows."), None);
    }
}
