//! What each format and each form of it gives.

use std::io::Write;

use super::*;

const EVENT: &str = "<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'><System>\
<Provider Name='Microsoft-Windows-Sysmon' Guid='{5770385f-c22a-43e0-bf4c-06f5698ffbd9}'/><EventID Qualifiers='16384'>1\
</EventID><Version>5</Version><Level>4</Level><Task>1</Task><Opcode>0</Opcode><Keywords>0x8000000000000000</Keywords>\
<TimeCreated SystemTime='2024-05-24T10:01:00.1234567Z'/><EventRecordID>7</EventRecordID><Correlation/>\
<Execution ProcessID='2684' ThreadID='1380'/><Channel>Microsoft-Windows-Sysmon/Operational</Channel>\
<Computer>WS01</Computer><Security UserID='S-1-5-18'/></System><EventData>";

fn event(data: &str) -> String {
    format!("{EVENT}{data}</EventData></Event>")
}

fn get<'e>(event: &'e BTreeMap<String, String>, name: &str) -> &'e str {
    event.get(name).map_or("(null)", String::as_str)
}

#[test]
fn a_windows_event_has_the_fields_that_splunk_gives_it() {
    let (events, report) = read_text(&event("<Data Name='Image'>C:\\a.exe</Data><Data Name='Empty'></Data>"));
    assert_eq!((report.format, report.events, report.skipped), ("xml", 1, 0));
    let [event] = events.as_slice() else { unreachable!("one event") };
    for (name, value) in [
        ("_time", "2024-05-24T10:01:00.123456Z"),
        ("host", "WS01"),
        ("index", "wineventlog"),
        ("source", "XmlWinEventLog:Microsoft-Windows-Sysmon/Operational"),
        ("sourcetype", "XmlWinEventLog:Microsoft-Windows-Sysmon/Operational"),
        ("EventCode", "1"),
        ("EventID", "1"),
        ("Channel", "Microsoft-Windows-Sysmon/Operational"),
        ("Computer", "WS01"),
        ("RecordNumber", "7"),
        ("EventRecordID", "7"),
        ("SourceName", "Microsoft-Windows-Sysmon"),
        ("ProviderGuid", "{5770385f-c22a-43e0-bf4c-06f5698ffbd9}"),
        ("Qualifiers", "16384"),
        ("Keywords", "0x8000000000000000"),
        ("ExecutionProcessID", "2684"),
        ("ExecutionThreadID", "1380"),
        ("UserID", "S-1-5-18"),
        ("Image", "C:\\a.exe"),
        ("Empty", "(null)"),
        ("_raw", "(null)"),
    ] {
        assert_eq!(get(event, name), value, "{name}");
    }
}

#[test]
fn xml_text_is_taken_as_it_is() {
    let data = "<Data Name='A'>1 &lt; 2 &amp;&amp; &#x41;&#66; \"q\"</Data><Data Name='B'><![CDATA[<x> & ]]></Data>\
                <Data Name='C'>one\r\ntwo\tthree </Data><Data Name='D'>a</Data><Data Name='D'>b</Data>\
                <!-- a comment --><Data>x</Data><Data>y</Data><Data Name='E'>&#1;</Data><Data Name='Computer'>z</Data>\
                <Data Name='Level'>high</Data>";
    let (events, _) = read_text(&event(data));
    let event = &events[0];
    assert_eq!(get(event, "A"), "1 < 2 && AB \"q\"");
    assert_eq!(get(event, "B"), "<x> & ");
    assert_eq!(get(event, "C"), "one\r\ntwo\tthree ");
    assert_eq!(get(event, "D"), "[a, b]");
    assert_eq!(get(event, "Data"), "[x, y]");
    assert_eq!(get(event, "E"), "\u{1}");
    assert_eq!(get(event, "Computer"), "WS01");
    assert_eq!(get(event, "EventData_Computer"), "z");
    assert_eq!(get(event, "Level"), "high");
}

#[test]
fn xml_documents_of_every_form_are_read() {
    let one = event("<Data Name='A'>1</Data>");
    for text in [
        format!("{one}{one}"),
        format!("{one}\r\n{one}\n"),
        format!("<?xml version=\"1.0\"?>\n<!-- <Event> -->\n<Events>{one}\n  {one}</Events>\n"),
        format!("\u{feff}{one}{one}"),
    ] {
        let (events, report) = read_text(&text);
        assert_eq!((events.len(), report.skipped, report.format), (2, 0, "xml"), "{text}");
    }
    let user_data = EVENT.replace("<EventData>", "")
        + "<UserData><EventXML xmlns='x'><Param1>p</Param1><Event>nested</Event></EventXML></UserData></Event>";
    let (events, report) = read_text(&user_data);
    assert_eq!(report.problems, []);
    assert_eq!((get(&events[0], "Param1"), get(&events[0], "Event")), ("p", "nested"));
}

#[test]
fn a_broken_xml_event_is_named_and_the_next_is_read() {
    let one = event("<Data Name='A'>1</Data>");
    let half = one.split_at(one.len() / 2).0;
    let text = format!("{one}\n{half}\n{one}\n<Event><System></Wrong></Event>\n{one}\n{half}");
    let (events, report) = read_text(&text);
    assert_eq!(events.len(), 3);
    let places: Vec<&str> = report.problems.iter().map(|problem| problem.place.as_str()).collect();
    assert_eq!(places, ["line 2", "line 4", "line 6"]);
    let (_, tail) = one.split_at(one.len() / 2);
    let (events, report) = read_text(&format!("{tail}\n{one}\n<!-- a comment without end {one}"));
    assert_eq!((events.len(), report.format), (2, "xml"));
    assert_eq!(report.problems.len(), 1, "{report:?}");
}

#[test]
fn raw_is_the_event_and_only_on_request() {
    let one = event("<Data Name='A'>1</Data>");
    let only = |names: &[&str]| ReadOptions {
        fields: FieldSelection::Only(names.iter().map(|&name| name.to_owned()).collect()),
        ..options()
    };
    let text = format!("<Events>\n{one}\n</Events>");
    let (store, _) = read_bytes(text.as_bytes(), &only(&["_raw", "A*"]));
    let events = events(&store);
    assert_eq!(get(&events[0], "_raw"), one);
    let names: Vec<_> = store.schema.fields().iter().map(|field| field.name().as_str()).collect();
    assert_eq!(names, ["_time", "_serial", "_raw", "A"]);
    let (store, _) = read_bytes(text.as_bytes(), &only(&[]));
    assert_eq!(store.schema.fields().len(), 2);
    assert_eq!(store.shapes[0].name, "XmlWinEventLog:Microsoft-Windows-Sysmon/Operational 1");
}

#[test]
fn windows_events_are_known_in_every_json_form() {
    let forms = [
        r##"{"Event":{"#attributes":{"xmlns":"x"},"System":{"Provider":{"#attributes":{"Name":"P","Guid":"{g}"}},
            "EventID":{"#attributes":{"Qualifiers":0},"#text":4688},"TimeCreated":{"#attributes":{"SystemTime":
            "2024-05-24T10:01:00.5Z"}},"EventRecordID":9,"Channel":"Security","Computer":"WS01"},
            "EventData":{"SubjectUserName":"alice","ProcessId":"0x1a"}}}"##,
        r#"{"Event":{"System":{"Provider_attributes":{"Name":"P","Guid":"{g}"},"EventID":4688,
            "TimeCreated_attributes":{"SystemTime":"2024-05-24T10:01:00.5Z"},"EventRecordID":9,"Channel":"Security",
            "Computer":"WS01"},"EventData":{"SubjectUserName":"alice","ProcessId":"0x1a"}}}"#,
        r#"{"EventID":4688,"Channel":"Security","Provider":"P","Computer":"WS01","UtcTime":"2024-05-24 10:01:00.500",
            "EventData":{"SubjectUserName":"alice","ProcessId":"0x1a"},"RecordID":9}"#,
        r#"{"EventTime":"2024-05-24 03:01:00","@timestamp":"2024-05-24T10:01:00.500Z","EventID":4688,"Channel":"Security",
            "Hostname":"WS01","SourceName":"P","RecordNumber":9,"SubjectUserName":"alice","ProcessId":"0x1a","Path":""}"#,
        r#"{"@timestamp":"2024-05-24T10:01:00.500Z","winlog":{"event_id":4688,"channel":"Security","computer_name":"WS01",
            "provider_name":"P","record_id":9,"event_data":{"SubjectUserName":"alice","ProcessId":"0x1a"}}}"#,
    ];
    for form in forms {
        let (events, report) = read_text(form);
        assert_eq!((report.format, report.problems.as_slice(), events.len()), ("json", &[][..], 1), "{form}");
        let event = &events[0];
        for (name, value) in [
            ("_time", "2024-05-24T10:01:00.500Z"),
            ("host", "WS01"),
            ("Computer", "WS01"),
            ("EventCode", "4688"),
            ("EventID", "4688"),
            ("Channel", "Security"),
            ("source", "XmlWinEventLog:Security"),
            ("index", "wineventlog"),
            ("SourceName", "P"),
            ("RecordNumber", "9"),
            ("EventRecordID", "9"),
            ("SubjectUserName", "alice"),
            ("ProcessId", "0x1a"),
            ("Path", "(null)"),
        ] {
            assert_eq!(get(event, name), value, "{name} of {form}");
        }
    }
}

#[test]
fn json_records_are_flattened_and_keep_their_text() {
    let (events, report) = read_text(
        r#"{"time":1716544860.25,"n":1.0,"big":123456789012345678901234567890,"t":true,"z":null,"s":"a\n\u00e9\"","o":{"p":{"q":"x"}},
            "list":[1,2,"c"],"objects":[{"k":"1"},{"k":"2"}],"twice":"a","twice":"b","host":"h","e":""}"#,
    );
    assert_eq!(report.problems, []);
    let event = &events[0];
    for (name, value) in [
        ("_time", "2024-05-24T10:01:00.250Z"),
        ("n", "1.0"),
        ("big", "123456789012345678901234567890"),
        ("t", "true"),
        ("z", "(null)"),
        ("s", "a\né\""),
        ("o.p.q", "x"),
        ("list", "[1, 2, c]"),
        ("objects.k", "[1, 2]"),
        ("twice", "[a, b]"),
        ("host", "h"),
        ("e", ""),
        ("index", "main"),
        ("sourcetype", "_json"),
    ] {
        assert_eq!(get(event, name), value, "{name}");
    }
    assert!(get(event, "source").ends_with("log"));
}

#[test]
fn json_lines_arrays_and_pretty_objects_are_the_same() {
    let pretty = "{\n  \"a\": 1,\n  \"b\": {\n    \"c\": \"]}\"\n  }\n}";
    let flat = r#"{"a":1,"b":{"c":"]}"}}"#;
    for text in [
        format!("{flat}\n{flat}\n\n{flat}"),
        format!("[{flat},{flat},{flat}]"),
        format!("[\n{pretty},\n{pretty}\n,{flat}]\n"),
        format!("{pretty}\n{pretty}\n{pretty}\n"),
        format!("{flat}{flat}{flat}"),
    ] {
        let (events, report) = read_text(&text);
        assert_eq!((events.len(), report.problems.as_slice(), report.format), (3, &[][..], "json"), "{text}");
        assert!(events.iter().all(|event| get(event, "b.c") == "]}" && get(event, "a") == "1"));
    }
}

#[test]
fn broken_json_is_named_by_line() {
    let (events, report) = read_text("{\"a\":1}\n{\"a\":2\nnot json\n{\"a\":3}\n[1]\n{\"a\":4");
    assert_eq!(events.len(), 2);
    let places: Vec<&str> = report.problems.iter().map(|problem| problem.place.as_str()).collect();
    assert_eq!(places, ["line 2", "line 3", "line 5", "line 6"]);
    assert_eq!(report.skipped, 4);
    // A log that was cut in front.
    let (events, report) = read_text("e\",\"b\":1}\n{\"a\":3}\n");
    assert_eq!((events.len(), report.skipped, report.format), (1, 1, "json"));
    let (events, report) = read_text("{\n \"a\": 1\n}\n{\n \"a\": \n{\n \"a\": 3\n}\n");
    assert_eq!((events.len(), report.skipped, report.problems[0].place.as_str()), (2, 1, "line 4"));
}

#[test]
fn an_export_of_splunk_keeps_what_splunk_said() {
    let (events, _) = read_text(
        r#"{"preview":false,"result":{"_time":"2024-05-24 10:01:00.678 UTC","_raw":"text","host":"h","index":"i","source":"s","sourcetype":"t","Computer":"h.lab","EventCode":"1","Channel":"Security"}}"#,
    );
    let event = &events[0];
    for (name, value) in
        [("host", "h"), ("index", "i"), ("source", "s"), ("sourcetype", "t"), ("_time", "2024-05-24T10:01:00.678Z")]
    {
        assert_eq!(get(event, name), value, "{name}");
    }
}

#[test]
fn options_win_over_what_the_events_say() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x");
    std::fs::write(&path, r#"{"host":"h","index":"i","sourcetype":"t","EventTime":"2024-05-24 12:01:00"}"#).unwrap();
    let options = ReadOptions {
        host: Some("H".to_owned()),
        sourcetype: Some("T".to_owned()),
        time_zone: jiff::tz::TimeZone::get("Europe/Berlin").unwrap(),
        ..options()
    };
    let input = Input { index: Some("I".to_owned()), ..input(&path) };
    let (store, _) = read(&[input], &options).unwrap();
    let events = events(&store);
    let event = &events[0];
    for (name, value) in
        [("host", "H"), ("orig_host", "h"), ("index", "I"), ("sourcetype", "T"), ("_time", "2024-05-24T10:01:00Z")]
    {
        assert_eq!(get(event, name), value, "{name}");
    }
}

#[test]
fn csv_rows_are_events() {
    let (events, report) =
        read_text("time,user,text\n2024-05-24 10:01:00,alice,\"two\nlines, \"\"q\"\"\"\n1716544860,,x\n1,2\n1,2,3,4\n");
    assert_eq!((report.format, events.len(), report.skipped), ("csv", 4, 2));
    assert_eq!(get(&events[0], "text"), "two\nlines, \"q\"");
    assert_eq!(get(&events[0], "_time"), "2024-05-24T10:01:00Z");
    assert_eq!(get(&events[1], "user"), "(null)");
    assert_eq!(get(&events[2], "user"), "2");
    let places: Vec<&str> = report.problems.iter().map(|problem| problem.place.as_str()).collect();
    assert_eq!(places, ["line 5", "line 6"]);
    // Two columns that mean the same do not make it multivalued.
    let (events, _) = read_text("RecordNumber,EventRecordId,EventId,Channel,Message,message\n1,9,4688,Security,a,b\n");
    assert_eq!((get(&events[0], "RecordNumber"), get(&events[0], "message")), ("1", "b"));
    for separator in [";", "\t"] {
        let (events, _) = read_text(&"EventID,Channel,Computer,Image\r\n1,Security,WS,a b\r\n".replace(',', separator));
        assert_eq!(get(&events[0], "source"), "XmlWinEventLog:Security");
        assert_eq!(get(&events[0], "Image"), "a b");
    }
}

#[test]
fn text_lines_are_events() {
    let options = ReadOptions { fields: FieldSelection::All, ..options() };
    let (store, report) = read_bytes(b"2024-05-24 10:01:00 a, b\r\n\r\nno time here\n\x01\x02 x\n", &options);
    let events = events(&store);
    assert_eq!((report.files[0].format, events.len()), ("text", 3));
    assert_eq!(get(&events[0], "_raw"), "2024-05-24 10:01:00 a, b");
    assert_eq!(get(&events[0], "_time"), "2024-05-24T10:01:00Z");
    assert_eq!(get(&events[1], "_time"), "(null)");
    assert_eq!(get(&events[2], "_raw"), "\u{1}\u{2} x");
    assert_eq!(get(&events[0], "sourcetype"), "text");
}

#[test]
fn a_folder_is_read_in_order_and_nothing_in_it_is_silent() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    };
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(b"{\"n\":3}\n").unwrap();
    write("a/2.json", b"{\"n\":1}\n{\"n\":2}\n");
    write("b.gz", &gzip.finish().unwrap());
    write("c.zst", &zstd::encode_all(&b"{\"n\":4}"[..], 1).unwrap());
    write("info.yml", b"title: x\ndate: 2024-05-24\n");
    write("picture.png", &[0x89, b'P', b'N', b'G', 0, 0, 0, 1, 2, 3]);
    write("z.zip", b"PK\x03\x04rest");
    write("empty", b"");
    #[cfg(unix)]
    std::os::unix::fs::symlink(folder.path(), folder.path().join("loop")).unwrap();
    let (store, report) = read_path(folder.path(), &options());
    let numbers: Vec<String> = events(&store).iter().map(|event| get(event, "n").to_owned()).collect();
    assert_eq!(numbers, ["1", "2", "3", "4"]);
    let seen: Vec<(&str, u64, u64)> =
        report.files.iter().map(|file| (file.format, file.events, file.skipped)).collect();
    assert_eq!(
        seen,
        [("json", 2, 0), ("json", 1, 0), ("json", 1, 0), ("text", 0, 0), ("", 0, 0), ("", 0, 0), ("zip", 0, 1)]
    );
    assert!(report.files[6].problems[0].reason.contains("zip"));
    // A file that the user names is read whatever it looks like.
    let (_, report) = read_path(&folder.path().join("info.yml"), &options());
    assert_eq!((report.files[0].format, report.files[0].events), ("text", 2));
}

#[test]
fn serials_rise_in_reading_order_over_many_blocks() {
    let text: String =
        (0..200_000).map(|n| format!("{{\"n\":{n},\"even\":{},\"pad\":\"{:050}\"}}\n", n % 2 == 0, n % 7)).collect();
    let options = ReadOptions { fields: FieldSelection::Only(vec!["n".to_owned(), "pad".to_owned()]), ..options() };
    let (store, report) = read_bytes(text.as_bytes(), &options);
    assert_eq!(report.files[0].events, 200_000);
    let mut found = Vec::new();
    for batch in &store.shapes[0].batches {
        let column =
            |name: &str| batch.column_by_name(name).unwrap().as_primitive::<arrow::datatypes::Int64Type>().clone();
        found.extend(column("_serial").iter().zip(column("n").iter()).map(|(serial, n)| (serial.unwrap(), n.unwrap())));
    }
    assert!(found.iter().enumerate().all(|(at, &(serial, n))| serial == n && usize::try_from(n).unwrap() == at));
    assert!(store.shapes[0].batches.len() < 60);
}
