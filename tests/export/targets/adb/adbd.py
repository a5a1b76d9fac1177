"""A real adbd on loopback, in a chroot of Debian 13, where stand-in scripts play am and the rest.

``python -m tests.export.targets.adb.adbd`` makes the chroot once (root, debootstrap, a minute).
What the stand-ins print was taken on no phone. adbd listens on every interface while a test runs.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from export.targets.arm64.packages import default_home
from hierattn.common.debian import find_mirror

SUITE = "trixie"
ROOT = default_home().parent / f"adbd-{SUITE}"
DAEMON = "usr/lib/android-sdk/platform-tools/adbd"
FILES = "sdcard/Android/data/org.hierattn.demo/files"
SCRIPTS = {
    "am": r"""#!/bin/sh
# Stand-in for Android's am: starts no activity, writes what the test prepared for $PHONE.
here=/stand_in/$PHONE
if [ "$1" = force-stop ]; then touch "$here/stopped"; rm -f "$here/alive"; exit 0; fi
while [ $# -gt 0 ]; do
  case "$1" in
    -n) case "$2" in *SelfTest*) kind=selftest;; *) kind=benchmark;; esac;;
    token) token=$2;;
    threads) threads=$2;;
  esac
  shift
done
files=/sdcard/Android/data/org.hierattn.demo/files
mkdir -p "$files"; touch "$here/alive"
(
  for i in 1 2 3; do
    printf '{"done": %s, "total": 3}' $i > "$files/progress-$token.json"; sleep 0.5
  done
  if [ -f "$here/never" ]; then sleep 60; exit; fi
  sed "s/TOKEN/$token/; s/THREADS/${threads:-0}/" "$here/$kind.json" > "$files/.part-$token"
  mv "$files/.part-$token" "$files/$kind-$token.json"
) </dev/null >/dev/null 2>&1 &
echo "Status: ok"
""",
    "getprop": """#!/bin/sh
# Stand-in for Android's getprop.
case "$1" in ro.build.version.sdk) cat /stand_in/$PHONE/sdk;; *) echo stand-in;; esac
""",
    "pm": """#!/bin/sh
# Stand-in for Android's pm.
[ -f /stand_in/$PHONE/app ] && echo package:/stand_in || exit 1
""",
    "cmd": """#!/bin/sh
# Stand-in for Android's cmd package install: swallows the APK.
size=$(cat | wc -c)
if [ -f /stand_in/$PHONE/full ]; then
  echo "Failure [INSTALL_FAILED_INSUFFICIENT_STORAGE]"; exit 1
fi
echo "$size" > /stand_in/$PHONE/app; echo Success
""",
    "pidof": """#!/bin/sh
# Stand-in for Android's pidof.
[ -f /stand_in/$PHONE/alive ] && echo 1234
""",
}
INSTALLER = r"""#!/bin/sh
# Stand-in for 'adb install' alone, since Debian's adbd has no package service: the APK is pushed,
# and the stand-in 'cmd' takes it. All else is the real adb.
if [ "$3" = install ]; then
  for apk; do :; done
  REAL -s "$2" push "$apk" /tmp/$$.apk >/dev/null || exit 1
  exec REAL -s "$2" shell "cmd package install < /tmp/$$.apk; code=\$?; rm /tmp/$$.apk; exit \$code"
fi
exec REAL "$@"
"""


def missing() -> str | None:
    """Why no adbd can be had here; None where it can."""
    if sys.platform != "linux" or os.geteuid() != 0:
        return "adbd needs root for its chroot"
    for tool in ("adb", "chroot"):
        if shutil.which(tool) is None:
            return f"no {tool} here"
    if not (ROOT / DAEMON).is_file():
        return "no chroot with adbd: 'python -m tests.export.targets.adb.adbd' makes it"
    return None


@dataclass
class Daemon:
    """One adbd that plays a phone; ``home`` is what its stand-ins look at."""

    serial: str
    home: Path
    process: subprocess.Popen[bytes]

    def prepare(self, kind: str, result: dict[str, Any]) -> None:
        """What the app is to have written."""
        text = json.dumps(result | {"token": "TOKEN"})
        (self.home / f"{kind}.json").write_text(
            re.sub(r'"threads": \d+', '"threads": THREADS', text)
        )

    def kill(self) -> None:
        """As if the cable were pulled."""
        if self.process.poll() is None:
            os.kill(self.process.pid, signal.SIGKILL)
            self.process.wait(10)


def write_installer(folder: Path) -> Path:
    """A folder for the PATH whose ``adb`` is the real one save for ``install``."""
    folder.mkdir()
    script = folder / "adb"
    script.write_text(INSTALLER.replace("REAL", str(shutil.which("adb"))))
    script.chmod(0o755)
    return folder


@contextmanager
def daemons(names: list[str]) -> Iterator[list[Daemon]]:
    """Start an adbd for each name and connect an adb server of our own to them."""
    for name, text in SCRIPTS.items():
        path = ROOT / "usr/local/bin" / name
        path.write_text(text)
        path.chmod(0o755)
    shutil.rmtree(ROOT / FILES, ignore_errors=True)
    server = _free_port()
    previous = os.environ.get("ANDROID_ADB_SERVER_PORT")
    os.environ["ANDROID_ADB_SERVER_PORT"] = str(server)
    started: list[Daemon] = []
    try:
        for name in names:
            started.append(_start(name))
            subprocess.run(["adb", "connect", started[-1].serial], check=True, capture_output=True)
        yield started
    finally:
        for daemon in started:
            daemon.kill()
        subprocess.run(["adb", "kill-server"], check=False, capture_output=True)
        if previous is None:
            del os.environ["ANDROID_ADB_SERVER_PORT"]
        else:
            os.environ["ANDROID_ADB_SERVER_PORT"] = previous


def _start(name: str) -> Daemon:
    home = ROOT / "stand_in" / name
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    (home / "sdk").write_text("34\n")
    (home / "app").touch()
    port = _free_port()
    path = "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"
    process = subprocess.Popen(
        ["chroot", str(ROOT), f"/{DAEMON}"],
        env={"PATH": path, "ADBD_PORT": str(port), "PHONE": name},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    until = time.monotonic() + 20
    while time.monotonic() < until:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return Daemon(f"127.0.0.1:{port}", home, process)
        time.sleep(0.1)
    process.kill()
    raise RuntimeError("adbd did not start")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def make() -> None:
    """Make the chroot from this machine's own mirror."""
    building = ROOT.with_name(f".{ROOT.name}-{os.getpid()}")
    building.parent.mkdir(parents=True, exist_ok=True)
    options = ("--variant=minbase", "--include=adbd")
    command = ["debootstrap", *options, SUITE, building, find_mirror().address]
    subprocess.run(command, check=True)
    building.rename(ROOT)
    print(f"made {ROOT}")


if __name__ == "__main__":
    make()
