//! The status that a pod reports.

use super::*;
use crate::facts::Ended;
use expect_test::{Expect, expect};
use k8s_openapi::api::core::v1::{Container, PodSpec};

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_767_225_600 + second).unwrap()
}

fn facts(role: Role, name: &str) -> Facts {
    let container = Container {
        name: name.to_owned(),
        ..Container::default()
    };
    Facts::new(&container, role, role != Role::App)
}

fn running(mut facts: Facts) -> Facts {
    facts.state = State::Running { since: at(0) };
    facts.started = true;
    facts.ready = true;
    facts
}

fn ended(mut facts: Facts, code: i32) -> Facts {
    facts.state = State::Ended(Ended {
        code,
        signal: None,
        reason: if code == 0 { "Completed" } else { "Error" }.to_owned(),
        message: None,
        started_at: Some(at(0)),
        finished_at: at(3),
        id: String::new(),
    });
    facts
}

fn pod(policy: &str) -> Pod {
    let spec = PodSpec {
        restart_policy: Some(policy.to_owned()),
        ..PodSpec::default()
    };
    Pod {
        spec: Some(spec),
        ..Pod::default()
    }
}

fn around() -> Circumstances {
    Circumstances {
        host_ip: "127.32.0.11".to_owned(),
        pod_ip: Some("127.32.128.2".to_owned()),
        started_at: Some(at(0)),
        ..Circumstances::default()
    }
}

#[test]
fn phases_follow_the_containers() {
    let app = || facts(Role::App, "a");
    let init = || facts(Role::Init, "i");
    for (policy, pod_facts, expected) in [
        ("Always", vec![app()], "Pending"),
        ("Always", vec![running(app())], "Running"),
        (
            "Always",
            vec![running(app()), facts(Role::App, "b")],
            "Pending",
        ),
        ("Always", vec![ended(app(), 0)], "Running"),
        ("Always", vec![ended(app(), 1)], "Running"),
        ("OnFailure", vec![ended(app(), 0)], "Succeeded"),
        ("OnFailure", vec![ended(app(), 1)], "Running"),
        ("Never", vec![ended(app(), 0)], "Succeeded"),
        ("Never", vec![ended(app(), 1)], "Failed"),
        (
            "Never",
            vec![ended(app(), 1), running(facts(Role::App, "b"))],
            "Running",
        ),
        ("Always", vec![running(init()), app()], "Pending"),
        ("Never", vec![ended(init(), 1), app()], "Failed"),
        ("Always", vec![ended(init(), 1), app()], "Pending"),
        ("Always", vec![ended(init(), 0), running(app())], "Running"),
        (
            "Never",
            vec![running(facts(Role::Sidecar, "s")), ended(app(), 0)],
            "Running",
        ),
        (
            "Never",
            vec![ended(facts(Role::Sidecar, "s"), 137), ended(app(), 0)],
            "Succeeded",
        ),
    ] {
        let status = status(at(9), &pod(policy), &pod_facts, &around());
        assert_eq!(
            status.phase.as_deref(),
            Some(expected),
            "{policy} {pod_facts:?}"
        );
    }
}

fn conditions(status: &PodStatus) -> String {
    let list = status.conditions.iter().flatten();
    list.map(|c| {
        let reason = c.reason.as_deref().unwrap_or("-");
        let message = c.message.as_deref().unwrap_or("-");
        let since = c.last_transition_time.as_ref().unwrap().0;
        format!("{} {} {reason} {message} {since}\n", c.type_, c.status)
    })
    .collect()
}

fn check(pod: &Pod, facts: &[Facts], expected: &Expect) {
    expected.assert_eq(&conditions(&status(at(9), pod, facts, &around())));
}

#[test]
fn conditions_say_why_not() {
    check(
        &pod("Always"),
        &[facts(Role::Init, "i"), facts(Role::App, "a")],
        &expect![[r#"
            PodReadyToStartContainers True - - 2026-01-01T00:00:09Z
            Initialized False ContainersNotInitialized containers with incomplete status: [i] 2026-01-01T00:00:09Z
            Ready False ContainersNotReady containers with unready status: [a] 2026-01-01T00:00:09Z
            ContainersReady False ContainersNotReady containers with unready status: [a] 2026-01-01T00:00:09Z
            PodScheduled True - - 2026-01-01T00:00:09Z
        "#]],
    );
    check(
        &pod("Never"),
        &[ended(facts(Role::App, "a"), 0)],
        &expect![[r#"
            PodReadyToStartContainers False - - 2026-01-01T00:00:09Z
            Initialized True PodCompleted - 2026-01-01T00:00:09Z
            Ready False PodCompleted - 2026-01-01T00:00:09Z
            ContainersReady False PodCompleted - 2026-01-01T00:00:09Z
            PodScheduled True - - 2026-01-01T00:00:09Z
        "#]],
    );
}

#[test]
fn a_condition_keeps_its_time_until_it_changes_and_others_are_kept() {
    let mut pod = pod("Always");
    let mut first = status(at(1), &pod, &[facts(Role::App, "a")], &around());
    first
        .conditions
        .as_mut()
        .unwrap()
        .push(k8s_openapi::api::core::v1::PodCondition {
            type_: "example.com/mine".to_owned(),
            status: "True".to_owned(),
            last_transition_time: Some(Time(at(0))),
            ..Default::default()
        });
    pod.status = Some(first);
    check(
        &pod,
        &[running(facts(Role::App, "a"))],
        &expect![[r#"
            example.com/mine True - - 2026-01-01T00:00:00Z
            PodReadyToStartContainers True - - 2026-01-01T00:00:01Z
            Initialized True - - 2026-01-01T00:00:01Z
            Ready True - - 2026-01-01T00:00:09Z
            ContainersReady True - - 2026-01-01T00:00:09Z
            PodScheduled True - - 2026-01-01T00:00:01Z
        "#]],
    );
}

#[test]
fn a_terminal_phase_stays() {
    let mut pod = pod("Never");
    pod.status = Some(status(
        at(1),
        &pod,
        &[ended(facts(Role::App, "a"), 1)],
        &around(),
    ));
    let later = status(at(2), &pod, &[running(facts(Role::App, "a"))], &around());
    assert_eq!(later.phase.as_deref(), Some("Failed"));
}

#[test]
fn a_deadline_fails_the_pod_with_its_reason() {
    let failed = Some(("DeadlineExceeded".to_owned(), "too long".to_owned()));
    let around = Circumstances { failed, ..around() };
    let status = status(
        at(2),
        &pod("Never"),
        &[running(facts(Role::App, "a"))],
        &around,
    );
    assert_eq!(status.phase.as_deref(), Some("Failed"));
    assert_eq!(status.reason.as_deref(), Some("DeadlineExceeded"));
}
