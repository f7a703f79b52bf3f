//! Whether the broker lives: it is started, asked, and started again when it has died.

use super::Run;
use crate::run::run_error::{MOST_RESTARTS, RunError};
use crate::run::unique::base_36;
use crate::target::{Log, Route, StartCommand, Unreachable, probe};

impl Run<'_> {
    /// Makes sure that there is a peer that speaks MQTT.
    pub(super) async fn prepare(&mut self) -> Result<Route, RunError> {
        let target = self.target;
        target.check_free().await?;
        if let Some(start) = &target.start {
            return self.start(start, &target.route_to_start().map_err(RunError::NoPort)?).await;
        }
        let client_id = self.client_id();
        probe(&target.route, &self.versions, &client_id, &self.conditions.credentials, self.conditions.timeout).await?;
        Ok(target.route.clone())
    }

    async fn start(&mut self, start: &StartCommand, route: &Route) -> Result<Route, RunError> {
        let client_id = self.client_id();
        let log = match self.log.take() {
            Some(log) => log,
            None => Log::create().map_err(RunError::NoLog)?,
        };
        let log = self.log.insert(log);
        let (credentials, within) = (&self.conditions.credentials, self.target.ready_within);
        let started = start.start(route, &self.versions, &client_id, credentials, within, log).await?;
        let route = started.route().clone();
        self.process = Some(started);
        Ok(route)
    }

    /// The peer is dead: starts it again at the same place, so that variants under way need not know.
    pub(super) async fn restart(&mut self, route: &Route) -> Result<(), RunError> {
        let Some(start) = &self.target.start else {
            return Err(RunError::NoTarget);
        };
        self.restarts += 1;
        if self.restarts > MOST_RESTARTS {
            return Err(RunError::TooManyRestarts);
        }
        if let Some(mut process) = self.process.take() {
            process.stop().await;
        }
        self.start(start, route).await?;
        Ok(())
    }

    pub(super) async fn describe_death(&mut self, death: &Unreachable) -> String {
        let end = match &mut self.process {
            Some(process) => process.end().await,
            None => None,
        };
        match end {
            Some(status) => format!("the start command ended with {status}"),
            None => death.to_string(),
        }
    }

    pub(super) fn client_id(&mut self) -> String {
        self.probes += 1;
        format!("{}probe{}", self.nonce, base_36(self.probes as u64))
    }
}
