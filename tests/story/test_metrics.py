"""What /metrics tells of: the names that dashboards and alarms are made of, each once."""

import re

from server import REPOSITORY, Server

GAUGES = {
    "althing_connections",
    "althing_queued_bytes",
    "althing_queued_messages",
    "althing_retained_messages",
    "althing_sessions",
    "althing_store_broken",
    "althing_subscriptions",
}
COUNTERS = {
    "althing_authorization_denials",
    "althing_bytes_received",
    "althing_bytes_sent",
    "althing_connects_accepted",
    "althing_connects_refused",
    "althing_deliveries",
    "althing_deliveries_dropped",
    "althing_deliveries_queued",
    "althing_door_connections_let_in",
    "althing_door_refused_full",
    "althing_door_refused_handshake",
    "althing_door_refused_protocol",
    "althing_door_refused_proxy_header",
    "althing_door_refused_rate",
    "althing_messages_received",
    "althing_messages_routed",
    "althing_messages_sent",
    "althing_protocol_violations",
    "althing_rule_actions_denied",
    "althing_rule_actions_failed",
    "althing_rule_actions_succeeded",
    "althing_rule_messages_let_go",
    "althing_rule_sql_failed",
    "althing_rules_matched",
    "althing_session_lookups_failed",
    "althing_sessions_expired",
    "althing_shadow_requests_accepted",
    "althing_shadow_requests_failed",
    "althing_shadow_requests_rejected",
    "althing_shadow_requests_throttled",
    "althing_subscribers_given_up",
    "althing_wills_published",
}


def test_the_metrics_are_these(tmp_path):
    with Server(tmp_path) as server:
        lines = server.get("/metrics")[1].splitlines()
    kinds = [tuple(line.split()[2:]) for line in lines if line.startswith("# TYPE ")]
    assert sorted(kinds) == sorted([(name, "gauge") for name in GAUGES] + [(name, "counter") for name in COUNTERS])
    samples = {re.split("[ {]", line)[0] for line in lines if not line.startswith("#")}
    assert samples == GAUGES | {f"{name}_total" for name in COUNTERS}


def test_the_docs_name_no_other():
    texts = [path.read_text() for path in (REPOSITORY / "docs").glob("*.md")]
    named = {name for text in texts for name in re.findall("althing_[a-z_]+", text)}
    assert "althing_door_refused_full_total" in named
    assert named <= GAUGES | {f"{name}_total" for name in COUNTERS}
