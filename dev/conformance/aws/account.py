"""An account of devices: certificates registered over the HTTP API, and what its policy lets them do."""

import json
import ssl

import boto3
from server import ACCOUNT, REGION
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
