# pagewire_generate(TARGET target PROTOS a.proto sub/b.proto [IMPORT_ROOT dir] [IMPORT_DIRS dir...])
#
# Generates C++ from the .proto files and builds it into `target`, a library or executable of this directory: messages
# (a.pb.h) by protoc, services (a.pagewire.h, and a.pagewire.mock.h for tests with gmock) by protoc-gen-pagewire, which
# is run from where its target is, never from PATH.
#
#   PROTOS       Relative to the current source directory, or absolute. Each must lie below the import root.
#   IMPORT_ROOT  What imports and the generated #includes are relative to; the current source directory unless given.
#                Sub-directories are kept: sub/b.proto is imported as "sub/b.proto" and gives "sub/b.pagewire.h".
#   IMPORT_DIRS  Where imports are looked for besides: in the import root, for "pagewire/options.proto", and for
#                protobuf's own, nothing needs to be said. Code is not generated for what is found there.
#
# Code is generated again when a .proto, anything it imports, protoc or the plugin changes. It is written to
# generated/<target> in the current binary directory, so that several targets may generate the same file. That
# directory and pagewire::pagewire become PUBLIC for the target.
#
# Known to whoever includes this file: pagewire::pagewire, pagewire::protoc-gen-pagewire, protobuf::protoc, and
# PAGEWIRE_IMPORT_DIR, the directory that holds pagewire/options.proto.
include_guard(GLOBAL)
cmake_policy(VERSION 3.25)

set_property(GLOBAL PROPERTY PAGEWIRE_IMPORT_DIR ${PAGEWIRE_IMPORT_DIR})

function(_pagewire_check_target target)
  if(NOT TARGET ${target})
    message(FATAL_ERROR "pagewire_generate: there is no target \"${target}\"; create it first")
  endif()
  get_target_property(type ${target} TYPE)
  if(NOT type MATCHES "^(STATIC_LIBRARY|SHARED_LIBRARY|MODULE_LIBRARY|OBJECT_LIBRARY|EXECUTABLE)$")
    message(FATAL_ERROR "pagewire_generate: target \"${target}\" is of type ${type}; it must be a library or an "
                        "executable that compiles sources")
  endif()
  get_target_property(directory ${target} SOURCE_DIR)
  if(NOT directory STREQUAL CMAKE_CURRENT_SOURCE_DIR)
    message(FATAL_ERROR "pagewire_generate: target \"${target}\" belongs to ${directory}; call pagewire_generate "
                        "there, because CMake builds generated sources only in the directory of their target")
  endif()
endfunction()

# Sets `import_path` to the path of `proto` below `root`.
function(_pagewire_import_path proto root import_path)
  cmake_path(ABSOLUTE_PATH proto BASE_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR} NORMALIZE OUTPUT_VARIABLE absolute)
  cmake_path(IS_PREFIX root ${absolute} is_below)
  if(NOT is_below)
    message(FATAL_ERROR "pagewire_generate: ${absolute} is outside of the import root ${root}; "
                        "set IMPORT_ROOT to a directory above it")
  endif()
  get_source_file_property(is_generated ${absolute} GENERATED)
  if(NOT is_generated AND NOT EXISTS ${absolute})
    message(FATAL_ERROR "pagewire_generate: ${absolute} does not exist")
  endif()
  if(NOT absolute MATCHES "\\.proto$")
    message(FATAL_ERROR "pagewire_generate: ${absolute} does not end in .proto")
  endif()
  cmake_path(RELATIVE_PATH absolute BASE_DIRECTORY ${root} OUTPUT_VARIABLE path)
  set(${import_path} ${path} PARENT_SCOPE)
endfunction()

function(pagewire_generate)
  cmake_parse_arguments(PARSE_ARGV 0 arg "" "TARGET;IMPORT_ROOT" "PROTOS;IMPORT_DIRS")
  if(arg_UNPARSED_ARGUMENTS OR arg_KEYWORDS_MISSING_VALUES OR NOT arg_TARGET OR NOT arg_PROTOS)
    message(FATAL_ERROR "pagewire_generate(TARGET target PROTOS a.proto... [IMPORT_ROOT dir] [IMPORT_DIRS dir...]), "
                        "called with: ${ARGV}")
  endif()
  _pagewire_check_target(${arg_TARGET})

  set(root ${CMAKE_CURRENT_SOURCE_DIR})
  if(arg_IMPORT_ROOT)
    cmake_path(ABSOLUTE_PATH arg_IMPORT_ROOT BASE_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR} NORMALIZE OUTPUT_VARIABLE root)
  endif()
  get_property(own_import_dir GLOBAL PROPERTY PAGEWIRE_IMPORT_DIR)
  set(imports -I${root})
  foreach(dir ${arg_IMPORT_DIRS} ${own_import_dir})
    cmake_path(ABSOLUTE_PATH dir BASE_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR} NORMALIZE)
    list(APPEND imports -I${dir})
  endforeach()

  set(out ${CMAKE_CURRENT_BINARY_DIR}/generated/${arg_TARGET})
  file(MAKE_DIRECTORY ${out})
  set(paths)
  foreach(proto ${arg_PROTOS})
    _pagewire_import_path(${proto} ${root} path)
    list(APPEND paths ${path})
  endforeach()
  foreach(path ${paths})
    cmake_path(REMOVE_EXTENSION path LAST_ONLY OUTPUT_VARIABLE base)
    # In the order of protoc's dependency file: Ninja wants both to begin with the same output.
    set(outputs ${out}/${base}.pagewire.cc ${out}/${base}.pagewire.h ${out}/${base}.pagewire.mock.h
      ${out}/${base}.pb.cc ${out}/${base}.pb.h)
    set(dependencies DEPENDS ${root}/${path} DEPFILE ${out}/${base}.d)
    if("${imports};${out}" MATCHES " ")
      # protoc 3.21 does not escape blanks in dependency files. Without one, each of PROTOS may import every other.
      list(TRANSFORM paths PREPEND ${root}/ OUTPUT_VARIABLE all_protos)
      set(dependencies DEPENDS ${all_protos})
    endif()
    add_custom_command(
      OUTPUT ${outputs}
      COMMAND protobuf::protoc ${imports} --dependency_out=${out}/${base}.d
        --cpp_out=${out} --plugin=protoc-gen-pagewire=$<TARGET_FILE:pagewire::protoc-gen-pagewire> --pagewire_out=${out}
        ${root}/${path}
      DEPENDS protobuf::protoc pagewire::protoc-gen-pagewire
      ${dependencies}
      COMMENT "Generating ${path} for ${arg_TARGET}"
      VERBATIM)
    target_sources(${arg_TARGET} PRIVATE ${outputs})
  endforeach()
  target_include_directories(${arg_TARGET} PUBLIC $<BUILD_INTERFACE:${out}>)
  target_link_libraries(${arg_TARGET} PUBLIC pagewire::pagewire)
endfunction()
