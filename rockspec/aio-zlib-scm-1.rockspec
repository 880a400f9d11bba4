rockspec_format = "3.0"
package = "aio-zlib"
version = "scm-1"

description = {
  summary = "Compression for aio, by zlib",
  detailed = [[
The library that aio.http loads for the content codings gzip and deflate, and for permessage-deflate
of WebSocket. aio itself needs no zlib.]],
  license = "MIT",
}

source = {
  url = ".",
}

supported_platforms = { "unix" }

dependencies = {
  "lua >= 5.4, < 5.5",
  "aio == scm-1",
}

external_dependencies = {
  ZLIB = { header = "zlib.h", library = "z" },
}

-- The list is that of src/sources.cmake; the suite compares them.
build = {
  type = "builtin",
  modules = {
    ["aio.zlib"] = {
      sources = {
        "src/zlib/deflate.c",
        "src/zlib/inflate.c",
        "src/zlib/module.c",
      },
      defines = { "_GNU_SOURCE", "NDEBUG" },
      incdirs = { "src", "$(ZLIB_INCDIR)" },
      libdirs = { "$(ZLIB_LIBDIR)" },
      libraries = { "z" },
    },
  },
}
