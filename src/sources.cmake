# Every source file, one list for each floor, in alphabetical order. No globs: the rockspec has the
# same lists, and the suite (tests/test_lint.lua) checks both against each other and the tree.

set(AIO_BASE_SOURCES
  src/base/heap.c
)

set(AIO_PROTO_SOURCES
)

set(AIO_CORE_SOURCES
  src/core/address.c
  src/core/api.c
  src/core/chunk.c
  src/core/clock_virtual.c
  src/core/datagram.c
  src/core/listener.c
  src/core/loop.c
  src/core/pair.c
  src/core/plain.c
  src/core/port.c
  src/core/resolve.c
  src/core/sendq.c
  src/core/stream.c
  src/core/watcher.c
)

# What floor 2 has once for each kind of system.
set(AIO_CORE_UNIX_SOURCES
  src/core/datagram_unix.c
  src/core/descriptor_unix.c
  src/core/fd_unix.c
  src/core/interrupt_unix.c
  src/core/listener_unix.c
  src/core/pipe_unix.c
  src/core/socket_unix.c
  src/core/sockfile_unix.c
  src/core/stdio_unix.c
  src/core/thread_unix.c
  src/core/tty_unix.c
  src/core/watcher_unix.c
)

set(AIO_CORE_WINDOWS_SOURCES
  src/core/datagram_uv.c
  src/core/interrupt_win.c
  src/core/listener_uv.c
  src/core/pipe_uv.c
  src/core/socket_uv.c
  src/core/stdio_win.c
  src/core/thread_win.c
  src/core/watcher_win.c
)

set(AIO_BIND_SOURCES
  src/bind/address.c
  src/bind/clock.c
  src/bind/condition.c
  src/bind/context.c
  src/bind/coroutine.c
  src/bind/datagram.c
  src/bind/error.c
  src/bind/event.c
  src/bind/filter.c
  src/bind/future.c
  src/bind/gather.c
  src/bind/handle.c
  src/bind/interrupt.c
  src/bind/line.c
  src/bind/listener.c
  src/bind/lloop.c
  src/bind/lock.c
  src/bind/made.c
  src/bind/module.c
  src/bind/pair.c
  src/bind/pipe.c
  src/bind/protect.c
  src/bind/queue.c
  src/bind/queue_items.c
  src/bind/scheduler.c
  src/bind/select.c
  src/bind/semaphore.c
  src/bind/sleep.c
  src/bind/slow.c
  src/bind/state.c
  src/bind/step.c
  src/bind/stream.c
  src/bind/stream_read.c
  src/bind/stream_write.c
  src/bind/suspend.c
  src/bind/task.c
)

# The library for TLS, which stands on the headers of floors 0 to 2 (see src/core/api.h).
set(AIO_TLS_SOURCES
  src/tls/bio.c
  src/tls/certificate.c
  src/tls/connection.c
  src/tls/context.c
  src/tls/filter.c
  src/tls/flow.c
  src/tls/handshake.c
  src/tls/info.c
  src/tls/module.c
  src/tls/session.c
)

# What only the library for hosts has: the Lua files as C arrays, and who finds them.
set(AIO_STATIC_SOURCES
  src/bind/builtin.c
  src/bind/host.c
  src/bind/host_close.c
  src/bind/host_promise.c
  src/bind/host_remote.c
)

set(AIO_LUA_FILES
  lua/aio/address.lua
  lua/aio/barrier.lua
  lua/aio/check.lua
  lua/aio/condition.lua
  lua/aio/context.lua
  lua/aio/datagram.lua
  lua/aio/errors.lua
  lua/aio/factory.lua
  lua/aio/gather.lua
  lua/aio/generator.lua
  lua/aio/init.lua
  lua/aio/inspect.lua
  lua/aio/job.lua
  lua/aio/many.lua
  lua/aio/pair.lua
  lua/aio/priority.lua
  lua/aio/report.lua
  lua/aio/runner.lua
  lua/aio/scope.lua
  lua/aio/server.lua
  lua/aio/ssl.lua
  lua/aio/staggered.lua
  lua/aio/stdio.lua
  lua/aio/stream.lua
  lua/aio/taskgroup.lua
  lua/aio/testing.lua
  lua/aio/timeout.lua
  lua/aio/wait.lua
)
