# ccache where it is present, in our own builds only. -DCMAKE_CXX_COMPILER_LAUNCHER=... (or empty) decides otherwise.
if(PROJECT_IS_TOP_LEVEL AND NOT DEFINED CMAKE_CXX_COMPILER_LAUNCHER)
  find_program(PAGEWIRE_CCACHE ccache)
  if(PAGEWIRE_CCACHE)
    set(CMAKE_CXX_COMPILER_LAUNCHER ${PAGEWIRE_CCACHE})
  endif()
endif()
