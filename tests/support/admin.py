"""The administrator of a Vault: certlet-admin as people type it, and what it handed out put to use."""

import os
import shlex
import subprocess
import sys
import time
from pathlib import Path

from support import process
from support.machine import Run
from support.process import ROOT

PROGRAM = ROOT / "etc/vault/certlet-admin"


class Administrator:
    """certlet-admin with a token for this server (a Bao); by default the root token."""

    def __init__(self, bao, token=None, namespace="", address=None):
        self.bao, self.token, self.namespace = bao, token or bao.root_token, namespace
        self.address = address or bao.address
        self.environment = {
            "PATH": f"{Path(process.bao_program()).parent}:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": str(bao.directory),
            "BAO_ADDR": self.address, "BAO_CACERT": bao.ca_file, "BAO_TOKEN": self.token}
        if namespace:
            self.environment["BAO_NAMESPACE"] = namespace

    def as_one_with(self, *policies):
        """The same, with a token that has these policies and no other."""
        made = self.api("POST", "auth/token/create", {"policies": policies, "no_default_policy": True, "ttl": "1h"})
        return Administrator(self.bao, made["auth"]["client_token"], self.namespace, self.address)

    def api(self, method, path, body=None, **options):
        return self.bao.api(method, path, body, namespace=self.namespace, **options)

    def run(self, *arguments, env=None, program=PROGRAM):
        command = [str(word) for word in (program, *arguments)]
        begin = time.monotonic()
        done = subprocess.run(command, env=self.environment | (env or {}), stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=120, preexec_fn=process.die_with_parent)
        run = Run(done.returncode, done.stdout, done.stderr, time.monotonic() - begin, command)
        # Shown by pytest only when the test fails.
        print(f"$ {shlex.join(command)}\n{run.output}[exit {run.exit}]", file=sys.stderr)
        return run

    def does(self, *arguments, **options):
        """A run that has to succeed."""
        run = self.run(*arguments, **options)
        assert run.exit == 0, run.output
        return run

    def hands_out(self, *arguments):
        """{name: value} of what such a run prints: role_id, wrapped_secret_id or secret_id."""
        return dict(line.split(" ", 1) for line in self.does(*arguments).stdout.splitlines())

    def opens(self, handed_out):
        """The secret-id in it."""
        return self.api("PUT", "sys/wrapping/unwrap", token=handed_out["wrapped_secret_id"])["data"]["secret_id"]

    def logs_in(self, role_id, secret_id):
        """The `auth` of the answer: client_token, token_policies, …"""
        return self.api("POST", "auth/approle/login", {"role_id": role_id, "secret_id": secret_id}, token="none")["auth"]

    def token_of(self, handed_out):
        return self.logs_in(handed_out["role_id"], self.opens(handed_out))["client_token"]

    def has_made(self, role, *certificates, more=()):
        """What an earlier run has left, in less time: a role with the policies of these certificates. Its role-id."""
        policies = [f"certlet-cert-{name}" for name in certificates]
        for policy in policies:
            self.api("PUT", f"sys/policies/acl/{policy}", {"policy": 'path "none" { capabilities = ["read"] }'})
        self.api("POST", f"auth/approle/role/{role}", {"token_policies": [*policies, *more]})
        return self.api("GET", f"auth/approle/role/{role}/role-id")["data"]["role_id"]

    def makes_secret_id(self, role):
        return self.api("POST", f"auth/approle/role/{role}/secret-id")["data"]["secret_id"]

    def roles(self):
        """{role: its certificates} as certlet-admin tells."""
        lines = [line.split() for line in self.does("list").stdout.splitlines()[1:]]
        return {line[0]: " ".join(line[3:]) for line in lines}

    def has_policy(self, name):
        return name in self.api("LIST", "sys/policies/acl")["data"]["keys"]

    def manifest_keys(self):
        """The [vault] section of a server that knows no more than the address."""
        keys = {"address": self.address, "ca_file": self.bao.ca_file}
        if self.namespace:
            keys["namespace"] = self.namespace.rstrip("/")
        return keys


def write_secret(path, text):
    """0600 from the beginning, as an administrator would."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w") as file:
        file.write(text + "\n")
    return path
