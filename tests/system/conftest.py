"""
The vocabulary of the system tests: certlet as built, against a real OpenBao over TLS. One page; details in tests/support/.

vault   this test's own corner of a running OpenBao: KV v2 and v1 mounts, AppRole mount, role, policy (support/bao.py)
        vault.publish("www.example.test", days=5)  -> Leaf      a new version at certs/NAME; options of ca.leaf(), leaf=, fields=, v1=True
        vault.put(name, {"cert": …})  vault.delete(name)  vault.destroy(name, 1)  vault.forget(name)
        vault.deny(name)  vault.allow(name)  vault.allow_list()  vault.allow_metadata(False)  vault.policy(hcl)
        vault.token_type("service")  vault.new_secret_id(num_uses=1)  vault.revoke_secret_id()  vault.token()
        vault.wrap(ttl="60s", num_uses=1) -> a wrapping token  vault.unwrap(token)
        vault.client_certificate(cn)  vault.in_namespace("team")  vault.api("GET", "sys/…")  vault.address  vault.ca_file
        vault.requests(kind="data", name=…)  vault.keys_sent()   counted by the audit log for the last run; since="start": all
own_vault   the same on a server of its own, with mounts secret/ and approle/, and .stop() .start() .restart() .seal() .unseal()
repository   the shared server made a repository by certlet-admin (support/admin.py), with the policy certlet-admin; root_admin: with root's
        repository.does("add-server", …) -> Run   .hands_out(…) -> {"role_id": …, "wrapped_secret_id": …}   .token_of(handed out)
        .roles()  .api("GET", "sys/…")  as the root   new_namespace: one where nothing was set up yet
ca      makes chains (support/ca.py): ca.leaf(names, key="rsa-2048", starts=-1, days=90, intermediates=1, is_ca=, usage=…)
        Leaf: .cert .chain .fullchain .key .fingerprint .serial .names .not_after .version .fields() .write(directory)
server  a machine in a temporary directory (support/machine.py)
        server.wants(name, group=…, services=["nginx"])  server.unwants(name)  server.asks(**vault keys)  server.agent(**keys)
        server.service("nginx", verify=…)   test, reload and active are scripts that note each call:
        server.breaks("nginx", "test")  server.rejects("nginx", leaf, "test"|"reload")  server.halts("nginx")  server.slows(…)
        server.mends("nginx")  server.calls("nginx") -> ["active", "test", "reload"]  server.reloads("nginx")  (of the last run)
        server.sync("--dry-run", env={…}, under=["strace", …]) -> Run: .exit .stdout .stderr .output .seconds
        server.run("--check")  server.start("--sync") -> Popen, to be killed  server.publish("--name", …)  server.writes(manifest text)
        server.installed(name) -> None | .fingerprint .version .generation .matches .names .modes .inodes .origin .privkey …
        server.generations(name)  server.status()  server.certificate_status(name)  server.service_status(name)
        server.files() -> facts of every file, for "nothing was touched"   server.holds(text) -> files that contain it
        server.manifest .etc .live .archive .state_directory .run_directory .directory
standin a scripted HTTPS server (support/standin.py): .reply(path, code, body, headers=, times=, delay=, cut=…) .logs_in() .holds(…)
        .forwards_to(vault) .seen .count(); a test that asks for `standin` but not for `vault` has its server use it.
standins()  more of them: standins(tls=False), standins(starts=-9, days=3).   dead_address: a URL where nobody listens.
served  the leaf of www.example.test, installed from the stand-in, for tests of a hostile one (support/hostile.py, support/http2.py).
nginx, haproxy   real programs on a free port: nginx.vhost(name, server.live / name), nginx.start(), nginx.serves(sni), nginx.comes_to_serve(fingerprint, sni),
        server.service("nginx", **nginx.service_keys(verify=True)).   served_fingerprint(port, sni) is in support.programs.
directory   a temporary directory of the test's own.

Markers: @pytest.mark.root. KEEP=1 keeps the directory of a failed test; each failure prints the command that runs it again.
"""

import os
import shlex
import shutil
import sys
import tempfile
import uuid
from pathlib import Path

import pytest

sys.dont_write_bytecode = True  # the tree stays as it is

from support import process, programs  # noqa: E402
from support.admin import Administrator  # noqa: E402
from support.bao import Bao, Vault  # noqa: E402
from support.ca import CA  # noqa: E402
from support.machine import Machine  # noqa: E402
from support.standin import Standin  # noqa: E402


def pytest_collection_modifyitems(items):
    for item in items:
        if item.get_closest_marker("root") and os.geteuid() != 0:
            item.add_marker(pytest.mark.skip(reason="needs root"))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    if report.failed:
        item.failed = True
        again = f"KEEP=1 CERTLET={process.certlet_program()} {sys.executable} -m pytest {item.path}::{item.name}"
        if "[" in item.name:
            again = f"KEEP=1 CERTLET={process.certlet_program()} {sys.executable} -m pytest {shlex.quote(f'{item.path}::{item.name}')}"
        report.sections.append(("to run it again", again))
    return report


def _temporary(request, prefix):
    path = Path(tempfile.mkdtemp(prefix=prefix))
    path.chmod(0o755)  # the fetch process is another user
    yield path
    if os.environ.get("KEEP") and getattr(request.node, "failed", request.session.testsfailed > 0):
        print(f"kept: {path}", file=sys.stderr)
    else:
        shutil.rmtree(path, ignore_errors=True)


@pytest.fixture
def directory(request):
    yield from _temporary(request, "certlet-test-")


@pytest.fixture(scope="session")
def session_directory(request):
    yield from _temporary(request, "certlet-session-")


@pytest.fixture(scope="session")
def ca():
    return CA()


@pytest.fixture(scope="session")
def bao(session_directory):
    """The OpenBao that the tests of this process share."""
    home = session_directory / "bao"
    home.mkdir()
    running = Bao(home)
    try:
        yield running.start()
    finally:
        running.stop()


@pytest.fixture(scope="session")
def root_admin(bao, ca, session_directory):
    """certlet-admin with the root token, after `setup`."""
    admin = Administrator(bao)
    puppet_ca = session_directory / "puppet-ca.pem"
    puppet_ca.write_text(ca.root_pem)
    admin.does("setup", "--puppet-ca", puppet_ca)
    return admin


@pytest.fixture(scope="session")
def repository(root_admin):
    """The same repository, with no more rights than the daily verbs need."""
    return root_admin.as_one_with("certlet-admin")


@pytest.fixture
def new_namespace(bao):
    """certlet-admin in a namespace where nothing is yet."""
    name = f"n{uuid.uuid4().hex[:8]}"
    bao.api("POST", f"sys/namespaces/{name}")
    return Administrator(bao, namespace=f"{name}/")


@pytest.fixture
def vault(bao, ca):
    return Vault(bao, ca)


@pytest.fixture
def own_vault(directory, ca):
    home = directory / "bao"
    home.mkdir()
    running = Bao(home, storage="raft")
    try:
        running.start()
        yield Vault(running, ca, alone=True)
    finally:
        running.stop()


@pytest.fixture
def standins(directory, ca):
    made = []

    def another(tls=True, **how):
        made.append(Standin(directory, ca, tls, **how))
        return made[-1]

    yield another
    for one in made:
        one.close()


@pytest.fixture
def standin(standins):
    return standins()


@pytest.fixture
def dead_address():
    return f"https://127.0.0.1:{process.free_port()}"


@pytest.fixture
def server(request, directory, ca):
    asked = request.fixturenames
    name = next((one for one in ("own_vault", "vault", "standin") if one in asked), "vault")
    return Machine(directory, request.getfixturevalue(name), ca)


@pytest.fixture
def served(standin, server, ca):
    """A stand-in and a server with one certificate and one service, in good order, and with little patience."""
    leaf = ca.leaf(["www.example.test"], starts=-10)
    standin.logs_in().holds("www.example.test", leaf)
    server.asks(kv_version="2", timeout="1s", deadline="1s")
    server.wants("www.example.test", services=["nginx"])
    assert server.sync().exit == 0
    return leaf


@pytest.fixture
def nginx(directory):
    if programs.program("nginx") is None:
        pytest.skip("nginx is not installed")
    running = programs.Nginx(directory / "nginx")
    yield running
    running.stop()


@pytest.fixture
def haproxy(directory):
    if programs.program("haproxy") is None:
        pytest.skip("HAProxy is not installed")
    running = programs.Haproxy(directory / "haproxy")
    yield running
    running.stop()
