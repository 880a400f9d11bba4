-- SPDX-License-Identifier: MIT
-- From method and path to a route: what matches, in which order, and what the parameters are.

local lu = require "luaunit"
local env = require "support.env"

if not env.has_http() then
  return { test_skipped = function() lu.skip "no library for HTTP" end }
end

local application = require "aio.http.application"
local router = require "aio.http.router"

local T = {}

-- A router of paths: each route is { method, path }; its name is "METHOD path".
local function compile(...)
  local routes = {}
  for _, spec in ipairs { ... } do
    local method, path = spec:match "^(%S+) (.*)$"
    local pieces = assert(router.parse(path))
    routes[#routes + 1] = { method = method, path = path, pieces = pieces, spec = spec }
  end
  return router.compile(routes)
end

local function found(r, method, path)
  local route, info = r:find(method, path)
  return route and route.spec, info
end

function T.test_paths_without_parameters()
  local r = compile("GET /", "GET /a", "GET /a/", "GET /a/b", "POST /a")
  for _, path in ipairs { "/", "/a", "/a/", "/a/b" } do
    lu.assertEquals(found(r, "GET", path), "GET " .. path)
  end
  lu.assertEquals(found(r, "POST", "/a"), "POST /a")
  lu.assertNil((found(r, "GET", "/b")))
  lu.assertNil((found(r, "GET", "/a/b/")))
  lu.assertNil((found(r, "GET", "//a")))
end

function T.test_head_is_answered_by_get()
  local r = compile("GET /a", "GET /x/{id}", "HEAD /own", "GET /own")
  lu.assertEquals(found(r, "HEAD", "/a"), "GET /a")
  lu.assertEquals(found(r, "HEAD", "/x/1"), "GET /x/{id}")
  lu.assertEquals(found(r, "HEAD", "/own"), "HEAD /own")
end

function T.test_the_methods_that_a_path_has()
  local r = compile("GET /a", "POST /a", "PUT /x/{id}", "DELETE /x/one")
  local route, methods = r:find("DELETE", "/a")
  lu.assertNil(route)
  lu.assertEquals(methods, { "GET", "HEAD", "POST" })
  route, methods = r:find("GET", "/x/one")
  lu.assertNil(route)
  lu.assertEquals(methods, { "DELETE", "PUT" })
  lu.assertEquals({ r:find("GET", "/none") }, {})
end

function T.test_any_method()
  local r = compile("* /a", "GET /a")
  lu.assertEquals(found(r, "GET", "/a"), "GET /a")
  lu.assertEquals(found(r, "PATCH", "/a"), "* /a")
end

function T.test_parameters_are_decoded()
  local r = compile("GET /u/{name}", "GET /u/{name}/p/{page}")
  local spec, info = found(r, "GET", "/u/J%C3%B6rg%20a/p/1%2F2")
  lu.assertEquals(spec, "GET /u/{name}/p/{page}")
  lu.assertEquals(info, { name = "Jörg a", page = "1/2" })
  lu.assertNil((found(r, "GET", "/u/")))
  lu.assertNil((found(r, "GET", "/u")))
end

function T.test_an_encoded_slash_is_no_separator()
  local r = compile("GET /a/b", "GET /a", "GET /{x}")
  lu.assertEquals(found(r, "GET", "/a/b"), "GET /a/b")
  local spec, info = found(r, "GET", "/a%2Fb")
  lu.assertEquals({ spec, info.x }, { "GET /{x}", "a/b" })
  lu.assertEquals(found(r, "GET", "/%61"), "GET /a")
end

function T.test_patterns()
  local r = compile("GET /n/{id:%d+}", "GET /n/{word:%a+}", "GET /v{major:%d+}.{minor:%d+}/x",
    "GET /f/{name}.{ext}")
  lu.assertEquals({ found(r, "GET", "/n/12") }, { "GET /n/{id:%d+}", { id = "12" } })
  lu.assertEquals({ found(r, "GET", "/n/ab") }, { "GET /n/{word:%a+}", { word = "ab" } })
  lu.assertNil((found(r, "GET", "/n/1b")))
  lu.assertNil((found(r, "GET", "/n/12/3")))
  local spec, info = found(r, "GET", "/v1.20/x")
  lu.assertEquals({ spec, info }, { "GET /v{major:%d+}.{minor:%d+}/x", { major = "1",
    minor = "20" } })
  lu.assertEquals({ found(r, "GET", "/f/a.tar.gz") }, { "GET /f/{name}.{ext}", { name = "a.tar",
    ext = "gz" } })
end

function T.test_a_pattern_at_the_end_takes_the_rest()
  local r = compile("GET /s/{tail:.*}", "GET /s/known", "GET /e/{tail:.+}")
  lu.assertEquals({ found(r, "GET", "/s/a/b%20c") }, { "GET /s/{tail:.*}", { tail = "a/b c" } })
  lu.assertEquals({ found(r, "GET", "/s/") }, { "GET /s/{tail:.*}", { tail = "" } })
  lu.assertEquals((found(r, "GET", "/s/known")), "GET /s/known")
  lu.assertNil((found(r, "GET", "/s")))
  lu.assertNil((found(r, "GET", "/e/")))
end

function T.test_literals_first_then_the_order_of_adding()
  local r = compile("GET /a/{x}", "GET /a/b", "GET /a/{y:.*}", "GET /{z}/c")
  lu.assertEquals((found(r, "GET", "/a/b")), "GET /a/b")
  lu.assertEquals((found(r, "GET", "/a/q")), "GET /a/{x}")
  lu.assertEquals((found(r, "GET", "/a/q/r")), "GET /a/{y:.*}")
  lu.assertEquals({ found(r, "GET", "/q/c") }, { "GET /{z}/c", { z = "q" } })
end

function T.test_it_goes_back_where_a_branch_ends()
  local r = compile("GET /a/b/c", "GET /{x}/b/d", "POST /a/{y}/e", "GET /{p}/{q}/e")
  lu.assertEquals((found(r, "GET", "/a/b/d")), "GET /{x}/b/d")
  lu.assertEquals({ found(r, "GET", "/a/b/e") }, { "GET /{p}/{q}/e", { p = "a", q = "b" } })
end

function T.test_targets_that_are_no_paths()
  local r = compile("GET /", "* /{tail:.*}")
  for _, target in ipairs { "*", "example.test:443", "" } do
    lu.assertNil((found(r, "OPTIONS", target)))
  end
end

function T.test_many_segments_in_linear_time()
  local r = compile("GET /a/{x}", "GET /{tail:.*}")
  local path = ("/a"):rep(4000)
  lu.assertEquals((found(r, "GET", path)), "GET /{tail:.*}")
end

function T.test_what_is_no_path_of_a_route()
  for path, why in pairs {
    ["a"] = "begins with /", [""] = "begins with /", ["/a b"] = "no blanks", ["/a?b"] = "no blanks",
    ["/{a"] = "no partner", ["/a}"] = "no partner", ["/{}"] = "{name}", ["/{a-b}"] = "{name}",
    ["/{a}/{a}"] = "stands twice", ["/{a:(%d)}"] = "captures", ["/{a:}"] = "empty",
    ["/{a:[}"] = "pattern of 'a'", ["/{a:%d$}"] = "anchored", ["/{a:^b}"] = "anchored",
  } do
    local pieces, message = router.parse(path)
    lu.assertNil(pieces, path)
    lu.assertStrContains(message, why)
  end
end

-- ---- applications ----

local function app_of(routes)
  local app = application.Application()
  for _, path in ipairs(routes) do app:get(path, function() return path end, { name = path }) end
  return app
end

function T.test_url_for()
  local app = app_of { "/", "/u/{name}", "/n/{id:%d+}", "/s/{tail:.*}" }
  local sub = app_of { "/x/{a}" }
  app:mount("/sub", sub)
  lu.assertEquals(app:url_for "/", "/")
  lu.assertEquals(app:url_for("/u/{name}", { name = "a/b ?ü" }), "/u/a%2Fb%20%3F%C3%BC")
  lu.assertEquals(app:url_for("/u/{name}", { name = ".." }), "/u/%2E%2E")
  lu.assertEquals(app:url_for("/n/{id:%d+}", { id = 7 }), "/n/7")
  lu.assertEquals(app:url_for("/s/{tail:.*}", { tail = "a b/c" }), "/s/a%20b/c")
  lu.assertEquals(app:url_for("/x/{a}", { a = 1 }), "/sub/x/1")
  lu.assertEquals(sub:url_for("/x/{a}", { a = 1 }), "/sub/x/1")
  lu.assertEquals(app:url_for("/", nil, { q = "a b", n = { 1, 2 } }), "/?n=1&n=2&q=a%20b")
  lu.assertErrorMsgContains("no route 'nowhere'", app.url_for, app, "nowhere")
  lu.assertErrorMsgContains("'name' is missing", app.url_for, app, "/u/{name}")
  lu.assertErrorMsgContains("does not match", app.url_for, app, "/n/{id:%d+}", { id = "x" })
end

function T.test_every_way_to_add_a_route()
  local app = application.Application()
  local function handler() return "" end
  for _, method in ipairs { "get", "post", "put", "patch", "delete", "head", "options" } do
    lu.assertEquals(app[method](app, "/" .. method, handler).method, method:upper())
  end
  app:route("PURGE", "/purge", handler)
  lu.assertErrorMsgContains("501 to the method 'FETCH'", app.route, app, "fetch", "/", handler)
  app:add_routes { { "GET", "/list", handler, { name = "list" } }, { "*", "/any", handler } }
  local routes = application.freeze(app)
  lu.assertEquals(routes:find("PURGE", "/purge").path, "/purge")
  lu.assertEquals(routes:find("GET", "/list").name, "list")
  lu.assertEquals(routes:find("PROPFIND", "/any").method, "*")
  lu.assertStrContains(tostring(app), "10 routes")
end

function T.test_wrong_routes_are_refused_where_they_are_added()
  local app = application.Application()
  local function handler() return "" end
  lu.assertErrorMsgContains("begins with /", app.get, app, "x", handler)
  lu.assertErrorMsgContains("did you call it?", app.get, app, "/x", nil)
  lu.assertErrorMsgContains("method expected", app.route, app, "NO SUCH", "/x", handler)
  lu.assertErrorMsgContains("unknown option", app.get, app, "/x", handler, { nmae = "x" })
  app:get("/x", handler, { name = "x" })
  lu.assertErrorMsgContains("a route 'x' already", app.get, app, "/y", handler, { name = "x" })
  lu.assertErrorMsgContains("item 1", app.add_routes, app, { { 1 } })
  lu.assertErrorMsgContains("middleware", app.use, app, 1)
  lu.assertErrorMsgContains("Application expected", app.mount, app, "/a", {})
  lu.assertErrorMsgContains("has a place already", app.mount, app, "/a", app)
  lu.assertErrorMsgContains("a prefix", app.mount, app, "a", application.Application())
  lu.assertErrorMsgContains("a host", app.host, app, "a/b", application.Application())
  lu.assertErrorMsgContains("not negative", application.Application, { client_max_size = -1 })
  application.freeze(app)
  lu.assertErrorMsgContains("has started", app.get, app, "/z", handler)
  lu.assertErrorMsgContains("has started", app.use, app, handler)
  lu.assertErrorMsgContains("has started", app.on_startup.append, app.on_startup, handler)
end

function T.test_middlewares_are_put_together_once()
  local order = {}
  local function note(name)
    return function(req, next)
      order[#order + 1] = name
      local res = next(req)
      order[#order + 1] = "/" .. name
      return res
    end
  end
  local app = application.Application { middlewares = { note "a" } }
  app:use(note "b")
  local sub = application.Application()
  sub:use(note "c")
  sub:get("/x", function() return "x" end)
  app:mount("/sub", sub)
  local routes = application.freeze(app)
  local route = routes:find("GET", "/sub/x")
  lu.assertEquals(route.call({}).body, "x")
  lu.assertEquals(order, { "a", "b", "c", "/c", "/b", "/a" })
  lu.assertTrue(route == routes:find("GET", "/sub/x"))
  lu.assertTrue(route.app == sub)
end

function T.test_what_has_no_route_goes_to_the_application_whose_prefix_it_has()
  local app, sub = application.Application(), application.Application()
  local inner = application.Application()
  sub:mount("/deep", inner)
  app:mount("/sub", sub)
  local routes = application.freeze(app)
  lu.assertTrue(routes:find("GET", "/x").app == app)
  lu.assertTrue(routes:find("GET", "/subx").app == app)
  lu.assertTrue(routes:find("GET", "/sub").app == sub)
  lu.assertTrue(routes:find("GET", "/sub/x").app == sub)
  lu.assertTrue(routes:find("GET", "/sub/deep/x").app == inner)
end

-- Where an application is mounted "/" answers with the slash and without, unless "" does.
function T.test_the_place_of_an_application()
  local app, sub, inner = app_of { "/", "", "/{page}" }, app_of { "/", "/x" }, app_of { "", "/" }
  app:get("/sub/deep", function() return "mine" end)
  app:post("/sub", function() return "posted" end)
  sub:mount("/inner/", inner)
  sub:mount("/deep", app_of { "/" })
  app:mount("/sub", sub)
  local routes = application.freeze(app)
  local function at(method, path)
    local route, _, allowed = routes:find(method, path)
    return { route.app, route.name or route.path, allowed }
  end
  lu.assertEquals(at("GET", "/"), { app, "/" })
  lu.assertEquals(at("GET", "/sub"), { sub, "/" })
  lu.assertEquals(at("GET", "/sub/"), { sub, "/" })
  lu.assertEquals(at("POST", "/sub"), { app, "/sub" })
  lu.assertEquals(at("PUT", "/sub")[3], { "GET", "HEAD", "POST" })
  lu.assertEquals(at("GET", "/subs"), { app, "/{page}" })
  lu.assertEquals(at("GET", "/sub/inner"), { inner, "" })
  lu.assertEquals(at("GET", "/sub/inner/"), { inner, "/" })
  lu.assertEquals(at("GET", "/sub/deep")[1], app) -- what is there already goes first
  lu.assertEquals(app:url_for "", "/")
  lu.assertEquals(inner:url_for "", "/sub/inner")
  lu.assertEquals(inner:url_for "/", "/sub/inner/")
  lu.assertEquals(inner:url_for("", nil, { a = 1 }), "/sub/inner?a=1")
end

function T.test_hosts()
  local app = app_of { "/" }
  local one, stars = app_of { "/", "/one" }, app_of { "/" }
  app:host("one.test", one)
  app:host("*.star.test", stars)
  local routes = application.freeze(app)
  lu.assertEquals(routes.static, {})
  lu.assertTrue(routes:find("GET", "/", "one.test").app == one)
  lu.assertTrue(routes:find("GET", "/", "ONE.test:8080").app == one)
  lu.assertTrue(routes:find("GET", "/", "a.star.test").app == stars)
  lu.assertTrue(routes:find("GET", "/", "a.b.star.test").app == app)
  lu.assertTrue(routes:find("GET", "/", "onextest").app == app)
  lu.assertTrue(routes:find("GET", "/", nil).app == app)
  lu.assertTrue(routes:find("GET", "/none", "one.test").app == one)
end

return T
