//! Events at the edges of the two detections: letter case, lists that differ, operator precedence; and a control.

use super::atomics::{CONFIGURATION, MMC_EMBEDDED};
use super::step::What::{File, Start};
use super::step::*;
use crate::catalogue::programs::*;

const EXCEL_AUTOMATION: Actor =
    actor(&EXCEL, 5990, r#""C:\Program Files\Microsoft Office\root\Office16\EXCEL.EXE" /automation -Embedding"#);

pub(super) static STEPS: &[Step] = &[
    // Selecting ignores case, labelling does not, and Office writes its names in capitals.
    step(
        1022,
        480_000,
        "CTRL",
        "EXCEL.EXE in capitals starts cmd.exe",
        Start(actor(&CMD, 6000, "cmd.exe /c dir"), EXCEL_AUTOMATION),
    )
    .spl(OTHER)
    .logscale(SUSPICIOUS_CHILD),
    step(
        1023,
        481_000,
        "CTRL",
        "-ExecutionPolicy with dcomcnfg in small letters",
        Start(
            actor(&POWERSHELL, 6010, "powershell.exe -ExecutionPolicy Bypass -Command dcomcnfg"),
            actor(&EXPLORER, 3900, r"C:\Windows\Explorer.EXE").medium(),
        ),
    )
    .spl(OTHER)
    .logscale(COMMAND_LINE),
    step(
        1024,
        482_000,
        "CTRL",
        "-Exec with Invoke-DCOM",
        Start(
            actor(
                &POWERSHELL,
                6020,
                r#"powershell.exe -Exec Bypass -Command "Invoke-DCOM -ComputerName FS01 -Method MMC20.Application""#,
            ),
            actor(&EXPLORER, 3900, r"C:\Windows\Explorer.EXE").medium(),
        ),
    )
    .found(COMMAND_LINE),
    step(
        1025,
        483_000,
        "CTRL",
        "mmc.exe starts regsvr32.exe, a child only LogScale lists",
        Start(actor(&REGSVR32, 6030, "regsvr32 /s x.dll"), MMC_EMBEDDED),
    )
    .logscale(SUSPICIOUS_CHILD),
    step(
        1026,
        484_000,
        "CTRL",
        "VISIO.EXE starts cmd.exe, a parent only LogScale lists",
        Start(actor(&CMD, 6040, "cmd.exe /c dir"), actor(&VISIO, 6035, r#""VISIO.EXE""#)),
    )
    .logscale(SUSPICIOUS_CHILD),
    step(
        1027,
        485_000,
        "CTRL",
        "explorer.exe starts notepad.exe",
        Start(actor(&NOTEPAD, 6050, "notepad.exe"), ALICE_EXPLORER),
    ),
    step(
        1028,
        486_000,
        "CTRL",
        "the MMC20 command line with -ExecutionPolicy, caught by its file name",
        Start(
            actor(
                &POWERSHELL,
                6060,
                r#""powershell.exe" -ExecutionPolicy Bypass & {[activator]::CreateInstance([type]::GetTypeFromProgID(\"MMC20.Application\",\"127.0.0.1\")).Document.ActiveView.ExecuteShellCommand(\"cmd.exe\",$null,\"/c echo test > C:\Windows\Temp\dcom_test.txt\",\"7\")}"#,
            ),
            ALICE_POWERSHELL,
        ),
    )
    .spl(OTHER)
    .logscale(COMMAND_LINE),
    // Returned only by an engine that binds AND tighter than OR in a search.
    step(
        1029,
        487_000,
        "CTRL",
        "a file written by dcomcnfg.exe",
        File(CONFIGURATION, r"C:\Users\alice\AppData\Local\Temp\x.tmp"),
    ),
];
