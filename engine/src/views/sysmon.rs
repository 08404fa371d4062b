//! Events of CrowdStrike's sensor as Sysmon would report them.

use super::Make::{Field, First, Integer, Nothing, Of, Several, Text};
use super::fields::SYSMON;
use super::{Definition, Event, Field as Made, Make};
use crate::functions::telemetry::{
    DIGESTS, DRIVE_PATH, HEXADECIMAL, IN_FOLDERS, INTEGRITY_NAME, PROTOCOL_NAME, REGISTRY_OBJECT,
    REGISTRY_OPERATION_NAME, UTC_TIME,
};

/// Falcon's events under Sysmon's names.
pub static AS_SYSMON: Definition = Definition {
    name: "sysmon",
    events: "Falcon events",
    names: "Sysmon's names",
    kinds: KINDS,
    shared: SHARED,
    telling: TELLING,
    unknown: UNKNOWN,
};

/// What searches know Sysmon's events by.
pub const SOURCETYPE: &str = "XmlWinEventLog:Microsoft-Windows-Sysmon/Operational";

static SHARED: &[Made] = &[
    ("Channel", Text(SYSMON)),
    ("source", Text(SOURCETYPE)),
    ("sourcetype", Text(SOURCETYPE)),
    ("SourceName", Text("Microsoft-Windows-Sysmon")),
    ("Computer", Field("ComputerName")),
    ("UtcTime", Of(&UTC_TIME, "_time")),
    ("User", Field("UserName")),
    // In Falcon it is an identifier of its own, no number that the system gave.
    ("ParentProcessId", Nothing),
];

/// The program that did it: its path, or what ends like it where only the name is known.
const IMAGE: Made =
    ("Image", First(&[Of(&DRIVE_PATH, "ContextImageFileName"), Of(&IN_FOLDERS, "ContextBaseFileName")]));
const PROCESS_GUID: Made = ("ProcessGuid", Field("ContextProcessId"));
const DIGEST_LIST: Made = ("Hashes", Several(&DIGESTS, &["SHA1HashData", "MD5HashData", "SHA256HashData"]));
const LOADED: Made = ("ImageLoaded", Of(&DRIVE_PATH, "ImageFileName"));
const FILE: Made = ("TargetFilename", Of(&DRIVE_PATH, "TargetFileName"));
const PROTOCOL: Made = ("Protocol", Of(&PROTOCOL_NAME, "Protocol"));
const OBJECT: Made = ("TargetObject", Several(&REGISTRY_OBJECT, &["RegObjectName", "RegValueName"]));
const OPERATION: Made = ("EventType", Of(&REGISTRY_OPERATION_NAME, "RegOperationType"));

const fn code(code: i64) -> Make {
    Integer(code)
}

static REGISTRY_TYPES: &[&str] = &["RegGenericValueUpdate", "AsepValueUpdate"];

static KINDS: &[Event] = &[
    Event::falcon(&["ProcessRollup2"], PROCESS),
    Event::falcon(&["NetworkConnectIP4", "NetworkConnectIP6"], CONNECTION),
    Event::falcon(
        &["NetworkReceiveAcceptIP4", "NetworkReceiveAcceptIP6"],
        &[("EventCode", code(3)), ("EventID", code(3)), ("Initiated", Text("false")), PROTOCOL, IMAGE, PROCESS_GUID],
    ),
    Event::falcon(
        &["EndOfProcess"],
        &[
            ("EventCode", code(5)),
            ("EventID", code(5)),
            ("ProcessGuid", Field("TargetProcessId")),
            ("ProcessId", Field("RawProcessId")),
            ("Image", Of(&DRIVE_PATH, "ImageFileName")),
        ],
    ),
    Event::falcon(&["DriverLoad"], &[("EventCode", code(6)), ("EventID", code(6)), LOADED, DIGEST_LIST]),
    Event::falcon(
        &["ClassifiedModuleLoad"],
        &[
            ("EventCode", code(7)),
            ("EventID", code(7)),
            LOADED,
            ("Image", Of(&DRIVE_PATH, "TargetImageFileName")),
            DIGEST_LIST,
        ],
    ),
    Event::falcon(
        &["*FileWritten", "NewExecutableWritten", "NewScriptWritten"],
        &[("EventCode", code(11)), ("EventID", code(11)), FILE, IMAGE, PROCESS_GUID],
    ),
    Event::falcon(
        REGISTRY_TYPES,
        &[
            ("EventCode", code(13)),
            ("EventID", code(13)),
            OBJECT,
            OPERATION,
            ("Details", Field("RegStringValue")),
            IMAGE,
            PROCESS_GUID,
        ],
    )
    .when("RegOperationType", "1"),
    Event::falcon(
        REGISTRY_TYPES,
        &[("EventCode", code(14)), ("EventID", code(14)), OBJECT, OPERATION, IMAGE, PROCESS_GUID],
    )
    .when("RegOperationType", "7"),
    Event::falcon(REGISTRY_TYPES, REGISTRY_OBJECT_CHANGED).when("RegOperationType", "2"),
    Event::falcon(REGISTRY_TYPES, REGISTRY_OBJECT_CHANGED).when("RegOperationType", "3"),
    Event::falcon(REGISTRY_TYPES, REGISTRY_OBJECT_CHANGED).when("RegOperationType", "4"),
    Event::falcon(&["MotwWritten"], &[("EventCode", code(15)), ("EventID", code(15)), FILE, IMAGE, PROCESS_GUID]),
    Event::falcon(
        &["DnsRequest"],
        &[
            ("EventCode", code(22)),
            ("EventID", code(22)),
            ("QueryName", Field("DomainName")),
            ("QueryResults", First(&[Field("IP4Records"), Field("IP6Records")])),
            IMAGE,
            PROCESS_GUID,
        ],
    ),
    Event::falcon(
        &["ExecutableDeleted"],
        &[("EventCode", code(23)), ("EventID", code(23)), ("IsExecutable", Text("true")), FILE, IMAGE, PROCESS_GUID],
    ),
    Event::falcon(&["FileDeleteInfo"], &[("EventCode", code(23)), ("EventID", code(23)), FILE, IMAGE, PROCESS_GUID]),
];

static PROCESS: &[Made] = &[
    ("EventCode", code(1)),
    ("EventID", code(1)),
    ("Image", Of(&DRIVE_PATH, "ImageFileName")),
    ("ParentImage", First(&[Of(&DRIVE_PATH, "ParentImageFileName"), Of(&IN_FOLDERS, "ParentBaseFileName")])),
    ("ProcessId", Field("RawProcessId")),
    ("ProcessGuid", Field("TargetProcessId")),
    ("ParentProcessGuid", Field("ParentProcessId")),
    DIGEST_LIST,
    ("IntegrityLevel", Of(&INTEGRITY_NAME, "IntegrityLevel")),
    ("LogonId", Of(&HEXADECIMAL, "AuthenticationId")),
    ("TerminalSessionId", Field("SessionId")),
    ("OriginalFileName", Field("OriginalFilename")),
];

static CONNECTION: &[Made] = &[
    ("EventCode", code(3)),
    ("EventID", code(3)),
    ("Initiated", Text("true")),
    ("SourceIp", First(&[Field("LocalAddressIP4"), Field("LocalAddressIP6")])),
    ("SourcePort", Field("LocalPort")),
    ("DestinationIp", First(&[Field("RemoteAddressIP4"), Field("RemoteAddressIP6")])),
    ("DestinationPort", Field("RemotePort")),
    PROTOCOL,
    IMAGE,
    PROCESS_GUID,
];

static REGISTRY_OBJECT_CHANGED: &[Made] =
    &[("EventCode", code(12)), ("EventID", code(12)), OBJECT, OPERATION, IMAGE, PROCESS_GUID];

static TELLING: &[&str] = &[
    "DestinationIp",
    "DestinationPort",
    "EventCode",
    "EventID",
    "Hashes",
    "Image",
    "ImageLoaded",
    "OriginalFileName",
    "ParentImage",
    "ParentProcessGuid",
    "ProcessGuid",
    "QueryName",
    "SourceIp",
    "TargetFilename",
    "TargetObject",
    "UtcTime",
];

static UNKNOWN: &[&str] = &[
    "Company",
    "CurrentDirectory",
    "Description",
    "DestinationHostname",
    "FileVersion",
    "GrantedAccess",
    "LogonGuid",
    "ParentUser",
    "PipeName",
    "Product",
    "RuleName",
    "Signature",
    "SignatureStatus",
    "Signed",
    "SourceHostname",
    "SourceImage",
    "StartFunction",
    "StartModule",
    "TargetImage",
];
