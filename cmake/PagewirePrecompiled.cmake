# Precompiled headers for our own builds: two fifths of a compilation and more is the same standard, absl, protobuf and
# GoogleTest headers again. Off by default, and in the dev and fuzz presets, where a missing #include then shows.
option(PAGEWIRE_PRECOMPILED "Precompile the headers that most sources include (gcc)" OFF)

# ARGN: macros that the programs' set was compiled with.
function(_pagewire_use_precompiled directory)
  get_property(targets DIRECTORY ${directory} PROPERTY BUILDSYSTEM_TARGETS)
  foreach(target ${targets})
    get_target_property(type ${target} TYPE)
    if(NOT type MATCHES "^(STATIC_LIBRARY|OBJECT_LIBRARY|EXECUTABLE)$" OR target MATCHES "^pagewire_precompiled_")
      continue()
    endif()
    get_target_property(independent ${target} POSITION_INDEPENDENT_CODE)
    if(independent)
      target_precompile_headers(${target} REUSE_FROM pagewire_precompiled_library)
    else()
      target_precompile_headers(${target} REUSE_FROM pagewire_precompiled_programs)
      target_compile_definitions(${target} PRIVATE ${ARGN})
    endif()
  endforeach()
  get_property(folders DIRECTORY ${directory} PROPERTY SUBDIRECTORIES)
  foreach(folder ${folders})
    _pagewire_use_precompiled(${folder} ${ARGN})
  endforeach()
endfunction()

# To be called when every target is there.
function(pagewire_use_precompiled)
  if(NOT PAGEWIRE_PRECOMPILED)
    return()
  endif()
  set(definitions)
  if(PAGEWIRE_TESTS)
    set(definitions GTEST_HAS_PTHREAD=1)  # as GTest::gtest says; who differs may not use the set
  endif()
  _pagewire_use_precompiled(${PROJECT_SOURCE_DIR} ${definitions})
endfunction()
