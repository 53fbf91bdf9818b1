"""Rules about how the folders of the project may know each other. A rule yields (path, line or None, what to do)."""

import posixpath
import re

# A layer may include itself and the layers named before it; client and server are side by side.
LAYERS = ("base", "payload", "wire", "transport", "call", "client", "server", "health", "reflection", "etcd", "admin",
          "admin_service")
_BESIDE = {("client", "server"), ("server", "client")}

# What a public header may include besides the standard library and <pagewire/...>.
_PUBLIC_PACKAGES = ("pagewire/", "absl/", "google/protobuf/")
_PUBLIC_SYSTEM = ("sys/uio.h",)  # iovec, in Payload::ToIovecs

_INCLUDE = re.compile(r'\s*#\s*include\s+([<"])([^>"]+)[>"]')


def _includes(tree, path):
    for number, line in enumerate(tree.lines(path), 1):
        found = _INCLUDE.match(line)
        if found:
            yield number, found[1], found[2]


def downwards(tree):
    for height, layer in enumerate(LAYERS):
        for path in tree.under(f"rpc/{layer}", ".h", ".cc"):
            for number, _, included in _includes(tree, path):
                other = included.split("/")[0]
                if (layer, other) in _BESIDE:
                    yield path, number, (f'includes "{included}": client and server never include each other; '
                                         "what both need goes to call/ or below")
                elif other in LAYERS and LAYERS.index(other) > height:
                    yield path, number, (f'includes "{included}", which is above {layer}/: '
                                         f"includes point down {' <- '.join(LAYERS)}")


def public_headers(tree):
    for path in tree.under("rpc/pagewire", ".h"):
        for number, quote, included in _includes(tree, path):
            if quote == '"':
                yield path, number, (f'includes "{included}": '
                                     "a public header includes with <>, and only what is installed")
            elif "/" in included and not included.startswith(_PUBLIC_PACKAGES) and included not in _PUBLIC_SYSTEM:
                yield path, number, (f"includes <{included}>: "
                                     "a public header may use std, absl, protobuf and <pagewire/...> only")


def readme(tree):
    layers = {"/".join(p.split("/")[:2]) for p in tree.under("rpc", ".h", ".cc")}
    codegen = {"codegen"} if tree.under("codegen", ".h", ".cc") else set()
    for folder in sorted(layers | codegen):
        if f"{folder}/README.md" not in tree.paths:
            yield folder, None, "has no README.md: say what it is for, what it does not know, in what order to read it"


_LOCK = re.compile(r"\b(absl::(Mutex|Notification|CondVar)|std::(mutex|condition_variable))\b")
_PRINT = re.compile(r"\bstd::(cout|cerr|clog)\b|\b(printf|puts)\s*\(")


def locks(tree):
    for path in tree.under("rpc", ".h", ".cc"):
        if path == "rpc/base/mutex.h":
            continue
        for number, line in enumerate(tree.lines(path), 1):
            found = _LOCK.search(line.split("//")[0])
            if found:
                yield path, number, (f"uses {found[0]}: "
                                     "use base/mutex.h, which clang and ThreadSanitizer both understand")


def output(tree):
    for path in tree.under("rpc", ".h", ".cc"):
        for number, line in enumerate(tree.lines(path), 1):
            found = _PRINT.search(line.split("//")[0])
            if found:
                yield path, number, f"prints with {found[0].rstrip('( ')}: a library says things through the log sink"


def registered(tree):
    """A source that no CMakeLists.txt names is not built, and a test that is not built proves nothing."""
    folders = {posixpath.dirname(p): tree.text(p) for p in tree.paths if posixpath.basename(p) == "CMakeLists.txt"}
    for path in tree.under("", ".cc"):
        if path.startswith("tests/golden/"):
            continue
        folder, name = posixpath.split(path)
        while folder not in folders and folder:
            folder = posixpath.dirname(folder)
        if not re.search(rf"\b{re.escape(posixpath.splitext(name)[0])}\b", folders.get(folder, "")):
            yield path, None, f"is not named in {posixpath.join(folder, 'CMakeLists.txt')}: register it there"


RULES = (downwards, public_headers, readme, locks, output, registered)
