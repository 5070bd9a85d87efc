// Runs in PhantomJS: opens the page of the echo example and uses it as a person would.
//
//   phantomjs echo_page.phantom.js URL TEXTS
//
// Both are files; TEXTS has a JSON array. The first text is typed into the box and sent by the
// button, the others are sent at once by the page's send(). Prints "echoed " and what the page has
// received, as JSON; then, when the socket has closed, "closed " and the beginnings of the lines of
// the page's log.

// ES3, for the oldest browser.
// deno-lint-ignore-file no-var no-inner-declarations no-window
/* global phantom, require */
var system = require("system");
var fs = require("fs");
var url = fs.read(system.args[1]);
var texts = JSON.parse(fs.read(system.args[2]));
var page = require("webpage").create();

page.onError = fail;
phantom.onError = fail;
page.open(url, function (status) {
  if (status !== "success") return fail("Cannot open " + url + ": " + status);
  when(isOpen, function () {
    page.evaluate(typeAndSend, texts[0]);
    page.evaluate(sendAll, texts.slice(1));
    when(hasReceived, function () {
      console.log("echoed " + JSON.stringify(page.evaluate(getReceived)));
      when(isClosed, function () {
        console.log("closed " + JSON.stringify(page.evaluate(getLog)));
        phantom.exit(0);
      });
    });
  });
});

function isOpen() {
  return page.evaluate(getLog).indexOf("open") === 0;
}

function hasReceived() {
  return page.evaluate(countReceived) >= texts.length;
}

function isClosed() {
  var log = page.evaluate(getLog);
  return /^closed/.test(log[log.length - 1]);
}

// Calls next once condition() is true; it is asked again and again.
function when(condition, next) {
  var timer = setInterval(function () {
    if (!condition()) return;
    clearInterval(timer);
    next();
  }, 10);
}

function fail(message) {
  console.log("failed " + message);
  phantom.exit(1);
}

// The functions below run inside the page.

function getLog() {
  var lines = [];
  var children = document.getElementById("log").childNodes;
  for (var i = 0; i < children.length; i++) {
    if (children[i].nodeName === "DIV") lines.push(children[i].textContent.slice(0, 40));
  }
  return lines;
}

function countReceived() {
  return window.received.length;
}

function getReceived() {
  return window.received;
}

function typeAndSend(text) {
  document.getElementById("message").value = text;
  var click = document.createEvent("MouseEvents");
  click.initEvent("click", true, true);
  document.getElementById("send").dispatchEvent(click);
}

function sendAll(texts) {
  for (var i = 0; i < texts.length; i++) window.send(texts[i]);
}
