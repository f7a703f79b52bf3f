//! What the cloud side can do in a walk.

/// What the business server does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CloudDeed {
    /// Asks the API for something, as often as is said, with a number each.
    Ask {
        /// The number of the first request.
        number: u32,
        /// How often.
        times: u32,
        /// The action and its fields, as a case writes them: `Pub: {topic: .., payload: q$N}`. `$N` is the number of each.
        request: String,
    },
    /// Listens to what devices publish.
    Listen,
    /// Does not listen any more.
    Leave,
    /// Says of the oldest message with this payload what became of it.
    Settle {
        /// Of the message.
        payload: Vec<u8>,
        /// It is done with; else it has to come again.
        is_accepted: bool,
    },
}
