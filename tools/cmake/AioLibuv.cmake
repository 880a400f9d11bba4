# Finds libuv, 1.44 or later, and offers it as the target `aio_libuv`. Used by the build and by the
# installed package, so that both look in the same places: a target that the host made, libuv's own
# CMake config, pkg-config.

set(AIO_LIBUV_MINIMUM 1.44)

function(aio_find_libuv)
  if(TARGET aio_libuv)
    return()
  endif()
  if(AIO_LIBUV_TARGET)
    set(found ${AIO_LIBUV_TARGET})
  else()
    find_package(libuv CONFIG QUIET)
    if(DEFINED libuv_VERSION AND libuv_VERSION VERSION_LESS AIO_LIBUV_MINIMUM)
      message(FATAL_ERROR
        "libuv ${libuv_VERSION} is too old: ${AIO_LIBUV_MINIMUM} or later is needed")
    endif()
    foreach(candidate libuv::uv libuv::libuv uv libuv::uv_a uv_a)
      if(TARGET ${candidate})
        set(found ${candidate})
        break()
      endif()
    endforeach()
  endif()
  if(NOT found)
    find_package(PkgConfig REQUIRED)
    pkg_check_modules(AIO_LIBUV_PKG REQUIRED IMPORTED_TARGET GLOBAL
      libuv>=${AIO_LIBUV_MINIMUM})
    set(found PkgConfig::AIO_LIBUV_PKG)
  endif()
  add_library(aio_libuv INTERFACE IMPORTED GLOBAL)
  target_link_libraries(aio_libuv INTERFACE ${found})
endfunction()

aio_find_libuv()
