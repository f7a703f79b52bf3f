//! The faults, one file a theme.

mod acknowledge;
mod alias;
mod authenticate;
mod connect;
mod device;
mod exactly_once;
mod flow;
mod identifiers;
mod keep_alive;
mod malformed;
mod malformed_connect;
mod matching;
mod platform;
mod properties;
mod publish;
mod retain;
mod session;
mod shared;
mod subscribe;
mod tolerance;
mod will;
mod wire;

use super::catalogue::Theme;

/// All themes, in the order in which they are listed.
pub(super) static THEMES: &[Theme] = &[
    Theme { name: "connect", faults: connect::FAULTS },
    Theme { name: "authentication", faults: authenticate::FAULTS },
    Theme { name: "session", faults: session::FAULTS },
    Theme { name: "keep alive", faults: keep_alive::FAULTS },
    Theme { name: "subscribe", faults: subscribe::FAULTS },
    Theme { name: "shared subscriptions", faults: shared::FAULTS },
    Theme { name: "matching", faults: matching::FAULTS },
    Theme { name: "publish", faults: publish::FAULTS },
    Theme { name: "acknowledge", faults: acknowledge::FAULTS },
    Theme { name: "exactly once", faults: exactly_once::FAULTS },
    Theme { name: "flow", faults: flow::FAULTS },
    Theme { name: "properties", faults: properties::FAULTS },
    Theme { name: "subscription identifiers", faults: identifiers::FAULTS },
    Theme { name: "alias", faults: alias::FAULTS },
    Theme { name: "retain", faults: retain::FAULTS },
    Theme { name: "will", faults: will::FAULTS },
    Theme { name: "wire", faults: wire::FAULTS },
    Theme { name: "malformed CONNECT", faults: malformed_connect::FAULTS },
    Theme { name: "malformed packets", faults: malformed::FAULTS },
    Theme { name: "tolerance", faults: tolerance::FAULTS },
    Theme { name: "platform", faults: platform::FAULTS },
    Theme { name: "devices", faults: device::FAULTS },
];
