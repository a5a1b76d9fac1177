"""The mirror as apt reads it, and what is said where packages are missing; nothing is fetched."""

import re
import shutil
from pathlib import Path

import pytest

from hierattn.common import debian
from hierattn.common.debian import DebianUnavailableError, Mirror, PrivateApt, find_mirror
from tests.common.stand_in_apt import put_apt

DEB822 = """\
# the first stanza
# is of comments alone

Types: deb
URIs: http://mirror.example/debian-security
Suites: bookworm-security
Components: main

Types: deb
# a comment
URIs: http://mirror.example/debian
Suites: bookworm bookworm-updates
Components: main
Signed-By: /k/archive.gpg /k/second.gpg
"""


@pytest.fixture
def sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of this machine's apt sources, empty; as in a container, no list was fetched."""
    if shutil.which("apt-get") is None:
        pytest.skip("apt reads its sources")
    for name in ("sources.list.d", "lists"):
        (tmp_path / name).mkdir()
    (tmp_path / "sources.list").touch()
    (tmp_path / "apt.conf").write_text(
        f'Dir::Etc::sourcelist "{tmp_path}/sources.list";\n'
        f'Dir::Etc::sourceparts "{tmp_path}/sources.list.d";\n'
        f'Dir::State::lists "{tmp_path}/lists";\n'
    )
    monkeypatch.setenv("APT_CONFIG", str(tmp_path / "apt.conf"))
    return tmp_path


def test_new_style(sources: Path) -> None:
    (sources / "sources.list.d/debian.sources").write_text(DEB822)
    assert find_mirror().line("bullseye", "deb") == (
        "deb [signed-by=/k/archive.gpg,/k/second.gpg] http://mirror.example/debian/ bullseye main\n"
    )


def test_old_style_skips_security_and_others(sources: Path) -> None:
    (sources / "sources.list").write_text(
        "# deb http://off.example/debian bookworm main\n"
        "deb http://mirror.example/security bookworm-security main\n"
        "deb [arch=amd64] https://other.example/node nodistro main\n"
        "deb [signed-by=/k.gpg arch=amd64] http://mirror.example/debian bookworm main contrib\n"
    )
    assert find_mirror() == Mirror("http://mirror.example/debian/", "/k.gpg")


def test_switched_off(sources: Path) -> None:
    text = DEB822.replace("Types:", "Enabled: no\nTypes:")
    (sources / "sources.list.d/a.sources").write_text(text)
    with pytest.raises(DebianUnavailableError, match="no Debian archive"):
        find_mirror()


@pytest.mark.parametrize("there", [True, False])
def test_without_a_path_to_a_key_it_is_debians_own(
    sources: Path, monkeypatch: pytest.MonkeyPatch, there: bool
) -> None:
    keyring = sources / "archive.gpg"
    monkeypatch.setattr(debian, "_KEYRING", keyring)
    if there:
        keyring.touch()
    inline = "Signed-By:\n -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n a/xyz\n"
    text = re.sub("Signed-By: .*\n", inline, DEB822)
    (sources / "sources.list.d/a.sources").write_text(text)
    assert find_mirror().keys == (str(keyring) if there else None)
    (sources / "sources.list").write_text("deb http://first.example/debian sid main\n")
    assert find_mirror() == Mirror("http://first.example/debian/", str(keyring) if there else None)
    assert Mirror("http://x", None).line("sid", "deb-src") == "deb-src http://x sid main\n"


@pytest.fixture
def no_mirror(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """The mirror is nowhere."""
    monkeypatch.setattr(debian, "find_mirror", lambda: Mirror("http://x", None))
    return monkeypatch


@pytest.mark.parametrize(
    ("script", "said"),
    [
        (
            'case $* in *update*) ;; *) echo "W: x\nE: no aapt" >&2; exit 100;; esac',
            "fetch Debian's packages: E: no aapt (check the network, or raise the version in p.py)",
        ),
        ("exit 7", "fetch the lists of Debian: apt-get update ended with 7 (check the network, "),
        ("exec sleep 5", "fetch the lists of Debian in the time allowed (check the network, "),
    ],
)
def test_apts_own_words_or_else_what_was_done(
    tmp_path: Path, no_mirror: pytest.MonkeyPatch, script: str, said: str
) -> None:
    put_apt(no_mirror, tmp_path / "bin", script)
    seconds = 0.2 if "sleep" in script else None
    apt = PrivateApt(tmp_path / "a", ("sid",), pins="p.py", seconds=seconds)
    with pytest.raises(DebianUnavailableError, match=f"^{re.escape('cannot ' + said)}"):
        apt.download("aapt=7")


def test_a_relative_folder_and_a_configuration_of_its_own(
    tmp_path: Path, no_mirror: pytest.MonkeyPatch
) -> None:
    script = 'case $* in *download*) cp "$APT_CONFIG" "$2_7_all.deb";; esac'
    put_apt(no_mirror, tmp_path / "bin", script)
    no_mirror.chdir(tmp_path)
    (deb,) = PrivateApt(Path("a"), ("sid", "trixie"), ("arm64", "amd64")).download("aapt")
    assert deb == Path("a/download_7_all.deb")
    settings = deb.read_text()
    listing = tmp_path / "a/apt/sources.list"
    assert f'Dir::Etc::sourcelist "{listing}";' in settings
    assert re.findall('APT::Architecture.*"(.*)"', settings) == ["arm64", "arm64", "amd64"]
    assert listing.read_text() == "deb http://x sid main\ndeb http://x trixie main\n"
