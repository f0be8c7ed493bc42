"""The parts of certlet-issue, with a certbot that ends as it is told; tests/acceptance/test_issuer.py has the real one."""

import os
import subprocess

import pytest

from support.machine import Run
from support.process import ROOT

pytestmark = pytest.mark.shell

DOMAIN = "example.test"
WORDS = """
set -eu
step() { printf '==> %s\\n' "$*" >&2; }
say() { printf '    %s\\n' "$*" >&2; }
fail() { status=$1; shift; printf '%s\\n' "$*" >&2; exit "$status"; }
needs() { :; }
settings=issuer.conf dry_run='' staging='' NAME_SERVERS=''
"""


class Issuer:
    """Certbot's own directory is .home; .part(NAME, code) runs code that has that part of certlet-issue."""

    def __init__(self, directory):
        self.home, self.programs = directory / "letsencrypt", directory / "bin"
        self.home.mkdir()
        self.programs.mkdir()
        self.program("certlet-publish", "exit 0")
        self.lineage = self.home / "live" / DOMAIN
        self.renewal = self.home / f"renewal/{DOMAIN}.conf"

    def program(self, name, code):
        path = self.programs / name
        path.write_text(f"#!/bin/sh\n{code}\n")
        path.chmod(0o755)

    def part(self, name, code):
        part = self.home.parent / f"{name}.sh"
        part.write_text((ROOT / f"etc/issuer/{name}.sh").read_text().replace("/etc/letsencrypt", str(self.home)))
        done = subprocess.run(["sh", "-c", f"{WORDS}\n. {part}\n{code}"], capture_output=True, text=True, stdin=subprocess.DEVNULL,
                              env={"PATH": f"{self.programs}:{os.environ['PATH']}"})
        print(f"{done.stdout}{done.stderr}[exit {done.returncode}]")
        return Run(done.returncode, done.stdout, done.stderr, 0)

    def obtains(self, certbot, before=""):
        self.program("certbot", certbot)
        return self.part("certificate", f"""
            ACME_SERVER=x ACME_STAGING_SERVER=x ACME_CA_FILE= ACME_EMAIL= CERTBOT_CREDENTIALS=x PROPAGATION_SECONDS=0
            write_credentials() {{ :; }}
            {before}
            obtain {DOMAIN} {DOMAIN}""")

    def is_interrupted(self, renewal="", mark="old"):
        """What certbot leaves that is killed: the links, what they point to, and an empty file of renewal, or none."""
        archive = self.home / "archive" / DOMAIN
        for directory in (archive, self.lineage, self.renewal.parent):
            directory.mkdir(parents=True, exist_ok=True)
        for name in ("cert", "chain", "fullchain", "privkey"):
            (archive / f"{name}1.pem").write_text(mark)
            (self.lineage / f"{name}.pem").symlink_to(f"../../archive/{DOMAIN}/{name}1.pem")
        if renewal is not None:
            self.renewal.write_text(renewal)

    def files(self):
        return {path: path.read_text() for path in self.home.rglob("*") if path.is_file()}

    def kept(self, mark):
        """How many private keys with this mark there are anywhere."""
        return sum(text == mark for path, text in self.files().items() if path.name == "privkey1.pem")


@pytest.fixture
def issuer(directory):
    return Issuer(directory)


@pytest.mark.parametrize("renewal", ["", None], ids=["begun", "deleted"])
def test_a_trial_leaves_what_an_interrupted_certbot_left_where_it_is(issuer, renewal):
    issuer.is_interrupted(renewal)
    before = issuer.files()
    assert issuer.obtains("exit 0", "staging=yes").exit == 0 and issuer.files() == before


def test_a_trial_does_not_refuse_what_is_broken(issuer):
    issuer.is_interrupted("something\n")
    (issuer.lineage / "chain.pem").unlink()
    assert issuer.obtains("exit 0").exit == 2
    assert issuer.obtains("exit 0", "staging=yes").exit == 0


@pytest.mark.parametrize("renewal", ["", None], ids=["begun", "deleted"])
@pytest.mark.parametrize("certbot", ["exit 1", "kill $PPID; exit 1"], ids=["failed", "killed"])
def test_what_was_put_aside_comes_back_when_certbot_obtains_nothing(issuer, renewal, certbot):
    """It has the names of the certificate, and a server on the same machine may read it."""
    issuer.is_interrupted(renewal)
    before = issuer.files()
    run = issuer.obtains(f"[ ! -e {issuer.lineage} ] && [ ! -e {issuer.renewal} ] || exit 0; {certbot}")
    assert run.exit == 2 and issuer.files() == before and list((issuer.home / "interrupted").iterdir()) == []


@pytest.mark.parametrize("made", ["live", "archive", "renewal"])
def test_where_a_failed_certbot_left_something_new_nothing_comes_back(issuer, made):
    issuer.is_interrupted()
    new = {"live": issuer.lineage, "archive": issuer.home / "archive" / DOMAIN, "renewal": issuer.renewal}[made]
    assert issuer.obtains(f"mkdir {new}; exit 1").exit == 2
    assert new.is_dir() and list(new.iterdir()) == [] and issuer.kept("old") == 1


def test_what_was_put_aside_once_is_kept_for_good(issuer):
    """Links too: they lead to the same files there."""
    for mark in ("first", "second"):
        issuer.is_interrupted(mark=mark)
        made = f"mkdir -p {issuer.lineage}; echo x >{issuer.renewal}"
        assert "expected a valid certificate" in issuer.obtains(made).stderr
        issuer.renewal.unlink()
        issuer.lineage.rmdir()
    assert issuer.kept("first") == issuer.kept("second") == 1
    aside = list((issuer.home / "interrupted").iterdir())
    assert sorted((path / "live" / DOMAIN / "privkey.pem").read_text() for path in aside) == ["first", "second"]
    assert {path.stat().st_mode & 0o777 for path in [*aside, issuer.home / "interrupted"]} == {0o700}


def test_a_removal_puts_aside_what_is_left(issuer):
    issuer.is_interrupted(None)
    before = issuer.files()
    assert issuer.part("certificate", f"dry_run=yes; forget {DOMAIN}").exit == 0 and issuer.files() == before
    assert issuer.part("certificate", f"forget {DOMAIN}").exit == 0 and not issuer.lineage.exists() and issuer.kept("old") == 1


WAITING = f"""
NAME_SERVERS='ns1.{DOMAIN} ns2.{DOMAIN}' WAIT_SECONDS=10
show_delegation() {{ [ "$waited" -ge 2 ]; }}
sleep() {{ :; }}
addresses_of() {{ [ $1 = ns1.{DOMAIN}. ] || [ "$waited" -lt "$late" ] || echo 192.0.2.1; }}
"""


def test_the_address_of_a_name_server_is_waited_for_like_the_delegation(issuer):
    waiting = WAITING.replace(f"[ $1 = ns1.{DOMAIN}. ] || ", "")
    run = issuer.part("dns", f"{waiting} late=8; wait_for_delegation {DOMAIN}; echo after $waited s")
    assert run.exit == 0 and run.stdout == "after 8 s\n"
    run = issuer.part("dns", f"{WAITING} late=0; wait_for_delegation {DOMAIN}; echo after $waited s")
    assert run.exit == 2 and run.stdout == "" and f"{DOMAIN}: ns1.{DOMAIN}. has no address: its record" in run.stderr
    run = issuer.part("dns", f"{WAITING} late=0 WAIT_SECONDS=0; wait_for_delegation {DOMAIN}")
    assert run.exit == 2 and f"{DOMAIN}: no right delegation within 0 s" in run.stderr
