//! What devices answer to calls of the cloud.

use crate::fuzz::command::Naming;
use crate::fuzz::walk::Walker;
use crate::trace::ConnectionId;
use model::packet::{Delivery, Packet, Publish, PublishProperties, Utf8String};

/// A number that no platform gives out so soon.
const NOBODYS: &str = "7";

impl Walker {
    /// The answer to the call whose request says this; `None` if no such request came.
    pub(in crate::fuzz) fn answer_to_call(
        &mut self,
        id: ConnectionId,
        request: &[u8],
        payload: &str,
        naming: Naming,
    ) -> Option<Packet> {
        let asked = self.cloud.topic_of_call(request)?;
        let topic = match naming {
            Naming::Right | Naming::AtQos1 => answer_topic(asked, None),
            Naming::Wrong => answer_topic(asked, Some(NOBODYS)),
        };
        let link = self.links.get(&id)?;
        let memory = self.memories.entry(link.client_id?).or_default();
        let delivery = match naming {
            Naming::AtQos1 => Delivery::AtLeastOnce { packet_id: memory.next_id(), dup: false },
            Naming::Right | Naming::Wrong => Delivery::AtMostOnce,
        };
        let publish = Publish {
            delivery,
            retain: false,
            topic: Utf8String::new(topic).ok()?,
            properties: PublishProperties::default(),
            payload: payload.as_bytes().to_vec(),
        };
        memory.publish(&publish, link.version, id);
        Some(Packet::Publish(publish))
    }
}

/// The topic on which the call that came on this one is answered (P-RPC-5, P-RPC-8), with another number if it is given.
fn answer_topic(asked: &str, number: Option<&str>) -> String {
    let answer = asked.replace("/rrpc/request/", "/rrpc/response/");
    let Some(number) = number else { return answer };
    match answer.strip_prefix("/ext/rrpc/").and_then(|rest| rest.split_once('/')) {
        Some((_, rest)) => format!("/ext/rrpc/{number}/{rest}"),
        None => match answer.rsplit_once('/') {
            Some((before, _)) => format!("{before}/{number}"),
            None => answer,
        },
    }
}

/// How the answer is written to a request that came on `asked` and is bound to a variable.
pub(in crate::fuzz) fn written_topic(answer: &str, asked: &str, variable: &str, written: &str) -> Option<String> {
    if answer_topic(asked, None) != answer {
        return None;
    }
    // Only the number is not known before.
    let number = match asked.strip_prefix("/ext/rrpc/") {
        Some(rest) => rest.split('/').next()?,
        None => asked.rsplit('/').next()?,
    };
    Some(written.replace(&format!("/{number}"), &format!("/{variable}.call")))
}

#[cfg(test)]
mod tests {
    use super::{answer_topic, written_topic};

    #[test]
    fn answers_name_their_calls() {
        let system = "/sys/p/d/rrpc/request/1001";
        let custom = "/ext/rrpc/1001/p/d/user/get";
        assert_eq!(answer_topic(system, None), "/sys/p/d/rrpc/response/1001");
        assert_eq!(answer_topic(custom, None), custom);
        assert_eq!(answer_topic(system, Some("7")), "/sys/p/d/rrpc/response/7");
        assert_eq!(answer_topic(custom, Some("7")), "/ext/rrpc/7/p/d/user/get");
        let written = "/sys/$a.product_key/$a.device_name/rrpc/response/1001";
        assert_eq!(
            written_topic("/sys/p/d/rrpc/response/1001", system, "$m1", written).as_deref(),
            Some("/sys/$a.product_key/$a.device_name/rrpc/response/$m1.call")
        );
        assert_eq!(written_topic("/sys/p/d/rrpc/response/7", system, "$m1", written), None);
    }
}
