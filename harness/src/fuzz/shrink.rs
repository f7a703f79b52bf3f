//! Delta debugging: which of the commands does a failure need?
//!
//! First runs of commands are left out, shorter and shorter ones; then what is left is made plainer. Every attempt is a walk
//! with the live peer, so there is only so much of it.

use super::command::Command;
use super::plainer::plainer;

/// How many walks a shrinking may take.
pub const MOST_WALKS: usize = 100;

/// Commands on their way to as few as possible.
pub(super) struct Shrinking<F> {
    commands: Vec<Command>,
    walks: usize,
    /// Walks these commands; those that applied, if it fails the same way.
    fails: F,
}

/// Leaves out what is not needed, as long as `fails` says that what is left fails the same way: it walks commands, and
/// returns those that applied. Returns what is left, and how many walks it took.
pub(super) fn shrink<F>(commands: Vec<Command>, fails: F) -> (Vec<Command>, usize)
where
    F: FnMut(&[Command]) -> Option<Vec<Command>>,
{
    let mut shrinking = Shrinking { commands, walks: 0, fails };
    loop {
        let left_out = shrinking.leave_out();
        let made_plainer = shrinking.make_plainer();
        if !left_out && !made_plainer || shrinking.walks >= MOST_WALKS {
            return (shrinking.commands, shrinking.walks);
        }
    }
}

impl<F: FnMut(&[Command]) -> Option<Vec<Command>>> Shrinking<F> {
    /// Goes on with these commands if they fail.
    fn attempt(&mut self, candidate: &[Command]) -> bool {
        if self.walks >= MOST_WALKS {
            return false;
        }
        self.walks += 1;
        match (self.fails)(candidate) {
            Some(applied) => {
                self.commands = applied;
                true
            }
            None => false,
        }
    }

    /// Leaves out halves, quarters and so on, down to single commands.
    fn leave_out(&mut self) -> bool {
        let mut any = false;
        let mut size = self.commands.len().div_ceil(2);
        while size > 0 {
            // From the end: what comes late needs what came early, and not the other way round.
            let mut end = self.commands.len();
            while end > 0 {
                let start = end.saturating_sub(size);
                let candidate = [&self.commands[..start], &self.commands[end..]].concat();
                any |= self.attempt(&candidate);
                end = start.min(self.commands.len());
            }
            size /= 2;
        }
        any
    }

    /// Replaces single commands by plainer ones.
    fn make_plainer(&mut self) -> bool {
        let mut any = false;
        let mut index = 0;
        while index < self.commands.len() {
            let mut candidates = plainer(&self.commands[index]).into_iter();
            let is_plainer = candidates.any(|simpler| {
                let mut candidate = self.commands.clone();
                candidate[index] = simpler;
                self.attempt(&candidate)
            });
            any |= is_plainer;
            if !is_plainer {
                index += 1;
            }
        }
        any
    }
}

#[cfg(test)]
mod tests {
    use super::super::command::{Client, Deed};
    use super::*;

    fn elapses(numbers: &[u64]) -> Vec<Command> {
        numbers.iter().copied().map(Command::Elapse).collect()
    }

    #[test]
    fn what_is_not_needed_is_left_out() {
        let all = elapses(&Vec::from_iter(1..=60));
        let needed = elapses(&[7, 8, 31, 59]);
        let (left, walks) =
            shrink(all, |commands| needed.iter().all(|command| commands.contains(command)).then(|| commands.to_vec()));
        assert_eq!(left, needed);
        assert!(walks < MOST_WALKS, "{walks} walks");
    }

    #[test]
    fn it_ends_when_its_walks_are_used_up() {
        let all = elapses(&Vec::from_iter(1..=500));
        let mut walked = 0;
        let (left, walks) = shrink(all.clone(), |commands| {
            walked += 1;
            (commands == all).then(|| commands.to_vec())
        });
        assert_eq!((left, walks, walked), (all, MOST_WALKS, MOST_WALKS));
    }

    #[test]
    fn what_did_not_apply_goes_too() {
        let ping = |client| Command::Does(Client(client), Deed::Ping);
        let (left, _) = shrink(vec![ping(0), ping(1), ping(2)], |commands| {
            let applied: Vec<Command> = commands.iter().filter(|command| **command != ping(1)).cloned().collect();
            applied.contains(&ping(2)).then_some(applied)
        });
        assert_eq!(left, [ping(2)]);
    }
}
