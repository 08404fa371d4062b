//! The first test between two hosts: what the caller and the target each see when MMC20 is driven over the network.

use super::step::What::{Connect, Logon, Privileges, Start};
use super::step::*;
use crate::catalogue::programs::*;

const TEST: &str = "T1-remote";
const SOURCE: &str = "172.18.39.5";
const TARGET: &str = "172.18.39.6";

const CALLER: Actor = actor(
    &POWERSHELL,
    8100,
    r#""powershell.exe" & {[activator]::CreateInstance([type]::GetTypeFromProgID(\"MMC20.Application\",\"FS01\")).Document.ActiveView.ExecuteShellCommand(\"cmd.exe\",$null,\"/c whoami > C:\Windows\Temp\who.txt\",\"7\")}"#,
);
const CONSOLE: Actor = actor(&MMC, 2976, r"C:\Windows\system32\mmc.exe -Embedding").at(SYSTEM_FOLDER);

pub(super) static STEPS: &[Step] = &[
    step(1200, 1_200_100, TEST, "source: powershell.exe with MMC20.Application", Start(CALLER, ALICE_POWERSHELL)),
    step(1201, 1_200_300, TEST, "source: to port 135", Connect(RPC_MAPPER, true, (SOURCE, 58405), (TARGET, 135))),
    step(1202, 1_200_310, TEST, "target: on port 135", Connect(RPC_MAPPER, false, (SOURCE, 58405), (TARGET, 135)))
        .on("FS01"),
    step(1203, 1_200_320, TEST, "target: network logon", Logon(SOURCE, 58405)).on("FS01"),
    step(1204, 1_200_321, TEST, "target: privileges of the logon", Privileges).on("FS01"),
    step(1205, 1_200_500, TEST, "target: svchost.exe starts mmc.exe -Embedding", Start(CONSOLE, DCOM_LAUNCH))
        .on("FS01"),
    step(
        1206,
        1_200_640,
        TEST,
        "source: to the console's port",
        Connect(CALLER, true, (SOURCE, 58406), (TARGET, 49913)),
    ),
    step(
        1207,
        1_200_650,
        TEST,
        "target: on the console's port",
        Connect(CONSOLE, false, (SOURCE, 58406), (TARGET, 49913)),
    )
    .on("FS01"),
    step(
        1208,
        1_200_900,
        TEST,
        "target: mmc.exe starts cmd.exe",
        Start(
            actor(&CMD, 3060, r#""C:\Windows\System32\cmd.exe" /c whoami > C:\Windows\Temp\who.txt"#).at(SYSTEM_FOLDER),
            CONSOLE,
        ),
    )
    .found(SUSPICIOUS_CHILD)
    .on("FS01"),
];
