# llhttp, as the target aio_llhttp: a library of the system (>= 8.1), or the C sources that Debian
# installs with node-llhttp, which src/proto/llhttp_api.c and llhttp_machine.c then bring in. HTTP
# is built without it too.

find_path(LLHTTP_INCLUDE_DIR llhttp.h PATH_SUFFIXES llhttp
  PATHS /usr/share/include /usr/local/share/include)
find_library(LLHTTP_LIBRARY llhttp)
find_path(LLHTTP_SOURCE_DIR llhttp.c PATHS /usr/share/llhttp /usr/local/share/llhttp NO_DEFAULT_PATH)
mark_as_advanced(LLHTTP_INCLUDE_DIR LLHTTP_LIBRARY LLHTTP_SOURCE_DIR)

set(LLHTTP_FOUND OFF)
if(LLHTTP_INCLUDE_DIR AND (LLHTTP_LIBRARY OR LLHTTP_SOURCE_DIR))
  file(STRINGS ${LLHTTP_INCLUDE_DIR}/llhttp.h versions REGEX "LLHTTP_VERSION_(MAJOR|MINOR) [0-9]+")
  string(REGEX REPLACE ".*MAJOR ([0-9]+).*MINOR ([0-9]+).*" "\\1.\\2" LLHTTP_VERSION "${versions}")
  if(LLHTTP_VERSION VERSION_GREATER_EQUAL 8.1)
    set(LLHTTP_FOUND ON)
  endif()
endif()

option(AIO_LLHTTP "Show each head of HTTP to llhttp 8.1 too" ${LLHTTP_FOUND})
if(AIO_LLHTTP AND NOT LLHTTP_FOUND)
  message(FATAL_ERROR "AIO_LLHTTP needs llhttp 8.1 or newer (Debian: node-llhttp)")
endif()

add_library(aio_llhttp INTERFACE)
if(NOT AIO_LLHTTP)
  target_compile_definitions(aio_llhttp INTERFACE AIO_NO_LLHTTP)
elseif(LLHTTP_LIBRARY)
  target_include_directories(aio_llhttp SYSTEM INTERFACE ${LLHTTP_INCLUDE_DIR})
  target_compile_definitions(aio_llhttp INTERFACE AIO_LLHTTP_LIBRARY)
  target_link_libraries(aio_llhttp INTERFACE ${LLHTTP_LIBRARY})
else()
  target_include_directories(aio_llhttp SYSTEM INTERFACE
    ${LLHTTP_INCLUDE_DIR} ${LLHTTP_SOURCE_DIR})
endif()
