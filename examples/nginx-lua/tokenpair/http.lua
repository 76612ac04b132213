-- HTTP/1.1 requests over nginx's sockets: enough to read the keys and the feed.

local M = {}

-- Splits "https://host:port/path". Returns nil for anything else.
function M.parse(url)
  local scheme, host, port, path = string.match(url, "^(https?)://([^/:]+):?(%d*)(.*)$")
  if scheme == nil then return nil end
  return { scheme = scheme, host = host, port = tonumber(port) or (scheme == "https" and 443 or 80), path = (path:gsub("/$", "")) }
end

-- Returns a function that reads exactly `count` bytes of the body, and nil with a reason if there aren't as many.
local function body_reader(socket, headers)
  local is_chunked = (headers["transfer-encoding"] or ""):lower() == "chunked"
  local left = is_chunked and 0 or tonumber(headers["content-length"] or 0)
  return function(count)
    local parts, missing = {}, count
    while missing > 0 do
      if left == 0 then
        if not is_chunked then return nil, "end" end
        local line, fault = socket:receive("*l")
        if line == nil then return nil, fault end
        left = tonumber(line:match("^%x+") or "0", 16)
        if left == 0 then return nil, "end" end
      end
      local size = math.min(missing, left)
      local data, fault = socket:receive(size)
      if data == nil then return nil, fault end
      parts[#parts + 1] = data
      left, missing = left - size, missing - size
      if left == 0 and is_chunked then socket:receive("*l") end
    end
    return table.concat(parts)
  end, left
end

-- Sends a request. Returns { status, headers, read, length, close }, or nil and a reason.
-- `timeout` is in milliseconds: for the connection, and between two parts of the answer.
function M.send(method, url, path, headers, timeout)
  local socket = ngx.socket.tcp()
  socket:settimeout(timeout)
  local ok, fault = socket:connect(url.host, url.port)
  if not ok then return nil, "connecting failed: " .. fault end
  if url.scheme == "https" then
    ok, fault = socket:sslhandshake(nil, url.host, true)
    if not ok then return nil, "TLS failed: " .. fault end
  end
  local lines = { method .. " " .. url.path .. path .. " HTTP/1.1", "Host: " .. url.host .. ":" .. url.port }
  for name, value in pairs(headers) do lines[#lines + 1] = name .. ": " .. value end
  if method == "POST" then lines[#lines + 1] = "Content-Length: 0" end
  ok, fault = socket:send(table.concat(lines, "\r\n") .. "\r\n\r\n")
  if not ok then return nil, fault end

  local line
  line, fault = socket:receive("*l")
  if line == nil then return nil, fault end
  local answer = { status = tonumber(line:match("^HTTP/1%.%d (%d%d%d)")), headers = {} }
  repeat
    line, fault = socket:receive("*l")
    if line == nil then return nil, fault end
    local name, value = line:match("^([^:]+):%s*(.-)%s*$")
    if name ~= nil then answer.headers[name:lower()] = value end
  until line == ""
  answer.read, answer.length = body_reader(socket, answer.headers)
  answer.close = function() socket:close() end
  return answer
end

return M
