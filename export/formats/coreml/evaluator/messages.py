"""coremltools' description of the file format, without coremltools' converters.

``import coremltools`` loads torch and more, which takes seconds, and warns of every package whose
version it does not know. To read a package, its generated protobuf modules alone are needed.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from functools import cache
from types import ModuleType
from typing import Any

_PACKAGE, _MODULE = "coremltools", "coremltools.proto.Model_pb2"


@cache
def model_message() -> Any:
    """The class of a package's specification; the same that coremltools itself uses.

    Raises:
        ModuleNotFoundError: coremltools is not installed.
    """
    if _PACKAGE in sys.modules:
        return importlib.import_module(_MODULE).Model
    found = importlib.util.find_spec(_PACKAGE)
    if found is None or found.submodule_search_locations is None:
        raise ModuleNotFoundError(f"No module named '{_PACKAGE}'", name=_PACKAGE)
    bare = ModuleType(_PACKAGE)
    bare.__path__ = list(found.submodule_search_locations)
    sys.modules[_PACKAGE] = bare
    try:
        return importlib.import_module(_MODULE).Model
    finally:
        # Who needs coremltools later imports it whole; protobuf keeps one class a message.
        for name in [one for one in sys.modules if one.partition(".")[0] == _PACKAGE]:
            del sys.modules[name]
