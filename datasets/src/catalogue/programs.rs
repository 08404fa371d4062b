//! Executables, with the version information that Sysmon reads from their resources.

/// An executable file.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Program {
    pub image: &'static str,
    pub original_name: &'static str,
    pub description: &'static str,
    pub product: &'static str,
    pub company: &'static str,
    pub version: &'static str,
}

impl Program {
    /// Sysmon's `Hashes`, made up from the path: the same file has the same hashes everywhere.
    pub fn hashes(&self) -> String {
        hashes(self.image)
    }
}

/// Made-up but stable hashes of the file at `path`.
pub(crate) fn hashes(path: &str) -> String {
    // FNV-1a for the state, SplitMix64 for the digits.
    let mut state = path.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte.to_ascii_lowercase())).wrapping_mul(0x0100_0000_01b3)
    });
    let mut text = String::with_capacity(160);
    for (name, words) in [("MD5=", 2), (",SHA256=", 4), (",IMPHASH=", 2)] {
        text.push_str(name);
        for _ in 0..words {
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut word = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            word ^= word >> 31;
            for shift in (0..64).step_by(4).rev() {
                text.push(char::from(b"0123456789ABCDEF"[(word >> shift & 15) as usize]));
            }
        }
    }
    text
}

const fn windows(image: &'static str, original_name: &'static str, description: &'static str) -> Program {
    Program {
        image,
        original_name,
        description,
        product: "Microsoft® Windows® Operating System",
        company: "Microsoft Corporation",
        version: "10.0.19041.3636 (WinBuild.160101.0800)",
    }
}

const fn office(image: &'static str, original_name: &'static str, description: &'static str) -> Program {
    Program {
        image,
        original_name,
        description,
        product: "Microsoft Office",
        company: "Microsoft Corporation",
        version: "16.0.17328.20184",
    }
}

const fn other(
    image: &'static str,
    description: &'static str,
    product: &'static str,
    company: &'static str,
    version: &'static str,
) -> Program {
    Program { image, original_name: "-", description, product, company, version }
}

macro_rules! programs {
    ($($name:ident = $value:expr;)*) => { $(pub(crate) static $name: Program = $value;)* };
}

programs! {
    // The core of Windows
    SYSTEM = Program { image: "System", original_name: "-", description: "-", product: "-", company: "-", version: "-" };
    WININIT = windows(r"C:\Windows\System32\wininit.exe", "WinInit.exe", "Windows Start-Up Application");
    WINLOGON = windows(r"C:\Windows\System32\winlogon.exe", "WINLOGON.EXE", "Windows Logon Application");
    USERINIT = windows(r"C:\Windows\System32\userinit.exe", "USERINIT.EXE", "Userinit Logon Application");
    SERVICES = windows(r"C:\Windows\System32\services.exe", "services.exe", "Services and Controller app");
    LSASS = windows(r"C:\Windows\System32\lsass.exe", "lsass.exe", "Local Security Authority Process");
    SVCHOST = windows(r"C:\Windows\System32\svchost.exe", "svchost.exe", "Host Process for Windows Services");
    EXPLORER = windows(r"C:\Windows\explorer.exe", "EXPLORER.EXE", "Windows Explorer");
    CONHOST = windows(r"C:\Windows\System32\conhost.exe", "CONHOST.EXE", "Console Window Host");
    DLLHOST = windows(r"C:\Windows\System32\dllhost.exe", "dllhost.exe", "COM Surrogate");
    RUNTIME_BROKER = windows(r"C:\Windows\System32\RuntimeBroker.exe", "RuntimeBroker.exe", "Runtime Broker");
    BACKGROUND_TASK = windows(r"C:\Windows\System32\backgroundTaskHost.exe", "backgroundTaskHost.exe", "Background Task Host");
    TASKHOST = windows(r"C:\Windows\System32\taskhostw.exe", "taskhostw.exe", "Host Process for Windows Tasks");
    WMI_HOST = windows(r"C:\Windows\System32\wbem\WmiPrvSE.exe", "Wmiprvse.exe", "WMI Provider Host");
    SEARCH_PROTOCOL = windows(r"C:\Windows\System32\SearchProtocolHost.exe", "SearchProtocolHost.exe", "Microsoft Windows Search Protocol Host");
    SPOOLER = windows(r"C:\Windows\System32\spoolsv.exe", "spoolsv.exe", "Spooler SubSystem App");
    SPLWOW64 = windows(r"C:\Windows\splwow64.exe", "splwow64.exe", "Print driver host for applications");
    CONSENT = windows(r"C:\Windows\System32\consent.exe", "consent.exe", "Consent UI for administrative applications");
    MSIEXEC = windows(r"C:\Windows\System32\msiexec.exe", "msiexec.exe", "Windows® installer");
    TIWORKER = windows(r"C:\Windows\WinSxS\amd64_microsoft-windows-servicingstack_31bf3856ad364e35_10.0.19041.3745_none_7ded3f327ca60a41\TiWorker.exe", "TiWorker.exe", "Windows Modules Installer Worker");
    GPSCRIPT = windows(r"C:\Windows\System32\gpscript.exe", "GPSCRIPT.EXE", "Group Policy Script Application");
    GPUPDATE = windows(r"C:\Windows\System32\gpupdate.exe", "GPUpdate.exe", "Microsoft® Group Policy Update Utility");

    // Shells, script hosts and console tools
    POWERSHELL = windows(r"C:\Windows\System32\WindowsPowerShell\v1.0\powershell.exe", "PowerShell.EXE", "Windows PowerShell");
    CMD = windows(r"C:\Windows\System32\cmd.exe", "Cmd.Exe", "Windows Command Processor");
    WSCRIPT = windows(r"C:\Windows\System32\wscript.exe", "wscript.exe", "Microsoft ® Windows Based Script Host");
    CSCRIPT = windows(r"C:\Windows\System32\cscript.exe", "cscript.exe", "Microsoft ® Console Based Script Host");
    MSHTA = windows(r"C:\Windows\System32\mshta.exe", "MSHTA.EXE", "Microsoft (R) HTML Application host");
    RUNDLL32 = windows(r"C:\Windows\System32\rundll32.exe", "RUNDLL32.EXE", "Windows host process (Rundll32)");
    REGSVR32 = windows(r"C:\Windows\System32\regsvr32.exe", "REGSVR32.EXE", "Microsoft(C) Register Server");
    CERTUTIL = windows(r"C:\Windows\System32\certutil.exe", "CertUtil.exe", "CertUtil.exe");
    REG = windows(r"C:\Windows\System32\reg.exe", "reg.exe", "Registry Console Tool");
    NET = windows(r"C:\Windows\System32\net.exe", "net.exe", "Net Command");
    SC = windows(r"C:\Windows\System32\sc.exe", "sc.exe", "Service Control Manager Configuration Tool");
    SCHTASKS = windows(r"C:\Windows\System32\schtasks.exe", "schtasks.exe", "Task Scheduler Configuration Tool");
    IPCONFIG = windows(r"C:\Windows\System32\ipconfig.exe", "ipconfig.exe", "IP Configuration Utility");
    TASKLIST = windows(r"C:\Windows\System32\tasklist.exe", "tasklist.exe", "Lists the current running tasks");
    WHOAMI = windows(r"C:\Windows\System32\whoami.exe", "whoami.exe", "whoami - displays logged on user information");
    PING = windows(r"C:\Windows\System32\PING.EXE", "ping.exe", "TCP/IP Ping Command");
    NSLOOKUP = windows(r"C:\Windows\System32\nslookup.exe", "nslookup.exe", "nslookup");
    WEVTUTIL = windows(r"C:\Windows\System32\wevtutil.exe", "wevtutil.exe", "Eventing Command Line Utility");
    ROBOCOPY = windows(r"C:\Windows\System32\Robocopy.exe", "robocopy.exe", "Microsoft Robocopy");

    // Administration and accessories
    MMC = windows(r"C:\Windows\System32\mmc.exe", "mmc.exe", "Microsoft Management Console");
    DCOMCNFG = windows(r"C:\Windows\System32\dcomcnfg.exe", "dcomcnfg.exe", "COM+");
    CALC = windows(r"C:\Windows\System32\calc.exe", "CALC.EXE", "Windows Calculator");
    FOXPROW = windows(r"C:\Users\admin\AppData\Local\Microsoft\WindowsApps\foxprow.exe", "CALC.EXE", "Windows Calculator");
    NOTEPAD = windows(r"C:\Windows\System32\notepad.exe", "NOTEPAD.EXE", "Notepad");
    TASKMGR = windows(r"C:\Windows\System32\Taskmgr.exe", "Taskmgr.exe", "Task Manager");
    MSTSC = windows(r"C:\Windows\System32\mstsc.exe", "mstsc.exe", "Remote Desktop Connection");

    // Office
    EXCEL = office(r"C:\Program Files\Microsoft Office\root\Office16\EXCEL.EXE", "Excel.exe", "Microsoft Excel");
    WINWORD = office(r"C:\Program Files\Microsoft Office\root\Office16\WINWORD.EXE", "WinWord.exe", "Microsoft Word");
    OUTLOOK = office(r"C:\Program Files\Microsoft Office\root\Office16\OUTLOOK.EXE", "Outlook.exe", "Microsoft Outlook");
    POWERPOINT = office(r"C:\Program Files\Microsoft Office\root\Office16\POWERPNT.EXE", "POWERPNT.EXE", "Microsoft PowerPoint");
    VISIO = office(r"C:\Program Files\Microsoft Office\root\Office16\VISIO.EXE", "Visio.exe", "Microsoft Visio");

    // Everything else
    EDGE = other(r"C:\Program Files (x86)\Microsoft\Edge\Application\msedge.exe", "Microsoft Edge", "Microsoft Edge", "Microsoft Corporation", "124.0.2478.97");
    CHROME = other(r"C:\Program Files\Google\Chrome\Application\chrome.exe", "Google Chrome", "Google Chrome", "Google LLC", "124.0.6367.119");
    ONEDRIVE = other(r"C:\Program Files\Microsoft OneDrive\OneDrive.exe", "Microsoft OneDrive", "Microsoft OneDrive", "Microsoft Corporation", "24.076.0414.0005");
    TEAMS = other(r"C:\Program Files\WindowsApps\MSTeams_24091.214.2846.1452_x64__8wekyb3d8bbwe\ms-teams.exe", "Microsoft Teams", "Microsoft Teams", "Microsoft", "24091.214.2846.1452");
    DEFENDER = other(r"C:\ProgramData\Microsoft\Windows Defender\Platform\4.18.24040.4-0\MsMpEng.exe", "Antimalware Service Executable", "Microsoft® Windows® Operating System", "Microsoft Corporation", "4.18.24040.4");
    DEFENDER_RUN = other(r"C:\ProgramData\Microsoft\Windows Defender\Platform\4.18.24040.4-0\MpCmdRun.exe", "Microsoft Malware Protection Command Line Utility", "Microsoft® Windows® Operating System", "Microsoft Corporation", "4.18.24040.4");
    CCMEXEC = other(r"C:\Windows\CCM\CcmExec.exe", "Host Process for Microsoft Configuration Manager", "Microsoft Configuration Manager", "Microsoft Corporation", "5.00.9122.1000");
    TANIUM = other(r"C:\Program Files (x86)\Tanium\Tanium Client\TaniumClient.exe", "Tanium Client", "Tanium Client", "Tanium Inc.", "7.6.4.2160");
    BIGFIX = other(r"C:\Program Files (x86)\BigFix Enterprise\BES Client\BESClient.exe", "BigFix Client", "BigFix", "HCL Technologies Limited", "11.0.1.104");
    FALCON = other(r"C:\Program Files\CrowdStrike\CSFalconService.exe", "CrowdStrike Falcon Sensor Service", "CrowdStrike Falcon Sensor", "CrowdStrike, Inc.", "7.14.18408.0");
    FALCON_RTR = other(r"C:\Windows\System32\drivers\CrowdStrike\18408\CSFalconContainer.exe", "CrowdStrike Falcon Sensor", "CrowdStrike Falcon Sensor", "CrowdStrike, Inc.", "7.14.18408.0");
    BUILD_AGENT = other(r"C:\agent\bin\Agent.Worker.exe", "Agent.Worker", "Agent.Worker", "Microsoft Corporation", "3.238.0");
    MONITOR = other(r"C:\Program Files (x86)\PRTG Network Monitor\PRTG Probe.exe", "PRTG Probe", "PRTG Network Monitor", "Paessler AG", "24.1.92.1554");
    GIT = other(r"C:\Program Files\Git\cmd\git.exe", "Git for Windows", "Git", "The Git Development Community", "2.44.0.1");
    CODE = other(r"C:\Program Files\Microsoft VS Code\Code.exe", "Visual Studio Code", "Visual Studio Code", "Microsoft Corporation", "1.89.1");
    DEVENV = other(r"C:\Program Files\Microsoft Visual Studio\2022\Professional\Common7\IDE\devenv.exe", "Microsoft Visual Studio 2022", "Microsoft® Visual Studio®", "Microsoft Corporation", "17.9.34728.123");
    PYTHON = other(r"C:\Program Files\Python312\python.exe", "Python", "Python", "Python Software Foundation", "3.12.3");
    SEVEN_ZIP = other(r"C:\Program Files\7-Zip\7zG.exe", "7-Zip GUI", "7-Zip", "Igor Pavlov", "23.01");
}
