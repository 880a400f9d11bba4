-- SPDX-License-Identifier: MIT
--
-- Media types of files by their extensions: those of the web. Others are added to `types`.

local M = {}

--- Extension in lower case, without its dot, to a Content-Type.
M.types = {
  aac = "audio/aac", avif = "image/avif", bin = "application/octet-stream", bmp = "image/bmp",
  css = "text/css; charset=utf-8", csv = "text/csv; charset=utf-8", epub = "application/epub+zip",
  flac = "audio/flac", gif = "image/gif", gz = "application/gzip", htm = "text/html; charset=utf-8",
  html = "text/html; charset=utf-8", ico = "image/vnd.microsoft.icon", ics = "text/calendar",
  jpeg = "image/jpeg", jpg = "image/jpeg", js = "text/javascript; charset=utf-8",
  json = "application/json", jsonld = "application/ld+json", m4a = "audio/mp4",
  map = "application/json", md = "text/markdown; charset=utf-8",
  mjs = "text/javascript; charset=utf-8", mp3 = "audio/mpeg", mp4 = "video/mp4", oga = "audio/ogg",
  ogg = "audio/ogg", ogv = "video/ogg", opus = "audio/ogg", otf = "font/otf",
  pdf = "application/pdf", png = "image/png", svg = "image/svg+xml", tar = "application/x-tar",
  tiff = "image/tiff", ttf = "font/ttf", txt = "text/plain; charset=utf-8",
  wasm = "application/wasm", wav = "audio/wav", weba = "audio/webm", webm = "video/webm",
  webmanifest = "application/manifest+json", webp = "image/webp", woff = "font/woff",
  woff2 = "font/woff2", xhtml = "application/xhtml+xml", xml = "text/xml; charset=utf-8",
  zip = "application/zip",
}

--- The type of a file by its name.
---@param path string
---@return string
function M.of(path)
  local extension = path:match "%.([%w]+)$"
  return extension and M.types[extension:lower()] or "application/octet-stream"
end

return M
