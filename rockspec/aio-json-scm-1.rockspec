rockspec_format = "3.0"
package = "aio-json"
version = "scm-1"

description = {
  summary = "JSON for aio, by jansson",
  detailed = [[
The library that the module aio.json loads when it is first used, unless another one takes its
place. aio itself needs no jansson.]],
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
  JANSSON = { header = "jansson.h", library = "jansson" },
}

-- The list is that of src/sources.cmake; the suite compares them.
build = {
  type = "builtin",
  modules = {
    ["aio.jansson"] = {
      sources = {
        "src/json/decode.c",
        "src/json/encode.c",
        "src/json/module.c",
        "src/json/writer.c",
      },
      defines = { "_GNU_SOURCE", "NDEBUG" },
      incdirs = { "src", "$(JANSSON_INCDIR)" },
      libdirs = { "$(JANSSON_LIBDIR)" },
      libraries = { "jansson" },
    },
  },
}
