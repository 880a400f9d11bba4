# Finds Lua 5.4 and offers it as two targets: `aio_lua_headers` (a module takes Lua's symbols from
# whoever loads it) and `aio_lua` (headers and library, for programs). A host that has a Lua of its
# own names its target in AIO_LUA_TARGET.

add_library(aio_lua INTERFACE)
add_library(aio_lua_headers INTERFACE)

if(AIO_LUA_TARGET)
  target_link_libraries(aio_lua INTERFACE ${AIO_LUA_TARGET})
  target_include_directories(aio_lua_headers INTERFACE
    $<TARGET_PROPERTY:${AIO_LUA_TARGET},INTERFACE_INCLUDE_DIRECTORIES>)
else()
  find_package(PkgConfig QUIET)
  foreach(name lua5.4 lua-5.4 lua54 lua)
    if(PkgConfig_FOUND AND NOT aio_lua_found)
      string(MAKE_C_IDENTIFIER "AIO_PKG_${name}" package)
      pkg_check_modules(${package} QUIET IMPORTED_TARGET "${name}>=5.4.4" "${name}<5.5")
      if(${package}_FOUND)
        set(aio_lua_found ON)
        target_link_libraries(aio_lua INTERFACE PkgConfig::${package})
        set(AIO_LUA_INCLUDES ${${package}_INCLUDE_DIRS})
      endif()
    endif()
  endforeach()
  if(NOT aio_lua_found)
    find_package(Lua 5.4 EXACT REQUIRED)
    target_include_directories(aio_lua INTERFACE ${LUA_INCLUDE_DIR})
    target_link_libraries(aio_lua INTERFACE ${LUA_LIBRARIES})
    set(AIO_LUA_INCLUDES ${LUA_INCLUDE_DIR})
  endif()
  target_include_directories(aio_lua_headers INTERFACE ${AIO_LUA_INCLUDES})
endif()
