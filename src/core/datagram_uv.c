/* SPDX-License-Identifier: MIT
 *
 * Datagram sockets over libuv's uv_udp_t, for systems where descriptors of our own are none
 * (Windows; a build option elsewhere). Endpoints call it, libuv the callbacks. Invariant: at most
 * one packet that the system did not take at once is on its way, as `job`; until it has gone every
 * further one has to wait. */
#include <stdio.h>
#include <string.h>

#include "core/datagram.h"
#include "core/listener.h"

typedef struct job {
  uv_udp_send_t req;
  aio_dport *port;
  size_t len;
  char data[];
} job;

struct aio_dport {
  uv_udp_t udp;
  aio_loop *loop;
  aio_datagram *owner;
  job *job;
  int family;
  bool closing;
};

/* ---- receiving ---- */

static void on_alloc(uv_handle_t *h, size_t suggested, uv_buf_t *buf) {
  (void)suggested;
  const aio_dport *p = h->data;
  char *room = aio_packets_get(p->loop);
  *buf = uv_buf_init(room, room ? AIO_PACKET_MAX : 0); /* libuv reports ENOBUFS then */
}

/* Windows tells of a closed port by another name. */
static int error_of(ssize_t n) {
  if (n == UV_ENOBUFS) return UV_ENOMEM;
  return n == UV_ECONNRESET ? UV_ECONNREFUSED : (int)n;
}

static void on_receive(uv_udp_t *h, ssize_t n, const uv_buf_t *buf, const struct sockaddr *sa,
                       unsigned flags) {
  const aio_dport *p = h->data;
  aio_address from;
  if (n < 0) {
    aio_datagram_failed(p->owner, error_of(n));
  } else if (flags & UV_UDP_PARTIAL) {
    p->owner->lost++;
    aio_datagram_failed(p->owner, UV_EMSGSIZE);
  } else if (sa && aio_address_copy(&from, sa) == 0) { /* without an address: nothing came */
    aio_datagram_received(p->owner, buf->base, (size_t)n, &from);
  }
}

int aio_dport_read(aio_dport *p, bool on) {
  p->loop->watchers_changed = true;
  return on ? uv_udp_recv_start(&p->udp, on_alloc, on_receive) : uv_udp_recv_stop(&p->udp);
}

/* ---- sending ---- */

static void job_free(job *j) {
  aio_mem_free(&j->port->loop->mem, j, sizeof *j + j->len);
}

static void on_sent(uv_udp_send_t *r, int status) {
  job *j = AIO_CONTAINER(r, job, req);
  aio_dport *p = j->port;
  job_free(j);
  p->job = NULL;
  if (p->closing) return;
  if (status < 0) aio_datagram_failed(p->owner, status);
  aio_datagram_writable(p->owner);
}

static int send_later(aio_dport *p, const char *ptr, size_t len, const struct sockaddr *to) {
  job *j = aio_mem_new(&p->loop->mem, sizeof *j + len);
  if (!j) return UV_ENOMEM;
  memset(j, 0, sizeof *j);
  j->port = p;
  j->len = len;
  memcpy(j->data, ptr, len);
  uv_buf_t buf = uv_buf_init(j->data, (unsigned)len);
  int err = uv_udp_send(&j->req, &p->udp, &buf, 1, to, on_sent);
  if (err)
    job_free(j);
  else
    p->job = j;
  return err;
}

int aio_dport_send(aio_dport *p, const char *ptr, size_t len, const aio_address *to) {
  if (len > AIO_PACKET_MAX) return UV_EMSGSIZE;
  if (to && to->path_len) return UV_EINVAL;
  if (p->job) return UV_EAGAIN;
  const struct sockaddr *sa = to ? &to->ip.sa : NULL;
  uv_buf_t buf = uv_buf_init((char *)(uintptr_t)ptr, (unsigned)len);
  int sent = uv_udp_try_send(&p->udp, &buf, 1, sa);
  if (sent == UV_EAGAIN || sent == UV_ENOBUFS) return send_later(p, ptr, len, sa);
  return sent < 0 ? error_of(sent) : 0;
}

/* ---- multicast ---- */

/* An interface as libuv wants it: of IPv6 it is the scope of an address. */
static const char *interface_name(const aio_dport *p, const char *via, char *buf, size_t size) {
  if (!via || p->family == AF_INET) return via;
  snprintf(buf, size, "::%%%s", via);
  return buf;
}

int aio_dport_member(aio_dport *p, const aio_address *group, const char *via, bool join) {
  char host[AIO_HOST_MAX], buf[AIO_HOST_MAX];
  if (group->path_len || group->ip.sa.sa_family != p->family) return UV_EINVAL;
  int err = aio_ip_host(&group->ip, host, sizeof host);
  if (err) return err;
  return uv_udp_set_membership(&p->udp, host, interface_name(p, via, buf, sizeof buf),
                               join ? UV_JOIN_GROUP : UV_LEAVE_GROUP);
}

static int set_options(aio_dport *p, const aio_datagram_opts *o) {
  char buf[AIO_HOST_MAX];
  int err = 0;
  if (o->broadcast) err = uv_udp_set_broadcast(&p->udp, 1);
  if (!err && o->ttl >= 0) err = uv_udp_set_multicast_ttl(&p->udp, o->ttl);
  if (!err && o->loop >= 0) err = uv_udp_set_multicast_loop(&p->udp, o->loop);
  if (err || !o->via) return err;
  return uv_udp_set_multicast_interface(&p->udp, interface_name(p, o->via, buf, sizeof buf));
}

/* ---- opening and closing ---- */

static void on_closed(uv_handle_t *h) {
  aio_dport *p = h->data;
  aio_mem_free(&p->loop->mem, p, sizeof *p);
}

void aio_dport_close(aio_dport *p) {
  p->closing = true;
  uv_close((uv_handle_t *)&p->udp, on_closed);
  aio_listener_revive(p->loop);
}

/* Options need a socket, and libuv makes it when it is bound. */
static int prepare(aio_dport *p, const aio_address *local, const aio_address *peer,
                   const aio_datagram_opts *opts, const char **call) {
  aio_ip any;
  memset(&any, 0, sizeof any);
  any.sa.sa_family = (unsigned short)p->family;
  unsigned flags = p->family == AF_INET6 ? UV_UDP_IPV6ONLY : 0;
  if (opts->reuse_port) flags |= UV_UDP_REUSEADDR;
  *call = "bind";
  int err = uv_udp_bind(&p->udp, local ? &local->ip.sa : &any.sa, flags);
  if (err) return err;
  *call = "setsockopt";
  if ((err = set_options(p, opts)) || !peer) return err;
  *call = "connect";
  return uv_udp_connect(&p->udp, &peer->ip.sa);
}

int aio_dport_open(aio_datagram *d, const aio_address *local, const aio_address *peer,
                   const aio_datagram_opts *opts, const char **call) {
  const aio_address *a = local ? local : peer;
  *call = "socket";
  if (a->path_len) return UV_ENOTSUP;
  aio_dport *p = aio_mem_new(&d->mem, sizeof *p);
  if (!p) return UV_ENOMEM;
  memset(p, 0, sizeof *p);
  p->loop = d->loop;
  p->owner = d;
  p->family = a->ip.sa.sa_family;
  int err = uv_udp_init(&d->loop->uv, &p->udp);
  if (err) {
    aio_mem_free(&d->mem, p, sizeof *p);
    return err;
  }
  p->udp.data = p;
  err = prepare(p, local, peer, opts, call);
  if (err)
    aio_dport_close(p);
  else
    d->port = p;
  return err;
}

/* ---- what it is ---- */

int aio_dport_address(aio_dport *p, bool peer, aio_address *a) {
  struct sockaddr_storage sa;
  int len = sizeof sa;
  int err = peer ? uv_udp_getpeername(&p->udp, (struct sockaddr *)&sa, &len)
                 : uv_udp_getsockname(&p->udp, (struct sockaddr *)&sa, &len);
  return err ? err : aio_address_copy(a, (struct sockaddr *)&sa);
}

int aio_dport_fileno(const aio_dport *p) {
  uv_os_fd_t fd;
  return uv_fileno((const uv_handle_t *)&p->udp, &fd) ? -1 : (int)(intptr_t)fd;
}

uint64_t aio_dport_dropped(const aio_dport *p) {
  (void)p;
  return 0;
}
