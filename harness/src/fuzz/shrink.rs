//! Delta debugging: which of the commands does a failure need?
//!
//! First runs of commands are left out, shorter and shorter ones; then what is left is made plainer, as long as that helps. Every attempt is a walk
//! with the live peer, so there is only so much of it.

use super::command::Command;
use super::plainer::{all_plainer, plainer};
/// How many walks a shrinking may take.
pub const MOST_WALKS: usize = 100;

/// Commands on their way to as few as possible.
pub(super) struct Shrinking<L, F> {
    commands: Vec<Command>,
    walks: usize,
    /// Whether its time is over: with a broker in a network each walk takes some.
    is_late: L,
    /// Walks these commands; those that applied, if it fails the same way.
    fails: F,
}

/// Leaves out what is not needed, as long as `fails` says that what is left fails the same way: it walks commands, and
/// returns those that applied. Ends when it `is_late`. Returns what is left, and how many walks it took.
pub(super) fn shrink<L, F>(commands: Vec<Command>, is_late: L, fails: F) -> (Vec<Command>, usize)
where
    L: Fn() -> bool,
    F: FnMut(&[Command]) -> Option<Vec<Command>>,
{
    let mut shrinking = Shrinking { commands, walks: 0, is_late, fails };
    // What passes in time takes time in every walk that follows.
    let passes = |command: &Command| matches!(command, Command::Elapse(_));
    let at_once: Vec<Command> = shrinking.commands.iter().filter(|command| !passes(command)).cloned().collect();
    if at_once.len() < shrinking.commands.len() {
        shrinking.attempt(&at_once);
    }
    let half = shrinking.commands.len().div_ceil(2);
    shrinking.leave_out(half);
    while !shrinking.is_over() {
        let changed = shrinking.make_all_plainer() || shrinking.make_plainer() || shrinking.leave_out_windows();
        if !changed {
            break;
        }
        shrinking.leave_out(1);
    }
    (shrinking.commands, shrinking.walks)
}

impl<L: Fn() -> bool, F: FnMut(&[Command]) -> Option<Vec<Command>>> Shrinking<L, F> {
    fn is_over(&self) -> bool {
        self.walks >= MOST_WALKS || (self.is_late)()
    }

    /// Goes on with these commands if they fail.
    fn attempt(&mut self, candidate: &[Command]) -> bool {
        if self.is_over() {
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

    /// Leaves out runs of so many commands, then of half as many, and so on, down to single ones.
    fn leave_out(&mut self, largest: usize) {
        let mut size = largest;
        while size > 0 {
            // From the end: what comes late needs what came early, and not the other way round.
            let mut end = self.commands.len();
            while end > 0 {
                let start = end.saturating_sub(size);
                let candidate = [&self.commands[..start], &self.commands[end..]].concat();
                self.attempt(&candidate);
                end = start.min(self.commands.len());
            }
            size /= 2;
        }
    }

    /// Leaves out two or three neighbours that need each other.
    fn leave_out_windows(&mut self) -> bool {
        for size in [2, 3] {
            for end in (size..=self.commands.len()).rev() {
                let candidate = [&self.commands[..end - size], &self.commands[end..]].concat();
                if self.attempt(&candidate) {
                    return true;
                }
            }
        }
        false
    }

    /// Makes all commands plainer at once.
    fn make_all_plainer(&mut self) -> bool {
        let mut any = false;
        for index in 0.. {
            let Some(candidate) = all_plainer(&self.commands).into_iter().nth(index) else { break };
            any |= candidate != self.commands && self.attempt(&candidate);
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
    use std::cell::Cell;

    fn never_late() -> bool {
        false
    }

    fn commands(numbers: &[usize]) -> Vec<Command> {
        numbers.iter().map(|number| Command::Does(Client(0), Deed::CutWithin(*number))).collect()
    }

    #[test]
    fn what_is_not_needed_is_left_out() {
        let all = commands(&Vec::from_iter(1..=60));
        let needed = commands(&[7, 8, 31, 59]);
        let (left, walks) = shrink(all, never_late, |commands| {
            needed.iter().all(|command| commands.contains(command)).then(|| commands.to_vec())
        });
        assert_eq!(left, needed);
        assert!(walks < MOST_WALKS, "{walks} walks");
    }

    #[test]
    fn it_ends_when_its_walks_are_used_up() {
        let all = commands(&Vec::from_iter(1..=500));
        let mut walked = 0;
        let (left, walks) = shrink(all.clone(), never_late, |commands| {
            walked += 1;
            (commands == all).then(|| commands.to_vec())
        });
        assert_eq!((left, walks, walked), (all, MOST_WALKS, MOST_WALKS));
    }

    #[test]
    fn it_ends_when_its_time_is_over() {
        // Each walk takes a second, and there are five.
        let clock = Cell::new(0);
        let needed = &commands(&[1])[0];
        let fails = |candidate: &[Command]| {
            clock.set(clock.get() + 1);
            candidate.contains(needed).then(|| candidate.to_vec())
        };
        let (left, walks) = shrink(commands(&Vec::from_iter(1..=64)), || clock.get() >= 5, fails);
        assert_eq!((walks, clock.get()), (5, 5));
        // What it has come to by then is kept.
        assert_eq!(left, commands(&Vec::from_iter(1..=8)));
    }

    #[test]
    fn what_did_not_apply_goes_too() {
        let ping = |client| Command::Does(Client(client), Deed::Ping);
        let (left, _) = shrink(vec![ping(0), ping(1), ping(2)], never_late, |commands| {
            let applied: Vec<Command> = commands.iter().filter(|command| **command != ping(1)).cloned().collect();
            applied.contains(&ping(2)).then_some(applied)
        });
        assert_eq!(left, [ping(2)]);
    }
}
