"""Devices of an account: certificates registered over the HTTP API, and connections by mutual TLS to the listener in dialect `aws`."""

import json
import ssl
from collections.abc import Callable
from contextlib import ExitStack

import boto3
import pytest
from aws.events import Events
from server import ACCOUNT, REGION
from v5.session import Session
from v5.session import connect as connect5
from v311.peer import Checked, Peer
from wire import TlsAddress

IOT = f"arn:aws:iot:{REGION}:{ACCOUNT}"
POLICY = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Action": "iot:*", "Resource": "*"},
        {"Effect": "Deny", "Action": "iot:Connect", "Resource": f"{IOT}:client/denied*"},
        {"Effect": "Deny", "Action": "iot:Publish", "Resource": f"{IOT}:topic/denied/*"},
        {"Effect": "Deny", "Action": "iot:RetainPublish", "Resource": f"{IOT}:topic/unretained/*"},
        {"Effect": "Deny", "Action": "iot:Subscribe", "Resource": f"{IOT}:topicfilter/denied/*"},
        {"Effect": "Deny", "Action": "iot:Receive", "Resource": f"{IOT}:topic/unheard/*"},
    ],
}
"""A device may do everything but what a test wants refused."""


class Account:
    """Makes certificates, each with the policy attached."""

    def __init__(self, server, folder):
        exports = server.exports()
        self.port, self.folder, self.ca = server.mqtts, folder, exports["ALTHING_CA"]
        self.iot = boto3.client(
            "iot",
            endpoint_url=exports["AWS_ENDPOINT_URL_IOT"],
            region_name=exports["AWS_REGION"],
            aws_access_key_id=exports["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=exports["AWS_SECRET_ACCESS_KEY"],
        )
        self.iot.create_policy(policyName="devices", policyDocument=json.dumps(POLICY))

    def certificate(self, policy: str | None = "devices") -> tuple[str, TlsAddress]:
        """A new ACTIVE certificate: its id, and the address of who holds it."""
        created = self.iot.create_keys_and_certificate(setAsActive=True)
        if policy:
            self.iot.attach_policy(policyName=policy, target=created["certificateArn"])
        identifier = created["certificateId"]
        chain, key = self.folder / f"{identifier}.pem", self.folder / f"{identifier}.key"
        chain.write_text(created["certificatePem"])
        key.write_text(created["keyPair"]["PrivateKey"])
        context = ssl.create_default_context(cafile=self.ca)
        context.load_cert_chain(chain, key)
        return identifier, TlsAddress("127.0.0.1", self.port, context)


@pytest.fixture(scope="session")
def account(server, tmp_path_factory) -> Account:
    return Account(server, tmp_path_factory.mktemp("account"))


@pytest.fixture(scope="session")
def device(account) -> TlsAddress:
    """Where and as whom the devices of these tests connect."""
    return account.certificate()[1]


@pytest.fixture
def stack():
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def join(device, names, stack) -> Callable[..., Peer]:
    """A device of MQTT 3.1.1; its client id is new unless given."""
    return lambda client_id=None, **options: stack.enter_context(Peer(device, client_id or names.client_id(), **options))


@pytest.fixture
def join5(device, names, stack) -> Callable[..., Session]:
    """A device of MQTT 5; its client id is new unless given."""

    def join5(client_id: bytes | None = None, properties=(), **options) -> Session:
        return stack.enter_context(connect5(device, client_id or names.client_id(), properties, **options))

    return join5


@pytest.fixture
def dial(device, stack) -> Callable[..., Checked]:
    """A TLS connection on which nothing was sent."""
    return lambda: stack.enter_context(Checked(device))


@pytest.fixture
def dial5(device, stack) -> Callable[..., Session]:
    """A TLS connection on which nothing was sent, for MQTT 5."""
    return lambda: stack.enter_context(Session(device))


@pytest.fixture
def plain(server, names, stack) -> Callable[..., Peer]:
    """An anonymous client of the plain listener, where AWS's limits do not hold."""
    return lambda **options: stack.enter_context(Peer(("127.0.0.1", server.mqtt), names.client_id(), **options))


@pytest.fixture
def events(plain) -> Events:
    """All lifecycle events from now on."""
    return Events(plain())
