//! Windows' events as CrowdStrike's sensor would report them.
//!
//! Left out is what has no certain twin: Sysmon 2, 8 to 10, 16 to 21 and 25, and the addresses of connections that come
//! in, of which Sysmon does not say reliably which side is the host.

use super::Make::{Field, First, Integer, Of, Text, With};
use super::fields::{POWERSHELL, SECURITY, SYSMON, SYSTEM, TYPE};
use super::{Definition, Event, Field as Made, Make};
use crate::functions::telemetry::{
    ACCOUNT, ADDRESSES, AGENT, BASE_NAME, DECIMAL, DEVICE_PATH, DIGEST, DOMAIN, FILE_EVENT, FOLDER, IDENTIFIER,
    INTEGRITY, MILLISECONDS, NETWORK_EVENT, PROTOCOL, REGISTRY_EVENT, REGISTRY_OPERATION, REGISTRY_PATH, SECONDS,
    SHORT_HOST,
};

/// Windows' events under Falcon's names.
pub static FALCON: Definition = Definition {
    name: "falcon",
    events: "Windows events",
    names: "Falcon's names",
    kinds: KINDS,
    shared: SHARED,
    telling: TELLING,
    unknown: UNKNOWN,
};

/// What Falcon's own events do not hold as they are exported, and LogScale shows.
pub static ADDED: Definition = Definition {
    name: "falcon",
    events: "Falcon events",
    names: "Falcon's names",
    kinds: &[Event::falcon(
        &["*"],
        &[
            ("FileName", First(&[Field("FileName"), Of(&BASE_NAME, "ImageFileName")])),
            ("FilePath", First(&[Field("FilePath"), Of(&FOLDER, "ImageFileName")])),
            ("#repo", First(&[Field("#repo"), Text("base_sensor")])),
        ],
    )],
    shared: &[],
    telling: &[],
    unknown: &[],
};

static SHARED: &[Made] = &[
    ("event_platform", Text("Win")),
    ("#repo", Text("base_sensor")),
    ("cid", Text("00000000000000000000000000000000")),
    ("aid", First(&[Of(&AGENT, "Computer"), Of(&AGENT, "host")])),
    ("timestamp", Of(&MILLISECONDS, "_time")),
    ("ComputerName", First(&[Of(&SHORT_HOST, "Computer"), Of(&SHORT_HOST, "host")])),
];

const TIME: Make = First(&[Of(&SECONDS, "UtcTime"), Of(&SECONDS, "_time")]);
const SHA256: Made = ("SHA256HashData", With(&DIGEST, "Hashes", "SHA256"));
const SHA1: Made = ("SHA1HashData", With(&DIGEST, "Hashes", "SHA1"));
const MD5: Made = ("MD5HashData", With(&DIGEST, "Hashes", "MD5"));
const USER: Made = ("UserName", Of(&ACCOUNT, "User"));
const USER_DOMAIN: Made = ("LogonDomain", Of(&DOMAIN, "User"));
const CONTEXT_TIME: Made = ("ContextTimeStamp", TIME);
const CONTEXT_NAME: Made = ("ContextBaseFileName", Of(&BASE_NAME, "Image"));
const CONTEXT_IMAGE: Made = ("ContextImageFileName", Of(&DEVICE_PATH, "Image"));
const CONTEXT_PROCESS: Made = ("ContextProcessId", Of(&IDENTIFIER, "ProcessGuid"));
const FILE: Made = ("TargetFileName", Of(&DEVICE_PATH, "TargetFilename"));
const FILE_NAME: Made = ("FileName", Of(&BASE_NAME, "TargetFilename"));
const FILE_FOLDER: Made = ("FilePath", Of(&FOLDER, "TargetFilename"));
const LOADED: Made = ("ImageFileName", Of(&DEVICE_PATH, "ImageLoaded"));
const LOADED_NAME: Made = ("FileName", Of(&BASE_NAME, "ImageLoaded"));
const LOADED_FOLDER: Made = ("FilePath", Of(&FOLDER, "ImageLoaded"));
const REGISTRY_TYPE: Made = (TYPE, Of(&REGISTRY_EVENT, "TargetObject"));
const OPERATION: Made = ("RegOperationType", Of(&REGISTRY_OPERATION, "EventType"));
const TARGET_USER: Made = ("UserName", Of(&ACCOUNT, "TargetUserName"));
const TARGET_SID: Made = ("UserSid", Field("TargetUserSid"));
const TARGET_DOMAIN: Made = ("LogonDomain", Field("TargetDomainName"));
const TARGET_LOGON: Made = ("AuthenticationId", Of(&DECIMAL, "TargetLogonId"));
const REMOTE: Made = ("RemoteAddressIP4", With(&ADDRESSES, "IpAddress", "4"));
const WORKSTATION: Made = ("ClientComputerName", Field("WorkstationName"));
const SERVICE: Made = ("ServiceDisplayName", Field("ServiceName"));

static KINDS: &[Event] = &[
    Event::windows(SYSMON, &[1], PROCESS),
    Event::windows(SECURITY, &[4688], AUDITED_PROCESS),
    Event::windows(SYSMON, &[3], CONNECTION).when("Initiated", "true"),
    Event::windows(SYSMON, &[3], ACCEPTED).when("Initiated", "false"),
    Event::windows(
        SYSMON,
        &[5],
        &[
            (TYPE, Text("EndOfProcess")),
            ("TargetProcessId", Of(&IDENTIFIER, "ProcessGuid")),
            ("ProcessEndTime", TIME),
            CONTEXT_TIME,
        ],
    ),
    Event::windows(
        SYSMON,
        &[6],
        &[(TYPE, Text("DriverLoad")), LOADED, LOADED_NAME, LOADED_FOLDER, SHA256, SHA1, MD5, CONTEXT_TIME],
    ),
    Event::windows(
        SYSMON,
        &[7],
        &[
            (TYPE, Text("ClassifiedModuleLoad")),
            LOADED,
            LOADED_NAME,
            LOADED_FOLDER,
            ("TargetImageFileName", Of(&DEVICE_PATH, "Image")),
            SHA256,
            SHA1,
            MD5,
            CONTEXT_TIME,
        ],
    ),
    Event::windows(
        SYSMON,
        &[11],
        &[
            (TYPE, Of(&FILE_EVENT, "TargetFilename")),
            FILE,
            FILE_NAME,
            FILE_FOLDER,
            CONTEXT_NAME,
            CONTEXT_IMAGE,
            CONTEXT_PROCESS,
            CONTEXT_TIME,
        ],
    ),
    Event::windows(
        SYSMON,
        &[12],
        &[
            REGISTRY_TYPE,
            ("RegObjectName", With(&REGISTRY_PATH, "TargetObject", "whole")),
            OPERATION,
            CONTEXT_NAME,
            CONTEXT_IMAGE,
            CONTEXT_PROCESS,
            CONTEXT_TIME,
        ],
    ),
    Event::windows(SYSMON, &[13, 14], REGISTRY_VALUE),
    Event::windows(
        SYSMON,
        &[15],
        &[
            (TYPE, Text("MotwWritten")),
            FILE,
            FILE_NAME,
            FILE_FOLDER,
            CONTEXT_NAME,
            CONTEXT_IMAGE,
            CONTEXT_PROCESS,
            CONTEXT_TIME,
        ],
    )
    .when("TargetFilename", "*:Zone.Identifier"),
    Event::windows(
        SYSMON,
        &[22],
        &[
            (TYPE, Text("DnsRequest")),
            ("DomainName", Field("QueryName")),
            ("IP4Records", With(&ADDRESSES, "QueryResults", "4")),
            ("IP6Records", With(&ADDRESSES, "QueryResults", "6")),
            CONTEXT_NAME,
            CONTEXT_IMAGE,
            CONTEXT_PROCESS,
            CONTEXT_TIME,
        ],
    ),
    Event::windows(SYSMON, &[23, 26], DELETED_PROGRAM).when("IsExecutable", "true"),
    Event::windows(SYSMON, &[23, 26], DELETED_FILE),
    Event::windows(SECURITY, &[4624], LOGON),
    Event::windows(SECURITY, &[4625], FAILED_LOGON),
    Event::windows(
        SECURITY,
        &[4634, 4647],
        &[(TYPE, Text("UserLogoff")), TARGET_USER, TARGET_SID, TARGET_DOMAIN, TARGET_LOGON],
    ),
    Event::windows(SECURITY, &[4720], &[(TYPE, Text("UserAccountCreated")), TARGET_USER]),
    Event::windows(SECURITY, &[4726], &[(TYPE, Text("UserAccountDeleted")), TARGET_USER]),
    Event::windows(SECURITY, &[4728, 4732, 4756], &[(TYPE, Text("UserAccountAddedToGroup"))]),
    Event::windows(
        SECURITY,
        &[4697],
        &[(TYPE, Text("CreateService")), SERVICE, ("ServiceImagePath", Field("ServiceFileName"))],
    ),
    Event::windows(
        SYSTEM,
        &[7045],
        &[(TYPE, Text("CreateService")), SERVICE, ("ServiceImagePath", Field("ImagePath"))],
    ),
    Event::windows(SECURITY, &[4698], &[(TYPE, Text("ScheduledTaskRegistered"))]),
    Event::windows(SECURITY, &[1102], &[(TYPE, Text("EventLogCleared"))]),
    Event::windows(SYSTEM, &[104], &[(TYPE, Text("EventLogCleared"))]),
    Event::windows(
        POWERSHELL,
        &[4104],
        &[(TYPE, Text("ScriptControlScanTelemetry")), ("ScriptContent", Field("ScriptBlockText"))],
    ),
];

static PROCESS: &[Made] = &[
    (TYPE, Text("ProcessRollup2")),
    ("ProcessStartTime", TIME),
    ("ImageFileName", Of(&DEVICE_PATH, "Image")),
    ("FileName", Of(&BASE_NAME, "Image")),
    ("FilePath", Of(&FOLDER, "Image")),
    ("ParentBaseFileName", Of(&BASE_NAME, "ParentImage")),
    ("ParentImageFileName", Of(&DEVICE_PATH, "ParentImage")),
    ("RawProcessId", Field("ProcessId")),
    ("TargetProcessId", Of(&IDENTIFIER, "ProcessGuid")),
    // Sysmon has a field of this name too: the number that the system gave the parent.
    ("ParentProcessId", Of(&IDENTIFIER, "ParentProcessGuid")),
    ("SourceProcessId", Of(&IDENTIFIER, "ParentProcessGuid")),
    USER,
    USER_DOMAIN,
    SHA256,
    SHA1,
    MD5,
    ("IntegrityLevel", Of(&INTEGRITY, "IntegrityLevel")),
    ("AuthenticationId", Of(&DECIMAL, "LogonId")),
    ("SessionId", Field("TerminalSessionId")),
    ("OriginalFilename", Field("OriginalFileName")),
];

static AUDITED_PROCESS: &[Made] = &[
    (TYPE, Text("ProcessRollup2")),
    ("ProcessStartTime", Of(&SECONDS, "_time")),
    ("ImageFileName", Of(&DEVICE_PATH, "NewProcessName")),
    ("FileName", Of(&BASE_NAME, "NewProcessName")),
    ("FilePath", Of(&FOLDER, "NewProcessName")),
    ("ParentBaseFileName", Of(&BASE_NAME, "ParentProcessName")),
    ("ParentImageFileName", Of(&DEVICE_PATH, "ParentProcessName")),
    ("RawProcessId", Of(&DECIMAL, "NewProcessId")),
    // The account that the process runs as is named only where it is not the one that started it.
    ("UserName", First(&[Of(&ACCOUNT, "TargetUserName"), Of(&ACCOUNT, "SubjectUserName")])),
    ("LogonDomain", First(&[Of(&ACCOUNT, "TargetDomainName"), Of(&ACCOUNT, "SubjectDomainName")])),
    ("IntegrityLevel", Of(&INTEGRITY, "MandatoryLabel")),
];

static CONNECTION: &[Made] = &[
    (TYPE, Of(&NETWORK_EVENT, "DestinationIp")),
    ("ConnectionDirection", Integer(0)),
    ("LocalAddressIP4", With(&ADDRESSES, "SourceIp", "4")),
    ("LocalAddressIP6", With(&ADDRESSES, "SourceIp", "6")),
    ("LocalIP", Field("SourceIp")),
    ("LocalPort", Field("SourcePort")),
    ("RemoteAddressIP4", With(&ADDRESSES, "DestinationIp", "4")),
    ("RemoteAddressIP6", With(&ADDRESSES, "DestinationIp", "6")),
    ("RemoteIP", Field("DestinationIp")),
    ("RemotePort", Field("DestinationPort")),
    ("Protocol", Of(&PROTOCOL, "Protocol")),
    CONTEXT_NAME,
    CONTEXT_IMAGE,
    CONTEXT_PROCESS,
    CONTEXT_TIME,
    USER,
];

static ACCEPTED: &[Made] = &[
    (TYPE, Text("NetworkReceiveAcceptIP4")),
    ("ConnectionDirection", Integer(1)),
    ("Protocol", Of(&PROTOCOL, "Protocol")),
    CONTEXT_NAME,
    CONTEXT_IMAGE,
    CONTEXT_PROCESS,
    CONTEXT_TIME,
    USER,
];

static REGISTRY_VALUE: &[Made] = &[
    REGISTRY_TYPE,
    ("RegObjectName", With(&REGISTRY_PATH, "TargetObject", "key")),
    ("RegValueName", With(&REGISTRY_PATH, "TargetObject", "value")),
    ("RegStringValue", Field("Details")),
    OPERATION,
    CONTEXT_NAME,
    CONTEXT_IMAGE,
    CONTEXT_PROCESS,
    CONTEXT_TIME,
];

static DELETED_PROGRAM: &[Made] = &[
    (TYPE, Text("ExecutableDeleted")),
    FILE,
    FILE_NAME,
    FILE_FOLDER,
    CONTEXT_NAME,
    CONTEXT_IMAGE,
    CONTEXT_PROCESS,
    CONTEXT_TIME,
    SHA256,
];

static DELETED_FILE: &[Made] = &[
    (TYPE, Text("FileDeleteInfo")),
    FILE,
    FILE_NAME,
    FILE_FOLDER,
    CONTEXT_NAME,
    CONTEXT_IMAGE,
    CONTEXT_PROCESS,
    CONTEXT_TIME,
    SHA256,
];

static LOGON: &[Made] =
    &[(TYPE, Text("UserLogon")), TARGET_USER, TARGET_SID, TARGET_DOMAIN, TARGET_LOGON, REMOTE, WORKSTATION];

static FAILED_LOGON: &[Made] = &[
    (TYPE, Text("UserLogonFailed2")),
    TARGET_USER,
    TARGET_SID,
    TARGET_DOMAIN,
    REMOTE,
    WORKSTATION,
    ("SubStatus", Of(&DECIMAL, "SubStatus")),
];

static TELLING: &[&str] = &[
    "#event_simpleName",
    "#repo",
    "ConnectionDirection",
    "ContextBaseFileName",
    "ContextImageFileName",
    "ContextProcessId",
    "ContextTimeStamp",
    "IP4Records",
    "IP6Records",
    "ImageFileName",
    "LocalAddressIP4",
    "LocalAddressIP6",
    "MD5HashData",
    "OriginalFilename",
    "ParentBaseFileName",
    "ParentImageFileName",
    "ProcessEndTime",
    "ProcessStartTime",
    "RawProcessId",
    "RegObjectName",
    "RegOperationType",
    "RegStringValue",
    "RegValueName",
    "RemoteAddressIP4",
    "RemoteAddressIP6",
    "SHA1HashData",
    "SHA256HashData",
    "ScriptContent",
    "TargetImageFileName",
    "aid",
    "event_platform",
    "event_simpleName",
];

static UNKNOWN: &[&str] = &[
    "AuthenticodeHashData",
    "CallStackModuleNames",
    "ConfigBuild",
    "ConfigStateHash",
    "ConnectionFlags",
    "ContextThreadId",
    "EffectiveTransmissionClass",
    "Entitlements",
    "FirstIP4Record",
    "GrandParentBaseFileName",
    "ImageSubsystem",
    "InContext",
    "ParentAuthenticationId",
    "ProcessCreateFlags",
    "ProcessParameterFlags",
    "ProcessSxsFlags",
    "RequestType",
    "SignInfoFlags",
    "SourceThreadId",
    "TaskXml",
    "TokenType",
    "TreeId",
    "WindowFlags",
    "aip",
];
