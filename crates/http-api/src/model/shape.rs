//! Shapes: what a value looks like, where its members are bound and what they must satisfy.

use super::pattern::Pattern;

/// A shape's place in the model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct ShapeId(pub(super) usize);

/// One shape of a model.
#[derive(Debug)]
pub(crate) struct Shape {
    pub(crate) kind: Kind,
    /// Its value must not be repeated in a message.
    pub(crate) is_sensitive: bool,
}

/// What kind of value a shape is, with the constraints of that kind.
#[derive(Debug)]
pub(crate) enum Kind {
    Structure(Structure),
    List {
        member: ShapeId,
        size: Bounds<u64>,
    },
    Map {
        key: ShapeId,
        value: ShapeId,
        size: Bounds<u64>,
    },
    /// `values` is the enum's value set; empty when any text will do. The length counts characters.
    Text {
        length: Bounds<u64>,
        pattern: Option<Pattern>,
        values: Vec<String>,
    },
    /// The length counts bytes.
    Blob {
        length: Bounds<u64>,
    },
    Boolean,
    /// 32 bits.
    Integer {
        range: Bounds<i64>,
    },
    /// 64 bits.
    Long {
        range: Bounds<i64>,
    },
    Double {
        range: Bounds<f64>,
    },
    Timestamp,
}

/// A structure's members in the order of their names.
#[derive(Debug, Default)]
pub(crate) struct Structure {
    pub(crate) members: Vec<Member>,
    /// The member that is the whole HTTP body.
    pub(crate) payload: Option<String>,
}

impl Structure {
    pub(crate) fn payload_member(&self) -> Option<&Member> {
        let name = self.payload.as_deref()?;
        self.members.iter().find(|member| member.name == name)
    }

    /// Members that travel in a JSON object as the body.
    pub(crate) fn body_members(&self) -> impl Iterator<Item = &Member> {
        self.members.iter().filter(|m| matches!(m.location, Location::Body) && Some(&m.name) != self.payload.as_ref())
    }
}

/// One member of a structure.
#[derive(Debug)]
pub(crate) struct Member {
    pub(crate) name: String,
    pub(crate) shape: ShapeId,
    pub(crate) is_required: bool,
    pub(crate) location: Location,
    /// A header that holds JSON text in base64.
    pub(crate) is_json_value: bool,
}

/// Where a member travels.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Location {
    Body,
    /// The label's name.
    Path(String),
    /// The parameter's name.
    Query(String),
    /// The header's name.
    Header(String),
    StatusCode,
}

/// An inclusive range, open where the model says nothing.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Bounds<T> {
    pub(crate) min: Option<T>,
    pub(crate) max: Option<T>,
}
