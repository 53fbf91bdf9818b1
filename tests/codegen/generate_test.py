#!/usr/bin/env python3
"""pagewire_generate as a project meets it: small projects in a temporary directory, with this tree's plugin.

Objects are not compiled but touched: what is tested is which code is generated, where and when. That it compiles is
tested by the goldens."""

import argparse
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

TOOLS = None  # the parsed arguments

PROJECT = """
cmake_minimum_required(VERSION 3.16)
project(consumer LANGUAGES CXX)
set(CMAKE_CXX_COMPILE_OBJECT "${CMAKE_COMMAND} -E touch <OBJECT>")
add_library(pagewire::pagewire INTERFACE IMPORTED)
add_executable(protobuf::protoc IMPORTED)
set_target_properties(protobuf::protoc PROPERTIES IMPORTED_LOCATION "${PROTOC}")
add_executable(pagewire::protoc-gen-pagewire IMPORTED)
set_target_properties(pagewire::protoc-gen-pagewire PROPERTIES IMPORTED_LOCATION "${PLUGIN}")
set(PAGEWIRE_IMPORT_DIR "${IMPORTS}")
include("${MODULE}")
"""

TYPES = 'syntax = "proto3"; package sub; message M { int32 a = 1; }\n'
SERVICE = """syntax = "proto3";
package blob;
import "pagewire/options.proto";
import "sub/types.proto";
service S {
  rpc Do(sub.M) returns (sub.M) { option (pagewire.payload) = BOTH; }
}
"""


class Project:
    """A source directory and its build directory."""

    def __init__(self, root, generator="Ninja"):
        self.source = pathlib.Path(root) / "source"
        self.build = pathlib.Path(root) / "build"
        self.plugin = pathlib.Path(root) / "protoc-gen-pagewire"
        self.generator = generator
        self.source.mkdir(parents=True)
        shutil.copy2(TOOLS.plugin, self.plugin)

    def write(self, path, text):
        file = self.source / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def configure(self, text):
        self.write("CMakeLists.txt", PROJECT + text)
        return self.run([TOOLS.cmake, "-S", self.source, "-B", self.build, "-G", self.generator,
                          f"-DCMAKE_CXX_COMPILER={TOOLS.compiler}", "-DCMAKE_CXX_COMPILER_FORCED=ON",
                          f"-DPROTOC={TOOLS.protoc}", f"-DPLUGIN={self.plugin}",
                          f"-DIMPORTS={TOOLS.source}/proto", f"-DMODULE={TOOLS.source}/cmake/pagewire-generate.cmake"])

    def make(self):
        return self.run([TOOLS.cmake, "--build", self.build])

    def generated(self):
        """Builds; what was generated, as {"a.proto for t"}."""
        done = self.make()
        if done.returncode != 0:
            raise AssertionError(done.stdout)
        return {line.split("Generating ")[1] for line in done.stdout.splitlines() if "Generating " in line}

    def run(self, command):
        return subprocess.run([str(part) for part in command],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


class GenerateTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def project(self, text, generator="Ninja", name="p"):
        project = Project(self.folder / name, generator)
        project.write("a.proto", SERVICE)
        project.write("sub/types.proto", TYPES)
        done = project.configure(text)
        self.assertEqual(done.returncode, 0, done.stdout)
        return project

    def refusal(self, text):
        """What CMake says when it refuses, without its line breaks."""
        project = Project(self.folder / "p")
        project.write("a.proto", SERVICE)
        project.write("notes.txt", "")
        done = project.configure("add_library(t STATIC)\n" + text)
        self.assertNotEqual(done.returncode, 0, done.stdout)
        return " ".join(done.stdout.split())


class RebuildTest(GenerateTest):
    TEXT = """
add_library(t STATIC)
pagewire_generate(TARGET t PROTOS a.proto sub/types.proto)
add_library(u STATIC)
pagewire_generate(TARGET u PROTOS a.proto)
"""
    ALL = {"a.proto for t", "sub/types.proto for t", "a.proto for u"}

    def check(self, generator, name):
        project = self.project(self.TEXT, generator, name)
        self.assertEqual(project.generated(), self.ALL)
        for path in ("t/a.pb.h", "t/a.pagewire.cc", "t/a.pagewire.mock.h", "t/sub/types.pagewire.h", "u/a.pagewire.h"):
            self.assertTrue((project.build / "generated" / path).is_file(), path)
        self.assertEqual(project.generated(), set(), "nothing changed")
        self.assertEqual(project.generated(), set(), "nothing changed")
        return project

    def check_changes(self, generator):
        project = self.check(generator, "p")
        project.write("a.proto", SERVICE + "message New {}\n")
        self.assertEqual(project.generated(), {"a.proto for t", "a.proto for u"}, "a .proto changed")
        self.assertEqual(project.generated(), set(), "nothing changed")
        project.write("sub/types.proto", TYPES.replace("int32", "int64"))
        self.assertEqual(project.generated(), self.ALL, "an import changed")
        self.assertIn("int64_t a", (project.build / "generated/t/sub/types.pb.h").read_text())
        os.utime(project.plugin)
        self.assertEqual(project.generated(), self.ALL, "the plugin changed")
        self.assertEqual(project.generated(), set(), "nothing changed")

    def test_ninja(self):
        self.check_changes("Ninja")

    @unittest.skipUnless(shutil.which("make"), "there is no make")
    def test_makefiles(self):
        self.check_changes("Unix Makefiles")

    def test_an_import_that_is_not_listed(self):
        project = self.project("add_library(t STATIC)\npagewire_generate(TARGET t PROTOS a.proto)\n")
        self.assertEqual(project.generated(), {"a.proto for t"})
        project.write("sub/types.proto", TYPES + "// changed\n")
        self.assertEqual(project.generated(), {"a.proto for t"})

    def test_blanks_in_paths(self):
        for generator in ["Ninja"] + ["Unix Makefiles"] * bool(shutil.which("make")):
            project = self.check(generator, f"with blanks, {generator}")
            project.write("sub/types.proto", TYPES + "// changed\n")
            self.assertEqual(project.generated(), {"a.proto for t", "sub/types.proto for t"}, generator)


class PlacesTest(GenerateTest):
    def test_import_root_and_dirs(self):
        project = Project(self.folder / "p")
        project.write("protos/deep/a.proto", SERVICE.replace("sub/", "elsewhere/"))
        project.write("more/elsewhere/types.proto", TYPES)
        done = project.configure("add_executable(t)\n"
                                 "pagewire_generate(TARGET t PROTOS protos/deep/a.proto "
                                 "IMPORT_ROOT protos IMPORT_DIRS more)\n")
        self.assertEqual(done.returncode, 0, done.stdout)
        built = project.run([TOOLS.cmake, "--build", project.build, "--", "-k0", "generated/t/deep/a.pagewire.h"])
        self.assertEqual(built.returncode, 0, built.stdout)
        self.assertIn('#include "deep/a.pb.h"', (project.build / "generated/t/deep/a.pagewire.h").read_text())
        self.assertFalse((project.build / "generated/t/elsewhere").exists())

    def test_in_a_sub_directory(self):
        project = Project(self.folder / "p")
        project.write("inner/a.proto", SERVICE)
        project.write("inner/sub/types.proto", TYPES)
        project.write("inner/CMakeLists.txt", "add_library(t SHARED)\npagewire_generate(TARGET t PROTOS a.proto)\n")
        self.assertEqual(project.configure("add_subdirectory(inner)\n").returncode, 0)
        built = project.run([TOOLS.cmake, "--build", project.build, "--", "inner/generated/t/a.pagewire.h"])
        self.assertEqual(built.returncode, 0, built.stdout)

    def test_a_proto_that_the_build_makes(self):
        project = self.project(
            "add_custom_command(OUTPUT ${CMAKE_CURRENT_BINARY_DIR}/made.proto\n"
            "  COMMAND ${CMAKE_COMMAND} -E copy ${CMAKE_CURRENT_SOURCE_DIR}/sub/types.proto made.proto)\n"
            "add_library(t STATIC)\n"
            "pagewire_generate(TARGET t PROTOS ${CMAKE_CURRENT_BINARY_DIR}/made.proto\n"
            "  IMPORT_ROOT ${CMAKE_CURRENT_BINARY_DIR})\n")
        self.assertIn("made.proto for t", project.generated())

    def test_a_plugin_on_the_path_is_not_used(self):
        impostor = self.folder / "bin"
        impostor.mkdir()
        (impostor / "protoc-gen-pagewire").write_text("#!/bin/sh\nexit 1\n")
        (impostor / "protoc-gen-pagewire").chmod(0o755)
        path = os.environ["PATH"]
        self.addCleanup(os.environ.__setitem__, "PATH", path)
        os.environ["PATH"] = f"{impostor}:{path}"
        project = self.project("add_library(t STATIC)\npagewire_generate(TARGET t PROTOS a.proto)\n")
        self.assertEqual(project.generated(), {"a.proto for t"})


class DefinitionsTest(GenerateTest):
    def built(self, proto):
        project = Project(self.folder / "p")
        project.write("a.proto", proto)
        done = project.configure("add_library(t STATIC)\npagewire_generate(TARGET t PROTOS a.proto)\n")
        self.assertEqual(done.returncode, 0, done.stdout)
        return project.make()

    def test_an_impossible_one_fails_the_build_with_its_place(self):
        built = self.built('syntax = "proto3";\nmessage M {}\nservice S {\n'
                           "  rpc new(M) returns (M);\n  rpc new_(M) returns (M);\n}\n")
        self.assertNotEqual(built.returncode, 0)
        self.assertIn('a.proto:5:3: methods "new" and "new_" of service "S" are both "new_" in C++; rename one',
                      built.stdout)


class RefusalTest(GenerateTest):
    def test_a_missing_file(self):
        self.assertRegex(self.refusal("pagewire_generate(TARGET t PROTOS missing.proto)"),
                         r"pagewire_generate: \S*/p/source/missing\.proto does not exist")

    def test_a_file_outside_of_the_root(self):
        self.assertRegex(self.refusal("pagewire_generate(TARGET t PROTOS /nowhere/x.proto)"),
                         r"pagewire_generate: /nowhere/x\.proto is outside of the import root \S*/p/source; "
                         r"set IMPORT_ROOT to a directory above it")

    def test_a_file_that_climbs_out_of_the_root(self):
        self.assertRegex(self.refusal("pagewire_generate(TARGET t PROTOS a.proto IMPORT_ROOT sub)"),
                         r"/p/source/a\.proto is outside of the import root \S*/p/source/sub;")

    def test_a_file_of_another_kind(self):
        self.assertRegex(self.refusal("pagewire_generate(TARGET t PROTOS notes.txt)"),
                         r"/notes\.txt does not end in \.proto")

    def test_no_target(self):
        self.assertIn('pagewire_generate: there is no target "absent"; create it first',
                      self.refusal("pagewire_generate(TARGET absent PROTOS a.proto)"))

    def test_a_target_without_sources(self):
        self.assertIn('pagewire_generate: target "i" is of type INTERFACE_LIBRARY; it must be a library or an '
                      "executable that compiles sources",
                      self.refusal("add_library(i INTERFACE)\npagewire_generate(TARGET i PROTOS a.proto)"))

    def test_a_target_of_another_directory(self):
        project = Project(self.folder / "p")
        project.write("a.proto", SERVICE)
        project.write("inner/CMakeLists.txt", "add_library(t STATIC)\n")
        done = project.configure("add_subdirectory(inner)\npagewire_generate(TARGET t PROTOS a.proto)\n")
        self.assertNotEqual(done.returncode, 0)
        self.assertRegex(" ".join(done.stdout.split()),
                         r'target "t" belongs to \S*/p/source/inner; call pagewire_generate there,')

    def test_wrong_arguments(self):
        usage = ("pagewire_generate(TARGET target PROTOS a.proto... [IMPORT_ROOT dir] [IMPORT_DIRS dir...]), "
                 "called with:")
        for arguments in ("t a.proto", "TARGET t", "PROTOS a.proto", "TARGET t PROTOS a.proto IMPORT_ROOT"):
            with self.subTest(arguments):
                shutil.rmtree(self.folder / "p", ignore_errors=True)
                self.assertIn(f"{usage} {arguments.replace(' ', ';')}",
                              self.refusal(f"pagewire_generate({arguments})"))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("cmake", "compiler", "protoc", "plugin", "source"):
        parser.add_argument(f"--{name}", required=True)
    TOOLS, rest = parser.parse_known_args()
    unittest.main(argv=[sys.argv[0], *rest])
