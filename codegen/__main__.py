"""From OpenAPI documents to a package of msgspec Structs, with their tables and operations.

Without `--spec` it writes gemwire's own models from spec/, and `--check` fails if they are stale.
"""

from __future__ import annotations

import argparse
import difflib
import subprocess
import sys
import warnings
from pathlib import Path

from .config import Config, Documents, load_config
from .coverage import generate_coverage
from .descriptions import described
from .document import alternatives, schemas_of
from .generate import generate
from .load import load
from .notes import Notes, Refused
from .operations import generate_operations
from .overlay import StaleOverlay

ROOT = Path(__file__).resolve().parent.parent
SPEC = ROOT / "spec"
CONFIG = SPEC / "codegen.toml"
MODELS = ROOT / "src" / "gemwire" / "models"
BY_HAND = {"src/gemwire/models/lazy.py", "src/gemwire/models/views.py"}


def ruff_format(source: str) -> str:
    """Format with the project's own settings."""
    command = [sys.executable, "-m", "ruff", "format", "--stdin-filename", "models.py", "-"]
    done = subprocess.run(command, input=source, capture_output=True, text=True, cwd=ROOT)
    if done.returncode:
        raise SystemExit(done.stderr)
    return done.stdout


def package(documents: Documents, config: Config, notes: Notes) -> dict[str, str]:
    """File name → formatted source of a package of its own, for any documents.

    Raises:
        Refused: a construct that has no form.
        StaleOverlay: a correction of the overlay has no target or no effect.
    """
    document = load(documents, notes)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # notes of datamodel-code-generator on formats
        files = generate(document, config, notes)
    if operations := generate_operations(document, config):
        files["operations.py"] = operations
    return {name: ruff_format(source) for name, source in files.items()}


def write_package(documents: Documents, out: Path, name: str) -> int:
    """Write a package of this name into a folder, and report."""
    notes = Notes()
    config = Config(package=name)
    files = package(documents, config, notes)
    folder = out.joinpath(*name.split("."))
    folder.mkdir(parents=True, exist_ok=True)
    for file, source in files.items():
        (folder / file).write_text(source, "utf-8")
    document = load(documents, Notes())
    schemas = schemas_of(document)
    unions = sum(bool(alternatives(schema)) for schema in schemas.values())
    operations = sum(map(len, document["paths"].values()))
    print(f"{folder}: {len(schemas)} schemas, {unions} unions and enums, {operations} operations")
    for line in notes.lines():
        print(line)
    return 0


def own_files(notes: Notes) -> dict[str, str]:
    """Path → source of all that is generated of gemwire."""
    documents, config = load_config(CONFIG)
    document = load(documents, notes)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # notes of datamodel-code-generator on formats
        models = generate(document, config, notes)
    files = {f"src/gemwire/models/{name}": ruff_format(source) for name, source in models.items()}
    operations = generate_operations(document, config)
    files["src/gemwire/operations/generated.py"] = ruff_format(operations)
    files["docs/coverage.md"] = generate_coverage(document, config)
    return files


def write_own(check: bool) -> int:
    """Write what is generated of gemwire, or say what is stale."""
    files = own_files(Notes())
    stale = {str(path.relative_to(ROOT)) for path in MODELS.glob("*.py")}
    stale -= BY_HAND | files.keys()
    for name, new in files.items():
        path = ROOT / name
        old = path.read_text("utf-8") if path.exists() else ""
        if new == old:
            continue
        stale.add(name)
        if check:
            sys.stdout.writelines(
                difflib.unified_diff(
                    old.splitlines(True), new.splitlines(True), f"{name} (committed)", name
                )
            )
        else:
            path.write_text(new, "utf-8")
    for name in (stale - files.keys()) if not check else ():
        (ROOT / name).unlink()
    undescribed = not _all_described() if check else False
    if not stale:
        print("what is generated is up to date")
    elif check:
        print(f"stale: {', '.join(sorted(stale))} (run `make codegen`)")
    else:
        print(f"wrote {', '.join(sorted(stale))}")
    return int(check and (bool(stale) or undescribed))


def _all_described() -> bool:
    """Whether all has a description, and each description something to describe."""
    documents, config = load_config(CONFIG)
    if documents.descriptions is None:
        return True
    missing, orphaned = described(load(documents, Notes()), documents.descriptions, config.version)
    for name in missing:
        print(f"no description: {name}")
    for name in orphaned:
        print(f"described, but not there: {name}")
    return not missing and not orphaned


def main(argv: list[str] | None = None) -> int:
    """Generate or check; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m codegen", description=__doc__)
    parser.add_argument("--check", action="store_true", help="show what is stale, write nothing")
    parser.add_argument(
        "--spec",
        type=Path,
        action="append",
        metavar="FILE",
        help="an OpenAPI 3 document; repeatable",
    )
    parser.add_argument("--overlay", type=Path, metavar="FILE", help="corrections to lay over it")
    parser.add_argument("--out", type=Path, metavar="DIR", help="where the package goes")
    parser.add_argument("--package", metavar="NAME", help="its name, as it will be imported")
    given = parser.parse_args(argv)
    if not given.spec:
        if given.overlay or given.out or given.package:
            parser.error("--overlay, --out and --package go with --spec")
        return write_own(given.check)
    if not given.out or not given.package:
        parser.error("--spec needs --out and --package")
    if not all(part.isidentifier() for part in given.package.split(".")):
        parser.error(f"{given.package!r} cannot be the name of a package")
    try:
        documents = Documents(dict.fromkeys(given.spec), given.overlay)
        return write_package(documents, given.out, given.package)
    except (Refused, StaleOverlay, OSError) as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
