"""
A real OpenBao over TLS, and a test's own corner of it.

Bao is the server process; Vault is what one test sees: its own KV mounts, its own AppRole mount, role and policy, so
that tests share a server and never meet. Requests are counted from the audit log, which the server writes before it answers.
"""

import json
import os
import ssl
import uuid
import urllib.error
import urllib.request

from support import process
from support.ca import CA

ROLE = "host"


class ApiError(Exception):
    def __init__(self, code, text):
        super().__init__(f"{code}: {text}")
        self.code = code


class Bao:
    """One `bao server`. `storage="raft"` keeps its data over restart(), "inmem" starts faster."""

    def __init__(self, directory, storage="inmem"):
        self.directory = directory
        self.storage = storage
        self.port = process.free_port()
        self.cluster_port = process.free_port()
        self.address = f"https://127.0.0.1:{self.port}"
        self.ca = CA("certlet test Vault CA")
        self.ca_file = str(directory / "vault-ca.pem")
        self.audit_file = directory / "audit.log"
        self.log_file = directory / "bao.log"
        self.environment = {"PATH": os.environ["PATH"], "HOME": str(directory)}
        self.process = None
        self.root_token = None
        self.unseal_key = None
        self._configure()

    def _configure(self):
        (self.directory / "vault-ca.pem").write_text(self.ca.root_pem)
        leaf = self.ca.leaf(["localhost", "vault.test", "127.0.0.1"], days=30)
        leaf.write(self.directory / "tls")
        if self.storage == "raft":
            (self.directory / "data").mkdir()
            storage = (f'storage "raft" {{\n  path = "{self.directory}/data"\n  node_id = "one"\n'
                       f'  performance_multiplier = 1\n}}\ncluster_addr = "https://127.0.0.1:{self.cluster_port}"')
        else:
            storage = 'storage "inmem" {}'
        (self.directory / "bao.hcl").write_text(f"""{storage}
api_addr = "{self.address}"
ui = false
listener "tcp" {{
  address = "127.0.0.1:{self.port}"
  cluster_address = "127.0.0.1:{self.cluster_port}"
  tls_cert_file = "{self.directory}/tls/fullchain.pem"
  tls_key_file = "{self.directory}/tls/privkey.pem"
}}
audit "file" "log" {{
  options {{
    file_path = "{self.audit_file}"
  }}
}}
""")
        self.tls = ssl.create_default_context(cafile=self.ca_file)

    def boot(self):
        """Starts, and returns when it can be asked, sealed as it is."""
        self.process = process.start(
            [process.bao_program(), "server", f"-config={self.directory}/bao.hcl"], log=self.log_file, env=self.environment)
        process.wait_until(self._listens, 20, "OpenBao to listen")

    def start(self):
        """Starts, initialises the first time, unseals; returns when it is active."""
        self.boot()
        if self.root_token is None:
            made = self.api("PUT", "sys/init", {"secret_shares": 1, "secret_threshold": 1})
            self.root_token, self.unseal_key = made["root_token"], made["keys"][0]
        self.unseal()
        return self

    def stop(self):
        process.stop(self.process)
        self.process = None

    def restart(self):
        self.stop()
        self.start()

    def seal(self):
        """From now on every request is answered 503."""
        self.api("PUT", "sys/seal")

    def unseal(self):
        self.api("PUT", "sys/unseal", {"key": self.unseal_key})
        process.wait_until(self._leads, 20, "OpenBao to be active")

    def _leads(self):
        leader = self.api("GET", "sys/leader")
        return leader.get("is_self", not leader["ha_enabled"])

    def _listens(self):
        if self.process.poll() is not None:
            raise RuntimeError(f"OpenBao ended:\n{self.log_file.read_text()[-2000:]}")
        try:
            self.api("GET", "sys/seal-status")
            return True
        except OSError:
            return False

    def api(self, method, path, body=None, token=None, namespace="", headers=None):
        """One request with the root token; the parsed answer, None when empty, ApiError from 400 on."""
        request = urllib.request.Request(
            f"{self.address}/v1/{path}", method=method,
            data=None if body is None else json.dumps(body).encode())
        for name, value in {"X-Vault-Token": token or self.root_token, "X-Vault-Namespace": namespace,
                            "Content-Type": "application/json", **(headers or {})}.items():
            if value:
                request.add_header(name, value)
        try:
            with urllib.request.urlopen(request, context=self.tls, timeout=20) as answer:
                text = answer.read()
        except urllib.error.HTTPError as error:
            raise ApiError(error.code, error.read().decode()) from None
        return json.loads(text) if text else None

    def audit_size(self):
        return self.audit_file.stat().st_size if self.audit_file.exists() else 0

    def audit(self, since=0):
        """The audit entries from that position of the file on."""
        with open(self.audit_file, "rb") as log:
            log.seek(since)
            return [json.loads(line) for line in log if line.endswith(b"\n")]


class Vault:
    """
    One test's corner of a Bao. Attributes: address, ca_file, kv_mount, kv1_mount, auth_mount, role, role_id, secret_id, ca.
    The policy allows reading data and metadata of everything under certs/, as `certlet --policy` would, and no LIST.
    """

    def __init__(self, bao, ca, alone=False, namespace=""):
        self.bao = bao
        self.ca = ca
        self.namespace = namespace
        self.id = "" if alone else uuid.uuid4().hex[:8]
        suffix = f"-{self.id}" if self.id else ""
        self.address, self.ca_file = bao.address, bao.ca_file
        self.kv_mount, self.kv1_mount = f"secret{suffix}", f"kv1{suffix}"
        self.auth_mount, self.cert_mount = f"approle{suffix}", f"cert{suffix}"
        self.role = f"{ROLE}{suffix}"
        self._mounted = set()
        self._position = 0
        self._read_rules = {}
        self.api("POST", f"sys/mounts/{self.kv_mount}", {"type": "kv", "options": {"version": "2"}})
        self.api("POST", f"sys/auth/{self.auth_mount}", {"type": "approle"})
        self.metadata_allowed, self.list_allowed = True, False
        self.denied = {}
        self._write_policy()
        self.token_type("batch")
        self.role_id = self.api("GET", f"auth/{self.auth_mount}/role/{self.role}/role-id")["data"]["role_id"]
        self.secret_id = self.new_secret_id()
        self.mark()

    def api(self, method, path, body=None, **options):
        """Any request as root, inside this corner's namespace."""
        return self.bao.api(method, path, body, namespace=self.namespace, **options)

    # What the repository holds

    def publish(self, name, leaf=None, v1=False, path=None, fields=None, **leaf_options):
        """
        Puts a new leaf for NAME at certs/NAME as certlet-publish does; returns it, with .version.
        `leaf=` takes an existing one; `fields=` changes single fields ({"chain": None} leaves one out);
        everything else goes to ca.leaf(): names= key= days= starts= intermediates= …
        """
        if leaf is None:
            leaf_options.setdefault("names", [name.replace("_wildcard.", "*.", 1)])
            leaf = self.ca.leaf(**leaf_options)
        leaf.version = self.put(name, leaf.fields(**(fields or {})), v1=v1, path=path)
        if not v1:
            self.api("POST", f"{self.kv_mount}/metadata/{path or 'certs/' + name}",
                     {"custom_metadata": leaf.custom_metadata()})
        return leaf

    def put(self, name, fields, v1=False, path=None):
        """Puts any secret at certs/NAME (or `path`); returns its version (0 in KV v1)."""
        path = path or f"certs/{name}"
        if v1:
            self._mount("sys/mounts", self.kv1_mount, {"type": "kv", "options": {"version": "1"}})
            self.api("POST", f"{self.kv1_mount}/{path}", fields)
            return 0
        return self.api("POST", f"{self.kv_mount}/data/{path}", {"data": fields})["data"]["version"]

    def delete(self, name):
        """Soft-deletes the newest version: 404 with metadata."""
        self.api("DELETE", f"{self.kv_mount}/data/certs/{name}")

    def destroy(self, name, *versions):
        """Destroys versions for good: 404 with metadata, destroyed."""
        self.api("POST", f"{self.kv_mount}/destroy/certs/{name}", {"versions": list(versions)})

    def forget(self, name):
        """Removes the path with all versions: 404 without metadata; the next publish is version 1 again."""
        self.api("DELETE", f"{self.kv_mount}/metadata/certs/{name}")

    # Who may do what

    def policy(self, hcl):
        """The host's whole policy from now on (batch tokens obey at once)."""
        self.api("PUT", f"sys/policies/acl/{self.role}", {"policy": hcl})

    def deny(self, name, what=("data", "metadata")):
        """403 on this certificate, or only on its `what="metadata"`."""
        for kind in [what] if isinstance(what, str) else what:
            self.denied[f"{self.kv_mount}/{kind}/certs/{name}"] = True
        self._write_policy()

    def allow(self, name):
        """Takes deny(name) back."""
        for kind in ("data", "metadata"):
            self.denied.pop(f"{self.kv_mount}/{kind}/certs/{name}", None)
        self._write_policy()

    def allow_list(self, allowed=True):
        """May the host LIST detailed-metadata under certs/?"""
        self.list_allowed = allowed
        self._write_policy()

    def allow_metadata(self, allowed=True):
        """allow_metadata(False): a policy that reads data only."""
        self.metadata_allowed = allowed
        self._write_policy()

    def _write_policy(self):
        rules = {f"{self.kv_mount}/data/*": ["read"], f"{self.kv1_mount}/*": ["read"]}
        if self.metadata_allowed:
            rules[f"{self.kv_mount}/metadata/*"] = ["read"]
        if self.list_allowed:
            rules[f"{self.kv_mount}/detailed-metadata/certs/"] = ["list"]
        rules.update({path: ["deny"] for path in self.denied})
        self.policy("\n".join(f'path "{path}" {{ capabilities = {json.dumps(what)} }}' for path, what in rules.items()))

    # Who is let in

    def token_type(self, kind, ttl="20m", **more):
        """`batch` or `service` tokens for the role; more keys of the AppRole role as they stand."""
        self.api("POST", f"auth/{self.auth_mount}/role/{self.role}",
                 {"token_type": kind, "token_ttl": ttl, "token_max_ttl": ttl, "token_policies": [self.role], **more})

    def new_secret_id(self, **options):
        """Another secret-id (`num_uses=1`, `ttl="1s"`); it does not replace vault.secret_id by itself."""
        return self.api("POST", f"auth/{self.auth_mount}/role/{self.role}/secret-id", options)["data"]["secret_id"]

    def wrap(self, path=None, body=None, ttl="60s", **options):
        """A wrapping token for a new secret-id (options as above), or for whatever a POST to `path` answers."""
        path = path or f"auth/{self.auth_mount}/role/{self.role}/secret-id"
        return self.api("POST", path, body or options, headers={"X-Vault-Wrap-TTL": ttl})["wrap_info"]["token"]

    def unwrap(self, token):
        """What is in it: an ApiError when it was used or has expired."""
        return self.api("PUT", "sys/wrapping/unwrap", token=token)["data"]

    def revoke_secret_id(self, secret_id=None):
        """Logins with it are refused from now on: 400."""
        self.api("POST", f"auth/{self.auth_mount}/role/{self.role}/secret-id/destroy",
                 {"secret_id": secret_id or self.secret_id})

    def token(self, **options):
        """A token with the host's policy, for `auth = token`."""
        body = {"policies": [self.role], "ttl": "20m", "no_parent": True, **options}
        return self.api("POST", "auth/token/create", body)["auth"]["client_token"]

    def publisher_policy(self):
        """The name of a policy that allows to publish under certs/."""
        self.api("PUT", f"sys/policies/acl/publish-{self.role}", {"policy": "\n".join(
            f'path "{self.kv_mount}/{kind}/certs/*" {{ capabilities = ["create", "update", "read"] }}'
            for kind in ("data", "metadata"))})
        return f"publish-{self.role}"

    def publisher_token(self, counted=False):
        """A token that may publish under certs/; its requests are only counted when that is asked for."""
        return self.api("POST", "auth/token/create", {
            "policies": [self.publisher_policy()], "ttl": "20m",
            "meta": {} if counted else {"harness": "yes"}})["auth"]["client_token"]

    def client_certificate(self, name="host.example.test", role="hosts"):
        """A leaf that auth/cert lets in with the host's policy; mount vault.cert_mount, cert role `role`."""
        self.trusts(self.ca.root_pem, role)
        return self.ca.leaf([name], intermediates=0, usage="client")

    def trusts(self, roots_pem, role="hosts"):
        """auth/cert lets in, with the host's policy, whoever has a certificate of theirs."""
        self._mount("sys/auth", self.cert_mount, {"type": "cert"})
        self.api("POST", f"auth/{self.cert_mount}/certs/{role}", {
            "certificate": roots_pem, "token_type": "batch", "token_ttl": "20m", "token_policies": [self.role]})

    def in_namespace(self, name):
        """A corner of its own inside a new namespace."""
        self.api("POST", f"sys/namespaces/{name}")
        return Vault(self.bao, self.ca, alone=not self.id, namespace=f"{self.namespace}{name}/")

    def _mount(self, where, name, body):
        if name not in self._mounted:
            self.api("POST", f"{where}/{name}", body)
            self._mounted.add(name)

    # What was asked

    def mark(self):
        """Counting begins here; server.sync() does this by itself."""
        self._position = self.bao.audit_size()

    def asked(self, kind=None, name=None, since="last"):
        """
        The audited requests of the last run of certlet (since="start": of the whole test) as a list of paths.
        kind: login data metadata list preflight revoke renew wrapping sign other; name: only this certificate.
        """
        return [entry["request"]["path"] for entry in self._entries("request", since)
                if kind in (None, self._kind(entry)) and (name is None or entry["request"]["path"].endswith("/" + name))]

    def requests(self, kind=None, name=None, since="last"):
        """How many; see asked()."""
        return len(self.asked(kind, name, since))

    def keys_sent(self, since="last"):
        """How many secrets with their private keys left the server: data reads that were granted."""
        return sum(
            1 for entry in self._entries("response", since)
            if self._kind(entry) == "data" and not entry.get("error")
            and self._secret_of(entry) is not None)

    def _secret_of(self, entry):
        data = (entry.get("response") or {}).get("data")
        if entry["request"]["path"].startswith(f"{self.kv1_mount}/"):
            return data
        return (data or {}).get("data")

    def _entries(self, kind, since):
        return [entry for entry in self.bao.audit(self._position if since == "last" else 0)
                if entry["type"] == kind and self._is_ours(entry)]

    def _is_ours(self, entry):
        auth, path = entry.get("auth") or {}, entry["request"].get("path", "")
        if "root" in (auth.get("policies") or []) or "harness" in (auth.get("metadata") or {}):
            return False
        if path in ("sys/seal-status", "sys/init", "sys/unseal", "sys/leader", "sys/health"):
            return False
        if not self.id:
            return True
        return self.id in path or self.role in (auth.get("policies") or [])

    def _kind(self, entry):
        path = entry["request"]["path"]
        if path.endswith("/login"):
            return "login"
        if entry["request"]["operation"] == "list" or "/detailed-metadata/" in path:
            return "list"
        if path.startswith(f"{self.kv_mount}/data/") or path.startswith(f"{self.kv1_mount}/"):
            return "data"
        if path.startswith(f"{self.kv_mount}/metadata/"):
            return "metadata"
        for prefix, kind in (("sys/internal/ui/mounts", "preflight"), ("auth/token/revoke", "revoke"),
                             ("auth/token/renew", "renew"), ("sys/wrapping", "wrapping"), ("pki/sign", "sign")):
            if path.startswith(prefix):
                return kind
        return "other"

    def manifest_keys(self):
        """The [vault] section for this corner; the machine adds where the credentials lie."""
        keys = {"address": self.address, "ca_file": self.ca_file}
        if self.namespace:
            keys["namespace"] = self.namespace.rstrip("/")
        if self.id:
            keys.update(kv_mount=self.kv_mount, auth_mount=self.auth_mount)
        return keys

    # The server itself (only on a test's own_vault)

    def stop(self):
        self.bao.stop()

    def start(self):
        self.bao.start()

    def restart(self):
        self.bao.restart()

    def seal(self):
        self.bao.seal()

    def unseal(self):
        self.bao.unseal()
