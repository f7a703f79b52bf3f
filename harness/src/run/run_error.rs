//! Why a run could not judge everything.

use crate::target::{Address, CommandError, Unreachable};

/// How often a peer is started again before the run gives up: each time costs seconds, and shows the same.
pub(super) const MOST_RESTARTS: usize = 20;

/// How many names a message shows.
const NAMES_SHOWN: usize = 5;

/// Why a run could not judge everything.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The target does not speak MQTT at all.
    #[error("{0}{hint}", hint = .0.hint())]
    Unreachable(#[from] Unreachable),
    /// The start command does not make a target.
    #[error(transparent)]
    Command(#[from] CommandError),
    /// There is no place for its log.
    #[error(
        "cannot write a log for the start command to {folder}: {0}; TMPDIR names the folder",
        folder = std::env::temp_dir().display()
    )]
    NoLog(std::io::Error),
    /// Somebody else listens where the command is to listen: verdicts would be about a stranger.
    #[error("{0} accepts connections before --start was run: end what listens there, or leave --start out")]
    Occupied(Address),
    /// There is no free port to start it at.
    #[error("this machine has no free port to start a broker at: {0}")]
    NoPort(std::io::Error),
    /// Nobody could say what became of it.
    #[error("the target could not be prepared")]
    NoTarget,
    /// It stopped answering, and nothing can start it again.
    #[error("the peer stopped answering ({why}) during {}; with --start it would be started again", names(during))]
    Died {
        /// How it showed.
        why: String,
        /// What ran then; the variant whose probe failed stands first.
        during: Vec<String>,
    },
    /// It stopped answering during several variants, but during none of them alone.
    #[error("the peer stopped answering ({why}) during {}, side by side; alone, none of them stops it", names(during))]
    DiedUnexplained {
        /// How it showed.
        why: String,
        /// What ran then.
        during: Vec<String>,
    },
    /// It was started again too often.
    #[error("the peer was started {MOST_RESTARTS} times again: giving up")]
    TooManyRestarts,
    /// The run was interrupted.
    #[error("the run was interrupted")]
    Interrupted,
}

fn names(names: &[String]) -> String {
    let mut shown: Vec<&str> = names.iter().take(NAMES_SHOWN).map(String::as_str).collect();
    let more = names.len().saturating_sub(NAMES_SHOWN);
    let more = format!("{more} more");
    if names.len() > NAMES_SHOWN {
        shown.push(&more);
    }
    shown.join(", ")
}
