# find_package(aio): the target aio::static. Lua is the host's own: link it beside.
include(${CMAKE_CURRENT_LIST_DIR}/AioLibuv.cmake)
include(${CMAKE_CURRENT_LIST_DIR}/aioTargets.cmake)
