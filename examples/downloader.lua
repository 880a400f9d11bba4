-- Downloads a file with a progress bar, and goes on where a download was cut short.
--   lua5.4 examples/downloader.lua URL [FILE]
-- What has come stands in FILE.part, and in FILE.tag by which version it is; so another start goes
-- on too. Without a URL it downloads from a server of its own, which breaks off twice.

local aio = require "aio"
local http = require "aio.http"

local TRIES, PAUSE, WIDTH = 5, 1, 30

local function read(path)
  local ok, text = aio.catch(aio.OSError, aio.fs.read, path)
  return ok and text or nil
end

-- A bar on a terminal; elsewhere a line for each quarter.
local function progress(from, to_terminal)
  local last
  return function(done, total)
    if not total then return end
    done, total = from + done, from + total
    last = last or from > 0 and from * 4 // total or -1
    local quarter = done * 4 // total
    if to_terminal then
      local full = done * WIDTH // total
      io.stderr:write(("\r[%s%s] %3d %% of %d bytes "):format(("#"):rep(full),
        ("-"):rep(WIDTH - full), done * 100 // total, total), done == total and "\n" or "")
    elseif quarter > last then
      print(("%d %%"):format(quarter * 25))
    end
    last = quarter
  end
end

-- One request for what is missing. True when all is there.
local function attempt(session, url, file, to_terminal)
  local part, tag = file .. ".part", read(file .. ".tag")
  local have = tag and #(read(part) or "") or 0
  local res <close> = session:get(url, {
    headers = { ["Accept-Encoding"] = "identity", ["If-Range"] = have > 0 and tag or nil,
      Range = have > 0 and ("bytes=%d-"):format(have) or nil },
  })
  local complete = res.headers["content-range"] == "bytes */" .. have
  if complete and res.status == 416 then return end
  res:raise_for_status()
  local goes_on = res.status == 206 -- 200: the file is another one now, or there are no ranges
  if res.headers["etag"] then aio.fs.write(file .. ".tag", res.headers["etag"]) end
  if not goes_on then aio.catch(aio.OSError, aio.fs.remove, part) end
  res:save(part, { append = true, on_progress = progress(goes_on and have or 0, to_terminal) })
end

local function download(url, file, to_terminal)
  local session <close> = http.ClientSession { timeout = http.Timeout { total = false,
    sock_read = 30 } }
  for try = 1, TRIES do
    local ok, err = aio.catch({ http.ClientPayloadError, http.ClientConnectionError,
      aio.TimeoutError }, attempt, session, url, file, to_terminal)
    if ok then break end
    if try == TRIES then error(err, 0) end
    print("again: " .. err.message)
    aio.sleep(PAUSE * try)
  end
  aio.fs.rename(file .. ".part", file)
  aio.catch(aio.OSError, aio.fs.remove, file .. ".tag")
end

-- ---- without a URL ----

local FILE = ("0123456789abcdef"):rep(50000)

-- Sends at most 300,000 bytes of what was asked for.
local function serve(conn)
  local head = conn:readuntil "\r\n\r\n"
  local from = tonumber(head:match "\r\nRange: bytes=(%d+)%-" or 0)
  conn:write(from > 0 and ("HTTP/1.1 206 Partial Content\r\nContent-Range: bytes %d-%d/%d\r\n")
    :format(from, #FILE - 1, #FILE) or "HTTP/1.1 200 OK\r\n")
  conn:write("ETag: \"v1\"\r\nContent-Length: ", #FILE - from, "\r\n\r\n",
    FILE:sub(from + 1, from + 300000))
end

local function show()
  local server <close> = aio.start_server(serve, "127.0.0.1", 0)
  local folder = aio.fs.mkdtemp()
  local _ <close> = aio.defer(aio.fs.remove, folder, { recursive = true })
  PAUSE = 0.1
  download(("http://127.0.0.1:%d/file"):format(server.port), folder .. "/file", false)
  print(aio.fs.read(folder .. "/file") == FILE)
end

aio.main(function(url, file)
  if not url then return show() end
  download(url, file or url:match "([^/?#]+)[^/]*$" or "download", os.execute "test -t 2")
end, ...)

-- prints:
-- 0 %
-- 25 %
-- again: the connection ended before the body of the response: 500000 bytes are missing
-- 50 %
-- 75 %
-- again: the connection ended before the body of the response: 200000 bytes are missing
-- 100 %
-- true
