"""
A Vault that means harm: whatever it says, at whatever moment, what is installed stays, the run ends in time and in little
memory, and is made good by the next one.

An ordinary run tries each answer at one of the three moments, CERTLET_FAULTS=all (./bootstrap check --faults) at each.
"""

import functools
import json
import os
import shutil
import socket
import ssl
import subprocess
import threading
import time
import zlib

import pytest

from support import process
from support.ca import CA
from support.hostile import CONTROL, DATA, LOGIN, METADATA, WWW, assert_next_run_is_good, assert_unharmed, moments, offers

MEBIBYTE = 1 << 20
sanitized = pytest.mark.skipif(bool(os.environ.get("ASAN_OPTIONS")), reason="AddressSanitizer has a memory of its own")


def answer(body, *headers, status="200 OK"):
    return "\r\n".join([f"HTTP/1.1 {status}", "Content-Type: application/json", *headers, "", ""]).encode() + body


def sized(body, *headers, **how):
    return answer(body, f"Content-Length: {len(body)}", *headers, **how)


def endlessly(connection, piece):
    while True:
        connection.sendall(piece)


def slowly(connection, text, pause):
    for byte in text:
        connection.sendall(bytes([byte]))
        time.sleep(pause)


@functools.cache
def zipped(body, times=1):
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    return b"".join(packer.compress(body) for _ in range(times)) + packer.flush()


def chunks(*pieces):
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"


# What is written instead of the good body, and what is to be said of it.

CHUNKED = "Transfer-Encoding: chunked"
HOSTILE = {
    "an endless body": (lambda to, body: (to.sendall(answer(b"")), endlessly(to, b" " * 65536)), "over 4 MiB"),
    "endless chunks": (lambda to, body: (to.sendall(answer(b"", CHUNKED)), endlessly(to, b"10000\r\n" + b" " * 65536 + b"\r\n")),
                       "over 4 MiB"),
    "chunks of one byte without end": (lambda to, body: (to.sendall(answer(b"", CHUNKED)), endlessly(to, b"1\r\n \r\n" * 4096)),
                                       "over 4 MiB|timed out|deadline"),
    "endless headers": (lambda to, body: (to.sendall(b"HTTP/1.1 200 OK\r\n"), endlessly(to, b"X-Flood: " + b"x" * 1000 + b"\r\n")),
                        "[Hh]eader|timed out|deadline"),
    "an endless header": (lambda to, body: (to.sendall(b"HTTP/1.1 200 OK\r\nX-Flood: "), endlessly(to, b"x" * 65536)),
                          "[Hh]eader|[Aa]vail|too|Out of memory"),
    "an endless status line": (lambda to, body: (to.sendall(b"HTTP/1.1 200 "), endlessly(to, b"x" * 65536)),
                               "[Hh]eader|[Aa]vail|too|Out of memory"),
    "endless answers before the answer": (lambda to, body: endlessly(to, b"HTTP/1.1 103 Early Hints\r\n\r\n" * 1000),
                                          "[Hh]eader|timed out|deadline"),
    "headers a byte at a time": (lambda to, body: slowly(to, sized(body), 0.2), "timed out|deadline"),
    "a body zipped unasked": (lambda to, body: to.sendall(sized(zipped(body), "Content-Encoding: gzip")), "no JSON object"),
    "a bomb in the body": (lambda to, body: to.sendall(sized(zipped(bytes(MEBIBYTE), 16), "Content-Encoding: gzip")),
                           "no JSON object"),
    "a bomb in transfer": (lambda to, body: to.sendall(
        answer(chunks(zipped(bytes(MEBIBYTE), 16)), "Transfer-Encoding: gzip, chunked")), "over 4 MiB|[Ee]ncod"),
    "a length too long": (lambda to, body: to.sendall(answer(body, f"Content-Length: {len(body) + 1}")), "transfer closed"),
    "a length too short": (lambda to, body: to.sendall(answer(body, f"Content-Length: {len(body) - 9}")), "no JSON object"),
    "a length of 2^62": (lambda to, body: to.sendall(answer(body, f"Content-Length: {1 << 62}")), "transfer closed"),
    "a negative length": (lambda to, body: to.sendall(answer(body, "Content-Length: -5")), "[Ll]ength|no JSON"),
    "a chunk of 2^64": (lambda to, body: to.sendall(answer(b"10000000000000000\r\n" + body, CHUNKED)),
                        "[Cc]hunk|deadline|closed|[Ff]ail"),
    "a chunk that is none": (lambda to, body: to.sendall(answer(b"-1\r\n" + body, CHUNKED)), "[Cc]hunk|[Hh]ex|[Ff]ail"),
    "an end within the headers": (lambda to, body: to.sendall(answer(b"")[:-2]), "[Ee]mpty|closed|no JSON|reset|EOF"),
    "an end within the body": (lambda to, body: to.sendall(sized(body)[:-9]), "transfer closed"),
    "an end within the chunks": (lambda to, body: to.sendall(answer(chunks(body[:99]), CHUNKED)[:-5]), "transfer closed|EOF"),
    "another protocol": (lambda to, body: to.sendall(b"SSH-2.0-OpenSSH_9.2p1\r\n"), "HTTP/0.9|EOF"),
    "another version": (lambda to, body: to.sendall(sized(body).replace(b"HTTP/1.1", b"HTTP/7.3")), "HTTP|[Uu]nsupported"),
    "a switch of protocols": (lambda to, body: to.sendall(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\n" + body),
                              "no answer|status 101|timed out|[Rr]efused|[Uu]nsupported|[Rr]eceived|closed|HTTP|EOF"),
    "a header with a NUL": (lambda to, body: to.sendall(sized(body, "X-Odd: a\0b")), "[Nn]u[l]|[Hh]eader"),
    "part of an answer": (lambda to, body: to.sendall(sized(body, "Content-Range: bytes 0-9/99", status="206 Partial Content")),
                          "status 206|[Rr]ange"),
    "a page": (lambda to, body: to.sendall(sized(b"<html>" + b"\x1b[2J" * 99)), "no JSON object"),
    "a wish for another login": (lambda to, body: to.sendall(sized(
        body, "WWW-Authenticate: Negotiate, Basic realm=\"\x1b[2J\"", "Proxy-Authenticate: Basic", status="401 Who?")), "status 401"),
    "a redirect with an escape": (lambda to, body: to.sendall(sized(
        b"", "Location: https://127.0.0.1/\x1b[2J\x9b2J" + "x" * 3000, status="307 Over there")), "redirect"),
    "a redirect to itself": (lambda to, body: to.sendall(sized(b"", "Location: ", status="302 Here")), "redirect"),
    "an error of a megabyte": (lambda to, body: to.sendall(sized(
        json.dumps({"errors": ["\x1b]0;\x07no\r\n\t" * 40000]}).encode(), status="400 No")), "status 400"),
    "a million errors": (lambda to, body: to.sendall(sized(
        json.dumps({"errors": ["no"] * 500_000}).encode(), status="400 No")), "status 400"),
    "deep objects": (lambda to, body: to.sendall(sized(b'{"data":' * 100_000 + b"1" + b"}" * 100_000)), "no JSON object"),
    "deep arrays": (lambda to, body: to.sendall(sized(b"[" * MEBIBYTE)), "no JSON object"),
    "a number over all bounds": (lambda to, body: to.sendall(sized(body[:-1] + b',"n":1e99999}')), "no JSON object"),
    "an integer over all bounds": (lambda to, body: to.sendall(sized(body[:-1] + b',"n":' + b"9" * 99999 + b"}")), "no JSON object"),
    "a name with a NUL": (lambda to, body: to.sendall(sized(body[:-1] + b',"a\\u0000b":1}')), "no JSON object"),
    "text that is no UTF-8": (lambda to, body: to.sendall(sized(body[:-1] + b',"n":"\xff\xfe"}')), "no JSON object"),
    "a second value": (lambda to, body: to.sendall(sized(body + b"{}")), "no JSON object"),
    "an array": (lambda to, body: to.sendall(sized(b"[" + body + b"]")), "no JSON object"),
    "a word": (lambda to, body: to.sendall(sized(b"null")), "no JSON object"),
    "data that is a word": (lambda to, body: to.sendall(sized(b'{"data":"data","auth":7}')), "no token|has no"),
    "data that is a list": (lambda to, body: to.sendall(sized(b'{"data":[{"data":{}}],"auth":[]}')), "no token|has no"),
    "the same key again": (lambda to, body: to.sendall(sized(body[:-1] + b',"data":null,"auth":null}')), "no token|has no"),
}


def misbehaves(standin, path, how):
    """At that path the body of the good answer is handed to `how` with the connection."""
    good = standin.next_reply(path).body
    kept = standin._scripts.pop(path)
    standin.reply(path, says=lambda connection: how(connection, good))
    return kept


@pytest.mark.parametrize("case", HOSTILE)
def test_a_hostile_answer_harms_nothing_at_any_moment(standin, server, ca, served, case):
    how, words = HOSTILE[case]
    for version, moment in enumerate(moments(case), 2):
        if moment == LOGIN:
            (server.run_directory / "token").unlink()
        newer = offers(standin, ca, version)
        kept = misbehaves(standin, moment, how)
        run = server.sync()
        assert standin.count(moment) > 0, moment
        assert_unharmed(standin, server, served, run, words)
        standin._scripts[moment] = kept
        assert_next_run_is_good(server, newer)
        served = newer


# Odd, but good

ODD = {
    "a byte at a time": lambda to, body: slowly(to, sized(body), 0),
    "a byte a chunk": lambda to, body: to.sendall(answer(chunks(*(bytes([byte]) for byte in body)), CHUNKED)),
    "a length of 2^64": lambda to, body: to.sendall(answer(body, f"Content-Length: {1 << 64}", "Connection: close")),
    "no length": lambda to, body: to.sendall(answer(body, "Connection: close")),
    "white space around": lambda to, body: to.sendall(sized(b"\r\n\t " + body + b"\n" * 1000)),
    "answers before the answer": lambda to, body: to.sendall(b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" * 9 + sized(body)),
    "unknown keys": lambda to, body: to.sendall(sized(body[:-1] + b',"renewable":7,"\\u001b[2J":[[{}]],"mount_type":null}')),
    "cookies and other wishes": lambda to, body: to.sendall(sized(
        body, "Set-Cookie: a=b", "Alt-Svc: h3=\":443\"", "Strict-Transport-Security: max-age=9", "Refresh: 0", "Retry-After: 99999")),
    "trailers": lambda to, body: to.sendall(answer(chunks(body)[:-2] + b"X-Vault-Token: s.evil\r\n\r\n", CHUNKED, "Trailer: X-Vault-Token")),
}


@pytest.mark.parametrize("case", ODD)
def test_an_odd_answer_is_an_answer(standin, server, ca, served, case):
    (server.run_directory / "token").unlink()
    newer = offers(standin, ca, 2)
    for moment in (LOGIN, METADATA, DATA):
        misbehaves(standin, moment, ODD[case])
    server.asks(timeout="30s", deadline="30s")
    assert_next_run_is_good(server, newer)


def test_an_answer_that_nobody_asked_for_is_taken_for_no_other(standin, server, ca, served):
    """A second answer right behind the first must not be read as that of the next request."""
    forged = ca.leaf([WWW])
    standin.holds("forged", forged, version=9)
    smuggled = sized(standin.next_reply("secret/data/certs/forged").body)
    newer = offers(standin, ca, 2)
    misbehaves(standin, METADATA, lambda to, body: to.sendall(sized(body) + smuggled))
    server.sync()
    assert_next_run_is_good(server, newer)
    assert server.installed(WWW).version == 2


# TLS


def refuses_to_talk(server, standin, leaf, other, *words):
    """At the address of `other` nobody is believed; nothing was said to it."""
    server.asks(address=other, ca_file=standin.ca_file)
    assert_unharmed(standin, server, leaf, server.sync(), *words)
    server.asks(address=standin.address)
    assert_next_run_is_good(server, offers(standin, server.ca, 2))


@pytest.mark.parametrize("how, words", [
    pytest.param({"starts": -9, "days": 3}, "certificate has expired", id="expired"),
    pytest.param({"starts": 2}, "not yet valid", id="of tomorrow"),
    pytest.param({"names": ["vault.test", "127.0.0.2"]}, "SSL|name|subject", id="of another name"),
    pytest.param({"names": ["*"], "subject": "127.0.0.1"}, "SSL|name|subject", id="of all names"),
    pytest.param({"usage": "client"}, "purpose|unsuitable", id="of a client"),
    pytest.param({"intermediate_starts": -9, "intermediate_days": 3}, "certificate has expired", id="with an expired link"),
    pytest.param({"newest": ssl.TLSVersion.TLSv1_1}, "protocol version|unsupported protocol", id="over TLS 1.1"),
])
def test_a_server_with_wrong_tls_gets_no_word(standins, standin, server, served, how, words):
    other = standins(**how)
    refuses_to_talk(server, standin, served, other.address, words)
    assert other.seen == []


def test_the_server_that_speaks_tls_1_1_would_have_been_understood_once(standins):
    old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    old.check_hostname, old.verify_mode = False, ssl.CERT_NONE
    old.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning):
        old.minimum_version = ssl.TLSVersion.TLSv1
    with socket.create_connection(("127.0.0.1", standins(newest=ssl.TLSVersion.TLSv1_1).port)) as plain, \
            old.wrap_socket(plain) as connection:
        assert connection.version() == "TLSv1.1"


@pytest.mark.parametrize("what", [b"", b"\x16\x03\x03\xff\xff" * 20000, b"HTTP/1.1 400 Bad Request\r\n\r\nNo TLS here"],
                         ids=["nothing", "nonsense", "plain HTTP"])
def test_a_handshake_that_leads_nowhere_ends_in_time(standin, server, served, what):
    def say():
        connection, _ = listener.accept()
        with connection:
            connection.sendall(what)
            connection.recv(65536)
            time.sleep(3)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=say, daemon=True).start()
        refuses_to_talk(server, standin, served, f"https://127.0.0.1:{listener.getsockname()[1]}", "SSL|TLS|time")


# Memory


@pytest.fixture(scope="session")
def launch(session_directory):
    """Starts a program and reports the peak of the largest of its processes."""
    built = session_directory / "launch"
    subprocess.run([shutil.which("cc") or "gcc", "-O2", "-static", "-o", built, process.ROOT / "tests/bench/launch.c"], check=True)
    return built


def peak_of_sync(server, launch):
    report = server.directory / "peak"
    run = server.sync(under=[launch, report])
    return run, json.loads(report.read_text())["rss_kb"] / 1024


LARGE = {
    "an endless body": HOSTILE["an endless body"][0],
    "a bomb in transfer": HOSTILE["a bomb in transfer"][0],
    "endless headers": HOSTILE["endless headers"][0],
    "a hundred thousand fields": lambda to, body: to.sendall(sized(
        body[:-1] + b"," + b",".join(b'"field%d":"%d"' % (one, one) for one in range(100_000)) + b"}")),
    "a million arrays": lambda to, body: to.sendall(sized(body[:-1] + b',"n":[' + b"[]," * 1_300_000 + b"[]]}")),
    "a million numbers": lambda to, body: to.sendall(sized(body[:-1] + b',"n":[' + b"0," * 1_900_000 + b"0]}")),
}


@sanitized
@pytest.mark.parametrize("case", LARGE)
def test_a_large_answer_takes_little_memory(standin, server, ca, served, launch, case):
    newer = offers(standin, ca, 2)
    kept = misbehaves(standin, DATA, LARGE[case])
    server.asks(timeout="2s", deadline="2s")
    run, peak = peak_of_sync(server, launch)
    print(case, run.exit, f"{peak:.0f} MiB, {run.seconds:.2f} s")
    # A parsed value takes some forty times its two bytes of text: 4 MiB of the smallest cannot do more than this.
    assert 1 < peak < 256 and run.seconds < 10
    if run.exit != 0:
        assert_unharmed(standin, server, served, run, "")
    standin._scripts[DATA] = kept
    assert_next_run_is_good(server, newer)


# Secrets of an odd shape


def changes(standin, path, change):
    """The good answer at that path, changed as data."""
    body = json.loads(standin.next_reply(path).body)
    standin.forget(path)
    change(body["data"])
    standin.reply(path, 200, body)


def test_a_secret_of_a_hundred_thousand_fields_is_read_for_those_that_count(standin, server, ca, served):
    newer = offers(standin, ca, 2)
    changes(standin, DATA, lambda data: data["data"].update({f"field{number}": "" for number in range(100_000)}))
    server.asks(timeout="20s", deadline="20s")
    assert server.sync().exit == 0 and server.installed(WWW).fingerprint == newer.fingerprint


def test_fields_of_odd_names_are_told_in_one_clean_line(standin, server, ca, served):
    for version, name in enumerate(["a\nb", "\x1b[2J", "\u202e\u009b2J", "x" * 100_000, ""], 2):
        offers(standin, ca, version)
        changes(standin, DATA, lambda data: data.update(data={f"{name}{number}": "x" for number in range(40)}))
        assert_unharmed(standin, server, served, server.sync(), "found: ")
    assert_next_run_is_good(server, offers(standin, ca, version + 1))


@pytest.mark.parametrize("any_name", [False, True])
def test_a_certificate_of_odd_names_is_refused_and_told_clean(standin, server, ca, served, any_name):
    if any_name:
        server.wants(WWW, names="any")
    for version, name in enumerate([f"{WWW}\0.evil.test", f"{WWW}\nbad", "\x1b[2J.example.test", "a b", "x" * 600], 2):
        offers(standin, ca, version, names=[name])
        changes(standin, METADATA, lambda data: data.pop("custom_metadata"))
        assert_unharmed(standin, server, served, server.sync(), "expected|name that is none")
        told = json.dumps(server.status(), ensure_ascii=False)
        shown = server.run("--status").output + server.run("--check").output
        assert not set(told + shown) & CONTROL
    assert_next_run_is_good(server, offers(standin, ca, version + 1))


@pytest.mark.parametrize("name", ["a\nb=c", "\x1b[2J", "\u202e\u009b", "\0"])
def test_an_issuer_of_an_odd_name_is_shown_clean(standin, server, served, name):
    newer = CA(f"odd {name} root").leaf([WWW])
    standin.forget()
    standin.logs_in().holds(WWW, newer, version=2)
    run = server.sync()
    if run.exit == 0:
        assert server.installed(WWW).fingerprint == newer.fingerprint
    else:
        assert_unharmed(standin, server, served, run, "")
    shown = run.output + server.run("--status").output + server.run("--status", WWW).output + server.run("--check").output
    assert not set(shown + server.certificate_status(WWW)["issuer"]) & CONTROL


# Numbers and times


def test_a_token_of_any_lifetime_does_for_this_run(standin, server, ca, served):
    for version, lifetime in enumerate([0, -1, 1 << 62, (1 << 63) - 1, -(1 << 63), 1e300, "3600", None], 2):
        (server.run_directory / "token").unlink(missing_ok=True)
        newer = offers(standin, ca, version)
        body = json.loads(standin.next_reply(LOGIN).body)
        body["auth"]["lease_duration"] = lifetime
        standin.forget(LOGIN)
        standin.reply(LOGIN, 200, body)
        assert_next_run_is_good(server, newer)


@pytest.mark.parametrize("moment", [METADATA, DATA])
def test_a_version_that_is_none_is_no_version(standin, server, ca, served, moment):
    for version in [0, -1, 1.5, "2", True, None, {}]:
        offers(standin, ca, 2)
        changes(standin, moment, lambda data: data.update(current_version=version) if moment == METADATA
                else data["metadata"].update(version=version))
        assert_unharmed(standin, server, served, server.sync(), "version")
    assert_next_run_is_good(server, offers(standin, ca, 3))


def test_the_largest_version_is_one(standin, server, ca, served):
    assert_next_run_is_good(server, offers(standin, ca, (1 << 63) - 1))
    assert server.installed(WWW).version == (1 << 63) - 1
    assert_next_run_is_good(server, offers(standin, ca, 3))


@pytest.mark.parametrize("moment", [METADATA, DATA])
def test_a_created_time_that_is_none_is_no_version(standin, server, ca, served, moment):
    for created in ["0000-00-00T00:00:00Z", "2026-13-01T00:00:00Z", "9999-99-99T99:99:99Z", "99999-01-01T00:00:00Z",
                    "-2026-01-01T00:00:00Z", "2026-01-02T03:04:05", "2026-01-02T03:04:05.\x1b[2JZ",
                    "2026-01-02T03:04:05." + "9" * 500 + "Z"]:
        offers(standin, ca, 2)
        changes(standin, moment, lambda data: data["versions"]["2"].update(created_time=created) if moment == METADATA
                else data["metadata"].update(created_time=created))
        assert_unharmed(standin, server, served, server.sync(), "created_time")
    assert_next_run_is_good(server, offers(standin, ca, 3))


def test_a_wish_to_come_back_later_never_outlasts_the_deadline(standin, server, ca, served):
    for after in ["99999999999999999999", "-1", "1e9", "\x1b[2J", "Fri, 31 Dec 9999 23:59:59 GMT", "0x7f", "9223372036854775807"]:
        offers(standin, ca, 2)
        standin.forget(METADATA)
        standin.reply(METADATA, 429, headers={"Retry-After": after})
        assert_unharmed(standin, server, served, server.sync(), "429")
    assert_next_run_is_good(server, offers(standin, ca, 2))


# Between metadata and read


def swapped(standin, ca, **metadata):
    """Metadata speaks of version 3; what is read says something else."""
    newer = offers(standin, ca, 3)
    changes(standin, DATA, lambda data: data["metadata"].update(metadata))
    return newer


@pytest.mark.parametrize("metadata", [{"version": 4}, {"version": 4, "created_time": "2026-01-02T03:05:06Z"}, {"version": 2}])
def test_what_was_read_counts_and_not_what_metadata_said(standin, server, ca, served, metadata):
    newer = swapped(standin, ca, **metadata)
    run = server.sync()
    assert run.exit == 0 and server.installed(WWW).fingerprint == newer.fingerprint, run.output
    assert server.installed(WWW).version == metadata["version"]
    assert_next_run_is_good(server, offers(standin, ca, 5, created="2026-01-02T03:06:07Z"))


def test_an_older_version_that_is_read_where_a_newer_was_announced_is_refused(standin, server, ca, served):
    offers(standin, ca, 3)
    changes(standin, DATA, lambda data: data["metadata"].update(version=2, created_time="2025-01-02T03:04:05Z"))
    assert_unharmed(standin, server, served, server.sync(), "expected a version made after")
    assert_next_run_is_good(server, offers(standin, ca, 4))


def test_half_of_a_pair_is_refused_when_the_other_half_was_swapped(standin, server, ca, served):
    other = ca.leaf([WWW])
    offers(standin, ca, 2)
    changes(standin, DATA, lambda data: data["data"].update(privkey=other.key))
    assert_unharmed(standin, server, served, server.sync(), "key fits")
    assert_next_run_is_good(server, offers(standin, ca, 3))


def test_a_read_that_finds_nothing_where_metadata_saw_something_leaves_what_is_there(standin, server, ca, served):
    offers(standin, ca, 2)
    standin.forget(DATA)
    run = server.sync()
    assert_unharmed(standin, server, served, run, "no such secret")
    assert run.exit == 2
    assert_next_run_is_good(server, offers(standin, ca, 3))
