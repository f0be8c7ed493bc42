"""Keys, options and exit codes: the code, the manual pages and the samples say the same."""

import re
import shutil
import subprocess

import pytest

from support.process import ROOT

AGENT = ROOT / "agent"
PAGES = sorted([*AGENT.glob("*.8"), *AGENT.glob("*.5"), *ROOT.glob("etc/*/*.8")])
SAMPLE = ROOT / "etc/certlet.ini"


def read(path):
    return path.read_text()


def code_keys():
    """{section: keys} from the tables of manifest-keys.c."""
    keys = {}
    for section, body in re.findall(r"\b(vault|agent|certificate|service)_keys\[\] = \{\n(.*?)\n\};", read(AGENT / "manifest-keys.c"), re.S):
        keys[section] = set(re.findall(r'^\t\{ "(\w+)"', body, re.M))
    return keys


def later_keys():
    """Keys that are read and refused so far: (section, key)."""
    found = set()
    for section, body in re.findall(r"\b(vault|agent|certificate|service)_keys\[\] = \{\n(.*?)\n\};", read(AGENT / "manifest-keys.c"), re.S):
        found |= {(section, key) for key in re.findall(r'^\t\{ "(\w+)".*USE_LATER', body, re.M)}
    return found


def items(text):
    """The words of a manual page's `.It` lines, without macros: options and keys are introduced there."""
    words = set()
    for line in re.findall(r"^\.It (.*)$", text, re.M):
        words |= set(re.findall(r"[\w-]+", line))
    return words


def manual_sections():
    """{section: words introduced in it} from certlet.ini.5, whose subsections are named by the section."""
    found, section = {}, None
    for line in read(AGENT / "certlet.ini.5").splitlines():
        heading = re.match(r"\.S[hs]\s+(.*)", line)
        if heading:
            named = re.search(r"\b(vault|agent|certificate|service)\b", heading.group(1).lower())
            section = named.group(1) if named else None
        elif section and line.startswith(".It "):
            found.setdefault(section, set()).update(re.findall(r"\b[a-z][a-z0-9_]*\b", line[4:]))
    return found


def sample_keys():
    """{section: keys} of etc/certlet.ini, those in comments (`;key = value`) too."""
    found, section = {}, None
    for line in read(SAMPLE).splitlines():
        line = re.sub(r"^[;#] ?", "", line)
        heading = re.match(r"\[(\w+)", line)
        if heading:
            section = heading.group(1)
        key = re.match(r"(\w+)\s*=", line)
        if key and section:
            found.setdefault(section, set()).add(key.group(1))
    return found


@pytest.mark.parametrize("section", ["vault", "agent", "certificate", "service"])
def test_every_manifest_key_is_in_the_manual_page(section):
    missing = code_keys()[section] - manual_sections().get(section, set())
    assert not missing, f"certlet.ini.5 does not introduce these keys of [{section}]"


@pytest.mark.parametrize("section", ["vault", "agent", "certificate", "service"])
def test_the_manual_page_introduces_no_key_that_the_code_does_not_know(section):
    every = set().union(*code_keys().values())
    unknown = {word for word in manual_sections().get(section, set()) if "_" in word} - every
    assert not unknown


@pytest.mark.parametrize("section", ["vault", "agent", "certificate", "service"])
def test_the_sample_shows_every_key_that_works_and_no_other(section):
    keys, shown = code_keys()[section], sample_keys().get(section, set())
    assert shown <= keys, "the sample has keys that the code does not know"
    works = {key for key in keys if (section, key) not in later_keys()}
    pki = {"pki_mount", "ttl", "key_type", "ip_names", "renew", "revoke"}
    assert works - shown <= pki, "the sample does not show these"


@pytest.mark.parametrize("program, source, page", [
    ("certlet", "main.c", "certlet.8"), ("certlet-publish", "publish-main.c", "certlet-publish.8")])
def test_options_are_the_same_in_code_help_and_manual_page(program, source, page):
    code = read(AGENT / source)
    options = set(re.findall(r'^\t\{ "([a-z0-9-]+)", (?:no|required|optional)_argument', code, re.M))
    assert options, f"no table of options found in {source}"
    helped = set(re.findall(r'--([a-z0-9-]+)', "\n".join(re.findall(r'^"(.*)"', code, re.M))))
    assert options - helped == set(), "--help does not tell these"
    assert helped - options == set(), "--help tells of options that there are not"
    manual = read(AGENT / page).replace("\\-", "-")
    introduced = {word.removeprefix("-") for word in re.findall(r"\bFl -([a-z0-9-]+)", manual)}
    assert options - introduced == set(), f"{page} does not tell these"
    assert introduced - options == set(), f"{page} tells of options that there are not"


@pytest.mark.parametrize("program", ["etc/vault/certlet-admin", "etc/issuer/certlet-issue"])
def test_options_are_the_same_in_a_scripts_code_help_and_manual_page(program):
    usage, code = re.search(r"^\tcat <<'TEXT'\n(.*?)^TEXT\n(.*)", read(ROOT / program), re.S | re.M).groups()
    options = {option for line in re.findall(r"^\s*(--[^)(]*)\)", code, re.M) for option in re.findall(r"--([a-z-]+)", line)}
    assert options, "no options found in a case"
    assert set(re.findall(r"--([a-z-]+)", usage)) | {"help"} == options, "--help tells of others"
    manual = read(ROOT / f"{program}.8")
    assert {word.removeprefix("-") for word in re.findall(r"\bFl -([a-z-]+)", manual)} == options, "the manual page tells of others"


def test_a_script_tells_the_version_of_the_tree():
    version = re.search(r"^AC_INIT\(\[certlet\], \[(.*?)\]\)", read(ROOT / "configure.ac"), re.M).group(1)
    assert re.search(r"^VERSION=(.*)$", read(ROOT / "etc/issuer/certlet-issue"), re.M).group(1) == version


def test_issuer_conf_and_the_manual_page_tell_every_setting_of_certlet_issue():
    directory = ROOT / "etc/issuer"
    known = set(re.findall(r"^\t([A-Z_]+)\)", read(directory / "settings.sh"), re.M))
    assert known and set(re.findall(r"^#?([A-Z_]+)=", read(directory / "issuer.conf"), re.M)) == known
    introduced = re.findall(r"^\.It (Cm .*)$", read(directory / "certlet-issue.8"), re.M)
    assert {word for line in introduced for word in re.findall(r"\b[A-Z][A-Z_]+\b", line)} == known


def test_the_metrics_are_the_same_in_code_and_manual_page():
    told = set(re.findall(r'^\t.*"(certlet_[a-z_]+)"', read(AGENT / "metrics.c"), re.M))
    section = re.search(r"^\.Sh METRICS\n(.*?)(?=^\.Sh )", read(AGENT / "certlet.8"), re.S | re.M).group(1)
    assert told == {word for word in items(section) if word.startswith("certlet_")}


def test_exit_codes_are_the_same_in_code_and_manual_page():
    codes = {int(number) for number in re.findall(r"\bEXIT_[A-Z]+ = (\d)", read(AGENT / "failure.h"))}
    section = re.search(r"^\.Sh EXIT STATUS\n(.*?)(?=^\.Sh )", read(AGENT / "certlet.8"), re.S | re.M)
    assert section, "certlet.8 has no section EXIT STATUS"
    first_list = section.group(1).partition(".El")[0]
    told = {int(number) for number in re.findall(r"^\.It (?:[A-Z][a-z] )?(\d)\b", first_list, re.M)}
    assert told == codes


def test_manual_pages_please_mandoc():
    if shutil.which("mandoc") is None:
        pytest.skip("mandoc is not installed")
    assert {page.name for page in PAGES} >= {"certlet.8", "certlet.ini.5", "certlet-publish.8"}
    # base rules out what is BSD's own: references to pages of this system, our own date.
    lint = subprocess.run(["mandoc", "-Tlint", "-W", "warning", *PAGES], capture_output=True, text=True)
    assert lint.stdout == ""
