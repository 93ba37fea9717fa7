//! The data plane: one file an operation, one line each in the table.

mod delete_thing_shadow;
mod get_thing_shadow;
mod list_named_shadows_for_thing;
mod shadow_id;
mod update_thing_shadow;

use crate::handlers::Handlers;

/// Enters every operation of the data plane that is served.
pub(crate) fn register(handlers: &mut Handlers<'_>) {
    handlers.data_raw("DeleteThingShadow", delete_thing_shadow::run);
    handlers.data_raw("GetThingShadow", get_thing_shadow::run);
    handlers.data("ListNamedShadowsForThing", list_named_shadows_for_thing::run);
    handlers.data_raw("UpdateThingShadow", update_thing_shadow::run);
}
