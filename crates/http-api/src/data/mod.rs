//! The data plane: one file an operation, one line each in the table.

mod delete_connection;
mod delete_thing_shadow;
mod get_connection;
mod get_retained_message;
mod get_thing_shadow;
mod list_named_shadows_for_thing;
mod list_retained_messages;
mod list_subscriptions;
mod properties;
mod publish;
mod send_direct_message;
mod shadow_id;
mod topic;
mod update_thing_shadow;
mod waiting;

use crate::handlers::Handlers;

/// Enters every operation of the data plane that is served.
pub(crate) fn register(handlers: &mut Handlers<'_>) {
    handlers.data("DeleteConnection", None, delete_connection::run);
    handlers.data_raw("DeleteThingShadow", Some(delete_thing_shadow::permission), delete_thing_shadow::run);
    handlers.data("GetConnection", None, get_connection::run);
    handlers.data("GetRetainedMessage", None, get_retained_message::run);
    handlers.data_raw("GetThingShadow", Some(get_thing_shadow::permission), get_thing_shadow::run);
    let (permission, run) = (list_named_shadows_for_thing::permission, list_named_shadows_for_thing::run);
    handlers.data("ListNamedShadowsForThing", Some(permission), run);
    handlers.data("ListRetainedMessages", None, list_retained_messages::run);
    handlers.data("ListSubscriptions", None, list_subscriptions::run);
    handlers.data_raw("Publish", Some(publish::permission), publish::run);
    handlers.data_raw("SendDirectMessage", None, send_direct_message::run);
    handlers.data_raw("UpdateThingShadow", Some(update_thing_shadow::permission), update_thing_shadow::run);
}
