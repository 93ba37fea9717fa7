"""Eclipse Paho's Python client with its callbacks made into waits."""

import queue
import time

from paho.mqtt.client import CallbackAPIVersion, Client, MQTTMessage, MQTTProtocolVersion
from paho.mqtt.properties import Properties

SECONDS = 10


class Paho:
    """One client. `connect` may be called again after `disconnect` or `vanish`."""

    def __init__(self, address: tuple[str, int], client_id: str, version: MQTTProtocolVersion, **options):
        self.address = address
        self.client = Client(CallbackAPIVersion.VERSION2, client_id, protocol=version, reconnect_on_failure=False, **options)
        self.connacks: queue.Queue = queue.Queue()
        self.subacks: queue.Queue = queue.Queue()
        self.ends: queue.Queue = queue.Queue()
        self.messages: queue.Queue[MQTTMessage] = queue.Queue()
        self.client.on_connect = lambda _client, _data, flags, reason, properties: self.connacks.put((flags, reason, properties))
        self.client.on_subscribe = lambda _client, _data, mid, reasons, _properties: self.subacks.put((mid, reasons))
        self.client.on_unsubscribe = lambda _client, _data, mid, reasons, _properties: self.subacks.put((mid, reasons))
        self.client.on_disconnect = lambda _client, _data, _flags, reason, _properties: self.ends.put(reason)
        self.client.on_message = lambda _client, _data, message: self.messages.put(message)

    def __enter__(self) -> "Paho":
        return self

    def __exit__(self, *_) -> None:
        self.client.disconnect()
        self.client.loop_stop()

    def connect(self, **options) -> "Paho":
        """Connects and keeps the CONNACK's flags and properties."""
        self.client.connect(*self.address[:2], **options)
        self.client.loop_start()
        self.flags, self.reason, self.properties = self.connacks.get(timeout=SECONDS)
        assert not self.reason.is_failure, self.reason
        return self

    def subscribe(self, topic_filter, qos: int = 0, **options) -> list[int]:
        """The codes of the SUBACK."""
        result, mid = self.client.subscribe(topic_filter, qos, **options)
        assert result == 0
        answered, reasons = self.subacks.get(timeout=SECONDS)
        assert answered == mid
        return [reason.value for reason in reasons]

    def unsubscribe(self, topic_filter: str) -> None:
        result, mid = self.client.unsubscribe(topic_filter)
        assert result == 0
        assert self.subacks.get(timeout=SECONDS)[0] == mid

    def publish(self, topic: str, payload: bytes | str, qos: int = 0, **options) -> None:
        """Publishes and waits until the exchange is over."""
        information = self.client.publish(topic, payload, qos, **options)
        information.wait_for_publish(SECONDS)
        assert information.is_published()

    def message(self) -> MQTTMessage:
        return self.messages.get(timeout=SECONDS)

    def payloads(self, count: int) -> list[bytes]:
        return [self.message().payload for _ in range(count)]

    def expect_silence(self, seconds: float = 0.4) -> None:
        time.sleep(seconds)
        assert self.messages.empty(), self.messages.get().payload

    def disconnect(self) -> None:
        self.client.disconnect()
        self.ends.get(timeout=SECONDS)
        self.client.loop_stop()

    def vanish(self) -> None:
        """The TCP connection ends without a DISCONNECT."""
        self.client.loop_stop()
        self.client.socket().close()


def properties(packet: int, **values) -> Properties:
    """Properties of a packet by Paho's names for them."""
    made = Properties(packet)
    for name, value in values.items():
        setattr(made, name, value)
    return made
