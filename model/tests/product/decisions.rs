//! Takes every decision, one way after the other.

use crate::simulated::choice::Choice;

/// One way through the decisions of a step. The first way takes the first of everything; [`next_way`](Self::next_way)
/// changes the last decision that has something left, as an odometer does.
#[derive(Debug, Default)]
pub(crate) struct Decisions {
    /// What was chosen, of how many.
    made: Vec<(usize, usize)>,
    /// How many of them this way has come to.
    reached: usize,
}

impl Decisions {
    /// Turns to the next way; false after the last one.
    pub(crate) fn next_way(&mut self) -> bool {
        self.reached = 0;
        while let Some((chosen, count)) = self.made.pop() {
            if chosen + 1 < count {
                self.made.push((chosen + 1, count));
                return true;
            }
        }
        false
    }
}

impl Choice for Decisions {
    fn below(&mut self, count: usize) -> usize {
        if self.reached == self.made.len() {
            self.made.push((0, count));
        }
        let (chosen, _) = self.made[self.reached];
        self.reached += 1;
        chosen
    }

    /// How often does not count: both ways are taken.
    fn once_in(&mut self, times: usize) -> bool {
        times == 1 || self.below(2) == 1
    }
}
