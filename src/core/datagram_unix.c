/* SPDX-License-Identifier: MIT
 *
 * Datagram sockets on Unix: a descriptor of our own that libuv polls. libuv's uv_udp_t asks again
 * after each batch until the system has no more, and knows no Unix sockets; here an event is one
 * recvmmsg, and a send one sendto. Endpoints call it, core/poll_unix.c calls on_poll and
 * on_refused. */
#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "core/datagram.h"
#include "core/fd_unix.h"
#include "core/listener.h"
#include "core/poll_unix.h"
#include "core/sockfile_unix.h"

#ifdef SO_MEMINFO
#include <linux/sock_diag.h>
#endif

#ifndef MSG_NOSIGNAL
#define MSG_NOSIGNAL 0 /* where SO_NOSIGPIPE does it */
#endif

/* Asking for several packets when there is only one costs the system a second look. After a packet
 * that came alone only every so many events ask for more. */
enum { LOOK_EVERY = 8 };

/* When the system cannot tell that it takes packets again, it is asked so often. */
static const double RETRY_S = 0.002;

struct aio_dport {
  aio_poll poll;
  aio_datagram *owner;
  aio_timer retry; /* wakes the senders */
  int family;
  uint8_t alone; /* so many events in a row brought one packet: */
  bool connected;
  aio_sockfile file;
};

static void ask(aio_dport *p, unsigned events) {
  aio_poll_ask(&p->poll, events);
}

int aio_dport_read(aio_dport *p, bool on) {
  ask(p, on ? p->poll.wanted | UV_READABLE : p->poll.wanted & ~(unsigned)UV_READABLE);
  return 0;
}

/* ---- receiving ---- */

#ifdef MSG_WAITFORONE /* there is recvmmsg */

static int receive_batch(int fd, struct mmsghdr *msgs, unsigned n) {
  int got;
  do got = recvmmsg(fd, msgs, n, 0, NULL);
  while (got < 0 && errno == EINTR);
  return got;
}

#else

struct mmsghdr {
  struct msghdr msg_hdr;
  unsigned msg_len;
};

static int receive_batch(int fd, struct mmsghdr *msgs, unsigned n) {
  (void)n;
  ssize_t got;
  do got = recvmsg(fd, &msgs->msg_hdr, 0);
  while (got < 0 && errno == EINTR);
  if (got < 0) return -1;
  msgs->msg_len = (unsigned)got;
  return 1;
}

#endif

typedef struct batch {
  struct mmsghdr msgs[AIO_PACKETS_AT_ONCE];
  struct iovec room[AIO_PACKETS_AT_ONCE];
  aio_sockaddr from[AIO_PACKETS_AT_ONCE];
  unsigned n;
} batch;

/* Splits the room for the packets: a Unix socket's may be longer than UDP's ever are. */
static void batch_init(batch *b, const aio_dport *p, char *room) {
  bool is_unix = p->family == AF_UNIX;
  size_t n = is_unix ? 1 : AIO_PACKETS_AT_ONCE;
  size_t size = is_unix ? AIO_PACKETS_ROOM : AIO_PACKET_MAX;
  size_t wanted = p->alone % LOOK_EVERY ? 1 : aio_datagram_room(p->owner);
  b->n = (unsigned)(n < wanted ? n : wanted);
  for (unsigned i = 0; i < b->n; i++) {
    b->room[i] = (struct iovec){room + i * size, size};
    memset(&b->msgs[i], 0, sizeof b->msgs[i]);
    b->msgs[i].msg_hdr.msg_name = &b->from[i];
    b->msgs[i].msg_hdr.msg_namelen = sizeof b->from[i];
    b->msgs[i].msg_hdr.msg_iov = &b->room[i];
    b->msgs[i].msg_hdr.msg_iovlen = 1;
  }
}

static void hand_over(aio_dport *p, const batch *b, int n) {
  for (int i = 0; i < n; i++) {
    const struct msghdr *h = &b->msgs[i].msg_hdr;
    aio_address from;
    if (h->msg_flags & MSG_TRUNC) {
      p->owner->lost++;
      aio_datagram_failed(p->owner, UV_EMSGSIZE);
    } else if (aio_fd_read_address(&b->from[i], h->msg_namelen, &from) == 0) {
      aio_datagram_received(p->owner, b->room[i].iov_base, b->msgs[i].msg_len, &from);
    }
  }
}

static void receive(aio_dport *p) {
  batch b;
  char *room = aio_packets_get(p->poll.loop);
  if (!room) {
    aio_datagram_failed(p->owner, UV_ENOMEM);
    return;
  }
  batch_init(&b, p, room);
  int n = receive_batch(p->poll.fd, b.msgs, b.n);
  p->alone = n > 1 ? 0 : p->alone % LOOK_EVERY + 1;
  if (n >= 0)
    hand_over(p, &b, n);
  else if (errno != EAGAIN && errno != EWOULDBLOCK)
    aio_datagram_failed(p->owner, -errno);
}

/* EPOLLERR: the error is taken from the socket. */
static void on_error(aio_dport *p, unsigned wanted) {
  int err = aio_fd_error(p->poll.fd);
  if (err)
    aio_datagram_failed(p->owner, err);
  else if (p->owner->reading)
    ask(p, UV_READABLE);
  if (wanted & UV_WRITABLE) aio_datagram_writable(p->owner);
}

static void on_poll(aio_poll *h, int status, int events) {
  aio_dport *p = AIO_CONTAINER(h, aio_dport, poll);
  if (status < 0) {
    on_error(p, (unsigned)events);
    return;
  }
  if (events & UV_READABLE) receive(p);
  if (!(events & UV_WRITABLE)) return;
  ask(p, h->wanted & ~(unsigned)UV_WRITABLE);
  aio_datagram_writable(p->owner);
}

static void on_refused(aio_poll *h, int err) {
  const aio_dport *p = AIO_CONTAINER(h, aio_dport, poll);
  aio_datagram_failed(p->owner, err);
  aio_datagram_writable(p->owner); /* those who send hear of it too */
}

static void dport_free(aio_dport *p) {
  aio_mem_free(&p->poll.loop->mem, p, sizeof *p);
}

static void on_closed(aio_poll *h) {
  dport_free(AIO_CONTAINER(h, aio_dport, poll));
}

static const aio_poll_ops poll_ops = {on_poll, on_refused, on_closed};

/* ---- sending ---- */

static void on_retry(aio_timer *t) {
  aio_datagram_writable(AIO_CONTAINER(t, aio_dport, retry)->owner);
}

/* Sees to it that the senders are woken. A Unix socket without a peer of its own is writable even
 * when the receiver takes no more; and ENOBUFS tells nothing of a later time. */
static int wait_writable(aio_dport *p, int err) {
  int failed = 0;
  if (err == UV_ENOBUFS || (p->family == AF_UNIX && !p->connected)) {
    p->retry.fire = on_retry;
    double when = aio_loop_now(p->poll.loop) + RETRY_S;
    if (!aio_loop_timer_start(p->poll.loop, &p->retry, when)) failed = UV_ENOMEM;
  } else {
    ask(p, p->poll.wanted | UV_WRITABLE);
  }
  return failed ? failed : UV_EAGAIN;
}

int aio_dport_send(aio_dport *p, const char *ptr, size_t len, const aio_address *to) {
  aio_sockaddr sys;
  socklen_t sys_len = to ? aio_fd_fill(&sys, to) : 0;
  ssize_t sent;
  do sent = sendto(p->poll.fd, ptr, len, MSG_NOSIGNAL, to ? &sys.sa : NULL, sys_len);
  while (sent < 0 && errno == EINTR);
  if (sent >= 0) return 0;
  int err = -errno;
  return err == UV_EAGAIN || err == -EWOULDBLOCK || err == UV_ENOBUFS ? wait_writable(p, err) : err;
}

/* ---- multicast ---- */

/* The number of an interface; 0 with *err set when there is none of that name. */
static unsigned interface_index(const char *name, int *err) {
  unsigned index = if_nametoindex(name);
  *err = index ? 0 : UV_ENODEV;
  return index;
}

static int fill_mreqn(struct ip_mreqn *m, const char *via) {
  int err = 0;
  if (via && inet_pton(AF_INET, via, &m->imr_address) != 1)
    m->imr_ifindex = (int)interface_index(via, &err);
  return err;
}

static int set(int fd, int level, int name, const void *value, socklen_t len) {
  return setsockopt(fd, level, name, value, len) < 0 ? -errno : 0;
}

static int member_v4(const aio_dport *p, const aio_address *group, const char *via, bool join) {
  struct ip_mreqn m;
  memset(&m, 0, sizeof m);
  m.imr_multiaddr = group->ip.v4.sin_addr;
  int err = fill_mreqn(&m, via);
  int name = join ? IP_ADD_MEMBERSHIP : IP_DROP_MEMBERSHIP;
  return err ? err : set(p->poll.fd, IPPROTO_IP, name, &m, sizeof m);
}

static int member_v6(const aio_dport *p, const aio_address *group, const char *via, bool join) {
  struct ipv6_mreq m = {.ipv6mr_multiaddr = group->ip.v6.sin6_addr,
                        .ipv6mr_interface = group->ip.v6.sin6_scope_id};
  int err = 0;
  if (via) m.ipv6mr_interface = interface_index(via, &err);
  int name = join ? IPV6_JOIN_GROUP : IPV6_LEAVE_GROUP;
  return err ? err : set(p->poll.fd, IPPROTO_IPV6, name, &m, sizeof m);
}

int aio_dport_member(aio_dport *p, const aio_address *group, const char *via, bool join) {
  if (group->path_len || group->ip.sa.sa_family != p->family) return UV_EINVAL;
  return (p->family == AF_INET ? member_v4 : member_v6)(p, group, via, join);
}

static int multicast_v4(int fd, const aio_datagram_opts *o) {
  unsigned char ttl = (unsigned char)o->ttl, loop = (unsigned char)o->loop;
  struct ip_mreqn m;
  memset(&m, 0, sizeof m);
  int err = fill_mreqn(&m, o->via);
  if (!err && o->ttl >= 0) err = set(fd, IPPROTO_IP, IP_MULTICAST_TTL, &ttl, sizeof ttl);
  if (!err && o->loop >= 0) err = set(fd, IPPROTO_IP, IP_MULTICAST_LOOP, &loop, sizeof loop);
  if (!err && o->via) err = set(fd, IPPROTO_IP, IP_MULTICAST_IF, &m, sizeof m);
  return err;
}

static int multicast_v6(int fd, const aio_datagram_opts *o) {
  int err = 0;
  unsigned index = o->via ? interface_index(o->via, &err) : 0;
  if (!err && o->ttl >= 0) err = aio_fd_option(fd, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, o->ttl);
  if (!err && o->loop >= 0) err = aio_fd_option(fd, IPPROTO_IPV6, IPV6_MULTICAST_LOOP, o->loop);
  if (!err && index) err = aio_fd_option(fd, IPPROTO_IPV6, IPV6_MULTICAST_IF, (int)index);
  return err;
}

/* ---- opening and closing ---- */

static int set_options(const aio_dport *p, const aio_datagram_opts *o) {
  int err = 0;
  if (p->family == AF_UNIX) return 0;
  if (o->reuse_port) err = aio_fd_option(p->poll.fd, SOL_SOCKET, SO_REUSEPORT, 1);
  if (!err && o->broadcast) err = aio_fd_option(p->poll.fd, SOL_SOCKET, SO_BROADCAST, 1);
  if (err) return err;
  if (p->family == AF_INET) return multicast_v4(p->poll.fd, o);
  err = aio_fd_option(p->poll.fd, IPPROTO_IPV6, IPV6_V6ONLY, 1); /* as servers are */
  return err ? err : multicast_v6(p->poll.fd, o);
}

static int prepare(aio_dport *p, const aio_address *local, const aio_address *peer,
                   const aio_datagram_opts *opts, const char **call) {
  *call = "setsockopt";
  int err = set_options(p, opts);
  if (!err && local) {
    *call = "bind";
    err = local->path_len ? aio_sockfile_bind(&p->file, p->poll.fd, SOCK_DGRAM, local)
                          : aio_fd_bind(p->poll.fd, local);
  }
  if (!err && peer) {
    *call = "connect";
    err = aio_fd_connect(p->poll.fd, peer);
  }
  if (err) aio_sockfile_remove(&p->file);
  return err;
}

int aio_dport_open(aio_datagram *d, const aio_address *local, const aio_address *peer,
                   const aio_datagram_opts *opts, const char **call) {
  const aio_address *a = local ? local : peer;
  *call = "socket";
  aio_dport *p = aio_mem_new(&d->mem, sizeof *p);
  if (!p) return UV_ENOMEM;
  memset(p, 0, sizeof *p);
  p->owner = d;
  p->connected = peer != NULL;
  p->family = a->path_len ? AF_UNIX : a->ip.sa.sa_family;
  int fd = aio_fd_socket(p->family, SOCK_DGRAM, 0);
  aio_poll_init(&p->poll, d->loop, fd, &poll_ops);
  int err = fd < 0 ? fd : prepare(p, local, peer, opts, call);
  if (!err) {
    d->port = p;
    return 0;
  }
  if (fd >= 0) close(fd);
  dport_free(p);
  return err;
}

void aio_dport_close(aio_dport *p) {
  aio_loop_timer_stop(p->poll.loop, &p->retry);
  aio_sockfile_remove(&p->file);
  aio_loop *l = p->poll.loop;
  int fd = p->poll.fd;
  aio_poll_close(&p->poll);
  close(fd);
  aio_listener_revive(l);
}

/* ---- what it is ---- */

int aio_dport_address(aio_dport *p, bool peer, aio_address *a) {
  return aio_fd_address(p->poll.fd, peer, a);
}

int aio_dport_fileno(const aio_dport *p) {
  return p->poll.fd;
}

#ifdef SO_MEMINFO

uint64_t aio_dport_dropped(const aio_dport *p) {
  uint32_t info[SK_MEMINFO_VARS] = {0};
  socklen_t len = sizeof info;
  return getsockopt(p->poll.fd, SOL_SOCKET, SO_MEMINFO, info, &len) < 0 ? 0
                                                                        : info[SK_MEMINFO_DROPS];
}

#else

uint64_t aio_dport_dropped(const aio_dport *p) {
  (void)p;
  return 0;
}

#endif
