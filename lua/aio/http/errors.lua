-- SPDX-License-Identifier: MIT
--
-- What a client raises: the tree of classes below ClientError, and the time limits, which are
-- below aio.TimeoutError. Every other file of the client takes its classes from here.

local core = require "aio.core"

local M = {}

--- All errors of a client but time limits.
M.ClientError = core.Error:extend "ClientError"

--- The server has answered, and not as it should. Fields: `status`, `headers`, `url`, `method`,
--- `history` (the responses before, see Response.history).
M.ClientResponseError = M.ClientError:extend "ClientResponseError"
--- The body is not of the type that was asked for.
M.ContentTypeError = M.ClientResponseError:extend "ContentTypeError"
--- The server refused to change to WebSocket.
M.WSServerHandshakeError = M.ClientResponseError:extend "WSServerHandshakeError"
--- A proxy refused to open the tunnel.
M.ClientHttpProxyError = M.ClientResponseError:extend "ClientHttpProxyError"
--- More redirects than `max_redirects`, or a redirect that cannot be followed.
M.TooManyRedirects = M.ClientResponseError:extend "TooManyRedirects"
--- What the server sent is no HTTP.
M.BadResponse = M.ClientResponseError:extend "BadResponse"

--- The connection. Of those below, what comes from the system has `code`, `errno` and `os_error`.
M.ClientConnectionError = M.ClientError:extend "ClientConnectionError"
--- The connection broke while it was used.
M.ClientOSError = M.ClientConnectionError:extend "ClientOSError"
--- The connection could not be made. Fields: `host`, `port`, `ssl`, `os_error`.
M.ClientConnectorError = M.ClientOSError:extend "ClientConnectorError"
--- The name of the host is not known.
M.ClientConnectorDNSError = M.ClientConnectorError:extend "ClientConnectorDNSError"
--- TLS could not be agreed on.
M.ClientSSLError = M.ClientConnectorError:extend "ClientSSLError"
--- A handshake that failed.
M.ClientConnectorSSLError = M.ClientSSLError:extend "ClientConnectorSSLError"
--- The certificate of the server was refused.
M.ClientConnectorCertificateError = M.ClientSSLError:extend "ClientConnectorCertificateError"
--- The proxy could not be reached.
M.ClientProxyConnectionError = M.ClientConnectorError:extend "ClientProxyConnectionError"
--- The Unix socket could not be reached.
M.UnixClientConnectorError = M.ClientConnectorError:extend "UnixClientConnectorError"
--- The server broke the connection off.
M.ServerConnectionError = M.ClientConnectionError:extend "ServerConnectionError"
--- It was closed before the answer had come.
M.ServerDisconnectedError = M.ServerConnectionError:extend "ServerDisconnectedError"

--- The body of a response ended early, is malformed, or cannot be decoded.
M.ClientPayloadError = M.ClientError:extend "ClientPayloadError"

--- A URL that cannot be requested; `url` is its text.
M.InvalidURL = M.ClientError:extend "InvalidURL"
--- Its scheme is none of http and https (ws and wss for WebSocket).
M.NonHttpUrlClientError = M.InvalidURL:extend "NonHttpUrlClientError"
--- A redirect led to a URL that is malformed.
M.InvalidUrlRedirectClientError = M.InvalidURL:extend "InvalidUrlRedirectClientError"
--- A redirect led to another scheme.
M.NonHttpUrlRedirectClientError = M.InvalidUrlRedirectClientError:extend
  "NonHttpUrlRedirectClientError"

--- A time limit of a request (http.Timeout) has passed.
M.ServerTimeoutError = core.TimeoutError:extend "ServerTimeoutError"
--- ... while a connection was waited for or made.
M.ConnectionTimeoutError = M.ServerTimeoutError:extend "ConnectionTimeoutError"
--- ... while bytes of the server were waited for.
M.SocketTimeoutError = M.ServerTimeoutError:extend "SocketTimeoutError"

-- ---- making them ----

--- An error of `class` for what the system, or TLS, said of a connection.
---@param class table
---@param message string
---@param err table the OSError
---@param fields? table
---@return table error
function M.from_os(class, message, err, fields)
  local made = class(message, fields)
  made.os_error, made.context = err, err
  made.code, made.errno, made.syscall = err.code, err.errno, err.syscall
  return made
end

--- The class for an error that came while connecting.
---@param err table
---@return table class
function M.connector_class(err)
  if core.is(err, core.SSLCertVerificationError) then return M.ClientConnectorCertificateError end
  if core.is(err, core.SSLError) then return M.ClientConnectorSSLError end
  if type(err.code) == "string" and err.code:find("^EAI_") then
    return M.ClientConnectorDNSError
  end
  return M.ClientConnectorError
end

return M
