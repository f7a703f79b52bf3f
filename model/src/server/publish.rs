//! PUBLISH of the client and its PUBACK.

use super::rule::{Breach, Context, Rule};
use super::session::{Response, Session};
use crate::packet::{PacketId, PacketType, ReasonCode};
use crate::profile::{Code, Offence, Reaction};

impl Session {
    /// PUBLISH is taken: above QoS 0 it is answered (MQTT-3.3.4-1). Where the message goes is the router's business.
    pub(super) fn publish(
        &self,
        context: &Context<'_>,
        id: Option<PacketId>,
        offence: Option<Offence>,
    ) -> Vec<Session> {
        let answered = |offence| match id {
            Some(id) => self.responding(Response::Puback(id, offence)),
            None => self.clone(),
        };
        match offence {
            None => vec![answered(None)],
            Some(offence) => self.offend(
                context,
                offence,
                &[(Reaction::Puback(Code::AnyError), answered(Some(offence))), (Reaction::Accept, answered(None))],
            ),
        }
    }

    /// PUBACK comes. A server of 5.0 may refuse a message for reasons of its own, in any code that PUBACK knows.
    pub(super) fn puback(&self, context: &Context<'_>, id: PacketId, code: u8) -> Result<Vec<Session>, Breach> {
        let waiting = |response: &Response| matches!(response, Response::Puback(of, _) if *of == id);
        let (next, response) =
            self.answered(waiting).ok_or_else(|| Breach::of(Rule::PubackNamesItsPublish, self.waiting_responses()))?;
        let Response::Puback(_, Some(offence)) = response else { return Ok(vec![next]) };
        let version = self.version();
        let permitted = context.profile.reactions(offence, version).iter().any(|reaction| match reaction {
            Reaction::Puback(wanted) => wanted.admits(code, PacketType::Puback, version),
            Reaction::Accept => !ReasonCode::from_value(code).is_some_and(ReasonCode::is_error),
            _ => false,
        });
        match permitted {
            true => Ok(vec![next]),
            false => Err(Breach::of(Rule::OffenceIsRefused, self.permitted_reactions(context, offence))),
        }
    }
}
