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
    handlers.data("DeleteConnection", delete_connection::run);
    handlers.data_raw("DeleteThingShadow", delete_thing_shadow::run);
    handlers.data("GetConnection", get_connection::run);
    handlers.data("GetRetainedMessage", get_retained_message::run);
    handlers.data_raw("GetThingShadow", get_thing_shadow::run);
    handlers.data("ListNamedShadowsForThing", list_named_shadows_for_thing::run);
    handlers.data("ListRetainedMessages", list_retained_messages::run);
    handlers.data("ListSubscriptions", list_subscriptions::run);
    handlers.data_raw("Publish", publish::run);
    handlers.data_raw("SendDirectMessage", send_direct_message::run);
    handlers.data_raw("UpdateThingShadow", update_thing_shadow::run);
}
