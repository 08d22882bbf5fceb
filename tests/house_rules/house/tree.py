"""The checked files, and how to read them."""

import functools
import os
import pathlib

from house import cpp

ROOTS = ("lib", "daemon", "tests", "config", "systemd", "packaging")
IGNORED_FOLDERS = {"__pycache__", ".pytest_cache", "build",
                   "corpus"}  # Inputs of fuzz targets: any bytes.
CPP_SUFFIXES = {".cpp", ".hpp"}


class SourceFile:
    """One text file; `path` is relative to the checkout and has forward slashes."""

    def __init__(self, path: str, text: str, executable: bool):
        self.path = path
        self.text = text
        self.executable = executable
        self.lines = text.split("\n")[:-1] if text.endswith("\n") else text.split("\n")
        suffix = pathlib.PurePosixPath(path).suffix
        first = self.lines[0] if self.lines else ""
        self.is_cpp = suffix in CPP_SUFFIXES
        self.is_python = suffix == ".py" or (first.startswith("#!") and "python" in first)
        self.is_script = self.is_python or suffix == ".sh" or first.startswith("#!")

    def below(self, *folders: str) -> bool:
        return any(self.path == folder or self.path.startswith(folder + "/") for folder in folders)

    @functools.cached_property
    def code(self) -> str:
        """Return C++ with blanks for comments and string contents; other text unchanged."""
        return cpp.blanked(self.text) if self.is_cpp else self.text

    @functools.cached_property
    def code_lines(self) -> list[str]:
        return self.code.split("\n")

    def line_of(self, offset: int) -> int:
        return self.text.count("\n", 0, offset) + 1


class Tree:
    def __init__(self, files: dict[str, str], executables: set[str]):
        self.files = [SourceFile(path, text, path in executables)
                      for path, text in sorted(files.items())]
        self.by_path = {file.path: file for file in self.files}

    @classmethod
    def read(cls, root: pathlib.Path) -> "Tree":
        files, executables = {}, set()
        for name in root.glob("*.md"):
            files[name.name] = name.read_text(encoding="utf-8")
        for top in ROOTS:
            for folder, subfolders, names in os.walk(root / top):
                subfolders[:] = [name for name in subfolders if name not in IGNORED_FOLDERS]
                for name in names:
                    path = pathlib.Path(folder) / name
                    if not path.is_file() or path.is_symlink():
                        continue
                    try:
                        text = path.read_text(encoding="utf-8")
                    except (UnicodeDecodeError, PermissionError, FileNotFoundError):
                        continue  # Binary test data, or deleted meanwhile.
                    relative = path.relative_to(root).as_posix()
                    files[relative] = text
                    if os.access(path, os.X_OK):
                        executables.add(relative)
        return cls(files, executables)

    def cpp(self, *folders: str):
        return [file for file in self.files
                if file.is_cpp and (not folders or file.below(*folders))]
