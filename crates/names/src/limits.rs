//! The one table of bounds. Each line says what AWS's figure is and where it stands; "ours" where AWS has none.

/// Text in an MQTT packet, by its two length bytes (MQTT 3.1.1, 1.5.3).
pub const MQTT_STRING_BYTES_MAX: usize = 65_535;
/// An MQTT packet's remaining length (MQTT 3.1.1, 2.2.3).
pub const MQTT_REMAINING_LENGTH_MAX: usize = 268_435_455;
/// PUBLISH payload in dialect `aws`: 128 KB (AWS quotas, message broker).
pub const AWS_PAYLOAD_BYTES_MAX: usize = 131_072;
/// A whole packet in dialect `aws`: 146 KB (AWS quotas, message broker).
pub const AWS_PACKET_BYTES_MAX: usize = 149_504;
/// A whole packet in dialect `mqtt` (ours, default of the configuration).
pub const PACKET_BYTES_MAX: usize = 1_048_576;
/// A packet before the client has been accepted: CONNECT with will, user name and password (ours; AWS refuses a
/// CONNECT above its payload limit).
pub const CONNECT_BYTES_MAX: usize = AWS_PACKET_BYTES_MAX;
/// Client identifier in dialect `aws` (AWS quotas, message broker).
pub const AWS_CLIENT_ID_BYTES_MAX: usize = 128;
/// Topic name or filter in dialect `aws` (AWS quotas, message broker).
pub const AWS_TOPIC_BYTES_MAX: usize = 256;
/// Slashes in a topic name or filter in dialect `aws` (AWS quotas, message broker).
pub const AWS_TOPIC_SLASHES_MAX: usize = 7;
/// Levels of a topic filter in dialect `mqtt` (ours: bounds the depth of the filter tree).
pub const TOPIC_LEVELS_MAX: usize = 128;
/// Filters in one SUBSCRIBE or UNSUBSCRIBE (ours: bounds what a packet grows to when it is read).
pub const FILTERS_PER_PACKET_MAX: usize = 65_536;
/// User properties in one packet (ours: bounds what a packet grows to when it is read; AWS bounds their bytes).
pub const USER_PROPERTIES_PER_PACKET_MAX: usize = 1_024;
/// Subscription identifiers in one PUBLISH, which only servers send (ours: bounds what a packet grows to when it is read).
pub const SUBSCRIPTION_IDS_PER_PACKET_MAX: usize = 65_536;
/// A share name in dialect `aws` (developer guide, mqtt, shared subscriptions).
pub const AWS_SHARE_NAME_CHARACTERS_MAX: usize = 128;
/// Filters in one SUBSCRIBE in dialect `aws` (AWS quotas, message broker).
pub const AWS_FILTERS_PER_SUBSCRIBE_MAX: usize = 8;
/// Subscriptions of one connection in dialect `aws` (AWS quotas, message broker).
pub const AWS_SUBSCRIPTIONS_PER_CONNECTION_MAX: usize = 50;
/// Subscriptions of one connection in dialect `mqtt` (ours).
pub const SUBSCRIPTIONS_PER_CONNECTION_MAX: usize = 200_000;
/// What the filters of one connection may take in the filter tree, at 512 bytes a level and their own length (ours):
/// 512 MiB, which is more than 200,000 ordinary filters and less than as many hostile ones.
pub const SUBSCRIPTION_BYTES_PER_CONNECTION_MAX: usize = 512 * 1_048_576;
/// QoS 1 messages not yet acknowledged, in either direction, in dialect `aws` (AWS quotas, message broker).
pub const AWS_INFLIGHT_MAX: u16 = 100;
/// QoS 1 and 2 messages sent to a client and not done with, in dialect `mqtt` (ours; a client may want fewer).
pub const INFLIGHT_MAX: u16 = 100;
/// The same as a configuration may have it (ours: acknowledgements are looked for one by one).
pub const SEND_MAX_MAX: u16 = 10_000;
/// QoS 1 and 2 messages from a client and not done with, in dialect `mqtt` (ours): Receive Maximum.
pub const RECEIVE_MAX: u16 = 1000;
/// Topic aliases that a client may use in dialect `aws` (AWS quotas, message broker).
pub const AWS_TOPIC_ALIAS_MAX: u16 = 8;
/// Topic aliases that a client may use in dialect `mqtt` (ours).
pub const TOPIC_ALIAS_MAX: u16 = 64;
/// Topic aliases that the server uses towards a client, if it takes as many (ours: bounds what a connection holds).
pub const TOPIC_ALIASES_SENT_MAX: u16 = 64;
/// How long a session may outlive its connection in dialect `aws`, in seconds (AWS quotas, message broker).
pub const AWS_SESSION_EXPIRY_SECONDS_MAX: u32 = 3600;
/// How long a message may be kept in dialect `aws`, in seconds: a week (AWS quotas, message broker).
pub const AWS_MESSAGE_EXPIRY_SECONDS_MAX: u32 = 604_800;
/// All user properties of a packet in dialect `aws`: 8 KB (AWS quotas, message broker).
pub const AWS_USER_PROPERTIES_BYTES_MAX: usize = 8192;
/// A content type in dialect `aws` (AWS quotas, message broker).
pub const AWS_CONTENT_TYPE_BYTES_MAX: usize = 256;
/// Correlation data in dialect `aws`: 8 KB (AWS quotas, message broker).
pub const AWS_CORRELATION_DATA_BYTES_MAX: usize = 8192;
/// The least Maximum Packet Size that a client may have in dialect `aws` (AWS quotas, message broker).
pub const AWS_CLIENT_PACKET_BYTES_MIN: u32 = 512;
/// Keep alive in dialect `aws`: 0 and more than this become this, in seconds (AWS quotas, message broker).
pub const AWS_KEEP_ALIVE_SECONDS_MAX: u16 = 1200;
/// Keep alive in dialect `aws`: less than this becomes this, in seconds (AWS quotas, message broker).
pub const AWS_KEEP_ALIVE_SECONDS_MIN: u16 = 30;
/// A connection that has not sent CONNECT is closed after this many seconds (ours, default of the configuration).
pub const CONNECT_SECONDS_MAX: u64 = 10;
/// A connection that has not completed the PROXY header and the TLS handshake is closed after this many seconds (ours,
/// default of the configuration).
pub const HANDSHAKE_SECONDS_MAX: u64 = 10;
/// When a listener stops, its connections have this many seconds to end (ours).
pub const DRAIN_SECONDS_MAX: u64 = 2;
/// When a listener of HTTP stops, requests that are under way have this many seconds (ours).
pub const HTTP_DRAIN_SECONDS_MAX: u64 = 10;
/// Connections of one HTTP listener, WebSockets among them (ours, default of the configuration).
pub const HTTP_CONNECTIONS_PER_LISTENER_MAX: usize = 20_000;
/// Connections of one address a second, on one listener (ours, default of the configuration; AWS's quotas are 500
/// CONNECT packets a second an account).
pub const CONNECTS_PER_SECOND_PER_IP_MAX: u32 = 500;
/// Connections of one address at once after a quiet time, on one listener (ours, default of the configuration).
pub const CONNECTS_BURST_PER_IP_MAX: u32 = 5_000;
/// Addresses whose connections one listener remembers (ours): a few megabytes.
pub const CONNECT_RATE_ADDRESSES_MAX: usize = 65_536;
/// A PROXY protocol header (ours; the protocol asks for 536 at least).
pub const PROXY_HEADER_BYTES_MAX: usize = 4096;
/// A WebSocket frame or message from a client; packets and frames need not align (ours).
pub const WEBSOCKET_MESSAGE_BYTES_MAX: usize = 2 * PACKET_BYTES_MAX;
/// A WebSocket whose request was signed lives this many seconds at most (AWS quotas, message broker: 24 hours).
pub const WEBSOCKET_SECONDS_MAX: u64 = 86_400;
/// A presigned request is valid for this many seconds at most (AWS Signature Version 4: 7 days).
pub const SIGNATURE_EXPIRES_SECONDS_MAX: u64 = 604_800;
/// Passwords that are checked at the same time; more wait, within the time for CONNECT (ours: each check takes the
/// memory and time that its hash was made with).
pub const PASSWORD_CHECKS_MAX: usize = 4;
/// Memory that the check of one password may take, in KiB (ours: bounds what a configured hash may ask for).
pub const PASSWORD_MEMORY_KIB_MAX: u32 = 262_144;
/// A user's name in the configuration (ours).
pub const USER_NAME_BYTES_MAX: usize = 128;
/// A client that takes none of its output for this many seconds is disconnected (ours).
pub const OUTPUT_STALL_SECONDS_MAX: u64 = 30;
/// A client that published to a service which cannot take more waits this many seconds at most (ours); then the service's
/// mailbox fills up to its hard limit, and drops.
pub const CONGESTION_SECONDS_MAX: u64 = 5;
/// Bytes of topic filters in one subscribed or unsubscribed event; more filters make more events (ours: keeps an event
/// below AWS's payload limit).
pub const EVENT_TOPICS_BYTES_MAX: usize = 16_384;
/// Client ids that are gone and whose version number in presence events is remembered; then who left first starts at 0
/// again (ours).
pub const PRESENCE_VERSIONS_MAX: usize = 100_000;
/// A client id that was away for this many seconds has version number 0 in presence events again (developer guide,
/// life-cycle-events: about an hour).
pub const PRESENCE_VERSION_SECONDS: u64 = 3600;
/// How a client was connected is told for this many seconds after it left (AWS IoT API reference, GetConnection: 30
/// minutes).
pub const CONNECTION_INFO_SECONDS: u64 = 1800;
/// A new connection waits this many seconds for the one that it takes over to end (ours); then it is refused.
pub const TAKEOVER_SECONDS_MAX: u64 = 10;
/// Lines of the log that wait to be written; further ones are dropped (ours).
pub const LOG_LINES_WAITING_MAX: usize = 65_536;
/// The `$SYS` topics are published every this many seconds (Mosquitto's default, too).
pub const SYS_TOPICS_SECONDS: u64 = 10;
/// Connections of one listener (ours, default of the configuration).
pub const CONNECTIONS_PER_LISTENER_MAX: usize = 200_000;
/// Deliveries waiting in a subscriber's mailbox before QoS 0 is dropped (ours).
pub const MAILBOX_MESSAGES_SOFT: usize = 1_000;
/// Deliveries waiting in a subscriber's mailbox before it is given up (ours).
pub const MAILBOX_MESSAGES_HARD: usize = 10_000;
/// Bytes of payload waiting in a subscriber's mailbox before QoS 0 is dropped (ours).
pub const MAILBOX_BYTES_SOFT: usize = 4 * 1_048_576;
/// Bytes of payload waiting in a subscriber's mailbox before it is given up (ours).
pub const MAILBOX_BYTES_HARD: usize = 32 * 1_048_576;

/// Thing, thing type and group names (API model).
pub const THING_NAME_BYTES_MAX: usize = 128;
/// Attributes of a thing without a type (AWS quotas, registry).
pub const THING_ATTRIBUTES_MAX: usize = 3;
/// Attributes of a thing with a type (AWS quotas, registry).
pub const TYPED_THING_ATTRIBUTES_MAX: usize = 50;
/// All attribute names and values of a thing together: 47 KB (AWS quotas, registry).
pub const THING_ATTRIBUTES_BYTES_MAX: usize = 47 * 1024;
/// IoT policy names (API model).
pub const POLICY_NAME_BYTES_MAX: usize = 128;
/// A policy document's characters without white space (AWS quotas, security).
pub const POLICY_DOCUMENT_CHARACTERS_MAX: usize = 2048;
/// A policy document's bytes, white space and all (ours: bounds what the reader looks at).
pub const POLICY_DOCUMENT_BYTES_MAX: usize = 65_536;
/// A role's inline policy document's characters without white space (IAM quotas, role).
pub const ROLE_POLICY_CHARACTERS_MAX: usize = 10_240;
/// Policies attached to one principal (AWS quotas, security).
pub const POLICIES_PER_PRINCIPAL_MAX: usize = 10;
/// Topic rule names (API model).
pub const RULE_NAME_BYTES_MAX: usize = 128;
/// A topic rule's whole payload: 128 KB (AWS quotas, rules engine).
pub const RULE_PAYLOAD_BYTES_MAX: usize = 131_072;
/// Actions of one rule (AWS quotas, rules engine).
pub const ACTIONS_PER_RULE_MAX: usize = 10;
/// User properties in the headers of `republish` (API model).
pub const REPUBLISH_USER_PROPERTIES_MAX: usize = 100;
/// Rules in an account (AWS quotas, rules engine).
pub const RULES_MAX: usize = 1000;
/// Nesting of expressions in one SQL statement (ours: bounds recursion).
pub const SQL_DEPTH_MAX: usize = 64;
/// Nesting of any JSON that is read, wherever AWS has no smaller figure (ours: bounds recursion).
pub const JSON_DEPTH_MAX: usize = 100;
/// IAM role names (IAM API).
pub const ROLE_NAME_BYTES_MAX: usize = 64;
/// Roles in an account (IAM quotas).
pub const ROLES_MAX: usize = 1000;
/// A role's trust policy's characters without white space (IAM quotas, role trust policy length).
pub const ROLE_TRUST_POLICY_CHARACTERS_MAX: usize = 2048;
/// A role's path (IAM API).
pub const ROLE_PATH_BYTES_MAX: usize = 512;
/// A role's description, in characters (IAM API).
pub const ROLE_DESCRIPTION_CHARACTERS_MAX: usize = 1000;
/// A role's longest session, in seconds: at least this much (IAM API).
pub const ROLE_SESSION_SECONDS_MIN: u32 = 3600;
/// A role's longest session, in seconds: at most this much (IAM API).
pub const ROLE_SESSION_SECONDS_MAX: u32 = 43_200;
/// Names of a role's inline policies (IAM API).
pub const ROLE_POLICY_NAME_BYTES_MAX: usize = 128;
/// Access key ids (IAM API).
pub const ACCESS_KEY_ID_BYTES_MAX: usize = 128;

/// Calls of one device, by its certificate, that are not answered yet (ours: each holds a thread; what one connection of
/// HTTP/2 may have under way).
pub const HTTP_CALLS_PER_DEVICE_MAX: usize = 16;

/// Shadow names (AWS quotas, device shadow).
pub const SHADOW_NAME_BYTES_MAX: usize = 64;
/// A shadow's state document: 8 KB, metadata not counted (AWS quotas, device shadow).
pub const SHADOW_STATE_BYTES_MAX: usize = 8192;
/// Levels below `desired` or `reported` (AWS quotas, device shadow).
pub const SHADOW_DEPTH_MAX: usize = 8;
/// A client token in a shadow request (developer guide, device-shadow-document).
pub const SHADOW_CLIENT_TOKEN_BYTES_MAX: usize = 64;
/// A shadow's state as a configuration may have it: 30 KB (ours; with its timestamps it must fit a value of the store).
pub const SHADOW_STATE_BYTES_MAX_MAX: usize = 30_720;
/// Shadow requests of one connection on one thing that are not answered yet (AWS quotas, device shadow).
pub const SHADOW_IN_FLIGHT_MAX: usize = 10;
/// Records of shadows, a copy for each request, that are written and told of together (ours: bounds what a batch holds in
/// memory).
pub const SHADOW_BATCH_BYTES: usize = 2 * 1_048_576;
/// How long a batch of shadow requests waits for rules that are behind, in milliseconds (ours: a slow rule slows shadows
/// and does not stop them).
pub const SHADOW_CONGESTION_MILLIS_MAX: u64 = 250;
/// Shadow requests that wait for each of the service's workers (ours).
pub const SHADOW_REQUESTS_WAITING_MAX: usize = 512;
/// Bytes of shadow requests by MQTT that are not answered yet, over all (ours).
pub const SHADOW_REQUESTS_BYTES_MAX: usize = 16 * 1_048_576;
/// Shadows that the service keeps read, over all its workers, in bytes (ours; what is not kept is read from its record).
pub const SHADOW_CACHE_BYTES_MAX: usize = 32 * 1_048_576;
/// Workers of the shadow service: as many as the machine has cores, and this at most (ours).
pub const SHADOW_WORKERS_MAX: usize = 8;
/// A deleted shadow's version is remembered this many hours (developer guide, device-shadow-document).
pub const SHADOW_TOMBSTONE_HOURS: u64 = 48;

/// A value in the store; larger ones are chunked (design of the port).
pub const STORE_VALUE_BYTES_MAX: usize = 102_400;
/// A batch in the store: 10 MB (design of the port).
pub const STORE_BATCH_BYTES_MAX: usize = 10 * 1_048_576;
/// A key in the store (the embedded engine's key length is two bytes).
pub const STORE_KEY_BYTES_MAX: usize = 65_535;
/// Commits waiting for the store's writer (ours).
pub const STORE_QUEUE_MAX: usize = 16_384;
/// Bytes of commits waiting for the store's writer (ours).
pub const STORE_QUEUE_BYTES_MAX: usize = 64 * 1_048_576;
/// Bytes of commits that the store's writer puts on disk together (ours).
pub const STORE_ROUND_BYTES_MAX: usize = 4 * 1_048_576;
/// Changes waiting for one watcher of the store before it is told to start again (ours).
pub const STORE_WATCH_EVENTS_MAX: usize = 65_536;

/// QoS 1 and 2 messages waiting for one persistent session (ours, default of the configuration; AWS bounds the time
/// they are kept, not their number).
pub const QUEUED_MESSAGES_PER_SESSION_MAX: u64 = 100_000;
/// Bytes of messages waiting for one persistent session (ours, default of the configuration).
pub const QUEUED_BYTES_PER_SESSION_MAX: u64 = 256 * 1_048_576;
/// Messages waiting for all persistent sessions together (ours, default of the configuration).
pub const QUEUED_MESSAGES_MAX: u64 = 100_000_000;
/// Bytes of messages waiting for all persistent sessions together (ours, default of the configuration).
pub const QUEUED_BYTES_MAX: u64 = 16 * 1_073_741_824;
/// A message that waits for a persistent session, all of it as it is kept (ours: it must fit into a batch of the store).
pub const QUEUED_MESSAGE_BYTES_MAX: usize = 8 * 1_048_576;
/// Bytes of one commit when queues, subscriptions and removals are cut up (ours: what the store's writer takes at once).
pub const SESSION_BATCH_BYTES: usize = STORE_ROUND_BYTES_MAX;
/// Shapes of topic filters with wildcards (which levels they are) that durable subscriptions may have together (ours: each
/// costs a look into the store when a topic is matched for the first time).
pub const SUBSCRIPTION_SHAPES_MAX: usize = 512;
/// Topics whose persistent subscribers are remembered (ours).
pub const REACHED_TOPICS_MAX: usize = 4_096;
/// Persistent subscribers that are remembered over all topics (ours).
pub const REACHED_SUBSCRIBERS_MAX: usize = 262_144;
/// Sessions whose queue's counts are kept in memory, in each of two generations (ours; more while their commits are
/// under way).
pub const QUEUE_TAILS_MAX: usize = 8_192;
/// Messages of a session's queue whose size is kept in memory (ours; more while their commits are under way).
pub const QUEUE_SIZES_MAX: usize = 64;
/// Rows of a removed session that are deleted at once (ours); the others follow piece by piece.
pub const PURGED_ROWS_MAX: usize = 1_000;

/// An HTTP request's body (ours; AWS's largest is the rule payload of 128 KB, retained publish included).
pub const HTTP_BODY_BYTES_MAX: usize = 1_048_576;
/// The bodies of all HTTP requests that are under way together (ours: bounds what callers without a key can fill).
pub const HTTP_BODIES_BYTES_MAX: usize = 64 * HTTP_BODY_BYTES_MAX;
/// An HTTP request's line and headers (ours).
pub const HTTP_HEAD_BYTES_MAX: usize = 65_536;
/// Clock skew of a signed request, in seconds (AWS Signature Version 4: 15 minutes).
pub const SIGNATURE_SKEW_SECONDS_MAX: u64 = 900;
/// Entries of a page when the caller names no size (AWS API reference: 25 for most lists).
pub const PAGE_SIZE_DEFAULT: usize = 25;
/// Entries of a page at most (API model).
pub const PAGE_SIZE_MAX: usize = 250;
/// Subscriptions of a page when the caller names no size (AWS IoT API reference, ListSubscriptions).
pub const SUBSCRIPTIONS_PAGE_SIZE_DEFAULT: usize = 20;
/// A direct message's acknowledgement is waited for this many seconds when the caller names no time (AWS IoT API
/// reference, SendDirectMessage).
pub const DIRECT_MESSAGE_SECONDS_DEFAULT: u64 = 5;
/// A direct message's acknowledgement is waited for this many seconds at most (AWS IoT API reference,
/// SendDirectMessage).
pub const DIRECT_MESSAGE_SECONDS_MAX: u64 = 15;

/// Clients of one load run (ours).
pub const LOAD_CLIENTS_MAX: usize = 1_000_000;
/// Messages in flight for one publisher of a load run: as many as there are packet identifiers (MQTT 3.1.1, 2.3.1).
pub const LOAD_WINDOW_MAX: usize = 65_535;
/// Payload of a load run's messages: what fits into a packet beside its topic (MQTT 3.1.1, 2.2.3 and 1.5.3).
pub const LOAD_PAYLOAD_BYTES_MAX: usize = MQTT_REMAINING_LENGTH_MAX - MQTT_STRING_BYTES_MAX - 5;
/// Filters of a load run's bystander (ours).
pub const LOAD_FILTERS_MAX: usize = 10_000_000;
/// A load run's measured time, in seconds: a week (ours).
pub const LOAD_SECONDS_MAX: u64 = 604_800;
/// A load run in which nothing arrives for this many seconds is given up (ours, default of the option).
pub const LOAD_STALL_SECONDS: u64 = 10;
