# Installs into a prefix, moves the prefix, and builds and runs the consumer project against it.
#   cmake -D BUILD=... -D CONSUMER=... -D EXAMPLE=... -D WORK=... -D COMPILER=... -P consumer.cmake
function(run)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE output)
  if(NOT status EQUAL 0)
    list(JOIN ARGN " " command)
    message(FATAL_ERROR "${command}\nended with ${status}:\n${output}")
  endif()
endfunction()

# The consumer must not see this build's environment.
foreach(name CXXFLAGS LDFLAGS CMAKE_PREFIX_PATH pagewire_DIR GTEST_OUTPUT)
  unset(ENV{${name}})
endforeach()

file(REMOVE_RECURSE ${WORK})
run(${CMAKE_COMMAND} --install ${BUILD} --prefix ${WORK}/installed)
file(RENAME ${WORK}/installed ${WORK}/moved)
run(${CMAKE_COMMAND} -E copy_directory ${CONSUMER} ${WORK}/source)

# Either variable finds the package.
set(configure ${CMAKE_COMMAND} -G Ninja -D CMAKE_CXX_COMPILER=${COMPILER} -D CMAKE_BUILD_TYPE=Debug)
run(${configure} -S ${WORK}/source -B ${WORK}/by_dir -D pagewire_DIR=${WORK}/moved/lib/cmake/pagewire)
run(${configure} -S ${WORK}/source -B ${WORK}/build -D CMAKE_PREFIX_PATH=${WORK}/moved)
run(${CMAKE_COMMAND} --build ${WORK}/build)
run(${CMAKE_CTEST_COMMAND} --test-dir ${WORK}/build --output-on-failure --no-tests=error)

# The example that says of itself that it can be copied elsewhere.
run(${CMAKE_COMMAND} -E copy_directory ${EXAMPLE} ${WORK}/hello)
run(${configure} -S ${WORK}/hello -B ${WORK}/hello_build -D CMAKE_PREFIX_PATH=${WORK}/moved)
run(${CMAKE_COMMAND} --build ${WORK}/hello_build)

# A changed .proto is generated anew.
file(APPEND ${WORK}/source/storage/v1/types.proto "message AddedLater {}\n")
run(${CMAKE_COMMAND} --build ${WORK}/build)
file(GLOB_RECURSE generated ${WORK}/build/types.pb.h)
file(STRINGS "${generated}" added REGEX "class AddedLater")
if(NOT added)
  message(FATAL_ERROR "storage/v1/types.proto changed, and '${generated}' was not generated anew")
endif()
