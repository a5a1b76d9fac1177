"""Signs with a debug key of this machine: good for trying the app, never for publishing it."""

from __future__ import annotations

import os
from pathlib import Path

from android_demo.offline.packages.toolbox import Toolbox, require, run
from android_demo.offline.project import Versions

_PASSWORD = "android"
_ALIAS = "androiddebugkey"


def debug_key(cache: Path) -> Path:
    """The key store; made once, so that a newer build can be installed over an older one."""
    store = cache / "debug.keystore"
    if store.is_file():
        return store
    part = cache / f".debug-{os.getpid()}.keystore"
    part.unlink(missing_ok=True)
    try:
        run(
            [
                *(require("keytool"), "-genkeypair", "-keystore", part, "-storetype", "PKCS12"),
                *("-storepass", _PASSWORD, "-alias", _ALIAS, "-keyalg", "RSA", "-keysize", "2048"),
                *("-validity", "10950", "-dname", "CN=Android Debug,O=Android,C=US"),
            ]
        )
        part.replace(store)
    finally:
        part.unlink(missing_ok=True)
    return store


def sign(tools: Toolbox, versions: Versions, unsigned: Path, target: Path, store: Path) -> None:
    """Sign with schemes 2 and 3, which cover the whole file; older Android is not served."""
    tools.apksigner(
        *("sign", "--ks", store, "--ks-key-alias", _ALIAS),
        *("--ks-pass", f"pass:{_PASSWORD}", "--key-pass", f"pass:{_PASSWORD}"),
        *("--min-sdk-version", str(versions.min_sdk)),
        *("--v1-signing-enabled", "false"),
        *("--v2-signing-enabled", "true", "--v3-signing-enabled", "true"),
        *("--v4-signing-enabled", "false"),
        *("--out", target, unsigned),
    )
