//! What the exports of tools and the logs of other systems than Windows give.

use super::*;

/// Asserts that an event has these fields; `(null)` for one that it lacks.
fn check(event: &BTreeMap<String, String>, expected: &[(&str, &str)]) {
    for (name, value) in expected {
        assert_eq!(event.get(*name).map_or("(null)", String::as_str), *value, "{name} of {event:?}");
    }
}

const SYSMON: &str = "Microsoft-Windows-Sysmon/Operational";
const SYSMON_SOURCE: &str = "XmlWinEventLog:Microsoft-Windows-Sysmon/Operational";

#[test]
fn winlogbeat_and_nxlog_give_the_names_of_the_event() {
    let new = r#"{"@timestamp":"2024-05-24T10:01:00.123Z","host":{"name":"ws01"},"winlog":{"channel":"Microsoft-Windows-Sysmon/Operational","computer_name":"WS01","event_id":1,"record_id":"9","provider_name":"Microsoft-Windows-Sysmon","process":{"pid":5,"thread":{"id":6}},"user":{"identifier":"S-1-5-18"},"event_data":{"Image":"C:\\a.exe"}}}"#;
    let old = r#"{"@timestamp":"2024-05-24T10:01:00.123Z","computer_name":"WS01","event_id":1,"log_name":"Microsoft-Windows-Sysmon/Operational","source_name":"Microsoft-Windows-Sysmon","record_number":"9","event_data":{"Image":"C:\\a.exe"}}"#;
    let nxlog = r#"{"EventTime":"2024-05-24 10:01:00.123","Hostname":"WS01","EventID":1,"SourceName":"Microsoft-Windows-Sysmon","TaskValue":1,"OpcodeValue":0,"RecordNumber":9,"Channel":"Microsoft-Windows-Sysmon/Operational","Image":"C:\\a.exe","EventReceivedTime":"2024-05-24 10:01:05"}"#;
    let (events, report) = read_text(&[new, old, nxlog, ""].join("\n"));
    assert_eq!((report.events, report.skipped), (3, 0));
    for event in &events {
        check(
            event,
            &[
                ("_time", "2024-05-24T10:01:00.123Z"),
                ("host", "WS01"),
                ("source", SYSMON_SOURCE),
                ("sourcetype", SYSMON_SOURCE),
                ("EventCode", "1"),
                ("Channel", SYSMON),
                ("RecordNumber", "9"),
                ("SourceName", "Microsoft-Windows-Sysmon"),
                ("Image", "C:\\a.exe"),
            ],
        );
    }
    check(&events[0], &[("ExecutionProcessID", "5"), ("ExecutionThreadID", "6"), ("UserID", "S-1-5-18")]);
    check(&events[2], &[("Task", "1"), ("Opcode", "0")]);
}

const PAYLOAD: &str = r##"{"EventData":{"Data":[{"@Name":"Image","#text":"C:\\a.exe"},{"@Name":"ProcessId","#text":"77"},{"@Name":"CommandLine","#text":"a \"b\""},{"@Name":"Empty"}]}}"##;

#[test]
fn evtxecmd_gives_what_it_keeps_as_text() {
    let record = serde_json::json!({
        "MapDescription": "Process creation", "ChunkNumber": 0, "Computer": "WS01", "Payload": PAYLOAD, "UserId": "S-1-5-18",
        "Channel": SYSMON, "Provider": "Microsoft-Windows-Sysmon", "EventId": 1, "EventRecordId": "9", "ProcessId": 3216,
        "ThreadId": 39, "TimeCreated": "2024-05-24T10:01:00.1234567+00:00", "RecordNumber": 1, "ExtraDataOffset": 0,
    });
    let csv = format!(
        "RecordNumber,EventRecordId,TimeCreated,EventId,Provider,Channel,ProcessId,ThreadId,Computer,UserId,MapDescription,\
         Payload\r\n1,9,2024-05-24 10:01:00.1234567,1,Microsoft-Windows-Sysmon,{SYSMON},3216,39,WS01,S-1-5-18,\
         Process creation,\"{}\"\r\n",
        PAYLOAD.replace('"', "\"\"")
    );
    for text in [format!("\u{feff}{record}\n"), csv] {
        let (events, report) = read_text(&text);
        assert_eq!((report.events, report.skipped), (1, 0));
        check(
            &events[0],
            &[
                ("_time", "2024-05-24T10:01:00.123456Z"),
                ("host", "WS01"),
                ("source", SYSMON_SOURCE),
                ("EventCode", "1"),
                ("RecordNumber", "9"),
                ("ExecutionProcessID", "3216"),
                ("UserID", "S-1-5-18"),
                ("Image", "C:\\a.exe"),
                ("ProcessId", "77"),
                ("CommandLine", "a \"b\""),
                ("Empty", "(null)"),
                ("MapDescription", "Process creation"),
                ("Payload", "(null)"),
            ],
        );
    }
    let broken = "{\"MapDescription\":\"x\",\"Channel\":\"Security\",\"EventId\":1,\"Payload\":\"no json\"}\n";
    check(&read_text(broken).0[0], &[("Payload", "no json"), ("EventCode", "1")]);
}

#[test]
fn hayabusa_gives_whole_channels_and_the_details_as_fields() {
    let line = r#"{"Timestamp":"2024-05-24 12:01:00.123 +02:00","RuleTitle":"Proc Exec","Level":"info","Computer":"WS01","Channel":"Sysmon","EventID":1,"RecordID":9,"Details":{"Cmdline":"a b","Proc":"C:\\a.exe"},"ExtraFieldInfo":{"Company":"x"}}"#;
    let text = r#"{"Timestamp":"2024-05-24 12:01:00.123 +02:00","RuleTitle":"Proc Exec","Level":"info","Computer":"WS01","Channel":"Sysmon","EventID":1,"RecordID":9,"Details":"Cmdline: a b ¦ Proc: C:\\a.exe ¦ Company: x"}"#;
    let csv = "\"Timestamp\",\"RuleTitle\",\"Level\",\"Computer\",\"Channel\",\"EventID\",\"RecordID\",\"Details\"\n\
               \"2024-05-24 12:01:00.123 +02:00\",\"Proc Exec\",\"info\",\"WS01\",\"Sysmon\",1,9,\
               \"Cmdline: a b ¦ Proc: C:\\a.exe ¦ Company: x\"\n";
    for text in [line, text, csv] {
        let (events, report) = read_text(text);
        assert_eq!((report.events, report.skipped), (1, 0));
        check(
            &events[0],
            &[
                ("_time", "2024-05-24T10:01:00.123Z"),
                ("host", "WS01"),
                ("source", SYSMON_SOURCE),
                ("EventCode", "1"),
                ("Channel", SYSMON),
                ("RuleTitle", "Proc Exec"),
                ("CommandLine", "a b"),
                ("Proc", "C:\\a.exe"),
                ("Company", "x"),
            ],
        );
    }
}

#[test]
fn exports_of_splunk_keep_their_several_values() {
    let result =
        r#"{"_time":"2024-05-24 10:01:00.000 UTC","host":"h1","source":"s","sourcetype":"t","mv":["a","b$c"]}"#;
    let lines = format!("{{\"preview\":false,\"offset\":0,\"lastrow\":true,\"result\":{result}}}\n");
    let whole = format!(
        "{{\"preview\":false,\"init_offset\":0,\"messages\":[],\"fields\":[{{\"name\":\"host\"}}],\"results\":[{result}],\
         \"highlighted\":{{}}}}"
    );
    let csv = "\"_time\",\"_raw\",host,source,sourcetype,mv,\"__mv_mv\",\"__mv_host\"\n\
               \"2024-05-24T10:01:00.000+0000\",\"raw \"\"x\"\"\nline2\",h1,s,t,\"a\nb$c\",\"$a$;$b$$c$\",\n";
    for text in [lines.as_str(), &whole, csv] {
        let (events, report) = read_text(text);
        assert_eq!((report.events, report.skipped), (1, 0), "{text}");
        let fields = [
            ("_time", "2024-05-24T10:01:00Z"),
            ("host", "h1"),
            ("source", "s"),
            ("sourcetype", "t"),
            ("mv", "[a, b$c]"),
            ("__mv_mv", "(null)"),
            ("preview", "(null)"),
            ("lastrow", "(null)"),
        ];
        check(&events[0], &fields);
    }
}

#[test]
fn cloudtrail_is_read_from_its_files_and_line_by_line() {
    let event = r#"{"eventVersion":"1.08","userIdentity":{"userName":"alice"},"eventTime":"2024-05-24T10:01:00Z","eventSource":"iam.amazonaws.com","eventName":"CreateUser","awsRegion":"us-east-1"}"#;
    let value: Value = serde_json::from_str(event).unwrap();
    let pretty = serde_json::to_string_pretty(&serde_json::json!({ "Records": [value, value] })).unwrap();
    for text in [format!("{{\"Records\":[{event},{event}]}}"), pretty, format!("{event}\n{event}\n")] {
        let (events, report) = read_text(&text);
        assert_eq!((report.events, report.skipped), (2, 0));
        check(
            &events[1],
            &[
                ("_time", "2024-05-24T10:01:00Z"),
                ("sourcetype", "aws:cloudtrail"),
                ("index", "main"),
                ("eventName", "CreateUser"),
                ("userIdentity.userName", "alice"),
            ],
        );
    }
    // One that is broken is named, and the others are read.
    let (events, report) = read_text(&format!("{{\"Records\":[{event},{{\"a\":1}},{event}]}}\n"));
    assert_eq!((events.len(), report.skipped), (3, 0));
    check(&events[1], &[("sourcetype", "_json")]);
}

#[test]
fn zeek_is_read_as_it_describes_itself() {
    let header = "#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\tconn\n\
                  #fields\tts\tid.orig_h\ttunnel_parents\tservice\n#types\ttime\taddr\tset[string]\tstring\n";
    let second = "#path\tdns\n#fields\tts\tquery\n#types\ttime\tstring\n";
    let text = format!(
        "{header}1716544860.5\t10.0.0.1\ta,b\t-\n1716544860.5\t10.0.0.1\t(empty)\n#close\tx\n{second}1716544861\tx.y\n"
    );
    let (events, report) = read_text(&text);
    assert_eq!((report.format, report.events, report.skipped), ("zeek", 3, 1));
    assert_eq!(report.problems[0].place, "line 9");
    let first = [
        ("_time", "2024-05-24T10:01:00.500Z"),
        ("sourcetype", "zeek:conn"),
        ("id.orig_h", "10.0.0.1"),
        ("tunnel_parents", "[a, b]"),
        ("service", "(null)"),
    ];
    check(&events[0], &first);
    check(&events[2], &[("sourcetype", "zeek:dns"), ("query", "x.y"), ("id.orig_h", "(null)")]);
    let json = "{\"_path\":\"dns\",\"ts\":\"2024-05-24T10:01:00Z\",\"id.orig_h\":\"10.0.0.1\"}\n";
    check(&read_text(json).0[0], &[("sourcetype", "zeek:dns:json"), ("_time", "2024-05-24T10:01:00Z")]);
}

#[test]
fn a_header_of_zeek_holds_over_blocks() {
    let row = format!("1716544860\t{}\n", "x".repeat(1000));
    let text = format!("#fields\tts\ta\n{}#fields\tts\tb\n{}", row.repeat(6000), row.repeat(6000));
    let (events, report) = read_text(&text);
    assert_eq!((events.len(), report.skipped), (12_000, 0));
    assert!(events[..6000].iter().all(|event| event.contains_key("a") && !event.contains_key("b")));
    assert!(events[6000..].iter().all(|event| event.contains_key("b") && !event.contains_key("a")));
}

#[test]
fn syslog_and_sysmon_for_linux_share_a_file() {
    let sysmon = "<Event><System><Provider Name=\"Linux-Sysmon\" Guid=\"{x}\"/><EventID>1</EventID>\
                  <TimeCreated SystemTime=\"2024-06-01T00:00:01.5Z\"/><EventRecordID>9</EventRecordID>\
                  <Channel>Linux-Sysmon/Operational</Channel><Computer>ub</Computer><Security UserId=\"0\"/></System>\
                  <EventData><Data Name=\"Image\">/usr/bin/id</Data></EventData></Event>";
    let text = format!(
        "<14>1 2024-06-01T00:00:01Z ub sysmon 7 - - {sysmon}\n2024-06-01T00:00:02+00:00 ub sshd[5]: Failed user=root\n\
         2024-06-01T00:00:03+00:00 ub sysmon[7]: <Event><System>Linux-Sysmon/Operational\n"
    );
    let (events, report) = read_text(&text);
    assert_eq!((report.format, report.events, report.skipped), ("syslog", 3, 1));
    assert_eq!(report.problems[0].place, "line 3");
    check(
        &events[0],
        &[
            ("_time", "2024-06-01T00:00:01.500Z"),
            ("host", "ub"),
            ("source", "Syslog:Linux-Sysmon/Operational"),
            ("sourcetype", "sysmon:linux"),
            ("index", "main"),
            ("EventCode", "1"),
            ("Image", "/usr/bin/id"),
            ("UserID", "0"),
        ],
    );
    let line = [("host", "ub"), ("sourcetype", "syslog"), ("process", "sshd"), ("pid", "5"), ("user", "root")];
    check(&events[1], &line);
}

#[test]
fn lines_of_web_servers_and_of_the_audit_daemon_have_fields() {
    let access =
        "10.0.0.9 - alice [24/May/2024:10:01:00 +0000] \"GET /a/b.do?id=7 HTTP/1.1\" 200 512 \"-\" \"Mozilla\"\n";
    let (events, report) = read_text(&format!("{access}not a request\n"));
    assert_eq!((report.format, report.events), ("access", 2));
    let fields = [
        ("sourcetype", "access_combined"),
        ("_time", "2024-05-24T10:01:00Z"),
        ("status", "200"),
        ("id", "7"),
        ("file", "b.do"),
    ];
    check(&events[0], &fields);
    let audit = "node=db1 type=EXECVE msg=audit(1716544860.123:42): argc=2 a0=\"ls\" a1=2F20\n";
    let (events, report) = read_text(audit);
    assert_eq!(report.format, "auditd");
    let fields = [
        ("sourcetype", "linux:audit"),
        ("_time", "2024-05-24T10:01:00.123Z"),
        ("host", "db1"),
        ("type", "EXECVE"),
        ("audit_id", "1716544860.123:42"),
        ("a1", "/ "),
    ];
    check(&events[0], &fields);
}

#[test]
fn pairs_in_text_are_fields_that_hide_nothing() {
    let text = "2024-05-24 10:01:00 level=info user=\"al ice\" host=db9 _time=5 time=1 _x=1 1=2\n";
    let (events, _) = read_text(text);
    let fields = [
        ("_time", "2024-05-24T10:01:00Z"),
        ("host", "(null)"),
        ("extracted_host", "db9"),
        ("user", "al ice"),
        ("time", "[5, 1]"),
        ("x", "1"),
        ("sourcetype", "text"),
    ];
    check(&events[0], &fields);
}

#[test]
fn utf16_is_read_with_and_without_a_mark() {
    let text = "2024-05-24 10:01:00 name=ü\r\n";
    let little: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let big: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
    for bytes in [little.clone(), big.clone(), [vec![0xff, 0xfe], little].concat(), [vec![0xfe, 0xff], big].concat()] {
        let (store, _) = read_bytes(&bytes, &options());
        check(&events(&store)[0], &[("name", "ü"), ("_time", "2024-05-24T10:01:00Z")]);
    }
}
