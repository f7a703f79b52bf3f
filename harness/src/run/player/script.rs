//! The steps of a script, one after the other.

use super::actors::Sending;
use super::{Halt, Player};
use crate::case::{AMQP, Action, Elapse, Expectation, FrameKind, Step, Window};
use crate::run::verdict::{Finding, StepReference, cited};
use crate::target::Attention;
use crate::trace::ConnectionId;
use model::packet::PacketType;
use std::collections::BTreeSet;
use std::pin::Pin;
use tokio::time::{Instant, sleep, timeout};

impl Player<'_> {
    pub(in crate::run) fn steps<'b>(
        &'b mut self,
        steps: &'b [Step],
    ) -> Pin<Box<dyn Future<Output = Result<(), Halt>> + Send + 'b>> {
        Box::pin(async move {
            for step in steps {
                let bound = self.bound(step);
                let began = Instant::now();
                self.peer
                    .attend(&step.location, || Attention { watched: self.watched(step), standing: self.standing() });
                match timeout(bound, self.step(step)).await {
                    Ok(done) => done?,
                    Err(_) => return Err(self.error(step, &format!("it took more than {} s", bound.as_secs()))),
                }
                self.mark = Instant::now();
                match step.action {
                    Action::Expect { .. } | Action::AnyOrder(_) | Action::Either(_) => {}
                    Action::Elapse(_) => self.deed = self.mark,
                    _ => self.deed = began,
                }
            }
            Ok(())
        })
    }

    /// The connections that a step looks at before it lets time pass.
    fn watched(&self, step: &Step) -> BTreeSet<ConnectionId> {
        let of = |actor: &str| self.actors.get(actor).map(|actor| actor.connection.id());
        match &step.action {
            Action::Expect { expectation: Expectation::Silence, .. } => BTreeSet::new(),
            Action::Expect { expectation: Expectation::Answer(_), .. } => self.asked.open().collect(),
            Action::Expect { expectation: Expectation::Message(_), .. } => {
                self.consuming.connection().into_iter().collect()
            }
            Action::Expect { actor, .. } => of(actor).into_iter().collect(),
            Action::AnyOrder(steps) => steps.iter().flat_map(|step| self.watched(step)).collect(),
            Action::Either(branches) => branches.iter().flatten().flat_map(|step| self.watched(step)).collect(),
            Action::Opens { .. }
            | Action::Drops { .. }
            | Action::Ask { .. }
            | Action::Settle { .. }
            | Action::Send { .. }
            | Action::SendBytes { .. }
            | Action::Elapse(_) => BTreeSet::new(),
        }
    }

    async fn step(&mut self, step: &Step) -> Result<(), Halt> {
        match &step.action {
            Action::Opens { actor } if actor == AMQP => self.consume().await,
            Action::Drops { actor } if actor == AMQP => {
                self.stop_consuming();
                Ok(())
            }
            Action::Opens { actor } => {
                self.leave(actor).await;
                self.open(actor, None).await
            }
            Action::Drops { actor } => {
                self.leave(actor).await;
                Ok(())
            }
            Action::Send { actor, template } => {
                self.note();
                let built = template
                    .build(&mut self.scope, actor, self.variant.version)
                    .map_err(|error| self.error(step, &error))?;
                self.suspicious |= built.packet.is_none();
                self.keep_alive = built.keep_alive.unwrap_or(self.keep_alive);
                let sending = match template.packet_type() {
                    PacketType::Connect => Sending::Connect(template.transport()),
                    _ => Sending::Bytes,
                };
                self.send(step, actor, &built.bytes, sending).await?;
                if template.packet_type() == PacketType::Disconnect {
                    self.let_disconnect_arrive(actor).await;
                }
                Ok(())
            }
            Action::SendBytes { actor, bytes, frame } => {
                self.note();
                self.scope.acts(actor);
                let bytes = bytes.build(&self.scope).map_err(|error| self.error(step, &error))?;
                self.suspicious = true;
                match frame {
                    FrameKind::Binary => self.send(step, actor, &bytes, Sending::Bytes).await,
                    FrameKind::Text => self.send(step, actor, &bytes, Sending::Text).await,
                }
            }
            Action::Ask { template, bind } => {
                self.note();
                self.ask(step, template, bind.as_deref())
            }
            Action::Settle { message, settlement } => self.settle_message(step, message.as_deref(), *settlement),
            Action::Expect { actor, expectation, within, bind } => {
                self.expect(step, actor, expectation, *within, bind.as_deref()).await
            }
            Action::Elapse(elapse) => {
                self.elapse(*elapse).await;
                Ok(())
            }
            Action::AnyOrder(steps) => self.any_order(step, steps).await,
            Action::Either(branches) => self.either(step, branches).await,
        }
    }

    async fn expect(
        &mut self,
        step: &Step,
        actor: &str,
        expectation: &Expectation,
        within: Option<Window>,
        bind: Option<&str>,
    ) -> Result<(), Halt> {
        self.scope.acts(actor);
        match expectation {
            Expectation::Packet(pattern) => self.expect_packet(step, actor, pattern, within, bind).await,
            Expectation::Silence => self.expect_silence(step, actor).await,
            Expectation::Closed => self.expect_closed(step, actor, within).await,
            Expectation::Rejected(offence) => self.expect_rejected(step, actor, *offence, within).await,
            Expectation::Answer(pattern) => self.expect_answer(step, pattern, within, bind).await,
            Expectation::Message(pattern) => self.expect_message(step, pattern, within, bind).await,
        }
    }

    async fn elapse(&mut self, elapse: Elapse) {
        self.note();
        sleep(elapse.duration(self.keep_alive)).await;
    }

    /// An expectation that does not hold. It is about the statements that the variant cites.
    pub(in crate::run) fn finding(
        &self,
        step: &Step,
        actor: Option<&str>,
        what: &str,
        expected: &str,
        seen: &str,
    ) -> Halt {
        Halt::Finding(Box::new(Finding {
            statements: cited(&self.variant.cites),
            step: Some(reference(step)),
            at: self.recorder.elapsed(),
            connection: actor.and_then(|actor| self.actors.get(actor)).map(|actor| actor.connection.id()),
            what: what.to_owned(),
            expected: expected.to_owned(),
            seen: seen.to_owned(),
            bytes: Vec::new(),
        }))
    }

    pub(in crate::run) fn error(&self, step: &Step, error: &dyn std::fmt::Display) -> Halt {
        Halt::Error(format!("{}: {}: {error}", step.location, step.text))
    }
}

/// A step as reports name it.
pub(in crate::run) fn reference(step: &Step) -> StepReference {
    StepReference { location: step.location.clone(), text: step.text.clone() }
}
