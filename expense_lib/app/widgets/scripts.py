"""The JavaScript of a widget: its modules, joined into the one script that anywidget takes."""

from __future__ import annotations

import re
from graphlib import TopologicalSorter
from pathlib import Path

_IMPORT = re.compile(r'^import \{\s*\w+(?:,\s*\w+)*,?\s*\} from "(\.[^"]+)";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export (?=(?:async )?(?:function|class|const)\b)", re.MULTILINE)
_DECLARATION = re.compile(r"^(?:async )?(?:function|class|const|let|var) (\w+)", re.MULTILINE)
_OTHER = re.compile(r"^(?:import|export)\b.*", re.MULTILINE)
_DEFAULT = "export default "


def joined(entry: Path) -> str:
    """The module at *entry* with all that it imports, as one module.

    Each module is in it once, after those that it imports. They share one scope: a name at the top level of
    one is at the top level of no other. What is understood is ``import { name } from "./module.js"``,
    ``export`` before a declaration, and ``export default`` in *entry*.

    Raises:
        ValueError: Modules import each other in a circle, declare one name twice, or import or export in
            another way.
        OSError: A module is not there.
    """
    texts: dict[Path, str] = {}
    imports: dict[Path, list[Path]] = {}
    unread = [entry.resolve()]
    while unread:
        path = unread.pop()
        if path not in texts:
            texts[path] = path.read_text(encoding="utf-8")
            imports[path] = [(path.parent / name).resolve() for name in _IMPORT.findall(texts[path])]
            unread += imports[path]
    order = TopologicalSorter(imports).static_order()
    bodies = {path: _EXPORT.sub("", _IMPORT.sub("", texts[path])) for path in order}
    _check(bodies, entry.resolve())
    return "\n".join(bodies.values())


def _check(bodies: dict[Path, str], entry: Path) -> None:
    declared: dict[str, Path] = {}
    for path, body in bodies.items():
        for line in _OTHER.findall(body):
            if path != entry or not line.startswith(_DEFAULT):
                raise ValueError(f"{path.name}: not understood: {line}")
        for name in _DECLARATION.findall(body):
            if name in declared:
                raise ValueError(f"{path.name}: {declared[name].name} declares {name} as well")
            declared[name] = path
