//! Names made for objects that bring none.
//!
//! Upstream: apiserver/pkg/storage/names/generate.go (v1.36). `k8s::names` says what a name may
//! look like.

#[cfg(test)]
mod tests;

/// The letters of generated suffixes: no vowels, nothing that looks like another.
const SUFFIX_LETTERS: &[u8; 27] = b"bcdfghjklmnpqrstvwxz2456789";
/// How many letters a generated suffix has.
pub const SUFFIX_LENGTH: usize = 5;
/// How much of `generateName` a generated name keeps.
const GENERATED_BASE: usize = 63 - SUFFIX_LENGTH;

/// Five letters chosen by `random`, as upstream's names and volumes end.
pub fn suffix(random: [u8; SUFFIX_LENGTH]) -> String {
    random.iter().map(|byte| letter(*byte)).collect()
}

fn letter(byte: u8) -> char {
    char::from(SUFFIX_LETTERS[usize::from(byte) % SUFFIX_LETTERS.len()])
}

/// A name that begins with `generateName`. Upstream: simpleNameGenerator.GenerateName.
pub fn generate(base: &str, random: [u8; SUFFIX_LENGTH]) -> String {
    let mut end = base.len().min(GENERATED_BASE);
    while !base.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}{}", &base[..end], suffix(random))
}
