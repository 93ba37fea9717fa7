"""The AWS CLI as a user has it, and requests signed by hand where it would be too polite."""

import datetime
import http.client
import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from unittest import mock
from urllib.parse import urlsplit

import boto3
import botocore.auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

EVERYTHING = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iot:*","Resource":"*"}]}'
PROGRAM = str(Path(sys.executable).with_name("aws"))


class Cli:
    """`aws` after `eval "$(althing env)"`."""

    def __init__(self, environment: dict[str, str]):
        self.environment = environment

    def run(self, *arguments: str) -> subprocess.CompletedProcess:
        return subprocess.run(
            [PROGRAM, *arguments, "--output", "json"],
            env=self.environment, capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL,
        )  # fmt: skip

    def __call__(self, *arguments: str) -> dict:
        """What the command prints, as JSON."""
        done = self.run(*arguments)
        assert done.returncode == 0, f"aws {' '.join(arguments)}: {done.stderr}"
        return json.loads(done.stdout) if done.stdout.strip() else {}

    def refusal(self, *arguments: str) -> str:
        """The error that the command must end in."""
        done = self.run(*arguments)
        assert done.returncode != 0, f"aws {' '.join(arguments)} succeeded: {done.stdout}"
        return done.stderr.strip()


@dataclass(frozen=True)
class Device:
    """A device with a registered certificate, and the files it connects with."""

    certificate_id: str
    certificate_arn: str
    certificate: Path
    key: Path


def create_device(aws: Cli, folder: Path, name: str, policy_document: str | None = EVERYTHING) -> Device:
    """A device with a new, active certificate. The policy and the files in `folder` have the device's name."""
    created = aws("iot", "create-keys-and-certificate", "--set-as-active")
    certificate, key = folder / f"{name}.pem", folder / f"{name}.key"
    certificate.write_text(created["certificatePem"])
    key.write_text(created["keyPair"]["PrivateKey"])
    if policy_document:
        aws("iot", "create-policy", "--policy-name", name, "--policy-document", policy_document)
        aws("iot", "attach-policy", "--policy-name", name, "--target", created["certificateArn"])
    return Device(created["certificateId"], created["certificateArn"], certificate, key)


def data_client(exports: dict[str, str], **more):
    """boto3's client of the data plane."""
    return boto3.client(
        "iot-data",
        endpoint_url=exports["AWS_ENDPOINT_URL_IOT_DATA_PLANE"],
        region_name=exports["AWS_REGION"],
        aws_access_key_id=exports["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=exports["AWS_SECRET_ACCESS_KEY"],
        **more,
    )


def signed_request(url: str, method: str, body: bytes, access_key: str, secret: str, *, service: str = "iot",
                   region: str = "us-east-1", at: datetime.datetime | None = None) -> AWSRequest:  # fmt: skip
    """A request signed by botocore, at another time when asked."""
    request = AWSRequest(method=method, url=url, data=body, headers={"content-type": "application/json"})
    signer = botocore.auth.SigV4Auth(Credentials(access_key, secret), service, region)
    now = at or datetime.datetime.now(datetime.timezone.utc)
    with mock.patch.object(botocore.auth, "get_current_datetime", lambda *_, **__: now.replace(tzinfo=None)):
        signer.add_auth(request)
    return request


def send(request: AWSRequest, seconds: float = 15) -> tuple[int, str, str]:
    """Status, error name and body of the answer. A server may answer before it has read all of a body."""
    address = urlsplit(request.url)
    connection = http.client.HTTPConnection(address.hostname, address.port, timeout=seconds)
    path = address.path + (f"?{address.query}" if address.query else "")
    try:
        try:
            connection.request(request.method, path, body=request.data, headers=dict(request.headers.items()))
        except (BrokenPipeError, ConnectionResetError):
            pass
        response = connection.getresponse()
        error = response.headers.get("x-amzn-errortype", "").split(":")[0]
        return response.status, error, response.read().decode(errors="replace")
    finally:
        connection.close()
