# A client with the gem websocket, which knows draft75, draft76 and the versions 7, 8 and 13. It leaves
# the socket to us. See clients.ts for the arguments and the output.
require "socket"
require "websocket"

$stdout.sync = true
WebSocket.max_frame_size = 1_000_000

TEXTS = ["", "Hello", "Ahoj, žluťoučký kůň; 日本語; 👋🏽", "語" * 33_334].freeze
BINARIES = [0, 126, 102_400].map { |size| (0...size).map { |i| i % 251 }.pack("C*") }.freeze

# A connection: the part that the gem does not have.
class Client
  attr_reader :subprotocol, :version

  def initialize(url, version)
    @version = version
    # The gem sends the field of draft75 in draft76, too, where it has another name.
    protocols = version == 76 ? [] : ["chat"]
    options = { url: url, version: version, protocols: protocols, origin: "http://example.com" }
    handshake = WebSocket::Handshake::Client.new(options)
    @socket = TCPSocket.new(handshake.host, handshake.port)
    @socket.setsockopt(Socket::IPPROTO_TCP, Socket::TCP_NODELAY, 1)
    request = handshake.to_s
    @socket.write(request)
    response = read_response
    handshake << response
    raise "#{handshake.error} after #{request.inspect}, #{response.inspect}" unless handshake.finished? && handshake.valid?
    name = version == 75 ? "websocket-protocol" : "sec-websocket-protocol"
    @subprotocol = handshake.headers[name].to_s.strip
    @frames = WebSocket::Frame::Incoming::Client.new(version: version)
  end

  def draft?
    @version > 13
  end

  def send_frame(type, data, code: nil)
    @socket.write(WebSocket::Frame::Outgoing::Client.new(version: @version, type: type, data: data, code: code).to_s)
  end

  # The next message or control frame, except a ping, which is answered. Nothing at the end.
  def receive
    loop do
      frame = @frames.next
      raise @frames.error.to_s if @frames.error?
      if frame.nil?
        @frames << @socket.readpartial(65_536)
      elsif frame.type == :ping
        send_frame(:pong, frame.to_s)
      else
        return frame
      end
    end
  rescue EOFError, Errno::ECONNRESET
    nil
  end

  # Waits for the end.
  def finish
    raise "A frame after the close frame" unless receive.nil?
    @socket.close
  end

  def shutdown
    @socket.shutdown(Socket::SHUT_WR)
  end

  private

  # The head, and draft76's 16 bytes.
  def read_response
    response = @socket.gets("\r\n\r\n").b
    response << @socket.read(16) if @version == 76
    response
  end
end

def converse(client)
  puts "subprotocol #{client.subprotocol}" unless client.subprotocol.empty?
  messages = TEXTS.map { |text| [:text, text] }
  messages.concat(BINARIES.map { |bytes| [:binary, bytes] }) unless client.draft?
  messages.each { |type, data| client.send_frame(type, data) }
  puts "echoes #{messages.count { |type, data|
    frame = client.receive
    frame.type == type && frame.to_s.b == data.b
  }}"
  unless client.draft?
    client.send_frame(:ping, "are you there")
    puts "pong #{client.receive}"
    client.send_frame(:text, "ping me")
    puts client.receive.to_s
  end
  client.send_frame(:text, "close me")
  frame = client.receive
  puts "closed #{frame&.code} #{frame}".strip
  client.send_frame(:close, frame.to_s, code: frame.code) unless frame.nil?
  client.finish
end

def leave(client)
  if client.version == 75
    client.shutdown
    client.finish
    return ""
  end
  client.send_frame(:close, client.draft? ? "" : "done", code: client.draft? ? nil : 4000)
  frame = client.receive
  raise "No close frame" unless frame.type == :close
  client.finish
  "#{frame.code} #{frame}".strip
end

srand(ARGV.shift.to_i)
ARGV.each_slice(3) do |version, handshakes, url|
  puts "connect #{url}"
  connect = -> { Client.new(url, version.to_i) }
  converse(connect.call)
  puts "left #{leave(connect.call)}".strip
  handshakes.to_i.times do
    client = connect.call
    client.send_frame(:text, "Hello")
    raise "No echo" unless client.receive.to_s == "Hello"
    leave(client)
  end
  puts "handshakes #{handshakes}"
end
