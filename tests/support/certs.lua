-- SPDX-License-Identifier: MIT
-- Certificates for tests, made by the openssl command: one authority with a server's, an expired
-- and a client's certificate, one that vouches for it and a server's of that; another authority
-- with a server's; a self-signed one. The files are gone when this returns their texts.

local MAKE = [[
set -e
cd "$1"
key() { openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1.key"; }
authority() {
  key "$1"
  openssl req -x509 -key "$1.key" -out "$1.pem" -days 3650 -subj "/CN=$2" \
    -addext keyUsage=critical,keyCertSign
}
sign() {
  key "$1"
  openssl req -new -key "$1.key" -subj "/CN=$1" -out "$1.csr"
  printf '%s\n' "$3" >"$1.ext"
  openssl x509 -req -in "$1.csr" -CA "$2.pem" -CAkey "$2.key" -set_serial "$5" -days "$4" \
    -extfile "$1.ext" -out "$1.pem"
}
here="subjectAltName=DNS:localhost,IP:127.0.0.1"
authority ca "Test authority"
authority other "Another authority"
sign server ca "$here" 3650 0x11
sign expired ca "$here" -1 0x12
sign elsewhere ca subjectAltName=DNS:example.org,DNS:*.example.net 3650 0x13
sign client ca extendedKeyUsage=clientAuth 3650 0x14
sign foreign other "$here" 3650 0x15
sign between ca "$(printf 'basicConstraints=critical,CA:TRUE\nkeyUsage=keyCertSign')" 3650 0x16
sign leaf between "$here" 3650 0x17
key self
openssl req -x509 -key self.key -out self.pem -days 3650 -subj /CN=self -addext "$here"
openssl pkey -in server.key -aes128 -passout pass:secret -out locked.key
]]

local function lines_of(command)
  local pipe = assert(io.popen(command))
  local text = pipe:read("a")
  assert(pipe:close(), text)
  return text
end

local function read(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read("a")
  file:close()
  return text
end

local dir = lines_of("mktemp -d"):gsub("\n$", "")
local script = MAKE:gsub("'", "'\\''")
lines_of(("sh -c '%s' certs '%s' 2>&1"):format(script, dir))

---@type table<string, string>  name -> certificate in PEM form, and name_key -> its key
local certs = { locked_key = read(dir .. "/locked.key") }
for _, name in ipairs { "ca", "other", "server", "expired", "elsewhere", "client", "between",
  "leaf", "foreign", "self" } do
  certs[name] = read(("%s/%s.pem"):format(dir, name))
  certs[name .. "_key"] = read(("%s/%s.key"):format(dir, name))
end
lines_of(("rm -r '%s'"):format(dir))

return certs
