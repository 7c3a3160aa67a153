//! CronJobs: a Job at each time that the schedule names.
//!
//! Upstream: pkg/controller/cronjob/cronjob_controllerv2.go (v1.36).

mod plan;
pub(crate) mod schedule;

use crate::engine::cache::ObjectKey;
use crate::engine::queue::Queue;
use crate::engine::writer::Writer;
use crate::engine::{Error, Next, Reconciler};
use crate::hub::{self, Hub, Setup};
use crate::meta;
use crate::replica_set::is_namespace_going;
use jiff::Timestamp;
use k8s_openapi::api::batch::v1::{CronJob, CronJobStatus, Job};
use plan::{Plan, Told};
use runtime::events::Recorder;
use std::sync::Arc;

struct Controller {
    hub: Arc<Hub>,
    cron_jobs: Writer<CronJob>,
    jobs: Writer<Job>,
    events: Recorder,
}

pub(crate) fn start(setup: &mut Setup<'_>) {
    let client = setup.client("cronjob-controller");
    let hub = setup.hub.clone();
    let queue = Arc::new(Queue::default());
    hub::queue_itself(&mut setup.on.cron_jobs, &queue);
    hub::queue_owner(&mut setup.on.jobs, &queue, "CronJob");
    let controller = Controller {
        cron_jobs: Writer::new(client.clone(), hub.cron_jobs.clone()),
        jobs: Writer::new(client.clone(), hub.jobs.clone()),
        events: setup.recorder("cronjob-controller", client),
        hub,
    };
    setup.controller(controller, &queue);
}

impl Reconciler for Controller {
    const NAME: &'static str = "cronjob";

    async fn reconcile(&self, key: &ObjectKey, now: Timestamp) -> Result<Next, Error> {
        let Some(cron_job) = self.hub.cron_jobs.get(key) else {
            return Ok(Next::Done);
        };
        let jobs = self
            .hub
            .jobs
            .controlled_by(&key.namespace, meta::uid(&*cron_job));
        let mut plan = plan::plan(&cron_job, &jobs, now);
        self.tell(&cron_job, &plan.told);
        self.delete(&cron_job, &plan).await?;
        if let Some((job, at)) = plan.create.take() {
            let made = self.create(&cron_job, &job).await?;
            if let Some(made) = made {
                plan::note_start(&mut plan.status, &made, at);
            }
        }
        self.write_status(&cron_job, plan.status).await?;
        Ok(Next::at(plan.look_again, now))
    }
}

impl Controller {
    fn tell(&self, cron_job: &CronJob, told: &[Told]) {
        for told in told {
            if told.warning {
                self.events
                    .warning(cron_job, told.reason, told.message.clone());
            } else {
                self.events
                    .normal(cron_job, told.reason, told.message.clone());
            }
        }
    }

    async fn delete(&self, cron_job: &CronJob, plan: &Plan) -> Result<(), Error> {
        for job in &plan.delete {
            self.jobs.delete(&**job).await?;
            let text = format!("Deleted job {}", meta::name(&**job));
            self.events.normal(cron_job, "SuccessfulDelete", text);
        }
        Ok(())
    }

    /// Makes the job; `None` if its namespace is going.
    async fn create(&self, cron_job: &CronJob, job: &Job) -> Result<Option<Arc<Job>>, Error> {
        match self.jobs.create(job).await {
            Ok(made) => {
                let text = format!("Created job {}", meta::name(&*made));
                self.events.normal(cron_job, "SuccessfulCreate", text);
                Ok(Some(made))
            }
            Err(error) if is_namespace_going(&error) => Ok(None),
            // Made in an earlier pass whose status was not written.
            Err(error) if error.code() == Some(409) => {
                let there = self.jobs.get(&ObjectKey::of(job)).await?;
                let ours = there.filter(|there| meta::is_controlled_by(there, cron_job));
                ours.map(|there| Some(Arc::new(there))).ok_or(error)
            }
            Err(error) => {
                let text = format!("Error creating job: {}", error.text());
                self.events.warning(cron_job, "FailedCreate", text);
                Err(error)
            }
        }
    }

    async fn write_status(&self, cron_job: &CronJob, status: CronJobStatus) -> Result<(), Error> {
        if cron_job.status.clone().unwrap_or_default() == status {
            return Ok(());
        }
        let changed = CronJob {
            status: Some(status),
            ..cron_job.clone()
        };
        self.cron_jobs.update_status(&changed).await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
