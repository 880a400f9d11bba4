/* SPDX-License-Identifier: MIT
 *
 * Plain sockets on Windows, see the header. Called by floor 3. Unix sockets have names there too,
 * but no abstract ones. */
#include <string.h>

#include "core/sock.h"

enum { PATH_SIZE = AIO_PATH_MAX };

/* As sockaddr_un of afunix.h, which not every compiler's headers have. */
typedef struct unix_name {
  unsigned short family;
  char path[PATH_SIZE];
} unix_name;

typedef union name {
  struct sockaddr sa;
  struct sockaddr_storage storage;
  unix_name un;
  aio_ip ip;
} name;

static int last_error(void) {
  return uv_translate_sys_error(WSAGetLastError());
}

static int result(int r) {
  return r == 0 ? 0 : last_error();
}

static int fill(name *n, const aio_address *a) {
  memset(n, 0, sizeof *n);
  if (!a->path_len) {
    n->ip = a->ip;
    return aio_ip_size(&a->ip);
  }
  n->un.family = AF_UNIX;
  memcpy(n->un.path, a->path, a->path_len);
  return (int)(offsetof(unix_name, path) + a->path_len + 1);
}

static int read_name(const name *n, int len, aio_address *a) {
  int head = (int)offsetof(unix_name, path);
  if (len >= head && n->sa.sa_family != AF_UNIX) return aio_address_copy(a, &n->sa);
  memset(a, 0, sizeof *a);
  size_t size = len > head ? (size_t)(len - head) : 0;
  a->path_len = strnlen(n->un.path, size < AIO_PATH_MAX ? size : AIO_PATH_MAX - 1);
  memcpy(a->path, n->un.path, a->path_len);
  return 0;
}

static int prepare(SOCKET made, aio_sock *s) {
  u_long on = 1;
  if (made == INVALID_SOCKET) return last_error();
  if (ioctlsocket(made, FIONBIO, &on)) {
    int err = last_error();
    closesocket(made);
    return err;
  }
  *s = made;
  return 0;
}

int aio_sock_open(int family, int type, int proto, aio_sock *s) {
  return prepare(WSASocketW(family, type, proto, NULL, 0, WSA_FLAG_OVERLAPPED), s);
}

int aio_sock_adopt(aio_sock s, int *family, int *type) {
  WSAPROTOCOL_INFOW info;
  int len = sizeof info;
  u_long on = 1;
  if (getsockopt(s, SOL_SOCKET, SO_PROTOCOL_INFOW, (char *)&info, &len)) return last_error();
  *family = info.iAddressFamily;
  *type = info.iSocketType;
  return result(ioctlsocket(s, FIONBIO, &on));
}

int aio_sock_pair(int type, int proto, aio_sock pair[2]) {
  int err = uv_socketpair(type, proto, pair, 0, 0);
  if (err) return err;
  err = prepare(pair[0], &pair[0]);
  if (err) {
    closesocket(pair[1]);
    return err;
  }
  err = prepare(pair[1], &pair[1]);
  if (err) closesocket(pair[0]);
  return err;
}

void aio_sock_close(aio_sock s) {
  closesocket(s);
}

int aio_sock_bind(aio_sock s, const aio_address *a) {
  name n;
  int len = fill(&n, a);
  return result(bind(s, &n.sa, len));
}

int aio_sock_listen(aio_sock s, int backlog) {
  return result(listen(s, backlog));
}

int aio_sock_connect(aio_sock s, const aio_address *a) {
  name n;
  int len = fill(&n, a);
  if (connect(s, &n.sa, len) == 0) return 0;
  return WSAGetLastError() == WSAEWOULDBLOCK ? AIO_SOCK_CONNECTING : last_error();
}

int aio_sock_accept(aio_sock s, aio_sock *accepted, aio_address *peer) {
  name n;
  int len = sizeof n;
  int err = prepare(accept(s, &n.sa, &len), accepted);
  if (!err) read_name(&n, len, peer);
  return err;
}

static int at_most(size_t len) {
  return len < INT32_MAX ? (int)len : INT32_MAX;
}

ptrdiff_t aio_sock_send(aio_sock s, const char *ptr, size_t len, const aio_address *to) {
  name n;
  int name_len = to ? fill(&n, to) : 0;
  int sent = sendto(s, ptr, at_most(len), 0, to ? &n.sa : NULL, name_len);
  return sent >= 0 ? sent : last_error();
}

ptrdiff_t aio_sock_recv(aio_sock s, char *ptr, size_t len, aio_address *from) {
  name n;
  int name_len = sizeof n;
  int got =
      from ? recvfrom(s, ptr, at_most(len), 0, &n.sa, &name_len) : recv(s, ptr, at_most(len), 0);
  if (got < 0) return last_error();
  if (from) read_name(&n, name_len, from);
  return got;
}

int aio_sock_shutdown(aio_sock s, enum aio_sock_end end) {
  static const int how[] = {SD_RECEIVE, SD_SEND, SD_BOTH};
  return result(shutdown(s, how[end]));
}

int aio_sock_address(aio_sock s, bool peer, aio_address *a) {
  name n;
  int len = sizeof n;
  int err = result((peer ? getpeername : getsockname)(s, &n.sa, &len));
  return err ? err : read_name(&n, len, a);
}

int aio_sock_set(aio_sock s, int level, int option, const void *value, size_t len) {
  return result(setsockopt(s, level, option, value, (int)len));
}

int aio_sock_get(aio_sock s, int level, int option, void *value, size_t *len) {
  int n = (int)*len;
  int err = result(getsockopt(s, level, option, value, &n));
  *len = (size_t)n;
  return err;
}

int aio_sock_set_linger(aio_sock s, int seconds) {
  struct linger l = {seconds >= 0, (u_short)(seconds >= 0 ? seconds : 0)};
  return aio_sock_set(s, SOL_SOCKET, SO_LINGER, &l, sizeof l);
}

int aio_sock_get_linger(aio_sock s, int *seconds) {
  struct linger l = {0, 0};
  size_t len = sizeof l;
  int err = aio_sock_get(s, SOL_SOCKET, SO_LINGER, &l, &len);
  *seconds = l.l_onoff ? l.l_linger : -1;
  return err;
}
