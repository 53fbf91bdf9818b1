# How the project's own libraries are declared: one folder, one target, its dependencies named.

# Warnings are errors in our presets and never reach whoever links us.
option(PAGEWIRE_WERROR "Treat warnings as errors" OFF)
add_library(pagewire_warnings INTERFACE)
target_compile_options(pagewire_warnings INTERFACE -Wall -Wextra -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual)
if(CMAKE_CXX_COMPILER_ID MATCHES Clang)
  target_compile_options(pagewire_warnings INTERFACE -Wthread-safety)
endif()
if(CMAKE_CXX_COMPILER_ID STREQUAL GNU AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  # At -O3 it warns about std::string's own operator+: https://gcc.gnu.org/PR105651.
  target_compile_options(pagewire_warnings INTERFACE $<$<CONFIG:Release>:-Wno-restrict>)
  # What it hides of that in a system header comes out of a precompiled one, under other names.
  target_compile_options(pagewire_warnings INTERFACE
    $<$<BOOL:${PAGEWIRE_PRECOMPILED}>:-Wno-array-bounds -Wno-stringop-overflow>)
endif()
if(CMAKE_CXX_COMPILER_ID STREQUAL GNU AND CMAKE_CXX_FLAGS_DEBUG MATCHES "-fsanitize=")
  # What sanitizers add hides from it that a value is set; its manual says so of -fsanitize.
  target_compile_options(pagewire_warnings INTERFACE -Wno-maybe-uninitialized)
endif()
if(PAGEWIRE_WERROR)
  target_compile_options(pagewire_warnings INTERFACE -Werror)
endif()

option(PAGEWIRE_UNITY "Compile the library's sources several at a time: quicker, but other code than users get" OFF)

# pagewire_library(NAME SOURCES a.cc b.cc [DEPS target...] [PRIVATE_DEPS target...])
#
# Declares the static library pagewire_NAME of one layer. Includes are written from rpc/ ("payload/pool.h"), public
# headers as <pagewire/...>. DEPS are the layers below and the packages whose types appear in its headers.
function(pagewire_library name)
  cmake_parse_arguments(arg "" "" "SOURCES;DEPS;PRIVATE_DEPS" ${ARGN})
  set(target pagewire_${name})
  add_library(${target} STATIC ${arg_SOURCES})
  target_compile_features(${target} PUBLIC cxx_std_20)
  set_target_properties(${target} PROPERTIES POSITION_INDEPENDENT_CODE ON CXX_EXTENSIONS OFF EXPORT_NAME ${name}_layer
    UNITY_BUILD ${PAGEWIRE_UNITY})
  target_include_directories(${target} PUBLIC
    $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/rpc>
    $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
  target_link_libraries(${target} PUBLIC ${arg_DEPS} PRIVATE ${arg_PRIVATE_DEPS} $<BUILD_INTERFACE:pagewire_warnings>)
  set_property(GLOBAL APPEND PROPERTY PAGEWIRE_INSTALLED_TARGETS ${target})
endfunction()

# pagewire_service_library(NAME PROTO a.proto SOURCES a.cc b.cc)
#
# Declares pagewire::NAME, a service that the project itself brings, on top of pagewire: its code is generated as users'
# is, so the folder is added after codegen/, and its descriptors reach only those who link it.
function(pagewire_service_library name)
  cmake_parse_arguments(arg "" "PROTO" "SOURCES" ${ARGN})
  set(target pagewire_${name})
  add_library(${target}_service OBJECT)
  set_target_properties(${target}_service PROPERTIES POSITION_INDEPENDENT_CODE ON CXX_EXTENSIONS OFF)
  pagewire_generate(TARGET ${target}_service IMPORT_ROOT ${PROJECT_SOURCE_DIR}/proto
    PROTOS ${PROJECT_SOURCE_DIR}/proto/${arg_PROTO})
  pagewire_library(${name} SOURCES ${arg_SOURCES} DEPS pagewire)
  add_library(pagewire::${name} ALIAS ${target})
  set_target_properties(${target} PROPERTIES EXPORT_NAME ${name})
  target_sources(${target} PRIVATE $<TARGET_OBJECTS:${target}_service>)
  target_include_directories(${target} SYSTEM PRIVATE ${CMAKE_CURRENT_BINARY_DIR}/generated/${target}_service)
  add_dependencies(${target} ${target}_service)
endfunction()
