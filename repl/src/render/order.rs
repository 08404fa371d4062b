//! Which fields of an event tell most: those stand first where there is no room for all.

/// What a hunter looks at first, in this order.
const FIRST: [&str; 14] = [
    "EventCode",
    "Image",
    "NewProcessName",
    "CommandLine",
    "ParentImage",
    "ParentProcessName",
    "User",
    "TargetUserName",
    "SubjectUserName",
    "TargetFilename",
    "TargetObject",
    "ImageLoaded",
    "DestinationIp",
    "ParentCommandLine",
];
/// What the head of every Windows event says, and what is the same in other words.
const HEAD: [&str; 24] = [
    "EventID",
    "Channel",
    "Computer",
    "SourceName",
    "ProviderGuid",
    "Version",
    "Level",
    "Task",
    "Opcode",
    "Keywords",
    "RecordNumber",
    "EventRecordID",
    "ExecutionProcessID",
    "ExecutionThreadID",
    "ThreadID",
    "UserID",
    "ActivityID",
    "RelatedActivityID",
    "EventSourceName",
    "Qualifiers",
    "RuleName",
    "UtcTime",
    "ProcessGuid",
    "@timestamp",
];
/// What is the same for most events, and says least.
const LAST: [&str; 5] = ["index", "source", "sourcetype", "linecount", "splunk_server"];

/// The place of a field among those of an event; fields of one place keep their order.
pub fn of(name: &str) -> usize {
    if let Some(place) = FIRST.iter().position(|first| *first == name) {
        return place;
    }
    let others = FIRST.len();
    if LAST.contains(&name) || name.starts_with('_') {
        others.saturating_add(2)
    } else if HEAD.contains(&name) {
        others.saturating_add(1)
    } else {
        others
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_telling_ones_come_first() {
        let mut names = ["index", "Keywords", "Hashes", "User", "EventCode", "_raw", "a"];
        names.sort_by_key(|name| super::of(name));
        assert_eq!(names, ["EventCode", "User", "Hashes", "a", "Keywords", "index", "_raw"]);
    }
}
