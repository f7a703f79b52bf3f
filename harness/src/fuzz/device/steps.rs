//! What steps of devices need beyond those of clients.

use crate::fuzz::command::Client;
use crate::fuzz::script::{Script, terms_of};
use crate::fuzz::walked::Logged;

impl Script<'_> {
    /// A device that a step names has to be an actor's.
    pub(in crate::fuzz) fn introduce_devices(&mut self) {
        if !self.names.are_of_devices() {
            return;
        }
        let all = self.steps.join("\n");
        let acts = |actor: &str| self.steps.iter().any(|step| step.starts_with(&format!("{actor} ")));
        let is_named = |actor: &str| all.contains(&format!("${actor}.")) || all.contains(&format!("device: {actor}"));
        let strangers = Client::first(Client::MOST).map(Client::actor).filter(|actor| is_named(actor) && !acts(actor));
        let introductions: Vec<String> =
            strangers.flat_map(|actor| [format!("{actor} opens"), format!("{actor} drops")]).collect();
        self.steps.splice(0..0, introductions);
    }

    /// Whether a client logs in later with what a registration has brought.
    pub(in crate::fuzz) fn uses_answer(&self, client: Client, later: &[Logged]) -> bool {
        later.iter().filter(|logged| logged.client == Some(client)).any(|logged| {
            let command = self.walked.commands.get(logged.command).map(|(_, command)| command);
            command.and_then(terms_of).is_some_and(|terms| terms.manner.login.starts_with("answer"))
        })
    }
}
