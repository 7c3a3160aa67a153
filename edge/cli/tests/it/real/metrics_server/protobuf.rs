//! Kubernetes' protocol buffers as text, field by field, without what must differ. No schema is needed: what can be
//! read as a message is one, for both servers alike.

use std::fmt::Write;

const PREFIX: &[u8] = b"k8s\0";
/// Times in seconds and windows in nanoseconds are beyond it; nothing else is.
const LARGE: u64 = 1_000_000_000;

enum Field<'a> {
    Number(u64),
    Bytes(&'a [u8]),
}

/// The text, if these are such bytes.
pub(super) fn dumped(bytes: &[u8]) -> Option<String> {
    let mut text = String::new();
    let fields = fields(bytes.strip_prefix(PREFIX)?)?;
    dump(&mut text, &fields, 0);
    Some(text)
}

fn dump(text: &mut String, fields: &[(u64, Field<'_>)], depth: usize) {
    for (number, field) in fields {
        let _ = write!(text, "{:1$}{number}: ", "", 2 * depth);
        let _ = match field {
            Field::Number(number) if *number > LARGE => writeln!(text, "LARGE"),
            Field::Number(number) => writeln!(text, "{number}"),
            Field::Bytes(bytes) => match self::fields(bytes).filter(|_| !bytes.is_empty()) {
                Some(fields) => {
                    text.push('\n');
                    dump(text, &fields, depth + 1);
                    Ok(())
                }
                None => writeln!(text, "{:?}", word(&String::from_utf8_lossy(bytes))),
            },
        };
    }
}

/// A text, but for quantities, and containers, which upstream has in any order.
fn word(text: &str) -> &str {
    let number = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let quantity = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    match text {
        _ if quantity => "QUANTITY",
        "c0" | "c1" => "CONTAINER",
        other => other,
    }
}

fn fields(mut bytes: &[u8]) -> Option<Vec<(u64, Field<'_>)>> {
    let mut fields = Vec::new();
    while !bytes.is_empty() {
        let key = varint(&mut bytes)?;
        let (number, kind) = (key >> 3, key & 7);
        let field = match kind {
            0 => Field::Number(varint(&mut bytes)?),
            2 => {
                let length = usize::try_from(varint(&mut bytes)?).ok()?;
                let (inside, rest) = bytes.split_at_checked(length)?;
                bytes = rest;
                Field::Bytes(inside)
            }
            _ => return None,
        };
        if number == 0 {
            return None;
        }
        fields.push((number, field));
    }
    Some(fields)
}

fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let (&byte, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(value);
        }
    }
    None
}
