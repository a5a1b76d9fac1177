from __future__ import annotations

import subprocess
import sys

import pytest
from torch import nn

from hierattn.models import _torchvision
from hierattn.models.peers import PEERS, Peer


def test_no_peer_reaches_for_the_network() -> None:
    """In a process without sockets every peer is still built."""
    code = (
        "import socket\n"
        "def refuse(*args, **kwargs): raise OSError('no network in this test')\n"
        "socket.socket.connect = refuse\n"
        "socket.getaddrinfo = refuse\n"
        "from hierattn.models.peers import PEERS\n"
        "for peer in PEERS: peer.build(2)\n"
        "print(len(PEERS))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == str(len(PEERS))


def test_an_import_error_of_another_kind_is_not_swallowed(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(name: str) -> None:
        raise RuntimeError("some other operator is broken")

    monkeypatch.setattr(_torchvision.importlib, "import_module", fail)
    with pytest.raises(RuntimeError, match="some other operator"):
        _torchvision.import_torchvision()


def test_imports_are_repeatable_and_share_one_torchvision() -> None:
    first = _torchvision.import_torchvision()
    assert _torchvision.import_torchvision() is first
    timm = _torchvision.import_timm()
    assert timm.__name__ == "timm"
    assert sys.modules["torchvision"] is first


@pytest.mark.parametrize("peer", PEERS, ids=lambda peer: peer.name)
def test_running_statistics_follow_in_short_trainings(peer: Peer) -> None:
    """A peer judged by statistics that never left their start would lose without a fault."""
    norms = [m for m in peer.build(2).modules() if isinstance(m, nn.BatchNorm2d)]
    assert norms
    assert {norm.momentum for norm in norms} == {0.1}
