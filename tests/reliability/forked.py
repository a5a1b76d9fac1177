"""Child processes started as forks of this one, which has their libraries loaded already.

A stand-in of ``subprocess.Popen`` for :mod:`export.runtime.process`: pipes, signals and exit codes
are Popen's own, and the same script or module is run, in a fork of this process.
"""

from __future__ import annotations

import os
import runpy
import subprocess
import sys
import traceback
from typing import Any

_STDIN, _STDOUT, _STDERR, _ENVIRONMENT = 10, 13, 15, 6
"""Places in what Popen hands to the method that starts the child (Python 3.11 to 3.13)."""


class ForkedPython(subprocess.Popen[bytes]):
    """Runs ``python ... -m MODULE`` or ``python ... SCRIPT ARGUMENT`` in a fork."""

    def _execute_child(self, command: list[str], *given: Any) -> None:
        handles = (command, *given)
        child = os.fork()
        if child:
            self.pid, self._child_created = child, True
            self._close_pipe_fds(*handles[_STDIN : _STDERR + 1])  # type: ignore[attr-defined]
            return
        code = 1
        try:
            os.setsid()
            for place, handle in enumerate((_STDIN, _STDOUT, _STDERR)):
                os.dup2(handles[handle], place)
            os.closerange(3, 4096)
            sys.stdin, sys.stdout, sys.stderr = os.fdopen(0), os.fdopen(1, "w"), os.fdopen(2, "w")
            os.environ.update(handles[_ENVIRONMENT])
            _run(command)
            code = 0
        except SystemExit as error:
            code = error.code if isinstance(error.code, int) else int(error.code is not None)
        except Exception:  # noqa: BLE001 - told as Python would, then the fork ends
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)


def _run(command: list[str]) -> None:
    if "-m" in command:
        place = command.index("-m") + 1
        sys.argv = command[place:]
        runpy.run_module(command[place], run_name="__main__", alter_sys=True)
        return
    place = next(i for i, word in enumerate(command) if word.endswith(".py"))
    sys.argv = command[place:]
    runpy.run_path(command[place], run_name="__main__")
