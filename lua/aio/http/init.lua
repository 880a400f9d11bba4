-- SPDX-License-Identifier: MIT
--
-- aio.http: clients and servers of HTTP. The public table; each name is loaded from its file when
-- it is first used, so that a server does not load the client.

require "aio" -- says which lines are not the caller's

-- Public name to the file below lua/aio/http that has it, as a field of the same name of what the
-- file returns. In alphabetical order of files, then of names.
local WHERE = {
  Application = "application",
  basic_auth = "auth",
  parse_basic_auth = "auth",
  Timeout = "client_timeout",
  ContentCodingError = "coding",
  Connector = "connector",
  parse_cookie = "cookie",
  parse_set_cookie = "cookie",
  set_cookie = "cookie",
  CookieJar = "cookies",
  DummyCookieJar = "cookies",
  DigestAuth = "digest",
  BadResponse = "errors",
  ClientConnectionError = "errors",
  ClientConnectorCertificateError = "errors",
  ClientConnectorDNSError = "errors",
  ClientConnectorError = "errors",
  ClientConnectorSSLError = "errors",
  ClientError = "errors",
  ClientHttpProxyError = "errors",
  ClientOSError = "errors",
  ClientPayloadError = "errors",
  ClientProxyConnectionError = "errors",
  ClientResponseError = "errors",
  ClientSSLError = "errors",
  ConnectionTimeoutError = "errors",
  ContentTypeError = "errors",
  InvalidURL = "errors",
  InvalidUrlRedirectClientError = "errors",
  NonHttpUrlClientError = "errors",
  NonHttpUrlRedirectClientError = "errors",
  ServerConnectionError = "errors",
  ServerDisconnectedError = "errors",
  ServerTimeoutError = "errors",
  SocketTimeoutError = "errors",
  TooManyRedirects = "errors",
  UnixClientConnectorError = "errors",
  WSServerHandshakeError = "errors",
  file = "file",
  FileField = "form",
  FormData = "formdata",
  Headers = "headers",
  MultipartError = "multipart",
  MultipartReader = "multipart",
  MultipartWriter = "multipart_writer",
  normalize_path = "normalize",
  MultiDict = "query",
  encode_query = "query",
  parse_query = "query",
  redirect = "server_redirect",
  Response = "response",
  html = "response",
  json = "response",
  retry = "retry",
  run_app = "run",
  AppRunner = "runner",
  ClientSession = "session",
  delete = "session",
  get = "session",
  head = "session",
  options = "session",
  patch = "session",
  post = "session",
  put = "session",
  request = "session",
  SockSite = "site",
  TCPSite = "site",
  UnixSite = "site",
  sse = "sse",
  stream = "stream",
  URL = "url",
  percent_decode = "url",
  percent_encode = "url",
  has_etag = "value",
  http_date = "value",
  if_range = "value",
  negotiate = "value",
  parse_accept = "value",
  parse_content_disposition = "value",
  parse_content_type = "value",
  parse_date = "value",
  parse_etags = "value",
  parse_links = "value",
  parse_range = "value",
  WebSocketError = "websocket",
  websocket = "websocket",
}

-- What a server raises as an answer.
local EXCEPTIONS = {
  "HTTPException", "HTTPSuccessful", "HTTPRedirection", "HTTPError", "HTTPClientError",
  "HTTPServerError", "Ok", "Created", "Accepted", "NonAuthoritativeInformation", "NoContent",
  "ResetContent", "PartialContent", "MultipleChoices", "MovedPermanently", "Found", "SeeOther",
  "NotModified", "UseProxy", "TemporaryRedirect", "PermanentRedirect", "BadRequest",
  "Unauthorized", "PaymentRequired", "Forbidden", "NotFound", "MethodNotAllowed",
  "NotAcceptable", "ProxyAuthenticationRequired", "RequestTimeout", "Conflict", "Gone",
  "LengthRequired", "PreconditionFailed", "RequestEntityTooLarge", "RequestURITooLong",
  "UnsupportedMediaType", "RequestRangeNotSatisfiable", "ExpectationFailed",
  "MisdirectedRequest", "UnprocessableEntity", "Locked", "FailedDependency", "UpgradeRequired",
  "PreconditionRequired", "TooManyRequests", "RequestHeaderFieldsTooLarge",
  "UnavailableForLegalReasons", "InternalServerError", "NotImplemented", "BadGateway",
  "ServiceUnavailable", "GatewayTimeout", "VersionNotSupported", "VariantAlsoNegotiates",
  "InsufficientStorage", "NotExtended", "NetworkAuthenticationRequired",
}
for _, name in ipairs(EXCEPTIONS) do WHERE[name] = "exceptions" end

local http = {}

---Loads every name: for those who enumerate them.
---@return table  the module itself
function http._load_all()
  for name in pairs(WHERE) do local _ = http[name] end
  return http
end

return setmetatable(http, {
  __index = function(self, name)
    local file = WHERE[name]
    if not file then return nil end
    local value = require("aio.http." .. file)[name]
    rawset(self, name, value)
    return value
  end,
})
