"""Stand-ins, named as such: an ``adb`` that is a script, and what an app would have written.

No figure in here was taken on a phone.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from export.schema.manifest import PARITY, read_manifest

SCRIPT = r'''#!{python}
"""Stand-in for adb: plays the phones of phones.json beside it. Not adb."""
import json, re, sys, time
from pathlib import Path

home = Path(__file__).parent
phones = json.loads((home / "phones.json").read_text())
words = sys.argv[1:]

def say(text, code=0, err=False):
    print(text, file=sys.stderr if err else sys.stdout)
    sys.exit(code)

if words == ["devices"]:
    lines = [f"{{serial}}\t{{phone['state']}}" for serial, phone in phones.items()]
    say("\n".join(["List of devices attached", *lines, ""]))
assert words[0] == "-s", words
serial, words = words[1], words[2:]
phone = phones[serial]
with (home / f"{{serial}}.log").open("a") as log:
    log.write(" ".join(words) + "\n")
looks = home / f"{{serial}}.looks"
gone = home / f"{{serial}}.gone"
if gone.exists():
    say(f"adb: device '{{serial}}' not found", 1, err=True)
if words == ["get-state"]:
    say("device")
if words[0] == "install":
    text = phone.get("install", "Success")
    say(text, 0 if text == "Success" else 1, err=text != "Success")
if words[0] == "pull":
    Path(words[2]).write_text((home / f"{{serial}}.result").read_text())
    say("1 file pulled")
command = words[1]
if command == "getprop ro.build.version.sdk":
    say(phone.get("sdk", "34"))
if command == "getprop ro.build.version.release":
    say(phone.get("release", "14"))
if command.startswith("pm path"):
    there = phone.get("app", True)
    say("package:/data/app/base.apk" if there else "", 0 if there else 1)
if command.startswith("am start"):
    if "start" in phone:
        say(phone["start"])
    looks.write_text("0")
    token = re.search(r"--es token (\S+)", command)[1]
    name = "benchmark" if "Benchmark" in command else "selftest"
    result = phone.get(name)
    if name == "benchmark" and "benchmarks" in phone:
        result = phone["benchmarks"][int(re.search(r"--ei file (\d+)", command)[1])]
    count = home / f"{{serial}}.starts"
    started = int(count.read_text()) if count.exists() else 0
    count.write_text(str(started + 1))
    if started in phone.get("crashes", ()):
        (home / f"{{serial}}.result").write_text("crash")
        say("Status: ok")
    threads = re.search(r"--ei threads (\d+)", command)
    if isinstance(result, dict):
        result["token"] = phone.get("token", token)
        if threads:
            result["threads"] = int(threads[1])
        result = json.dumps(result)
    (home / f"{{serial}}.result").write_text(result)
    say("Status: ok")
if command.startswith("if [ -f"):
    number = int(looks.read_text()) + 1
    looks.write_text(str(number))
    if phone.get("hang"):
        time.sleep(600)
    if number == phone.get("lost_at"):
        gone.touch()
        sys.exit(1)
    if phone.get("crash") or (home / f"{{serial}}.result").read_text() == "crash":
        say("gone")
    if phone.get("never"):
        say("alive")
    if number < 3:
        say("alive\n" + json.dumps({{"done": number, "total": 3}}))
    say("result")
if command.startswith(("rm -f", "am force-stop")):
    say("")
say(f"stand-in: {{command}}", 99, err=True)
'''


def stand_in_adb(folder: Path, phones: dict[str, dict[str, Any]]) -> Path:
    """A folder with the script called ``adb``, for the PATH."""
    folder.mkdir(exist_ok=True)
    (folder / "phones.json").write_text(json.dumps(phones))
    adb = folder / "adb"
    adb.write_text(SCRIPT.format(python=sys.executable))
    adb.chmod(0o755)
    return folder


def head(folder: Path, name: str, **device: object) -> dict[str, Any]:
    """What both results begin with, of a file of an export."""
    records = {record.path: record for record in read_manifest(folder).artefacts}
    record = records[name]
    known = {
        "manufacturer": "Stand-in",
        "model": "No Phone",
        "chip": "none",
        "android": "14",
        "sdk": 34,
        "abi": "arm64-v8a",
        "cores": 8,
    }
    return {
        "schema": 1,
        "token": "",
        "reason": None,
        "app_version": "0.0",
        "runtime": {"name": "onnxruntime", "version": "0.0"},
        "artefact": {
            "file": record.path,
            "sha256": record.sha256,
            "format": record.format,
            "precision": record.precision.value,
        },
        "device": known | device,
    }


def selftest(folder: Path, name: str, off: float = 0.0, **device: object) -> dict[str, Any]:
    """A result whose logits lie ``off`` those of the export."""
    answers = json.loads((folder / PARITY).read_text())["artefacts"][name]
    images = [
        {
            "file": file,
            "differing_bytes": 0,
            "logits": [value + off for value in logits],
            "max_relative": 0.0,
            "passed": True,
        }
        for file, logits in answers.items()
    ]
    return head(folder, name, **device) | {"status": "passed", "images": images}


def benchmark(folder: Path, name: str, runs: int, **device: object) -> dict[str, Any]:
    """A result with invented times: 1, 2, 3 ... milliseconds."""
    latencies = [float(number + 1) for number in range(runs)]
    return head(folder, name, **device) | {
        "status": "done",
        "threads": 1,
        "warmup": 20,
        "runs": runs,
        "fresh_process": True,
        "load_ms": 5.0,
        "first_ms": 9.0,
        "latencies_ms": latencies,
        "p50_ms": 0.0,
        "p90_ms": 0.0,
        "p99_ms": 0.0,
        "mean_ms": 0.0,
        "peak_rss_mb": 100.5,
        "thermal": {"before": "none", "after": "light"},
        "battery": {"percent": 80.0, "charging": True, "temperature_c": 31.0},
        "selftest": {"status": "passed", "max_relative": 1e-6},
    }
