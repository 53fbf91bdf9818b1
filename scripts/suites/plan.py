"""Which suite runs in which preset. A suite is a CTest label; its tests are declared with pagewire_test and its kin."""

import re
from dataclasses import dataclass

# Each preset is a build of its own, so there are few: release carries every suite, the sanitizers the library's own.
DEFAULT_PRESETS = ("release", "asan", "tsan", "fuzz")
QUICK_PRESET = "dev"

# Suites that differ from _LIBRARY_PRESETS, and why.
_LIBRARY_PRESETS = ("release", "asan", "tsan")
_PRESETS = {
    "wire": ("release", "asan"),  # pure functions: there are no threads to watch
    "codegen": ("release",),  # a tool of the build; what it generates runs in every suite that has a .proto
    "install": ("release",),  # what users install
    "demo": ("release",),  # moves gigabytes
    "netns": ("release",),  # what differs there is the network, not the code
    "scripts": ("release",),  # Python
    "bench": ("release",),  # what it measures is tested elsewhere; instructions are counted in optimised code
    "tidy": ("release",),  # looks at sources only
    "fuzz": ("fuzz",),  # needs clang; brings ASan and UBSan itself
}

# Under --full, what is slow to build where it gains little.
_FULL_PRESETS = {"codegen": ("release", "asan")}

# Presets of which everything is built, not only what tests need: examples, tools, the goldens of the code generator.
# In fuzz that is the library, which clang's thread-safety analysis looks at.
BUILT_WHOLE = ("dev", "release", "fuzz")

SANITIZERS = ("asan", "tsan", "fuzz")

# On tests that take minutes: they run under --full only, beside the label of their suite.
FULL_LABEL = "full"


@dataclass(frozen=True)
class Mode:
    quick: bool = False
    full: bool = False
    filters: tuple = ()


def presets_of(suite, mode):
    """The presets that run `suite`, in order."""
    presets = _PRESETS.get(suite, _LIBRARY_PRESETS)
    if mode.full:
        presets = _FULL_PRESETS.get(suite, presets)
    if not mode.quick:
        return presets
    if suite == "fuzz":  # not part of a quick run unless asked for by name
        return presets if suite in mode.filters else ()
    return (QUICK_PRESET,)


def presets(mode):
    """The presets that may have something to run. Suites are known only once a preset has been configured."""
    if mode.filters:
        wanted = {preset for suite in mode.filters for preset in presets_of(suite, mode)}
        return [preset for preset in (QUICK_PRESET, *DEFAULT_PRESETS) if preset in wanted]
    return [QUICK_PRESET] if mode.quick else list(DEFAULT_PRESETS)


def selected(suite, preset, mode):
    return preset in presets_of(suite, mode) and (not mode.filters or suite in mode.filters)


def label_expression(suites):
    """For ctest -L: exactly these labels."""
    return "^(" + "|".join(re.escape(suite) for suite in suites) + ")$"
