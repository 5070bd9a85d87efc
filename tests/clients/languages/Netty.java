import io.netty.bootstrap.Bootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.channel.nio.NioEventLoopGroup;
import io.netty.channel.socket.SocketChannel;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.handler.codec.http.FullHttpResponse;
import io.netty.handler.codec.http.HttpClientCodec;
import io.netty.handler.codec.http.HttpObjectAggregator;
import io.netty.handler.codec.http.EmptyHttpHeaders;
import io.netty.handler.codec.http.websocketx.BinaryWebSocketFrame;
import io.netty.handler.codec.http.websocketx.CloseWebSocketFrame;
import io.netty.handler.codec.http.websocketx.PingWebSocketFrame;
import io.netty.handler.codec.http.websocketx.PongWebSocketFrame;
import io.netty.handler.codec.http.websocketx.TextWebSocketFrame;
import io.netty.handler.codec.http.websocketx.WebSocketClientHandshaker;
import io.netty.handler.codec.http.websocketx.WebSocketClientHandshakerFactory;
import io.netty.handler.codec.http.websocketx.WebSocketFrame;
import io.netty.handler.codec.http.websocketx.WebSocketFrameAggregator;
import io.netty.handler.codec.http.websocketx.WebSocketVersion;
import io.netty.handler.codec.http.websocketx.extensions.compression.WebSocketClientCompressionHandler;
import io.netty.util.CharsetUtil;
import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/**
 * A client with Netty, which knows draft76 (as its version 0) and the versions 7, 8 and 13. It draws
 * the keys of draft76 from a source without a seed. See clients.ts for the arguments and the output.
 */
final class Netty extends SimpleChannelInboundHandler<Object> {
  private static final Map<String, WebSocketVersion> VERSIONS = Map.of(
      "76", WebSocketVersion.V00, "7", WebSocketVersion.V07,
      "8", WebSocketVersion.V08, "13", WebSocketVersion.V13);
  private static final int LARGEST = 1_000_000;
  private static final NioEventLoopGroup LOOP = new NioEventLoopGroup(1);

  private final WebSocketClientHandshaker handshaker;
  private final BlockingQueue<WebSocketFrame> received = new LinkedBlockingQueue<>();
  private final boolean draft;
  private String extensions;
  private Channel channel;

  private Netty(String version, URI uri) throws InterruptedException {
    draft = version.equals("76");
    handshaker = WebSocketClientHandshakerFactory.newHandshaker(
        uri, VERSIONS.get(version), "chat", true, EmptyHttpHeaders.INSTANCE, LARGEST);
    channel = new Bootstrap().group(LOOP).channel(NioSocketChannel.class)
        .handler(new ChannelInitializer<SocketChannel>() {
          @Override
          protected void initChannel(SocketChannel made) {
            made.pipeline().addLast(new HttpClientCodec(), new HttpObjectAggregator(LARGEST));
            if (!draft) made.pipeline().addLast(WebSocketClientCompressionHandler.INSTANCE);
            made.pipeline().addLast(Netty.this);
          }
        })
        .connect(uri.getHost(), uri.getPort()).sync().channel();
    synchronized (this) {
      while (!handshaker.isHandshakeComplete()) {
        wait(20_000);
        if (!channel.isActive()) throw new IllegalStateException("No handshake");
      }
    }
  }

  @Override
  public void channelActive(ChannelHandlerContext context) {
    handshaker.handshake(context.channel());
  }

  @Override
  public synchronized void channelInactive(ChannelHandlerContext context) {
    notifyAll();
  }

  @Override
  protected void channelRead0(ChannelHandlerContext context, Object message) {
    if (message instanceof FullHttpResponse response) {
      synchronized (this) {
        extensions = response.headers().get("sec-websocket-extensions");
        handshaker.finishHandshake(context.channel(), response);
        context.pipeline().addBefore(
            context.name(), "aggregator", new WebSocketFrameAggregator(LARGEST));
        notifyAll();
      }
    } else if (message instanceof PingWebSocketFrame ping) {
      context.writeAndFlush(new PongWebSocketFrame(ping.content().retain()));
    } else {
      received.add(((WebSocketFrame) message).retain());
    }
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext context, Throwable error) {
    error.printStackTrace();
    context.close();
  }

  private WebSocketFrame receive() throws InterruptedException {
    WebSocketFrame frame = received.poll(20, TimeUnit.SECONDS);
    if (frame == null) throw new IllegalStateException("No frame");
    return frame;
  }

  private static String textOf(WebSocketFrame frame) {
    return frame.content().toString(CharsetUtil.UTF_8);
  }

  private static List<WebSocketFrame> messages(boolean draft) {
    List<WebSocketFrame> all = new ArrayList<>();
    for (String text : List.of("", "Hello", "Ahoj, žluťoučký kůň; 日本語; 👋🏽")) {
      all.add(new TextWebSocketFrame(text));
    }
    // WebSocket00FrameDecoder loses the first byte of a frame that two reads have brought.
    if (draft) return all;
    all.add(new TextWebSocketFrame("語".repeat(33_334)));
    for (int size : new int[] {0, 126, 102_400}) {
      ByteBuf bytes = Unpooled.buffer(size);
      for (int i = 0; i < size; i++) bytes.writeByte(i % 251);
      all.add(new BinaryWebSocketFrame(bytes));
    }
    return all;
  }

  private void converse() throws InterruptedException {
    System.out.println("subprotocol " + handshaker.actualSubprotocol());
    if (extensions != null) System.out.println("extensions " + extensions);
    List<WebSocketFrame> messages = messages(draft);
    for (WebSocketFrame message : messages) channel.writeAndFlush(message.copy());
    int echoes = 0;
    for (WebSocketFrame message : messages) {
      WebSocketFrame frame = receive();
      boolean same = frame.getClass() == message.getClass();
      if (same && frame.content().equals(message.content())) echoes++;
    }
    System.out.println("echoes " + echoes);
    if (!draft) {
      channel.writeAndFlush(
          new PingWebSocketFrame(Unpooled.copiedBuffer("are you there", CharsetUtil.UTF_8)));
      System.out.println("pong " + textOf(receive()));
      channel.writeAndFlush(new TextWebSocketFrame("ping me"));
      System.out.println(textOf(receive()));
    }
    channel.writeAndFlush(new TextWebSocketFrame("close me"));
    CloseWebSocketFrame close = (CloseWebSocketFrame) receive();
    System.out.println(("closed " + reasonOf(close)).strip());
    handshaker.close(channel, close);
    channel.closeFuture().sync();
  }

  private String leave() throws InterruptedException {
    handshaker.close(
        channel, draft ? new CloseWebSocketFrame() : new CloseWebSocketFrame(4000, "done"));
    CloseWebSocketFrame close = (CloseWebSocketFrame) receive();
    channel.closeFuture().sync();
    return reasonOf(close);
  }

  private String reasonOf(CloseWebSocketFrame close) {
    return draft ? "" : close.statusCode() + " " + close.reasonText();
  }

  private static void run(String version, int handshakes, URI uri) throws InterruptedException {
    System.out.println("connect " + uri);
    new Netty(version, uri).converse();
    System.out.println(("left " + new Netty(version, uri).leave()).strip());
    for (int left = handshakes; left > 0; left--) {
      Netty client = new Netty(version, uri);
      client.channel.writeAndFlush(new TextWebSocketFrame("Hello"));
      if (!textOf(client.receive()).equals("Hello")) throw new IllegalStateException("No echo");
      client.leave();
    }
    System.out.println("handshakes " + handshakes);
  }

  public static void main(String[] args) throws Exception {
    try {
      for (int i = 1; i < args.length; i += 3) {
        run(args[i], Integer.parseInt(args[i + 1]), new URI(args[i + 2]));
      }
    } finally {
      LOOP.shutdownGracefully(0, 1, TimeUnit.SECONDS);
    }
  }
}
