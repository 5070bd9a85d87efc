import java.io.ByteArrayOutputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.WebSocket;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/**
 * A client with the WebSocket of the JDK's HttpClient. It has no compression. See clients.ts for the
 * arguments and the output.
 */
final class JavaHttpClient implements WebSocket.Listener {
  private static final HttpClient HTTP = HttpClient.newHttpClient();
  private static final List<String> TEXTS =
      List.of("", "Hello", "Ahoj, žluťoučký kůň; 日本語; 👋🏽", "語".repeat(33_334));
  private static final int[] SIZES = {0, 126, 102_400};

  private final BlockingQueue<String> received = new LinkedBlockingQueue<>();
  private final StringBuilder text = new StringBuilder();
  private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
  private final WebSocket socket;

  private JavaHttpClient(URI uri) {
    socket = HTTP.newWebSocketBuilder().subprotocols("other", "chat").buildAsync(uri, this).join();
  }

  @Override
  public CompletionStage<?> onText(WebSocket from, CharSequence part, boolean last) {
    text.append(part);
    if (last) {
      received.add("text " + text);
      text.setLength(0);
    }
    from.request(1);
    return null;
  }

  @Override
  public CompletionStage<?> onBinary(WebSocket from, ByteBuffer part, boolean last) {
    while (part.hasRemaining()) bytes.write(part.get());
    if (last) {
      received.add(describe(bytes.toByteArray()));
      bytes.reset();
    }
    from.request(1);
    return null;
  }

  @Override
  public CompletionStage<?> onPong(WebSocket from, ByteBuffer payload) {
    received.add("pong " + StandardCharsets.UTF_8.decode(payload));
    from.request(1);
    return null;
  }

  @Override
  public CompletionStage<?> onClose(WebSocket from, int code, String reason) {
    received.add(code + " " + reason);
    return null;
  }

  @Override
  public void onError(WebSocket from, Throwable error) {
    received.add("error " + error);
  }

  private static String describe(byte[] bytes) {
    return "binary " + new String(bytes, StandardCharsets.ISO_8859_1);
  }

  private String receive() throws InterruptedException {
    String next = received.poll(20, TimeUnit.SECONDS);
    if (next == null) throw new IllegalStateException("Nothing came");
    return next;
  }

  private int echo() throws InterruptedException {
    int echoes = 0;
    for (String sent : TEXTS) {
      socket.sendText(sent, true).join();
      if (receive().equals("text " + sent)) echoes++;
    }
    for (int size : SIZES) {
      byte[] sent = new byte[size];
      for (int i = 0; i < size; i++) sent[i] = (byte) (i % 251);
      socket.sendBinary(ByteBuffer.wrap(sent), true).join();
      if (receive().equals(describe(sent))) echoes++;
    }
    return echoes;
  }

  private void converse() throws InterruptedException {
    System.out.println("subprotocol " + socket.getSubprotocol());
    System.out.println("echoes " + echo());
    socket.sendPing(ByteBuffer.wrap("are you there".getBytes(StandardCharsets.UTF_8))).join();
    System.out.println(receive());
    socket.sendText("ping me", true).join();
    System.out.println(receive().substring("text ".length()));
    socket.sendText("close me", true).join();
    // The client answers the close frame itself.
    System.out.println("closed " + receive());
  }

  private String leave() throws InterruptedException {
    socket.sendClose(4000, "done").join();
    return receive();
  }

  public static void main(String[] args) throws Exception {
    for (int i = 1; i < args.length; i += 3) {
      URI uri = URI.create(args[i + 2]);
      System.out.println("connect " + uri);
      new JavaHttpClient(uri).converse();
      System.out.println("left " + new JavaHttpClient(uri).leave());
      System.out.println("handshakes " + args[i + 1]);
    }
    System.exit(0);
  }
}
