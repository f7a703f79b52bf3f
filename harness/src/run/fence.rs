//! Shows that nothing is under way any more, without ever just waiting.

use super::player::{Halt, Player};
use super::verdict::{Finding, SilenceMeans};
use crate::case::Step;
use crate::wire::SendError;
use model::packet::{Connect, Packet, PacketType, Utf8String};
use model::wire::encode;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// Virtual time moves only when nothing is left to do: any moment of it is enough.
const MOMENT: Duration = Duration::from_millis(1);

/// One round shows that the peer has read what was sent; what it then handed from one of its parts to another shows in the
/// next.
const ROUNDS: usize = 2;

/// PINGREQ, in every version.
const PINGREQ: [u8; 2] = [0xC0, 0x00];

/// A normal DISCONNECT, in every version.
pub(super) const DISCONNECT: [u8; 2] = [0xE0, 0x00];

/// The actor of the fresh connection.
pub(super) const FENCE: &str = "fence";

impl Player<'_> {
    /// Shows that what was sent so far has had all its effects on `watched`.
    pub(super) async fn fence(&mut self, step: &Step, watched: &str) -> Result<SilenceMeans, Halt> {
        if self.is_virtual() {
            sleep(MOMENT).await;
            self.note();
            return Ok(self.is_gone(watched).unwrap_or(SilenceMeans::Idle));
        }
        self.note();
        if let Some(means) = self.is_gone(watched) {
            return Ok(means);
        }
        let can_ping = self.can_ping(watched);
        for _ in 0..ROUNDS {
            let others: Vec<String> = self.actors.keys().filter(|name| *name != watched).cloned().collect();
            self.ping(&others).await;
            if can_ping {
                let unanswered = self.ping(&[watched.to_owned()]).await;
                if let Some(means) = self.is_gone(watched) {
                    return Ok(means);
                }
                if !unanswered.is_empty() {
                    return Err(self.unanswered(step, watched));
                }
            } else {
                self.fresh_connection().await?;
            }
        }
        Ok(self.is_gone(watched).unwrap_or(if can_ping { SilenceMeans::Ping } else { SilenceMeans::OtherConnections }))
    }

    /// Shows the same for all connections, before they end.
    pub(super) async fn settle(&mut self) -> Result<(), Halt> {
        if self.is_virtual() {
            sleep(MOMENT).await;
            self.note();
            return Ok(());
        }
        let all: Vec<String> = self.actors.keys().cloned().collect();
        for _ in 0..ROUNDS {
            let unanswered = self.ping(&all).await;
            if let Some(actor) = unanswered.first() {
                return Err(Halt::Finding(Box::new(self.no_pingresp(actor))));
            }
        }
        Ok(())
    }

    fn can_ping(&self, actor: &str) -> bool {
        self.actors.get(actor).is_some_and(|actor| actor.connection.can_ping(actor.accepted))
    }

    /// PINGREQ on each of these connections that can answer one; returns those that did not, though they are open.
    async fn ping(&mut self, actors: &[String]) -> Vec<String> {
        let mut asked = Vec::new();
        self.note();
        for name in actors {
            if self.can_ping(name) {
                match self.write(name, &PINGREQ).await {
                    Ok(()) | Err(SendError::NotRead) => asked.push(name.clone()),
                    // It is closing: its reader will see it.
                    Err(SendError::Closed(_)) => {}
                }
            }
        }
        let deadline = Instant::now() + self.timeout;
        self.wait(deadline, |player| {
            asked.retain(|name| !player.took_pingresp_or_is_gone(name));
            asked.is_empty().then_some(())
        })
        .await;
        asked
    }

    fn took_pingresp_or_is_gone(&mut self, actor: &str) -> bool {
        let answered = self.inbox(actor, |inbox| {
            let answer = inbox.first(PacketType::Pingresp).map(|(index, _)| index);
            answer.is_some_and(|index| inbox.packets.remove(index).is_some()) || inbox.refusal.is_some()
        });
        answered.unwrap_or(true) || self.is_gone(actor).is_some()
    }

    /// A connection of our own is served from CONNECT to PINGRESP.
    async fn fresh_connection(&mut self) -> Result<(), Halt> {
        let cannot = |why: String| Halt::Inconclusive(format!("cannot show silence: {why}"));
        let identity = self.scope.identity(FENCE);
        let text = |text: String| Utf8String::new(text).map_err(|error| cannot(error.to_string()));
        let connect = Packet::Connect(Connect {
            clean_start: true,
            keep_alive: 60,
            client_id: text(identity.client_id)?,
            user_name: identity.user_name.map(text).transpose()?,
            password: identity.password,
            ..Connect::default()
        });
        let version = self.variant.version;
        let connect = encode(&connect, version).map_err(|error| cannot(error.to_string()))?;
        self.open(FENCE, None).await?;
        self.write(FENCE, &connect).await.map_err(|error| cannot(error.to_string()))?;
        let deadline = Instant::now() + self.timeout;
        let accepted = self
            .wait(deadline, |player| {
                let accepted = player.actors.get(FENCE).is_some_and(|actor| actor.accepted);
                (accepted || player.is_gone(FENCE).is_some()).then_some(accepted)
            })
            .await;
        if accepted != Some(true) {
            self.leave(FENCE).await;
            return Err(cannot("a fresh connection is not accepted".to_owned()));
        }
        let unanswered = self.ping(&[FENCE.to_owned()]).await;
        // The answer is in: nothing depends on the end.
        let _ = self.write(FENCE, &DISCONNECT).await;
        self.leave(FENCE).await;
        if unanswered.is_empty() { Ok(()) } else { Err(cannot("PINGREQ is not answered".to_owned())) }
    }

    fn no_pingresp(&self, actor: &str) -> Finding {
        Finding {
            // The number is the same in all versions.
            statements: vec!["MQTT-3.12.4-1".to_owned()],
            step: None,
            at: self.elapsed(),
            connection: self.actors.get(actor).map(|actor| actor.connection.id()),
            what: format!("PINGREQ of `{actor}` was not answered"),
            expected: "PINGRESP".to_owned(),
            seen: format!("nothing within {} s", self.timeout.as_secs_f64()),
            bytes: Vec::new(),
        }
    }

    fn unanswered(&self, step: &Step, actor: &str) -> Halt {
        let mut finding = self.no_pingresp(actor);
        finding.step = Some(super::player::reference(step));
        Halt::Finding(Box::new(finding))
    }
}
