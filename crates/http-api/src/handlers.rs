//! The table of handlers: which operations of the models are served, and by what.

use std::collections::HashMap;

use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::bind::Gathered;
use crate::bind::answer::Answer;
use crate::error::ApiError;
use crate::model::{Api, Model, ModelError, OperationId};
use crate::services::{Call, Permissions};

/// Answers one operation's calls. It may block.
pub(crate) type Handler = Box<dyn Fn(&Call<'_>, Gathered) -> Result<Answer, ApiError> + Send + Sync>;

/// What IoT policies must allow a device that calls an operation with this input.
pub(crate) type Permission<I> = fn(&Call<'_>, &I) -> Permissions;

/// Every operation that is served.
pub(crate) struct Handlers<'m> {
    model: &'m Model,
    table: HashMap<OperationId, Handler>,
    unknown: Option<ModelError>,
}

impl<'m> Handlers<'m> {
    pub(crate) fn new(model: &'m Model) -> Self {
        Self { model, table: HashMap::new(), unknown: None }
    }

    /// Serves an operation of the control plane by a function from its input to its output.
    pub(crate) fn control<I, O>(&mut self, name: &str, run: fn(&Call<'_>, I) -> Result<O, ApiError>)
    where
        I: DeserializeOwned + 'static,
        O: Serialize + 'static,
    {
        self.members(Api::Control, name, None, run);
    }

    /// Serves an operation of the data plane likewise. Devices, who are known by their certificates, may call it if it
    /// has a permission and their policies allow that.
    pub(crate) fn data<I, O>(
        &mut self,
        name: &str,
        permission: Option<Permission<I>>,
        run: fn(&Call<'_>, I) -> Result<O, ApiError>,
    ) where
        I: DeserializeOwned + 'static,
        O: Serialize + 'static,
    {
        self.members(Api::Data, name, permission, run);
    }

    fn members<I, O>(
        &mut self,
        api: Api,
        name: &str,
        permission: Option<Permission<I>>,
        run: fn(&Call<'_>, I) -> Result<O, ApiError>,
    ) where
        I: DeserializeOwned + 'static,
        O: Serialize + 'static,
    {
        let handler = move |call: &Call<'_>, gathered: Gathered| {
            let input = input(gathered.input)?;
            call.permit(permission.map(|permission| permission(call, &input)))?;
            let output = run(call, input)?;
            let members = serde_json::to_value(output);
            members.map(Answer::Members).map_err(|e| ApiError::internal(format!("an output cannot be written: {e}")))
        };
        self.insert(api, name, Box::new(handler));
    }

    /// Serves a data-plane operation whose body and answer are raw, for devices too if it has a permission.
    pub(crate) fn data_raw<I>(
        &mut self,
        name: &str,
        permission: Option<Permission<I>>,
        run: fn(&Call<'_>, I, &Bytes) -> Result<Bytes, ApiError>,
    ) where
        I: DeserializeOwned + 'static,
    {
        let handler = move |call: &Call<'_>, gathered: Gathered| {
            let input = input(gathered.input)?;
            call.permit(permission.map(|permission| permission(call, &input)))?;
            run(call, input, &gathered.payload).map(Answer::Raw)
        };
        self.insert(Api::Data, name, Box::new(handler));
    }

    /// # Errors
    /// [`ModelError::Unknown`] when a handler names an operation that the model does not have.
    pub(crate) fn finish(self) -> Result<HashMap<OperationId, Handler>, ModelError> {
        match self.unknown {
            Some(error) => Err(error),
            None => Ok(self.table),
        }
    }

    fn insert(&mut self, api: Api, name: &str, handler: Handler) {
        match self.model.find(api, name) {
            Some(id) => {
                self.table.insert(id, handler);
            }
            None => self.unknown = Some(ModelError::Unknown { api: api.name(), name: name.to_owned() }),
        }
    }
}

/// The gathered members as the handler's own struct; what the model's constraints let through but a name's own
/// check refuses is the caller's mistake.
fn input<I: DeserializeOwned>(members: serde_json::Map<String, Value>) -> Result<I, ApiError> {
    serde_json::from_value(Value::Object(members))
        .map_err(|e| ApiError::invalid(format!("The request is not valid: {e}.")))
}
