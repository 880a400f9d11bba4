rockspec_format = "3.0"
package = "aio"
version = "scm-1"

description = {
  summary = "asyncio for Lua: tasks, cancellation, time-outs, queues and TCP",
  detailed = [[
Inside a task a function that has to wait simply waits: no await keyword, no coloured functions.
The names and the meanings are those of Python's asyncio. C over libuv, Lua 5.4 on top.]],
  license = "MIT",
}

source = {
  url = ".",
}

supported_platforms = { "unix" }

dependencies = {
  "lua >= 5.4, < 5.5",
}

external_dependencies = {
  LIBUV = { header = "uv.h", library = "uv" },
}

-- The lists are those of src/sources.cmake; the suite compares them.
build = {
  type = "builtin",
  modules = {
    ["aio.core"] = {
      sources = {
        "src/base/heap.c",
        "src/core/address.c",
        "src/core/api.c",
        "src/core/chunk.c",
        "src/core/clock_virtual.c",
        "src/core/datagram.c",
        "src/core/listener.c",
        "src/core/loop.c",
        "src/core/pair.c",
        "src/core/plain.c",
        "src/core/port.c",
        "src/core/resolve.c",
        "src/core/sendq.c",
        "src/core/stream.c",
        "src/core/watcher.c",
        "src/core/datagram_unix.c",
        "src/core/descriptor_unix.c",
        "src/core/fd_unix.c",
        "src/core/interrupt_unix.c",
        "src/core/listener_unix.c",
        "src/core/pipe_unix.c",
        "src/core/socket_unix.c",
        "src/core/sockfile_unix.c",
        "src/core/stdio_unix.c",
        "src/core/thread_unix.c",
        "src/core/tty_unix.c",
        "src/core/watcher_unix.c",
        "src/bind/address.c",
        "src/bind/clock.c",
        "src/bind/condition.c",
        "src/bind/context.c",
        "src/bind/coroutine.c",
        "src/bind/datagram.c",
        "src/bind/error.c",
        "src/bind/event.c",
        "src/bind/filter.c",
        "src/bind/future.c",
        "src/bind/gather.c",
        "src/bind/handle.c",
        "src/bind/interrupt.c",
        "src/bind/line.c",
        "src/bind/listener.c",
        "src/bind/lloop.c",
        "src/bind/lock.c",
        "src/bind/made.c",
        "src/bind/module.c",
        "src/bind/pair.c",
        "src/bind/pipe.c",
        "src/bind/protect.c",
        "src/bind/queue.c",
        "src/bind/queue_items.c",
        "src/bind/scheduler.c",
        "src/bind/select.c",
        "src/bind/semaphore.c",
        "src/bind/sleep.c",
        "src/bind/slow.c",
        "src/bind/state.c",
        "src/bind/step.c",
        "src/bind/stream.c",
        "src/bind/stream_read.c",
        "src/bind/stream_write.c",
        "src/bind/suspend.c",
        "src/bind/task.c",
      },
      defines = { "_GNU_SOURCE", "NDEBUG" },
      incdirs = { "src", "$(LIBUV_INCDIR)" },
      libdirs = { "$(LIBUV_LIBDIR)" },
      libraries = { "uv" },
    },
    ["aio.address"] = "lua/aio/address.lua",
    ["aio.barrier"] = "lua/aio/barrier.lua",
    ["aio.check"] = "lua/aio/check.lua",
    ["aio.condition"] = "lua/aio/condition.lua",
    ["aio.context"] = "lua/aio/context.lua",
    ["aio.datagram"] = "lua/aio/datagram.lua",
    ["aio.errors"] = "lua/aio/errors.lua",
    ["aio.factory"] = "lua/aio/factory.lua",
    ["aio.gather"] = "lua/aio/gather.lua",
    ["aio.generator"] = "lua/aio/generator.lua",
    ["aio"] = "lua/aio/init.lua",
    ["aio.inspect"] = "lua/aio/inspect.lua",
    ["aio.job"] = "lua/aio/job.lua",
    ["aio.many"] = "lua/aio/many.lua",
    ["aio.pair"] = "lua/aio/pair.lua",
    ["aio.priority"] = "lua/aio/priority.lua",
    ["aio.report"] = "lua/aio/report.lua",
    ["aio.runner"] = "lua/aio/runner.lua",
    ["aio.scope"] = "lua/aio/scope.lua",
    ["aio.server"] = "lua/aio/server.lua",
    ["aio.ssl"] = "lua/aio/ssl.lua",
    ["aio.staggered"] = "lua/aio/staggered.lua",
    ["aio.stdio"] = "lua/aio/stdio.lua",
    ["aio.stream"] = "lua/aio/stream.lua",
    ["aio.taskgroup"] = "lua/aio/taskgroup.lua",
    ["aio.testing"] = "lua/aio/testing.lua",
    ["aio.timeout"] = "lua/aio/timeout.lua",
    ["aio.wait"] = "lua/aio/wait.lua",
  },
  copy_directories = { "docs", "examples" },
}
