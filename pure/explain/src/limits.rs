//! What moved the number between the metrics and the scale.

use crate::words;
use hpa::step::{BoundStep, Past, PolicyStep, RateStep, StabilizeStep};
use hpa::{PolicyKind, SelectPolicy};
use units::Duration;

/// The recommendation that holds the number, for longest: the youngest without which it would be another.
pub(crate) fn holder(step: &StabilizeStep) -> Option<&Past> {
    let holds = |past: &&Past| match step.after.cmp(&step.before) {
        std::cmp::Ordering::Greater => past.replicas >= step.after && step.in_down_window(past),
        std::cmp::Ordering::Less => past.replicas <= step.after && step.in_up_window(past),
        std::cmp::Ordering::Equal => false,
    };
    step.recent.iter().filter(holds).min_by_key(|past| past.age)
}

/// The window that [`holder`] is in.
fn window(step: &StabilizeStep) -> Duration {
    if step.after > step.before {
        step.down_window
    } else {
        step.up_window.unwrap_or(Duration::ZERO)
    }
}

/// `held at 5, as recommended 2m10s ago; the 5m scale-down window lets go of that in 2m50s`.
pub(crate) fn stabilized(step: &StabilizeStep, current: i32) -> Option<String> {
    let past = holder(step)?;
    let after = step.after;
    let delayed =
        (after > step.before && after <= current) || (after < step.before && after >= current);
    let held = match delayed {
        true => "held at",
        false if after > current => "raised to",
        false => "lowered to",
    };
    let by = if past.age <= Duration::from_nanos(1) && step.recent.len() == 1 {
        // The first decision begins with what it finds.
        ", as found when this autoscaler was first looked at".to_owned()
    } else if past.replicas == after {
        format!(", as recommended {}", words::ago(past.age))
    } else {
        format!(
            " by the {} recommended {}",
            past.replicas,
            words::ago(past.age)
        )
    };
    let window = window(step);
    let name = match step.up_window {
        None => "downscale stabilization",
        Some(_) if after > step.before => "scale-down window",
        Some(_) => "scale-up window",
    };
    let rest = words::rest(window, past.age);
    Some(format!(
        "{held} {after}{by}; the {} {name} lets go of that in {rest}",
        words::span(window)
    ))
}

/// The policy whose limit counts; none where scaling is disabled.
pub(crate) fn deciding(step: &RateStep) -> Option<&PolicyStep> {
    let all = step.policies.iter();
    all.filter(|_| step.select != SelectPolicy::Disabled)
        .find(|p| p.limit == step.limit)
}

/// `4 pods per 15s`, `100 % per 15s`.
pub(crate) fn policy(policy: &PolicyStep) -> String {
    let period = words::span(Duration::from_seconds(i64::from(policy.period_seconds)));
    match policy.kind {
        PolicyKind::Percent => format!("{} % per {period}", policy.value),
        PolicyKind::Pods if policy.value == 1 => format!("1 pod per {period}"),
        PolicyKind::Pods => format!("{} pods per {period}", policy.value),
    }
}

/// `3 + 2 = 5`, `3 × 1.1 = 3.3, rounded up to 4`.
pub(crate) fn reach(policy: &PolicyStep, up: bool) -> String {
    let (from, limit) = (policy.start, policy.limit);
    if policy.kind == PolicyKind::Pods {
        let sign = if up { '+' } else { '-' };
        return format!("{from} {sign} {} = {limit}", policy.value);
    }
    let share = f64::from(policy.value) / 100.0;
    let factor = if up { 1.0 + share } else { 1.0 - share };
    let reached = f64::from(from) * factor;
    let product = format!(
        "{from} × {} = {}",
        words::trimmed(format!("{factor:.2}")),
        words::product(reached)
    );
    if reached == f64::from(limit) {
        return product;
    }
    let rounded = if up { "rounded up" } else { "cut" };
    format!("{product}, {rounded} to {limit}")
}

/// `limited to 4 by the policy of 1 pod per 1m`.
pub(crate) fn rate(step: &RateStep, current: i32) -> Option<String> {
    if step.after == step.before {
        return None;
    }
    let verb = if step.after == current {
        "kept at"
    } else {
        "limited to"
    };
    let after = step.after;
    let (direction, bound) = if step.up {
        ("up", "maxReplicas")
    } else {
        ("down", "minReplicas")
    };
    let reachable = if step.up {
        step.limit.max(current)
    } else {
        step.limit.min(current)
    };
    let by_bound = if step.up {
        step.bound <= reachable
    } else {
        step.bound >= reachable
    };
    if by_bound {
        return Some(format!("{verb} {after} by {bound}"));
    }
    let Some(deciding) = deciding(step) else {
        return Some(format!(
            "{verb} {after}, because scaling {direction} is disabled"
        ));
    };
    let mut text = format!(
        "{verb} {after} by the scale-{direction} policy of {}",
        policy(deciding)
    );
    if step.policies.len() > 1 {
        let kind = if step.select == SelectPolicy::Max {
            "most"
        } else {
            "least"
        };
        text.push_str(&format!(
            ", which allows the {kind} of {}",
            step.policies.len()
        ));
    }
    if let Some(more) = allows_more(deciding) {
        text.push_str(&format!(" ({more})"));
    }
    Some(text)
}

/// `2 added within that time, the oldest of which counts for 20s more`.
pub(crate) fn allows_more(policy: &PolicyStep) -> Option<String> {
    let period = Duration::from_seconds(i64::from(policy.period_seconds));
    let rest = words::rest(period, policy.oldest?);
    Some(format!(
        "{} within that time, the oldest of which counts for {rest} more",
        changes(policy)
    ))
}

/// `2 added and 1 removed`.
pub(crate) fn changes(policy: &PolicyStep) -> String {
    let added = (policy.added != 0).then(|| format!("{} added", policy.added));
    let removed = (policy.removed != 0).then(|| format!("{} removed", policy.removed));
    let parts: Vec<String> = added.into_iter().chain(removed).collect();
    if parts.is_empty() {
        "nothing changed".to_owned()
    } else {
        words::listed(&parts)
    }
}

/// `limited to 10 by maxReplicas`.
pub(crate) fn bound(step: &BoundStep, current: i32) -> Option<String> {
    let after = step.after;
    let kept = after == current;
    if after > step.before {
        let verb = if kept {
            "kept at"
        } else if step.before < current {
            "limited to"
        } else {
            "raised to"
        };
        return Some(format!("{verb} {after} by minReplicas"));
    }
    if after == step.before {
        return None;
    }
    let verb = if kept { "kept at" } else { "limited to" };
    if step.up_limit < step.max {
        let most = step.up_limit;
        return Some(format!(
            "{verb} {after}, because without behavior {current} may grow to {most} at most"
        ));
    }
    Some(format!("{verb} {after} by maxReplicas"))
}
