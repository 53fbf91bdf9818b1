# How tests are declared. A test has a LABEL, which names its suite: scripts/test --filter LABEL runs it, and the target
# suite_LABEL builds what it needs. With FULL it runs only under scripts/test --full.
#
#   pagewire_test(NAME LABEL label SOURCES a.cc [DEPS target...] [TIMEOUT seconds] [FULL] [SERIAL])
#     A GoogleTest program.
#   pagewire_command_test(NAME LABEL label COMMAND command... [NEEDS target...] [TIMEOUT seconds] [FULL] [SERIAL])
#     Any other command; it passes when it exits with 0, and 77 says that it cannot run here. NEEDS are the targets
#     it uses.
#   pagewire_fuzz(NAME SOURCES a.cc [DEPS target...] [CORPUS folder] [DICTIONARY file] [CANARY])
#     A libFuzzer program (only with PAGEWIRE_FUZZ) and a short run of it. With CANARY its sources are built a second
#     time with PAGEWIRE_FUZZ_CANARY defined, which plants a bug: the run must find it.
#
# SERIAL keeps other tests from running beside it.

set(PAGEWIRE_TEST_TIMEOUT 300 CACHE STRING "Seconds after which a test counts as hung")

function(_pagewire_register name)
  cmake_parse_arguments(arg "FULL;SERIAL" "LABEL;TIMEOUT" "SOURCES;DEPS;COMMAND;NEEDS" ${ARGN})
  if(NOT arg_LABEL)
    message(FATAL_ERROR "test ${name}: LABEL says which suite it belongs to")
  endif()
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT ${PAGEWIRE_TEST_TIMEOUT})
  endif()
  set(labels ${arg_LABEL})
  if(arg_FULL)
    list(APPEND labels full)
  endif()
  set_tests_properties(${name} PROPERTIES LABELS "${labels}" TIMEOUT ${arg_TIMEOUT})
  if(arg_SERIAL)
    set_tests_properties(${name} PROPERTIES RUN_SERIAL ON)
  endif()
  if(NOT TARGET suite_${arg_LABEL})
    add_custom_target(suite_${arg_LABEL})
  endif()
  if(arg_NEEDS)
    add_dependencies(suite_${arg_LABEL} ${arg_NEEDS})
  endif()
endfunction()

function(pagewire_test name)
  cmake_parse_arguments(arg "FULL;SERIAL" "LABEL;TIMEOUT" "SOURCES;DEPS" ${ARGN})
  add_executable(${name} ${arg_SOURCES})
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR}/rpc ${PROJECT_SOURCE_DIR}/tests)
  target_link_libraries(${name} PRIVATE ${arg_DEPS} GTest::gmock GTest::gtest_main pagewire_warnings)
  # Beside its build files: bin/ is for programs people run.
  set_target_properties(${name} PROPERTIES CXX_EXTENSIONS OFF RUNTIME_OUTPUT_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR})
  add_test(NAME ${name} COMMAND ${name})
  _pagewire_register(${name} ${ARGN} NEEDS ${name})
endfunction()

function(pagewire_command_test name)
  cmake_parse_arguments(arg "FULL;SERIAL" "LABEL;TIMEOUT" "COMMAND;NEEDS" ${ARGN})
  add_test(NAME ${name} COMMAND ${arg_COMMAND})
  set_tests_properties(${name} PROPERTIES SKIP_RETURN_CODE 77)
  _pagewire_register(${name} ${ARGN})
endfunction()

function(_pagewire_fuzz_program name sources deps)
  add_executable(${name} ${sources})
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR}/rpc ${PROJECT_SOURCE_DIR}/tests)
  target_link_libraries(${name} PRIVATE ${deps} pagewire_warnings)
  target_link_options(${name} PRIVATE -fsanitize=fuzzer)
  set_target_properties(${name} PROPERTIES CXX_EXTENSIONS OFF)
endfunction()

function(pagewire_fuzz name)
  if(NOT PAGEWIRE_FUZZ)
    return()
  endif()
  cmake_parse_arguments(arg "CANARY" "CORPUS;DICTIONARY" "SOURCES;DEPS" ${ARGN})
  set(run ${PROJECT_SOURCE_DIR}/tests/fuzz/run_fuzzer.py)
  set(options)
  if(arg_CORPUS)
    list(APPEND options --corpus ${CMAKE_CURRENT_SOURCE_DIR}/${arg_CORPUS})
  endif()
  if(arg_DICTIONARY)
    list(APPEND options --dictionary ${CMAKE_CURRENT_SOURCE_DIR}/${arg_DICTIONARY})
  endif()
  _pagewire_fuzz_program(${name} "${arg_SOURCES}" "${arg_DEPS}")
  pagewire_command_test(${name}_run LABEL fuzz TIMEOUT 9000 NEEDS ${name}
    COMMAND Python3::Interpreter ${run} ${options} $<TARGET_FILE:${name}>)
  if(arg_CANARY)
    _pagewire_fuzz_program(${name}_canary "${arg_SOURCES}" "${arg_DEPS}")
    target_compile_definitions(${name}_canary PRIVATE PAGEWIRE_FUZZ_CANARY)
    pagewire_command_test(${name}_finds_canary LABEL fuzz TIMEOUT 3600 NEEDS ${name}_canary
      COMMAND Python3::Interpreter ${run} ${options} --expect-crash $<TARGET_FILE:${name}_canary>)
  endif()
endfunction()

find_package(Python3 REQUIRED COMPONENTS Interpreter)
if(PAGEWIRE_TESTS)
  find_package(GTest REQUIRED CONFIG)
endif()
