# ccache where it is present, in our own builds only. -DCMAKE_CXX_COMPILER_LAUNCHER=... (or empty) decides otherwise.
if(PROJECT_IS_TOP_LEVEL AND NOT DEFINED CMAKE_CXX_COMPILER_LAUNCHER)
  find_program(PAGEWIRE_CCACHE ccache)
  if(PAGEWIRE_CCACHE)
    # It keeps no precompiled headers unless it is told that these two differences do not matter.
    set(CMAKE_CXX_COMPILER_LAUNCHER
      ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros ${PAGEWIRE_CCACHE})
  endif()
endif()
