"""
A scripted HTTP(S) server for what a real OpenBao cannot be made to say.

    standin.reply("auth/approle/login", 429, headers={"Retry-After": "1"}, times=2)   then what follows
    standin.reply("auth/approle/login", 200, {"auth": …})
    standin.logs_in()                     a good AppRole login (batch token)
    standin.holds("web", leaf, version=3) metadata and data of certs/web
    standin.forwards_to(vault)            everything without a script is passed on to a real OpenBao

    standin.reply(path, says=function)    the function is given the connection and writes whatever it likes

A path's replies are given in turn; the last one stays. Without a script: 404 {"errors":[]}.
`standin.seen` lists the requests as (method, path, headers, body); `standin.count("metadata")` counts paths that contain it.
"""

import json
import socket
import ssl
import struct
import threading
import time
import urllib.error
import urllib.request
import warnings
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

CREATED = "2026-01-02T03:04:05.678901234Z"


@dataclass
class Reply:
    code: int = 200
    body: bytes = b""
    headers: dict = field(default_factory=dict)
    times: int = None       # None: for ever
    delay: float = 0        # before the answer
    trickle: float = 0      # seconds between single bytes of the body
    cut: int = None         # the connection ends after so many bytes of the body
    reset: bool = False     # the connection is reset instead of an answer
    forward: bool = False   # this one goes to the real server
    says: object = None     # called with the connection: the whole answer is its matter, and the end of the connection


class Standin:
    """
    One server on 127.0.0.1 with TLS (tls=False: plain http); newest=ssl.TLSVersion.TLSv1_1: that and nothing better;
    other options are those of its certificate, ca.leaf().
    """

    role_id, secret_id = "standin-role-id", "standin-secret-id"

    def __init__(self, directory, ca, tls=True, newest=None, **certificate):
        self.ca, self.tls = ca, tls
        self.seen = []
        self._scripts = {}
        self._lock = threading.Lock()
        self._upstream = None
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.standin = self
        self.port = self._server.server_address[1]
        self.address = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}"
        self.ca_file = str(directory / f"standin-{self.port}-ca.pem")
        with open(self.ca_file, "w", encoding="ascii") as file:
            file.write(ca.root_pem)
        if tls:
            leaf = ca.leaf(**{"names": ["127.0.0.1", "localhost", "vault.test"], "days": 30, **certificate})
            self._server.context = tls_context(leaf.write(directory / f"standin-{self.port}"), newest)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def reply(self, path, code=200, body=None, headers=None, **how):
        """The next reply at /v1/PATH (a query is not part of it). body: dict or list (JSON), text or bytes."""
        if isinstance(body, (dict, list)):
            body = json.dumps(body)
        body = body.encode() if isinstance(body, str) else body or b""
        with self._lock:
            self._scripts.setdefault(path.strip("/"), []).append(Reply(code, body, headers or {}, **how))
        return self

    def redirect(self, path, location, code=307, **how):
        return self.reply(path, code, headers={"Location": location}, **how)

    def passes(self, path, times=1):
        """So many requests at PATH go to the real server before the next reply's turn."""
        return self.reply(path, forward=True, times=times)

    def logs_in(self, token="b.standin", kind="batch", ttl=1200, mount="approle"):
        return self.reply(f"auth/{mount}/login", 200, {"data": None, "warnings": None, "auth": {
            "client_token": token, "accessor": "", "policies": ["default"], "lease_duration": ttl, "renewable": False,
            "token_type": kind, "mfa_requirement": None, "num_uses": 0}})

    def holds(self, name, leaf, version=1, created=CREATED, mount="secret"):
        """A KV v2 secret certs/NAME."""
        stamp = {"created_time": created, "deletion_time": "", "destroyed": False}
        self.reply(f"sys/internal/ui/mounts/{mount}", 200,
                   {"data": {"path": f"{mount}/", "type": "kv", "options": {"version": "2"}}})
        self.reply(f"{mount}/metadata/certs/{name}", 200, {"data": {
            "current_version": version, "oldest_version": 0, "versions": {str(version): stamp},
            "custom_metadata": leaf.custom_metadata(), "created_time": created, "updated_time": created}})
        return self.reply(f"{mount}/data/certs/{name}", 200, {"data": {
            "data": leaf.fields(), "metadata": {**stamp, "version": version, "custom_metadata": None}}})

    def forwards_to(self, vault):
        self._upstream = vault
        self.role_id, self.secret_id = vault.role_id, vault.secret_id
        return self

    def forget(self, path=None):
        """Drops the script of one path, or of all."""
        with self._lock:
            if path is None:
                self._scripts.clear()
            else:
                self._scripts.pop(path.strip("/"), None)

    def count(self, part=""):
        with self._lock:
            return sum(part in path for _, path, _, _ in self.seen)

    def manifest_keys(self):
        keys = {"address": self.address}
        if self.tls:
            keys["ca_file"] = self.ca_file
        if self._upstream is not None:
            keys = {**self._upstream.manifest_keys(), **keys}
        return keys

    def close(self):
        self._server.shutdown()
        self._server.server_close()

    def next_reply(self, path):
        with self._lock:
            script = self._scripts.get(path, [])
            while len(script) > 1 and script[0].times == 0:
                script.pop(0)
            if not script or script[0].times == 0:
                return Reply(forward=True) if self._upstream else Reply(404, b'{"errors":[]}\n')
            reply = script[0]
            if reply.times is not None:
                reply.times -= 1
            elif len(script) > 1:
                script.pop(0)
            return reply

    def forward(self, method, target, headers, body):
        request = urllib.request.Request(self._upstream.address + target, method=method, data=body or None)
        for name in ("X-Vault-Token", "X-Vault-Namespace", "Content-Type"):
            if headers.get(name):
                request.add_header(name, headers[name])
        try:
            with urllib.request.urlopen(request, context=self._upstream.bao.tls, timeout=20) as answer:
                return Reply(answer.status, answer.read())
        except urllib.error.HTTPError as error:
            return Reply(error.code, error.read())


def tls_context(home, newest=None):
    """For TLS as the server, with the certificate in that directory."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(home / "fullchain.pem", home / "privkey.pem")
    if newest is not None:
        made.set_ciphers("ALL:@SECLEVEL=0")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that it is not safe is the point
            made.minimum_version = made.maximum_version = newest
    return made


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256
    context = None

    def finish_request(self, request, client_address):
        # The handshake is the connection's own thread's business: a slow client holds up nobody.
        if self.context is not None:
            try:
                request = self.context.wrap_socket(request, server_side=True)
            except OSError:
                return
        super().finish_request(request, client_address)

    def handle_error(self, request, client_address):
        pass  # clients that hang up are part of the tests


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def _answer(self):
        standin = self.server.standin
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path = self.path.partition("?")[0].removeprefix("/v1/").strip("/")
        with standin._lock:
            standin.seen.append((self.command, self.path, dict(self.headers), body))
        reply = standin.next_reply(path)
        if reply.forward:
            reply = standin.forward(self.command, self.path, self.headers, body)
        time.sleep(reply.delay)
        if reply.reset:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.close_connection = True
            self.connection.close()
            return
        if reply.says is not None:
            self.close_connection = True
            reply.says(self.connection)
            return
        self.send_response(reply.code)
        for name, value in {"Content-Type": "application/json", "Content-Length": str(len(reply.body)),
                            **reply.headers}.items():
            if value is not None:
                self.send_header(name, value)
        self.end_headers()
        content = reply.body if reply.cut is None else reply.body[:reply.cut]
        if reply.trickle:
            for byte in content:
                self.wfile.write(bytes([byte]))
                self.wfile.flush()
                time.sleep(reply.trickle)
        else:
            self.wfile.write(content)
        if reply.cut is not None:
            self.close_connection = True

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_LIST = _answer

    def log_message(self, *_):
        pass
