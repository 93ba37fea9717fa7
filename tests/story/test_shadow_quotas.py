"""Quotas of the shadow service, over a real connection and over HTTP."""

import json

from aws import send, signed_request
from server import Server
from wire import Connection, publish_packet, subscribe_packet

UPDATE = "$aws/things/lamp/shadow/update"


def test_the_eleventh_request_in_flight_is_refused_and_all_are_acknowledged(tmp_path):
    with Server(tmp_path) as server:
        device = Connection(server.mqtt, b"lamp")
        device.send(subscribe_packet(f"{UPDATE}/accepted".encode(), f"{UPDATE}/rejected".encode()))
        assert device.read()[0] == 0x90
        bodies = [json.dumps({"state": {"reported": {"n": n}}, "clientToken": str(n)}).encode() for n in range(12)]
        device.send(b"".join(publish_packet(UPDATE.encode(), body, 100 + n) for n, body in enumerate(bodies)))
        acknowledged, accepted, rejected = set(), set(), {}
        while len(acknowledged) + len(accepted) + len(rejected) < 24:
            first, body = device.read()
            if first == 0x40:
                acknowledged.add(int.from_bytes(body, "big") - 100)
                continue
            length = int.from_bytes(body[:2], "big")
            topic, rest = body[2 : 2 + length].decode(), body[2 + length :]
            payload = json.loads(rest)
            if topic.endswith("/accepted"):
                accepted.add(int(payload["clientToken"]))
            else:
                rejected[int(payload["clientToken"])] = payload["code"], payload["message"]
        assert acknowledged == set(range(12))
        assert accepted == set(range(10))
        assert rejected == {10: (429, "Too many requests"), 11: (429, "Too many requests")}
        device.close()
        assert server.metric("shadow_requests_throttled") == 2


def test_quotas_and_sizes_are_configuration(tmp_path):
    settings = "[shadows]\nstate_bytes_max = 40\ndepth_max = 2\nrequests_per_second_per_thing_max = 1\n"
    with Server(tmp_path, settings=settings) as server:
        exports = server.exports()

        def update(thing: str, body: str | bytes):
            url = f"{exports['AWS_ENDPOINT_URL_IOT_DATA_PLANE']}/things/{thing}/shadow"
            key = exports["AWS_ACCESS_KEY_ID"], exports["AWS_SECRET_ACCESS_KEY"]
            return send(signed_request(url, "POST", body if isinstance(body, bytes) else body.encode(), *key, service="iotdata"))[:2]

        assert update("a", json.dumps({"state": {"reported": {"a": "x" * 40}}})) == (413, "RequestEntityTooLargeException")
        assert update("b", '{"state":{"reported":{"a":{"b":{}}}}}') == (400, "InvalidRequestException")
        assert update("c", '{"state":{"reported":{"a":{"b":1}}}}') == (200, "")
        answers = [update("d", '{"state":{}}') for _ in range(5)]
        assert (429, "ThrottlingException") in answers and (200, "") in answers
        no_text = b'{"state":{"reported":{"a":"\xff"}}}'
        assert update("e", no_text) == (415, "UnsupportedDocumentEncodingException")
