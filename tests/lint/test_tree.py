"""The shape of the code: what HACKING.md promises about files and arrows."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from support.process import ROOT

AGENT = ROOT / "agent"
SOURCES = sorted([*AGENT.glob("*.c"), *AGENT.glob("*.h")])

# Files without a unit test of their own, each with the reason.
WITHOUT_UNIT_TEST = {
    "main.c": "only options; tests/system tries each",
    "publish-main.c": "only options; tests/system tries each",
    "publish-list.c": "hands what one file reads to the one that shows it; tests/system/test_82 runs each way",
    "verbs.c": "one call a verb; tests/system runs each",
    "startup.c": "changes the process for good; tests/system looks at it from outside",
    "run.c": "what a run notes of itself: each test of a failure in tests/system reads it",
    "exchange.c": "forgets what came: tests/unit/test_wire and test_fetch call it after each frame",
    "sync.c": "the table of contents of a run: tests/system is its test",
    "preflight.c": "opens what a run needs: tests/system breaks each of it, tests/faults each call",
    "gather.c": "its other half is the fetch process, which a real OpenBao answers in tests/system/test_2*",
    "rollout.c": "runs services between swaps: tests/system/test_50 to 53, each step with real programs",
    "turn.c": "as rollout.c",
    "tidy.c": "what is left after a run: tests/system/test_30 and 90",
    "removal.c": "needs mount namespaces and services: tests/system/test_60",
    "purge.c": "removes a whole installation: tests/system",
    "report.c": "joins what a run came to: tests/system/test_70 reads it",
}

# Pure: they decide and parse, and cannot do anything.
PURE = ("plan.c", "bundle.c", "judge.c", "name.c")
IO_HEADERS = r"<(fcntl|unistd|stdio|sys/stat|sys/socket|dirent|netdb)\.h>|<curl/"

ONLY_IN = {  # a library, and the files that may know it (url.c: curl's URL parser, no connection)
    r"<curl/": {"http.c", "verify.c", "url.c"},
    r"<ini\.h>": {"inifile.c"},
}

BANNED = r"\b(strcpy|strcat|sprintf|vsprintf|gets|system|popen|tmpnam|mktemp|alloca)\s*\("
# What changes something by a path that was looked at before may meet something else there.
BY_PATH = r"\b(rmdir|unlink|remove|rename|mkdir|mkfifo|mknod|link|symlink|chmod|chown|lchown|truncate|utimes?|opendir|lstat)\s*\("
MAY_READ_ENVIRONMENT = {"main.c", "log.c", "publish-environment.c", "command.c", "paper.c"}

LEAVES = {  # the bottom of the drawing: each may know only these
    "log": set(), "times": set(), "failure": set(), "secret": {"arena"}, "arena": {"memory"}, "memory": {"failure"},
    "name": {"memory"}, "version": {"times"},
}


def code_of(path):
    """The file without comments and texts: words in them are no calls."""
    text = re.sub(r"/\*.*?\*/", "", path.read_text(), flags=re.S)
    return re.sub(r'"(?:\\.|[^"\\\n])*"', '""', text)


PARTS = {  # one module in several files, which may call each other
    "vault": {"address", "failover", "login", "verdict"},
    "store": {"adopt", "generation", "inspect", "outputs", "remove"},
    "manifest": {"inifile"},
}


def family(name):
    """The module that a file is part of: manifest-keys and manifest-check are manifest."""
    name = name.partition("-")[0]
    return next((whole for whole, parts in PARTS.items() if name in parts), name)


def exported():
    """{function: the module that defines it}: STYLE puts a definition's name at the beginning of its line."""
    return {name: path.stem for path in SOURCES if path.suffix == ".c"
            for name in re.findall(r"^(\w+)\(", code_of(path), re.M)
            if not re.search(rf"^static [^\n]*\n{name}\(", path.read_text(), re.M)}


def arrows(by=lambda name: name):
    """{module: the modules whose functions it calls}. Knowing a type of the caller's is no arrow."""
    owner, graph = exported(), {}
    for path in SOURCES:
        called = {by(owner[name]) for name in re.findall(r"\b(\w+)\b", code_of(path)) if name in owner}
        graph.setdefault(by(path.stem), set()).update(called if path.suffix == ".c" else set())
    return {module: below - {module} for module, below in graph.items()}


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_a_file_stays_small(path):
    limit = 150 if path.name == "main.c" else 500
    assert len(path.read_text().splitlines()) <= limit, f"split {path.name}: the limit is {limit} lines"


@pytest.mark.parametrize("name", PURE)
def test_a_pure_file_includes_nothing_that_does_io(name):
    assert re.findall(rf"#include ({IO_HEADERS}.*)", (AGENT / name).read_text()) == []


@pytest.mark.parametrize("header", ONLY_IN)
def test_a_library_is_known_to_its_own_file_only(header):
    knowing = {path.name for path in SOURCES if re.search(rf"#include {header}", path.read_text())}
    assert knowing <= ONLY_IN[header]


def test_arrows_only_go_down():
    graph = arrows(family)
    # A module that includes nothing unfinished is finished; what is left over stands in a circle.
    left = dict(graph)
    while True:
        finished = [module for module, below in left.items() if not below & left.keys()]
        if not finished:
            break
        for module in finished:
            del left[module]
    # Modules that only sit above a circle are not part of it.
    while True:
        above = [module for module in left if not any(module in below for other, below in left.items() if other != module)]
        if not above:
            break
        for module in above:
            del left[module]
    circle = {module: sorted(below & left.keys()) for module, below in left.items()}
    assert not circle, f"these call each other: {circle}"


@pytest.mark.parametrize("leaf", LEAVES)
def test_a_leaf_knows_only_leaves(leaf):
    assert arrows()[leaf] <= LEAVES[leaf]


@pytest.mark.parametrize("path", [path for path in SOURCES if path.suffix == ".c"], ids=lambda path: path.name)
def test_no_banned_call(path):
    code = code_of(path)
    assert [match.group(1) for match in re.finditer(BANNED, code)] == []
    if path.name not in MAY_READ_ENVIRONMENT:
        assert not re.search(r"\b(secure_)?getenv\s*\(", code), "the environment is not read"


@pytest.mark.parametrize("path", [path for path in SOURCES if path.suffix == ".c"], ids=lambda path: path.name)
def test_nothing_is_changed_by_its_path(path):
    assert [match.group(1) for match in re.finditer(BY_PATH, code_of(path))] == []


def test_every_agent_file_has_a_unit_test_or_a_reason():
    tested = {path.name.removeprefix("test_") for path in (ROOT / "tests/unit").glob("test_*.c")}
    files = {path.name for path in AGENT.glob("*.c")}
    assert sorted(files - tested - WITHOUT_UNIT_TEST.keys()) == []
    assert sorted(tested - files) == [], "tests of files that are gone"
    assert sorted(tested & WITHOUT_UNIT_TEST.keys()) == [], "these have a test now: take them off the list"


def test_the_makefile_lists_every_file():
    text = (ROOT / "Makefile.am").read_text()
    listed = set(re.findall(r"\bagent/[\w-]+\.[ch]\b", text))
    assert listed == {f"agent/{path.name}" for path in SOURCES}
    tests = set(re.findall(r"^unit_tests \+= (\S+)$", text, re.M))
    assert tests == {f"tests/unit/{path.stem}" for path in (ROOT / "tests/unit").glob("test_*.c")}
    targets = set(re.findall(r"^fuzz_tests \+= (\S+)$", text, re.M))
    assert targets == {f"tests/fuzz/{path.stem}" for path in (ROOT / "tests/fuzz").glob("fuzz_*.c")}
    shell = {str(path.relative_to(ROOT)) for pattern in ("etc/**/*.sh", "etc/**/*.hcl") for path in ROOT.glob(pattern)}
    assert set(re.findall(r"\betc/\S+\.(?:sh|hcl)\b", text)) == shell


def test_the_packages_list_every_unit():
    listed = [line for path in (ROOT / "packaging/debian").glob("*.install") for line in path.read_text().splitlines()]
    units = {f"etc/systemd/{path.name} lib/systemd/system" for path in (ROOT / "etc/systemd").iterdir()}
    assert {line for line in listed if line.startswith("etc/systemd/")} == units


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_every_file_names_its_licence(path):
    assert path.read_text().startswith("/* SPDX-License-Identifier: ISC */\n")


def tracked():
    """The files of the tree, as git knows them, or as they lie there in an unpacked archive."""
    listed = subprocess.run(["git", "-C", ROOT, "ls-files", "-co", "--exclude-standard"], capture_output=True, text=True)
    if listed.returncode == 0 and listed.stdout:
        return [ROOT / line for line in listed.stdout.splitlines()]
    return [path for path in ROOT.rglob("*") if path.is_file() and "build" not in path.parts[len(ROOT.parts)]]


def test_shell_scripts_please_shellcheck():
    if shutil.which("shellcheck") is None:
        pytest.skip("shellcheck is not installed")
    scripts = [path for path in tracked()
               if path.is_file() and path.read_bytes()[:64].split(b"\n")[0] in (b"#!/bin/sh", b"#!/bin/bash", b"#!/usr/bin/env bash")]
    checked = subprocess.run(["shellcheck", "-x", "-a", "-P", "SCRIPTDIR", *scripts], capture_output=True, text=True)
    assert checked.returncode == 0, checked.stdout


def test_container_files_please_hadolint():
    hadolint = Path(sys.executable).parent / "hadolint"
    files = [path for path in tracked() if path.name == "Containerfile"]
    checked = subprocess.run([hadolint, "--no-color", *files], capture_output=True, text=True)
    assert files and checked.returncode == 0, checked.stdout


@pytest.mark.parametrize("path", [path for path in tracked() if path.suffix in (".yaml", ".yml")], ids=lambda path: str(path.relative_to(ROOT)))
def test_yaml_files_are_yaml(path):
    assert list(yaml.safe_load_all(path.read_text()))


def test_no_private_key_lies_in_the_tree():
    marks = [b"-----BEGIN " + kind + b"PRIVATE KEY-----\nM" for kind in (b"", b"RSA ", b"EC ")]
    assert [path.name for path in tracked() if path.is_file() and any(mark in path.read_bytes() for mark in marks)] == []
