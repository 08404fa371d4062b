//! The texts of events: well-formed, complete, and in the forms that readers expect.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::HashSet;
use std::path::PathBuf;

use quick_xml::Reader;
use quick_xml::events::Event as Node;
use spelunk_datasets::{
    Event, Format, Generator, GeneratorOptions, generate, scenarios, write_demo, write_json_lines, write_xml,
};

fn all_events() -> impl Iterator<Item = Event> {
    let options = GeneratorOptions { events: 5000, attack_rate: 0.01, ..GeneratorOptions::default() };
    scenarios().into_iter().map(|step| step.event).chain(Generator::new(2, options).map(|generated| generated.event))
}

type Named = Vec<(String, String)>;

/// The named values of an event's XML, and the text of the elements of its header.
fn parse(xml: &str) -> (Named, Named) {
    let mut reader = Reader::from_str(xml);
    let (mut data, mut header) = (Vec::new(), Vec::new());
    let (mut name, mut text) = (String::new(), String::new());
    loop {
        match reader.read_event().unwrap() {
            Node::Start(start) => {
                text.clear();
                name = match start.try_get_attribute("Name").unwrap() {
                    Some(value) => value.value.into_owned(),
                    None => start.name().as_ref().to_owned(),
                };
            }
            Node::Text(part) => text.push_str(part.as_ref()),
            Node::GeneralRef(entity) => text.push(match entity.as_ref() {
                "amp" => '&',
                "lt" => '<',
                "gt" => '>',
                other => panic!("&{other:?};"),
            }),
            Node::End(end) if end.name().as_ref() == "Data" => data.push((name.clone(), text.clone())),
            Node::End(end) => header.push((end.name().as_ref().to_owned(), text.clone())),
            Node::Eof => return (data, header),
            _ => {}
        }
    }
}

#[test]
fn xml_holds_what_the_event_holds() {
    for event in all_events() {
        let (data, header) = parse(&event.to_xml());
        let expected: Vec<_> = event.data.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
        assert_eq!(data, expected);
        let element = |name: &str| header.iter().find(|(known, _)| known == name).unwrap().1.clone();
        assert_eq!(element("EventID"), event.kind.event_id.to_string());
        assert_eq!(element("EventRecordID"), event.record.to_string());
        assert_eq!(element("Channel"), event.kind.channel);
        assert_eq!(element("Computer"), event.computer);
    }
}

#[test]
fn xml_looks_as_windows_renders_it() {
    let steps = scenarios();
    let xml = steps.iter().find(|step| step.event.record == 1006).unwrap().event.to_xml();
    assert_eq!(
        xml,
        "<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'><System>\
         <Provider Name='Microsoft-Windows-Sysmon' Guid='{5770385f-c22a-43e0-bf4c-06f5698ffbd9}'/><EventID>11</EventID>\
         <Version>2</Version><Level>4</Level><Task>11</Task><Opcode>0</Opcode><Keywords>0x8000000000000000</Keywords>\
         <TimeCreated SystemTime='2024-05-24T10:01:01.150000000Z'/><EventRecordID>1006</EventRecordID><Correlation/>\
         <Execution ProcessID='2684' ThreadID='1400'/><Channel>Microsoft-Windows-Sysmon/Operational</Channel>\
         <Computer>WS01.lab.local</Computer><Security UserID='S-1-5-18'/></System><EventData>\
         <Data Name='RuleName'>-</Data><Data Name='UtcTime'>2024-05-24 10:01:01.150</Data>\
         <Data Name='ProcessGuid'>{8a4b7c10-6a4f-6650-14bc-000000001700}</Data><Data Name='ProcessId'>5308</Data>\
         <Data Name='Image'>C:\\Windows\\System32\\cmd.exe</Data>\
         <Data Name='TargetFilename'>C:\\Windows\\Temp\\dcom_test.txt</Data>\
         <Data Name='CreationUtcTime'>2024-05-24 10:01:01.150</Data><Data Name='User'>LAB\\alice</Data>\
         </EventData></Event>"
    );
}

#[test]
fn json_holds_what_the_event_holds() {
    for event in all_events() {
        let text = event.to_json();
        let object: serde_json::Map<String, serde_json::Value> = serde_json::from_str(&text).unwrap();
        assert_eq!(object["EventID"], event.kind.event_id);
        assert_eq!(object["RecordNumber"], event.record);
        assert_eq!(object["Hostname"], event.computer.as_ref());
        assert_eq!(object["SourceName"], event.kind.provider);
        let time = object["@timestamp"].as_str().unwrap();
        assert!(time.len() == 24 && time.ends_with('Z'), "{time}");
        for (name, value) in &event.data {
            assert_eq!(object[*name], value.as_ref());
        }
        // As many members as fields, so no name occurs twice.
        assert_eq!(object.len(), event.data.len() + 14 + usize::from(event.user_id.is_some()), "{text}");
    }
}

#[test]
fn falcon_records_are_flat_text() {
    let mut records = 0;
    for event in all_events() {
        let Some(text) = event.to_falcon() else { continue };
        let object: serde_json::Map<String, serde_json::Value> = serde_json::from_str(&text).unwrap();
        assert!(object.iter().all(|(name, value)| name == "@timestamp" || value.is_string()), "{text}");
        assert!(!object["FileName"].as_str().unwrap().contains('\\'));
        assert!(object["ImageFileName"].as_str().unwrap().starts_with(r"\Device\"));
        records += 1;
    }
    assert!(records > 300);
}

#[test]
fn writers_put_each_event_on_its_line() {
    let mut json = Vec::new();
    let written = write_json_lines(&mut json, all_events()).unwrap();
    let lines: Vec<_> = std::str::from_utf8(&json).unwrap().lines().map(str::to_owned).collect();
    assert_eq!(lines.len() as u64, written);
    assert!(all_events().zip(&lines).all(|(event, line)| event.to_json() == *line));

    let mut xml = Vec::new();
    assert_eq!(write_xml(&mut xml, all_events()).unwrap(), written);
    let xml = String::from_utf8(xml).unwrap();
    assert_eq!(xml.matches("<Event xmlns").count() as u64, written);
    assert!(xml.ends_with("</EventData></Event>\n"));
}

#[test]
fn generate_counts_what_it_writes() {
    for format in [Format::Xml, Format::JsonLines] {
        let mut text = Vec::new();
        let written = generate(&mut text, format, 6, 20_000).unwrap();
        assert_eq!((written.events, written.spl_hits, written.logscale_hits), (20_000, 2, 2));
    }
}

#[test]
fn the_demo_holds_the_scenarios_among_everyday_events() {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("demo");
    let paths = write_demo(&folder).unwrap();
    let names: HashSet<_> = paths.iter().map(|path| path.file_name().unwrap().to_str().unwrap()).collect();
    assert_eq!(
        names,
        HashSet::from(["sysmon.xml", "security.jsonl", "powershell.jsonl", "system.xml", "falcon.jsonl"])
    );
    let texts: Vec<String> = paths.iter().map(|path| std::fs::read_to_string(path).unwrap()).collect();
    let events: usize = texts[..4]
        .iter()
        .map(|text| text.matches("<Event xmlns").count() + text.matches(r#""RecordNumber":"#).count())
        .sum();
    assert_eq!(events, scenarios().len() + 2000);
    assert!(texts.iter().all(|text| text.len() > 1000));
    for step in scenarios() {
        let record = format!("<EventRecordID>{}</EventRecordID>", step.event.record);
        let sysmon = step.event.kind.channel == "Microsoft-Windows-Sysmon/Operational";
        assert_eq!(texts[0].contains(&record), sysmon, "{record}");
    }
}
