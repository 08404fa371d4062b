//! What programs are started on an ordinary day: by whom, from what, with which command lines.

use super::programs::*;

/// Whose session a program runs in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Who {
    System,
    LocalService,
    NetworkService,
    /// The person at the host.
    Person,
    /// The same person, elevated.
    Admin,
}

/// A program that is often started, and how. Words in braces in a command line are filled in.
pub(crate) struct Habit {
    pub program: &'static Program,
    pub parent: &'static Program,
    pub who: Who,
    pub command_lines: &'static [&'static str],
}

const fn habit(
    program: &'static Program,
    parent: &'static Program,
    who: Who,
    command_lines: &'static [&'static str],
) -> Habit {
    Habit { program, parent, who, command_lines }
}

/// Where among [`RESIDENTS`] the service host stands that starts COM servers.
pub(crate) const DCOM_LAUNCH: usize = 5;
/// Where the one stands that tells callers the ports of COM servers.
pub(crate) const RPC_MAPPER: usize = 6;

/// What runs from start-up on every host.
pub(crate) static RESIDENTS: &[Habit] = &[
    habit(&SYSTEM, &SYSTEM, Who::System, &["-"]),
    habit(&WININIT, &SYSTEM, Who::System, &["wininit.exe"]),
    habit(&SERVICES, &WININIT, Who::System, &[r"C:\Windows\system32\services.exe"]),
    habit(&LSASS, &WININIT, Who::System, &[r"C:\Windows\system32\lsass.exe"]),
    habit(&WINLOGON, &SYSTEM, Who::System, &["winlogon.exe"]),
    habit(&SVCHOST, &SERVICES, Who::System, &[r"C:\Windows\system32\svchost.exe -k DcomLaunch -p"]),
    habit(&SVCHOST, &SERVICES, Who::NetworkService, &[r"C:\Windows\system32\svchost.exe -k RPCSS -p"]),
    habit(&SVCHOST, &SERVICES, Who::System, &[r"C:\Windows\system32\svchost.exe -k netsvcs -p -s Schedule"]),
    habit(
        &SVCHOST,
        &SERVICES,
        Who::NetworkService,
        &[r"C:\Windows\system32\svchost.exe -k NetworkService -p -s Dnscache"],
    ),
    habit(
        &SVCHOST,
        &SERVICES,
        Who::LocalService,
        &[r"C:\Windows\System32\svchost.exe -k LocalServiceNetworkRestricted -p -s EventLog"],
    ),
    habit(&SPOOLER, &SERVICES, Who::System, &[r"C:\Windows\System32\spoolsv.exe"]),
    habit(
        &DEFENDER,
        &SERVICES,
        Who::System,
        &[r#""C:\ProgramData\Microsoft\Windows Defender\Platform\4.18.24040.4-0\MsMpEng.exe""#],
    ),
    habit(&CCMEXEC, &SERVICES, Who::System, &[r"C:\Windows\CCM\CcmExec.exe"]),
    habit(&FALCON, &SERVICES, Who::System, &[r#""C:\Program Files\CrowdStrike\CSFalconService.exe""#]),
    habit(&TANIUM, &SERVICES, Who::System, &[r#""C:\Program Files (x86)\Tanium\Tanium Client\TaniumClient.exe""#]),
    habit(&BIGFIX, &SERVICES, Who::System, &[r#""C:\Program Files (x86)\BigFix Enterprise\BES Client\BESClient.exe""#]),
    habit(&EXPLORER, &USERINIT, Who::Person, &[r"C:\Windows\Explorer.EXE"]),
    habit(&CHROME, &EXPLORER, Who::Person, &[r#""C:\Program Files\Google\Chrome\Application\chrome.exe""#]),
    habit(&ONEDRIVE, &EXPLORER, Who::Person, &[r#""C:\Program Files\Microsoft OneDrive\OneDrive.exe" /background"#]),
    habit(
        &TEAMS,
        &EXPLORER,
        Who::Person,
        &[
            r#""C:\Program Files\WindowsApps\MSTeams_24091.214.2846.1452_x64__8wekyb3d8bbwe\ms-teams.exe" msteams:system-initiated"#,
        ],
    ),
];

/// What is started during the day, most often first.
pub(crate) static HABITS: &[Habit] = &[
    habit(&CONHOST, &CMD, Who::Person, &[r"\??\C:\Windows\system32\conhost.exe 0xffffffff -ForceV1"]),
    habit(
        &CHROME,
        &CHROME,
        Who::Person,
        &[
            r#""C:\Program Files\Google\Chrome\Application\chrome.exe" --type=renderer --lang=en-US --device-scale-factor=1 --num-raster-threads=4 --enable-main-frame-before-activation --renderer-client-id={n} --time-ticks-at-unix-epoch=-17165{n} --launch-time-ticks={n}{n} --field-trial-handle={n},i,{n}{n},262144 --variations-seed-version /prefetch:1"#,
            r#""C:\Program Files\Google\Chrome\Application\chrome.exe" --type=utility --utility-sub-type=network.mojom.NetworkService --lang=en-US --service-sandbox-type=none --mojo-platform-channel-handle={n} --field-trial-handle={n},i,{n}{n},262144 /prefetch:11"#,
        ],
    ),
    habit(
        &SVCHOST,
        &SERVICES,
        Who::System,
        &[
            r"C:\Windows\system32\svchost.exe -k netsvcs -p -s wuauserv",
            r"C:\Windows\system32\svchost.exe -k netsvcs -p -s BITS",
            r"C:\Windows\System32\svchost.exe -k wsappx -p -s ClipSVC",
            r"C:\Windows\system32\svchost.exe -k DcomLaunch -p -s LSM",
            r"C:\Windows\System32\svchost.exe -k netsvcs -p -s NetSetupSvc",
        ],
    ),
    habit(
        &BACKGROUND_TASK,
        &SVCHOST,
        Who::Person,
        &[
            r#""C:\Windows\system32\backgroundTaskHost.exe" -ServerName:App.AppXmtcan0h2tfbfy7k9kn8hbxb6dmzz1zh0.mca"#,
            r#""C:\Windows\system32\backgroundTaskHost.exe" -ServerName:CortanaUI.AppX3bn25b6f886wmg6twh46972vprk9tnbf.mca"#,
        ],
    ),
    habit(&RUNTIME_BROKER, &SVCHOST, Who::Person, &[r"C:\Windows\System32\RuntimeBroker.exe -Embedding"]),
    habit(
        &CMD,
        &EXPLORER,
        Who::Person,
        &[
            r#""C:\Windows\system32\cmd.exe" "#,
            r#"C:\Windows\system32\cmd.exe /c ""\\dc01\netlogon\login.cmd" ""#,
            r#"C:\Windows\system32\cmd.exe /c "C:\Users\{user}\AppData\Local\Temp\{hex}.bat""#,
        ],
    ),
    habit(&WMI_HOST, &SVCHOST, Who::NetworkService, &[r"C:\Windows\system32\wbem\wmiprvse.exe -secured -Embedding"]),
    habit(
        &TASKHOST,
        &SVCHOST,
        Who::Person,
        &[
            "taskhostw.exe {222A245B-E637-4AE9-A93F-A59CA119A75E}",
            "taskhostw.exe KEYROAMING",
            "taskhostw.exe Install $(Arg0)",
        ],
    ),
    habit(
        &POWERSHELL,
        &CCMEXEC,
        Who::System,
        &[
            r#""C:\Windows\system32\WindowsPowerShell\v1.0\powershell.exe" -NoLogo -Noninteractive -ExecutionPolicy Bypass  -File "C:\Windows\CCM\SystemTemp\{guid}.ps1""#,
            r#""C:\Windows\system32\WindowsPowerShell\v1.0\powershell.exe" -NonInteractive -ExecutionPolicy AllSigned -Command "& 'C:\ProgramData\Inventory\Send-Inventory.ps1' -Run {guid}""#,
        ],
    ),
    habit(
        &DLLHOST,
        &SVCHOST,
        Who::Person,
        &[
            r"C:\Windows\system32\DllHost.exe /Processid:{3EB3C877-1F16-487C-9050-104DBCD66683}",
            r"C:\Windows\system32\DllHost.exe /Processid:{AB8902B4-09CA-4BB6-B78D-A8F59079A8D5}",
            r"C:\Windows\system32\DllHost.exe /Processid:{{guid}}",
        ],
    ),
    habit(
        &EDGE,
        &EXPLORER,
        Who::Person,
        &[
            r#""C:\Program Files (x86)\Microsoft\Edge\Application\msedge.exe" --single-argument https://intranet.corp.example/news/{n}"#,
            r#""C:\Program Files (x86)\Microsoft\Edge\Application\msedge.exe" --type=renderer --lang=en-US --renderer-client-id={n} --field-trial-handle={n},i,{n}{n},262144 /prefetch:1"#,
        ],
    ),
    habit(
        &SEARCH_PROTOCOL,
        &SVCHOST,
        Who::System,
        &[
            r#""C:\Windows\system32\SearchProtocolHost.exe" Global\UsGthrFltPipeMssGthrPipe{n}_ Global\UsGthrCtrlFltPipeMssGthrPipe{n} 1 -2147483646 "Software\Microsoft\Windows Search""#,
        ],
    ),
    habit(
        &CMD,
        &CCMEXEC,
        Who::System,
        &[
            r"C:\Windows\system32\cmd.exe /c C:\Windows\CCM\inventory.cmd {guid}",
            r#"C:\Windows\system32\cmd.exe /d /c "wmic os get LocalDateTime""#,
        ],
    ),
    habit(
        &DEFENDER_RUN,
        &DEFENDER,
        Who::NetworkService,
        &[
            r#""C:\ProgramData\Microsoft\Windows Defender\Platform\4.18.24040.4-0\MpCmdRun.exe" -IdleTask -TaskName WdCacheMaintenance"#,
            r#""C:\ProgramData\Microsoft\Windows Defender\Platform\4.18.24040.4-0\MpCmdRun.exe" SpyNetService -RestrictPrivileges -AccessKey {guid}"#,
        ],
    ),
    habit(
        &GIT,
        &CODE,
        Who::Person,
        &[
            "git.exe status -z -uall",
            "git.exe rev-parse --show-toplevel",
            r"git.exe show --textconv :src/module{n}.ts",
            "git.exe fetch --prune origin",
        ],
    ),
    habit(&OUTLOOK, &EXPLORER, Who::Person, &[r#""C:\Program Files\Microsoft Office\root\Office16\OUTLOOK.EXE" "#]),
    habit(
        &EXCEL,
        &EXPLORER,
        Who::Person,
        &[
            r#""C:\Program Files\Microsoft Office\root\Office16\EXCEL.EXE" "C:\Users\{user}\Documents\forecast-{n}.xlsx""#,
            r#""C:\Program Files\Microsoft Office\root\Office16\EXCEL.EXE" /dde"#,
        ],
    ),
    habit(
        &WINWORD,
        &OUTLOOK,
        Who::Person,
        &[
            r#""C:\Program Files\Microsoft Office\root\Office16\WINWORD.EXE" /n "C:\Users\{user}\AppData\Local\Microsoft\Windows\INetCache\Content.Outlook\{hex}\minutes-{n}.docx" /o """#,
        ],
    ),
    habit(&SPLWOW64, &EXCEL, Who::Person, &[r"C:\Windows\splwow64.exe 8192", r"C:\Windows\splwow64.exe 12288"]),
    habit(
        &NOTEPAD,
        &EXPLORER,
        Who::Person,
        &[r#""C:\Windows\system32\NOTEPAD.EXE" C:\Users\{user}\Desktop\notes-{n}.txt"#],
    ),
    habit(
        &POWERSHELL,
        &EXPLORER,
        Who::Person,
        &[
            r#""C:\Windows\System32\WindowsPowerShell\v1.0\powershell.exe" "#,
            r"powershell.exe -NoProfile -WindowStyle Hidden -File \\dc01\netlogon\Map-Drives.ps1",
            r"powershell.exe -nop -enc RwBlAHQALQBTAGUAcgB2AGkAYwBlAA==",
        ],
    ),
    habit(
        &NET,
        &CMD,
        Who::Person,
        &[r"net  use H: \\fs01\home\{user} /persistent:no", "net  user {user} /domain", "net  time \\\\dc01"],
    ),
    habit(&IPCONFIG, &CMD, Who::Person, &["ipconfig  /all", "ipconfig  /flushdns"]),
    habit(&PING, &CMD, Who::Person, &["ping  -n {digit} 10.20.{octet}.{octet}"]),
    habit(
        &SCHTASKS,
        &CCMEXEC,
        Who::System,
        &[
            r#"schtasks.exe /query /tn "\Microsoft\Configuration Manager\Configuration Manager Health Evaluation" /xml"#,
            r#"schtasks.exe /create /f /sc once /st 0{digit}:{digit}{digit} /tn "Deploy-{n}" /tr "C:\Windows\ccmcache\{hex}\setup.exe /quiet""#,
        ],
    ),
    habit(
        &MSIEXEC,
        &SERVICES,
        Who::System,
        &[r"C:\Windows\system32\msiexec.exe /V", r"C:\Windows\syswow64\MsiExec.exe -Embedding {hex}{hex}{hex}{hex}"],
    ),
    habit(&CONSENT, &SVCHOST, Who::System, &["consent.exe {n} {n} 000001{hex}{digit}0"]),
    habit(
        &TIWORKER,
        &SVCHOST,
        Who::System,
        &[
            r"C:\Windows\winsxs\amd64_microsoft-windows-servicingstack_31bf3856ad364e35_10.0.19041.3745_none_7ded3f327ca60a41\TiWorker.exe -Embedding",
        ],
    ),
    habit(&GPUPDATE, &SVCHOST, Who::System, &["gpupdate.exe /target:computer", "gpupdate.exe /target:user"]),
    habit(&WSCRIPT, &GPSCRIPT, Who::Person, &[r#"wscript.exe //B "\\dc01\sysvol\corp.example\scripts\logon.vbs""#]),
    habit(
        &REG,
        &CMD,
        Who::Admin,
        &[
            r"reg  query HKLM\SOFTWARE\Microsoft\Ole /v EnableDCOM",
            r#"reg  query "HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion" /v ReleaseId"#,
        ],
    ),
    habit(&TASKLIST, &CMD, Who::Admin, &["tasklist  /svc", "tasklist  /fi \"pid eq {n}\""]),
    habit(
        &RUNDLL32,
        &EXPLORER,
        Who::Person,
        &[
            r"rundll32.exe C:\Windows\system32\inetcpl.cpl,ClearMyTracksByProcess {n}",
            r#""C:\Windows\system32\rundll32.exe" shell32.dll,Control_RunDLL timedate.cpl"#,
        ],
    ),
    habit(
        &MMC,
        &EXPLORER,
        Who::Admin,
        &[
            r#""C:\Windows\system32\mmc.exe" "C:\Windows\system32\services.msc" "#,
            r#""C:\Windows\system32\mmc.exe" "C:\Windows\system32\eventvwr.msc" /s"#,
            r#""C:\Windows\system32\mmc.exe" C:\Windows\system32\dsa.msc"#,
        ],
    ),
    habit(&NOTEPAD, &MMC, Who::Admin, &[r"notepad.exe C:\Windows\Logs\CBS\CBS.log"]),
    habit(
        &PYTHON,
        &CMD,
        Who::Person,
        &[r"python  C:\Users\{user}\src\etl\load.py --batch {n}", "python  -m pip list --outdated"],
    ),
    habit(
        &CODE,
        &EXPLORER,
        Who::Person,
        &[r#""C:\Program Files\Microsoft VS Code\Code.exe" C:\Users\{user}\src\portal"#],
    ),
    habit(
        &SEVEN_ZIP,
        &EXPLORER,
        Who::Person,
        &[
            r#""C:\Program Files\7-Zip\7zG.exe" x -o"C:\Users\{user}\Downloads\archive-{n}\" -slp- -an -ai#7zMap{n}:92:7zEvent{n}"#,
        ],
    ),
    habit(&MSTSC, &EXPLORER, Who::Person, &[r#""C:\Windows\system32\mstsc.exe" /v:srv{digit}{digit}.corp.example"#]),
    habit(
        &ROBOCOPY,
        &POWERSHELL,
        Who::System,
        &[r#"robocopy  C:\Data \\fs01\backup\{host} /MIR /R:1 /W:1 /LOG:C:\Logs\backup-{n}.log"#],
    ),
    habit(&SC, &CMD, Who::Admin, &["sc  query wuauserv", r"sc  \\srv{digit}{digit} query spooler"]),
    habit(&WHOAMI, &CMD, Who::Person, &["whoami  /groups"]),
    habit(&NSLOOKUP, &CMD, Who::Person, &["nslookup  host{n}.corp.example"]),
    habit(&WEVTUTIL, &POWERSHELL, Who::System, &[r"wevtutil  epl Security C:\Logs\security-{n}.evtx"]),
    habit(&TASKMGR, &EXPLORER, Who::Admin, &[r#""C:\Windows\system32\taskmgr.exe" /4"#]),
    habit(&CERTUTIL, &POWERSHELL, Who::System, &["certutil  -verifystore My"]),
    habit(&REGSVR32, &MSIEXEC, Who::System, &[r#"regsvr32.exe /s "C:\Program Files\Vendor\shellext-{n}.dll""#]),
    habit(
        &POWERPOINT,
        &EXPLORER,
        Who::Person,
        &[
            r#""C:\Program Files\Microsoft Office\root\Office16\POWERPNT.EXE" "C:\Users\{user}\Documents\review-{n}.pptx""#,
        ],
    ),
    habit(
        &VISIO,
        &EXPLORER,
        Who::Person,
        &[
            r#""C:\Program Files\Microsoft Office\root\Office16\VISIO.EXE" "C:\Users\{user}\Documents\network-{n}.vsdx""#,
        ],
    ),
    habit(
        &CSCRIPT,
        &TANIUM,
        Who::System,
        &[r#"cscript.exe //B //nologo "C:\Program Files (x86)\Tanium\Tanium Client\Tools\sensor-{n}.vbs""#],
    ),
];
