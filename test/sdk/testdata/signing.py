"""Calls APIs that take signed requests only, with the signers of botocore.
signing_test.go runs it, with the addresses and keys in the environment."""
import http.client
import json
import os

from botocore.auth import SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

env = os.environ
region, address = env["REGION"], env["ADDRESS"]
alice = Credentials(env["KEY"], env["SECRET"])
session = Credentials(env["SESSION_KEY"], env["SESSION_SECRET"], env["SESSION_TOKEN"])
JSON = {"Content-Type": "application/json"}

# Method, path with the query, headers and body. Signing a URL, botocore makes
# parameters of a body, so there is none then.
REQUESTS = [
    ("GET", "/pets", {}, None),
    ("GET", "/pets/", {}, None),
    ("GET", "/pets//1", {}, None),
    ("GET", "/pets/a%20b/%C3%A9/x%2Fy/~-_.", {}, None),
    ("GET", "/pets?x=1&x=0&a=%2F%20%C3%A9&empty=&Z=1", {}, None),
    ("DELETE", "/pets/1", {"X-Mine": "  a   b "}, None),
    ("POST", "/pets", JSON, json.dumps({"name": "é"}).encode()),
    ("PUT", "/pets/1", JSON, bytes(range(256)) * 300),
    ("PATCH", "/pets/1?a=b", {**JSON, "X-Amz-Meta": "1"}, b"{}"),
]


def send(request, host, change=None):
    """Sends what was signed as it is, and returns status, error type and body."""
    prepared = request.prepare()
    target = prepared.url.split(host, 1)[1]
    headers, body = dict(prepared.headers), prepared.body
    if change:
        target, headers, body = change(target, headers, body)
    connection = http.client.HTTPConnection(address)
    connection.putrequest(prepared.method, target, skip_host=True, skip_accept_encoding=True)
    for name, value in {"Host": host, **headers}.items():
        connection.putheader(name, value)
    if body and "Content-Length" not in headers:
        connection.putheader("Content-Length", str(len(body)))
    connection.endheaders(body or None)
    response = connection.getresponse()
    text = response.read()
    connection.close()
    return response.status, response.getheader("x-amzn-errortype"), text


def signed(signer, api, method, path, headers, body):
    host = f"{api}.execute-api.localhost:{address.split(':')[1]}"
    request = AWSRequest(method=method, url=f"http://{host}/test{path}", headers=dict(headers), data=body)
    signer.add_auth(request)
    return request, host


def check(got, want, what):
    assert got == want, f"{what}: {got}, want {want}"


for api in ("REST", "HTTP"):
    for credentials in (alice, session):
        for signer in (SigV4Auth(credentials, "execute-api", region), SigV4QueryAuth(credentials, "execute-api", region, expires=60)):
            for method, path, headers, body in REQUESTS:
                if body and isinstance(signer, SigV4QueryAuth):
                    continue
                what = f"{api} {type(signer).__name__} {method} {path}"
                request, host = signed(signer, env[api], method, path, headers, body)
                status, kind, text = send(request, host)
                check((status, kind), (200, None), f"{what} {text}")
                if api == "REST":
                    assert text.endswith(b":user/alice"), text
                elif method != "DELETE":
                    check(text, body or b"", what)

            # What is altered on the way isn't what was signed.
            def refused(method, path, headers, body, change, what):
                request, host = signed(signer, env[api], method, path, headers, body)
                status, kind, text = send(request, host, change)
                if api == "HTTP":
                    check((status, text), (403, b'{"message":"Forbidden"}'), what)
                    return
                check((status, kind), (403, "InvalidSignatureException"), f"{what} {text}")
                assert b"The request signature we calculated does not match" in text, text

            refused("POST", "/pets", JSON, None, lambda t, h, b: (t, {**h, "Content-Length": "2"}, b"{}"), "a body more")
            if not isinstance(signer, SigV4QueryAuth):
                refused("POST", "/pets", JSON, b"{}", lambda t, h, b: (t, h, b"[]"), "another body")
            refused("GET", "/pets", {}, None, lambda t, h, b: (t.replace("pets", "hats"), h, b), "another path")
            refused("GET", "/pets?a=1", {}, None, lambda t, h, b: (t.replace("a=1", "a=2"), h, b), "another parameter")
            refused("GET", "/pets", {"X-Mine": "a"}, None, lambda t, h, b: (t, {**h, "X-Mine": "b"}, b), "another header")

request, host = signed(SigV4Auth(alice, "execute-api", region), env["REST"], "GET", "/forbidden", {}, None)
status, kind, text = send(request, host)
check((status, kind), (403, "AccessDeniedException"), "what alice may not")
message = json.loads(text)["Message"]
assert message.startswith("User: arn:aws:iam::") and message.endswith("/test/GET/forbidden with an explicit deny in an identity-based policy"), message

request, host = signed(SigV4Auth(alice, "execute-api", "eu-north-1"), env["REST"], "GET", "/pets", {}, None)
check(json.loads(send(request, host)[2]), {"message": "Credential should be scoped to a valid region, not 'eu-north-1'. "}, "another region")
request, host = signed(SigV4Auth(Credentials("AKIANOBODY", "x"), "execute-api", region), env["REST"], "GET", "/pets", {}, None)
check(send(request, host)[1:], ("UnrecognizedClientException", b'{"message":"The security token included in the request is invalid."}'), "an unknown key")

# A handshake is signed in its URL, or in its headers.
HANDSHAKE = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="}
for credentials in (alice, session):
    for signer in (SigV4QueryAuth(credentials, "execute-api", region, expires=60), SigV4Auth(credentials, "execute-api", region)):
        request, host = signed(signer, env["SOCKET"], "GET", "", {}, None)
        check(send(request, host, lambda t, h, b: (t, {**h, **HANDSHAKE}, b))[0], 101, "a handshake")
        request, host = signed(signer, env["SOCKET"], "GET", "?a=1", {}, None)
        check(send(request, host, lambda t, h, b: (t.replace("a=1", "a=2"), {**h, **HANDSHAKE}, b))[0], 403, "an altered handshake")
