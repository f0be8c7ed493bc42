"""HTTP/2 by a server that breaks its rules, or ends an answer in the middle: as test_22, one level lower."""

import struct

import pytest

from support.hostile import DATA, LOGIN, METADATA, WWW, assert_next_run_is_good, assert_unharmed, moments, offers
from support.http2 import (CANCEL, CONTINUATION, END_HEADERS, END_STREAM, ENHANCE_YOUR_CALM, GOAWAY, HEADERS, HTTP_1_1_REQUIRED,
                           INTERNAL_ERROR, NO_ERROR, PADDED, PING, PRIORITY, PUSH_PROMISE, REFUSED_STREAM, SETTINGS, WINDOW_UPDATE,
                           Http2, field)
from support.http2 import DATA as DATA_FRAME


@pytest.fixture
def http2(directory, ca, standin):
    server = Http2(directory, ca, standin)
    yield server
    server.close()


def leaves(stream, last=0, code=ENHANCE_YOUR_CALM, words=b""):
    stream.frame(GOAWAY, 0, struct.pack(">II", last, code) + words, number=0)


def for_ever(act):
    while True:
        act()


def hang_up(stream):
    stream.connection.close()


def half(body):
    return body[:len(body) // 2]


# One pair of headers in the dynamic table, called up again and again.
BOMB = b"\x40" + b"\x01x" + b"\x7f\xa1\x1e" + b"x" * 4000 + b"\xbe" * 16000

BROKEN = {
    "a reset instead of an answer": lambda to, body: to.reset(INTERNAL_ERROR),
    "a reset after the headers": lambda to, body: (to.headers(), to.reset(CANCEL)),
    "a reset within the body": lambda to, body: (to.headers(), to.data(half(body)), to.reset(INTERNAL_ERROR)),
    "a reset without an error within the body": lambda to, body: (
        to.headers(200, field(b"content-length", b"%d" % len(body))), to.data(half(body)), to.reset(NO_ERROR)),
    "a stream that is always refused": lambda to, body: to.reset(REFUSED_STREAM),
    "a wish for HTTP/1.1 that is not spoken": lambda to, body: to.reset(HTTP_1_1_REQUIRED),
    "a farewell within the body": lambda to, body: (to.headers(), to.data(half(body)), leaves(to, words=b"\x1b[2J" * 99), hang_up(to)),
    "a farewell and then silence": lambda to, body: leaves(to),
    "an end within a frame": lambda to, body: (to.headers(), to.frame(DATA_FRAME, 0, half(body), length=len(body)), hang_up(to)),
    "an end between frames": lambda to, body: (to.headers(), to.data(half(body)), hang_up(to)),
    "an end that comes too early": lambda to, body: (to.headers(200, field(b"content-length", b"%d" % len(body))), to.data(half(body), end=True)),
    "half of a body that says it is all": lambda to, body: (to.headers(), to.data(half(body), end=True)),
    "more than was announced": lambda to, body: (to.headers(200, field(b"content-length", b"9")), to.data(body, end=True)),
    "an endless body": lambda to, body: (to.headers(), for_ever(lambda: to.data(b" " * 16384))),
    "empty frames without end": lambda to, body: (to.headers(), for_ever(lambda: to.data())),
    "padding without end": lambda to, body: (to.headers(), for_ever(lambda: to.frame(DATA_FRAME, PADDED, b"\xff" + bytes(255)))),
    "no end": lambda to, body: (to.headers(), to.data(body[:-1])),
    "nothing": lambda to, body: None,
    "a frame of sixteen megabytes": lambda to, body: to.frame(DATA_FRAME, 0, b" " * 65536, length=0xffffff),
    "a body before its headers": lambda to, body: to.data(body, end=True),
    "a body on no stream": lambda to, body: (to.headers(), to.frame(DATA_FRAME, END_STREAM, body[:16384], number=0)),
    "a body on another stream": lambda to, body: (to.headers(), to.frame(DATA_FRAME, END_STREAM, body[:16384], number=99)),
    "pings without end": lambda to, body: for_ever(lambda: to.frame(PING, 0, bytes(8), number=0)),
    "settings without end": lambda to, body: for_ever(lambda: to.frame(SETTINGS, 0, struct.pack(">HI", 3, 100), number=0)),
    "priorities without end": lambda to, body: for_ever(lambda: to.frame(PRIORITY, 0, struct.pack(">IB", 0, 9))),
    "unknown frames without end": lambda to, body: for_ever(lambda: to.frame(0x77, 0xff, bytes(1000), number=0)),
    "frames faster than they are read, without end": lambda to, body: for_ever(lambda: to.frame(0x77, number=0, times=1000000)),
    "headers without end": lambda to, body: (to.frame(HEADERS, 0, b"\x88"),
                                             for_ever(lambda: to.frame(CONTINUATION, 0, field(b"x-flood", b"x" * 100) * 100))),
    "hints without end": lambda to, body: for_ever(lambda: to.headers(103, field(b"link", b"x" * 100))),
    "a bomb in the headers": lambda to, body: (to.frame(HEADERS, 0, b"\x88" + BOMB[:16000]),
                                               to.frame(CONTINUATION, END_HEADERS, BOMB[16000:]), to.data(body, end=True)),
    "a header from a table that has none": lambda to, body: (to.frame(HEADERS, END_HEADERS, b"\xfe"), to.data(body, end=True)),
    "a header with a line feed": lambda to, body: (to.headers(200, field(b"x-odd", b"a\r\nb: c")), to.data(body, end=True)),
    "no status": lambda to, body: (to.frame(HEADERS, END_HEADERS, field(b"x", b"y")), to.data(body, end=True)),
    "a status that is none": lambda to, body: (to.frame(HEADERS, END_HEADERS, field(b":status", b"2oo")), to.data(body, end=True)),
    "headers of another request": lambda to, body: (to.frame(HEADERS, END_HEADERS, b"\x82\x87\x84"), to.data(body, end=True)),
    "a pushed answer": lambda to, body: (to.frame(PUSH_PROMISE, END_HEADERS, struct.pack(">I", 2) + b"\x82\x87\x84"),
                                         to.frame(HEADERS, END_HEADERS, b"\x88", number=2), to.frame(DATA_FRAME, END_STREAM, body[:99], number=2)),
    "a window that overflows": lambda to, body: (to.frame(WINDOW_UPDATE, 0, struct.pack(">I", 0x7fffffff), number=0), to.headers(),
                                                 to.data(half(body))),
    "a window of nothing": lambda to, body: (to.frame(WINDOW_UPDATE, 0, bytes(4)), to.headers(), to.data(half(body))),
    "a status of 500 and a reset": lambda to, body: (to.headers(500), to.data(b"\x1b[2J"), to.reset(INTERNAL_ERROR)),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_answer_harms_nothing_at_any_moment(standin, server, ca, served, http2, case):
    for version, moment in enumerate(moments(case), 2):
        newer = offers(standin, ca, version)
        http2.says(moment, BROKEN[case])
        (server.run_directory / "token").unlink(missing_ok=True)
        server.asks(address=http2.address)
        before = http2.requests
        run = server.sync()
        assert http2.requests >= before + 1 + [LOGIN, METADATA, DATA].index(moment)
        assert_unharmed(standin, server, served, run, "")
        server.asks(address=standin.address)
        assert_next_run_is_good(server, newer)
        served = newer


def test_an_address_that_never_stops_talking_is_left_for_the_next(standin, server, ca, served, http2):
    newer = offers(standin, ca, 2)
    (server.run_directory / "token").unlink()
    http2.says(METADATA, BROKEN["frames faster than they are read, without end"])
    server.asks(address=f"{http2.address} {standin.address}", timeout="1s", deadline="20s")
    run = server.sync()
    assert run.exit == 0 and run.seconds < 15, run.output
    assert server.installed(WWW).fingerprint == newer.fingerprint


# What is odd, but follows the rules

ODD = {
    "frames of one byte": lambda to, body: (to.headers(), [to.data(bytes([byte])) for byte in body[:-1]], to.data(body[-1:], end=True)),
    "padding": lambda to, body: (to.headers(), to.frame(DATA_FRAME, PADDED | END_STREAM, b"\xc8" + body + bytes(200))),
    "headers in pieces": lambda to, body: (to.frame(HEADERS, 0, b""), to.frame(CONTINUATION, 0, b"\x88"),
                                           to.frame(CONTINUATION, END_HEADERS, field(b"x", b"y")), to.data(body, end=True)),
    "pings and unknown frames between": lambda to, body: (to.frame(PING, 0, bytes(8), number=0), to.headers(), to.frame(0x77, 9, bytes(99)),
                                                          to.data(half(body)), to.frame(PRIORITY, 0, struct.pack(">IB", 0, 9)),
                                                          to.data(body[len(half(body)):], end=True)),
    "a hint before": lambda to, body: (to.headers(103, field(b"link", b"x")), to.answer(body)),
    "a farewell that lets it end": lambda to, body: (to.headers(), leaves(to, to.number, NO_ERROR), to.data(body, end=True)),
    "a reset after the end": lambda to, body: (to.answer(body), to.reset(NO_ERROR)),
    "trailers": lambda to, body: (to.headers(), to.data(body), to.frame(HEADERS, END_HEADERS | END_STREAM, field(b"x", b"y"))),
}


@pytest.mark.parametrize("case", ODD)
def test_an_odd_answer_is_an_answer(standin, server, ca, served, http2, case):
    newer = offers(standin, ca, 2)
    (server.run_directory / "token").unlink()
    http2.says(METADATA, ODD[case])
    server.asks(address=http2.address, timeout="30s", deadline="30s")
    assert_next_run_is_good(server, newer)
