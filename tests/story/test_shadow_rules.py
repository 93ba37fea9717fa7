"""Rules see what the shadow service says, whichever way a shadow was changed."""

import json

from aws import Cli, create_device
from mosquitto import Door, Subscriber, publish
from server import IOT, Server, clean_environment
from test_crash import shadow_client
from test_story import create_role, create_rule

SQL = "SELECT current.state.reported.n AS n, topic(3) AS thing FROM '$aws/things/+/shadow/update/documents'"


def test_a_rule_sees_updates_by_mqtt_and_by_http(tmp_path):
    with Server(tmp_path) as server:
        aws = Cli(clean_environment(tmp_path, **server.exports()))
        role = create_role(aws, "changed", "iot:Publish", f"{IOT}:topic/changed/*")
        create_rule(aws, "changed", SQL, {"republish": {"roleArn": role, "topic": "changed/${topic(3)}", "qos": 1}})
        lamp = create_device(aws, tmp_path, "lamp")
        door = Door(server.mqtts, server.exports()["ALTHING_CA"], lamp.certificate, lamp.key)
        with Subscriber(door, "reader", "changed/#") as reader:
            assert publish(door, "lamp", "$aws/things/lamp/shadow/update", '{"state":{"reported":{"n":1}}}')
            assert json.loads(reader.wait_for("changed/lamp").payload) == {"n": 1, "thing": "lamp"}
            shadow_client(server).update_thing_shadow(thingName="door", payload=b'{"state":{"reported":{"n":2}}}')
            assert json.loads(reader.wait_for("changed/door").payload) == {"n": 2, "thing": "door"}
