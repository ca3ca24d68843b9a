"""Modules that a dependency imports and the agent never uses: loaded on their first use.

paho imports urllib.request to find proxies, which it needs with PySocks only; that import loads
http.client and email, 2.4 MB that the agent on a school PC never uses.
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import Any


class _Deferred(ModuleType):
    """Stands for a module until one of its attributes is used."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # asked for by the import system itself
            raise AttributeError(name)
        if sys.modules.get(self.__name__) is self:
            del sys.modules[self.__name__]
        return getattr(importlib.import_module(self.__name__), name)


def defer(name: str) -> None:
    """Let `import name` cost nothing until it is used; `name` is `package.module`."""
    if name in sys.modules:
        return
    package, _, module = name.rpartition(".")
    deferred = _Deferred(name)
    sys.modules[name] = deferred
    setattr(importlib.import_module(package), module, deferred)
