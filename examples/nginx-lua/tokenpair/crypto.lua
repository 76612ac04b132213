-- Signatures and hashes, by the OpenSSL 3 that nginx is linked with.

local ffi = require "ffi"
local base64 = require "ngx.base64"

ffi.cdef [[
  typedef struct evp_pkey_st EVP_PKEY;
  typedef struct evp_md_st EVP_MD;
  typedef struct evp_md_ctx_st EVP_MD_CTX;
  EVP_PKEY *d2i_PUBKEY(EVP_PKEY **key, const unsigned char **in, long length);
  void EVP_PKEY_free(EVP_PKEY *key);
  const EVP_MD *EVP_sha256(void);
  EVP_MD_CTX *EVP_MD_CTX_new(void);
  void EVP_MD_CTX_free(EVP_MD_CTX *ctx);
  int EVP_DigestVerifyInit(EVP_MD_CTX *ctx, void **pctx, const EVP_MD *type, void *e, EVP_PKEY *key);
  int EVP_DigestVerify(EVP_MD_CTX *ctx, const unsigned char *sig, size_t siglen, const unsigned char *tbs, size_t tbslen);
  void ERR_clear_error(void);
  unsigned char *SHA256(const unsigned char *d, size_t n, unsigned char *md);
  struct timespec_tp { long seconds; long nanoseconds; };
  int clock_gettime(int id, struct timespec_tp *time);
]]

local M = {}

local digest = ffi.new("unsigned char[32]")
function M.sha256(text)
  ffi.C.SHA256(text, #text, digest)
  return ffi.string(digest, 32)
end

-- Milliseconds on a clock that never steps, and goes on while the machine is suspended: Linux's CLOCK_BOOTTIME. All workers have
-- the same one.
local time = ffi.new("struct timespec_tp")
function M.monotonic()
  ffi.C.clock_gettime(7, time)
  return tonumber(time.seconds) * 1000 + tonumber(time.nanoseconds) / 1000000
end

-- Returns the bytes of base64url without padding; nil unless it is the only form of these bytes.
function M.decode_base64url(text)
  local bytes = base64.decode_base64url(text)
  if bytes == nil or base64.encode_base64url(bytes) ~= text then return nil end
  return bytes
end

-- Distinguished encoding rules of ASN.1 (X.690).
local function der(tag, content)
  local size = #content
  local length
  if size < 128 then length = string.char(size)
  elseif size < 256 then length = string.char(0x81, size)
  else length = string.char(0x82, math.floor(size / 256), size % 256) end
  return string.char(tag) .. length .. content
end

local function der_integer(bytes)
  bytes = bytes:gsub("^%z+", "")
  if bytes == "" or bytes:byte() >= 128 then bytes = "\0" .. bytes end
  return der(2, bytes)
end

-- The SubjectPublicKeyInfo (RFC 5280) of each kind of key.
local spki = {
  ES256 = function(jwk)
    local x, y = M.decode_base64url(jwk.x or ""), M.decode_base64url(jwk.y or "")
    if jwk.kty ~= "EC" or jwk.crv ~= "P-256" or x == nil or y == nil or #x ~= 32 or #y ~= 32 then return nil end
    local algorithm = "\6\7\42\134\72\206\61\2\1" .. "\6\8\42\134\72\206\61\3\1\7"
    return der(48, der(48, algorithm) .. der(3, "\0\4" .. x .. y))
  end,
  EdDSA = function(jwk)
    local x = M.decode_base64url(jwk.x or "")
    if jwk.kty ~= "OKP" or jwk.crv ~= "Ed25519" or x == nil or #x ~= 32 then return nil end
    return der(48, der(48, "\6\3\43\101\112") .. der(3, "\0" .. x))
  end,
  RS256 = function(jwk)
    local n, e = M.decode_base64url(jwk.n or ""), M.decode_base64url(jwk.e or "")
    if jwk.kty ~= "RSA" or n == nil or e == nil or #n < 256 then return nil end
    local key = der(48, der_integer(n) .. der_integer(e))
    return der(48, der(48, "\6\9\42\134\72\134\247\13\1\1\1\5\0") .. der(3, "\0" .. key))
  end,
}

-- Returns a key of a JWK Set for `verify`; nil for one of another kind.
function M.import(jwk)
  local encode = spki[jwk.alg]
  local bytes = encode and encode(jwk)
  if bytes == nil then return nil end
  local at = ffi.new("const unsigned char *[1]")
  local buffer = ffi.new("unsigned char[?]", #bytes, bytes)
  at[0] = buffer
  local key = ffi.C.d2i_PUBKEY(nil, at, #bytes)
  if key == nil then
    ffi.C.ERR_clear_error()
    return nil
  end
  return { alg = jwk.alg, handle = ffi.gc(key, ffi.C.EVP_PKEY_free) }
end

-- Returns whether a signature of a JWS is right (RFC 7518, RFC 8037).
function M.verify(key, message, signature)
  local hash = ffi.C.EVP_sha256()
  if key.alg == "ES256" then
    if #signature ~= 64 then return false end
    signature = der(48, der_integer(signature:sub(1, 32)) .. der_integer(signature:sub(33)))
  elseif key.alg == "EdDSA" then
    hash = nil
  end
  local context = ffi.gc(ffi.C.EVP_MD_CTX_new(), ffi.C.EVP_MD_CTX_free)
  local is_right = ffi.C.EVP_DigestVerifyInit(context, nil, hash, nil, key.handle) == 1
    and ffi.C.EVP_DigestVerify(context, signature, #signature, message, #message) == 1
  ffi.C.ERR_clear_error()
  return is_right
end

return M
