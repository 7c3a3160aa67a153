//! What generated names keep and add.

use super::generate;

#[test]
fn a_generated_name_keeps_the_base_and_adds_five_letters_of_the_alphabet() {
    assert_eq!(
        generate("backend-app-", [0, 1, 2, 26, 27]),
        "backend-app-bcd9b"
    );
    assert_eq!(generate(&"x".repeat(80), [0; 5]).len(), 63);
}
