//! When one state explains all that another one does: it has more messages that may come, and none of them must.

use super::delivery::{Delivery, Floating, Forms, Progress, Routing};
use super::rule::Context;
use super::session::Session;
use super::vocabulary::MessageKey;

/// A message on its way, of which two states may know more or less.
trait OnItsWay: PartialEq {
    fn message(&self) -> MessageKey;

    /// Whether it may come or not, and was not seen yet.
    fn is_free(&self) -> bool;

    /// Whether it differs from another one in nothing but that it may come in more forms.
    fn is_wider(&self, narrow: &Self) -> bool;
}

impl Session {
    /// Whether the two differ in nothing but messages that need not come, and this one has all those of the other. None of
    /// these may be taken for another message: which of two is meant can matter for what is owed then.
    #[must_use]
    pub fn covers(&self, context: &Context<'_>, other: &Session) -> bool {
        let (Some(kept), Some(less)) = (&self.kept, &other.kept) else { return false };
        let Session { link, older, refused, kept: _, floating, wills } = self;
        let is_same = (link, older, refused, wills) == (&other.link, &other.older, &other.refused, &other.wills)
            && (kept.ends_at, &kept.subscriptions, &kept.incoming)
                == (less.ends_at, &less.subscriptions, &less.incoming);
        let further =
            || Some([further(&kept.deliveries, &less.deliveries)?, further(floating, &other.floating)?].concat());
        is_same && further().is_some_and(|further| further.into_iter().all(|message| self.is_alone(context, message)))
    }

    /// Whether no other message of this session looks like this one.
    fn is_alone(&self, context: &Context<'_>, message: MessageKey) -> bool {
        let content = |message: MessageKey| {
            let published = context.vocabulary.of(message);
            (published.content_3, published.content_5)
        };
        let (in_3, in_5) = content(message);
        let kept = self.kept.iter().flat_map(|kept| &kept.deliveries).map(|delivery| delivery.message);
        let all = kept.chain(self.floating.iter().map(|floating| floating.message));
        all.map(content).filter(|(other_3, other_5)| *other_3 == in_3 || *other_5 == in_5).count() == 1
    }
}

/// The messages that `more` has beyond `less`, or in more forms; none if it lacks something, or if one of them must come.
fn further<T: OnItsWay>(more: &[T], less: &[T]) -> Option<Vec<MessageKey>> {
    let mut further: Vec<&T> = more.iter().collect();
    for one in less {
        match further.iter().position(|known| *known == one) {
            Some(position) => drop(further.swap_remove(position)),
            None if more.iter().any(|known| known.is_wider(one)) => {}
            None => return None,
        }
    }
    further.iter().all(|one| one.is_free()).then(|| further.into_iter().map(T::message).collect())
}

impl OnItsWay for Delivery {
    fn message(&self) -> MessageKey {
        self.message
    }

    fn is_free(&self) -> bool {
        !self.owed && self.undecided.is_none() && self.progress == Progress::PerhapsSent
    }

    fn is_wider(&self, narrow: &Delivery) -> bool {
        let levelled = || Delivery { forms: self.forms.at_levels_of(&narrow.forms), ..self.clone() };
        self.message == narrow.message
            && narrow.is_free()
            && self.forms.has_levels_of(&narrow.forms)
            && levelled() == *narrow
    }
}

impl OnItsWay for Floating {
    fn message(&self) -> MessageKey {
        self.message
    }

    fn is_free(&self) -> bool {
        self.routing.missed && self.perhaps_sent
    }

    fn is_wider(&self, narrow: &Floating) -> bool {
        let (due, narrow_due) = (&self.routing.due, &narrow.routing.due);
        let levelled = || Floating {
            routing: Routing { due: due.at_levels_of(narrow_due), ..self.routing.clone() },
            ..self.clone()
        };
        self.message == narrow.message && narrow.is_free() && due.has_levels_of(narrow_due) && levelled() == *narrow
    }
}

impl Forms {
    /// The same at the levels of another.
    fn at_levels_of(&self, other: &Forms) -> Forms {
        Forms { qos: other.qos, ..self.clone() }
    }

    /// Whether it has all levels of another.
    fn has_levels_of(&self, other: &Forms) -> bool {
        self.qos.union(other.qos) == self.qos
    }
}
