"""The lifecycle events of one client id, as an observer with a subscription hears them."""

import json
import time

from v311.peer import Peer

FILTERS = (b"$aws/events/presence/#", b"$aws/events/subscriptions/#")


class Events:
    """Subscribes when it is made, so make it before what it is to see."""

    def __init__(self, observer: Peer):
        self.observer = observer
        self.heard: list[tuple[bytes, dict]] = []
        observer.subscribe_all(*((topic_filter, 1) for topic_filter in FILTERS))

    def of(self, kind: str, client_id: bytes, seconds: float = 5) -> dict:
        """The next `connected`, `disconnected`, `connect_failed`, `subscribed` or `unsubscribed` of a client."""
        end = time.monotonic() + seconds
        while True:
            for index, (topic, event) in enumerate(self.heard):
                if topic.endswith(b"/" + kind.encode() + b"/" + client_id):
                    del self.heard[index]
                    return event
            left = end - time.monotonic()
            assert left > 0, f"no {kind} of {client_id} within {seconds} s; heard {self.heard}"
            self._hear(left)

    def reason(self, client_id: bytes, seconds: float = 5) -> str:
        """Why the client's connection ended."""
        return self.of("disconnected", client_id, seconds)["disconnectReason"]

    def _hear(self, seconds: float) -> None:
        try:
            if not self.observer.waiting:
                self.observer.timeout = seconds
            message = self.observer.receive()
        except TimeoutError:
            return
        self.heard.append((message.topic, json.loads(message.payload)))
