"""Signature Version 4 for WebSockets: botocore's signer, and the few lines by hand that AWS's JavaScript SDKs have."""

import datetime
import hashlib
import hmac
from urllib.parse import quote

from botocore.auth import SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

SERVICE = "iotdevicegateway"


def credentials(exports: dict[str, str], token: str | None = None) -> Credentials:
    return Credentials(exports["AWS_ACCESS_KEY_ID"], exports["AWS_SECRET_ACCESS_KEY"], token)


def query_signed(url: str, who: Credentials, region: str, *, expires: int = 60, service: str = SERVICE) -> str:
    """Everything signed, the session token too."""
    request = AWSRequest("GET", url)
    SigV4QueryAuth(who, service, region, expires=expires).add_auth(request)
    return request.prepare().url


def token_appended(url: str, who: Credentials, region: str) -> str:
    """As AWS IoT wants it: signed without the session token, which comes after."""
    without = Credentials(who.access_key, who.secret_key)
    return f"{query_signed(url, without, region)}&X-Amz-Security-Token={quote(who.token, safe='')}"


def header_signed(url: str, who: Credentials, region: str) -> dict[str, str]:
    request = AWSRequest("GET", url)
    SigV4Auth(who, SERVICE, region).add_auth(request)
    return {name: request.headers[name] for name in ("Authorization", "X-Amz-Date")}


def signed_by_hand(host: str, who: Credentials, region: str, seconds_ago: int = 0) -> str:
    """The query that aws-iot-device-sdk-js makes: without X-Amz-Expires."""
    now = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(seconds=seconds_ago)
    date, day = now.strftime("%Y%m%dT%H%M%SZ"), now.strftime("%Y%m%d")
    scope = f"{day}/{region}/{SERVICE}/aws4_request"
    query = (
        f"X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential={quote(f'{who.access_key}/{scope}', safe='')}"
        f"&X-Amz-Date={date}&X-Amz-SignedHeaders=host"
    )
    canonical = f"GET\n/mqtt\n{query}\nhost:{host}\n\nhost\n{hashlib.sha256(b'').hexdigest()}"
    to_sign = f"AWS4-HMAC-SHA256\n{date}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    key = f"AWS4{who.secret_key}".encode()
    for part in (day, region, SERVICE, "aws4_request", to_sign):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return f"{query}&X-Amz-Signature={key.hex()}"
