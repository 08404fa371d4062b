//! Whether an outcome is what was to be expected, and what fails a build.

use super::{Case, Documented, Outcome, Report, Role, Signal, Trial};

/// What an outcome means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// As it should be, or as documented.
    Good,
    /// Missed, or a look-alike flagged: documented.
    Known,
    /// A documented miss is caught, or a documented look-alike is no longer flagged.
    Better,
    /// An attack's signal that is missed, while another one of its test is caught.
    Gap,
    /// Documented as caught, or part of a test of which nothing is caught.
    Missed,
    /// Caught under another label than the documented one.
    Label,
    /// A look-alike that is flagged, which nothing documents.
    Noise,
    /// Neither right nor wrong.
    Open,
}

impl Status {
    /// Its name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Status::Good => "good",
            Status::Known => "known",
            Status::Better => "better",
            Status::Gap => "gap",
            Status::Missed => "missed",
            Status::Label => "label",
            Status::Noise => "noise",
            Status::Open => "open",
        }
    }
}

/// One signal in one trial.
pub struct Finding<'r> {
    /// The case.
    pub case: &'r Case,
    /// The signal.
    pub signal: &'r Signal,
    /// What became of it.
    pub outcome: &'r Outcome,
    /// What that means.
    pub status: Status,
}

/// What a detection does with a test as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Coverage {
    /// Some signal is caught.
    Caught,
    /// None is, and that is documented of every one.
    KnownMiss,
    /// None is.
    Missed,
    /// There is no attack in it.
    None,
}

impl Trial {
    /// What the detection does with a case.
    pub fn coverage(&self, position: usize, case: &Case) -> Coverage {
        let outcomes = self.outcomes.get(position).map_or(&[][..], Vec::as_slice);
        let attack: Vec<_> =
            case.signals.iter().zip(outcomes).filter(|(signal, _)| signal.role == Role::Attack).collect();
        let known = |signal: &Signal| signal.documented.get(&self.detection.name) == Some(&Documented::Missed);
        if attack.is_empty() {
            Coverage::None
        } else if attack.iter().any(|(_, outcome)| outcome.is_caught()) {
            Coverage::Caught
        } else if attack.iter().all(|(signal, _)| known(signal)) {
            Coverage::KnownMiss
        } else {
            Coverage::Missed
        }
    }

    /// Every signal of every case, judged.
    pub fn findings<'r>(&'r self, cases: &'r [Case]) -> Vec<Finding<'r>> {
        let mut findings = Vec::new();
        for (position, (case, outcomes)) in cases.iter().zip(&self.outcomes).enumerate() {
            let coverage = self.coverage(position, case);
            for (signal, outcome) in case.signals.iter().zip(outcomes) {
                let documented = signal.documented.get(&self.detection.name);
                let status = status(signal.role, outcome, documented, coverage);
                findings.push(Finding { case, signal, outcome, status });
            }
        }
        findings
    }
}

fn status(role: Role, outcome: &Outcome, documented: Option<&Documented>, coverage: Coverage) -> Status {
    match (documented, outcome) {
        (Some(Documented::Caught(Some(expected))), Outcome::Caught(labels)) if !labels.contains(expected) => {
            Status::Label
        }
        (Some(Documented::Caught(_)), outcome) if outcome.is_caught() => {
            if role == Role::Benign {
                Status::Known
            } else {
                Status::Good
            }
        }
        (Some(Documented::Caught(_)), _) => {
            if role == Role::Benign {
                Status::Better
            } else {
                Status::Missed
            }
        }
        (Some(Documented::Missed), outcome) => match (role, outcome.is_caught()) {
            (Role::Benign, true) => Status::Noise,
            (Role::Benign, false) => Status::Good,
            (_, true) => Status::Better,
            (_, false) => Status::Known,
        },
        (None, outcome) => match (role, outcome.is_caught()) {
            (Role::Attack, true) | (Role::Benign, false) => Status::Good,
            (Role::Attack, false) if coverage == Coverage::Caught => Status::Gap,
            (Role::Attack, false) => Status::Missed,
            (Role::Probe, _) => Status::Open,
            (Role::Benign, true) => Status::Noise,
        },
    }
}

impl Report {
    /// Whether a status fails a build.
    pub fn fails(&self, status: Status) -> bool {
        match status {
            Status::Missed | Status::Label => true,
            Status::Noise => self.noise_fails,
            Status::Good | Status::Known | Status::Better | Status::Gap | Status::Open => false,
        }
    }

    /// How many findings fail.
    pub fn failures(&self) -> usize {
        let findings = self.trials.iter().flat_map(|trial| trial.findings(&self.cases));
        findings.filter(|finding| self.fails(finding.status)).count()
    }
}

/// What a finding says, in a sentence.
pub fn sentence(finding: &Finding<'_>, trial: &Trial) -> String {
    let Finding { case, signal, outcome, status } = finding;
    let what = format!("{} {} {}", case.name, signal.id, signal.name);
    let documented = match signal.documented.get(&trial.detection.name) {
        Some(Documented::Missed) => "documented as missed".to_owned(),
        Some(Documented::Caught(Some(label))) => format!("documented as caught under {label}"),
        Some(Documented::Caught(None)) => "documented as caught".to_owned(),
        None => "not documented".to_owned(),
    };
    let seen = said(outcome);
    match status {
        Status::Good | Status::Open => format!("{what}: {seen}"),
        Status::Known | Status::Better | Status::Label => format!("{what}: {seen}, {documented}"),
        Status::Gap => format!("{what}: {seen}; another signal of {} is caught", case.name),
        Status::Missed if documented == "not documented" => {
            format!("{what}: {seen}; no signal of {} is caught", case.name)
        }
        Status::Missed => format!("{what}: {seen}, {documented}"),
        Status::Noise => format!("{what}: a look-alike that is flagged ({seen}), {documented}"),
    }
}

/// An outcome in few words.
pub fn said(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Caught(labels) if labels.is_empty() => "caught".to_owned(),
        Outcome::Caught(labels) => labels.join(", "),
        Outcome::Through(command) => format!("caught, through `{command}`"),
        Outcome::Missed(_) => "missed".to_owned(),
        Outcome::Absent => "no such event".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fails_a_build() {
        let caught = Outcome::Caught(vec!["a".into()]);
        let missed = Outcome::Missed(None);
        let other = Documented::Caught(Some("b".into()));
        let any = Documented::Caught(None);
        for (role, outcome, documented, coverage, expected) in [
            (Role::Attack, &caught, None, Coverage::Caught, Status::Good),
            (Role::Attack, &missed, None, Coverage::Caught, Status::Gap),
            (Role::Attack, &missed, None, Coverage::Missed, Status::Missed),
            (Role::Attack, &missed, Some(&Documented::Missed), Coverage::KnownMiss, Status::Known),
            (Role::Attack, &caught, Some(&Documented::Missed), Coverage::Caught, Status::Better),
            (Role::Attack, &missed, Some(&any), Coverage::Caught, Status::Missed),
            (Role::Attack, &caught, Some(&other), Coverage::Caught, Status::Label),
            (Role::Attack, &Outcome::Absent, Some(&any), Coverage::Caught, Status::Missed),
            (Role::Benign, &caught, None, Coverage::None, Status::Noise),
            (Role::Benign, &caught, Some(&any), Coverage::None, Status::Known),
            (Role::Benign, &missed, Some(&any), Coverage::None, Status::Better),
            (Role::Benign, &missed, None, Coverage::None, Status::Good),
            (Role::Probe, &caught, None, Coverage::None, Status::Open),
            (Role::Probe, &missed, Some(&any), Coverage::None, Status::Missed),
        ] {
            assert_eq!(status(role, outcome, documented, coverage), expected, "{role:?} {outcome:?} {documented:?}");
        }
    }
}
