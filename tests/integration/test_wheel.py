"""The wheel that users install: what is in it, and that it works away from the checkout."""

from __future__ import annotations

import shutil
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest
import yaml

from .processes import run

BUNDLED = ("modules", "alert_rules", "dashboards")
PYTHON = sys.executable


def data_files(repository: Path) -> set[str]:
    """The data that ships with the package, as paths below the checkout."""
    return {
        str(path.relative_to(repository))
        for folder in BUNDLED
        for path in (repository / folder).rglob("*")
        if path.is_file()
    }


def build(source: Path, target: Path, *flags: str) -> Path:
    """Build in *source* without a package index, and give the wheel."""
    command = (PYTHON, "-m", "build", "--no-isolation", *flags, "--outdir", target, source)
    result = run(*command, seconds=120)
    assert result.returncode == 0, result.stdout[-2000:] + result.stderr[-2000:]
    (wheel,) = target.glob("*.whl")
    return wheel


@pytest.fixture(scope="module")
def built(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A source distribution, and the wheel made of that and of nothing else."""
    return build(repository, tmp_path_factory.mktemp("dist"))


@pytest.fixture(scope="module")
def installed(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("installed")
    flags = ("--quiet", "--no-deps", "--no-index", "--no-compile", "--disable-pip-version-check")
    result = run(PYTHON, "-m", "pip", "install", *flags, "--target", target, built)
    assert result.returncode == 0, result.stderr
    return target


def test_wheel_holds_the_package_and_its_data_and_nothing_else(
    built: Path, repository: Path
) -> None:
    names = set(zipfile.ZipFile(built).namelist())
    package = {
        str(path.relative_to(repository))
        for path in (repository / "exporters").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert "exporters/web/static/page.html" in package
    bundled = {f"exporters/_bundled/{name}" for name in data_files(repository)}
    metadata = {name for name in names if ".dist-info/" in name}
    assert names - metadata == package | bundled
    assert any(name.endswith("/licenses/LICENSE") for name in metadata)


def test_source_distribution_holds_what_tests_need(built: Path, repository: Path) -> None:
    (archive,) = built.parent.glob("*.tar.gz")
    with tarfile.open(archive) as files:
        names = {name.partition("/")[2] for name in files.getnames()}
    assert data_files(repository) <= names
    assert {"README.md", "LICENSE", "Makefile", "pyproject.toml", "tests/conftest.py"} <= names
    assert not any("__pycache__" in name or name.startswith(".") for name in names - {".gitignore"})


def test_installed_wheel_finds_its_modules_from_any_directory(
    installed: Path, repository: Path, tmp_path: Path
) -> None:
    environment = {"PYTHONPATH": str(installed)}
    flags = ("snmp", "--config.check")
    for command in ((PYTHON, "-m", "exporters"), (installed / "bin/netexporters",)):
        result = run(*command, *flags, environment=environment, cwd=tmp_path)
        shipped = [
            yaml.safe_load(path.read_text()) for path in (repository / "modules/snmp").glob("*.yml")
        ]
        modules = sum(len(file.get("modules", ())) for file in shipped)
        auths = sum(len(file.get("auths", ())) for file in shipped)
        assert result.stdout == (
            f"SNMP exporter: the configuration is right: {modules} modules, {auths} auths\n"
        )
        assert result.returncode == 0


def test_installed_wheel_uses_its_own_files(installed: Path, tmp_path: Path) -> None:
    code = (
        "import exporters; from exporters.bundled import bundled_directory as find; "
        f"print(exporters.__file__, *map(find, {BUNDLED}), sep='\\n')"
    )
    environment = {"PYTHONPATH": str(installed)}
    result = run(PYTHON, "-c", code, environment=environment, cwd=tmp_path)
    package = installed / "exporters"
    assert result.stdout.splitlines() == [
        str(package / "__init__.py"),
        *(str(package / "_bundled" / name) for name in BUNDLED),
    ]


def test_image_has_all_that_its_wheel_is_made_of(repository: Path, tmp_path: Path) -> None:
    """What the Dockerfile copies for the build is enough to build."""
    text = (repository / "Dockerfile").read_text().replace("\\\n", " ")
    context = tmp_path / "context"
    context.mkdir()
    for line in text.splitlines():
        if not line.startswith("COPY ") or "--from" in line:
            continue
        *sources, destination = line.split()[1:]
        for source in map(Path, sources):
            target = context / destination
            if (repository / source).is_dir():
                shutil.copytree(repository / source, target)
            else:
                shutil.copy(repository / source, target)
    wheel = build(context, tmp_path / "dist", "--wheel")
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {f"exporters/_bundled/{name}" for name in data_files(repository)} <= names
