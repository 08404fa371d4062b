//! Every scenario event has the outcome that is written beside it.

#![allow(clippy::unwrap_used)]

mod evaluator;

use std::path::Path;

use spelunk_datasets::{ScenarioEvent, scenarios};

#[test]
fn labels_are_what_the_detections_say() {
    for ScenarioEvent { signal, event, spl, logscale, .. } in scenarios() {
        assert_eq!(evaluator::spl(&event), spl, "SPL, record {} ({signal})", event.record);
        assert_eq!(evaluator::logscale(&event), logscale, "LogScale, record {} ({signal})", event.record);
    }
}

#[test]
fn the_methodology_and_its_probes_have_six_and_eight_hits() {
    let core: Vec<_> = scenarios().into_iter().filter(|step| (1000..1030).contains(&step.event.record)).collect();
    assert_eq!(core.len(), 30);
    let records = |hit: fn(&ScenarioEvent) -> bool| -> Vec<u64> {
        core.iter().filter(|step| hit(step)).map(|step| step.event.record).collect()
    };
    assert_eq!(records(|step| step.spl.is_some()), [1005, 1019, 1022, 1023, 1024, 1028]);
    assert_eq!(records(|step| step.logscale.is_some()), [1005, 1019, 1022, 1023, 1024, 1025, 1026, 1028]);
}

#[test]
fn records_and_times_increase() {
    let order: Vec<_> = scenarios().into_iter().map(|step| (step.event.record, step.event.time)).collect();
    assert!(order.windows(2).all(|pair| pair[0].0 < pair[1].0 && pair[0].1 < pair[1].1));
}

#[test]
fn process_creations_have_sysmons_fields_in_sysmons_order() {
    const FIELDS: [&str; 23] = [
        "RuleName",
        "UtcTime",
        "ProcessGuid",
        "ProcessId",
        "Image",
        "FileVersion",
        "Description",
        "Product",
        "Company",
        "OriginalFileName",
        "CommandLine",
        "CurrentDirectory",
        "User",
        "LogonGuid",
        "LogonId",
        "TerminalSessionId",
        "IntegrityLevel",
        "Hashes",
        "ParentProcessGuid",
        "ParentProcessId",
        "ParentImage",
        "ParentCommandLine",
        "ParentUser",
    ];
    let steps = scenarios();
    let creations: Vec<_> = steps.iter().map(|step| &step.event).filter(|e| e.kind.event_id == 1).collect();
    assert!(creations.len() > 50);
    for event in creations {
        assert!(event.data.iter().map(|(name, _)| *name).eq(FIELDS), "record {}", event.record);
    }
}

#[test]
fn one_process_has_one_guid() {
    let steps = scenarios();
    let event = |record| &steps.iter().find(|step| step.event.record == record).unwrap().event;
    let (console, shell, file) = (event(1004), event(1005), event(1006));
    assert_eq!(console.field("ProcessGuid"), shell.field("ParentProcessGuid"));
    assert_eq!(shell.field("ProcessGuid"), file.field("ProcessGuid"));
    assert_eq!(event(1007).field("NewProcessId"), Some("0x14bc"));
    assert_eq!(event(1007).field("ProcessId"), Some("0x1450"));
}

/// The labels and the fields that matter agree with a list of the same scenarios made by others.
#[test]
fn outcomes_agree_with_the_reference() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/scenarios");
    let Ok(expected) = std::fs::read_to_string(folder.join("t1021003_expected.csv")) else {
        // Past the capture of test output, so that it shows.
        let _ = std::io::Write::write_all(&mut std::io::stderr(), b"skipped: ../shared is absent\n");
        return;
    };
    let steps = scenarios();
    let events = std::fs::read_to_string(folder.join("t1021003_events.jsonl")).unwrap();
    let events: Vec<serde_json::Value> = events.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let mut compared = 0;
    for row in expected.lines().skip(1) {
        let record: u64 = row.split(',').next().unwrap().parse().unwrap();
        // Only the second and third column can hold a comma of their own.
        let columns: Vec<_> = row.rsplit(',').collect();
        let (logscale, spl) = (columns[2], columns[3]);
        let step = steps.iter().find(|step| step.event.record == record).unwrap();
        assert_eq!(step.spl.unwrap_or_default(), spl, "{row}");
        assert_eq!(step.logscale.unwrap_or_default(), logscale, "{row}");

        let theirs = events.iter().find(|event| event["RecordID"] == record).unwrap();
        assert_eq!(theirs["EventID"], step.event.kind.event_id);
        for (name, value) in theirs["EventData"].as_object().unwrap() {
            let mine = step.event.field(name);
            assert!(mine.is_some(), "{record}: {name} is missing");
            let given = [
                "Image",
                "CommandLine",
                "CurrentDirectory",
                "OriginalFileName",
                "ProcessId",
                "User",
                "IntegrityLevel",
                "ParentImage",
                "ParentCommandLine",
                "ParentProcessId",
                "TargetFilename",
                "ScriptBlockText",
                "SourceIp",
                "SourcePort",
                "DestinationIp",
                "DestinationPort",
                "DestinationPortName",
                "Initiated",
                "Protocol",
                "NewProcessId",
                "NewProcessName",
                "ParentProcessName",
                "SubjectUserName",
                "SubjectDomainName",
                "TokenElevationType",
                "MandatoryLabel",
            ];
            if given.contains(&name.as_str()) {
                assert_eq!(mine, value.as_str(), "{record}: {name}");
            }
        }
        compared += 1;
    }
    assert_eq!(compared, 30);
}
