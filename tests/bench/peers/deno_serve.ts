// Deno.serve with Deno.upgradeWebSocket (fastwebsockets): echoes on /, broadcasts on /fan.
// Usage: deno run --allow-net deno_serve.ts PORT

const members = new Set<WebSocket>();

Deno.serve({
  hostname: "127.0.0.1",
  port: Number(Deno.args[0]),
  onListen: () => console.log("ready"),
}, (request) => {
  const { socket, response } = Deno.upgradeWebSocket(request, { idleTimeout: 0 });
  socket.binaryType = "arraybuffer";
  if (request.url.endsWith("/fan")) {
    socket.onopen = () => members.add(socket);
    socket.onclose = () => members.delete(socket);
    socket.onmessage = (event) => {
      for (const member of members) member.send(event.data);
    };
  } else {
    socket.onmessage = (event) => socket.send(event.data);
  }
  return response;
});
