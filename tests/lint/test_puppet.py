"""The Puppet module: its form, and that it says what the agent says."""

import os
import re
import shutil
import subprocess

import pytest

from support import process
from support.process import ROOT

MODULE = ROOT / "puppet-module"

pytestmark = pytest.mark.skipif(shutil.which("puppet") is None, reason="puppet is not installed")


def succeeds(*command, env=None):
    done = subprocess.run(command, cwd=MODULE, env=os.environ | (env or {}), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert done.returncode == 0, done.stdout
    return done.stdout


def test_every_manifest_type_function_and_example_is_valid():
    succeeds("puppet", "parser", "validate", "manifests", "types", "functions", "examples")
    succeeds("puppet", "parser", "validate", "--tasks", "plans")


def test_every_template_is_valid():
    succeeds("puppet", "epp", "validate", *sorted(map(str, MODULE.glob("templates/*.epp"))))


def test_puppet_lint_has_nothing_to_say():
    assert succeeds("puppet-lint", "manifests", "types", "functions", "plans", "examples") == ""


def test_the_types_can_be_generated_for_an_environment(tmp_path):
    """As whoever deploys code does, so that environments do not get at each other's: each type is loaded alone."""
    (tmp_path / "production/modules").mkdir(parents=True)
    (tmp_path / "production/modules/certlet").symlink_to(MODULE)
    succeeds("puppet", "generate", "types", f"--environmentpath={tmp_path}", f"--confdir={tmp_path}/confdir", f"--vardir={tmp_path}/vardir")
    made = (tmp_path / "production/.resource_types").glob("*.pp")
    assert {path.stem for path in made} == {path.stem for path in MODULE.glob("lib/puppet/type/*.rb")}


def test_the_metadata_is_complete():
    succeeds("metadata-json-lint", "metadata.json")


def test_the_license_goes_with_a_module_that_goes_out_by_itself():
    assert (MODULE / "LICENSE").read_text() == (ROOT / "LICENSE").read_text()


def test_the_reference_is_of_this_module(tmp_path):
    made = tmp_path / "REFERENCE.md"
    succeeds("puppet", "strings", "generate", "--format", "markdown", "--out", str(made))
    assert (MODULE / "REFERENCE.md").read_text() == made.read_text(), \
        "cd puppet-module && puppet strings generate --format markdown --out REFERENCE.md"


def test_the_specs_hold_and_reach_nearly_every_resource():
    """Read by the agent as built: what the template makes has to be a manifest to it."""
    folders = [f"spec/{name}" for name in ("classes", "defines", "functions", "type_aliases", "unit")]
    said = succeeds("rspec", *folders, env={"CERTLET": process.certlet_program(), "COVERAGE": "1"})
    assert int(re.search(r"(\d+) examples, 0 failures", said).group(1)) > 400


@pytest.mark.parametrize("path", sorted([*MODULE.glob("manifests/*.pp"), *MODULE.glob("functions/*.pp")]), ids=lambda path: path.name)
def test_every_parameter_has_a_word_of_its_own(path):
    text = path.read_text()
    head = re.search(r"^(?:class|define|function)[^\n(]*\((.*?)\)\s*(?:>>|\{)", text, re.S | re.M)
    declared = set(re.findall(r"\$(\w+)\s*(?:=|,|\)|$)", head.group(1), re.M)) if head else set()
    assert declared == set(re.findall(r"^# @param (\w+)", text, re.M))


def test_the_presets_are_those_of_the_agent():
    said = re.findall(r"'([^']+)'", (MODULE / "functions/presets.pp").read_text().partition("{")[2])
    assert said == [name for name in re.findall(r"^\[service (\S+)\]", (ROOT / "etc/services.ini").read_text(), re.M)]


def test_the_metrics_of_a_lost_agent_are_known_by_its_own_first_line():
    line = re.search(r'#define FIRST_LINE "(.*)"', (ROOT / "agent/metrics.c").read_text()).group(1)
    assert rf'"# {line}\n"' in (MODULE / "lib/puppet/provider/certlet_installation/agent.rb").read_text()


@pytest.mark.parametrize("section, alias", [("vault", "vault"), ("agent", "agent"), ("certificate", "entry"), ("service", "service")])
def test_a_structure_has_the_keys_that_the_agent_reads(section, alias):
    table = re.search(rf"key {section}_keys\[\] = \{{(.*?)\n\}};", (ROOT / "agent/manifest-keys.c").read_text(), re.S).group(1)
    now = {name for name, use in re.findall(r'\{ "(\w+)",.*?(USE_\w+)', table) if use in ("USE_LINE", "USE_LINES")}
    said = set(re.findall(r"Optional\['(\w+)'\]", (MODULE / f"types/{alias}.pp").read_text())) - {"ensure"}
    assert said == now - {"pki_mount"}
