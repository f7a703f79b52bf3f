//! What the actor `amqp` does: listens, looks at what comes, and says what became of it.

use super::cloud::mismatch_texts;
use super::expect::seconds;
use super::player::{Halt, Player};
use crate::case::{AMQP, MessagePattern, Settlement, Step, Window};
use crate::cloud::{Consumer, Told, lock};
use crate::trace::{ConnectionId, What};
use std::collections::{BTreeMap, VecDeque};

/// The ear of a variant.
#[derive(Debug, Default)]
pub(super) struct Consuming {
    open: Option<(ConnectionId, Consumer)>,
    /// The messages that the script has taken and not settled, oldest first, and what it calls them.
    unsettled: VecDeque<usize>,
    names: BTreeMap<String, usize>,
}

impl Consuming {
    /// Its connection, while it is open.
    pub(super) fn connection(&self) -> Option<ConnectionId> {
        self.open.as_ref().map(|(connection, _)| *connection)
    }
}

impl Player<'_> {
    pub(super) async fn consume(&mut self) -> Result<(), Halt> {
        self.stop_consuming();
        let connection = self.next_connection();
        self.recorder().record(connection, What::Opened(AMQP.to_owned()));
        let told = Told { connection, recorder: self.recorder().clone(), changed: self.changed() };
        let consumer = self.asked.business.consume(self.timeout, told).await.map_err(Halt::Error)?;
        self.recorder().record(connection, What::Consumes);
        self.consuming.open = Some((connection, consumer));
        Ok(())
    }

    pub(super) fn stop_consuming(&mut self) {
        if let Some((connection, consumer)) = self.consuming.open.take() {
            self.asked.business.stop_consuming(connection);
            drop(consumer);
            self.recorder().record(connection, What::ClosedByHarness);
            self.consuming.unsettled.clear();
        }
    }

    pub(super) async fn expect_message(
        &mut self,
        step: &Step,
        pattern: &MessagePattern,
        within: Option<Window>,
        bind: Option<&str>,
    ) -> Result<(), Halt> {
        let deadline = self.deadline(within);
        let found = self
            .wait(deadline, |player| {
                let (_, consumer) = player.consuming.open.as_ref()?;
                let mut inbox = lock(&consumer.inbox);
                let fits =
                    |arrived: &crate::cloud::Arrived| pattern.compare(&arrived.message, &player.scope).is_empty();
                let index = inbox.messages.iter().position(fits);
                match index.and_then(|index| inbox.messages.remove(index)) {
                    Some(arrived) => Some(Ok(arrived)),
                    None => inbox.ended.clone().map(Err),
                }
            })
            .await;
        let arrived = match found {
            Some(Ok(arrived)) => arrived,
            Some(Err(why)) => return Err(self.finding(step, None, "no message can come any more", &step.text, &why)),
            None => {
                let nearest = self.consuming.open.as_ref().and_then(|(_, consumer)| {
                    let inbox = lock(&consumer.inbox);
                    let compared = inbox
                        .messages
                        .iter()
                        .map(|arrived| (pattern.compare(&arrived.message, &self.scope), arrived.message.to_string()));
                    compared.min_by_key(|(mismatches, _)| mismatches.len())
                });
                let waited = seconds(deadline.saturating_duration_since(self.mark()));
                return Err(match nearest {
                    None => self.finding(
                        step,
                        None,
                        "no message came over AMQP",
                        &step.text,
                        &format!("none within {waited} s"),
                    ),
                    Some((mismatches, message)) => {
                        let (fields, expected, seen) = mismatch_texts(&mismatches);
                        let what = format!("no message over AMQP is as expected: {fields}");
                        self.finding(step, None, &what, &expected, &format!("{seen}, in {message}"))
                    }
                });
            }
        };
        if let Some(name) = bind {
            self.scope.bind_message(name, &arrived.message);
            self.consuming.names.insert(name.to_owned(), arrived.number);
        }
        self.consuming.unsettled.push_back(arrived.number);
        self.check_window(step, AMQP, arrived.at, within, &arrived.message.to_string())
    }

    pub(super) fn settle_message(
        &mut self,
        step: &Step,
        message: Option<&str>,
        settlement: Settlement,
    ) -> Result<(), Halt> {
        let named = message.and_then(|name| self.consuming.names.get(name).copied());
        let number = match message {
            Some(_) => named,
            None => self.consuming.unsettled.front().copied(),
        };
        let Some(number) = number else { return Err(self.error(step, &"no message waits to be settled")) };
        self.consuming.unsettled.retain(|other| *other != number);
        if let Some((_, consumer)) = &self.consuming.open {
            consumer.settle(number, settlement);
        }
        Ok(())
    }

    /// What came over AMQP and nobody took.
    pub(super) fn unexpected_message(&self) -> Option<String> {
        let (_, consumer) = self.consuming.open.as_ref()?;
        let inbox = lock(&consumer.inbox);
        inbox.messages.front().map(|arrived| format!("there is {}", arrived.message))
    }
}
