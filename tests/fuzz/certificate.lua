-- SPDX-License-Identifier: MIT
-- A certificate as a peer may send it, before anybody has looked whether to trust it.

local host = require "fuzzhost"
local input = require "input"

return input.target(function(i)
  local cert = host.certificate(i.data)
  if not cert then return end
  for _, name in ipairs { "subject", "issuer" } do
    for key, value in pairs(cert[name]) do
      assert(type(key) == "string" and type(value) == "string")
    end
  end
  for _, alternative in ipairs(cert.subjectAltName) do
    assert(#alternative == 2 and type(alternative[2]) == "string")
  end
  assert(math.type(cert.version) == "integer")
  for _, name in ipairs { "notBefore", "notAfter", "serialNumber", "pem" } do
    assert(type(cert[name]) == "string", name)
  end
end)
