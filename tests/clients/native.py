"""Requests to `/v1` as any HTTP client makes them, and what other clients send, seen on its way."""

import contextlib
import http.client
import http.server
import json
import threading
import urllib.parse
from dataclasses import dataclass

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials


@dataclass
class Exchange:
    """One request and its answer."""

    method: str
    target: str
    body: bytes
    status: int
    content_type: str
    answer: bytes
    # The name that the server's log gives it.
    operation: str

    def sent(self):
        return json.loads(self.body or b"{}")

    def json(self):
        return json.loads(self.answer)


def send(server, method, target, headers, body=b""):
    """Sends these bytes under these headers, whoever signed them."""
    connection = http.client.HTTPConnection(server.endpoint.split("//")[1], timeout=60)
    with contextlib.closing(connection):
        connection.request(method, target, body=body, headers=headers)
        answer = connection.getresponse()
        read, content_type = answer.read(), answer.getheader("content-type")
    log = (server.home / "serve.log").read_text().splitlines()
    lines = [json.loads(line) for line in log if '"message":"answered"' in line]
    operation = lines[-1]["operation"]
    return Exchange(method, target, body, answer.status, content_type, read, operation)


def call(server, method, target, body=None, headers=None, scope="keystead"):
    """Signs and sends."""
    data = b"" if body is None else json.dumps(body).encode()
    request = AWSRequest(method, server.endpoint + target, headers=headers, data=data)
    credentials = Credentials(server.access_key_id, server.secret_access_key)
    SigV4Auth(credentials, scope, "eu-central-1").add_auth(request)
    return send(server, method, target, dict(request.headers), data)


def target(path, values=None, query=None):
    """A path with its parameters filled in, and its query."""
    for name, value in (values or {}).items():
        path = path.replace(f"{{{name}}}", urllib.parse.quote(value, safe=""))
    return path + ("?" + urllib.parse.urlencode(query) if query else "")


@contextlib.contextmanager
def recorder(server):
    """A proxy before the server: its endpoint, and the exchanges that went through it so far."""
    exchanges = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def forward(self):
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            hop = ("connection", "content-length", "transfer-encoding")
            headers = {n: v for n, v in self.headers.items() if n.lower() not in hop}
            exchange = send(server, self.command, self.path, headers, body)
            exchanges.append(exchange)
            self.send_response(exchange.status)
            self.send_header("content-type", exchange.content_type)
            self.send_header("content-length", str(len(exchange.answer)))
            self.end_headers()
            self.wfile.write(exchange.answer)

        do_GET = do_POST = do_PUT = forward

        def log_message(self, *_):
            pass

    proxy = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=proxy.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{proxy.server_port}", exchanges
    finally:
        proxy.shutdown()
        thread.join()
        proxy.server_close()
