//! Everyday activity that the published documents list as false positives. Some of it is returned, some is not: both
//! are worth knowing when a detection is tuned.

use super::step::What::{File, Script, Start};
use super::step::*;
use crate::catalogue::programs::*;

const FP: &str = "FP";

const BUILD: &str = "BUILD01";
const CHECK_DCOM: Actor = actor(
    &POWERSHELL,
    7000,
    r"powershell.exe -NoProfile -ExecutionPolicy RemoteSigned -File C:\Scripts\Test-DcomReachability.ps1 -ComputerName FS01",
);
const SCHEDULER: Actor = actor(&SVCHOST, 1412, r"C:\Windows\system32\svchost.exe -k netsvcs -p -s Schedule")
    .service(LOCAL_SYSTEM)
    .at(SYSTEM_FOLDER);
const WORKBOOK: Actor = actor(
    &EXCEL,
    7100,
    r#""C:\Program Files\Microsoft Office\root\Office16\EXCEL.EXE" "C:\Users\alice\Documents\month-end.xlsm""#,
)
.medium();
const LETTER: Actor = actor(
    &WINWORD,
    7130,
    r#""C:\Program Files\Microsoft Office\root\Office16\WINWORD.EXE" /n "C:\Users\alice\Documents\offer.docm""#,
)
.medium();
const MAIL: Actor = actor(&OUTLOOK, 7150, r#""C:\Program Files\Microsoft Office\root\Office16\OUTLOOK.EXE""#).medium();
const CONSOLE: Actor =
    actor(&MMC, 7200, r#""C:\Windows\system32\mmc.exe" "C:\Windows\system32\compmgmt.msc" /s"#).at(SYSTEM_FOLDER);
const STUDIO: Actor =
    actor(&DEVENV, 7300, r#""C:\Program Files\Microsoft Visual Studio\2022\Professional\Common7\IDE\devenv.exe" C:\src\OrderServer\OrderServer.sln"#)
        .medium();
const PROBE: Actor = actor(&MONITOR, 7400, r#""C:\Program Files (x86)\PRTG Network Monitor\PRTG Probe.exe""#)
    .service(LOCAL_SYSTEM)
    .at(SYSTEM_FOLDER);
const RESPONDER: Actor =
    actor(&FALCON_RTR, 7500, r#""C:\Windows\System32\drivers\CrowdStrike\18408\CSFalconContainer.exe""#)
        .service(LOCAL_SYSTEM)
        .at(SYSTEM_FOLDER);
const PATCHER: Actor = actor(&TANIUM, 7600, r#""C:\Program Files (x86)\Tanium\Tanium Client\TaniumClient.exe" -d"#)
    .service(LOCAL_SYSTEM)
    .at(SYSTEM_FOLDER);
const FIXLETS: Actor = actor(&BIGFIX, 7640, r#""C:\Program Files (x86)\BigFix Enterprise\BES Client\BESClient.exe""#)
    .service(LOCAL_SYSTEM)
    .at(SYSTEM_FOLDER);
const PATCH_CONSOLE: Actor =
    actor(&MMC, 7620, r"C:\Windows\system32\mmc.exe -Embedding").service(LOCAL_SYSTEM).at(SYSTEM_FOLDER);
const PIPELINE: Actor = actor(&BUILD_AGENT, 7800, r#""C:\agent\bin\Agent.Worker.exe" spawnclient 1124 1136"#)
    .by(BUILDER)
    .at(r"C:\agent\_work\7\s\");
const TEST_EXCEL: Actor =
    actor(&EXCEL, 7820, r#""C:\Program Files\Microsoft Office\root\Office16\EXCEL.EXE" /automation -Embedding"#)
        .by(BUILDER)
        .at(SYSTEM_FOLDER);

pub(super) static STEPS: &[Step] = &[
    // Administrative scripts that use DCOM or WMI
    step(1100, 600_000, FP, "administration: a scheduled reachability check of DCOM", Start(CHECK_DCOM, SCHEDULER)).spl(OTHER).logscale(COMMAND_LINE),
    step(
        1101,
        600_400,
        FP,
        "administration: the script block of that check",
        Script(CHECK_DCOM, r"Get-CimInstance -ClassName Win32_OperatingSystem -CimSession (New-CimSession -ComputerName $ComputerName -SessionOption (New-CimSessionOption -Protocol Dcom))"),
    ),
    step(
        1102,
        602_000,
        FP,
        "administration: inventory over WMI with a DCOM session",
        Start(
            actor(&POWERSHELL, 7010, r#"powershell.exe -ExecutionPolicy Bypass -Command "New-CimSession -ComputerName FS01 -SessionOption (New-CimSessionOption -Protocol DCOM)""#),
            ALICE_POWERSHELL,
        ),
    )
    .found(COMMAND_LINE),
    step(
        1103,
        604_000,
        FP,
        "administration: reading the machine's DCOM switch",
        Start(actor(&REG, 7014, r"reg  query HKLM\SOFTWARE\Microsoft\Ole /v EnableDCOM"), ALICE_POWERSHELL),
    ),
    // Office and its macros
    step(
        1110,
        660_000,
        FP,
        "Office: a macro copies the finished workbook",
        Start(actor(&CMD, 7110, r#"cmd.exe /c copy /y "C:\Users\alice\Documents\month-end.xlsm" \\fs01\finance\"#).medium(), WORKBOOK),
    )
    .spl(OTHER)
    .logscale(SUSPICIOUS_CHILD),
    step(
        1111,
        661_500,
        FP,
        "Office: a macro fetches exchange rates with PowerShell",
        Start(actor(&POWERSHELL, 7114, r"powershell.exe -NoProfile -File \\fs01\finance\tools\Get-Rates.ps1").medium(), WORKBOOK),
    )
    .spl(OTHER)
    .logscale(SUSPICIOUS_CHILD),
    step(
        1112,
        663_000,
        FP,
        "Office: a letter template runs a script",
        Start(actor(&WSCRIPT, 7134, r#""C:\Windows\System32\wscript.exe" \\fs01\templates\letterhead.vbs"#).medium(), LETTER),
    )
    .spl(OTHER)
    .logscale(SUSPICIOUS_CHILD),
    step(
        1113,
        664_500,
        FP,
        "Office: Outlook opens a control panel page",
        Start(actor(&RUNDLL32, 7154, r#"rundll32.exe shell32.dll,Control_RunDLL "mlcfg32.cpl""#).medium(), MAIL),
    )
    .spl(OTHER)
    .logscale(SUSPICIOUS_CHILD),
    step(
        1114,
        665_000,
        FP,
        "Office: Excel starts the print host",
        Start(actor(&SPLWOW64, 7118, r"C:\Windows\splwow64.exe 8192").medium(), WORKBOOK),
    ),
    // Snap-ins of the management console
    step(
        1120,
        720_000,
        FP,
        "snap-in: a prompt from Computer Management",
        Start(actor(&CMD, 7210, r#""C:\Windows\System32\cmd.exe" /k cd /d C:\Windows\Logs"#).at(SYSTEM_FOLDER), CONSOLE),
    )
    .found(SUSPICIOUS_CHILD),
    step(
        1121,
        722_000,
        FP,
        "snap-in: Exchange tools open a shell",
        Start(actor(&POWERSHELL, 7214, r"C:\Windows\System32\WindowsPowerShell\v1.0\powershell.exe -noexit -command Get-Service").at(SYSTEM_FOLDER), CONSOLE),
    )
    .found(SUSPICIOUS_CHILD),
    step(
        1122,
        723_000,
        FP,
        "snap-in: a property page through rundll32.exe",
        Start(actor(&RUNDLL32, 7218, r#""C:\Windows\system32\rundll32.exe" devmgr.dll,DeviceProperties_RunDLL /DeviceID root\system\0000"#).at(SYSTEM_FOLDER), CONSOLE),
    )
    .found(SUSPICIOUS_CHILD),
    step(
        1123,
        724_000,
        FP,
        "snap-in: a log opened in Notepad",
        Start(actor(&NOTEPAD, 7222, r"notepad.exe C:\Windows\Logs\CBS\CBS.log").at(SYSTEM_FOLDER), CONSOLE),
    ),
    // Developers of DCOM applications
    step(
        1130,
        780_000,
        FP,
        "development: dcomcnfg.exe from Visual Studio's menu",
        Start(actor(&DCOMCNFG, 7310, r#""C:\Windows\system32\dcomcnfg.exe""#), STUDIO),
    )
    .found(CONFIG_TOOL),
    step(
        1131,
        782_000,
        FP,
        "development: registering the server under test",
        Start(actor(&REGSVR32, 7314, r"regsvr32 /s C:\src\OrderServer\Debug\OrderProxy.dll"), STUDIO),
    ),
    step(
        1132,
        784_000,
        FP,
        "development: running the tests of a DCOM server",
        Start(actor(&POWERSHELL, 7318, r"powershell.exe -ExecutionPolicy Bypass -File C:\src\OrderServer\tests\Run-DCOMTests.ps1").medium(), STUDIO),
    )
    .found(COMMAND_LINE),
    // Monitoring
    // The provider's name ends in `dCOM`, which is enough for a search that ignores case.
    step(
        1140,
        840_000,
        FP,
        "monitoring: a probe asks for errors of DistributedCOM",
        Start(actor(&POWERSHELL, 7410, r#"powershell.exe -NonInteractive -ExecutionPolicy Bypass -Command "Get-WinEvent -FilterHashtable @{LogName='System';ProviderName='Microsoft-Windows-DistributedCOM'}""#).service(LOCAL_SYSTEM), PROBE),
    )
    .spl(OTHER)
    .logscale(COMMAND_LINE),
    step(
        1141,
        842_000,
        FP,
        "monitoring: a sensor script named after DCOM",
        Start(actor(&POWERSHELL, 7414, r#"powershell.exe -NonInteractive -ExecutionPolicy Bypass -File "C:\Program Files (x86)\PRTG Network Monitor\Custom Sensors\dcom-latency.ps1""#).service(LOCAL_SYSTEM), PROBE),
    )
    .spl(OTHER)
    .logscale(COMMAND_LINE),
    step(
        1142,
        843_000,
        FP,
        "monitoring: a performance query through cscript.exe",
        Start(actor(&CSCRIPT, 7418, r"cscript.exe //nologo C:\Monitoring\wmi-perf.vbs FS01").service(LOCAL_SYSTEM), PROBE),
    ),
    // Live response
    step(
        1150,
        900_000,
        FP,
        "response: an analyst's shell on the host",
        Start(actor(&POWERSHELL, 7510, "powershell.exe -NoProfile -Command -").service(LOCAL_SYSTEM), RESPONDER),
    ),
    step(
        1151,
        902_000,
        FP,
        "response: a shell under the Excel instance that is examined",
        Start(actor(&CMD, 7514, "cmd.exe /c tasklist /v").medium(), WORKBOOK),
    )
    .spl(OTHER)
    .logscale(SUSPICIOUS_CHILD),
    // Patch management
    step(1160, 960_000, FP, "patching: the console started for automation", Start(PATCH_CONSOLE, DCOM_LAUNCH)),
    step(
        1161,
        961_000,
        FP,
        "patching: a remediation step under that console",
        Start(actor(&CMD, 7624, r"cmd.exe /c C:\ProgramData\Tanium\remediate.cmd").service(LOCAL_SYSTEM).at(SYSTEM_FOLDER), PATCH_CONSOLE),
    )
    .found(SUSPICIOUS_CHILD),
    step(
        1162,
        962_000,
        FP,
        "patching: the client's own script",
        Start(actor(&CSCRIPT, 7628, r#"cscript.exe //B "C:\Program Files (x86)\Tanium\Tanium Client\Tools\patch-scan.vbs""#).service(LOCAL_SYSTEM).at(SYSTEM_FOLDER), PATCHER),
    ),
    step(
        1163,
        963_000,
        FP,
        "patching: importing a certificate under the console",
        Start(actor(&CERTUTIL, 7632, r"certutil -addstore Root C:\ProgramData\BigFix\root-ca.cer").service(LOCAL_SYSTEM).at(SYSTEM_FOLDER), PATCH_CONSOLE),
    )
    .logscale(SUSPICIOUS_CHILD),
    step(
        1164,
        964_000,
        FP,
        "patching: a BigFix action that sets DCOM permissions",
        Start(actor(&POWERSHELL, 7644, r"powershell.exe -ExecutionPolicy Bypass -File __BESData\actionsite\Set-DCOMPermission.ps1").service(LOCAL_SYSTEM), FIXLETS),
    )
    .found(COMMAND_LINE),
    // Hardening with dcomcnfg
    step(
        1170,
        1_020_000,
        FP,
        "hardening: an administrator opens dcomcnfg.exe",
        Start(actor(&DCOMCNFG, 7710, r#""C:\Windows\system32\dcomcnfg.exe""#), actor(&EXPLORER, 7702, r"C:\Windows\Explorer.EXE").medium()),
    )
    .found(CONFIG_TOOL)
    .on("FS01"),
    step(
        1171,
        1_020_500,
        FP,
        "hardening: the console that dcomcnfg.exe opens",
        Start(actor(&MMC, 7714, r"C:\Windows\system32\mmc.exe C:\Windows\system32\comexp.msc"), actor(&DCOMCNFG, 7710, r#""C:\Windows\system32\dcomcnfg.exe""#)),
    )
    .on("FS01"),
    step(
        1172,
        1_022_000,
        FP,
        "hardening: dcomcnfg.exe of the 32-bit view, for a benchmark",
        Start(actor(&DCOMCNFG, 7718, r#""C:\Windows\system32\dcomcnfg.exe" -32"#), actor(&CMD, 7706, r"C:\Windows\system32\cmd.exe")),
    )
    .found(CONFIG_TOOL)
    .on("FS01"),
    // Build agents that drive Excel
    step(1180, 1_080_000, FP, "build: Excel started for automation", Start(TEST_EXCEL, DCOM_LAUNCH)).on(BUILD),
    step(
        1181,
        1_081_000,
        FP,
        "build: a helper under that Excel",
        Start(actor(&CMD, 7824, r"cmd.exe /d /c C:\agent\_work\7\s\tools\compare-sheets.cmd").by(BUILDER), TEST_EXCEL),
    )
    .spl(OTHER)
    .logscale(SUSPICIOUS_CHILD)
    .on(BUILD),
    step(
        1182,
        1_081_500,
        FP,
        "build: a helper script under that Excel",
        Start(actor(&CSCRIPT, 7828, r"cscript.exe //nologo C:\agent\_work\7\s\tools\export.vbs").by(BUILDER), TEST_EXCEL),
    )
    .spl(OTHER)
    .logscale(SUSPICIOUS_CHILD)
    .on(BUILD),
    step(
        1183,
        1_082_000,
        FP,
        "build: a step of the agent itself",
        Start(actor(&POWERSHELL, 7804, r#""powershell.exe" -NoLogo -NonInteractive -ExecutionPolicy Unrestricted -Command ". 'C:\agent\_work\_temp\91d2.ps1'""#).by(BUILDER), PIPELINE),
    )
    .on(BUILD),
    step(1184, 1_083_000, FP, "build: the sheet that was checked", File(TEST_EXCEL, r"C:\agent\_work\7\s\out\report.xlsx")).on(BUILD),
];
