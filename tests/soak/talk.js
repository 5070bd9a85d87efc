// Conversations with an echo server through any WebSocket of the W3C's interface. Browsers load this
// file as a script, and Node runs it too.
//
// A plan has a `url`, the `sizes` of its messages, and how it ends: `closes` is "client" or "server".
// After `patience` milliseconds, it is given up. `binary` and `codes` tell whether the client has binary messages and close codes. With `burst`, all
// messages are sent at once.

// ES3, for the oldest browser.
// deno-lint-ignore-file no-var no-inner-declarations no-unused-vars

// The message at an index: every third is binary, if there are binary messages.
function chaosMessage(plan, index) {
  var size = plan.sizes[index];
  if (!plan.binary || index % 3 !== 2) {
    var text = index + " ";
    while (text.length < size) text += text;
    return text.slice(0, Math.max(size, 3));
  }
  var bytes = new Uint8Array(size);
  for (var i = 0; i < size; i++) bytes[i] = i * 7 + index + (i >> 8);
  return bytes;
}

function chaosSame(data, message) {
  if (typeof message === "string" || typeof data === "string") return data === message;
  var bytes = new Uint8Array(data);
  for (var i = 0; i < message.length; i++) if (bytes[i] !== message[i]) return false;
  return bytes.length === message.length;
}

// Has one conversation. Calls `done` with what the client has seen.
function chaosTalk(Socket, plan, done) {
  var result = {
    path: plan.path,
    opened: false,
    echoed: 0,
    wrong: "",
    error: "",
    code: null,
    clean: null,
  };
  var socket = new Socket(plan.url);
  var sent = 0;
  var finished = false;
  socket.binaryType = "arraybuffer";
  function send() {
    if (sent < plan.sizes.length) socket.send(chaosMessage(plan, sent++));
  }
  function finish() {
    if (finished) return;
    finished = true;
    if (plan.closes === "server") socket.send("close");
    else if (plan.codes) socket.close(3000, "bye");
    else socket.close();
  }
  socket.onopen = function () {
    result.opened = true;
    do send(); while (plan.burst && sent < plan.sizes.length);
    // The server answers what came before, and closes.
    if (plan.burst && plan.closes === "server") finish();
  };
  socket.onmessage = function (event) {
    var index = result.echoed++;
    if (index >= plan.sizes.length) result.wrong = "an echo too many";
    else if (!chaosSame(event.data, chaosMessage(plan, index))) result.wrong = "echo " + index;
    if (socket.readyState !== 1) return;
    if (!plan.burst) send();
    if (result.echoed === plan.sizes.length) finish();
  };
  socket.onerror = function (event) {
    if (event && event.message) result.error = String(event.message);
  };
  var late = setTimeout(function () {
    result.wrong = "no end within " + plan.patience + " ms";
    result.ended = true;
    socket.close();
    done(result);
  }, plan.patience);
  socket.onclose = function (event) {
    if (result.ended) return;
    clearTimeout(late);
    result.ended = true;
    if (event && typeof event.code === "number") result.code = event.code;
    if (event && typeof event.wasClean === "boolean") result.clean = event.wasClean;
    done(result);
  };
}

// Has one conversation after the other, some at a time, until the time `end`. Calls `report` with the
// result of each, and then `done`.
function chaosTalkAll(Socket, job, report, done) {
  var next = 0;
  var running = 0;
  function begin() {
    var isLate = new Date().getTime() >= job.end && next >= job.atOnce;
    if (next >= job.plans.length || isLate) {
      if (running === 0) done();
      return;
    }
    running++;
    chaosTalk(Socket, job.plans[next++], function (result) {
      running--;
      report(result);
      begin();
    });
  }
  for (var i = 0; i < job.atOnce; i++) begin();
}
