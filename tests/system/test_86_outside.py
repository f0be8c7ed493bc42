"""etc/outside/: what needs no booted machine. Operators of others, and what certlet-publish wrote for them; user-data."""

import base64
import os
import re
import ssl
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import yaml

from support import kubernetes, operators
from support.process import ROOT

OUTSIDE = ROOT / "etc/outside"
MANIFESTS = sorted((OUTSIDE / "kubernetes").glob("*.yaml"))
OBJECTS = [document for path in MANIFESTS for document in kubernetes.documents(path)]
WWW = "www.example.com"
LET_IN = {"role-id", "secret-id", "vault-ca.pem"}  # the Secret that etc/outside/README.md makes

BY_BOOTSTRAP = ROOT / "build/crds"
DEFINITIONS = {f"External Secrets Operator {operators.VERSION}": BY_BOOTSTRAP / operators.VERSION}
if "CERTLET_CRDS" in os.environ:
    DEFINITIONS["CERTLET_CRDS"] = Path(os.environ["CERTLET_CRDS"])


def the(kind):
    return next(document for document in OBJECTS if document["kind"] == kind)


@pytest.mark.parametrize("document", OBJECTS, ids=lambda document: document["kind"])
def test_a_manifest_has_only_fields_that_its_operator_knows(document):
    assert kubernetes.complaints(document, kubernetes.KNOWN) == []


@pytest.mark.parametrize("of", DEFINITIONS)
def test_what_we_know_of_an_operator_is_what_its_own_definitions_say(of):
    if DEFINITIONS[of].parent == BY_BOOTSTRAP and not DEFINITIONS[of].exists():
        why = operators.why_not(BY_BOOTSTRAP) or "./bootstrap check fetches them"
        assert not why.startswith("expected"), why
        pytest.skip(f"no definitions of {of}: {why}")
    theirs = kubernetes.definitions(DEFINITIONS[of])
    # Whoever has definitions has all of them; Tuenti secrets-manager's are in no Go module.
    compared = kubernetes.KNOWN.keys() if of == "CERTLET_CRDS" else operators.DEFINED
    for document in OBJECTS:
        if kubernetes.name_of(document) in compared:
            assert kubernetes.complaints(document, theirs) == []
    for name in compared:
        assert kubernetes.contradictions(kubernetes.KNOWN[name], theirs[name]) == []


def fetch(directory, proxy):
    return subprocess.run([sys.executable, "-B", operators.__file__, directory], env={"GOPROXY": proxy}, capture_output=True, text=True)


def test_definitions_that_were_fetched_are_not_fetched_again(directory):
    (directory / operators.VERSION).mkdir()
    run = fetch(directory, "off")
    assert run.returncode == 0 and run.stderr == ""


@pytest.mark.parametrize("proxy, told", [("off", "GOPROXY=off"), ("direct", "no proxy"), ("http://127.0.0.1:9", "127.0.0.1: [Errno 111] Connection refused"),
                                         ("http://name:word@127.0.0.1:9|direct", "127.0.0.1: ")])
def test_definitions_that_cannot_be_had_leave_the_reason(directory, proxy, told):
    run = fetch(directory, proxy)
    assert run.returncode == 1 and told in run.stderr and "word" not in run.stderr
    assert operators.why_not(directory) in run.stderr and not operators.why_not(directory).startswith("expected")


def test_a_module_with_another_sum_is_refused_and_nothing_of_it_is_kept(directory):
    module = directory / "proxy" / operators.MODULE / "@v" / f"{operators.VERSION}.zip"
    module.parent.mkdir(parents=True)
    with zipfile.ZipFile(module, "w") as archive:
        for name in operators.FILES:
            archive.writestr(f"{operators.MODULE}@{operators.VERSION}/{name}", "kind: CustomResourceDefinition\n")
    run = fetch(directory / "crds", f"{directory / 'nothing'},file://{directory / 'proxy'}")
    assert run.returncode == 1 and "expected the sum h1:" in run.stderr and run.stderr.count("h1:") == 2
    assert operators.why_not(directory / "crds").startswith("expected the sum")
    assert [path.name for path in (directory / "crds").iterdir()] == ["why-not"]


@pytest.mark.parametrize("broken, told", [
    (lambda vault: vault.pop("server"), "'server' is a required property"),
    (lambda vault: vault.update(version=2), "2 is not one of ['v1', 'v2']"),
    (lambda vault: vault.update(kvVersion="v2"), "'kvVersion' was unexpected"),
], ids=["missing", "wrong", "unknown"])
def test_a_manifest_that_is_wrong_would_be_seen(broken, told):
    document = next(iter(kubernetes.documents(next(path for path in MANIFESTS if path.stem == "external-secrets"))))
    broken(document["spec"]["provider"]["vault"])
    assert any(told in complaint for complaint in kubernetes.complaints(document, kubernetes.KNOWN))


class Cluster:
    """What the operators do with a manifest, by their documentation: requests to a real OpenBao, with the role of a consumer."""

    def __init__(self, vault):
        self.vault = vault
        self.let_in = {"role-id": vault.role_id, "secret-id": vault.secret_id}
        self.token = None

    def logs_in(self, mount, role_id, secret_id):
        answer = self.vault.api("POST", f"auth/{mount}/login", {"role_id": role_id, "secret_id": secret_id}, token="none")
        self.token = answer["auth"]["client_token"]

    def reads(self, path):
        return self.vault.api("GET", path, token=self.token)["data"]["data"]

    def external_secret(self, store, wanted):
        """The type and data of the Secret that External Secrets Operator makes."""
        vault, target = store["spec"]["provider"]["vault"], wanted["spec"]["target"]
        approle = vault["auth"]["appRole"]
        self.logs_in(approle["path"], self.let_in[approle["roleRef"]["key"]], self.let_in[approle["secretRef"]["key"]])
        assert vault["version"] == "v2"
        extracted = {}
        for source in wanted["spec"]["dataFrom"]:
            extracted.update(self.reads(f"{vault['path']}/data/{source['extract']['key']}"))
        template = target["template"]
        return template["type"], {name: re.sub(r"\{\{ \.(\w+) \}\}", lambda field: extracted[field.group(1)], text)
                                  for name, text in template["data"].items()}

    def secret_definition(self, wanted):
        """The same of Tuenti secrets-manager, which takes its credentials from its environment."""
        self.logs_in("approle", self.let_in["role-id"], self.let_in["secret-id"])
        sources = wanted["spec"]["keysMap"]
        return wanted["spec"]["type"], {name: self.reads(source["path"])[source["key"]] for name, source in sources.items()}


def test_the_secrets_are_the_pair_that_certlet_publish_wrote(own_vault, server, ca, directory):
    leaf = ca.leaf([WWW], intermediates=2)
    leaf.write(directory / "lineage")
    assert server.publish("--name", WWW, directory / "lineage").exit == 0
    cluster = Cluster(own_vault)
    external = cluster.external_secret(the("SecretStore"), the("ExternalSecret"))
    clustered = cluster.external_secret(the("ClusterSecretStore"), the("ExternalSecret"))
    defined = cluster.secret_definition(the("SecretDefinition"))
    assert external == clustered == defined
    kind, data = external
    assert kind == "kubernetes.io/tls" and data.keys() == {"tls.crt", "tls.key"}
    assert data["tls.crt"] == leaf.fullchain and data["tls.key"] == leaf.fields()["privkey"]
    for name, text in data.items():
        (directory / name).write_text(text)
    # Refuses a pair that does not match.
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(directory / "tls.crt", directory / "tls.key")


def test_the_objects_of_a_file_refer_to_each_other():
    store, wanted = the("SecretStore"), the("ExternalSecret")
    assert wanted["spec"]["secretStoreRef"] == {"kind": "SecretStore", "name": store["metadata"]["name"]}
    assert wanted["metadata"]["namespace"] == store["metadata"]["namespace"]
    for one in (store, the("ClusterSecretStore")):
        vault = one["spec"]["provider"]["vault"]
        approle = vault["auth"]["appRole"]
        references = [vault["caProvider"], approle["roleRef"], approle["secretRef"]]
        assert {reference["key"] for reference in references} == LET_IN
        # A store for all namespaces has to say in which one; a store of one namespace must not.
        assert {"namespace" in reference for reference in references} == {one["kind"] == "ClusterSecretStore"}


# User-data


def fill(directory, lines):
    ca_file = directory / "vault-ca.pem"
    ca_file.write_text("CA\n" * 100)
    return subprocess.run([OUTSIDE / "cloud-init/fill", OUTSIDE / "cloud-init/user-data.yaml", ca_file], input=lines, capture_output=True, text=True)


def test_user_data_is_filled_in_with_what_certlet_admin_prints(directory):
    filled = fill(directory, "role_id 7e1a-5f\nwrapped_secret_id s.Ab_1\n")
    assert filled.returncode == 0, filled.stderr
    files = {one["path"]: one for one in yaml.safe_load(filled.stdout)["write_files"]}
    assert files["/etc/certlet/role-id"]["content"] == "7e1a-5f"
    assert files["/etc/certlet/wrapped-secret-id"]["content"] == "s.Ab_1"
    assert files["/etc/certlet/wrapped-secret-id"]["permissions"] == "0600"
    assert base64.b64decode(files["/etc/certlet/vault-ca.pem"]["content"]) == b"CA\n" * 100
    assert not re.search(r"@[A-Z-]+@", filled.stdout)


@pytest.mark.parametrize("lines", ["", "role_id 7e1a\n", "role_id a|b\nwrapped_secret_id s.Ab\n", "role_id 7e1a\nsecret_id_file /root/secret-id\n",
                                   "role_id 7e1a\nwrapped_secret_id \n"])
def test_user_data_is_not_filled_in_with_anything_else(directory, lines):
    filled = fill(directory, lines)
    assert filled.returncode == 1 and filled.stdout == ""
    assert "expected a line role_id and then a line wrapped_secret_id" in filled.stderr
