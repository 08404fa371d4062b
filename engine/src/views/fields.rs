//! The names that both directions need.

/// The channel of Sysmon.
pub const SYSMON: &str = "Microsoft-Windows-Sysmon/Operational";
/// The channel of the audit.
pub const SECURITY: &str = "Security";
/// The channel of services.
pub const SYSTEM: &str = "System";
/// The channel of PowerShell.
pub const POWERSHELL: &str = "Microsoft-Windows-PowerShell/Operational";

/// The type of a Falcon event.
pub const TYPE: &str = "event_simpleName";
/// The same as a tag.
pub const TAGGED_TYPE: &str = "#event_simpleName";
