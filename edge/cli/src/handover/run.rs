//! Steps, one after the other, until there is none left.

use super::cluster::{Cluster, Deleted, Which};
use super::plan::{Direction, OWN, PLAIN, Progress, Scene, Step, adopt, release};
use anyhow::{Result, bail};
use k8s::own_kind::HANDOVER;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// The pause between two looks while something is waited for.
const PAUSE: Duration = Duration::from_millis(200);
/// More steps than any way has, even if the other controller writes its status in between again and again.
const STEPS_MAX: usize = 50;

/// The object as it is in the end, or why it cannot be done.
pub(super) type Ended = std::result::Result<Value, String>;

/// One handing over.
pub(super) struct Run {
    pub(super) cluster: Cluster,
    pub(super) direction: Direction,
    pub(super) dry_run: bool,
    /// How long the controller is waited for.
    pub(super) patience: Duration,
    /// Tells people of a step.
    pub(super) say: fn(&str),
}

/// What a step led to.
enum After {
    Next,
    End(Ended),
}

impl Run {
    /// Takes all steps.
    pub(super) async fn to_its_end(&self) -> Result<Ended> {
        let mut progress = Progress {
            question: runtime::clock::now().to_string(),
            carried: None,
        };
        let mut made = false;
        for _ in 0..STEPS_MAX {
            let scene = self.cluster.scene().await?;
            let step = match self.direction {
                Direction::Adopt => adopt(&self.cluster.name, &scene, &progress),
                Direction::Release => release(&self.cluster.name, &scene),
            };
            made |= matches!(step, Step::CreateOwn(_)) && !self.dry_run;
            match self.take(step, &scene, &mut progress, made).await? {
                After::Next => {}
                After::End(end) => return Ok(end),
            }
        }
        bail!("the autoscaler changes all the time: nothing was deleted, run it again")
    }

    /// What is told is told of the step that follows it, so that it does not depend on whether there was a wait.
    async fn take(
        &self,
        step: Step,
        scene: &Scene,
        progress: &mut Progress,
        made: bool,
    ) -> Result<After> {
        let name = &self.cluster.name;
        match step {
            Step::Done(object) => return Ok(After::End(Ok(object))),
            Step::No(why) => return Ok(After::End(Err(why))),
            Step::CreateOwn(object) => return self.create(Which::Own, &object).await,
            Step::CreatePlain(object) => return self.create(Which::Plain, &object).await,
            _ if self.dry_run => return Ok(After::End(self.would(scene))),
            Step::Ask(change) => self.cluster.change(&change).await?,
            Step::AwaitAnswer => return self.answer(progress, made).await,
            Step::Carry(change) => {
                if progress.carried.is_none() {
                    (self.say)("the controller has seen it");
                }
                self.cluster.change_status(&change).await?;
                let plain = scene.plain.as_ref();
                let version = plain.and_then(|p| p["metadata"]["resourceVersion"].as_str());
                progress.carried = version.map(str::to_owned);
            }
            Step::DeletePlain => return self.delete(Which::Plain, scene.plain.as_ref()).await,
            Step::DeleteOwn => {
                (self.say)(&format!("{OWN}/{name} stands by"));
                return self.delete(Which::Own, scene.own.as_ref()).await;
            }
            Step::AwaitActing => {
                let acts = |scene: &Scene| adopt(name, scene, progress) != Step::AwaitActing;
                if !self.wait(acts).await? {
                    let why = format!(
                        "{PLAIN}/{name} is gone, and no controller acts on {OWN}/{name} yet: see that evenkeel hpa-controller runs with --serve=evenkeel.dev/v1, or undo it with evenkeel release hpa/{name}"
                    );
                    return Ok(After::End(Err(why)));
                }
            }
            Step::Tidy => {
                (self.say)(&format!("the controller acts on {OWN}/{name}"));
                let nothing = json!({"metadata": {"annotations": {HANDOVER: null}}});
                self.cluster.change(&nothing).await?;
            }
            Step::AwaitYielding => {
                let yields = |scene: &Scene| release(name, scene) != Step::AwaitYielding;
                if !self.wait(yields).await? {
                    // Nobody serves it: then nobody acts on it either.
                    (self.say)(&format!(
                        "no controller says that {OWN}/{name} stands by; deleting it all the same"
                    ));
                    return self.delete(Which::Own, scene.own.as_ref()).await;
                }
            }
        }
        Ok(After::Next)
    }

    async fn create(&self, which: Which, object: &Value) -> Result<After> {
        let name = &self.cluster.name;
        match self.cluster.rivals(object).await? {
            Ok(rivals) if rivals.is_empty() => {}
            Ok(rivals) => {
                let others = rivals.join(", ");
                let why = format!("its target has another autoscaler: {others}");
                return Ok(After::End(Err(why)));
            }
            Err(why) => return Ok(After::End(Err(why))),
        }
        let made = self.cluster.create(which, object, self.dry_run).await?;
        if self.dry_run {
            // What is shown is what would be created: it can be, as it stands.
            return Ok(After::End(Ok(object.clone())));
        }
        (self.say)(&match which {
            Which::Own => format!("created {OWN}/{name}, which stands by"),
            Which::Plain => format!("created {PLAIN}/{name}"),
        });
        drop(made);
        Ok(After::Next)
    }

    /// What there would be in the end.
    fn would(&self, scene: &Scene) -> Ended {
        let object = match self.direction {
            Direction::Adopt => &scene.own,
            Direction::Release => &scene.plain,
        };
        object
            .clone()
            .ok_or_else(|| "nothing is left to do".to_owned())
    }

    /// Waits for the controller's word that it sees ours; without it nothing is deleted but what was just made.
    async fn answer(&self, progress: &Progress, made: bool) -> Result<After> {
        let name = &self.cluster.name;
        let answered = |scene: &Scene| adopt(name, scene, progress) != Step::AwaitAnswer;
        if self.wait(answered).await? {
            return Ok(After::Next);
        }
        let mut why = format!(
            "no controller answered for {OWN}/{name} within {}s: see that evenkeel hpa-controller runs with --serve=evenkeel.dev/v1; {PLAIN}/{name} is as it was",
            self.patience.as_secs()
        );
        let own = self.cluster.scene().await?.own;
        if let Some(own) = own.filter(|_| made) {
            self.cluster.delete(Which::Own, &own, false).await?;
            why.push_str(&format!(", and {OWN}/{name} is deleted again"));
        }
        Ok(After::End(Err(why)))
    }

    async fn delete(&self, which: Which, seen: Option<&Value>) -> Result<After> {
        let name = &self.cluster.name;
        let Some(seen) = seen else {
            return Ok(After::Next);
        };
        let deleted = self
            .cluster
            .delete(which, seen, which == Which::Plain)
            .await?;
        if deleted == Deleted::Yes {
            let kind = if which == Which::Plain { PLAIN } else { OWN };
            (self.say)(&format!("deleted {kind}/{name}"));
        }
        Ok(After::Next)
    }

    /// Looks until something holds; false if it does not in time.
    async fn wait(&self, holds: impl Fn(&Scene) -> bool) -> Result<bool> {
        let deadline = Instant::now() + self.patience;
        loop {
            if holds(&self.cluster.scene().await?) {
                return Ok(true);
            }
            if Instant::now() >= deadline {
                return Ok(false);
            }
            sleep(PAUSE).await;
        }
    }
}
