/* SPDX-License-Identifier: MIT
 *
 * Errors of files and folders: each names the path and, where it is known, what can be done. */
#include <string.h>

#include "bind/error.h"
#include "bind/fs.h"

typedef struct remedy {
  int err;
  const char *call; /* NULL: any */
  const char *text;
} remedy;

static const remedy remedies[] = {
    {UV_EISDIR, "unlink", "it is a folder: use aio.fs.rmdir, or remove(path, {recursive = true})"},
    {UV_EPERM, "unlink", "a folder goes with aio.fs.rmdir, or remove(path, {recursive = true})"},
    {UV_EISDIR, "copyfile", "it is a folder: make one with mkdir, and copy what walk finds"},
    {UV_EISDIR, NULL, "it is a folder: aio.fs.scandir lists it"},
    {UV_ENOTEMPTY, "rmdir", "remove(path, {recursive = true}) takes what is in it too"},
    {UV_ENOENT, "mkdir", "a folder above it is missing: mkdir(path, {parents = true}) makes it"},
    {UV_ENOTDIR, NULL, "a part of the path is no folder"},
    {UV_EBADF, "read", "it was not opened for reading: modes \"r\", \"r+\", \"w+\" and \"a+\" are"},
    {UV_EBADF, "write", "it was not opened for writing: modes \"r+\", \"w\" and \"a\" are"},
    {UV_ESPIPE, NULL, "it has no positions: a FIFO, a terminal or another device"},
    {UV_EXDEV, NULL, "they are on different file systems: copy it with copyfile, then remove it"},
    {UV_EMFILE, NULL, "too many files are open at once: close some, or raise `ulimit -n`"},
    {UV_EROFS, NULL, "the file system can only be read"},
    {UV_ENXIO, "open", "a socket, or a device that is not there, cannot be opened as a file"},
    {UV_ETXTBSY, NULL, "the program runs: write a new file and rename it to this name"},
};

static const char *remedy_for(int err, const char *call, bool creates) {
  if (err == UV_ENOENT && creates)
    return "its folder is missing: aio.fs.mkdir(folder, {parents = true}) makes it";
  for (size_t i = 0; i < sizeof remedies / sizeof *remedies; i++) {
    const remedy *r = &remedies[i];
    if (r->err == err && (!r->call || strcmp(r->call, call) == 0)) return r->text;
  }
  return NULL;
}

int aio_fs_raise(lua_State *L, int err, const char *call, const char *path, bool creates) {
  if (err == UV_ENOMEM) return luaL_error(L, "not enough memory");
  aio_error_push_os(L, aio_state_up(L), err, call);
  const char *text = remedy_for(err, call, creates);
  lua_getfield(L, -1, "message");
  lua_pushfstring(L, "%s%s%s%s%s", lua_tostring(L, -1), path ? ": " : "", path ? path : "",
                  text ? "; " : "", text ? text : "");
  lua_setfield(L, -3, "message");
  lua_pop(L, 1);
  if (path) {
    lua_pushstring(L, path);
    lua_setfield(L, -2, "filename");
  }
  return lua_error(L);
}
