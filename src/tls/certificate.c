/* SPDX-License-Identifier: MIT
 *
 * A certificate as a Lua table, with the names that Python's getpeercert gives. Everything that can
 * throw is done with OpenSSL's memory in a box that is collected. */
#include <openssl/bio.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <string.h>

#include "tls/tls.h"

#define BOX "aio.tls.bio"

/* A BIO in memory that the collector frees when an error leaves us. */
static int box_gc(lua_State *L) {
  BIO **box = lua_touserdata(L, 1);
  BIO_free(*box);
  *box = NULL;
  return 0;
}

static BIO *push_box(lua_State *L) {
  BIO **box = lua_newuserdatauv(L, sizeof *box, 0);
  *box = NULL;
  if (luaL_newmetatable(L, BOX)) {
    lua_pushcfunction(L, box_gc);
    lua_setfield(L, -2, "__gc");
  }
  lua_setmetatable(L, -2);
  *box = BIO_new(BIO_s_mem());
  if (!*box) luaL_error(L, "not enough memory");
  return *box;
}

/* Pushes what was printed into the box, which is then empty. */
static void push_printed(lua_State *L, BIO *b) {
  char *data;
  long len = BIO_get_mem_data(b, &data);
  lua_pushlstring(L, data ? data : "", len > 0 ? (size_t)len : 0);
  (void)BIO_reset(b);
}

/* Pushes a table: long name of each part -> its text, the last one when it is there twice. */
static void push_name(lua_State *L, BIO *b, const X509_NAME *name) {
  lua_newtable(L);
  for (int i = 0; i < X509_NAME_entry_count(name); i++) {
    const X509_NAME_ENTRY *e = X509_NAME_get_entry(name, i);
    lua_pushstring(L, OBJ_nid2ln(OBJ_obj2nid(X509_NAME_ENTRY_get_object(e))));
    ASN1_STRING_print_ex(b, X509_NAME_ENTRY_get_data(e), ASN1_STRFLGS_UTF8_CONVERT);
    push_printed(L, b);
    lua_rawset(L, -3);
  }
}

/* Appends { kind, text } to the list at the top. */
static void add_alternative(lua_State *L, BIO *b, const GENERAL_NAME *g) {
  static const char *const kinds[] = {"other",   "email", "DNS", "x400",
                                      "DirName", "EDI",   "URI", "IP Address"};
  int type;
  void *value = GENERAL_NAME_get0_value(g, &type);
  if (type < 0 || type > GEN_IPADD) return;
  lua_createtable(L, 2, 0);
  lua_pushstring(L, kinds[type]);
  lua_rawseti(L, -2, 1);
  if (type == GEN_DNS || type == GEN_EMAIL || type == GEN_URI) {
    lua_pushlstring(L, (const char *)ASN1_STRING_get0_data(value),
                    (size_t)ASN1_STRING_length(value));
  } else {
    GENERAL_NAME_print(b, (GENERAL_NAME *)(uintptr_t)g);
    push_printed(L, b);
    const char *colon = strchr(lua_tostring(L, -1), ':'); /* "IP Address:127.0.0.1" */
    if (colon) lua_pushstring(L, colon + 1), lua_remove(L, -2);
  }
  lua_rawseti(L, -2, 2);
  lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
}

/* The names are in a copy, which must not be lost to an error: it is kept in a box of its own. */
static int names_gc(lua_State *L) {
  GENERAL_NAMES **box = lua_touserdata(L, 1);
  GENERAL_NAMES_free(*box);
  *box = NULL;
  return 0;
}

static void push_alternatives(lua_State *L, BIO *b, X509 *cert) {
  GENERAL_NAMES **names = lua_newuserdatauv(L, sizeof *names, 0);
  *names = NULL;
  if (luaL_newmetatable(L, "aio.tls.names")) {
    lua_pushcfunction(L, names_gc);
    lua_setfield(L, -2, "__gc");
  }
  lua_setmetatable(L, -2);
  lua_newtable(L);
  *names = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
  int n = *names ? sk_GENERAL_NAME_num(*names) : 0;
  for (int i = 0; i < n; i++) add_alternative(L, b, sk_GENERAL_NAME_value(*names, i));
  lua_remove(L, -2);
}

static void set_time(lua_State *L, BIO *b, const char *name, const ASN1_TIME *t) {
  ASN1_TIME_print(b, t);
  push_printed(L, b);
  lua_setfield(L, -2, name);
}

void tls_certificate_push(lua_State *L, X509 *cert) {
  luaL_checkstack(L, LUA_MINSTACK, NULL);
  BIO *b = push_box(L);
  lua_createtable(L, 0, 8);
  push_name(L, b, X509_get_subject_name(cert));
  lua_setfield(L, -2, "subject");
  push_name(L, b, X509_get_issuer_name(cert));
  lua_setfield(L, -2, "issuer");
  push_alternatives(L, b, cert);
  lua_setfield(L, -2, "subjectAltName");
  set_time(L, b, "notBefore", X509_get0_notBefore(cert));
  set_time(L, b, "notAfter", X509_get0_notAfter(cert));
  lua_pushinteger(L, X509_get_version(cert) + 1);
  lua_setfield(L, -2, "version");
  i2a_ASN1_INTEGER(b, X509_get_serialNumber(cert));
  push_printed(L, b);
  lua_setfield(L, -2, "serialNumber");
  PEM_write_bio_X509(b, cert);
  push_printed(L, b);
  lua_setfield(L, -2, "pem");
  lua_remove(L, -2);
}
