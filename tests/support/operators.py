"""
External Secrets Operator's own definitions, for test_86_outside.py; bootstrap runs this:

    python3 tests/support/operators.py DIRECTORY     DIRECTORY/VERSION/*.yaml, fetched once; or DIRECTORY/why-not
    why_not(DIRECTORY)                               what is written there, or nothing

They come out of the operator's Go module, from where Go would take it ($GOPROXY), and by the sum that Go itself writes into a go.sum.
"""

import base64
import hashlib
import http.client
import io
import os
import re
import shutil
import sys
import urllib.parse
import urllib.request
import zipfile
import zlib
from pathlib import Path

MODULE = "github.com/external-secrets/external-secrets"
VERSION = "v0.16.2"
SUM = "h1:iNY+gIgSyL5higXTfnz+hdPCaiB/43UiHLqE7HBpj68="
FILES = [f"config/crds/bases/external-secrets.io_{name}.yaml" for name in ("secretstores", "clustersecretstores", "externalsecrets")]
DEFINED = [("external-secrets.io/v1", kind) for kind in ("SecretStore", "ClusterSecretStore", "ExternalSecret")]
SECONDS = 10


class Missing(Exception):
    """They cannot be had, or are not what was meant."""


def download():
    """The module as a zip, from the first proxy that gives it."""
    failures = []
    for proxy in re.split("[,|]", os.environ.get("GOPROXY") or "https://proxy.golang.org,direct"):
        if proxy == "off":
            failures.append("GOPROXY=off")
            break
        if "://" not in proxy:  # direct: by git, from where it is developed
            continue
        try:
            with urllib.request.urlopen(f"{proxy}/{MODULE}/@v/{VERSION}.zip", timeout=SECONDS) as answer:
                return answer.read()
        except (OSError, http.client.HTTPException) as error:
            # No more of the address than its host, and of an error nothing that might repeat it: there may be a password in it.
            failures.append(f"{urllib.parse.urlsplit(proxy).hostname or proxy}: {getattr(error, 'reason', type(error).__name__)}")
    raise Missing("; ".join(failures) or "no proxy in GOPROXY")


def sum_of(module):
    lines = "".join(f"{hashlib.sha256(module.read(name)).hexdigest()}  {name}\n" for name in sorted(module.namelist()))
    return "h1:" + base64.b64encode(hashlib.sha256(lines.encode()).digest()).decode()


def fetch(directory):
    with zipfile.ZipFile(io.BytesIO(download())) as module:
        found = sum_of(module)
        if found != SUM:
            raise Missing(f"expected the sum {SUM} of {MODULE}@{VERSION}, found {found}")
        unfinished = directory / "unfinished"
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir()
        for name in FILES:
            (unfinished / Path(name).name).write_bytes(module.read(f"{MODULE}@{VERSION}/{name}"))
        unfinished.rename(directory / VERSION)


def why_not(directory):
    path = directory / "why-not"
    return path.read_text().strip() if path.exists() else None


def main(directory):
    if (directory / VERSION).exists():
        return 0
    print(f"==> fetching the definitions of External Secrets Operator {VERSION} into {directory}", file=sys.stderr)
    directory.mkdir(parents=True, exist_ok=True)
    reason = directory / "why-not"
    try:
        fetch(directory)
    except (Missing, zipfile.BadZipFile, zlib.error, OSError, KeyError, ValueError) as error:
        words = str(error) if isinstance(error, Missing) else f"expected {MODULE}@{VERSION}, found none ({type(error).__name__})"
        reason.write_text(f"{words}\n")
        print(f"==> they could not be had: {words}", file=sys.stderr)
        return 1
    reason.unlink(missing_ok=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
