-- Strict JSON (RFC 8259): valid UTF-8, no name twice in an object, nothing after the value. cjson accepts more than that.

local M = {}

-- The value of `null`, and what marks a list.
M.null = setmetatable({}, { __tostring = function() return "null" end })
M.list = {}

local escapes = { ['"'] = '"', ["\\"] = "\\", ["/"] = "/", b = "\b", f = "\f", n = "\n", r = "\r", t = "\t" }
local literals = { ["true"] = true, ["false"] = false, null = M.null }
local max_depth = 100

local function is_utf8(text)
  local at = 1
  while at <= #text do
    local first = text:byte(at)
    local size, low, high = 0, 0x80, 0xbf
    if first < 0x80 then size = 0
    elseif first >= 0xc2 and first <= 0xdf then size = 1
    elseif first >= 0xe0 and first <= 0xef then
      size = 2
      if first == 0xe0 then low = 0xa0 elseif first == 0xed then high = 0x9f end
    elseif first >= 0xf0 and first <= 0xf4 then
      size = 3
      if first == 0xf0 then low = 0x90 elseif first == 0xf4 then high = 0x8f end
    else return false end
    for next = 1, size do
      local byte = text:byte(at + next)
      if byte == nil or byte < low or byte > high then return false end
      low, high = 0x80, 0xbf
    end
    at = at + size + 1
  end
  return true
end

local function to_utf8(code)
  if code < 0x80 then return string.char(code) end
  if code < 0x800 then return string.char(0xc0 + math.floor(code / 64), 0x80 + code % 64) end
  if code < 0x10000 then
    return string.char(0xe0 + math.floor(code / 4096), 0x80 + math.floor(code / 64) % 64, 0x80 + code % 64)
  end
  return string.char(0xf0 + math.floor(code / 262144), 0x80 + math.floor(code / 4096) % 64,
    0x80 + math.floor(code / 64) % 64, 0x80 + code % 64)
end

local function fail() error("not JSON", 0) end

local function skip(text, at) return text:find("[^ \t\r\n]", at) or #text + 1 end

local function read_unicode(text, at)
  local digits = text:match("^%x%x%x%x", at) or fail()
  local code = tonumber(digits, 16)
  if code < 0xd800 or code > 0xdfff then return to_utf8(code), at + 4 end
  local low = tonumber(text:match("^\\u(%x%x%x%x)", at + 4) or fail(), 16)
  if code > 0xdbff or low < 0xdc00 or low > 0xdfff then fail() end
  return to_utf8(0x10000 + (code - 0xd800) * 0x400 + low - 0xdc00), at + 10
end

local function read_string(text, at)
  local parts = {}
  while true do
    local stop = text:find('["\\%c]', at) or fail()
    parts[#parts + 1] = text:sub(at, stop - 1)
    local found = text:sub(stop, stop)
    if found == '"' then return table.concat(parts), stop + 1 end
    if found == "\127" then
      parts[#parts + 1], at = found, stop + 1
    elseif found ~= "\\" then fail()
    else
      local name = text:sub(stop + 1, stop + 1)
      if name == "u" then parts[#parts + 1], at = read_unicode(text, stop + 2)
      else parts[#parts + 1], at = escapes[name] or fail(), stop + 2 end
    end
  end
end

local function read_number(text, at)
  local number = text:match("^-?0%f[^%d][.%deE+-]*", at) or text:match("^-?0$", at) or text:match("^-?[1-9][.%deE+-]*", at) or fail()
  local rest = number:match("^-?%d+(.*)$")
  if rest ~= "" and not (rest:find("^%.%d+$") or rest:find("^%.%d+[eE][+-]?%d+$") or rest:find("^[eE][+-]?%d+$")) then fail() end
  return tonumber(number), at + #number
end

local read_value

local function read_members(text, at, depth)
  local object = {}
  at = skip(text, at)
  if text:sub(at, at) == "}" then return object, at + 1 end
  while true do
    if text:sub(at, at) ~= '"' then fail() end
    local name
    name, at = read_string(text, at + 1)
    at = skip(text, at)
    if text:sub(at, at) ~= ":" or object[name] ~= nil then fail() end
    object[name], at = read_value(text, at + 1, depth)
    at = skip(text, at)
    local found = text:sub(at, at)
    if found == "}" then return object, at + 1 end
    if found ~= "," then fail() end
    at = skip(text, at + 1)
  end
end

local function read_elements(text, at, depth)
  local list = setmetatable({}, M.list)
  at = skip(text, at)
  if text:sub(at, at) == "]" then return list, at + 1 end
  while true do
    list[#list + 1], at = read_value(text, at, depth)
    at = skip(text, at)
    local found = text:sub(at, at)
    if found == "]" then return list, at + 1 end
    if found ~= "," then fail() end
    at = at + 1
  end
end

function read_value(text, at, depth)
  if depth > max_depth then fail() end
  at = skip(text, at)
  local first = text:sub(at, at)
  if first == '"' then return read_string(text, at + 1) end
  if first == "{" then return read_members(text, at + 1, depth + 1) end
  if first == "[" then return read_elements(text, at + 1, depth + 1) end
  local word = text:match("^%a+", at)
  if word == nil then return read_number(text, at) end
  if literals[word] == nil then fail() end
  return literals[word], at + #word
end

-- Returns the object that a text is; nil if it isn't one.
function M.parse_object(text)
  if text == nil or not is_utf8(text) then return nil end
  local ok, value, at = pcall(read_value, text, 1, 0)
  if not ok or type(value) ~= "table" or value == M.null or getmetatable(value) == M.list then return nil end
  return skip(text, at) == #text + 1 and value or nil
end

function M.is_list(value) return getmetatable(value) == M.list end

return M
