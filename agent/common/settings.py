"""Settings from TOML, the environment and secret files, checked before anything starts.

Later wins: the defaults of the struct, the TOML file, the environment. A key `a.b` is
`SCHOOLPULSE_A_B` in the environment, a list by commas; `SCHOOLPULSE_A_B_FILE` names a file that
holds it.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, get_args, get_origin

import msgspec

from agent.common import textfile
from agent.common.language import say

PREFIX = "SCHOOLPULSE_"
_T = TypeVar("_T", bound=msgspec.Struct)
#: Of what the programs write; empty: see `agent.common.language`.
Lang = Literal["", "zh", "en"]


#: msgspec's sentences and types, in Chinese.
_CHINESE = (
    (r"Expected (.+?), got (.+)", r"应为\1，写的是\2"),
    (r"Expected (.+)", r"应为\1"),
    (r"Invalid enum value (.+?)(?=，|$)", r"没有 \1 这个值"),
    (r"Object contains unknown field (.+)", r"没有 \1 这一项：删去或改名"),
    (r"Object missing required field (.+)", r"缺少 \1：请填写"),
    (r"`int`", "整数"),
    (r"`float`", "数"),
    (r"`str`", "文字"),
    (r"`bool`", "true 或 false"),
    (r"`array`", "列表"),
    (r"`object`", "一组设置"),
    (r" \| ", " 或 "),
)


class SettingsError(ValueError):
    """Settings that cannot be used; the message names the file or key, and the fix."""


class Broker(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where the broker is, and the account to log in with."""

    host: str = "127.0.0.1"
    port: int = 1883
    username: str = ""
    password: str = ""
    tls: bool = False
    ca: str = ""  # our own CA; empty: the system's
    certificate: str = ""
    key: str = ""
    #: The MQTT that the broker speaks; empty: 5 is asked for first, then 3.1.1.
    protocol: Literal["", "5", "3.1.1"] = ""

    @property
    def protocols(self) -> tuple[str, ...]:
        """The versions of MQTT to try, the first one first."""
        return (self.protocol,) if self.protocol else ("5", "3.1.1")


def load(
    kind: type[_T], path: Path | None, environ: Mapping[str, str] = os.environ
) -> tuple[_T, list[str]]:
    """Read `kind` from the file and the environment.

    Returns the settings, and warnings about keys that nothing reads.

    Raises:
        SettingsError: the file cannot be read, or a value has the wrong type.
    """
    tree = _read(path) if path else {}
    warnings = list(_drop_unknown(tree, kind, str(path), ()))
    variables = {}
    for keys, name, value in _from_environ(kind, environ):
        _put(tree, keys, value)
        variables["$." + ".".join(keys)] = name
    try:
        return msgspec.convert(tree, kind, strict=False), warnings
    except msgspec.ValidationError as error:
        where = _variable(str(error), variables) or path
        told = _with_entry(str(error), tree, kind)
        raise SettingsError(f"{where}: {_explained(told, kind)}") from error


def peek(path: Path | None, key: str) -> Any:
    """One key of the file as it stands there; None where there is none or it cannot be read.

    A pipe is left alone: whoever reads it first leaves nothing for `load`.
    """
    try:
        return _read(path).get(key) if path and path.is_file() else None
    except (SettingsError, OSError):
        return None


def _variable(error: str, variables: Mapping[str, str]) -> str | None:
    """The environment variable that gave the value which the error is about."""
    at = re.search(r"`(\$[\w.]*)", error)
    return variables.get(at[1]) if at else None


def _with_entry(error: str, tree: Mapping[str, Any], kind: type[msgspec.Struct]) -> str:
    """The error with the name of the entry in the place of msgspec's `[...]`."""
    at = re.search(r"`\$\.([\w.]+)\[\.\.\.\]", error)
    if at is None:
        return error
    keys = tuple(at[1].split("."))
    entries: Any = tree
    for key in keys:
        entries = entries[key]
    wanted = get_args(dict(_leaves(kind, ()))[keys])[1]
    bad = next(name for name, value in entries.items() if _fails(value, wanted))
    return error.replace("[...]", f".{bad}", 1)


def _fails(value: Any, kind: Any) -> bool:
    try:
        msgspec.convert(value, kind, strict=False)
    except msgspec.ValidationError:
        return True
    return False


def _explained(error: str, kind: type[msgspec.Struct]) -> str:
    """msgspec's complaint with the key first, in our language, and what may be set instead."""
    problem, _, at = error.partition(" - at ")
    key = at.strip("`").removeprefix("$.")
    if problem.startswith("Invalid enum value"):
        wanted = next((of for keys, of in _leaves(kind, ()) if ".".join(keys) == key), None)
        choices = ", ".join(str(word) for word in get_args(wanted) if word != "")
        problem += say(f"，可选 {choices}", f"; choose from {choices}") if choices else ""
    if say("zh", "en") == "zh":
        for english, chinese in _CHINESE:
            problem = re.sub(english, chinese, problem)
    return f"{key}: {problem}" if key else problem


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(textfile.read(path))
    except OSError as error:
        problem = say("读不到配置文件", "cannot read the config file")
        fix = say("核对 --config 的路径和权限", "check the path after --config and its permissions")
        raise SettingsError(f"{path}: {problem}: {error.strerror}. {fix}") from error
    except textfile.TextFileError as error:
        raise SettingsError(f"{path}: {error}") from error
    except tomllib.TOMLDecodeError as error:
        problem = say("不是合格的 TOML", "not valid TOML")
        raise SettingsError(f"{path}: {problem}: {error}") from error


def _drop_unknown(
    tree: dict[str, Any], kind: type[msgspec.Struct], file: str, above: tuple[str, ...]
) -> Iterator[str]:
    known = {field.encode_name: field.type for field in msgspec.structs.fields(kind)}
    for key in list(tree):
        if key not in known:
            del tree[key]
            yield _unknown(file, (*above, key), list(known))
        elif _is_table(known[key]) and isinstance(tree[key], dict):
            yield from _drop_unknown(tree[key], known[key], file, (*above, key))


def _unknown(file: str, keys: tuple[str, ...], known: list[str]) -> str:
    import difflib  # a school PC holds it only where its settings are wrong

    near = difflib.get_close_matches(keys[-1], known, 1)
    name = ".".join(keys)
    if near:
        return say(
            f"{file}: 没有配置项 {name}，是不是 {near[0]}？",
            f"{file}: no setting {name}; did you mean {near[0]}?",
        )
    return say(f"{file}: 没有配置项 {name}，已忽略", f"{file}: no setting {name}; ignored")


def _from_environ(
    kind: type[msgspec.Struct], environ: Mapping[str, str]
) -> Iterator[tuple[tuple[str, ...], str, str | list[str]]]:
    """The keys, the variable, and its value: a list where the setting is one."""
    for keys, wanted in _leaves(kind, ()):
        name = PREFIX + "_".join(keys).upper()
        if name in environ:
            text = environ[name]
        elif f"{name}_FILE" in environ:
            name = f"{name}_FILE"
            text = _secret(name, environ[name])
        else:
            continue
        yield keys, name, _listed(text) if _is_list(wanted) else text


def _is_list(kind: Any) -> bool:
    bare = get_args(kind)[0] if get_origin(kind) is Annotated else kind
    return get_origin(bare) in (tuple, list)


def _listed(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _secret(name: str, path: str) -> str:
    try:
        return textfile.secret(Path(path))
    except OSError as error:
        problem = say("读不到密钥文件", "cannot read the secret file")
        raise SettingsError(f"{name}: {problem} {path}: {error.strerror}") from error
    except textfile.TextFileError as error:
        raise SettingsError(f"{name}: {path} {error}") from error


def _leaves(
    kind: type[msgspec.Struct], above: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], Any]]:
    for field in msgspec.structs.fields(kind):
        keys = (*above, field.encode_name)
        if _is_table(field.type):
            yield from _leaves(field.type, keys)
        else:
            yield keys, field.type


def _is_table(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, msgspec.Struct)


def _put(tree: dict[str, Any], keys: tuple[str, ...], value: str | list[str]) -> None:
    for key in keys[:-1]:
        tree = tree.setdefault(key, {})
    tree[keys[-1]] = value
