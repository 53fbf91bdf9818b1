# Debian 12 packages, nothing else. protobuf 3.21 has no CMake config there, so CMake's own module finds it.
set(THREADS_PREFER_PTHREAD_FLAG ON)
find_package(Threads REQUIRED)
find_package(Protobuf 3.21 REQUIRED MODULE)
find_package(absl REQUIRED CONFIG)
find_package(spdlog REQUIRED CONFIG)
find_package(OpenSSL 3.0 REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(xxhash REQUIRED IMPORTED_TARGET libxxhash)
pkg_check_modules(cares REQUIRED IMPORTED_TARGET libcares)
pkg_check_modules(curl REQUIRED IMPORTED_TARGET libcurl)
# Of pagewire::admin only.
pkg_check_modules(httplib REQUIRED cpp-httplib)
