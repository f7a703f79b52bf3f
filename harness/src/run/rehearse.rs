//! Plays a script for its own sake: only what the script says counts, nobody judges.

use super::player::{Conditions, Halt, Played, Player};
use super::unique::UNIQUE;
use super::verdict::Verdict;
use crate::case::{Roster, Variant};
use crate::target::Peer;
use crate::trace::Trace;
use model::profile::Profile;

/// What a rehearsal brought.
#[derive(Debug)]
pub(crate) struct Rehearsed {
    /// What the script says: pass, lenient or fail, or that it cannot be played.
    pub(crate) verdict: Verdict,
    /// What was sent and received.
    pub(crate) trace: Trace,
}

/// Plays a variant to the end of its script.
pub(crate) async fn rehearse(
    variant: &Variant,
    profile: &Profile,
    peer: Peer,
    conditions: &Conditions,
    roster: Option<Roster>,
) -> Rehearsed {
    let Played { ending, mut findings, trace, .. } =
        Player::new(variant, profile, peer, conditions, UNIQUE, roster).play().await;
    let verdict = match ending {
        Ok(()) => Verdict::on(findings, variant.version),
        Err(Halt::Finding(finding)) => {
            findings.insert(0, *finding);
            Verdict::on(findings, variant.version)
        }
        Err(Halt::Inconclusive(why)) => Verdict::Inconclusive(why),
        Err(Halt::Error(why)) => Verdict::Error(why),
    };
    Rehearsed { verdict, trace }
}
