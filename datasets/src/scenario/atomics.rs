//! The three tests of the published methodology, and the two public atomics of the technique.

use super::step::What::{Audit, Connect, File, Script, Start};
use super::step::*;
use crate::catalogue::programs::*;

const MMC20: Actor = actor(
    &POWERSHELL,
    4100,
    r#""powershell.exe" & {[activator]::CreateInstance([type]::GetTypeFromProgID(\"MMC20.Application\",\"127.0.0.1\")).Document.ActiveView.ExecuteShellCommand(\"cmd.exe\",$null,\"/c echo test > C:\Windows\Temp\dcom_test.txt\",\"7\")}"#,
);
pub(super) const MMC_EMBEDDED: Actor = actor(&MMC, 5200, r"C:\Windows\system32\mmc.exe -Embedding").at(SYSTEM_FOLDER);
const MMC_SHELL: Actor =
    actor(&CMD, 5308, r#""C:\Windows\System32\cmd.exe" /c echo test > C:\Windows\Temp\dcom_test.txt"#)
        .at(SYSTEM_FOLDER);

const PUBLISHED_MMC20: Actor = actor(
    &POWERSHELL,
    4400,
    r#""powershell.exe" & {[activator]::CreateInstance([type]::GetTypeFromProgID(\"MMC20.application\",\"localhost\")).Document.ActiveView.ExecuteShellCommand(\"c:\windows\system32\calc.exe\", $null, $null, \"7\")}"#,
);
const PUBLISHED_MMC: Actor = actor(&MMC, 5400, r"C:\Windows\system32\mmc.exe -Embedding").at(SYSTEM_FOLDER);

const PUBLISHED_EXCEL: Actor = actor(
    &POWERSHELL,
    4500,
    r#""powershell.exe" & {copy c:\windows\system32\calc.exe 'C:\users\admin\AppData\local\Microsoft\WindowsApps\foxprow.exe'
$com = [System.Activator]::CreateInstance([type]::GetTypeFromProgID(\"Excel.Application\",\"localhost\"))
$com.ActivateMicrosoftApp(\"5\")}"#,
);
const EXCEL_EMBEDDED: Actor =
    actor(&EXCEL, 5500, r#""C:\Program Files\Microsoft Office\root\Office16\EXCEL.EXE" /automation -Embedding"#)
        .at(SYSTEM_FOLDER);

const SHELL_WINDOWS: Actor = actor(
    &POWERSHELL,
    4600,
    r#""powershell.exe" & {[activator]::CreateInstance([type]::GetTypeFromCLSID(\"9BA05972-F6A8-11CF-A442-00A0C90A8F39\",\"127.0.0.1\")).item().Document.Application.ShellExecute(\"cmd.exe\",\"/c whoami\",\"C:\Windows\System32\",$null,0)}"#,
);
const WHOAMI_LINE: &str = r#""C:\Windows\System32\cmd.exe" /c whoami"#;

pub(super) const CONFIGURATION: Actor = actor(&DCOMCNFG, 4700, r#""C:\Windows\system32\dcomcnfg.exe""#);

const LOOPBACK: &str = "127.0.0.1";

pub(super) static STEPS: &[Step] = &[
    step(1000, 60_100, "T1", "1a powershell.exe with MMC20.Application", Start(MMC20, ALICE_POWERSHELL)),
    step(
        1001,
        60_300,
        "T1",
        "1a+ its script block",
        Script(
            MMC20,
            r#"[activator]::CreateInstance([type]::GetTypeFromProgID("MMC20.Application","127.0.0.1")).Document.ActiveView.ExecuteShellCommand("cmd.exe",$null,"/c echo test > C:\Windows\Temp\dcom_test.txt","7")"#,
        ),
    ),
    // The endpoint mapper is asked by the RPC service, the object's own port by the caller.
    step(
        1002,
        60_700,
        "T1",
        "1b connection to port 135",
        Connect(RPC_MAPPER, true, (LOOPBACK, 50101), (LOOPBACK, 135)),
    ),
    step(
        1003,
        60_750,
        "T1",
        "1b connection to a dynamic port",
        Connect(MMC20, true, (LOOPBACK, 50102), (LOOPBACK, 49669)),
    ),
    step(1004, 60_900, "T1", "1c- svchost.exe starts mmc.exe -Embedding", Start(MMC_EMBEDDED, DCOM_LAUNCH)),
    step(1005, 61_100, "T1", "1c mmc.exe starts cmd.exe", Start(MMC_SHELL, MMC_EMBEDDED)).found(SUSPICIOUS_CHILD),
    step(1006, 61_150, "T1", "1d file dcom_test.txt", File(MMC_SHELL, r"C:\Windows\Temp\dcom_test.txt")),
    step(1007, 61_160, "T1", "1c in the Security log", Audit(MMC_SHELL, MMC_EMBEDDED)),
    step(
        1008,
        180_100,
        "T1-published",
        "powershell.exe with MMC20.application",
        Start(PUBLISHED_MMC20, ALICE_POWERSHELL),
    ),
    step(1009, 180_900, "T1-published", "svchost.exe starts mmc.exe -Embedding", Start(PUBLISHED_MMC, DCOM_LAUNCH)),
    step(
        1010,
        181_200,
        "T1-published",
        "mmc.exe starts calc.exe",
        Start(actor(&CALC, 5420, r#""C:\Windows\System32\calc.exe" "#).at(SYSTEM_FOLDER), PUBLISHED_MMC),
    ),
    step(
        1011,
        240_100,
        "T2-published",
        "powershell.exe with Excel.Application",
        Start(PUBLISHED_EXCEL, ALICE_POWERSHELL),
    ),
    step(
        1012,
        241_000,
        "T2-published",
        "svchost.exe starts EXCEL.EXE /automation -Embedding",
        Start(EXCEL_EMBEDDED, DCOM_LAUNCH),
    ),
    step(
        1013,
        242_400,
        "T2-published",
        "EXCEL.EXE starts foxprow.exe",
        Start(actor(&FOXPROW, 5520, "foxprow.exe"), EXCEL_EMBEDDED),
    ),
    step(1014, 300_100, "T2", "2a powershell.exe with CLSID 9BA05972", Start(SHELL_WINDOWS, ALICE_POWERSHELL)),
    step(
        1015,
        300_300,
        "T2",
        "2a+ its script block",
        Script(
            SHELL_WINDOWS,
            r#"[activator]::CreateInstance([type]::GetTypeFromCLSID("9BA05972-F6A8-11CF-A442-00A0C90A8F39","127.0.0.1")).item().Document.Application.ShellExecute("cmd.exe","/c whoami","C:\Windows\System32",$null,0)"#,
        ),
    ),
    step(
        1016,
        300_700,
        "T2",
        "2b connection to port 135",
        Connect(RPC_MAPPER, true, (LOOPBACK, 50111), (LOOPBACK, 135)),
    ),
    step(
        1017,
        301_100,
        "T2",
        "2c explorer.exe starts cmd.exe",
        Start(actor(&CMD, 5608, WHOAMI_LINE).medium().at(r"C:\Windows\System32\"), ALICE_EXPLORER),
    ),
    step(
        1018,
        301_150,
        "T2",
        "2c alternatively svchost.exe starts cmd.exe",
        Start(actor(&CMD, 5612, WHOAMI_LINE).at(r"C:\Windows\System32\"), DCOM_LAUNCH),
    ),
    step(1019, 360_100, "T3", "3a dcomcnfg.exe", Start(CONFIGURATION, ALICE_POWERSHELL)).found(CONFIG_TOOL),
    step(1020, 360_120, "T3", "3b dcomcnfg.exe in the Security log", Audit(CONFIGURATION, ALICE_POWERSHELL)),
    step(
        1021,
        360_600,
        "T3",
        "3c dcomcnfg.exe starts mmc.exe",
        Start(actor(&MMC, 4720, r"C:\Windows\system32\mmc.exe C:\Windows\system32\comexp.msc"), CONFIGURATION),
    ),
];
