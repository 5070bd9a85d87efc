// Runs in PhantomJS: opens a page with talk.js, and has its conversations.
//
//   phantomjs talk.phantom.js URL JOB
//
// Both are files; JOB has JSON. Prints "result " and what came of each conversation, as JSON.

// ES3, for the oldest browser.
// deno-lint-ignore-file no-var no-window
/* global phantom, require, chaosTalkAll */
var system = require("system");
var fs = require("fs");
var url = fs.read(system.args[1]);
var job = JSON.parse(fs.read(system.args[2]));
var page = require("webpage").create();

page.onError = fail;
phantom.onError = fail;
page.onCallback = function (result) {
  if (result === "done") return phantom.exit(0);
  console.log("result " + JSON.stringify(result));
};
page.open(url, function (status) {
  if (status !== "success") return fail("Cannot open " + url + ": " + status);
  page.evaluate(run, job);
});

function fail(message) {
  console.log("failed " + message);
  phantom.exit(1);
}

// Runs inside the page.
function run(job) {
  chaosTalkAll(WebSocket, job, window.callPhantom, function () {
    window.callPhantom("done");
  });
}
