//! Reading query strings.

/// All values of a parameter, decoded.
pub(super) fn values<'q>(query: &'q str, name: &str) -> impl Iterator<Item = String> + use<'q> {
    let name = name.to_owned();
    query.split('&').filter_map(move |pair| {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        (decode(key) == name).then(|| decode(value))
    })
}

/// The first value of a parameter.
pub(super) fn value(query: &str, name: &str) -> Option<String> {
    values(query, name).next()
}

/// Whether a parameter is on.
pub(super) fn is_on(query: &str, name: &str) -> bool {
    value(query, name).is_some_and(|v| matches!(v.as_str(), "true" | "1" | "t" | "T" | "True"))
}

/// `%41` and `+` decoded; what is not an escape stays.
fn decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        let escaped = (*first == b'%')
            .then(|| tail.get(..2))
            .flatten()
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match (escaped, first) {
            (Some(byte), _) => {
                bytes.push(byte);
                rest = tail.get(2..).unwrap_or_default();
            }
            (None, b'+') => {
                bytes.push(b' ');
                rest = tail;
            }
            (None, byte) => {
                bytes.push(*byte);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_decoded_and_the_rest_stays() {
        let query = "command=sh&command=-c&command=echo+a%20%26%26%zz&tty=1&x";
        let words: Vec<String> = values(query, "command").collect();
        assert_eq!(words, ["sh", "-c", "echo a &&%zz"]);
        assert!(is_on(query, "tty") && !is_on(query, "x") && value(query, "y").is_none());
    }
}
