"""Each rule finds what it is for: a tidy that finds nothing would look like a tidy project."""

import pathlib
import tempfile
import unittest

import tidy
from tree import Tree

HEADER = "// What it is for.\n#pragma once\n"


class TidyTest(unittest.TestCase):
    def findings(self, files):
        with tempfile.TemporaryDirectory() as root:
            for path, text in {"rpc/base/README.md": "", **files}.items():
                file = pathlib.Path(root, path)
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(text)
                file.chmod(0o644)
            return list(tidy.check(Tree(root)))

    def assert_finding(self, files, expected):
        self.assertEqual(self.findings(files), [expected])

    def test_clean_tree(self):
        files = {"rpc/base/a.h": HEADER, "rpc/base/a.cc": "// x\n", "rpc/base/CMakeLists.txt": "a.cc\n"}
        self.assertEqual(self.findings(files), [])

    def test_file_length(self):
        self.assertEqual(self.findings({"rpc/base/a.h": HEADER + "\n" * 598}), [])
        self.assert_finding({"rpc/base/a.h": HEADER + "\n" * 599},
                            "rpc/base/a.h: has 601 lines, the limit is 600: give its second concept a file of its own")

    def test_columns(self):
        self.assertEqual(self.findings({"rpc/base/a.h": HEADER + "//" + "\u00e9" * 118 + "\n"}), [])
        self.assert_finding({"rpc/base/a.h": HEADER + "//" + "x" * 119 + "\n"},
                            "rpc/base/a.h:3: is 121 columns wide, the limit is 120: break it")

    def test_whitespace(self):
        self.assert_finding({"a.proto": "\tx\n"}, "a.proto:1: has a tab: indent with spaces")
        self.assert_finding({"a.proto": "x \n"}, "a.proto:1: ends in blanks: remove them")
        self.assert_finding({"a.proto": "x"}, "a.proto: does not end with a newline: add one")

    def test_unfinished(self):
        for word in ("TO" "DO", "FIX" "ME"):
            self.assert_finding({"docs/a.md": f"{word}: later\n"},
                                f"docs/a.md:1: says {word}: finish it, or write an issue and say here how it is today")

    def test_header_guard(self):
        self.assert_finding({"rpc/base/a.h": "// x\n#include <string>\n#pragma once\n"},
                            "rpc/base/a.h: does not begin with #pragma once: put it right after the opening comment")

    def test_opening_comment(self):
        self.assert_finding({"rpc/base/a.h": "#pragma once\n"},
                            "rpc/base/a.h:1: does not begin with a comment: say in a sentence what this header is for")

    def test_scripts(self):
        self.assertEqual(self.findings({"scripts/a": "#!/usr/bin/env bash\necho\n"}),
                         ["scripts/a: is a script and not executable: chmod +x it",
                          "scripts/a: does not stop at errors: add `set -euo pipefail`"])

    def test_includes_point_down(self):
        self.assert_finding({"rpc/base/a.h": HEADER + '#include "wire/frame.h"\n'},
                            'rpc/base/a.h:3: includes "wire/frame.h", which is above base/: includes point down '
                            "base <- payload <- wire <- transport <- call <- client <- server <- health <- reflection "
                            "<- etcd <- admin <- admin_service")
        files = {"rpc/wire/README.md": "", "rpc/wire/a.h": HEADER + '#include "base/b.h"\n'}
        self.assertEqual(self.findings(files), [])

    def test_client_and_server_stay_apart(self):
        for one, other in (("client", "server"), ("server", "client")):
            files = {f"rpc/{one}/README.md": "", f"rpc/{one}/a.h": HEADER + f'#include "{other}/b.h"\n'}
            self.assert_finding(files, f'rpc/{one}/a.h:3: includes "{other}/b.h": client and server never include each '
                                "other; what both need goes to call/ or below")

    def test_public_headers(self):
        files = {"rpc/pagewire/README.md": ""}
        allowed = "#include <pagewire/b.h>\n#include <absl/x.h>\n#include <google/protobuf/y.h>\n#include <string>\n"
        self.assertEqual(self.findings({**files, "rpc/pagewire/a.h": HEADER + allowed}), [])
        self.assert_finding({**files, "rpc/pagewire/a.h": HEADER + '#include "base/b.h"\n'},
                            'rpc/pagewire/a.h:3: includes "base/b.h": a public header includes with <>, '
                            "and only what is installed")
        self.assert_finding({**files, "rpc/pagewire/a.h": HEADER + "#include <spdlog/spdlog.h>\n"},
                            "rpc/pagewire/a.h:3: includes <spdlog/spdlog.h>: "
                            "a public header may use std, absl, protobuf and <pagewire/...> only")

    def test_readme(self):
        self.assert_finding({"rpc/wire/a.h": HEADER},
                            "rpc/wire: has no README.md: say what it is for, what it does not know, "
                            "in what order to read it")

    def test_locks(self):
        self.assert_finding({"rpc/base/a.h": HEADER + "std::mutex m;  // absl::Mutex\n"},
                            "rpc/base/a.h:3: uses std::mutex: use base/mutex.h, "
                            "which clang and ThreadSanitizer both understand")

    def test_output(self):
        self.assert_finding({"rpc/base/a.h": HEADER + 'std::cerr << "x";\n'},
                            "rpc/base/a.h:3: prints with std::cerr: a library says things through the log sink")
        self.assertEqual(self.findings({"rpc/base/a.h": HEADER + "snprintf(a, b);\n"}), [])

    def test_registered(self):
        files = {"rpc/base/CMakeLists.txt": "ab.cc\n", "rpc/base/b.cc": "\n"}
        self.assert_finding(files, "rpc/base/b.cc: is not named in rpc/base/CMakeLists.txt: register it there")

    def test_named_tests(self):
        tests = {"tests/a/a_test.cc": "TEST(StreamTest, A) {}\nTEST_P(Other, B) {}\n",
                 "tests/a/CMakeLists.txt": "a_test.cc\npagewire_command_test(c_test LABEL a COMMAND c)\n"}
        table = "| what | test |\n|---|---|\n"
        right = table + "| x | A, Other.B, Other.*, c_test |\n\n| a | b |\n|---|---|\n| x | y |\n"
        self.assertEqual(self.findings({**tests, "docs/semantics.md": right}), [])
        self.assertEqual(self.findings({**tests, "docs/security.md": table + "| x | not defended |\n"}), [])
        for name in ("B", "Other.A", "Missing.*", "d_test"):
            self.assert_finding({**tests, "docs/semantics.md": table + f"| x | A, {name} |\n"},
                                f"docs/semantics.md:3: names the test {name}, which there is not")
        self.assert_finding({**tests, "docs/security.md": table + "| x | A |\n"},
                            "docs/security.md:3: names the test A, which there is not")
        self.assert_finding({**tests, "docs/security.md": table + "| x | |\n"},
                            'docs/security.md:3: names no test: write one, or say "not defended"')


if __name__ == "__main__":
    unittest.main()
