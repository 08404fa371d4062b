//! The tactics of ATT&CK, and which techniques belong to them.
//!
//! Source: MITRE ATT&CK, Enterprise matrix, version 18.1: the techniques that are neither revoked nor deprecated. A
//! sub-technique counts with its technique, whose tactics it shares.

/// A tactic: its name, and the numbers of its techniques.
type Tactic = (&'static str, &'static [u16]);

/// The tactics in the order of the matrix.
const TACTICS: [Tactic; 14] = [
    ("Reconnaissance", &[1589, 1590, 1591, 1592, 1593, 1594, 1595, 1596, 1597, 1598, 1681]),
    ("Resource Development", &[1583, 1584, 1585, 1586, 1587, 1588, 1608, 1650]),
    ("Initial Access", &[1078, 1091, 1133, 1189, 1190, 1195, 1199, 1200, 1566, 1659, 1669]),
    (
        "Execution",
        &[1047, 1053, 1059, 1072, 1106, 1129, 1203, 1204, 1559, 1569, 1609, 1610, 1648, 1651, 1674, 1675, 1677],
    ),
    (
        "Persistence",
        &[
            1037, 1053, 1078, 1098, 1112, 1133, 1136, 1137, 1176, 1197, 1205, 1505, 1525, 1542, 1543, 1546, 1547, 1554,
            1556, 1574, 1653, 1668, 1671,
        ],
    ),
    ("Privilege Escalation", &[1037, 1053, 1055, 1068, 1078, 1098, 1134, 1484, 1543, 1546, 1547, 1548, 1574, 1611]),
    (
        "Defense Evasion",
        &[
            1006, 1014, 1027, 1036, 1055, 1070, 1078, 1112, 1127, 1134, 1140, 1197, 1202, 1205, 1207, 1211, 1216, 1218,
            1220, 1221, 1222, 1480, 1484, 1497, 1535, 1542, 1548, 1550, 1553, 1556, 1562, 1564, 1574, 1578, 1599, 1600,
            1601, 1610, 1612, 1620, 1622, 1647, 1656, 1666, 1672, 1678, 1679,
        ],
    ),
    (
        "Credential Access",
        &[1003, 1040, 1056, 1110, 1111, 1187, 1212, 1528, 1539, 1552, 1555, 1556, 1557, 1558, 1606, 1621, 1649],
    ),
    (
        "Discovery",
        &[
            1007, 1010, 1012, 1016, 1018, 1033, 1040, 1046, 1049, 1057, 1069, 1082, 1083, 1087, 1120, 1124, 1135, 1201,
            1217, 1482, 1497, 1518, 1526, 1538, 1580, 1613, 1614, 1615, 1619, 1622, 1652, 1654, 1673, 1680,
        ],
    ),
    ("Lateral Movement", &[1021, 1072, 1080, 1091, 1210, 1534, 1550, 1563, 1570]),
    (
        "Collection",
        &[1005, 1025, 1039, 1056, 1074, 1113, 1114, 1115, 1119, 1123, 1125, 1185, 1213, 1530, 1557, 1560, 1602],
    ),
    (
        "Command and Control",
        &[1001, 1008, 1071, 1090, 1092, 1095, 1102, 1104, 1105, 1132, 1205, 1219, 1568, 1571, 1572, 1573, 1659, 1665],
    ),
    ("Exfiltration", &[1011, 1020, 1029, 1030, 1041, 1048, 1052, 1537, 1567]),
    ("Impact", &[1485, 1486, 1489, 1490, 1491, 1495, 1496, 1498, 1499, 1529, 1531, 1561, 1565, 1657, 1667]),
];

/// What a detection is filed under whose techniques belong to no tactic, or that names none.
pub const NO_TACTIC: &str = "no tactic";

/// Whether a text is `T1021` or `T1021.003`.
pub fn is_technique(name: &str) -> bool {
    let digits = |text: &str, count: usize| text.len() == count && text.bytes().all(|digit| digit.is_ascii_digit());
    let Some(number) = name.strip_prefix('T') else { return false };
    match number.split_once('.') {
        Some((number, sub)) => digits(number, 4) && digits(sub, 3),
        None => digits(number, 4),
    }
}

/// The tactics of techniques, in the order of the matrix.
pub fn tactics(techniques: &[String]) -> Vec<&'static str> {
    let number = |technique: &String| technique.strip_prefix('T')?.split('.').next()?.parse::<u16>().ok();
    let numbers: Vec<u16> = techniques.iter().filter_map(number).collect();
    let found: Vec<&str> = TACTICS
        .iter()
        .filter(|(_, members)| members.iter().any(|member| numbers.contains(member)))
        .map(|(name, _)| *name)
        .collect();
    if found.is_empty() { vec![NO_TACTIC] } else { found }
}

/// Every name that [`tactics`] gives, in the order of the matrix.
pub fn all() -> impl Iterator<Item = &'static str> {
    TACTICS.iter().map(|(name, _)| *name).chain([NO_TACTIC])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn techniques_are_numbers() {
        assert!(is_technique("T1021") && is_technique("T1021.003"));
        for name in ["", "T1", "T1021.3", "T1021.003.1", "TA0008", "t1021", "Ünïcödé"] {
            assert!(!is_technique(name), "{name}");
        }
    }

    #[test]
    fn a_technique_may_belong_to_several_tactics() {
        let of = |names: &[&str]| tactics(&names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>());
        assert_eq!(of(&["T1053.005"]), ["Execution", "Persistence", "Privilege Escalation"]);
        assert_eq!(of(&["T1021.003", "T1003"]), ["Credential Access", "Lateral Movement"]);
        assert_eq!(of(&["T9999"]), [NO_TACTIC]);
        assert_eq!(of(&[]), [NO_TACTIC]);
    }
}
