//! What is played, and why the rest is not.

use super::known_failing::{Entry, KnownFailing, ListError};
use super::pattern::Pattern;
use super::verdict::{Outcome, Verdict};
use crate::case::{Applicability, Library, Variant, expand};
use crate::target::Scheme;
use model::packet::ProtocolVersion;
use model::profile::Profile;
use std::collections::BTreeSet;
use std::sync::Arc;

/// Which variants a person asked for.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    /// Only what one of these matches; everything if there is none.
    pub run: Vec<Pattern>,
    /// Not what one of these matches.
    pub skip: Vec<Pattern>,
    /// Only these versions; all if there is none.
    pub versions: BTreeSet<ProtocolVersion>,
    /// Name cases that are about other dialects too, as not applicable.
    pub foreign: bool,
}

/// All variants of a profile, with what becomes of them.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The profile.
    pub profile: Arc<Profile>,
    /// The variants in their order.
    pub variants: Vec<Planned>,
}

/// A variant and what becomes of it.
#[derive(Debug, Clone)]
pub struct Planned {
    /// The variant.
    pub variant: Arc<Variant>,
    /// What becomes of it.
    pub fate: Fate,
}

/// What becomes of a variant.
#[derive(Debug, Clone)]
pub enum Fate {
    /// It is played; the entry of the list of known failures that names it, if one does.
    Play(Option<Entry>),
    /// Its case is about other dialects, or the profile lacks what it needs.
    NotApplicable(String),
    /// Nobody asked for it.
    NotSelected(String),
}

impl Planned {
    /// What comes of it if it is not played.
    #[must_use]
    pub fn unplayed(&self) -> Option<Outcome> {
        let verdict = match &self.fate {
            Fate::Play(_) => return None,
            Fate::NotApplicable(why) => Verdict::NotApplicable(why.clone()),
            Fate::NotSelected(why) => Verdict::NotRun(why.clone()),
        };
        Some(Outcome::not_played(Arc::clone(&self.variant), verdict))
    }
}

impl Selection {
    /// Why nobody asked for this variant, if nobody did.
    #[must_use]
    pub fn excludes(&self, variant: &Variant) -> Option<String> {
        let name = &variant.name;
        if !self.versions.is_empty() && !self.versions.contains(&variant.version) {
            return Some(format!("--mqtt leaves {} out", variant.version));
        }
        if !self.run.is_empty() && !self.run.iter().any(|pattern| pattern.matches(name)) {
            return Some("not named by --run".to_owned());
        }
        let skip = self.skip.iter().find(|pattern| pattern.matches(name))?;
        Some(format!("--skip {skip}"))
    }
}

impl Plan {
    /// The plan for a library under a profile.
    #[must_use]
    pub fn new(library: &Library, profile: Arc<Profile>, selection: &Selection, known_failing: &KnownFailing) -> Plan {
        let is_about_it = |applicability: &Applicability| !matches!(applicability, Applicability::Foreign(_));
        let expanded = expand(library, &profile).into_iter();
        let about_it = expanded.filter(|(_, applicability)| selection.foreign || is_about_it(applicability));
        let variants = about_it.map(|(variant, applicability)| {
            let fate = match (selection.excludes(&variant), applicability) {
                (_, Applicability::Foreign(why) | Applicability::NotApplicable(why)) => Fate::NotApplicable(why),
                (Some(why), Applicability::Applies) => Fate::NotSelected(why),
                (None, Applicability::Applies) => Fate::Play(known_failing.find(&variant.name).cloned()),
            };
            Planned { variant: Arc::new(variant), fate }
        });
        Plan { variants: variants.collect(), profile }
    }

    /// The same for a target whose connections are carried by this: what needs another transport does not apply.
    #[must_use]
    pub fn carried_by(mut self, scheme: Scheme) -> Plan {
        for planned in &mut self.variants {
            let Some(transport) = planned.variant.transport else { continue };
            if matches!(planned.fate, Fate::Play(_)) && !transport.is_met_by(scheme) {
                planned.fate = Fate::NotApplicable(format!("the case is about {transport}"));
            }
        }
        self
    }

    /// Leaves out the variants in which one of these actors acts: the target has nothing for them.
    pub fn leave_out(&mut self, absent: &[&str]) {
        for planned in self.variants.iter_mut().filter(|planned| matches!(planned.fate, Fate::Play(_))) {
            let actors = planned.variant.steps.iter().filter_map(|step| step.action.actor());
            if let Some(actor) = actors.into_iter().find(|actor| absent.contains(actor)) {
                planned.fate = Fate::NotSelected(format!("the target has no `{actor}`: --{actor} names it"));
            }
        }
    }

    /// Whether any variant applies to the profile, selected or not.
    #[must_use]
    pub fn applies(&self) -> bool {
        self.variants.iter().any(|planned| !matches!(planned.fate, Fate::NotApplicable(_)))
    }

    /// The variants that are played.
    pub fn played(&self) -> impl Iterator<Item = &Planned> {
        self.variants.iter().filter(|planned| matches!(planned.fate, Fate::Play(_)))
    }

    /// The versions of what is played, newest first.
    #[must_use]
    pub fn versions(&self) -> Vec<ProtocolVersion> {
        let versions: BTreeSet<ProtocolVersion> = self.played().map(|planned| planned.variant.version).collect();
        versions.into_iter().rev().collect()
    }
}

/// The lines of a list that name no variant of these plans, whether or not it was asked for: a selection must not make a
/// list wrong.
#[must_use]
pub fn stale(plans: &[Plan], known_failing: &KnownFailing) -> Vec<ListError> {
    let applies = |planned: &&Planned| !matches!(planned.fate, Fate::NotApplicable(_));
    let names = plans.iter().flat_map(|plan| plan.variants.iter().filter(applies));
    known_failing.stale(names.map(|planned| planned.variant.name.as_str()))
}
