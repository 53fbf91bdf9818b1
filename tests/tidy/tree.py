"""The project's files, as the rules see them."""

import pathlib
import subprocess


class Tree:
    """Source files below `root`: what git tracks or would track, or everything outside build/ where there is no git."""

    def __init__(self, root):
        self.root = pathlib.Path(root)
        self._text = {}
        self.paths = sorted(self._git_paths() or self._walk())

    def text(self, path):
        if path not in self._text:
            self._text[path] = (self.root / path).read_text(encoding="utf-8")
        return self._text[path]

    def lines(self, path):
        return self.text(path).split("\n")

    def under(self, folder, *suffixes):
        """Paths below `folder` ("" for all) that end in one of `suffixes` (none: any)."""
        prefix = f"{folder}/" if folder else ""
        return [p for p in self.paths if p.startswith(prefix) and (not suffixes or p.endswith(suffixes))]

    def _git_paths(self):
        command = ["git", "-C", self.root, "-c", "safe.directory=*",
                   "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
        listing = subprocess.run(command, capture_output=True, text=True)
        return [p for p in listing.stdout.split("\0") if p and (self.root / p).is_file()]

    def _walk(self):
        files = (p.relative_to(self.root) for p in self.root.rglob("*") if p.is_file())
        return [str(p) for p in files if p.parts[0] not in ("build", ".git") and "__pycache__" not in p.parts]
