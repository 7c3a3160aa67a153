//! The groups and names of users.

use super::{User, split_service_account};

#[test]
fn a_service_account_belongs_to_its_three_groups() {
    let user = User::service_account("eks-work", "builder", "u1");
    assert_eq!(user.name, "system:serviceaccount:eks-work:builder");
    assert_eq!(
        user.groups,
        [
            "system:serviceaccounts",
            "system:serviceaccounts:eks-work",
            "system:authenticated"
        ]
    );
}

#[test]
fn only_a_known_user_becomes_authenticated() {
    assert!(
        User::new("jane", &["dev"])
            .authenticated()
            .in_group("system:authenticated")
    );
    assert!(
        !User::anonymous()
            .authenticated()
            .in_group("system:authenticated")
    );
    assert_eq!(
        User::new("jane", &[])
            .authenticated()
            .authenticated()
            .groups
            .len(),
        1
    );
}

#[test]
fn user_names_of_service_accounts_split_and_others_do_not() {
    assert_eq!(
        split_service_account("system:serviceaccount:a:b"),
        Some(("a", "b"))
    );
    for bad in [
        "system:serviceaccount:a",
        "system:serviceaccount::b",
        "jane",
        "system:serviceaccount:a:b:c",
    ] {
        assert_eq!(split_service_account(bad), None, "{bad}");
    }
}
