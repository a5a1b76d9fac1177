"""What the offline build fetches: name, version and sha256 of every package, here and nowhere else.

A package whose bytes differ is refused; to move to another version, change its line and run
``make apk``.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class DebianPackage:
    """One binary package of Debian (amd64 or all).

    Args:
        name: package name.
        version: full version, with its epoch.
        suite: ``bookworm`` or ``bullseye``; the second still has what later ones dropped.
        sha256: of the ``.deb`` file.
    """

    name: str
    version: str
    suite: str
    sha256: str

    @property
    def file_name(self) -> str:
        """How it lies in our cache."""
        return f"{self.name}_{self.sha256[:16]}.deb"


@dataclass(frozen=True)
class NpmPackage:
    """One file inside one package of the npm registry.

    Args:
        name: package name.
        version: exact version.
        sha256: of the packed ``.tgz``.
        member: path of the file inside it.
        member_sha256: of that file.
        megabytes: of the ``.tgz``, to say what is being waited for.
    """

    name: str
    version: str
    sha256: str
    member: str
    member_sha256: str
    megabytes: int

    @property
    def file_name(self) -> str:
        """How the one file lies in our cache."""
        return f"{self.member_sha256[:16]}_{self.member.rsplit('/', 1)[-1]}"


@dataclass(frozen=True)
class DebianSource:
    """The upstream sources that a Debian package is made of.

    Args:
        name: of the source package.
        version: full version.
        suite: where it is.
        sha256: of the ``.orig.tar.xz``.
    """

    name: str
    version: str
    suite: str
    sha256: str

    @property
    def file_name(self) -> str:
        """How it lies in our cache."""
        return f"{self.name}_{self.sha256[:16]}.orig.tar.xz"


# aapt2 and dexdump with the libraries that a Debian machine does not have by itself, apksigner,
# ProGuard, ASM, JUnit, the framework's resources (API 29), android.jar (API 23) and dx.
DEBIAN_PACKAGES = (
    DebianPackage(
        "aapt",
        "1:10.0.0+r36-10",
        "bookworm",
        "a4790dd07923a45ba17982d257abbce3f8050e8b30b0952545255502a5d1f505",
    ),
    DebianPackage(
        "android-libaapt",
        "1:10.0.0+r36-10",
        "bookworm",
        "e18333b3d0259c3ceffeed142a5bbce2114eb7021c0ca5ef1ac505c0629c5171",
    ),
    DebianPackage(
        "android-libandroidfw",
        "1:10.0.0+r36-10",
        "bookworm",
        "26add03f0edf12da9d710b9be2bf0ec867f583d490135d99b9789bbbfe1bab4e",
    ),
    DebianPackage(
        "android-libziparchive",
        "1:29.0.6-28",
        "bookworm",
        "e6d674143b948017a96740f449547799127feba75109875446c89e0e05a3e29d",
    ),
    DebianPackage(
        "android-libutils",
        "1:29.0.6-28",
        "bookworm",
        "c9554365cd0d20ac22138195963b2b790e45fc3edade3626a05311a9cae5cf36",
    ),
    DebianPackage(
        "android-libcutils",
        "1:29.0.6-28",
        "bookworm",
        "12ac0a99beb683269d77af09bf80ddd7b8c428fda442c05070ea3ff50429718c",
    ),
    DebianPackage(
        "android-libbacktrace",
        "1:29.0.6-28",
        "bookworm",
        "78733043d8e8f5906eb969a18c3178c1898f50d3684de23398a3eeb7ba7ea122",
    ),
    DebianPackage(
        "android-libbase",
        "1:29.0.6-28",
        "bookworm",
        "c651582c9beb229b6a4581eef5d03796293aa2da3b602eafc5427b198060819f",
    ),
    DebianPackage(
        "android-liblog",
        "1:29.0.6-28",
        "bookworm",
        "d495761ec2dc87070f6ac75c771d221d05e2be387cbaeab7e7c7fcd740ce4ce2",
    ),
    DebianPackage(
        "libprotobuf-lite32",
        "3.21.12-3+deb12u1",
        "bookworm",
        "441812aa574e1baa4435a9b62c34a39e0fc4177994ccfb35fab5a03ef6ef1e8d",
    ),
    DebianPackage(
        "apksigner",
        "31.0.2-1",
        "bookworm",
        "6ded96d6156f8b0bc1355e87b5fad8e6ebfcf8a694dedd9987768b37a41878d4",
    ),
    DebianPackage(
        "libapksig-java",
        "31.0.2-1",
        "bookworm",
        "cfb1babb843de0c7490c4554dca31187ceb326ea7f53c9cd77e9ce46342cba59",
    ),
    DebianPackage(
        "android-libart",
        "11.0.0+r48-5",
        "bookworm",
        "0b564ead30c91a6640c48138f7167d339770b0d17a43568c90a98dbc0f3226b1",
    ),
    DebianPackage(
        "android-libnativebridge",
        "1:11.0.0+r48-5",
        "bookworm",
        "1a70201b4f28566d5de3a83c15787c096812fa3ab07360ff49dbc2208111ed08",
    ),
    DebianPackage(
        "android-libnativeloader",
        "1:11.0.0+r48-5",
        "bookworm",
        "cc2ef4aad7cbedd4a6788aa4f7e38fa86e52fb97c2f30aa768b811829d164d2c",
    ),
    DebianPackage(
        "dexdump",
        "11.0.0+r48-5",
        "bookworm",
        "cda30e433ee1cf5463800a09abeb010e8962ec14886f9851b0482724e38ac152",
    ),
    DebianPackage(
        "libproguard-java",
        "6.2.2-3",
        "bookworm",
        "61a0f6f6666c8f336e11ecd54af4a78ed9ef384df264078eda2f9321dbd7ea03",
    ),
    DebianPackage(
        "libasm-java",
        "9.4-1",
        "bookworm",
        "df86dcfa204fd084b4bdec98ded755905614066bafee012ac82fcc94d8958079",
    ),
    DebianPackage(
        "junit4",
        "4.13.2-3",
        "bookworm",
        "2f516bef5fa0f714da4f8b95c367c00aea64159c099c5157579fb95823dbcc56",
    ),
    DebianPackage(
        "libhamcrest-java",
        "2.2-1",
        "bookworm",
        "a3e84b0462e4bd75bfcd34dd46c9a5db6b9e7174da2d120339f4dc89aab90a56",
    ),
    DebianPackage(
        "android-framework-res",
        "1:10.0.0+r36-10",
        "bookworm",
        "267dad38b2e01b2705bd106023cfb5e6410175ebe35c60f3186eef521248bc6b",
    ),
    DebianPackage(
        "libandroid-23-java",
        "6.0.1+r72-6",
        "bullseye",
        "8af1b6df556971dda0a6da3536ea526a838e0c363afcdd454213d8bce94793e3",
    ),
    DebianPackage(
        "dalvik-exchange",
        "10.0.0+r36-1",
        "bullseye",
        "8fc128db7c27253d963eb9b33de79b197162a4749d2ba69019b2fd0664cbd7fe",
    ),
    DebianPackage(
        "p7zip-full",
        "16.02+dfsg-8",
        "bullseye",
        "874c425cf9852356fdae688586c31dfc657d082094208b5a8cc6721e20738cc5",
    ),
)

# ONNX Runtime 1.29.0 for Android (MIT): its Java classes and its libraries for four ABIs.
ONNX_RUNTIME = NpmPackage(
    name="com.github.asus4.onnxruntime",
    version="0.4.9",
    sha256="e59788788818fdde1b2e522e766a21ba0f7d8391de55737abf81e32cc801785d",
    member="package/Plugins/Android/onnxruntime.aar",
    member_sha256="98cddbac92640b4a6af72a03c42e0491851f366d3da66bbaeb5dd66310946cf2",
    megabytes=150,
)
ONNX_RUNTIME_VERSION = "1.29.0"

# Only for asking the app's classes on a desktop's Java, see desktop.py: the same version of ONNX
# Runtime for Linux, and sources of the small library between it and Java. Those of 1.29 are in no
# registry; 1.21's do, since ONNX Runtime keeps older interfaces.
ONNX_RUNTIME_LINUX = NpmPackage(
    name="onnxruntime-node",
    version="1.29.0",
    sha256="cfdfb45ec4044b1fdca43e5d2e180fb6817e649ff8ad1e0dfc90e18e51b67037",
    member="package/bin/napi-v6/linux/x64/libonnxruntime.so.1",
    member_sha256="89688f5cf51c7e31befbb7b9101bc027799009b18d1baa9a5b1146a72e69538d",
    megabytes=112,
)
ONNX_RUNTIME_SOURCE = DebianSource(
    name="onnxruntime",
    version="1.21.0+dfsg-1",
    suite="trixie",
    sha256="32df1f82bd6b07b18372c0f387133214905cbde7a586b3ad83f0ed0075f80273",
)
