"""The AWS IoT Device SDK v2 for Python as a device uses it: both its shadow clients, over MQTT 3.1.1 and 5."""

import itertools
import queue
import threading
from concurrent.futures import Future

from awscrt import mqtt, mqtt5, mqtt_request_response
from awscrt.mqtt_request_response import SubscriptionStatusEventType
from awsiot import ServiceStreamOptions, V2ServiceException, iotshadow, mqtt5_client_builder, mqtt_connection_builder
from mosquitto import Door

SECONDS = 10


class Refused(Exception):
    """What the shadow service answered on a `rejected` topic."""

    def __init__(self, error: iotshadow.ErrorResponse):
        super().__init__(f"{error.code} {error.message}")
        self.code, self.message = error.code, error.message


def options(door: Door, client_id: str) -> dict:
    return {
        "endpoint": "localhost", "port": door.port, "ca_filepath": door.ca,
        "cert_filepath": str(door.certificate), "pri_key_filepath": str(door.key), "client_id": client_id,
    }  # fmt: skip


class Mqtt311:
    """A connection by MQTT 3.1.1, made again by each `with`. The SDK's sessions outlive their connections unless they
    are asked to be clean."""

    def __init__(self, door: Door, client_id: str, **more):
        self.has_session = False
        """The server still had the session."""
        self.was_interrupted = interrupted = threading.Event()
        self.client = mqtt_connection_builder.mtls_from_path(
            **options(door, client_id), **more, reconnect_min_timeout_secs=1,
            on_connection_interrupted=lambda **_: interrupted.set(),
        )  # fmt: skip

    def __enter__(self) -> "Mqtt311":
        self.has_session = self.client.connect().result(SECONDS)["session_present"]
        return self

    def __exit__(self, *_) -> None:
        self.client.disconnect().result(SECONDS)


class Mqtt311Clean(Mqtt311):
    """Its session ends with the connection."""

    def __init__(self, door: Door, client_id: str):
        super().__init__(door, client_id, clean_session=True)


class Mqtt5:
    """A connection by MQTT 5, made again by each `with`. The SDK's sessions end with their connections unless they are
    asked to be rejoined."""

    has_session = False

    def __init__(self, door: Door, client_id: str):
        self.connected, self.stopped = connected, stopped = queue.Queue(), queue.Queue()
        self.was_interrupted = interrupted = threading.Event()
        self.client = mqtt5_client_builder.mtls_from_path(
            **options(door, client_id),
            on_lifecycle_connection_success=connected.put,
            on_lifecycle_disconnection=lambda _: interrupted.set(),
            on_lifecycle_stopped=stopped.put,
        )

    def __enter__(self) -> "Mqtt5":
        self.client.start()
        assert not self.connected.get(timeout=SECONDS).connack_packet.session_present
        return self

    def __exit__(self, *_) -> None:
        self.client.stop()
        self.stopped.get(timeout=SECONDS)

    def publish(self, topic: str, payload: str) -> mqtt5.PubackReasonCode:
        """At QoS 1; what PUBACK says."""
        sent = mqtt5.PublishPacket(topic=topic, payload=payload, qos=mqtt5.QoS.AT_LEAST_ONCE)
        return self.client.publish(sent).result(SECONDS).puback.reason_code


class Shadow:
    """One shadow, classic or named, as its device sees it. What is told of it waits in `deltas` and `documents`.

    Use it in a `with` around its connection's. The SDK's second client over MQTT 3.1.1 must go before the interpreter
    does: left to its end, it breaks the heap of about every second process."""

    def __init__(self, connection: Mqtt311 | Mqtt5, thing: str, name: str | None):
        self.connection, self.client = connection, self.new_client(connection.client)
        self.names = {"thing_name": thing, "shadow_name": name} if name else {"thing_name": thing}
        self.deltas: queue.Queue[iotshadow.ShadowDeltaUpdatedEvent] = queue.Queue()
        self.documents: queue.Queue[iotshadow.ShadowUpdatedEvent] = queue.Queue()
        self.is_listening = False

    def __enter__(self) -> "Shadow":
        return self

    def __exit__(self, *_) -> None:
        self.client = None

    def new_client(self, connection):
        raise NotImplementedError

    def listen(self) -> None:
        """Subscribes, or makes sure of being subscribed, after the connection is made."""
        raise NotImplementedError

    def ask(self, operation: str, **more):
        raise NotImplementedError

    def get(self) -> iotshadow.GetShadowResponse:
        return self.ask("get")

    def report(self, reported: dict, version: int | None = None) -> iotshadow.UpdateShadowResponse:
        return self.ask("update", state=iotshadow.ShadowState(reported=reported), version=version)

    def delete(self) -> iotshadow.DeleteShadowResponse:
        return self.ask("delete")

    def next_delta(self) -> iotshadow.ShadowDeltaUpdatedEvent:
        return self.deltas.get(timeout=SECONDS)

    def next_documents(self) -> iotshadow.ShadowUpdatedEvent:
        return self.documents.get(timeout=SECONDS)

    def spelled(self, word: str) -> str:
        """The SDK has each name twice: for classic shadows, and for named ones with `named` before `shadow`."""
        is_named = "shadow_name" in self.names
        return word.replace("Shadow", "NamedShadow", 1).replace("shadow", "named_shadow", 1) if is_named else word

    def request(self, word: str, **more):
        return getattr(iotshadow, self.spelled(word))(**self.names, **more)

    def call(self, function: str, *arguments):
        return getattr(self.client, self.spelled(function))(*arguments)


class ShadowV1(Shadow):
    """By `IotShadowClient`: one subscribes to the answers oneself, and tells them by their tokens."""

    def new_client(self, connection) -> iotshadow.IotShadowClient:
        self.tokens = map("token-{}".format, itertools.count(1))
        self.waiting: dict[str, Future] = {}
        return iotshadow.IotShadowClient(connection)

    def listen(self) -> None:
        if self.is_listening:
            if not self.connection.has_session:
                self.connection.client.resubscribe_existing_topics()[0].result(SECONDS)
            return
        self.is_listening = True
        for operation in ("get", "update", "delete"):
            request = self.request(f"{operation.title()}ShadowSubscriptionRequest")
            self.subscribe(f"{operation}_shadow_accepted", request, self.accepted)
            self.subscribe(f"{operation}_shadow_rejected", request, self.rejected)
        delta, documents = "ShadowDeltaUpdatedSubscriptionRequest", "ShadowUpdatedSubscriptionRequest"
        self.subscribe("shadow_delta_updated_events", self.request(delta), self.deltas.put)
        self.subscribe("shadow_updated_events", self.request(documents), self.documents.put)

    def subscribe(self, what: str, request, callback) -> None:
        granted, _ = self.call(f"subscribe_to_{what}", request, mqtt.QoS.AT_LEAST_ONCE, callback)
        assert granted.result(SECONDS) == mqtt.QoS.AT_LEAST_ONCE

    def ask(self, operation: str, **more):
        token = next(self.tokens)
        answer = self.waiting[token] = Future()
        request = self.request(f"{operation.title()}ShadowRequest", client_token=token, **more)
        self.call(f"publish_{operation}_shadow", request, mqtt.QoS.AT_LEAST_ONCE).result(SECONDS)
        return answer.result(SECONDS)

    def accepted(self, answer) -> None:
        if answer.client_token in self.waiting:
            self.waiting.pop(answer.client_token).set_result(answer)

    def rejected(self, error: iotshadow.ErrorResponse) -> None:
        if error.client_token in self.waiting:
            self.waiting.pop(error.client_token).set_exception(Refused(error))


class ShadowV2(Shadow):
    """By `IotShadowClientV2`: requests with their answers, and streams, which subscribe by themselves."""

    def new_client(self, connection) -> iotshadow.IotShadowClientV2:
        limits = mqtt_request_response.ClientOptions(
            max_request_response_subscriptions=4, max_streaming_subscriptions=2, operation_timeout_in_seconds=SECONDS
        )
        return iotshadow.IotShadowClientV2(connection, limits)

    def listen(self) -> None:
        if not self.is_listening:
            self.is_listening = True
            self.statuses: list[queue.Queue] = []
            self.streams = [
                self.stream("shadow_delta_updated_stream", "ShadowDeltaUpdatedSubscriptionRequest", self.deltas),
                self.stream("shadow_updated_stream", "ShadowUpdatedSubscriptionRequest", self.documents),
            ]
        elif self.connection.has_session:
            return
        for statuses in self.statuses:
            while statuses.get(timeout=SECONDS).type != SubscriptionStatusEventType.SUBSCRIPTION_ESTABLISHED:
                pass  # it was lost with the connection

    def stream(self, what: str, request: str, events: queue.Queue) -> mqtt_request_response.StreamingOperation:
        self.statuses.append(queue.Queue())
        listeners = ServiceStreamOptions(events.put, self.statuses[-1].put, events.put)
        stream = self.call(f"create_{what}", self.request(request), listeners)
        stream.open()
        return stream

    def ask(self, operation: str, **more):
        asked = self.call(f"{operation}_shadow", self.request(f"{operation.title()}ShadowRequest", **more))
        try:
            return asked.result(SECONDS)
        except V2ServiceException as failure:
            if failure.modeled_error is None:
                raise
            raise Refused(failure.modeled_error) from failure

    def __exit__(self, *_) -> None:
        self.streams = []
        super().__exit__()
