//! Saved queries that published ones call and that the vendor installs: what they do as far as it needs none of the
//! vendor's data.

use std::fmt::Write as _;

use crate::knowledge::queries::slashed;

/// What stands for a query that is not given.
pub enum Published {
    /// Its text.
    Query(String),
    /// Nothing; what it would have done.
    Nothing(&'static str),
}

const NAMES: &str = "it looks names up in data that only the vendor has";
const LINKS: &str = "it makes links to the vendor's console";

/// The queries that do nothing here.
const WITHOUT_EFFECT: &[(&str, &str)] = &[
    ("crowdstrike/fltr-core/zComputerName", NAMES),
    ("crowdstrike/fltr-core/zUserName", NAMES),
    ("crowdstrike/fltr-core/zUrlFalconAid", LINKS),
    ("crowdstrike/fltr-core/zUrlFalconPid", LINKS),
    ("crowdstrike/fltr-core/zUrlShodan", LINKS),
    ("crowdstrike/fltr-core/zUrlVTHA", LINKS),
    ("crowdstrike/fltr-run/ComputerName", NAMES),
    ("crowdstrike/fltr-run/UserName", NAMES),
    ("falcon/investigate/usersid_username_win", NAMES),
    ("zComputerName", NAMES),
    ("zUserName", NAMES),
    ("zUrlFalconAid", LINKS),
    ("zUrlFalconPid", LINKS),
    ("zUrlShodan", LINKS),
    ("zUrlVTHA", LINKS),
];

/// What stands for the query of that name, called for that field.
///
/// # Errors
/// Why it cannot be said for this field.
pub fn find(name: &str, field: Option<&str>) -> Option<Result<Published, String>> {
    let name = slashed(name);
    if name == "falcon/helper/enrich" {
        return Some(enrich(field));
    }
    let (_, reason) = WITHOUT_EFFECT.iter().find(|(known, _)| *known == name)?;
    Some(Ok(Published::Nothing(reason)))
}

/// The codes of a field become names.
fn enrich(field: Option<&str>) -> Result<Published, String> {
    let Some(field) = field else { return Err("it needs the argument `field`".to_owned()) };
    let Some((_, codes)) = CODES.iter().find(|(known, _)| *known == field) else {
        let known: Vec<&str> = CODES.iter().map(|(name, _)| *name).collect();
        return Err(format!(
            "there are no names for the codes of {field:?} here, but for those of {}",
            known.join(", ")
        ));
    };
    let mut text = format!("{field} match {{ ");
    for (code, name) in *codes {
        let _ = write!(text, "\"{code}\" => {field} := \"{name}\"; ");
    }
    text.push_str("* => *; }");
    Ok(Published::Query(text))
}

/// Codes and their names, by field. Sources: Microsoft's documentation of logon types, NTSTATUS values, integrity
/// levels, subsystems of images and product types; IANA's registries of protocols and DNS types.
const CODES: &[(&str, &[(&str, &str)])] = &[
    ("ConnectionDirection", &[("0", "OUTBOUND"), ("1", "INBOUND"), ("2", "NEITHER"), ("3", "BOTH")]),
    ("ImageSubsystem", &[("1", "NATIVE"), ("2", "WINDOWS_GUI"), ("3", "WINDOWS_CUI"), ("256", "WSL")]),
    (
        "IntegrityLevel",
        &[
            ("0", "UNTRUSTED"),
            ("4096", "LOW"),
            ("8192", "MEDIUM"),
            ("8448", "MEDIUM_PLUS"),
            ("12288", "HIGH"),
            ("16384", "SYSTEM"),
            ("20480", "PROTECTED"),
        ],
    ),
    (
        "LogonType",
        &[
            ("0", "SYSTEM"),
            ("2", "INTERACTIVE"),
            ("3", "NETWORK"),
            ("4", "BATCH"),
            ("5", "SERVICE"),
            ("6", "PROXY"),
            ("7", "UNLOCK"),
            ("8", "NETWORK_CLEARTEXT"),
            ("9", "NEW_CREDENTIALS"),
            ("10", "REMOTE_INTERACTIVE"),
            ("11", "CACHED_INTERACTIVE"),
            ("12", "CACHED_REMOTE_INTERACTIVE"),
            ("13", "CACHED_UNLOCK"),
        ],
    ),
    ("ProductType", &[("1", "Workstation"), ("2", "Domain Controller"), ("3", "Server")]),
    ("Protocol", &[("1", "ICMP"), ("6", "TCP"), ("17", "UDP"), ("58", "ICMPv6")]),
    (
        "RegOperationType",
        &[
            ("1", "SET_VALUE"),
            ("2", "DELETE_VALUE"),
            ("3", "CREATE_KEY"),
            ("4", "DELETE_KEY"),
            ("5", "SET_SECURITY"),
            ("6", "LOAD_KEY"),
            ("7", "RENAME_KEY"),
            ("8", "OPEN_KEY"),
            ("9", "QUERY_VALUE_NAME"),
        ],
    ),
    (
        "RequestType",
        &[
            ("1", "A"),
            ("2", "NS"),
            ("5", "CNAME"),
            ("6", "SOA"),
            ("12", "PTR"),
            ("15", "MX"),
            ("16", "TXT"),
            ("28", "AAAA"),
            ("33", "SRV"),
            ("65", "HTTPS"),
            ("255", "ANY"),
        ],
    ),
    ("Status", STATUS),
    ("SubStatus", STATUS),
    ("TokenType", &[("1", "PRIMARY"), ("2", "IMPERSONATION")]),
    ("UserIsAdmin", &[("0", "False"), ("1", "True")]),
];

/// Why a logon failed, in decimal and in the digits that Windows shows.
const STATUS: &[(&str, &str)] = &[
    ("3221225572", "NO_SUCH_USER"),
    ("0xC0000064", "NO_SUCH_USER"),
    ("0xc0000064", "NO_SUCH_USER"),
    ("3221225578", "WRONG_PASSWORD"),
    ("0xC000006A", "WRONG_PASSWORD"),
    ("0xc000006a", "WRONG_PASSWORD"),
    ("3221225581", "LOGON_FAILURE"),
    ("0xC000006D", "LOGON_FAILURE"),
    ("0xc000006d", "LOGON_FAILURE"),
    ("3221225582", "ACCOUNT_RESTRICTION"),
    ("0xC000006E", "ACCOUNT_RESTRICTION"),
    ("0xc000006e", "ACCOUNT_RESTRICTION"),
    ("3221225583", "INVALID_LOGON_HOURS"),
    ("0xC000006F", "INVALID_LOGON_HOURS"),
    ("0xc000006f", "INVALID_LOGON_HOURS"),
    ("3221225584", "INVALID_WORKSTATION"),
    ("0xC0000070", "INVALID_WORKSTATION"),
    ("0xc0000070", "INVALID_WORKSTATION"),
    ("3221225585", "PASSWORD_EXPIRED"),
    ("0xC0000071", "PASSWORD_EXPIRED"),
    ("0xc0000071", "PASSWORD_EXPIRED"),
    ("3221225586", "ACCOUNT_DISABLED"),
    ("0xC0000072", "ACCOUNT_DISABLED"),
    ("0xc0000072", "ACCOUNT_DISABLED"),
    ("3221225875", "ACCOUNT_EXPIRED"),
    ("0xC0000193", "ACCOUNT_EXPIRED"),
    ("0xc0000193", "ACCOUNT_EXPIRED"),
    ("3221226020", "PASSWORD_MUST_CHANGE"),
    ("0xC0000224", "PASSWORD_MUST_CHANGE"),
    ("0xc0000224", "PASSWORD_MUST_CHANGE"),
    ("3221226036", "ACCOUNT_LOCKED_OUT"),
    ("0xC0000234", "ACCOUNT_LOCKED_OUT"),
    ("0xc0000234", "ACCOUNT_LOCKED_OUT"),
];
