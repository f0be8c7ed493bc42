"""
HTTP/2 as raw frames, for a server that breaks its rules. What it says well is what a Standin would say.

    server = Http2(directory, ca, standin)
    server.says(moment, how)    support.hostile's LOGIN, METADATA or DATA: how(stream, body) writes the answer
    stream.headers(200)  stream.data(body, end=True)  stream.reset(CANCEL)  stream.frame(kind, flags, payload, number=0)

A POST is the login, the first GET after it asks for metadata, each later one for data.
"""

import socket
import struct
import threading

from support.standin import tls_context

DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = range(10)
END_STREAM, ACK, END_HEADERS, PADDED = 1, 1, 4, 8
NO_ERROR, INTERNAL_ERROR, REFUSED_STREAM, CANCEL, ENHANCE_YOUR_CALM, HTTP_1_1_REQUIRED = 0, 2, 7, 8, 11, 13
LOGIN, METADATA, LATER = "auth/approle/login", "secret/metadata/", "secret/data/"
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
POST = 0x83  # ":method: POST" in HPACK's static table


def field(name, value):
    """A header that goes into no table (RFC 7541, 6.2.2), of less than 127 bytes."""
    return b"\0" + bytes([len(name)]) + name + bytes([len(value)]) + value


def status(code):
    return b"\x88" if code == 200 else field(b":status", b"%d" % code)


class Stream:
    def __init__(self, connection, number):
        self.connection, self.number = connection, number

    def frame(self, kind, flags=0, payload=b"", number=None, length=None, times=1):
        """`length` is what the frame says of itself, if it is to lie."""
        size = struct.pack(">I", len(payload) if length is None else length)[1:]
        head = size + bytes([kind, flags]) + struct.pack(">I", self.number if number is None else number)
        self.connection.sendall((head + payload) * times)

    def headers(self, code=200, *fields, end=False):
        self.frame(HEADERS, END_HEADERS | (END_STREAM if end else 0), status(code) + b"".join(fields))

    def data(self, body=b"", end=False):
        for start in range(0, max(len(body), 1), 16384):
            piece = body[start:start + 16384]
            self.frame(DATA, END_STREAM if end and start + 16384 >= len(body) else 0, piece)

    def reset(self, code):
        self.frame(RST_STREAM, 0, struct.pack(">I", code))

    def answer(self, body):
        self.headers()
        self.data(body, end=True)


class Http2:
    def __init__(self, directory, ca, standin):
        self.standin, self.requests, self._how = standin, 0, {}
        home = ca.leaf(["127.0.0.1"], days=30).write(directory / "http2")
        self._context = tls_context(home)
        self._context.set_alpn_protocols(["h2"])
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.address = f"https://127.0.0.1:{self._listener.getsockname()[1]}"
        self._after = None  # the moment before
        threading.Thread(target=self._accept, daemon=True).start()

    def says(self, moment, how):
        self._how = {moment: how}

    def close(self):
        self._listener.close()

    def _accept(self):
        while True:
            try:
                plain, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(plain,), daemon=True).start()

    def _serve(self, plain):
        try:
            with self._context.wrap_socket(plain, server_side=True) as connection:
                self._talk(connection)
        except (OSError, EOFError):
            pass  # a client that hangs up is part of the tests

    def _talk(self, connection):
        if read(connection, len(PREFACE)) != PREFACE:
            return
        first, moment = Stream(connection, 0), None
        first.frame(SETTINGS)
        while True:
            head = read(connection, 9)
            payload = read(connection, int.from_bytes(head[:3], "big"))
            kind, flags, number = head[3], head[4], struct.unpack(">I", head[5:])[0] & 0x7fffffff
            if kind == SETTINGS and not flags & ACK:
                first.frame(SETTINGS, ACK)
            if kind == HEADERS:
                block = payload[5:] if flags & 0x20 else payload  # behind the priority
                moment = LOGIN if block[0] == POST else METADATA if self._after == LOGIN else LATER
                self._after = moment
            if kind in (HEADERS, DATA) and flags & END_STREAM:
                self._answer(Stream(connection, number), moment)

    def _answer(self, stream, moment):
        self.requests += 1
        path = next(path for path in self.standin._scripts if path.startswith(moment))
        how = self._how.get(path)
        body = self.standin.next_reply(path).body
        if how is None:
            stream.answer(body)
        else:
            how(stream, body)


def read(connection, size):
    got = b""
    while len(got) < size:
        piece = connection.recv(size - len(got))
        if not piece:
            raise EOFError
        got += piece
    return got
