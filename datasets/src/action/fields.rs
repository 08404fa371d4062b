//! The field sets of events that take more than a line.

use super::{Account, Endpoint, Process};
use crate::catalogue::artifacts::Module;
use crate::catalogue::programs::hashes;
use crate::event::{Data, Text};

/// What Windows lists for an administrator's logon.
pub(super) const PRIVILEGES: &str = "SeSecurityPrivilege\n\t\t\tSeBackupPrivilege\n\t\t\tSeRestorePrivilege\n\t\t\t\
    SeTakeOwnershipPrivilege\n\t\t\tSeDebugPrivilege\n\t\t\tSeSystemEnvironmentPrivilege\n\t\t\t\
    SeLoadDriverPrivilege\n\t\t\tSeImpersonatePrivilege\n\t\t\tSeDelegateSessionUserImpersonatePrivilege";

pub(super) fn user(process: &Process) -> (&'static str, Text) {
    ("User", process.account.user.clone())
}

fn pid(process: &Process) -> Text {
    process.pid.to_string().into()
}

fn hex_pid(process: &Process) -> Text {
    format!("0x{:x}", process.pid).into()
}

/// The fields that open most Sysmon events.
pub(super) fn sysmon(now: String, process: &Process) -> Data {
    let mut data = Data::with_capacity(23);
    data.extend([
        ("RuleName", "-".into()),
        ("UtcTime", now.into()),
        ("ProcessGuid", process.guid.clone().into()),
        ("ProcessId", pid(process)),
        ("Image", process.program.image.into()),
    ]);
    data
}

pub(super) fn start(now: String, process: &Process, parent: &Process) -> Data {
    let program = process.program;
    let account = &process.account;
    let mut data = sysmon(now, process);
    data.extend([
        ("FileVersion", program.version.into()),
        ("Description", program.description.into()),
        ("Product", program.product.into()),
        ("Company", program.company.into()),
        ("OriginalFileName", program.original_name.into()),
        ("CommandLine", process.command_line.clone()),
        ("CurrentDirectory", process.directory.clone()),
        ("User", account.user.clone()),
        (
            "LogonGuid",
            format!("{}-0000-0000-{:04x}-{:012x}}}", &process.guid[..9], account.session, account.logon_id).into(),
        ),
        ("LogonId", account.logon_text()),
        ("TerminalSessionId", account.session.to_string().into()),
        ("IntegrityLevel", process.integrity.into()),
        ("Hashes", program.hashes().into()),
        ("ParentProcessGuid", parent.guid.clone().into()),
        ("ParentProcessId", pid(parent)),
        ("ParentImage", parent.program.image.into()),
        ("ParentCommandLine", parent.command_line.clone()),
        ("ParentUser", parent.account.user.clone()),
    ]);
    data
}

pub(super) fn audit_start(process: &Process, parent: &Process) -> Data {
    let (elevation, label) = match process.integrity {
        "System" => ("%%1936", "S-1-16-16384"),
        "High" => ("%%1937", "S-1-16-12288"),
        "Low" => ("%%1938", "S-1-16-4096"),
        _ => ("%%1938", "S-1-16-8192"),
    };
    let mut data = named("Subject", &process.account);
    data.extend([
        ("NewProcessId", hex_pid(process)),
        ("NewProcessName", process.program.image.into()),
        ("TokenElevationType", elevation.into()),
        ("ProcessId", hex_pid(parent)),
        ("CommandLine", process.command_line.clone()),
        ("TargetUserSid", "S-1-0-0".into()),
        ("TargetUserName", "-".into()),
        ("TargetDomainName", "-".into()),
        ("TargetLogonId", "0x0".into()),
        ("ParentProcessName", parent.program.image.into()),
        ("MandatoryLabel", label.into()),
    ]);
    data
}

pub(super) fn connect(
    now: String,
    process: &Process,
    initiated: bool,
    source: &Endpoint,
    destination: &Endpoint,
) -> Data {
    let mut data = sysmon(now, process);
    data.extend([
        user(process),
        ("Protocol", if destination.port == 53 { "udp" } else { "tcp" }.into()),
        ("Initiated", if initiated { "true" } else { "false" }.into()),
        ("SourceIsIpv6", "false".into()),
        ("SourceIp", source.ip.clone()),
        ("SourceHostname", source.host.clone()),
        ("SourcePort", source.port.to_string().into()),
        ("SourcePortName", "-".into()),
        ("DestinationIsIpv6", "false".into()),
        ("DestinationIp", destination.ip.clone()),
        ("DestinationHostname", destination.host.clone()),
        ("DestinationPort", destination.port.to_string().into()),
        ("DestinationPortName", port_name(destination.port).into()),
    ]);
    data
}

fn port_name(port: u16) -> &'static str {
    match port {
        53 => "domain",
        80 => "http",
        88 => "kerberos",
        135 => "epmap",
        389 => "ldap",
        443 => "https",
        445 => "microsoft-ds",
        3389 => "ms-wbt-server",
        _ => "-",
    }
}

pub(super) fn permit(process: &Process, initiated: bool, source: &Endpoint, destination: &Endpoint) -> Data {
    // The filtering platform names the device, not the drive letter.
    let application = match process.program.image.strip_prefix("C:") {
        Some(path) => format!(r"\device\harddiskvolume3{}", path.to_ascii_lowercase()).into(),
        None => process.program.image.into(),
    };
    let (direction, layer, layer_id) =
        if initiated { ("%%14593", "%%14611", "48") } else { ("%%14592", "%%14610", "44") };
    vec![
        ("ProcessID", pid(process)),
        ("Application", application),
        ("Direction", direction.into()),
        ("SourceAddress", source.ip.clone()),
        ("SourcePort", source.port.to_string().into()),
        ("DestAddress", destination.ip.clone()),
        ("DestPort", destination.port.to_string().into()),
        ("Protocol", if destination.port == 53 { "17" } else { "6" }.into()),
        ("FilterRTID", "73482".into()),
        ("LayerName", layer.into()),
        ("LayerRTID", layer_id.into()),
        ("RemoteUserID", "S-1-0-0".into()),
        ("RemoteMachineID", "S-1-0-0".into()),
    ]
}

pub(super) fn load(now: String, process: &Process, module: &Module) -> Data {
    let mut data = sysmon(now, process);
    data.extend([
        ("ImageLoaded", module.path.into()),
        ("FileVersion", module.version.into()),
        ("Description", module.description.into()),
        ("Product", module.product.into()),
        ("Company", module.company.into()),
        ("OriginalFileName", module.path.rsplit('\\').next().unwrap_or("-").into()),
        ("Hashes", hashes(module.path).into()),
        ("Signed", "true".into()),
        ("Signature", module.signature.into()),
        ("SignatureStatus", "Valid".into()),
        user(process),
    ]);
    data
}

pub(super) fn access(now: String, source: &Process, target: &Process, granted: &'static str, trace: &Text) -> Data {
    vec![
        ("RuleName", "-".into()),
        ("UtcTime", now.into()),
        ("SourceProcessGUID", source.guid.clone().into()),
        ("SourceProcessId", pid(source)),
        ("SourceThreadId", (source.pid + 32).to_string().into()),
        ("SourceImage", source.program.image.into()),
        ("TargetProcessGUID", target.guid.clone().into()),
        ("TargetProcessId", pid(target)),
        ("TargetImage", target.program.image.into()),
        ("GrantedAccess", granted.into()),
        ("CallTrace", trace.clone()),
        ("SourceUser", source.account.user.clone()),
        ("TargetUser", target.account.user.clone()),
    ]
}

/// The four fields by which the Security log names an account, as `Subject…` or `Target…`.
pub(super) fn named(role: &'static str, account: &Account) -> Data {
    let names = if role == "Subject" {
        ["SubjectUserSid", "SubjectUserName", "SubjectDomainName", "SubjectLogonId"]
    } else {
        ["TargetUserSid", "TargetUserName", "TargetDomainName", "TargetLogonId"]
    };
    let mut data = Data::with_capacity(27);
    let (name, domain) = (account.name().to_owned(), account.domain().to_owned());
    data.extend(names.into_iter().zip([account.sid.clone(), name.into(), domain.into(), account.logon_text()]));
    data
}

pub(super) fn logon(account: &Account, logon_type: u8, from: &Endpoint, guid: &str) -> Data {
    let network = logon_type == 3;
    let mut data: Data = if network {
        vec![
            ("SubjectUserSid", "S-1-0-0".into()),
            ("SubjectUserName", "-".into()),
            ("SubjectDomainName", "-".into()),
            ("SubjectLogonId", "0x0".into()),
        ]
    } else {
        named("Subject", &Account::system())
    };
    data.extend(named("Target", account));
    let process = if logon_type == 5 {
        "Advapi  "
    } else if network {
        "Kerberos"
    } else {
        "User32 "
    };
    let package = if network { "Kerberos" } else { "Negotiate" };
    let (caller, image) = match logon_type {
        3 => ("0x0", "-"),
        5 => ("0x2c8", r"C:\Windows\System32\services.exe"),
        _ => ("0x4d8", r"C:\Windows\System32\svchost.exe"),
    };
    data.extend([
        ("LogonType", logon_type.to_string().into()),
        ("LogonProcessName", process.into()),
        ("AuthenticationPackageName", package.into()),
        ("WorkstationName", if network { "-".into() } else { from.host.clone() }),
        ("LogonGuid", guid.to_owned().into()),
        ("TransmittedServices", "-".into()),
        ("LmPackageName", "-".into()),
        ("KeyLength", "0".into()),
        ("ProcessId", caller.into()),
        ("ProcessName", image.into()),
        ("IpAddress", from.ip.clone()),
        ("IpPort", from.port.to_string().into()),
        ("ImpersonationLevel", "%%1833".into()),
        ("RestrictedAdminMode", "-".into()),
        ("TargetOutboundUserName", "-".into()),
        ("TargetOutboundDomainName", "-".into()),
        ("VirtualAccount", "%%1843".into()),
        ("TargetLinkedLogonId", "0x0".into()),
        ("ElevatedToken", "%%1842".into()),
    ]);
    data
}

pub(super) fn open_object(process: &Process, path: &Text, access: &'static str, mask: &'static str) -> Data {
    let mut data = named("Subject", &process.account);
    data.extend([
        ("ObjectServer", "Security".into()),
        ("ObjectType", "File".into()),
        ("ObjectName", path.clone()),
        ("HandleId", format!("0x{:x}", process.pid & 0xfff).into()),
        ("AccessList", access.into()),
        ("AccessMask", mask.into()),
        ("ProcessId", hex_pid(process)),
        ("ProcessName", process.program.image.into()),
        ("ResourceAttributes", "S:AI".into()),
    ]);
    data
}
