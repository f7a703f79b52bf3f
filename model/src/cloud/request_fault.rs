//! What is wrong with a request that means nothing, and how an answer says so.

/// Why a request is refused before anything is done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the messages say what each is")]
pub enum RequestFault {
    #[error("the specified API is not found: {0:?} is no action of this service")]
    UnknownAction(String),
    #[error("{0} is mandatory for this action")]
    Missing(&'static str),
    #[error("the message content is empty")]
    NullMessageContent,
    #[error("{0} is not encoded in Base64")]
    NotBase64(&'static str),
    #[error("the topic is empty")]
    NullTopicName,
    #[error("the topic is not well-formed, or of another product")]
    InvalidTopicName,
    #[error("messages to this topic have an operation of their own")]
    TopicNotFound,
    #[error("the timeout must be 1000 to 8000 milliseconds")]
    InvalidTimeout,
    #[error("the message is larger than {0} bytes")]
    TooLarge(usize),
    #[error("{0} is not valid")]
    InvalidParameter(&'static str),
    #[error("more than {0} devices at once")]
    TooManyDevices(usize),
}

impl RequestFault {
    /// Whether the vendor's front door refuses such a request, before the platform sees it.
    #[must_use]
    pub fn is_at_the_door(&self) -> bool {
        matches!(self, RequestFault::UnknownAction(_) | RequestFault::Missing(_))
    }

    /// The code in an answer (P-API-9, P-RPC-9).
    #[must_use]
    pub fn code(&self) -> String {
        let of_platform = |name: &str| format!("iot.messagebroker.{name}");
        match self {
            RequestFault::UnknownAction(_) => "InvalidAction.NotFound".to_owned(),
            RequestFault::Missing(name) => format!("Missing{}", name.split('.').next().unwrap_or(name)),
            RequestFault::NullMessageContent => of_platform("NullMessageContent"),
            RequestFault::NotBase64(_) => of_platform("MessageContentIsNotBase64Encode"),
            RequestFault::NullTopicName => of_platform("NullTopicName"),
            RequestFault::InvalidTopicName => of_platform("InvalidFormattedTopicName"),
            RequestFault::TopicNotFound => of_platform("TopicTemplateIsNotFound"),
            RequestFault::InvalidTimeout => of_platform("InvalidTimeoutValue"),
            RequestFault::TooLarge(_) | RequestFault::TooManyDevices(_) => of_platform("PublishMessageFailed"),
            RequestFault::InvalidParameter(name) => format!("InvalidParameter.{name}"),
        }
    }

    /// Code and message.
    #[must_use]
    pub fn refusal(&self) -> Refusal {
        Refusal { code: self.code(), message: self.to_string() }
    }
}

/// Code and message, as an answer has them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// `iot.messagebroker.NullTopicName`
    pub code: String,
    /// For people.
    pub message: String,
}
