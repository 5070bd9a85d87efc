// A client with the ClientWebSocket of Mono, which has no compression, no pings of the user's, and
// hides pongs. See clients.ts for the arguments and the output.
using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Net.WebSockets;
using System.Text;
using System.Threading;
using System.Threading.Tasks;

static class Mono {
  static readonly List<Tuple<WebSocketMessageType, byte[]>> Messages = MakeMessages();

  static List<Tuple<WebSocketMessageType, byte[]>> MakeMessages() {
    var large = new StringBuilder().Insert(0, "語", 33334).ToString();
    var texts = new[] { "", "Hello", "Ahoj, žluťoučký kůň; 日本語; 👋🏽", large };
    var all = texts.Select(text => Tuple.Create(WebSocketMessageType.Text, Encoding.UTF8.GetBytes(text)));
    var binaries = new[] { 0, 126, 102400 }.Select(size => Tuple.Create(
        WebSocketMessageType.Binary, Enumerable.Range(0, size).Select(i => (byte)(i % 251)).ToArray()));
    return all.Concat(binaries).ToList();
  }

  static async Task<ClientWebSocket> Connect(string url) {
    var socket = new ClientWebSocket();
    socket.Options.AddSubProtocol("other");
    socket.Options.AddSubProtocol("chat");
    await socket.ConnectAsync(new Uri(url), CancellationToken.None);
    return socket;
  }

  static Task Send(ClientWebSocket socket, WebSocketMessageType type, byte[] bytes) {
    return socket.SendAsync(new ArraySegment<byte>(bytes), type, true, CancellationToken.None);
  }

  static Task Send(ClientWebSocket socket, string text) {
    return Send(socket, WebSocketMessageType.Text, Encoding.UTF8.GetBytes(text));
  }

  static async Task<Tuple<WebSocketMessageType, byte[]>> Receive(ClientWebSocket socket) {
    var bytes = new MemoryStream();
    var buffer = new byte[65536];
    while (true) {
      var result = await socket.ReceiveAsync(new ArraySegment<byte>(buffer), CancellationToken.None);
      bytes.Write(buffer, 0, result.Count);
      if (result.EndOfMessage) return Tuple.Create(result.MessageType, bytes.ToArray());
    }
  }

  static async Task Converse(ClientWebSocket socket) {
    Console.WriteLine("subprotocol " + socket.SubProtocol);
    var echoes = 0;
    foreach (var message in Messages) {
      await Send(socket, message.Item1, message.Item2);
      var received = await Receive(socket);
      if (received.Item1 == message.Item1 && received.Item2.SequenceEqual(message.Item2)) echoes++;
    }
    Console.WriteLine("echoes " + echoes);
    await Send(socket, "ping me");
    Console.WriteLine(Encoding.UTF8.GetString((await Receive(socket)).Item2));
    await Send(socket, "close me");
    await Receive(socket);
    Console.WriteLine("closed " + Closed(socket));
    await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, "", CancellationToken.None);
  }

  static string Closed(ClientWebSocket socket) {
    return (int)socket.CloseStatus + " " + socket.CloseStatusDescription;
  }

  static async Task Leave(ClientWebSocket socket) {
    await socket.CloseAsync((WebSocketCloseStatus)4000, "done", CancellationToken.None);
    Console.WriteLine("left " + Closed(socket));
  }

  static async Task Run(string[] args) {
    for (var i = 1; i < args.Length; i += 3) {
      Console.WriteLine("connect " + args[i + 2]);
      await Converse(await Connect(args[i + 2]));
      await Leave(await Connect(args[i + 2]));
      Console.WriteLine("handshakes " + args[i + 1]);
    }
  }

  static void Main(string[] args) {
    Run(args).Wait();
  }
}
