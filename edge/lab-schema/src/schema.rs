//! The graph of types: which fields an object has, and how its lists and maps merge.
//!
//! Names are shared, texts are not kept: the whole of Kubernetes takes a few hundred kilobytes.

mod build;
mod crd;
mod kinds;
mod merge_keys;
#[cfg(test)]
mod tests;

pub(crate) use build::{generate, is_atomic};
pub use crd::CrdSchema;
pub(crate) use kinds::{KINDS, RootKind};
pub(crate) use merge_keys::{MergeFact, MergeFacts, facts};

use std::sync::{Arc, OnceLock};

/// A type's place in its graph.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct TypeId(u32);

/// One type.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Type {
    /// An object with named fields.
    Struct(Struct),
    /// An object whose keys are data.
    Map {
        /// The type of every value.
        value: TypeId,
        /// Owned as a whole in server-side apply.
        atomic: bool,
    },
    /// An array.
    List {
        /// The type of every element.
        items: TypeId,
        /// How two such lists merge in server-side apply.
        merge: ListMerge,
    },
    /// A value without parts.
    Scalar(Scalar),
}

/// An object with named fields.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Struct {
    /// Definition name such as `io.k8s.api.core.v1.PodSpec`; empty in custom resources.
    pub(crate) name: Arc<str>,
    /// Sorted by name.
    pub(crate) fields: Box<[Field]>,
    /// Further fields are kept (`x-kubernetes-preserve-unknown-fields`).
    pub(crate) open: bool,
    /// Owned as a whole in server-side apply.
    pub(crate) atomic: bool,
}

/// One field of a struct.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Field {
    pub(crate) name: Arc<str>,
    pub(crate) type_id: TypeId,
    pub(crate) patch: Strategy,
    /// Written even when empty.
    pub(crate) required: bool,
}

/// How strategic merge patch treats a field. Upstream: the `patchStrategy` and `patchMergeKey` tags.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Strategy {
    /// Lists merge by element, instead of being replaced.
    pub merge: bool,
    /// Maps are replaced, instead of being merged.
    pub replace: bool,
    /// The clients list the keys to keep in `$retainKeys`.
    pub retain_keys: bool,
    /// The field that names an element of a merged list.
    pub merge_key: Option<Arc<str>>,
}

/// How server-side apply merges two lists. Upstream: `x-kubernetes-list-type`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum ListMerge {
    /// One value.
    Atomic,
    /// A set of scalars.
    Set,
    /// Objects named by these keys.
    Map(Arc<[Arc<str>]>),
}

/// A value without parts, as Go decodes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scalar {
    /// A string.
    String,
    /// Base64 text; `[]byte` in Go.
    Bytes,
    /// true or false.
    Bool,
    /// `int32`.
    Int32,
    /// `int64`.
    Int64,
    /// `float64`.
    Float,
    /// `metav1.Time`: seconds.
    Time,
    /// `metav1.MicroTime`.
    MicroTime,
    /// `resource.Quantity`.
    Quantity,
    /// `intstr.IntOrString`.
    IntOrString,
    /// Any JSON, kept as it is.
    Any,
}

/// A graph of types with its roots.
#[derive(Debug, Default)]
pub struct Schema {
    types: Vec<Type>,
    /// Sorted by name.
    roots: Vec<(KindName, TypeId)>,
}

/// Group, version and kind.
type KindName = [Arc<str>; 3];

impl Schema {
    /// The types of every built-in kind; built on first use.
    pub fn builtin() -> &'static Self {
        static BUILTIN: OnceLock<Schema> = OnceLock::new();
        BUILTIN.get_or_init(build::builtin)
    }

    /// The type of a kind.
    pub fn root(&self, group: &str, version: &str, kind: &str) -> Option<TypeRef<'_>> {
        let wanted = [group, version, kind];
        let found = self.roots.binary_search_by(|(name, _)| {
            name.iter().map(|part| &**part).cmp(wanted.iter().copied())
        });
        let (_, id) = self.roots[found.ok()?];
        Some(TypeRef { schema: self, id })
    }

    /// How many types there are.
    pub fn len(&self) -> usize {
        self.types.len()
    }

    /// Whether there are no types.
    pub fn is_empty(&self) -> bool {
        self.types.is_empty()
    }
}

/// A type in its graph.
#[derive(Debug, Clone, Copy)]
pub struct TypeRef<'a> {
    schema: &'a Schema,
    id: TypeId,
}

/// What a type is made of, for walking a value beside it.
#[derive(Debug, Clone, Copy)]
pub enum Shape<'a> {
    /// An object with named fields.
    Struct(StructRef<'a>),
    /// An object whose keys are data; the type of every value; whether it is owned as a whole.
    Map(TypeRef<'a>, bool),
    /// An array: the type of every element, and how two of them merge.
    List(TypeRef<'a>, &'a ListMerge),
    /// A value without parts.
    Scalar(Scalar),
}

/// An object type with named fields.
#[derive(Debug, Clone, Copy)]
pub struct StructRef<'a> {
    schema: &'a Schema,
    inner: &'a Struct,
}

/// A field of an object type.
#[derive(Debug, Clone, Copy)]
pub struct FieldRef<'a> {
    /// The field's type.
    pub of: TypeRef<'a>,
    /// How strategic merge patch treats it.
    pub patch: &'a Strategy,
    /// Whether objects must have it.
    pub required: bool,
}

impl<'a> TypeRef<'a> {
    /// What the type is made of.
    pub fn shape(self) -> Shape<'a> {
        let of = |id| TypeRef {
            schema: self.schema,
            id,
        };
        match &self.schema.types[self.id.0 as usize] {
            Type::Struct(inner) => Shape::Struct(StructRef {
                schema: self.schema,
                inner,
            }),
            Type::Map { value, atomic } => Shape::Map(of(*value), *atomic),
            Type::List { items, merge } => Shape::List(of(*items), merge),
            Type::Scalar(scalar) => Shape::Scalar(*scalar),
        }
    }

    /// The type of a field (of a struct) or of every value (of a map).
    pub fn child(self, name: &str) -> Option<Self> {
        match self.shape() {
            Shape::Struct(object) => object.field(name).map(|f| f.of),
            Shape::Map(value, _) => Some(value),
            _ => None,
        }
    }

    /// The type of a list's elements.
    pub fn items(self) -> Option<Self> {
        match self.shape() {
            Shape::List(items, _) => Some(items),
            _ => None,
        }
    }
}

impl<'a> StructRef<'a> {
    /// Definition name such as `io.k8s.api.core.v1.PodSpec`; empty in custom resources.
    pub fn definition(self) -> &'a str {
        &self.inner.name
    }

    /// The Go type's name, as error texts have it: `PodSpec`.
    pub fn go_name(self) -> &'a str {
        self.inner.name.rsplit('.').next().unwrap_or_default()
    }

    /// Whether unknown fields are kept.
    pub fn is_open(self) -> bool {
        self.inner.open
    }

    /// Whether server-side apply owns it as a whole.
    pub fn is_atomic(self) -> bool {
        self.inner.atomic
    }

    /// A field by its JSON name.
    pub fn field(self, name: &str) -> Option<FieldRef<'a>> {
        let at = self
            .inner
            .fields
            .binary_search_by(|f| (*f.name).cmp(name))
            .ok()?;
        let field = &self.inner.fields[at];
        Some(FieldRef {
            of: TypeRef {
                schema: self.schema,
                id: field.type_id,
            },
            patch: &field.patch,
            required: field.required,
        })
    }

    /// Every field with its name, in order of names.
    pub fn fields(self) -> impl Iterator<Item = (&'a str, TypeRef<'a>)> {
        let schema = self.schema;
        self.inner.fields.iter().map(move |f| {
            (
                &*f.name,
                TypeRef {
                    schema,
                    id: f.type_id,
                },
            )
        })
    }
}
