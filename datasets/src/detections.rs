//! The published detections that spelunk must run exactly as their authors wrote them.

/// The language a detection is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// Splunk's Search Processing Language.
    Spl,
    /// CrowdStrike LogScale's query language.
    LogScale,
}

/// One published detection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Detection {
    /// Short name, unique within a language.
    pub name: &'static str,
    /// The ATT&CK technique it looks for.
    pub technique: &'static str,
    /// What it selects, in a sentence.
    pub description: &'static str,
    /// What the query is written in.
    pub language: Language,
    /// The query, byte for byte as published, ending with one line feed.
    pub query: &'static str,
}

/// DCOM lateral movement in Sysmon process creations, in SPL.
pub const DCOM_SPL: &str = include_str!("../detections/dcom.spl");

/// DCOM lateral movement in Falcon process creations, in the LogScale language.
pub const DCOM_CQL: &str = include_str!("../detections/dcom.cql");

/// Every detection of this crate.
pub const DETECTIONS: [Detection; 2] = [
    Detection {
        name: "dcom",
        technique: "T1021.003",
        description: "Shells under MMC or Office, any start of dcomcnfg, and command lines with -Exec and DCOM, \
                      among Sysmon process creations",
        language: Language::Spl,
        query: DCOM_SPL,
    },
    Detection {
        name: "dcom",
        technique: "T1021.003",
        description: "Shells and script hosts under MMC, Office or Visio, any start of dcomcnfg, and command lines \
                      with -Exec and DCOM, among Falcon ProcessRollup2 events",
        language: Language::LogScale,
        query: DCOM_CQL,
    },
];
