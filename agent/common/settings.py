"""Settings from TOML, the environment and secret files, checked before anything starts.

Later wins: the defaults of the struct, the TOML file, the environment. A key `a.b` is
`SCHOOLPULSE_A_B` in the environment, a list by commas; `SCHOOLPULSE_A_B_FILE` names a file that
holds it, as the setting `a.b_file` does. Names of files are meant from the folder of the settings
on, those of the environment from the current one.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, get_args, get_origin

import msgspec

from agent.common import decoding, secret_reading, textfile
from agent.common.language import say
from agent.common.settings_error import SettingsError as SettingsError

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
    password_file: str = ""  # read at the start into `password`; later by `secret`

    @property
    def protocols(self) -> tuple[str, ...]:
        """The versions of MQTT to try, the first one first."""
        return (self.protocol,) if self.protocol else ("5", "3.1.1")

    def secret(self) -> str:
        """The password as its file has it now: to be asked at every connection.

        Raises:
            SettingsError: see `agent.common.secret_reading.fresh`.
        """
        return secret_reading.fresh("password_file", self.password_file, self.password)


def load(
    kind: type[_T], path: Path | None, environ: Mapping[str, str] = os.environ
) -> tuple[_T, list[str]]:
    """Read `kind` from the file and the environment.

    Returns the settings, and warnings about keys that nothing reads and secrets that all can read.
    A secret's file that this user may not read is no error: the secret stays empty, and who needs
    it learns of that from `Broker.secret`.

    Raises:
        SettingsError: a file cannot be read, or a value has the wrong type.
    """
    tree = _read(path) if path else {}
    warnings = list(_drop_unknown(tree, kind, str(path), ()))
    secret_reading.locate_all(tree, path.parent if path else Path(), environ)
    variables = {}
    for keys, name, value in _from_environ(kind, environ):
        _put(tree, keys, value)
        variables["$." + ".".join(keys)] = name
    _secrets(tree, kind, variables, str(path))
    try:
        made = decoding.convert(tree, kind, strict=False)
    except msgspec.ValidationError as error:
        where = _variable(str(error), variables) or path
        told = _with_entry(str(error), tree, kind)
        raise SettingsError(f"{where}: {_explained(told, kind)}") from error
    for setting, file in secret_reading.named(made):
        if setting.endswith("_file"):
            warnings += secret_reading.exposed(setting, file)
    return made, warnings


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
        decoding.convert(value, kind, strict=False)
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
        if isinstance(error, PermissionError):
            fix = say("请用 root（管理员）身份运行", "run it as root (administrator)")
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
    leaves = dict(_leaves(kind, ()))
    for keys, wanted in leaves.items():
        name = PREFIX + "_".join(keys).upper()
        if name in environ:
            text = environ[name]
            if secret_reading.names_file(keys[-1]) and text:
                text = secret_reading.located(text, Path(), environ)
        elif f"{name}_FILE" in environ and (*keys[:-1], f"{keys[-1]}_file") not in leaves:
            name = f"{name}_FILE"
            text = secret_reading.read(name, environ[name])
        else:
            continue
        yield keys, name, _listed(text) if _is_list(wanted) else text


def _secrets(
    tree: dict[str, Any], kind: type[msgspec.Struct], variables: Mapping[str, str], file: str
) -> None:
    """Put each secret whose file is named into its setting."""
    leaves = dict(_leaves(kind, ()))
    for keys in (keys for keys in leaves if keys[-1].endswith("_file")):
        table = _table(tree, keys[:-1])
        path = table.get(keys[-1])
        if not isinstance(path, str) or not path:
            continue
        dotted, plain = ".".join(keys), (*keys[:-1], keys[-1].removesuffix("_file"))
        if plain not in leaves:  # read by who needs it
            continue
        if "$." + ".".join(plain) in variables:  # the environment wins
            table[keys[-1]] = ""
            continue
        setting = variables.get(f"$.{dotted}") or f"{file}: {dotted}"
        forbidden = secret_reading.forbidden(path)
        table[plain[-1]] = "" if forbidden else secret_reading.read(setting, path)


def _table(tree: dict[str, Any], keys: tuple[str, ...]) -> dict[str, Any]:
    for key in keys:
        found = tree.get(key)
        tree = found if isinstance(found, dict) else {}
    return tree


def _is_list(kind: Any) -> bool:
    bare = get_args(kind)[0] if get_origin(kind) is Annotated else kind
    return get_origin(bare) in (tuple, list)


def _listed(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


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


def present(name: str, usual: Path, environ: Mapping[str, str] = os.environ) -> Path | None:
    """The settings file where none is named: systemd's copy, else the usual one; None: no such.

    One that this user may not look at counts as present, so that reading it says so.
    """
    copy = Path(secret_reading.located(name, usual.parent, environ))
    for path in (copy, usual):
        try:
            if path.exists():
                return path
        except PermissionError:
            return path
    return None
