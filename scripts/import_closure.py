"""Which of this project's files a set of modules needs, found by parsing; nothing is imported."""

import ast
from collections.abc import Iterator
from pathlib import Path


def imported_modules(source: bytes) -> Iterator[str]:
    """Yield every module that the source imports, inside functions too; raises SyntaxError."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module
            # `from package import module` imports a module too; a plain name is not found as a file.
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def files_of_module(project_root: Path, module: str, packages: frozenset[str]) -> list[Path]:
    """Return the files that importing a module of one of the `packages` reads, their `__init__` included."""
    parts = module.split(".")
    if parts[0] not in packages:
        return []
    inits = [project_root.joinpath(*parts[:n], "__init__.py") for n in range(1, len(parts) + 1)]
    return [path for path in (*inits, project_root.joinpath(*parts).with_suffix(".py")) if path.is_file()]
