//! What a pod needs next, for every state of its containers.

use super::*;
use crate::facts::Ended;
use k8s_openapi::api::core::v1::Container;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_000_000 + second).unwrap()
}

fn facts(role: Role, name: &str) -> Facts {
    let container = Container {
        name: name.to_owned(),
        ..Container::default()
    };
    Facts::new(&container, role, false)
}

fn running(mut facts: Facts) -> Facts {
    facts.state = State::Running { since: at(0) };
    facts.started = true;
    facts
}

fn ended(mut facts: Facts, code: i32, second: i64) -> Facts {
    facts.state = State::Ended(Ended {
        code,
        signal: None,
        reason: "Error".to_owned(),
        message: None,
        started_at: Some(at(0)),
        finished_at: at(second),
        id: String::new(),
    });
    facts
}

fn steps(policy: &str, facts: &[Facts]) -> Vec<Step> {
    plan(at(5), Some(policy), facts, Wish::Run).steps
}

#[test]
fn containers_of_a_new_pod_start_together() {
    let pod = [facts(Role::App, "a"), facts(Role::App, "b")];
    assert_eq!(steps("Always", &pod), [Step::Start(0), Step::Start(1)]);
}

#[test]
fn init_containers_run_one_after_the_other() {
    let [first, second, app] = [
        facts(Role::Init, "1"),
        facts(Role::Init, "2"),
        facts(Role::App, "a"),
    ];
    let pod = |f: Facts, s: Facts| [f, s, app.clone()];
    assert_eq!(
        steps("Always", &pod(first.clone(), second.clone())),
        [Step::Start(0)]
    );
    assert_eq!(
        steps("Always", &pod(running(first.clone()), second.clone())),
        []
    );
    let done = ended(first, 0, 1);
    assert_eq!(
        steps("Always", &pod(done.clone(), second.clone())),
        [Step::Start(1)]
    );
    assert_eq!(
        steps("Always", &pod(done, ended(second, 0, 2))),
        [Step::Start(2)]
    );
}

#[test]
fn a_failed_init_container_is_tried_again_unless_the_policy_is_never() {
    let pod = [ended(facts(Role::Init, "1"), 1, 4), facts(Role::App, "a")];
    assert_eq!(steps("Always", &pod), [Step::Start(0)]);
    assert_eq!(steps("OnFailure", &pod), [Step::Start(0)]);
    let never = plan(at(5), Some("Never"), &pod, Wish::Run);
    assert_eq!((never.steps, never.over), (vec![], true));
}

#[test]
fn a_sidecar_starts_before_the_app_and_ends_after_it() {
    let sidecar = facts(Role::Sidecar, "s");
    let app = facts(Role::App, "a");
    assert_eq!(
        steps("Never", &[sidecar.clone(), app.clone()]),
        [Step::Start(0)]
    );
    let up = running(sidecar);
    assert_eq!(steps("Never", &[up.clone(), app.clone()]), [Step::Start(1)]);
    let done = [up, ended(app, 0, 3)];
    let kill = Step::Kill(0, "Stopping container s".to_owned());
    assert_eq!(steps("Never", &done), [kill]);
}

#[test]
fn a_restart_waits_for_its_pause() {
    let mut app = ended(facts(Role::App, "a"), 1, 4);
    assert_eq!(
        steps("Always", std::slice::from_ref(&app)),
        [Step::Start(0)]
    );
    app.restart_backoff.grow(at(4), at(4));
    let waiting = plan(at(5), Some("Always"), &[app], Wish::Run);
    assert_eq!(
        (waiting.steps, waiting.wake),
        (vec![Step::BackOff(0)], Some(at(14)))
    );
}

#[test]
fn restart_policies_decide_who_comes_back() {
    for (policy, code, expected) in [
        ("Always", 0, true),
        ("Always", 1, true),
        ("OnFailure", 0, false),
        ("OnFailure", 1, true),
        ("Never", 0, false),
        ("Never", 1, false),
    ] {
        let plan = plan(
            at(5),
            Some(policy),
            &[ended(facts(Role::App, "a"), code, 4)],
            Wish::Run,
        );
        assert_eq!(plan.steps == [Step::Start(0)], expected, "{policy} {code}");
        assert_eq!(plan.over, !expected, "{policy} {code}");
    }
}

#[test]
fn a_failed_probe_kills_and_says_so() {
    let mut app = running(facts(Role::App, "a"));
    app.doomed = Some(Doom::Liveness);
    let said = "Container a failed liveness probe, will be restarted".to_owned();
    assert_eq!(
        steps("Always", std::slice::from_ref(&app)),
        [Step::Kill(0, said)]
    );
    app.stopping = true;
    assert_eq!(steps("Always", &[app]), []);
}

#[test]
fn an_ending_pod_kills_apps_then_sidecars_from_the_last() {
    let pod = [
        running(facts(Role::Sidecar, "s1")),
        running(facts(Role::Sidecar, "s2")),
        running(facts(Role::App, "a")),
    ];
    let kill = |index: usize, name: &str| Step::Kill(index, format!("Stopping container {name}"));
    let end = |pod: &[Facts]| plan(at(5), None, pod, Wish::End);
    assert_eq!(end(&pod).steps, [kill(2, "a")]);
    let [s1, s2, app] = pod;
    let app = ended(app, 0, 5);
    assert_eq!(
        end(&[s1.clone(), s2.clone(), app.clone()]).steps,
        [kill(1, "s2")]
    );
    let s2 = ended(s2, 0, 5);
    assert_eq!(
        end(&[s1.clone(), s2.clone(), app.clone()]).steps,
        [kill(0, "s1")]
    );
    assert!(end(&[ended(s1, 0, 5), s2, app]).over);
}
