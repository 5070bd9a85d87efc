// Runs in PhantomJS: enters a room of the chat example and takes part as a person would.
//
//   phantomjs chat_page.phantom.js URL NAME LINES
//
// Each argument is the path of a file. LINES has a JSON array of pairs `[heard, said]`: the script
// says `said` once the page shows `heard`; an empty `heard` means at once. The script prints
// "entered" once it is in the room, "said" with each text that it sends, and "heard" with all texts
// that the page shows, as JSON, whenever they change.

// ES3, for the oldest browser.
// deno-lint-ignore-file no-var no-inner-declarations
/* global phantom, require */
var system = require("system");
var fs = require("fs");
var url = fs.read(system.args[1]);
var name = fs.read(system.args[2]);
var lines = JSON.parse(fs.read(system.args[3]));
var page = require("webpage").create();
var heard = "";

page.onError = fail;
phantom.onError = fail;
page.open(url, function (status) {
  if (status !== "success") return fail("Cannot open " + url + ": " + status);
  page.evaluate(enter, name);
  setInterval(look, 20);
});

var entered = false;

function look() {
  var seen = JSON.parse(page.evaluate(getTexts));
  if (!entered && page.evaluate(isIn)) {
    entered = true;
    console.log("entered");
  }
  if (JSON.stringify(seen) !== heard) {
    heard = JSON.stringify(seen);
    console.log("heard " + heard);
  }
  if (!entered || lines.length === 0) return;
  if (lines[0][0] !== "" && seen.indexOf(lines[0][0]) === -1) return;
  var text = lines.shift()[1];
  page.evaluate(typeAndSend, text);
  console.log("said " + text);
}

function fail(message) {
  console.log("failed " + message);
  phantom.exit(1);
}

// The functions below run inside the page.

function enter(name) {
  document.getElementById("name").value = name;
  var click = document.createEvent("MouseEvents");
  click.initEvent("click", true, true);
  document.querySelector("#enter button").dispatchEvent(click);
}

function isIn() {
  return document.getElementById("people").childNodes.length > 0;
}

function getTexts() {
  var texts = [];
  var elements = document.querySelectorAll("#list .text");
  for (var i = 0; i < elements.length; i++) texts.push(elements[i].textContent);
  return JSON.stringify(texts);
}

function typeAndSend(text) {
  document.getElementById("text").value = text;
  var click = document.createEvent("MouseEvents");
  click.initEvent("click", true, true);
  document.querySelector("#compose button").dispatchEvent(click);
}
