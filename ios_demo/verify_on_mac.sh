#!/bin/bash
# For whoever has a Mac: ios_demo/verify_on_mac.sh EXPORT [RECORD]
#
# Checks an export with Apple's own runtime, tests the Swift core, builds the sample app for a
# simulator, and writes RECORD (apple_record.json by default), which
# 'hierattn verify EXPORT --apple-record RECORD' reads anywhere. The project's authors had no Mac:
# this script was checked for its syntax alone. Whatever fails stops it, and no record is written.
set -euo pipefail

if [ $# -lt 1 ] || [ $# -gt 2 ]; then
    echo "usage: $0 EXPORT [RECORD]" >&2
    exit 2
fi
if [ "$(uname -s)" != Darwin ]; then
    echo "error: this needs a Mac; on Linux run 'make test-ios'" >&2
    exit 1
fi
demo=$(cd "$(dirname "$0")" && pwd)
export_folder=$(cd "$1" && pwd)
record=${2:-apple_record.json}
case "$record" in /*) ;; *) record="$PWD/$record" ;; esac
python=${PYTHON:-$demo/../.venv/bin/python}

echo "1 of 4: the export against its manifest, with Apple's runtime"
"$python" -m hierattn.cli verify "$export_folder"

echo "2 of 4: the tests of the Swift core, against Python"
vectors=$(mktemp -d)
trap 'rm -rf "$vectors"' EXIT
(cd "$demo/.." && "$python" -m tests.ios.vectors "$vectors")
swift_log="$vectors/swift.log"
HIERATTN_VECTORS="$vectors" swift test --package-path "$demo/HierAttnCore" -c release \
    -Xswiftc -enable-testing 2>&1 | tee "$swift_log"
ran=$(sed -n 's/.*Executed \([0-9]*\) tests*, with .*/\1/p' "$swift_log" | sort -n | tail -1)
skipped=$(sed -n 's/.*Executed [0-9]* tests*, with \([0-9]*\) tests* skipped.*/\1/p' "$swift_log" \
    | sort -n | tail -1)
passed=$((${ran:-0} - ${skipped:-0}))

echo "3 of 4: the sample app, built for a simulator"
artefact=
for package in "$export_folder"/*-fp32.mlpackage "$export_folder"/*.mlpackage; do
    if [ -d "$package" ]; then
        artefact=${package##*/}
        break
    fi
done
(cd "$demo/.." && "$python" -m hierattn.cli bundle "$export_folder" --app "$demo" \
    --artefact "$artefact")
(cd "$demo/HierAttnDemo.swiftpm" && xcodebuild build -quiet -scheme HierAttnDemo \
    -destination 'generic/platform=iOS Simulator' -derivedDataPath "$vectors/xcode" \
    CODE_SIGNING_ALLOWED=NO)

echo "4 of 4: the golden images, on every kind of compute units"
(cd "$demo/.." && "$python" -m export.targets.apple "$export_folder" --out "$record" \
    --swift-tests "$passed" --simulator-build passed)
