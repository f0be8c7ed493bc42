"""How the programs are compiled and linked: what configure asks for is looked for in what came out."""

import re
import shutil
import subprocess

import pytest

from support.process import BUILD

pytestmark = pytest.mark.skipif(shutil.which("readelf") is None, reason="readelf is not installed")

STRIPPED_BYTES_MOST = 300_000


def read(program, *options):
    return subprocess.run(["readelf", "-W", *options, program], capture_output=True, text=True, check=True).stdout


def is_sanitized(program):
    return "__asan_init" in read(program, "--dyn-syms")


def missing(program):
    """The protections that a program lacks."""
    dynamic, segments, symbols = read(program, "-d"), read(program, "-l"), read(program, "--dyn-syms")
    stack = re.search(r"GNU_STACK.*", segments)
    found = {
        "position independent": bool(re.search(r"FLAGS_1.*\bPIE\b", dynamic)),
        "RELRO": "GNU_RELRO" in segments,
        "bound at start": bool(re.search(r"\(FLAGS_1\).*\bNOW\b", dynamic)),
        "stack not executable": stack is not None and "E" not in stack.group().split()[6],
        "nothing writable and executable": not re.search(r"LOAD.*\bRWE\b", segments),
        "stack protector": "__stack_chk_fail" in symbols,
        "fortified": bool(re.search(r"__\w+_chk@", symbols.replace("__stack_chk_fail", ""))),
        "no search path of its own": not re.search(r"\((RPATH|RUNPATH)\)", dynamic),
    }
    return [what for what, is_so in found.items() if not is_so]


@pytest.fixture(params=["certlet", "certlet-publish"])
def program(request):
    path = BUILD / request.param
    if is_sanitized(path):
        pytest.skip("the sanitizers take the place of the hardening flags")
    return path


def test_the_programs_are_hardened(program):
    assert missing(program) == []


def test_a_program_without_hardening_is_told_from_them(tmp_path):
    (tmp_path / "plain.c").write_text('#include <stdio.h>\nint main(int n, char **v) { char b[9]; return sprintf(b, "%s", v[n]); }\n')
    subprocess.run(["gcc", "-O2", "-w", "-no-pie", "-fno-pie", "-fno-stack-protector", "-U_FORTIFY_SOURCE",
                    "-Wl,-z,norelro,-z,lazy,-z,execstack,-rpath,/tmp", "-o", tmp_path / "plain", tmp_path / "plain.c"], check=True)
    assert len(missing(tmp_path / "plain")) == 7


def test_the_agent_stays_small(program, tmp_path):
    subprocess.run(["strip", "-o", tmp_path / "stripped", program], check=True)
    assert (tmp_path / "stripped").stat().st_size < STRIPPED_BYTES_MOST
