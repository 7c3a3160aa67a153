//! Protocol buffers, as much of them as Kubernetes' generated code writes.
//!
//! Fields that are not optional are written even when empty, in the order of their numbers: so do the
//! `generated.pb.go` files of Kubernetes (v1.36), and bytes can be compared with theirs.

/// What begins every answer. Upstream: apimachinery/pkg/runtime/serializer/protobuf.
const PREFIX: &[u8] = b"k8s\0";

const VARINT: u8 = 0;
const BYTES: u8 = 2;

pub(super) fn varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value.to_le_bytes()[0] | 0x80);
        value >>= 7;
    }
    out.push(value.to_le_bytes()[0]);
}

/// A number; negative ones take ten bytes.
pub(super) fn number(out: &mut Vec<u8>, field: u8, value: i64) {
    out.push(field << 3 | VARINT);
    varint(out, value.cast_unsigned());
}

pub(super) fn text(out: &mut Vec<u8>, field: u8, value: &str) {
    out.push(field << 3 | BYTES);
    varint(out, value.len() as u64);
    out.extend_from_slice(value.as_bytes());
}

/// A message within: `write` writes its fields.
pub(super) fn message(out: &mut Vec<u8>, field: u8, write: impl FnOnce(&mut Vec<u8>)) {
    out.push(field << 3 | BYTES);
    let start = out.len();
    // Most messages are shorter than 128 bytes; longer ones make room for their length afterwards.
    out.push(0);
    write(out);
    let length = out.len() - start - 1;
    let mut prefix = Vec::with_capacity(5);
    varint(&mut prefix, length as u64);
    out.splice(start..=start, prefix);
}

/// The whole answer around a message of this type. Upstream: runtime.Unknown.
pub(super) fn enveloped(api_version: &str, kind: &str, message_bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(message_bytes.len() + 64);
    out.extend_from_slice(PREFIX);
    message(&mut out, 1, |out| {
        text(out, 1, api_version);
        text(out, 2, kind);
    });
    out.push(2 << 3 | BYTES);
    varint(&mut out, message_bytes.len() as u64);
    out.extend_from_slice(message_bytes);
    // Content encoding and content type: none.
    text(&mut out, 3, "");
    text(&mut out, 4, "");
    out
}

/// `metav1.ListMeta` with nothing in it.
pub(super) fn empty_list_meta(out: &mut Vec<u8>) {
    message(out, 1, |out| {
        for field in 1..=3 {
            text(out, field, "");
        }
    });
}
