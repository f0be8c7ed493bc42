"""
The module at work on a machine that may be spoilt: a booted systemd, the package of this tree, a real OpenBao, a real nginx.
./bootstrap check runs these tests inside of tests/acceptance/boot, each file in a machine of its own; so does

    ./bootstrap check --acceptance -k timer

node    the machine, without a trace of certlet (support/node.py):
        node.apply(code, certificates={…}, vault={…}) -> Run: .exit .output   settings of Hiera, without `certlet::`
        node.differences() -> what is not as before certlet came    node.nginx(name) -> listens for it    node.served(name) -> fingerprint
issuer  the machine set up as the page of README.md says, with the DNS of others and a CA (support/issuer.py, support/internet.py):
        issuer.page  issuer.issue(…, SETTING=…) -> Run   issuer.service("certlet-renew")   issuer.obtained() .published() .served() .delegated(domain)
        issuer.internet.update(key, …) .without_ca() .orders() .dig(type, name)   issuer.bao.seal()
"""

import subprocess

import pytest

from support import puppetserver
from support.node import Node, facts, is_expendable
from system.conftest import bao, ca, directory, own_vault, pytest_runtest_makereport, session_directory, vault  # noqa: F401


def pytest_collection_modifyitems(items):
    if items and not is_expendable():
        pytest.exit("these tests spoil the machine that they run on; see the top of tests/acceptance/conftest.py", 4)


@pytest.fixture(scope="session")
def before():
    """The disk before certlet ever came. nginx makes directories of its own when it is asked for the first time."""
    subprocess.run(["nginx", "-q", "-t"], check=True)
    if puppetserver.is_there():
        puppetserver.enrol()
    return facts()


@pytest.fixture
def node(directory, own_vault, ca, before):  # noqa: F811
    machine = (puppetserver.ManagedNode if puppetserver.is_there() else Node)(directory, own_vault, ca, before)
    yield machine
    machine.clean_up()
