//! The two detections as plain code: slow, obvious, and independent of the engine and of how events are made.

use serde_json::Value;
use spelunk_datasets::Event;

/// What the SPL detection says of an event: terms of a search ignore case and cover the whole value, `OR` binds tighter
/// than `AND`, so that all three groups stand under the event code; `match` is case-sensitive and looks anywhere.
pub fn spl(event: &Event) -> Option<&'static str> {
    let value = |name: &str| event.field(name).unwrap_or_default();
    let (image, parent, line) = (value("Image"), value("ParentImage"), value("CommandLine"));
    let ends = |text: &str, names: &[&str]| {
        let text = text.to_lowercase();
        names.iter().any(|name| text.ends_with(&format!(r"\{name}.exe")))
    };
    let contains = |text: &str, words: &[&str]| words.iter().any(|word| text.contains(word));

    if event.kind.channel != "Microsoft-Windows-Sysmon/Operational" || event.kind.event_id != 1 {
        return None;
    }
    let parents = ["mmc", "excel", "winword", "outlook", "powerpnt"];
    let children = ["cmd", "powershell", "wscript", "cscript", "mshta", "rundll32"];
    let small = line.to_lowercase();
    let selected = ends(parent, &parents) && ends(image, &children)
        || ends(image, &["dcomcnfg"])
        || small.contains("-exec") && small.contains("dcom");
    if !selected {
        return None;
    }
    Some(if contains(parent, &parents) && contains(image, &children) {
        "COM_SuspiciousChild"
    } else if contains(image, &["dcomcnfg"]) {
        "DCOM_ConfigTool"
    } else if contains(line, &["DCOM"]) {
        "DCOM_CommandLineRef"
    } else {
        "DCOM_Other"
    })
}

/// What the LogScale detection says of the Falcon form of an event, with `AND` binding tighter than `OR`.
pub fn logscale(event: &Event) -> Option<&'static str> {
    let record: Value = serde_json::from_str(&event.to_falcon()?).unwrap();
    let small = |name: &str| record[name].as_str().unwrap().to_lowercase();
    if record["#event_simpleName"] != "ProcessRollup2" {
        return None;
    }
    let (file, parent, line) = (small("FileName"), small("ParentBaseFileName"), small("CommandLine"));
    let parents = ["mmc.exe", "excel.exe", "winword.exe", "outlook.exe", "powerpnt.exe", "visio.exe"];
    let children = [
        "cmd.exe",
        "powershell.exe",
        "wscript.exe",
        "cscript.exe",
        "mshta.exe",
        "rundll32.exe",
        "regsvr32.exe",
        "certutil.exe",
    ];
    if file == "dcomcnfg.exe" {
        Some("DCOM_ConfigTool")
    } else if parents.contains(&parent.as_str()) && children.contains(&file.as_str()) {
        Some("COM_SuspiciousChild")
    } else if line.contains("dcom") && line.contains("-exec") {
        Some("DCOM_CommandLineRef")
    } else {
        None
    }
}
