-- A client with lua-http. It has no compression, and does not show pongs. See clients.ts for the
-- arguments and the output.
local websocket = require "http.websocket"

local function bytes(size)
  local all = {}
  for i = 0, size - 1 do all[i + 1] = string.char(i % 251) end
  return table.concat(all)
end

local messages = {
  { "text", "" },
  { "text", "Hello" },
  { "text", "Ahoj, žluťoučký kůň; 日本語; 👋🏽" },
  { "text", ("語"):rep(33334) },
  { "binary", "" },
  { "binary", bytes(126) },
  { "binary", bytes(102400) },
}

local function connect(url)
  local socket = websocket.new_from_uri(url, { "other", "chat" })
  assert(socket:connect(20))
  return socket
end

local function converse(socket)
  print("subprotocol " .. socket.protocol)
  local echoes = 0
  for _, message in ipairs(messages) do
    local kind, data = table.unpack(message)
    assert(socket:send(data, kind, 20))
    local received, received_kind = socket:receive(20)
    if received == data and received_kind == kind then echoes = echoes + 1 end
  end
  print("echoes " .. echoes)
  assert(socket:send_ping("are you there", 20))
  assert(socket:send("ping me", "text", 20))
  print((assert(socket:receive(20))))
  assert(socket:send("close me", "text", 20))
  local _, reason, code = socket:receive(20)
  print("closed " .. code .. " " .. reason)
end

local function leave(socket)
  socket:close(4000, "done", 20)
  print("left " .. socket.got_close_code .. " " .. socket.got_close_message)
end

io.stdout:setvbuf("no")
for i = 2, #arg, 3 do
  print("connect " .. arg[i + 2])
  converse(connect(arg[i + 2]))
  leave(connect(arg[i + 2]))
  print("handshakes " .. arg[i + 1])
end
