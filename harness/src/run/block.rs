//! Blocks of expectations: all of them in any order, or one of several.

use super::expect::{Look, untaken};
use super::player::{Halt, Player};
use super::rejected::is_reaction;
use crate::case::{Action, Expectation, Step};
use crate::wire::Arrived;
use model::packet::PacketType;
use tokio::time::Instant;

impl Player<'_> {
    /// All of `steps` hold, in whatever order their packets come.
    pub(super) async fn any_order(&mut self, block: &Step, steps: &[Step]) -> Result<(), Halt> {
        let mut lanes: Vec<(&str, PacketType, Vec<&Step>)> = Vec::new();
        for step in steps {
            let Action::Expect { actor, expectation: Expectation::Packet(pattern), .. } = &step.action else {
                return Err(Halt::Error(format!("{}: only packets can come in any order", step.location)));
            };
            let packet_type = pattern.packet_type();
            match lanes.iter_mut().find(|(name, lane, _)| *name == actor && *lane == packet_type) {
                Some((.., steps)) => steps.push(step),
                None => lanes.push((actor, packet_type, vec![step])),
            }
        }
        for (actor, packet_type, steps) in lanes {
            self.any_order_of_lane(block, actor, packet_type, &steps).await?;
        }
        Ok(())
    }

    async fn any_order_of_lane(
        &mut self,
        block: &Step,
        actor: &str,
        packet_type: PacketType,
        steps: &[&Step],
    ) -> Result<(), Halt> {
        let windows = steps.iter().map(|step| match &step.action {
            Action::Expect { within, .. } => self.deadline(*within),
            _ => Instant::now(),
        });
        let deadline = windows.max().unwrap_or_else(Instant::now);
        let mut arrived = Vec::new();
        while arrived.len() < steps.len() {
            match self.wait(deadline, |player| player.take(actor, packet_type)).await {
                Some(Look::Packet(packet)) => arrived.push(packet),
                Some(Look::Over(end)) => return Err(self.ended(block, actor, &lane_text(steps), end)),
                None => {
                    let came: Vec<String> = arrived.iter().map(|arrived| arrived.packet.to_string()).collect();
                    let seen = format!("{} of {}: {}", arrived.len(), steps.len(), came.join("; "));
                    let what = format!("not every {packet_type} came");
                    return Err(self.finding(block, Some(actor), &what, &lane_text(steps), &seen));
                }
            }
        }
        self.scope.acts(actor);
        let fits = |step: &Step, arrived: &Arrived| match &step.action {
            Action::Expect { expectation: Expectation::Packet(pattern), .. } => {
                pattern.compare(&arrived.packet, &self.scope).is_empty()
            }
            _ => false,
        };
        let table: Vec<Vec<bool>> =
            steps.iter().map(|step| arrived.iter().map(|arrived| fits(step, arrived)).collect()).collect();
        let Some(order) = assign(&table) else {
            let came: Vec<String> = arrived.iter().map(|arrived| arrived.packet.to_string()).collect();
            let what = format!("no order of the {packet_type} packets fits");
            return Err(self.finding(block, Some(actor), &what, &lane_text(steps), &came.join("; ")));
        };
        for (step, index) in steps.iter().zip(order) {
            let arrived = &arrived[index];
            if let Action::Expect { bind, within, .. } = &step.action {
                if let Some(name) = bind {
                    self.scope.bind(name, &arrived.packet);
                }
                self.check_window(step, actor, arrived.at, *within, &arrived.packet.to_string())?;
            }
        }
        Ok(())
    }

    /// The first of `branches` whose first expectation fits is played.
    pub(super) async fn either(&mut self, block: &Step, branches: &[Vec<Step>]) -> Result<(), Halt> {
        let deadline = branches
            .iter()
            .filter_map(|branch| match &branch.first()?.action {
                Action::Expect { within, .. } => Some(self.deadline(*within)),
                _ => None,
            })
            .max()
            .unwrap_or_else(Instant::now);
        let begins = |player: &mut Self, branch: &&Vec<Step>| branch.first().is_some_and(|step| player.fits(step));
        let chosen = self.wait(deadline, |player| branches.iter().find(|branch| begins(player, branch))).await;
        // That nothing comes can be a permitted reaction too.
        let chosen = chosen.or_else(|| branches.iter().find(|branch| begins_with_reaction(branch)));
        match chosen {
            Some(branch) => self.steps(branch).await,
            None => {
                let firsts: Vec<&str> =
                    branches.iter().filter_map(|branch| branch.first()).map(|step| step.text.as_str()).collect();
                let actor = branches.iter().flatten().find_map(|step| step.action.actor());
                let others = actor.and_then(|actor| self.inbox(actor, |inbox| untaken(inbox)).flatten());
                let seen = others.unwrap_or_else(|| "nothing".to_owned());
                Err(self.finding(block, actor, "no alternative fits", &firsts.join(", or "), &seen))
            }
        }
    }

    /// Whether an expectation would hold now.
    fn fits(&mut self, step: &Step) -> bool {
        let Action::Expect { actor, expectation, .. } = &step.action else {
            return false;
        };
        self.scope.acts(actor);
        let scope = &self.scope;
        let fits = self.inbox(actor, |inbox| match expectation {
            Expectation::Packet(pattern) => inbox
                .first(pattern.packet_type())
                .is_some_and(|(_, arrived)| pattern.compare(&arrived.packet, scope).is_empty()),
            Expectation::Closed => inbox.closed.is_some(),
            Expectation::Rejected(_) => {
                inbox.closed.is_some() || inbox.packets.iter().any(|arrived| is_reaction(&arrived.packet))
            }
            // The language has no alternative that begins with silence.
            Expectation::Silence | Expectation::Answer(_) | Expectation::Message(_) => false,
        });
        fits.unwrap_or(false)
    }
}

/// Whether an alternative begins with a reaction, which may be none.
fn begins_with_reaction(branch: &[Step]) -> bool {
    let first = branch.first().map(|step| &step.action);
    matches!(first, Some(Action::Expect { expectation: Expectation::Rejected(_), .. }))
}

fn lane_text(steps: &[&Step]) -> String {
    steps.iter().map(|step| step.text.as_str()).collect::<Vec<_>>().join("; ")
}

/// Gives each row a column of its own in which it fits, if that is possible.
fn assign(table: &[Vec<bool>]) -> Option<Vec<usize>> {
    fn place(table: &[Vec<bool>], row: usize, owner: &mut [Option<usize>], tried: &mut [bool]) -> bool {
        for column in 0..owner.len() {
            if table[row][column] && !tried[column] {
                tried[column] = true;
                let is_free = match owner[column] {
                    None => true,
                    Some(other) => place(table, other, owner, tried),
                };
                if is_free {
                    owner[column] = Some(row);
                    return true;
                }
            }
        }
        false
    }
    let mut owner = vec![None; table.len()];
    for row in 0..table.len() {
        if !place(table, row, &mut owner, &mut vec![false; table.len()]) {
            return None;
        }
    }
    (0..table.len()).map(|row| owner.iter().position(|owner| *owner == Some(row))).collect()
}

#[cfg(test)]
mod tests {
    use super::assign;

    #[test]
    fn packets_find_their_expectations_also_if_the_first_choice_is_wrong() {
        let (yes, no) = (true, false);
        assert_eq!(assign(&[vec![yes, yes], vec![yes, no]]), Some(vec![1, 0]));
        assert_eq!(assign(&[vec![yes, no], vec![yes, no]]), None);
        assert_eq!(assign(&[vec![yes, yes, no], vec![yes, no, no], vec![no, yes, yes]]), Some(vec![1, 0, 2]));
        assert_eq!(assign(&[]), Some(Vec::new()));
    }
}
