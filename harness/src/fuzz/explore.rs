//! Walks: at random from a seed, or again from a list of commands.

use super::avoided::Avoided;
use super::command::{Client, Command};
use super::device::Company;
use super::frames::with_frames;
use super::generate::Generator;
use super::shrink::shrink;
use super::walk::Walker;
use super::walked::Walked;
use super::wording::{Ground, Versions, Wording};
use crate::case::Credentials;
use crate::run::follow;
use crate::target::{Peer, Scheme};
use model::judge::{Judgement, Violation};
use model::profile::Profile;
use std::collections::BTreeSet;
use std::io;
use std::time::{Duration, Instant};

/// How many commands clients spend at most to finish what is under way.
const MOST_TO_FINISH: usize = 40;

/// How walks go.
#[derive(Debug, Clone)]
pub struct Terrain {
    /// The dialect.
    pub profile: Profile,
    /// Where they take place.
    pub ground: Ground,
    /// What the clients speak.
    pub versions: Versions,
    /// How many clients there are: 1 to [`Client::MOST`].
    pub clients: usize,
    /// How many commands there are before everybody finishes what is under way.
    pub length: usize,
    /// How clients log in.
    pub credentials: Credentials,
    /// What they leave alone.
    pub avoided: BTreeSet<Avoided>,
    /// Who they are.
    pub company: Company,
    /// What carries their connections to an embedded broker.
    pub scheme: Scheme,
}

impl Terrain {
    /// A walk at random; it follows from `seed` and from what the peer does. `unique` keeps it apart from others on the
    /// same peer.
    ///
    /// # Errors
    /// When the peer does not accept connections.
    pub fn explore(&self, peer: Peer, seed: u64, unique: &str) -> io::Result<Walked> {
        let mut walker = Walker::new(peer, self, unique)?;
        let wording = Wording {
            profile: self.profile.clone(),
            ground: self.ground,
            versions: self.versions,
            avoided: self.avoided.clone(),
            is_of_devices: self.company.roster().is_some(),
            has_frames: self.scheme.has_web_socket(),
        };
        let mut generator = Generator::new(seed, self.clients, wording);
        for _ in 0..self.length {
            let Some(command) = generator.next(&walker) else { break };
            walker.play(&command)?;
        }
        for client in Client::first(self.clients) {
            for command in generator.come_home(client, &walker) {
                walker.play(&command)?;
            }
        }
        for _ in 0..MOST_TO_FINISH {
            let Some(command) = generator.finish(&walker) else { break };
            if !walker.play(&command)? {
                break;
            }
        }
        Ok(walker.finish())
    }

    /// A walk of these commands, as far as they apply.
    ///
    /// # Errors
    /// When the peer does not accept connections.
    pub fn repeat(&self, peer: Peer, commands: &[Command], unique: &str) -> io::Result<Walked> {
        let mut walker = Walker::new(peer, self, unique)?;
        for command in commands {
            walker.play(command)?;
        }
        Ok(walker.finish())
    }

    /// What the judge says of a walk.
    #[must_use]
    pub fn judge(&self, walked: &Walked) -> Judgement {
        let judgement = follow(&self.judged_by(), walked.is_virtual, &walked.trace, walked.end);
        with_frames(judgement, walked)
    }

    /// What a walk shows to be wrong, in the order of the trace; nothing if the judge cannot tell.
    #[must_use]
    pub fn violations(&self, walked: &Walked) -> Vec<Violation> {
        match self.judge(walked) {
            Judgement::Violates(violations) => violations,
            Judgement::Conforms | Judgement::Inconclusive(_) => Vec::new(),
        }
    }

    /// Leaves of a walk what its violation needs, by walking parts of it with fresh peers: no further one begins after the
    /// time `within`. `fresh` gives a peer and what keeps the walk apart from others on it; `counts` may say of commands that
    /// fail that they do so for another reason.
    pub fn shrink(
        &self,
        walked: &Walked,
        violation: &Violation,
        within: Duration,
        mut fresh: impl FnMut() -> (Peer, String),
        counts: impl Fn(&[Command]) -> bool,
    ) -> Shrunk {
        let began = Instant::now();
        let is_late = || began.elapsed() >= within;
        let (commands, walks) = shrink(walked.applied_until(violation.at), is_late, |candidate| {
            let (peer, unique) = fresh();
            let walked = self.repeat(peer, candidate, &unique).ok()?;
            let first = self.violations(&walked).into_iter().next()?;
            let applied = walked.applied();
            let is_same = (first.rule, &first.statements) == (violation.rule, &violation.statements);
            (is_same && counts(&applied)).then_some(applied)
        });
        Shrunk { commands, walks }
    }
}

/// What is left of a walk.
#[derive(Debug, Clone)]
pub struct Shrunk {
    /// The commands.
    pub commands: Vec<Command>,
    /// How many walks it took to find out.
    pub walks: usize,
}
