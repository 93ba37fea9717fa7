//! The facts of AWS's own API models: operations, routes, shapes, constraints and errors.
//!
//! Three models (iot, iot-data, iot-jobs-data) are read into one arena at start and never change. Nothing here knows
//! HTTP or an operation's meaning.

mod pattern;
mod read;
mod shape;

use std::collections::HashMap;

pub use read::ModelError;
pub(crate) use shape::{Bounds, Kind, Location, Member, Shape, ShapeId, Structure};

/// All operations and shapes of all three models.
pub(crate) struct Model {
    shapes: Vec<Shape>,
    operations: Vec<Operation>,
    error_statuses: HashMap<String, u16>,
}

impl Model {
    /// Reads the models that are built into the program.
    pub(crate) fn load() -> Result<Self, ModelError> {
        read::read(&[
            (Api::Control, include_str!("../../model/iot.json")),
            (Api::Data, include_str!("../../model/iot-data.json")),
            (Api::JobsData, include_str!("../../model/iot-jobs-data.json")),
        ])
    }

    #[cfg(test)]
    pub(crate) fn from_text(text: &str) -> Result<Self, ModelError> {
        read::read(&[(Api::Control, text)])
    }

    pub(crate) fn operations(&self) -> impl Iterator<Item = (OperationId, &Operation)> {
        self.operations.iter().enumerate().map(|(index, operation)| (OperationId(index), operation))
    }

    pub(crate) fn operation(&self, id: OperationId) -> &Operation {
        self.operations.get(id.0).expect("an operation id comes from this model, which never shrinks")
    }

    pub(crate) fn find(&self, api: Api, name: &str) -> Option<OperationId> {
        self.operations().find(|(_, o)| o.api == api && o.name == name).map(|(id, _)| id)
    }

    pub(crate) fn shape(&self, id: ShapeId) -> &Shape {
        self.shapes.get(id.0).expect("a shape id comes from this model, which never shrinks")
    }

    /// The structure behind an operation's input or output.
    pub(crate) fn structure(&self, id: Option<ShapeId>) -> Option<&Structure> {
        match &self.shape(id?).kind {
            Kind::Structure(structure) => Some(structure),
            _ => None,
        }
    }

    /// The HTTP status that the models give to an error's name.
    pub(crate) fn error_status(&self, name: &str) -> Option<u16> {
        self.error_statuses.get(name).copied()
    }
}

/// Which of the three models an operation stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Api {
    /// `iot`, the control plane.
    Control,
    /// `iot-data`.
    Data,
    /// `iot-jobs-data`.
    JobsData,
}

impl Api {
    /// The model's name, as the AWS CLI spells it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Control => "iot",
            Self::Data => "iot-data",
            Self::JobsData => "iot-jobs-data",
        }
    }
}

/// An operation's place in the [`Model`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct OperationId(usize);

/// One operation: where it is asked for, what goes in, what comes out and how it may fail.
#[derive(Debug)]
pub(crate) struct Operation {
    pub(crate) api: Api,
    pub(crate) name: String,
    pub(crate) method: http::Method,
    /// The path, such as `/things/{thingName}`; `{x+}` is a greedy label.
    pub(crate) template: String,
    pub(crate) input: Option<ShapeId>,
    pub(crate) output: Option<ShapeId>,
    /// The status of a success.
    pub(crate) status: u16,
    /// The names and HTTP statuses of the errors that it lists.
    pub(crate) errors: Vec<(String, u16)>,
}

impl Operation {
    /// The first of `names` that this operation lists among its errors.
    pub(crate) fn listed(&self, names: &[&'static str]) -> Option<&'static str> {
        names.iter().copied().find(|name| self.errors.iter().any(|(listed, _)| listed == name))
    }
}
