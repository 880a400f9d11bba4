# Libraries of their own beside the core: each is loaded when it is first used, so the core needs
# nothing of what they stand on.

# aio_add_library(NAME OUTPUT COMPONENT SOURCE...): the module aio/OUTPUT.so from the sources, as the
# target NAME, installed as COMPONENT.
function(aio_add_library name output component)
  add_library(${name} MODULE ${ARGN})
  get_filename_component(folder aio/${output} DIRECTORY)
  get_filename_component(file ${output} NAME)
  set_target_properties(${name} PROPERTIES
    C_STANDARD 11 C_EXTENSIONS OFF C_VISIBILITY_PRESET hidden
    PREFIX "" OUTPUT_NAME ${file} LIBRARY_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/${folder})
  target_link_libraries(${name} PRIVATE aio_flags aio_lua_headers aio_libuv)
  # `require` loads the module with symbols of its own; only luaopen_* is for others.
  if(APPLE)
    target_link_options(${name} PRIVATE
      -undefined dynamic_lookup LINKER:-exported_symbol,_luaopen_*)
  elseif(WIN32)
    target_link_libraries(${name} PRIVATE aio_lua)
  else()
    target_compile_definitions(${name} PRIVATE _GNU_SOURCE)
    target_compile_options(${name} PRIVATE $<$<PLATFORM_ID:Linux>:-fno-plt>) # calls into Lua
    target_link_options(${name} PRIVATE
      LINKER:-z,nodelete LINKER:--version-script=${PROJECT_SOURCE_DIR}/tools/cmake/module.map)
    set_target_properties(${name} PROPERTIES LINK_DEPENDS
      ${PROJECT_SOURCE_DIR}/tools/cmake/module.map)
  endif()
  install(TARGETS ${name} LIBRARY DESTINATION ${AIO_MODULE_DIR}/${folder} COMPONENT ${component})
endfunction()

# aio_install_lua(COMPONENT FILE...): Lua files below lua/.
function(aio_install_lua component)
  foreach(file IN LISTS ARGN)
    string(REGEX REPLACE "^lua/(.*)/[^/]*$" "\\1" folder ${file})
    install(FILES ${file} DESTINATION ${AIO_LUA_DIR}/${folder} COMPONENT ${component})
  endforeach()
endfunction()
