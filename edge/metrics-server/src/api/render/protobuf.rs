//! The same as protocol buffers.
//!
//! Upstream: k8s.io/metrics/pkg/apis/metrics/v1beta1/generated.proto and
//! apimachinery/pkg/apis/meta/v1/generated.proto (v1.36).

use super::super::negotiate::Form;
use super::super::{quantity, wire};
use super::{Item, Kind, Used, Writer};
use jiff::Timestamp;
use usage::Usage;
use usage::rate::NEVER;

/// One answer.
pub(super) struct Protobuf {
    out: Vec<u8>,
    kind: Kind,
    form: Form,
    list: bool,
    /// Seconds since the epoch.
    created: i64,
    quantity: Vec<u8>,
}

impl Protobuf {
    pub(super) fn new(kind: Kind, form: Form, now: Timestamp) -> Self {
        Self {
            out: Vec::with_capacity(1024),
            kind,
            form,
            list: false,
            created: now.as_second(),
            quantity: Vec::new(),
        }
    }

    /// The fields of the item, as the form has it.
    fn fields(&mut self, item: &Item<'_>) {
        let created = self.created;
        let out = &mut self.out;
        wire::message(out, 1, |out| metadata(out, item, created));
        if self.form != Form::Objects {
            return;
        }
        let at = (item.at != NEVER).then_some(item.at / 1_000_000_000);
        time(out, 2, at);
        wire::message(out, 3, |out| wire::number(out, 1, item.window));
        let quantity = &mut self.quantity;
        match item.used {
            Used::Node(used) => usage(out, 4, used, quantity),
            Used::Pod(containers) => {
                for (name, used) in containers {
                    wire::message(out, 4, |out| {
                        wire::text(out, 1, name);
                        usage(out, 2, used, quantity);
                    });
                }
            }
        }
    }
}

impl Writer for Protobuf {
    fn begin_list(&mut self) {
        self.list = true;
        wire::empty_list_meta(&mut self.out);
    }

    fn item(&mut self, item: &Item<'_>) {
        // As `wire::message`, around what writes to the same bytes.
        let start = self.out.len();
        self.fields(item);
        let mut head = vec![2 << 3 | 2];
        wire::varint(&mut head, (self.out.len() - start) as u64);
        self.out.splice(start..start, head);
    }

    fn end_list(&mut self) {}

    fn one(&mut self, item: &Item<'_>) {
        self.fields(item);
    }

    fn finish(self: Box<Self>) -> Vec<u8> {
        let (version, kind) = match self.form {
            Form::Objects | Form::Discovery => ("metrics.k8s.io/v1beta1", self.kind.name()),
            Form::Metadata(version) | Form::Table(version) => (version, "PartialObjectMetadata"),
        };
        let list = if self.list { "List" } else { "" };
        wire::enveloped(version, &format!("{kind}{list}"), &self.out)
    }
}

/// `metav1.ObjectMeta`, with the empty fields that upstream writes, too.
fn metadata(out: &mut Vec<u8>, item: &Item<'_>, created: i64) {
    wire::text(out, 1, item.name);
    wire::text(out, 2, "");
    wire::text(out, 3, item.namespace);
    for field in 4..=6 {
        wire::text(out, field, "");
    }
    wire::number(out, 7, 0);
    time(out, 8, Some(created));
    for (key, value) in item.labels.iter() {
        wire::message(out, 11, |out| {
            wire::text(out, 1, key);
            wire::text(out, 2, value);
        });
    }
}

/// `metav1.Time`: whole seconds; nothing for no time.
fn time(out: &mut Vec<u8>, field: u8, seconds: Option<i64>) {
    wire::message(out, field, |out| {
        if let Some(seconds) = seconds {
            wire::number(out, 1, seconds);
            wire::number(out, 2, 0);
        }
    });
}

/// The map of quantities by resource.
fn usage(out: &mut Vec<u8>, field: u8, used: &Usage, quantity: &mut Vec<u8>) {
    let mut entry = |name: &str, write: &dyn Fn(&mut Vec<u8>)| {
        quantity.clear();
        write(quantity);
        wire::message(out, field, |out| {
            wire::text(out, 1, name);
            wire::message(out, 2, |out| {
                wire::text(out, 1, std::str::from_utf8(quantity).unwrap_or_default());
            });
        });
    };
    entry("cpu", &|out| quantity::nanos(out, used.cpu_nanocores));
    entry("memory", &|out| quantity::bytes(out, used.memory_bytes));
}
