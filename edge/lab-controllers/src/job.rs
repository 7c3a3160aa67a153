//! Jobs: pods until enough of them have succeeded, or too many have failed.
//!
//! Upstream: pkg/controller/job/job_controller.go, pkg/controller/ttlafterfinished (v1.36).
//! Not here: pod failure policies, success policies, back-off limits per index.

mod backoff;
mod conditions;
mod index;
mod plan;
mod tally;
mod ttl;

use crate::engine::cache::ObjectKey;
use crate::engine::queue::Queue;
use crate::engine::writer::Writer;
use crate::engine::{Error, Next, Reconciler, found};
use crate::hub::{self, Hub, Setup};
use crate::meta;
use crate::replica_set::is_namespace_going;
use futures::future::join_all;
use jiff::Timestamp;
use k8s_openapi::api::batch::v1::{Job, JobStatus};
use k8s_openapi::api::core::v1::Pod;
use plan::{Plan, Told};
use runtime::events::Recorder;
use serde_json::json;
use std::sync::Arc;
use tally::{FINALIZER, Tally, has_finalizer};

pub(crate) use conditions::{finished, finished_at};

struct Controller {
    hub: Arc<Hub>,
    jobs: Writer<Job>,
    pods: Writer<Pod>,
    events: Recorder,
}

pub(crate) fn start(setup: &mut Setup<'_>) {
    let client = setup.client("job-controller");
    let hub = setup.hub.clone();
    let queue = Arc::new(Queue::default());
    hub::queue_itself(&mut setup.on.jobs, &queue);
    hub::queue_owner(&mut setup.on.pods, &queue, "Job");
    let controller = Controller {
        jobs: Writer::new(client.clone(), hub.jobs.clone()),
        pods: Writer::new(client.clone(), hub.pods.clone()),
        events: setup.recorder("job-controller", client),
        hub,
    };
    setup.controller(controller, &queue);
    ttl::start(setup);
}

impl Reconciler for Controller {
    const NAME: &'static str = "job";

    async fn reconcile(&self, key: &ObjectKey, now: Timestamp) -> Result<Next, Error> {
        let Some(job) = self.hub.jobs.get(key) else {
            self.free_orphans(key).await?;
            return Ok(Next::Done);
        };
        let pods = self
            .hub
            .pods
            .controlled_by(&key.namespace, meta::uid(&*job));
        if finished(&job).is_some() {
            self.free(&pods).await?;
            return Ok(Next::Done);
        }
        let tally = Tally::new(&job, &pods);
        if !tally.fresh.is_empty() {
            // Written down before the finalizers go, so that no end is forgotten or counted twice.
            self.write_status(&job, tally.noted(&job)).await?;
        }
        self.free(&tally.to_free).await?;
        let plan = plan::plan(&job, &pods, &tally, now);
        let failure = self.carry_out(&job, &plan).await.err();
        let owned = self
            .hub
            .pods
            .controlled_by(&key.namespace, meta::uid(&*job));
        let status = plan.status(&owned);
        // The note above made the held copy older than the server's.
        let held = self.hub.jobs.get(key).unwrap_or(job);
        self.write_status(&held, status).await?;
        self.tell(&held, &plan.told);
        match failure {
            Some(error) => Err(error),
            None => Ok(Next::at(plan.look_again, now)),
        }
    }
}

impl Controller {
    /// Takes our finalizer off pods.
    async fn free(&self, pods: &[Arc<Pod>]) -> Result<(), Error> {
        for pod in pods.iter().filter(|pod| has_finalizer(pod)) {
            let key = ObjectKey::of(&**pod);
            let patch = json!({"metadata": {"$deleteFromPrimitiveList/finalizers": [FINALIZER]}});
            found(self.pods.patch(&key, &patch).await)?;
        }
        Ok(())
    }

    /// The pods of a job that has gone must not stay for our sake.
    async fn free_orphans(&self, key: &ObjectKey) -> Result<(), Error> {
        let mut pods = self.hub.pods.in_namespace(&key.namespace);
        pods.retain(|pod| hub::owner_key(&**pod, "Job").as_ref() == Some(key));
        self.free(&pods).await
    }

    async fn carry_out(&self, job: &Job, plan: &Plan) -> Result<(), Error> {
        let deletions = plan.delete.iter().map(|pod| self.delete(job, pod));
        join_all(deletions)
            .await
            .into_iter()
            .collect::<Result<(), Error>>()?;
        let creations = plan.create.iter().map(|pod| self.create(job, pod));
        join_all(creations).await.into_iter().collect()
    }

    async fn create(&self, job: &Job, pod: &Pod) -> Result<(), Error> {
        match self.pods.create(pod).await {
            Ok(made) => {
                let text = format!("Created pod: {}", meta::name(&*made));
                self.events.normal(job, "SuccessfulCreate", text);
                Ok(())
            }
            Err(error) if is_namespace_going(&error) => Ok(()),
            Err(error) => {
                let text = format!("Error creating: {}", error.text());
                self.events.warning(job, "FailedCreate", text);
                Err(error)
            }
        }
    }

    async fn delete(&self, job: &Job, pod: &Arc<Pod>) -> Result<(), Error> {
        self.pods.delete(&**pod).await?;
        let text = format!("Deleted pod: {}", meta::name(&**pod));
        self.events.normal(job, "SuccessfulDelete", text);
        Ok(())
    }

    async fn write_status(&self, job: &Job, status: JobStatus) -> Result<(), Error> {
        if job.status.as_ref() == Some(&status) {
            return Ok(());
        }
        let changed = Job {
            status: Some(status),
            ..job.clone()
        };
        self.jobs.update_status(&changed).await?;
        Ok(())
    }

    fn tell(&self, job: &Job, told: &[Told]) {
        for told in told {
            if told.warning {
                self.events.warning(job, told.reason, told.message.clone());
            } else {
                self.events.normal(job, told.reason, told.message.clone());
            }
        }
    }
}

#[cfg(test)]
mod tests;
