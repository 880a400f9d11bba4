# Writes the C file that holds the Lua files of aio as arrays, for hosts without a file system.
# cmake -D ROOT=dir -D OUTPUT=file.c -D "FILES=lua/aio/init.lua;..." -P embed.cmake

set(arrays "")
set(table "")
set(index 0)
foreach(file IN LISTS FILES)
  file(READ "${ROOT}/${file}" hex HEX)
  string(LENGTH "${hex}" digits)
  math(EXPR size "${digits} / 2")
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${hex}")
  # Lines of 80 columns: some compilers refuse longer ones than 64 KiB.
  string(REPEAT "0x..," 16 line)
  string(REGEX REPLACE "(${line})" "\\1\n" bytes "${bytes}")
  string(REGEX REPLACE "^lua/" "" module "${file}")
  string(REGEX REPLACE "(/init)?\\.lua$" "" module "${module}")
  string(REPLACE "/" "." module "${module}")
  string(APPEND arrays "static const unsigned char text_${index}[] = {\n${bytes}0};\n")
  string(APPEND table "    {\"${module}\", (const char *)text_${index}, ${size}},\n")
  math(EXPR index "${index} + 1")
endforeach()

file(WRITE "${OUTPUT}" "/* Made from the Lua files; not to be edited. */
#include \"bind/builtin.h\"

${arrays}
const struct aio_builtin aio_builtins[] = {
${table}    {NULL, NULL, 0},
};
")
