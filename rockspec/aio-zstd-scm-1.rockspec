rockspec_format = "3.0"
package = "aio-zstd"
version = "scm-1"

description = {
  summary = "The content coding zstd for aio, by Zstandard",
  detailed = [[
The library that aio.http loads when a body in that coding is first read or written. aio itself
needs no zstd.]],
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
  ZSTD = { header = "zstd.h", library = "zstd" },
}

-- The list is that of src/sources.cmake; the suite compares them.
build = {
  type = "builtin",
  modules = {
    ["aio.zstd"] = {
      sources = {
        "src/codec/codec.c",
        "src/zstd/zstd.c",
      },
      defines = { "_GNU_SOURCE", "NDEBUG" },
      incdirs = { "src", "$(ZSTD_INCDIR)" },
      libdirs = { "$(ZSTD_LIBDIR)" },
      libraries = { "zstd" },
    },
  },
}
