//! The modules, files, registry values, names and scripts that processes touch.

/// A module that processes load.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Module {
    pub path: &'static str,
    pub description: &'static str,
    pub product: &'static str,
    pub company: &'static str,
    pub version: &'static str,
    pub signature: &'static str,
}

const fn windows(path: &'static str, description: &'static str) -> Module {
    Module {
        path,
        description,
        product: "Microsoft® Windows® Operating System",
        company: "Microsoft Corporation",
        version: "10.0.19041.3636 (WinBuild.160101.0800)",
        signature: "Microsoft Windows",
    }
}

/// Modules, most often loaded first.
pub(crate) static MODULES: &[Module] = &[
    windows(r"C:\Windows\System32\ntdll.dll", "NT Layer DLL"),
    windows(r"C:\Windows\System32\kernel32.dll", "Windows NT BASE API Client DLL"),
    windows(r"C:\Windows\System32\KernelBase.dll", "Windows NT BASE API Client DLL"),
    windows(r"C:\Windows\System32\msvcrt.dll", "Windows NT CRT DLL"),
    windows(r"C:\Windows\System32\rpcrt4.dll", "Remote Procedure Call Runtime"),
    windows(r"C:\Windows\System32\combase.dll", "Microsoft COM for Windows"),
    windows(r"C:\Windows\System32\ucrtbase.dll", "Microsoft® C Runtime Library"),
    windows(r"C:\Windows\System32\sechost.dll", "Host for SCM/SDDL/LSA Lookup APIs"),
    windows(r"C:\Windows\System32\advapi32.dll", "Advanced Windows 32 Base API"),
    windows(r"C:\Windows\System32\user32.dll", "Multi-User Windows USER API Client DLL"),
    windows(r"C:\Windows\System32\ole32.dll", "Microsoft OLE for Windows"),
    windows(r"C:\Windows\System32\oleaut32.dll", "OLEAUT32.DLL"),
    windows(r"C:\Windows\System32\shell32.dll", "Windows Shell Common Dll"),
    windows(r"C:\Windows\System32\ws2_32.dll", "Windows Socket 2.0 32-Bit DLL"),
    windows(r"C:\Windows\System32\bcrypt.dll", "Windows Cryptographic Primitives Library"),
    windows(r"C:\Windows\System32\crypt32.dll", "Crypto API32"),
    windows(r"C:\Windows\System32\dnsapi.dll", "DNS Client API DLL"),
    windows(r"C:\Windows\System32\winhttp.dll", "Windows HTTP Services"),
    windows(r"C:\Windows\System32\amsi.dll", "Anti-Malware Scan Interface"),
    windows(r"C:\Windows\System32\wbem\wbemprox.dll", "WMI"),
    windows(r"C:\Windows\System32\wbem\fastprox.dll", "WMI Custom Marshaller"),
    windows(r"C:\Windows\System32\taskschd.dll", "Task Scheduler COM API"),
    windows(r"C:\Windows\System32\samlib.dll", "SAM Library DLL"),
    windows(r"C:\Windows\System32\vaultcli.dll", "Credential Vault Client Library"),
    windows(r"C:\Windows\System32\dbghelp.dll", "Windows Image Helper"),
    Module {
        path: r"C:\Windows\Microsoft.NET\Framework64\v4.0.30319\clr.dll",
        description: "Microsoft .NET Runtime Common Language Runtime - WorkStation",
        product: "Microsoft® .NET Framework",
        company: "Microsoft Corporation",
        version: "4.8.4690.0 built by: NET48REL1LAST_C",
        signature: "Microsoft Corporation",
    },
    Module {
        path: r"C:\Program Files\Microsoft Office\root\vfs\ProgramFilesCommonX64\Microsoft Shared\VBA\VBA7.1\VBE7.DLL",
        description: "Visual Basic Design Time Environment",
        product: "Visual Basic Environment",
        company: "Microsoft Corporation",
        version: "7.01.1136",
        signature: "Microsoft Corporation",
    },
    Module {
        path: r"C:\Program Files\7-Zip\7-zip.dll",
        description: "7-Zip Shell Extension",
        product: "7-Zip",
        company: "Igor Pavlov",
        version: "23.01",
        signature: "Igor Pavlov",
    },
];

/// Files that are created; words in braces are filled in.
pub(crate) static FILES: &[&str] = &[
    r"C:\Users\{user}\AppData\Local\Temp\{guid}.tmp",
    r"C:\Users\{user}\AppData\Local\Google\Chrome\User Data\Default\Cache\Cache_Data\f_{hex}",
    r"C:\Windows\Prefetch\SVCHOST.EXE-{hex}.pf",
    r"C:\Users\{user}\AppData\Roaming\Microsoft\Windows\Recent\document-{n}.lnk",
    r"C:\Windows\Temp\{hex}.tmp",
    r"C:\Users\{user}\AppData\Local\Temp\__PSScriptPolicyTest_{hex}.ps1",
    r"C:\Users\{user}\Downloads\invoice-{n}.pdf",
    r"C:\ProgramData\Microsoft\Windows Defender\Scans\History\Service\DetectionHistory\{hex}",
    r"C:\Windows\SoftwareDistribution\Download\{hex}\package_{n}.cab",
    r"C:\Users\{user}\Documents\~$report-{n}.docx",
    r"C:\Users\{user}\OneDrive - Corp\Projects\plan-{n}.xlsx",
    r"C:\Windows\CCM\Logs\execmgr-{n}.log",
    r"C:\Users\{user}\AppData\Local\Microsoft\Edge\User Data\Default\Code Cache\js\{hex}_0",
    r"C:\Windows\System32\Tasks\Microsoft\Windows\UpdateOrchestrator\task-{n}",
    r"C:\inetpub\logs\LogFiles\W3SVC1\u_ex{n}.log",
    r"C:\Users\{user}\Desktop\setup-{n}.exe",
];

/// Registry keys that are created or deleted.
pub(crate) static KEYS: &[&str] = &[
    r"HKLM\System\CurrentControlSet\Services\Tcpip\Parameters\Interfaces\{{guid}}",
    r"HKU\S-1-5-21-2714103829-1930481102-884263109-{rid}\Software\Microsoft\Windows\CurrentVersion\Explorer\SessionInfo\{n}",
    r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Uninstall\{{guid}}",
    r"HKU\S-1-5-21-2714103829-1930481102-884263109-{rid}\Software\Microsoft\Office\16.0\Common\Identity",
    r"HKLM\SOFTWARE\Microsoft\SystemCertificates\Root\Certificates",
];

/// Registry values that are set, and what to.
pub(crate) static VALUES: &[(&str, &str)] = &[
    (
        r"HKLM\System\CurrentControlSet\Services\bam\State\UserSettings\S-1-5-21-2714103829-1930481102-884263109-{rid}\\Device\HarddiskVolume3\Windows\explorer.exe",
        "Binary Data",
    ),
    (
        r"HKU\S-1-5-21-2714103829-1930481102-884263109-{rid}\Software\Microsoft\Windows\CurrentVersion\Explorer\RecentDocs\MRUListEx",
        "Binary Data",
    ),
    (r"HKLM\System\CurrentControlSet\Services\W32Time\Config\LastKnownGoodTime", "QWORD (0x01daadc3-0x{hex})"),
    (
        r"HKLM\System\CurrentControlSet\Services\Tcpip\Parameters\Interfaces\{{guid}}\DhcpIPAddress",
        "10.20.{octet}.{octet}",
    ),
    (
        r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\WindowsUpdate\Auto Update\RequestedAppCategories\{guid}",
        "DWORD (0x00000001)",
    ),
    (
        r"HKU\S-1-5-21-2714103829-1930481102-884263109-{rid}\Software\Microsoft\Windows\CurrentVersion\Run\OneDrive",
        r#""C:\Program Files\Microsoft OneDrive\OneDrive.exe" /background"#,
    ),
    (
        r"HKLM\System\CurrentControlSet\Services\MpKsl{hex}\ImagePath",
        r"\??\C:\ProgramData\Microsoft\Windows Defender\Definition Updates\{guid}\MpKslDrv.sys",
    ),
    (
        r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Group Policy\State\Machine\Extension-List\{{guid}}\EndTimeLo",
        "DWORD (0x{hex})",
    ),
    (
        r"HKU\S-1-5-21-2714103829-1930481102-884263109-{rid}\Software\Microsoft\Office\16.0\Word\Reading Locations\Document {n}\Datetime",
        "2024-05-24T0{digit}:{digit}{digit}",
    ),
];

/// Names that are looked up, and the answer; `-` for none.
pub(crate) static NAMES: &[(&str, &str)] = &[
    ("dc01.corp.example", "::ffff:10.20.0.10;"),
    ("www.bing.com", "type:  5 www-www.bing.com.trafficmanager.net;::ffff:204.79.197.200;"),
    ("outlook.office365.com", "type:  5 ooc-g2.tm-4.office.com;::ffff:52.98.{octet}.{octet};"),
    ("login.microsoftonline.com", "type:  5 login.mso.msidentity.com;::ffff:20.190.{octet}.{octet};"),
    ("settings-win.data.microsoft.com", "::ffff:51.104.{octet}.{octet};"),
    ("clients4.google.com", "::ffff:142.250.{octet}.{octet};"),
    ("github.com", "::ffff:140.82.121.{octet};"),
    ("wpad.corp.example", "-"),
    ("fs01.corp.example", "::ffff:10.20.0.21;"),
    ("ctldl.windowsupdate.com", "type:  5 wu-b-net.trafficmanager.net;::ffff:93.184.{octet}.{octet};"),
    ("{hex}.cloudfront.example", "::ffff:13.32.{octet}.{octet};"),
    ("_ldap._tcp.dc._msdcs.corp.example", "type:  33 dc01.corp.example;::ffff:10.20.0.10;"),
    ("printer-{n}.corp.example", "-"),
];

/// Remote ends of connections: address, port, host name.
pub(crate) static PEERS: &[(&str, u16, &str)] = &[
    ("10.20.0.10", 53, "dc01.corp.example"),
    ("52.98.{octet}.{octet}", 443, "-"),
    ("10.20.0.10", 389, "dc01.corp.example"),
    ("10.20.0.10", 88, "dc01.corp.example"),
    ("142.250.{octet}.{octet}", 443, "-"),
    ("10.20.0.21", 445, "fs01.corp.example"),
    ("20.190.{octet}.{octet}", 443, "-"),
    ("10.20.0.10", 135, "dc01.corp.example"),
    ("10.20.0.10", 49668, "dc01.corp.example"),
    ("10.20.0.40", 8530, "wsus01.corp.example"),
    ("93.184.{octet}.{octet}", 80, "-"),
    ("10.20.{octet}.{octet}", 445, "-"),
    ("10.20.0.30", 3389, "-"),
    ("10.20.0.31", 5985, "-"),
];

/// How one process opens another: access mask and call trace.
pub(crate) static ACCESSES: &[(&str, &str)] = &[
    (
        "0x1000",
        r"C:\Windows\SYSTEM32\ntdll.dll+9d4c4|C:\Windows\System32\KERNELBASE.dll+2c13e|c:\windows\system32\lsm.dll+10e93|C:\Windows\System32\RPCRT4.dll+76953",
    ),
    (
        "0x1400",
        r"C:\Windows\SYSTEM32\ntdll.dll+9d4c4|C:\Windows\System32\KERNELBASE.dll+2c13e|C:\Windows\System32\wbem\cimwin32.dll+{hex}",
    ),
    (
        "0x1410",
        r"C:\Windows\SYSTEM32\ntdll.dll+9d4c4|C:\Windows\System32\KERNELBASE.dll+2c13e|C:\Windows\System32\psapi.dll+{digit}2a1|UNKNOWN({hex}{hex})",
    ),
    (
        "0x101000",
        r"C:\Windows\SYSTEM32\ntdll.dll+9d4c4|C:\Windows\System32\KERNELBASE.dll+2c13e|c:\program files\windows defender\mpsvc.dll+{hex}",
    ),
    (
        "0x1fffff",
        r"C:\Windows\SYSTEM32\ntdll.dll+9e664|C:\Windows\System32\KERNELBASE.dll+8e73|C:\Windows\System32\KERNEL32.DLL+1be93|C:\Windows\explorer.exe+{hex}",
    ),
    (
        "0x40",
        r"C:\Windows\SYSTEM32\ntdll.dll+9d4c4|C:\Windows\System32\KERNELBASE.dll+2c13e|c:\windows\system32\rpcss.dll+{hex}",
    ),
];

/// Script blocks and the file each comes from.
pub(crate) static SCRIPTS: &[(&str, &str)] = &[
    ("prompt", ""),
    ("{ Set-StrictMode -Version 1; $_.PSMessageDetails }", ""),
    ("Get-Service | Where-Object { $_.Status -eq 'Stopped' -and $_.StartType -eq 'Automatic' }", ""),
    (
        "$disk = Get-CimInstance Win32_LogicalDisk -Filter \"DriveType=3\"\n$free = [math]::Round($disk.FreeSpace / 1GB, 1)\nif ($free -lt {n}) { Write-EventLog -LogName Application -Source Inventory -EventId {n} -Message \"Low on space: $free GB\" }",
        r"C:\Scripts\Check-Disk.ps1",
    ),
    ("Import-Module ActiveDirectory; Get-ADUser -Filter \"SamAccountName -eq '{user}'\" -Properties LastLogonDate", ""),
    (
        "param([string]$Path = 'C:\\Logs')\nGet-ChildItem $Path -Recurse -File | Where-Object LastWriteTime -lt (Get-Date).AddDays(-{n}) | Remove-Item -WhatIf",
        r"C:\Scripts\Clear-Logs.ps1",
    ),
    (
        "Invoke-RestMethod -Uri \"https://inventory.corp.example/api/host/{guid}\" -Method Put -Body ($facts | ConvertTo-Json)",
        r"C:\ProgramData\Inventory\Send-Inventory.ps1",
    ),
    ("$global:?", ""),
    ("Test-Path -LiteralPath 'C:\\Users\\{user}\\AppData\\Local\\Temp\\{guid}'", ""),
    (
        "function Get-Uptime {\n    $os = Get-CimInstance Win32_OperatingSystem\n    (Get-Date) - $os.LastBootUpTime\n}",
        r"C:\Program Files\WindowsPowerShell\Modules\CorpTools\2.4.0\CorpTools.psm1",
    ),
    ("Get-MpComputerStatus | Select-Object AntivirusSignatureLastUpdated, RealTimeProtectionEnabled", ""),
    (
        "Get-WinEvent -FilterHashtable @{ LogName = 'System'; Level = 2; StartTime = (Get-Date).AddHours(-{digit}) } -ErrorAction SilentlyContinue",
        r"C:\Scripts\Report-Errors.ps1",
    ),
];

/// Files whose opening is audited.
pub(crate) static AUDITED: &[&str] = &[
    r"C:\Shares\Finance\Budget-{n}.xlsx",
    r"C:\Shares\HR\Contracts\{user}-{n}.pdf",
    r"C:\Windows\System32\config\SAM",
    r"C:\Shares\Public\notice-{n}.docx",
    r"C:\Users\{user}\AppData\Local\Google\Chrome\User Data\Default\Login Data",
];

/// Services that start and stop by themselves.
pub(crate) static SERVICES: &[&str] = &[
    "Windows Modules Installer",
    "WMI Performance Adapter",
    "Background Intelligent Transfer Service",
    "Windows Update",
    "Software Protection",
    "Network Setup Service",
    "Application Experience",
    "Microsoft Defender Antivirus Network Inspection Service",
];

/// Services that are installed: name and binary.
pub(crate) static INSTALLED: &[(&str, &str)] = &[
    ("MpKsl{hex}", r"C:\ProgramData\Microsoft\Windows Defender\Definition Updates\{guid}\MpKslDrv.sys"),
    (
        "Google Updater Internal Service {n}",
        r#""C:\Program Files (x86)\Google\GoogleUpdater\124.0.6342.2\updater.exe" --system --windows-service --service=update-internal"#,
    ),
    (
        "Microsoft Edge Elevation Service",
        r#""C:\Program Files (x86)\Microsoft\Edge\Application\124.0.2478.97\elevation_service.exe""#,
    ),
];
