/* SPDX-License-Identifier: MIT
 *
 * Intrusive doubly linked list. Every queue of aio is one of these: the ready queue, the waiters of
 * a future, the tasks of a loop. A node is in at most one list, so linking and unlinking need no
 * memory and cannot fail. Invariant: a node that is in no list points at itself. */
#ifndef AIO_BASE_LIST_H
#define AIO_BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

typedef struct aio_link {
  struct aio_link *next, *prev;
} aio_link;

/* The structure of type `type` whose member `member` is the link `ptr`. */
#define AIO_CONTAINER(ptr, type, member) ((type *)(void *)((char *)(ptr)-offsetof(type, member)))

static inline void aio_link_init(aio_link *l) {
  l->next = l->prev = l;
}

static inline bool aio_list_empty(const aio_link *head) {
  return head->next == head;
}

static inline bool aio_link_linked(const aio_link *l) {
  return l->next != l;
}

/* Adds `l`, which is in no list, at the end of the list. */
static inline void aio_list_push(aio_link *head, aio_link *l) {
  l->prev = head->prev;
  l->next = head;
  head->prev->next = l;
  head->prev = l;
}

/* Takes `l` out of its list, if it is in one. */
static inline void aio_list_del(aio_link *l) {
  l->prev->next = l->next;
  l->next->prev = l->prev;
  aio_link_init(l);
}

/* The first link, or NULL. */
static inline aio_link *aio_list_first(const aio_link *head) {
  return aio_list_empty(head) ? NULL : head->next;
}

/* Takes the first link out and returns it, or NULL. */
static inline aio_link *aio_list_shift(aio_link *head) {
  aio_link *l = aio_list_first(head);
  if (l) aio_list_del(l);
  return l;
}

/* Moves all links of `from` to the end of `to`. */
static inline void aio_list_splice(aio_link *to, aio_link *from) {
  if (aio_list_empty(from)) return;
  from->next->prev = to->prev;
  to->prev->next = from->next;
  from->prev->next = to;
  to->prev = from->prev;
  aio_link_init(from);
}

#endif
